/* Which buffer holds what during a leaf's pass. Made once for a row of operations; a pure function of them.
 *
 * Forward: an operation that can work in place overwrites its input if nobody needs that any more: no backward reads
 * it, and no residual connection and no later concat has it. Otherwise it gets a new buffer. Backward: gradients with
 * respect to outputs live in as few buffers as their lifetimes allow. A residual connection keeps the gradient of its
 * end until its begin; what appends an earlier output puts that output's part of the gradient into a buffer, to which
 * others add, until what has the name adds it to its own. */
#ifndef NN_PLAN_H
#define NN_PLAN_H

#include "nn/layer.h"

#define PLAN_NONE ((size_t)-1)

struct plan_step {
    size_t x, y;   /* outs: input and output of the operation; x PLAN_NONE: the leaf itself */
    size_t skip;   /* join: the outs that its fork remembered; append: those of its tap */
    size_t dy, dx; /* ups: dx PLAN_NONE: not wanted, nothing learns before this operation */
    size_t dskip;  /* fork: the ups of its join, to be added; tap, append: the ups of what was appended; PLAN_NONE:
                      nothing was, or nothing learns before it */
    bool adds;     /* append: to dskip, which one that comes later in the model has written */
};

struct plan {
    struct plan_step *steps; /* [operations] */
    size_t stop;             /* the first operation that learns: backward goes no further */
    size_t *out_floats;      /* [out_count] of a row */
    size_t *up_floats;       /* [up_count] of a row */
    size_t out_count, up_count;
    size_t top_up; /* ups: gradient of the last operation's output (not in tiles) or input (in tiles) */
};

/* Local. Some operation learns; each residual connection that begins ends, and at most MODEL_OPEN are open at once.
 * `tiled`: the last operation's output is made in tiles and gets no buffer of its own. */
void plan_init(struct plan *plan, const struct layer *layers, size_t count, bool tiled);

/* Local. Accepts a released plan. */
void plan_release(struct plan *plan);

#endif
