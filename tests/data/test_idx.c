#include "data/formats.h"
#include "data/idx.h"
#include "data/opening.h"
#include "support/test.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { IMAGES = 5, HEIGHT = 3, WIDTH = 4, PIXELS = HEIGHT * WIDTH };

#define IMAGE_BYTES (16 + IMAGES * PIXELS)
#define LABEL_BYTES (8 + IMAGES)

/* Five images of 3 x 4 pixels and their labels, in memory and in two files that a test may spoil. */
struct fixture {
    uint8_t image_bytes[IMAGE_BYTES + 8], label_bytes[LABEL_BYTES + 8]; /* 8 spare */
    char images[PATH_MAX], labels[PATH_MAX];
    const struct dataset_class *class;
    struct idx_settings settings;
    const struct dataset *train; /* NULL: the fixture is training data */
};

static void put_size(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void write_plain(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, count, file), count);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

/* mode "wb" begins a file, "ab" adds a member. */
static void write_gzip(const char *path, const char *mode, const void *bytes, unsigned count)
{
    gzFile file = gzopen(path, mode);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(gzwrite(file, bytes, count), (int)count);
    CU_ASSERT_EQUAL(gzclose(file), Z_OK);
}

static void fixture_init(struct fixture *fixture)
{
    static const uint8_t labels[IMAGES] = {3, 0, 7, 1, 1};
    memset(fixture, 0, sizeof *fixture);
    put_size(fixture->image_bytes, 0x00000803);
    put_size(fixture->image_bytes + 4, IMAGES);
    put_size(fixture->image_bytes + 8, HEIGHT);
    put_size(fixture->image_bytes + 12, WIDTH);
    for (int i = 0; i < IMAGES * PIXELS; i++)
        fixture->image_bytes[16 + i] = (uint8_t)(i * 37 + 5);
    put_size(fixture->label_bytes, 0x00000801);
    put_size(fixture->label_bytes + 4, IMAGES);
    memcpy(fixture->label_bytes + 8, labels, IMAGES);
    snprintf(fixture->images, PATH_MAX, "%s", test_path("images"));
    snprintf(fixture->labels, PATH_MAX, "%s", test_path("labels"));
    fixture->class = &dataset_idx;
    fixture->settings = (struct idx_settings){
        .samples = {.part = {0, 1}, .std = 1}, .images = fixture->images, .labels = fixture->labels};
}

static void fixture_write(const struct fixture *fixture)
{
    write_plain(fixture->images, fixture->image_bytes, IMAGE_BYTES);
    write_plain(fixture->labels, fixture->label_bytes, LABEL_BYTES);
}

static bool open_fixture(const struct fixture *fixture, struct dataset *dataset, struct error *error)
{
    struct idx_settings settings = fixture->settings;
    return dataset_open(dataset, &(struct dataset_spec){fixture->class, &settings},
                        fixture->train ? &fixture->train->about : NULL, error);
}

static struct dataset open_good(const struct fixture *fixture)
{
    struct dataset dataset;
    struct error error;
    bool ok = open_fixture(fixture, &dataset, &error);
    check_opened(ok, &error);
    return dataset;
}

/* Whether the samples have classes, and this input shape. */
static bool has_form(const struct dataset *dataset, struct shape input, size_t classes)
{
    struct leaf_form form = {.input = input, .classes = classes, .terms = 1};
    return memcmp(&dataset->about.form, &form, offsetof(struct leaf_form, hint)) == 0;
}

static void read_samples(const struct dataset *dataset, const uint64_t *indices, size_t n, float *inputs,
                         int32_t *labels)
{
    struct leaf leaf = {.inputs = inputs, .labels = labels, .first = 77};
    dataset_read(dataset, indices, n, &leaf);
    CU_ASSERT(leaf.rows == n && leaf.first == 77);
}

/* The digest of the fixture as it is now. */
static uint64_t digest_of(const struct fixture *fixture)
{
    fixture_write(fixture);
    struct dataset dataset = open_good(fixture);
    uint64_t digest = dataset.digest;
    dataset_close(&dataset);
    return digest;
}

/* Opening fails with this kind and these words, in one line. */
static void expect(const struct fixture *fixture, enum error_kind kind, const char *words, const char *more)
{
    struct dataset dataset;
    struct error error = {0};
    bool opened = open_fixture(fixture, &dataset, &error);
    check_refused(opened, &error, kind, words, more);
    dataset_close(&dataset);
}

static void plain_files_give_what_is_in_them(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_write(&fixture);
    struct dataset dataset = open_good(&fixture);
    CU_ASSERT_EQUAL(dataset.count, IMAGES);
    CU_ASSERT(has_form(&dataset, (struct shape){3, {1, HEIGHT, WIDTH}}, 8));
    CU_ASSERT_PTR_NULL(dataset.about.vocabulary);
    static const uint64_t indices[3] = {4, 0, 2};
    float inputs[3][PIXELS];
    int32_t labels[3];
    read_samples(&dataset, indices, 3, inputs[0], labels);
    CU_ASSERT(labels[0] == 1 && labels[1] == 3 && labels[2] == 7);
    for (size_t i = 0; i < 3; i++)
        for (size_t p = 0; p < PIXELS; p++)
            CU_ASSERT_EQUAL(inputs[i][p], (float)(fixture.image_bytes[16 + indices[i] * PIXELS + p] / 255.0));
    dataset_close(&dataset);
    dataset_close(&dataset);
}

static void bytes_are_normalised(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.image_bytes[16] = 0;
    fixture.image_bytes[17] = 255;
    fixture_write(&fixture);
    fixture.settings.samples.mean = 0.25;
    fixture.settings.samples.std = 0.5;
    struct dataset dataset = open_good(&fixture);
    float input[PIXELS];
    int32_t label;
    read_samples(&dataset, &(uint64_t){0}, 1, input, &label);
    CU_ASSERT(dataset.mean == 0.25 && dataset.std == 0.5);
    CU_ASSERT_EQUAL(input[0], -0.5f);
    CU_ASSERT_EQUAL(input[1], 1.5f);
    for (size_t p = 2; p < PIXELS; p++)
        CU_ASSERT_EQUAL(input[p], (float)((fixture.image_bytes[16 + p] / 255.0 - 0.25) / 0.5));
    dataset_close(&dataset);
    static const double wrong[] = {0, -1, 0.0 / 0.0, 1.0 / 0.0};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        fixture.settings.samples.std = wrong[i];
        expect(&fixture, ERROR_USAGE, "std", "above 0");
    }
    fixture.settings.samples.std = 1e-300; /* of bytes from 0 to 255 each: nothing that could be computed with */
    expect(&fixture, ERROR_USAGE, "std 1e-300", "goes beyond a float");
    fixture.settings.samples.mean = 0;
    expect(&fixture, ERROR_USAGE, "value 1 is 1: with mean 0 and std 1e-300", "goes beyond a float");
}

static void gzip_gives_the_same_as_plain(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    static const uint64_t indices[IMAGES] = {0, 1, 2, 3, 4};
    float plain[IMAGES][PIXELS], inflated[IMAGES][PIXELS];
    int32_t labels[IMAGES], inflated_labels[IMAGES];
    uint64_t digest = digest_of(&fixture);
    struct dataset dataset = open_good(&fixture);
    read_samples(&dataset, indices, IMAGES, plain[0], labels);
    dataset_close(&dataset);

    /* Known by content: no .gz in the names. The images come in two members, as parallel packers write them. */
    write_gzip(fixture.images, "wb", fixture.image_bytes, 40);
    write_gzip(fixture.images, "ab", fixture.image_bytes + 40, IMAGE_BYTES - 40);
    write_gzip(fixture.labels, "wb", fixture.label_bytes, LABEL_BYTES);
    dataset = open_good(&fixture);
    CU_ASSERT_EQUAL(dataset.digest, digest);
    read_samples(&dataset, indices, IMAGES, inflated[0], inflated_labels);
    CU_ASSERT_EQUAL(memcmp(plain, inflated, sizeof plain), 0);
    CU_ASSERT_EQUAL(memcmp(labels, inflated_labels, sizeof labels), 0);
    dataset_close(&dataset);
}

static void large_gzip_files_are_inflated_whole(void)
{
    enum { SIDE = 1200, COUNT = 3 };
    static uint8_t bytes[16 + COUNT * SIDE * SIDE];
    struct fixture fixture;
    fixture_init(&fixture);
    memcpy(bytes, fixture.image_bytes, 4);
    put_size(bytes + 4, COUNT);
    put_size(bytes + 8, SIDE);
    put_size(bytes + 12, SIDE);
    for (size_t i = 16; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i >> 8);
    put_size(fixture.label_bytes + 4, COUNT);
    write_plain(fixture.images, bytes, sizeof bytes);
    write_plain(fixture.labels, fixture.label_bytes, 8 + COUNT);
    struct dataset dataset = open_good(&fixture);
    uint64_t digest = dataset.digest;
    dataset_close(&dataset);
    write_gzip(fixture.images, "wb", bytes, sizeof bytes);
    dataset = open_good(&fixture);
    CU_ASSERT_EQUAL(dataset.digest, digest);
    dataset_close(&dataset);
}

static void four_dimensions_have_channels(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    uint64_t flat = digest_of(&fixture);
    /* The same 60 bytes as images of 3 channels, 2 x 2. */
    memmove(fixture.image_bytes + 20, fixture.image_bytes + 16, IMAGES * PIXELS);
    put_size(fixture.image_bytes, 0x00000804);
    put_size(fixture.image_bytes + 8, 3);
    put_size(fixture.image_bytes + 12, 2);
    put_size(fixture.image_bytes + 16, 2);
    write_plain(fixture.images, fixture.image_bytes, IMAGE_BYTES + 4);
    struct dataset dataset = open_good(&fixture);
    CU_ASSERT(has_form(&dataset, (struct shape){3, {3, 2, 2}}, 8));
    CU_ASSERT_NOT_EQUAL(dataset.digest, flat);
    dataset_close(&dataset);
}

static void classes_come_from_the_whole_file(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_write(&fixture);
    fixture.settings.samples.first = 3; /* labels 1 and 1; the 7 lies before */
    struct dataset dataset = open_good(&fixture);
    CU_ASSERT_EQUAL(dataset.about.form.classes, 8);
    dataset_close(&dataset);
    memset(fixture.label_bytes + 8, 0, IMAGES);
    fixture_write(&fixture);
    dataset = open_good(&fixture);
    CU_ASSERT_EQUAL(dataset.about.form.classes, 2);
    dataset_close(&dataset);
}

static void a_part_has_the_digest_of_its_content(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_write(&fixture);
    fixture.settings.samples.first = 1;
    fixture.settings.samples.count = 2;
    struct dataset dataset = open_good(&fixture);
    uint64_t digest = dataset.digest;
    CU_ASSERT_EQUAL(dataset.count, 2);
    float input[PIXELS];
    int32_t label;
    read_samples(&dataset, &(uint64_t){1}, 1, input, &label);
    CU_ASSERT_EQUAL(label, 7);
    CU_ASSERT_EQUAL(input[0], (float)(fixture.image_bytes[16 + 2 * PIXELS] / 255.0));
    dataset_close(&dataset);

    struct fixture alone = fixture;
    alone.settings.samples.first = alone.settings.samples.count = 0;
    put_size(alone.image_bytes + 4, 2);
    put_size(alone.label_bytes + 4, 2);
    memmove(alone.image_bytes + 16, alone.image_bytes + 16 + PIXELS, 2 * PIXELS);
    memmove(alone.label_bytes + 8, alone.label_bytes + 9, 2);
    write_plain(alone.images, alone.image_bytes, 16 + 2 * PIXELS);
    write_plain(alone.labels, alone.label_bytes, 8 + 2);
    dataset = open_good(&alone);
    CU_ASSERT_EQUAL(dataset.digest, digest);
    dataset_close(&dataset);
}

static void any_change_changes_the_digest(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    uint64_t digest = digest_of(&fixture);
    fixture.image_bytes[IMAGE_BYTES - 1] ^= 1;
    CU_ASSERT_NOT_EQUAL(digest_of(&fixture), digest);
    fixture.image_bytes[IMAGE_BYTES - 1] ^= 1;
    CU_ASSERT_EQUAL(digest_of(&fixture), digest);
    fixture.label_bytes[8] ^= 1;
    CU_ASSERT_NOT_EQUAL(digest_of(&fixture), digest);
    fixture.label_bytes[8] ^= 1;
    put_size(fixture.image_bytes + 8, WIDTH);
    put_size(fixture.image_bytes + 12, HEIGHT);
    CU_ASSERT_NOT_EQUAL(digest_of(&fixture), digest);
}

/* Checkpoints name their data by its digest: what files of bytes have had from the beginning never changes. */
static void the_digest_is_golden(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    CU_ASSERT_EQUAL(digest_of(&fixture), 0xc96b14643b57f8ecu);
}

static void absent_files_are_named(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    remove(fixture.images);
    write_plain(fixture.labels, fixture.label_bytes, LABEL_BYTES);
    expect(&fixture, ERROR_NOT_FOUND, fixture.images, "No such file");
    write_plain(fixture.images, "", 0);
    expect(&fixture, ERROR_CORRUPT, fixture.images, "is empty");
    write_plain(fixture.images, fixture.image_bytes, IMAGE_BYTES);
    remove(fixture.labels);
    expect(&fixture, ERROR_NOT_FOUND, fixture.labels, "No such file");
    CU_ASSERT_EQUAL(mkdir(fixture.labels, 0777), 0);
    expect(&fixture, ERROR_USAGE, fixture.labels, "is a directory");
    remove(fixture.labels);
    CU_ASSERT_EQUAL(mkfifo(fixture.labels, 0600), 0);
    expect(&fixture, ERROR_USAGE, fixture.labels, "not a regular file");
    remove(fixture.labels);
    fixture.settings.labels = NULL;
    expect(&fixture, ERROR_USAGE, "labels", "path");
    fixture.class = NULL;
    expect(&fixture, ERROR_USAGE, "format", "idx, digits, text, tokens, csv, npy, npz, hdf5 or folder");
}

static void wrong_lengths_are_told_in_bytes(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_write(&fixture);
    write_plain(fixture.images, fixture.image_bytes, 3);
    expect(&fixture, ERROR_CORRUPT, fixture.images, "truncated in its header: 4 bytes expected, 3 there");
    write_plain(fixture.images, fixture.image_bytes, 15);
    expect(&fixture, ERROR_CORRUPT, fixture.images, "truncated in its header: 16 bytes expected, 15 there");
    write_plain(fixture.images, fixture.image_bytes, IMAGE_BYTES - 1);
    expect(&fixture, ERROR_CORRUPT, fixture.images, "truncated: 60 bytes of numbers expected, 59 there");
    write_plain(fixture.images, fixture.image_bytes, IMAGE_BYTES + 2);
    expect(&fixture, ERROR_CORRUPT, fixture.images, "too long by 2 bytes: 60 bytes of numbers expected, 62 there");
    write_gzip(fixture.images, "wb", fixture.image_bytes, IMAGE_BYTES - 1);
    expect(&fixture, ERROR_CORRUPT, fixture.images, "truncated: 60 bytes of numbers expected, 59 there");
    fixture_write(&fixture);
    write_plain(fixture.labels, fixture.label_bytes, LABEL_BYTES + 1);
    expect(&fixture, ERROR_CORRUPT, fixture.labels, "too long by 1 bytes: 5 bytes of numbers expected, 6 there");
}

static void wrong_magic_tells_what_was_found(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_write(&fixture);
    struct fixture swapped = fixture;
    swapped.settings.images = swapped.labels;
    swapped.settings.labels = swapped.images;
    expect(&swapped, ERROR_CORRUPT, swapped.labels, "holds labels (magic 0x00000801), not images: are the paths");
    swapped.settings.images = swapped.images;
    expect(&swapped, ERROR_USAGE, swapped.images, "is named for the images, and for the labels: they are two files");
    write_plain(fixture.images, "\x89PNG\r\n\x1a\n", 8);
    expect(&fixture, ERROR_CORRUPT, fixture.images, "magic is 0x89504e47, expected 0x000008 (bytes)");
    put_size(fixture.image_bytes, 0x00000f03);
    fixture_write(&fixture);
    expect(&fixture, ERROR_CORRUPT, fixture.images, "magic is 0x00000f03");
    put_size(fixture.image_bytes, 0x00000809);
    fixture_write(&fixture);
    expect(&fixture, ERROR_CORRUPT, fixture.images, "magic is 0x00000809");
}

static void damaged_gzip_is_corrupt(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    write_plain(fixture.labels, fixture.label_bytes, LABEL_BYTES);
    write_gzip(fixture.images, "wb", fixture.image_bytes, IMAGE_BYTES);
    uint8_t bytes[256];
    FILE *file = fopen(fixture.images, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    size_t count = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    /* Cut anywhere, also within the header (10 bytes) and the checksum (the last 8). */
    for (size_t kept = 2; kept < count; kept++) {
        write_plain(fixture.images, bytes, kept);
        expect(&fixture, ERROR_CORRUPT, fixture.images, "gzip data");
    }
    for (size_t spoilt = 2; spoilt < count; spoilt++) {
        if (spoilt >= 4 && spoilt < 10)
            continue; /* time, level, system: not covered by the checksum, and of no effect */
        bytes[spoilt] ^= 0xff;
        write_plain(fixture.images, bytes, count);
        expect(&fixture, ERROR_CORRUPT, fixture.images, "");
        bytes[spoilt] ^= 0xff;
    }
    write_gzip(fixture.images, "wb", "", 0);
    expect(&fixture, ERROR_CORRUPT, fixture.images, "is empty");
}

static void hostile_headers_are_refused(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    for (int i = 1; i < 4; i++)
        put_size(fixture.image_bytes + 4 * i, UINT32_MAX);
    fixture_write(&fixture);
    expect(&fixture, ERROR_CORRUPT, fixture.images, "more than 2^64 bytes");
    write_gzip(fixture.images, "wb", fixture.image_bytes, IMAGE_BYTES);
    expect(&fixture, ERROR_CORRUPT, fixture.images, "more than 2^64 bytes");
    put_size(fixture.image_bytes + 12, 1); /* just below 2^64 */
    fixture_write(&fixture);
    expect(&fixture, ERROR_CORRUPT, fixture.images,
           "truncated: 18446744065119617025 bytes of numbers expected, 60 there");
    for (int i = 1; i < 4; i++) {
        fixture_init(&fixture);
        put_size(fixture.image_bytes + 4 * i, 0);
        fixture_write(&fixture);
        expect(&fixture, ERROR_CORRUPT, fixture.images, "holds nothing: axis");
    }
}

static void counts_must_fit(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    put_size(fixture.label_bytes + 4, IMAGES - 1);
    fixture_write(&fixture);
    write_plain(fixture.labels, fixture.label_bytes, LABEL_BYTES - 1);
    expect(&fixture, ERROR_CORRUPT, "holds 5 samples", "targets of 4");
    expect(&fixture, ERROR_CORRUPT, fixture.images, fixture.labels);
    fixture_init(&fixture);
    fixture_write(&fixture);
    fixture.settings.samples.first = IMAGES;
    expect(&fixture, ERROR_USAGE, fixture.images, "first is 5");
    fixture.settings.samples.first = UINT64_MAX;
    expect(&fixture, ERROR_USAGE, "first is 18446744073709551615", "holds only 5 samples");
    fixture.settings.samples.first = 2;
    fixture.settings.samples.count = 4;
    expect(&fixture, ERROR_USAGE, "count is 4, but from sample 2 of part [0, 1] on", "holds only 3");
    fixture.settings.samples.count = UINT64_MAX;
    expect(&fixture, ERROR_USAGE, "count is 18446744073709551615", "holds only 3");
    fixture.settings.samples.count = 3;
    struct dataset dataset = open_good(&fixture);
    CU_ASSERT_EQUAL(dataset.count, 3);
    dataset_close(&dataset);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"plain files give the pixels, labels, shape and classes that are in them", plain_files_give_what_is_in_them},
        {"byte b becomes (b / 255 - mean) / std, and std must be above 0", bytes_are_normalised},
        {"gzip files give the same floats and digest as plain ones", gzip_gives_the_same_as_plain},
        {"gzip files larger than the first buffer are inflated whole", large_gzip_files_are_inflated_whole},
        {"four dimensions are count, channels, height and width", four_dimensions_have_channels},
        {"classes come from the whole label file and are at least 2", classes_come_from_the_whole_file},
        {"a part of a file has the digest of its content", a_part_has_the_digest_of_its_content},
        {"a changed pixel, label or shape changes the digest", any_change_changes_the_digest},
        {"the digest of files of bytes is the golden one", the_digest_is_golden},
        {"missing, empty and unfit files are named", absent_files_are_named},
        {"truncated and too long files are told in bytes", wrong_lengths_are_told_in_bytes},
        {"a wrong magic is told, and swapped files are recognised", wrong_magic_tells_what_was_found},
        {"damaged gzip data is an error wherever the damage is", damaged_gzip_is_corrupt},
        {"headers with huge or zero sizes are refused", hostile_headers_are_refused},
        {"counts that differ or reach beyond the end are told with both numbers", counts_must_fit},
        {NULL, NULL},
    };
    return test_run("data/idx", cases);
}
