/* Two jobs, of which one continues the other, as overrides of the example. */
#ifndef JOB_RESUME_SUPPORT_H
#define JOB_RESUME_SUPPORT_H

#include "job/job_support.h"

static const struct job_allowed nothing = {NULL, 0};

/* Compares two variants of the example; checks whether `now` may continue, and the words. */
static inline void check_request(const char *const saved[OVERRIDES_MAX], const char *const now[OVERRIDES_MAX],
                                 const struct job_allowed *request, bool allowed, const char *words)
{
    struct job before, after;
    struct text changes = {0};
    struct error error = {0};
    if (!parse(&before, EXAMPLE, saved))
        return;
    if (parse(&after, EXAMPLE, now)) {
        CU_ASSERT_EQUAL(job_continues(&before, &after, request, &changes, &error), allowed);
        CU_ASSERT_EQUAL(error.kind, allowed ? ERROR_NONE : ERROR_USAGE);
        check_text(allowed ? text_bytes(&changes) : error.text, words);
        CU_ASSERT(allowed || changes.length == 0);
        job_release(&after);
    }
    text_release(&changes);
    job_release(&before);
}

static inline void check_continues(const char *const saved[OVERRIDES_MAX], const char *const now[OVERRIDES_MAX],
                                   bool allowed, const char *words)
{
    check_request(saved, now, &nothing, allowed, words);
}

#define SGD      "optimizer={name: sgd, learning_rate: 0.1}"
#define MOMENTUM "optimizer={name: sgd, learning_rate: 0.1, momentum: 0.9}"
#define TABLE    "data.train={format: csv, path: a.csv, targets: [y], inputs: [a, b]}"
#define DIFFER   "this job contradicts the checkpoint:"

#endif
