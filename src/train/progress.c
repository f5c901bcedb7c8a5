#include "train/progress.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limit.h"
#include "base/log.h"
#include "base/number.h"
#include "base/plural.h"
#include "base/team.h"
#include "base/watchdog.h"
#include "checkpoint/layout.h"
#include "job/length.h"
#include "nn/kernels/compute.h"
#include "nn/kernels/cpu.h"
#include "nn/kernels/gemm.h"
#include "nn/kernels/numerics.h"
#include "nn/kernels/product_bf16_chosen.h"
#include "nn/kernels/product_bf16_trial.h"
#include "policy/best.h"
#include "run/environment.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* Begins an event; the caller appends fields and ends it with end_event. */
static void begin_event(struct text *line, const char *event, uint64_t step)
{
    text_init(line);
    text_append(line, "{\"event\":\"%s\",\"step\":%" PRIu64, event, step);
}

/* How long this process lives, on a clock that nobody sets: what a kill leaves of that. */
static void append_alive(struct text *line)
{
    metrics_number(line, "alive_s", clock_seconds() - environment_born_s());
}

/* Chunks of the training data that this node has unpacked since it trains, where there are any. */
static void append_unpacked(const struct session *session, struct text *line)
{
    uint64_t chunks = dataset_unpacked(&session->data.train);
    if (chunks > 0)
        text_append(line, ",\"chunks_inflated\":%" PRIu64, chunks);
}

/* The same time as in front of the lines of the log. */
static void append_time(struct text *line)
{
    char now[CLOCK_TEXT_BYTES];
    clock_text(clock_unix(), now);
    text_append(line, ",\"time\":\"%s\"", now);
}

static void end_event(struct text *line, struct session *session)
{
    append_time(line);
    text_append(line, "}");
    metrics_write(&session->metrics, line);
    text_release(line);
}

/* What the life before has lost: steps that are made again, and the time since it was last heard of. */
static void append_loss(const struct session *session, struct text *words)
{
    const struct metrics_seen *seen = &session->metrics.seen;
    /* The history knows more if a start that was killed has cut the metrics. */
    uint64_t last = seen->step > session->history_log.seen_step ? seen->step : session->history_log.seen_step;
    if (session->step == 0 && last == 0)
        return;
    uint64_t steps = last > session->step ? last - session->step : 0;
    text_append(words, ", %" PRIu64 " step%s lost", steps, steps == 1 ? "" : "s");
    double silent_s = session->history_log.silent_s;
    if (isnan(silent_s))
        silent_s = clock_unix_exact() - seen->unix_s;
    if (!clock_is_plausible(silent_s)) /* a clock was set */
        return;
    text_append(words, ", ");
    text_append_seconds(words, silent_s);
    text_append(words, " after the last sign of life");
}

/* One line that tells all of a start: where in the job (with epochs, if its length is given in them), on what, for the
 * how manieth time. */
static void tell_begin(const struct session *session)
{
    char length[LENGTH_BYTES];
    struct text words;
    int ranks = session->world->size, nodes = session->learner.node.count;
    text_init(&words);
    text_append(&words, "%s at step %" PRIu64, session->step ? "goes on" : "starts", session->step);
    length_text(session->job, length);
    if (session->job->train.epochs > 0)
        text_append(&words, " (epoch %.2f) of %" PRIu64 " (%s)", sampler_epoch(&session->data.sampler, session->step),
                    session->steps, length);
    else
        text_append(&words, " of %" PRIu64, session->steps);
    text_append(&words, ": segment %" PRIu64 ", %d rank%s on %d node%s", session->history_log.life, ranks,
                ranks == 1 ? "" : "s", nodes, nodes == 1 ? "" : "s");
    if (*environment_batch_job() && environment_restarts() > 0)
        text_append(&words, ", restart %" PRIu64 " of job %s", environment_restarts(), environment_batch_job());
    else if (*environment_batch_job())
        text_append(&words, ", job %s", environment_batch_job());
    append_loss(session, &words);
    log_info("%s", text_bytes(&words));
    text_release(&words);
    if (session->pause.step < session->steps)
        log_info("pauses after step %" PRIu64 ", as --stop-after says", session->pause.step);
    else if (isfinite(session->pause.deadline_s))
        log_info("pauses when the time is over that --stop-after gives");
}

/* What is known of the end that others have set. */
static void tell_end_to_come(const struct session *session)
{
    const struct deadline *deadline = &session->deadline;
    double needs_s = deadline_reserve(session_save_needs(session));
    struct text words;
    if (session->world->rank != 0)
        return;
    text_init(&words);
    if (deadline->end_s < clock_seconds()) {
        log_info("the end of the job's time has passed: one step, and it saves and leaves");
    } else if (isfinite(deadline->end_s)) {
        text_append(&words, "the job ends in ");
        text_append_seconds(&words, deadline->end_s - clock_seconds());
        text_append(&words, ": it saves and leaves about ");
        text_append_seconds(&words, needs_s);
        log_info("%s before", text_bytes(&words));
    }
    text_release(&words);
    if (deadline->warning_s < needs_s) {
        text_append(&words, deadline->warning_s > 0 ? "an interruption is announced only "
                                                    : "nobody announces an interruption here");
        if (deadline->warning_s > 0)
            text_append_seconds(&words, deadline->warning_s);
        text_append(&words, deadline->warning_s > 0 ? " before it comes, and" : ", and");
        text_append(&words, " a save and leaving need ");
        text_append_seconds(&words, needs_s);
        log_warn(
            "%s: what comes after the newest checkpoint can be lost. The rule of checkpoint.every: auto is in force",
            text_bytes(&words));
    }
    text_release(&words);
}

/* What a kill can cost, where no key bounds it. New bests may come for a while, and then no more. */
static void tell_cost_of_kill(const struct session *session)
{
    const struct job *job = session->job;
    bool validates = session->data.validation.count > 0 && job->validate.every > 0;
    if (cadence_is_auto(&session->cadence) || job->checkpoint.every > 0 || job->checkpoint.minutes > 0 ||
        job->checkpoint.at_count > 0 || job->checkpoint.keep_every > 0 ||
        (validates && job->checkpoint.on_validation) || (job->copies.path && job->copies.every > 0))
        return;
    if (validates && best_kept(job) > 0)
        log_warn("checkpoint.every and checkpoint.minutes are 0: only new bests are saved on the way, and a kill costs "
                 "all that came after the last of them");
    else
        log_warn("checkpoint.every and checkpoint.minutes are 0: saved is only when the job is asked to save, ends or "
                 "is asked to leave, and a kill costs everything");
}

/* Better now than at the first save. */
static void tell_limits(const struct session *session)
{
    uint64_t needed = layout_bytes(&session->learner.state, &session->store);
    if ((double)needed > limit_file_bytes())
        log_warn("a checkpoint has %.1f MB, but a file of this process may have %.1f MB only (ulimit -f): no save can "
                 "succeed",
                 (double)needed / 1e6, limit_file_bytes() / 1e6);
    if (session->world->rank != 0)
        return;
    watchdog_begin(session->store.directory, 0);
    uint64_t room = store_free_bytes(&session->store);
    watchdog_end();
    if (room < needed)
        log_warn("%s has %.1f MB free, a checkpoint needs %.1f MB: no save can succeed before there is room",
                 session->store.directory, (double)room / 1e6, (double)needed / 1e6);
}

/* Behind what the products are made on. */
static const char *words_of_precision(const struct job *job)
{
    if (job->model.precision != PRECISION_BF16)
        return "";
    return product_bf16_is_native() ? ", in bf16, native" : ", in bf16, emulated";
}

/* What a machine does that has not the instructions, or rounds otherwise. */
static void warn_of_products(const struct job *job)
{
    bool bf16 = job->model.precision == PRECISION_BF16;
    if (job->model.gemm != GEMM_OPENBLAS && cpu_isa() == CPU_BASELINE)
        log_warn("products without fused multiply-add of the CPU are exact, and very slow%s",
                 bf16 ? "" : "; compute.gemm: openblas is faster, and rounds otherwise");
    else if (bf16 && !product_bf16_is_native())
        log_warn("products in bf16 are emulated here, exactly, and slower than those of compute.precision: float32");
    if (numerics_digest() != NUMERICS_DIGEST || (bf16 && product_bf16_digest() != PRODUCT_BF16_DIGEST))
        log_warn(
            "this machine rounds otherwise than others do: training continues elsewhere to rounding, not to the bit");
}

void progress_begin(struct session *session)
{
    const struct job *job = session->job;
    const struct compute *compute = session->learner.model.compute;
    const char *products = compute->describe(compute);
    bool own = job->model.gemm != GEMM_OPENBLAS;
    size_t threads = compute_threads(compute);
    const struct segment *segment = &session->record.segments[session->record.segment_count - 1];
    uint64_t leaves = job->train.batch / job->train.microbatch;
    size_t tensors = session->learner.model.table.length;
    log_info("lockstep %s: %d rank%s on %d node%s (%s), %" PRIu64 " %s of %" PRIu64 " sample%s", LOCKSTEP_VERSION,
             session->world->size, plural((uint64_t)session->world->size), session->learner.node.count,
             plural((uint64_t)session->learner.node.count), segment->hosts, leaves, leaves == 1 ? "leaf" : "leaves",
             job->train.microbatch, plural(job->train.microbatch));
    char shared[40] = "";
    if (threads > 1)
        snprintf(shared, sizeof shared, "; %zu threads a rank", threads);
    log_info("numerics %s; products by %s%s%s%s%s", numerics_describe(), products, own ? ", on " : "",
             own ? cpu_name(cpu_isa()) : "", words_of_precision(job), shared);
    if (threads > team_cores())
        log_warn(
            "compute.threads: %zu, but rank 0 may run on %zu core%s: threads wait for each other. Give a rank more "
            "cores (mpirun --map-by slot:PE=%zu; Slurm: --cpus-per-task), or say fewer threads",
            threads, team_cores(), plural(team_cores()), threads);
    warn_of_products(job);
    log_info("%zu parameters in %zu tensor%s; %zu training sample%s, %zu for validation; run directory %s",
             tensor_table_elements(&session->learner.model.table, false), tensors, plural(tensors),
             session->data.train.count, plural(session->data.train.count), session->data.validation.count, job->run);
    size_t period = session->learner.update.period;
    if (period == 1)
        log_info("memory: parameters, moments and averages are proven at each step, and before each save");
    else
        log_info(
            "memory: one in %zu blocks of parameters, moments and averages is proven at each step, all before each "
            "save",
            period);
    struct text disk;
    text_init(&disk);
    striping_describe(&session->store.striping, &disk);
    log_info("checkpoints: %s", text_bytes(&disk));
    text_release(&disk);
    const char *ignored = !own ? gemm_core_ignored() : NULL;
    if (ignored)
        log_warn("OPENBLAS_CORETYPE=%s is not taken: OpenBLAS does not know it, and chooses by the CPU", ignored);
    tell_limits(session);
    tell_cost_of_kill(session);
    if (job->copies.path && job->copies.every == 0)
        log_warn("checkpoint.local_every is 0: no copies are made in checkpoint.local");
    if (session->data.validation.count == 0 && job->validate.every > 0)
        log_warn("validate.every is %" PRIu64 ", but there is no data.validation", job->validate.every);
    if (session->data.validation.count > 0 && job->validate.every == 0)
        log_warn("validate.every is 0: data.validation is not used");
    tell_begin(session);
    tell_end_to_come(session);

    struct text line;
    begin_event(&line, session->step ? "resume" : "start", session->step);
    text_append(&line, ",\"ranks\":%d,\"nodes\":%d,\"segment\":%" PRIu64 ",\"hosts\":", session->world->size,
                session->learner.node.count, session->history_log.life);
    text_append_json(&line, segment->hosts);
    text_append(&line, ",\"products\":");
    text_append_json(&line, products);
    text_append(&line, ",\"precision\":");
    text_append_json(&line, compute->precision(compute));
    if (session->step == 0 && session->record.origin) {
        text_append(&line, ",\"init_from\":");
        text_append_json(&line, session->record.origin);
    }
    append_alive(&line);
    end_event(&line, session);
    if (session->world->rank == 0)
        history_log_begin(&session->history_log, segment, session->step, environment_age_s());
}

void progress_nothing_left(struct session *session, const char *reason)
{
    const struct segment *segment = &session->record.segments[session->record.segment_count - 1];
    log_info("step %" PRIu64 " of %" PRIu64 ": the job is already finished%s", session->step, session->steps,
             session->step < session->steps ? " (early_stopping; a larger patience would let it go on)" : "");
    if (session->world->rank == 0 && !session->history_log.is_finished) {
        history_log_begin(&session->history_log, segment, session->step, environment_age_s());
        progress_end(session, reason, false, NULL);
    }
}

/* 75 s as "1m15s". */
static void duration_text(double seconds, char text[32])
{
    uint64_t s = number_bounded(seconds + 0.5, UINT32_MAX);
    if (s < 60)
        snprintf(text, 32, "%" PRIu64 "s", s);
    else if (s < 3600)
        snprintf(text, 32, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
    else
        snprintf(text, 32, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
}

void progress_ready(struct session *session)
{
    if (session->world->rank != 0)
        return;
    double start_s = environment_age_s();
    cadence_ready(&session->cadence, start_s);
    history_log_ready(&session->history_log, start_s);
    progress_cadence(session);
}

void progress_step(struct progress *progress, struct session *session, const struct step_numbers *numbers,
                   double seconds)
{
    const struct job *job = session->job;
    uint64_t step = session->step;
    progress->steps++;
    progress->seconds += seconds;
    progress->data_wait_s += numbers->data_wait_s;
    progress->steps_all++;
    progress->seconds_all += seconds;
    bool due = step % job->log.every == 0;
    if (session->world->rank != 0 || (!due && !log_is_terminal()))
        return;
    char left[32];
    double each = progress->seconds / (double)progress->steps, rate = (double)job->train.batch / each;
    double epoch = sampler_epoch(&session->data.sampler, step);
    char epochs[32] = "", loss[METRIC_TEXT];
    metric_text(METRIC_LOSS, numbers->loss, loss);
    if (job->train.epochs > 0)
        snprintf(epochs, sizeof epochs, "/%g", job->train.epochs);
    duration_text(progress->seconds_all / (double)progress->steps_all * (double)(session->steps - step), left);
    if (!due || log_is_terminal()) {
        log_progress("step %" PRIu64 "/%" PRIu64 "  loss %s  %.0f samples/s  ETA %s", step, session->steps, loss, rate,
                     left);
    } else {
        log_info("step %" PRIu64 "/%" PRIu64 "  epoch %.2f%s  loss %s  lr %.3g  grad_norm %.3f  %.0f samples/s  ETA %s",
                 step, session->steps, epoch, epochs, loss, numbers->learning_rate, numbers->gradient_norm, rate, left);
    }
    if (!due)
        return;
    struct text line;
    text_init(&line);
    text_append(&line, "{\"step\":%" PRIu64, step);
    metrics_number(&line, "epoch", epoch);
    metrics_number(&line, "loss", numbers->loss);
    metrics_number(&line, "lr", numbers->learning_rate);
    metrics_number(&line, "grad_norm", numbers->gradient_norm);
    metrics_number(&line, "samples_per_s", rate);
    metrics_number(&line, "step_ms", 1e3 * each);
    metrics_number(&line, "data_wait_ms", 1e3 * progress->data_wait_s / (double)progress->steps);
    append_unpacked(session, &line);
    append_alive(&line);
    end_event(&line, session);
    progress->steps = 0;
    progress->seconds = 0;
    progress->data_wait_s = 0;
}

void progress_skipped(struct session *session, uint64_t step, const struct step_numbers *numbers,
                      const struct error *why)
{
    struct text line;
    log_warn("skipped: %s", why->text);
    text_init(&line);
    text_append(&line, "{\"event\":\"skipped\",\"step\":%" PRIu64, step);
    metrics_number(&line, "loss", numbers->loss);
    metrics_number(&line, "grad_norm", numbers->gradient_norm);
    end_event(&line, session);
}

/* "loss 0.0812, accuracy 0.9715": all that fit. */
static void append_numbers(const struct evaluation *evaluation, struct text *words)
{
    for (enum metric_kind metric = METRIC_LOSS; metric < METRIC_KINDS; metric++) {
        char value[METRIC_TEXT] = "- (constant targets)";
        if (!evaluation->fits[metric])
            continue;
        if (metric != METRIC_R2 || !evaluation->is_constant)
            metric_text(metric, evaluation->values[metric], value);
        text_append(words, "%s%s %s", metric == METRIC_LOSS ? "" : ", ", metric_names[metric], value);
    }
}

void progress_validation(struct session *session, const struct evaluation *evaluation, size_t rank)
{
    struct text line;
    struct text numbers;
    char place[60] = "";
    size_t most = session->record.history.best_most;
    if (rank == 1)
        snprintf(place, sizeof place, " (the best so far)");
    else if (rank > 1)
        snprintf(place, sizeof place, " (number %zu of the best %zu)", rank, most);
    text_init(&numbers);
    append_numbers(evaluation, &numbers);
    log_info("validation at step %" PRIu64 ": %s%s", session->step, text_bytes(&numbers), place);
    text_release(&numbers);
    begin_event(&line, "validation", session->step);
    for (enum metric_kind metric = METRIC_LOSS; metric < METRIC_KINDS; metric++)
        if (evaluation->fits[metric])
            metrics_number(&line, metric_names[metric], evaluation->values[metric]);
    text_append(&line, ",\"best\":%s,\"best_rank\":%zu", rank == 1 ? "true" : "false", rank);
    end_event(&line, session);
}

void progress_best(const struct session *session)
{
    const struct history *history = &session->record.history;
    enum metric_kind metric = session->job->validate.metric;
    char path[PATH_MAX], value[METRIC_TEXT];
    if (session->world->rank != 0 || history->best_count == 0)
        return;
    store_path(&session->store, history->best[0].step, path);
    metric_text(metric, history->best[0].value, value);
    watchdog_begin(path, 0);
    bool is_there = access(path, R_OK) == 0;
    watchdog_end();
    log_info("best: %s %s at step %" PRIu64 "%s%s", metric_names[metric], value, history->best[0].step,
             is_there ? " -> " : " (its checkpoint was not kept)", is_there ? path : "");
}

void progress_validation_left(struct session *session)
{
    log_info("the validation of step %" PRIu64 " is left to the next start", session->step);
}

/* The `checkpoint` event. */
static void write_checkpoint(struct session *session, const struct saver_result *result)
{
    struct text line;
    const struct commit *commit = &result->commit;
    begin_event(&line, "checkpoint", result->step);
    text_append(&line, ",\"why\":\"%s\"", session->record.why);
    metrics_number(&line, "stall_ms", 1e3 * session->saving.now.stall_s);
    metrics_number(&line, "write_ms", commit->write_ms);
    metrics_number(&line, "data_ms", commit->data_ms);
    text_append(&line, ",\"bytes\":%" PRIu64 ",\"fingerprint\":\"%016" PRIx64 "\"", commit->bytes, result->fingerprint);
    end_event(&line, session);
}

void progress_checkpoint(struct session *session, const struct saver_result *result, bool replaced)
{
    const struct commit *commit = &result->commit;
    if (!replaced)
        write_checkpoint(session, result);
    char size[TEXT_AMOUNT];
    text_amount(commit->bytes, size);
    log_info("checkpoint of step %" PRIu64 "%s: %s in %.0f ms, training has waited %.1f ms, fingerprint %016" PRIx64,
             result->step, replaced ? ", the first of two" : "", size, commit->write_ms,
             1e3 * session->saving.now.stall_s, result->fingerprint);
    if (!result->synced)
        log_warn("%s: %s", session->metrics.path, result->sync_error.text);
    if (!commit->pruned)
        log_warn("older checkpoints stay: %s", commit->prune_error.text);
}

void progress_cadence(struct session *session)
{
    struct text words;
    text_init(&words);
    const struct cadence *cadence = &session->cadence;
    if (session->world->rank == 0 && cadence_tell(&session->cadence, clock_seconds(), &words)) {
        log_info("%s", text_bytes(&words));
        history_log_interval(&session->history_log, session->step, cadence_stall(cadence), cadence_write(cadence),
                             cadence_period(cadence, clock_seconds()));
    }
    text_release(&words);
}

void progress_checkpoint_failed(struct session *session, uint64_t step, bool goes_on, const struct error *error)
{
    struct text line;
    begin_event(&line, "checkpoint_failed", step);
    text_append(&line, ",\"error\":");
    text_append_json(&line, error->text);
    end_event(&line, session);
    if (!goes_on)
        return;
    if (session->saving.saved_step == UINT64_MAX)
        log_warn("the save of step %" PRIu64 " failed, and there is no earlier checkpoint: %s", step, error->text);
    else
        log_warn("the save of step %" PRIu64 " failed; the newest checkpoint is of step %" PRIu64 ": %s", step,
                 session->saving.saved_step, error->text);
}

void progress_copies(struct session *session, const struct saver_result *result, const struct error *error)
{
    struct text line;
    begin_event(&line, error ? "local_failed" : "local", result->step);
    if (error) {
        text_append(&line, ",\"error\":");
        text_append_json(&line, error->text);
        if (!session->saving.copies_failed)
            log_warn("no copies of step %" PRIu64 " on the nodes%s: %s", result->step,
                     session->saving.no_copies ? ", and no more in this run" : "", error->text);
    } else {
        metrics_number(&line, "write_ms", result->commit.write_ms);
    }
    session->saving.copies_failed = error != NULL;
    end_event(&line, session);
}

void progress_no_more_copies(void)
{
    log_warn("no more copies are made on the nodes in this run");
}

void progress_not_kept(const struct error *error)
{
    log_warn("it does not stay for ever: %s", error->text);
}

void progress_end(struct session *session, const char *reason, bool interrupted, const struct error *failure)
{
    struct text line, words;
    const struct cadence *cadence = &session->cadence;
    begin_event(&line, "stop", session->step);
    text_append(&line, ",\"reason\":");
    text_append_json(&line, reason);
    append_unpacked(session, &line);
    end_event(&line, session);
    text_init(&words);
    text_append(&words, "%s%s%s", reason, failure ? ": " : "", failure ? failure->text : "");
    struct history_log_ending ending = {.reason = text_bytes(&words),
                                        .interrupted = interrupted,
                                        .alive_s = clock_seconds() - environment_born_s(),
                                        .transient = failure &&
                                                     (error_is_refused(failure) || failure->kind == ERROR_AGAIN),
                                        .saves = cadence->samples,
                                        .stall_s = cadence_stall(cadence),
                                        .write_s = cadence_write(cadence),
                                        .step_s = session->deadline.last_step_s};
    history_log_end(&session->history_log, session->step, &ending);
    text_release(&words);
}
