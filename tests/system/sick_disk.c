/* A disk that fails, for LD_PRELOAD: writes to files whose path holds SICK_WRITE, and lists of directories whose path
 * holds SICK_LIST, end in EIO. With SICK_FROM and SICK_TO only these of all such calls, counted from 1. Everything
 * else goes through. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_sick(int fd, const char *variable)
{
    char link[64], path[4096];
    const char *part = getenv(variable);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = part ? readlink(link, path, sizeof path - 1) : -1;
    path[length > 0 ? length : 0] = '\0';
    if (length <= 0 || !strstr(path, part))
        return 0;
    static long calls = 0;
    const char *from = getenv("SICK_FROM"), *to = getenv("SICK_TO");
    calls++;
    return (!from || calls >= strtol(from, NULL, 10)) && (!to || calls <= strtol(to, NULL, 10));
}

#define PASS_ON(type, name, test, failed, parameters, arguments)                                                       \
    type name parameters;                                                                                              \
    type name parameters                                                                                               \
    {                                                                                                                  \
        static type(*real) parameters;                                                                                 \
        if (!real)                                                                                                     \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                                                 \
        if (test) {                                                                                                    \
            errno = EIO;                                                                                               \
            return failed;                                                                                             \
        }                                                                                                              \
        return real arguments;                                                                                         \
    }

PASS_ON(ssize_t, pwrite, is_sick(fd, "SICK_WRITE"), -1, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o))
PASS_ON(ssize_t, pwrite64, is_sick(fd, "SICK_WRITE"), -1, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o))
PASS_ON(ssize_t, pwritev, is_sick(fd, "SICK_WRITE"), -1, (int fd, const struct iovec *v, int n, off_t o), (fd, v, n, o))
PASS_ON(ssize_t, pwritev64, is_sick(fd, "SICK_WRITE"), -1, (int fd, const struct iovec *v, int n, off_t o),
        (fd, v, n, o))
PASS_ON(struct dirent *, readdir, is_sick(dirfd(d), "SICK_LIST"), NULL, (DIR * d), (d))
