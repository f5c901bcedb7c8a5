/* What an image of a record can claim: whatever is cut off, flipped or forged, nothing of it is believed. */
#include "checkpoint/record_image.h"

#include "base/memory.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define FLOATS     5000
#define FILE_BYTES 60000

static struct error error;
static struct segment segments[] = {{.first_step = 1, .last_step = 7, .ranks = 2, .end = "running", .hosts = "a,b"}};
static struct history_step window[] = {{2.5, 1.25}, {2.25, 7}};
static const struct state_tensor tensors[] = {
    {.name = "0.conv3d.weight", .dims = 5, .shape = {7, 10, 5, 4, 3}, .offset = 0},
    {.name = "0.dense.bias", .dims = 1, .shape = {792}, .offset = 4208}};

static char *make(size_t *bytes)
{
    const struct record record = {.version = RECORD_VERSION,
                                  .step = 7,
                                  .epoch = 0.5,
                                  .fingerprint = 0xabcdef,
                                  .saved_unix = -5,
                                  .why = "every",
                                  .job = (char *)"run: a\n",
                                  .passport = (char *)"x: y\n",
                                  .history = {.updates = 6,
                                              .sampler_step = 3,
                                              .validated_step = 5,
                                              .best = {{0.5, 5}, {0.75, 3}},
                                              .best_count = 2,
                                              .best_most = 1,
                                              .window = window,
                                              .window_count = 2},
                                  .segments = segments,
                                  .segment_count = 1};
    const struct record_layout layout = {.count = FLOATS,
                                         .array_count = 2,
                                         .arrays = {{"params", 2000, 1000}, {"sgd.m", 30000, 1100}},
                                         .tensors = tensors,
                                         .tensor_count = 2};
    char *image;
    record_image_make(&record, true, &layout, &image, bytes);
    return image;
}

/* Whether it is taken for one; if so, everything in it can be used. */
static bool passes(char *image, size_t bytes)
{
    struct record record;
    struct record_layout layout;
    bool finished;
    error_clear(&error);
    if (!record_image_parse(image, bytes, false, FILE_BYTES, &record, &layout, &finished, &error))
        return false;
    bool sound = record_check(&record, &error) && strlen(record.job) < bytes && record.segment_count < bytes &&
                 layout.array_count <= STATE_ARRAYS && layout.count <= FILE_BYTES;
    for (size_t t = 0; t < layout.tensor_count; t++)
        sound = sound && strlen(layout.tensors[t].name) > 0 && layout.tensors[t].offset < layout.count;
    CU_ASSERT_TRUE(sound);
    record_release(&record);
    record_layout_release(&layout);
    return true;
}

static void what_is_put_in_comes_out(void)
{
    size_t bytes;
    char *image = make(&bytes);
    struct record record;
    struct record_layout layout;
    bool finished = false;
    CU_ASSERT_EQUAL(bytes % 8, 0);
    CU_ASSERT_TRUE_FATAL(record_image_parse(image, bytes, false, FILE_BYTES, &record, &layout, &finished, &error));
    CU_ASSERT_TRUE(finished);
    CU_ASSERT(record.step == 7 && record.fingerprint == 0xabcdef && record.saved_unix == -5);
    CU_ASSERT_STRING_EQUAL(record.why, "every");
    CU_ASSERT_STRING_EQUAL(record.job, "run: a\n");
    CU_ASSERT_STRING_EQUAL(record.origin, "");
    CU_ASSERT(record.history.best_count == 1 && record.history.best[0].step == 5); /* the other does not count */
    CU_ASSERT_EQUAL(memcmp(record.history.window, window, sizeof window), 0);
    CU_ASSERT_EQUAL(memcmp(record.segments, segments, sizeof segments), 0);
    CU_ASSERT(layout.count == FLOATS && layout.array_count == 2 && layout.tensor_count == 2);
    CU_ASSERT_STRING_EQUAL(layout.arrays[1].name, "sgd.m");
    CU_ASSERT(layout.arrays[1].offset == 30000 && layout.arrays[0].digests == 1000);
    CU_ASSERT_STRING_EQUAL(layout.tensors[1].name, "0.dense.bias");
    CU_ASSERT(layout.tensors[0].dims == 5 && layout.tensors[0].shape[4] == 3 && layout.tensors[1].offset == 4208);
    record_release(&record);
    record_layout_release(&layout);
}

static char *copy_of(const char *image, size_t bytes)
{
    char *copy = memory_need(bytes, 1);
    memcpy(copy, image, bytes);
    return copy;
}

static void no_shorter_and_no_longer_one_passes(void)
{
    size_t bytes;
    char *image = make(&bytes);
    for (size_t length = 0; length < bytes; length++) {
        char *cut = copy_of(image, length);
        if (length >= RECORD_IMAGE_HEAD)
            memcpy(cut + 16, &(uint64_t){length}, 8); /* even if it says so itself */
        CU_ASSERT_FALSE(passes(cut, length));
        CU_ASSERT_EQUAL(error.kind, ERROR_CORRUPT);
    }
    char *longer = memory_need(bytes + 8, 1);
    memcpy(longer, image, bytes);
    memcpy(longer + 16, &(uint64_t){bytes + 8}, 8);
    CU_ASSERT_FALSE(passes(longer, bytes + 8));
    memory_free(image);
}

static long peak_kb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Every number in it, each with what an attacker would try. */
static void no_forged_number_is_believed(void)
{
    static const uint64_t values[] = {0,          1,          2,          4,          5,
                                      8,          17,         255,        FLOATS,     FILE_BYTES,
                                      1u << 24,   UINT32_MAX, 1ull << 32, 1ull << 53, 1ull << 61,
                                      1ull << 62, 1ull << 63, INT64_MAX,  UINT64_MAX, UINT64_MAX - 7};
    size_t bytes, passed = 0, refused = 0;
    char *image = make(&bytes);
    long before = peak_kb();
    for (size_t place = 0; place < bytes; place += 8)
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            char *forged = copy_of(image, bytes);
            memcpy(forged + place, &values[v], 8);
            bool ok = passes(forged, bytes);
            passed += ok;
            refused += !ok;
            if (!ok && error.kind != ERROR_CORRUPT && error.kind != ERROR_VERSION)
                CU_FAIL("it is refused for what it is");
        }
    CU_ASSERT(passed > 0 && refused > passed / 2);
    CU_ASSERT(peak_kb() - before < 32 * 1024);
    memory_free(image);
}

static void no_flipped_bit_does_harm(void)
{
    size_t bytes;
    char *image = make(&bytes);
    for (size_t place = 0; place < bytes; place++)
        for (int bit = 0; bit < 8; bit++) {
            char *flipped = copy_of(image, bytes);
            flipped[place] = (char)(flipped[place] ^ 1 << bit);
            (void)passes(flipped, bytes);
        }
    memory_free(image);
}

/* Replaces a text by another of the same length, wherever it stands. */
static bool passes_with(const char *text, const char *other)
{
    size_t bytes, length = strlen(text);
    char *image = make(&bytes), *at = memmem(image, bytes, text, length);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    memcpy(at, other, length);
    return passes(image, bytes);
}

static void names_lead_nowhere_else(void)
{
    CU_ASSERT_TRUE(passes_with("0.dense.bias", "0.dense.bics"));
    CU_ASSERT_FALSE(passes_with("0.dense.bias", "../dense.bia"));
    CU_ASSERT_FALSE(passes_with("0.dense.bias", "0.dense\033[2J"));
    CU_ASSERT_FALSE(passes_with("0.dense.bias", "0.dense\nbias"));
    CU_ASSERT_FALSE(passes_with("sgd.m", "a/b.c"));
    CU_ASSERT_FALSE(passes_with("0.dense.bias", "0.dense\0bias")); /* not as long as it says */
}

int main(void)
{
    static const struct test_case cases[] = {
        {"what is put in comes out", what_is_put_in_comes_out},
        {"no shorter and no longer one passes", no_shorter_and_no_longer_one_passes},
        {"no forged number is believed", no_forged_number_is_believed},
        {"no flipped bit does harm", no_flipped_bit_does_harm},
        {"names lead nowhere else", names_lead_nowhere_else},
        {NULL, NULL},
    };
    return test_run("checkpoint/record_image", cases);
}
