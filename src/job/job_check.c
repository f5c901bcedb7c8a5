#include "job/job_check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* Where an error goes, and what it is about. */
struct complaint {
    struct job_yaml *yaml;
    struct error *error;
};

/* Writes the error "PLACE: KEY: words" and returns false. A key that is blamed must not be wrong by its default, so
 * that the file or an override has it. */
static bool refuse(const struct complaint *to, const char *key, const char *format, ...) FORMAT(3, 4);
static bool refuse(const struct complaint *to, const char *key, const char *format, ...)
{
    char words[1500];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    error_set(to->error, ERROR_USAGE, "%s: %s", key, words);
    return job_yaml_blame(to->yaml, job_yaml_find(to->yaml, JOB_YAML_ROOT, key), to->error);
}

/* A sign of life is given several times in this time: threads that wake hundreds of times a second would cost training,
 * and a busy core miss some. */
static bool check_heartbeat(const struct complaint *to, const struct job *job)
{
    if (job->heartbeat > 0 && job->heartbeat < 1)
        return refuse(to, "heartbeat", "%.15g s is too short: at least 1, or 0 to have nobody watch", job->heartbeat);
    return true;
}

static bool check_training(const struct complaint *to, const struct job *job)
{
    unsigned long long batch = job->train.batch, microbatch = job->train.microbatch;
    if (job->train.steps > 0 && job->train.epochs > 0)
        return refuse(
            to, "train.epochs",
            "train.steps says how long the job is, too: take one of the two away, as with --set train.steps=null");
    if (job->train.steps == 0 && job->train.epochs == 0)
        return refuse(to, "train", "steps, or epochs, is missing: how long the job is");
    if (batch % microbatch)
        return refuse(to, "train.microbatch", "%llu does not divide train.batch, which is %llu", microbatch, batch);
    return true;
}

/* What is given in epochs is compared with what is given in steps when the data is open. */
static bool check_schedule(const struct complaint *to, const struct job *job)
{
    double warmup = job->schedule.warmup, horizon = job->schedule.horizon;
    unsigned long long steps = job->train.steps;
    if (horizon > 0 && warmup > horizon)
        return refuse(to, "schedule.warmup", "%.15g is more than schedule.horizon, which is %.15g", warmup, horizon);
    if (horizon == 0 && job->schedule.unit == SCHEDULE_STEPS && steps > 0 && warmup > (double)steps)
        return refuse(to, "schedule.warmup", "%.15g is more than train.steps, which is %llu", warmup, steps);
    return true;
}

static bool has_smoothing(const struct loss_class *class)
{
    return class->has_smoothing;
}

static bool has_weights(const struct loss_class *class)
{
    return class->has_weights;
}

static bool has_delta(const struct loss_class *class)
{
    return class->has_delta;
}

/* Refuses a key that means something for other losses only, and says for which. */
static bool refuse_for_loss(const struct complaint *to, const struct job *job, const char *key,
                            bool (*has)(const struct loss_class *))
{
    struct text names;
    text_init(&names);
    for (size_t i = 0, found = 0; loss_registry.kinds[i]; i++)
        if (has((const struct loss_class *)loss_registry.kinds[i]))
            text_append(&names, "%s%s", found++ ? " and " : "", loss_registry.kinds[i]->name);
    refuse(to, key, "has no meaning for loss: %s, only for %s", job->loss.class->kind.name, text_bytes(&names));
    text_release(&names);
    return false;
}

static bool check_weights(const struct complaint *to, const struct job *job)
{
    double most = 0;
    for (size_t i = 0; i < job->loss.class_weight_count; i++)
        most = fmax(most, job->loss.class_weights[i]);
    if (job->loss.class_weight_count == 0)
        return true;
    if (!job->loss.class->has_weights)
        return refuse_for_loss(to, job, "class_weights", has_weights);
    return most > 0 || refuse(to, "class_weights", "all are 0: nothing would be learned");
}

static bool check_loss(const struct complaint *to, const struct job *job)
{
    const struct loss_class *class = job->loss.class;
    if (job->loss.label_smoothing > 0 && !class->has_smoothing)
        return refuse_for_loss(to, job, "label_smoothing", has_smoothing);
    if (job->loss.delta != 1 && !class->has_delta)
        return refuse_for_loss(to, job, "huber_delta", has_delta);
    struct error wrong;
    if (!check_weights(to, job))
        return false;
    return metric_check(job->validate.metric, class, NULL, &wrong) || refuse(to, "validate.metric", "%s", wrong.text);
}

/* What hangs on the data: job_data_open. */
static bool check_standardise(const struct complaint *to, const struct job *job)
{
    const struct loss_class *class = job->loss.class;
    if (standardise_has_targets(job->data.standardise) && (class->has_hits || class->ranks_classes))
        return refuse(to, "data.standardise",
                      "the targets of loss: %s have no scale: inputs, or none; float targets want a loss "
                      "such as mean_squared_error",
                      class->kind.name);
    return true;
}

static bool check_validation(const struct complaint *to, const struct job *job)
{
    const char *words = "needs data.validation, or data.split, and a validate.every of more than 0";
    bool validates = job_has_validation(job) && job->validate.every > 0;
    if (job->data.validation.class && job->data.split.validation > 0)
        return refuse(to, "data.split.validation", "data.validation says it, too: take one of the two away");
    if (job->early_stopping.patience > 0 && !validates)
        return refuse(to, "early_stopping.patience", "%s", words);
    if (job->schedule.class == &schedule_plateau && !validates)
        return refuse(to, "schedule.name", "plateau %s", words);
    if (job->checkpoint.best > 0 && job->checkpoint.best != CHECKPOINT_BEST_AUTO && !validates)
        return refuse(to, "checkpoint.best", "%s", words);
    if (job->checkpoint.on_validation && !validates)
        return refuse(to, "checkpoint.on_validation", "%s", words);
    if (job->validate.ema && job->ema == 0)
        return refuse(to, "validate.ema", "needs an ema_decay");
    if (job->ema_warmup && job->ema == 0)
        return refuse(to, "ema_warmup", "needs an ema_decay");
    return true;
}

static bool check_places(const struct complaint *to, const struct job *job)
{
    if (job->copies.every > 0 && !job->copies.path)
        return refuse(to, "checkpoint.local_every", "needs a checkpoint.local, the place for the copies");
    if (job->striping.size % 65536)
        return refuse(to, "checkpoint.stripe_size", "%llu is not a multiple of 65536 bytes",
                      (unsigned long long)job->striping.size);
    return true;
}

/* OpenBLAS makes an element otherwise in another block: the bits would hang on the threads. */
static bool check_threads(const struct complaint *to, const struct job *job)
{
    if (job->model.gemm == GEMM_OPENBLAS && job->model.threads != 1)
        return refuse(to, "compute.threads",
                      "OpenBLAS has one thread in a rank: take this away, or compute.gemm, as with --set "
                      "compute.gemm=lockstep");
    return true;
}

static bool check_precision(const struct complaint *to, const struct job *job)
{
    if (job->model.precision == PRECISION_BF16 && job->model.gemm == GEMM_OPENBLAS)
        return refuse(
            to, "compute.precision",
            "bf16 is not for compute.gemm: openblas, whose sums are others on each CPU: take one of the two away");
    return true;
}

bool job_check(const struct job *job, struct job_yaml *yaml, struct error *error)
{
    const struct complaint *to = &(struct complaint){.yaml = yaml, .error = error};
    return check_training(to, job) && check_threads(to, job) && check_precision(to, job) && check_heartbeat(to, job) &&
           check_schedule(to, job) && check_loss(to, job) && check_standardise(to, job) && check_validation(to, job) &&
           check_places(to, job);
}
