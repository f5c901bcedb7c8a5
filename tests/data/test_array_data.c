/* Arrays as samples: every type in both byte orders, shapes, labels and targets, parts; and what is refused. */
#include "data/npy_trial.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void floats_and_labels_are_what_is_in_the_files(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct dataset dataset = open_good(&fixture);
    CU_ASSERT(dataset.count == N && has_form(&dataset, (struct shape){1, {F}}, 8, 1));
    float inputs[3][F];
    int32_t labels[3];
    struct leaf leaf = {.inputs = inputs[0], .labels = labels};
    dataset_read(&dataset, (const uint64_t[]){5, 0, 2}, 3, &leaf);
    CU_ASSERT(labels[0] == 2 && labels[1] == 3 && labels[2] == 7);
    CU_ASSERT(inputs[0][1] == -11 && inputs[1][0] == 0 && inputs[1][1] == 1 && inputs[2][0] == 4);
    struct error error;
    CU_ASSERT_FALSE(dataset_failed(&dataset, &error));
    dataset_close(&dataset);

    fixture.settings.samples.mean = 0.25;
    fixture.settings.samples.std = 3;
    dataset = open_good(&fixture);
    dataset_read(&dataset, (const uint64_t[]){1}, 1, &leaf);
    CU_ASSERT(inputs[0][1] == (float)((3.5 - 0.25) / 3) && dataset.mean == 0.25 && dataset.std == 3);
    dataset_close(&dataset);
}

/* A row of bytes as the type has it, in little-endian order; and the floats that become of it. */
static const struct {
    const char *type;
    size_t bytes;
    uint64_t bits[3];
    float values[3];
} types[] = {
    {"b1", 1, {0, 1, 1}, {0, 1, 1}},
    {"u1", 1, {0, 7, 255}, {0, 7, 255}},
    {"i1", 1, {0, 0x80, 0xff}, {0, -128, -1}},
    {"u2", 2, {1, 0x0102, 0xffff}, {1, 258, 65535}},
    {"i2", 2, {1, 0x8000, 0xfffe}, {1, -32768, -2}},
    {"u4", 4, {1, 0x01020304, 0xffffffff}, {1, 16909060, 4294967295.0f}},
    {"i4", 4, {1, 0x80000000, 0xffffff00}, {1, -2147483648.0f, -256}},
    {"u8", 8, {1, UINT64_MAX, 1ull << 40}, {1, 18446744073709551615.0f, 0x1p40f}},
    {"i8", 8, {1, 1ull << 63, UINT64_MAX}, {1, -0x1p63f, -1}},
    {"f2", 2, {0x3c00, 0xc580, 0x0001}, {1, -5.5f, 0x1p-24f}},
    {"f4", 4, {0x3f800000, 0xc0b00000, 0x00000001}, {1, -5.5f, 0x1p-149f}},
    {"f8", 8, {0x3ff0000000000000, 0xc016000000000000, 0x3fb999999999999a}, {1, -5.5f, 0.1f}},
};

static void all_types_are_read_in_both_byte_orders(void)
{
    struct fixture fixture;
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        for (int big = 0; big < 2; big++) {
            uint8_t values[2 * 3 * 8] = {0};
            char type[8];
            size_t bytes = types[t].bytes;
            for (size_t i = 0; i < 3; i++)
                for (size_t b = 0; b < bytes; b++)
                    values[(3 + i) * bytes + (big ? bytes - 1 - b : b)] = (uint8_t)(types[t].bits[i] >> 8 * b);
            snprintf(type, sizeof type, "%s%s", bytes == 1 ? "|" : big ? ">" : "<", types[t].type);
            fixture_init(&fixture);
            npy_file_array(&fixture.x, type, "(2, 3)", values, 6 * bytes);
            npy_file_array(&fixture.y, "|u1", "(2,)", (const uint8_t[]){0, 1}, 2);
            fixture_write(&fixture);
            struct dataset dataset = open_good(&fixture);
            float inputs[3];
            int32_t label;
            struct leaf leaf = {.inputs = inputs, .labels = &label};
            dataset_read(&dataset, (const uint64_t[]){1}, 1, &leaf);
            CU_ASSERT(label == 1 && memcmp(inputs, types[t].values, sizeof inputs) == 0);
            dataset_close(&dataset);
        }
    }
}

static void labels_may_be_of_any_integer_type(void)
{
    struct fixture fixture;
    for (size_t t = 0; t < 9; t++) {
        uint8_t values[N * 8] = {0};
        char type[8];
        size_t bytes = types[t].bytes;
        for (size_t i = 0; i < N; i++)
            values[(i + 1) * bytes - 1] = i % 2; /* big-endian */
        snprintf(type, sizeof type, "%s%s", bytes == 1 ? "|" : ">", types[t].type);
        fixture_init(&fixture);
        npy_file_array(&fixture.y, type, "(6, 1)", values, N * bytes);
        fixture_write(&fixture);
        struct dataset dataset = open_good(&fixture);
        CU_ASSERT(has_form(&dataset, (struct shape){1, {F}}, 2, 1));
        float inputs[F];
        int32_t label;
        struct leaf leaf = {.inputs = inputs, .labels = &label};
        dataset_read(&dataset, (const uint64_t[]){3}, 1, &leaf);
        CU_ASSERT_EQUAL(label, 1);
        dataset_close(&dataset);
    }
}

static void shapes_are_features_or_images(void)
{
    static const struct {
        const char *shape;
        struct shape input;
    } good[] = {
        {"(12,)", {1, {1}}},
        {"(3L, 4L)", {1, {4}}},
        {"(2, 2, 3)", {3, {1, 2, 3}}},
        {"(1,3,2,2)", {3, {3, 2, 2}}},
        {"(1,3,2,2,1)", {4, {3, 2, 2, 1}}},
    };
    static const size_t samples[] = {12, 3, 2, 1, 1};
    struct fixture fixture;
    for (size_t i = 0; i < 5; i++) {
        char shape[16];
        uint8_t labels[12] = {0};
        fixture_init(&fixture);
        npy_file_array(&fixture.x, "<f4", good[i].shape, features, sizeof features);
        snprintf(shape, sizeof shape, "(%zu,)", samples[i]);
        npy_file_array(&fixture.y, "|u1", shape, labels, samples[i]);
        fixture_write(&fixture);
        struct dataset dataset = open_good(&fixture);
        CU_ASSERT(dataset.count == samples[i] && has_form(&dataset, good[i].input, 2, 1));
        dataset_close(&dataset);
    }
}

static void floats_are_targets_of_any_shape(void)
{
    static const double targets[N * 4] = {0.1, -7, 3, [23] = 9};
    struct fixture fixture;
    fixture_init(&fixture);
    npy_file_array(&fixture.y, "<f8", "(6, 2, 2)", targets, sizeof targets);
    fixture_write(&fixture);
    struct dataset dataset = open_good(&fixture);
    CU_ASSERT(has_form(&dataset, (struct shape){1, {F}}, 0, 4));
    CU_ASSERT(dataset.about.form.least == -7 && dataset.about.form.most == 9);
    float inputs[F], read[4];
    struct leaf leaf = {.inputs = inputs, .targets = read};
    dataset_read(&dataset, (const uint64_t[]){0}, 1, &leaf);
    CU_ASSERT(read[0] == 0.1f && read[1] == -7 && read[2] == 3 && read[3] == 0);
    dataset_close(&dataset);
}

static void labels_may_begin_at_one_and_show_not_all_classes(void)
{
    static const int64_t from_one[N] = {1, 2, 3, 1, 2, 3};
    struct fixture fixture;
    fixture_init(&fixture);
    uint64_t digest = digest_of(&fixture);
    fixture.settings.samples.classes = 1000;
    struct dataset train = open_good(&fixture);
    CU_ASSERT_EQUAL(train.about.form.classes, 1000);

    npy_file_array(&fixture.y, "<i8", "(6,)", from_one, sizeof from_one);
    fixture_write(&fixture);
    fixture.settings.samples.classes = 0;
    CU_ASSERT_NOT_EQUAL(digest_of(&fixture), digest);
    digest = digest_of(&fixture);
    fixture.settings.samples.label_offset = 1;
    struct dataset dataset = open_good(&fixture);
    CU_ASSERT_NOT_EQUAL(dataset.digest, digest);
    CU_ASSERT_EQUAL(dataset.about.form.classes, 3);
    float inputs[F];
    int32_t label;
    struct leaf leaf = {.inputs = inputs, .labels = &label};
    dataset_read(&dataset, (const uint64_t[]){2}, 1, &leaf);
    CU_ASSERT_EQUAL(label, 2);
    dataset_close(&dataset);

    expect(&fixture, &train, ERROR_USAGE, "label_offset is 1, but that of the training data 0");
    dataset_close(&train);
    fixture.settings.samples.classes = 1000;
    train = open_good(&fixture);
    fixture.settings.samples.classes = 0;
    struct error error;
    CU_ASSERT(fixture_open(&fixture, &train, &dataset, &error) && dataset.about.form.classes == 1000);
    dataset_close(&dataset);
    dataset_close(&train);
    fixture.settings.samples.label_offset = 2;
    expect(&fixture, NULL, ERROR_USAGE,
           "sample 0 (counted from 0) has label 1, from which label_offset 2 is subtracted");
    fixture.settings.samples = (struct array_settings){.part = {0, 1}, .std = 1, .classes = 3};
    expect(&fixture, NULL, ERROR_USAGE,
           "sample 2 (counted from 0) has label 3, but classes is 3: 0 to 2; label_offset");
}

/* Labels of [N, ...]: as many a sample as there are places. */
static void labels_may_be_of_each_place_and_some_count_for_nothing(void)
{
    static const uint8_t labels[N * 2] = {1, 0, 2, 255, 1, 1, 255, 255, 0, 2, 1, 0};
    static const uint64_t ignored[] = {255, ARRAY_IGNORES_ZERO};
    struct fixture fixture;
    fixture_init(&fixture);
    npy_file_array(&fixture.y, "|u1", "(6, 1, 2)", labels, sizeof labels);
    fixture_write(&fixture);
    expect(&fixture, NULL, ERROR_USAGE, "labels are one integer a sample, [N], or one a pixel, [N, height, width]");
    npy_file_array(&fixture.x, "<f4", "(6, 1, 2)", features, sizeof features);
    fixture_write(&fixture);
    uint64_t digest = digest_of(&fixture);
    for (size_t i = 0; i < 2; i++) {
        fixture.settings.samples.ignore_label = ignored[i];
        struct dataset dataset = open_good(&fixture);
        const struct leaf_form *form = &dataset.about.form;
        CU_ASSERT(has_form(&dataset, (struct shape){3, {1, 1, F}}, i == 0 ? 3 : 256, 2) && form->ignores);
        CU_ASSERT(form->target.dims == 2 && form->target.size[0] == 1 && form->target.size[1] == 2);
        float inputs[2 * F];
        int32_t read[4];
        struct leaf leaf = {.inputs = inputs, .labels = read};
        dataset_read(&dataset, (const uint64_t[]){1, 4}, 2, &leaf);
        CU_ASSERT(read[0] == 2 && read[1] == (i == 0 ? LEAF_IGNORED : 255));
        CU_ASSERT(read[2] == (i == 0 ? 0 : LEAF_IGNORED) && read[3] == 2);
        CU_ASSERT(dataset.digest != digest);
        dataset_close(&dataset);
    }
    static const int8_t with_minus[N] = {0, -1, 2, 1, -1, 0};
    npy_file_array(&fixture.y, "|i1", "(6,)", with_minus, sizeof with_minus);
    fixture_write(&fixture);
    fixture.settings.samples.ignore_label = ARRAY_IGNORES_NONE;
    expect(&fixture, NULL, ERROR_USAGE,
           "label -1: classes count from 0; ignore_label: -1 is for one that stands for none");
    fixture.settings.samples.ignore_label = ARRAY_IGNORES_MINUS;
    struct dataset dataset = open_good(&fixture);
    CU_ASSERT_EQUAL(dataset.about.form.classes, 3);
    dataset_close(&dataset);
    static const int8_t of_torch[N] = {0, -100, 2, 1, -100, 0};
    npy_file_array(&fixture.y, "|i1", "(6,)", of_torch, sizeof of_torch);
    fixture_write(&fixture);
    expect(&fixture, NULL, ERROR_USAGE, "label -100: classes count from 0");
    fixture.settings.samples.ignore_label = ARRAY_IGNORES_NONE;
    expect(&fixture, NULL, ERROR_USAGE,
           "label -100: classes count from 0; ignore_label: -100 is for one that stands for none");
    fixture.settings.samples.ignore_label = ARRAY_IGNORES_TORCH;
    dataset = open_good(&fixture);
    CU_ASSERT_EQUAL(dataset.about.form.classes, 3);
    dataset_close(&dataset);
    static const uint8_t of_pixels[N] = {0, 255, 2, 1, 255, 0};
    npy_file_array(&fixture.y, "|u1", "(6,)", of_pixels, sizeof of_pixels);
    fixture_write(&fixture);
    fixture.settings.samples.ignore_label = ARRAY_IGNORES_NONE;
    fixture.settings.samples.classes = 3;
    expect(&fixture, NULL, ERROR_USAGE,
           "label 255, but classes is 3: 0 to 2; ignore_label: 255 is for one that stands for none");
    npy_file_array(&fixture.y, "|i1", "(6,)", with_minus, sizeof with_minus);
    fixture_write(&fixture);
    fixture.settings.samples.ignore_label = ARRAY_IGNORES_MINUS;
    fixture.settings.samples.classes = 2;
    expect(&fixture, NULL, ERROR_USAGE, "sample 2 (counted from 0) has label 2, but classes is 2");
    npy_file_array(&fixture.y, "|u1", "(6, 1, 2)", labels, sizeof labels);
    fixture_write(&fixture);
    expect(&fixture, NULL, ERROR_USAGE, "sample 1, place 0 (counted from 0) has label 2, but classes is 2");
}

static void parts_are_counted_first(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.settings.samples.part[0] = 0.34; /* 2.04 */
    fixture.settings.samples.part[1] = 0.9;  /* 5.4 */
    struct dataset dataset = open_good(&fixture);
    CU_ASSERT(dataset.count == 3 && dataset.about.form.classes == 8);
    dataset_close(&dataset);
    fixture.settings.samples.first = 1;
    fixture.settings.samples.count = 2;
    dataset = open_good(&fixture);
    uint64_t digest = dataset.digest;
    float inputs[F];
    int32_t label;
    struct leaf leaf = {.inputs = inputs, .labels = &label};
    dataset_read(&dataset, (const uint64_t[]){0}, 1, &leaf);
    CU_ASSERT(dataset.count == 2 && inputs[0] == 6 && label == 1 && dataset.about.form.classes == 8); /* of all */
    dataset_close(&dataset);
    fixture.settings.samples.count = 3;
    expect(&fixture, NULL, ERROR_USAGE, "count is 3, but from sample 1 of part [0.34, 0.9] on");
    fixture.settings.samples.first = 3;
    expect(&fixture, NULL, ERROR_USAGE, "first is 3, but part [0.34, 0.9] of");
    fixture.settings.samples.part[1] = 0.45;
    expect(&fixture, NULL, ERROR_USAGE, "holds only 0 samples (of 6)");
    fixture.settings.samples.part[1] = 0.1;
    expect(&fixture, NULL, ERROR_USAGE, "part [0.34, 0.1]: 0 <= first < second <= 1");

    /* The same two samples alone have the same digest. */
    fixture.settings.samples = (struct array_settings){.part = {0, 1}, .std = 1};
    npy_file_array(&fixture.x, "<f4", "(2, 2)", features + 6, 16);
    npy_file_array(&fixture.y, "<i8", "(2,)", classes + 3, 16);
    fixture_write(&fixture);
    CU_ASSERT_EQUAL(digest_of(&fixture), digest);
}

static void wrong_values_are_named_with_their_place(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    double values[N * F] = {0};
    static const struct {
        double value;
        const char *words;
    } wrong[] = {
        {NAN, "x.npy: sample 4, value 1 is nan (both counted from 0)"},
        {-INFINITY, "sample 4, value 1 is -inf"},
        {1e300, "sample 4, value 1 is 1e+300, which is beyond a float"},
    };
    for (size_t i = 0; i < 3; i++) {
        values[9] = wrong[i].value;
        npy_file_array(&fixture.x, "<f8", "(6, 2)", values, sizeof values);
        fixture_write(&fixture);
        fixture.settings.samples.count = 0;
        expect(&fixture, NULL, ERROR_CORRUPT, wrong[i].words);
        fixture.settings.samples.count = 4; /* it is not used */
        digest_of(&fixture);
    }
    fixture_init(&fixture);
    fixture.settings.samples.std = 1e-300;
    expect(&fixture, NULL, ERROR_USAGE, "sample 0, value 1 is 1: with mean 0 and std 1e-300 it goes beyond a float");
    fixture.settings.samples.std = 0;
    expect(&fixture, NULL, ERROR_USAGE, "std above 0");
    fixture.settings.samples.std = 1;

    values[9] = 0, values[4] = NAN;
    npy_file_array(&fixture.y, "<f8", "(6, 2)", values, sizeof values);
    fixture_write(&fixture);
    expect(&fixture, NULL, ERROR_CORRUPT, "y.npy: sample 2, value 0 is nan");
    values[4] = 0;
    npy_file_array(&fixture.y, "<f8", "(6, 2)", values, sizeof values);
    fixture_write(&fixture);
    fixture.settings.samples.classes = 10;
    expect(&fixture, NULL, ERROR_USAGE, "holds floats (float64), which are targets of a regression");
}

static void wrong_labels_are_named(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct dataset train = open_good(&fixture);
    int64_t labels[N] = {0, 1, 2, 3, 8, 0};
    npy_file_array(&fixture.y, "<i8", "(6,)", labels, sizeof labels);
    fixture_write(&fixture);
    expect(&fixture, &train, ERROR_USAGE, "sample 4 (counted from 0) has label 8, but the training data has only 8");
    labels[4] = 255;
    npy_file_array(&fixture.y, "<i8", "(6,)", labels, sizeof labels);
    fixture_write(&fixture);
    expect(&fixture, &train, ERROR_USAGE,
           "has label 255, but the training data has only 8 classes, 0 to 7; ignore_label: 255 is for");
    dataset_close(&train);
    labels[4] = -1;
    npy_file_array(&fixture.y, "<i8", "(6,)", labels, sizeof labels);
    fixture_write(&fixture);
    expect(&fixture, NULL, ERROR_USAGE, "sample 4 (counted from 0) has label -1: classes count from 0");
    labels[4] = INT64_MIN;
    npy_file_array(&fixture.y, "<i8", "(6,)", labels, sizeof labels);
    fixture_write(&fixture);
    expect(&fixture, NULL, ERROR_USAGE, "has label -9223372036854775808");
    npy_file_array(&fixture.y, "<u8", "(6,)", labels, sizeof labels);
    fixture_write(&fixture);
    expect(&fixture, NULL, ERROR_USAGE, "labels are below 1000000");
    npy_file_array(&fixture.y, "<i4", "(6, 2)", labels, sizeof labels);
    fixture_write(&fixture);
    expect(&fixture, NULL, ERROR_USAGE, "holds integers (int32) of the shape 6x2: labels are one integer a sample");
}

static void a_file_that_changes_is_noticed(void)
{
    struct fixture fixture;
    struct error error;
    fixture_init(&fixture);
    struct dataset dataset = open_good(&fixture);
    test_nap(0.02);
    fixture_write(&fixture); /* the same */
    CU_ASSERT(dataset_look(&dataset, &error) && dataset_is_touched(&dataset) && dataset_prove(&dataset, &error));
    test_nap(0.02);
    FILE *file = fopen(fixture.y_path, "r+b");
    fseek(file, (long)fixture.y.count - 8, SEEK_SET);
    fputc(99, file);
    fclose(file);
    CU_ASSERT(dataset_look(&dataset, &error) && !dataset_prove(&dataset, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "was changed while it was in use"));
    float inputs[F];
    int32_t label;
    struct leaf leaf = {.inputs = inputs, .labels = &label};
    dataset_read(&dataset, (const uint64_t[]){5}, 1, &leaf);
    CU_ASSERT(dataset_failed(&dataset, &error) && label == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "y.npy: sample 5, value 0 (both counted from 0) is 99"));
    dataset_close(&dataset);

    fixture_write(&fixture);
    dataset = open_good(&fixture);
    CU_ASSERT_EQUAL(truncate(fixture.x_path, 0), 0);
    dataset_read(&dataset, (const uint64_t[]){5}, 1, &leaf);
    CU_ASSERT(dataset_failed(&dataset, &error) && strstr(error.text, "has become shorter while it was in use"));
    dataset_close(&dataset);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"floats and labels are what is in the files", floats_and_labels_are_what_is_in_the_files},
        {"all types are read in both byte orders", all_types_are_read_in_both_byte_orders},
        {"labels may be of any integer type", labels_may_be_of_any_integer_type},
        {"shapes are features or images", shapes_are_features_or_images},
        {"floats are targets of any shape", floats_are_targets_of_any_shape},
        {"labels may begin at one, and show not all classes", labels_may_begin_at_one_and_show_not_all_classes},
        {"labels may be of each place, and some count for nothing",
         labels_may_be_of_each_place_and_some_count_for_nothing},
        {"parts are counted first", parts_are_counted_first},
        {"wrong values are named with their place", wrong_values_are_named_with_their_place},
        {"wrong labels are named", wrong_labels_are_named},
        {"a file that changes is noticed", a_file_that_changes_is_noticed},
        {0},
    };
    return test_run("data/array_data", cases);
}
