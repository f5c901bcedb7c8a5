/* What a look at all samples of a dataset has found, kept for later starts: those see that the files are the same, and
 * need not read them again. That they are the same is told by size, time and the content of a sample of blocks. A file
 * that was written to, and then given its old time, is found out by the time of its inode's last change; one that was
 * copied to another place with its time (cp -p, rsync -a) has another inode, and counts as the same. */
#ifndef DATA_LOOK_H
#define DATA_LOOK_H

#include "base/error.h"
#include "base/text.h"
#include "data/watched.h"

#include <stddef.h>
#include <stdint.h>

#define LOOK_LEAST ((uint64_t)16 << 20) /* bytes of all files; what is less is read again: it costs no time */

/* One of the files, in their order. */
struct look_file {
    uint64_t bytes, inode;
    uint64_t written_ns, changed_ns; /* its content, its inode; since 1970 */
    uint64_t sample;                 /* digest of some of its blocks */
};

struct look_found {
    uint64_t digest;   /* as the format's open has it to set */
    uint64_t kinds;    /* classes, or the vocabulary; 0: neither */
    bool lacks_first;  /* no label is the first of the classes */
    float least, most; /* of the targets; both 0: there are labels or tokens */
};

struct look {
    uint64_t question; /* digest of all that the findings hang on, besides the files */
    struct look_file *files;
    size_t count; /* files; 0: nothing is known */
    struct look_found found;
};

/* Local. Whether the files are worth it: they are read where they lie, and are more than a sample. */
bool look_is_worth(const struct watched *files);

/* Local. How the files are, as they were when they were opened; `sample` as they are now. The look is empty. False:
 * nothing is known, for one of them cannot be read, or was written so short a time before `opened_s` (clock_unix) that
 * the next write could have the same time. */
bool look_take(struct look *look, const struct watched *files, double opened_s);

/* Local. Whether these are the files of the look. in_place: themselves, not copies of them. */
bool look_holds(const struct look *look, const struct watched *files, bool in_place);

/* Local. A copy of its own. Release accepts a released one. */
void look_copy(struct look *look, const struct look *from);
void look_release(struct look *look);

/* Local. Where block `index` of `count` lies that are looked at in a file of so many bytes, and how many bytes it has;
 * count: of look_blocks. */
size_t look_blocks(uint64_t bytes, size_t files);
uint64_t look_place(uint64_t bytes, size_t index, size_t count, size_t *length);

/* From here on: look_json.c. */

/* Local. Looks as one text, with a digest of itself; and back. False: it is none of these, was damaged, or is of
 * another version; then all looks are empty, as those are that the text does not have. */
void look_write(const struct look *looks, size_t count, struct text *json);
bool look_read(struct look *looks, size_t count, const char *json, size_t bytes);

#endif
