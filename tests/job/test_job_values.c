#include "job/job_support.h"

static void test_reals(void)
{
    static const double values[] = {
        0.1,    1.0 / 3, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e22, 1e15,
        123456, 1e-3,    -0.0,   0.30000000000000004,     9007199254740993.0,     1e100};
    struct job job, again;
    if (!parse(&job, SMALLEST, NULL))
        return;
    for (size_t i = 0; i < COUNT(values); i++) {
        struct text yaml = {0};
        SETTINGS(digits_settings, job.data.train)->mean = values[i];
        job_write(&job, &yaml);
        if (parse_saved(&again, text_bytes(&yaml))) {
            CU_ASSERT_EQUAL(memcmp(&SETTINGS(digits_settings, again.data.train)->mean, &values[i], sizeof values[i]),
                            0);
            job_release(&again);
        }
        text_release(&yaml);
        check_round_trip(&job, NULL);
    }
    job_release(&job);
}

static void test_texts(void)
{
    /* The text and how it stands in the file. */
    static const char *const texts[][2] = {
        {"out/mnist-2.d", "run: out/mnist-2.d\n"},
        {"/tmp/a_b", "run: /tmp/a_b\n"},
        {"../out", "run: \"../out\"\n"},
        {"123", "run: \"123\"\n"},
        {"Yes", "run: \"Yes\"\n"},
        {"null", "run: \"null\"\n"},
        {" a, {b}: [c] #d ", "run: \" a, {b}: [c] #d \"\n"},
        {"say \"hi\" \\ 'bye'", "run: \"say \\\"hi\\\" \\\\ 'bye'\"\n"},
        {"a\nb\tc\r\x01\x7f", "run: \"a\\x0ab\\x09c\\x0d\\x01\\x7f\"\n"},
        {"ä/日本/😀", "run: \"ä/日本/😀\"\n"},
        {"\xc2\x85\xc2\x9f\u2028\u2029\ufeff\ufffe", "run: \"\\x85\\x9f\\u2028\\u2029\\ufeff\\ufffe\"\n"},
    };
    struct job job, again;
    if (!parse(&job, SMALLEST, NULL))
        return;
    char *run = job.run, value[64];
    job.run = value;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct text yaml = {0};
        snprintf(value, sizeof value, "%s", texts[i][0]);
        job_write(&job, &yaml);
        CU_ASSERT_EQUAL(strncmp(text_bytes(&yaml), texts[i][1], strlen(texts[i][1])), 0);
        if (parse_saved(&again, text_bytes(&yaml))) {
            check_text(again.run, texts[i][0]);
            job_release(&again);
        }
        text_release(&yaml);
    }
    job.run = run;
    job_release(&job);
}

/* No job file can hold such a text, so that it cannot come back. */
static void test_not_utf8(void)
{
    static const char *const texts[][2] = {
        {"\xff", "ÿ"},
        {"a\xc3", "aÃ"},
        {"\xe2(\xa1", "â(¡"},
        {"\xc0\xaf", "À¯"},
        {"\xed\xa0\x80", "í \xc2\x80"},
        {"\xf8\x88", "ø\xc2\x88"},
    };
    struct job job, again;
    if (!parse(&job, SMALLEST, NULL))
        return;
    char *run = job.run, value[16];
    job.run = value;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct text yaml = {0};
        snprintf(value, sizeof value, "%s", texts[i][0]);
        job_write(&job, &yaml);
        if (parse_saved(&again, text_bytes(&yaml))) {
            check_text(again.run, texts[i][1]);
            job_release(&again);
        }
        text_release(&yaml);
    }
    job.run = run;
    job_release(&job);
}

static void test_scalars(void)
{
    struct job job;
    if (!PARSE(&job, SMALLEST, "seed=18446744073709551615", "optimizer.learning_rate=1e-3", "optimizer.momentum=.5",
               "optimizer.nesterov=Yes", "data.train.mean=-1.5E+1", "data.train.std=2.", "run=2024"))
        return;
    CU_ASSERT_EQUAL(job.seed, UINT64_MAX);
    CU_ASSERT_EQUAL(job.optimizer.learning_rate, 0.001);
    CU_ASSERT_EQUAL(SETTINGS(sgd, job.optimizer)->momentum, 0.5);
    CU_ASSERT_TRUE(SETTINGS(sgd, job.optimizer)->nesterov);
    CU_ASSERT_EQUAL(SETTINGS(digits_settings, job.data.train)->mean, -15);
    CU_ASSERT_EQUAL(SETTINGS(digits_settings, job.data.train)->std, 2);
    CU_ASSERT_STRING_EQUAL(job.run, "2024");
    check_round_trip(&job, NULL);
    job_release(&job);
    static const char *const no[] = {"optimizer.nesterov=off", "optimizer.nesterov=no", "optimizer.nesterov=FALSE"};
    for (size_t i = 0; i < 3; i++) {
        if (PARSE(&job, SMALLEST, no[i])) {
            CU_ASSERT_FALSE(SETTINGS(sgd, job.optimizer)->nesterov);
            job_release(&job);
        }
    }
}

static void test_numbers(void)
{
    struct job job;
    if (PARSE(&job, SMALLEST, "checkpoint.at=[]")) {
        CU_ASSERT_EQUAL(job.checkpoint.at_count, 0);
        check_round_trip(&job, NULL);
        job_release(&job);
    }
    if (PARSE(&job, SMALLEST, "checkpoint.at=[3, 1000000000000, 3]", "checkpoint.at.0=7")) {
        CU_ASSERT_EQUAL_FATAL(job.checkpoint.at_count, 3);
        CU_ASSERT(job.checkpoint.at[0] == 7 && job.checkpoint.at[1] == 1000000000000 && job.checkpoint.at[2] == 3);
        check_round_trip(&job, NULL);
        job_release(&job);
    }
    if (PARSE(&job, SMALLEST "checkpoint: {at: [5]}\n", "checkpoint.at=null")) {
        CU_ASSERT_EQUAL(job.checkpoint.at_count, 0);
        job_release(&job);
    }
}

static void test_lists_of_texts(void)
{
    struct job job;
    static const char csv[] = "data.train={format: csv, path: a.csv, targets: [y], inputs: [a, 'b, c', \"d\\te\", 1, "
                              "yes, null, a b], categories: []}";
    if (!PARSE(&job, SMALLEST, csv, "data.train.inputs.0=ä", "data.train.missing=-1"))
        return;
    const struct csv_settings *settings = SETTINGS(csv_settings, job.data.train);
    static const char *const inputs[] = {"ä", "b, c", "d\te", "1", "yes", "null", "a b"};
    CU_ASSERT(settings->target_count == 1 && settings->category_count == 0 && settings->missing == -1);
    CU_ASSERT_EQUAL_FATAL(settings->input_count, COUNT(inputs));
    for (size_t i = 0; i < COUNT(inputs); i++)
        check_text(settings->inputs[i], inputs[i]);
    struct text yaml = {0};
    job_write(&job, &yaml);
    CU_ASSERT_PTR_NOT_NULL(strstr(text_bytes(&yaml),
                                  "  train: {format: csv, path: a.csv, targets: [\"y\"], inputs: [\"ä\", "
                                  "\"b, c\", \"d\\x09e\", \"1\", \"yes\", \"null\", \"a b\"], "
                                  "header: true, separator: \",\", missing: -1.0, unknown: error, task: auto, "
                                  "classes: 0, label_offset: 0, part: [0.0, 1.0], first: 0, "
                                  "count: 0}\n"));
    text_release(&yaml);
    check_round_trip(&job, NULL);
    job_release(&job);
    if (PARSE(&job, SMALLEST, "data.train={format: csv, path: a.csv, targets: [y], inputs: null}")) {
        CU_ASSERT_EQUAL(SETTINGS(csv_settings, job.data.train)->input_count, 0);
        CU_ASSERT_EQUAL(SETTINGS(csv_settings, job.data.train)->missing, CSV_NONE);
        check_round_trip(&job, NULL);
        job_release(&job);
    }
}

static void test_byte_order_mark(void)
{
    struct job job;
    if (!PARSE(&job, "\xEF\xBB\xBF" SMALLEST, NULL))
        return;
    CU_ASSERT_STRING_EQUAL(job.run, "out");
    job_release(&job);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a real is written so that it reads back to the same bits", test_reals},
        {"a text is quoted when it must be and reads back unchanged", test_texts},
        {"a text that is not UTF-8 is written as YAML that can be read", test_not_utf8},
        {"numbers, truth and texts are read as the table says", test_scalars},
        {"a list of numbers has any length, and none means that there are none", test_numbers},
        {"lists of texts are written as they can be read", test_lists_of_texts},
        {"a byte order mark is passed over", test_byte_order_mark},
        {NULL, NULL},
    };
    return test_run("job/job_values", cases);
}
