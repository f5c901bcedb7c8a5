#include "base/memory_use.h"

#include "base/file.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

bool memory_line(const char *text, const char *key, double *bytes)
{
    size_t length = strlen(key);
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (strncmp(line, key, length) != 0 || line[length] != ':')
            continue;
        char *end = NULL;
        double kilobytes = strtod(line + length + 1, &end);
        if (end == line + length + 1)
            return false;
        *bytes = kilobytes * 1024;
        return true;
    }
    return false;
}

void memory_use_read(const char *status, const char *rollup, struct memory_use *use)
{
    *use = (struct memory_use){0};
    memory_line(status, "RssAnon", &use->own);
    memory_line(status, "RssFile", &use->files);
    memory_line(status, "VmHWM", &use->peak);
    if (!memory_line(rollup, "Pss_Shmem", &use->shared)) /* before Linux 5.4: too much rather than too little */
        memory_line(status, "RssShmem", &use->shared);
}

void memory_use_look(struct memory_use *use, bool settled)
{
    char *status = NULL, *rollup = NULL;
    size_t count;
    struct error error;
    if (settled)
        malloc_trim(0);
    bool has_status = file_read("/proc/self/status", &status, &count, &error);
    bool has_rollup = file_read("/proc/self/smaps_rollup", &rollup, &count, &error);
    memory_use_read(has_status ? status : "", has_rollup ? rollup : "", use);
    free(status);
    free(rollup);
}
