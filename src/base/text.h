/* A growing text, for everything that is put together from parts: job files, JSON lines, messages. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *bytes; /* NUL-terminated once something was appended; else NULL */
    size_t length;
    size_t capacity;
};

/* Local. An empty text; text_release accepts a released one. */
void text_init(struct text *text);
void text_release(struct text *text);

/* Local. Appends; memory that cannot be had ends the process (memory_none). */
void text_append(struct text *text, const char *format, ...) FORMAT(2, 3);
void text_append_list(struct text *text, const char *format, va_list args);

/* Local. Appends these bytes as they are, NULs too. */
void text_append_bytes(struct text *text, const char *bytes, size_t count);

enum text_breaks {
    BREAKS_NONE,     /* the text is one line */
    BREAKS_INDENTED, /* it may go on in lines that begin with a space: no line of it can be taken for another one's */
};

/* Local. Appends `count` bytes for people: what may have come from a file, and could make a terminal do something or
 * look like something else, appears escaped: "\n", "\x1b" (control characters, bytes that are not UTF-8), "\u202e"
 * (see utf8_is_visible). All else passes, and is still one text: a second time changes nothing. */
void text_append_shown(struct text *text, const char *bytes, size_t count, enum text_breaks breaks);

/* Local. Appends `value` as a JSON string, quotes and escapes included; what is not visible is escaped, too. */
void text_append_json(struct text *text, const char *value);

/* Local. Appends a duration for people: "4 ms", "1.1 s", "96 s", "12 min", "7.2 h", "3 d". */
void text_append_seconds(struct text *text, double seconds);

/* Local. "512x784" into text[bytes], for messages about shapes. */
void text_sizes(size_t dims, const size_t *sizes, char *text, size_t bytes);

#define TEXT_AMOUNT 16

/* Local. A number of bytes for people: "980 B", "4.1 kB", "129.4 MB", "2.0 GB", in powers of 1000. */
void text_amount(uint64_t bytes, char text[TEXT_AMOUNT]);

/* Local. The bytes, "" if nothing was appended. Borrowed: valid until the next append. */
const char *text_bytes(const struct text *text);

#endif
