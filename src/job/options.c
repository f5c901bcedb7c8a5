#include "job/options.h"

#include "base/rows.h"
#include "base/team.h"
#include "checkpoint/history.h"
#include "job/job.h"
#include "nn/kernels/threaded.h"

static const char *const busy_names[] = {[BUSY_WAIT] = "wait", [BUSY_SKIP] = "skip", NULL};
static const char *const metric_modes[] = {[MODE_AUTO] = "auto", [MODE_MIN] = "min", [MODE_MAX] = "max", NULL};
static const char *const last_names[] = {[LAST_WRAP] = "wrap", [LAST_DROP] = "drop", NULL};
static const char *const shuffle_names[] = {[SHUFFLE_FULL] = "full", [SHUFFLE_CHUNKS] = "chunks", NULL};
static const char *const standardise_names[] = {[STANDARDISE_NONE] = "none",
                                                [STANDARDISE_INPUTS] = "inputs",
                                                [STANDARDISE_TARGETS] = "targets",
                                                [STANDARDISE_BOTH] = "both",
                                                NULL};
static const struct option_word best_words[] = {
    {"auto", CHECKPOINT_BEST_AUTO}, {"false", 0}, {"true", 1}, {"no", 0}, {"yes", 1}, {"off", 0}, {"on", 1}, {0}};
static const struct option_word weight_words[] = {{"balanced", LOSS_BALANCED}, {0}};
static const struct option_word auto_words[] = {{"auto", CHECKPOINT_AUTO}, {0}};

/* Most curves reach their end at the last step, so that another length of the job is another curve. */
static enum option_resume resume_length(const void *before, const void *after)
{
    const struct job *saved = before, *now = after;
    bool moves = schedule_follows_job(&saved->schedule) || schedule_follows_job(&now->schedule);
    return moves ? RESUME_TUNABLE : RESUME_FREE;
}

/* Without a decay there are no averaged weights, so that none are in the checkpoint. */
static enum option_resume resume_ema(const void *before, const void *after)
{
    const struct job *saved = before, *now = after;
    return (saved->ema > 0) != (now->ema > 0) ? RESUME_FIXED : RESUME_TUNABLE;
}

static const struct option_row split_rows[] = {
    {"validation",
     "part of the samples of `train` that is kept apart, by a permutation that hangs on `seed`, as validation data "
     "(with `shuffle: chunks` whole chunks, whatever that makes); instead of `data.validation`, and not of text",
     FIELD(struct job, data.split.validation), REAL(0, 1), .above = true, .below = true, .optional = true},
    {0},
};

static const struct option_row data_rows[] = {
    {"train", "what is learned from", SECTION(offsetof(struct job, data.train), dataset_rows)},
    {"validation", "what is judged by", SECTION(offsetof(struct job, data.validation), dataset_rows), .optional = true,
     .resume = RESUME_FREE},
    {"test", "what `lockstep evaluate` judges by; training never looks at it",
     SECTION(offsetof(struct job, data.test), dataset_rows), .optional = true, .resume = RESUME_FREE},
    {"split", "how the samples of `train` are shared out", SECTION(0, split_rows), .optional = true},
    {"standardise",
     "what is shifted and scaled to mean 0 and deviation 1 of the training data, column by column (images and "
     "sequences: channel by channel); losses are those of the scaled targets, metrics in original units",
     FIELD(struct job, data.standardise), .choices = standardise_names, DEFAULT("none")},
    {"augment",
     "what is done at random to training samples, anew in each epoch, in this order, behind `mean`, `std` and `standardise`: "
     "so the 0 that comes in from outside of an image is the mean of standardised inputs. Labels of pixels move with them. "
     "Nothing is done to samples that judge or are predicted",
     SECTION(offsetof(struct job, data.augment), augment_rows), .optional = true},
    {"last",
     "what becomes of the samples at the end of an epoch that are less than a batch: wrap: their batch goes on with "
     "samples of the next epoch; drop: they are left out, others in each epoch, which is so much shorter",
     FIELD(struct job, data.last), .choices = last_names, DEFAULT("wrap")},
    {"shuffle",
     "which order an epoch has: full: any; chunks: whole chunks of the file in any order, and the samples of "
     "`shuffle_window` of them mixed, so that an epoch unpacks each chunk once, and `split` takes whole chunks; data that "
     "are sorted, as by class, want full",
     FIELD(struct job, data.shuffle), .choices = shuffle_names, DEFAULT("full")},
    {"shuffle_window",
     "how many chunks are mixed with `shuffle: chunks`: in memory are three times as many, once a node",
     FIELD(struct job, data.shuffle_window), WHOLE(1, 1000000), DEFAULT("8")},
    {"shuffle_chunk",
     "how many samples make a chunk for `shuffle: chunks`; 0: as many as the file has in one, and 1024 where it is not in "
     "chunks",
     FIELD(struct job, data.shuffle_chunk), WHOLE(0, 1000000000), DEFAULT("0")},
    {0},
};

static const struct option_row train_rows[] = {
    {"steps", "length of the whole job in optimizer steps; this or `epochs`", FIELD(struct job, train.steps),
     WHOLE(1, JOB_STEPS_MOST), .optional = true, .resume_rule = resume_length},
    {"epochs", "length of the whole job in passes over the training samples, such as 2 or 0.5; this or `steps`",
     FIELD(struct job, train.epochs), POSITIVE, .optional = true, .resume_rule = resume_length},
    {"batch", "samples of a step, over all ranks", FIELD(struct job, train.batch), WHOLE(1, JOB_BATCH_MOST),
     .resume = RESUME_REQUESTED},
    {"microbatch",
     "samples of a leaf, a divisor of the batch: there are batch / microbatch leaves, and as many ranks at most",
     FIELD(struct job, train.microbatch), WHOLE(1, JOB_BATCH_MOST), .default_key = "batch", .resume = RESUME_REQUESTED},
    {0},
};

static const struct option_row skip_rows[] = {
    {"nonfinite", "skip a step whose loss or gradient is not finite; else it stops the job",
     FIELD(struct job, skip.nonfinite), DEFAULT("false"), .resume = RESUME_TUNABLE},
    {"outlier",
     "skip a step whose loss or gradient norm lies more than this many standard deviations above the mean of "
     "the last `window` steps taken, once half of them are there",
     FIELD(struct job, skip.outlier), POSITIVE, .optional = true, .resume = RESUME_TUNABLE},
    {"window", "steps that mean and deviation are taken from", FIELD(struct job, skip.window), WHOLE(8, 100000),
     DEFAULT("100"), .resume = RESUME_TUNABLE},
    {"limit", "steps skipped in a row that stop the job", FIELD(struct job, skip.limit), ANY_FROM(1), DEFAULT("10"),
     .resume = RESUME_TUNABLE},
    {0},
};

static const struct option_row validate_rows[] = {
    {"every", "steps between validations, and there is one after the last step; 0: never",
     FIELD(struct job, validate.every), ANY_FROM(0), DEFAULT("0")},
    {"metric", "what decides which validation is the best", FIELD(struct job, validate.metric), .choices = metric_names,
     DEFAULT("loss")},
    {"mode",
     "which of its values are the better ones; auto: small ones of loss, mae, rmse and perplexity, large ones of the others",
     FIELD(struct job, validate.mode), .choices = metric_modes, DEFAULT("auto")},
    {"ema", "validate with the averaged weights of `ema_decay`", FIELD(struct job, validate.ema), DEFAULT("false")},
    {0},
};

static const struct option_row early_stopping_rows[] = {
    {"patience", "end after this many validations without improvement, with exit code 0; 0: never",
     FIELD(struct job, early_stopping.patience), ANY_FROM(0), DEFAULT("0")},
    {"min_delta", "an improvement is more than this", FIELD(struct job, early_stopping.min_delta), REAL(0, INFINITY),
     DEFAULT("0")},
    {0},
};

static const struct option_row checkpoint_rows[] = {
    {"every",
     "steps between saves; 0: only what the other keys say, and when the job stops or ends; auto: from what saves "
     "cost and how often the job is interrupted",
     FIELD(struct job, checkpoint.every), WHOLE(0, JOB_STEPS_MOST), .words = auto_words, DEFAULT("0")},
    {"minutes",
     "a save this many minutes after the last one, by rank 0's clock: what a kill may cost at most; 0: none of these",
     FIELD(struct job, checkpoint.minutes), REAL(0, INFINITY), DEFAULT("10")},
    {"at", "steps at which to save", NUMBERS(struct job, checkpoint.at, checkpoint.at_count), WHOLE(1, JOB_STEPS_MOST),
     .optional = true},
    {"on_validation", "save after every validation", FIELD(struct job, checkpoint.on_validation), DEFAULT("false")},
    {"overhead", "with `every: auto`, the share of training time that saves may cost",
     FIELD(struct job, checkpoint.overhead), REAL(0, 1), .above = true, DEFAULT("0.01")},
    {"keep", "how many of the newest stay", FIELD(struct job, checkpoint.keep), ANY_FROM(1), DEFAULT("3")},
    {"keep_every", "the multiples of this step are saved, too, and stay for ever; 0: none",
     FIELD(struct job, checkpoint.keep_every), ANY_FROM(0), DEFAULT("0")},
    {"best",
     "a validation that is one of this many best (`true` is 1) is saved when it comes, and stays while it is; with "
     "`early_stopping` 1 at least; auto: 1 if there are validations",
     FIELD(struct job, checkpoint.best), WHOLE(0, HISTORY_BEST), .words = best_words, DEFAULT("auto")},
    {"background", "saves are written beside training; false: training stands still, without the second set of arrays",
     FIELD(struct job, checkpoint.background), DEFAULT("true")},
    {"busy",
     "what a save does that is due while another one is being written: wait: training waits; skip: it is left out "
     "(saves of the best, at given steps, to be kept for ever or on demand wait)",
     FIELD(struct job, checkpoint.busy), .choices = busy_names, DEFAULT("wait")},
    {"timeout",
     "seconds for each phase of a save or restore; 0: derived from how long it has taken so far, at least a "
     "minute",
     FIELD(struct job, checkpoint.timeout), REAL(0, 1e6), DEFAULT("0")},
    {"local",
     "directory for copies on the nodes themselves, such as /dev/shm/me or a node's own NVMe; %n: the number of "
     "the node",
     FIELD(struct job, copies.path), .path = PATH_OF_NODE, .optional = true},
    {"local_every", "steps between copies on the nodes; 0: none", FIELD(struct job, copies.every), ANY_FROM(0),
     DEFAULT("0")},
    {"stripe_count", "on Lustre: servers of a file, 65535: all; 0: as the directory has it",
     FIELD(struct job, striping.count), WHOLE(0, 65535), DEFAULT("0")},
    {"stripe_size", "on Lustre: bytes of a stripe, a multiple of 65536; 0: as the directory has it",
     FIELD(struct job, striping.size), WHOLE(0, 1 << 30), DEFAULT("0")},
    {"aggregators", "ranks that MPI-IO may let write for others; 0: as MPI-IO has it",
     FIELD(struct job, striping.aggregators), WHOLE(0, 1000000), DEFAULT("0")},
    {0},
};

static const struct option_row log_rows[] = {
    {"every", "steps between lines", FIELD(struct job, log.every), ANY_FROM(1), DEFAULT("10")},
    {0},
};

static const struct option_word thread_words[] = {{"affinity", THREADS_BY_AFFINITY}, {0}};

static const struct option_row compute_rows[] = {
    {"gemm",
     "what multiplies matrices: lockstep: our own kernels, with the same bits on every CPU; openblas: OpenBLAS, whose bits "
     "depend on its version and on the CPU",
     FIELD(struct job, model.gemm), .choices = gemm_names, DEFAULT("lockstep"), .resume = RESUME_TUNABLE},
    {"precision",
     "what the two sides of each product are rounded to before: float32: nothing; bf16: 8 bits, to nearest even, at almost "
     "twice the speed on CPUs with AVX512_BF16, and on others with the same bits, more slowly than float32. Sums, weights, "
     "and all else are float32",
     FIELD(struct job, model.precision), .choices = precision_names, DEFAULT("float32"), .resume = RESUME_REQUESTED},
    {"threads",
     "that compute in a rank (of evaluate and predict, too); affinity: one for each core that it may run on. Fewer ranks "
     "with more threads need less memory; the bits are the same",
     FIELD(struct job, model.threads), WHOLE(1, TEAM_THREADS_MOST), .words = thread_words, DEFAULT("1"),
     .resume = RESUME_FREE},
    {0},
};

const struct option_row job_options[] = {
    {"run", "directory of the results", FIELD(struct job, run), .path = PATH_MADE, .resume = RESUME_FREE},
    {"seed", "of all that is random: initial weights, sample order, dropout", FIELD(struct job, seed), ANY_FROM(0),
     DEFAULT("1")},
    {"data", "the samples", SECTION(0, data_rows)},
    {"model", "the layers, from the input to the output", LIST(struct job, model.layers, model.count),
     .keys = layer_rows},
    {"loss", "what is made small; {name: ..., ...} where it has keys of its own, as losses of programs may",
     SECTION(offsetof(struct job, loss), loss_rows), .bare = true},
    {"label_smoothing", "of the cross-entropies: this share of each target goes to all classes alike",
     FIELD(struct job, loss.label_smoothing), REAL(0, 1), .below = true, DEFAULT("0")},
    {"class_weights",
     "of the cross-entropies with labels: what a sample (of text: a token) of each class counts in training, in the order "
     "of the classes; balanced: N / (K n) for a class that n of the N samples have, K being the classes that come at all. "
     "The loss of a batch is the sum of weighted losses by the number of samples, as in Keras; the mean of PyTorch "
     "divides by the sum of their weights. Validation and all metrics are without weights",
     REALS(struct job, loss.class_weights, loss.class_weight_count), REAL(0, 1e9), .words = weight_words,
     .optional = true},
    {"huber_delta", "of huber: where it becomes linear", FIELD(struct job, loss.delta), POSITIVE, DEFAULT("1")},
    {"compute", "how it is computed", SECTION(0, compute_rows)},
    {"train", "how long, and in which portions", SECTION(0, train_rows)},
    {"optimizer", "how weights move", SECTION(offsetof(struct job, optimizer), optimizer_rows)},
    {"schedule", "how the learning rate changes", SECTION(offsetof(struct job, schedule), schedule_rows),
     .resume = RESUME_TUNABLE},
    {"clip_norm", "largest norm of the whole gradient; a larger one is scaled down to it", FIELD(struct job, clip_norm),
     POSITIVE, .optional = true, .resume = RESUME_TUNABLE},
    {"skip_step", "which steps are skipped instead of stopping the job", SECTION(0, skip_rows)},
    {"ema_decay", "decay of an exponential moving average of the weights, which begins with the initial weights",
     FIELD(struct job, ema), REAL(0, 1), .above = true, .below = true, .optional = true, .resume_rule = resume_ema},
    {"ema_warmup", "at update n an `ema_decay` of at most (1 + n) / (10 + n): the initial weights are soon forgotten",
     FIELD(struct job, ema_warmup), DEFAULT("false"), .resume = RESUME_TUNABLE},
    {"validate", "when and by what the model is judged", SECTION(0, validate_rows), .resume = RESUME_FREE},
    {"early_stopping", "when it has learned enough", SECTION(0, early_stopping_rows), .resume = RESUME_FREE},
    {"checkpoint", "when state is saved, and what stays", SECTION(0, checkpoint_rows), .resume = RESUME_FREE},
    {"log", "what is printed", SECTION(0, log_rows), .resume = RESUME_FREE},
    {"heartbeat",
     "seconds without a sign of life, at least 1, or in one read of data or write of a line, that make a rank "
     "lost; 0: nobody watches, also not over saves in the foreground",
     FIELD(struct job, heartbeat), REAL(0, 1e6), DEFAULT("60"), .resume = RESUME_FREE},
    {0},
};
