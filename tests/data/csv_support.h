/* What the tests of CSV files have in common: a file with its settings. */
#ifndef DATA_CSV_SUPPORT_H
#define DATA_CSV_SUPPORT_H

#include "data/csv_settings.h"
#include "data/formats.h"
#include "data/opening.h"
#include "support/test.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct fixture {
    char path[PATH_MAX], separator[8];
    char *targets[4], *inputs[4], *categories[4];
    struct csv_settings settings;
};

static inline void fixture_write(const struct fixture *fixture, const char *text, size_t count)
{
    FILE *file = fopen(fixture->path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(text, 1, count, file), count);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

/* `name` tells the files of several fixtures apart; the target is y. */
static inline void fixture_init(struct fixture *fixture, const char *name, const char *text)
{
    static char target[] = "y";
    memset(fixture, 0, sizeof *fixture);
    snprintf(fixture->path, sizeof fixture->path, "%s.csv", test_path(name));
    strcpy(fixture->separator, ",");
    fixture->targets[0] = target;
    fixture->settings = (struct csv_settings){.path = fixture->path,
                                              .targets = fixture->targets,
                                              .target_count = 1,
                                              .inputs = fixture->inputs,
                                              .categories = fixture->categories,
                                              .header = true,
                                              .separator = fixture->separator,
                                              .missing = CSV_NONE,
                                              .task = CSV_AUTO,
                                              .part = {0, 1}};
    fixture_write(fixture, text, strlen(text));
}

static inline bool open_fixture(const struct fixture *fixture, const struct dataset *train, struct dataset *dataset,
                                struct error *error)
{
    struct csv_settings settings = fixture->settings;
    return dataset_open(dataset, &(struct dataset_spec){&dataset_csv, &settings}, train ? &train->about : NULL, error);
}

static inline struct dataset open_good(const struct fixture *fixture, const struct dataset *train)
{
    struct dataset dataset;
    struct error error;
    bool ok = open_fixture(fixture, train, &dataset, &error);
    check_opened(ok, &error);
    return dataset;
}

/* One line, with the path and these words in it. */
static inline void expect(const struct fixture *fixture, const struct dataset *train, enum error_kind kind,
                          const char *words)
{
    struct dataset dataset;
    struct error error = {0};
    bool opened = open_fixture(fixture, train, &dataset, &error);
    check_refused(opened, &error, kind, words, fixture->path);
    dataset_close(&dataset);
}

#endif
