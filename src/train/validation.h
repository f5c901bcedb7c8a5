/* The validation that is due after a step. It is made by whoever has time for it: a job that is asked to leave does not
 * begin one, and gives up the one that it is at, between two of its chunks, on all ranks. What is saved then says that
 * the validation of its step is pending (history.validated_step lies before it), and the next life makes it first, with
 * the same numbers: a validation is a function of the state. A checkpoint that is due at the same step is begun before
 * it, and is pending in the same way. */
#ifndef TRAIN_VALIDATION_H
#define TRAIN_VALIDATION_H

#include "train/session.h"

/* Collective over world. Makes it: takes it into the history and tells it; *rank as best_consider returns it. False if
 * it was given up: somebody wants the job to leave, or time is left for a save only; or if it does not count, since the
 * data are not what they were (data_watch.h). *flags gets what was heard. A save may be running. */
bool validation_make(struct session *session, unsigned *flags, size_t *rank) WARN_UNUSED;

/* Collective over world; the last steps were skipped, since their numbers were not finite. Whether that is the fault of
 * these steps, and not of the state: it gives a finite loss for the batch of the last step that was taken. */
bool validation_finds_state_sound(struct session *session);

#endif
