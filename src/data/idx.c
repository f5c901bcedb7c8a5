/* IDX, the format in which MNIST is published: a big-endian magic number (two zero bytes, the element type, the number
 * of dimensions), one 32-bit size per dimension, then the elements in row-major order. Specification: Y. LeCun,
 * C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "File formats". */
#include "base/digest.h"
#include "base/memory.h"
#include "data/dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define MAGIC_BYTES 4
#define SIZE_BYTES  4
#define DIMENSIONS  4 /* the most that is read: count, channels, height, width */

/* A plain file is mapped, so that the ranks of a node share the page cache (whoever shortens it meanwhile ends the job
 * by SIGBUS: data files are replaced by rename, as all files). A .gz is inflated into memory. */
struct content {
    uint8_t *bytes; /* NULL if released */
    size_t count;
    bool mapped;
};

static void content_release(struct content *content)
{
    if (content->bytes && content->mapped)
        munmap(content->bytes, content->count);
    else
        free(content->bytes);
    *content = (struct content){0};
}

static bool content_map(struct content *content, const char *path, struct error *error)
{
    bool ok = false;
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(error, "cannot open %s", path);
    if (fstat(fd, &info)) {
        error_errno(error, "cannot look at %s", path);
    } else if (!S_ISREG(info.st_mode)) {
        error_set(error, ERROR_USAGE, "%s is not a regular file: give the path of an IDX file", path);
    } else if (info.st_size == 0) {
        error_set(error, ERROR_CORRUPT, "%s is empty", path);
    } else {
        size_t count = (size_t)info.st_size;
        void *bytes = mmap(NULL, count, PROT_READ, MAP_SHARED, fd, 0);
        ok = bytes != MAP_FAILED || error_errno(error, "cannot map %s", path);
        if (ok)
            *content = (struct content){.bytes = bytes, .count = count, .mapped = true};
    }
    close(fd);
    return ok;
}

/* At the end of what zlib could read: whether that was all. */
static bool inflated_whole(gzFile file, size_t count, const char *path, struct error *error)
{
    int status;
    int number = errno;
    const char *words = gzerror(file, &status);
    if (status == Z_OK || status == Z_STREAM_END)
        return count > 0 || error_set(error, ERROR_CORRUPT, "%s is empty: its gzip data holds no bytes", path);
    if (status == Z_BUF_ERROR)
        return error_set(error, ERROR_CORRUPT, "%s is truncated: its gzip data breaks off after %zu inflated bytes",
                         path, count);
    if (status == Z_ERRNO) {
        errno = number;
        return error_errno(error, "cannot read %s", path);
    }
    if (status == Z_MEM_ERROR)
        return error_set(error, ERROR_IO, "not enough memory to inflate %s", path);
    return error_set(error, ERROR_CORRUPT, "%s is corrupt gzip data after %zu inflated bytes: %s", path, count, words);
}

/* The room follows what really comes out, never what a header promises. */
static bool content_inflate(struct content *content, const char *path, struct error *error)
{
    bool ok = false;
    size_t room = 0;
    gzFile file = gzopen(path, "rb");
    if (!file)
        return error_errno(error, "cannot open %s", path);
    for (;;) {
        if (content->count == room) {
            room = room ? 2 * room : (size_t)1 << 20;
            uint8_t *larger = realloc(content->bytes, room);
            if (!larger) {
                error_set(error, ERROR_IO, "not enough memory to inflate %s (%.1f MB)", path, (double)room / 1e6);
                break;
            }
            content->bytes = larger;
        }
        size_t most = (size_t)1 << 30; /* gzread counts in an int */
        size_t want = room - content->count;
        int got = gzread(file, content->bytes + content->count, (unsigned)(want < most ? want : most));
        if (got <= 0) {
            ok = inflated_whole(file, content->count, path, error);
            break;
        }
        content->count += (size_t)got;
    }
    gzclose(file);
    return ok;
}

/* After failure the content may hold something: release it. */
static bool content_open(struct content *content, const char *path, struct error *error)
{
    if (!content_map(content, path, error))
        return false;
    if (content->count < 2 || content->bytes[0] != 0x1f || content->bytes[1] != 0x8b)
        return true;
    content_release(content);
    return content_inflate(content, path, error);
}

enum part_kind { IMAGES, LABELS };

static const struct {
    const char *name;
    uint32_t first_magic, last_magic; /* 0x08: unsigned bytes, then the number of dimensions */
} kinds[] = {
    [IMAGES] = {"images", 0x00000803, 0x00000804},
    [LABELS] = {"labels", 0x00000801, 0x00000801},
};

/* One IDX file that is as long as its header says. */
struct part {
    struct content content;
    size_t size[DIMENSIONS];
    size_t dimensions;
    const uint8_t *elements;
};

static uint32_t big_endian(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static bool kind_has(enum part_kind kind, uint32_t magic)
{
    return magic >= kinds[kind].first_magic && magic <= kinds[kind].last_magic;
}

static bool parse_magic(struct part *part, enum part_kind kind, const char *path, struct error *error)
{
    enum part_kind other = kind == IMAGES ? LABELS : IMAGES;
    uint32_t magic = big_endian(part->content.bytes);
    part->dimensions = magic & 0xff;
    if (kind_has(kind, magic))
        return true;
    if (kind_has(other, magic))
        return error_set(error, ERROR_CORRUPT,
                         "%s holds %s (magic 0x%08" PRIx32 "), not %s: are the paths of images and labels swapped?",
                         path, kinds[other].name, magic, kinds[kind].name);
    return error_set(error, ERROR_CORRUPT,
                     "%s is not an IDX file of %s: its magic is 0x%08" PRIx32 ", expected 0x%08" PRIx32, path,
                     kinds[kind].name, magic, kinds[kind].first_magic);
}

static bool parse(struct part *part, enum part_kind kind, const char *path, struct error *error)
{
    const struct content *content = &part->content;
    size_t expected = MAGIC_BYTES;
    if (content->count >= expected) {
        if (!parse_magic(part, kind, path, error))
            return false;
        expected += part->dimensions * SIZE_BYTES;
    }
    if (content->count < expected)
        return error_set(error, ERROR_CORRUPT, "%s is truncated in its header: %zu bytes expected, %zu there", path,
                         expected, content->count);

    part->elements = content->bytes + expected;
    size_t elements = 1;
    bool overflow = false;
    for (size_t i = 0; i < part->dimensions; i++) {
        part->size[i] = big_endian(content->bytes + MAGIC_BYTES + i * SIZE_BYTES);
        if (part->size[i] == 0)
            return error_set(error, ERROR_CORRUPT, "%s holds no %s: dimension %zu of %zu in its header is 0", path,
                             kinds[kind].name, i + 1, part->dimensions);
        overflow |= __builtin_mul_overflow(elements, part->size[i], &elements);
    }
    overflow |= __builtin_add_overflow(expected, elements, &expected);
    if (overflow)
        return error_set(error, ERROR_CORRUPT, "%s is corrupt: its header promises more than 2^64 bytes, %zu are there",
                         path, content->count);
    if (content->count < expected)
        return error_set(error, ERROR_CORRUPT, "%s is truncated: %zu bytes expected, %zu there", path, expected,
                         content->count);
    if (content->count > expected)
        return error_set(error, ERROR_CORRUPT, "%s is too long by %zu bytes: %zu expected, %zu there", path,
                         content->count - expected, expected, content->count);
    return true;
}

static bool part_open(struct part *part, enum part_kind kind, const char *path, struct error *error)
{
    if (!path || !*path)
        return error_set(error, ERROR_USAGE, "a dataset of format idx needs the path of its %s", kinds[kind].name);
    return content_open(&part->content, path, error) && parse(part, kind, path, error);
}

struct idx {
    struct part images, labels;
    size_t width;           /* bytes of an image */
    const uint8_t *pixels;  /* [count, width], the used ones */
    const uint8_t *classes; /* [count] */
};

/* The part [first, first + count) that the spec wants of the samples that are there. */
static bool choose(const struct dataset_spec *spec, size_t there, size_t *count, struct error *error)
{
    if (spec->first >= there)
        return error_set(error, ERROR_USAGE, "first is %" PRIu64 ", but %s holds only %zu images", spec->first,
                         spec->images, there);
    uint64_t rest = there - spec->first;
    if (spec->count > rest)
        return error_set(error, ERROR_USAGE,
                         "count is %" PRIu64 ", but from image %" PRIu64 " on %s holds only %" PRIu64, spec->count,
                         spec->first, spec->images, rest);
    *count = (size_t)(spec->count ? spec->count : rest);
    return true;
}

/* 1 + the largest label of the whole file, so that all parts of it (training, validation) have the same classes. */
static size_t count_classes(const struct part *labels)
{
    size_t classes = 2;
    for (size_t i = 0; i < labels->size[0]; i++)
        if (labels->elements[i] >= classes)
            classes = (size_t)labels->elements[i] + 1;
    return classes;
}

static void idx_close(struct dataset *dataset)
{
    struct idx *idx = dataset->self;
    content_release(&idx->images.content);
    content_release(&idx->labels.content);
    memory_free(idx);
}

static bool idx_open(struct dataset *dataset, const struct dataset_spec *spec, struct error *error)
{
    struct idx *idx = memory_need(1, sizeof *idx);
    struct part *images = &idx->images, *labels = &idx->labels;
    dataset->self = idx;
    if (!part_open(images, IMAGES, spec->images, error) || !part_open(labels, LABELS, spec->labels, error))
        goto failed;
    if (images->size[0] != labels->size[0]) {
        error_set(error, ERROR_CORRUPT, "%s holds %zu images, but %s holds %zu labels: they do not belong together",
                  spec->images, images->size[0], spec->labels, labels->size[0]);
        goto failed;
    }
    if (!choose(spec, images->size[0], &dataset->count, error))
        goto failed;

    size_t channels = images->dimensions == 4 ? images->size[1] : 1;
    size_t height = images->size[images->dimensions - 2], width = images->size[images->dimensions - 1];
    dataset->shape[0] = channels;
    dataset->shape[1] = height;
    dataset->shape[2] = width;
    dataset->classes = count_classes(labels);
    idx->width = channels * height * width;
    idx->pixels = images->elements + spec->first * idx->width;
    idx->classes = labels->elements + spec->first;
    dataset->digest = digest_chain(digest_bytes(idx->pixels, dataset->count * idx->width),
                                   digest_bytes(idx->classes, dataset->count));
    return true;
failed:
    idx_close(dataset);
    return false;
}

static int32_t idx_read(const struct dataset *dataset, size_t index, uint8_t *bytes)
{
    const struct idx *idx = dataset->self;
    memcpy(bytes, idx->pixels + index * idx->width, idx->width);
    return idx->classes[index];
}

const struct dataset_class dataset_idx = {.open = idx_open, .close = idx_close, .read = idx_read};
