/* The boundary between two steps: validation, saving, leaving. */
#ifndef TRAIN_BOUNDARY_H
#define TRAIN_BOUNDARY_H

#include "train/session.h"

/* Local; the same on every rank. All steps are made, or early stopping has had enough; and no validation is pending. */
bool boundary_is_finished(const struct session *session);

/* Local. Why a run ends whose last step had these flags: a word of checkpoint/reason.h, or the name of a
 * signal. Borrowed. */
const char *boundary_reason(const struct session *session, unsigned flags);

/* Local; the same on every rank; flags, those of all ranks together, must be equal on every rank. Whether something may
 * be saved behind this step, which is the next one to be made. */
bool boundary_may_save(const struct session *session, uint64_t step, unsigned flags);

/* Collective over world; flags, those of all ranks together, must be equal on every rank, and get what was heard
 * meanwhile. What is due after this step: a save that has ended is settled, a save is begun, the model is validated;
 * or, if the job leaves, a save is made and waited for. False if the state has to be saved now and cannot be, or must
 * not be; or if it is saved, and the validation data are wrong. */
bool boundary_pass(struct session *session, unsigned *flags, struct error *error) WARN_UNUSED;

/* Collective over world. The same before the first step: what the life before has left to do after its last one. */
bool boundary_begin(struct session *session, unsigned *flags, struct error *error) WARN_UNUSED;

#endif
