/* A wall clock that is wrong by CLOCK_OFFSET seconds, or that is set while a process runs: by CLOCK_JUMP seconds from
 * the moment on in which the file CLOCK_FILE is there. The other clocks are right. To be preloaded. */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long offset, jump;
static const char *file;

/* Once: MPI_Init changes the environment, while another thread may look at a clock. */
__attribute__((constructor)) static void begin(void)
{
    const char *by = getenv("CLOCK_OFFSET"), *later_by = getenv("CLOCK_JUMP");
    offset = by ? atol(by) : 0;
    jump = later_by ? atol(later_by) : 0;
    const char *path = getenv("CLOCK_FILE");
    file = path ? strdup(path) : NULL;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME)
        now->tv_sec += offset + (file && access(file, F_OK) == 0 ? jump : 0);
    return result;
}

time_t time(time_t *to)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to)
        *to = now.tv_sec;
    return now.tv_sec;
}
