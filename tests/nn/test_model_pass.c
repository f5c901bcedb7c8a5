/* What holds of a leaf's pass through any model. That its numbers are right: test_layers*.c. */
#include "base/memory.h"
#include "nn/model.h"
#include "nn/trial.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#define CROSS_ENTROPY                                                                                                  \
    {                                                                                                                  \
        .class = &loss_softmax_cross_entropy                                                                           \
    }
#define GPT(is_tied)                                                                                                   \
    MODEL(EMBEDDING(6), POSITION_EMBEDDING, TRANSFORMER(2, 2, true, 0), NORM(layer_norm), LM_HEAD(is_tied))

/* One of each kind of plan: in tiles or not, in place or not, with connections, from the data or not. */
static const struct trial passes[] = {
    {.spec = MODEL(DENSE(17), PLAIN(relu), DENSE(3)), .form = FEATURES(11, 3), .rows = 5, .room = 8},
    {.spec = MODEL(PLAIN(tanh), DENSE(4), PLAIN(relu)), .form = FEATURES(11, 4), .rows = 5, .room = 8},
    {.spec = MODEL(CONV2D(3, 3, 1, PADDING_SAME), RESIDUAL(PLAIN(relu), CONV2D(3, 3, 1, PADDING_SAME)), GROUP_NORM(1),
                   POOL(max_pool, 2, 0), DENSE(3)),
     .form = IMAGE(2, 6, 6, 3),
     .rows = 3,
     .room = 5},
    {.spec = GPT(true), .form = TEXT(7, 11), .loss = CROSS_ENTROPY, .rows = 3, .room = 4},
    {.spec = MODEL(DENSE(3), DENSE(5003)),
     .form = {.input = {1, {4}}, .classes = 5003, .terms = 1},
     .loss = CROSS_ENTROPY,
     .rows = 70,
     .room = 131},
};

/* No dropout, no batch_norm: what is trained is what is used. */
static void evaluation_and_training_give_the_same_loss_bits(void)
{
    for (size_t i = 0; i < COUNT(passes); i++) {
        struct bench b;
        struct loss_sums trained, evaluated;
        CU_ASSERT_TRUE_FATAL(bench_init(&b, &passes[i]));
        model_train_leaf(&b.model, b.params, 0, b.gradient, &trained, NULL);
        size_t bytes = b.model.table.count * sizeof(float);
        float *kept = memory_need(2, bytes);
        memcpy(kept, b.gradient, bytes);
        memcpy(kept + b.model.table.count, b.params, bytes);
        model_evaluate_leaf(&b.model, b.params, &evaluated, NULL);
        CU_ASSERT_EQUAL(memcmp(&trained, &evaluated, sizeof trained), 0);
        CU_ASSERT_EQUAL(memcmp(kept, b.gradient, bytes), 0);
        CU_ASSERT_EQUAL(memcmp(kept + b.model.table.count, b.params, bytes), 0);
        memory_free(kept);
        bench_release(&b);
    }
}

/* Leaves are the unit of all sums: their bits depend on their rows alone, not on what the model did before, nor on how
 * many rows it has room for. */
static void a_leafs_gradient_depends_on_its_rows_only(void)
{
    for (size_t i = 0; i < COUNT(passes); i++) {
        struct trial exact = passes[i];
        struct bench roomy, tight;
        struct loss_sums first, again, sums;
        exact.room = exact.rows;
        CU_ASSERT_TRUE_FATAL(bench_init(&roomy, &passes[i]));
        CU_ASSERT_TRUE_FATAL(bench_init(&tight, &exact));
        size_t bytes = roomy.model.table.count * sizeof(float);
        float *gradient = memory_need(1, bytes);
        model_train_leaf(&roomy.model, roomy.params, 0, roomy.gradient, &first, NULL);
        memcpy(gradient, roomy.gradient, bytes);
        model_train_leaf(&roomy.model, roomy.params, 1, gradient, &again, NULL); /* over a gradient */
        model_train_leaf(&tight.model, tight.params, 0, tight.gradient, &sums, NULL);
        CU_ASSERT_EQUAL(memcmp(roomy.gradient, gradient, bytes), 0);
        CU_ASSERT_EQUAL(memcmp(roomy.gradient, tight.gradient, bytes), 0);
        CU_ASSERT_EQUAL(memcmp(&first, &again, sizeof first), 0);
        CU_ASSERT_EQUAL(memcmp(&first, &sums, sizeof first), 0);
        memory_free(gradient);
        bench_release(&roomy);
        bench_release(&tight);
    }
}

/* Takes the loss of what it is shown. */
struct view {
    const struct model *model;
    struct loss_sums sums;
    size_t terms; /* so far */
};

static void take_shown(void *context, const struct leaf *leaf, size_t first, size_t n, size_t width,
                       const float *outputs)
{
    struct view *view = context;
    float *spoilt = memory_need(n * width, sizeof *spoilt);
    memcpy(spoilt, outputs, n * width * sizeof *spoilt);
    CU_ASSERT_EQUAL(first, view->terms);
    view->terms += n;
    loss_terms(&view->model->loss, leaf, first, n, width, spoilt, false, &view->sums);
    memory_free(spoilt);
}

/* In tiles or as a whole. */
static void who_watches_the_outputs_sees_each_term_once(void)
{
    for (size_t i = 0; i < COUNT(passes); i++) {
        struct bench b;
        struct loss_sums sums, unseen;
        CU_ASSERT_TRUE_FATAL(bench_init(&b, &passes[i]));
        struct view view = {.model = &b.model};
        model_evaluate_leaf(&b.model, b.params, &unseen, NULL);
        model_evaluate_leaf(&b.model, b.params, &sums, &(struct output_watch){take_shown, &view});
        CU_ASSERT_EQUAL(view.terms, b.model.leaf.rows * b.model.terms);
        CU_ASSERT_EQUAL(memcmp(&view.sums, &sums, sizeof sums), 0);
        CU_ASSERT_EQUAL(memcmp(&unseen, &sums, sizeof sums), 0);
        bench_release(&b);
    }
}

/* ---- gradients that are final ---- */

struct witness {
    const struct bench *bench;
    float *kept;                         /* [P] each tensor's gradient as it was when it was said to be final */
    size_t *times;                       /* [tensors] */
    size_t order[32], waiting[32], told; /* which, and how many elements of all gradients were still NaN */
};

static void note_final(void *context, size_t t)
{
    struct witness *witness = context;
    const struct tensor *tensor = &witness->bench->model.table.tensors[t];
    memcpy(witness->kept + tensor->offset, witness->bench->gradient + tensor->offset, tensor->count * sizeof(float));
    witness->times[t]++;
    if (witness->told < COUNT(witness->order)) {
        size_t gaps;
        witness->order[witness->told] = t;
        witness->waiting[witness->told] = bench_nans(witness->bench, &gaps);
    }
    witness->told++;
}

static void train_with_witness(struct bench *b, struct witness *witness)
{
    struct tensor_watch watch = {.is_final = note_final, .context = witness};
    struct loss_sums sums;
    *witness = (struct witness){.bench = b,
                                .kept = memory_need(b->model.table.count, sizeof(float)),
                                .times = memory_need(b->model.table.length, sizeof(size_t))};
    model_train_leaf(&b->model, b->params, 0, b->gradient, &sums, &watch);
}

static void witness_release(struct witness *witness)
{
    memory_free(witness->kept);
    memory_free(witness->times);
}

static void check_finals(const struct trial *trial)
{
    struct bench b;
    struct witness witness;
    CU_ASSERT_TRUE_FATAL(bench_init(&b, trial));
    train_with_witness(&b, &witness);
    for (size_t t = 0; t < b.model.table.length; t++) {
        const struct tensor *tensor = &b.model.table.tensors[t];
        bool same = !memcmp(witness.kept + tensor->offset, b.gradient + tensor->offset, tensor->count * sizeof(float));
        CU_ASSERT_EQUAL(witness.times[t], 1);
        CU_ASSERT_TRUE(same);
        if (!same || witness.times[t] != 1)
            printf("\n    %s: told %zu times, %s", tensor->name, witness.times[t], same ? "final" : "changed later");
    }
    witness_release(&witness);
    bench_release(&b);
}

/* Also where several layers have a part in one tensor, and where a leaf's statistics stand in place of a gradient. */
static void each_gradient_is_said_to_be_final_once_and_changes_no_more(void)
{
    struct trial trials[] = {
        {.spec = MODEL(EMBEDDING(4), LM_HEAD(true), PLAIN(tanh), LM_HEAD(true)),
         .form = TEXT(5, 4),
         .loss = CROSS_ENTROPY,
         .rows = 2},
        {.spec = MODEL(CONV2D_ALONE(3, 1), RESIDUAL(BATCH_NORM, PLAIN(relu), CONV2D_ALONE(3, 1)), BATCH_NORM,
                       PLAIN(global_avg_pool), DENSE(2)),
         .form = IMAGE(2, 4, 3, 2),
         .rows = 3},
        {.spec = MODEL(DENSE(4), BATCH_NORM), .form = FEATURES(3, 4), .rows = 4},
    };
    for (size_t i = 0; i < COUNT(passes); i++)
        check_finals(&passes[i]);
    for (size_t i = 0; i < COUNT(trials); i++)
        check_finals(&trials[i]);
}

/* From the end of the model to its beginning, each before the gradients in front of it exist. */
static void gradients_are_told_of_while_others_are_still_to_come(void)
{
    static const struct {
        const char *name;
        size_t waiting;
    } expected[] = {
        {"4.dense.weight", 9 * 8 + 8 + 5 * 9 + 9},
        {"4.dense.bias", 9 * 8 + 8 + 5 * 9 + 9},
        {"2.dense.weight", 5 * 9 + 9},
        {"2.dense.bias", 5 * 9 + 9},
        {"0.dense.weight", 0},
        {"0.dense.bias", 0},
    };
    struct trial trial = {
        .spec = MODEL(DENSE(9), PLAIN(relu), DENSE(8), PLAIN(tanh), DENSE(3)), .form = FEATURES(5, 3), .rows = 4};
    struct bench b;
    struct witness witness;
    CU_ASSERT_TRUE_FATAL(bench_init(&b, &trial));
    train_with_witness(&b, &witness);
    CU_ASSERT_EQUAL_FATAL(witness.told, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        CU_ASSERT_STRING_EQUAL(b.model.table.tensors[witness.order[i]].name, expected[i].name);
        CU_ASSERT_EQUAL(witness.waiting[i], expected[i].waiting);
    }
    witness_release(&witness);
    bench_release(&b);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"evaluation and training give the same loss bits", evaluation_and_training_give_the_same_loss_bits},
        {"a leaf's gradient depends on its rows only", a_leafs_gradient_depends_on_its_rows_only},
        {"who watches the outputs sees each term once", who_watches_the_outputs_sees_each_term_once},
        {"each gradient is said to be final once, and changes no more",
         each_gradient_is_said_to_be_final_once_and_changes_no_more},
        {"gradients are told of while others are still to come", gradients_are_told_of_while_others_are_still_to_come},
        {NULL, NULL},
    };
    return test_run("nn/model_pass", cases);
}
