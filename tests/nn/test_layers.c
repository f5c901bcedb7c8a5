/* Layers, loss and model against a second implementation: plain loops in double, one row at a time, and central
 * differences of it instead of a backward pass. */
#include "base/memory.h"
#include "base/rng.h"
#include "nn/model.h"
#include "support/test.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { WIDEST = 64, INPUTS = 11, CLASSES = 4, ROWS = 7 };
static const float GAP = 12345; /* what a test puts in the gaps of a gradient, to find it there again */

static float draw(const char *purpose, size_t index)
{
    return 2 * rng_uniform(rng_key(1, purpose), index) - 1;
}

/* ---- the second implementation ---- */

/* What is differentiated: with labels, the summed loss; without, the sum of weights * outputs. */
struct reference {
    const struct layer *layers;
    size_t count, rows, inputs, outputs;
    double *params, *x;
    const int32_t *labels;
    const float *weights;
};

/* y becomes the outputs of one row, at most WIDEST. */
static void reference_row(const struct reference *r, size_t row, double y[WIDEST])
{
    double x[WIDEST];
    memcpy(y, r->x + row * r->inputs, r->inputs * sizeof *y);
    for (const struct layer *layer = r->layers; layer < r->layers + r->count; layer++) {
        memcpy(x, y, sizeof x);
        for (size_t o = 0; o < layer->outputs; o++)
            if (layer->class == &layer_dense) {
                y[o] = r->params[layer->bias + o];
                for (size_t i = 0; i < layer->inputs; i++)
                    y[o] += r->params[layer->weight + o * layer->inputs + i] * x[i];
            } else
                y[o] = fmax(x[o], 0);
    }
}

static double reference_loss(const double *logits, size_t classes, int32_t label)
{
    double top = logits[0], sum = 0;
    for (size_t c = 1; c < classes; c++)
        top = fmax(top, logits[c]);
    for (size_t c = 0; c < classes; c++)
        sum += exp(logits[c] - top);
    return log(sum) - (logits[label] - top);
}

static double reference_value(const struct reference *r)
{
    double value = 0, y[WIDEST] = {0};
    for (size_t row = 0; row < r->rows; row++) {
        reference_row(r, row, y);
        if (r->labels)
            value += reference_loss(y, r->outputs, r->labels[row]);
        else
            for (size_t o = 0; o < r->outputs; o++)
                value += (double)r->weights[row * r->outputs + o] * y[o];
    }
    return value;
}

/* Whether `gradient` [count] is the derivative with respect to at[0..count), which lie in r: relative error 1e-3, and
 * float's own error for those that are nearly 0. */
static bool gradient_is_right(const struct reference *r, double *at, size_t count, const float *gradient)
{
    const double h = 1e-5;
    double *slopes = memory_need(count, sizeof *slopes), largest = 0;
    for (size_t i = 0; i < count; i++) {
        double kept = at[i];
        at[i] = kept + h;
        double up = reference_value(r);
        at[i] = kept - h;
        slopes[i] = (up - reference_value(r)) / (2 * h);
        at[i] = kept;
        largest = fmax(largest, fabs(slopes[i]));
    }
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += !(fabs((double)gradient[i] - slopes[i]) <= 1e-3 * fabs(slopes[i]) + 1e-6 * largest);
    memory_free(slopes);
    if (wrong)
        printf("\n    %zu of %zu derivatives are wrong", wrong, count);
    return wrong == 0 && largest > 0;
}

static double *doubles(const float *values, size_t count)
{
    double *copy = memory_need(count, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = (double)values[i];
    return copy;
}

static bool near(float value, double expected)
{
    return fabs((double)value - expected) <= 1e-5 * fmax(1, fabs(expected));
}

/* ---- one layer alone ---- */

struct alone {
    struct tensor_table table;
    struct layer layer;
    struct reference reference;
    float *params, *gradient, *x, *dx, *y, *dy;
};

/* The layer after forward and backward, the results begun as NaN. */
static void alone_init(struct alone *s, struct layer_spec spec, size_t rows, size_t inputs)
{
    memset(s, 0, sizeof *s);
    s->layer = (struct layer){.class = layer_classes[spec.kind], .spec = spec, .inputs = inputs};
    s->layer.class->build(&s->layer, 0, &s->table);
    size_t P = s->table.count, I = inputs, O = s->layer.outputs;
    s->params = memory_need(P, sizeof(float));
    s->gradient = memory_need(P, sizeof(float));
    s->x = memory_need(rows * I, sizeof(float));
    s->dx = memory_need(rows * I, sizeof(float));
    s->y = memory_need(rows * O, sizeof(float));
    s->dy = memory_need(rows * O, sizeof(float));
    for (size_t i = 0; i < P; i++)
        s->params[i] = draw("params", i);
    for (size_t i = 0; i < rows * I; i++)
        s->x[i] = draw("x", i);
    for (size_t i = 0; i < rows * O; i++)
        s->dy[i] = draw("dy", i);
    memset(s->gradient, 0xff, P * sizeof(float)); /* NaN */
    memset(s->dx, 0xff, rows * I * sizeof(float));
    memset(s->y, 0xff, rows * O * sizeof(float));
    s->layer.class->forward(&s->layer, s->params, rows, s->x, s->y);
    s->layer.class->backward(&s->layer, s->params, rows, s->x, s->y, s->dy, s->dx, s->gradient);
    s->reference = (struct reference){.layers = &s->layer, .count = 1, .rows = rows, .inputs = I, .outputs = O};
    s->reference.params = doubles(s->params, P);
    s->reference.x = doubles(s->x, rows * I);
    s->reference.weights = s->dy;
}

static void alone_release(struct alone *s)
{
    memory_free(s->params);
    memory_free(s->gradient);
    memory_free(s->x);
    memory_free(s->dx);
    memory_free(s->y);
    memory_free(s->dy);
    memory_free(s->reference.params);
    memory_free(s->reference.x);
    tensor_table_release(&s->table);
}

static void check_alone(struct layer_spec spec, size_t rows, size_t inputs)
{
    struct alone s;
    alone_init(&s, spec, rows, inputs);
    for (size_t row = 0; row < rows; row++) {
        double y[WIDEST];
        reference_row(&s.reference, row, y);
        for (size_t o = 0; o < s.layer.outputs; o++)
            CU_ASSERT_TRUE(near(s.y[row * s.layer.outputs + o], y[o]));
    }
    CU_ASSERT_TRUE(gradient_is_right(&s.reference, s.reference.x, rows * inputs, s.dx));
    for (size_t t = 0; t < s.table.length; t++) {
        size_t at = s.table.tensors[t].offset;
        CU_ASSERT_TRUE(
            gradient_is_right(&s.reference, s.reference.params + at, s.table.tensors[t].count, s.gradient + at));
    }
    alone_release(&s);
}

static void dense_has_the_values_and_derivatives_of_its_formula(void)
{
    static const struct {
        size_t rows, inputs, outputs;
    } shapes[] = {{1, 1, 1}, {1, 11, 5}, {7, 1, 3}, {7, 11, 1}, {7, 11, 17}, {16, 16, 16}, {33, 19, 10}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_alone((struct layer_spec){LAYER_DENSE, shapes[i].outputs}, shapes[i].rows, shapes[i].inputs);
}

static void relu_has_the_values_and_derivatives_of_its_formula(void)
{
    check_alone((struct layer_spec){LAYER_RELU, 0}, 16, 1);
    check_alone((struct layer_spec){LAYER_RELU, 0}, 7, 11);
    check_alone((struct layer_spec){LAYER_RELU, 0}, 5, 64);
}

static void relu_keeps_nan_and_is_0_with_derivative_0_at_0(void)
{
    /* 37 of them, so that vector bodies and tails both meet each. */
    static const float values[] = {NAN, -NAN, INFINITY, -INFINITY, 0, -0.0f, FLT_TRUE_MIN, -FLT_TRUE_MIN, FLT_MAX, -1};
    static const float rectified[] = {NAN, NAN, INFINITY, 0, 0, 0, FLT_TRUE_MIN, 0, FLT_MAX, 0};
    enum { N = 37, KINDS = sizeof values / sizeof *values };
    struct layer layer = {.class = &layer_relu, .inputs = N, .outputs = N};
    float x[N], y[N], dy[N], dx[N];
    for (size_t i = 0; i < N; i++) {
        x[i] = values[i % KINDS];
        dy[i] = (float)i + 1;
    }
    layer_relu.forward(&layer, NULL, 1, x, y);
    layer_relu.backward(&layer, NULL, 1, x, y, dy, dx, NULL);
    for (size_t i = 0; i < N; i++) {
        float expected = rectified[i % KINDS];
        CU_ASSERT_TRUE(isnan(expected) ? isnan(y[i]) : y[i] == expected && !signbit(y[i]));
        CU_ASSERT_EQUAL(dx[i], isnan(expected) || expected > 0 ? dy[i] : 0);
    }
    for (size_t i = 0; i < N; i++)
        dy[i] = NAN; /* a NaN from above passes where the input was positive */
    layer_relu.backward(&layer, NULL, 1, x, y, dy, dx, NULL);
    CU_ASSERT_TRUE(isnan(dx[2]) && isnan(dx[6]) && isnan(dx[8]) && isnan(dx[0]));
}

/* ---- the loss ---- */

static void softmax_cross_entropy_has_the_value_and_derivative_of_its_formula(void)
{
    static const size_t classes[] = {2, 3, 10, 17};
    for (size_t k = 0; k < sizeof classes / sizeof *classes; k++) {
        size_t C = classes[k];
        float logits[ROWS * 17], gradient[ROWS * 17];
        int32_t labels[ROWS];
        for (size_t i = 0; i < ROWS * C; i++)
            logits[i] = 4 * draw("logits", i);
        for (size_t row = 0; row < ROWS; row++)
            labels[row] = (int32_t)((5 * row + 2) % C);
        memset(gradient, 0xff, sizeof gradient);
        double loss = NAN, hits = NAN, without = NAN;
        loss_softmax_cross_entropy(ROWS, C, logits, labels, &loss, &hits, gradient);
        struct reference r = {.rows = ROWS, .inputs = C, .outputs = C, .labels = labels};
        r.x = doubles(logits, ROWS * C);
        CU_ASSERT_DOUBLE_EQUAL(loss, reference_value(&r), 1e-5 * reference_value(&r));
        CU_ASSERT_TRUE(gradient_is_right(&r, r.x, ROWS * C, gradient));
        memory_free(r.x);
        /* Without gradient, and with the gradient in the logits' own memory: the same bits. */
        loss_softmax_cross_entropy(ROWS, C, logits, labels, &without, &hits, NULL);
        CU_ASSERT_EQUAL(without, loss);
        loss_softmax_cross_entropy(ROWS, C, logits, labels, &without, &hits, logits);
        CU_ASSERT_EQUAL(without, loss);
        CU_ASSERT_EQUAL(memcmp(logits, gradient, ROWS * C * sizeof *logits), 0);
    }
}

static double hits_of(const float logits[3], int32_t label)
{
    double loss, hits = NAN;
    loss_softmax_cross_entropy(1, 3, logits, &label, &loss, &hits, NULL);
    return hits;
}

static void a_hit_is_a_label_with_the_first_of_the_largest_logits(void)
{
    static const struct {
        float logits[3];
        int32_t hit;
    } cases[] = {{{3, 1, 2}, 0}, {{1, 3, 2}, 1}, {{-3, -2, -1}, 2}, {{2, 2, 1}, 0},
                 {{1, 2, 2}, 1}, {{2, 1, 2}, 0}, {{5, 5, 5}, 0},    {{0, -0.0f, -1}, 0}};
    enum { CASES = sizeof cases / sizeof *cases };
    float logits[CASES * 3];
    int32_t labels[CASES];
    for (size_t i = 0; i < CASES; i++) {
        for (int32_t label = 0; label < 3; label++)
            CU_ASSERT_EQUAL(hits_of(cases[i].logits, label), label == cases[i].hit);
        memcpy(logits + 3 * i, cases[i].logits, sizeof cases[i].logits);
        labels[i] = 1;
    }
    double loss, hits = NAN;
    loss_softmax_cross_entropy(CASES, 3, logits, labels, &loss, &hits, NULL);
    CU_ASSERT_EQUAL(hits, 2);
}

static void the_loss_of_huge_logits_is_finite(void)
{
    static const struct {
        float logits[3];
        double losses[3];
    } cases[] = {{{100, -100, 0}, {0, 200, 100}},
                 {{1e30f, -1e30f, 0}, {0, 2e30, 1e30}},
                 {{-1e30f, 0, 1e30f}, {2e30, 1e30, 0}},
                 {{1.5e38f, -1.5e38f, -1.5e38f}, {0, 3e38, 3e38}},
                 {{FLT_MAX, FLT_MAX, 0}, {0.69314718, 0.69314718, (double)FLT_MAX}},
                 {{-1e30f, -1e30f, -1e30f}, {1.0986123, 1.0986123, 1.0986123}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int32_t label = 0; label < 3; label++) {
            double loss = NAN, hits;
            float gradient[3] = {NAN, NAN, NAN};
            loss_softmax_cross_entropy(1, 3, cases[i].logits, &label, &loss, &hits, gradient);
            CU_ASSERT_DOUBLE_EQUAL(loss, cases[i].losses[label], 1e-6 * fmax(1, cases[i].losses[label]));
            for (size_t c = 0; c < 3; c++)
                CU_ASSERT_TRUE(fabsf(gradient[c]) <= 1);
            CU_ASSERT_DOUBLE_EQUAL((double)(gradient[0] + gradient[1] + gradient[2]), 0, 1e-6);
        }
}

static void a_nan_logit_makes_loss_and_gradient_nan(void)
{
    for (size_t place = 0; place < 3; place++)
        for (int32_t label = 0; label < 3; label++) {
            float logits[6] = {1, 2, 3, 1, 2, 3}, gradient[6] = {0};
            int32_t labels[2] = {label, label};
            double loss = 0, hits;
            logits[place] = NAN;
            loss_softmax_cross_entropy(2, 3, logits, labels, &loss, &hits, gradient);
            CU_ASSERT_TRUE(isnan(loss));
            CU_ASSERT_TRUE(isnan(gradient[0]) && isnan(gradient[1]) && isnan(gradient[2]));
            CU_ASSERT_FALSE(isnan(gradient[3]) || isnan(gradient[4]) || isnan(gradient[5]));
        }
}

/* ---- the model ---- */

static const struct layer_spec three[] = {{LAYER_DENSE, 17}, {LAYER_RELU, 0}, {LAYER_DENSE, CLASSES}};
static const struct layer_spec five[] = {
    {LAYER_DENSE, 5}, {LAYER_RELU, 0}, {LAYER_DENSE, 20}, {LAYER_RELU, 0}, {LAYER_DENSE, CLASSES}};
static const struct layer_spec one[] = {{LAYER_DENSE, CLASSES}};
static const struct layer_spec relu_at_both_ends[] = {{LAYER_RELU, 0}, {LAYER_DENSE, CLASSES}, {LAYER_RELU, 0}};
static const struct {
    const struct layer_spec *specs;
    size_t count;
} models[] = {{three, 3}, {five, 5}, {one, 1}, {relu_at_both_ends, 3}};
enum { MODELS = sizeof models / sizeof *models };

struct bench {
    struct model model;
    struct reference reference;
    float *params, *gradient;
};

/* Drawn parameters and data; the gradient NaN, its gaps GAP. */
static void bench_init(struct bench *b, const struct layer_spec *specs, size_t count)
{
    struct error error = {0};
    struct model *model = &b->model;
    CU_ASSERT_TRUE_FATAL(model_init(model, specs, count, LOSS_SOFTMAX_CROSS_ENTROPY, ROWS, INPUTS, CLASSES, &error));
    size_t P = model->table.count;
    b->params = memory_need(P, sizeof(float));
    b->gradient = memory_need(P, sizeof(float));
    for (size_t i = 0; i < P; i++)
        b->gradient[i] = GAP;
    for (size_t t = 0; t < model->table.length; t++)
        for (size_t i = 0; i < model->table.tensors[t].count; i++) {
            b->params[model->table.tensors[t].offset + i] = draw(model->table.tensors[t].name, i);
            b->gradient[model->table.tensors[t].offset + i] = NAN;
        }
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        model->input[i] = draw("input", i);
    for (size_t row = 0; row < ROWS; row++)
        model->labels[row] = (int32_t)(row % CLASSES);
    b->reference = (struct reference){
        .layers = model->layers, .count = count, .rows = ROWS, .inputs = INPUTS, .outputs = CLASSES};
    b->reference.params = doubles(b->params, P);
    b->reference.x = doubles(model->input, ROWS * INPUTS);
    b->reference.labels = model->labels;
}

static void bench_release(struct bench *b)
{
    memory_free(b->params);
    memory_free(b->gradient);
    memory_free(b->reference.params);
    memory_free(b->reference.x);
    model_release(&b->model);
}

/* Loss, logits and all gradients of a leaf that was just trained, against the second implementation. */
static void check_leaf(struct bench *b, double loss)
{
    const struct tensor_table *table = &b->model.table;
    CU_ASSERT_DOUBLE_EQUAL(loss, reference_value(&b->reference), 1e-5 * reference_value(&b->reference));
    for (size_t row = 0; row < b->reference.rows; row++) {
        double y[WIDEST];
        reference_row(&b->reference, row, y);
        for (size_t c = 0; c < CLASSES; c++)
            CU_ASSERT_TRUE(near(b->model.outs[b->model.count - 1][row * CLASSES + c], y[c]));
    }
    for (size_t t = 0; t < table->length; t++) {
        size_t at = table->tensors[t].offset;
        CU_ASSERT_TRUE(
            gradient_is_right(&b->reference, b->reference.params + at, table->tensors[t].count, b->gradient + at));
    }
}

static void models_have_the_derivatives_of_their_formula(void)
{
    for (size_t i = 0; i < MODELS; i++) {
        struct bench b;
        double loss = NAN, hits = NAN;
        bench_init(&b, models[i].specs, models[i].count);
        model_train_leaf(&b.model, b.params, ROWS, b.gradient, &loss, &hits);
        check_leaf(&b, loss);
        bench_release(&b);
    }
}

static void the_gradient_is_overwritten_and_its_gaps_left_alone(void)
{
    for (size_t i = 0; i < MODELS; i++) {
        struct bench b;
        double loss, hits;
        bench_init(&b, models[i].specs, models[i].count);
        size_t P = b.model.table.count, gaps = P, kept = 0, left = 0;
        float *again = memory_need(P, sizeof *again);
        model_train_leaf(&b.model, b.params, ROWS, b.gradient, &loss, &hits); /* over NaN */
        memcpy(again, b.gradient, P * sizeof *again);
        model_train_leaf(&b.model, b.params, ROWS, again, &loss, &hits); /* over a gradient */
        CU_ASSERT_EQUAL(memcmp(again, b.gradient, P * sizeof *again), 0);
        for (size_t t = 0; t < b.model.table.length; t++)
            gaps -= b.model.table.tensors[t].count;
        for (size_t e = 0; e < P; e++) {
            kept += b.gradient[e] == GAP;
            left += isnan(b.gradient[e]) != 0;
        }
        CU_ASSERT_EQUAL(kept, gaps);
        CU_ASSERT_EQUAL(left, 0);
        memory_free(again);
        bench_release(&b);
    }
}

static void evaluation_and_training_give_the_same_loss_bits(void)
{
    for (size_t i = 0; i < MODELS; i++)
        for (size_t rows = 1; rows <= ROWS; rows++) {
            struct bench b;
            double trained = NAN, hits = NAN, evaluated = -1, evaluated_hits = -1;
            bench_init(&b, models[i].specs, models[i].count);
            model_train_leaf(&b.model, b.params, rows, b.gradient, &trained, &hits);
            model_evaluate_leaf(&b.model, b.params, rows, &evaluated, &evaluated_hits);
            CU_ASSERT_EQUAL(memcmp(&trained, &evaluated, sizeof trained), 0);
            CU_ASSERT_EQUAL(hits, evaluated_hits);
            bench_release(&b);
        }
}

static void a_ragged_leaf_uses_its_own_rows_only(void)
{
    for (size_t i = 0; i < MODELS; i++)
        for (size_t rows = 1; rows < ROWS; rows++) {
            struct bench b;
            double loss = NAN, hits = NAN;
            bench_init(&b, models[i].specs, models[i].count);
            for (size_t e = rows * INPUTS; e < ROWS * INPUTS; e++)
                b.model.input[e] = NAN; /* rows of an earlier leaf */
            for (size_t row = rows; row < ROWS; row++)
                b.model.labels[row] = INT32_MAX;
            for (size_t l = 0; l < b.model.count; l++)
                for (size_t e = rows * b.model.layers[l].outputs; e < ROWS * b.model.layers[l].outputs; e++)
                    b.model.outs[l][e] = GAP;
            model_train_leaf(&b.model, b.params, rows, b.gradient, &loss, &hits);
            b.reference.rows = rows;
            check_leaf(&b, loss);
            CU_ASSERT_TRUE(hits >= 0 && hits <= (double)rows);
            size_t touched = 0;
            for (size_t l = 0; l < b.model.count; l++)
                for (size_t e = rows * b.model.layers[l].outputs; e < ROWS * b.model.layers[l].outputs; e++)
                    touched += b.model.outs[l][e] != GAP;
            CU_ASSERT_EQUAL(touched, 0);
            bench_release(&b);
        }
}

static void a_nan_input_makes_loss_and_every_gradient_nan(void)
{
    for (size_t i = 0; i < MODELS; i++)
        for (size_t place = 0; place < ROWS * INPUTS; place++) {
            struct bench b;
            double loss = 0, hits;
            bench_init(&b, models[i].specs, models[i].count);
            memset(b.gradient, 0, b.model.table.count * sizeof *b.gradient);
            b.model.input[place] = NAN;
            model_train_leaf(&b.model, b.params, ROWS, b.gradient, &loss, &hits);
            CU_ASSERT_TRUE(isnan(loss));
            for (size_t t = 0; t < b.model.table.length; t++) {
                size_t nans = 0;
                for (size_t e = 0; e < b.model.table.tensors[t].count; e++)
                    nans += isnan(b.gradient[b.model.table.tensors[t].offset + e]) != 0;
                CU_ASSERT_NOT_EQUAL(nans, 0);
            }
            bench_release(&b);
        }
}

static void the_tensors_have_their_names_shapes_and_bounds(void)
{
    static const struct tensor expected[] = {
        {.name = "0.dense.weight", .dims = 2, .shape = {17, INPUTS}, .decays = true, .init = TENSOR_UNIFORM},
        {.name = "0.dense.bias", .dims = 1, .shape = {17}},
        {.name = "2.dense.weight", .dims = 2, .shape = {CLASSES, 17}, .decays = true, .init = TENSOR_UNIFORM},
        {.name = "2.dense.bias", .dims = 1, .shape = {CLASSES}},
    };
    struct bench b;
    bench_init(&b, three, 3);
    CU_ASSERT_EQUAL_FATAL(b.model.table.length, 4);
    for (size_t t = 0; t < 4; t++) {
        const struct tensor *tensor = &b.model.table.tensors[t];
        CU_ASSERT_STRING_EQUAL(tensor->name, expected[t].name);
        CU_ASSERT_EQUAL(tensor->dims, expected[t].dims);
        CU_ASSERT_EQUAL(memcmp(tensor->shape, expected[t].shape, sizeof tensor->shape), 0);
        CU_ASSERT_EQUAL(tensor->decays, expected[t].decays);
        CU_ASSERT_EQUAL(tensor->init, expected[t].init);
    }
    CU_ASSERT_DOUBLE_EQUAL((double)b.model.table.tensors[0].bound, 1 / sqrt(INPUTS), 1e-6);
    CU_ASSERT_DOUBLE_EQUAL((double)b.model.table.tensors[2].bound, 1 / sqrt(17), 1e-6);
    bench_release(&b);
    model_release(&b.model); /* accepts a released one */
}

static void a_last_layer_that_does_not_fit_the_classes_is_refused(void)
{
    static const struct layer_spec wrong[] = {{LAYER_DENSE, 17}, {LAYER_RELU, 0}, {LAYER_DENSE, 9}};
    struct model model;
    struct error error = {0};
    CU_ASSERT_FALSE(model_init(&model, wrong, 3, LOSS_SOFTMAX_CROSS_ENTROPY, ROWS, INPUTS, 10, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_STRING_EQUAL(error.text,
                           "model: the last layer has 9 outputs, but the data has 10 classes: give it units: 10");
    error_clear(&error);
    CU_ASSERT_FALSE(model_init(&model, wrong, 2, LOSS_SOFTMAX_CROSS_ENTROPY, ROWS, INPUTS, 10, &error));
    CU_ASSERT_STRING_EQUAL(error.text,
                           "model: the last layer has 17 outputs, but the data has 10 classes: give it units: 10");
    model_release(&model); /* after failure nothing is held, and release is fine */
}

int main(void)
{
    static const struct test_case cases[] = {
        {"dense has the values and derivatives of its formula", dense_has_the_values_and_derivatives_of_its_formula},
        {"relu has the values and derivatives of its formula", relu_has_the_values_and_derivatives_of_its_formula},
        {"relu keeps NaN, and is 0 with derivative 0 at 0", relu_keeps_nan_and_is_0_with_derivative_0_at_0},
        {"softmax cross-entropy has the value and derivative of its formula",
         softmax_cross_entropy_has_the_value_and_derivative_of_its_formula},
        {"a hit is a label with the first of the largest logits",
         a_hit_is_a_label_with_the_first_of_the_largest_logits},
        {"the loss of huge logits is finite", the_loss_of_huge_logits_is_finite},
        {"a NaN logit makes loss and gradient NaN", a_nan_logit_makes_loss_and_gradient_nan},
        {"models have the derivatives of their formula", models_have_the_derivatives_of_their_formula},
        {"the gradient is overwritten, and its gaps left alone", the_gradient_is_overwritten_and_its_gaps_left_alone},
        {"evaluation and training give the same loss bits", evaluation_and_training_give_the_same_loss_bits},
        {"a ragged leaf uses its own rows only", a_ragged_leaf_uses_its_own_rows_only},
        {"a NaN input makes the loss and every tensor's gradient NaN", a_nan_input_makes_loss_and_every_gradient_nan},
        {"the tensors have their names, shapes and bounds", the_tensors_have_their_names_shapes_and_bounds},
        {"a last layer that does not fit the classes is refused",
         a_last_layer_that_does_not_fit_the_classes_is_refused},
        {NULL, NULL},
    };
    return test_run("nn/layers", cases);
}
