#include "base/memory_use.h"

#include "base/file.h"
#include "base/memory.h"

#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *memory_system_text(const char *root, const char *name)
{
    char path[PATH_MAX], *text = NULL;
    size_t count;
    struct error error;
    snprintf(path, sizeof path, "%s%s", root, name);
    return file_read(path, &text, &count, &error) ? text : memory_text("");
}

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
    if (settled)
        malloc_trim(0);
    char *status = memory_system_text("", "/proc/self/status");
    char *rollup = memory_system_text("", "/proc/self/smaps_rollup");
    memory_use_read(status, rollup, use);
    free(status);
    free(rollup);
}
