/* The subcommands of the program. Each gets the arguments behind its name and returns the exit code; only here is
 * printed. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/error.h"

struct command {
    const char *name;
    const char *usage; /* "lockstep NAME ..." and what it does */
    int (*run)(int count, char **words);
    bool parallel; /* for all ranks of an mpirun; else rank 0 does it, and the others have nothing to do */
    bool acts;     /* what it does counts; else what it prints is all, and it has failed if that is lost */
};

/* One row each, in the order in which they are explained: command_NAME stands in NAME.c. */
/* clang-format off */
#define COMMANDS(ROW) ROW(train) ROW(summary) ROW(check) ROW(bench) ROW(data) ROW(convert) ROW(order) ROW(ls) ROW(show) ROW(verify) \
    ROW(diff) ROW(fingerprint) ROW(history) ROW(pin) ROW(evaluate) ROW(predict) ROW(generate) ROW(export) ROW(import) \
    ROW(supervise) ROW(doctor)
/* clang-format on */

#define COMMAND_EXTERN(name) extern const struct command command_##name;
COMMANDS(COMMAND_EXTERN)

/* Local. The program: does what its arguments say, and returns its exit code. A program that has added kinds of its own
 * (base/registry.h) can be this one, too. */
int command_main(int argc, char **argv);

/* Local. Prints "lockstep: <words>" to standard error and returns the exit code of the error. */
int command_fail(const struct error *error);

/* Local. Prints how the command is used, and what was wrong with the call; returns EXIT_USAGE. */
int command_misused(const struct command *command, const char *format, ...) FORMAT(2, 3);

#endif
