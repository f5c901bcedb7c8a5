#include "parallel/council.h"

#include "base/memory.h"
#include "base/wait.h"
#include "base/watchdog.h"

#include <stdio.h>
#include <string.h>

enum { TAG_VOTE = 1, TAG_ANSWER = 2 };

#define LATER_S 5 /* rank 0 has this much time to say who is late, before the others take rank 0 itself for late */

struct message {
    uint64_t affair, question;
    uint64_t ok, value;
    struct error error;
};

/* A message on its way. */
struct ballot {
    struct message in, out;
    MPI_Request receive, send; /* MPI_REQUEST_NULL: none is open */
    bool here;                 /* `in` answers the present question */
};

static bool is_done(MPI_Request *request)
{
    int done = 1;
    if (*request != MPI_REQUEST_NULL)
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
    return done;
}

void council_open(struct council *council, const struct world *world)
{
    size_t size = (size_t)world->size;
    *council = (struct council){.world = world};
    world_duplicate(world, &council->comm);
    council->votes = memory_need(size, sizeof *council->votes);
    council->own = memory_need(1, sizeof *council->own);
    for (size_t r = 0; r < size; r++)
        council->votes[r].receive = council->votes[r].send = MPI_REQUEST_NULL;
    council->own->receive = council->own->send = MPI_REQUEST_NULL;
}

static void give_up(MPI_Request *request)
{
    if (*request == MPI_REQUEST_NULL)
        return;
    MPI_Cancel(request);
    MPI_Wait(request, MPI_STATUS_IGNORE);
}

void council_close(struct council *council)
{
    if (!council->world)
        return;
    watchdog_begin_meeting("a council is closed (MPI_Comm_free)", 0, false);
    for (int r = 0; r < council->world->size; r++) {
        give_up(&council->votes[r].receive);
        MPI_Wait(&council->votes[r].send, MPI_STATUS_IGNORE);
    }
    give_up(&council->own->receive);
    MPI_Wait(&council->own->send, MPI_STATUS_IGNORE);
    MPI_Comm_free(&council->comm);
    watchdog_end();
    memory_free(council->votes);
    memory_free(council->own);
    *council = (struct council){0};
}

void council_begin(struct council *council)
{
    council->affair++;
    council->question = 0;
}

/* Whether the message that was waited for is here; what is left of older affairs is dropped on the way. The receive
 * stays open over questions and affairs that are given up, so that no message is lost or taken for another. */
static bool has_come(const struct council *council, struct ballot *ballot, int from, int tag)
{
    for (;;) {
        if (ballot->here)
            return true;
        if (ballot->receive == MPI_REQUEST_NULL)
            MPI_Irecv(&ballot->in, sizeof ballot->in, MPI_BYTE, from, tag, council->comm, &ballot->receive);
        if (!is_done(&ballot->receive))
            return false;
        ballot->here = ballot->in.affair == council->affair && ballot->in.question == council->question;
    }
}

/* Whether the message could be sent: not if an earlier one has not even left. Then the other rank hangs, and takes no
 * notice of anything. */
static bool send(const struct council *council, struct ballot *ballot, const struct message *message, int to, int tag)
{
    if (!is_done(&ballot->send))
        return false;
    ballot->out = *message;
    MPI_Isend(&ballot->out, sizeof ballot->out, MPI_BYTE, to, tag, council->comm, &ballot->send);
    return true;
}

/* Rank 0. Waits for all votes; returns how many have come in time. */
static int collect(struct council *council, double patience_s)
{
    int size = council->world->size, come;
    struct wait wait = wait_begin(patience_s);
    for (;;) {
        come = 1;
        for (int r = 1; r < size; r++)
            come += has_come(council, &council->votes[r], r, TAG_VOTE);
        if (come == size || wait_is_over(&wait))
            return come;
        wait_nap(&wait);
    }
}

/* Rank 0. "ranks 2, 5 have not finished <what> in 30 s". */
static void name_the_late(const struct council *council, double patience_s, const char *what, struct error *error)
{
    char names[400] = "";
    int late = 0;
    for (int r = 1; r < council->world->size; r++) {
        size_t used = strlen(names);
        if (council->votes[r].here)
            continue;
        if (used < sizeof names - 20)
            snprintf(names + used, sizeof names - used, "%s%d", late ? ", " : "", r);
        else if (used < sizeof names - 10)
            snprintf(names + used, sizeof names - used, ", ...");
        late++;
    }
    error_set(error, ERROR_LATE, "rank%s %s %s not finished %s in %.3g s", late == 1 ? "" : "s", names,
              late == 1 ? "has" : "have", what, patience_s);
}

/* Rank 0. The joint verdict of those who have come, in the words of the lowest that has failed. */
static bool judge(const struct council *council, bool ok, struct error *error)
{
    int size = council->world->size, guilty = ok ? -1 : 0, failed = ok ? 0 : 1;
    bool same = true;
    for (int r = 1; r < size; r++) {
        const struct message *vote = &council->votes[r].in;
        if (vote->ok)
            continue;
        if (guilty < 0) {
            guilty = r;
            *error = vote->error;
        }
        same = same && strcmp(vote->error.text, error->text) == 0;
        failed++;
    }
    if (failed > 0 && (failed < size || !same))
        error_prefix(error, "rank %d: ", guilty);
    return failed == 0;
}

/* Rank 0. Who is late gets the answer only if all earlier ones have left: it may hang, and then takes none. Who has
 * voted has taken all of them, so MPI is about to notice that they have left; that may need more than one look, since
 * the threads of a process keep each other from looking. */
static void answer_all(struct council *council, const struct message *answer)
{
    int size = council->world->size, missing;
    struct wait wait = wait_begin(LATER_S);
    for (int r = 1; r < size; r++)
        if (!council->votes[r].here)
            send(council, &council->votes[r], answer, r, TAG_ANSWER); /* if it cannot, r will lose its own patience */
    for (;;) {
        missing = 0;
        for (int r = 1; r < size; r++) {
            struct ballot *vote = &council->votes[r];
            vote->here = vote->here && !send(council, vote, answer, r, TAG_ANSWER);
            missing += vote->here;
        }
        if (missing == 0 || wait_is_over(&wait))
            break;
        wait_nap(&wait);
    }
    for (int r = 1; r < size; r++)
        council->votes[r].here = false;
}

static bool preside(struct council *council, bool ok, double patience_s, const char *what, uint64_t *value,
                    struct error *error)
{
    int size = council->world->size;
    if (collect(council, patience_s) < size) {
        name_the_late(council, patience_s, what, error);
        ok = false;
    } else {
        ok = judge(council, ok, error);
    }
    struct message answer = {
        .affair = council->affair, .question = council->question, .ok = ok, .value = value ? *value : 0};
    if (!ok)
        answer.error = *error;
    answer_all(council, &answer);
    return ok;
}

static bool attend(struct council *council, bool ok, double patience_s, const char *what, uint64_t *value,
                   struct error *error)
{
    struct ballot *own = council->own;
    struct message vote = {.affair = council->affair, .question = council->question, .ok = ok};
    double limit_s = 2 * patience_s + LATER_S; /* it may have come as late as we may, and then waits */
    struct wait wait = wait_begin(limit_s);
    if (!ok)
        vote.error = *error;
    bool sent = send(council, own, &vote, 0, TAG_VOTE);
    while (!has_come(council, own, 0, TAG_ANSWER)) {
        sent = sent || send(council, own, &vote, 0, TAG_VOTE);
        if (wait_is_over(&wait))
            return error_set(error, ERROR_LATE, "rank 0 has not finished %s in %.3g s", what, limit_s);
        wait_nap(&wait);
    }
    own->here = false;
    if (!own->in.ok)
        *error = own->in.error;
    else if (value)
        *value = own->in.value;
    return own->in.ok;
}

bool council_agree(struct council *council, bool ok, double patience_s, const char *what, uint64_t *value,
                   struct error *error)
{
    council->question++;
    if (council->world->rank == 0)
        return preside(council, ok, patience_s, what, value, error);
    return attend(council, ok, patience_s, what, value, error);
}

/* Waits for a message to all. After false it may still come: its buffer must stay. */
static bool finish(struct council *council, MPI_Request *request, double patience_s, struct error *error)
{
    struct wait wait = wait_begin(patience_s);
    while (!is_done(request)) {
        if (wait_is_over(&wait)) {
            council->broken = true;
            return error_set(error, ERROR_LATE, "a rank has stopped in the middle of a message, for %.3g s",
                             patience_s);
        }
        wait_nap(&wait);
    }
    return true;
}

bool council_gather(struct council *council, uint64_t *values, const int *counts, const int *places, double patience_s,
                    struct error *error)
{
    MPI_Request request;
    size_t total = 0;
    for (int r = 0; r < council->world->size; r++)
        if ((size_t)(places[r] + counts[r]) > total)
            total = (size_t)(places[r] + counts[r]);
    uint64_t *buffer = memory_need(total, sizeof *buffer);
    memcpy(buffer, values, total * sizeof *buffer);
    MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, buffer, counts, places, MPI_UINT64_T, council->comm, &request);
    if (!finish(council, &request, patience_s, error))
        return false;
    memcpy(values, buffer, total * sizeof *buffer);
    memory_free(buffer);
    return true;
}

bool council_share(struct council *council, void *bytes, size_t count, double patience_s, struct error *error)
{
    MPI_Request request;
    void *buffer = memory_need(count, 1);
    memcpy(buffer, bytes, count);
    MPI_Ibcast(buffer, (int)count, MPI_BYTE, 0, council->comm, &request);
    if (!finish(council, &request, patience_s, error))
        return false;
    memcpy(bytes, buffer, count);
    memory_free(buffer);
    return true;
}
