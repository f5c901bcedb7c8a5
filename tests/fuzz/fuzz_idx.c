/* An IDX file of inputs, plain or gzip; behind the line "----" that of labels or targets. All samples are read. */
#include "data/formats.h"
#include "data/idx.h"
#include "fuzz.h"

#include <string.h>

#define ROWS 4

static void read_all(const struct dataset *dataset)
{
    struct leaf leaf;
    struct error error;
    uint64_t indices[ROWS];
    if (shape_count(&dataset->form.input) > 1 << 20 || !leaf_init(&leaf, &dataset->form, ROWS, &error))
        return;
    for (uint64_t first = 0; first < dataset->count; first += ROWS) {
        size_t rows = 0;
        while (rows < ROWS && first + rows < dataset->count) {
            indices[rows] = first + rows;
            rows++;
        }
        dataset_read(dataset, indices, rows, &leaf);
    }
    leaf_release(&leaf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first, second_size;
    const uint8_t *second;
    char images[64], labels[64];
    struct dataset dataset;
    struct error error;
    fuzz_split(data, size, &first, &second, &second_size);
    strcpy(images, fuzz_file(0, data, first));
    strcpy(labels, fuzz_file(1, second, second_size));
    struct idx_settings settings = {.images = images, .labels = labels, .std = 1};
    if (dataset_open(&dataset, &(struct dataset_spec){&dataset_idx, &settings}, NULL, &error)) {
        read_all(&dataset);
        dataset_close(&dataset);
    }
    return 0;
}
