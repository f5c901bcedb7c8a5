/* What the kinds of saves mean at a step that was skipped (skip_step, guard.h): one table.
 *
 * A skipped step leaves the state of the last step that was taken. That may be what is wrong: nothing shows that it is
 * not before a step is taken again, or a validation finds it among the best. So a save that can wait does, and goes
 * with the next step that is taken; and a save that cannot, pushes no other checkpoint out. */
#ifndef POLICY_SKIPPED_H
#define POLICY_SKIPPED_H

#include "base/error.h"
#include "checkpoint/history.h"
#include "job/job.h"

#include <stddef.h>

enum skipped_deed {
    SKIPPED_SAVES, /* at once; with it, all that would have waited */
    SKIPPED_WAITS, /* until a step is taken again */
    SKIPPED_DROPS, /* until they are due the next time */
};

struct skipped_rule {
    unsigned reasons; /* flags.h: of saves, or to leave */
    enum skipped_deed deed;
    const char *words;
};

extern const struct skipped_rule skipped_rules[];
extern const size_t skipped_rule_count;

/* Local. Of these reasons those to which that happens; each belongs to exactly one deed. */
unsigned skipped_select(unsigned reasons, enum skipped_deed deed);

/* Local. Whether the state of the last step can take the place of what has waited: the step was taken, or its
 * validation is among the best that are kept. */
bool skipped_is_sound(const struct job *job, const struct history *history, uint64_t step);

/* Local. At the beginning of a life: the reasons of the skipped steps behind the last one that was taken, which are
 * still waiting. The clock, files and signals are not known any more; what is among the best was saved, and with it
 * all before it. every_validation: validations are due after multiples of this (0: never). */
unsigned skipped_waiting(const struct job *job, const struct history *history, uint64_t step,
                         uint64_t every_validation);

#endif
