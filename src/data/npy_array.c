#include "data/npy_array.h"

#include "base/npy_header.h"
#include "data/content.h"

#include <string.h>

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
    bool may_be_names = *type && strchr("OSU", type[1]);
    return error_set(error, ERROR_USAGE,
                     "%s holds %s%s%s%s: only bool, integers and floats of up to 64 bits are read; %s", name, words,
                     *type ? " (type '" : "", type, *type ? "')" : "",
                     may_be_names ? "names of classes become labels with numpy.save(FILE, numpy.unique(a, "
                                    "return_inverse=True)[1]), numbers are stored with a.astype('float32')"
                                  : "store them with numpy.save(FILE, a.astype('float32'))");
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

_Static_assert(ARRAY_DIMS <= NPY_DIMS, "a header has room for every size that is read");

static bool set_shape(struct array *array, const struct npy_header *header, struct error *error)
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
                         "with numpy.save(FILE, numpy.ascontiguousarray(numpy.load(FILE)))",
                         array->name);
    array->dims = header->dims;
    memcpy(array->size, header->size, header->dims * sizeof *array->size);
    return true;
}

/* Where the dictionary begins and ends. */
static bool locate(const char *name, const uint8_t *bytes, size_t count, size_t *begin, size_t *end,
                   struct error *error)
{
    if (!npy_header_begins(bytes, count)) {
        const char *known = content_seems(name, bytes, count);
        return error_set(error, ERROR_CORRUPT, "%s is not a NumPy file%s%s", name,
                         known ? ", but " : ": numpy.save writes one", known ? known : "");
    }
    if (!npy_header_locate(bytes, count, begin, end))
        return error_set(error, ERROR_VERSION, "%s is of version %d.%d of NumPy's format: 1 to 3 are read", name,
                         bytes[6], bytes[7]);
    return *end <= count ||
           error_set(error, ERROR_CORRUPT, "%s is truncated in its header: %zu bytes expected, %zu there", name, *end,
                     count);
}

bool npy_array_read(struct array *array, const char *name, const uint8_t *bytes, size_t count, struct error *error)
{
    size_t begin, end;
    struct npy_header header;
    *array = (struct array){.name = name};
    if (!locate(name, bytes, count, &begin, &end, error))
        return false;
    if (!npy_header_parse(bytes + begin, end - begin, &header))
        return error_set(error, ERROR_CORRUPT, "%s is corrupt: its header is not what NumPy writes", name);
    if (header.record)
        return refuse_type(name, "records (a structured type)", "", error);
    return set_type(array, header.type, error) && set_shape(array, &header, error) &&
           array_place(array, bytes + end, count - end, error);
}
