/* Whether what HDF5 finds in a checkpoint is what our own record says: for files from before there were images, and for
 * `lockstep verify`. HDF5 may crash or never end over a hostile file: to be called by a process that may
 * (contained.h). */
#ifndef CHECKPOINT_RECORD_PROVE_H
#define CHECKPOINT_RECORD_PROVE_H

#include "checkpoint/record_image.h"

#include <hdf5.h>

/* Local. The layout of an open file, from its groups /state, /digest and /model. ERROR_CORRUPT. The caller's
 * (record_layout_release), also after failure. */
bool record_find_layout(hid_t file, struct record_layout *layout, struct error *error) WARN_UNUSED;

/* Local. That /state, /digest, /model and /optimizer hold what the layout says and nothing else: arrays at their places
 * in this file, and of every tensor a view of its part of each. */
bool record_prove_layout(hid_t file, const struct record_layout *layout, struct error *error) WARN_UNUSED;

/* Local. That the root holds the groups and tables that a file with this record has, and nothing else. */
bool record_prove_root(hid_t file, const struct record *record, const struct record_layout *layout,
                       struct error *error) WARN_UNUSED;

/* Local. That attributes and tables are those of the record, and that the root holds nothing else. */
bool record_prove(hid_t file, const struct record *record, const struct record_layout *layout,
                  struct error *error) WARN_UNUSED;

#endif
