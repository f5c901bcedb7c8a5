/* Errors with words.
 *
 * A call that can fail returns bool and takes `struct error *` last. Whoever decides that something is an
 * error writes the words: what, where, what to do. Callers add context in front, they do not guess.
 * Only main prints. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

#define WARN_UNUSED  __attribute__((warn_unused_result))
#define FORMAT(f, a) __attribute__((format(printf, f, a)))

/* Only the kinds that a caller acts on. What the program ends with for each stands in one table, in error.c: 2 if the
 * request cannot succeed as it is, 1 if it failed while it was tried. */
enum error_kind {
    ERROR_NONE = 0,
    ERROR_USAGE,     /* the request is wrong, or contradicts what is there */
    ERROR_NOT_FOUND, /* nothing there */
    ERROR_CORRUPT,   /* it is there, but not what it should be: an older one may do */
    ERROR_VERSION,   /* it is sound, but of a format that this program does not read */
    ERROR_IO,        /* the system refused: may work later */
    ERROR_FULL,      /* the same, because a disk or a quota is full: works when there is room */
    ERROR_DENIED,    /* the same, because this user may not: works when that is changed, or, once it has worked, when a
                      * server    knows him again */
    ERROR_BUSY,      /* somebody else holds it, and will go on to do so */
    ERROR_LATE,      /* somebody has not come in time: to be run again elsewhere or later */
    ERROR_AGAIN,     /* not done for want of room or time: to be run again */
    ERROR_STATE,     /* the numbers in memory are not to be trusted, or not finite: they must not be saved */
    ERROR_MEMORY, /* the same, because bits have changed by themselves: to be run again, from what was saved before */
};

/* How the program ends. The codes are for callers; who has to decide what to do next (launch/supervisor.h) looks at the
 * kind. */
enum exit_code {
    EXIT_FINISHED = 0,
    EXIT_FAILED = 1, /* while it was tried */
    EXIT_USAGE = 2,  /* it cannot succeed as it is */
    EXIT_SAVED = 75, /* EX_TEMPFAIL: run me again */
};

struct error {
    enum error_kind kind;
    char text[2000];
};

/* Local. Writes kind and words; returns false, so that `return error_set(...)` reads well. */
bool error_set(struct error *error, enum error_kind kind, const char *format, ...) FORMAT(3, 4);

/* Local. As error_set, with ": <strerror(errno)>" behind the words, and the limit that may be the reason; kind is
 * that of error_of_number. */
bool error_errno(struct error *error, const char *format, ...) FORMAT(2, 3);

/* Local. The kind for a number of the system's: ERROR_NOT_FOUND for what is not there (ENOENT, ENOTDIR), ERROR_USAGE
 * for a path that leads to something else (EISDIR, ELOOP, ENAMETOOLONG), ERROR_DENIED (EACCES, EPERM), ERROR_FULL
 * (ENOSPC, EDQUOT), else ERROR_IO. */
enum error_kind error_of_number(int number);

/* Local. Whether the system refused, for want of room, of a right or otherwise. */
bool error_is_refused(const struct error *error);

/* Local. Puts context in front of the words of an error that is already set; the kind stays. Returns false. */
bool error_prefix(struct error *error, const char *format, ...) FORMAT(2, 3);

/* Local. What the program ends with for an error of this kind. */
enum exit_code error_exit_code(enum error_kind kind);

/* Local. The kind as a word of a file ("not_found"), and the kind for such a word; ERROR_NONE: there is none of it. */
const char *error_kind_word(enum error_kind kind);
enum error_kind error_kind_of(const char *word);

/* Local. Forgets the error. */
void error_clear(struct error *error);

#endif
