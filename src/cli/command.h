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

extern const struct command command_train;       /* train.c */
extern const struct command command_summary;     /* summary.c */
extern const struct command command_ls;          /* ls.c */
extern const struct command command_show;        /* show.c */
extern const struct command command_verify;      /* verify.c */
extern const struct command command_diff;        /* diff.c */
extern const struct command command_fingerprint; /* fingerprint.c */
extern const struct command command_pin;         /* pin.c */
extern const struct command command_history;     /* history.c */
extern const struct command command_export;      /* export.c */
extern const struct command command_import;      /* import.c */
extern const struct command command_doctor;      /* doctor.c */
extern const struct command command_supervise;   /* supervise.c */

/* Local. Prints "lockstep: <words>" to standard error and returns the exit code of the error. */
int command_fail(const struct error *error);

/* Local. Prints how the command is used, and what was wrong with the call; returns EXIT_USAGE. */
int command_misused(const struct command *command, const char *format, ...) FORMAT(2, 3);

#endif
