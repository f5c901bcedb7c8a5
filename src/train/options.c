#include "train/options.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

/* The type of a row follows from its field. */
#define FIELD(structure, member)                                                                                       \
    .type = _Generic(((structure *)0)->member,                                                                        \
        uint64_t: OPTION_UNSIGNED,                                                                                    \
        double: OPTION_REAL,                                                                                          \
        bool: OPTION_BOOL,                                                                                            \
        char *: OPTION_TEXT,                                                                                          \
        default: OPTION_CHOICE),                                                                                      \
    .offset = offsetof(structure, member)
#define ONLY(kind)        .kinds = 1u << (kind)
#define WHOLE(first, end) .least = (first), .most = (end)
#define ANY_FROM(first)   WHOLE(first, UINT64_MAX)
#define DEFAULT(...)      .defaults = {__VA_ARGS__}

static const char *const dataset_formats[] = {[DATASET_IDX] = "idx", [DATASET_DIGITS] = "digits", NULL};
static const char *const layer_kinds[] = {[LAYER_DENSE] = "dense", [LAYER_RELU] = "relu", NULL};
static const char *const loss_kinds[] = {[LOSS_SOFTMAX_CROSS_ENTROPY] = "softmax_cross_entropy", NULL};
static const char *const optimizer_kinds[] = {[OPTIMIZER_SGD] = "sgd", [OPTIMIZER_ADAMW] = "adamw", NULL};
static const char *const schedule_kinds[] = {[SCHEDULE_CONSTANT] = "constant", [SCHEDULE_COSINE] = "cosine", NULL};

/* The cosine reaches its floor at the last step, so that another number of steps is another curve. */
static enum option_resume resume_steps(const struct job *saved, const struct job *now)
{
    bool curve = saved->schedule.kind == SCHEDULE_COSINE || now->schedule.kind == SCHEDULE_COSINE;
    return curve ? RESUME_TUNABLE : RESUME_FREE;
}

/* Without momentum there is no velocity, so that none is in the checkpoint. */
static enum option_resume resume_momentum(const struct job *saved, const struct job *now)
{
    bool both = saved->optimizer.kind == now->optimizer.kind;
    bool differ = (saved->optimizer.momentum > 0) != (now->optimizer.momentum > 0);
    return both && differ ? RESUME_FIXED : RESUME_TUNABLE;
}

/* Where the files lie may change: the digest of their content is compared when they are opened. */
static const struct option dataset_keys[] = {
    {"format", FIELD(struct dataset_spec, format), .choices = dataset_formats},
    {"images", FIELD(struct dataset_spec, images), ONLY(DATASET_IDX), .resume = RESUME_FREE},
    {"labels", FIELD(struct dataset_spec, labels), ONLY(DATASET_IDX), .resume = RESUME_FREE},
    {"seed", FIELD(struct dataset_spec, seed), ONLY(DATASET_DIGITS), ANY_FROM(0), DEFAULT("0")},
    {"first", FIELD(struct dataset_spec, first), ANY_FROM(0), DEFAULT("0")},
    {"count", FIELD(struct dataset_spec, count), ANY_FROM(0), DEFAULT("0")},
    {"mean", FIELD(struct dataset_spec, mean), .low = -INFINITY, .high = INFINITY, DEFAULT("0")},
    {"std", FIELD(struct dataset_spec, std), .above = true, .high = INFINITY, DEFAULT("1")},
    {0},
};

static const struct option data_keys[] = {
    {"train", OPTION_SECTION, offsetof(struct job, data.train), .keys = dataset_keys},
    {"validation", OPTION_SECTION, offsetof(struct job, data.validation), .keys = dataset_keys, .optional = true,
     .resume = RESUME_FREE},
    {0},
};

static const struct option layer_keys[] = {
    {"layer", FIELD(struct layer_spec, kind), .choices = layer_kinds},
    {"units", FIELD(struct layer_spec, units), ONLY(LAYER_DENSE), WHOLE(1, 1000000)},
    {0},
};

/* The sampler counts the samples of a job's whole life in 64 bits: the product has to fit. */
#define STEPS_MOST 1000000000000
#define BATCH_MOST 10000000

static const struct option train_keys[] = {
    {"steps", FIELD(struct job, train.steps), WHOLE(1, STEPS_MOST), .resume_rule = resume_steps},
    {"batch", FIELD(struct job, train.batch), WHOLE(1, BATCH_MOST)},
    {"microbatch", FIELD(struct job, train.microbatch), WHOLE(1, BATCH_MOST), .default_key = "batch"},
    {0},
};

static const struct option optimizer_keys[] = {
    {"name", FIELD(struct job, optimizer.kind), .choices = optimizer_kinds},
    {"learning_rate", FIELD(struct job, optimizer.learning_rate), .above = true, .high = INFINITY,
     .resume = RESUME_TUNABLE},
    {"weight_decay", FIELD(struct job, optimizer.weight_decay), .high = INFINITY,
     DEFAULT("0", [OPTIMIZER_ADAMW] = "0.01"), .resume = RESUME_TUNABLE},
    {"momentum", FIELD(struct job, optimizer.momentum), ONLY(OPTIMIZER_SGD), .high = 1, .below = true, DEFAULT("0"),
     .resume_rule = resume_momentum},
    {"nesterov", FIELD(struct job, optimizer.nesterov), ONLY(OPTIMIZER_SGD), DEFAULT("false"),
     .resume = RESUME_TUNABLE},
    {"beta1", FIELD(struct job, optimizer.beta1), ONLY(OPTIMIZER_ADAMW), .high = 1, .below = true, DEFAULT("0.9"),
     .resume = RESUME_TUNABLE},
    {"beta2", FIELD(struct job, optimizer.beta2), ONLY(OPTIMIZER_ADAMW), .high = 1, .below = true, DEFAULT("0.999"),
     .resume = RESUME_TUNABLE},
    {"epsilon", FIELD(struct job, optimizer.epsilon), ONLY(OPTIMIZER_ADAMW), .above = true, .high = INFINITY,
     DEFAULT("1e-8"), .resume = RESUME_TUNABLE},
    {0},
};

static const struct option schedule_keys[] = {
    {"name", FIELD(struct job, schedule.kind), .choices = schedule_kinds, DEFAULT("constant"),
     .resume = RESUME_TUNABLE},
    {"warmup", FIELD(struct job, schedule.warmup), ANY_FROM(0), DEFAULT("0"), .resume = RESUME_TUNABLE},
    {"floor", FIELD(struct job, schedule.floor), ONLY(SCHEDULE_COSINE), .high = 1, DEFAULT("0"),
     .resume = RESUME_TUNABLE},
    {0},
};

static const struct option validate_keys[] = {
    {"every", FIELD(struct job, validate.every), ANY_FROM(0), DEFAULT("0")},
    {0},
};

static const struct option checkpoint_keys[] = {
    {"every", FIELD(struct job, checkpoint.every), ANY_FROM(0), DEFAULT("0")},
    {"keep", FIELD(struct job, checkpoint.keep), ANY_FROM(1), DEFAULT("3")},
    {0},
};

static const struct option log_keys[] = {
    {"every", FIELD(struct job, log.every), ANY_FROM(1), DEFAULT("10")},
    {0},
};

const struct option job_options[] = {
    {"run", FIELD(struct job, run), .resume = RESUME_FREE},
    {"seed", FIELD(struct job, seed), ANY_FROM(0), DEFAULT("1")},
    {"data", OPTION_SECTION, .keys = data_keys},
    {"model", OPTION_LIST, offsetof(struct job, model.layers), .keys = layer_keys,
     .count_offset = offsetof(struct job, model.count), .item_bytes = sizeof(struct layer_spec)},
    {"loss", FIELD(struct job, loss), .choices = loss_kinds, DEFAULT("softmax_cross_entropy")},
    {"train", OPTION_SECTION, .keys = train_keys},
    {"optimizer", OPTION_SECTION, .keys = optimizer_keys},
    {"schedule", OPTION_SECTION, .keys = schedule_keys},
    {"clip_norm", FIELD(struct job, clip_norm), .above = true, .high = INFINITY, .optional = true,
     .resume = RESUME_TUNABLE},
    {"validate", OPTION_SECTION, .keys = validate_keys, .resume = RESUME_FREE},
    {"checkpoint", OPTION_SECTION, .keys = checkpoint_keys, .resume = RESUME_FREE},
    {"log", OPTION_SECTION, .keys = log_keys, .resume = RESUME_FREE},
    {0},
};

void *option_field(const struct option *option, const void *base)
{
    return (char *)base + option->offset;
}

static size_t *count_field(const struct option *option, const void *base)
{
    return (void *)((char *)base + option->count_offset);
}

size_t option_item_count(const struct option *option, const void *base)
{
    return base ? *count_field(option, base) : 0;
}

void *option_item(const struct option *option, const void *base, size_t index)
{
    char *items;
    memcpy(&items, option_field(option, base), sizeof items);
    return items + index * option->item_bytes;
}

void option_add_items(const struct option *option, void *base, size_t count)
{
    void *items = memory_need(count, option->item_bytes);
    memcpy(option_field(option, base), &items, sizeof items);
    *count_field(option, base) = count;
}

unsigned option_kind(const struct option *keys, const void *base)
{
    return keys->type == OPTION_CHOICE ? *(const unsigned *)option_field(keys, base) : 0;
}

bool option_applies(const struct option *option, unsigned kind)
{
    return !option->kinds || option->kinds & 1u << kind;
}

bool option_present(const struct option *keys, const struct option *option, const void *base)
{
    if (!base || !option_applies(option, option_kind(keys, base)))
        return false;
    if (!option->optional)
        return true;
    const void *field = option_field(option, base);
    return option->type == OPTION_SECTION ? option_kind(option->keys, field) != 0 : *(const double *)field != 0;
}

const char *option_default(const struct option *option, unsigned kind)
{
    return option->defaults[kind] ? option->defaults[kind] : option->defaults[0];
}
