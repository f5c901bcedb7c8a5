/* A command line of mpirun, a word a line; behind the line "----" the host file that its words "HOSTS" stand for. */
#include "fuzz.h"
#include "launch/hosts.h"

#include <stdlib.h>
#include <string.h>

static void make_command(char *lines, const char *file, struct words *command)
{
    words_init(command);
    words_insert(command, 0, "mpirun");
    for (char *word = strtok(lines, "\n"); word; word = strtok(NULL, "\n"))
        words_insert(command, command->count, strcmp(word, "HOSTS") == 0 ? file : word);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first, second_size;
    const uint8_t *second;
    struct words command, names;
    fuzz_split(data, size, &first, &second, &second_size);
    char *lines = fuzz_text(data, first);
    make_command(lines, fuzz_file(0, second, second_size), &command);
    hosts_named(&command, &names);
    while (names.count > 1) /* one of them is there */
        words_remove(&names, 0);
    if (names.count > 0)
        hosts_remove(&command, &names);
    words_release(&names);
    words_release(&command);
    free(lines);
    return 0;
}
