/* The bytes of a file that a dataset is made of: a plain one is mapped, so that the ranks of a node share the page
 * cache, and stays open, so that it can be looked at (watched.h); what gzip made is inflated (inflated.h), whatever its
 * name. */
#ifndef DATA_CONTENT_H
#define DATA_CONTENT_H

#include "base/error.h"
#include "data/inflated.h"
#include "data/watched.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct content {
    const uint8_t *bytes; /* [count]; NULL: closed, or left */
    size_t count;         /* above 0 */
    struct watched watched;
    /* private */
    void *mapping; /* of a plain file */
    struct inflated inflated;
};

/* Local. `what`: "an IDX file", for the words about a directory or a device; table: of what is inflated already, NULL:
 * nothing is. Whoever reads the bytes does so under guard_run (base/guard.h). Nothing stays after failure. */
bool content_open(struct content *content, const char *path, const char *what, const struct inflated_table *table,
                  struct error *error) WARN_UNUSED;

/* Local. Gives the bytes back before the end: what was needed of them is in memory. The file is still watched, as one
 * that was read as a whole. */
void content_leave(struct content *content);

/* Local. Accepts a closed one. */
void content_close(struct content *content);

/* Local. Runs work(context) under guard_run; false, with words, if there were no bytes. */
bool content_guard(const struct content *content, void (*work)(void *), void *context, struct error *error) WARN_UNUSED;

/* Local. Whether they begin so; bytes may be NULL. */
bool content_begins(const uint8_t *bytes, size_t count, const char *magic, size_t length);

/* Local. Whether the beginning of a file may be that of a text in UTF-8; bytes may be NULL. */
bool content_is_text(const uint8_t *bytes, size_t count);

/* How files of a kind begin, and what they are; a table of them ends with one of NULL. */
struct content_magic {
    const char *bytes;
    size_t length;
    const char *words;
};

/* Local. The words of the first of them that the bytes begin with; NULL: none. */
const char *content_find(const struct content_magic *magics, const uint8_t *bytes, size_t count);

/* Local. Whether they look like a text of which each byte is a character, not all of them in ASCII, as of Latin-1. */
bool content_is_single_bytes(const uint8_t *bytes, size_t count);

/* Local. What a file that is no text is by its first bytes, and what reads it: "a NumPy file: format: npy"; NULL: not
 * known. */
const char *content_kind(const uint8_t *bytes, size_t count);

/* Local. What a file seems to be: of a kind, a text, or by the end of its name tokens; NULL: not known. */
const char *content_seems(const char *path, const uint8_t *bytes, size_t count);

/* Local. Whether they begin as IDX files do, with sizes of which such a file has so many bytes. */
bool content_is_idx(const uint8_t *bytes, size_t count, uint64_t length);

/* Local. The first bytes of a file, inflated, at most so many. */
bool content_peek(const char *path, uint8_t *bytes, size_t most, size_t *count, struct error *error) WARN_UNUSED;

/* Local. In words that what has this path is a directory, or no regular file, where `what` is wanted. Always false. */
bool content_refuse_irregular(const char *path, mode_t mode, const char *what, struct error *error);

#define CONTENT_PEEK 65536 /* bytes that tell what a file is */

#endif
