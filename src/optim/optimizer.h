/* Optimizers: how a range of parameters moves, given its gradient. One file per optimizer, one row of
 * optimizer_classes. Everything is a pure function of (parameters, moments, gradient, step, settings), elementwise, so
 * that the owner of a shard can update it alone. */
#ifndef OPTIM_OPTIMIZER_H
#define OPTIM_OPTIMIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIMIZER_MOMENTS 2 /* at most */

enum optimizer_kind {
    OPTIMIZER_NONE = 0,
    OPTIMIZER_SGD,
    OPTIMIZER_ADAMW,
};

/* What a job file says; keys that a kind does not have are 0. */
struct optimizer_spec {
    enum optimizer_kind kind;
    double learning_rate; /* peak; the schedule scales it */
    double weight_decay;
    double momentum; /* sgd */
    bool nesterov;   /* sgd */
    double beta1;    /* adamw */
    double beta2;    /* adamw */
    double epsilon;  /* adamw */
};

/* One step's numbers, the same for every element. */
struct optimizer_step {
    uint64_t step;        /* from 1: the step that is being made */
    double learning_rate; /* after the schedule */
    float gradient_scale; /* the gradient is multiplied by this first (clipping); 1 for none */
};

struct optimizer_class {
    /* Local. The names of the moments that these settings need, e.g. "adamw.m"; NULL behind the last. */
    const char *const *(*moments)(const struct optimizer_spec *spec);
    /* Local. Updates params [count] and moments[k] [count] from gradient [count]. `decays`: weight decay applies. */
    void (*update)(const struct optimizer_spec *spec, const struct optimizer_step *step, bool decays, size_t count,
                   float *params, const float *gradient, float *const moments[OPTIMIZER_MOMENTS]);
};

/* By kind. OPTIMIZER_NONE has no row. */
extern const struct optimizer_class *const optimizer_classes[];

extern const struct optimizer_class optimizer_sgd;   /* sgd.c */
extern const struct optimizer_class optimizer_adamw; /* adamw.c */

#endif
