#include "launch/process.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_STARTED  127
#define AWAIT_MOST_S 1e6

static const int taken[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU, SIGPWR, SIGCHLD};

static sigset_t before; /* what children begin with */
static sigset_t waited;
static bool is_taken;

void process_take_signals(void)
{
    if (is_taken)
        return;
    signal(SIGCHLD, SIG_DFL);
    /* Nobody reads what is said any more, or a log may not become larger: no reason to end. Programs that are started
     * begin like that, too: mpirun would die of it, and the ranks with it. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    sigemptyset(&waited);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        struct sigaction action;
        /* What the caller has had ignored (nohup) stays ignored: if it were blocked, it would come all the same. */
        if (sigaction(taken[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&waited, taken[i]);
    }
    sigprocmask(SIG_BLOCK, &waited, &before);
    is_taken = true;
}

/* In the child. `broken` tells the parent why there is no program: it closes by itself when there is one. */
static void become(char *const *words, int input, int output, int broken)
{
    int from = input >= 0 ? input : open("/dev/null", O_RDONLY);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGUSR2);
    if (is_taken)
        sigprocmask(SIG_SETMASK, &before, NULL);
    dup2(from, STDIN_FILENO);
    if (output >= 0) {
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
    }
    execvp(words[0], words);
    int why = errno;
    ssize_t written = write(broken, &why, sizeof why);
    (void)written;
    _exit(NOT_STARTED);
}

/* input: what it reads; -1: nothing. output: where both streams go; -1: where ours go. */
static bool start(struct process *process, char *const *words, int input, int output, struct error *error)
{
    int broken[2], why = 0;
    *process = (struct process){0};
    if (pipe2(broken, O_CLOEXEC))
        return error_errno(error, "no pipe");
    pid_t parent = getpid();
    process->pid = fork();
    if (process->pid == 0) {
        if (getppid() == parent)
            become(words, input, output, broken[1]);
        _exit(NOT_STARTED);
    }
    close(broken[1]);
    bool ok = process->pid > 0 || error_errno(error, "no process for %s", words[0]);
    if (ok && read(broken[0], &why, sizeof why) == sizeof why) {
        waitpid(process->pid, NULL, 0);
        errno = why;
        ok = error_errno(error, "cannot start %s", words[0]);
    }
    close(broken[0]);
    if (!ok)
        process->pid = 0;
    return ok;
}

bool process_start(struct process *process, char *const *words, struct error *error)
{
    return start(process, words, -1, -1, error);
}

bool process_start_piped(struct process *process, char *const *words, int output, int *input, struct error *error)
{
    int ends[2];
    *input = -1;
    if (pipe2(ends, O_CLOEXEC))
        return error_errno(error, "no pipe");
    bool ok = start(process, words, ends[0], output, error);
    close(ends[0]);
    if (ok && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0)
        *input = ends[1];
    else
        close(ends[1]);
    return ok;
}

bool process_runs(struct process *process)
{
    int status = 0;
    if (process->pid == 0 || waitpid(process->pid, &status, WNOHANG) == 0)
        return process->pid != 0;
    process->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    process->pid = 0;
    return false;
}

int process_await(double seconds)
{
    seconds = seconds > 0 ? fmin(seconds, AWAIT_MOST_S) : 0;
    struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
    int number = sigtimedwait(&waited, NULL, &time);
    return number > 0 ? number : 0;
}

void process_signal(const struct process *process, int number)
{
    if (process->pid > 0)
        kill(process->pid, number);
}

void process_signal_group(const struct process *process, int number)
{
    if (process->pid > 0)
        kill(-process->pid, number);
}

/* Until the other side closes it, or the time is over. */
static bool drain(int input, double end_s, struct text *output)
{
    char bytes[4096];
    for (;;) {
        struct pollfd one = {.fd = input, .events = POLLIN};
        double left_s = end_s - clock_seconds();
        if (left_s <= 0)
            return false;
        if (poll(&one, 1, 1 + (int)(1e3 * left_s)) <= 0)
            continue;
        ssize_t count = read(input, bytes, sizeof bytes);
        if (count <= 0)
            return true;
        text_append(output, "%.*s", (int)count, bytes);
    }
}

int process_ask(char *const *words, double limit_s, struct text *output)
{
    struct process process;
    struct error error;
    int ends[2];
    double end_s = clock_seconds() + limit_s;
    if (pipe2(ends, O_CLOEXEC))
        return -1;
    bool ok = start(&process, words, -1, ends[1], &error);
    close(ends[1]);
    bool in_time = ok && drain(ends[0], end_s, output);
    close(ends[0]);
    while (ok && process_runs(&process)) {
        if (clock_seconds() >= end_s) {
            in_time = false;
            process_signal_group(&process, SIGKILL);
        }
        usleep(1000);
    }
    return in_time ? process.code : -1;
}

void process_try(char *const *const *tools, size_t count, double limit_s, bool *ok)
{
    struct process *processes = memory_need(count, sizeof *processes);
    struct error error;
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    double end_s = clock_seconds() + limit_s;
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        ok[i] = false;
        left += tools[i] && start(&processes[i], tools[i], -1, nowhere, &error);
    }
    while (left > 0) {
        usleep(10000);
        bool is_over = clock_seconds() >= end_s;
        for (size_t i = 0; i < count; i++) {
            if (processes[i].pid == 0)
                continue;
            if (is_over)
                process_signal_group(&processes[i], SIGKILL);
            if (process_runs(&processes[i]))
                continue;
            left--;
            ok[i] = !is_over && processes[i].code == 0;
        }
    }
    close(nowhere);
    memory_free(processes);
}
