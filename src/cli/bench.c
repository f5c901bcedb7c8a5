#include "base/memory.h"
#include "cli/aside.h"
#include "cli/bench_words.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/output.h"
#include "cli/together.h"
#include "train/runtime.h"

#define STEPS 20

struct request {
    const char *file;       /* NULL: the machine alone */
    const char **overrides; /* [override_count] */
    size_t override_count;
    int steps, save_every;
    const char *trace;
    bool json;
    struct aside aside;
};

static void tell(const struct world *world, const struct request *request, const struct benchmark *benchmark)
{
    struct bench_report report = {
        .ranks = world->size, .file = request->file, .benchmark = benchmark, .gemm = request->aside.job.model.gemm};
    if (world->rank == 0)
        (request->json ? bench_say_json : bench_say)(&report);
}

/* Collective over world. */
static bool measure_job(const struct world *world, struct request *request, struct error *error)
{
    struct benchmark benchmark;
    const struct benchmark_request asked = {
        .steps = (size_t)request->steps, .save_every = (uint64_t)request->save_every, .trace = request->trace};
    bool ok = world->rank != 0 || !request->trace ||
              output_check(request->trace, (const char *const[]){request->file, NULL}, true, error);
    if (!world_agree(world, ok, error) ||
        !aside_open(world, &request->aside, request->file, request->overrides, request->override_count, error))
        return false;
    ok = benchmark_run(world, &request->aside.job, &asked, &benchmark, error);
    if (ok)
        tell(world, request, &benchmark);
    if (ok || error->kind != ERROR_LATE)
        benchmark_release(&benchmark);
    return ok;
}

/* Collective over world. */
static bool work(const struct world *world, void *context, struct error *error)
{
    struct request *request = context;
    if (!request->file) {
        struct benchmark benchmark = {0};
        machine_measure(world, 1, &benchmark.machine);
        tell(world, request, &benchmark);
        return true;
    }
    bool ok = measure_job(world, request, error);
    if (!ok && error->kind == ERROR_LATE) { /* perhaps on this rank alone */
        command_fail(error);
        runtime_leave(EXIT_SAVED);
    }
    aside_close(&request->aside);
    return ok;
}

static int run(int count, char **words)
{
    struct request request = {.overrides = memory_need((size_t)count + 1, sizeof *request.overrides), .steps = STEPS};
    const struct flag flags[] = {{.name = "--set", .list = request.overrides, .length = &request.override_count},
                                 {.name = "--steps", .number = &request.steps, .least = 1},
                                 {.name = "--save-every", .number = &request.save_every, .least = 1},
                                 {.name = "--trace", .value = &request.trace},
                                 {.name = "--json", .given = &request.json},
                                 {0}};
    struct error error;
    int code;
    if (!flags_parse(flags, (struct flag_files){"a job file", 0, 1}, &count, words, &error)) {
        code = command_misused(&command_bench, "%s", error.text);
    } else if (count == 0 && (request.override_count > 0 || request.save_every > 0 || request.trace)) {
        code = command_misused(&command_bench, "--set, --save-every and --trace go with a job file");
    } else {
        request.file = count > 0 ? words[0] : NULL;
        aside_prepare(&request.aside);
        code = together(work, &request);
        aside_close(&request.aside); /* of a start that came to nothing */
    }
    memory_free(request.overrides);
    return code;
}

const struct command command_bench = {
    .name = "bench",
    .usage =
        "lockstep bench [JOB.yaml [--set key.path=value]... [--steps N] [--save-every N] [--trace FILE]] [--json]   "
        "what this machine can do; and of a job how long steps take, by phase and layer, beside that; in a "
        "directory of its own, under mpirun as it will be trained",
    .run = run,
    .parallel = true,
};
