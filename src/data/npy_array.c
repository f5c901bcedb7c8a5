#include "data/npy_array.h"

#include "data/content.h"

#include <string.h>

#define MAGIC       "\223NUMPY"
#define MAGIC_BYTES 6
#define PREFIX      8 /* magic and version */

/* What is left of the dictionary. */
struct cursor {
    const char *at, *end;
};

static void skip_blanks(struct cursor *cursor)
{
    while (cursor->at < cursor->end && strchr(" \t\n", *cursor->at) && *cursor->at)
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

static bool take_number(struct cursor *cursor, size_t *number)
{
    const char *from = cursor->at;
    bool overflow = false;
    *number = 0;
    for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++) {
        overflow |= __builtin_mul_overflow(*number, (size_t)10, number);
        overflow |= __builtin_add_overflow(*number, (size_t)(*cursor->at - '0'), number);
    }
    return cursor->at > from && !overflow;
}

struct header {
    char type[24]; /* "<f4"; "": a record */
    bool fortran;
    size_t dims; /* those that were counted, also beyond ARRAY_DIMS */
    size_t size[ARRAY_DIMS];
};

/* "(2, 3)", "(2,)", "()"; Python 2 wrote "2L". */
static bool take_shape(struct cursor *cursor, struct header *header)
{
    if (!pass(cursor, "("))
        return false;
    while (!pass(cursor, ")")) {
        size_t size;
        if (!take_number(cursor, &size))
            return false;
        pass(cursor, "L");
        if (header->dims < ARRAY_DIMS)
            header->size[header->dims] = size;
        header->dims++;
        if (!pass(cursor, ",")) {
            return pass(cursor, ")");
        }
    }
    return true;
}

/* A structured type is a list: [('a', '<f4'), ...]. Nothing is read of it, nor behind it: it is refused. */
static bool take_value(struct cursor *cursor, const char *key, struct header *header, unsigned *seen)
{
    if (strcmp(key, "descr") == 0) {
        *seen |= 1;
        return take_text(cursor, header->type, sizeof header->type);
    }
    if (strcmp(key, "shape") == 0) {
        *seen |= 2;
        return take_shape(cursor, header);
    }
    if (strcmp(key, "fortran_order") == 0) {
        *seen |= 4;
        header->fortran = pass(cursor, "True");
        return header->fortran || pass(cursor, "False");
    }
    return false;
}

static bool parse(struct cursor *cursor, struct header *header, bool *record)
{
    unsigned seen = 0;
    *record = false;
    if (!pass(cursor, "{"))
        return false;
    while (!pass(cursor, "}")) {
        char key[16];
        unsigned before = seen;
        if (!take_text(cursor, key, sizeof key) || !pass(cursor, ":"))
            return false;
        skip_blanks(cursor);
        *record = strcmp(key, "descr") == 0 && cursor->at < cursor->end && *cursor->at == '[';
        if (*record || !take_value(cursor, key, header, &seen) || seen == before)
            return false;
        if (!pass(cursor, ","))
            return pass(cursor, "}") && seen == 7;
    }
    return seen == 7;
}

/* By the letter of a type and its bytes. */
static const struct {
    char kind;
    char digits[4];
    enum array_type type;
} types[] = {
    {'b', "1", ARRAY_BOOL}, {'u', "1", ARRAY_U8},  {'u', "2", ARRAY_U16}, {'u', "4", ARRAY_U32},
    {'u', "8", ARRAY_U64},  {'i', "1", ARRAY_I8},  {'i', "2", ARRAY_I16}, {'i', "4", ARRAY_I32},
    {'i', "8", ARRAY_I64},  {'f', "2", ARRAY_F16}, {'f', "4", ARRAY_F32}, {'f', "8", ARRAY_F64},
};

/* What else the letter can be, for people. */
static const struct {
    char kind;
    const char *words;
} others[] = {
    {'O', "Python objects"},  {'S', "texts"}, {'U', "texts"},      {'V', "records"},
    {'c', "complex numbers"}, {'M', "dates"}, {'m', "time spans"}, {'f', "floats of another size"},
};

static bool refuse_type(const char *name, const char *words, const char *type, struct error *error)
{
    return error_set(error, ERROR_USAGE,
                     "%s holds %s%s%s%s: only bool, integers and floats of up to 64 bits are read; store them with "
                     "numpy.save(FILE, a.astype('float32'))",
                     name, words, *type ? " (type '" : "", type, *type ? "')" : "");
}

/* "<f4": order of bytes, letter, bytes. */
static bool set_type(struct array *array, const char *type, struct error *error)
{
    char shown[24];
    size_t n = 0;
    for (const char *c = type; *c && n + 1 < sizeof shown; c++) /* a stranger's text, for a message */
        shown[n++] = *c > ' ' && *c < 127 ? *c : '?';
    shown[n] = '\0';
    bool ordered = type[0] && strchr("<>|=", type[0]);
    for (size_t i = 0; ordered && i < sizeof types / sizeof *types; i++)
        if (type[1] == types[i].kind && strcmp(type + 2, types[i].digits) == 0) {
            array->type = types[i].type;
            array->big_endian = type[0] == '>' && array_type_bytes(array->type) > 1;
            return true;
        }
    for (size_t i = 0; ordered && i < sizeof others / sizeof *others; i++)
        if (type[1] == others[i].kind)
            return refuse_type(array->name, others[i].words, shown, error);
    return refuse_type(array->name, "what is not known", shown, error);
}

static bool set_shape(struct array *array, const struct header *header, struct error *error)
{
    if (header->dims == 0)
        return error_set(error, ERROR_USAGE,
                         "%s holds a single number, of the shape (): samples lie along the first axis", array->name);
    if (header->dims > ARRAY_DIMS)
        return error_set(error, ERROR_USAGE, "%s has %zu axes: at most %d are read; reshape it", array->name,
                         header->dims, ARRAY_DIMS);
    if (header->fortran && header->dims > 1)
        return error_set(error, ERROR_USAGE,
                         "%s is stored column by column (Fortran order), which would scatter each sample: store it "
                         "with numpy.save(FILE, numpy.ascontiguousarray(a))",
                         array->name);
    array->dims = header->dims;
    memcpy(array->size, header->size, sizeof array->size);
    return true;
}

/* Where the dictionary begins and ends. */
static bool measure(const char *name, const uint8_t *bytes, size_t count, size_t *begin, size_t *end,
                    struct error *error)
{
    if (count < MAGIC_BYTES || memcmp(bytes, MAGIC, MAGIC_BYTES) != 0) {
        const char *known = content_kind(bytes, count);
        return error_set(error, ERROR_CORRUPT, "%s is not a NumPy file%s%s", name,
                         known ? ", but " : ": numpy.save writes one", known ? known : "");
    }
    if (count >= PREFIX && (bytes[6] < 1 || bytes[6] > 3))
        return error_set(error, ERROR_VERSION, "%s is of version %d.%d of NumPy's format: 1 to 3 are read", name,
                         bytes[6], bytes[7]);
    size_t width = bytes[6] == 1 ? 2 : 4, length = 0; /* of the length: little-endian */
    *begin = PREFIX + width;
    for (size_t b = 0; count >= *begin && b < width; b++)
        length |= (size_t)bytes[PREFIX + b] << 8 * b;
    *end = *begin + length;
    return *end <= count ||
           error_set(error, ERROR_CORRUPT, "%s is truncated in its header: %zu bytes expected, %zu there", name, *end,
                     count);
}

bool npy_array_read(struct array *array, const char *name, const uint8_t *bytes, size_t count, struct error *error)
{
    size_t begin = 0, end = 0;
    struct header header = {0};
    bool record;
    *array = (struct array){.name = name};
    if (!measure(name, bytes, count, &begin, &end, error))
        return false;
    struct cursor cursor = {(const char *)bytes + begin, (const char *)bytes + end};
    if (!parse(&cursor, &header, &record))
        return record ? refuse_type(name, "records (a structured type)", "", error)
                      : error_set(error, ERROR_CORRUPT, "%s is corrupt: its header is not what NumPy writes", name);
    return set_type(array, header.type, error) && set_shape(array, &header, error) &&
           array_place(array, bytes + end, count - end, error);
}
