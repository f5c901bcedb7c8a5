/* The limits of control groups: see base/memory_limit.h. /proc/self/cgroup says where the process is in each hierarchy,
 * /proc/self/mountinfo where a hierarchy is to be seen, and from which of its groups on. */
#include "base/file.h"
#include "base/memory.h"
#include "base/memory_limit.h"
#include "base/memory_use.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NO_LIMIT 1e18 /* v1 says "none" by a number that no machine has */

/* One of the two kinds of hierarchy. */
struct hierarchy {
    const char *type, *option; /* of its mount: the file system, and a word among its options; NULL: any */
    const char *controller;    /* of its line in /proc/self/cgroup; "": all of them */
    const char *hard, *soft;   /* files with limits of memory; NULL: there is none */
    const char *swap;          /* file with that of swap, */
    bool swap_is_sum;          /* or of both together */
    const char *nests;         /* file that says 0 where a group does not count what is in groups below; NULL: all do */
};

static const struct hierarchy hierarchies[] = {
    {"cgroup2", NULL, "", "memory.max", "memory.high", "memory.swap.max", false, NULL},
    {"cgroup", "memory", "memory", "memory.limit_in_bytes", NULL, "memory.memsw.limit_in_bytes", true,
     "memory.use_hierarchy"},
};

/* Whether a word is in a list that commas separate. */
static bool has_word(const char *list, size_t length, const char *word)
{
    size_t bytes = strlen(word);
    for (size_t from = 0; from <= length;) {
        size_t item = strcspn(list + from, ",");
        item = from + item > length ? length - from : item;
        if (item == bytes && memcmp(list + from, word, bytes) == 0)
            return true;
        from += item + 1;
    }
    return false;
}

/* The group of this process: "N:controllers:/path". */
static bool find_group(const char *text, const struct hierarchy *hierarchy, char group[PATH_MAX])
{
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *end = line + strcspn(line, "\n"), *first = memchr(line, ':', (size_t)(end - line));
        const char *second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;
        if (!second || end - second > PATH_MAX ||
            !has_word(first + 1, (size_t)(second - first - 1), hierarchy->controller))
            continue;
        snprintf(group, PATH_MAX, "%.*s", (int)(end - second - 1), second + 1);
        return true;
    }
    return false;
}

/* A word of mountinfo, in which spaces are written as \040. Where the next one begins. */
static const char *take_word(const char *line, char word[PATH_MAX])
{
    size_t length = 0;
    while (*line && *line != ' ' && *line != '\n' && length + 1 < PATH_MAX) {
        unsigned code;
        bool is_code = line[0] == '\\' && strspn(line + 1, "01234567") >= 3;
        if (is_code && sscanf(line + 1, "%3o", &code) == 1) {
            word[length++] = (char)code;
            line += 4;
        } else {
            word[length++] = *line++;
        }
    }
    word[length] = '\0';
    line += strcspn(line, " \n");
    return line + (*line == ' ');
}

/* Where the hierarchy is mounted, and which group that is: "36 25 0:31 /GROUP /MOUNT options... - type source options".
 */
static bool find_mount(const char *text, const struct hierarchy *hierarchy, char top[PATH_MAX], char mount[PATH_MAX])
{
    char word[PATH_MAX];
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *at = line;
        for (int i = 0; i < 3; i++)
            at = take_word(at, word);
        at = take_word(take_word(at, top), mount);
        do
            at = take_word(at, word);
        while (*word && strcmp(word, "-") != 0);
        at = take_word(at, word);
        if (strcmp(word, hierarchy->type) != 0)
            continue;
        take_word(take_word(at, word), word);
        if (!hierarchy->option || has_word(word, strlen(word), hierarchy->option))
            return true;
    }
    return false;
}

/* The number in a file of a group. False: it is not there, or says "max". */
static bool read_number(const char *directory, const char *name, double *number)
{
    char path[2 * PATH_MAX + 64], *text = NULL, *end = NULL;
    size_t count;
    struct error error;
    if (!name || snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path ||
        !file_read(path, &text, &count, &error))
        return false;
    *number = strtod(text, &end);
    bool is_number = end != text && *number < NO_LIMIT;
    free(text);
    return is_number;
}

/* What of a group's memory may be swapped out, on a machine with so much swap. */
static double swappable(const struct hierarchy *hierarchy, const char *directory, double hard, double swap)
{
    double limit;
    if (!read_number(directory, hierarchy->swap, &limit))
        return swap;
    limit = hierarchy->swap_is_sum ? limit - hard : limit;
    return limit < 0 ? 0 : limit < swap ? limit : swap;
}

static void add(struct memory_limits *limits, const struct hierarchy *hierarchy, const char *directory,
                const char *group, double swap)
{
    const char *const files[] = {hierarchy->hard, hierarchy->soft};
    struct stat info;
    if (stat(directory, &info))
        return;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct memory_limit limit = {
            .reach = MEMORY_GROUP, .group = (uint64_t)info.st_dev << 48 ^ (uint64_t)info.st_ino, .is_soft = i == 1};
        if (!read_number(directory, files[i], &limit.bytes))
            continue;
        limit.bytes += swappable(hierarchy, directory, limit.bytes, swap);
        snprintf(limit.name, sizeof limit.name, "%s of the control group %.180s", files[i], *group ? group : "/");
        memory_limits_add(limits, &limit);
    }
}

/* A path in a hierarchy as one below its mount: "" is the group that is mounted. That is also what is to be seen of a
 * process that is outside of it ("/../other"). */
static void cut_hidden(char group[PATH_MAX], const char *top)
{
    size_t hidden = strcmp(top, "/") == 0 ? 0 : strlen(top);
    bool is_below = strncmp(group, top, hidden) == 0 && (group[hidden] == '/' || group[hidden] == '\0');
    if (!is_below || strstr(group, "/..") || strcmp(group + hidden, "/") == 0)
        *group = '\0';
    else
        memmove(group, group + hidden, strlen(group + hidden) + 1);
}

/* The group and all above it, as far as they are to be seen. */
static void climb(struct memory_limits *limits, const struct hierarchy *hierarchy, const char *mount, char *group,
                  double swap)
{
    char directory[2 * PATH_MAX];
    for (bool is_own = true;; is_own = false) {
        double nests = 1;
        snprintf(directory, sizeof directory, "%s%s", mount, group);
        if (!is_own && read_number(directory, hierarchy->nests, &nests) && nests == 0)
            return;
        add(limits, hierarchy, directory, group, swap);
        if (!*group)
            return;
        *strrchr(group, '/') = '\0';
    }
}

void memory_limits_of_groups(struct memory_limits *limits, const char *root)
{
    char group[PATH_MAX], top[PATH_MAX], mount[PATH_MAX], place[2 * PATH_MAX];
    char *groups = memory_system_text(root, "/proc/self/cgroup"),
         *mounts = memory_system_text(root, "/proc/self/mountinfo");
    char *memory = memory_system_text(root, "/proc/meminfo");
    double swap = 0;
    memory_line(memory, "SwapTotal", &swap);
    for (size_t i = 0; i < sizeof hierarchies / sizeof *hierarchies; i++) {
        if (!find_group(groups, &hierarchies[i], group) || *group != '/' ||
            !find_mount(mounts, &hierarchies[i], top, mount))
            continue;
        cut_hidden(group, top);
        snprintf(place, sizeof place, "%s%s", root, mount);
        climb(limits, &hierarchies[i], place, group, swap);
    }
    free(memory);
    free(groups);
    free(mounts);
}
