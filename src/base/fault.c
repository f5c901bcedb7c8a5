#include "base/fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const fault_points[FAULT_POINTS] = {
    [FAULT_SNAPSHOT_TAKEN] = "snapshot-taken",
    [FAULT_FILE_CREATED] = "file-created",
    [FAULT_SPACE_RESERVED] = "space-reserved",
    [FAULT_SHARD_WRITTEN] = "shard-written",
    [FAULT_FILE_CLOSED] = "file-closed",
    [FAULT_DATA_VERIFIED] = "data-verified",
    [FAULT_RECORD_WRITTEN] = "record-written",
    [FAULT_FILE_SYNCED] = "file-synced",
    [FAULT_RENAMED] = "renamed",
    [FAULT_COMMITTED] = "committed",
    [FAULT_UNPUBLISHED] = "unpublished",
    [FAULT_PRUNED] = "pruned",
    [FAULT_LOCAL_WRITTEN] = "local-written",
    [FAULT_LOCAL_SENT] = "local-sent",
    [FAULT_LOCAL_RENAMED] = "local-renamed",
};

/* Set once at the start and only read afterwards. FAULT_POINTS: none chosen; step 0: any step. */
static enum fault_point chosen = FAULT_POINTS;
static uint64_t chosen_step = 0;

bool fault_init(int rank, struct error *error)
{
    const char *value = getenv("LOCKSTEP_FAULT");
    if (!value || !*value)
        return true;
    size_t length = strcspn(value, ",");
    enum fault_point point = 0;
    while (point < FAULT_POINTS &&
           (strlen(fault_points[point]) != length || strncmp(fault_points[point], value, length)))
        point++;
    long chosen_rank = 0;
    unsigned long long step = 0;
    const char *rest = value + length;
    while (*rest) {
        int used = 0;
        if (sscanf(rest, ",step=%llu%n", &step, &used) < 1 && sscanf(rest, ",rank=%ld%n", &chosen_rank, &used) < 1)
            break;
        rest += used;
    }
    if (point == FAULT_POINTS || *rest)
        return error_set(error, ERROR_USAGE,
                         "LOCKSTEP_FAULT=%s: not of the form POINT[,step=N][,rank=R], or no such point", value);
    if (rank == chosen_rank) {
        chosen = point;
        chosen_step = step;
    }
    return true;
}

void fault_at(enum fault_point point, uint64_t step)
{
    if (point != chosen || (chosen_step && chosen_step != step))
        return;
    fprintf(stderr, "LOCKSTEP_FAULT: killed at %s of step %llu\n", fault_points[point], (unsigned long long)step);
    kill(getpid(), SIGKILL);
}
