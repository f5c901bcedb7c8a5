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

/* An item of a list, or a line of a file, is "[user@]host[:slots] [slots=2 ...]": its first part, "" if there is none.
 */
static void name_of(const char *item, size_t length, char name[MOST_NAME])
{
    size_t blank = strspn(item, " \t");
    size_t named = blank < length ? strcspn(item + blank, ": \t\r\n,#") : 0;
    snprintf(name, MOST_NAME, "%.*s", (int)(named < length - blank ? named : length - blank), item + blank);
}

/* Its slots; 1 if it does not tell. */
static unsigned long slots_of(const char *item, size_t length)
{
    const char *slots = memmem(item, length, " slots=", 7), *colon = memchr(item, ':', length);
    unsigned long number = slots ? strtoul(slots + 7, NULL, 10) : colon ? strtoul(colon + 1, NULL, 10) : 1;
    return number > 0 ? number : 1;
}

/* What is found in the items of a list or the lines of a file. */
struct sieve {
    const struct words *lost; /* NULL: none is */
    struct words *names;      /* of all hosts; NULL: not wanted */
    struct text kept;         /* the items without those that are lost */
    unsigned long slots_all, slots_kept;
};

static void sift(struct sieve *sieve, const char *items, char separator)
{
    const char ends[] = {separator, '\0'};
    while (*items) {
        char name[MOST_NAME];
        size_t length = strcspn(items, ends);
        name_of(items, length, name);
        unsigned long slots = *name ? slots_of(items, length) : 0;
        bool is_kept = !*name || !sieve->lost || !is_in(sieve->lost, name);
        if (*name && sieve->names)
            words_insert(sieve->names, sieve->names->count, name);
        if (is_kept)
            text_append(&sieve->kept, "%s%.*s", sieve->kept.length > 0 ? ends : "", (int)length, items);
        sieve->slots_all += slots;
        sieve->slots_kept += is_kept ? slots : 0;
        items += length + (items[length] == separator);
    }
}

/* What stands behind option number i, if that names hosts; what was found before stays in the sums and names. */
static bool sift_option(struct sieve *sieve, const struct words *command, size_t i)
{
    char *bytes = NULL;
    size_t length;
    struct error error;
    enum option option = option_of(command->items[i]);
    bool is_file = option == OPTION_FILE && file_read(command->items[i + 1], &bytes, &length, &error);
    text_release(&sieve->kept);
    if (is_file)
        sift(sieve, bytes, '\n');
    else if (option == OPTION_LIST)
        sift(sieve, command->items[i + 1], ',');
    free(bytes);
    return is_file || option == OPTION_LIST;
}

void hosts_named(const struct words *command, struct words *names)
{
    struct sieve sieve = {.names = names};
    words_init(names);
    for (size_t i = 1; is_option(command, i); i++)
        sift_option(&sieve, command, i);
    text_release(&sieve.kept);
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

/* Puts what is left of a list or a file in its place. */
static void put_kept(struct words *command, size_t i, struct text *kept)
{
    char path[64];
    if (option_of(command->items[i]) == OPTION_LIST) {
        words_replace(command, i + 1, text_bytes(kept));
        return;
    }
    text_append(kept, "\n");
    if (keep_file(kept, path))
        words_replace(command, i + 1, path);
}

static void shrink(struct words *command, size_t i, const struct sieve *sieve)
{
    char text[24];
    unsigned long ranks = strtoul(command->items[i + 1], NULL, 10) * sieve->slots_kept / sieve->slots_all;
    snprintf(text, sizeof text, "%lu", ranks > 0 ? ranks : 1);
    words_replace(command, i + 1, text);
}

void hosts_remove(struct words *command, const struct words *lost)
{
    struct sieve sieve = {.lost = lost};
    size_t i = 1;
    while (is_option(command, i)) {
        bool names_hosts = sift_option(&sieve, command, i);
        if (names_hosts)
            put_kept(command, i, &sieve.kept);
        if (!names_hosts || *command->items[i + 1] != '\0') {
            i++;
            continue;
        }
        words_remove(command, i + 1); /* a list of which nothing is left */
        words_remove(command, i);
    }
    for (i = 1; is_option(command, i) && sieve.slots_all > 0; i++)
        if (option_of(command->items[i]) == OPTION_COUNT)
            shrink(command, i, &sieve);
    text_release(&sieve.kept);
}

static bool is_here(const char *name)
{
    char own[MOST_NAME] = "";
    gethostname(own, sizeof own - 1);
    own[strcspn(own, ".")] = '\0';
    const char *user = strchr(name, '@');
    name = user ? user + 1 : name;
    size_t length = strcspn(name, ".");
    return strcmp(name, "localhost") == 0 || strncmp(name, "127.", 4) == 0 ||
           (strlen(own) == length && strncmp(name, own, length) == 0);
}

/* What mpirun starts its daemons with: --mca plm_rsh_agent in its command, or else the environment's. */
static const char *find_agent(const struct words *command)
{
    const char *agent = getenv("OMPI_MCA_plm_rsh_agent");
    for (size_t i = 1; is_option(command, i); i++)
        if (strcmp(command->items[i], "plm_rsh_agent") == 0)
            agent = command->items[i + 1];
    return agent && *agent ? agent : "ssh -o BatchMode=yes";
}

/* AGENT [OPTIONS] HOST true; of several agents ("ssh : rsh") the first. */
static void make_probe(const char *agents, const char *host, struct words *probe)
{
    char *agent = memory_text(agents);
    agent[strcspn(agent, ":")] = '\0';
    words_init(probe);
    words_append(probe, agent);
    words_insert(probe, probe->count, host);
    words_insert(probe, probe->count, "true");
    memory_free(agent);
}

/* lost: those of the names that do not answer. */
static void find_lost(const char *agent, const struct words *names, struct words *lost)
{
    struct words *probes = memory_need(names->count, sizeof *probes);
    char *const **asked = memory_need(names->count, sizeof *asked);
    bool *answers = memory_need(names->count, sizeof *answers);
    for (size_t i = 0; i < names->count; i++) {
        make_probe(agent, names->items[i], &probes[i]);
        asked[i] = is_here(names->items[i]) ? NULL : probes[i].items;
    }
    process_try(asked, names->count, PROBE_S, answers);
    words_init(lost);
    for (size_t i = 0; i < names->count; i++) {
        if (asked[i] && !answers[i])
            words_insert(lost, lost->count, names->items[i]);
        words_release(&probes[i]);
    }
    memory_free(answers);
    memory_free(asked);
    memory_free(probes);
}

size_t hosts_leave_out_lost(struct words *command, struct text *lost)
{
    struct words names, gone = {0};
    size_t there = 0;
    hosts_named(command, &names);
    if (names.count > 1) {
        find_lost(find_agent(command), &names, &gone);
        there = names.count - gone.count;
    }
    if (there > 0 && gone.count > 0)
        hosts_remove(command, &gone);
    for (size_t i = 0; there > 0 && i < gone.count; i++)
        text_append(lost, "%s%s", i > 0 ? "," : "", gone.items[i]);
    words_release(&gone);
    words_release(&names);
    return there;
}
