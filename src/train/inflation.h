/* Data that gzip has packed: at a start the first rank of each node inflates them, once, and the others of the node map
 * what it has. Alone on its node, a rank inflates for itself when it opens them. */
#ifndef TRAIN_INFLATION_H
#define TRAIN_INFLATION_H

#include "data/inflated.h"
#include "train/session.h"

struct inflation {
    struct inflated_table table; /* what this node has; for the datasets' openings (dataset_aid) */
    bool is_ours;                /* this rank shows it to the others */
};

/* Collective over world. Nothing of it can be wrong with the data: that is found, in its own words, by who opens them.
 * Nothing stays after failure: ERROR_LATE. */
bool inflation_begin(struct session *session, struct inflation *inflation, struct error *error) WARN_UNUSED;

/* Local, once all ranks of the node have opened their data, or will not. */
void inflation_end(struct inflation *inflation);

#endif
