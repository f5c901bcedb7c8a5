#include "data/token_files.h"

#include "base/check.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/pattern.h"
#include "data/content.h"
#include "data/inflate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint32_t little_endian(const uint8_t *b)
{
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* llm.c's files of tokens, by their magic numbers and versions. */
static const struct {
    uint32_t magic, version;
    size_t width;
} headers[] = {
    {20240520, 1, 2}, /* of GPT-2's tokens */
    {20240801, 7, 4}, /* of Llama 3's */
};

/* What else people have in such directories, by how it begins. */
static const struct content_magic strangers[] = {
    {"\xc6\xd7\x34\x01", 4, "a model of llm.c (magic 20240326)"},
    {"\xc7\xd7\x34\x01", 4, "a state of llm.c (magic 20240327)"},
    {"\xc8\xd7\x34\x01", 4, "a tokenizer of llm.c (magic 20240328)"},
    {"\x8a\xd8\x34\x01", 4, "an evaluation of llm.c (magic 20240522)"},
    {"\x93NUMPY", 6, "a NumPy file: write its numbers alone, with tofile"},
    {"\x89HDF\r\n\x1a\n", 8, "an HDF5 file: write its numbers alone, with NumPy's tofile"},
    {"PK\x03\x04", 4, "a zip archive; if numpy.savez made it: format: npz"},
    {0},
};

/* A gzip's first bytes could be those of two tokens: its name tells as well. */
static bool is_gzip(const char *path, int descriptor)
{
    size_t length = strlen(path);
    return length > 3 && strcmp(path + length - 3, ".gz") == 0 && inflate_is_gzip(descriptor);
}

enum recognition token_files_know(const uint8_t *begin, size_t count)
{
    for (size_t h = 0; begin && count >= 4 && h < sizeof headers / sizeof *headers; h++)
        if (little_endian(begin) == headers[h].magic)
            return FORMAT_YES;
    if (!begin || content_is_text(begin, count) || content_find(strangers, begin, count))
        return FORMAT_NO;
    bool begins_with_0 = content_begins(begin, count, "\0\0", 2); /* as many tokens do, and IDX, which knows itself */
    return !begins_with_0 && content_kind(begin, count) ? FORMAT_NO : FORMAT_MAYBE;
}

/* Of tokens, half of the bytes or more say hundreds, and hardly 32 of them in a row are letters. */
static bool is_text(const uint8_t *begin, size_t count)
{
    size_t i = 0;
    while (i < count && ((begin[i] >= ' ' && begin[i] < 0x7F) || (begin[i] >= '\t' && begin[i] <= '\r')))
        i++;
    return i == count && count >= 64;
}

static bool refuse_stranger(const struct token_file *file, enum token_type type, const uint8_t *begin, size_t count,
                            struct error *error)
{
    const char *path = file->watched.path, *known = content_find(strangers, begin, count);
    if (known)
        return error_set(error, ERROR_CORRUPT, "%s holds no tokens: it is %s", path, known);
    if (type != TOKEN_AUTO)
        return true;
    if (is_text(begin, count))
        return error_set(error, ERROR_CORRUPT,
                         "%s looks like a text: use format: text, or format: csv if it is a table; or give the type, "
                         "uint16 or uint32, if these are tokens",
                         path);
    bool begins_with_0 = content_begins(begin, count, "\0\0", 2); /* as many tokens do */
    known = begins_with_0 && !content_is_idx(begin, count, file->byte_count) ? NULL : content_kind(begin, count);
    return !known ||
           error_set(error, ERROR_CORRUPT, "%s looks like %s; or give the type, uint16 or uint32, if these are tokens",
                     path, known);
}

static bool take_raw(struct token_file *file, struct error *error)
{
    size_t bytes = file->byte_count;
    if (bytes % file->width != 0)
        return error_set(error, ERROR_CORRUPT,
                         "%s has %zu bytes, which is no whole number of uint%zu tokens: it is truncated, "
                         "or of another type",
                         file->watched.path, bytes, 8 * file->width);
    file->length = bytes / file->width;
    return true;
}

/* Raw tokens that begin like a header, and are as many as it says, would be taken for a file of llm.c: the first two of
 * them would have to be 55432 and 308, or 55713 and 308, which GPT-2 has not got. */
static bool take_header(struct token_file *file, size_t h, const uint8_t *begin, size_t count, struct error *error)
{
    const char *path = file->watched.path;
    uint32_t version = count >= 8 ? little_endian(begin + 4) : 0;
    if (count < TOKEN_HEADER_BYTES)
        return error_set(error, ERROR_CORRUPT, "%s is truncated in its header: %d bytes expected, %zu there", path,
                         TOKEN_HEADER_BYTES, count);
    if (version != headers[h].version)
        return error_set(error, ERROR_CORRUPT,
                         "%s is of version %" PRIu32 " of llm.c's tokens with magic %" PRIu32 ": only version %" PRIu32
                         " is known",
                         path, version, headers[h].magic, headers[h].version);
    uint32_t promised = little_endian(begin + 8);
    file->width = headers[h].width;
    size_t bytes = file->byte_count - TOKEN_HEADER_BYTES, expected = promised * file->width;
    if (bytes != expected)
        return error_set(error, ERROR_CORRUPT,
                         "%s is %s: its header says %" PRIu32 " uint%zu tokens, which are %zu bytes, but %zu are there",
                         path, bytes < expected ? "truncated" : "too long", promised, 8 * file->width, expected, bytes);
    file->length = promised;
    file->elements += TOKEN_HEADER_BYTES;
    file->vocabulary = little_endian(begin + 12);
    return true;
}

bool token_files_header(size_t length, size_t vocabulary, uint8_t header[TOKEN_HEADER_BYTES], struct error *error)
{
    size_t h = vocabulary > UINT16_MAX + 1;
    if (length > UINT32_MAX)
        return error_set(error, ERROR_USAGE,
                         "a file of llm.c has room for %" PRIu32 " tokens, but these are %zu: convert parts of them, "
                         "with part, which a pattern joins",
                         UINT32_MAX, length);
    const uint32_t words[] = {headers[h].magic, headers[h].version, (uint32_t)length, (uint32_t)vocabulary};
    memset(header, 0, TOKEN_HEADER_BYTES);
    for (size_t i = 0; i < sizeof words; i++)
        header[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
    return true;
}

/* The first bytes, as many as there are. */
static bool read_begin(const struct token_file *file, uint8_t begin[TOKEN_HEADER_BYTES], size_t *count,
                       struct error *error)
{
    size_t want = file->byte_count < TOKEN_HEADER_BYTES ? file->byte_count : TOKEN_HEADER_BYTES;
    *count = want;
    if (file->inflated.bytes) {
        memcpy(begin, file->bytes, want);
        return true;
    }
    ssize_t got = file_read_at(file->watched.descriptor, begin, want, 0);
    if (got < 0)
        return error_errno(error, "cannot read %s", file->watched.path);
    *count = (size_t)got;
    return true;
}

/* What the file is, by its first bytes and its length. */
static bool parse(struct token_file *file, enum token_type type, struct error *error)
{
    uint8_t begin[TOKEN_HEADER_BYTES];
    struct watched *watched = &file->watched;
    size_t count, h = 0, known = sizeof headers / sizeof *headers;
    if (!read_begin(file, begin, &count, error))
        return false;
    while (h < known && !(count >= 4 && little_endian(begin) == headers[h].magic))
        h++;
    file->elements = file->bytes;
    file->width = type == TOKEN_UINT32 ? 4 : 2;
    if (h < known ? !take_header(file, h, begin, count, error)
                  : !refuse_stranger(file, type, begin, count, error) || !take_raw(file, error))
        return false;
    if (type != TOKEN_AUTO && file->width != (type == TOKEN_UINT32 ? 4 : 2))
        return error_set(error, ERROR_USAGE, "type is uint%d, but %s holds uint%zu, as its header says: leave type out",
                         type == TOKEN_UINT32 ? 32 : 16, watched->path, 8 * file->width);
    return file->length > 0 || error_set(error, ERROR_CORRUPT, "%s holds no tokens", watched->path);
}

/* Sets the bytes, inflated or mapped. */
static bool load(struct token_file *file, const char *path, int descriptor, const struct inflated_table *table,
                 struct error *error)
{
    struct watched *watched = &file->watched;
    if (!watched_init(watched, path, descriptor, error))
        return false;
    if (!S_ISREG(watched->known.st_mode))
        return content_refuse_irregular(path, watched->known.st_mode, "a file of tokens", error);
    if (watched->known.st_size == 0)
        return error_set(error, ERROR_CORRUPT, "%s is empty", path);
    if (is_gzip(path, descriptor)) {
        bool ok = inflated_open(&file->inflated, path, &watched->known, table, error);
        file->bytes = file->inflated.bytes;
        file->byte_count = file->inflated.count;
        return ok;
    }
    size_t count = (size_t)watched->known.st_size;
    void *bytes = mmap(NULL, count, PROT_READ, MAP_SHARED, descriptor, 0);
    if (bytes == MAP_FAILED)
        return error_errno(error, "cannot map %s", path);
    watched->bytes = file->bytes = bytes;
    watched->count = file->byte_count = count;
    return true;
}

static bool file_open_one(struct token_file *file, const char *path, enum token_type type,
                          const struct inflated_table *table, struct error *error)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not keep us waiting */
    if (descriptor < 0)
        return error_errno(error, "cannot open %s", path);
    bool ok = load(file, path, descriptor, table, error);
    if (ok && !file->inflated.bytes)
        file->watched.descriptor = descriptor;
    else
        close(descriptor);
    return ok && parse(file, type, error);
}

/* Puts file i behind those before it. */
static bool append(struct token_files *files, size_t i, struct error *error)
{
    struct token_file *file = &files->files[i];
    if (i > 0 && file->width != files->width)
        return error_set(error, ERROR_CORRUPT,
                         "%s holds uint%zu tokens, but %s uint%zu: files that belong together are of one type",
                         file->watched.path, 8 * file->width, files->files[0].watched.path, 8 * files->width);
    files->width = file->width;
    files->vocabulary = i == 0 || file->vocabulary == files->vocabulary ? file->vocabulary : 0;
    file->first = files->length;
    files->length += file->length;
    if (i > 0)
        files->files[i - 1].watched.next = &file->watched;
    return true;
}

bool token_files_open(struct token_files *files, const char *path, enum token_type type,
                      const struct inflated_table *table, struct error *error)
{
    struct pattern pattern;
    *files = (struct token_files){0};
    if (!pattern_find(&pattern, path, error))
        return false;
    bool ok = true;
    files->files = memory_need(pattern.count, sizeof *files->files);
    files->count = pattern.count;
    for (size_t i = 0; ok && i < pattern.count; i++)
        ok = file_open_one(&files->files[i], pattern.paths[i], type, table, error) && append(files, i, error);
    pattern_release(&pattern);
    if (!ok)
        token_files_close(files);
    return ok;
}

void token_files_close(struct token_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        struct watched *watched = &files->files[i].watched;
        if (watched->bytes)
            munmap((void *)watched->bytes, watched->count);
        inflated_close(&files->files[i].inflated);
        watched_release(watched);
    }
    memory_free(files->files);
    *files = (struct token_files){0};
}

const struct token_file *token_files_at(const struct token_files *files, size_t place)
{
    size_t low = 0, high = files->count; /* it is in one of [low, high) */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (files->files[middle].first <= place)
            low = middle;
        else
            high = middle;
    }
    return &files->files[low];
}

/* Elements of 4 bytes may lie at places that are multiples of 2, should a header ever have another length. */
static void copy(const uint8_t *elements, size_t width, size_t n, uint32_t *into)
{
    if (width == 4) {
        for (size_t i = 0; i < n; i++)
            into[i] = little_endian(elements + 4 * i);
        return;
    }
    for (size_t i = 0; i < n; i++)
        into[i] = elements[2 * i] | (uint32_t)elements[2 * i + 1] << 8;
}

void token_files_copy(const struct token_files *files, size_t first, size_t n, uint32_t *into)
{
    CHECK(first <= files->length && n <= files->length - first, "tokens that are there");
    if (n == 0)
        return;
    for (const struct token_file *file = token_files_at(files, first); n > 0; file++) {
        size_t skip = first - file->first, rest = file->length - skip, some = n < rest ? n : rest;
        copy(file->elements + skip * file->width, file->width, some, into);
        into += some;
        first += some;
        n -= some;
    }
}
