/* The job: everything that a user decides, from a YAML file and `--set key.path=value`.
 *
 * All keys stand in rows (options.c, and those of formats, layers, losses, optimizers and schedules with these): name,
 * type, range, default, and whether a resumed job may change it. Reading, checking, writing and comparing walk them. */
#ifndef JOB_JOB_H
#define JOB_JOB_H

#include "base/error.h"
#include "base/text.h"
#include "checkpoint/striping.h"
#include "data/augment.h"
#include "data/dataset.h"
#include "nn/layer.h"
#include "nn/loss.h"
#include "nn/metric.h"
#include "nn/model.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

/* What a save that is due does while another one is still being written. */
enum busy_kind {
    BUSY_NONE = 0,
    BUSY_WAIT, /* training waits for the other one to end */
    BUSY_SKIP, /* it is left out */
};
/* What becomes of the samples at the end of an epoch that are less than a batch. */
enum last_kind {
    LAST_NONE = 0,
    LAST_WRAP, /* the batch goes on into the next epoch */
    LAST_DROP, /* they are left out of this epoch */
};
/* Which samples may follow each other in an epoch. */
enum shuffle_kind {
    SHUFFLE_NONE = 0,
    SHUFFLE_FULL,   /* any */
    SHUFFLE_CHUNKS, /* those of some chunks (data/sampler.h) */
};
/* The sampler counts the samples of a job's whole life in 64 bits: the product has to fit. */
#define JOB_STEPS_MOST UINT64_C(1000000000000)
#define JOB_BATCH_MOST UINT64_C(10000000)
/* Which values of the metric are the better ones. */
enum metric_mode {
    MODE_NONE = 0,
    MODE_AUTO, /* as is its nature */
    MODE_MIN,
    MODE_MAX,
};
#define CHECKPOINT_AUTO      UINT64_MAX /* of checkpoint.every */
#define CHECKPOINT_BEST_AUTO UINT64_MAX /* of checkpoint.best: best_kept (policy/best.h) knows */

struct job {
    char *run;     /* directory of the results */
    uint64_t seed; /* of everything random */
    struct {
        struct dataset_spec train;
        struct dataset_spec validation; /* class NULL: there is none */
        struct dataset_spec test;       /* the same */
        struct {
            double validation; /* part of the samples of `train` that is kept apart for validation; 0: none */
        } split;
        enum standardise_kind standardise;
        struct augment augment; /* of training samples */
        enum last_kind last;
        enum shuffle_kind shuffle;
        uint64_t shuffle_window; /* chunks that are mixed, >= 1 */
        uint64_t shuffle_chunk;  /* samples of a chunk; 0: as they are stored */
    } data;
    struct model_spec model;
    struct loss_spec loss;
    struct {
        uint64_t steps;      /* of the whole job; 0: epochs say it */
        double epochs;       /* of the whole job; 0: steps say it */
        uint64_t batch;      /* samples of a step, over all ranks: a multiple of microbatch */
        uint64_t microbatch; /* samples of a leaf */
    } train;
    struct optimizer_spec optimizer;
    struct schedule_spec schedule;
    double clip_norm; /* 0: no clipping */
    struct {
        bool nonfinite;  /* a loss or gradient that is not finite skips the step; else it stops the job */
        double outlier;  /* z-score of loss or gradient norm from which a step is skipped; 0: never */
        uint64_t window; /* steps that mean and deviation are taken from, >= 8 */
        uint64_t limit;  /* steps skipped in a row that stop the job, >= 1 */
    } skip;
    double ema;      /* decay of the exponential moving average of the weights, in (0, 1); 0: none */
    bool ema_warmup; /* a decay that rises to it; only if there is one */
    struct {
        uint64_t every;          /* steps; 0: never */
        enum metric_kind metric; /* what "best" means: one that fits the loss */
        enum metric_mode mode;
        bool ema; /* with the averaged weights; only if there are any */
    } validate;
    struct {
        uint64_t patience; /* validations without improvement that end the job; 0: never, as without validation */
        double min_delta;  /* an improvement is more than this, >= 0 */
    } early_stopping;
    struct {
        uint64_t every; /* steps; 0: none of these; CHECKPOINT_AUTO: from what saves cost and how often the job is
                         * interrupted (see cadence.h) */
        double minutes; /* since the last save; 0: none of these */
        uint64_t *at;   /* [at_count] steps */
        size_t at_count;
        bool on_validation;  /* after each validation */
        double overhead;     /* CHECKPOINT_AUTO: the share of training time that saves may cost, in (0, 1] */
        uint64_t keep;       /* newest checkpoints that stay, >= 1 */
        uint64_t keep_every; /* steps; 0: never. Its multiples are saved, too, and stay for ever */
        uint64_t best;       /* a validation that is one of this many best is saved, and stays while it is;
                              * CHECKPOINT_BEST_AUTO: 1 if there are validations */
        bool background;     /* written by a thread of its own while training goes on */
        enum busy_kind busy; /* what a save that is due does while another one runs */
        double timeout;      /* seconds for a phase of a save or restore; 0: derived from measurements */
    } checkpoint;
    struct {            /* checkpoint.local...: copies on the nodes */
        char *path;     /* where, "%n": the number of the node; NULL: nowhere */
        uint64_t every; /* steps; 0: never */
    } copies;
    struct striping striping; /* checkpoint.stripe_count, .stripe_size, .aggregators: what is asked for */
    struct {
        uint64_t every; /* steps */
    } log;
    double heartbeat; /* seconds of silence that make a rank lost; 0: nobody watches */
};

/* Local. Reads a job from YAML text; `name` is the file's name for messages. overrides[i] is "key.path=value" (for
 * list items the place is a part of the path: "model.0.layers.2.units=64"), applied in order over the text, before
 * anything is checked. Missing keys get their defaults. Lists are nested at most OPTION_DEPTH deep and have at most
 * 10,000 items together, aliases counted each time. The file of data that name no format may be looked
 * at (data/recognise.h). On failure: ERROR_USAGE with file, line, key and what is allowed
 * (for an override: the override instead of the line); the job is released. */
bool job_parse(struct job *job, const char *name, const char *text, const char *const *overrides, size_t override_count,
               struct error *error) WARN_UNUSED;

/* Local. The text of a job file, with a NUL behind it; the caller frees *text (free). Errors of file_read; ERROR_USAGE:
 * a NUL byte is in it, and what stands behind would not count. */
bool job_read_text(const char *file, char **text, size_t *bytes, struct error *error) WARN_UNUSED;

/* Local. job_parse of what a file holds. */
bool job_read(struct job *job, const char *file, const char *const *overrides, size_t override_count,
              struct error *error) WARN_UNUSED;

/* Local. The same for what job_write has written, perhaps long ago: paths that nobody may write any more are taken as
 * they are. */
bool job_parse_saved(struct job *job, const char *name, const char *text, const char *const *overrides,
                     size_t override_count, struct error *error) WARN_UNUSED;

/* Local. Accepts a released job and an all-zero one. */
void job_release(struct job *job);

/* Local. Appends the job as YAML with all defaults filled in. job_parse of it gives an equal job, and writing that one
 * gives the same bytes. */
void job_write(const struct job *job, struct text *yaml);

/* Local. Whether there is something that training can be judged by. */
static inline bool job_has_validation(const struct job *job)
{
    return job->data.validation.class || job->data.split.validation > 0;
}

/* Keys that a resumed job may change because the user has named them (--allow-change). Borrowed texts. */
struct job_allowed {
    const char *const *keys;
    size_t count;
};

/* Local. Whether each of them is a key that may change on request. ERROR_USAGE lists those that may. */
bool job_check_allowed(const struct job_allowed *allowed, struct error *error) WARN_UNUSED;

#define JOB_CHANGES_RESULT "changes the result"

/* Local. Whether `now` may continue what `saved` began. True: one line "key: old -> new" for each permitted difference
 * has been appended to `changes`, with " (changes the result)" (JOB_CHANGES_RESULT) behind it if the bits of an
 * uninterrupted run cannot be expected any more, " (changes the result; allowed by --allow-change)" if it was permitted
 * on request. False: nothing appended, and ERROR_USAGE lists every forbidden difference, key by key, with the value in
 * the checkpoint and the value here, and with what would permit it, if anything does. */
bool job_continues(const struct job *saved, const struct job *now, const struct job_allowed *allowed,
                   struct text *changes, struct error *error) WARN_UNUSED;

#define JOB_NO_VALUE "(none)"

/* Takes a key in which two jobs differ, with its values as they are written, JOB_NO_VALUE for one that is not there. */
typedef void job_difference(void *context, const char *path, const char *one, const char *other);

/* Local. Calls `found` for each such key, in the order of the keys. */
void job_differences(const struct job *one, const struct job *other, job_difference *found, void *context);

#endif
