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

/* Only the kinds that a caller acts on. */
enum error_kind {
    ERROR_NONE = 0,
    ERROR_USAGE,     /* the request is wrong: exit code 2 */
    ERROR_NOT_FOUND, /* nothing there */
    ERROR_CORRUPT,   /* it is there, but not what it should be: an older one may do */
    ERROR_VERSION,   /* it is sound, but of a format that this program does not read */
    ERROR_IO,        /* the system refused: may work later */
    ERROR_BUSY,      /* somebody else holds it */
    ERROR_LATE,      /* somebody has not come in time: to be run again elsewhere or later, exit code 75 */
    ERROR_STATE,     /* the numbers in memory are not to be trusted, or not finite: they must not be saved */
};

struct error {
    enum error_kind kind;
    char text[2000];
};

/* Local. Writes kind and words; returns false, so that `return error_set(...)` reads well. */
bool error_set(struct error *error, enum error_kind kind, const char *format, ...) FORMAT(3, 4);

/* Local. As error_set, with ": <strerror(errno)>" behind the words, and the limit that may be the reason; kind is
 * ERROR_NOT_FOUND for ENOENT and ENOTDIR, else ERROR_IO. */
bool error_errno(struct error *error, const char *format, ...) FORMAT(2, 3);

/* Local. Puts context in front of the words of an error that is already set; the kind stays. Returns false. */
bool error_prefix(struct error *error, const char *format, ...) FORMAT(2, 3);

/* Local. Forgets the error. */
void error_clear(struct error *error);

#endif
