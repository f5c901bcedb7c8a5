#include "train/timeline_file.h"

#include "base/file.h"
#include "base/hidden_file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/timeline.h"
#include "parallel/clocks.h"
#include "parallel/transfer.h"
#include "run/environment.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAG        91
#define PATIENCE_S 600.0

bool timeline_file_check(const struct world *world, const char *path, struct error *error)
{
    struct hidden_file file;
    uint64_t token;
    bool ok = world->rank != 0;
    if (!ok && (ok = hidden_file_make(&file, path, &token, error)))
        hidden_file_release(&file, true);
    if (!ok)
        error->kind = ERROR_USAGE;
    return world_agree(world, ok, error);
}

/* ---- a rank's part ---- */

/* Who begins first, and is around others that begin at the same moment. */
static int compare(const void *a, const void *b)
{
    const struct timeline_event *one = a, *other = b;
    int begin = (one->begin_s > other->begin_s) - (one->begin_s < other->begin_s);
    return begin ? begin : (one->end_s < other->end_s) - (one->end_s > other->end_s);
}

/* What is kept of a thread, in the order in which it began. The caller frees it. */
static struct timeline_event *sorted(const struct timeline_track *track)
{
    struct timeline_event *events = memory_need(track->kept, sizeof *events);
    for (uint64_t i = 0; i < track->kept; i++)
        events[i] = *timeline_event(track, track->count - track->kept + i);
    qsort(events, track->kept, sizeof *events, compare);
    return events;
}

static void append_name(struct text *text, const char *kind, int rank, size_t thread, const char *name)
{
    text_append(text, "{\"ph\":\"M\",\"pid\":%d,\"tid\":%zu,\"name\":\"%s\",\"args\":{\"name\":", rank, thread, kind);
    text_append_json(text, name);
    text_append(text, "}},\n");
}

static void append_event(struct text *text, const struct timeline_event *event, int rank, size_t thread,
                         const struct model *model, double zero_s)
{
    char name[120];
    const char *word = timeline_word(event->mark);
    bool is_layer = event->part < model->count;
    snprintf(name, sizeof name, "%s%s%s", word, is_layer ? " " : "", is_layer ? model->layers[event->part].name : "");
    text_append(text, "{\"ph\":\"X\",\"pid\":%d,\"tid\":%zu,\"ts\":%.3f,\"dur\":%.3f,\"cat\":\"%s\",\"name\":", rank,
                thread, 1e6 * (event->begin_s - zero_s), 1e6 * (event->end_s - event->begin_s), word);
    text_append_json(text, name);
    text_append(text, "},\n");
}

/* The first moment of anything that is kept. */
static double first_moment(void)
{
    double first_s = INFINITY;
    for (size_t t = 0; t < timeline_track_count(); t++) {
        struct timeline_track track = timeline_track(t);
        for (uint64_t i = track.count - track.kept; i < track.count; i++)
            first_s = fmin(first_s, timeline_event(&track, i)->begin_s);
    }
    return first_s;
}

/* Returns how many events were dropped. zero_s: on this rank's clock. */
static uint64_t append_rank(struct text *text, int rank, const struct model *model, double zero_s)
{
    char host[ENVIRONMENT_HOST], name[ENVIRONMENT_HOST + 40];
    uint64_t dropped = 0;
    environment_host(host);
    snprintf(name, sizeof name, "rank %d on %s", rank, host);
    append_name(text, "process_name", rank, 0, name);
    for (size_t t = 0; t < timeline_track_count(); t++) {
        struct timeline_track track = timeline_track(t);
        struct timeline_event *events = sorted(&track);
        append_name(text, "thread_name", rank, t, track.thread);
        for (uint64_t i = 0; i < track.kept; i++)
            append_event(text, &events[i], rank, t, model, zero_s);
        dropped += track.count - track.kept;
        memory_free(events);
    }
    return dropped;
}

/* ---- all of them into one file ---- */

struct output {
    struct hidden_file file;
    const char *path;
    uint64_t bytes;
};

static bool put(void *context, const void *bytes, size_t count, struct error *error)
{
    struct output *output = context;
    if (!file_write_at(output->file.descriptor, bytes, count, output->bytes))
        return error_errno(error, "cannot write %s", output->path);
    output->bytes += count;
    return true;
}

/* Collective. Rank 0's part, then those of the others, one at a time. The verdict is of the rank alone. */
static bool put_all(const struct world *world, struct output *output, const struct text *own, struct error *error)
{
    uint64_t bytes = own->length, *all = memory_need((size_t)world->size, sizeof *all);
    world_gather(world, &bytes, sizeof bytes, all);
    bool ok = world->rank != 0 || put(output, own->bytes, own->length, error);
    for (int rank = 1; rank < world->size; rank++) {
        const struct transfer_out out = {.to = 0, .bytes = own->bytes, .count = own->length};
        const struct transfer_in in = {.from = rank, .count = all[rank], .take = put, .context = output};
        struct error theirs;
        if ((world->rank == 0 || world->rank == rank) &&
            !transfer_run(world->comm, TAG, &out, world->rank == rank, &in, world->rank == 0, PATIENCE_S,
                          "the timeline of the ranks", ok ? error : &theirs))
            ok = false;
    }
    memory_free(all);
    return ok;
}

/* Rank 0's head of the file. */
static bool put_head(const struct world *world, struct output *output, double precision_s, double dropped,
                     struct error *error)
{
    struct text head;
    text_init(&head);
    text_append(&head,
                "{\"displayTimeUnit\":\"ms\",\n\"otherData\":{\"program\":\"lockstep " LOCKSTEP_VERSION
                "\",\"ranks\":%d,\"clock_precision_us\":%.3f,\"dropped\":%.0f},\n\"traceEvents\":[\n",
                world->size, 1e6 * precision_s, dropped);
    bool ok = put(output, head.bytes, head.length, error);
    text_release(&head);
    return ok;
}

/* Its tail: behind the last event stands a comma. */
#define TAIL "{\"ph\":\"M\",\"pid\":0,\"tid\":0,\"name\":\"process_sort_index\",\"args\":{\"sort_index\":0}}\n]}\n"

bool timeline_file_write(const struct world *world, const char *path, const struct model *model, struct error *error)
{
    struct output output = {.file.descriptor = -1, .path = path};
    struct text own;
    double precision_s, first_s, *all = memory_need((size_t)world->size, 3 * sizeof *all);
    uint64_t token;
    bool is_first = world->rank == 0;
    double offset_s = clocks_offset(world, &precision_s);
    first_s = first_moment() + offset_s;
    world_gather(world, &first_s, sizeof first_s, all);
    for (int rank = 0; is_first && rank < world->size; rank++)
        first_s = fmin(first_s, all[rank]);
    world_share(world, &first_s, sizeof first_s);
    text_init(&own);
    double numbers[] = {precision_s, (double)append_rank(&own, world->rank, model, first_s - offset_s)}, dropped = 0;
    world_gather(world, numbers, sizeof numbers, all);
    for (int rank = 0; is_first && rank < world->size; rank++) {
        precision_s = fmax(precision_s, all[2 * rank]);
        dropped += all[2 * rank + 1];
    }
    bool ok = !is_first || (hidden_file_make(&output.file, path, &token, error) &&
                            put_head(world, &output, precision_s, dropped, error));
    ok = world_agree(world, ok, error);
    ok = ok && put_all(world, &output, &own, error);
    if (is_first)
        ok = ok && put(&output, TAIL, strlen(TAIL), error) && hidden_file_publish(&output.file, path, error);
    ok = world_agree(world, ok, error);
    if (is_first)
        hidden_file_release(&output.file, true);
    text_release(&own);
    memory_free(all);
    return ok;
}
