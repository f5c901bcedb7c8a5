#include "support/test.h"
#include "train/job.h"

#include <stdio.h>
#include <string.h>

/* The job file of the README, with every section. */
static const char example[] = "run: out/mnist                  # directory\n"
                              "seed: 1\n"
                              "data:\n"
                              "  train:      {format: idx, images: IMAGES, labels: LABELS, first: 0, count: 9000}\n"
                              "  validation: {format: idx, images: IMAGES, labels: LABELS, first: 9000, count: 1000}\n"
                              "model:\n"
                              "  - {layer: dense, units: 512}\n"
                              "  - {layer: relu}\n"
                              "  - {layer: dense, units: 10}\n"
                              "loss: softmax_cross_entropy\n"
                              "train: {steps: 1000, batch: 128, microbatch: 16}\n"
                              "optimizer: {name: adamw, learning_rate: 1.0e-3, weight_decay: 0.01}\n"
                              "schedule: {name: cosine, warmup: 50, floor: 0.1}\n"
                              "clip_norm: 1.0\n"
                              "validate: {every: 100}\n"
                              "checkpoint: {every: 100, keep: 3}\n"
                              "log: {every: 10}\n";

/* Only what has no default. */
static const char smallest[] = "run: out\n"
                               "data: {train: {format: digits}}\n"
                               "model: [{layer: dense, units: 10}]\n"
                               "train: {steps: 10, batch: 8}\n"
                               "optimizer: {name: sgd, learning_rate: 0.1}\n";

#define OVERRIDES_MAX 8

/* Parses with the overrides up to the first NULL; a failure fails the test with its message. */
static bool parse(struct job *job, const char *text, const char *const overrides[OVERRIDES_MAX])
{
    size_t count = 0;
    struct error error = {0};
    while (overrides && count < OVERRIDES_MAX && overrides[count])
        count++;
    bool ok = job_parse(job, "job.yaml", text, overrides, count, &error);
    if (!ok)
        printf("    %s\n", error.text);
    CU_ASSERT_TRUE(ok);
    return ok;
}

#define PARSE(job, text, ...) parse(job, text, (const char *const[OVERRIDES_MAX]){__VA_ARGS__})

static void check_text(const char *actual, const char *expected)
{
    bool equal = !strcmp(actual, expected);
    if (!equal)
        printf("    expected: %s\n    actual:   %s\n", expected, actual);
    CU_ASSERT_TRUE(equal);
}

/* The job as YAML is `expected` (if not NULL), and a job that is read from it is written as the same bytes. */
static void check_round_trip(const struct job *job, const char *expected)
{
    struct text first = {0}, second = {0};
    struct job again;
    job_write(job, &first);
    if (expected)
        check_text(text_bytes(&first), expected);
    if (parse(&again, text_bytes(&first), NULL)) {
        job_write(&again, &second);
        check_text(text_bytes(&second), text_bytes(&first));
        job_release(&again);
    }
    text_release(&first);
    text_release(&second);
}

static void check_dataset(const struct dataset_spec *spec, uint64_t first, uint64_t count)
{
    CU_ASSERT_EQUAL(spec->format, DATASET_IDX);
    CU_ASSERT_STRING_EQUAL(spec->images, "IMAGES");
    CU_ASSERT_STRING_EQUAL(spec->labels, "LABELS");
    CU_ASSERT_EQUAL(spec->first, first);
    CU_ASSERT_EQUAL(spec->count, count);
    CU_ASSERT_EQUAL(spec->mean, 0);
    CU_ASSERT_EQUAL(spec->std, 1);
}

static void test_example(void)
{
    struct job job;
    if (!parse(&job, example, NULL))
        return;
    CU_ASSERT_STRING_EQUAL(job.run, "out/mnist");
    CU_ASSERT_EQUAL(job.seed, 1);
    check_dataset(&job.data.train, 0, 9000);
    check_dataset(&job.data.validation, 9000, 1000);
    CU_ASSERT_EQUAL_FATAL(job.model.count, 3);
    CU_ASSERT(job.model.layers[0].kind == LAYER_DENSE && job.model.layers[0].units == 512);
    CU_ASSERT(job.model.layers[1].kind == LAYER_RELU && job.model.layers[1].units == 0);
    CU_ASSERT(job.model.layers[2].kind == LAYER_DENSE && job.model.layers[2].units == 10);
    CU_ASSERT_EQUAL(job.loss, LOSS_SOFTMAX_CROSS_ENTROPY);
    CU_ASSERT(job.train.steps == 1000 && job.train.batch == 128 && job.train.microbatch == 16);
    CU_ASSERT_EQUAL(job.optimizer.kind, OPTIMIZER_ADAMW);
    CU_ASSERT(job.optimizer.learning_rate == 1e-3 && job.optimizer.weight_decay == 0.01);
    CU_ASSERT(job.optimizer.beta1 == 0.9 && job.optimizer.beta2 == 0.999 && job.optimizer.epsilon == 1e-8);
    CU_ASSERT(job.optimizer.momentum == 0 && !job.optimizer.nesterov);
    CU_ASSERT_EQUAL(job.schedule.kind, SCHEDULE_COSINE);
    CU_ASSERT(job.schedule.warmup == 50 && job.schedule.floor == 0.1);
    CU_ASSERT_EQUAL(job.clip_norm, 1);
    CU_ASSERT_EQUAL(job.validate.every, 100);
    CU_ASSERT(job.checkpoint.every == 100 && job.checkpoint.keep == 3);
    CU_ASSERT_EQUAL(job.log.every, 10);
    job_release(&job);
}

static void test_defaults(void)
{
    struct job job;
    if (!parse(&job, smallest, NULL))
        return;
    CU_ASSERT_EQUAL(job.seed, 1);
    CU_ASSERT_EQUAL(job.data.train.format, DATASET_DIGITS);
    CU_ASSERT(!job.data.train.images && !job.data.train.labels);
    CU_ASSERT(job.data.train.seed == 0 && job.data.train.first == 0 && job.data.train.count == 0);
    CU_ASSERT(job.data.train.mean == 0 && job.data.train.std == 1);
    CU_ASSERT_EQUAL(job.data.validation.format, DATASET_NONE);
    CU_ASSERT_EQUAL(job.loss, LOSS_SOFTMAX_CROSS_ENTROPY);
    CU_ASSERT_EQUAL(job.train.microbatch, 8);
    CU_ASSERT(job.optimizer.weight_decay == 0 && job.optimizer.momentum == 0 && !job.optimizer.nesterov);
    CU_ASSERT(job.optimizer.beta1 == 0 && job.optimizer.epsilon == 0);
    CU_ASSERT(job.schedule.kind == SCHEDULE_CONSTANT && job.schedule.warmup == 0 && job.schedule.floor == 0);
    CU_ASSERT_EQUAL(job.clip_norm, 0);
    CU_ASSERT_EQUAL(job.validate.every, 0);
    CU_ASSERT(job.checkpoint.every == 0 && job.checkpoint.keep == 3);
    CU_ASSERT_EQUAL(job.log.every, 10);
    job_release(&job);
    if (!PARSE(&job, smallest, "optimizer.name=adamw", "schedule.name=cosine"))
        return;
    CU_ASSERT(job.optimizer.weight_decay == 0.01 && job.optimizer.beta1 == 0.9);
    CU_ASSERT(job.optimizer.beta2 == 0.999 && job.optimizer.epsilon == 1e-8);
    CU_ASSERT(job.schedule.kind == SCHEDULE_COSINE && job.schedule.floor == 0);
    job_release(&job);
}

static void test_release(void)
{
    struct job job = {0};
    struct error error;
    job_release(&job);
    CU_ASSERT_FALSE(job_parse(&job, "job.yaml", "run: out\nsed: 1\n", NULL, 0, &error));
    CU_ASSERT_PTR_NULL(job.run);
    job_release(&job);
    job_release(&job);
}

static void test_written(void)
{
    struct job job;
    if (parse(&job, example, NULL)) {
        check_round_trip(
            &job,
            "run: out/mnist\n"
            "seed: 1\n"
            "data:\n"
            "  train: {format: idx, images: IMAGES, labels: LABELS, first: 0, count: 9000, mean: 0.0, std: 1.0}\n"
            "  validation: {format: idx, images: IMAGES, labels: LABELS, first: 9000, count: 1000, mean: 0.0, std: 1.0}\n"
            "model:\n"
            "  - {layer: dense, units: 512}\n"
            "  - {layer: relu}\n"
            "  - {layer: dense, units: 10}\n"
            "loss: softmax_cross_entropy\n"
            "train: {steps: 1000, batch: 128, microbatch: 16}\n"
            "optimizer: {name: adamw, learning_rate: 0.001, weight_decay: 0.01, beta1: 0.9, beta2: 0.999, "
            "epsilon: 1.0e-08}\n"
            "schedule: {name: cosine, warmup: 50, floor: 0.1}\n"
            "clip_norm: 1.0\n"
            "validate: {every: 100}\n"
            "checkpoint: {every: 100, keep: 3}\n"
            "log: {every: 10}\n");
        job_release(&job);
    }
    if (parse(&job, smallest, NULL)) {
        check_round_trip(
            &job, "run: out\n"
                  "seed: 1\n"
                  "data:\n"
                  "  train: {format: digits, seed: 0, first: 0, count: 0, mean: 0.0, std: 1.0}\n"
                  "model:\n"
                  "  - {layer: dense, units: 10}\n"
                  "loss: softmax_cross_entropy\n"
                  "train: {steps: 10, batch: 8, microbatch: 8}\n"
                  "optimizer: {name: sgd, learning_rate: 0.1, weight_decay: 0.0, momentum: 0.0, nesterov: false}\n"
                  "schedule: {name: constant, warmup: 0}\n"
                  "validate: {every: 0}\n"
                  "checkpoint: {every: 0, keep: 3}\n"
                  "log: {every: 10}\n");
        job_release(&job);
    }
}

static void test_reals(void)
{
    static const double values[] = {
        0.1,    1.0 / 3, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e22, 1e15,
        123456, 1e-3,    -0.0,   0.30000000000000004,     9007199254740993.0,     1e100};
    struct job job, again;
    if (!parse(&job, smallest, NULL))
        return;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct text yaml = {0};
        job.data.train.mean = values[i];
        job_write(&job, &yaml);
        if (parse(&again, text_bytes(&yaml), NULL)) {
            CU_ASSERT_EQUAL(memcmp(&again.data.train.mean, &values[i], sizeof values[i]), 0);
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
    if (!parse(&job, smallest, NULL))
        return;
    char *run = job.run, value[64];
    job.run = value;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct text yaml = {0};
        snprintf(value, sizeof value, "%s", texts[i][0]);
        job_write(&job, &yaml);
        CU_ASSERT_EQUAL(strncmp(text_bytes(&yaml), texts[i][1], strlen(texts[i][1])), 0);
        if (parse(&again, text_bytes(&yaml), NULL)) {
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
    if (!parse(&job, smallest, NULL))
        return;
    char *run = job.run, value[16];
    job.run = value;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct text yaml = {0};
        snprintf(value, sizeof value, "%s", texts[i][0]);
        job_write(&job, &yaml);
        if (parse(&again, text_bytes(&yaml), NULL)) {
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
    if (!PARSE(&job, smallest, "seed=18446744073709551615", "optimizer.learning_rate=1e-3", "optimizer.momentum=.5",
               "optimizer.nesterov=Yes", "data.train.mean=-1.5E+1", "data.train.std=2.", "run=2024"))
        return;
    CU_ASSERT_EQUAL(job.seed, UINT64_MAX);
    CU_ASSERT_EQUAL(job.optimizer.learning_rate, 0.001);
    CU_ASSERT_EQUAL(job.optimizer.momentum, 0.5);
    CU_ASSERT_TRUE(job.optimizer.nesterov);
    CU_ASSERT_EQUAL(job.data.train.mean, -15);
    CU_ASSERT_EQUAL(job.data.train.std, 2);
    CU_ASSERT_STRING_EQUAL(job.run, "2024");
    check_round_trip(&job, NULL);
    job_release(&job);
    static const char *const no[] = {"optimizer.nesterov=off", "optimizer.nesterov=no", "optimizer.nesterov=FALSE"};
    for (size_t i = 0; i < 3; i++) {
        if (PARSE(&job, smallest, no[i])) {
            CU_ASSERT_FALSE(job.optimizer.nesterov);
            job_release(&job);
        }
    }
}

static void test_overrides(void)
{
    struct job job;
    if (!PARSE(&job, smallest, "model.0.units=64", "model.0={layer: dense, units: 20}",
               "data.validation={format: digits, first: 60000, count: 1000}", "validate.every=5", "run=\"a b: c\"",
               "train.batch=32", "train.batch=64", "checkpoint.keep=7"))
        return;
    CU_ASSERT(job.model.count == 1 && job.model.layers[0].units == 20);
    CU_ASSERT(job.data.validation.format == DATASET_DIGITS && job.data.validation.first == 60000);
    CU_ASSERT_EQUAL(job.data.validation.count, 1000);
    CU_ASSERT_EQUAL(job.validate.every, 5);
    CU_ASSERT_STRING_EQUAL(job.run, "a b: c");
    CU_ASSERT(job.train.batch == 64 && job.train.microbatch == 64 && job.train.steps == 10);
    CU_ASSERT_EQUAL(job.checkpoint.keep, 7);
    job_release(&job);
    if (!PARSE(&job, smallest, "model=[{layer: dense, units: 5}, {layer: relu}]", "model.1.layer=dense",
               "model.1.units=3", "data.validation.format=digits"))
        return;
    CU_ASSERT_EQUAL(job.model.count, 2);
    CU_ASSERT(job.model.layers[1].kind == LAYER_DENSE && job.model.layers[1].units == 3);
    CU_ASSERT(job.data.validation.format == DATASET_DIGITS && job.data.validation.std == 1);
    job_release(&job);
}

static void test_aliases(void)
{
    static const char text[] = "run: out\n"
                               "data: {train: &digits {format: digits, count: 5}, validation: *digits}\n"
                               "model: [&hidden {layer: dense, units: 10}, *hidden]\n"
                               "train: {steps: 10, batch: 8}\n"
                               "optimizer: {name: sgd, learning_rate: 0.1}\n";
    struct job job;
    if (!PARSE(&job, text, "data.validation.count=7", "model.0.units=12"))
        return;
    CU_ASSERT(job.data.train.count == 5 && job.data.validation.count == 7);
    CU_ASSERT(job.model.layers[0].units == 12 && job.model.layers[1].units == 10);
    job_release(&job);
}

struct refusal {
    const char *text; /* NULL: the example */
    const char *override;
    const char *message;
};

#define BIG  "18446744073709551615"
#define KEYS "run, seed, data, model, loss, train, optimizer, schedule, clip_norm, validate, checkpoint, log"

static void check_refusals(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct job job;
        struct error error = {0};
        const char *text = refusals[i].text ? refusals[i].text : example;
        bool ok = job_parse(&job, "job.yaml", text, &refusals[i].override, refusals[i].override ? 1 : 0, &error);
        CU_ASSERT_FALSE(ok);
        CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
        check_text(error.text, refusals[i].message);
        if (ok)
            job_release(&job);
    }
}

#define CHECK_REFUSALS(table) check_refusals(table, sizeof table / sizeof *table)

static void test_bad_values(void)
{
    static const struct refusal refusals[] = {
        {NULL, "train.batch=many", "train.batch: 'many' is not a whole number; allowed: 1 to 10000000"},
        {NULL, "train.batch=1.5", "train.batch: '1.5' is not a whole number; allowed: 1 to 10000000"},
        {NULL, "train.batch=1_000", "train.batch: '1_000' is not a whole number; allowed: 1 to 10000000"},
        {NULL, "train.batch=0x10", "train.batch: '0x10' is not a whole number; allowed: 1 to 10000000"},
        {NULL, "train.batch=010", "train.batch: '010' is not a whole number; allowed: 1 to 10000000"},
        {NULL, "train.batch=", "train.batch: '' is not a whole number; allowed: 1 to 10000000"},
        {NULL, "train.batch=-1", "train.batch: '-1' is out of range; allowed: 1 to 10000000"},
        {NULL, "train.batch=0", "train.batch: '0' is out of range; allowed: 1 to 10000000"},
        {NULL, "seed=18446744073709551616", "seed: '18446744073709551616' is out of range; allowed: 0 to " BIG},
        {NULL, "model.0.units=1000001", "model.0.units: '1000001' is out of range; allowed: 1 to 1000000"},
        {NULL, "log.every=0", "log.every: '0' is out of range; allowed: 1 to " BIG},
        {NULL, "checkpoint.keep=0", "checkpoint.keep: '0' is out of range; allowed: 1 to " BIG},
        {NULL, "optimizer.learning_rate=0", "optimizer.learning_rate: '0' is out of range; allowed: more than 0"},
        {NULL, "optimizer.learning_rate=fast", "optimizer.learning_rate: 'fast' is not a number; allowed: more than 0"},
        {NULL, "optimizer.learning_rate=.inf", "optimizer.learning_rate: '.inf' is not a number; allowed: more than 0"},
        {NULL, "optimizer.learning_rate=nan", "optimizer.learning_rate: 'nan' is not a number; allowed: more than 0"},
        {NULL, "optimizer.learning_rate=0x1p3",
         "optimizer.learning_rate: '0x1p3' is not a number; allowed: more than 0"},
        {NULL, "optimizer.learning_rate=1e999",
         "optimizer.learning_rate: '1e999' is out of range; allowed: more than 0"},
        {NULL, "optimizer.weight_decay=-1", "optimizer.weight_decay: '-1' is out of range; allowed: 0 or more"},
        {NULL, "optimizer.beta1=1", "optimizer.beta1: '1' is out of range; allowed: 0 to less than 1"},
        {NULL, "schedule.floor=1.1", "schedule.floor: '1.1' is out of range; allowed: 0 to 1"},
        {NULL, "data.train.mean=grey", "data.train.mean: 'grey' is not a number; allowed: any finite number"},
        {NULL, "data.train.std=0", "data.train.std: '0' is out of range; allowed: more than 0"},
        {NULL, "clip_norm=0", "clip_norm: '0' is out of range; allowed: more than 0"},
        {NULL, "optimizer.name=adm", "optimizer.name: 'adm' is not known; allowed: sgd, adamw"},
        {NULL, "loss=mse", "loss: 'mse' is not known; allowed: softmax_cross_entropy"},
        {NULL, "optimizer={name: sgd, learning_rate: 1, nesterov: maybe}",
         "optimizer.nesterov: 'maybe' is neither true nor false; allowed: true, false, yes, no, on, off"},
        {NULL, "run=", "run: '' is empty; allowed: a text"},
        {NULL, "run=\"a\\0b\"", "run: a NUL byte cannot be part of it; allowed: a text"},
        {NULL, "run=[a]", "run: a single value is expected; allowed: a text"},
        {NULL, "train.batch={a: 1}", "train.batch: a single value is expected; allowed: 1 to 10000000"},
        {NULL, "train=3", "train: keys with values are expected, as in {steps: ...}"},
        {NULL, "model=dense", "model: a list is expected"},
        {NULL, "model=[]", "model: the list is empty; at least one item is needed"},
        {NULL, "model.1=relu", "model.1: keys with values are expected, as in {layer: ...}"},
    };
    char message[512];
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct refusal refusal = refusals[i];
        snprintf(message, sizeof message, "--set %s: %s", refusal.override, refusal.message);
        refusal.message = message;
        check_refusals(&refusal, 1);
    }
}

static void test_bad_keys(void)
{
    static const struct refusal refusals[] = {
        {"run: a\nseed: 2\ntrain:\n  steps: 5\n  btach: 3\n", NULL,
         "job.yaml:5:3: train.btach: unknown key; allowed here: steps, batch, microbatch"},
        {"run: a\noptimzer: {}\n", NULL, "job.yaml:2:1: optimzer: unknown key; allowed here: " KEYS},
        {"run: a\n\"x\\ny\": 1\n", NULL, "job.yaml:2:1: x?y: unknown key; allowed here: " KEYS},
        {"train: {[a]: 1}\n", NULL,
         "job.yaml:1:9: train.(not a word): unknown key; allowed here: steps, batch, microbatch"},
        {"run: a\nseed: 1\nrun: b\n", NULL, "job.yaml:3:1: run: this key stands here twice"},
        {"optimizer: {name: sgd, name: sgd}\n", NULL, "job.yaml:1:24: optimizer.name: this key stands here twice"},
        {"optimizer: {learning_rate: 1}\n", NULL, "job.yaml:1:12: optimizer.name: missing; allowed: sgd, adamw"},
        {"optimizer: {name: adamw}\n", NULL, "job.yaml:1:12: optimizer.learning_rate: missing; allowed: more than 0"},
        {"seed: 1\n", NULL, "job.yaml:1:1: run: missing; allowed: a text"},
        {"run: a\n", NULL, "job.yaml:1:1: data.train.format: missing; allowed: idx, digits"},
        {"run: a\ndata:\n  train: {format: idx}\n", NULL, "job.yaml:3:10: data.train.images: missing; allowed: a text"},
        {"run: a\ndata: {train: {format: digits}}\n", NULL, "job.yaml:1:1: model: missing; a list is expected"},
        {"run: a\ndata: {train: {format: digits}}\nmodel: [{layer: dense}]\n", NULL,
         "job.yaml:3:9: model.0.units: missing; allowed: 1 to 1000000"},
        {"run: a\ndata: {train: {format: digits, images: x}}\n", NULL,
         "job.yaml:2:32: data.train.images: unknown key for format: digits; allowed here: format, seed, first, count, "
         "mean, std"},
        {NULL, "optimizer={name: sgd, beta1: 0.9}",
         "--set optimizer={name: sgd, beta1: 0.9}: optimizer.beta1: unknown key for name: sgd; allowed here: name, "
         "learning_rate, weight_decay, momentum, nesterov"},
        {NULL, "schedule.name=constant",
         "job.yaml:13:38: schedule.floor: unknown key for name: constant; allowed here: name, warmup"},
        {NULL, "model.1.units=3",
         "--set model.1.units=3: model.1.units: unknown key for layer: relu; allowed here: layer"},
        {NULL, "trian.steps=3", "--set trian.steps=3: trian: unknown key; allowed here: " KEYS},
    };
    CHECK_REFUSALS(refusals);
}

static void test_null_is_no_key(void)
{
    struct job job;
    struct error error;
    const char *overrides[] = {"clip_norm=null", "data.validation=~", "optimizer.weight_decay=null"};
    bool ok = job_parse(&job, "job.yaml", example, overrides, 3, &error);
    CU_ASSERT_TRUE(ok);
    if (!ok)
        return;
    CU_ASSERT_EQUAL(job.clip_norm, 0);
    CU_ASSERT_EQUAL(job.data.validation.format, DATASET_NONE);
    CU_ASSERT_EQUAL(job.optimizer.weight_decay, 0.01);
    job_release(&job);
}

static void test_bad_pairs(void)
{
    static const struct refusal refusals[] = {
        {NULL, "train.batch=100", "job.yaml:11:46: train.microbatch: 16 does not divide train.batch, which is 100"},
        {NULL, "train.microbatch=3",
         "--set train.microbatch=3: train.microbatch: 3 does not divide train.batch, which is 128"},
        {NULL, "train.steps=49", "job.yaml:13:34: schedule.warmup: 50 is more than train.steps, which is 49"},
        {smallest, "optimizer.nesterov=true",
         "--set optimizer.nesterov=true: optimizer.nesterov: needs an optimizer.momentum of more than 0"},
    };
    CHECK_REFUSALS(refusals);
}

static void test_bad_yaml(void)
{
    static const struct refusal refusals[] = {
        {"", NULL, "job.yaml:1:1: the file is empty"},
        {"# nothing\n\n", NULL, "job.yaml:1:1: the file is empty"},
        {"\n- run\n", NULL, "job.yaml:2:1: keys with values are expected"},
        {"mnist\n", "run=x", "job.yaml:1:1: keys with values are expected"},
        {"run: a\n\tseed: 1\n", NULL,
         "job.yaml:2:1: not YAML: found a tab character that violates indentation, while scanning a plain scalar"},
        {"run: [a\nseed: 1\n", NULL,
         "job.yaml:2:5: not YAML: did not find expected ',' or ']', while parsing a flow sequence"},
        {"run: a\nseed: *b\n", NULL, "job.yaml:2:7: not YAML: found undefined alias"},
        {"run: a\nseed: \xff\n", NULL, "job.yaml:2:7: not YAML: invalid leading UTF-8 octet"},
        {"run: a\n---\nrun: b\n", NULL, "job.yaml:2:1: a second YAML document begins here; allowed: one"},
        {"run: &a [*a]\n", NULL, "job.yaml:1:6: run: a single value is expected; allowed: a text"},
        {"model: &a [*a]\nrun: b\n", NULL, "job.yaml:1:8: model.0: keys with values are expected, as in {layer: ...}"},
        {"data: &a {train: *a}\n", NULL, "job.yaml:1:7: data.train.format: missing; allowed: idx, digits"},
    };
    CHECK_REFUSALS(refusals);
}

static void test_bad_overrides(void)
{
    static const struct refusal refusals[] = {
        {NULL, "seed", "--set seed: not of the form key.path=value"},
        {NULL, "=1", "--set =1: not of the form key.path=value"},
        {NULL, "train..steps=1", "--set train..steps=1: not of the form key.path=value"},
        {NULL, "train.=1", "--set train.=1: not of the form key.path=value"},
        {NULL, "train.\xff=1", "--set train.\xff=1: not of the form key.path=value"},
        {NULL, "model.3.units=1", "--set model.3.units=1: model: a list of 3, counted from 0"},
        {NULL, "model.last.units=1", "--set model.last.units=1: model: a list of 3, counted from 0"},
        {NULL, "model.99999999999999999999.units=1",
         "--set model.99999999999999999999.units=1: model: a list of 3, counted from 0"},
        {NULL, "seed.x=1", "--set seed.x=1: seed: a single value, which has no keys"},
        {NULL, "train.batch.x.y=1", "--set train.batch.x.y=1: train.batch: a single value, which has no keys"},
        {NULL, "model=[1", "--set model=[1: not YAML: did not find expected ',' or ']', while parsing a flow sequence"},
        {NULL, "seed=1\n---\n2", "--set seed=1?---?2: a second YAML document begins here; allowed: one"},
        {NULL, "data.validation=&a {format: *a}",
         "--set data.validation=&a {format: *a}: data.validation.format: a single value is expected; allowed: idx, digits"},
    };
    CHECK_REFUSALS(refusals);
}

/* Compares two variants of the example; returns whether `now` may continue and checks the words. */
static void check_continues(const char *const saved[OVERRIDES_MAX], const char *const now[OVERRIDES_MAX], bool allowed,
                            const char *words)
{
    struct job before, after;
    struct text changes = {0};
    struct error error = {0};
    if (!parse(&before, example, saved))
        return;
    if (parse(&after, example, now)) {
        CU_ASSERT_EQUAL(job_continues(&before, &after, &changes, &error), allowed);
        CU_ASSERT_EQUAL(error.kind, allowed ? ERROR_NONE : ERROR_USAGE);
        check_text(allowed ? text_bytes(&changes) : error.text, words);
        CU_ASSERT(allowed || changes.length == 0);
        job_release(&after);
    }
    text_release(&changes);
    job_release(&before);
}

#define LIST(...) ((const char *const[OVERRIDES_MAX]){__VA_ARGS__})

#define SGD      "optimizer={name: sgd, learning_rate: 0.1}"
#define MOMENTUM "optimizer={name: sgd, learning_rate: 0.1, momentum: 0.9}"
#define DIFFER   "this job contradicts the checkpoint:"

static void test_same_job(void)
{
    check_continues(NULL, NULL, true, "");
    check_continues(NULL, LIST("optimizer.learning_rate=0.001", "optimizer.beta1=0.90"), true, "");
}

static void test_free_changes(void)
{
    check_continues(LIST("schedule={name: constant}"), LIST("schedule={name: constant}", "train.steps=2000"), true,
                    "train.steps: 1000 -> 2000\n");
    check_continues(NULL,
                    LIST("run=\"my run\"", "data.train.images=b.gz", "data.train.labels=c", "validate.every=7",
                         "checkpoint={every: 0, keep: 1}", "log.every=1"),
                    true,
                    "run: out/mnist -> \"my run\"\n"
                    "data.train.images: IMAGES -> b.gz\n"
                    "data.train.labels: LABELS -> c\n"
                    "validate.every: 100 -> 7\n"
                    "checkpoint.every: 100 -> 0\n"
                    "checkpoint.keep: 3 -> 1\n"
                    "log.every: 10 -> 1\n");
    check_continues(NULL, LIST("data.validation={format: digits, count: 50}"), true,
                    "data.validation.format: idx -> digits\n"
                    "data.validation.images: IMAGES -> (none)\n"
                    "data.validation.labels: LABELS -> (none)\n"
                    "data.validation.seed: (none) -> 0\n"
                    "data.validation.first: 9000 -> 0\n"
                    "data.validation.count: 1000 -> 50\n");
    check_continues(
        NULL, LIST("validate={every: 0}", "data={train: {format: idx, images: IMAGES, labels: LABELS, count: 9000}}"),
        true,
        "data.validation.format: idx -> (none)\n"
        "data.validation.images: IMAGES -> (none)\n"
        "data.validation.labels: LABELS -> (none)\n"
        "data.validation.first: 9000 -> (none)\n"
        "data.validation.count: 1000 -> (none)\n"
        "data.validation.mean: 0.0 -> (none)\n"
        "data.validation.std: 1.0 -> (none)\n"
        "validate.every: 100 -> 0\n");
}

static void test_tunable_changes(void)
{
    check_continues(NULL,
                    LIST("train.steps=2000", "optimizer.learning_rate=1", "optimizer.weight_decay=0",
                         "optimizer.epsilon=1e-7", "schedule.warmup=0", "schedule.floor=0", "clip_norm=2"),
                    true,
                    "train.steps: 1000 -> 2000 (changes the result)\n"
                    "optimizer.learning_rate: 0.001 -> 1.0 (changes the result)\n"
                    "optimizer.weight_decay: 0.01 -> 0.0 (changes the result)\n"
                    "optimizer.epsilon: 1.0e-08 -> 1.0e-07 (changes the result)\n"
                    "schedule.warmup: 50 -> 0 (changes the result)\n"
                    "schedule.floor: 0.1 -> 0.0 (changes the result)\n"
                    "clip_norm: 1.0 -> 2.0 (changes the result)\n");
    check_continues(NULL, LIST("schedule={name: constant}"), true,
                    "schedule.name: cosine -> constant (changes the result)\n"
                    "schedule.warmup: 50 -> 0 (changes the result)\n"
                    "schedule.floor: 0.1 -> (none) (changes the result)\n");
    check_continues(LIST("schedule={name: constant}"), LIST("schedule={name: cosine}", "train.steps=2000"), true,
                    "train.steps: 1000 -> 2000 (changes the result)\n"
                    "schedule.name: constant -> cosine (changes the result)\n"
                    "schedule.floor: (none) -> 0.0 (changes the result)\n");
    check_continues(LIST(MOMENTUM), LIST(MOMENTUM, "optimizer.momentum=0.5", "optimizer.nesterov=true"), true,
                    "optimizer.momentum: 0.9 -> 0.5 (changes the result)\n"
                    "optimizer.nesterov: false -> true (changes the result)\n");
}

static void test_clip_norm_vanishes(void)
{
    struct job with, without;
    struct text changes = {0};
    struct error error = {0};
    if (!PARSE(&with, smallest, "clip_norm=1"))
        return;
    if (parse(&without, smallest, NULL)) {
        CU_ASSERT_TRUE(job_continues(&with, &without, &changes, &error));
        check_text(text_bytes(&changes), "clip_norm: 1.0 -> (none) (changes the result)\n");
        job_release(&without);
    }
    text_release(&changes);
    job_release(&with);
}

static void test_fixed_changes(void)
{
    check_continues(NULL, LIST("model.2.units=12", "log.every=1", "optimizer.learning_rate=1"), false,
                    DIFFER "\n  model.2.units: 10 in the checkpoint, 12 here");
    check_continues(NULL,
                    LIST("seed=2", "data.train.first=1", "data.train.mean=0.5", "train.batch=64", "train.microbatch=8"),
                    false,
                    DIFFER "\n  seed: 1 in the checkpoint, 2 here"
                           "\n  data.train.first: 0 in the checkpoint, 1 here"
                           "\n  data.train.mean: 0.0 in the checkpoint, 0.5 here"
                           "\n  train.batch: 128 in the checkpoint, 64 here"
                           "\n  train.microbatch: 16 in the checkpoint, 8 here");
    check_continues(NULL, LIST("data.train={format: digits, count: 9000}"), false,
                    DIFFER "\n  data.train.format: idx in the checkpoint, digits here"
                           "\n  data.train.seed: (none) in the checkpoint, 0 here");
    check_continues(NULL, LIST(MOMENTUM), false, DIFFER "\n  optimizer.name: adamw in the checkpoint, sgd here");
    check_continues(LIST(SGD), LIST(MOMENTUM), false, DIFFER "\n  optimizer.momentum: 0.0 in the checkpoint, 0.9 here");
    check_continues(LIST(MOMENTUM), LIST(SGD), false, DIFFER "\n  optimizer.momentum: 0.9 in the checkpoint, 0.0 here");
}

static void test_fixed_layers(void)
{
    check_continues(NULL, LIST("model=[{layer: dense, units: 512}, {layer: dense, units: 10}]"), false,
                    DIFFER "\n  model.1.layer: relu in the checkpoint, dense here"
                           "\n  model.1.units: (none) in the checkpoint, 10 here"
                           "\n  model.2.layer: dense in the checkpoint, (none) here"
                           "\n  model.2.units: 10 in the checkpoint, (none) here");
    check_continues(LIST("model=[{layer: dense, units: 512}]"), NULL, false,
                    DIFFER "\n  model.1.layer: (none) in the checkpoint, relu here"
                           "\n  model.2.layer: (none) in the checkpoint, dense here"
                           "\n  model.2.units: (none) in the checkpoint, 10 here");
}

static void test_long_list(void)
{
    struct text many = {0};
    struct job before, after;
    struct text changes = {0};
    struct error error = {0};
    text_append(&many, "model=[{layer: relu}");
    for (int i = 1; i < 200; i++)
        text_append(&many, ", {layer: relu}");
    text_append(&many, "]");
    if (!PARSE(&before, smallest, text_bytes(&many)))
        return;
    if (parse(&after, smallest, NULL)) {
        CU_ASSERT_FALSE(job_continues(&before, &after, &changes, &error));
        size_t lines = 0;
        for (const char *line = error.text; (line = strchr(line, '\n')); line++)
            lines++;
        /* 200 kinds and one number of units differ; the last line is about those that are not shown. */
        char tail[64];
        snprintf(tail, sizeof tail, " here\n  ... and %zu more", 201 - (lines - 1));
        size_t length = strlen(error.text);
        CU_ASSERT(length > 1800 && length > strlen(tail));
        check_text(error.text + length - strlen(tail), tail);
        job_release(&after);
    }
    job_release(&before);
    text_release(&many);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"the example parses to the right job", test_example},
        {"a key that is absent has its default", test_defaults},
        {"a job that failed or was released can be released", test_release},
        {"a job is written with all defaults and reads back to the same bytes", test_written},
        {"a real is written so that it reads back to the same bits", test_reals},
        {"a text is quoted when it must be and reads back unchanged", test_texts},
        {"a text that is not UTF-8 is written as YAML that can be read", test_not_utf8},
        {"numbers, truth and texts are read as the table says", test_scalars},
        {"an override replaces or adds a value, a section, an item or a list", test_overrides},
        {"an override does not change what shares an anchor with it", test_aliases},
        {"a value of the wrong type or range is refused with what is allowed", test_bad_values},
        {"an unknown, repeated or missing key is refused with its place", test_bad_keys},
        {"null is as good as no key", test_null_is_no_key},
        {"two keys that do not go together are refused", test_bad_pairs},
        {"a file that is not one YAML mapping is refused with its place", test_bad_yaml},
        {"an override that leads nowhere is refused", test_bad_overrides},
        {"the same job continues without changes", test_same_job},
        {"a key without influence on the result may change", test_free_changes},
        {"a key that tunes may change and says that the result does", test_tunable_changes},
        {"clipping that ends is a change", test_clip_norm_vanishes},
        {"a key that the checkpoint depends on may not change", test_fixed_changes},
        {"layers are compared one by one", test_fixed_layers},
        {"a list of contradictions that is too long ends with a count", test_long_list},
        {NULL, NULL},
    };
    return test_run("train/job", cases);
}
