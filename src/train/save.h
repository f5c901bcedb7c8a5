/* Saving at a step boundary. A save is begun, is written beside the next steps, and is settled at the first boundary at
 * which no rank works on it any more. */
#ifndef TRAIN_SAVE_H
#define TRAIN_SAVE_H

#include "train/session.h"

/* Collective over world; reasons (policy/flags.h) must be equal on every rank. Begins a save of the session's step. One
 * that still runs is waited for and settled first; if a rank hangs over that one, nothing is begun, and it is tried
 * again some steps later. False if settling ends the job (save_settle), and with ERROR_LATE if a rank hangs over
 * copies: behind them nothing can be saved. */
bool save_begin(struct session *session, unsigned reasons, struct error *error) WARN_UNUSED;

/* Local; the same on every rank. Whether the session's step is in a checkpoint, or on its way to one. */
bool save_has_step(const struct session *session);

/* Collective over world. Begins to make copies on the nodes of the session's step, if they are due and nothing else is
 * being saved: they never make training wait. */
void save_copies(struct session *session);

/* Local. SAVER_IS_BUSY, SAVER_IS_LATE: those of this rank. Once a step: it is also the sign that training goes on. */
unsigned save_flags(const struct session *session);

/* Collective over world; flags, those of all ranks together, must be equal on every rank. If a rank hangs over the save
 * that runs: tells so once; until it comes back nothing can be saved. */
void save_note_late(struct session *session, unsigned flags);

/* Collective over world; no rank is busy. Takes the verdict on the save that runs, if one does: the metrics' event
 * `checkpoint` or `checkpoint_failed` (`local`, `local_failed` of copies), and after the failure of a file a time for
 * the next attempt in session->saving.retry_step. False
 * only for a failure that ends the job: memory is not what was written there (ERROR_MEMORY), or a rank hangs
 * (ERROR_LATE). */
bool save_settle(struct session *session, struct error *error) WARN_UNUSED;

/* Collective over world; why must be equal on every rank: the reason of the end. Saves the session's step and waits for
 * it. On failure the same error on every rank. */
bool save_last(struct session *session, const char *why, struct error *error) WARN_UNUSED;

/* Collective over world. Waits for the save that runs, if one does, and settles it. False as save_settle, or with
 * ERROR_LATE if a rank hangs over it. */
bool save_finish(struct session *session, struct error *error) WARN_UNUSED;

#endif
