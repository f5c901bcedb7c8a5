/* A CSV file, plain or gzip, to train on; behind the line "----" one to validate on. The target is the column y, or the
 * first; columns called c are categories. All samples are read. */
#include "data/csv_settings.h"
#include "data/formats.h"
#include "fuzz.h"

#include <math.h>
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

static void run(struct csv_settings *settings, char *training, char *validation)
{
    struct dataset train, dataset;
    struct error error;
    settings->path = training;
    if (!dataset_open(&train, &(struct dataset_spec){&dataset_csv, settings}, NULL, &error))
        return;
    read_all(&train);
    settings->path = validation;
    if (dataset_open(&dataset, &(struct dataset_spec){&dataset_csv, settings}, &train, &error)) {
        read_all(&dataset);
        dataset_close(&dataset);
    }
    dataset_close(&train);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char comma[] = ",", semicolon[] = ";", y[] = "y", one[] = "1", c[] = "c";
    char *targets[] = {y}, *first[] = {one}, *categories[] = {c};
    size_t first_size, second_size;
    const uint8_t *second;
    char training[64], validation[64];
    fuzz_split(data, size, &first_size, &second, &second_size);
    strcpy(training, fuzz_file(0, data, first_size));
    strcpy(validation, fuzz_file(1, second, second_size));
    struct csv_settings settings = {.targets = targets,
                                    .target_count = 1,
                                    .header = true,
                                    .separator = comma,
                                    .missing = CSV_NONE,
                                    .task = CSV_AUTO,
                                    .part = {0, 1}};
    run(&settings, training, validation);
    settings.categories = categories;
    settings.category_count = 1;
    settings.missing = 0;
    run(&settings, training, validation);
    settings.targets = first;
    settings.category_count = 0;
    settings.header = false;
    settings.separator = semicolon;
    run(&settings, training, validation);
    return 0;
}
