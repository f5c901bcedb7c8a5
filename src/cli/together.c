#include "cli/together.h"

#include "cli/command.h"
#include "train/runtime.h"

int together(bool (*work)(const struct world *world, void *context, struct error *error), void *context)
{
    struct runtime runtime;
    struct error error;
    bool is_up = runtime_begin(&runtime, &(struct runtime_options){.ends_process = true}, &error);
    if (!runtime.is_up)
        return command_fail(&error);
    bool ok = world_agree(&runtime.world, is_up, &error) && work(&runtime.world, context, &error);
    if (!ok && runtime.world.rank == 0)
        command_fail(&error);
    runtime_end(&runtime);
    return ok ? EXIT_FINISHED : (int)error_exit_code(error.kind);
}
