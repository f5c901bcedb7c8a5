/* Pins: a checkpoint with a marker beside it is never taken away. Setting and removing work while a job runs, from any
 * process.
 *
 * The two sides cannot miss each other. Who pins makes the marker first and then looks whether the checkpoint is still
 * there; who prunes takes the checkpoint out of sight first and then looks for a marker, and puts it back if there is
 * one. One of the two comes second, and sees what the other did. */
#ifndef CHECKPOINT_PIN_H
#define CHECKPOINT_PIN_H

#include "base/error.h"

/* Local. Whether the checkpoint at this path is pinned. */
bool pin_exists(const char *checkpoint);

/* Local. Pins, durably; one that is pinned already is fine. ERROR_NOT_FOUND if there is no such file, ERROR_USAGE if it
 * is no checkpoint or does not have a final name (then no marker stays), or if something else has the marker's name. */
bool pin_add(const char *checkpoint, struct error *error) WARN_UNUSED;

/* Local. Takes the marker away, durably; the checkpoint goes with the next pruning that does not want it. ERROR_USAGE
 * if it was not pinned. */
bool pin_remove(const char *checkpoint, struct error *error) WARN_UNUSED;

/* Local. Deletes the marker without syncing, if it is one: an empty file. */
void pin_drop(const char *checkpoint);

#endif
