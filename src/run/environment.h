/* Where this runs: what the bits depend on, and what a log should begin with. */
#ifndef RUN_ENVIRONMENT_H
#define RUN_ENVIRONMENT_H

#include "base/text.h"
#include "nn/kernels/compute.h"

#include <stdbool.h>

#define ENVIRONMENT_HOST 65

/* Local. Appends the passport of this process, whose products `compute` makes: numerics, products, precision. Neither
 * CPU, compiler nor C library: no bit depends on them, unless the products are OpenBLAS's. */
void environment_passport(const struct compute *compute, struct text *passport);

/* Local. Appends which program this is: its version, and the number that its linker gave to this very build (GNU build
 * id), if it did. */
void environment_program(struct text *program);

/* Local. The name of this host. */
void environment_host(char host[ENVIRONMENT_HOST]);

/* Local. The batch job that this process belongs to, by Slurm, PBS or LSF: "123", "123_4" for an element of an array of
 * Slurm (whose own number would mean the whole array, for one of them), "123[4]" for one of LSF; "" if there is none.
 * Borrowed. */
const char *environment_batch_job(void);

/* Local. The same, with its element of an array of jobs, as a part of a file's name: "14_1"; "" if there is none. */
void environment_batch_key(char *key, size_t bytes);

/* Local. How often the batch system has started this job again; 0 also if it does not tell. */
uint64_t environment_restarts(void);

/* Local. Whether the batch system may have started this job again without telling: PBS and LSF, unless the job is an
 * interactive one, which they do not start again. */
bool environment_hides_restarts(void);

/* Local. How long ago this process was started, in seconds; 0 if the system does not tell. */
double environment_age_s(void);

/* Local, one thread. When that was, on clock_seconds: asked for once. */
double environment_born_s(void);

#endif
