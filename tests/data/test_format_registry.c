/* What a job file can name as a format: those of the house, and what a program adds. */
#include "base/registry.h"
#include "base/rows.h"
#include "data/digits.h"
#include "data/formats.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

/* A format as a program would bring it: sample i is i, i + 1, i + 2, ..., and its target i / 2. */
struct ramp {
    uint64_t count, width;
};

static const struct option_row ramp_rows[] = {
    {"count", "how many samples there are", FIELD(struct ramp, count), ANY_FROM(1)},
    {"width", "numbers of a sample", FIELD(struct ramp, width), WHOLE(1, 1000), DEFAULT("4")},
    {0},
};

static int ramps_open;

static bool ramp_open(struct dataset *dataset, const void *given, const struct description *train, struct error *error)
{
    const struct ramp *ramp = given;
    (void)train;
    if (ramp->count > 1000)
        return error_set(error, ERROR_USAGE, "a ramp of %d samples is too steep", (int)ramp->count);
    dataset->count = (size_t)ramp->count;
    dataset->about.form = (struct leaf_form){
        .input = {1, {(size_t)ramp->width}}, .terms = 1, .most = (float)(ramp->count - 1) / 2};
    dataset->digest = ramp->count;
    ramps_open++;
    return true;
}

static void ramp_close(struct dataset *dataset)
{
    (void)dataset;
    ramps_open--;
}

static bool ramp_read(const struct dataset *dataset, size_t index, struct leaf *leaf, size_t row, struct error *error)
{
    size_t width = dataset->about.form.input.size[0];
    (void)error;
    for (size_t x = 0; x < width; x++)
        leaf->inputs[row * width + x] = (float)(index + x);
    leaf->targets[row] = (float)index / 2;
    return true;
}

static const struct dataset_class ramp = {
    KIND_OF("ramp", "numbers that rise", struct ramp, ramp_rows),
    .open = ramp_open,
    .close = ramp_close,
    .read = ramp_read,
};

static void add_ramp(void)
{
    struct error error;
    struct dataset_class half = ramp;
    half.read = NULL;
    CU_ASSERT_FALSE(dataset_register(&half, &error));
    if (!kind_find(&dataset_registry, "ramp"))
        CU_ASSERT_TRUE_FATAL(dataset_register(&ramp, &error));
}

static const struct option_key *key_of(const struct dataset_spec *spec, const char *name, struct option_keys *keys)
{
    option_keys_of(dataset_rows, (void *)spec, keys);
    const struct option_key *key = option_find(keys, name, strlen(name));
    CU_ASSERT_PTR_NOT_NULL_FATAL(key);
    return key;
}

/* As a job file says it. */
static void set(struct dataset_spec *spec, const char *name, const char *value)
{
    struct error error;
    struct option_keys keys;
    const struct option_key *key = key_of(spec, name, &keys);
    CU_ASSERT_TRUE_FATAL(option_read(key->option, 0, value, key->base, &error));
}

static struct dataset_spec ramp_of(const char *count, const char *width)
{
    struct dataset_spec spec = {0};
    add_ramp();
    set(&spec, "format", "ramp");
    set(&spec, "count", count);
    set(&spec, "width", width);
    return spec;
}

static void expect(struct dataset_spec *spec, const struct dataset *train, const char *words)
{
    struct dataset dataset;
    struct error error = {0};
    CU_ASSERT_FALSE_FATAL(dataset_open(&dataset, spec, train ? &train->about : NULL, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_STRING_EQUAL(error.text, words);
    if (strcmp(error.text, words))
        printf("%s\n", error.text);
    dataset_close(&dataset);
}

/* Checkpoints hold jobs as text, in this order. */
static void formats_have_their_keys_in_order(void)
{
    static const char *const expected[][16] = {
        {"idx", "images", "inputs", "labels", "transpose", "first", "count", "part", "classes", "label_offset",
         "ignore_label", "mean", "std"},
        {"digits", "seed", "first", "count", "mean", "std"},
        {"text", "path", "context", "tokenizer", "part"},
        {"tokens", "path", "context", "vocabulary", "part", "type"},
        {"csv", "path", "targets", "inputs", "categories", "header", "separator", "missing", "unknown", "task",
         "classes", "label_offset", "part", "first", "count"},
        {"npy", "x", "y", "first", "count", "part", "classes", "label_offset", "ignore_label", "mean", "std"},
        {"npz", "path", "x", "y", "first", "count", "part", "classes", "label_offset", "ignore_label", "mean", "std"},
        {"hdf5", "path", "x", "y", "first", "count", "part", "classes", "label_offset", "ignore_label", "mean", "std"},
        {"folder", "path", "size", "channels", "first", "count", "part", "mean", "std"},
    };
    size_t formats = sizeof expected / sizeof *expected;
    for (size_t f = 0; f < formats; f++) {
        struct dataset_spec spec = {0};
        struct option_keys keys;
        CU_ASSERT_PTR_EQUAL_FATAL(dataset_registry.kinds[f], kind_find(&dataset_registry, expected[f][0]));
        option_set_kind(dataset_rows, &spec, dataset_registry.kinds[f]);
        option_keys_of(dataset_rows, &spec, &keys);
        CU_ASSERT_STRING_EQUAL(keys.keys[0].option->name, "format");
        CU_ASSERT(keys.count == 14 || !expected[f][keys.count]);
        for (size_t k = 1; k < keys.count; k++)
            CU_ASSERT_STRING_EQUAL(keys.keys[k].option->name, expected[f][k]);
        option_release(dataset_rows, &spec);
    }
    CU_ASSERT_PTR_NULL(dataset_registry.kinds[formats]);
}

static bool explains(const char *help)
{
    return help && *help && help[strlen(help) - 1] != '.';
}

static void all_is_explained_and_could_be_added(void)
{
    struct registry other = {.role = "data format", .keys = dataset_rows};
    struct error error = {0};
    CU_ASSERT(explains(dataset_rows[0].help));
    for (size_t f = 0; dataset_registry.kinds[f]; f++) {
        const struct kind *kind = dataset_registry.kinds[f];
        CU_ASSERT(explains(kind->help));
        for (const struct option_row *row = kind->keys; row->name; row++)
            CU_ASSERT(explains(row->help));
        CU_ASSERT_TRUE(registry_add(&other, kind, &error));
    }
}

static void a_format_that_was_added_is_read_as_any_other(void)
{
    struct dataset_spec spec = ramp_of("6", "3");
    CU_ASSERT_PTR_EQUAL(spec.class, &ramp);
    struct dataset dataset;
    struct error error;
    struct text words;
    CU_ASSERT_TRUE_FATAL(dataset_open(&dataset, &spec, NULL, &error));
    CU_ASSERT(ramps_open == 1 && dataset.count == 6 && dataset.mean == 0 && dataset.std == 0);
    struct leaf leaf;
    CU_ASSERT_TRUE_FATAL(leaf_init(&leaf, &dataset.about.form, 2, &error));
    dataset_read(&dataset, (const uint64_t[]){5, 1}, 2, &leaf);
    static const float inputs[] = {5, 6, 7, 1, 2, 3}, targets[] = {2.5f, 0.5f};
    CU_ASSERT(!dataset_failed(&dataset, &error) && leaf.rows == 2);
    CU_ASSERT_EQUAL(memcmp(leaf.inputs, inputs, sizeof inputs), 0);
    CU_ASSERT_EQUAL(memcmp(leaf.targets, targets, sizeof targets), 0);
    leaf_release(&leaf);
    CU_ASSERT(dataset_look(&dataset, &error) && !dataset_is_touched(&dataset) && dataset_prove(&dataset, &error));
    text_init(&words);
    dataset_describe(&dataset, &words);
    CU_ASSERT_PTR_EQUAL(strstr(text_bytes(&words), "6 samples, digest "), text_bytes(&words));
    text_release(&words);
    dataset_close(&dataset);
    dataset_close(&dataset);
    CU_ASSERT_EQUAL(ramps_open, 0);
    ((struct ramp *)spec.settings)->count = 1001;
    expect(&spec, NULL, "a ramp of 1001 samples is too steep");
    option_release(dataset_rows, &spec);
}

static void a_name_that_is_taken_is_refused(void)
{
    static const struct option_row taken[] = {{"format", "of the ramp", FIELD(struct ramp, count), ANY_FROM(1)}, {0}};
    static const struct kind idx = {.name = "idx", .help = "another one"};
    static const struct kind clash = {
        .name = "clash", .help = "of a key", .keys = taken, .settings_bytes = sizeof(struct ramp)};
    struct error error = {0};
    add_ramp();
    CU_ASSERT_FALSE(dataset_register(&ramp, &error));
    CU_ASSERT(error.kind == ERROR_USAGE && strstr(error.text, "data format ramp: there is one of this name already"));
    CU_ASSERT_FALSE(registry_add(&dataset_registry, &idx, &error));
    CU_ASSERT(error.kind == ERROR_USAGE && strstr(error.text, "data format idx: there is one of this name already"));
    CU_ASSERT_FALSE(registry_add(&dataset_registry, &clash, &error));
    CU_ASSERT(error.kind == ERROR_USAGE && strstr(error.text, "its key format is called as one"));
    CU_ASSERT_PTR_NULL(kind_find(&dataset_registry, "clash"));
}

static void validation_data_that_does_not_fit_is_named_by_its_format(void)
{
    struct dataset_spec spec = ramp_of("6", "3"), wide = ramp_of("6", "4"), small = ramp_of("2", "3");
    struct digits_settings settings = {.count = 5, .std = 1};
    struct dataset_spec digits = {&dataset_digits, &settings};
    struct dataset train, dataset;
    struct error error;
    CU_ASSERT_TRUE_FATAL(dataset_open(&train, &spec, NULL, &error));
    CU_ASSERT_TRUE_FATAL(dataset_open(&dataset, &small, &train.about, &error));
    CU_ASSERT(dataset.count == 2 && dataset.about.form.most == 0.5f);
    dataset_close(&dataset);
    expect(&wide, &train, "samples of ramp have the shape 4, but those of the training data 3: both must be equal");
    expect(&digits, &train,
           "samples of the digits have the shape 1x28x28, but those of the training data 3: both must be equal");
    train.about.form.classes = 2;
    expect(&spec, &train,
           "ramp holds float targets, but the training data has labels: both must be of one kind; "
           "labels are stored as integers, as NumPy's y.astype('int64') are");
    dataset_close(&train);
    CU_ASSERT_EQUAL(ramps_open, 0);
    option_release(dataset_rows, &spec);
    option_release(dataset_rows, &wide);
    option_release(dataset_rows, &small);
}

static void who_names_no_format_is_told_all(void)
{
    struct dataset_spec none = {0};
    add_ramp();
    expect(&none, NULL,
           "the dataset has no format: choose idx, digits, text, tokens, csv, npy, npz, hdf5, folder or ramp");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"the formats of the house have their keys in the order of job files", formats_have_their_keys_in_order},
        {"every format and every key is explained, and would be taken from a program",
         all_is_explained_and_could_be_added},
        {"a format that a program has added is read as any other", a_format_that_was_added_is_read_as_any_other},
        {"a format or key whose name is taken is refused", a_name_that_is_taken_is_refused},
        {"validation data that does not fit is named by its format",
         validation_data_that_does_not_fit_is_named_by_its_format},
        {"who names no format is told all that there are", who_names_no_format_is_told_all},
        {NULL, NULL},
    };
    return test_run("data/format_registry", cases);
}
