/* One member of a zip archive (PKWARE, "APPNOTE.TXT", versions 2.0 to 4.5: stored and deflated members, zip64). Read
 * here, and not by a library, to know where in the file a stored member lies: it is mapped. */
#ifndef DATA_ARCHIVE_H
#define DATA_ARCHIVE_H

#include "base/error.h"
#include "data/content.h"

#include <stddef.h>
#include <stdint.h>

struct archive_member {
    const uint8_t *stored; /* [stored_bytes], in the archive */
    size_t stored_bytes;
    size_t bytes;   /* once inflated: no more than so many can become */
    uint32_t crc32; /* of them */
    bool deflated;
};

/* Local. Finds the last member of this name in an archive of `count` bytes; `path` for messages. ERROR_NOT_FOUND: there
 * is none, and the words say which there are. ERROR_CORRUPT. Holds nothing: for use in guarded work. */
bool archive_find(const uint8_t *bytes, size_t count, const char *path, const char *name, struct archive_member *member,
                  struct error *error) WARN_UNUSED;

/* Local. The name of member number `index` of those in the directory, cut to the room. False, and no error: there are
 * not so many; ERROR_CORRUPT. For use in guarded work. */
bool archive_name(const uint8_t *bytes, size_t count, const char *path, size_t index, char *name, size_t room,
                  struct error *error) WARN_UNUSED;

/* Local. The bytes of a member: where they lie if they are stored (*owned: NULL), else inflated (*owned: the caller's,
 * memory_free). They have their checksum. `name` for messages. The archive is read under guard_run. */
bool archive_take(const struct content *content, const struct archive_member *member, const char *name,
                  const uint8_t **bytes, uint8_t **owned, struct error *error) WARN_UNUSED;

#endif
