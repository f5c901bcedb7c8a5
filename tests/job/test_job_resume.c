/* What a job that continues another may change. */
#include "job/resume_support.h"

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
        {"the rules for skipped steps may change", test_skipped_steps},
        {NULL, NULL},
    };
    return test_run("job/job_resume", cases);
}
