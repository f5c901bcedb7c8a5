/* What the program prints: on standard output what was asked for, on standard error what is wrong. Everything that
 * people read goes through here or through base/log.h, and comes out harmless, wherever its words have come from: see
 * text_append_shown. scripts/check-layers sees to it that nobody prints by himself. */
#ifndef BASE_SAY_H
#define BASE_SAY_H

#include "base/error.h"

#include <stdarg.h>

/* Local. printf. Line breaks are those that the format begins and ends with: in between there are none, so that no text
 * from a file can look like another line. */
void say(const char *format, ...) FORMAT(1, 2);
void say_list(const char *format, va_list args);

/* Local. The same on standard error; a message may go on in lines that begin with a space. */
void say_error(const char *format, ...) FORMAT(1, 2);
void say_error_list(const char *format, va_list args);

#endif
