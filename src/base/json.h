/* Reading flat JSON objects, one a line, as our own files have them. Nested values are passed over. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Local. Whether the line is one object, and all of it: spaces around it are not seen, nor is the \r of another
 * system's line break. */
bool json_is_whole(const char *line);

/* Local. How many of the bytes in front of a line are no part of it: the marks of files that were put together
 * (UTF8_MARK), and zeros, which a power cut can leave where lines should be. */
size_t json_skip(const char *bytes, size_t count);

/* Local. The value of a key of the object that the line consists of. False if it is not there or of another type; then
 * the value stays as it is. A text that does not fit is cut at `bytes`, between two characters. */
bool json_number(const char *line, const char *key, double *value);
bool json_bool(const char *line, const char *key, bool *value);
bool json_text(const char *line, const char *key, char *text, size_t bytes);

#endif
