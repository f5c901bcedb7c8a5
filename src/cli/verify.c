#include "base/partition.h"
#include "base/plural.h"
#include "base/rank.h"
#include "base/say.h"
#include "checkpoint/locate.h"
#include "checkpoint/reader.h"
#include "checkpoint/store_name.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "h5/h5.h"
#include "parallel/world.h"
#include "train/runtime.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

/* Collective over world, if there is one. A job that runs may make a new one meanwhile: rank 0 looks for all. */
static bool locate(const struct world *world, const char *word, char path[PATH_MAX], struct error *error)
{
    bool ok = (world && world->rank != 0) || locate_checkpoint(word, path, error);
    if (!world)
        return ok;
    ok = world_agree(world, ok, error);
    if (ok)
        world_share(world, path, PATH_MAX);
    return ok;
}

/* Collective over world, if there is one: each rank reads its part of the blocks. The same verdict on every rank. */
static bool verify(const struct world *world, struct reader *reader, const char *path, struct error *error)
{
    bool ok = reader_open(reader, path, error) && store_check_name(path, reader->record.step, error);
    if (!world)
        return ok && reader_verify(reader, error) && reader_prove_views(reader, error);
    if (!world_agree(world, ok, error))
        return false;
    size_t size = (size_t)world->size, rank = (size_t)world->rank;
    ok = reader_verify_part(reader, partition_first(reader->blocks, size, rank),
                            partition_count(reader->blocks, size, rank), error) &&
         (rank > 0 || reader_prove_views(reader, error));
    return world_agree(world, ok, error);
}

/* "No" is an answer about what could be looked at; else the request is wrong, or the system has failed. */
static int code_of(const char *path, const struct error *error)
{
    struct stat info;
    bool is_file = stat(path, &info) == 0 && S_ISREG(info.st_mode);
    if (error->kind == ERROR_CORRUPT)
        return is_file ? EXIT_FAILED : EXIT_USAGE;
    return (int)error_exit_code(error->kind);
}

/* What is not there is not invalid. */
static const char *verdict_of(const struct error *error)
{
    return error->kind == ERROR_NOT_FOUND ? "not there" : "not valid";
}

/* A verdict a file on standard output; what is wrong, on standard error. */
static int verify_all(const struct world *world, int count, char **words)
{
    int code = EXIT_FINISHED;
    bool prints = !world || world->rank == 0;
    for (int i = 0; i < count; i++) {
        struct reader reader = {0};
        struct error error;
        char path[PATH_MAX];
        bool found = locate(world, words[i], path, &error), ok = found && verify(world, &reader, path, &error);
        const char *shown = found ? path : words[i];
        if (ok && prints)
            say("%s: valid, step %" PRIu64 ", %zu array%s of %zu floats, fingerprint %016" PRIx64 "\n", shown,
                reader.record.step, reader.array_count, plural(reader.array_count), reader.count,
                reader.record.fingerprint);
        if (!ok && prints) {
            say("%s: %s\n", shown, verdict_of(&error));
            fflush(stdout);
            command_fail(&error);
        }
        if (!ok && code_of(shown, &error) > code)
            code = code_of(shown, &error);
        reader_close(&reader);
    }
    return code;
}

static int run(int count, char **words)
{
    struct runtime runtime;
    struct error error;
    if (!flags_parse(&(struct flag){0}, (struct flag_files){"a checkpoint", 1, INT_MAX}, &count, words, &error))
        return command_misused(&command_verify, "%s", error.text);
    bool launched = rank_told() >= 0;
    if (!launched)
        h5_init();
    else if (!runtime_begin(&runtime, &(struct runtime_options){0}, &error))
        error_clear(&error); /* of fault points and kernels nothing is asked here */
    int code = verify_all(launched ? &runtime.world : NULL, count, words);
    fflush(stdout);
    if (launched)
        runtime_end(&runtime);
    else
        h5_release();
    return code;
}

const struct command command_verify = {
    .name = "verify",
    .usage =
        "lockstep verify CHECKPOINT...   reads everything and compares it with its digests; under mpirun in parallel",
    .run = run,
    .parallel = true};
