#include "checkpoint/pin.h"
#include "base/say.h"
#include "checkpoint/locate.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "h5/h5.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static int run(int count, char **words)
{
    int code = EXIT_FINISHED;
    bool remove = false;
    const struct flag flags[] = {{.name = "--remove", .given = &remove}, {0}};
    struct error error;
    if (!flags_parse(flags, (struct flag_files){"a checkpoint", 1, INT_MAX}, &count, words, &error))
        return command_misused(&command_pin, "%s", error.text);
    h5_init();
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        bool ok = locate_checkpoint(words[i], path, &error) &&
                  (remove ? pin_remove(path, &error) : pin_add(path, &error));
        if (ok)
            say("%s: %s\n", path, remove ? "no longer pinned" : "pinned");
        else
            code = command_fail(&error);
    }
    h5_release();
    return code;
}

const struct command command_pin = {
    .name = "pin",
    .usage = "lockstep pin [--remove] CHECKPOINT...      a pinned one is never taken away, not even by a running job",
    .run = run,
    .acts = true,
};
