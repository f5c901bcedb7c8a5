#include "train/memory_watch.h"

#include "checkpoint/proof.h"
#include "policy/flags.h"

void memory_watch_begin(struct session *session)
{
    update_blocks_sum(&session->learner.update.blocks, &session->learner.used);
}

void memory_watch_note(struct session *session)
{
    const struct update_fault *fault = &session->learner.update.blocks.fault;
    if (fault->is_found && session->memory_error.kind == ERROR_NONE)
        proof_refuse(&session->learner.state, fault->array, fault->block, session->step, &session->memory_error);
}

unsigned memory_watch_flags(const struct session *session)
{
    return session->memory_error.kind != ERROR_NONE ? MEMORY_IS_WRONG : 0;
}

bool memory_watch_agree(struct session *session, struct error *error)
{
    bool ok = session->memory_error.kind == ERROR_NONE;
    if (!ok)
        *error = session->memory_error;
    return world_agree(session->world, ok, error);
}

bool memory_watch_prove(struct session *session, struct error *error)
{
    if (!update_blocks_prove(&session->learner.update.blocks, &session->learner.used))
        memory_watch_note(session);
    return memory_watch_agree(session, error);
}

void memory_watch_explain(const struct session *session, struct error *error)
{
    char newest[SESSION_NEWEST];
    const struct error found = *error;
    if (found.kind != ERROR_MEMORY)
        return;
    session_tell_newest(session, newest);
    error_set(error, ERROR_MEMORY,
              "%s: bits have changed by themselves. Nothing that was made of them is saved: %s. Start again; if it "
              "happens again on this host, its memory (ECC, temperature, clock) is not to be trusted",
              found.text, newest);
}
