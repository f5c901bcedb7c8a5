#include "base/say.h"
#include "checkpoint/locate.h"
#include "checkpoint/reader.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "h5/h5.h"

#include <inttypes.h>
#include <stdio.h>

static int run(int count, char **words)
{
    struct reader reader = {0};
    char path[PATH_MAX];
    struct error error;
    if (!flags_parse(&(struct flag){0}, (struct flag_files){"a checkpoint", 1, 1}, &count, words, &error))
        return command_misused(&command_fingerprint, "%s", error.text);
    h5_init();
    /* Not just the number in the file: one that its data has earned. */
    bool ok = locate_checkpoint(words[0], path, &error) && reader_open(&reader, path, &error) &&
              reader_verify(&reader, &error);
    if (ok)
        say("%016" PRIx64 "\n", reader.record.fingerprint);
    reader_close(&reader);
    h5_release();
    return ok ? EXIT_FINISHED : command_fail(&error);
}

const struct command command_fingerprint = {
    .name = "fingerprint",
    .usage = "lockstep fingerprint CHECKPOINT     verifies and prints the digest of the learned state",
    .run = run};
