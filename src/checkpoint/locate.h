/* A checkpoint as people name it:
 *
 *   FILE                   a path, also one with an @ in it
 *   RUN                    a run directory: its newest checkpoint
 *   RUN@best, RUN@best2    the one of its best validation, as the newest checkpoint knows it; of its second best, ...
 *   RUN@1750               the one of that step */
#ifndef CHECKPOINT_LOCATE_H
#define CHECKPOINT_LOCATE_H

#include "base/error.h"

#include <limits.h>
#include <stdint.h>

#define LOCATE_NAME (NAME_MAX + 64)

/* Local. The path of the file that `word` means. Whether it is valid is for the reader to say; a word that is neither
 * there nor RUN@... is taken as it is. ERROR_NOT_FOUND if the run has no such checkpoint, ERROR_USAGE if what stands
 * behind the @ cannot be meant; the words begin with `word` and say what there is. For @best HDF5 must be ready
 * (reader_open). */
bool locate_checkpoint(const char *word, char path[PATH_MAX], struct error *error) WARN_UNUSED;

/* Local. Adds to an error about the file of a run that `word` means, if it is damaged or cannot be read, which the one
 * before it is, as RUN@step. `word` and `path` as of locate_checkpoint. */
void locate_older(const char *word, const char *path, struct error *error);

/* Local. What a file that is made of a checkpoint may be called, without its suffix: the run's own name, and what of it
 * was asked for: "digits-best", "digits-step-000000001750". Of a file that lies in no run "step-000000001750". `word`
 * and `path` as of locate_checkpoint; step: what it holds. */
void locate_name(const char *word, const char *path, uint64_t step, char name[LOCATE_NAME]);

#endif
