/* A growing text, for everything that is put together from parts: job files, JSON lines, messages. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/error.h"

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

/* Local. Appends; memory that cannot be had is a CHECK. */
void text_append(struct text *text, const char *format, ...) FORMAT(2, 3);

/* Local. Appends `value` as a JSON string, quotes and escapes included. */
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
