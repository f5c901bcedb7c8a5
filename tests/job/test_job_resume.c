/* What a job that continues another may change. */
#include "job/job_support.h"

static const struct job_allowed nothing = {NULL, 0};

/* Compares two variants of the example; checks whether `now` may continue, and the words. */
static void check_request(const char *const saved[OVERRIDES_MAX], const char *const now[OVERRIDES_MAX],
                          const struct job_allowed *request, bool allowed, const char *words)
{
    struct job before, after;
    struct text changes = {0};
    struct error error = {0};
    if (!parse(&before, EXAMPLE, saved))
        return;
    if (parse(&after, EXAMPLE, now)) {
        CU_ASSERT_EQUAL(job_continues(&before, &after, request, &changes, &error), allowed);
        CU_ASSERT_EQUAL(error.kind, allowed ? ERROR_NONE : ERROR_USAGE);
        check_text(allowed ? text_bytes(&changes) : error.text, words);
        CU_ASSERT(allowed || changes.length == 0);
        job_release(&after);
    }
    text_release(&changes);
    job_release(&before);
}

static void check_continues(const char *const saved[OVERRIDES_MAX], const char *const now[OVERRIDES_MAX], bool allowed,
                            const char *words)
{
    check_request(saved, now, &nothing, allowed, words);
}

#define SGD      "optimizer={name: sgd, learning_rate: 0.1}"
#define MOMENTUM "optimizer={name: sgd, learning_rate: 0.1, momentum: 0.9}"
#define TABLE    "data.train={format: csv, path: a.csv, targets: [y], inputs: [a, b]}"
#define DIFFER   "this job contradicts the checkpoint:"

static void test_same_job(void)
{
    check_continues(NULL, NULL, true, "");
    check_continues(NULL, OVERRIDES("optimizer.learning_rate=0.001", "optimizer.beta1=0.90"), true, "");
}

static void test_free_changes(void)
{
    check_continues(OVERRIDES("schedule={name: constant}"), OVERRIDES("schedule={name: constant}", "train.steps=2000"),
                    true, "train.steps: 1000 -> 2000\n");
    check_continues(NULL,
                    OVERRIDES("run=\"my run\"", "data.train.images=b.gz", "data.train.labels=c", "validate.every=7",
                              "checkpoint={every: 0, keep: 1}", "log.every=1"),
                    true,
                    "run: out/mnist -> \"my run\"\n"
                    "data.train.images: IMAGES -> b.gz\n"
                    "data.train.labels: LABELS -> c\n"
                    "validate.every: 100 -> 7\n"
                    "checkpoint.every: 100 -> 0\n"
                    "checkpoint.keep: 3 -> 1\n"
                    "log.every: 10 -> 1\n");
    check_continues(OVERRIDES("checkpoint.at=[1, 2]"), OVERRIDES("checkpoint={every: auto, at: [1, 3]}"), true,
                    "checkpoint.every: 100 -> auto\n"
                    "checkpoint.at: [1, 2] -> [1, 3]\n");
    check_continues(NULL, OVERRIDES("checkpoint.at=[5]"), true, "checkpoint.at: (none) -> [5]\n");
    check_continues(OVERRIDES(TABLE), OVERRIDES(TABLE, "data.train.path=b.csv", "data.train.separator=;"), true,
                    "data.train.path: a.csv -> b.csv\n"
                    "data.train.separator: \",\" -> \";\"\n");
    check_continues(NULL, OVERRIDES("data.validation={format: digits, count: 50}"), true,
                    "data.validation.format: idx -> digits\n"
                    "data.validation.images: IMAGES -> (none)\n"
                    "data.validation.labels: LABELS -> (none)\n"
                    "data.validation.transpose: false -> (none)\n"
                    "data.validation.seed: (none) -> 0\n"
                    "data.validation.first: 9000 -> 0\n"
                    "data.validation.count: 1000 -> 50\n"
                    "data.validation.part: [0.0, 1.0] -> (none)\n"
                    "data.validation.classes: 0 -> (none)\n"
                    "data.validation.label_offset: 0 -> (none)\n"
                    "data.validation.ignore_label: none -> (none)\n");
    check_continues(
        NULL,
        OVERRIDES("validate={every: 0}", "data={train: {format: idx, images: IMAGES, labels: LABELS, count: 9000}}"),
        true,
        "data.validation.format: idx -> (none)\n"
        "data.validation.images: IMAGES -> (none)\n"
        "data.validation.labels: LABELS -> (none)\n"
        "data.validation.transpose: false -> (none)\n"
        "data.validation.first: 9000 -> (none)\n"
        "data.validation.count: 1000 -> (none)\n"
        "data.validation.part: [0.0, 1.0] -> (none)\n"
        "data.validation.classes: 0 -> (none)\n"
        "data.validation.label_offset: 0 -> (none)\n"
        "data.validation.ignore_label: none -> (none)\n"
        "data.validation.mean: 0.0 -> (none)\n"
        "data.validation.std: 1.0 -> (none)\n"
        "validate.every: 100 -> 0\n");
}

static void test_tunable_changes(void)
{
    check_continues(NULL,
                    OVERRIDES("train.steps=2000", "optimizer.learning_rate=1", "optimizer.weight_decay=0",
                              "optimizer.epsilon=1e-7", "schedule.warmup=0", "schedule.floor=0", "clip_norm=2"),
                    true,
                    "train.steps: 1000 -> 2000 (changes the result)\n"
                    "optimizer.learning_rate: 0.001 -> 1.0 (changes the result)\n"
                    "optimizer.weight_decay: 0.01 -> 0.0 (changes the result)\n"
                    "optimizer.epsilon: 1.0e-08 -> 1.0e-07 (changes the result)\n"
                    "schedule.warmup: 50.0 -> 0.0 (changes the result)\n"
                    "schedule.floor: 0.1 -> 0.0 (changes the result)\n"
                    "clip_norm: 1.0 -> 2.0 (changes the result)\n");
    check_continues(NULL, OVERRIDES("schedule={name: constant}"), true,
                    "schedule.name: cosine -> constant (changes the result)\n"
                    "schedule.warmup: 50.0 -> 0.0 (changes the result)\n"
                    "schedule.floor: 0.1 -> (none) (changes the result)\n");
    check_continues(OVERRIDES("schedule={name: constant}"), OVERRIDES("schedule={name: cosine}", "train.steps=2000"),
                    true,
                    "train.steps: 1000 -> 2000 (changes the result)\n"
                    "schedule.name: constant -> cosine (changes the result)\n"
                    "schedule.floor: (none) -> 0.0 (changes the result)\n");
    check_continues(OVERRIDES(MOMENTUM), OVERRIDES(MOMENTUM, "optimizer.momentum=0.5", "optimizer.nesterov=true"), true,
                    "optimizer.momentum: 0.9 -> 0.5 (changes the result)\n"
                    "optimizer.nesterov: false -> true (changes the result)\n");
}

static void test_clip_norm_vanishes(void)
{
    struct job with, without;
    struct text changes = {0};
    struct error error = {0};
    if (!PARSE(&with, SMALLEST, "clip_norm=1"))
        return;
    if (parse(&without, SMALLEST, NULL)) {
        CU_ASSERT_TRUE(job_continues(&with, &without, &nothing, &changes, &error));
        check_text(text_bytes(&changes), "clip_norm: 1.0 -> (none) (changes the result)\n");
        job_release(&without);
    }
    text_release(&changes);
    job_release(&with);
}

static void test_fixed_changes(void)
{
    check_continues(NULL, OVERRIDES("model.2.units=12", "log.every=1", "optimizer.learning_rate=1"), false,
                    DIFFER "\n  model.2.units: 10 in the checkpoint, 12 here");
    check_continues(
        NULL, OVERRIDES("seed=2", "data.train.first=1", "data.train.mean=0.5", "train.batch=64", "train.microbatch=8"),
        false,
        DIFFER "\n  seed: 1 in the checkpoint, 2 here"
               "\n  data.train.first: 0 in the checkpoint, 1 here"
               "\n  data.train.mean: 0.0 in the checkpoint, 0.5 here"
               "\n  train.batch: 128 in the checkpoint, 64 here (would be permitted by --allow-change train.batch)"
               "\n  train.microbatch: 16 in the checkpoint, 8 here (would be permitted by --allow-change "
               "train.microbatch)");
    check_continues(OVERRIDES(TABLE), OVERRIDES(TABLE, "data.train.inputs=[a]", "data.train.categories=[\"b c\"]"),
                    false,
                    DIFFER "\n  data.train.inputs: [a, b] in the checkpoint, [a] here"
                           "\n  data.train.categories: (none) in the checkpoint, [\"b c\"] here");
    check_continues(OVERRIDES("class_weights=[1, 2]"), OVERRIDES("class_weights=balanced"), false,
                    DIFFER "\n  class_weights: [1.0, 2.0] in the checkpoint, balanced here");
    check_continues(NULL, OVERRIDES("class_weights=[1, 2.0]"), false,
                    DIFFER "\n  class_weights: (none) in the checkpoint, [1.0, 2.0] here");
    check_continues(OVERRIDES("class_weights=[1, 2]"), OVERRIDES("class_weights=[1.0, 2]"), true, "");
    check_continues(NULL, OVERRIDES("data.train={format: digits, count: 9000}"), false,
                    DIFFER "\n  data.train.format: idx in the checkpoint, digits here"
                           "\n  data.train.transpose: false in the checkpoint, (none) here"
                           "\n  data.train.seed: (none) in the checkpoint, 0 here"
                           "\n  data.train.part: [0.0, 1.0] in the checkpoint, (none) here"
                           "\n  data.train.classes: 0 in the checkpoint, (none) here"
                           "\n  data.train.label_offset: 0 in the checkpoint, (none) here"
                           "\n  data.train.ignore_label: none in the checkpoint, (none) here");
    check_continues(NULL, OVERRIDES(MOMENTUM), false, DIFFER "\n  optimizer.name: adamw in the checkpoint, sgd here");
    check_continues(OVERRIDES(SGD), OVERRIDES(MOMENTUM), false,
                    DIFFER "\n  optimizer.momentum: 0.0 in the checkpoint, 0.9 here");
    check_continues(OVERRIDES(MOMENTUM), OVERRIDES(SGD), false,
                    DIFFER "\n  optimizer.momentum: 0.9 in the checkpoint, 0.0 here");
}

static void test_fixed_layers(void)
{
    check_continues(NULL, OVERRIDES("model=[{layer: dense, units: 512}, {layer: dense, units: 10}]"), false,
                    DIFFER "\n  model.1.layer: relu in the checkpoint, dense here"
                           "\n  model.1.units: (none) in the checkpoint, 10 here"
                           "\n  model.1.bias: (none) in the checkpoint, true here"
                           "\n  model.1.init: (none) in the checkpoint, default here"
                           "\n  model.2.layer: dense in the checkpoint, (none) here"
                           "\n  model.2.units: 10 in the checkpoint, (none) here"
                           "\n  model.2.bias: true in the checkpoint, (none) here"
                           "\n  model.2.init: default in the checkpoint, (none) here");
    check_continues(OVERRIDES("model=[{layer: dense, units: 512}]"), NULL, false,
                    DIFFER "\n  model.1.layer: (none) in the checkpoint, relu here"
                           "\n  model.2.layer: (none) in the checkpoint, dense here"
                           "\n  model.2.units: (none) in the checkpoint, 10 here"
                           "\n  model.2.bias: (none) in the checkpoint, true here"
                           "\n  model.2.init: (none) in the checkpoint, default here");
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
    if (!PARSE(&before, SMALLEST, text_bytes(&many)))
        return;
    if (parse(&after, SMALLEST, NULL)) {
        CU_ASSERT_FALSE(job_continues(&before, &after, &nothing, &changes, &error));
        size_t lines = 0;
        for (const char *line = error.text; (line = strchr(line, '\n')); line++)
            lines++;
        /* 200 kinds and units, bias and init of one differ; the last line is about those that are not shown. */
        char tail[64];
        snprintf(tail, sizeof tail, " here\n  ... and %zu more", 203 - (lines - 1));
        size_t length = strlen(error.text);
        CU_ASSERT(length > 1800 && length > strlen(tail));
        check_text(error.text + length - strlen(tail), tail);
        job_release(&after);
    }
    job_release(&before);
    text_release(&many);
}

/* Jobs as they were written before layers nested. */
static const char *const old_texts[] = {
    "run: out/mnist\n"
    "seed: 1\n"
    "data:\n"
    "  train: {format: idx, images: IMAGES, labels: LABELS, first: 0, count: 9000, mean: 0.0, std: 1.0}\n"
    "  validation: {format: idx, images: IMAGES, labels: LABELS, first: 9000, count: 1000, mean: 0.0, std: 1.0}\n"
    "  standardise: none\n"
    "  last: wrap\n"
    "model:\n"
    "  - {layer: dense, units: 512}\n"
    "  - {layer: relu}\n"
    "  - {layer: dense, units: 10}\n"
    "loss: softmax_cross_entropy\n"
    "train: {steps: 1000, batch: 128, microbatch: 16}\n"
    "optimizer: {name: adamw, learning_rate: 0.001, weight_decay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1.0e-08}\n"
    "schedule: {name: cosine, warmup: 50, floor: 0.1}\n"
    "clip_norm: 1.0\n"
    "validate: {every: 100}\n"
    "checkpoint: {every: 100, keep: 3}\n"
    "log: {every: 10}\n",
    "run: out\n"
    "seed: 1\n"
    "data:\n"
    "  train: {format: digits, seed: 0, first: 0, count: 0, mean: 0.0, std: 1.0}\n"
    "  standardise: none\n"
    "  last: wrap\n"
    "model:\n"
    "  - {layer: dense, units: 10}\n"
    "loss: softmax_cross_entropy\n"
    "train: {steps: 10, batch: 8, microbatch: 8}\n"
    "optimizer: {name: sgd, learning_rate: 0.1, weight_decay: 0.0, momentum: 0.0, nesterov: false}\n"
    "schedule: {name: constant, warmup: 0}\n"
    "validate: {every: 0}\n"
    "checkpoint: {every: 0, keep: 3}\n"
    "log: {every: 10}\n",
};

static void test_old_jobs(void)
{
    static const char *const now[] = {EXAMPLE, SMALLEST};
    for (size_t i = 0; i < COUNT(old_texts); i++) {
        struct job before, after;
        struct text changes = {0};
        struct error error = {0};
        if (!parse(&before, old_texts[i], NULL))
            continue;
        if (parse(&after, now[i], NULL)) {
            CU_ASSERT_TRUE(job_continues(&before, &after, &nothing, &changes, &error));
            check_text(text_bytes(&changes), "");
            check_text(error.text, "");
            job_release(&after);
        }
        check_round_trip(&before, NULL);
        text_release(&changes);
        job_release(&before);
    }
}

#define RESIDUAL                                                                                                       \
    "model=[{layer: residual, layers: [{layer: dense, units: 512}, {layer: repeat, times: 2, layers: [{layer: relu}]}]}]"

static void test_nested_layers(void)
{
    check_continues(OVERRIDES(RESIDUAL), OVERRIDES(RESIDUAL), true, "");
    check_continues(OVERRIDES(RESIDUAL),
                    OVERRIDES(RESIDUAL, "model.0.layers.0.units=8", "model.0.layers.1.times=3",
                              "model.0.layers.1.layers=[{layer: relu}, {layer: flatten}]"),
                    false,
                    DIFFER "\n  model.0.layers.0.units: 512 in the checkpoint, 8 here"
                           "\n  model.0.layers.1.times: 2 in the checkpoint, 3 here"
                           "\n  model.0.layers.1.layers.1.layer: (none) in the checkpoint, flatten here");
    check_continues(OVERRIDES(RESIDUAL), OVERRIDES("model=[{layer: dense, units: 512}]"), false,
                    DIFFER "\n  model.0.layer: residual in the checkpoint, dense here"
                           "\n  model.0.layers.0.layer: dense in the checkpoint, (none) here"
                           "\n  model.0.layers.0.units: 512 in the checkpoint, (none) here"
                           "\n  model.0.layers.0.bias: true in the checkpoint, (none) here"
                           "\n  model.0.layers.0.init: default in the checkpoint, (none) here"
                           "\n  model.0.layers.1.layer: repeat in the checkpoint, (none) here"
                           "\n  model.0.layers.1.times: 2 in the checkpoint, (none) here"
                           "\n  model.0.layers.1.layers.0.layer: relu in the checkpoint, (none) here"
                           "\n  model.0.units: (none) in the checkpoint, 512 here"
                           "\n  model.0.bias: (none) in the checkpoint, true here"
                           "\n  model.0.init: (none) in the checkpoint, default here");
}

/* Two kinds have lists of layers, each in a place of its own. */
static void test_lists_of_two_kinds(void)
{
    static const char *const residual = "model=[{layer: residual, layers: [{layer: relu}, {layer: dense, units: 4}]}]";
    static const char *const repeat = "model=[{layer: repeat, times: 7, layers: [{layer: relu}, {layer: tanh}]}]";
    check_continues(OVERRIDES(residual), OVERRIDES(repeat), false,
                    DIFFER "\n  model.0.layer: residual in the checkpoint, repeat here"
                           "\n  model.0.times: (none) in the checkpoint, 7 here"
                           "\n  model.0.layers.1.layer: dense in the checkpoint, tanh here"
                           "\n  model.0.layers.1.units: 4 in the checkpoint, (none) here"
                           "\n  model.0.layers.1.bias: true in the checkpoint, (none) here"
                           "\n  model.0.layers.1.init: default in the checkpoint, (none) here");
    check_continues(OVERRIDES(repeat), OVERRIDES(residual), false,
                    DIFFER "\n  model.0.layer: repeat in the checkpoint, residual here"
                           "\n  model.0.times: 7 in the checkpoint, (none) here"
                           "\n  model.0.layers.1.layer: tanh in the checkpoint, dense here"
                           "\n  model.0.layers.1.units: (none) in the checkpoint, 4 here"
                           "\n  model.0.layers.1.bias: (none) in the checkpoint, true here"
                           "\n  model.0.layers.1.init: (none) in the checkpoint, default here");
}

/* A key with one row for each of two kinds is still one key. */
static void test_other_defaults(void)
{
    check_continues(OVERRIDES("model=[{layer: lm_head}]"), OVERRIDES("model=[{layer: dense, units: 1}]"), false,
                    DIFFER "\n  model.0.layer: lm_head in the checkpoint, dense here"
                           "\n  model.0.tied: true in the checkpoint, (none) here"
                           "\n  model.0.units: (none) in the checkpoint, 1 here"
                           "\n  model.0.bias: false in the checkpoint, true here"
                           "\n  model.0.init: gpt2 in the checkpoint, default here");
}

#define LARS "optimizer={name: lars, learning_rate: 0.1}"

static void test_optimizer_changes(void)
{
    check_continues(OVERRIDES(LARS), OVERRIDES(LARS, "optimizer.momentum=0"), false,
                    DIFFER "\n  optimizer.momentum: 0.9 in the checkpoint, 0.0 here");
    check_continues(OVERRIDES(LARS), OVERRIDES(LARS, "optimizer.momentum=0.8", "optimizer.trust=1"), true,
                    "optimizer.momentum: 0.9 -> 0.8 (changes the result)\n"
                    "optimizer.trust: 0.001 -> 1.0 (changes the result)\n");
    check_continues(OVERRIDES("optimizer.groups=[{match: a}]"),
                    OVERRIDES("optimizer.groups=[{match: a, weight_decay: 0}, {match: b, rate_factor: 2}]"), true,
                    "optimizer.groups.0.weight_decay: (none) -> 0.0 (changes the result)\n"
                    "optimizer.groups.1.match: (none) -> b (changes the result)\n"
                    "optimizer.groups.1.rate_factor: (none) -> 2.0 (changes the result)\n");
    check_continues(OVERRIDES("optimizer.groups=[{match: a}]"), NULL, true,
                    "optimizer.groups.0.match: a -> (none) (changes the result)\n"
                    "optimizer.groups.0.rate_factor: 1.0 -> (none) (changes the result)\n");
}

static void test_steps_of_schedules(void)
{
    static const struct {
        const char *schedule;
        bool curve;
    } cases[] = {
        {"schedule={name: constant, warmup: 5}", false},
        {"schedule={name: step, every: 5}", false},
        {"schedule={name: linear}", true},
        {"schedule={name: cosine}", true},
        {"schedule={name: polynomial}", true},
        {"schedule={name: wsd, decay: 5}", true},
        {"schedule={name: one_cycle}", true},
        {"schedule={name: cosine_restarts, t_0: 5}", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_continues(OVERRIDES(cases[i].schedule), OVERRIDES(cases[i].schedule, "train.steps=2000"), true,
                        cases[i].curve ? "train.steps: 1000 -> 2000 (changes the result)\n"
                                       : "train.steps: 1000 -> 2000\n");
    check_continues(NULL, OVERRIDES("schedule.unit=epochs"), true,
                    "schedule.unit: steps -> epochs (changes the result)\n");
}

#define IN_EPOCHS "train={epochs: 2, batch: 128, microbatch: 16}"

static void test_lengths(void)
{
    static const char constant[] = "schedule={name: constant}";
    check_continues(OVERRIDES(IN_EPOCHS, constant), OVERRIDES(IN_EPOCHS, constant, "train.epochs=4"), true,
                    "train.epochs: 2.0 -> 4.0\n");
    check_continues(OVERRIDES(IN_EPOCHS), OVERRIDES(IN_EPOCHS, "train.epochs=4"), true,
                    "train.epochs: 2.0 -> 4.0 (changes the result)\n");
    check_continues(OVERRIDES(constant), OVERRIDES(IN_EPOCHS, constant), true,
                    "train.steps: 1000 -> (none)\n"
                    "train.epochs: (none) -> 2.0\n");
}

static void test_horizons(void)
{
    static const char fixed[] = "schedule.horizon=3000";
    check_continues(OVERRIDES(fixed), OVERRIDES(fixed, "train.steps=2000"), true, "train.steps: 1000 -> 2000\n");
    check_continues(OVERRIDES(fixed), OVERRIDES(fixed, IN_EPOCHS), true,
                    "train.steps: 1000 -> (none)\n"
                    "train.epochs: (none) -> 2.0\n");
    check_continues(OVERRIDES(fixed), OVERRIDES("schedule.horizon=2000", "train.steps=2000"), true,
                    "train.steps: 1000 -> 2000\n"
                    "schedule.horizon: 3000.0 -> 2000.0 (changes the result)\n");
    check_continues(NULL, OVERRIDES(fixed, "train.steps=2000"), true,
                    "train.steps: 1000 -> 2000 (changes the result)\n"
                    "schedule.horizon: (none) -> 3000.0 (changes the result)\n");
}

static void test_requests(void)
{
    const struct job_allowed both = {(const char *const[]){"train.microbatch", "train.batch"}, 2};
    const struct job_allowed one = {(const char *const[]){"train.batch"}, 1};
    check_request(NULL, OVERRIDES("train.batch=64", "train.microbatch=8"), &both, true,
                  "train.batch: 128 -> 64 (changes the result; allowed by --allow-change)\n"
                  "train.microbatch: 16 -> 8 (changes the result; allowed by --allow-change)\n");
    check_request(NULL, OVERRIDES("train.batch=64"), &one, true,
                  "train.batch: 128 -> 64 (changes the result; allowed by --allow-change)\n");
    check_request(NULL, OVERRIDES("train.batch=64", "train.microbatch=8"), &one, false,
                  DIFFER "\n  train.microbatch: 16 in the checkpoint, 8 here (would be permitted by --allow-change "
                         "train.microbatch)");
    check_request(NULL, NULL, &both, true, "");
    const struct job_allowed augment = {(const char *const[]){"data.augment.crop", "data.augment.flip"}, 2};
    check_request(NULL, OVERRIDES("data.augment={crop: 4}"), &augment, true,
                  "data.augment.crop: (none) -> 4 (changes the result; allowed by --allow-change)\n");
    check_request(OVERRIDES("data.augment={crop: 4, flip: both}"), NULL, &augment, true,
                  "data.augment.flip: both -> (none) (changes the result; allowed by --allow-change)\n"
                  "data.augment.crop: 4 -> (none) (changes the result; allowed by --allow-change)\n");
    check_request(OVERRIDES("data.augment={crop: 4}"), OVERRIDES("data.augment={crop: 4, noise: 0.5}"), &augment, false,
                  DIFFER "\n  data.augment.noise: (none) in the checkpoint, 0.5 here (would be permitted by "
                         "--allow-change data.augment.noise)");
    check_request(NULL, OVERRIDES("data.augment={crop: 0}"), &nothing, true, "");
}

static void test_what_can_be_requested(void)
{
    static const char *const others[] = {"",      "train",         "train.",        "train.steps",
                                         "seed",  "batch",         "train.batch.",  "train.batch.x",
                                         "model", "model.0.units", "schedule.name", "no\nkey"};
    struct error error = {0};
    const struct job_allowed both = {(const char *const[]){"train.batch", "train.microbatch"}, 2};
    CU_ASSERT_TRUE(job_check_allowed(&nothing, &error));
    CU_ASSERT_TRUE(job_check_allowed(&both, &error));
    for (size_t i = 0; i < COUNT(others); i++) {
        const struct job_allowed allowed = {(const char *const[]){"train.batch", others[i]}, 2};
        CU_ASSERT_FALSE(job_check_allowed(&allowed, &error));
        CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    }
    check_text(error.text, "--allow-change no\\nkey: not a key that changes on request; those are "
                           "data.augment.flip, data.augment.shift, data.augment.crop, data.augment.rotate, "
                           "data.augment.noise, data.augment.cutout, train.batch, train.microbatch");
}

static void test_averaged_weights(void)
{
    check_continues(OVERRIDES("ema_decay=0.9"), OVERRIDES("ema_decay=0.99"), true,
                    "ema_decay: 0.9 -> 0.99 (changes the result)\n");
    check_continues(OVERRIDES("ema_decay=0.9"), OVERRIDES("ema_decay=0.9", "ema_warmup=true"), true,
                    "ema_warmup: false -> true (changes the result)\n");
    check_continues(OVERRIDES("ema_decay=0.9"), NULL, false,
                    DIFFER "\n  ema_decay: 0.9 in the checkpoint, (none) here");
    check_continues(NULL, OVERRIDES("ema_decay=0.9"), false,
                    DIFFER "\n  ema_decay: (none) in the checkpoint, 0.9 here");
}

static void test_skipped_steps(void)
{
    check_continues(NULL, OVERRIDES("skip_step={nonfinite: true, outlier: 6, window: 50, limit: 3}"), true,
                    "skip_step.nonfinite: false -> true (changes the result)\n"
                    "skip_step.outlier: (none) -> 6.0 (changes the result)\n"
                    "skip_step.window: 100 -> 50 (changes the result)\n"
                    "skip_step.limit: 10 -> 3 (changes the result)\n");
    check_continues(OVERRIDES("skip_step.outlier=6"), OVERRIDES("skip_step.outlier=5", "skip_step.window=50"), true,
                    "skip_step.outlier: 6.0 -> 5.0 (changes the result)\n"
                    "skip_step.window: 100 -> 50 (changes the result)\n");
}

static void test_text_moves(void)
{
#define TEXT "data={train: {format: text, path: a.txt, context: 8}}"
    check_continues(OVERRIDES(TEXT), OVERRIDES(TEXT, "data.train.path=b.txt"), true,
                    "data.train.path: a.txt -> b.txt\n");
    check_continues(OVERRIDES(TEXT), OVERRIDES(TEXT, "data.train.part=[0, 0.9]", "data.train.context=9"), false,
                    DIFFER "\n  data.train.context: 8 in the checkpoint, 9 here"
                           "\n  data.train.part: [0.0, 1.0] in the checkpoint, [0.0, 0.9] here");
}

static void test_judgement_is_free(void)
{
    check_continues(
        NULL,
        OVERRIDES("validate.metric=accuracy", "early_stopping={patience: 2, min_delta: 0.5}", "checkpoint.best=true"),
        true,
        "validate.metric: loss -> accuracy\n"
        "early_stopping.patience: 0 -> 2\n"
        "early_stopping.min_delta: 0.0 -> 0.5\n"
        "checkpoint.best: auto -> true\n");
    check_continues(OVERRIDES("loss=huber", "huber_delta=2"), OVERRIDES("loss=huber"), false,
                    DIFFER "\n  huber_delta: 2.0 in the checkpoint, 1.0 here");
}

static void append_difference(void *context, const char *path, const char *one, const char *other)
{
    text_append(context, "%s: %s | %s\n", path, one, other);
}

static void test_differences(void)
{
    struct job one, other;
    struct text found;
    text_init(&found);
    if (!parse(&one, EXAMPLE, NULL))
        return;
    if (parse(&other, EXAMPLE, OVERRIDES("seed=2", "optimizer.learning_rate=0.5", "optimizer.weight_decay=0.125"))) {
        job_differences(&one, &one, append_difference, &found);
        job_differences(&one, &other, append_difference, &found);
        CU_ASSERT_STRING_EQUAL(text_bytes(&found), "seed: 1 | 2\n"
                                                   "optimizer.learning_rate: 0.001 | 0.5\n"
                                                   "optimizer.weight_decay: 0.01 | 0.125\n");
        job_release(&other);
    }
    text_release(&found);
    job_release(&one);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"the same job continues without changes", test_same_job},
        {"a job of an older version continues without changes", test_old_jobs},
        {"a key without influence on the result may change", test_free_changes},
        {"what a validation is judged by may change, the loss may not", test_judgement_is_free},
        {"a text may lie elsewhere, but not be another part", test_text_moves},
        {"a key that tunes may change and says that the result does", test_tunable_changes},
        {"clipping that ends is a change", test_clip_norm_vanishes},
        {"an optimizer may change what it keeps no moments for", test_optimizer_changes},
        {"another number of steps changes the result of schedules that end there", test_steps_of_schedules},
        {"a length in epochs is a length like one in steps", test_lengths},
        {"with a fixed horizon the length of the job is free", test_horizons},
        {"a key that changes on request changes only on request", test_requests},
        {"other keys cannot be requested, and the message lists those that can", test_what_can_be_requested},
        {"averaged weights are in the checkpoint or not", test_averaged_weights},
        {"the rules for skipped steps may change", test_skipped_steps},
        {"a key that the checkpoint depends on may not change", test_fixed_changes},
        {"layers are compared one by one", test_fixed_layers},
        {"lists of layers in layers are compared too", test_nested_layers},
        {"lists of two kinds are compared, each in its place", test_lists_of_two_kinds},
        {"a key that two kinds have is one key", test_other_defaults},
        {"a list of contradictions that is too long ends with a count", test_long_list},
        {"differences of any kind are found, with both values", test_differences},
        {NULL, NULL},
    };
    return test_run("job/job_resume", cases);
}
