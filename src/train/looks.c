#include "train/looks.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/pattern.h"
#include "base/watchdog.h"
#include "parallel/node.h"
#include "run/run_files.h"
#include "train/restore.h"

#include <stdlib.h>
#include <sys/stat.h>

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

/* ---- the ranks of a node ---- */

static void add_bytes(const char *path, void *context)
{
    struct pattern pattern;
    struct error ignored;
    struct stat info;
    if (!pattern_find(&pattern, path, &ignored)) /* who opens it has the words */
        return;
    for (size_t i = 0; i < pattern.count; i++)
        if (stat(pattern.paths[i], &info) == 0 && S_ISREG(info.st_mode))
            *(double *)context += (double)info.st_size;
    pattern_release(&pattern);
}

/* Local, rank 0's decision. Whether a look costs more than to wait for that of another rank; a format that keeps none
 * would be read twice. */
static bool are_worth_turns(const struct session *session, double bytes)
{
    const struct dataset_class *train = session->job->data.train.class;
    const struct dataset_class *validation = session->job->data.validation.class;
    return session->world->size > 1 && bytes >= (double)LOOK_LEAST && train->recalls &&
           (!validation || validation->recalls);
}

static bool open_data(struct session *session, struct looks *looks, struct error *error)
{
    return job_data_open(session->job, &session->data.train, &session->data.validation, &looks->aid, error);
}

/* Collective over node. What its first rank has found, to all of it. */
static void share(const struct node *node, struct looks *looks)
{
    const struct look found[LOOKS] = {looks->aid.train.look, looks->aid.validation.look};
    struct text json;
    text_init(&json);
    if (node->rank == 0)
        look_write(found, LOOKS, &json);
    char *bytes = json.bytes;
    size_t count = json.length;
    node_share_bytes(node, &bytes, &count);
    if (node->rank != 0) {
        for (size_t i = 0; i < LOOKS; i++)
            look_release(&looks->known[i]);
        bool is_read = look_read(looks->known, LOOKS, bytes, count);
        looks->aid.train.is_of_node = looks->aid.validation.is_of_node = is_read;
        memory_free(bytes);
    }
    text_release(&json);
}

/* Collective over world. Who waits does so in an agreement, which naps and has a time limit. */
static bool open_in_turn(struct session *session, struct looks *looks, struct error *error)
{
    struct node node;
    struct error late;
    node_open(&node, session->world, session->options->ranks_per_node);
    bool ok = node.rank != 0 || open_data(session, looks, error);
    if (!restore_agree(session->restore, true, "looking at the data", &late)) {
        *error = late;
        return false;
    }
    share(&node, looks);
    ok = node.rank == 0 ? ok : open_data(session, looks, error);
    node_close(&node);
    return ok;
}

bool looks_open_data(struct session *session, struct looks *looks, struct error *error)
{
    double bytes = 0;
    job_data_each_path(session->job, add_bytes, &bytes);
    uint64_t looked_at = are_worth_turns(session, bytes) ? (uint64_t)bytes : 0;
    looked_at = world_share_number(session->world, looked_at);
    if (looked_at == 0)
        return open_data(session, looks, error);
    session->restore->patience.bytes = (double)looked_at;
    return open_in_turn(session, looks, error);
}

/* ---- for the next start ---- */

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
