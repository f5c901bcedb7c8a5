/* The files of a run directory as `ls` and `history` read them: history.jsonl, behind a line "----" metrics.jsonl,
 * behind another one job.yaml. */
#include "base/check.h"
#include "fuzz.h"
#include "run/run_files.h"
#include "run/run_state.h"
#include "run/run_summary.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char run[] = "/tmp/fuzz-run-XXXXXX";

static void remove_run(void)
{
    static const enum run_file files[] = {RUN_HISTORY, RUN_METRICS, RUN_JOB};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (run_file_path(run, files[i], path))
            unlink(path);
    rmdir(run);
}

static void put(enum run_file file, const uint8_t *bytes, size_t count)
{
    char path[PATH_MAX];
    run_file_path(run, file, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, bytes, count) == (ssize_t)count && close(fd) == 0, "files can be written");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;
    size_t first, second, rest_size;
    const uint8_t *metrics, *job;
    struct run_summary summary;
    struct run_state state;
    struct error error;
    if (!is_ready) {
        CHECK(mkdtemp(run), "there is room for a directory");
        atexit(remove_run);
    }
    is_ready = true;
    fuzz_split(data, size, &first, &metrics, &rest_size);
    fuzz_split(metrics, rest_size, &second, &job, &size);
    put(RUN_HISTORY, data, first);
    put(RUN_METRICS, metrics, second);
    put(RUN_JOB, job, size);
    if (run_summary_look(&summary, run, &error))
        CHECK(summary.state && *summary.state, "a run has a state");
    run_summary_release(&summary);
    if (run_state_look(&state, run, &error))
        lives_sum(&state.lives);
    run_state_release(&state);
    return 0;
}
