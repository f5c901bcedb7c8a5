#include "policy/cadence.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/watchdog.h"
#include "policy/deadline.h"
#include "run/run_files.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRIOR_S      (6 * 3600.0) /* of running, with one interruption: what is assumed before there is experience */
#define FIRST_S      10.0         /* until the first save of `auto`, whose cost nobody knows, and ... */
#define FIRST_STEPS  10           /* ... as many steps at least */
#define LOOK_S       1.0          /* between two looks for the file */
#define TOLD_CHANGE  0.2
#define LEAST_COST_S 1e-4 /* no save is free */

static const struct {
    unsigned reason;
    const char *word;
} save_words[] = {
    {SAVE_SIGNAL, "signal"}, {SAVE_FILE, "file"},       {SAVE_MINUTES, "minutes"},       {SAVE_AUTO, "auto"},
    {SAVE_EVERY, "every"},   {SAVE_AT, "at"},           {SAVE_VALIDATION, "validation"}, {SAVE_BEST, "best"},
    {SAVE_RETRY, "retry"},   {SAVE_KEEP, "keep_every"},
};

void cadence_init(struct cadence *cadence, const struct job *job, const struct cadence_past *past, double now_s)
{
    *cadence = (struct cadence){.job = job, .looked_s = now_s - LOOK_S, .began_s = now_s, .saved_s = now_s};
    if (!past)
        return;
    char file[PATH_MAX];
    run_file_path(job->run, RUN_SAVE, file);
    cadence->file = memory_text(file);
    cadence->past = *past;
}

void cadence_follow(struct cadence *cadence, const struct deadline *deadline)
{
    cadence->deadline = deadline;
}

bool cadence_is_auto(const struct cadence *cadence)
{
    double write_s = cadence_write(cadence), warning_s = cadence->deadline ? cadence->deadline->warning_s : NAN;
    bool is_short = warning_s < deadline_reserve(write_s) || (write_s == 0 && !isnan(warning_s));
    return cadence->job->checkpoint.every == CHECKPOINT_AUTO || is_short;
}

void cadence_release(struct cadence *cadence)
{
    memory_free(cadence->file);
    *cadence = (struct cadence){0};
}

/* Said once, until the file is gone: it is not obeyed over and over. */
static void complain(struct cadence *cadence, const char *why)
{
    if (!cadence->complained)
        log_warn("%s: %s; nothing is saved for it until it is gone", cadence->file, why);
    cadence->complained = true;
}

/* Whether the file is there and is a wish. Anything but an empty file is somebody's data, and not ours to remove. */
static bool is_wish(struct cadence *cadence)
{
    struct stat info;
    watchdog_begin(cadence->file, 0);
    bool absent = lstat(cadence->file, &info) != 0;
    watchdog_end();
    if (absent) {
        cadence->complained = false;
        return false;
    }
    if (S_ISREG(info.st_mode) && info.st_size == 0)
        return true;
    complain(cadence, "is not an empty file, which would ask for a save");
    return false;
}

static bool look_for_file(struct cadence *cadence, double now_s)
{
    if (now_s - cadence->looked_s < LOOK_S)
        return false;
    cadence->looked_s = now_s;
    return is_wish(cadence) && !cadence->complained;
}

static bool is_auto_due(const struct cadence *cadence, double now_s)
{
    double period = cadence_period(cadence, now_s);
    if (period == 0)
        return cadence->steps >= FIRST_STEPS && now_s - cadence->saved_s >= FIRST_S;
    return now_s - cadence->saved_s >= period;
}

unsigned cadence_flags(struct cadence *cadence, double now_s)
{
    const struct job *job = cadence->job;
    unsigned flags = 0;
    cadence->steps++;
    if (look_for_file(cadence, now_s))
        flags |= SAVE_FILE;
    if (job->checkpoint.minutes > 0 && now_s - cadence->saved_s >= 60 * job->checkpoint.minutes)
        flags |= SAVE_MINUTES;
    if (cadence_is_auto(cadence) && is_auto_due(cadence, now_s))
        flags |= SAVE_AUTO;
    return flags;
}

unsigned cadence_due_at(const struct job *job, uint64_t step)
{
    uint64_t every = job->checkpoint.every, keep_every = job->checkpoint.keep_every;
    unsigned due = 0;
    if (every > 0 && every != CHECKPOINT_AUTO && step % every == 0)
        due |= SAVE_EVERY;
    if (keep_every > 0 && step % keep_every == 0)
        due |= SAVE_KEEP;
    for (size_t i = 0; i < job->checkpoint.at_count; i++)
        if (job->checkpoint.at[i] == step)
            due |= SAVE_AT;
    return due;
}

unsigned cadence_due(struct cadence *cadence, uint64_t step, unsigned flags)
{
    unsigned due = flags & (SAVE_SIGNAL | SAVE_FILE | SAVE_MINUTES | SAVE_AUTO);
    if (due & SAVE_SIGNAL) {
        if (cadence->signal_step > 0 && step == cadence->signal_step + 1)
            due &= ~(unsigned)SAVE_SIGNAL;
        else
            cadence->signal_step = step;
    }
    return due | cadence_due_at(cadence->job, step);
}

void cadence_begin(struct cadence *cadence, double now_s)
{
    cadence->saved_s = now_s;
    if (!cadence->file)
        return;
    watchdog_begin(cadence->file, 0);
    if (is_wish(cadence) && unlink(cadence->file) && errno != ENOENT)
        complain(cadence, strerror(errno));
    watchdog_end();
}

void cadence_measured(struct cadence *cadence, double stall_s, double write_s)
{
    size_t place = cadence->samples++ % CADENCE_SAMPLES;
    cadence->stalls[place] = stall_s;
    cadence->writes[place] = write_s;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of what was measured here, else what is known from before. One slow save (a busy disk) does not move a median. */
static double typical(const struct cadence *cadence, const double *measured, double before)
{
    double sorted[CADENCE_SAMPLES];
    size_t count = cadence->samples < CADENCE_SAMPLES ? (size_t)cadence->samples : CADENCE_SAMPLES;
    if (count == 0)
        return before;
    memcpy(sorted, measured, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

double cadence_stall(const struct cadence *cadence)
{
    return typical(cadence, cadence->stalls, cadence->past.stall_s);
}

double cadence_write(const struct cadence *cadence)
{
    return typical(cadence, cadence->writes, cadence->past.write_s);
}

void cadence_ready(struct cadence *cadence, double start_s)
{
    cadence->past.restart_s = start_s;
}

static double alive(const struct cadence *cadence, double now_s)
{
    return cadence->past.alive_s + now_s - cadence->began_s;
}

/* Mean time between interruptions. */
static double between(const struct cadence *cadence, double now_s)
{
    return (PRIOR_S + alive(cadence, now_s)) / (double)(1 + cadence->past.interruptions);
}

double cadence_young_daly(double cost_s, double between_s)
{
    double ratio = cost_s / (2 * between_s);
    return ratio < 1 ? sqrt(2 * cost_s * between_s) * (1 + sqrt(ratio) / 3 + ratio / 9) : between_s + cost_s;
}

double cadence_period(const struct cadence *cadence, double now_s)
{
    if (cadence->samples == 0 && cadence->past.stall_s == 0)
        return 0;
    double cost = fmax(cadence_stall(cadence), LEAST_COST_S);
    double period = cadence_young_daly(cost, between(cadence, now_s));
    period = fmax(period, cost / cadence->job->checkpoint.overhead);
    return fmax(period, cadence_write(cadence));
}

bool cadence_tell(struct cadence *cadence, double now_s, struct text *words)
{
    double period = cadence_is_auto(cadence) ? cadence_period(cadence, now_s) : 0;
    if (period == 0 || fabs(period - cadence->told_s) <= TOLD_CHANGE * cadence->told_s)
        return false;
    cadence->told_s = period;
    double cost = cadence_stall(cadence);
    /* A save in each period; half a period repeated and a restart in each interruption. */
    double loss = cost / period + (period / 2 + cadence->past.restart_s) / between(cadence, now_s);
    text_append(words, "auto: a save costs ");
    text_append_seconds(words, cost);
    text_append(words, " of training and takes ");
    text_append_seconds(words, cadence_write(cadence));
    text_append(words, ", %" PRIu64 " interruption%s in ", cadence->past.interruptions,
                cadence->past.interruptions == 1 ? "" : "s");
    text_append_seconds(words, alive(cadence, now_s));
    text_append(words, ", a restart takes ");
    text_append_seconds(words, cadence->past.restart_s);
    text_append(words, ": saving every ");
    text_append_seconds(words, period);
    text_append(words, " (expected loss %.2g %%)", 100 * loss);
    return true;
}

void cadence_words(unsigned reasons, struct text *words)
{
    const char *separator = "";
    for (size_t i = 0; i < sizeof save_words / sizeof *save_words; i++) {
        if (reasons & save_words[i].reason) {
            text_append(words, "%s%s", separator, save_words[i].word);
            separator = "+";
        }
    }
}
