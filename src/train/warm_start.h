/* A warm start: a new job begins with the weights of a file. */
#ifndef TRAIN_WARM_START_H
#define TRAIN_WARM_START_H

#include "train/session.h"

/* Collective over world. The parameters of a session that stands at step 0 with its initial weights become those of
 * options->init_from, a file of any format of weights/weights.h, or a checkpoint of another run
 * (checkpoint/locate.h), that only rank 0 has to see; their average begins with
 * the same, the moments stay zero. What the file lacks (options->partial) stays as it is; lacking and unknown tensors
 * are logged. The record gets the file's name and the digest of the weights. ERROR_USAGE if they do not fit the model
 * or the text's characters, or are not finite. */
bool warm_start(struct session *session, struct error *error) WARN_UNUSED;

#endif
