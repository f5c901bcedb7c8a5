/* What the starts of a run tell each other of their data (RUN/.looks): the first one looks at all samples, and later
 * ones at the files alone; and what the ranks of a node tell each other: their first one looks, and the others see that
 * they have its files. It is never more than a help: a file of these that is gone, damaged or of another job costs
 * the time of one more look at all. */
#ifndef TRAIN_LOOKS_H
#define TRAIN_LOOKS_H

#include "job/job_data.h"
#include "train/session.h"

#define LOOKS 2 /* of data.train, data.validation */

struct looks {
    struct look known[LOOKS]; /* of an earlier start, as rank 0 has read them */
    struct job_data_aid aid;
};

/* Collective over world. What rank 0 finds in the run directory, to every rank; release in any case. ERROR_LATE. */
bool looks_bring(struct session *session, struct looks *looks, struct error *error) WARN_UNUSED;

/* Collective over world. Opens the data of the session with them: on each node its first rank does, and then the others
 * with what that has found, if the files are large. Whether this rank could; all have to agree on it. ERROR_LATE too.
 */
bool looks_open_data(struct session *session, struct looks *looks, struct error *error) WARN_UNUSED;

/* Local, once all ranks have opened equal data. Tells what was not looked at, and rank 0 keeps what is new. */
void looks_keep(const struct session *session, const struct looks *looks);

/* Local. Accepts what is all 0. */
void looks_release(struct looks *looks);

#endif
