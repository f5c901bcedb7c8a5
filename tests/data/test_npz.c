/* Archives of NumPy's: stored and deflated members, zip64; and what is refused. */
#include "data/archive.h"
#include "data/formats.h"
#include "data/npy_file.h"
#include "data/npz.h"
#include "data/opening.h"
#include "support/test.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { N = 4, F = 3, ROOM = 16384 };

/* An archive in the making. */
struct zip {
    uint8_t bytes[ROOM];
    size_t count;
    uint8_t directory[ROOM];
    size_t directory_count;
    unsigned members;
    bool wide; /* the directory uses zip64 */
};

static void put(uint8_t *bytes, size_t *count, uint64_t value, size_t width)
{
    for (size_t b = 0; b < width; b++)
        bytes[(*count)++] = (uint8_t)(value >> 8 * b);
}

static void put_bytes(uint8_t *bytes, size_t *count, const void *from, size_t n)
{
    memcpy(bytes + *count, from, n);
    *count += n;
}

static size_t deflate_into(uint8_t *into, const uint8_t *bytes, size_t count)
{
    z_stream stream = {0};
    CU_ASSERT_EQUAL(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (unsigned)count;
    stream.next_out = into;
    stream.avail_out = ROOM;
    CU_ASSERT_EQUAL(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return ROOM - stream.avail_out;
}

/* What a test may get wrong in an entry of the directory. */
struct wrong {
    unsigned flags;
    uint64_t more;   /* bytes that are promised beyond those that are there */
    uint32_t crc;    /* is changed by this */
    unsigned method; /* 0: as it is */
};

static void zip_add(struct zip *zip, const char *name, const struct npy_file *file, bool deflated, struct wrong wrong)
{
    static uint8_t packed[ROOM];
    size_t stored = deflated ? deflate_into(packed, file->bytes, file->count) : file->count, at = zip->count;
    const uint8_t *from = deflated ? packed : file->bytes;
    uint32_t crc = (uint32_t)crc32(0, file->bytes, (unsigned)file->count) ^ wrong.crc;
    unsigned method = wrong.method ? wrong.method : deflated ? 8 : 0;
    uint8_t *b = zip->bytes, *d = zip->directory;
    size_t *n = &zip->count, *m = &zip->directory_count;
    /* The local record as numpy.savez writes it: sizes in an extra field, as they could have been large. */
    put(b, n, 0x04034b50, 4);
    put(b, n, 45, 2), put(b, n, wrong.flags, 2), put(b, n, method, 2), put(b, n, 0, 4), put(b, n, crc, 4);
    put(b, n, UINT32_MAX, 4), put(b, n, UINT32_MAX, 4), put(b, n, strlen(name), 2), put(b, n, 20, 2);
    put_bytes(b, n, name, strlen(name));
    put(b, n, 1, 2), put(b, n, 16, 2), put(b, n, file->count, 8), put(b, n, stored, 8);
    put_bytes(b, n, from, stored);

    uint64_t size = file->count + wrong.more, packed_size = deflated ? stored : stored + wrong.more;
    put(d, m, 0x02014b50, 4);
    put(d, m, 45, 2), put(d, m, 45, 2), put(d, m, wrong.flags, 2), put(d, m, method, 2), put(d, m, 0, 4);
    put(d, m, crc, 4), put(d, m, zip->wide ? UINT32_MAX : packed_size, 4);
    put(d, m, zip->wide ? UINT32_MAX : size, 4);
    put(d, m, strlen(name), 2), put(d, m, zip->wide ? 4 + 24 : 0, 2), put(d, m, 0, 2), put(d, m, 0, 2);
    put(d, m, 0, 2), put(d, m, 0, 4), put(d, m, zip->wide ? UINT32_MAX : at, 4);
    put_bytes(d, m, name, strlen(name));
    if (zip->wide)
        put(d, m, 1, 2), put(d, m, 24, 2), put(d, m, size, 8), put(d, m, packed_size, 8), put(d, m, at, 8);
    zip->members++;
}

static void zip_end(struct zip *zip, const char *comment)
{
    uint8_t *b = zip->bytes;
    size_t *n = &zip->count, begin = zip->count;
    put_bytes(b, n, zip->directory, zip->directory_count);
    if (zip->wide) {
        size_t end = zip->count;
        put(b, n, 0x06064b50, 4), put(b, n, 44, 8), put(b, n, 45, 2), put(b, n, 45, 2), put(b, n, 0, 8);
        put(b, n, zip->members, 8), put(b, n, zip->members, 8), put(b, n, zip->directory_count, 8), put(b, n, begin, 8);
        put(b, n, 0x07064b50, 4), put(b, n, 0, 4), put(b, n, end, 8), put(b, n, 1, 4);
    }
    put(b, n, 0x06054b50, 4), put(b, n, 0, 4), put(b, n, zip->members, 2), put(b, n, zip->members, 2);
    put(b, n, zip->wide ? UINT32_MAX : zip->directory_count, 4), put(b, n, zip->wide ? UINT32_MAX : begin, 4);
    put(b, n, strlen(comment), 2);
    put_bytes(b, n, comment, strlen(comment));
}

struct fixture {
    char path[PATH_MAX];
    struct npy_file x, y;
    struct zip zip;
    struct npz_settings settings;
};

static const float features[N * F] = {0, 1, -2, 3.5f, 4, 5, 6, 7, 8, 9, 10, -11};

static void fixture_init(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    snprintf(fixture->path, PATH_MAX, "%s", test_path("data.npz"));
    npy_file_array(&fixture->x, "<f4", "(4, 3)", features, sizeof features);
    npy_file_array(&fixture->y, "|u1", "(4,)", (const uint8_t[]){1, 0, 2, 1}, N);
    static char x[] = "x", y[] = "y";
    fixture->settings = (struct npz_settings){
        .samples = {.part = {0, 1}, .std = 1}, .path = fixture->path, .x = x, .y = y};
}

/* Writes the archive of both members. */
static void fixture_write(struct fixture *fixture, bool x_deflated, bool y_deflated, struct wrong wrong)
{
    struct zip *zip = &fixture->zip;
    *zip = (struct zip){.wide = zip->wide};
    zip_add(zip, "x.npy", &fixture->x, x_deflated, wrong);
    zip_add(zip, "y.npy", &fixture->y, y_deflated, (struct wrong){0});
    zip_end(zip, "");
    npy_file_write(fixture->path, zip->bytes, zip->count);
}

static bool open_fixture(const struct fixture *fixture, struct dataset *dataset, struct error *error)
{
    return dataset_open(dataset, &(struct dataset_spec){&dataset_npz, (void *)(uintptr_t)&fixture->settings}, NULL,
                        error);
}

static struct dataset open_good(const struct fixture *fixture)
{
    struct dataset dataset;
    struct error error = {0};
    bool ok = open_fixture(fixture, &dataset, &error);
    check_opened(ok, &error);
    return dataset;
}

static void expect(const struct fixture *fixture, enum error_kind kind, const char *words)
{
    struct dataset dataset;
    struct error error = {0};
    bool opened = open_fixture(fixture, &dataset, &error);
    check_refused(opened, &error, kind, words, "");
    dataset_close(&dataset);
}

static void check_samples(const struct dataset *dataset)
{
    float inputs[2][F];
    int32_t labels[2];
    struct error error;
    struct leaf leaf = {.inputs = inputs[0], .labels = labels};
    dataset_read(dataset, (const uint64_t[]){3, 1}, 2, &leaf);
    CU_ASSERT_FALSE(dataset_failed(dataset, &error));
    CU_ASSERT(labels[0] == 1 && labels[1] == 0 && inputs[0][2] == -11 && inputs[1][0] == 3.5f);
    CU_ASSERT(dataset->count == N && dataset->about.form.classes == 3 && dataset->about.form.input.size[0] == F);
}

static void members_may_be_stored_or_deflated(void)
{
    struct fixture fixture;
    uint64_t digest = 0;
    fixture_init(&fixture);
    for (int i = 0; i < 8; i++) {
        fixture.zip.wide = i & 4;
        fixture_write(&fixture, i & 1, i & 2, (struct wrong){0});
        struct dataset dataset = open_good(&fixture);
        check_samples(&dataset);
        CU_ASSERT(digest == 0 || dataset.digest == digest);
        digest = dataset.digest;
        /* What is all in memory needs no file any more. */
        CU_ASSERT_EQUAL(dataset.files->descriptor >= 0, (i & 3) != 3);
        dataset_close(&dataset);
    }
}

static void a_comment_and_gzip_around_it_do_not_matter(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    zip_add(&fixture.zip, "y.npy", &fixture.x, false, (struct wrong){0}); /* the last of a name counts, as in Python */
    zip_add(&fixture.zip, "x.npy", &fixture.x, false, (struct wrong){0});
    zip_add(&fixture.zip, "y.npy", &fixture.y, false, (struct wrong){0});
    zip_end(&fixture.zip, "PK\5\6 is not the end, even if somebody says so in a comment");
    gzFile file = gzopen(fixture.path, "wb");
    CU_ASSERT_EQUAL(gzwrite(file, fixture.zip.bytes, (unsigned)fixture.zip.count), (int)fixture.zip.count);
    CU_ASSERT_EQUAL(gzclose(file), Z_OK);
    struct dataset dataset = open_good(&fixture);
    check_samples(&dataset);
    dataset_close(&dataset);
}

static void inputs_alone_are_read_by_their_name(void)
{
    static char name[] = "images";
    struct fixture fixture;
    struct error error;
    fixture_init(&fixture);
    fixture_write(&fixture, false, false, (struct wrong){0});
    struct dataset train = open_good(&fixture), inputs;
    fixture.zip = (struct zip){0};
    zip_add(&fixture.zip, "images.npy", &fixture.x, true, (struct wrong){0});
    zip_end(&fixture.zip, "");
    const char *path = test_path("new.npz");
    npy_file_write(path, fixture.zip.bytes, fixture.zip.count);
    fixture.settings.x = name;
    fixture.settings.samples.mean = 1;
    fixture.settings.samples.first = 3; /* of the training data, and not of these */
    bool ok = dataset_open_inputs(&inputs, path, &(struct dataset_spec){&dataset_npz, &fixture.settings}, &train.about,
                                  &error);
    check_opened(ok, &error);
    float values[F];
    struct leaf leaf = {.inputs = values};
    dataset_read(&inputs, (const uint64_t[]){3}, 1, &leaf);
    CU_ASSERT(inputs.count == N && values[0] == features[3 * F] - 1 && values[2] == -12);
    dataset_close(&inputs);

    /* The settings of another format say nothing about this one. */
    ok = dataset_open_inputs(&inputs, path, &(struct dataset_spec){&dataset_npy, NULL}, &train.about, &error);
    check_refused(ok, &error, ERROR_NOT_FOUND, "new.npz has no member x.npy", "it has images.npy");
    dataset_close(&train);
}

static void a_stored_member_is_watched(void)
{
    struct fixture fixture;
    struct error error;
    fixture_init(&fixture);
    fixture_write(&fixture, false, true, (struct wrong){0});
    struct dataset dataset = open_good(&fixture);
    CU_ASSERT_EQUAL(truncate(fixture.path, 10), 0);
    float inputs[F];
    int32_t label;
    struct leaf leaf = {.inputs = inputs, .labels = &label};
    CU_ASSERT_FALSE(dataset_look(&dataset, &error));
    CU_ASSERT_EQUAL(truncate(fixture.path, 0), 0);
    dataset_read(&dataset, (const uint64_t[]){1}, 1, &leaf);
    CU_ASSERT(dataset_failed(&dataset, &error) && strstr(error.text, "has become shorter"));
    dataset_close(&dataset);
}

static void members_that_are_not_there_are_told(void)
{
    struct fixture fixture;
    static char name[] = "labels";
    fixture_init(&fixture);
    fixture_write(&fixture, false, false, (struct wrong){0});
    fixture.settings.y = name;
    expect(&fixture, ERROR_NOT_FOUND, "data.npz has no member labels.npy: it has x.npy, y.npy");
    fixture.zip = (struct zip){0};
    char long_name[120];
    memset(long_name, 'n', sizeof long_name);
    long_name[0] = '\x1b';
    long_name[119] = '\0';
    for (int i = 0; i < 12; i++)
        zip_add(&fixture.zip, long_name, &fixture.y, false, (struct wrong){0});
    zip_end(&fixture.zip, "");
    npy_file_write(fixture.path, fixture.zip.bytes, fixture.zip.count);
    expect(&fixture, ERROR_NOT_FOUND, "it has ?nnn");
    expect(&fixture, ERROR_NOT_FOUND, "n, ...");
    fixture.settings.path = NULL;
    expect(&fixture, ERROR_USAGE, "format npz needs the path of its archive");
}

static void wrong_members_are_refused_with_words(void)
{
    static const struct {
        struct wrong wrong;
        bool deflated;
        enum error_kind kind;
        const char *words;
    } cases[] = {
        {{.flags = 1}, false, ERROR_USAGE, "is encrypted"},
        {{.method = 14}, false, ERROR_USAGE, "is packed by method 14, which is not read"},
        {{.crc = 1}, false, ERROR_CORRUPT, "(x.npy) is corrupt: its bytes do not have the checksum"},
        {{.crc = 1}, true, ERROR_CORRUPT, "(x.npy) is corrupt: its bytes do not have the checksum"},
        {{.more = 5000}, false, ERROR_CORRUPT, "a member goes beyond its end"},
        {{.more = 100}, true, ERROR_CORRUPT, "is corrupt: it inflates to 176 bytes, 276 expected"},
        {{.more = (uint64_t)-1}, true, ERROR_CORRUPT, "is corrupt: it inflates to 175 bytes, 175 expected"},
        {{.more = 10000000}, true, ERROR_CORRUPT, "cannot be in"},
    };
    struct fixture fixture;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture_init(&fixture);
        fixture_write(&fixture, cases[i].deflated, false, cases[i].wrong);
        expect(&fixture, cases[i].kind, cases[i].words);
    }
    fixture_init(&fixture);
    npy_file_array(&fixture.x, "<f4", "(4, 4)", features, sizeof features);
    fixture_write(&fixture, false, false, (struct wrong){0});
    expect(&fixture, ERROR_CORRUPT, "data.npz (x.npy) is truncated: 64 bytes of numbers expected, 48 there");
}

static void broken_archives_are_refused(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_write(&fixture, false, false, (struct wrong){0});
    struct dataset dataset = open_good(&fixture);
    dataset_close(&dataset);
    /* Cut anywhere it is no archive; a byte that is changed is refused, or was not of what is read. */
    struct error error;
    for (size_t n = 0; n < fixture.zip.count; n++) {
        npy_file_write(fixture.path, fixture.zip.bytes, n);
        CU_ASSERT_FALSE(open_fixture(&fixture, &dataset, &error));
    }
    for (size_t i = 0; i < fixture.zip.count; i++) {
        fixture.zip.bytes[i] ^= 0x41;
        npy_file_write(fixture.path, fixture.zip.bytes, fixture.zip.count);
        if (open_fixture(&fixture, &dataset, &error)) {
            check_samples(&dataset);
            dataset_close(&dataset);
        }
        fixture.zip.bytes[i] ^= 0x41;
    }
    npy_file_write(fixture.path, fixture.x.bytes, fixture.x.count);
    expect(&fixture, ERROR_CORRUPT, "is not a zip archive of arrays, but a NumPy file: format: npy");
    npy_file_write(fixture.path, fixture.zip.bytes, fixture.zip.count - 30);
    expect(&fixture, ERROR_CORRUPT, "it has no directory at its end");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"members may be stored or deflated", members_may_be_stored_or_deflated},
        {"a comment, and gzip around it, do not matter", a_comment_and_gzip_around_it_do_not_matter},
        {"inputs alone are read by their name", inputs_alone_are_read_by_their_name},
        {"a stored member is watched", a_stored_member_is_watched},
        {"members that are not there are told", members_that_are_not_there_are_told},
        {"wrong members are refused with words", wrong_members_are_refused_with_words},
        {"broken archives are refused", broken_archives_are_refused},
        {0},
    };
    return test_run("data/npz", cases);
}
