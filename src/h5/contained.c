#include "h5/contained.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "h5/h5.h"
#include "h5/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Limits that all real work stays far below: 1,000 views need 0.1 s, a gigabyte of values a few seconds.
 *
 * Processor time: CPU_S, and a second for each MB of the first SMALL bytes of weight, then for each 16 MB; CPU_MOST is
 * a terabyte of values at 70 MB/s. Time in all: WAIT_S, and a second for each MB: what waits for a slow disk costs
 * nothing. Memory beyond what the process has: MEMORY, and four times the weight. */
#define CPU_S    1
#define CPU_MOST (4 * 3600)
#define SMALL    ((uint64_t)64 << 20)
#define WAIT_S   120
#define POLL_S   1000.0 /* at most at a time: its milliseconds are an int */
#define MEMORY   ((uint64_t)512 << 20)

#define ANSWER_MOST ((size_t)1 << 28)

/* What goes through the pipe in front of the answer, or of the words of an error. */
struct head {
    uint64_t ok, kind, bytes;
};

static uint64_t seconds_for(uint64_t weight)
{
    uint64_t small = weight < SMALL ? weight : SMALL, seconds = CPU_S + (small >> 20) + ((weight - small) >> 24);
    return seconds < CPU_MOST ? seconds : CPU_MOST;
}

/* Never more than there is in this machine. */
static uint64_t memory_for(uint64_t weight)
{
    uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    return MEMORY + (weight < all / 4 ? 4 * weight : all);
}

/* ---- the child ---- */

static void limit(int what, uint64_t most)
{
    struct rlimit is;
    if (getrlimit(what, &is))
        return;
    rlim_t now = is.rlim_max != RLIM_INFINITY && is.rlim_max < most ? is.rlim_max : (rlim_t)most;
    /* At the soft limit of its time it gets a signal that says so, at the hard one only SIGKILL. */
    is = (struct rlimit){.rlim_cur = now, .rlim_max = now + (what == RLIMIT_CPU)};
    setrlimit(what, &is);
}

/* Bytes of address space that this process has. */
static uint64_t own_bytes(void)
{
    char text[64] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    unsigned long long pages = 0;
    if (fd >= 0)
        close(fd);
    if (got <= 0 || sscanf(text, "%llu", &pages) != 1)
        return (uint64_t)1 << 40;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Whoever wants the job to leave does not mean this process: it is done in a moment, and its end by a signal would say
 * something about the file. A crash must be one, also if the job catches it. */
static void set_signals(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGXCPU, SIGSYS};
    sigset_t none;
    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_IGN);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        signal(crashes[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void close_streams(void)
{
#ifndef SANDBOX_SANITIZED /* whose words are wanted */
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; nothing >= 0 && fd <= STDERR_FILENO; fd++)
        dup2(nothing, fd);
#endif
}

static void answer_with(int pipe, const void *bytes, size_t count)
{
    for (size_t done = 0; done < count;) {
        ssize_t put = write(pipe, (const char *)bytes + done, count - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            _exit(1);
        done += (size_t)put;
    }
}

struct task {
    const char *path; /* NULL: what is looked at is in memory */
    int descriptor;
    uint64_t weight;
    contained_work *work;
    void *context;
};

static _Noreturn void be_child(const struct task *task, int pipe)
{
    char *answer = NULL;
    size_t bytes = 0;
    hid_t file = -1;
    struct error error = {.kind = ERROR_NONE};
    set_signals();
    close_streams();
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, seconds_for(task->weight));
#ifndef SANDBOX_SANITIZED
    limit(RLIMIT_AS, own_bytes() + memory_for(task->weight));
#else
    (void)own_bytes, (void)memory_for;
#endif
    bool ok = !task->path || h5_open(task->descriptor, task->path, H5F_ACC_RDONLY, &file, &error);
    size_t path = task->path ? strlen(task->path) : 0;
    if (!ok && strncmp(error.text, task->path, path) == 0) /* who has asked puts it in front */
        memmove(error.text, error.text + path + 2, strlen(error.text + path + 2) + 1);
    limit(RLIMIT_NOFILE, 0);
    sandbox_enter(pipe);
    ok = ok && task->work(file, task->context, &answer, &bytes, &error);
    if (!ok) {
        answer = error.text;
        bytes = strlen(error.text);
    }
    struct head head = {.ok = ok, .kind = (uint64_t)error.kind, .bytes = bytes};
    answer_with(pipe, &head, sizeof head);
    answer_with(pipe, answer, bytes);
    _exit(0);
}

/* ---- the parent ---- */

struct inbox {
    char *bytes;
    size_t length, capacity;
};

/* Whatever comes until the pipe is closed. False: too much, or too late. */
static bool receive(int pipe, double end, struct inbox *in)
{
    for (;;) {
        if (in->length == in->capacity) {
            size_t capacity = 2 * in->capacity + 65536;
            char *larger = capacity <= 2 * ANSWER_MOST ? memory_need(capacity, 1) : NULL;
            if (!larger)
                return false;
            if (in->length > 0)
                memcpy(larger, in->bytes, in->length);
            memory_free(in->bytes);
            in->bytes = larger;
            in->capacity = capacity;
        }
        double left = end - clock_seconds();
        struct pollfd wait = {.fd = pipe, .events = POLLIN};
        if (left <= 0)
            return false;
        int ready = poll(&wait, 1, (int)(1e3 * fmin(left, POLL_S)) + 1);
        if (ready == 0)
            continue;
        ssize_t got = ready > 0 ? read(pipe, in->bytes + in->length, in->capacity - in->length) : -1;
        if (got == 0)
            return true;
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        in->length += got > 0 ? (size_t)got : 0;
    }
}

/* Of a child that has ended without an answer. */
static bool explain(bool was_late, int status, struct error *error)
{
    if (was_late)
        return error_set(error, ERROR_IO,
                         "the process that looks at it does not come to an end: does its disk answer?");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return error_set(error, ERROR_CORRUPT, "HDF5 does not come to an end with it");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return error_set(error, ERROR_IO, "the process that looked at it was killed");
    if (WIFSIGNALED(status))
        return error_set(error, ERROR_CORRUPT, "HDF5 crashes over it (%s)", strsignal(WTERMSIG(status)));
    return error_set(error, ERROR_CORRUPT, "HDF5 cannot be used on it: no answer from the process that looked at it");
}

/* The verdict of the child; takes the inbox over. */
static bool open_answer(struct inbox *in, char **answer, size_t *bytes, struct error *error)
{
    struct head head;
    memcpy(&head, in->bytes, sizeof head);
    if (head.ok) {
        memmove(in->bytes, in->bytes + sizeof head, in->length - sizeof head);
        *answer = in->bytes;
        *bytes = in->length - sizeof head;
        return true;
    }
    bool known = head.kind == ERROR_IO || head.kind == ERROR_FULL || head.kind == ERROR_VERSION ||
                 head.kind == ERROR_NOT_FOUND;
    int length = (int)(in->length - sizeof head > 1000 ? 1000 : in->length - sizeof head);
    for (char *c = in->bytes + sizeof head; c < in->bytes + in->length; c++)
        if ((unsigned char)*c < ' ' || *c == 127) /* what it quotes of the file is not for a terminal */
            *c = '?';
    error_set(error, known ? (enum error_kind)head.kind : ERROR_CORRUPT, "%.*s", length, in->bytes + sizeof head);
    memory_free(in->bytes);
    return false;
}

static bool is_whole(const struct inbox *in)
{
    struct head head = {0};
    if (in->length >= sizeof head)
        memcpy(&head, in->bytes, sizeof head);
    return in->length >= sizeof head && head.bytes == in->length - sizeof head;
}

/* What a file has stored decides what may be spent on it. Returns false. */
static bool explain_holes(uint64_t stored, uint64_t bytes, struct error *error)
{
    struct error found = *error;
    if (found.kind == ERROR_IO && stored < bytes)
        error_set(error, ERROR_IO,
                  "%s; only %.1f of its %.1f MB are stored (a sparse copy? cp --sparse=never makes a whole one)",
                  found.text, (double)stored / 1e6, (double)bytes / 1e6);
    return false;
}

/* Starts the child and waits for its answer. */
static bool run(const struct task *task, char **answer, size_t *bytes, struct error *error)
{
    struct inbox in = {0};
    int ends[2], status = 0;
    *answer = NULL;
    *bytes = 0;
    if (pipe2(ends, O_CLOEXEC))
        return error_errno(error, "cannot make a pipe");
    pid_t child = fork();
    if (child == 0)
        be_child(task, ends[1]);
    close(ends[1]);
    bool in_time = child > 0 && receive(ends[0], clock_seconds() + WAIT_S + (double)(task->weight >> 20), &in);
    close(ends[0]);
    if (child < 0)
        return error_errno(error, "cannot start a process to look at it");
    if (!in_time)
        kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (in_time && is_whole(&in))
        return open_answer(&in, answer, bytes, error);
    memory_free(in.bytes);
    return explain(!in_time, status, error);
}

bool contained_run(const char *path, int descriptor, uint64_t most, contained_work *work, void *context, char **answer,
                   size_t *bytes, struct error *error)
{
    struct task task = {.path = path, .descriptor = descriptor, .work = work, .context = context};
    struct stat info;
    *answer = NULL;
    *bytes = 0;
    if (fstat(descriptor, &info))
        return error_errno(error, "cannot look at it");
    uint64_t stored = file_stored_between(descriptor, 0, (uint64_t)info.st_size);
    task.weight = stored < most ? stored : most;
    return run(&task, answer, bytes, error) || explain_holes(stored, (uint64_t)info.st_size, error);
}

bool contained_run_on_memory(uint64_t weight, contained_work *work, void *context, char **answer, size_t *bytes,
                             struct error *error)
{
    struct task task = {.descriptor = -1, .weight = weight, .work = work, .context = context};
    return run(&task, answer, bytes, error);
}
