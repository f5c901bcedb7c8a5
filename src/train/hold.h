/* The last save of a run: the state is held until it is in a file. Behind this save there is nothing; what it does not
 * bring to a disk is lost. If the disk refuses (no room, a quota, read-only, an error), the ranks stay where they are,
 * say what is needed, and try again: after 1, 2, 4, ... HOLD_PAUSE_S, and at once if somebody asks for a save (SIGALRM,
 * RUN/save). They give up, after one more try,
 *
 *   - when there is just time for that before an end that is known (deadline.h);
 *   - HOLD_HURRY_S after the first try, if the job was asked to leave and nobody knows its end;
 *   - when it is asked to leave now, and was not before.
 *
 * They end at once, with the error of the save,
 *
 *   - if the limit of the size of a file does not let a process write a checkpoint;
 *   - if the disk has had room, and has taken a plain file of every rank, after all tries of HOLD_PROOF_S: then it is a
 *     process that cannot save.
 *
 * Else they wait as long as it takes: whoever needs the machines asks them to leave, and what they would do instead is
 * to train the same steps again, on the same full disk. */
#ifndef TRAIN_HOLD_H
#define TRAIN_HOLD_H

#include "train/session.h"

#define HOLD_PAUSE_S 30.0
#define HOLD_HURRY_S 10.0
#define HOLD_PROOF_S 30.0

/* Local; the times are clock_seconds(). When to give up that was begun at begun_s; infinite: only when asked to. flags:
 * with which the job ends. write_s: what a save takes. */
double hold_limit(const struct deadline *deadline, unsigned flags, double begun_s, double write_s);

/* Collective over world; flags, those of all ranks together, and why, the reason of the end, must be equal on every
 * rank. Saves the session's step and waits for it, as above. On failure the same error on every rank: ERROR_AGAIN if it
 * was given up. */
bool hold_save_last(struct session *session, unsigned flags, const char *why, struct error *error) WARN_UNUSED;

#endif
