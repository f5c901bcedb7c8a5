#include "cli/aside.h"

#include "base/memory.h"
#include "train/runtime.h"

#include <string.h>

void aside_prepare(struct aside *aside)
{
    *aside = (struct aside){0};
    if (runtime_rank() == 0 && scratch_prepare(&aside->scratch, &aside->wrong))
        error_clear(&aside->wrong);
}

/* Collective over world. Everybody parses the same bytes. */
static bool read_job(const struct world *world, struct job *job, const char *file, const char *const *overrides,
                     size_t override_count, struct error *error)
{
    char *text = NULL;
    size_t bytes = 0;
    bool ok = world->rank != 0 || job_read_text(file, &text, &bytes, error);
    if (!ok)
        error->kind = ERROR_USAGE;
    if (!world_agree(world, ok, error))
        return false;
    world_share_bytes(world, &text, &bytes);
    ok = job_parse(job, file, text, overrides, override_count, error);
    memory_free(text);
    return world_agree(world, ok, error);
}

/* Collective over world. */
static bool move(const struct world *world, struct aside *aside, struct error *error)
{
    struct job *job = &aside->job;
    struct text path;
    text_init(&path);
    bool ok = world->rank != 0;
    if (!ok && aside->wrong.kind != ERROR_NONE)
        *error = aside->wrong;
    else if (!ok)
        ok = scratch_make(&aside->scratch, job->run, error);
    if (!world_agree(world, ok, error))
        return false;
    text_append(&path, "%s/run", aside->scratch.path);
    char *moved = memory_text(text_bytes(&path));
    size_t bytes = path.length;
    text_release(&path);
    world_share_bytes(world, &moved, &bytes);
    aside->run = job->run;
    job->run = moved;
    memory_free(job->copies.path);
    job->copies.path = NULL;
    return true;
}

bool aside_open(const struct world *world, struct aside *aside, const char *file, const char *const *overrides,
                size_t override_count, struct error *error)
{
    return read_job(world, &aside->job, file, overrides, override_count, error) && move(world, aside, error);
}

void aside_close(struct aside *aside)
{
    scratch_remove(&aside->scratch);
    memory_free(aside->run);
    job_release(&aside->job);
    memset(aside, 0, sizeof *aside);
}
