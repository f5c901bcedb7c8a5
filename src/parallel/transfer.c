#include "parallel/transfer.h"

#include "base/memory.h"
#include "base/wait.h"

#define PART ((size_t)4 << 20) /* bytes of a message: bounds what a receiver has to hold */

/* What comes from one rank, message by message. */
struct inlet {
    const struct transfer_in *in;
    size_t left;
    char *buffer;
    MPI_Request request;
    bool failed; /* its `take` */
};

struct run {
    MPI_Comm comm;
    int tag;
    struct inlet *inlets;
    size_t inlet_count;
    MPI_Request *sends; /* one a message */
    int *send_to;       /* whom it is for */
    size_t send_count;
    struct error *error; /* the first of a `take` */
    bool ok;
};

static size_t parts_of(size_t count)
{
    return (count + PART - 1) / PART;
}

static void begin_sends(struct run *run, const struct transfer_out *outs, size_t out_count)
{
    size_t parts = 0;
    for (size_t i = 0; i < out_count; i++)
        parts += parts_of(outs[i].count);
    run->sends = memory_need(parts, sizeof *run->sends);
    run->send_to = memory_need(parts, sizeof *run->send_to);
    for (size_t i = 0; i < out_count; i++)
        for (size_t done = 0; done < outs[i].count; done += PART) {
            size_t bytes = outs[i].count - done < PART ? outs[i].count - done : PART;
            run->send_to[run->send_count] = outs[i].to;
            MPI_Isend((const char *)outs[i].bytes + done, (int)bytes, MPI_BYTE, outs[i].to, run->tag, run->comm,
                      &run->sends[run->send_count++]);
        }
}

static void receive(const struct run *run, struct inlet *inlet)
{
    if (inlet->left > 0)
        MPI_Irecv(inlet->buffer, (int)PART, MPI_BYTE, inlet->in->from, run->tag, run->comm, &inlet->request);
}

static void begin_inlets(struct run *run, const struct transfer_in *ins, size_t in_count)
{
    run->inlets = memory_need(in_count, sizeof *run->inlets);
    run->inlet_count = in_count;
    for (size_t i = 0; i < in_count; i++) {
        run->inlets[i] = (struct inlet){
            .in = &ins[i], .left = ins[i].count, .request = MPI_REQUEST_NULL, .buffer = memory_need(PART, 1)};
        receive(run, &run->inlets[i]);
    }
}

/* Takes what has come from one rank. Returns whether anything has. */
static bool advance(struct run *run, struct inlet *inlet)
{
    int here = 0, bytes;
    MPI_Status status;
    if (inlet->left == 0)
        return false;
    MPI_Test(&inlet->request, &here, &status);
    if (!here)
        return false;
    MPI_Get_count(&status, MPI_BYTE, &bytes);
    inlet->left -= (size_t)bytes;
    struct error error;
    if (!inlet->failed && !inlet->in->take(inlet->in->context, inlet->buffer, (size_t)bytes, &error)) {
        if (run->ok)
            *run->error = error;
        run->ok = false;
        inlet->failed = true;
    }
    receive(run, inlet);
    return true;
}

/* A rank that something is still to come from, or to be taken by; -1: all is done. */
static int awaited(struct run *run)
{
    for (size_t i = 0; i < run->inlet_count; i++)
        if (run->inlets[i].left > 0)
            return run->inlets[i].in->from;
    for (size_t i = 0; i < run->send_count; i++) {
        int done;
        MPI_Test(&run->sends[i], &done, MPI_STATUS_IGNORE);
        if (!done)
            return run->send_to[i];
    }
    return -1;
}

/* After too long a wait. Freed requests may still complete: the buffers that they receive into are left to them. */
static void abandon(struct run *run)
{
    for (size_t i = 0; i < run->inlet_count; i++)
        if (run->inlets[i].request != MPI_REQUEST_NULL) {
            MPI_Request_free(&run->inlets[i].request);
            run->inlets[i].buffer = NULL;
        }
    for (size_t i = 0; i < run->send_count; i++)
        if (run->sends[i] != MPI_REQUEST_NULL)
            MPI_Request_free(&run->sends[i]);
}

bool transfer_run(MPI_Comm comm, int tag, const struct transfer_out *outs, size_t out_count,
                  const struct transfer_in *ins, size_t in_count, double patience_s, const char *what,
                  struct error *error)
{
    struct run run = {.comm = comm, .tag = tag, .error = error, .ok = true};
    struct wait wait = wait_begin(patience_s);
    int late;
    begin_inlets(&run, ins, in_count);
    begin_sends(&run, outs, out_count);
    while ((late = awaited(&run)) >= 0 && !wait_is_over(&wait)) {
        bool moved = false;
        for (size_t i = 0; i < run.inlet_count; i++)
            moved = advance(&run, &run.inlets[i]) || moved;
        if (moved)
            wait_wake(&wait);
        else
            wait_nap(&wait);
    }
    if (late >= 0) {
        abandon(&run);
        run.ok = error_set(error, ERROR_LATE, "rank %d has not finished %s in %.3g s", late, what, patience_s);
    }
    for (size_t i = 0; i < run.inlet_count; i++)
        memory_free(run.inlets[i].buffer);
    memory_free(run.inlets);
    memory_free(run.sends);
    memory_free(run.send_to);
    return run.ok;
}
