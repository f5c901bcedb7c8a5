/* Gives files to a harness: the seeds, and what was ever found. Each argument is a file or a directory of files; exit
 * code 1 if there is none at all. */
#include "fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static size_t replayed;

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t room = (size_t)1 << 24;
    uint8_t *bytes = malloc(room);
    if (!file || !bytes) {
        perror(path);
        exit(1);
    }
    size_t size = fread(bytes, 1, room, file);
    fclose(file);
    uint8_t *exact = realloc(bytes, size ? size : 1); /* so that a read beyond the end is seen */
    printf("%s\n", path);
    fflush(stdout); /* the last name is that of the culprit */
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    replayed++;
}

static void replay(const char *path)
{
    char name[PATH_MAX];
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        replay_file(path);
        return;
    }
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            replay_file(name);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%zu inputs\n", replayed);
    return replayed == 0;
}
