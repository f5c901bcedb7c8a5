/* Pausing on purpose: `--stop-after 2epochs`. It counts from the start of this run of the program, so that a batch
 * script that is submitted again does the next piece of the job. */
#ifndef POLICY_PAUSE_H
#define POLICY_PAUSE_H

#include "base/error.h"
#include "data/sampler.h"
#include "policy/flags.h"

#include <stdint.h>

enum pause_unit {
    PAUSE_NEVER = 0,
    PAUSE_STEPS,
    PAUSE_EPOCHS,
    PAUSE_SECONDS,
};

/* What was asked for. */
struct pause_spec {
    enum pause_unit unit;
    double amount; /* > 0; of steps a whole number */
};

/* What it means for this run. */
struct pause {
    uint64_t step;     /* the last step; UINT64_MAX: as many as there are */
    double deadline_s; /* on rank 0's clock; INFINITY: there is none */
};

/* Local. Reads "500steps", "2epochs", "0.5epochs", "90s", "30min", "1.5h". ERROR_USAGE. */
bool pause_parse(const char *text, struct pause_spec *spec, struct error *error) WARN_UNUSED;

/* Local. The run begins when `step` steps are done, at `now_s` on this rank's clock. An epoch that was completed in the
 * middle of that last step counts from its end: pieces of one epoch end where the epochs of the job end. */
struct pause pause_begin(const struct pause_spec *spec, const struct sampler *sampler, uint64_t step, double now_s);

/* Local. LEAVE_PAUSE if `step` is to be the last of this run. Steps and epochs say the same on every rank; the time
 * is rank 0's, and all get to know it with the flags. */
unsigned pause_flags(const struct pause *pause, int rank, uint64_t step, double now_s);

#endif
