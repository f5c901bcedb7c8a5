#include "base/npy_header.h"

#include <stdio.h>
#include <string.h>

#define VERSIONED 8 /* bytes of magic and version */

bool npy_header_begins(const uint8_t *bytes, size_t count)
{
    return count >= NPY_MAGIC_BYTES && memcmp(bytes, NPY_MAGIC, NPY_MAGIC_BYTES) == 0;
}

bool npy_header_locate(const uint8_t *bytes, size_t count, size_t *begin, size_t *end)
{
    uint8_t major = count >= VERSIONED ? bytes[NPY_MAGIC_BYTES] : 1;
    size_t width = major == 1 ? 2 : 4, length = 0; /* of the length: little-endian */
    *begin = VERSIONED + width;
    for (size_t b = 0; count >= *begin && b < width; b++)
        length |= (size_t)bytes[VERSIONED + b] << 8 * b;
    *end = *begin + length;
    return major >= 1 && major <= 3;
}

/* ---- the dictionary ---- */

/* What is left of it. */
struct cursor {
    const char *at, *end;
};

static void skip_blanks(struct cursor *cursor)
{
    while (cursor->at < cursor->end && strchr(" \t\r\n", *cursor->at) && *cursor->at)
        cursor->at++;
}

/* Whether this stands there, which is then passed. */
static bool pass(struct cursor *cursor, const char *text)
{
    size_t length = strlen(text);
    skip_blanks(cursor);
    if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, text, length) != 0)
        return false;
    cursor->at += length;
    return true;
}

/* A text in quotes, which is cut if it does not fit. */
static bool take_text(struct cursor *cursor, char *text, size_t bytes)
{
    skip_blanks(cursor);
    const char *from = cursor->at + 1;
    if (cursor->at == cursor->end || (*cursor->at != '\'' && *cursor->at != '"'))
        return false;
    const char *quote = memchr(from, *cursor->at, (size_t)(cursor->end - from));
    if (!quote)
        return false;
    size_t length = (size_t)(quote - from) < bytes - 1 ? (size_t)(quote - from) : bytes - 1;
    memcpy(text, from, length);
    text[length] = '\0';
    cursor->at = quote + 1;
    return true;
}

/* A structured type is a list, [('a', '<f4'), ('b', [...])], of which nothing is wanted. */
static bool take_record(struct cursor *cursor, struct npy_header *header)
{
    size_t depth = 0;
    header->record = true;
    snprintf(header->type, sizeof header->type, "a record");
    do {
        char name[8];
        skip_blanks(cursor);
        if (cursor->at == cursor->end)
            return false;
        if (*cursor->at == '\'' || *cursor->at == '"') {
            if (!take_text(cursor, name, sizeof name))
                return false;
            continue;
        }
        depth += *cursor->at == '[';
        depth -= *cursor->at == ']';
        cursor->at++;
    } while (depth > 0);
    return true;
}

static bool take_type(struct cursor *cursor, struct npy_header *header)
{
    skip_blanks(cursor);
    if (cursor->at < cursor->end && *cursor->at == '[')
        return take_record(cursor, header);
    return take_text(cursor, header->type, sizeof header->type);
}

static bool take_number(struct cursor *cursor, size_t *number)
{
    bool overflow = false;
    skip_blanks(cursor);
    const char *from = cursor->at;
    *number = 0;
    for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++) {
        overflow |= __builtin_mul_overflow(*number, (size_t)10, number);
        overflow |= __builtin_add_overflow(*number, (size_t)(*cursor->at - '0'), number);
    }
    return cursor->at > from && !overflow;
}

/* "(2, 3)", "(2,)", "()"; Python 2 wrote "2L". */
static bool take_shape(struct cursor *cursor, struct npy_header *header)
{
    if (!pass(cursor, "("))
        return false;
    while (!pass(cursor, ")")) {
        size_t size;
        if (!take_number(cursor, &size))
            return false;
        pass(cursor, "L");
        if (header->dims < NPY_DIMS)
            header->size[header->dims] = size;
        header->dims++;
        if (!pass(cursor, ","))
            return pass(cursor, ")");
    }
    return true;
}

static bool take_order(struct cursor *cursor, struct npy_header *header)
{
    header->fortran = pass(cursor, "True");
    return header->fortran || pass(cursor, "False");
}

static const struct {
    const char *key;
    bool (*take)(struct cursor *cursor, struct npy_header *header);
} entries[] = {{"descr", take_type}, {"fortran_order", take_order}, {"shape", take_shape}};

#define ENTRIES (sizeof entries / sizeof *entries)

/* "KEY: VALUE", of which each comes once. */
static bool take_entry(struct cursor *cursor, struct npy_header *header, bool seen[ENTRIES])
{
    char key[16];
    if (!take_text(cursor, key, sizeof key) || !pass(cursor, ":"))
        return false;
    for (size_t i = 0; i < ENTRIES; i++)
        if (strcmp(key, entries[i].key) == 0 && !seen[i])
            return seen[i] = true, entries[i].take(cursor, header);
    return false;
}

bool npy_header_parse(const void *dictionary, size_t length, struct npy_header *header)
{
    struct cursor cursor = {dictionary, (const char *)dictionary + length};
    bool seen[ENTRIES] = {false}, more = true;
    *header = (struct npy_header){0};
    if (!pass(&cursor, "{"))
        return false;
    while (!pass(&cursor, "}")) {
        if (!more || !take_entry(&cursor, header, seen))
            return false;
        more = pass(&cursor, ",");
    }
    skip_blanks(&cursor);
    return cursor.at == cursor.end && seen[0] && seen[1] && seen[2];
}
