#include "data/npy_trial.h"

#include "data/formats.h"
#include "data/opening.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

const float features[N * F] = {0, 1, -2, 3.5f, 4, 5, 6, 7, 8, 9, 10, -11};
const int64_t classes[N] = {3, 0, 7, 1, 1, 2};

void fixture_write(const struct fixture *fixture)
{
    npy_file_write(fixture->x_path, fixture->x.bytes, fixture->x.count);
    npy_file_write(fixture->y_path, fixture->y.bytes, fixture->y.count);
}

void fixture_init(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    snprintf(fixture->x_path, PATH_MAX, "%s", test_path("x.npy"));
    snprintf(fixture->y_path, PATH_MAX, "%s", test_path("y.npy"));
    npy_file_array(&fixture->x, "<f4", "(6, 2)", features, sizeof features);
    npy_file_array(&fixture->y, "<i8", "(6,)", classes, sizeof classes);
    fixture->settings = (struct npy_settings){
        .samples = {.part = {0, 1}, .std = 1}, .x = fixture->x_path, .y = fixture->y_path};
    fixture_write(fixture);
}

bool fixture_open(const struct fixture *fixture, const struct dataset *train, struct dataset *dataset,
                  struct error *error)
{
    return dataset_open(dataset, &(struct dataset_spec){&dataset_npy, (void *)(uintptr_t)&fixture->settings},
                        train ? &train->about : NULL, error);
}

struct dataset open_good(const struct fixture *fixture)
{
    struct dataset dataset;
    struct error error = {0};
    bool ok = fixture_open(fixture, NULL, &dataset, &error);
    check_opened(ok, &error);
    return dataset;
}

uint64_t digest_of(const struct fixture *fixture)
{
    struct dataset dataset = open_good(fixture);
    uint64_t digest = dataset.digest;
    dataset_close(&dataset);
    return digest;
}

void expect(const struct fixture *fixture, const struct dataset *train, enum error_kind kind, const char *words)
{
    struct dataset dataset;
    struct error error = {0};
    bool opened = fixture_open(fixture, train, &dataset, &error);
    check_refused(opened, &error, kind, words, "");
    dataset_close(&dataset);
}

bool has_form(const struct dataset *dataset, struct shape input, size_t n, size_t terms)
{
    const struct leaf_form *form = &dataset->about.form;
    return memcmp(&form->input, &input, sizeof input) == 0 && form->classes == n && form->terms == terms &&
           form->vocabulary == 0;
}
