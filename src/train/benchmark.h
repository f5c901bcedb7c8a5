/* What a job's steps take on this machine, by phase and by layer, beside what the machine can do: measured by the
 * trainer's own steps (trainer_step), with the marks of base/timeline.h. Nothing is validated; nothing is saved unless
 * it is asked for. */
#ifndef TRAIN_BENCHMARK_H
#define TRAIN_BENCHMARK_H

#include "base/timeline.h"
#include "job/job.h"
#include "nn/kernels/recorder.h"
#include "nn/model_work.h"
#include "train/machine.h"

struct benchmark_request {
    size_t steps;        /* that are timed, >= 1, behind the first three */
    uint64_t save_every; /* steps; 0: none */
    const char *trace;   /* file for the timeline (timeline_file.h); NULL: none */
};

/* One direction of a layer, in one step. */
struct benchmark_pass {
    struct spread seconds;
    double passes, flops, bytes; /* of rank 0: how often it was called, and what it has done by model_work.h */
    double bound_s;              /* the least that rank 0's cores and memory need for that: the roofline */
    bool is_bound_by_memory;
};

struct benchmark_layer {
    char name[80];
    struct benchmark_pass forward, backward;
};

struct benchmark {
    struct machine machine;
    size_t steps;   /* that were timed, ... */
    size_t counted; /* ... and of these, those that count: the middle half by the time that they took on rank 0 */
    uint64_t batch, microbatch, leaves;
    size_t parameters;
    double tokens; /* of a sample; 0: it has none */
    double flops;  /* of a step of all ranks, by model_work.h */

    /* Of a step, in the mean over those that count. A step is all of trainer_step: the marks from `samples` to
     * `boundary` without those that are inside others, and `rest`. */
    struct spread step_s;
    struct spread phases[TIMELINE_MARK_COUNT]; /* seconds */
    struct spread rest_s;

    struct benchmark_layer *layers; /* [layer_count] */
    size_t layer_count;

    struct recorder recorder; /* the products of a step on rank 0 */

    size_t saves;                       /* that have ended, and ... */
    double saving[TIMELINE_MARK_COUNT]; /* ... what they took of rank 0's saver, in the mean */
};

/* Local. Whether a phase of a step is told by this mark. */
bool benchmark_has_phase(enum timeline_mark mark);

/* Collective over world; job and request must be equal on every rank. The job is changed (when it saves), its run: is a
 * directory that may be spoilt. *benchmark is rank 0's; release it on all ranks, also after failure. The same verdict
 * and error on every rank. After ERROR_LATE the process can only be left. */
bool benchmark_run(const struct world *world, struct job *job, const struct benchmark_request *request,
                   struct benchmark *benchmark, struct error *error) WARN_UNUSED;

/* Local. Accepts a released one. */
void benchmark_release(struct benchmark *benchmark);

#endif
