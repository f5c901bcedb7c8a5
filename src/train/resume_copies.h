/* Coming back from the second tier: which copies on the nodes belong to this job, and a session from them. */
#ifndef TRAIN_RESUME_COPIES_H
#define TRAIN_RESUME_COPIES_H

#include "checkpoint/copies/copies_find.h"
#include "train/session.h"

/* What there is. All zero: nothing. */
struct resume_copies {
    struct copies_finds finds;
    uint64_t lineage; /* that of this job */
    bool known;       /* the lineage is; else no copy is this job's for sure */
    bool resumed;     /* from copies of the session's step */
};

/* Collective over world. Looks at all nodes, if there is a second tier. steps[count]: those of the checkpoints, newest
 * first. The lineage is what lineage_find tells. */
bool resume_copies_look(struct session *session, const uint64_t *steps, size_t count, struct resume_copies *found,
                        struct error *error) WARN_UNUSED;

/* Local; the same on every rank. The step of the newest whole set of this job; 0: there is none. */
uint64_t resume_copies_newest(const struct resume_copies *found);

/* Collective over world. The session from the newest valid set of a step > `beyond`; *resumed: there was one. False:
 * the job contradicts it, or a rank is late. */
bool resume_copies_try(struct session *session, struct resume_copies *found, uint64_t beyond, bool *resumed,
                       struct error *error) WARN_UNUSED;

/* Local, after the session has got its state. Says why copies were not used, and removes all but those that were. */
void resume_copies_tidy(struct session *session, const struct resume_copies *found);

/* Local. Accepts an all-zero one. */
void resume_copies_release(struct resume_copies *found);

#endif
