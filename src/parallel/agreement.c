#include "parallel/agreement.h"

#include "base/memory.h"
#include "base/wait.h"
#include "base/watchdog.h"

#include <stdio.h>
#include <string.h>

enum { TAG_VOTE = 1, TAG_ANSWER = 2 };

#define LATER_S 5 /* rank 0 has this much time to say who is late, before the others take rank 0 itself for late */

struct message {
    uint64_t round, question;
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

void agreement_open(struct agreement *agreement, const struct world *world)
{
    size_t size = (size_t)world->size;
    *agreement = (struct agreement){.world = world};
    world_duplicate(world, &agreement->comm);
    agreement->votes = memory_need(size, sizeof *agreement->votes);
    agreement->own = memory_need(1, sizeof *agreement->own);
    for (size_t r = 0; r < size; r++)
        agreement->votes[r].receive = agreement->votes[r].send = MPI_REQUEST_NULL;
    agreement->own->receive = agreement->own->send = MPI_REQUEST_NULL;
}

static void give_up(MPI_Request *request)
{
    if (*request == MPI_REQUEST_NULL)
        return;
    MPI_Cancel(request);
    MPI_Wait(request, MPI_STATUS_IGNORE);
}

void agreement_close(struct agreement *agreement)
{
    if (!agreement->world)
        return;
    watchdog_begin_meeting("a communicator is given back (MPI_Comm_free)", 0, false);
    for (int r = 0; r < agreement->world->size; r++) {
        give_up(&agreement->votes[r].receive);
        MPI_Wait(&agreement->votes[r].send, MPI_STATUS_IGNORE);
    }
    give_up(&agreement->own->receive);
    MPI_Wait(&agreement->own->send, MPI_STATUS_IGNORE);
    MPI_Comm_free(&agreement->comm);
    watchdog_end();
    memory_free(agreement->votes);
    memory_free(agreement->own);
    *agreement = (struct agreement){0};
}

void agreement_begin(struct agreement *agreement)
{
    agreement->round++;
    agreement->question = 0;
}

/* Whether the message that was waited for is here; what is left of older rounds is dropped on the way. The receive
 * stays open over questions and rounds that are given up, so that no message is lost or taken for another. */
static bool has_come(const struct agreement *agreement, struct ballot *ballot, int from, int tag)
{
    for (;;) {
        if (ballot->here)
            return true;
        if (ballot->receive == MPI_REQUEST_NULL)
            MPI_Irecv(&ballot->in, sizeof ballot->in, MPI_BYTE, from, tag, agreement->comm, &ballot->receive);
        if (!is_done(&ballot->receive))
            return false;
        ballot->here = ballot->in.round == agreement->round && ballot->in.question == agreement->question;
    }
}

/* Whether the message could be sent: not if an earlier one has not even left. Then the other rank hangs, and takes no
 * notice of anything. */
static bool send(const struct agreement *agreement, struct ballot *ballot, const struct message *message, int to,
                 int tag)
{
    if (!is_done(&ballot->send))
        return false;
    ballot->out = *message;
    MPI_Isend(&ballot->out, sizeof ballot->out, MPI_BYTE, to, tag, agreement->comm, &ballot->send);
    return true;
}

/* Rank 0. Waits for all votes; returns how many have come in time. */
static int collect(struct agreement *agreement, double patience_s)
{
    int size = agreement->world->size, come;
    struct wait wait = wait_begin(patience_s);
    for (;;) {
        come = 1;
        for (int r = 1; r < size; r++)
            come += has_come(agreement, &agreement->votes[r], r, TAG_VOTE);
        if (come == size || wait_is_over(&wait))
            return come;
        wait_nap(&wait);
    }
}

/* Rank 0. "ranks 2, 5 have not finished <what> in 30 s". */
static void name_the_late(const struct agreement *agreement, double patience_s, const char *what, struct error *error)
{
    char names[400] = "";
    int late = 0;
    for (int r = 1; r < agreement->world->size; r++) {
        size_t used = strlen(names);
        if (agreement->votes[r].here)
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
static bool judge(const struct agreement *agreement, bool ok, struct error *error)
{
    int size = agreement->world->size, guilty = ok ? -1 : 0, failed = ok ? 0 : 1;
    bool same = true;
    for (int r = 1; r < size; r++) {
        const struct message *vote = &agreement->votes[r].in;
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
static void answer_all(struct agreement *agreement, const struct message *answer)
{
    int size = agreement->world->size, missing;
    struct wait wait = wait_begin(LATER_S);
    for (int r = 1; r < size; r++)
        if (!agreement->votes[r].here)
            send(agreement, &agreement->votes[r], answer, r,
                 TAG_ANSWER); /* if it cannot, r will lose its own patience */
    for (;;) {
        missing = 0;
        for (int r = 1; r < size; r++) {
            struct ballot *vote = &agreement->votes[r];
            vote->here = vote->here && !send(agreement, vote, answer, r, TAG_ANSWER);
            missing += vote->here;
        }
        if (missing == 0 || wait_is_over(&wait))
            break;
        wait_nap(&wait);
    }
    for (int r = 1; r < size; r++)
        agreement->votes[r].here = false;
}

static bool decide(struct agreement *agreement, bool ok, double patience_s, const char *what, uint64_t *value,
                   struct error *error)
{
    int size = agreement->world->size;
    if (collect(agreement, patience_s) < size) {
        name_the_late(agreement, patience_s, what, error);
        ok = false;
    } else {
        ok = judge(agreement, ok, error);
    }
    struct message answer = {
        .round = agreement->round, .question = agreement->question, .ok = ok, .value = value ? *value : 0};
    if (!ok)
        answer.error = *error;
    answer_all(agreement, &answer);
    return ok;
}

static bool follow(struct agreement *agreement, bool ok, double patience_s, const char *what, uint64_t *value,
                   struct error *error)
{
    struct ballot *own = agreement->own;
    struct message vote = {.round = agreement->round, .question = agreement->question, .ok = ok};
    double limit_s = 2 * patience_s + LATER_S; /* it may have come as late as we may, and then waits */
    struct wait wait = wait_begin(limit_s);
    if (!ok)
        vote.error = *error;
    bool sent = send(agreement, own, &vote, 0, TAG_VOTE);
    while (!has_come(agreement, own, 0, TAG_ANSWER)) {
        sent = sent || send(agreement, own, &vote, 0, TAG_VOTE);
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

bool agreement_agree(struct agreement *agreement, bool ok, double patience_s, const char *what, uint64_t *value,
                     struct error *error)
{
    agreement->question++;
    if (agreement->world->rank == 0)
        return decide(agreement, ok, patience_s, what, value, error);
    return follow(agreement, ok, patience_s, what, value, error);
}

/* Waits for a message to all. After false it may still come: its buffer must stay. */
static bool finish(struct agreement *agreement, MPI_Request *request, double patience_s, struct error *error)
{
    struct wait wait = wait_begin(patience_s);
    while (!is_done(request)) {
        if (wait_is_over(&wait)) {
            agreement->broken = true;
            return error_set(error, ERROR_LATE, "a rank has stopped in the middle of a message, for %.3g s",
                             patience_s);
        }
        wait_nap(&wait);
    }
    return true;
}

bool agreement_gather(struct agreement *agreement, uint64_t *values, const int *counts, const int *places,
                      double patience_s, struct error *error)
{
    MPI_Request request;
    size_t total = 0;
    for (int r = 0; r < agreement->world->size; r++)
        if ((size_t)(places[r] + counts[r]) > total)
            total = (size_t)(places[r] + counts[r]);
    uint64_t *buffer = memory_need(total, sizeof *buffer);
    memcpy(buffer, values, total * sizeof *buffer);
    MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, buffer, counts, places, MPI_UINT64_T, agreement->comm,
                    &request);
    if (!finish(agreement, &request, patience_s, error))
        return false;
    memcpy(values, buffer, total * sizeof *buffer);
    memory_free(buffer);
    return true;
}

bool agreement_share(struct agreement *agreement, void *bytes, size_t count, double patience_s, struct error *error)
{
    MPI_Request request;
    void *buffer = memory_need(count, 1);
    memcpy(buffer, bytes, count);
    MPI_Ibcast(buffer, (int)count, MPI_BYTE, 0, agreement->comm, &request);
    if (!finish(agreement, &request, patience_s, error))
        return false;
    memcpy(bytes, buffer, count);
    memory_free(buffer);
    return true;
}
