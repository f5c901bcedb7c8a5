#include "base/memory.h"
#include "data/folder_trial.h"

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
        {"validation data has the classes of the training data", validation_has_the_classes_of_the_training_data},
        {"images without classes are in the order of their names",
         images_without_classes_are_in_the_order_of_their_names},
        {NULL, NULL},
    };
    return test_run("data/folder", cases);
}
