#include "checkpoint/pin.h"
#include "checkpoint/h5.h"
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

static int run(int count, char **words)
{
    int code = EXIT_FINISHED;
    bool remove = count > 0 && strcmp(words[0], "--remove") == 0;
    if (count - remove < 1)
        return command_misused(&command_pin, "no file given");
    for (int i = remove; i < count; i++)
        if (words[i][0] == '-')
            return command_misused(&command_pin, "%s: not understood", words[i]);
    h5_init();
    for (int i = remove; i < count; i++) {
        struct error error;
        bool ok = remove ? pin_remove(words[i], &error) : pin_add(words[i], &error);
        if (ok)
            printf("%s: %s\n", words[i], remove ? "no longer pinned" : "pinned");
        else
            code = command_fail(&error);
    }
    h5_release();
    return code;
}

const struct command command_pin = {
    .name = "pin",
    .usage =
        "lockstep pin [--remove] FILE...        a pinned checkpoint is never taken away, not even by a running job",
    .run = run};
