#include "data/folder_trial.h"

void fixture_init(struct fixture *fixture)
{
    static int number;
    char name[32];
    memset(fixture, 0, sizeof *fixture);
    snprintf(name, sizeof name, "folder%d", number++);
    snprintf(fixture->path, PATH_MAX, "%s", test_path(name));
    CU_ASSERT_EQUAL_FATAL(mkdir(fixture->path, 0777), 0);
    fixture->settings = (struct folder_settings){.path = fixture->path, .channels = 1, .part = {0, 1}, .std = 1};
}

const char *in(const struct fixture *fixture, const char *name)
{
    static char paths[4][2 * PATH_MAX];
    static int last;
    last = (last + 1) % 4;
    snprintf(paths[last], sizeof paths[last], "%s/%s", fixture->path, name);
    return paths[last];
}

void make(const struct fixture *fixture, const char *directory)
{
    CU_ASSERT_EQUAL(mkdir(in(fixture, directory), 0777), 0);
}

void put(const struct fixture *fixture, const char *name, size_t width, size_t height, uint8_t level)
{
    uint8_t pixels[64 * 64];
    memset(pixels, level, width * height);
    png_plain(in(fixture, name), width, height, 1, pixels);
}

void put_class(const struct fixture *fixture, const char *name, uint8_t first, int count)
{
    char file[PATH_MAX];
    make(fixture, name);
    for (int i = 0; i < count; i++) {
        snprintf(file, sizeof file, "%s/%03d.png", name, i);
        put(fixture, file, SIDE, SIDE, (uint8_t)(first + i));
    }
}

bool fixture_open(const struct fixture *fixture, struct dataset *dataset, struct error *error)
{
    struct folder_settings settings = fixture->settings;
    return dataset_open(dataset, &(struct dataset_spec){&dataset_folder, &settings}, fixture->train, error);
}

struct dataset open_good(const struct fixture *fixture)
{
    struct dataset dataset;
    struct error error;
    bool ok = fixture_open(fixture, &dataset, &error);
    check_opened(ok, &error);
    return dataset;
}

void expect(const struct fixture *fixture, enum error_kind kind, const char *words, const char *more)
{
    struct dataset dataset;
    struct error error = {0};
    bool opened = fixture_open(fixture, &dataset, &error);
    check_refused(opened, &error, kind, words, more);
    dataset_close(&dataset);
}

uint64_t digest_of(const struct fixture *fixture)
{
    struct dataset dataset = open_good(fixture);
    uint64_t digest = dataset.digest;
    dataset_close(&dataset);
    return digest;
}

int level_of(const struct dataset *dataset, uint64_t index, int32_t *label)
{
    float input[PIXELS];
    struct leaf leaf = {.inputs = input, .labels = label};
    dataset_read(dataset, &index, 1, &leaf);
    CU_ASSERT(!dataset_failed(dataset, &(struct error){0}));
    return (int)(input[0] * 255 + 0.5f);
}
