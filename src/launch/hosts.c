#include "launch/hosts.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "launch/launcher.h"
#include "launch/process.h"

#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROBE_S    15.0 /* all hosts together */
#define MOST_NAME  256
#define SLOTS_MOST 65535 /* of a host: sums and products of them stay numbers */

enum option { OPTION_NONE, OPTION_LIST, OPTION_FILE };

static const struct {
    const char *word;
    enum option option;
} options[] = {
    {"--host", OPTION_LIST},       {"-host", OPTION_LIST},     {"-H", OPTION_LIST},
    {"--hostfile", OPTION_FILE},   {"-hostfile", OPTION_FILE}, {"--machinefile", OPTION_FILE},
    {"-machinefile", OPTION_FILE},
};

static enum option option_of(const char *word)
{
    for (size_t o = 0; o < sizeof options / sizeof *options; o++)
        if (strcmp(word, options[o].word) == 0)
            return options[o].option;
    return OPTION_NONE;
}

/* Where mpirun's options begin; behind the last word if it is not mpirun. */
static size_t first_option(const struct words *command)
{
    size_t first;
    return launcher_find(command, &first) == LAUNCHER_MPIRUN ? first : command->count;
}

static bool is_in(const struct words *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

/* An item of a list, or a line of a file, is "[user@]host[:slots] [slots=2 ...] [# comment]": its first part, "" if
 * there is none. */
static void name_of(const char *item, char name[MOST_NAME])
{
    item += strspn(item, " \t");
    snprintf(name, MOST_NAME, "%.*s", (int)strcspn(item, ": \t\r\n,#"), item);
}

/* Its slots; 1 if it does not tell. */
static unsigned long slots_of(const char *item, size_t length)
{
    const char *comment = memchr(item, '#', length);
    length = comment ? (size_t)(comment - item) : length;
    const char *slots = memmem(item, length, " slots=", 7), *colon = memchr(item, ':', length);
    const char *digits = slots ? slots + 7 : colon ? colon + 1 : NULL;
    size_t count = digits ? number_digits(digits, length - (size_t)(digits - item)) : 0;
    uint64_t number = 1;
    return number_whole(digits ? digits : "", count, SLOTS_MOST, &number) && number > 0 ? number : 1;
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
        name_of(items, name);
        unsigned long slots = *name ? slots_of(items, length) : 0;
        bool is_kept = !*name || !sieve->lost || !is_in(sieve->lost, name);
        if (*name && sieve->names && !is_in(sieve->names, name))
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
    size_t lists = 0, files = 0;
    words_init(names);
    for (size_t i = first_option(command); launcher_is_option(command, i); i++) {
        lists += option_of(command->items[i]) == OPTION_LIST;
        files += option_of(command->items[i]) == OPTION_FILE;
        sift_option(&sieve, command, i);
    }
    text_release(&sieve.kept);
    while (files > 0 && lists + files > 1 &&
           names->count > 0) /* one may be a filter of the other: not ours to change */
        words_remove(names, names->count - 1);
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

void hosts_remove(struct words *command, const struct words *lost)
{
    struct sieve sieve = {.lost = lost};
    size_t i = first_option(command);
    while (launcher_is_option(command, i)) {
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
    launcher_shrink(command, SIZE_MAX, sieve.slots_kept, sieve.slots_all);
    text_release(&sieve.kept);
}

/* Whether the name is one of this machine's, which mpirun starts nothing for: a socket takes only own addresses. */
static bool is_here(const char *name)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    const char *user = strchr(name, '@');
    bool is_own = false;
    if (getaddrinfo(user ? user + 1 : name, NULL, &hints, &found) != 0)
        return false;
    for (struct addrinfo *at = found; at && !is_own; at = at->ai_next) {
        int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        is_own = fd >= 0 && bind(fd, at->ai_addr, at->ai_addrlen) == 0;
        if (fd >= 0)
            close(fd);
    }
    freeaddrinfo(found);
    return is_own;
}

/* A parameter of Open MPI: --mca NAME VALUE in the command, or else the environment's; "" if there is none. */
static const char *parameter(const struct words *command, const char *name, const char *variable)
{
    const char *value = getenv(variable);
    for (size_t i = first_option(command); launcher_is_option(command, i); i++)
        if (strcmp(command->items[i], name) == 0)
            value = command->items[i + 1];
    return value ? value : "";
}

/* AGENT [ARGUMENTS] HOST true, as mpirun starts its daemons; of several agents ("ssh : rsh") the first. */
static void make_probe(const struct words *command, const char *host, struct words *probe)
{
    const char *agents = parameter(command, "plm_rsh_agent", "OMPI_MCA_plm_rsh_agent");
    char *agent = memory_text(*agents ? agents : "ssh -o BatchMode=yes");
    agent[strcspn(agent, ":")] = '\0';
    words_init(probe);
    words_append(probe, agent);
    words_append(probe, parameter(command, "plm_rsh_args", "OMPI_MCA_plm_rsh_args"));
    words_insert(probe, probe->count, host);
    words_insert(probe, probe->count, "true");
    memory_free(agent);
}

/* lost: those of the names that do not answer. */
static void find_lost(const struct words *command, const struct words *names, struct words *lost)
{
    struct words *probes = memory_need(names->count, sizeof *probes);
    char *const **asked = memory_need(names->count, sizeof *asked);
    bool *answers = memory_need(names->count, sizeof *answers);
    for (size_t i = 0; i < names->count; i++) {
        make_probe(command, names->items[i], &probes[i]);
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
        find_lost(command, &names, &gone);
        there = names.count - gone.count;
    }
    if (there > 0 && gone.count > 0)
        hosts_remove(command, &gone);
    for (size_t i = 0; i < gone.count; i++)
        text_append(lost, "%s%s", i > 0 ? "," : "", gone.items[i]);
    words_release(&gone);
    words_release(&names);
    return there;
}
