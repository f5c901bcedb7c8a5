/* A wall clock that is wrong by CLOCK_OFFSET seconds, or that is set while a process runs: by CLOCK_JUMP seconds from
 * the moment on in which the file CLOCK_FILE is there. The other clocks are right. To be preloaded. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    const char *offset = getenv("CLOCK_OFFSET"), *jump = getenv("CLOCK_JUMP"), *file = getenv("CLOCK_FILE");
    if (clock != CLOCK_REALTIME)
        return result;
    now->tv_sec += offset ? atol(offset) : 0;
    now->tv_sec += jump && file && access(file, F_OK) == 0 ? atol(jump) : 0;
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
