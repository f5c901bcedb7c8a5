/* Characters of UTF-8 texts (RFC 3629: no surrogates, nothing above U+10FFFF, no longer form than necessary). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_BYTES       4              /* of a character at most */
#define UTF8_MARK        "\xEF\xBB\xBF" /* some editors write it in front of a text */
#define UTF8_CODE_POINTS 0x110000       /* every character is below */

/* Local. The character at bytes[0 ... count), count > 0, and its length in bytes; 0 if there is none. */
size_t utf8_decode(const char *bytes, size_t count, uint32_t *character);

/* Local. How many of the bytes, from the first one on, are whole characters; whether all of them are. */
size_t utf8_whole(const char *bytes, size_t count);
bool utf8_is_text(const char *bytes, size_t count);

/* Local. Whether a character may stand as it is where people read. Not: control characters (C0, DEL, C1), which a
 * terminal obeys; line breaks of Unicode; what turns the direction of writing or is not seen at all, so that a text
 * looks like another one. */
bool utf8_is_visible(uint32_t character);

/* Local. Writes a character to bytes[UTF8_BYTES] and returns its length; no NUL behind. */
size_t utf8_encode(uint32_t character, char *bytes);

#endif
