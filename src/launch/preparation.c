#include "launch/preparation.h"

#include "base/log.h"
#include "launch/hosts.h"
#include "launch/launcher.h"
#include "launch/nodes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void preparation_init(struct preparation *preparation, const struct slurm_job *slurm, char *const *command,
                      unsigned ranks_most)
{
    struct words words;
    words_copy(&words, command);
    *preparation = (struct preparation){.slurm = slurm,
                                        .command = command,
                                        .ranks_most = ranks_most,
                                        .is_srun = launcher_find(&words, NULL) == LAUNCHER_SRUN,
                                        .tells_end = !getenv("LOCKSTEP_END_TIME"),
                                        .tells_warning = !getenv("LOCKSTEP_WARNING_S")};
    words_release(&words);
}

/* After a crash: the launcher is not to use nodes that are lost. */
static void leave_out_lost(const struct preparation *preparation, struct words *command)
{
    struct text lost;
    text_init(&lost);
    size_t there = preparation->slurm->is_inside ? nodes_leave_out_lost(preparation->slurm, command, &lost)
                                                 : hosts_leave_out_lost(command, &lost);
    if (lost.length > 0 && there > 0)
        log_warn("supervise: lost nodes: %s; going on with %zu other%s", lost.bytes, there, there == 1 ? "" : "s");
    else if (lost.length > 0)
        log_warn("supervise: no node can be reached: %s", lost.bytes);
    text_release(&lost);
}

/* The job pays for nodes that it cannot use. mpirun fills one after the other; srun gives each a rank first. */
static void warn_of_idle(const struct preparation *preparation, unsigned ranks)
{
    size_t nodes = 0, used = nodes_filled_by(ranks, &nodes);
    if (preparation->is_srun)
        used = ranks < nodes ? ranks : nodes;
    if (used < nodes)
        log_warn(
            "%zu of %zu nodes stay idle: %u leaves (train.batch / train.microbatch) are work for %u ranks: ask for "
            "fewer nodes (--nodes), or make train.microbatch smaller",
            nodes - used, nodes, ranks, ranks);
}

/* In a batch job, whose nodes can be other ones at each start: a rank for each slot, at most those that the job can
 * use. What somebody has said, to the launcher or (srun) to sbatch, counts; to sbatch, as long as it is not more. */
static void choose_ranks(const struct preparation *preparation, struct words *command)
{
    unsigned slots = preparation->slurm->is_inside ? nodes_slots() : 0, most = preparation->ranks_most;
    bool is_said = !preparation->is_srun || getenv("SLURM_NTASKS"); /* mpirun takes the slots; srun one a node */
    if (slots == 0 || (is_said && slots <= most))
        return;
    if (launcher_give_ranks(command, slots < most ? slots : most) && slots > most) {
        log_info("supervise: room for %u ranks, but only %u leaves: %u ranks", slots, most, most);
        warn_of_idle(preparation, most);
    }
}

static void set_seconds(const char *name, double seconds)
{
    char text[32];
    snprintf(text, sizeof text, "%.3f", seconds);
    setenv(name, text, 1);
}

/* What the job should know of the end that Slurm has set. */
static void tell_end(const struct preparation *preparation)
{
    if (preparation->tells_end && preparation->slurm->end_unix > 0)
        set_seconds("LOCKSTEP_END_TIME", preparation->slurm->end_unix);
    double warning_s = slurm_warning_s(preparation->slurm, preparation->is_srun);
    if (preparation->tells_warning && !isnan(warning_s))
        set_seconds("LOCKSTEP_WARNING_S", warning_s);
}

/* Slurm's plugin for PMIx takes a tree for the barrier at the end of MPI_Init, of which each node is a root of its own
 * as long as there are fewer nodes than TreeWidth (22.05 and 24.11): nodes do not wait for each other, and a rank that
 * gets a message while it is still in MPI_Init crashes, in one start of some hundreds. */
static void make_srun_wait(const struct preparation *preparation)
{
    if (preparation->is_srun)
        setenv("SLURM_PMIX_FENCE", "ring", 0);
}

/* The step of the launch before may hold its cores for ever: Slurm takes it for alive on a node that was lost and is
 * back, or it cannot be ended (slurmstepd hangs, or a rank does, on its disk). The next one would wait for them. */
static void make_steps_overlap(const struct preparation *preparation)
{
    if (preparation->slurm->is_inside && !getenv("SLURM_EXCLUSIVE"))
        setenv("SLURM_OVERLAP", "1", 0);
}

void preparation_make(const struct preparation *preparation, bool after_crash, struct words *command)
{
    words_copy(command, preparation->command);
    if (after_crash) {
        make_steps_overlap(preparation);
        leave_out_lost(preparation, command);
    }
    choose_ranks(preparation, command);
    tell_end(preparation);
    make_srun_wait(preparation);
}
