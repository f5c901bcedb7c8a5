#include "parallel/heartbeat.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "base/watchdog.h"
#include "parallel/promise.h"

#include <limits.h>
#include <unistd.h>

enum sign { BEAT = 1, FAREWELL = 2 };

enum phase {
    WAITING, /* for the word that every rank has its thread */
    CALLED_OFF,
    BEATING,
    LEAVING,
};

#define PERIOD_MOST_S 1.0
#define PERIODS       10   /* at least, in the limit */
#define LEAVING_NAP_S 1e-3 /* between looks for the last farewell */
#define HOST_BYTES    (HOST_NAME_MAX + 1)

/* What goes to a rank and comes from it. */
struct line {
    int rank;
    int in, out;
    MPI_Request receive, send; /* MPI_REQUEST_NULL: none is open */
    unsigned silence;          /* own beats since the last sign of it */
    bool heard_farewell, said_farewell;
};

struct heartbeat {
    MPI_Comm comm; /* our own */
    char **hosts;  /* [size] */
    struct line *lines;
    size_t count;
    double limit_s, period_s;
    void (*lost)(const struct error *error);

    pthread_t thread;
    pthread_mutex_t mutex; /* of the phase */
    pthread_cond_t change;
    enum phase phase;
};

static bool is_done(MPI_Request *request)
{
    int done = 1;
    if (*request != MPI_REQUEST_NULL)
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
    return done;
}

/* Takes all signs that have come. The farewell is the last. */
static void listen(struct heartbeat *heartbeat, struct line *line)
{
    while (!line->heard_farewell) {
        if (line->receive == MPI_REQUEST_NULL)
            MPI_Irecv(&line->in, 1, MPI_INT, line->rank, 0, heartbeat->comm, &line->receive);
        if (!is_done(&line->receive))
            return;
        line->silence = 0;
        line->heard_farewell = line->in == FAREWELL;
    }
}

/* False if the last one has not even left: the other rank hangs, and one sign more would not help. */
static bool say(struct heartbeat *heartbeat, struct line *line, int sign)
{
    if (!is_done(&line->send))
        return false;
    line->out = sign;
    MPI_Isend(&line->out, 1, MPI_INT, line->rank, 0, heartbeat->comm, &line->send);
    return true;
}

static void count_silence(struct heartbeat *heartbeat, struct line *line)
{
    struct error error;
    if (line->heard_farewell || ++line->silence * heartbeat->period_s < heartbeat->limit_s)
        return;
    error_set(&error, ERROR_LATE,
              "rank %d on %s has given no sign of life for %g s: it was stopped, or its node or the network is gone. "
              "Started again, the job goes on from its newest checkpoint",
              line->rank, heartbeat->hosts[line->rank], heartbeat->limit_s);
    heartbeat->lost(&error);
}

static void set_phase(struct heartbeat *heartbeat, enum phase phase)
{
    pthread_mutex_lock(&heartbeat->mutex);
    heartbeat->phase = phase;
    pthread_cond_signal(&heartbeat->change);
    pthread_mutex_unlock(&heartbeat->mutex);
}

/* Until the phase is not this one any more, or the time is over; 0: for any time. Returns the phase. */
static enum phase wait_in(struct heartbeat *heartbeat, enum phase phase, double seconds)
{
    struct timespec end = thread_end(seconds);
    int code = 0;
    pthread_mutex_lock(&heartbeat->mutex);
    while (heartbeat->phase == phase && code == 0)
        code = seconds > 0 ? pthread_cond_timedwait(&heartbeat->change, &heartbeat->mutex, &end)
                           : pthread_cond_wait(&heartbeat->change, &heartbeat->mutex);
    phase = heartbeat->phase;
    pthread_mutex_unlock(&heartbeat->mutex);
    return phase;
}

/* Whether all is said and heard. */
static bool take_leave(struct heartbeat *heartbeat)
{
    bool over = true;
    for (size_t i = 0; i < heartbeat->count; i++) {
        struct line *line = &heartbeat->lines[i];
        line->said_farewell = line->said_farewell || say(heartbeat, line, FAREWELL);
        over = over && line->heard_farewell && line->said_farewell && is_done(&line->send);
    }
    return over;
}

static void *thread(void *argument)
{
    struct heartbeat *heartbeat = argument;
    enum phase phase = wait_in(heartbeat, WAITING, 0);
    double last_s = 0;
    while (phase != CALLED_OFF) {
        bool is_time = clock_seconds() - last_s >= heartbeat->period_s;
        for (size_t i = 0; i < heartbeat->count; i++) {
            struct line *line = &heartbeat->lines[i];
            listen(heartbeat, line);
            if (is_time && phase == BEATING)
                say(heartbeat, line, BEAT);
            if (is_time)
                count_silence(heartbeat, line);
        }
        if (is_time)
            last_s = clock_seconds();
        if (phase == LEAVING && take_leave(heartbeat))
            break;
        phase = wait_in(heartbeat, phase, phase == LEAVING ? LEAVING_NAP_S : heartbeat->period_s);
    }
    return NULL;
}

/* Rank 0 is joined with all others, each of them with rank 0. */
static void join(struct heartbeat *heartbeat, const struct world *world)
{
    heartbeat->count = world->rank == 0 ? (size_t)world->size - 1 : 1;
    heartbeat->lines = memory_need(heartbeat->count, sizeof *heartbeat->lines);
    for (size_t i = 0; i < heartbeat->count; i++)
        heartbeat->lines[i] = (struct line){
            .rank = world->rank == 0 ? (int)i + 1 : 0, .receive = MPI_REQUEST_NULL, .send = MPI_REQUEST_NULL};
}

static void release(struct heartbeat *heartbeat)
{
    pthread_cond_destroy(&heartbeat->change);
    pthread_mutex_destroy(&heartbeat->mutex);
    MPI_Comm_free(&heartbeat->comm);
    memory_free(heartbeat->lines);
    memory_free(heartbeat->hosts);
    memory_free(heartbeat);
}

bool heartbeat_open(struct heartbeat **opened, const struct world *world, double limit_s,
                    void (*lost)(const struct error *error), struct error *error)
{
    int level;
    PROMISE_EQUAL_REAL(world, limit_s);
    char host[HOST_BYTES] = "";
    *opened = NULL;
    MPI_Query_thread(&level);
    if (level != MPI_THREAD_MULTIPLE || world->size == 1)
        return true;
    struct heartbeat *heartbeat = memory_need(1, sizeof *heartbeat);
    *heartbeat = (struct heartbeat){.limit_s = limit_s, .lost = lost, .period_s = limit_s / PERIODS};
    if (heartbeat->period_s > PERIOD_MOST_S)
        heartbeat->period_s = PERIOD_MOST_S;
    gethostname(host, sizeof host - 1);
    heartbeat->hosts = world_gather_texts(world, host);
    world_duplicate(world, &heartbeat->comm);
    join(heartbeat, world);
    pthread_mutex_init(&heartbeat->mutex, NULL);
    thread_init_condition(&heartbeat->change);
    bool started = thread_start(&heartbeat->thread, thread, heartbeat), ok = started;
    if (!started)
        error_set(error, ERROR_IO, "cannot start the thread of the heartbeat; heartbeat: 0 does without");
    ok = world_agree(world, ok, error);
    if (ok) {
        set_phase(heartbeat, BEATING);
        *opened = heartbeat;
        return true;
    }
    set_phase(heartbeat, CALLED_OFF);
    if (started)
        pthread_join(heartbeat->thread, NULL);
    release(heartbeat);
    return false;
}

void heartbeat_close(struct heartbeat *heartbeat)
{
    if (!heartbeat)
        return;
    watchdog_begin_meeting("the ranks take leave of each other", 0, false);
    set_phase(heartbeat, LEAVING);
    pthread_join(heartbeat->thread, NULL);
    release(heartbeat);
    watchdog_end();
}
