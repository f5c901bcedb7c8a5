/* What only a start needs, and then forgets. */
#ifndef TRAIN_RESTORE_H
#define TRAIN_RESTORE_H

#include "base/text.h"
#include "checkpoint/patience.h"
#include "parallel/agreement.h"

struct restore {
    struct agreement agreement; /* for what a disk can make late */
    struct patience patience;   /* of one phase of a restore */
    struct text passport;       /* of all ranks: checkpoint/passport.h */
    struct text changes;        /* in what the job differs from that of the checkpoint, a line each */
    bool is_branch;             /* the checkpoint is another run's (branch.h) */
    char *weights_data;         /* rank 0's: what the file of a warm start tells of its training data; NULL: nothing */
    uint64_t kept_every;        /* checkpoint.keep_every of the job that wrote the checkpoint */
};

/* Collective over world, which is borrowed. Close accepts an all-zero one; nobody may be late then. */
void restore_open(struct restore *restore, const struct world *world, double timeout_s);
void restore_close(struct restore *restore);

/* Local. How long a phase of a restore may take. */
static inline double restore_patience_s(const struct restore *restore)
{
    return patience_of(&restore->patience, PATIENCE_RESTORE);
}

/* Collective over world. As world_agree, for what a disk can make late: each phase of a restore has this limit, and
 * ERROR_LATE names who is not done with `what`. */
bool restore_agree(struct restore *restore, bool ok, const char *what, struct error *error) WARN_UNUSED;

#endif
