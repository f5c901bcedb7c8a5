#include "weights/zip_entry.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdint.h>

#define INFLATE 1100 /* the most that deflate makes of a byte is 1032: an archive that promises more is a trap */

bool zip_entry_fail(struct error *error, const char *what, zip_error_t *reason)
{
    int system = zip_error_system_type(reason) == ZIP_ET_SYS;
    return error_set(error, system ? ERROR_IO : ERROR_CORRUPT, "%s: %s", what, zip_error_strerror(reason));
}

bool zip_entry_open(const char *path, zip_t **archive, struct error *error)
{
    int code;
    *archive = zip_open(path, ZIP_RDONLY, &code);
    if (*archive)
        return true;
    zip_error_t reason;
    zip_error_init_with_code(&reason, code);
    zip_entry_fail(error, "cannot be opened as a zip archive", &reason);
    zip_error_fini(&reason);
    return false;
}

bool zip_entry_check_size(const zip_stat_t *stat, struct error *error)
{
    zip_uint64_t wanted = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    bool ok = (stat->valid & wanted) == wanted && stat->size / INFLATE <= stat->comp_size;
    ok = ok && stat->size < PTRDIFF_MAX;
    return ok || error_set(error, ERROR_CORRUPT, "%" PRIu64 " bytes cannot be in %" PRIu64 " compressed ones",
                           (uint64_t)stat->size, (uint64_t)stat->comp_size);
}

bool zip_entry_take(zip_file_t *entry, void *bytes, size_t count, struct error *error)
{
    for (size_t done = 0; done < count;) {
        zip_int64_t got = zip_fread(entry, (char *)bytes + done, count - done);
        if (got < 0)
            return zip_entry_fail(error, "cannot be unpacked", zip_file_get_error(entry));
        if (got == 0)
            return error_set(error, ERROR_CORRUPT, "it ends too early");
        done += (size_t)got;
    }
    return true;
}

bool zip_entry_end(zip_file_t *entry, struct error *error)
{
    char behind;
    zip_int64_t more = zip_fread(entry, &behind, 1);
    if (more < 0)
        return zip_entry_fail(error, "cannot be unpacked", zip_file_get_error(entry));
    return more == 0 || error_set(error, ERROR_CORRUPT, "there is something behind its end");
}

/* Of a member that is there. */
static char *read_member(zip_t *archive, const char *name, const zip_stat_t *stat, struct error *error)
{
    char *bytes = memory_alloc(stat->size + 1, 1, "a member", error);
    if (!bytes)
        return NULL;
    zip_file_t *entry = zip_fopen(archive, name, 0);
    bool ok = entry ? zip_entry_take(entry, bytes, stat->size, error) && zip_entry_end(entry, error)
                    : zip_entry_fail(error, "cannot be opened", zip_get_error(archive));
    if (entry)
        zip_fclose(entry);
    if (ok) {
        bytes[stat->size] = '\0';
        return bytes;
    }
    memory_free(bytes);
    return NULL;
}

bool zip_entry_read(zip_t *archive, const char *name, char **bytes, size_t *count, struct error *error)
{
    zip_stat_t stat;
    *bytes = NULL;
    *count = 0;
    bool ok = zip_stat(archive, name, 0, &stat) == 0 || zip_entry_fail(error, "is not there", zip_get_error(archive));
    ok = ok && zip_entry_check_size(&stat, error) && (*bytes = read_member(archive, name, &stat, error));
    if (!ok)
        return error_prefix(error, "%s: ", name);
    *count = stat.size;
    return true;
}
