#include "launch/hosts.h"

#include "base/file.h"
#include "base/memory.h"
#include "launch/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PROBE_S   15.0 /* all hosts together */
#define MOST_NAME 256

enum option { OPTION_NONE, OPTION_LIST, OPTION_FILE, OPTION_COUNT };

static const struct {
    const char *word;
    enum option option;
} options[] = {
    {"--host", OPTION_LIST},       {"-host", OPTION_LIST},     {"-H", OPTION_LIST},
    {"--hostfile", OPTION_FILE},   {"-hostfile", OPTION_FILE}, {"--machinefile", OPTION_FILE},
    {"-machinefile", OPTION_FILE}, {"-np", OPTION_COUNT},      {"--np", OPTION_COUNT},
    {"-n", OPTION_COUNT},          {"--n", OPTION_COUNT},      {"-c", OPTION_COUNT},
};

static enum option option_of(const char *word)
{
    for (size_t o = 0; o < sizeof options / sizeof *options; o++)
        if (strcmp(word, options[o].word) == 0)
            return options[o].option;
    return OPTION_NONE;
}

/* Options end where the words "lockstep train" begin; each of ours has a value behind it. */
static bool is_option(const struct words *command, size_t i)
{
    return i + 1 < command->count && strcmp(command->items[i + 1], "train") != 0;
}

static bool is_in(const struct words *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

/* The host of an item of a list, or of a line of a file: "[user@]name[:slots] [slots=2 ...]". */
static void name_of(const char *item, size_t length, char name[MOST_NAME])
{
    const char *at = memchr(item, '@', length);
    size_t skipped = at ? (size_t)(at + 1 - item) : strspn(item, " \t");
    item += skipped < length ? skipped : length;
    length -= skipped < length ? skipped : length;
    size_t named = strcspn(item, ": \t\r\n,#");
    snprintf(name, MOST_NAME, "%.*s", (int)(named < length ? named : length), item);
}

/* The items of a list, or the lines of a file, of which `kept` get those whose host is not among `lost`. The names of
 * all are appended to `names` (NULL: not wanted). */
static void sift(const char *items, char separator, const struct words *lost, struct text *kept, struct words *names)
{
    const char ends[] = {separator, '\0'};
    while (*items) {
        char name[MOST_NAME];
        size_t length = strcspn(items, ends);
        name_of(items, length, name);
        if (*name && names)
            words_insert(names, names->count, name);
        if (kept && (!*name || !is_in(lost, name)))
            text_append(kept, "%s%.*s", kept->length > 0 ? ends : "", (int)length, items);
        items += length + (items[length] == separator);
    }
}

void hosts_named(const struct words *command, struct words *names)
{
    words_init(names);
    for (size_t i = 1; is_option(command, i); i++) {
        char *bytes = NULL;
        size_t length;
        struct error error;
        enum option option = option_of(command->items[i]);
        if (option == OPTION_LIST)
            sift(command->items[i + 1], ',', NULL, NULL, names);
        else if (option == OPTION_FILE && file_read(command->items[i + 1], &bytes, &length, &error))
            sift(bytes, '\n', NULL, NULL, names);
        free(bytes);
    }
}

/* A file in memory, which lives as long as this process; mpirun reads it by its path. */
static bool keep_file(const struct text *text, char path[64])
{
    static int file = -1;
    if (file < 0)
        file = memfd_create("hosts", MFD_CLOEXEC);
    snprintf(path, 64, "/proc/%d/fd/%d", (int)getpid(), file);
    return file >= 0 && ftruncate(file, 0) == 0 &&
           pwrite(file, text_bytes(text), text->length, 0) == (ssize_t)text->length;
}

static void remove_from_list(struct words *command, size_t i, const struct words *lost)
{
    struct text kept;
    text_init(&kept);
    sift(command->items[i + 1], ',', lost, &kept, NULL);
    words_replace(command, i + 1, text_bytes(&kept));
    text_release(&kept);
}

static void remove_from_file(struct words *command, size_t i, const struct words *lost)
{
    char path[64], *bytes = NULL;
    size_t length;
    struct error error;
    struct text kept;
    text_init(&kept);
    if (file_read(command->items[i + 1], &bytes, &length, &error)) {
        sift(bytes, '\n', lost, &kept, NULL);
        text_append(&kept, "\n");
        if (keep_file(&kept, path))
            words_replace(command, i + 1, path);
    }
    free(bytes);
    text_release(&kept);
}

static void shrink(struct words *command, size_t i, size_t there, size_t count)
{
    char text[24];
    unsigned long ranks = strtoul(command->items[i + 1], NULL, 10) * there / count;
    snprintf(text, sizeof text, "%lu", ranks > 0 ? ranks : 1);
    words_replace(command, i + 1, text);
}

void hosts_remove(struct words *command, const struct words *lost, size_t count)
{
    size_t i = 1;
    while (is_option(command, i)) {
        switch (option_of(command->items[i])) {
        case OPTION_NONE:
            i++;
            continue;
        case OPTION_LIST:
            remove_from_list(command, i, lost);
            break;
        case OPTION_FILE:
            remove_from_file(command, i, lost);
            break;
        case OPTION_COUNT:
            shrink(command, i, count - lost->count, count);
            break;
        }
        if (*command->items[i + 1] == '\0') { /* a list of which nothing is left */
            words_remove(command, i + 1);
            words_remove(command, i);
        } else {
            i += 2;
        }
    }
}

static bool is_here(const char *name)
{
    char own[MOST_NAME] = "";
    gethostname(own, sizeof own - 1);
    own[strcspn(own, ".")] = '\0';
    size_t length = strcspn(name, ".");
    return strcmp(name, "localhost") == 0 || strncmp(name, "127.", 4) == 0 ||
           (strlen(own) == length && strncmp(name, own, length) == 0);
}

/* AGENT [OPTIONS] HOST true; of several agents ("ssh : rsh") the first. */
static void probe_command(const char *host, struct words *command)
{
    const char *agents = getenv("OMPI_MCA_plm_rsh_agent");
    char *agent = memory_text(agents && *agents ? agents : "ssh -o BatchMode=yes");
    agent[strcspn(agent, ":")] = '\0';
    words_init(command);
    words_append(command, agent);
    words_insert(command, command->count, host);
    words_insert(command, command->count, "true");
    memory_free(agent);
}

/* lost: those of the names that do not answer. */
static void probe(const struct words *names, struct words *lost)
{
    struct words *commands = memory_need(names->count, sizeof *commands);
    char *const **asked = memory_need(names->count, sizeof *asked);
    bool *answers = memory_need(names->count, sizeof *answers);
    for (size_t i = 0; i < names->count; i++) {
        probe_command(names->items[i], &commands[i]);
        asked[i] = is_here(names->items[i]) ? NULL : commands[i].items;
    }
    process_try(asked, names->count, PROBE_S, answers);
    words_init(lost);
    for (size_t i = 0; i < names->count; i++) {
        if (asked[i] && !answers[i])
            words_insert(lost, lost->count, names->items[i]);
        words_release(&commands[i]);
    }
    memory_free(answers);
    memory_free(asked);
    memory_free(commands);
}

size_t hosts_leave_out_lost(struct words *command, struct text *lost)
{
    struct words names, gone = {0};
    size_t there = 0;
    hosts_named(command, &names);
    if (names.count > 1) {
        probe(&names, &gone);
        there = names.count - gone.count;
    }
    if (there > 0 && gone.count > 0)
        hosts_remove(command, &gone, names.count);
    for (size_t i = 0; there > 0 && i < gone.count; i++)
        text_append(lost, "%s%s", i > 0 ? "," : "", gone.items[i]);
    words_release(&gone);
    words_release(&names);
    return there;
}
