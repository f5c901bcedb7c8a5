#include "optim/optimizer.h"

#include "base/check.h"
#include "base/registry.h"
#include "base/rows.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define LISTED(name) &optimizer_##name.kind,
struct registry optimizer_registry = {.role = "optimizer", .keys = optimizer_rows, .kinds = {OPTIMIZERS(LISTED)}};

static const char *default_decay(const void *section)
{
    const struct optimizer_spec *spec = section;
    return spec->class->weight_decay ? spec->class->weight_decay : "0";
}

static const struct option_row group_rows[] = {
    {"match", "shell pattern for names of tensors, such as *.bias", FIELD(struct optimizer_group, match)},
    {"rate_factor", "what the learning rate is multiplied by; 0 freezes, running averages too",
     FIELD(struct optimizer_group, rate_factor), REAL(0, INFINITY), DEFAULT("1")},
    {"weight_decay", "weight decay of these tensors, whatever they are, instead of the optimizer's",
     FIELD(struct optimizer_group, weight_decay), REAL(0, INFINITY), .optional = true, .absent = -1},
    {0},
};

const struct option_row optimizer_rows[] = {
    {"name", "how the parameters move, given their gradient",
     KIND(struct optimizer_spec, class, settings, &optimizer_registry)},
    {"learning_rate", "learning rate at its peak, which the schedule scales",
     FIELD(struct optimizer_spec, learning_rate), POSITIVE, .resume = RESUME_TUNABLE},
    {"weight_decay", "decay of weights; biases, norms and embeddings do not decay, unless a group says so",
     FIELD(struct optimizer_spec, weight_decay), REAL(0, INFINITY), .default_rule = default_decay,
     .resume = RESUME_TUNABLE},
    KIND_KEYS,
    {"groups", "settings for the tensors whose name fits a pattern; the first group that fits counts, alone",
     LIST(struct optimizer_spec, groups, group_count), .keys = group_rows, .optional = true, .resume = RESUME_TUNABLE},
    {0},
};

static bool is_decay(const char *text)
{
    char *end;
    double decay = text ? strtod(text, &end) : 0;
    return !text || (end != text && !*end && isfinite(decay) && decay >= 0);
}

bool optimizer_register(const struct optimizer_class *class, struct error *error)
{
    const char *name = class->kind.name ? class->kind.name : "";
    if (!class->moments || !class->update || !class->direction != !class->trust)
        return error_set(error, ERROR_USAGE,
                         "optimizer %.40s: it must have moments and update, and both or none of direction and trust",
                         name);
    if (!is_decay(class->weight_decay))
        return error_set(error, ERROR_USAGE, "optimizer %.40s: its weight_decay is no number of at least 0", name);
    return registry_add(&optimizer_registry, &class->kind, error);
}

const char *const *optimizer_moments(const struct optimizer_spec *spec)
{
    const char *const *names = spec->class->moments(spec->settings);
    for (size_t k = 0; names[k]; k++) {
        bool is_taken = !strcmp(names[k], "params") || !strcmp(names[k], "ema");
        for (size_t before = 0; before < k; before++)
            is_taken = is_taken || !strcmp(names[k], names[before]);
        CHECK(k < OPTIMIZER_MOMENTS && !is_taken,
              "an optimizer has at most OPTIMIZER_MOMENTS moments, with names of their own");
    }
    return names;
}

struct optimizer_step optimizer_step_at(const struct optimizer_spec *spec, uint64_t step)
{
    struct optimizer_step numbers = {.step = step};
    if (spec->class->prepare)
        spec->class->prepare(spec->settings, &numbers);
    return numbers;
}

const struct optimizer_group *optimizer_group_of(const struct optimizer_spec *spec, const char *tensor)
{
    for (size_t i = 0; i < spec->group_count; i++)
        if (fnmatch(spec->groups[i].match, tensor, 0) == 0)
            return &spec->groups[i];
    return NULL;
}

double optimizer_decay(const struct optimizer_spec *spec, const struct optimizer_group *group, bool decays)
{
    if (group && group->weight_decay >= 0)
        return group->weight_decay;
    return decays ? spec->weight_decay : 0;
}
