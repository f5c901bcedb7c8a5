#include "base/pattern.h"

#include "base/memory.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void take(struct pattern *pattern, char *const *paths, size_t count)
{
    pattern->paths = memory_need(count, sizeof *pattern->paths);
    pattern->count = count;
    for (size_t i = 0; i < count; i++)
        pattern->paths[i] = memory_text(paths[i]);
    qsort(pattern->paths, count, sizeof *pattern->paths, by_bytes); /* glob's order is that of the locale */
}

bool pattern_find(struct pattern *pattern, const char *path, struct error *error)
{
    struct stat info;
    glob_t found;
    *pattern = (struct pattern){0};
    if (!strpbrk(path, "*?[") || lstat(path, &info) == 0) {
        take(pattern, (char *const[]){(char *)path}, 1);
        return true;
    }
    /* A directory that cannot be read may hold some of them: better none than not all. */
    switch (glob(path, GLOB_ERR | GLOB_NOSORT, NULL, &found)) {
    case 0:
        take(pattern, found.gl_pathv, found.gl_pathc);
        globfree(&found);
        return true;
    case GLOB_NOMATCH:
        return error_set(error, ERROR_NOT_FOUND, "no file matches %s", path);
    case GLOB_NOSPACE:
        return error_set(error, ERROR_IO, "not enough memory to list the files that match %s", path);
    default:
        return error_errno(error, "cannot list the files that match %s", path);
    }
}

void pattern_release(struct pattern *pattern)
{
    for (size_t i = 0; i < pattern->count; i++)
        memory_free(pattern->paths[i]);
    memory_free(pattern->paths);
    *pattern = (struct pattern){0};
}
