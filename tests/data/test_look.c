/* A later start does not read what an earlier one has looked at; and it notices what has changed since. */
#include "base/digest.h"
#include "data/formats.h"
#include "data/npy.h"
#include "data/npy_file.h"
#include "data/tokens.h"
#include "support/test.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 65536, WIDTH = 128, X_BYTES = ROWS * WIDTH * 4 };

static const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000, .tv_nsec = 7}};

/* A file in a new place, and of an old time: `count` bytes, then zeros up to `bytes`, but for one number. */
static void write_sparse(const char *path, const void *begin, size_t count, size_t bytes, size_t place, uint32_t number)
{
    char beside[PATH_MAX];
    snprintf(beside, sizeof beside, "%s.new", path);
    npy_file_write(beside, begin, count);
    int fd = open(beside, O_RDWR);
    bool ok = fd >= 0 && ftruncate(fd, (off_t)bytes) == 0 &&
              (place == 0 || pwrite(fd, &number, sizeof number, (off_t)place) == sizeof number) &&
              futimens(fd, old) == 0;
    close(fd);
    CU_ASSERT_FATAL(ok && rename(beside, path) == 0);
}

struct fixture {
    char x_path[PATH_MAX], y_path[PATH_MAX];
    struct npy_settings settings;
    size_t header; /* bytes of x before its numbers */
};

static void write_x(struct fixture *fixture, size_t place, uint32_t number)
{
    struct npy_file x;
    npy_file_array(&x, "<f4", "(65536, 128)", "", 0);
    fixture->header = x.count;
    write_sparse(fixture->x_path, x.bytes, x.count, x.count + X_BYTES, place, number);
}

static void write_y(struct fixture *fixture, const char *type, size_t width, size_t place, uint32_t number)
{
    struct npy_file y;
    npy_file_array(&y, type, "(65536,)", "", 0);
    write_sparse(fixture->y_path, y.bytes, y.count, y.count + ROWS * width, y.count + place * width, number);
}

static void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){.settings = {.samples = {.part = {0, 1}, .std = 1}}};
    snprintf(fixture->x_path, PATH_MAX, "%s", test_path("x.npy"));
    snprintf(fixture->y_path, PATH_MAX, "%s", test_path("y.npy"));
    fixture->settings.x = fixture->x_path;
    fixture->settings.y = fixture->y_path;
    write_x(fixture, 0, 0);
    write_y(fixture, "|u1", 1, 5, 7);
}

/* What a start finds, and what it does for that. */
struct start {
    bool opened, is_known, is_stale, has_look;
    uint64_t digest;
    struct leaf_form form;
    struct error error;
};

/* looks: of the earlier start; then of this one. */
static struct start begin(const struct dataset_spec *spec, struct look *look)
{
    struct start start = {0};
    struct dataset dataset;
    struct dataset_aid aid = {.known = look};
    start.opened = dataset_open_with(&dataset, spec, NULL, &aid, &start.error);
    start.digest = dataset.digest;
    start.form = dataset.about.form;
    start.is_known = aid.is_known;
    start.is_stale = aid.is_stale;
    start.has_look = aid.look.count > 0;
    dataset_close(&dataset);
    look_release(look);
    if (start.opened)
        *look = aid.look;
    else
        look_release(&aid.look);
    return start;
}

static struct start begin_npy(const struct fixture *fixture, struct look *look)
{
    return begin(&(struct dataset_spec){&dataset_npy, (void *)(uintptr_t)&fixture->settings}, look);
}

/* But for the hint, which nobody keeps. */
static bool is_same(const struct start *a, const struct start *b)
{
    return a->digest == b->digest && memcmp(&a->form, &b->form, offsetof(struct leaf_form, hint)) == 0;
}

/* Opens with what the first start has found; whether that was taken. */
static bool is_taken(const struct fixture *fixture, const struct look *first, struct start *start)
{
    struct look look;
    look_copy(&look, first);
    *start = begin_npy(fixture, &look);
    look_release(&look);
    return start->opened && start->is_known;
}

/* The first number of x in a block that no sample has. */
static size_t outside(const struct fixture *fixture)
{
    uint64_t bytes = fixture->header + X_BYTES;
    size_t count = look_blocks(bytes, 2), length;
    uint64_t behind = look_place(bytes, 0, count, &length) + length;
    for (size_t i = 1; i < count; i++) {
        uint64_t place = look_place(bytes, i, count, &length);
        if (place > behind)
            return (size_t)(behind - behind % 65536 + 65536 - (65536 - fixture->header % 4));
        behind = place + length;
    }
    return 0;
}

static void a_second_start_takes_what_the_first_has_found(void)
{
    struct fixture fixture;
    struct look look = {0};
    fixture_init(&fixture);
    struct start first = begin_npy(&fixture, &look);
    CU_ASSERT(first.opened && !first.is_known && !first.is_stale && first.has_look && first.form.classes == 8);
    struct start second = begin_npy(&fixture, &look);
    CU_ASSERT(second.opened && second.is_known && second.has_look && is_same(&first, &second));
    struct start third = begin_npy(&fixture, &look);
    CU_ASSERT(third.is_known && is_same(&first, &third));

    snprintf(fixture.x_path, PATH_MAX, "%s", test_path("copy.npy")); /* as cp -p makes one */
    write_x(&fixture, 0, 0);
    CU_ASSERT(is_taken(&fixture, &look, &third) && is_same(&first, &third));
    look_release(&look);
}

static void the_range_of_targets_is_kept(void)
{
    struct fixture fixture;
    struct look look = {0};
    fixture_init(&fixture);
    write_y(&fixture, "<f4", 4, 5, 0x3dcccccd); /* 0.1 */
    struct start first = begin_npy(&fixture, &look);
    struct start second = begin_npy(&fixture, &look);
    CU_ASSERT(first.opened && second.is_known && is_same(&first, &second));
    CU_ASSERT(second.form.least == 0 && second.form.most == 0.1f && second.form.classes == 0);
    look_release(&look);
}

static void it_does_not_read_what_no_sample_has(void)
{
    struct fixture fixture;
    struct look look = {0};
    struct start start;
    fixture_init(&fixture);
    struct start first = begin_npy(&fixture, &look);
    size_t place = outside(&fixture);
    CU_ASSERT_FATAL(place > 0);
    write_x(&fixture, place, 0x7fc00000); /* NaN, which no look at all would let pass; size and time are the old ones */
    CU_ASSERT(is_taken(&fixture, &look, &start) && is_same(&first, &start));
    struct look none = {0};
    start = begin_npy(&fixture, &none);
    CU_ASSERT(!start.opened && start.error.kind == ERROR_CORRUPT && strstr(start.error.text, "is nan"));
    look_release(&look);
}

static void what_has_changed_is_looked_at(void)
{
    struct fixture fixture;
    struct look look = {0};
    struct start start;
    fixture_init(&fixture);
    struct start first = begin_npy(&fixture, &look);
    size_t place = outside(&fixture);
    CU_ASSERT_FATAL(first.opened && place > 0);

    write_x(&fixture, place, 0x3f800000);
    CU_ASSERT(utimensat(AT_FDCWD, fixture.x_path, NULL, 0) == 0); /* now */
    CU_ASSERT_FALSE(is_taken(&fixture, &look, &start));
    CU_ASSERT(start.opened && start.is_stale && start.digest != first.digest);
    CU_ASSERT_FALSE(start.has_look); /* a write that follows at once could have the same time */

    write_x(&fixture, fixture.header, 0x3f800000); /* in a block of the sample */
    CU_ASSERT_FALSE(is_taken(&fixture, &look, &start));
    CU_ASSERT(start.is_stale && start.has_look && start.digest != first.digest);

    write_x(&fixture, 0, 0);
    CU_ASSERT(is_taken(&fixture, &look, &start));
    look_release(&look);
    look = (struct look){0};
    first = begin_npy(&fixture, &look);
    int fd = open(fixture.x_path, O_RDWR); /* in place, and the old time put back */
    CU_ASSERT(pwrite(fd, "\0\0\200\77", 4, (off_t)place) == 4 && futimens(fd, old) == 0);
    close(fd);
    CU_ASSERT_FALSE(is_taken(&fixture, &look, &start));
    CU_ASSERT(start.opened && start.is_stale && start.digest != first.digest);

    write_y(&fixture, "<u2", 2, 5, 7); /* another size */
    CU_ASSERT_FALSE(is_taken(&fixture, &look, &start));
    CU_ASSERT(start.opened && start.form.classes == 8);
    look_release(&look);
}

static void other_settings_are_another_question(void)
{
    struct fixture fixture;
    struct look look = {0};
    struct start start;
    fixture_init(&fixture);
    struct start first = begin_npy(&fixture, &look);
    static const struct array_settings others[] = {
        {.part = {0, 1}, .std = 1, .first = 1}, {.part = {0, 1}, .std = 1, .count = 100},
        {.part = {0, 0.5}, .std = 1},           {.part = {0, 1}, .std = 2},
        {.part = {0, 1}, .std = 1, .mean = 1},  {.part = {0, 1}, .std = 1, .classes = 9},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        fixture.settings.samples = others[i];
        CU_ASSERT_FALSE(is_taken(&fixture, &look, &start));
        CU_ASSERT(start.opened && !start.is_stale);
    }
    fixture.settings.samples = (struct array_settings){.part = {0, 1}, .std = 1, .label_offset = 1};
    CU_ASSERT_FALSE(is_taken(&fixture, &look, &start));
    CU_ASSERT(!start.opened && strstr(start.error.text, "has label 0"));

    /* What no look can have found. */
    fixture.settings.samples = others[5];
    look_release(&look);
    first = begin_npy(&fixture, &look);
    look.found.kinds = 3;
    CU_ASSERT_FALSE(is_taken(&fixture, &look, &start));
    CU_ASSERT(start.opened && is_same(&first, &start));
    look_release(&look);
}

static void small_files_are_read_again(void)
{
    struct npy_file x, y;
    char x_path[PATH_MAX], y_path[PATH_MAX];
    struct look look = {0};
    struct npy_settings settings = {.samples = {.part = {0, 1}, .std = 1}, .x = x_path, .y = y_path};
    snprintf(x_path, PATH_MAX, "%s", test_path("small_x.npy"));
    snprintf(y_path, PATH_MAX, "%s", test_path("small_y.npy"));
    npy_file_array(&x, "<f4", "(2, 1)", (const float[]){1, 2}, 8);
    npy_file_array(&y, "|u1", "(2,)", "\0\1", 2);
    write_sparse(x_path, x.bytes, x.count, x.count, 0, 0);
    write_sparse(y_path, y.bytes, y.count, y.count, 0, 0);
    for (int i = 0; i < 2; i++) {
        struct start start = begin(&(struct dataset_spec){&dataset_npy, &settings}, &look);
        CU_ASSERT(start.opened && !start.is_known && !start.has_look);
    }
}

static void tokens_and_their_vocabulary(void)
{
    char path[PATH_MAX];
    struct look look = {0};
    struct tokens_settings settings = {.path = path, .context = 8, .part = {0, 0.5}, .type = TOKEN_AUTO};
    const struct dataset_spec spec = {&dataset_tokens, &settings};
    snprintf(path, PATH_MAX, "%s", test_path("tokens.bin"));
    write_sparse(path, "\1\0\2\0", 4, LOOK_LEAST, LOOK_LEAST / 3 * 2, 99 << 16 | 98);
    struct start first = begin(&spec, &look), second = begin(&spec, &look);
    CU_ASSERT(first.opened && first.form.vocabulary == 100 && first.has_look);
    CU_ASSERT(second.is_known && is_same(&first, &second));
    settings.context = 16;
    second = begin(&spec, &look);
    CU_ASSERT(second.opened && !second.is_known && !second.is_stale && second.form.input.size[0] == 16);
    look_release(&look);
}

/* ---- as a text ---- */

static bool is_equal(const struct look *a, const struct look *b)
{
    return a->question == b->question && a->count == b->count && a->found.digest == b->found.digest &&
           a->found.kinds == b->found.kinds && a->found.lacks_first == b->found.lacks_first &&
           a->found.least == b->found.least && a->found.most == b->found.most &&
           (a->count == 0 || memcmp(a->files, b->files, a->count * sizeof *a->files) == 0);
}

static struct look_file files[] = {{1, 2, 3, 4, 5}, {UINT64_MAX, 0, UINT64_MAX - 1, 6, 7}};
static const struct look three[3] = {
    {UINT64_MAX, files, 2, {1, 10, true, 0, 0}}, {0}, {5, files + 1, 1, {~7ull, 0, false, -0.1f, 3e38f}}};

static void looks_go_through_a_text(void)
{
    struct text json;
    struct look back[3];
    text_init(&json);
    look_write(three, 3, &json);
    CU_ASSERT(look_read(back, 3, json.bytes, json.length));
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT(is_equal(&back[i], &three[i]));
        look_release(&back[i]);
    }
    CU_ASSERT(!look_read(back, 2, json.bytes, json.length) && back[0].count == 0 && back[1].count == 0);
    text_release(&json);
    text_init(&json);
    look_write(three, 1, &json);
    CU_ASSERT(look_read(back, 3, json.bytes, json.length) && back[0].count == 2 && back[2].count == 0);
    look_release(&back[0]);
    text_release(&json);
}

static void a_damaged_text_tells_nothing(void)
{
    struct text json;
    struct look back[3];
    text_init(&json);
    look_write(three, 3, &json);
    for (size_t at = 0; at < json.length; at++) {
        json.bytes[at] ^= 1;
        CU_ASSERT(!look_read(back, 3, json.bytes, json.length) && back[0].count == 0 && back[2].count == 0);
        json.bytes[at] ^= 1;
        CU_ASSERT(!look_read(back, 3, json.bytes, at) && back[0].count == 0);
    }
    CU_ASSERT_FALSE(look_read(back, 3, NULL, 0));
    text_release(&json);
}

/* With a digest that is right. */
static void a_forged_text_tells_nothing(void)
{
    static const char *const forged[] = {
        "{\"version\":2,\"looks\":[]",
        "{\"version\":1,\"looks\":[{}]",
        "{\"version\":1,\"looks\":[[]]",
        "{\"version\":1,\"looks\":[{\"question\":\"0000000000000000\",\"content\":\"0000000000000000\",\"kinds\":"
        "\"0000000000000000\",\"lacks_first\":false,\"least\":0,\"most\":0,\"files\":[]}]",
        "{\"version\":1,\"looks\":[{\"question\":\"0000000000000000\",\"content\":\"0000000000000000\",\"kinds\":"
        "\"0000000000000000\",\"lacks_first\":false,\"least\":0,\"most\":0,\"files\":[{}]}]",
        "{\"version\":1,\"looks\":[null,null,null,null]",
        "nothing",
        "",
    };
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        struct text json;
        struct look back[3];
        text_init(&json);
        text_append(&json, "%s", forged[i]);
        uint64_t digest = digest_bytes(text_bytes(&json), json.length);
        text_append(&json, ",\"digest\":\"%016llx\"}\n", (unsigned long long)digest);
        CU_ASSERT_FALSE(look_read(back, 3, json.bytes, json.length));
        text_release(&json);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a second start takes what the first has found", a_second_start_takes_what_the_first_has_found},
        {"the range of targets is kept", the_range_of_targets_is_kept},
        {"it does not read what no sample has", it_does_not_read_what_no_sample_has},
        {"what has changed is looked at", what_has_changed_is_looked_at},
        {"other settings are another question", other_settings_are_another_question},
        {"small files are read again", small_files_are_read_again},
        {"tokens and their vocabulary", tokens_and_their_vocabulary},
        {"looks go through a text", looks_go_through_a_text},
        {"a damaged text tells nothing", a_damaged_text_tells_nothing},
        {"a forged text tells nothing", a_forged_text_tells_nothing},
        {0},
    };
    return test_run("data/look", cases);
}
