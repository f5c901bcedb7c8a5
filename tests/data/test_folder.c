#include "base/memory.h"
#include "data/folder.h"
#include "data/formats.h"
#include "data/image_file.h"
#include "data/opening.h"
#include "support/test.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIDE = 4, PIXELS = SIDE * SIDE };

/* A directory of its own for each case, in which a file's level is its number. */
struct fixture {
    char path[PATH_MAX];
    struct folder_settings settings;
    const struct description *train; /* NULL: it is training data */
};

static void fixture_init(struct fixture *fixture)
{
    static int number;
    char name[32];
    memset(fixture, 0, sizeof *fixture);
    snprintf(name, sizeof name, "folder%d", number++);
    snprintf(fixture->path, PATH_MAX, "%s", test_path(name));
    CU_ASSERT_EQUAL_FATAL(mkdir(fixture->path, 0777), 0);
    fixture->settings = (struct folder_settings){.path = fixture->path, .channels = 1, .part = {0, 1}, .std = 1};
}

static const char *in(const struct fixture *fixture, const char *name)
{
    static char paths[4][2 * PATH_MAX];
    static int last;
    last = (last + 1) % 4;
    snprintf(paths[last], sizeof paths[last], "%s/%s", fixture->path, name);
    return paths[last];
}

static void make(const struct fixture *fixture, const char *directory)
{
    CU_ASSERT_EQUAL(mkdir(in(fixture, directory), 0777), 0);
}

/* A grey image of one level. */
static void put(const struct fixture *fixture, const char *name, size_t width, size_t height, uint8_t level)
{
    uint8_t pixels[64 * 64];
    memset(pixels, level, width * height);
    png_plain(in(fixture, name), width, height, 1, pixels);
}

/* `count` images of levels `first`, `first` + 1, ... in a new class. */
static void put_class(const struct fixture *fixture, const char *name, uint8_t first, int count)
{
    char file[PATH_MAX];
    make(fixture, name);
    for (int i = 0; i < count; i++) {
        snprintf(file, sizeof file, "%s/%03d.png", name, i);
        put(fixture, file, SIDE, SIDE, (uint8_t)(first + i));
    }
}

static bool fixture_open(const struct fixture *fixture, struct dataset *dataset, struct error *error)
{
    struct folder_settings settings = fixture->settings;
    return dataset_open(dataset, &(struct dataset_spec){&dataset_folder, &settings}, fixture->train, error);
}

static struct dataset open_good(const struct fixture *fixture)
{
    struct dataset dataset;
    struct error error;
    bool ok = fixture_open(fixture, &dataset, &error);
    check_opened(ok, &error);
    return dataset;
}

static void expect(const struct fixture *fixture, enum error_kind kind, const char *words, const char *more)
{
    struct dataset dataset;
    struct error error = {0};
    bool opened = fixture_open(fixture, &dataset, &error);
    check_refused(opened, &error, kind, words, more);
    dataset_close(&dataset);
}

static uint64_t digest_of(const struct fixture *fixture)
{
    struct dataset dataset = open_good(fixture);
    uint64_t digest = dataset.digest;
    dataset_close(&dataset);
    return digest;
}

/* The level and the label of a sample of one level. */
static int level_of(const struct dataset *dataset, uint64_t index, int32_t *label)
{
    float input[PIXELS];
    struct leaf leaf = {.inputs = input, .labels = label};
    dataset_read(dataset, &index, 1, &leaf);
    CU_ASSERT(!dataset_failed(dataset, &(struct error){0}));
    return (int)(input[0] * 255 + 0.5f);
}

/* Marks the levels that there are: seen[level] is 1 + the label. Returns how many have label 0. */
static size_t mark(const struct dataset *dataset, int seen[256])
{
    size_t first = 0;
    for (size_t i = 0; i < dataset->count; i++) {
        int32_t label;
        int level = level_of(dataset, i, &label);
        CU_ASSERT_EQUAL(seen[level], 0);
        seen[level] = 1 + label;
        first += label == 0;
    }
    return first;
}

static void classes_are_directories_in_the_order_of_their_bytes(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    put_class(&fixture, "\xC3\xA9t\xC3\xA9", 10, 2); /* behind all of ASCII */
    put_class(&fixture, "Zebra", 20, 3);
    put_class(&fixture, "a cat", 30, 1);
    struct dataset dataset = open_good(&fixture);
    CU_ASSERT(dataset.count == 6 && dataset.about.form.classes == 3 && dataset.about.form.terms == 1);
    const struct categories *names = description_classes(&dataset.about);
    CU_ASSERT(names && names->count == 3 && strcmp(names->names[1], "a cat") == 0);
    CU_ASSERT(dataset.about.form.input.dims == 3 && dataset.about.form.input.size[0] == 1 &&
              dataset.about.form.input.size[1] == SIDE);
    int seen[256] = {0};
    mark(&dataset, seen);
    CU_ASSERT(seen[10] == 3 && seen[11] == 3 && seen[20] == 1 && seen[22] == 1 && seen[30] == 2);
    dataset_close(&dataset);
    dataset_close(&dataset);
}

static void every_part_has_each_class_in_its_share(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    put_class(&fixture, "few", 0, 10);
    put_class(&fixture, "many", 100, 90);
    int seen[256] = {0};
    for (int part = 0; part < 5; part++) {
        fixture.settings.part[0] = part / 5.0;
        fixture.settings.part[1] = (part + 1) / 5.0;
        struct dataset dataset = open_good(&fixture);
        CU_ASSERT_EQUAL(dataset.count, 20);
        CU_ASSERT_EQUAL(mark(&dataset, seen), 2); /* and nothing twice */
        dataset_close(&dataset);
    }
    /* Neither first in the one nor in the order of names. */
    fixture.settings.part[0] = 0;
    fixture.settings.part[1] = 1;
    fixture.settings.count = 40;
    struct dataset dataset = open_good(&fixture);
    bool falls = false;
    int last = -1, few = 0;
    for (size_t i = 0; i < dataset.count; i++) {
        int32_t label;
        int level = level_of(&dataset, i, &label);
        few += label == 0;
        falls = falls || (label == 1 && level < last);
        last = label == 1 ? level : last;
    }
    CU_ASSERT(few == 4 && falls);
    dataset_close(&dataset);
    fixture.settings.first = 61;
    expect(&fixture, ERROR_USAGE, "count is 40, but from sample 61", "holds only 39");
}

/* The order is part of what a resumed job meets again. */
static void the_order_is_golden(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    put_class(&fixture, "a", 0, 3);
    put_class(&fixture, "b", 10, 6);
    struct dataset dataset = open_good(&fixture);
    char order[64] = "";
    for (size_t i = 0; i < dataset.count; i++) {
        int32_t label;
        snprintf(order + strlen(order), sizeof order - strlen(order), "%d ", level_of(&dataset, i, &label));
    }
    CU_ASSERT_STRING_EQUAL(order, "10 0 15 14 1 11 12 2 13 ");
    dataset_close(&dataset);
}

static void pixels_become_planes_of_floats(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    make(&fixture, "a");
    make(&fixture, "b");
    uint8_t pixels[4 * 2 * 3];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 11);
    png_plain(in(&fixture, "a/x.png"), 4, 2, 3, pixels);
    png_plain(in(&fixture, "b/x.png"), 4, 2, 3, pixels);
    fixture.settings.channels = 3;
    fixture.settings.mean = 0.25;
    fixture.settings.std = 0.5;
    struct dataset dataset = open_good(&fixture);
    const struct shape *shape = &dataset.about.form.input;
    CU_ASSERT(shape->size[0] == 3 && shape->size[1] == 2 && shape->size[2] == 4);
    float inputs[2][24];
    int32_t labels[2];
    struct leaf leaf = {.inputs = inputs[0], .labels = labels};
    dataset_read(&dataset, (const uint64_t[]){1, 0}, 2, &leaf);
    CU_ASSERT(leaf.rows == 2 && labels[0] == 1 && labels[1] == 0);
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < 8; i++)
            CU_ASSERT_EQUAL(inputs[1][c * 8 + i], (float)((pixels[3 * i + c] / 255.0 - 0.25) / 0.5));
    CU_ASSERT_EQUAL(memcmp(inputs[0], inputs[1], sizeof inputs[0]), 0);
    CU_ASSERT(dataset.mean == 0.25 && dataset.std == 0.5);
    dataset_read_as(&dataset, &(struct shape){4, {1, 3, 2, 4}}); /* the same pixels, whatever a model reads them as */
    memset(inputs[0], 0, sizeof inputs[0]);
    dataset_read(&dataset, (const uint64_t[]){1}, 1, &leaf);
    CU_ASSERT_EQUAL(memcmp(inputs[0], inputs[1], sizeof inputs[0]), 0);
    dataset_close(&dataset);
}

static void images_of_several_sizes_need_one(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    put_class(&fixture, "a", 10, 1);
    put_class(&fixture, "b", 20, 1);
    put(&fixture, "b/001.png", 6, 9, 30);
    expect(&fixture, ERROR_USAGE, "4 x 4 (", "b/000.png), ");
    expect(&fixture, ERROR_USAGE, "6 x 9 (", "b/001.png); give size");
    for (size_t i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "a/more%zu.png", i);
        put(&fixture, name, 10 + i, 10, 0);
    }
    expect(&fixture, ERROR_USAGE, "and others; give size", "");
    fixture.settings.size = SIDE;
    struct dataset dataset = open_good(&fixture);
    CU_ASSERT(dataset.about.form.input.size[1] == SIDE && dataset.about.form.input.size[2] == SIDE);
    int seen[256] = {0};
    fixture.settings.count = 3;
    dataset_close(&dataset);
    for (size_t i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "a/more%zu.png", i);
        CU_ASSERT_EQUAL(unlink(in(&fixture, name)), 0);
    }
    dataset = open_good(&fixture);
    mark(&dataset, seen);
    CU_ASSERT(seen[10] == 1 && seen[20] == 2 && seen[30] == 2);
    dataset_close(&dataset);
}

static void what_systems_leave_in_directories_is_passed_over(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    put_class(&fixture, "a", 10, 2);
    put_class(&fixture, "b", 20, 2);
    uint64_t digest = digest_of(&fixture);
    static const char *const others[] = {".hidden", "README.txt", "a/.DS_Store", "a/Thumbs.db", "b/desktop.ini"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        write_bytes(in(&fixture, others[i]), "words", 5);
    make(&fixture, ".cache");
    CU_ASSERT_EQUAL(digest_of(&fixture), digest);
    /* Links are followed, as people split data by them; and names of files do not count. */
    char moved[PATH_MAX + 8];
    snprintf(moved, sizeof moved, "%s.b", fixture.path);
    CU_ASSERT_EQUAL(rename(in(&fixture, "b"), moved), 0);
    CU_ASSERT_EQUAL(symlink(moved, in(&fixture, "b")), 0);
    CU_ASSERT_EQUAL(rename(in(&fixture, "a/001.png"), in(&fixture, "a/0b.jpg")), 0);
    CU_ASSERT_EQUAL(digest_of(&fixture), digest);
}

static void the_digest_tells_content_classes_and_shape(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    put_class(&fixture, "a", 10, 2);
    put_class(&fixture, "b", 20, 2);
    uint64_t digest = digest_of(&fixture);
    put(&fixture, "a/001.png", SIDE, SIDE, 99);
    CU_ASSERT_NOT_EQUAL(digest_of(&fixture), digest);
    put(&fixture, "a/001.png", SIDE, SIDE, 11);
    CU_ASSERT_EQUAL(digest_of(&fixture), digest);
    fixture.settings.size = 3;
    CU_ASSERT_NOT_EQUAL(digest_of(&fixture), digest);
    fixture.settings.size = SIDE; /* which they have */
    CU_ASSERT_EQUAL(digest_of(&fixture), digest);
    fixture.settings.channels = 3;
    CU_ASSERT_NOT_EQUAL(digest_of(&fixture), digest);
    fixture.settings.channels = 1;
    CU_ASSERT_EQUAL(rename(in(&fixture, "b"), in(&fixture, "c")), 0);
    CU_ASSERT_NOT_EQUAL(digest_of(&fixture), digest);
}

static void what_is_no_such_directory_is_told(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    expect(&fixture, ERROR_USAGE, fixture.path, "holds no directories");
    put(&fixture, "x.PNG", SIDE, SIDE, 1);
    expect(&fixture, ERROR_USAGE, "x.PNG is an image beside the class directories", "cat/x.PNG");
    CU_ASSERT_EQUAL(unlink(in(&fixture, "x.PNG")), 0);
    make(&fixture, "a");
    expect(&fixture, ERROR_USAGE, fixture.path, "holds no images: there is none in any of its 1 directories");
    put(&fixture, "a/x.png", SIDE, SIDE, 1);
    expect(&fixture, ERROR_USAGE, "directory of one class only, a", "nothing to tell apart");
    make(&fixture, "b");
    expect(&fixture, ERROR_USAGE, in(&fixture, "b"), "holds no images: remove the directory");
    write_bytes(in(&fixture, "b/notes.txt"), "words", 5);
    expect(&fixture, ERROR_CORRUPT, in(&fixture, "b/notes.txt"), "is not a PNG or JPEG image: take it out");
    write_bytes(in(&fixture, "b/notes.txt"), "\x89PNG\r\n\x1a\n", 8);
    expect(&fixture, ERROR_CORRUPT, in(&fixture, "b/notes.txt"), "is truncated");
    CU_ASSERT_EQUAL(unlink(in(&fixture, "b/notes.txt")), 0);
    make(&fixture, "b/more");
    expect(&fixture, ERROR_USAGE, in(&fixture, "b/more"), "is not a file: images lie directly");
    CU_ASSERT_EQUAL(rmdir(in(&fixture, "b/more")), 0);
    CU_ASSERT_EQUAL(mkfifo(in(&fixture, "b/pipe"), 0600), 0);
    expect(&fixture, ERROR_USAGE, in(&fixture, "b/pipe"), "is not a file");
    CU_ASSERT_EQUAL(unlink(in(&fixture, "b/pipe")), 0);
    CU_ASSERT_EQUAL(symlink("nowhere", in(&fixture, "b/link.png")), 0);
    expect(&fixture, ERROR_NOT_FOUND, in(&fixture, "b/link.png"), "No such file");
    if (geteuid() != 0) {
        put(&fixture, "b/a.png", SIDE, SIDE, 1);
        CU_ASSERT_EQUAL(chmod(in(&fixture, "b/a.png"), 0), 0);
        fixture.settings.part[0] = 0.5;
        expect(&fixture, ERROR_DENIED, in(&fixture, "b/a.png"), "Permission denied");
    }
    make(&fixture, "\xFF");
    expect(&fixture, ERROR_USAGE, "is a class whose name is not UTF-8", "rename the directory");
    fixture.settings.path = (char *)(uintptr_t)in(&fixture, "a/x.png");
    expect(&fixture, ERROR_USAGE, "a/x.png", "is not a directory: give the path of one");
    fixture.settings.path = (char *)(uintptr_t)in(&fixture, "absent");
    expect(&fixture, ERROR_NOT_FOUND, "absent", "No such file");
    fixture.settings.path = NULL;
    expect(&fixture, ERROR_USAGE, "needs the path", "");
}

static void validation_has_the_classes_of_the_training_data(void)
{
    struct fixture train, fixture;
    fixture_init(&train);
    put_class(&train, "a", 10, 1);
    put_class(&train, "b", 20, 1);
    put_class(&train, "c", 30, 1);
    struct dataset trained = open_good(&train);
    fixture_init(&fixture);
    fixture.train = &trained.about;
    put_class(&fixture, "c", 50, 2);
    struct dataset dataset = open_good(&fixture); /* one class, and the last: still number 2 */
    int32_t label;
    CU_ASSERT_EQUAL(level_of(&dataset, 0, &label) / 2, 25);
    CU_ASSERT(label == 2 && dataset.about.form.classes == 3);
    dataset_close(&dataset);
    put_class(&fixture, "d", 60, 1);
    expect(&fixture, ERROR_USAGE, in(&fixture, "d"), "is a class that the training data does not have");
    dataset_close(&trained);
}

/* The level of a sample without a label, and its name. */
static int named_level(const struct dataset *dataset, size_t index, const char *name)
{
    int32_t label = 7;
    int level = level_of(dataset, index, &label);
    char *found = dataset_name_of(dataset, index);
    CU_ASSERT_STRING_EQUAL(found, name);
    CU_ASSERT_EQUAL(label, 7);
    memory_free(found);
    return level;
}

static void images_without_classes_are_in_the_order_of_their_names(void)
{
    struct fixture train, new;
    struct error error;
    fixture_init(&train);
    put_class(&train, "a", 10, 1);
    put_class(&train, "b", 20, 1);
    struct dataset trained = open_good(&train), inputs;
    fixture_init(&new);
    put(&new, "b.png", SIDE, SIDE, 52);
    put(&new, "B.png", SIDE, SIDE, 51);
    put(&new, "c.jpg", SIDE, SIDE, 53); /* a name is a name */
    write_bytes(in(&new, ".DS_Store"), "x", 1);
    struct dataset_spec like = {&dataset_folder, &train.settings};
    bool ok = dataset_open_inputs(&inputs, in(&new, ""), &like, &trained.about, &error);
    check_opened(ok, &error);
    CU_ASSERT_EQUAL(inputs.count, 3);
    CU_ASSERT_EQUAL(named_level(&inputs, 0, in(&new, "B.png")), 51);
    CU_ASSERT_EQUAL(named_level(&inputs, 1, in(&new, "b.png")), 52);
    CU_ASSERT_EQUAL(named_level(&inputs, 2, in(&new, "c.jpg")), 53);
    dataset_close(&inputs);

    /* One file, for a model of images of another format: the shape says size and channels. */
    like = (struct dataset_spec){&dataset_npy, NULL};
    put(&new, "b.png", SIDE, SIDE + 2, 52);
    ok = dataset_open_inputs(&inputs, in(&new, "b.png"), &like, &trained.about, &error);
    check_opened(ok, &error);
    CU_ASSERT(inputs.count == 1 && named_level(&inputs, 0, in(&new, "b.png")) == 52);
    dataset_close(&inputs);
    dataset_read_as(&trained, &(struct shape){2, {SIDE, SIDE}});
    ok = dataset_open_inputs(&inputs, in(&new, "b.png"), &like, &trained.about, &error);
    check_opened(ok, &error);
    CU_ASSERT(inputs.about.form.input.dims == 2 && named_level(&inputs, 0, in(&new, "b.png")) == 52);
    dataset_close(&inputs);
    struct description flat = {.format = (char[]){"npy"}, .form = {.input = {1, {PIXELS}}, .classes = 2, .terms = 1}};
    ok = dataset_open_inputs(&inputs, new.path, &like, &flat, &error);
    check_refused(ok, &error, ERROR_USAGE, "images cannot be samples of the shape 16", "");
    dataset_close(&trained);
}

static void what_is_no_directory_of_images_is_told(void)
{
    struct fixture train, new;
    fixture_init(&train);
    put_class(&train, "a", 10, 1);
    put_class(&train, "b", 20, 1);
    struct dataset trained = open_good(&train), inputs;
    const struct dataset_spec like = {&dataset_folder, &train.settings};
    struct error error;
    bool ok = dataset_open_inputs(&inputs, train.path, &like, &trained.about, &error);
    check_refused(ok, &error, ERROR_USAGE, in(&train, "a"), "is not a file: images lie directly in their directory");
    fixture_init(&new);
    ok = dataset_open_inputs(&inputs, new.path, &like, &trained.about, &error);
    check_refused(ok, &error, ERROR_USAGE, new.path, "holds no images");
    ok = dataset_open_inputs(&inputs, in(&new, "absent.png"), &like, &trained.about, &error);
    check_refused(ok, &error, ERROR_NOT_FOUND, in(&new, "absent.png"), "No such file");
    put(&new, "a.png", SIDE, SIDE, 50);
    put(&new, "b.png", SIDE + 1, SIDE, 50);
    ok = dataset_open_inputs(&inputs, new.path, &like, &trained.about, &error);
    check_refused(ok, &error, ERROR_USAGE, "several sizes: 4 x 4", "scale them to that of the training data");
    write_bytes(in(&new, "b.png"), "text", 4);
    ok = dataset_open_inputs(&inputs, new.path, &like, &trained.about, &error);
    check_refused(ok, &error, ERROR_CORRUPT, in(&new, "b.png"), "is not a PNG or JPEG image");
    dataset_close(&trained);
}

/* What a read of all samples fails with, and that it gives zeros. */
static void expect_failure(const struct dataset *dataset, enum error_kind kind, const char *words, const char *more)
{
    float inputs[2 * PIXELS];
    int32_t labels[2] = {7, 7};
    struct error error = {0};
    struct leaf leaf = {.inputs = inputs, .labels = labels};
    dataset_read(dataset, (const uint64_t[]){0, 1}, 2, &leaf);
    bool failed = dataset_failed(dataset, &error);
    check_refused(!failed, &error, kind, words, more);
    for (size_t i = 0; i < 2 * PIXELS; i++)
        CU_ASSERT_EQUAL(inputs[i], 0);
    CU_ASSERT(labels[0] == 0 && labels[1] == 0);
}

static void files_that_change_are_told_when_they_are_read(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    put_class(&fixture, "a", 10, 1);
    put_class(&fixture, "b", 20, 1);
    struct dataset dataset = open_good(&fixture);
    put(&fixture, "b/000.png", SIDE, SIDE, 20); /* written anew, with the same content */
    int32_t label;
    CU_ASSERT_EQUAL(level_of(&dataset, 1, &label), 20);
    put(&fixture, "b/000.png", SIDE, SIDE, 21);
    expect_failure(&dataset, ERROR_CORRUPT, in(&fixture, "b/000.png"), "was changed while it was in use");
    dataset_close(&dataset);
    dataset = open_good(&fixture);
    CU_ASSERT_EQUAL(unlink(in(&fixture, "b/000.png")), 0);
    expect_failure(&dataset, ERROR_NOT_FOUND, in(&fixture, "b/000.png"), "No such file");
    dataset_close(&dataset);
}

static void what_cannot_be_decoded_is_told_when_it_is_read(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    put_class(&fixture, "a", 10, 1);
    put_class(&fixture, "b", 20, 1);
    uint8_t bytes[4096];
    size_t count = bytes_of(in(&fixture, "b/000.png"), bytes, sizeof bytes);
    bytes[count - 20] ^= 1; /* within the pixels */
    write_bytes(in(&fixture, "b/000.png"), bytes, count);
    struct dataset dataset = open_good(&fixture);
    expect_failure(&dataset, ERROR_CORRUPT, in(&fixture, "b/000.png"), "is not a sound PNG image");
    dataset_close(&dataset);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"classes are directories, in the order of their bytes", classes_are_directories_in_the_order_of_their_bytes},
        {"every part has each class in its share, and each image is in one", every_part_has_each_class_in_its_share},
        {"the order of the samples is the golden one", the_order_is_golden},
        {"pixels become planes of floats", pixels_become_planes_of_floats},
        {"images of several sizes need one to be scaled to", images_of_several_sizes_need_one},
        {"what systems leave in directories is passed over", what_systems_leave_in_directories_is_passed_over},
        {"the digest tells content, classes and shape", the_digest_tells_content_classes_and_shape},
        {"what is no directory of class directories is told", what_is_no_such_directory_is_told},
        {"validation data has the classes of the training data", validation_has_the_classes_of_the_training_data},
        {"images without classes are in the order of their names",
         images_without_classes_are_in_the_order_of_their_names},
        {"what is no directory of images is told", what_is_no_directory_of_images_is_told},
        {"a file that has changed or gone is told when it is read", files_that_change_are_told_when_they_are_read},
        {"an image that cannot be decoded is told when it is read", what_cannot_be_decoded_is_told_when_it_is_read},
        {NULL, NULL},
    };
    return test_run("data/folder", cases);
}
