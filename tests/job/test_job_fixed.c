/* What a job that continues another may not change, or only on request. */
#include "job/resume_support.h"

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
    const struct job_allowed precision = {(const char *const[]){"compute.precision"}, 1};
    check_request(NULL, OVERRIDES("compute.precision=bf16"), &both, false,
                  DIFFER "\n  compute.precision: float32 in the checkpoint, bf16 here (would be permitted by "
                         "--allow-change compute.precision)");
    check_request(OVERRIDES("compute.precision=bf16"), NULL, &precision, true,
                  "compute.precision: bf16 -> float32 (changes the result; allowed by --allow-change)\n");
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
                           "data.augment.noise, data.augment.cutout, compute.precision, train.batch, train.microbatch");
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
        {"a key that the checkpoint depends on may not change", test_fixed_changes},
        {"layers are compared one by one", test_fixed_layers},
        {"lists of layers in layers are compared too", test_nested_layers},
        {"lists of two kinds are compared, each in its place", test_lists_of_two_kinds},
        {"a key that two kinds have is one key", test_other_defaults},
        {"a list of contradictions that is too long ends with a count", test_long_list},
        {"a key that changes on request changes only on request", test_requests},
        {"other keys cannot be requested, and the message lists those that can", test_what_can_be_requested},
        {"averaged weights are in the checkpoint or not", test_averaged_weights},
        {"differences of any kind are found, with both values", test_differences},
        {NULL, NULL},
    };
    return test_run("job/job_fixed", cases);
}
