/* What the ranks of a start have to have in common. */
#ifndef TRAIN_RANKS_H
#define TRAIN_RANKS_H

#include "train/session.h"

/* Collective over world. What all ranks have to have in common before any of it is used, and the passport of all. Nodes
 * of two generations are two sets of kernels: then the bits depend on which rank runs where, and nothing but a warning
 * can be done about it. ERROR_USAGE names what differs, with rank and host. */
bool ranks_compare(struct session *session, struct error *error) WARN_UNUSED;

/* Local; the same on every rank. Whether there are not more ranks than leaves. ERROR_USAGE. */
bool ranks_check(const struct session *session, struct error *error) WARN_UNUSED;

/* Collective over world. Each rank has read its own data: nodes may have copies. Errors as above. */
bool ranks_compare_data(const struct session *session, struct error *error) WARN_UNUSED;

#endif
