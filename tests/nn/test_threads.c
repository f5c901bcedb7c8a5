/* Passes by several threads: bit for bit those of one, whatever the number, also on fewer cores. */
#include "base/digest.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/team.h"
#include "nn/floats.h"
#include "nn/kernels/convolution.h"
#include "nn/kernels/numerics.h"
#include "nn/kernels/split.h"
#include "nn/kernels/threaded.h"
#include "nn/kernels/vector.h"
#include "nn/model.h"
#include "nn/trial.h"
#include "support/test.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static const size_t numbers[] = {2, 3, 4, 7};

static struct compute *open_threads(size_t threads)
{
    struct error error;
    struct compute *compute = threaded_open(&compute_lockstep, threads);
    CU_ASSERT_TRUE_FATAL(threaded_start(compute, &error));
    CU_ASSERT_EQUAL(compute_threads(compute), threads);
    CU_ASSERT_PTR_EQUAL(compute_alone(compute), &compute_lockstep);
    return compute;
}

/* ---- products ---- */

static const struct {
    size_t m, n, k;
} shapes[] = {{64, 512, 784}, {16, 512, 300}, {512, 784, 64}, {1, 5003, 96}, {5003, 1, 96},  {33, 17, 2000},
              {31, 257, 513}, {300, 10, 128}, {7, 9, 11},     {1, 1, 1},     {512, 512, 300}};

static size_t floats_of(size_t rows, size_t columns)
{
    return (rows + 1) * (columns + 3);
}

static struct matrix drawn(size_t rows, size_t columns, bool transposed, const float *values)
{
    return matrix_of(values, (transposed ? rows : columns) + 3, transposed);
}

/* Counts the bits of c that are others, and what is changed beside c. */
static size_t products_differ(const struct compute *compute, size_t shape, unsigned sides, bool adds)
{
    size_t m = shapes[shape].m, n = shapes[shape].n, k = shapes[shape].k, all = floats_of(m, n);
    float *a = memory_need(floats_of(m, k) + floats_of(k, m), sizeof *a);
    float *b = memory_need(floats_of(k, n) + floats_of(n, k), sizeof *b);
    float *c = memory_need(all, sizeof *c), *expected = memory_need(all, sizeof *c);
    floats_fill(floats_of(m, k) + floats_of(k, m), "a", 1, a);
    floats_fill(floats_of(k, n) + floats_of(n, k), "b", 1, b);
    floats_fill(all, "c", 1, c);
    memcpy(expected, c, all * sizeof *c);
    struct matrix left = drawn(m, k, sides & 1, a), right = drawn(k, n, sides & 2, b);
    compute_lockstep.product(&compute_lockstep, m, n, k, left, right, adds, expected, n + 3);
    compute->product(compute, m, n, k, left, right, adds, c, n + 3);
    size_t different = 0;
    for (size_t i = 0; i < all; i++)
        different += memcmp(&c[i], &expected[i], sizeof *c) != 0;
    memory_free(a);
    memory_free(b);
    memory_free(c);
    memory_free(expected);
    return different;
}

static void products_have_the_same_bits(void)
{
    for (size_t t = 0; t < COUNT(numbers); t++) {
        struct compute *compute = open_threads(numbers[t]);
        for (size_t shape = 0; shape < COUNT(shapes); shape++)
            for (unsigned sides = 0; sides < 4; sides++)
                CU_ASSERT_EQUAL(products_differ(compute, shape, sides, sides % 3 == 0), 0);
        threaded_close(compute);
    }
}

/* ---- loops ---- */

struct cover {
    atomic_uint *times;
    size_t least;
    atomic_size_t calls, wrong;
    size_t threads;
};

static void take(void *context, size_t first, size_t end, size_t thread)
{
    struct cover *cover = context;
    atomic_fetch_add(&cover->calls, 1);
    if (thread >= cover->threads || first >= end || (end - first < cover->least && first > 0))
        atomic_fetch_add(&cover->wrong, 1);
    for (size_t i = first; i < end; i++)
        atomic_fetch_add(&cover->times[i], 1);
}

static void ranges_cover_a_loop_once(void)
{
    static const size_t counts[] = {0, 1, 5, 40, 41, 1000};
    struct compute *compute = open_threads(3);
    for (size_t c = 0; c < COUNT(counts); c++) {
        atomic_uint times[1000] = {0};
        struct cover cover = {.times = times, .least = 20, .threads = 3};
        size_t wrong = 0, most = counts[c] / 20 < 3 ? counts[c] / 20 : 3;
        split_run(compute, counts[c], 20, take, &cover);
        for (size_t i = 0; i < 1000; i++)
            wrong += times[i] != (i < counts[c]);
        CU_ASSERT_EQUAL(wrong + cover.wrong, 0);
        CU_ASSERT_EQUAL(cover.calls, counts[c] == 0 ? 0 : most > 1 ? most : 1);
    }
    threaded_close(compute);
}

static void maps_have_the_same_bits(void)
{
    enum { MOST = 5 * SPLIT_FLOATS + 7 };
    float *x = memory_need(4 * (size_t)MOST, sizeof *x), *dy = x + MOST, *y = dy + MOST, *expected = y + MOST;
    struct compute *compute = open_threads(3);
    floats_fill(2 * MOST, "x", 4, x);
    for (size_t n = 1; n <= MOST; n = n * 3 + 4 < MOST || n == MOST ? n * 3 + 4 : MOST) {
        vector_gelu(n, x, expected);
        split_map(compute, vector_gelu, n, x, y);
        CU_ASSERT_TRUE(floats_same(n, y, expected));
        vector_silu_back(n, x, dy, expected);
        split_map_two(compute, vector_silu_back, n, x, dy, y);
        CU_ASSERT_TRUE(floats_same(n, y, expected));
    }
    threaded_close(compute);
    memory_free(x);
}

/* ---- models ---- */

#define CROSS_ENTROPY                                                                                                  \
    {                                                                                                                  \
        .class = &loss_softmax_cross_entropy                                                                           \
    }

/* Large enough that what can be split is split, and with every kind of layer that splits itself. */
static const struct trial passes[] = {
    {.spec = MODEL(DENSE(300), PLAIN(relu), NORM(layer_norm), DENSE(200), GELU(GELU_TANH), DROPOUT(0.3), DENSE(10)),
     .form = FEATURES(700, 10),
     .rows = 97},
    {.spec = MODEL(CONV2D(20, 3, 1, PADDING_SAME), BATCH_NORM, PLAIN(relu), POOL(max_pool, 2, 2),
                   RESIDUAL(CONV2D(20, 3, 1, PADDING_SAME), PLAIN(silu)), POOL(avg_pool, 2, 2), GROUP_NORM(4),
                   CONV2D(33, 1, 1, 0), DENSE(10)),
     .form = IMAGE(3, 28, 27, 10),
     .rows = 23,
     .room = 30},
    {.spec = MODEL(EMBEDDING(96), POSITION_EMBEDDING, TRANSFORMER(2, 3, true, 0.1), NORM(layer_norm), LM_HEAD(true)),
     .form = TEXT(70, 1013),
     .loss = CROSS_ENTROPY,
     .rows = 11,
     .room = 12},
    {.spec = MODEL(EMBEDDING(64), TRANSFORMER(1, 2, false, 0), NORM(rms_norm), LM_HEAD(false)),
     .form = TEXT(50, 67),
     .loss = CROSS_ENTROPY,
     .rows = 20},
    {.spec = MODEL(CONV1D(40, 3, 1, PADDING_SAME), PLAIN(tanh), PLAIN(flatten), DENSE(7)),
     .form = SEQUENCE(64, 12, 7),
     .rows = 30},
    {.spec = MODEL(CONV3D(12, 3, 1, PADDING_SAME), PLAIN(sigmoid), PLAIN(global_avg_pool), DENSE(5)),
     .form = VOLUME(2, 8, 9, 10, 5),
     .rows = 7},
};

/* What a leaf gives, by so many threads. */
struct outcome {
    uint64_t gradient, again; /* digests; without the gaps, which are the same */
    struct loss_sums trained, evaluated;
};

static struct outcome outcome_of(const struct trial *trial, uint64_t threads)
{
    struct trial asked = *trial;
    struct outcome outcome;
    struct bench b;
    asked.spec.threads = threads;
    CU_ASSERT_TRUE_FATAL(bench_init(&b, &asked));
    CU_ASSERT_EQUAL(compute_threads(b.model.compute), threads);
    size_t bytes = b.model.table.count * sizeof(float);
    model_train_leaf(&b.model, b.params, 5, b.gradient, &outcome.trained, NULL);
    outcome.gradient = digest_bytes(b.gradient, bytes);
    model_evaluate_leaf(&b.model, b.params, &outcome.evaluated, NULL);
    model_train_leaf(&b.model, b.params, 5, b.gradient, &outcome.trained, NULL);
    outcome.again = digest_bytes(b.gradient, bytes);
    bench_release(&b);
    return outcome;
}

static void models_have_the_same_bits(void)
{
    for (size_t i = 0; i < COUNT(passes); i++) {
        struct outcome one = outcome_of(&passes[i], 1);
        CU_ASSERT_EQUAL(one.gradient, one.again);
        for (size_t t = 0; t < COUNT(numbers); t++) {
            struct outcome several = outcome_of(&passes[i], numbers[t]);
            bool same = memcmp(&one, &several, sizeof one) == 0;
            CU_ASSERT_TRUE(same);
            if (!same)
                printf("\n    pass %zu by %zu threads: gradient %016" PRIx64 " and not %016" PRIx64 "\n", i, numbers[t],
                       several.gradient, one.gradient);
        }
    }
}

static void a_word_means_the_cores_there_are(void)
{
    CU_ASSERT_EQUAL(threads_of(0), 1);
    CU_ASSERT_EQUAL(threads_of(5), 5);
    CU_ASSERT_EQUAL(threads_of(THREADS_BY_AFFINITY), team_cores());
}

int main(void)
{
    static const struct test_case cases[] = {
        {"products have the same bits", products_have_the_same_bits},
        {"ranges cover a loop once", ranges_cover_a_loop_once},
        {"maps have the same bits", maps_have_the_same_bits},
        {"models have the same bits", models_have_the_same_bits},
        {"a word means the cores that there are", a_word_means_the_cores_there_are},
        {NULL, NULL},
    };
    numerics_enter();
    return test_run("nn/threads", cases);
}
