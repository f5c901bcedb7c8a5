/* What the supervisor has to tell a job that is at work: the end of its time is another one than it was told at its
 * start. A small file in the run directory, RUN/.end, which the supervisor replaces, and rank 0 looks at now and then:
 *
 *   {"event":"end_time","job":"J","restart":N,"end_unix":E,"grace":false,"warning_s":W}
 *
 * It is meant for one life of one batch job; others pass it over. */
#ifndef RUN_NOTICE_H
#define RUN_NOTICE_H

#include "base/error.h"

#include <stdbool.h>

struct notice {
    double end_unix;  /* 0: there is none; NaN: nothing is said of it */
    bool is_grace;    /* the job is being interrupted, and this is the very end */
    double warning_s; /* before interruptions; NaN: nothing is said of it */
};

/* Local. For the batch job of this process, in its present life. */
bool notice_write(const char *run, const struct notice *notice, struct error *error) WARN_UNUSED;

/* Local. False: there is none for this batch job in its present life. */
bool notice_read(const char *run, struct notice *notice);

/* Local. Takes it away, if there is one. */
void notice_remove(const char *run);

#endif
