#include "train/training_data.h"

#include "base/clock.h"

struct leaf_place training_data_place(const struct training_data *data, uint64_t position, size_t leaf, size_t rows)
{
    return (struct leaf_place){.dataset = &data->train,
                               .sampler = &data->sampler,
                               .augmenter = &data->augmenter,
                               .position = position + leaf * rows,
                               .rows = rows,
                               .first = leaf * rows};
}

void training_data_take(struct training_data *data, const struct leaf_place *place, const struct leaf_place *next,
                        struct leaf *leaf)
{
    double begin_s = clock_seconds();
    if (!prefetch_take(data->ahead, place, next, leaf))
        data->has_failed = true;
    data->waited_s += clock_seconds() - begin_s;
}

void training_data_rest(struct training_data *data)
{
    prefetch_rest(data->ahead);
}
