/* Directories and files that are none, cannot be read, or change. */
#include "data/folder_trial.h"

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
    expect(&fixture, ERROR_USAGE, "a/x.png", "is not a directory, but an image; or give the path of one");
    fixture.settings.path = (char *)(uintptr_t)in(&fixture, "absent");
    expect(&fixture, ERROR_NOT_FOUND, "absent", "No such file");
    fixture.settings.path = NULL;
    expect(&fixture, ERROR_USAGE, "needs the path", "");
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
    check_refused(
        ok, &error, ERROR_USAGE, in(&train, "a"),
        "is not a file: images lie directly in their directory; of several directories each is named, as by ");
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
        {"what is no directory of class directories is told", what_is_no_such_directory_is_told},
        {"what is no directory of images is told", what_is_no_directory_of_images_is_told},
        {"a file that has changed or gone is told when it is read", files_that_change_are_told_when_they_are_read},
        {"an image that cannot be decoded is told when it is read", what_cannot_be_decoded_is_told_when_it_is_read},
        {NULL, NULL},
    };
    return test_run("data/folder_refused", cases);
}
