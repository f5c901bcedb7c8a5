#include "checkpoint/h5.h"
#include "checkpoint/reader.h"
#include "cli/command.h"

#include <inttypes.h>
#include <stdio.h>

static int run(int count, char **words)
{
    int code = EXIT_FINISHED;
    if (count < 1)
        return command_misused(&command_verify, "no file given");
    h5_init();
    for (int i = 0; i < count; i++) {
        struct reader reader;
        struct error error;
        bool ok = reader_open(&reader, words[i], &error) && reader_verify(&reader, &error);
        if (ok)
            printf("%s: valid, step %" PRIu64 ", %zu arrays of %zu floats, fingerprint %016" PRIx64 "\n", words[i],
                   reader.record.step, reader.array_count, reader.count, reader.record.fingerprint);
        else
            code = command_fail(&error);
        reader_close(&reader);
    }
    h5_release();
    return code;
}

const struct command command_verify = {
    .name = "verify",
    .usage = "lockstep verify FILE...         reads everything and compares it with its digests",
    .run = run};
