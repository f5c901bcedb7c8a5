/* Before a long run: a rehearsal of the job, beside its run directory, on the ranks that it is given. */
#include "base/file.h"
#include "base/memory.h"
#include "checkpoint/store.h"
#include "cli/aside.h"
#include "cli/check_words.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/together.h"
#include "train/runtime.h"

#include <stdlib.h>
#include <sys/stat.h>

struct request {
    const char *file;
    const char **overrides; /* [override_count] */
    size_t override_count;
    bool json;
    struct aside aside;
};

/* Local. Bytes of the checkpoints that a run has. */
static double present_bytes(const char *run)
{
    struct store store;
    struct error error;
    uint64_t *steps = NULL;
    size_t count = 0;
    double bytes = 0;
    bool ok = store_init(&store, run, 0, &error) && store_list(&store, &steps, &count, &error);
    for (size_t i = 0; ok && i < count; i++) {
        char path[PATH_MAX];
        struct stat info;
        store_path(&store, steps[i], path);
        bytes += lstat(path, &info) == 0 && S_ISREG(info.st_mode) ? (double)info.st_size : 0;
    }
    memory_free(steps);
    return bytes;
}

/* Local, rank 0's work. False: something does not fit. */
static bool tell(const struct world *world, const struct request *request, const struct rehearsal *rehearsal,
                 struct error *error)
{
    char place[PATH_MAX];
    struct text misfits;
    const struct job *job = &request->aside.job;
    text_init(&misfits);
    file_parent(request->aside.scratch.path, place);
    struct check_report report = {.job = job,
                                  .rehearsal = rehearsal,
                                  .forecast = forecast_make(job, &rehearsal->parts),
                                  .ranks = world->size,
                                  .disk = place,
                                  .present = present_bytes(request->aside.run),
                                  .misfits = ""};
    check_find_misfits(&report, &misfits);
    report.misfits = text_bytes(&misfits);
    (request->json ? check_say_json : check_say)(&report);
    bool fits = misfits.length == 0;
    if (!fits)
        error_set(error, ERROR_USAGE, "the job does not fit: %s", text_bytes(&misfits));
    text_release(&misfits);
    return fits;
}

/* Collective over world. */
static bool work(const struct world *world, void *context, struct error *error)
{
    struct request *request = context;
    struct rehearsal rehearsal;
    bool ok = aside_open(world, &request->aside, request->file, request->overrides, request->override_count, error) &&
              rehearsal_run(world, &request->aside.job, &rehearsal, error);
    if (!ok && error->kind == ERROR_LATE) { /* perhaps on this rank alone */
        command_fail(error);
        runtime_leave(EXIT_SAVED);
    }
    if (ok) {
        ok = world->rank != 0 || tell(world, request, &rehearsal, error);
        ok = world_share_number(world, ok) != 0;
        world_share(world, error, sizeof *error);
    }
    aside_close(&request->aside);
    return ok;
}

static int run(int count, char **words)
{
    struct request request = {.overrides = memory_need((size_t)count + 1, sizeof *request.overrides)};
    const struct flag flags[] = {{.name = "--set", .list = request.overrides, .length = &request.override_count},
                                 {.name = "--json", .given = &request.json},
                                 {0}};
    struct error error;
    int code;
    if (!flags_parse(flags, (struct flag_files){"a job file", 1, 1}, &count, words, &error)) {
        code = command_misused(&command_check, "%s", error.text);
    } else {
        aside_prepare(&request.aside);
        request.file = words[0];
        code = together(work, &request);
        aside_close(&request.aside); /* of a start that came to nothing */
    }
    memory_free(request.overrides);
    return code;
}

const struct command command_check = {
    .name = "check",
    .usage =
        "lockstep check JOB.yaml [--set key.path=value]... [--json]   some steps, a validation, a save and a resume in "
        "a directory of its own: what the job will take, and whether it fits; under mpirun as it will be trained",
    .run = run,
    .parallel = true,
};
