#include "job/job_support.h"

static void check_dataset(const struct dataset_spec *spec, uint64_t first, uint64_t count)
{
    CU_ASSERT_PTR_EQUAL(spec->class, &dataset_idx);
    const struct idx_settings *idx = spec->settings;
    CU_ASSERT_STRING_EQUAL(idx->images, "IMAGES");
    CU_ASSERT_STRING_EQUAL(idx->labels, "LABELS");
    CU_ASSERT_EQUAL(idx->samples.first, first);
    CU_ASSERT_EQUAL(idx->samples.count, count);
    CU_ASSERT_EQUAL(idx->samples.mean, 0);
    CU_ASSERT_EQUAL(idx->samples.std, 1);
}

static void check_dense(const struct layer_spec *spec, uint64_t units)
{
    CU_ASSERT(spec->class == &layer_dense && SETTINGS(dense, *spec)->units == units);
}

static void check_adam(const struct optimizer_spec *spec, double epsilon)
{
    const struct adam *adam = spec->settings;
    CU_ASSERT(adam->beta1 == 0.9 && adam->beta2 == 0.999 && adam->epsilon == epsilon);
}

static void test_example(void)
{
    struct job job;
    if (!parse(&job, EXAMPLE, NULL))
        return;
    CU_ASSERT_STRING_EQUAL(job.run, "out/mnist");
    CU_ASSERT_EQUAL(job.seed, 1);
    check_dataset(&job.data.train, 0, 9000);
    check_dataset(&job.data.validation, 9000, 1000);
    CU_ASSERT_EQUAL_FATAL(job.model.count, 3);
    check_dense(&job.model.layers[0], 512);
    CU_ASSERT(job.model.layers[1].class == &layer_relu && !job.model.layers[1].settings);
    check_dense(&job.model.layers[2], 10);
    CU_ASSERT_PTR_EQUAL(job.loss.class, &loss_softmax_cross_entropy);
    CU_ASSERT(job.train.steps == 1000 && job.train.batch == 128 && job.train.microbatch == 16);
    CU_ASSERT_PTR_EQUAL(job.optimizer.class, &optimizer_adamw);
    CU_ASSERT(job.optimizer.learning_rate == 1e-3 && job.optimizer.weight_decay == 0.01);
    check_adam(&job.optimizer, 1e-8);
    CU_ASSERT_PTR_EQUAL(job.schedule.class, &schedule_cosine);
    CU_ASSERT(job.schedule.warmup == 50 && job.schedule.floor == 0.1);
    CU_ASSERT_EQUAL(job.clip_norm, 1);
    CU_ASSERT_EQUAL(job.validate.every, 100);
    CU_ASSERT(job.checkpoint.every == 100 && job.checkpoint.keep == 3);
    CU_ASSERT_EQUAL(job.log.every, 10);
    CU_ASSERT_EQUAL(job.heartbeat, 60);
    job_release(&job);
}

static void test_defaults(void)
{
    struct job job;
    if (!parse(&job, SMALLEST, NULL))
        return;
    CU_ASSERT_EQUAL(job.seed, 1);
    CU_ASSERT_PTR_EQUAL(job.data.train.class, &dataset_digits);
    const struct digits_settings *digits = job.data.train.settings;
    CU_ASSERT(digits->seed == 0 && digits->first == 0 && digits->count == 0);
    CU_ASSERT(digits->mean == 0 && digits->std == 1);
    CU_ASSERT_PTR_NULL(job.data.validation.class);
    CU_ASSERT_PTR_EQUAL(job.loss.class, &loss_softmax_cross_entropy);
    CU_ASSERT_EQUAL(job.train.microbatch, 8);
    CU_ASSERT(job.optimizer.class == &optimizer_sgd && job.optimizer.weight_decay == 0);
    CU_ASSERT(SETTINGS(sgd, job.optimizer)->momentum == 0 && !SETTINGS(sgd, job.optimizer)->nesterov);
    CU_ASSERT(job.schedule.class == &schedule_constant && job.schedule.warmup == 0 && job.schedule.floor == 0);
    CU_ASSERT_EQUAL(job.clip_norm, 0);
    CU_ASSERT_EQUAL(job.validate.every, 0);
    CU_ASSERT(job.checkpoint.every == 0 && job.checkpoint.keep == 3 && job.checkpoint.keep_every == 0 &&
              job.checkpoint.best == CHECKPOINT_BEST_AUTO && job.validate.mode == MODE_AUTO);
    CU_ASSERT_EQUAL(job.log.every, 10);
    CU_ASSERT_EQUAL(job.heartbeat, 60);
    CU_ASSERT(job.loss.label_smoothing == 0 && job.loss.delta == 1);
    CU_ASSERT(job.optimizer.groups == NULL && job.optimizer.group_count == 0);
    CU_ASSERT(!job.skip.nonfinite && job.skip.outlier == 0 && job.skip.window == 100 && job.skip.limit == 10);
    CU_ASSERT(job.ema == 0 && job.validate.metric == METRIC_LOSS && !job.validate.ema);
    CU_ASSERT(job.early_stopping.patience == 0 && job.early_stopping.min_delta == 0);
    job_release(&job);
    if (!PARSE(&job, SMALLEST, "optimizer.name=adamw", "schedule.name=cosine"))
        return;
    CU_ASSERT_EQUAL(job.optimizer.weight_decay, 0.01);
    check_adam(&job.optimizer, 1e-8);
    CU_ASSERT(job.schedule.class == &schedule_cosine && job.schedule.floor == 0);
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
    if (parse(&job, EXAMPLE, NULL)) {
        check_round_trip(
            &job,
            "run: out/mnist\n"
            "seed: 1\n"
            "data:\n"
            "  train: {format: idx, images: IMAGES, labels: LABELS, transpose: false, first: 0, count: 9000, "
            "part: [0.0, 1.0], classes: 0, label_offset: 0, ignore_label: none, mean: 0.0, std: 1.0}\n"
            "  validation: {format: idx, images: IMAGES, labels: LABELS, transpose: false, first: 9000, count: 1000, "
            "part: [0.0, 1.0], classes: 0, label_offset: 0, ignore_label: none, mean: 0.0, std: 1.0}\n"
            "  standardise: none\n"
            "  last: wrap\n"
            "  shuffle: full\n"
            "  shuffle_window: 8\n"
            "  shuffle_chunk: 0\n"
            "model:\n"
            "  - {layer: dense, units: 512, bias: true, init: default}\n"
            "  - {layer: relu}\n"
            "  - {layer: dense, units: 10, bias: true, init: default}\n"
            "loss: softmax_cross_entropy\n"
            "label_smoothing: 0.0\n"
            "huber_delta: 1.0\n"
            "compute: {gemm: lockstep, precision: float32, threads: 1}\n"
            "train: {steps: 1000, batch: 128, microbatch: 16}\n"
            "optimizer: {name: adamw, learning_rate: 0.001, weight_decay: 0.01, beta1: 0.9, beta2: 0.999, "
            "epsilon: 1.0e-08}\n"
            "schedule: {name: cosine, unit: steps, warmup: 50.0, floor: 0.1}\n"
            "clip_norm: 1.0\n"
            "skip_step: {nonfinite: false, window: 100, limit: 10}\n"
            "ema_warmup: false\n"
            "validate: {every: 100, metric: loss, mode: auto, ema: false}\n"
            "early_stopping: {patience: 0, min_delta: 0.0}\n"
            "checkpoint: {every: 100, minutes: 10.0, on_validation: false, overhead: 0.01, keep: 3, keep_every: 0, best: auto, background: true, busy: wait, timeout: 0.0, "
            "local_every: 0, stripe_count: 0, stripe_size: 0, aggregators: 0}\n"
            "log: {every: 10}\n"
            "heartbeat: 60.0\n");
        job_release(&job);
    }
    if (parse(&job, SMALLEST, NULL)) {
        check_round_trip(
            &job,
            "run: out\n"
            "seed: 1\n"
            "data:\n"
            "  train: {format: digits, seed: 0, first: 0, count: 0, mean: 0.0, std: 1.0}\n"
            "  standardise: none\n"
            "  last: wrap\n"
            "  shuffle: full\n"
            "  shuffle_window: 8\n"
            "  shuffle_chunk: 0\n"
            "model:\n"
            "  - {layer: dense, units: 10, bias: true, init: default}\n"
            "loss: softmax_cross_entropy\n"
            "label_smoothing: 0.0\n"
            "huber_delta: 1.0\n"
            "compute: {gemm: lockstep, precision: float32, threads: 1}\n"
            "train: {steps: 10, batch: 8, microbatch: 8}\n"
            "optimizer: {name: sgd, learning_rate: 0.1, weight_decay: 0.0, momentum: 0.0, nesterov: false}\n"
            "schedule: {name: constant, unit: steps, warmup: 0.0}\n"
            "skip_step: {nonfinite: false, window: 100, limit: 10}\n"
            "ema_warmup: false\n"
            "validate: {every: 0, metric: loss, mode: auto, ema: false}\n"
            "early_stopping: {patience: 0, min_delta: 0.0}\n"
            "checkpoint: {every: 0, minutes: 10.0, on_validation: false, overhead: 0.01, keep: 3, keep_every: 0, best: auto, background: true, busy: wait, timeout: 0.0, "
            "local_every: 0, stripe_count: 0, stripe_size: 0, aggregators: 0}\n"
            "log: {every: 10}\n"
            "heartbeat: 60.0\n");
        job_release(&job);
    }
}

static void test_copies(void)
{
    struct job job;
    if (parse(&job, SMALLEST "checkpoint: {local: /dev/shm, local_every: 7}\n", NULL)) {
        struct text yaml;
        text_init(&yaml);
        CU_ASSERT_STRING_EQUAL(job.copies.path, "/dev/shm");
        CU_ASSERT_EQUAL(job.copies.every, 7);
        job_write(&job, &yaml);
        CU_ASSERT_PTR_NOT_NULL(strstr(text_bytes(&yaml), ", local: /dev/shm, local_every: 7, "));
        text_release(&yaml);
        job_release(&job);
    }
    if (PARSE(&job, SMALLEST "checkpoint: {local: /dev/shm}\n", "checkpoint.local=null")) {
        CU_ASSERT_PTR_NULL(job.copies.path);
        job_release(&job);
    }
}

static void test_overrides(void)
{
    struct job job;
    if (!PARSE(&job, SMALLEST, "model.0.units=64", "model.0={layer: dense, units: 20}",
               "data.validation={format: digits, first: 60000, count: 1000}", "validate.every=5", "run=\"a b: c\"",
               "train.batch=32", "train.batch=64", "checkpoint.keep=7"))
        return;
    CU_ASSERT_EQUAL(job.model.count, 1);
    check_dense(&job.model.layers[0], 20);
    const struct digits_settings *validation = job.data.validation.settings;
    CU_ASSERT(job.data.validation.class == &dataset_digits && validation->first == 60000 && validation->count == 1000);
    CU_ASSERT_EQUAL(job.validate.every, 5);
    CU_ASSERT_STRING_EQUAL(job.run, "a b: c");
    CU_ASSERT(job.train.batch == 64 && job.train.microbatch == 64 && job.train.steps == 10);
    CU_ASSERT_EQUAL(job.checkpoint.keep, 7);
    job_release(&job);
    if (!PARSE(&job, SMALLEST, "model=[{layer: dense, units: 5}, {layer: relu}]", "model.1.layer=dense",
               "model.1.units=3", "data.validation.format=digits"))
        return;
    CU_ASSERT_EQUAL(job.model.count, 2);
    check_dense(&job.model.layers[1], 3);
    validation = job.data.validation.settings;
    CU_ASSERT(job.data.validation.class == &dataset_digits && validation->std == 1);
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
    CU_ASSERT_EQUAL(SETTINGS(digits_settings, job.data.train)->count, 5);
    CU_ASSERT_EQUAL(SETTINGS(digits_settings, job.data.validation)->count, 7);
    check_dense(&job.model.layers[0], 12);
    check_dense(&job.model.layers[1], 10);
    job_release(&job);
}

static void test_null_is_no_key(void)
{
    struct job job;
    struct error error;
    const char *overrides[] = {"clip_norm=null", "data.validation=~", "optimizer.weight_decay=null"};
    bool ok = job_parse(&job, "job.yaml", EXAMPLE, overrides, 3, &error);
    CU_ASSERT_TRUE(ok);
    if (!ok)
        return;
    CU_ASSERT_EQUAL(job.clip_norm, 0);
    CU_ASSERT_PTR_NULL(job.data.validation.class);
    CU_ASSERT_EQUAL(job.optimizer.weight_decay, 0.01);
    job_release(&job);
}

/* Every key of the job but the layers', none at its default. */
static void test_every_key(void)
{
    struct job job;
    if (!PARSE(&job, EXAMPLE, "label_smoothing=0.1", "ema_decay=0.999", "ema_warmup=true",
               "skip_step={nonfinite: true, outlier: 6, window: 50, limit: 3}",
               "validate={every: 10, metric: accuracy, mode: min, ema: true}",
               "early_stopping={patience: 5, min_delta: 0.01}",
               "checkpoint={every: auto, minutes: 2.5, at: [30, 10], on_validation: true, overhead: 0.02, best: 5, "
               "keep_every: 500}",
               "schedule={name: wsd, unit: epochs, warmup: 0.5, decay: 2.5, floor: 0.2}",
               "optimizer.groups=[{match: '*.bias', rate_factor: 0}, {match: 0.dense.weight, weight_decay: 0}]"))
        return;
    CU_ASSERT(job.loss.label_smoothing == 0.1 && job.ema == 0.999 && job.ema_warmup);
    CU_ASSERT(job.skip.nonfinite && job.skip.outlier == 6 && job.skip.window == 50 && job.skip.limit == 3);
    CU_ASSERT(job.validate.metric == METRIC_ACCURACY && job.validate.mode == MODE_MIN && job.validate.ema);
    CU_ASSERT(job.checkpoint.best == 5 && job.checkpoint.keep_every == 500);
    CU_ASSERT(job.checkpoint.every == CHECKPOINT_AUTO && job.checkpoint.minutes == 2.5);
    CU_ASSERT(job.checkpoint.on_validation && job.checkpoint.overhead == 0.02);
    CU_ASSERT(job.checkpoint.at_count == 2 && job.checkpoint.at[0] == 30 && job.checkpoint.at[1] == 10);
    CU_ASSERT(job.early_stopping.patience == 5 && job.early_stopping.min_delta == 0.01);
    CU_ASSERT(job.schedule.unit == SCHEDULE_EPOCHS && job.schedule.warmup == 0.5);
    CU_ASSERT_EQUAL(SETTINGS(wsd_settings, job.schedule)->decay, 2.5);
    CU_ASSERT_EQUAL_FATAL(job.optimizer.group_count, 2);
    const struct optimizer_group *groups = job.optimizer.groups;
    CU_ASSERT_STRING_EQUAL(groups[0].match, "*.bias");
    CU_ASSERT(groups[0].rate_factor == 0 && groups[0].weight_decay == -1);
    CU_ASSERT_STRING_EQUAL(groups[1].match, "0.dense.weight");
    CU_ASSERT(groups[1].rate_factor == 1 && groups[1].weight_decay == 0);
    struct text yaml = {0};
    job_write(&job, &yaml);
    CU_ASSERT_PTR_NOT_NULL(strstr(text_bytes(&yaml),
                                  "epsilon: 1.0e-08, groups: [{match: \"*.bias\", rate_factor: 0.0}, "
                                  "{match: \"0.dense.weight\", rate_factor: 1.0, "
                                  "weight_decay: 0.0}]}\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text_bytes(&yaml), "ema_decay: 0.999\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text_bytes(&yaml), "checkpoint: {every: auto, minutes: 2.5, at: [30, 10], "));
    text_release(&yaml);
    check_round_trip(&job, NULL);
    job_release(&job);
}

static void test_augment(void)
{
    struct job job;
    if (!PARSE(&job, SMALLEST, "data.augment={crop: 4, flip: horizontal, noise: 0.5, rotate: 0}"))
        return;
    const struct augment *augment = &job.data.augment;
    CU_ASSERT(augment->flip == FLIP_HORIZONTAL && augment->crop == 4 && augment->noise == 0.5);
    CU_ASSERT(augment->shift == 0 && augment->rotate == 0 && augment->cutout == 0);
    struct text yaml = {0};
    job_write(&job, &yaml);
    CU_ASSERT_PTR_NOT_NULL(strstr(text_bytes(&yaml), "\n  augment: {flip: horizontal, crop: 4, noise: 0.5}\n"));
    text_release(&yaml);
    check_round_trip(&job, NULL);
    job_release(&job);
}

static void test_class_weights(void)
{
    struct job job;
    if (PARSE(&job, SMALLEST, "class_weights=[1, 0, 2.5]")) {
        CU_ASSERT_FALSE(loss_is_balanced(&job.loss));
        CU_ASSERT_EQUAL_FATAL(job.loss.class_weight_count, 3);
        CU_ASSERT(job.loss.class_weights[0] == 1 && job.loss.class_weights[1] == 0 && job.loss.class_weights[2] == 2.5);
        struct text yaml = {0};
        job_write(&job, &yaml);
        CU_ASSERT_PTR_NOT_NULL(strstr(text_bytes(&yaml), "\nclass_weights: [1.0, 0.0, 2.5]\n"));
        text_release(&yaml);
        check_round_trip(&job, NULL);
        job_release(&job);
    }
    if (PARSE(&job, SMALLEST "class_weights: Balanced\n", NULL)) {
        CU_ASSERT_TRUE(loss_is_balanced(&job.loss));
        struct text yaml = {0};
        job_write(&job, &yaml);
        CU_ASSERT_PTR_NOT_NULL(strstr(text_bytes(&yaml), "\nclass_weights: balanced\n"));
        text_release(&yaml);
        check_round_trip(&job, NULL);
        job_release(&job);
    }
    if (PARSE(&job, SMALLEST, "class_weights=[]")) {
        CU_ASSERT_EQUAL(job.loss.class_weight_count, 0);
        check_round_trip(&job, NULL);
        job_release(&job);
    }
}

/* It was a yes or no before it was a number. */
static void test_best(void)
{
    static const struct {
        const char *text, *yaml;
        uint64_t best;
    } cases[] = {{"0", "best: false,", 0},   {"1", "best: true,", 1},
                 {"True", "best: true,", 1}, {"no", "best: false,", 0},
                 {"on", "best: true,", 1},   {"7", "best: 7,", 7},
                 {"100", "best: 100,", 100}, {"auto", "best: auto,", CHECKPOINT_BEST_AUTO}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct job job;
        struct text yaml = {0};
        char best[40];
        snprintf(best, sizeof best, "checkpoint.best=%s", cases[i].text);
        if (!PARSE(&job, EXAMPLE, "validate.every=5", best))
            continue;
        CU_ASSERT_EQUAL(job.checkpoint.best, cases[i].best);
        job_write(&job, &yaml);
        CU_ASSERT_PTR_NOT_NULL(strstr(text_bytes(&yaml), cases[i].yaml));
        text_release(&yaml);
        check_round_trip(&job, NULL);
        job_release(&job);
    }
}

static void test_text_format(void)
{
    struct job job;
    if (!PARSE(&job, SMALLEST, "data.train={format: text, path: input.txt, context: 64}",
               "data.validation={format: text, path: input.txt, context: 64, part: [0.9, 1]}"))
        return;
    const struct text_format_settings *train = job.data.train.settings, *validation = job.data.validation.settings;
    CU_ASSERT(job.data.train.class == &dataset_text && train->context == 64 && train->part[0] == 0 &&
              train->part[1] == 1);
    CU_ASSERT(validation->part[0] == 0.9 && validation->part[1] == 1);
    CU_ASSERT_STRING_EQUAL(validation->path, "input.txt");
    struct text yaml = {0};
    job_write(&job, &yaml);
    CU_ASSERT_PTR_NOT_NULL(strstr(text_bytes(&yaml),
                                  "  train: {format: text, path: input.txt, context: 64, part: [0.0, 1.0]}\n"
                                  "  validation: {format: text, path: input.txt, context: 64, part: [0.9, 1.0]}\n"));
    text_release(&yaml);
    check_round_trip(&job, NULL);
    job_release(&job);
}

/* Defaults that depend on the optimizer. */
static void test_optimizers(void)
{
    static const struct {
        const char *override, *written;
    } cases[] = {
        {"optimizer.name=sgd", "weight_decay: 0.0, momentum: 0.0, nesterov: false}"},
        {"optimizer.name=adam", "weight_decay: 0.0, beta1: 0.9, beta2: 0.999, epsilon: 1.0e-08}"},
        {"optimizer.name=adamw", "weight_decay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1.0e-08}"},
        {"optimizer.name=lamb", "weight_decay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1.0e-06}"},
        {"optimizer.name=lars", "weight_decay: 0.0, momentum: 0.9, epsilon: 1.0e-08, trust: 0.001}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct job job;
        struct text yaml = {0};
        if (!PARSE(&job, SMALLEST, cases[i].override))
            continue;
        job_write(&job, &yaml);
        CU_ASSERT_PTR_NOT_NULL(strstr(text_bytes(&yaml), cases[i].written));
        text_release(&yaml);
        check_round_trip(&job, NULL);
        job_release(&job);
    }
}

static void test_schedules(void)
{
    static const struct {
        const char *override, *written;
    } cases[] = {
        {"schedule={name: constant}", "{name: constant, unit: steps, warmup: 0.0}"},
        {"schedule={name: linear, floor: 0.5}", "{name: linear, unit: steps, warmup: 0.0, floor: 0.5}"},
        {"schedule={name: step, every: 3, unit: epochs}",
         "{name: step, unit: epochs, warmup: 0.0, every: 3.0, gamma: 0.1}"},
        {"schedule={name: polynomial}", "{name: polynomial, unit: steps, warmup: 0.0, floor: 0.0, power: 1.0}"},
        {"schedule={name: wsd, decay: 4}", "{name: wsd, unit: steps, warmup: 0.0, floor: 0.0, decay: 4.0}"},
        {"schedule={name: cosine, horizon: 10.5}",
         "{name: cosine, unit: steps, warmup: 0.0, horizon: 10.5, floor: 0.0}"},
        {"schedule={name: linear, horizon: 200, warmup: 150}",
         "{name: linear, unit: steps, warmup: 150.0, horizon: 200.0, floor: 0.0}"},
        {"schedule={name: one_cycle, horizon: 50}",
         "{name: one_cycle, unit: steps, horizon: 50.0, pct_start: 0.3, div_factor: 25.0, final_div_factor: 10000.0}"},
        {"schedule={name: cosine_restarts, t_0: 3, floor: 0.1}",
         "{name: cosine_restarts, unit: steps, warmup: 0.0, floor: 0.1, t_0: 3.0, t_mult: 1}"},
        {"schedule={unit: epochs, warmup: 1000.5}", "{name: constant, unit: epochs, warmup: 1000.5}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct job job;
        struct text yaml = {0};
        if (!PARSE(&job, SMALLEST, cases[i].override))
            continue;
        job_write(&job, &yaml);
        const char *written = strstr(text_bytes(&yaml), "schedule: ");
        CU_ASSERT(written && !strncmp(written + 10, cases[i].written, strlen(cases[i].written)));
        text_release(&yaml);
        check_round_trip(&job, NULL);
        job_release(&job);
    }
}

static void test_lengths(void)
{
    struct job job;
    struct text yaml = {0};
    if (!PARSE(&job, SMALLEST, "train.steps=null", "train.epochs=2.5"))
        return;
    CU_ASSERT(job.train.steps == 0 && job.train.epochs == 2.5);
    job_write(&job, &yaml);
    CU_ASSERT_PTR_NOT_NULL(strstr(text_bytes(&yaml), "train: {epochs: 2.5, batch: 8, microbatch: 8}\n"));
    check_round_trip(&job, NULL);
    text_release(&yaml);
    job_release(&job);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"the example parses to the right job", test_example},
        {"a key that is absent has its default", test_defaults},
        {"a job that failed or was released can be released", test_release},
        {"a job is written with all defaults and reads back to the same bytes", test_written},
        {"every key of a job is read and written", test_every_key},
        {"samples are augmented as the job says", test_augment},
        {"classes weigh by a list, or by how often they come", test_class_weights},
        {"of the best there may be none, one or many", test_best},
        {"a text has a path, a context and a part", test_text_format},
        {"each optimizer has its own defaults", test_optimizers},
        {"each schedule has its own keys and defaults", test_schedules},
        {"a place for copies is optional", test_copies},
        {"an override replaces or adds a value, a section, an item or a list", test_overrides},
        {"an override does not change what shares an anchor with it", test_aliases},
        {"null is as good as no key", test_null_is_no_key},
        {"a job is as long as its steps or its epochs", test_lengths},
        {NULL, NULL},
    };
    return test_run("job/job", cases);
}
