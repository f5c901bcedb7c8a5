/* A CSV file, plain or gzip, to train on; behind the line "----" one to validate on. The target is the column y, or the
 * first; columns called c are categories. All samples are read. */
#include "data/csv_settings.h"
#include "data/formats.h"
#include "fuzz.h"
#include "fuzz_data.h"

#include <math.h>
#include <string.h>

static void run(struct csv_settings settings, char *training, char *validation)
{
    struct csv_settings other = settings;
    settings.path = training;
    other.path = validation;
    fuzz_open(&dataset_csv, &settings, &other);
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
    run(settings, training, validation);
    settings.categories = categories;
    settings.category_count = 1;
    settings.missing = 0;
    run(settings, training, validation);
    settings.targets = first;
    settings.category_count = 0;
    settings.header = false;
    settings.separator = semicolon;
    run(settings, training, validation);
    return 0;
}
