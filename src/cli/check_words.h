/* What `lockstep check` says of a rehearsal: for people, and as a line of JSON. */
#ifndef CLI_CHECK_WORDS_H
#define CLI_CHECK_WORDS_H

#include "base/text.h"
#include "train/rehearsal.h"

struct check_report {
    const struct job *job;
    const struct rehearsal *rehearsal;
    struct forecast forecast;
    int ranks;
    const char *disk;    /* the directory that will have the checkpoints */
    double present;      /* bytes of checkpoints that the run has already, which give way to new ones */
    const char *misfits; /* what does not fit, in words; "": all does */
};

/* Local. On standard output. */
void check_say(const struct check_report *report);
void check_say_json(const struct check_report *report);

/* Local. What does not fit, one after another, separated by "; ". */
void check_find_misfits(const struct check_report *report, struct text *misfits);

#endif
