#include "train/looks.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/watchdog.h"
#include "run/run_files.h"
#include "train/restore.h"

#include <stdlib.h>

/* Local, rank 0's work. The text; empty: there is none. */
static void read_file(const struct session *session, struct text *json)
{
    char path[PATH_MAX], *bytes;
    size_t count;
    struct error error;
    if (!run_file_path(session->job->run, RUN_LOOKS, path) || !file_read_note(path, &bytes, &count, &error))
        return;
    text_append_bytes(json, bytes, count);
    free(bytes);
}

bool looks_bring(struct session *session, struct looks *looks, struct error *error)
{
    struct text json;
    *looks = (struct looks){0};
    text_init(&json);
    if (session->world->rank == 0)
        read_file(session, &json);
    bool ok = restore_agree(session->restore, true, "reading what earlier starts have found in the data", error);
    if (ok) {
        char *bytes = json.bytes;
        size_t count = json.length;
        world_share_bytes(session->world, &bytes, &count);
        if (!look_read(looks->known, LOOKS, bytes, count) && count > 0)
            log_info("%s/%s is of no use: all samples are looked at", session->job->run, run_file_names[RUN_LOOKS]);
        if (session->world->rank != 0)
            memory_free(bytes);
    }
    looks->aid.train.known = &looks->known[0];
    looks->aid.validation.known = &looks->known[1];
    text_release(&json);
    return ok;
}

static void tell(const char *what, const struct dataset_aid *aid)
{
    if (aid->is_known)
        log_info("%s: not read as a whole: an earlier start has, and the files are the same by size, time and a sample "
                 "of their content",
                 what);
    if (aid->is_stale)
        log_info("%s: the files are not those that an earlier start has read: all samples are looked at again", what);
}

/* Local, rank 0's work. Nothing is lost if it fails, but time. */
static void write_file(const struct session *session, const struct look looks[LOOKS])
{
    char path[PATH_MAX];
    struct text json;
    struct error error;
    text_init(&json);
    look_write(looks, LOOKS, &json);
    watchdog_begin(run_file_names[RUN_LOOKS], 0);
    if (!run_file_path(session->job->run, RUN_LOOKS, path))
        error_set(&error, ERROR_USAGE, "the path is too long");
    else if (file_replace(path, json.bytes, json.length, &error))
        error_clear(&error);
    watchdog_end();
    if (error.kind != ERROR_NONE)
        log_warn("what was found in the data is not kept, and the next start looks at all samples again: %s",
                 error.text);
    text_release(&json);
}

void looks_keep(const struct session *session, const struct looks *looks)
{
    const struct dataset_aid *const aids[LOOKS] = {&looks->aid.train, &looks->aid.validation};
    const struct look all[LOOKS] = {aids[0]->look, aids[1]->look};
    bool is_new = false;
    tell("data.train", aids[0]);
    tell("data.validation", aids[1]);
    for (size_t i = 0; i < LOOKS; i++)
        is_new = is_new || (aids[i]->look.count > 0 && !aids[i]->is_known);
    if (is_new && session->world->rank == 0)
        write_file(session, all);
}

void looks_release(struct looks *looks)
{
    for (size_t i = 0; i < LOOKS; i++)
        look_release(&looks->known[i]);
    look_release(&looks->aid.train.look);
    look_release(&looks->aid.validation.look);
}
