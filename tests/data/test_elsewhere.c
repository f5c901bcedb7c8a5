/* Other files that are like those of the training data: what of its settings holds for them. */
#include "data/formats.h"
#include "data/hdf5.h"
#include "data/idx.h"
#include "data/text_format.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#define LIKE(format, given) (&(struct dataset_spec){&dataset_##format, (given)})

static void only_the_path_and_the_choice_of_samples_are_other_ones(void)
{
    char path[] = "old*.h5", x[] = "in", y[] = "out";
    struct hdf5_settings old = {
        {.first = 7, .count = 3, .part = {0.25, 0.5}, .label_offset = 1, .mean = 2, .std = 4}, path, x, y};
    struct dataset_spec spec;
    struct error error;
    CU_ASSERT_TRUE_FATAL(dataset_elsewhere(&spec, LIKE(hdf5, &old), (const char *[]){"new.h5"}, 1, &error));
    const struct hdf5_settings *now = spec.settings;
    CU_ASSERT_STRING_EQUAL(now->path, "new.h5");
    CU_ASSERT(strcmp(now->x, "in") == 0 && strcmp(now->y, "out") == 0 && now->x != old.x);
    CU_ASSERT(now->samples.first == 0 && now->samples.count == 0);
    CU_ASSERT(now->samples.part[0] == 0 && now->samples.part[1] == 1);
    CU_ASSERT(now->samples.label_offset == 1 && now->samples.mean == 2 && now->samples.std == 4);
    CU_ASSERT_STRING_EQUAL(old.path, "old*.h5");
    option_release(dataset_rows, &spec);
}

static void inputs_come_before_targets_by_whatever_name(void)
{
    char inputs[] = "a", labels[] = "b";
    struct idx_settings old = {.inputs = inputs, .labels = labels, .transpose = true};
    struct dataset_spec spec;
    struct error error;
    CU_ASSERT_TRUE_FATAL(dataset_elsewhere(&spec, LIKE(idx, &old), (const char *[]){"c", "d"}, 2, &error));
    const struct idx_settings *now = spec.settings;
    CU_ASSERT(now->inputs && strcmp(now->inputs, "c") == 0 && !now->images && now->transpose);
    CU_ASSERT_STRING_EQUAL(now->labels, "d");
    option_release(dataset_rows, &spec);
}

static void a_text_keeps_its_tokenizer(void)
{
    char path[] = "a.txt", tokenizer[] = "t.json";
    struct text_format_settings old = {path, 8, tokenizer, {0, 0.9}};
    struct dataset_spec spec;
    struct error error;
    CU_ASSERT_TRUE_FATAL(dataset_elsewhere(&spec, LIKE(text, &old), (const char *[]){"b.txt"}, 1, &error));
    const struct text_format_settings *now = spec.settings;
    CU_ASSERT_STRING_EQUAL(now->path, "b.txt");
    CU_ASSERT_STRING_EQUAL(now->tokenizer, "t.json");
    CU_ASSERT(now->context == 8 && now->part[1] == 1);
    option_release(dataset_rows, &spec);
}

static void another_number_of_files_is_refused(void)
{
    char a[] = "a", b[] = "b";
    struct idx_settings idx = {.images = a, .labels = b};
    struct text_format_settings text = {.path = a, .context = 8};
    const struct {
        const struct dataset_spec *like;
        size_t count;
        const char *words;
    } cases[] = {
        {LIKE(idx, &idx), 1, "data of format idx are two files, first that of the inputs, and 1 is named"},
        {LIKE(text, &text), 2, "data of format text are one file, directory or pattern (in quotes), and 2 are named"},
        {LIKE(digits, NULL), 1, "data of format digits lie in no file that could be another one, and 1 is named"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dataset_spec spec;
        struct error error;
        CU_ASSERT(!dataset_elsewhere(&spec, cases[i].like, (const char *[]){"c", "d"}, cases[i].count, &error));
        CU_ASSERT(error.kind == ERROR_USAGE && !spec.class && !spec.settings);
        CU_ASSERT_STRING_EQUAL(error.text, cases[i].words);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"only the path and the choice of samples are other ones",
         only_the_path_and_the_choice_of_samples_are_other_ones},
        {"inputs come before targets, by whatever name", inputs_come_before_targets_by_whatever_name},
        {"a text keeps its tokenizer", a_text_keeps_its_tokenizer},
        {"another number of files is refused", another_number_of_files_is_refused},
        {NULL, NULL},
    };
    return test_run("data/elsewhere", cases);
}
