#include "optim/optimizer.h"

#include <fnmatch.h>
#include <math.h>
#include <stddef.h>

const char *const optimizer_names[] = {
    [OPTIMIZER_NONE] = NULL,   [OPTIMIZER_SGD] = "sgd",   [OPTIMIZER_ADAM] = "adam",   [OPTIMIZER_ADAMW] = "adamw",
    [OPTIMIZER_LAMB] = "lamb", [OPTIMIZER_LARS] = "lars", [OPTIMIZER_LARS + 1] = NULL,
};

const struct optimizer_class *const optimizer_classes[] = {
    [OPTIMIZER_SGD] = &optimizer_sgd,   [OPTIMIZER_ADAM] = &optimizer_adam, [OPTIMIZER_ADAMW] = &optimizer_adamw,
    [OPTIMIZER_LAMB] = &optimizer_lamb, [OPTIMIZER_LARS] = &optimizer_lars,
};

struct optimizer_step optimizer_step_at(const struct optimizer_spec *spec, uint64_t step)
{
    double number = (double)step;
    return (struct optimizer_step){
        .step = step, .power1 = pow(spec->beta1, number), .power2 = pow(spec->beta2, number)};
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
