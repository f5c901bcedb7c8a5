/* When to save. Steps, lists and validations are known to every rank; the clock, the file `save` and a signal are not:
 * these travel as flags of the step (flags.h), so that all ranks act at one boundary.
 *
 * checkpoint.every: auto is the interval of Young and Daly. With d = what a save costs training (median of the last
 * ones), M = mean time between interruptions = (prior + time alive of all segments) / (1 + interruptions), where the
 * prior is one interruption in 6 hours:
 *
 *   period = sqrt(2 d M) (1 + sqrt(d / 2M) / 3 + (d / 2M) / 9)    for d < 2M, else M + d
 *
 * from the begin of a save to that of the next: J. W. Young, CACM 17 (1974) 530; J. T. Daly, Future Generation Computer
 * Systems 22 (2006) 303, equation (37), whose result is shorter by d: he counts from the end of a save. At least
 * d / checkpoint.overhead, which bounds what saves may cost, and at least the time that a save takes to be written. */
#ifndef POLICY_CADENCE_H
#define POLICY_CADENCE_H

#include "base/text.h"
#include "job/job.h"
#include "policy/flags.h"

struct deadline;

#define CADENCE_SAMPLES 9 /* saves that the cost is the median of */

/* What earlier segments of the run are known to have been; all zero: nothing is known. */
struct cadence_past {
    double alive_s;         /* of all segments together */
    uint64_t interruptions; /* kills, preemptions, failures; not ends */
    double restart_s;       /* from the start of the program to its first step */
    double stall_s;         /* what a save cost training; 0: unknown */
    double write_s;         /* how long it took to be written */
};

struct cadence {
    const struct job *job; /* borrowed */
    uint64_t signal_step;  /* the last step that a signal asked to save; 0: none */

    /* From here on rank 0's. */
    char *file; /* RUN/save */
    bool complained;
    double looked_s;  /* when the file was looked for */
    double began_s;   /* when the session began, */
    double saved_s;   /* and the last save, or the session */
    uint64_t steps;   /* since the session began */
    uint64_t samples; /* saves that were measured here */
    double stalls[CADENCE_SAMPLES], writes[CADENCE_SAMPLES];
    struct cadence_past past;
    const struct deadline *deadline; /* borrowed; NULL: interruptions are not announced */
    double told_s;                   /* the period of which was told last; 0: none */
};

/* Local. past: rank 0's; NULL on the other ranks. The times `now_s` here and below are clock_seconds(). The job is
 * borrowed. */
void cadence_init(struct cadence *cadence, const struct job *job, const struct cadence_past *past, double now_s);

/* Local. Interruptions are announced as the deadline knows, from now on. If a save needs more time than its warning
 * leaves (deadline.h), or as long as nobody knows what it needs, `auto` is in force beside whatever checkpoint.every
 * says. The deadline is borrowed. */
void cadence_follow(struct cadence *cadence, const struct deadline *deadline);

/* Local. Whether `auto` is in force. */
bool cadence_is_auto(const struct cadence *cadence);

/* Local. Accepts a released or all-zero one. */
void cadence_release(struct cadence *cadence);

/* Local, rank 0's work, once a step: what the step's flags have to tell the others. Looks for the file at most once a
 * second. */
unsigned cadence_flags(struct cadence *cadence, double now_s);

/* Local; flags (of all ranks) must be equal on every rank, and then the answer is. The reasons to save after this step,
 * validations apart. The ranks do not all get a signal in the same step: what arrives right behind the step that has
 * obeyed one is the rest of it. */
unsigned cadence_due(struct cadence *cadence, uint64_t step, unsigned flags);

/* Local. The reasons among these that hang on the number of the step alone. */
unsigned cadence_due_at(const struct job *job, uint64_t step);

/* Local. A save begins. Takes the file `save` away (rank 0): whoever wanted a save has it. What cannot be removed, or
 * is not an empty file, gets one warning and no save. */
void cadence_begin(struct cadence *cadence, double now_s);

/* Local. A save was committed: what it has cost the steps, and how long it was being written. */
void cadence_measured(struct cadence *cadence, double stall_s, double write_s);

/* Local. The period in seconds of checkpoint.every: auto; 0: no save was ever measured. */
double cadence_period(const struct cadence *cadence, double now_s);

/* Local. What a save is taken to cost; 0: no save was ever measured. */
double cadence_stall(const struct cadence *cadence);
double cadence_write(const struct cadence *cadence);

/* Local. The first step is made, so long after the program was started. */
void cadence_ready(struct cadence *cadence, double start_s);

/* Local. The formula above, without the bounds; cost_s >= 0, between_s > 0. */
double cadence_young_daly(double cost_s, double between_s);

/* Local. True if `auto` has a new period, more than 20 % off the one that was told last: the words are appended. */
bool cadence_tell(struct cadence *cadence, double now_s, struct text *words);

/* Local. Appends the reasons as words: "every+validation". */
void cadence_words(unsigned reasons, struct text *words);

#endif
