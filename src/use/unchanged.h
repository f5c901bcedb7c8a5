/* Data files that others may write to while answers are made of them. */
#ifndef USE_UNCHANGED_H
#define USE_UNCHANGED_H

#include "data/dataset.h"
#include "parallel/world.h"

/* Collective over world; what is opened must be equal on every rank. Whether the datasets [count] are on all ranks what
 * they were when they were opened: to be asked before what was made of them is given away. A closed one is. Those that
 * were touched are read again. ERROR_CORRUPT: one was changed. */
bool unchanged_agree(const struct world *world, struct dataset *const *datasets, size_t count,
                     struct error *error) WARN_UNUSED;

/* Collective over world; what is opened must be equal on every rank. The same of inputs alone (dataset_open_inputs),
 * whose content nobody has digested: whether none was written to. */
bool unchanged_inputs_agree(const struct world *world, struct dataset *inputs, size_t count,
                            struct error *error) WARN_UNUSED;

#endif
