/* The end that others have set for this process: the time limit of its batch job, or what a warning leaves. Training
 * goes on until the last step after which a save still fits, then the job saves and leaves.
 *
 * Rank 0 decides by its clock; what it has decided reaches all ranks with the step's flags, so that all leave at one
 * boundary. Where the end comes from (rank 0's environment):
 *
 *   LOCKSTEP_END_TIME     seconds since 1970 (lockstep supervise sets it), or else
 *   SLURM_JOB_END_TIME    the same, by Slurm from 23.02 on
 *   LOCKSTEP_WARNING_S    how long after a warning, SIGUSR1, the end comes, at least. Then SIGUSR1 does not mean "leave
 *                         now", but "this long is left"; every other signal, and without this variable SIGUSR1 as
 *                         well, still means "now". 0: nobody warns.
 *
 * Both can change while the job runs: then RUN/.end tells (notice.h), which rank 0 looks at once a second.
 *
 * A step is the last safe one if the next and a save could not both be done before the end:
 *
 *   now + 2 steps + 1.5 save + DEADLINE_LEAVE_S > end
 *
 * (what is left of this one counts as a step), with the longest step of late, and the usual time to write a checkpoint.
 * A validation needs no time before the end: it is given up when there is only the save's left, and is made by the next
 * life (validation.h). */
#ifndef POLICY_DEADLINE_H
#define POLICY_DEADLINE_H

#include "parallel/world.h"
#include "policy/flags.h"
#include "run/notice.h"

#define DEADLINE_LEAVE_S 3.0 /* from the last save to the end of the last process */

struct deadline {
    double end_s;     /* on clock_seconds(); INFINITY: none is known. Rank 0's */
    double warning_s; /* NaN: none is known; 0: nobody warns. Equal on all ranks at first, then rank 0's */
    bool warned;
    bool is_exact;      /* end_s is the end of an interruption that has begun. Rank 0's */
    double looked_s;    /* for news; rank 0's */
    double step_s;      /* the longest of late; before the first of this life, what is expected. Rank 0's */
    double last_step_s; /* 0: there was none in this life */
};

/* Collective over world. From rank 0's environment. ERROR_USAGE names the variable that is no number. */
bool deadline_open(struct deadline *deadline, const struct world *world, struct error *error) WARN_UNUSED;

/* Local, a part of it. end_unix, warning_s: texts of the variables above; NULL or "": not set. now_s, now_unix: the
 * same moment on both clocks. */
bool deadline_parse(struct deadline *deadline, const char *end_unix, const char *warning_s, double now_s,
                    double now_unix, struct error *error) WARN_UNUSED;

/* Local, rank 0's work, whatever else it waits for. Looks for news in the run directory, if it is time for that or
 * at_once; a line tells of another end. */
void deadline_look(struct deadline *deadline, const char *run, bool at_once, double now_s);

/* Local, a part of it; now_s, now_unix as above. True: the end is another one now, by more than a second. */
bool deadline_hear(struct deadline *deadline, const struct notice *notice, double now_s, double now_unix);

/* Local, rank 0's work. What a step has taken in earlier lives of the run; 0: it is not known. */
void deadline_expect(struct deadline *deadline, double step_s);

/* Local, rank 0's work. A step has taken so long. Not counted: one that is more than ten seconds and twenty times as
 * long as those before, in which the job was suspended. */
void deadline_note_step(struct deadline *deadline, double seconds);

/* Local. What a save that takes write_s needs before the end. */
double deadline_reserve(double write_s);

/* Local, rank 0's work. LEAVE_DEADLINE if the save cannot wait for `steps` more: 2 at the end of a step, 0 between
 * steps. */
unsigned deadline_flags(const struct deadline *deadline, unsigned steps, double write_s, double now_s);

/* Local, rank 0's work: END_IS_ANNOUNCED, or nothing. It travels with the other flags. */
unsigned deadline_announced(const struct deadline *deadline);

/* Local; flags, those of all ranks together, must be equal on every rank, and then the answer is. What of them counts:
 * SIGUSR1 waits for the end that it announces, if that is known (END_IS_ANNOUNCED, which is taken out) and nothing
 * else asks to leave; a line tells so. */
unsigned deadline_weigh(struct deadline *deadline, unsigned flags, double now_s);

#endif
