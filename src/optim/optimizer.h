/* Optimizers: how a range of parameters moves, given its gradient. One file an optimizer, in which its keys stand too,
 * and one row of OPTIMIZERS. A program can add optimizers of its own: optimizer_register.
 * Everything is a pure function of (parameters, moments, gradient, step, settings), so that the owner of a shard can
 * update it alone.
 *
 * Most are elementwise: `update` does it all. Those that scale a tensor's step by norms of the whole tensor (LAMB,
 * LARS) work in three parts: `direction` elementwise; then whoever knows all shards takes the norms of the tensor's
 * parameters and of its direction; then `update`, with the trust ratio made of them. The norms must not depend on how
 * the tensor is cut into shards; then nothing does. */
#ifndef OPTIM_OPTIMIZER_H
#define OPTIM_OPTIMIZER_H

#include "base/kind.h"
#include "base/option.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIMIZER_MOMENTS 2 /* at most */

/* Settings for the tensors whose name fits a pattern; the first group that fits counts, alone. */
struct optimizer_group {
    char *match;         /* shell pattern as fnmatch(3): "*.bias", "2.transformer.*" */
    double rate_factor;  /* the learning rate is multiplied by this; 0 freezes */
    double weight_decay; /* instead of the optimizer's; < 0: as without this group */
};

/* What a job file says. */
struct optimizer_spec {
    const struct optimizer_class *class;
    void *settings;                 /* of the class's kind; NULL: it has none */
    double learning_rate;           /* peak; the schedule scales it */
    double weight_decay;            /* of weights; biases, norms and embeddings do not decay, unless a group says so */
    struct optimizer_group *groups; /* [group_count] */
    size_t group_count;
};

/* One step's numbers, the same for every element of a tensor. */
struct optimizer_step {
    uint64_t step;                   /* from 1: the update that is being made (skipped steps do not count) */
    double power[OPTIMIZER_MOMENTS]; /* what the class's `prepare` has put there, because updates are made in small
                                      * pieces: as beta1 and beta2 to the power of step */
    double learning_rate;            /* after the schedule and the group */
    double weight_decay;             /* of this tensor */
    float gradient_scale;            /* the gradient is multiplied by this first (clipping); 1 for none */
    double trust; /* trust ratio, as `trust` below says; for `update` of classes that have it, else unused */
};

struct optimizer_class {
    struct kind kind;
    const char *weight_decay; /* its default, as a job file would say it; NULL: "0" */

    /* Local. The names of the moments that these settings need, e.g. "adamw.m"; NULL behind the last, at most
     * OPTIMIZER_MOMENTS. They are the names of the arrays in a checkpoint. */
    const char *const *(*moments)(const void *settings);

    /* Local. Sets step->power, from the settings and step->step. NULL: nothing is needed. */
    void (*prepare)(const void *settings, struct optimizer_step *step);

    /* Local. Updates params [count] and moments[k] [count] from gradient [count]. For a class with `direction`, the
     * gradient is the direction: it has been scaled already. */
    void (*update)(const void *settings, const struct optimizer_step *step, size_t count, float *params,
                   const float *gradient, float *const moments[OPTIMIZER_MOMENTS]);

    /* Local. NULL for elementwise classes. Replaces gradient [count] by the direction whose norm is wanted, and updates
     * moments that do not depend on the norms. Exactly once before each update; does not read step->trust. */
    void (*direction)(const void *settings, const struct optimizer_step *step, size_t count, const float *params,
                      float *gradient, float *const moments[OPTIMIZER_MOMENTS]);

    /* Local. The trust ratio from the Euclidean norms of a tensor's parameters and direction; 1 if one of them is 0,
     * NaN if one is NaN. NULL for elementwise classes. */
    double (*trust)(const void *settings, const struct optimizer_step *step, double params_norm, double direction_norm);
};

/* The optimizers of the house, as messages list them: a row `name` is optimizer_name. */
#define OPTIMIZERS(ROW)                                                                                                \
    ROW(sgd)                                                                                                           \
    ROW(adam)                                                                                                          \
    ROW(adamw)                                                                                                         \
    ROW(lamb)                                                                                                          \
    ROW(lars)

#define OPTIMIZER_DECLARED(name) extern const struct optimizer_class optimizer_##name;
OPTIMIZERS(OPTIMIZER_DECLARED)
#undef OPTIMIZER_DECLARED

/* The optimizers that a job file can name. */
extern struct registry optimizer_registry;

/* Local, as registry_add (base/registry.h), which it calls. ERROR_USAGE also: the class has no `moments` or no
 * `update`, or only one of `direction` and `trust`, or a default of weight_decay
 * that is no number. */
bool optimizer_register(const struct optimizer_class *class, struct error *error) WARN_UNUSED;

/* The rows of an optimizer in a job file; their base is a struct optimizer_spec. */
extern const struct option_row optimizer_rows[];

/* Local. The numbers of an update, with what follows from its number; the rest is 0. */
struct optimizer_step optimizer_step_at(const struct optimizer_spec *spec, uint64_t step);

/* Local. The names of the moments, NULL behind the last: at most OPTIMIZER_MOMENTS, which are names of arrays in a
 * checkpoint and none of its others ("params", "ema"). Borrowed. */
const char *const *optimizer_moments(const struct optimizer_spec *spec);

/* Local. The first group whose pattern fits the tensor's name; NULL if there is none. */
const struct optimizer_group *optimizer_group_of(const struct optimizer_spec *spec, const char *tensor);

/* Local. The weight decay of a tensor: its group's if that gives one, else the optimizer's if `decays` (a
 * weight), else 0. group: NULL for none. */
double optimizer_decay(const struct optimizer_spec *spec, const struct optimizer_group *group, bool decays);

#endif
