/* What limits the memory of this process: the process's own limits (ulimit), its control groups, what Slurm was asked
 * for, and what the machine has. Page cache counts nowhere: the kernel takes it back. What cannot be read is no limit.
 *
 * Of control groups (cgroups, v1 and v2) each group from that of the process up to the outermost that is to be seen
 * counts. Memory that may be swapped out counts as room, where the machine has swap. */
#ifndef BASE_MEMORY_LIMIT_H
#define BASE_MEMORY_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_LIMITS 16 /* that are kept */
#define MEMORY_NAME   256

/* Whose memory together, and of which kind. */
enum memory_reach {
    MEMORY_OWN,     /* the private memory of this process */
    MEMORY_ADDRESS, /* all that this process has mapped */
    MEMORY_GROUP,   /* of all processes of a control group */
    MEMORY_NODE,    /* of all processes of the job on this node */
    MEMORY_MACHINE, /* of all processes: `bytes` is what was left when it was looked at */
};

struct memory_limit {
    enum memory_reach reach;
    uint64_t group; /* MEMORY_GROUP: which; processes of one group have the same number */
    double bytes;
    bool is_soft;           /* who needs more is slowed down, and neither refused nor killed */
    char name[MEMORY_NAME]; /* "memory.max of the control group /a/b" */
};

struct memory_limits {
    struct memory_limit items[MEMORY_LIMITS];
    size_t count;
    double present; /* bytes, private and shared, that this process had when MEMORY_MACHINE was looked at */
};

/* Local. All of them, as they are now. */
void memory_limits_find(struct memory_limits *limits);

/* Local. Adds one; what there is no room for is left out. */
void memory_limits_add(struct memory_limits *limits, const struct memory_limit *limit);

/* Local. Parts of it, which add what they find. root: of a directory with files like those of the system ("": the
 * system's). */
void memory_limits_of_process(struct memory_limits *limits);
void memory_limits_of_machine(struct memory_limits *limits, const char *root);
void memory_limits_of_groups(struct memory_limits *limits, const char *root);

/* Local. Part of it: the texts of SLURM_MEM_PER_NODE, SLURM_MEM_PER_CPU (both in MB) and SLURM_JOB_CPUS_PER_NODE
 * ("16(x2),8"), of which the largest number counts: which node this one is in the list is not known. NULL: not there.
 */
void memory_limits_of_slurm(struct memory_limits *limits, const char *per_node, const char *per_cpu, const char *cpus);

#endif
