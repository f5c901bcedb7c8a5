#include "policy/guard.h"

#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void guard_prepare(const struct job *job, struct history *history)
{
    size_t room = job->skip.outlier > 0 ? job->skip.window : 0;
    size_t kept = history->window_count < room ? history->window_count : room;
    struct history_step *window = memory_need(room, sizeof *window);
    if (kept > 0)
        memcpy(window, history->window + (history->window_count - kept), kept * sizeof *window);
    memory_free(history->window);
    history->window = window;
    history->window_count = kept;
}

static double loss_of(const struct history_step *step)
{
    return step->loss;
}

static double gradient_norm_of(const struct history_step *step)
{
    return step->gradient_norm;
}

/* How many standard deviations `value` lies above the mean of the window; 0 if that says nothing yet. */
static double z_score(const struct job *job, const struct history *history,
                      double (*number_of)(const struct history_step *), double value)
{
    size_t n = history->window_count;
    double sum = 0, squares = 0;
    if (n < job->skip.window / 2)
        return 0;
    for (size_t i = 0; i < n; i++)
        sum += number_of(&history->window[i]);
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        double distance = number_of(&history->window[i]) - mean;
        squares += distance * distance;
    }
    double deviation = sqrt(squares / (double)n);
    return deviation > 0 ? (value - mean) / deviation : 0;
}

static void remember(const struct job *job, struct history *history, double loss, double gradient_norm)
{
    history->updates++;
    history->skipped_row = 0;
    if (job->skip.outlier <= 0)
        return;
    if (history->window_count == job->skip.window)
        memmove(history->window, history->window + 1, --history->window_count * sizeof *history->window);
    history->window[history->window_count++] = (struct history_step){.loss = loss, .gradient_norm = gradient_norm};
}

static enum guard_verdict skip(const struct job *job, struct history *history, struct error *why)
{
    if (++history->skipped_row < job->skip.limit)
        return GUARD_SKIP;
    error_prefix(why,
                 "%" PRIu64
                 " steps in a row were no good (skip_step.limit); a smaller optimizer.learning_rate, a clip_norm, "
                 "a longer warmup or an earlier checkpoint may help. The last one: ",
                 history->skipped_row);
    return GUARD_STOP;
}

enum guard_verdict guard_judge(const struct job *job, struct history *history, uint64_t step, double loss,
                               double gradient_norm, struct error *why)
{
    bool finite = isfinite(loss) && isfinite(gradient_norm);
    if (!finite && !job->skip.nonfinite && history->updates == 0) {
        error_set(why, ERROR_STATE,
                  "step %" PRIu64 ": the loss is %g and the gradient norm %g before anything was learned: the inputs "
                  "(mean and std of data.train), the targets or the initial weights are too large",
                  step, loss, gradient_norm);
        return GUARD_STOP;
    }
    if (!finite && !job->skip.nonfinite) {
        error_set(why, ERROR_STATE,
                  "step %" PRIu64 ": the loss is %g and the gradient norm %g: stopped before the update. A smaller "
                  "optimizer.learning_rate, a clip_norm, a longer warmup or skip_step.nonfinite may help",
                  step, loss, gradient_norm);
        return GUARD_STOP;
    }
    if (!finite) {
        error_set(why, ERROR_STATE, "step %" PRIu64 ": the loss is %g and the gradient norm %g", step, loss,
                  gradient_norm);
        return skip(job, history, why);
    }
    double loss_z = z_score(job, history, loss_of, loss);
    double norm_z = z_score(job, history, gradient_norm_of, gradient_norm);
    if (job->skip.outlier > 0 && (loss_z > job->skip.outlier || norm_z > job->skip.outlier)) {
        error_set(why, ERROR_STATE,
                  "step %" PRIu64
                  ": the loss %g lies %.1f and the gradient norm %g lies %.1f standard deviations above "
                  "the last %zu steps",
                  step, loss, loss_z, gradient_norm, norm_z, history->window_count);
        return skip(job, history, why);
    }
    remember(job, history, loss, gradient_norm);
    return GUARD_TAKE;
}
