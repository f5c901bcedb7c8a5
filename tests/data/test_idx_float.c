/* IDX files of floats, features and regression targets; and what validation data has to be. */
#include "data/formats.h"
#include "data/idx.h"
#include "data/opening.h"
#include "support/test.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 4, F = 3, K = 2 };

/* Two files in the making: a header and values, as bytes or as floats. */
struct fixture {
    char images[PATH_MAX], labels[PATH_MAX];
    struct idx_settings settings;
    float values[N * F], targets[N * K];
};

static void put_size(FILE *file, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(value >> shift & 0xff), file);
}

static void put_whole(FILE *file, int bytes, int value)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        fputc(value >> shift & 0xff, file);
}

static void put_double(FILE *file, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_size(file, (uint32_t)(bits >> 32));
    put_size(file, (uint32_t)bits);
}

/* sizes: 0 behind the last. Types of integers: each value is one. */
static void write_idx(const char *path, uint32_t type, const uint32_t *sizes, const float *values)
{
    uint32_t dimensions = 0;
    size_t count = 1;
    for (; sizes[dimensions]; dimensions++)
        count *= sizes[dimensions];
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    put_size(file, type << 8 | dimensions);
    for (uint32_t d = 0; d < dimensions; d++)
        put_size(file, sizes[d]);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        if (type == 0x0D)
            put_size(file, bits);
        else if (type == 0x0E)
            put_double(file, (double)values[i]);
        else
            put_whole(file, type == 0x0C ? 4 : type == 0x0B ? 2 : 1, (int)values[i]);
    }
    CU_ASSERT_EQUAL(fclose(file), 0);
}

#define SIZES(...) ((const uint32_t[]){__VA_ARGS__, 0})

/* Floats [N, F] with targets [N, K]. */
static void fixture_write(const struct fixture *fixture)
{
    write_idx(fixture->images, 0x0D, SIZES(N, F), fixture->values);
    write_idx(fixture->labels, 0x0D, SIZES(N, K), fixture->targets);
}

/* `name` tells the files of several fixtures apart. */
static void fixture_init(struct fixture *fixture, const char *name)
{
    memset(fixture, 0, sizeof *fixture);
    snprintf(fixture->images, PATH_MAX, "%s.images", test_path(name));
    snprintf(fixture->labels, PATH_MAX, "%s.labels", test_path(name));
    fixture->settings = (struct idx_settings){
        .samples = {.part = {0, 1}, .std = 1}, .images = fixture->images, .labels = fixture->labels};
    for (int i = 0; i < N * F; i++)
        fixture->values[i] = (float)i * 1.7f - 3.1f;
    for (int i = 0; i < N * K; i++)
        fixture->targets[i] = 1e10f / (float)(1 - 2 * i);
    fixture_write(fixture);
}

static bool open_fixture(const struct fixture *fixture, const struct dataset *train, struct dataset *dataset,
                         struct error *error)
{
    struct idx_settings settings = fixture->settings;
    return dataset_open(dataset, &(struct dataset_spec){&dataset_idx, &settings}, train ? &train->about : NULL, error);
}

static struct dataset open_good(const struct fixture *fixture, const struct dataset *train)
{
    struct dataset dataset;
    struct error error;
    bool ok = open_fixture(fixture, train, &dataset, &error);
    check_opened(ok, &error);
    return dataset;
}

static uint64_t digest_of(const struct fixture *fixture)
{
    struct dataset dataset = open_good(fixture, NULL);
    uint64_t digest = dataset.digest;
    dataset_close(&dataset);
    return digest;
}

static void expect(const struct fixture *fixture, const struct dataset *train, enum error_kind kind, const char *words,
                   const char *more)
{
    struct dataset dataset;
    struct error error = {0};
    bool opened = open_fixture(fixture, train, &dataset, &error);
    check_refused(opened, &error, kind, words, more);
    dataset_close(&dataset);
}

static bool has_form(const struct dataset *dataset, struct shape input, size_t classes, size_t terms)
{
    const struct leaf_form *form = &dataset->about.form;
    return memcmp(&form->input, &input, sizeof input) == 0 && form->classes == classes && form->terms == terms &&
           form->vocabulary == 0;
}

static void floats_give_what_is_in_them(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a");
    struct dataset dataset = open_good(&fixture, NULL);
    CU_ASSERT_EQUAL(dataset.count, N);
    CU_ASSERT(has_form(&dataset, (struct shape){1, {F}}, 0, K));
    float least = fixture.targets[0], most = fixture.targets[0];
    for (size_t i = 1; i < N * K; i++) {
        least = fixture.targets[i] < least ? fixture.targets[i] : least;
        most = fixture.targets[i] > most ? fixture.targets[i] : most;
    }
    CU_ASSERT(dataset.about.form.least == least && dataset.about.form.most == most && least < most);
    float inputs[2 * F], targets[2 * K];
    struct leaf leaf = {.inputs = inputs, .targets = targets, .first = 77};
    dataset_read(&dataset, (const uint64_t[]){3, 1}, 2, &leaf);
    CU_ASSERT(leaf.rows == 2 && leaf.first == 77);
    CU_ASSERT_EQUAL(memcmp(inputs, fixture.values + 3 * F, F * sizeof *inputs), 0);
    CU_ASSERT_EQUAL(memcmp(inputs + F, fixture.values + F, F * sizeof *inputs), 0);
    CU_ASSERT_EQUAL(memcmp(targets, fixture.targets + 3 * K, K * sizeof *targets), 0);
    CU_ASSERT_EQUAL(memcmp(targets + K, fixture.targets + K, K * sizeof *targets), 0);
    dataset_close(&dataset);
}

static void inputs_are_normalised_and_targets_not(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a");
    fixture.settings.samples.mean = 0.3;
    fixture.settings.samples.std = 0.7;
    fixture.settings.samples.first = 1;
    struct dataset dataset = open_good(&fixture, NULL);
    CU_ASSERT_EQUAL(dataset.count, N - 1);
    float inputs[(N - 1) * F], targets[(N - 1) * K];
    struct leaf leaf = {.inputs = inputs, .targets = targets};
    dataset_read(&dataset, (const uint64_t[]){0, 1, 2}, N - 1, &leaf);
    size_t unlike = 0;
    for (size_t x = 0; x < (N - 1) * F; x++) {
        float value = fixture.values[F + x];
        CU_ASSERT_EQUAL(inputs[x], (float)(((double)value - 0.3) / 0.7));
        unlike += inputs[x] != (value - 0.3f) / 0.7f;
    }
    CU_ASSERT(unlike > 0); /* these values tell double from float */
    CU_ASSERT_EQUAL(memcmp(targets, fixture.targets + K, sizeof targets), 0);
    dataset_close(&dataset);
}

static void every_shape_and_type_is_read(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a");
    static const float values[N * 12] = {[0] = 1, [5] = 250, [12] = 4, [47] = 9};
    static const float labels[N] = {2, 0, 4, 1};
    static const struct {
        uint32_t sizes[5];
        struct shape shape;
    } shapes[] = {
        {{N, 12}, {1, {12}}}, {{N, 3, 4}, {3, {1, 3, 4}}}, {{N, 3, 2, 2}, {3, {3, 2, 2}}}, {{N, 1}, {1, {1}}}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        for (int floats = 0; floats < 4; floats++) {
            write_idx(fixture.images, floats & 1 ? 0x0D : 0x08, shapes[s].sizes, values);
            write_idx(fixture.labels, floats & 2 ? 0x0D : 0x08, SIZES(N), labels);
            struct dataset dataset = open_good(&fixture, NULL);
            CU_ASSERT(has_form(&dataset, shapes[s].shape, floats & 2 ? 0 : 5, 1));
            float inputs[12], target = -1;
            int32_t label = -1;
            struct leaf leaf = {
                .inputs = inputs, .targets = floats & 2 ? &target : NULL, .labels = floats & 2 ? NULL : &label};
            dataset_read(&dataset, (const uint64_t[]){2}, 1, &leaf);
            CU_ASSERT(floats & 2 ? target == 4 : label == 4);
            size_t width = shape_count(&shapes[s].shape);
            for (size_t x = 0; x < width; x++) {
                float value = values[2 * width + x];
                CU_ASSERT_EQUAL(inputs[x], floats & 1 ? value : (float)((double)value / 255.0));
            }
            dataset_close(&dataset);
        }
    }
}

/* Bytes become shares of 255; all others stay as they are. */
static void other_types_stay_as_they_are(void)
{
    static const float values[N * 12] = {[0] = -100, [5] = 100, [24] = 4, [25] = -7, [47] = 9};
    static const uint32_t inputs_of[] = {0x09, 0x0B, 0x0C, 0x0D, 0x0E};
    struct fixture fixture;
    fixture_init(&fixture, "a");
    uint64_t digests[5];
    for (size_t i = 0; i < 5; i++) {
        write_idx(fixture.images, inputs_of[i], SIZES(N, 12), values);
        write_idx(fixture.labels, i < 3 ? inputs_of[i] : 0x08, SIZES(N), (const float[]){2, 0, 4, 1});
        struct dataset dataset = open_good(&fixture, NULL);
        CU_ASSERT(has_form(&dataset, (struct shape){1, {12}}, 5, 1));
        float inputs[12];
        int32_t label;
        dataset_read(&dataset, (const uint64_t[]){2}, 1, &(struct leaf){.inputs = inputs, .labels = &label});
        CU_ASSERT_EQUAL(memcmp(inputs, values + 24, sizeof inputs), 0);
        CU_ASSERT_EQUAL(label, 4);
        digests[i] = dataset.digest;
        for (size_t j = 0; j < i; j++)
            CU_ASSERT_NOT_EQUAL(digests[i], digests[j]);
        dataset_close(&dataset);
    }
    write_idx(fixture.labels, 0x0E, SIZES(N, 3, 2), values);
    struct dataset dataset = open_good(&fixture, NULL);
    CU_ASSERT(has_form(&dataset, (struct shape){1, {12}}, 0, 6));
    dataset_close(&dataset);
    write_idx(fixture.labels, 0x0B, SIZES(N), (const float[]){2, -1, 4, 1});
    expect(&fixture, NULL, ERROR_USAGE, fixture.labels, "sample 1 (counted from 0) has label -1");
}

static void labels_may_be_many_and_begin_anywhere(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a");
    write_idx(fixture.labels, 0x0C, SIZES(N), (const float[]){1, 70000, 300, 2});
    struct dataset dataset = open_good(&fixture, NULL);
    CU_ASSERT_EQUAL(dataset.about.form.classes, 70001);
    uint64_t digest = dataset.digest;
    dataset_close(&dataset);
    fixture.settings.samples.label_offset = 1;
    fixture.settings.samples.classes = 80000;
    dataset = open_good(&fixture, NULL);
    CU_ASSERT(dataset.about.form.classes == 80000 && dataset.about.label_offset == 1 && dataset.digest != digest);
    float inputs[F];
    int32_t label;
    dataset_read(&dataset, (const uint64_t[]){1}, 1, &(struct leaf){.inputs = inputs, .labels = &label});
    CU_ASSERT_EQUAL(label, 69999);
    dataset_close(&dataset);
    fixture.settings.samples.part[1] = 0.5;
    dataset = open_good(&fixture, NULL);
    CU_ASSERT_EQUAL(dataset.count, N / 2);
    dataset_close(&dataset);
}

static void images_may_be_stored_column_by_column(void)
{
    static const float stored[N * 12] = {[12] = 0, 10, 20, 30, 1, 11, 21, 31, 2, 12, 22, 32};
    static const float turned[12] = {0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32};
    struct fixture fixture;
    fixture_init(&fixture, "a");
    fixture.settings.inputs = fixture.settings.images;
    fixture.settings.images = NULL; /* under its other name */
    fixture.settings.transpose = true;
    write_idx(fixture.images, 0x0D, SIZES(N, 3, 4), stored);
    struct dataset dataset = open_good(&fixture, NULL);
    CU_ASSERT(has_form(&dataset, (struct shape){3, {1, 4, 3}}, 0, K));
    float inputs[2][12], targets[2][K];
    struct leaf leaf = {.inputs = inputs[0], .targets = targets[0]};
    dataset_read(&dataset, (const uint64_t[]){0, 1}, 2, &leaf);
    CU_ASSERT_EQUAL(memcmp(inputs[1], turned, sizeof turned), 0);
    uint64_t digest = dataset.digest;
    dataset_close(&dataset);
    write_idx(fixture.images, 0x0D, SIZES(N, 2, 3, 2), stored);
    dataset = open_good(&fixture, NULL);
    dataset_read(&dataset, (const uint64_t[]){0, 1}, 2, &leaf);
    static const float planes[12] = {0, 20, 1, 10, 30, 11, 21, 2, 22, 31, 12, 32};
    CU_ASSERT(has_form(&dataset, (struct shape){3, {2, 2, 3}}, 0, K));
    CU_ASSERT_EQUAL(memcmp(inputs[1], planes, sizeof planes), 0);
    dataset_close(&dataset);
    fixture.settings.transpose = false;
    write_idx(fixture.images, 0x0D, SIZES(N, 3, 4), stored);
    CU_ASSERT_NOT_EQUAL(digest_of(&fixture), digest);
    fixture.settings.transpose = true;
    write_idx(fixture.images, 0x0D, SIZES(N, 12), stored);
    expect(&fixture, NULL, ERROR_USAGE, fixture.images, "transpose is for images");
}

static void the_digest_tells_values_targets_and_types(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a");
    uint64_t digest = digest_of(&fixture);
    fixture.values[N * F - 1] += 1;
    fixture_write(&fixture);
    CU_ASSERT_NOT_EQUAL(digest_of(&fixture), digest);
    fixture.values[N * F - 1] -= 1;
    fixture.targets[N * K - 1] += 1e6f;
    fixture_write(&fixture);
    CU_ASSERT_NOT_EQUAL(digest_of(&fixture), digest);
    fixture_init(&fixture, "b");
    CU_ASSERT_EQUAL(digest_of(&fixture), digest);
    /* The same bytes as other numbers: images; half the samples, twice as wide. */
    write_idx(fixture.images, 0x0D, SIZES(N, F, 1), fixture.values);
    CU_ASSERT_NOT_EQUAL(digest_of(&fixture), digest);
    fixture_write(&fixture);
    write_idx(fixture.images, 0x0D, SIZES(2, 2 * F), fixture.values);
    write_idx(fixture.labels, 0x0D, SIZES(2, 2 * K), fixture.targets);
    CU_ASSERT_NOT_EQUAL(digest_of(&fixture), digest);
    /* All bytes 0: a sample of floats, or four of bytes. */
    static const float zeros[4 * F] = {0};
    write_idx(fixture.images, 0x0D, SIZES(1, F), zeros);
    write_idx(fixture.labels, 0x0D, SIZES(1), zeros);
    digest = digest_of(&fixture);
    write_idx(fixture.images, 0x08, SIZES(4, F), zeros);
    write_idx(fixture.labels, 0x08, SIZES(4), zeros);
    CU_ASSERT_NOT_EQUAL(digest_of(&fixture), digest);
}

static void what_is_not_finite_is_named(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a");
    fixture.values[2 * F + 1] = NAN;
    fixture_write(&fixture);
    expect(&fixture, NULL, ERROR_CORRUPT, fixture.images, "sample 2, value 1 is nan");
    fixture.settings.samples.first = 1; /* samples are counted in the file */
    expect(&fixture, NULL, ERROR_CORRUPT, fixture.images, "sample 2, value 1 is nan");
    fixture.settings.samples.first = 3; /* and the others do not matter */
    struct dataset dataset = open_good(&fixture, NULL);
    dataset_close(&dataset);
    fixture_init(&fixture, "a");
    fixture.values[0] = -INFINITY;
    fixture_write(&fixture);
    expect(&fixture, NULL, ERROR_CORRUPT, fixture.images, "sample 0, value 0 is -inf");
    fixture_init(&fixture, "a");
    fixture.targets[N * K - 1] = INFINITY;
    fixture_write(&fixture);
    expect(&fixture, NULL, ERROR_CORRUPT, fixture.labels, "sample 3, value 1 is inf");
    fixture_init(&fixture, "a");
    fixture.values[F] = 1e30f;
    fixture.targets[0] = 3e38f;
    fixture_write(&fixture);
    fixture.settings.samples.std = 1e-10;
    expect(&fixture, NULL, ERROR_USAGE, fixture.images, "sample 1, value 0 is 1e+30: with mean 0 and std 1e-10");
    fixture.settings.samples.std = 1;
    dataset = open_good(&fixture, NULL);
    dataset_close(&dataset);
}

static void float_files_are_as_long_as_they_say(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a");
    FILE *file = fopen(fixture.images, "ab");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputc(0, file);
    CU_ASSERT_EQUAL(fclose(file), 0);
    expect(&fixture, NULL, ERROR_CORRUPT, fixture.images,
           "too long by 1 bytes: 48 bytes of numbers expected, 49 there");
    write_idx(fixture.images, 0x0D, SIZES(N), fixture.values);
    expect(&fixture, NULL, ERROR_CORRUPT, fixture.images, "holds labels (magic 0x00000d01), not images");
    write_idx(fixture.images, 0x0D, SIZES(N, F), fixture.values);
    write_idx(fixture.labels, 0x08, SIZES(N, K, 1), fixture.targets);
    expect(&fixture, NULL, ERROR_USAGE, fixture.labels, "labels are one integer a sample");
    write_idx(fixture.labels, 0x0D, SIZES(N - 1, K), fixture.targets);
    expect(&fixture, NULL, ERROR_CORRUPT, "holds 4 samples", "targets of 3");
}

static void validation_fits_the_training_data(void)
{
    struct fixture fixture, other;
    fixture_init(&fixture, "a");
    fixture_init(&other, "b");
    struct dataset train = open_good(&fixture, NULL), dataset;
    dataset = open_good(&other, &train);
    CU_ASSERT(has_form(&dataset, (struct shape){1, {F}}, 0, K));
    dataset_close(&dataset);
    write_idx(other.images, 0x08, SIZES(N, F), (const float[N * F]){0}); /* bytes are numbers as well */
    dataset = open_good(&other, &train);
    dataset_close(&dataset);

    write_idx(other.images, 0x0D, SIZES(N, F - 1), fixture.values);
    expect(&other, &train, ERROR_USAGE, other.images, "have the shape 2, but those of the training data 3");
    write_idx(other.images, 0x0D, SIZES(N, 1, F), fixture.values);
    expect(&other, &train, ERROR_USAGE, other.images, "have the shape 1x1x3, but those of the training data 3");
    fixture_write(&other);
    write_idx(other.labels, 0x0D, SIZES(N), fixture.targets);
    expect(&other, &train, ERROR_USAGE, other.labels, "holds 1 target a sample, but the training data 2");
    write_idx(other.labels, 0x08, SIZES(N), (const float[N]){0, 1, 2, 3});
    expect(&other, &train, ERROR_USAGE, other.labels, "holds labels, but the training data has float targets");
    dataset_close(&train);

    train = open_good(&other, NULL);
    expect(&fixture, &train, ERROR_USAGE, fixture.labels, "holds float targets, but the training data has labels");
    dataset_close(&train);
}

static void validation_labels_are_classes_of_the_training_data(void)
{
    struct fixture fixture, other;
    fixture_init(&fixture, "a");
    fixture_init(&other, "b");
    write_idx(fixture.labels, 0x08, SIZES(N), (const float[N]){0, 1, 4, 3});
    write_idx(other.labels, 0x08, SIZES(N), (const float[N]){4, 0, 5, 1});
    struct dataset train = open_good(&fixture, NULL), dataset;
    CU_ASSERT_EQUAL(train.about.form.classes, 5);
    expect(&other, &train, ERROR_USAGE, other.labels,
           "sample 2 (counted from 0) has label 5, but the training data has only 5 classes, 0 to 4");
    other.settings.samples.first = 1;
    expect(&other, &train, ERROR_USAGE, other.labels, "sample 2 (counted from 0) has label 5");
    other.settings.samples.first = 3;
    dataset = open_good(&other, &train);
    CU_ASSERT_EQUAL(dataset.about.form.classes, 5);
    dataset_close(&dataset);
    dataset_close(&train);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"float files give the features and targets that are in them", floats_give_what_is_in_them},
        {"a float x becomes (x - mean) / std, and a target stays", inputs_are_normalised_and_targets_not},
        {"bytes and floats of two, three and four dimensions are read", every_shape_and_type_is_read},
        {"signed bytes, integers and doubles stay as they are", other_types_stay_as_they_are},
        {"labels may be many, and begin anywhere", labels_may_be_many_and_begin_anywhere},
        {"images may be stored column by column", images_may_be_stored_column_by_column},
        {"the digest tells values, targets and their shapes", the_digest_tells_values_targets_and_types},
        {"a number that is not finite is named by file, sample and value", what_is_not_finite_is_named},
        {"float files that do not fit their header are refused", float_files_are_as_long_as_they_say},
        {"validation data of another shape or kind is refused with both", validation_fits_the_training_data},
        {"a validation label outside the training data's classes is named",
         validation_labels_are_classes_of_the_training_data},
        {NULL, NULL},
    };
    return test_run("data/idx_float", cases);
}
