#include "run/environment.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "checkpoint/passport.h"
#include "nn/kernels/numerics.h"

#include <link.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void environment_passport(const struct compute *compute, struct text *passport)
{
    passport_add(passport, "numerics", numerics_describe());
    passport_add(passport, "products", compute->describe(compute));
    passport_add(passport, "precision", compute->precision(compute));
}

/* The notes of one segment: a header each, name and content behind it, both padded to 4 bytes. */
static bool find_build(const char *note, size_t bytes, struct text *program)
{
    ElfW(Nhdr) head;
    while (bytes >= sizeof head) {
        memcpy(&head, note, sizeof head);
        size_t name = (head.n_namesz + 3u) & ~3u, content = (head.n_descsz + 3u) & ~3u;
        if (name + content > bytes - sizeof head)
            return false;
        const char *build = note + sizeof head + name;
        if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == sizeof "GNU" &&
            memcmp(note + sizeof head, "GNU", sizeof "GNU") == 0) {
            text_append(program, ", build ");
            for (size_t i = 0; i < head.n_descsz; i++)
                text_append(program, "%02x", (unsigned)(unsigned char)build[i]);
            return true;
        }
        note += sizeof head + name + content;
        bytes -= sizeof head + name + content;
    }
    return false;
}

/* The first object is the program itself. */
static int look_at_object(struct dl_phdr_info *object, size_t size, void *program)
{
    (void)size;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type == PT_NOTE &&
            find_build((const char *)(object->dlpi_addr + segment->p_vaddr), segment->p_filesz, program))
            break;
    }
    return 1;
}

void environment_program(struct text *program)
{
    text_append(program, "lockstep %s", LOCKSTEP_VERSION);
    dl_iterate_phdr(look_at_object, program);
}

void environment_host(char host[ENVIRONMENT_HOST])
{
    if (gethostname(host, ENVIRONMENT_HOST - 1))
        snprintf(host, ENVIRONMENT_HOST, "unknown");
    host[ENVIRONMENT_HOST - 1] = '\0';
}

const char *environment_batch_job(void)
{
    static const char *const names[] = {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID"};
    static char element[128];
    const char *array = getenv("SLURM_ARRAY_JOB_ID"), *task = getenv("SLURM_ARRAY_TASK_ID");
    if (getenv("SLURM_JOB_ID") && array && task) {
        snprintf(element, sizeof element, "%.50s_%.50s", array, task);
        return element;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i])) {
            const char *index = strcmp(names[i], "LSB_JOBID") == 0 ? getenv("LSB_JOBINDEX") : NULL;
            if (!index || strcmp(index, "0") == 0)
                return getenv(names[i]);
            snprintf(element, sizeof element, "%.50s[%.50s]", getenv(names[i]), index);
            return element;
        }
    return "";
}

void environment_batch_key(char *key, size_t bytes)
{
    snprintf(key, bytes, "%s", environment_batch_job());
    for (; *key; key++)
        if (*key == '/')
            *key = '-';
}

uint64_t environment_restarts(void)
{
    const char *text = getenv("SLURM_RESTART_COUNT");
    uint64_t restarts = 0;
    return text && number_whole(text, SIZE_MAX, INT32_MAX, &restarts) ? restarts : 0;
}

bool environment_hides_restarts(void)
{
    const char *pbs = getenv("PBS_ENVIRONMENT");
    if (getenv("SLURM_JOB_ID") || getenv("LSB_INTERACTIVE") || (pbs && strcmp(pbs, "PBS_INTERACTIVE") == 0))
        return false;
    return getenv("PBS_JOBID") || getenv("LSB_JOBID");
}

/* Field 22 of /proc/self/stat: ticks since the machine was started. The second field, in brackets, may hold anything.
 */
double environment_age_s(void)
{
    char *stat = NULL;
    size_t length;
    struct error error;
    struct timespec now;
    unsigned long long ticks = 0;
    if (!file_read("/proc/self/stat", &stat, &length, &error))
        return 0;
    const char *field = strrchr(stat, ')');
    for (int i = 2; field && i < 22; i++)
        field = strchr(field + 1, ' ');
    bool known = field && sscanf(field, " %llu", &ticks) == 1 && clock_gettime(CLOCK_BOOTTIME, &now) == 0;
    free(stat);
    double age = known ? (double)now.tv_sec + 1e-9 * (double)now.tv_nsec - (double)ticks / (double)sysconf(_SC_CLK_TCK)
                       : 0;
    return age > 0 ? age : 0;
}

double environment_born_s(void)
{
    static double born_s = -1;
    if (born_s < 0)
        born_s = fmax(0, clock_seconds() - environment_age_s());
    return born_s;
}
