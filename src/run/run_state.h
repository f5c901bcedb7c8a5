/* How a run stands, as its directory shows it to somebody who does not train in it. */
#ifndef RUN_RUN_STATE_H
#define RUN_RUN_STATE_H

#include "base/error.h"
#include "run/lives.h"

#include <stdbool.h>
#include <stdint.h>

struct run_state {
    struct lives lives; /* owned */
    bool is_running;    /* somebody has the lock */
    bool has_saved;     /* there is a checkpoint; whether it is valid was not looked at */
    uint64_t saved;     /* step of the newest */
};

/* Local. Only reads. A run that has checkpoints but no history gets the lives that the newest valid checkpoint knows.
 * ERROR_NOT_FOUND: the directory has neither. The caller releases the state, after failure too. */
bool run_state_look(struct run_state *state, const char *run, struct error *error) WARN_UNUSED;
void run_state_release(struct run_state *state);

#endif
