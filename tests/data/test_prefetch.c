#include "data/prefetch.h"

#include "base/rows.h"
#include "base/watchdog.h"
#include "data/formats.h"
#include "data/idx.h"
#include "support/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { COUNT = 60, ROWS = 4, NONE = -1 };

/* A format whose samples are their numbers, and take their time, as those that have to be unpacked; it tells who reads.
 */
struct numbers {
    double nap_s;      /* of each sample */
    atomic_int bad;    /* the sample that is not what it was */
    atomic_int reads;  /* of samples, */
    atomic_int others; /* by other threads than the one that has opened it; */
    atomic_int now;    /* of them that go on; */
    atomic_int most;   /* at a time */
    pthread_t opener;
    atomic_bool hangs; /* in the next sample, until it does not */
};

static const struct option_row numbers_rows[] = {{0}};

static bool numbers_open(struct dataset *dataset, const void *given, const struct description *train,
                         struct error *error)
{
    (void)train, (void)error;
    dataset->self = (void *)(uintptr_t)given;
    dataset->count = COUNT;
    dataset->about.form = (struct leaf_form){.input = {1, {2}}, .terms = 1, .most = COUNT};
    return true;
}

static void numbers_close(struct dataset *dataset)
{
    (void)dataset;
}

static bool numbers_read(const struct dataset *dataset, size_t index, struct leaf *leaf, size_t row,
                         struct error *error)
{
    struct numbers *numbers = dataset->self;
    int now = ++numbers->now;
    if (now > numbers->most)
        numbers->most = now;
    numbers->reads++;
    if (!pthread_equal(pthread_self(), numbers->opener))
        numbers->others++;
    while (numbers->hangs)
        test_nap(1e-3);
    if (numbers->nap_s > 0)
        test_nap(numbers->nap_s);
    leaf->inputs[2 * row] = leaf->inputs[2 * row + 1] = leaf->targets[row] = (float)index;
    numbers->now--;
    return (int)index != numbers->bad || error_set(error, ERROR_CORRUPT, "sample %zu is bad", index);
}

static const struct dataset_class numbers_class = {
    KIND_OF("numbers", "numbers", struct numbers, numbers_rows),
    .open = numbers_open,
    .close = numbers_close,
    .read = numbers_read,
};

struct fixture {
    struct numbers numbers;
    struct dataset dataset;
    struct sampler sampler;
    struct prefetch *prefetch;
    struct leaf leaf;
};

static void begin(struct fixture *f, double nap_s)
{
    struct error error;
    memset(f, 0, sizeof *f);
    f->numbers.nap_s = nap_s;
    f->numbers.bad = NONE;
    f->numbers.opener = pthread_self();
    f->sampler = (struct sampler){.seed = 7, .samples = COUNT, .batch = 3 * ROWS};
    CU_ASSERT_FATAL(dataset_open(&f->dataset, &(struct dataset_spec){&numbers_class, &f->numbers}, NULL, &error));
    CU_ASSERT_FATAL(leaf_init(&f->leaf, &f->dataset.about.form, ROWS, &error));
    CU_ASSERT_FATAL(prefetch_open(&f->prefetch, &f->dataset.about.form, ROWS, "the data", &error));
}

static void end(struct fixture *f)
{
    prefetch_close(f->prefetch);
    leaf_release(&f->leaf);
    dataset_close(&f->dataset);
}

/* Leaf number n of an endless row. */
static struct leaf_place place_of(const struct fixture *f, uint64_t n)
{
    return (struct leaf_place){
        .dataset = &f->dataset, .sampler = &f->sampler, .position = n * ROWS, .rows = ROWS, .first = n % 3 * ROWS};
}

static bool take(struct fixture *f, uint64_t n, uint64_t next)
{
    struct leaf_place place = place_of(f, n), then = place_of(f, next);
    return prefetch_take(f->prefetch, &place, next == UINT64_MAX ? NULL : &then, &f->leaf);
}

static bool has(const struct fixture *f, uint64_t n)
{
    uint64_t indices[ROWS];
    bool same = f->leaf.rows == ROWS && f->leaf.first == n % 3 * ROWS;
    sampler_row(&f->sampler, n * ROWS, ROWS, indices);
    for (size_t i = 0; i < ROWS; i++)
        same = same && f->leaf.inputs[2 * i] == (float)indices[i] && f->leaf.inputs[2 * i + 1] == (float)indices[i] &&
               f->leaf.targets[i] == (float)indices[i];
    return same;
}

#define SLOW 1e-3

static void leaves_are_those_of_the_order_however_long_they_take(void)
{
    for (int slow = 0; slow <= 1; slow++) {
        struct fixture f;
        begin(&f, slow ? SLOW : 0);
        for (uint64_t n = 0; n < 40; n++) {
            CU_ASSERT_TRUE(take(&f, n, n < 39 ? n + 1 : UINT64_MAX));
            CU_ASSERT_TRUE(has(&f, n));
        }
        prefetch_rest(f.prefetch);
        CU_ASSERT_EQUAL(f.numbers.reads, 40 * ROWS); /* none behind the last */
        CU_ASSERT_EQUAL(f.numbers.most, 1);
        if (slow)
            CU_ASSERT_EQUAL(f.numbers.others, 39 * ROWS);
        end(&f);
    }
}

static void without_a_next_leaf_nothing_is_read_ahead(void)
{
    struct fixture f;
    begin(&f, SLOW);
    for (uint64_t n = 0; n < 5; n++) {
        CU_ASSERT_TRUE(take(&f, n, UINT64_MAX));
        CU_ASSERT_TRUE(has(&f, n));
    }
    CU_ASSERT(f.numbers.others == 0 && f.numbers.reads == 5 * ROWS);
    end(&f);
}

static void a_leaf_that_was_not_wanted_is_read_when_it_is(void)
{
    struct fixture f;
    begin(&f, SLOW);
    static const uint64_t wanted[] = {0, 5, 1, 2, 9, 9, 3}, expected[] = {1, 1, 2, 4, 9, 3, 1};
    for (size_t i = 0; i < 7; i++) {
        CU_ASSERT_TRUE(take(&f, wanted[i], expected[i]));
        CU_ASSERT_TRUE(has(&f, wanted[i]));
    }
    end(&f);
}

static void another_dataset_is_told_apart(void)
{
    struct fixture f, other;
    begin(&f, SLOW);
    begin(&other, SLOW);
    CU_ASSERT_TRUE(take(&f, 0, 1));
    struct leaf_place place = place_of(&other, 1);
    CU_ASSERT_TRUE(prefetch_take(f.prefetch, &place, NULL, &f.leaf));
    CU_ASSERT(other.numbers.reads == ROWS && has(&f, 1));
    place = (struct leaf_place){.dataset = &f.dataset, .position = 1 * ROWS, .rows = 2, .first = 5};
    CU_ASSERT_TRUE(prefetch_take(f.prefetch, &place, NULL, &f.leaf));
    CU_ASSERT(f.leaf.rows == 2 && f.leaf.first == 5 && f.leaf.targets[0] == ROWS && f.leaf.targets[1] == ROWS + 1);
    end(&other);
    end(&f);
}

static void at_rest_nothing_is_read_and_what_was_stays(void)
{
    struct fixture f;
    begin(&f, SLOW);
    CU_ASSERT_TRUE(take(&f, 0, 1));
    prefetch_rest(f.prefetch);
    CU_ASSERT(f.numbers.now == 0 && f.numbers.reads == 2 * ROWS);
    prefetch_rest(f.prefetch);
    f.numbers.nap_s = 0;
    uint64_t index = 3; /* by the caller, in between */
    struct leaf between;
    struct error error;
    CU_ASSERT_FATAL(leaf_init(&between, &f.dataset.about.form, ROWS, &error));
    dataset_read(&f.dataset, &index, 1, &between);
    CU_ASSERT_EQUAL(between.targets[0], 3.0f);
    leaf_release(&between);
    CU_ASSERT_TRUE(take(&f, 1, UINT64_MAX));
    CU_ASSERT(has(&f, 1) && f.numbers.reads == 2 * ROWS + 1);
    end(&f);
}

/* The thread meets a bad sample while the leaf before it is still in use. */
static void a_failure_comes_with_its_leaf(void)
{
    struct fixture f;
    struct error error;
    uint64_t indices[ROWS];
    begin(&f, SLOW);
    sampler_row(&f.sampler, 2 * ROWS, ROWS, indices);
    f.numbers.bad = (int)indices[1];
    CU_ASSERT_TRUE(take(&f, 0, 1));
    CU_ASSERT_TRUE(take(&f, 1, 2));
    CU_ASSERT_TRUE(has(&f, 1));
    prefetch_rest(f.prefetch);
    CU_ASSERT_TRUE(has(&f, 1));
    CU_ASSERT_FALSE(take(&f, 2, 3));
    CU_ASSERT(f.leaf.rows == ROWS && f.leaf.targets[0] == 0 && f.leaf.inputs[2 * ROWS - 1] == 0);
    CU_ASSERT_FALSE(take(&f, 3, 4));
    prefetch_rest(f.prefetch);
    CU_ASSERT_TRUE(dataset_failed(&f.dataset, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "is bad"));
    end(&f);
}

static void what_is_being_read_is_waited_for_at_the_end(void)
{
    for (int i = 0; i < 3; i++) {
        struct fixture f;
        begin(&f, SLOW);
        CU_ASSERT_TRUE(take(&f, 0, 1));
        prefetch_close(f.prefetch);
        CU_ASSERT(f.numbers.now == 0 && f.numbers.reads == 2 * ROWS);
        f.prefetch = NULL;
        end(&f);
    }
    prefetch_rest(NULL);
}

/* ---- a read that does not end ---- */

static struct numbers *hung;
static char told[256];

static void let_go(const struct error *error)
{
    snprintf(told, sizeof told, "%.200s", error->text);
    hung->hangs = false;
}

/* While the caller does something else nobody is told. */
static void who_waits_for_a_read_that_hangs_says_so(void)
{
    struct fixture f;
    struct error error;
    begin(&f, SLOW);
    hung = &f.numbers;
    CU_ASSERT_TRUE_FATAL(watchdog_open(&(struct watchdog_limits){.call_s = 0.25}, let_go, &error));
    CU_ASSERT_TRUE(take(&f, 0, 1));
    prefetch_rest(f.prefetch);
    f.numbers.hangs = true;
    CU_ASSERT_TRUE(take(&f, 1, 2));
    test_nap(1);
    CU_ASSERT(f.numbers.hangs && *told == '\0');
    CU_ASSERT_TRUE(take(&f, 2, UINT64_MAX));
    CU_ASSERT_TRUE(has(&f, 2));
    CU_ASSERT_EQUAL(strncmp(told, "the data on ", 12), 0);
    watchdog_close();
    end(&f);
}

/* ---- a file that becomes shorter under the thread ---- */

enum { LARGE = 100000 }; /* rows of a leaf: more than a thread costs */

static void write_file(const char *path, const uint8_t *head, size_t head_bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(head, 1, head_bytes, file), head_bytes);
    for (size_t i = 0; i < count; i++)
        fputc((int)(i % 10), file);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void a_file_that_becomes_shorter_is_a_failure(void)
{
    struct error error = {0};
    struct dataset dataset;
    struct prefetch *prefetch;
    struct leaf leaf;
    struct idx_settings settings = {.samples = {.part = {0, 1}, .std = 1},
                                    .images = (char *)(uintptr_t)test_path("images"),
                                    .labels = (char *)(uintptr_t)test_path("labels")};
    struct sampler sampler = {.seed = 1, .samples = 20000, .batch = LARGE};
    write_file(settings.images, (const uint8_t[]){0, 0, 8, 2, 0, 0, 0x4E, 0x20, 0, 0, 0, 8}, 12, 8 * 20000);
    write_file(settings.labels, (const uint8_t[]){0, 0, 8, 1, 0, 0, 0x4E, 0x20}, 8, 20000);
    CU_ASSERT_FATAL(dataset_open(&dataset, &(struct dataset_spec){&dataset_idx, &settings}, NULL, &error));
    CU_ASSERT_FATAL(leaf_init(&leaf, &dataset.about.form, LARGE, &error) &&
                    prefetch_open(&prefetch, &dataset.about.form, LARGE, "the data", &error));
    struct leaf_place places[3];
    for (size_t i = 0; i < 3; i++)
        places[i] = (struct leaf_place){
            .dataset = &dataset, .sampler = &sampler, .position = i * LARGE, .rows = LARGE, .first = i};
    CU_ASSERT_TRUE(prefetch_take(prefetch, &places[0], &places[1], &leaf));
    prefetch_rest(prefetch);
    CU_ASSERT_EQUAL(truncate(settings.images, 100), 0);
    CU_ASSERT_TRUE(prefetch_take(prefetch, &places[1], &places[2], &leaf)); /* it was read before */
    CU_ASSERT_FALSE(prefetch_take(prefetch, &places[2], NULL, &leaf));
    CU_ASSERT_EQUAL(leaf.first, 2);
    CU_ASSERT_TRUE(dataset_failed(&dataset, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "has become shorter while it was in use: 100 bytes"));
    prefetch_close(prefetch);
    leaf_release(&leaf);
    dataset_close(&dataset);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"leaves are those of the order, however long they take", leaves_are_those_of_the_order_however_long_they_take},
        {"without a next leaf nothing is read ahead", without_a_next_leaf_nothing_is_read_ahead},
        {"a leaf that was not wanted is read when it is", a_leaf_that_was_not_wanted_is_read_when_it_is},
        {"another dataset is told apart", another_dataset_is_told_apart},
        {"at rest nothing is read, and what was stays", at_rest_nothing_is_read_and_what_was_stays},
        {"a failure comes with its leaf", a_failure_comes_with_its_leaf},
        {"what is being read is waited for at the end", what_is_being_read_is_waited_for_at_the_end},
        {"who waits for a read that hangs says so", who_waits_for_a_read_that_hangs_says_so},
        {"a file that becomes shorter is a failure", a_file_that_becomes_shorter_is_a_failure},
        {NULL, NULL},
    };
    return test_run("data/prefetch", cases);
}
