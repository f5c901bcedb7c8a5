/* What layers have to do, beside the products that a leaf's pass really makes: as recorder.h notes them. */
#include "nn/kernels/recorder.h"
#include "nn/model_work.h"
#include "nn/trial.h"
#include "support/test.h"

#include <string.h>

static const struct trial dense = {
    .spec = MODEL(DENSE(17), PLAIN(relu), DENSE(3)), .form = FEATURES(11, 3), .rows = 5, .room = 8};
static const struct trial images = {
    .spec = MODEL(CONV2D(3, 3, 1, PADDING_SAME), PLAIN(relu), CONV2D(4, 3, 2, 1), DENSE(3)),
    .form = IMAGE(2, 6, 6, 3),
    .rows = 3,
    .room = 5};
static const struct trial text = {
    .spec = MODEL(EMBEDDING(24), POSITION_EMBEDDING, TRANSFORMER(2, 2, true, 0), NORM(layer_norm), LM_HEAD(true)),
    .form = TEXT(32, 11),
    .loss = {.class = &loss_softmax_cross_entropy},
    .rows = 3,
    .room = 4};

static double flops_of(const struct recorder *recorder)
{
    double flops = 0;
    for (size_t i = 0; i < recorder->count; i++) {
        const struct recorded *item = &recorder->items[i];
        const struct convolution *v = &item->convolution;
        double once = item->kind == RECORDED_PRODUCT ? 2.0 * (double)(item->m * item->n * item->k)
                                                     : 2.0 * (double)(v->M * convolution_outputs(v) * v->K);
        flops += once * (double)item->count;
    }
    return flops;
}

/* One leaf trained as it is, and with the recorder: its bits; and what was recorded. */
static void record(const struct trial *trial, struct bench *b, struct recorder *recorder)
{
    struct bench plain;
    struct loss_sums sums, same;
    CU_ASSERT_TRUE_FATAL(bench_init(b, trial) && bench_init(&plain, trial));
    recorder_init(recorder, b->model.compute);
    b->model.compute = &recorder->compute;
    model_train_leaf(&b->model, b->params, 0, b->gradient, &sums, NULL);
    model_train_leaf(&plain.model, plain.params, 0, plain.gradient, &same, NULL);
    CU_ASSERT_EQUAL(memcmp(&sums, &same, sizeof sums), 0);
    CU_ASSERT_EQUAL(memcmp(b->gradient, plain.gradient, b->model.table.count * sizeof *b->gradient), 0);
    bench_release(&plain);
}

static void dense_layers_and_convolutions_do_what_is_said(void)
{
    const struct trial *const trials[] = {&dense, &images};
    for (size_t i = 0; i < COUNT(trials); i++) {
        struct bench b;
        struct recorder recorder;
        record(trials[i], &b, &recorder);
        CU_ASSERT_DOUBLE_EQUAL(flops_of(&recorder), (double)trials[i]->rows * model_flops(&b.model), 0.5);
        CU_ASSERT_TRUE(model_flops(&b.model) > 0);
        recorder_release(&recorder);
        bench_release(&b);
    }
}

/* What the mask hides in a tile, and the probabilities that backward makes once more, do not count. */
static void attention_counts_what_is_seen_once(void)
{
    struct bench b;
    struct recorder recorder;
    double others = 0, attend = 0, rows = (double)text.rows;
    record(&text, &b, &recorder);
    for (size_t l = 0; l < b.model.count; l++) {
        struct layer_work work = model_layer_work(&b.model, l);
        bool attends = strcmp(b.model.layers[l].class->kind.name, "attend") == 0;
        *(attends ? &attend : &others) += rows * (work.forward.flops + work.backward.flops);
        if (!attends)
            continue;
        CU_ASSERT_EQUAL(work.backward.flops, 2 * work.forward.flops);
        CU_ASSERT_EQUAL(work.forward.flops, 2 * 32 * 24 * (32 + 1));
    }
    CU_ASSERT_TRUE(attend > 0 && others > 0);
    double made = flops_of(&recorder);
    CU_ASSERT_TRUE(made > others + attend && made < others + 3 * attend);
    recorder_release(&recorder);
    bench_release(&b);
}

/* The same shape again is counted, not listed. */
static void shapes_are_listed_once(void)
{
    struct bench b;
    struct recorder recorder;
    struct loss_sums sums;
    record(&dense, &b, &recorder);
    size_t count = recorder.count;
    CU_ASSERT_EQUAL(count, 5); /* forward, and to the weights, of both; to the input of the second alone */
    model_train_leaf(&b.model, b.params, 0, b.gradient, &sums, NULL);
    CU_ASSERT_EQUAL_FATAL(recorder.count, count);
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(recorder.items[i].count, 2);
        CU_ASSERT_STRING_EQUAL(recorded_word(recorder.items[i].kind), "product");
    }
    CU_ASSERT_TRUE(recorder.items[0].m == 5 && recorder.items[0].n == 17 && recorder.items[0].k == 11);
    recorder_release(&recorder);
    bench_release(&b);
}

static void bytes_are_those_of_the_buffers(void)
{
    struct bench b;
    CU_ASSERT_TRUE_FATAL(bench_init(&b, &dense));
    struct layer_work first = model_layer_work(&b.model, 0), relu = model_layer_work(&b.model, 1),
                      last = model_layer_work(&b.model, 2);
    CU_ASSERT_EQUAL(first.forward.bytes, 4 * (11 + 17));
    CU_ASSERT_EQUAL(first.forward.pass_bytes, 4 * (11 * 17 + 17));
    CU_ASSERT_EQUAL(first.backward.bytes, 4 * (17 + 11));                 /* dy and x: nobody wants dx */
    CU_ASSERT_EQUAL(first.backward.pass_bytes, first.forward.pass_bytes); /* dw */
    CU_ASSERT_EQUAL(relu.forward.bytes, 4 * (17 + 17));
    CU_ASSERT_EQUAL(relu.forward.pass_bytes, 0);
    CU_ASSERT_EQUAL(relu.forward.flops, 0);
    CU_ASSERT_EQUAL(last.backward.bytes, 4 * (3 + 17 + 17));                /* dy, x, dx */
    CU_ASSERT_EQUAL(last.backward.pass_bytes, 2 * last.forward.pass_bytes); /* w, dw */
    bench_release(&b);
}

int main(void)
{
    const struct test_case cases[] = {
        {"dense layers and convolutions do what is said", dense_layers_and_convolutions_do_what_is_said},
        {"attention counts what is seen, once", attention_counts_what_is_seen_once},
        {"shapes are listed once", shapes_are_listed_once},
        {"bytes are those of the buffers", bytes_are_those_of_the_buffers},
        {0},
    };
    return test_run("nn/model_work", cases);
}
