/* A record as HDF5 has it, for other programs: attributes of the root, tables, and a view of every tensor. lockstep
 * writes it, but reads only the image (record_image.h); what is in files from before there were images is read here, by
 * a process that may crash (contained.h). */
#ifndef CHECKPOINT_RECORD_H5_H
#define CHECKPOINT_RECORD_H5_H

#include "checkpoint/record_image.h"

#include <hdf5.h>

/* What stands for a fingerprint until the commit. */
#define RECORD_BLANK "uncommitted     "

#define RECORD_PATH 512 /* bytes: more than the names of an array and of a tensor can make of it */

/* Local. What the view of a tensor of an array is called: "/model/<tensor>" of the params, of the others
 * "/optimizer/<array>/<tensor>". */
void record_view_path(const char *array, const char *tensor, char path[RECORD_PATH]);

/* Local. The types of the rows of a table: in memory and in the file. The caller closes it. */
hid_t record_row_type(const struct record_table *table, uint64_t version);

/* Local. Writes attributes, tables and views into an open file. The fingerprint stays blank. */
bool record_h5_write(hid_t file, const struct record *record, const struct record_layout *layout,
                     struct error *error) WARN_UNUSED;

/* Local. Fills in the fingerprint of a closed, complete file. It needs no new space on the disk. */
bool record_h5_finish(const char *path, uint64_t fingerprint, struct error *error) WARN_UNUSED;

/* Local. The version of an open file. ERROR_CORRUPT: it is no checkpoint. */
bool record_h5_version(hid_t file, uint64_t *version, struct error *error) WARN_UNUSED;

/* Local. Attributes and tables of an open, finished file of this version. ERROR_CORRUPT. The record is the caller's;
 * nothing stays after failure. */
bool record_h5_read_fields(hid_t file, uint64_t version, struct record *record, struct error *error) WARN_UNUSED;

/* Local. Reads the record and the layout of an open file of the versions 1 to 3. ERROR_VERSION if it is of a newer one;
 * ERROR_CORRUPT if it is no checkpoint, or not a finished one. Both are the caller's (record_release,
 * record_layout_release); nothing stays after failure. */
bool record_h5_read(hid_t file, struct record *record, struct record_layout *layout, struct error *error) WARN_UNUSED;

#endif
