/* Why a life of a run has ended: a word that stands in the provenance of a checkpoint (the end of a segment) and in
 * RUN/history.jsonl. What is done about it hangs on this table, never on the letters. */
#ifndef CHECKPOINT_REASON_H
#define CHECKPOINT_REASON_H

#include <stdbool.h>

enum reason {
    REASON_OTHER,          /* a signal, by its name, or what only another version knows */
    REASON_RUNNING,        /* it has not ended */
    REASON_INTERRUPTED,    /* of a segment: nobody has told why */
    REASON_KILLED,         /* of a life: the same */
    REASON_FAILED,         /* in a history with its words: "failed: no space left" */
    REASON_FINISHED,       /* all steps are done */
    REASON_EARLY_STOPPING, /* that is enough */
    REASON_STOP_AFTER,     /* --stop-after */
    REASON_DEADLINE,       /* the end that others have set */
    REASON_MOVED,          /* the run directory was moved */
    REASON_BRANCHED,       /* of a segment: the next one is of another run, which goes on from its checkpoint */
    REASONS
};

extern const char *const reason_words[REASONS]; /* of REASON_OTHER: "unknown" */

/* Local. The reason that such a text begins with. */
enum reason reason_of(const char *text);

/* Local. Whether nothing is left to be done. */
bool reason_finishes(enum reason reason);

/* Local. Whether it came against the will of the job's owner: killed, failed, a signal, or nobody knows. Not: finished,
 * paused on purpose, an end that was known, a run directory that was moved, a branch. */
bool reason_interrupts(enum reason reason);

/* Local. What stands behind the word and a colon; without these the text itself. Borrowed. */
const char *reason_details(const char *text);

#endif
