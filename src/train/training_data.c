#include "train/training_data.h"

#include "base/watchdog.h"

void training_data_read(const struct training_data *data, uint64_t position, size_t leaf, size_t rows,
                        uint64_t *indices, struct leaf *read)
{
    sampler_row(&data->sampler, position + leaf * rows, rows, indices);
    watchdog_begin("the training data", 0);
    dataset_read(&data->train, indices, rows, read);
    watchdog_end();
    augmenter_leaf(&data->augmenter, &data->sampler, position + leaf * rows, indices, rows, read);
    read->first = leaf * rows;
}
