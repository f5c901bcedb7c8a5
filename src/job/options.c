#include "job/options.h"

#include "base/memory.h"
#include "checkpoint/history.h"

#include <math.h>
#include <string.h>

/* The type of a row follows from its field. */
#define FIELD(structure, member)                                                                                       \
    .type = _Generic(((structure *)0)->member,                                                                        \
        uint64_t: OPTION_UNSIGNED,                                                                                    \
        double: OPTION_REAL,                                                                                          \
        double *: OPTION_PAIR,                                                                                        \
        bool: OPTION_BOOL,                                                                                            \
        char *: OPTION_TEXT,                                                                                          \
        uint64_t *: OPTION_NUMBERS,                                                                                    \
        default: OPTION_CHOICE),                                                                                      \
    .offset = offsetof(structure, member)
#define LIST(structure, items, count)                                                                                  \
    .type = OPTION_LIST, .offset = offsetof(structure, items), .count_offset = offsetof(structure, count),             \
    .item_bytes = sizeof *((structure *)0)->items
#define NUMBERS(structure, items, count)                                                                               \
    FIELD(structure, items), .count_offset = offsetof(structure, count), .item_bytes = sizeof *((structure *)0)->items
#define ONLY(kind)        (UINT64_C(1) << (kind)) /* of .kinds */
#define WHOLE(first, end) .least = (first), .most = (end)
#define ANY_FROM(first)   WHOLE(first, UINT64_MAX)
#define REAL(from, to)    .low = (from), .high = (to)
#define POSITIVE          .above = true, .high = INFINITY
#define DEFAULT(...)      .defaults = {__VA_ARGS__}

static const char *const gelu_forms[] = {[GELU_EXACT] = "exact", [GELU_TANH] = "tanh", NULL};
static const char *const metric_names[] = {[METRIC_LOSS] = "loss", [METRIC_ACCURACY] = "accuracy", NULL};
static const char *const busy_names[] = {[BUSY_WAIT] = "wait", [BUSY_SKIP] = "skip", NULL};
static const char *const metric_modes[] = {[MODE_AUTO] = "auto", [MODE_MIN] = "min", [MODE_MAX] = "max", NULL};
static const struct option_word best_words[] = {{"false", 0}, {"true", 1}, {"no", 0}, {"yes", 1},
                                                {"off", 0},   {"on", 1},   {0}};
static const struct option_word auto_words[] = {{"auto", CHECKPOINT_AUTO}, {0}};
static const struct option_word padding_words[] = {{"valid", 0}, {"same", PADDING_SAME}, {0}};

_Static_assert(LAYER_KINDS <= 64, "a layer kind is a bit of .kinds");

/* Most curves reach their end at the last step, so that another length of the job is another curve. */
static enum option_resume resume_length(const struct job *saved, const struct job *now)
{
    bool moves = schedule_follows_job(&saved->schedule) || schedule_follows_job(&now->schedule);
    return moves ? RESUME_TUNABLE : RESUME_FREE;
}

/* Without momentum there is no velocity, so that none is in the checkpoint. */
static enum option_resume resume_momentum(const struct job *saved, const struct job *now)
{
    bool both = saved->optimizer.kind == now->optimizer.kind;
    bool differ = (saved->optimizer.momentum > 0) != (now->optimizer.momentum > 0);
    return both && differ ? RESUME_FIXED : RESUME_TUNABLE;
}

/* Without a decay there are no averaged weights, so that none are in the checkpoint. */
static enum option_resume resume_ema(const struct job *saved, const struct job *now)
{
    return (saved->ema > 0) != (now->ema > 0) ? RESUME_FIXED : RESUME_TUNABLE;
}

/* Where the files lie may change: the digest of their content is compared when they are opened. */
#define NUMBERED (ONLY(DATASET_IDX) | ONLY(DATASET_DIGITS))
static const struct option dataset_keys[] = {
    {"format", FIELD(struct dataset_spec, format), .choices = dataset_formats},
    {"images", FIELD(struct dataset_spec, images), .kinds = ONLY(DATASET_IDX), .path = PATH_READ,
     .resume = RESUME_FREE},
    {"labels", FIELD(struct dataset_spec, labels), .kinds = ONLY(DATASET_IDX), .path = PATH_READ,
     .resume = RESUME_FREE},
    {"path", FIELD(struct dataset_spec, path), .kinds = ONLY(DATASET_TEXT), .path = PATH_READ, .resume = RESUME_FREE},
    {"context", FIELD(struct dataset_spec, context), .kinds = ONLY(DATASET_TEXT), WHOLE(1, 1000000)},
    {"part", FIELD(struct dataset_spec, part), .kinds = ONLY(DATASET_TEXT), REAL(0, 1), DEFAULT("0", "1")},
    {"seed", FIELD(struct dataset_spec, seed), .kinds = ONLY(DATASET_DIGITS), ANY_FROM(0), DEFAULT("0")},
    {"first", FIELD(struct dataset_spec, first), .kinds = NUMBERED, ANY_FROM(0), DEFAULT("0")},
    {"count", FIELD(struct dataset_spec, count), .kinds = NUMBERED, ANY_FROM(0), DEFAULT("0")},
    {"mean", FIELD(struct dataset_spec, mean), .kinds = NUMBERED, REAL(-INFINITY, INFINITY), DEFAULT("0")},
    {"std", FIELD(struct dataset_spec, std), .kinds = NUMBERED, POSITIVE, DEFAULT("1")},
    {0},
};

static const struct option data_keys[] = {
    {"train", OPTION_SECTION, offsetof(struct job, data.train), .keys = dataset_keys},
    {"validation", OPTION_SECTION, offsetof(struct job, data.validation), .keys = dataset_keys, .optional = true,
     .resume = RESUME_FREE},
    {0},
};

/* Bounds that no model needs to cross, so that products of a few of these numbers fit into 64 bits. */
#define WIDTH_MOST  1000000
#define SIDE_MOST   1000
#define REPEAT_MOST 1000

#define POOLS        (ONLY(LAYER_MAX_POOL) | ONLY(LAYER_AVG_POOL))
#define NORMS        (ONLY(LAYER_LAYER_NORM) | ONLY(LAYER_RMS_NORM) | ONLY(LAYER_GROUP_NORM) | ONLY(LAYER_BATCH_NORM))
#define LINEAR       (ONLY(LAYER_DENSE) | ONLY(LAYER_CONV2D))
#define ATTENTIVE    (ONLY(LAYER_ATTENTION) | ONLY(LAYER_TRANSFORMER))
#define COMPOSITIONS (ONLY(LAYER_RESIDUAL) | ONLY(LAYER_REPEAT))
#define EMBEDDED     (ONLY(LAYER_EMBEDDING) | ONLY(LAYER_POSITION_EMBEDDING) | ONLY(LAYER_LM_HEAD))
static const struct option layer_keys[] = {
    {"layer", FIELD(struct layer_spec, kind), .choices = layer_names},
    {"units", FIELD(struct layer_spec, units), .kinds = ONLY(LAYER_DENSE), WHOLE(1, WIDTH_MOST)},
    {"filters", FIELD(struct layer_spec, filters), .kinds = ONLY(LAYER_CONV2D), WHOLE(1, WIDTH_MOST)},
    {"kernel", FIELD(struct layer_spec, kernel), .kinds = ONLY(LAYER_CONV2D), WHOLE(1, SIDE_MOST)},
    {"size", FIELD(struct layer_spec, size), .kinds = POOLS, WHOLE(1, SIDE_MOST)},
    {"stride", FIELD(struct layer_spec, stride), .kinds = ONLY(LAYER_CONV2D), WHOLE(1, SIDE_MOST), DEFAULT("1")},
    {"stride", FIELD(struct layer_spec, stride), .kinds = POOLS, WHOLE(1, SIDE_MOST), .default_key = "size"},
    {"padding", FIELD(struct layer_spec, padding), .kinds = ONLY(LAYER_CONV2D), WHOLE(0, SIDE_MOST),
     .words = padding_words, DEFAULT("valid")},
    {"times", FIELD(struct layer_spec, times), .kinds = ONLY(LAYER_REPEAT), WHOLE(1, REPEAT_MOST)},
    {"layers", LIST(struct layer_spec, layers, count), .kinds = COMPOSITIONS, .keys = layer_keys},
    {"rate", FIELD(struct layer_spec, rate), .kinds = ONLY(LAYER_DROPOUT), REAL(0, 1), .below = true},
    {"form", FIELD(struct layer_spec, form), .kinds = ONLY(LAYER_GELU), .choices = gelu_forms, DEFAULT("exact")},
    {"groups", FIELD(struct layer_spec, groups), .kinds = ONLY(LAYER_GROUP_NORM), WHOLE(1, WIDTH_MOST)},
    {"momentum", FIELD(struct layer_spec, momentum), .kinds = ONLY(LAYER_BATCH_NORM), REAL(0, 1), .above = true,
     DEFAULT("0.1")},
    {"epsilon", FIELD(struct layer_spec, epsilon), .kinds = NORMS, REAL(1e-30, INFINITY), DEFAULT("1e-5")},
    {"width", FIELD(struct layer_spec, width), .kinds = ONLY(LAYER_EMBEDDING), WHOLE(1, WIDTH_MOST)},
    {"blocks", FIELD(struct layer_spec, blocks), .kinds = ONLY(LAYER_TRANSFORMER), WHOLE(1, REPEAT_MOST)},
    {"heads", FIELD(struct layer_spec, heads), .kinds = ATTENTIVE, WHOLE(1, WIDTH_MOST)},
    {"ratio", FIELD(struct layer_spec, ratio), .kinds = ONLY(LAYER_TRANSFORMER), REAL(0, SIDE_MOST), .above = true,
     DEFAULT("4")},
    {"causal", FIELD(struct layer_spec, causal), .kinds = ATTENTIVE, DEFAULT("true")},
    {"dropout", FIELD(struct layer_spec, rate), .kinds = ATTENTIVE, REAL(0, 1), .below = true, DEFAULT("0")},
    {"gelu", FIELD(struct layer_spec, form), .kinds = ONLY(LAYER_TRANSFORMER), .choices = gelu_forms, DEFAULT("exact")},
    {"tied", FIELD(struct layer_spec, tied), .kinds = ONLY(LAYER_LM_HEAD), DEFAULT("true")},
    {"bias", FIELD(struct layer_spec, bias), .kinds = LINEAR | ATTENTIVE, DEFAULT("true")},
    {"bias", FIELD(struct layer_spec, bias), .kinds = ONLY(LAYER_LM_HEAD), DEFAULT("false")},
    {"init", FIELD(struct layer_spec, init), .kinds = LINEAR, .choices = init_names, DEFAULT("default")},
    {"init", FIELD(struct layer_spec, init), .kinds = EMBEDDED, .choices = init_names, DEFAULT("gpt2")},
    {"init", FIELD(struct layer_spec, init), .kinds = ATTENTIVE, .choices = init_names, DEFAULT("xavier_uniform")},
    {0},
};

_Static_assert(sizeof layer_keys / sizeof *layer_keys <= OPTION_ROWS, "the longest section");

static const struct option train_keys[] = {
    {"steps", FIELD(struct job, train.steps), WHOLE(1, JOB_STEPS_MOST), .optional = true, .resume_rule = resume_length},
    {"epochs", FIELD(struct job, train.epochs), POSITIVE, .optional = true, .resume_rule = resume_length},
    {"batch", FIELD(struct job, train.batch), WHOLE(1, JOB_BATCH_MOST), .resume = RESUME_REQUESTED},
    {"microbatch", FIELD(struct job, train.microbatch), WHOLE(1, JOB_BATCH_MOST), .default_key = "batch",
     .resume = RESUME_REQUESTED},
    {0},
};

static const struct option group_keys[] = {
    {"match", FIELD(struct optimizer_group, match)},
    {"rate_factor", FIELD(struct optimizer_group, rate_factor), REAL(0, INFINITY), DEFAULT("1")},
    {"weight_decay", FIELD(struct optimizer_group, weight_decay), REAL(0, INFINITY), .optional = true, .absent = -1},
    {0},
};

#define ADAMS   (ONLY(OPTIMIZER_ADAM) | ONLY(OPTIMIZER_ADAMW) | ONLY(OPTIMIZER_LAMB))
#define DECAYED (ONLY(OPTIMIZER_ADAMW) | ONLY(OPTIMIZER_LAMB))
#define EPSILON (ONLY(OPTIMIZER_ADAM) | ONLY(OPTIMIZER_ADAMW) | ONLY(OPTIMIZER_LARS))
static const struct option optimizer_keys[] = {
    {"name", FIELD(struct job, optimizer.kind), .choices = optimizer_names},
    {"learning_rate", FIELD(struct job, optimizer.learning_rate), POSITIVE, .resume = RESUME_TUNABLE},
    {"weight_decay", FIELD(struct job, optimizer.weight_decay), .kinds = DECAYED, REAL(0, INFINITY), DEFAULT("0.01"),
     .resume = RESUME_TUNABLE},
    {"weight_decay", FIELD(struct job, optimizer.weight_decay), .kinds = ~DECAYED, REAL(0, INFINITY), DEFAULT("0"),
     .resume = RESUME_TUNABLE},
    {"momentum", FIELD(struct job, optimizer.momentum), .kinds = ONLY(OPTIMIZER_SGD), REAL(0, 1), .below = true,
     DEFAULT("0"), .resume_rule = resume_momentum},
    {"momentum", FIELD(struct job, optimizer.momentum), .kinds = ONLY(OPTIMIZER_LARS), REAL(0, 1), .below = true,
     DEFAULT("0.9"), .resume_rule = resume_momentum},
    {"nesterov", FIELD(struct job, optimizer.nesterov), .kinds = ONLY(OPTIMIZER_SGD), DEFAULT("false"),
     .resume = RESUME_TUNABLE},
    {"beta1", FIELD(struct job, optimizer.beta1), .kinds = ADAMS, REAL(0, 1), .below = true, DEFAULT("0.9"),
     .resume = RESUME_TUNABLE},
    {"beta2", FIELD(struct job, optimizer.beta2), .kinds = ADAMS, REAL(0, 1), .below = true, DEFAULT("0.999"),
     .resume = RESUME_TUNABLE},
    {"epsilon", FIELD(struct job, optimizer.epsilon), .kinds = EPSILON, POSITIVE, DEFAULT("1e-8"),
     .resume = RESUME_TUNABLE},
    {"epsilon", FIELD(struct job, optimizer.epsilon), .kinds = ONLY(OPTIMIZER_LAMB), POSITIVE, DEFAULT("1e-6"),
     .resume = RESUME_TUNABLE},
    {"trust", FIELD(struct job, optimizer.trust), .kinds = ONLY(OPTIMIZER_LARS), POSITIVE, DEFAULT("0.001"),
     .resume = RESUME_TUNABLE},
    {"groups", LIST(struct job, optimizer.groups, optimizer.group_count), .keys = group_keys, .optional = true,
     .resume = RESUME_TUNABLE},
    {0},
};

#define FALLING (ONLY(SCHEDULE_LINEAR) | ONLY(SCHEDULE_COSINE) | ONLY(SCHEDULE_POLYNOMIAL) | ONLY(SCHEDULE_WSD))
static const struct option schedule_keys[] = {
    {"name", FIELD(struct job, schedule.kind), .choices = schedule_names, DEFAULT("constant")},
    {"unit", FIELD(struct job, schedule.unit), .choices = schedule_units, DEFAULT("steps")},
    {"warmup", FIELD(struct job, schedule.warmup), REAL(0, INFINITY), DEFAULT("0")},
    {"horizon", FIELD(struct job, schedule.horizon), .kinds = FALLING, POSITIVE, .optional = true},
    {"floor", FIELD(struct job, schedule.floor), .kinds = FALLING, REAL(0, 1), DEFAULT("0")},
    {"every", FIELD(struct job, schedule.every), .kinds = ONLY(SCHEDULE_STEP), POSITIVE},
    {"gamma", FIELD(struct job, schedule.gamma), .kinds = ONLY(SCHEDULE_STEP), REAL(0, 1), .above = true,
     DEFAULT("0.1")},
    {"power", FIELD(struct job, schedule.power), .kinds = ONLY(SCHEDULE_POLYNOMIAL), POSITIVE, DEFAULT("1")},
    {"decay", FIELD(struct job, schedule.decay), .kinds = ONLY(SCHEDULE_WSD), POSITIVE},
    {0},
};

static const struct option skip_keys[] = {
    {"nonfinite", FIELD(struct job, skip.nonfinite), DEFAULT("false"), .resume = RESUME_TUNABLE},
    {"outlier", FIELD(struct job, skip.outlier), POSITIVE, .optional = true, .resume = RESUME_TUNABLE},
    {"window", FIELD(struct job, skip.window), WHOLE(8, 100000), DEFAULT("100"), .resume = RESUME_TUNABLE},
    {"limit", FIELD(struct job, skip.limit), ANY_FROM(1), DEFAULT("10"), .resume = RESUME_TUNABLE},
    {0},
};

static const struct option validate_keys[] = {
    {"every", FIELD(struct job, validate.every), ANY_FROM(0), DEFAULT("0")},
    {"metric", FIELD(struct job, validate.metric), .choices = metric_names, DEFAULT("loss")},
    {"mode", FIELD(struct job, validate.mode), .choices = metric_modes, DEFAULT("auto")},
    {"ema", FIELD(struct job, validate.ema), DEFAULT("false")},
    {0},
};

static const struct option early_stopping_keys[] = {
    {"patience", FIELD(struct job, early_stopping.patience), ANY_FROM(0), DEFAULT("0")},
    {"min_delta", FIELD(struct job, early_stopping.min_delta), REAL(0, INFINITY), DEFAULT("0")},
    {0},
};

static const struct option checkpoint_keys[] = {
    {"every", FIELD(struct job, checkpoint.every), WHOLE(0, JOB_STEPS_MOST), .words = auto_words, DEFAULT("0")},
    {"minutes", FIELD(struct job, checkpoint.minutes), REAL(0, INFINITY), DEFAULT("0")},
    {"at", NUMBERS(struct job, checkpoint.at, checkpoint.at_count), WHOLE(1, JOB_STEPS_MOST), .optional = true},
    {"on_validation", FIELD(struct job, checkpoint.on_validation), DEFAULT("false")},
    {"overhead", FIELD(struct job, checkpoint.overhead), REAL(0, 1), .above = true, DEFAULT("0.01")},
    {"keep", FIELD(struct job, checkpoint.keep), ANY_FROM(1), DEFAULT("3")},
    {"keep_every", FIELD(struct job, checkpoint.keep_every), ANY_FROM(0), DEFAULT("0")},
    {"best", FIELD(struct job, checkpoint.best), WHOLE(0, HISTORY_BEST), .words = best_words, DEFAULT("false")},
    {"background", FIELD(struct job, checkpoint.background), DEFAULT("true")},
    {"busy", FIELD(struct job, checkpoint.busy), .choices = busy_names, DEFAULT("wait")},
    {"timeout", FIELD(struct job, checkpoint.timeout), REAL(0, 1e6), DEFAULT("0")},
    {"local", FIELD(struct job, copies.path), .path = PATH_OF_NODE, .optional = true},
    {"local_every", FIELD(struct job, copies.every), ANY_FROM(0), DEFAULT("0")},
    {"stripe_count", FIELD(struct job, striping.count), WHOLE(0, 65535), DEFAULT("0")},
    {"stripe_size", FIELD(struct job, striping.size), WHOLE(0, 1 << 30), DEFAULT("0")},
    {"aggregators", FIELD(struct job, striping.aggregators), WHOLE(0, 1000000), DEFAULT("0")},
    {0},
};

static const struct option log_keys[] = {
    {"every", FIELD(struct job, log.every), ANY_FROM(1), DEFAULT("10")},
    {0},
};

const struct option job_options[] = {
    {"run", FIELD(struct job, run), .path = PATH_MADE, .resume = RESUME_FREE},
    {"seed", FIELD(struct job, seed), ANY_FROM(0), DEFAULT("1")},
    {"data", OPTION_SECTION, .keys = data_keys},
    {"model", LIST(struct job, model.layers, model.count), .keys = layer_keys},
    {"loss", FIELD(struct job, loss.kind), .choices = loss_names, DEFAULT("softmax_cross_entropy")},
    {"label_smoothing", FIELD(struct job, loss.label_smoothing), REAL(0, 1), .below = true, DEFAULT("0")},
    {"huber_delta", FIELD(struct job, loss.delta), POSITIVE, DEFAULT("1")},
    {"train", OPTION_SECTION, .keys = train_keys},
    {"optimizer", OPTION_SECTION, .keys = optimizer_keys},
    {"schedule", OPTION_SECTION, .keys = schedule_keys, .resume = RESUME_TUNABLE},
    {"clip_norm", FIELD(struct job, clip_norm), POSITIVE, .optional = true, .resume = RESUME_TUNABLE},
    {"skip_step", OPTION_SECTION, .keys = skip_keys},
    {"ema_decay", FIELD(struct job, ema), REAL(0, 1), .above = true, .below = true, .optional = true,
     .resume_rule = resume_ema},
    {"validate", OPTION_SECTION, .keys = validate_keys, .resume = RESUME_FREE},
    {"early_stopping", OPTION_SECTION, .keys = early_stopping_keys, .resume = RESUME_FREE},
    {"checkpoint", OPTION_SECTION, .keys = checkpoint_keys, .resume = RESUME_FREE},
    {"log", OPTION_SECTION, .keys = log_keys, .resume = RESUME_FREE},
    {"heartbeat", FIELD(struct job, heartbeat), REAL(0, 1e6), DEFAULT("60"), .resume = RESUME_FREE},
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
    return items ? items + index * option->item_bytes : NULL;
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
    return !option->kinds || option->kinds & ONLY(kind);
}

const struct option *option_find(const struct option *keys, const char *name, size_t length, unsigned kind)
{
    for (; keys->name; keys++)
        if (strlen(keys->name) == length && !memcmp(keys->name, name, length) && option_applies(keys, kind))
            return keys;
    return NULL;
}

bool option_present(const struct option *keys, const struct option *option, const void *base)
{
    if (!base || !option_applies(option, option_kind(keys, base)))
        return false;
    if (!option->optional)
        return true;
    if (option->type == OPTION_LIST || option->type == OPTION_NUMBERS)
        return option_item_count(option, base) > 0;
    const void *field = option_field(option, base);
    if (option->type == OPTION_SECTION)
        return option_kind(option->keys, field) != 0;
    if (option->type == OPTION_UNSIGNED)
        return *(const uint64_t *)field != 0;
    if (option->type == OPTION_TEXT)
        return *(char *const *)field != NULL;
    return *(const double *)field != option->absent;
}

size_t option_elements(const struct option *option)
{
    return option->type == OPTION_PAIR ? 2 : 1;
}
