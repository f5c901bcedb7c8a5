/* Progress for people: lines on standard error, from rank 0 only. Errors are returned, not logged (see error.h). */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/error.h"

/* Local. Sets the rank of this process (rank.h); rank 0 writes lines. */
void log_init(int rank);

/* Local. One line each (or several, of which the others begin with a space), with the time of day in front, as
 * clock_text writes it; log_warn puts "warning: " behind that. Words from files come out harmless (text_append_shown).
 */
void log_info(const char *format, ...) FORMAT(1, 2);
void log_warn(const char *format, ...) FORMAT(1, 2);

/* Local. A line that the next one replaces, if standard error is a terminal; nothing otherwise, and nothing if the last
 * one is less than 0.1 s old. */
void log_progress(const char *format, ...) FORMAT(1, 2);

/* Local. Whether standard error, or that of the mpirun that shows it, was a terminal at log_init. */
bool log_is_terminal(void);

#endif
