/* What scontrol tells of a job, a partition and the site, all in one text; behind the line "----" a batch script, which
 * stands for SLURM_TASKS_PER_NODE as well. */
#include "fuzz.h"
#include "launch/nodes.h"
#include "launch/slurm.h"

#include <stdlib.h>

#define NODES 16

static void judge(const struct slurm_job *job)
{
    slurm_margin_s(job);
    slurm_is_limit_near(job, 1.8e9);
    slurm_is_ending(job);
    slurm_warning_s(job, true);
    slurm_is_out_of_time(job);
    slurm_is_requeued_at_end(job);
    slurm_requeue_delay(job);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first, second_size;
    const uint8_t *second;
    unsigned tasks[NODES];
    struct slurm_job job = {.id = "7", .is_inside = true, .is_known = true};
    fuzz_split(data, size, &first, &second, &second_size);
    char *told = fuzz_text(data, first), *script = fuzz_text(second, second_size);
    slurm_read_job(told, &job);
    slurm_read_partition(told, &job.site);
    slurm_read_config(told, &job.site);
    slurm_read_signal(script, job.site.signal);
    judge(&job);
    for (size_t count = 1; count <= NODES; count++)
        nodes_parse_tasks(script, tasks, count);
    free(told);
    free(script);
    return 0;
}
