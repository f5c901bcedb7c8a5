#include "launch/launcher.h"

#include "base/number.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum number { NUMBER_RANKS, NUMBER_NODES, NUMBER_RANKS_EACH /* node */, NUMBERS };

static const struct {
    const char *name;
    enum launcher launcher;
} names[] = {
    {"mpirun", LAUNCHER_MPIRUN}, {"mpiexec", LAUNCHER_MPIRUN}, {"orterun", LAUNCHER_MPIRUN}, {"srun", LAUNCHER_SRUN}};

static const struct {
    enum launcher launcher;
    const char *word;
    enum number number;
} options[] = {
    {LAUNCHER_MPIRUN, "-np", NUMBER_RANKS},
    {LAUNCHER_MPIRUN, "--np", NUMBER_RANKS},
    {LAUNCHER_MPIRUN, "-n", NUMBER_RANKS},
    {LAUNCHER_MPIRUN, "--n", NUMBER_RANKS},
    {LAUNCHER_MPIRUN, "-c", NUMBER_RANKS},
    {LAUNCHER_MPIRUN, "-N", NUMBER_RANKS_EACH},
    {LAUNCHER_MPIRUN, "-npernode", NUMBER_RANKS_EACH},
    {LAUNCHER_MPIRUN, "--npernode", NUMBER_RANKS_EACH},
    {LAUNCHER_SRUN, "-n", NUMBER_RANKS},
    {LAUNCHER_SRUN, "--ntasks", NUMBER_RANKS},
    {LAUNCHER_SRUN, "-N", NUMBER_NODES},
    {LAUNCHER_SRUN, "--nodes", NUMBER_NODES},
    {LAUNCHER_SRUN, "--ntasks-per-node", NUMBER_RANKS_EACH},
};

static bool is_train(const struct words *command, size_t i)
{
    return strcmp(command->items[i], "train") == 0;
}

enum launcher launcher_find(const struct words *command, size_t *first)
{
    for (size_t i = 0; i < command->count && !is_train(command, i); i++) {
        const char *slash = strrchr(command->items[i], '/'), *name = slash ? slash + 1 : command->items[i];
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            if (strcmp(name, names[n].name) != 0)
                continue;
            if (first)
                *first = i + 1;
            return names[n].launcher;
        }
    }
    if (first)
        *first = command->count;
    return LAUNCHER_OTHER;
}

bool launcher_is_option(const struct words *command, size_t i)
{
    return i + 1 < command->count && !is_train(command, i + 1);
}

/* Which number the word asks for; NUMBERS: none. *at: where in the word that number begins, "--ntasks=6" or srun's
 * "-n6"; at its end: it is the next word. */
static enum number number_of(enum launcher launcher, const char *word, size_t *at)
{
    bool is_attached = launcher == LAUNCHER_SRUN && word[0] == '-' && isalpha((unsigned char)word[1]);
    size_t length = is_attached ? 2 : strcspn(word, "=");
    *at = length + (word[length] == '=');
    for (size_t o = 0; o < sizeof options / sizeof *options; o++)
        if (options[o].launcher == launcher && strlen(options[o].word) == length &&
            strncmp(word, options[o].word, length) == 0)
            return options[o].number;
    return NUMBERS;
}

void launcher_shrink(struct words *command, size_t nodes, unsigned long there, unsigned long all)
{
    bool is_done[NUMBERS] = {[NUMBER_RANKS_EACH] = true};
    size_t i, at;
    enum launcher launcher = launcher_find(command, &i);
    for (; launcher_is_option(command, i) && all > 0; i++) {
        const char *word = command->items[i];
        enum number kind = number_of(launcher, word, &at);
        bool is_apart = word[at] == '\0';
        char text[64];
        uint64_t number;
        if (kind == NUMBERS || is_done[kind] ||
            !number_whole(is_apart ? command->items[i + 1] : word + at, SIZE_MAX, UINT32_MAX, &number))
            continue;
        if (kind == NUMBER_RANKS)
            number = number * there / all > 0 ? number * there / all : 1;
        else if (number > nodes)
            number = nodes;
        snprintf(text, sizeof text, "%.*s%" PRIu64, is_apart ? 0 : (int)at, word, number);
        words_replace(command, is_apart ? i + 1 : i, text);
        is_done[kind] = true;
    }
}

bool launcher_give_ranks(struct words *command, unsigned long ranks)
{
    size_t first, at;
    char text[24];
    enum launcher launcher = launcher_find(command, &first);
    if (launcher == LAUNCHER_OTHER)
        return false;
    for (size_t i = first; launcher_is_option(command, i); i++) {
        enum number kind = number_of(launcher, command->items[i], &at);
        if (kind == NUMBER_RANKS || kind == NUMBER_RANKS_EACH)
            return false;
    }
    snprintf(text, sizeof text, "%lu", ranks);
    words_insert(command, first, text);
    words_insert(command, first, "-n");
    return true;
}
