#include "cli/command.h"

#include "base/rank.h"
#include "base/say.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COMMAND(name) &command_##name,
static const struct command *const commands[] = {COMMANDS(COMMAND)};
#define COUNT (sizeof commands / sizeof *commands)

int command_fail(const struct error *error)
{
    say_error("lockstep: %s\n", error->text);
    return error_exit_code(error->kind);
}

int command_misused(const struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_error("lockstep %s: ", command->name);
    say_error_list(format, args);
    va_end(args);
    say_error("\nusage: %s\n", command->usage);
    return EXIT_USAGE;
}

static void print_help(FILE *out)
{
    fprintf(out, "lockstep %s: data-parallel training that survives its job\n\n", LOCKSTEP_VERSION);
    for (size_t i = 0; i < COUNT; i++)
        fprintf(out, "  %s\n", commands[i]->usage);
    fprintf(
        out,
        "  lockstep --version | --help\n\na CHECKPOINT is a file, or RUN (its newest), RUN@best (of its best validation), "
        "RUN@1750 (of that step)\n\nexit codes: %d finished or all well, %d saved and wants to be run again, "
        "%d the request cannot succeed as it is, %d failed while it was tried\n",
        EXIT_FINISHED, EXIT_SAVED, EXIT_USAGE, EXIT_FAILED);
}

static int is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/* A standard stream that is closed would become the next file or pipe that is opened, and what is printed go there. */
static void open_standard_streams(void)
{
    int file;
    do
        file = open("/dev/null", O_RDWR);
    while (file >= 0 && file <= STDERR_FILENO);
    if (file >= 0)
        close(file);
}

/* The exit code of a command, once what it has printed is out. */
static int end_output(const struct command *command, int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    say_error("lockstep: not all of standard output could be written: is its disk full?\n");
    return code == EXIT_FINISHED && !command->acts ? EXIT_FAILED : code;
}

int command_main(int argc, char **argv)
{
    open_standard_streams();
    signal(SIGXFSZ, SIG_IGN); /* a file that may not become larger is an error with words */
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (is_help(argv[1]) || strcmp(argv[1], "--version") == 0) {
        if (is_help(argv[1]))
            print_help(stdout);
        else
            say("lockstep %s\n", LOCKSTEP_VERSION);
        return EXIT_FINISHED;
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(argv[1], commands[i]->name) != 0)
            continue;
        if (argc > 2 && is_help(argv[2])) {
            say("usage: %s\n", commands[i]->usage);
            return EXIT_FINISHED;
        }
        if (!commands[i]->parallel && rank_told() > 0)
            return EXIT_FINISHED;
        return end_output(commands[i], commands[i]->run(argc - 2, argv + 2));
    }
    say_error("lockstep: no subcommand '%s'\n\n", argv[1]);
    print_help(stderr);
    return EXIT_USAGE;
}
