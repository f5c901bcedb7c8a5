#include "checkpoint/reason.h"

#include <string.h>

const char *const reason_words[REASONS] = {
    [REASON_OTHER] = "unknown",
    [REASON_RUNNING] = "running",
    [REASON_INTERRUPTED] = "interrupted",
    [REASON_KILLED] = "killed",
    [REASON_FAILED] = "failed",
    [REASON_FINISHED] = "finished",
    [REASON_EARLY_STOPPING] = "early_stopping",
    [REASON_STOP_AFTER] = "stop-after",
    [REASON_DEADLINE] = "deadline",
    [REASON_MOVED] = "run-directory-moved",
    [REASON_BRANCHED] = "branched",
};

enum reason reason_of(const char *text)
{
    size_t length = strcspn(text, ":");
    for (enum reason reason = REASON_RUNNING; reason < REASONS; reason++)
        if (strlen(reason_words[reason]) == length && memcmp(reason_words[reason], text, length) == 0)
            return reason;
    return REASON_OTHER;
}

bool reason_finishes(enum reason reason)
{
    return reason == REASON_FINISHED || reason == REASON_EARLY_STOPPING;
}

bool reason_interrupts(enum reason reason)
{
    return !reason_finishes(reason) && reason != REASON_STOP_AFTER && reason != REASON_DEADLINE &&
           reason != REASON_MOVED && reason != REASON_BRANCHED;
}

const char *reason_details(const char *text)
{
    const char *colon = strstr(text, ": ");
    return colon && reason_of(text) != REASON_OTHER ? colon + 2 : text;
}
