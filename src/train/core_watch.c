#include "train/core_watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/plural.h"
#include "run/environment.h"
#include "train/learner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW_S     5.0  /* long enough that somebody who passes by is no reason to say a word */
#define WINDOW_STEPS 2    /* at least */
#define WINDOWS      12   /* about a minute: who comes later has a minute of his own, and says it */
#define SHARE        0.25 /* of a window */

/* What a rank tells the others: on how many threads it computes, of the cores that the node has on which, and where. */
struct place {
    unsigned long threads, online;
    cpu_set_t cores;
    const char *list, *host; /* in the text */
};

static void append_place(const struct core_watch *watch, struct text *text)
{
    char host[ENVIRONMENT_HOST];
    environment_host(host);
    text_append(text, "%zu %ld ", watch->threads, sysconf(_SC_NPROCESSORS_ONLN));
    cores_append(&watch->cores, text);
    text_append(text, " %s", host);
}

/* False: it does not know its cores. */
static bool read_place(char *text, struct place *place)
{
    place->threads = strtoul(text, &text, 10);
    place->online = strtoul(text, &text, 10);
    place->list = ++text;
    text += strcspn(text, " ");
    *text = '\0';
    place->host = text + 1;
    return cores_read(place->list, &place->cores) && CPU_COUNT(&place->cores) > 0;
}

/* Threads of ranks on rank r's node that can only run on cores of rank r. */
static unsigned long threads_within(const struct world *world, const struct node *node, const struct place *places,
                                    int r)
{
    unsigned long threads = 0;

    for (int other = 0; other < world->size; other++)
        if (node->node_of[other] == node->node_of[r] && cores_are_within(&places[other].cores, &places[r].cores))
            threads += places[other].threads;
    return threads;
}

/* Cores that none of the node's ranks may use would be of use. */
static void warn_of_overfull(const struct place *place, int rank, unsigned long threads)
{
    size_t count = (size_t)CPU_COUNT(&place->cores);
    log_warn(
        "rank %d on %s is bound to core%s %s, and of this job %lu threads have to run there alone, although the node "
        "has %lu cores: they wait for each other. mpirun --bind-to none, or --map-by core --bind-to core, deals "
        "them out; under srun --cpu-bind=cores",
        rank, place->host, plural(count), place->list, threads, place->online);
}

void core_watch_begin(struct core_watch *watch, const struct world *world, const struct node *node, size_t threads)
{
    int size = world->size;
    struct text text;
    *watch = (struct core_watch){.windows = WINDOWS, .threads = threads};
    if (sched_getaffinity(0, sizeof watch->cores, &watch->cores) != 0)
        CPU_ZERO(&watch->cores);
    text_init(&text);
    append_place(watch, &text);
    char **texts = world_gather_texts(world, text_bytes(&text));
    struct place *places = memory_need((size_t)size, sizeof *places);
    bool known = true, is_told = false;
    for (int r = 0; r < size; r++)
        known = read_place(texts[r], &places[r]) && known;
    for (int r = 0; known && r < size; r++) {
        size_t count = (size_t)CPU_COUNT(&places[r].cores);
        unsigned long wanted = threads_within(world, node, places, r);
        if (wanted <= count)
            continue;
        if (node->node_of[r] == node->index)
            watch->is_crowded = true;
        bool is_bound = wanted > places[r].threads && count < places[r].online; /* else by whom it was started so */
        if (is_bound && !is_told)
            warn_of_overfull(&places[r], r, wanted);
        is_told = is_told || is_bound;
    }
    watch->is_crowded = watch->is_crowded || !known;
    memory_free(places);
    memory_free(texts);
    text_release(&text);
}

double core_watch_share(struct core_watch *watch, uint64_t step)
{
    struct cores_wait now;
    double clock_s = clock_seconds();
    if (watch->windows == 0 || watch->is_crowded)
        return 0;
    bool begins = watch->begin.now_s == 0;
    if (!begins && (clock_s - watch->begin.now_s < WINDOW_S || step < watch->first_step + WINDOW_STEPS))
        return watch->share;
    if (!cores_wait_now(&now)) {
        watch->windows = 0;
        return 0;
    }
    if (!begins) {
        /* Threads of our own beside the one that trains (a save) are no stranger; where several compute, they have
         * cores of their own. */
        double own_s = watch->threads == 1 ? now.others_s - watch->begin.others_s : 0;
        double waited_s = now.ready_s - watch->begin.ready_s - own_s;
        watch->length_s = now.now_s - watch->begin.now_s;
        watch->share = fmax(0, waited_s / watch->length_s);
        watch->is_held = now.held_s - watch->begin.held_s > waited_s / 2;
        watch->windows--;
    }
    watch->begin = now;
    watch->first_step = step;
    return watch->share;
}

/* Local. What this rank has seen; nothing, if it has its cores for itself. */
static void append_finding(const struct core_watch *watch, int rank, struct text *text)
{
    char host[ENVIRONMENT_HOST], name[17];
    pid_t pid;
    size_t count = (size_t)CPU_COUNT(&watch->cores), online = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    if (watch->share <= SHARE)
        return;
    environment_host(host);
    text_append(text, "rank %d on %s has waited for a core in %.0f %% of %.0f s", rank, host, 100 * watch->share,
                watch->length_s);
    if (watch->is_held) {
        text_append(text, ": its control group has a quota of CPU (cpu.max), which was used up. Ask for more CPUs, or "
                          "start fewer ranks");
        return;
    }
    text_append(text, "; it may run on core%s ", plural(count));
    cores_append(&watch->cores, text);
    if (cores_busy_process(&watch->cores, &pid, name))
        text_append(text, ", where process %d (%s) works, too", (int)pid, name);
    else
        text_append(text, ", where others work, too");
    text_append(text, count < online
                          ? ". Two mpirun on one machine bind to the same cores: --cpu-set gives each its own, "
                            "--bind-to none leaves it to the system"
                          : ". More is to be done there than it has cores: start fewer ranks, or one after "
                            "the other");
}

void core_watch_tell(struct core_watch *watch, const struct world *world, const struct tally *tally)
{
    bool is_due = false;
    for (size_t leaf = 0; !watch->is_told && leaf < tally->items; leaf++)
        is_due = is_due || tally->values[leaf * tally->columns + LEAF_CORE_SHARE] > SHARE;
    if (!is_due)
        return;
    struct text text;
    int first = -1, more = 0;
    text_init(&text);
    append_finding(watch, world->rank, &text);
    char **all = world_gather_texts(world, text_bytes(&text));
    for (int r = 0; r < world->size; r++) {
        more += first >= 0 && *all[r];
        first = first < 0 && *all[r] ? r : first;
    }
    char others[60] = "";
    if (more > 0)
        snprintf(others, sizeof others, " (%d more rank%s found the same)", more, plural((uint64_t)more));
    log_warn("%s%s", first >= 0 ? all[first] : "", others);
    watch->is_told = true;
    watch->windows = 0;
    watch->share = 0;
    memory_free(all);
    text_release(&text);
}
