/* A branch: a new run goes on from a checkpoint of another one. */
#ifndef TRAIN_BRANCH_H
#define TRAIN_BRANCH_H

#include "train/session.h"

/* Collective over world. A session whose run directory has nothing to go on from goes on from options->branch, a
 * checkpoint that all ranks see (checkpoint/locate.h), as a resume does from its own: step, parameters, moments,
 * sampler, histories, by the same rules for what the job may change. The record gets a lineage of its own, and an
 * origin that names the checkpoint (RECORD_BRANCH). Nothing is saved yet: killed before it has a checkpoint, the run
 * branches again at its next start. ERROR_USAGE if there is no such checkpoint, or the job contradicts it;
 * ERROR_CORRUPT if it is not valid: no other one is taken. */
bool branch_begin(struct session *session, struct error *error) WARN_UNUSED;

#endif
