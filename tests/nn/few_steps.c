/* Trains an MLP, a CNN and a GPT for some steps, alone and without MPI, so that emulators can run it, and prints a
 * digest of what each has learned: the same on every CPU and by every compiler (tests/system/emulated). */
#include "base/digest.h"
#include "base/memory.h"
#include "base/rng.h"
#include "nn/kernels/cpu.h"
#include "nn/kernels/numerics.h"
#include "nn/model.h"
#include "nn/trial.h"
#include "optim/adam.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 6, ROWS = 5 };

static const struct {
    const char *name;
    struct model_spec spec;
    struct leaf_form form;
} models[] = {
    {"mlp",
     MODEL(DENSE(33), PLAIN(relu), NORM(layer_norm), DENSE(17), GELU(GELU_TANH), DENSE(10)),
     {.input = {1, {70}}, .classes = 10, .terms = 1}},
    {"cnn",
     MODEL(CONV2D(6, 3, 1, PADDING_SAME), BATCH_NORM, PLAIN(relu), POOL(max_pool, 2, 2), CONV2D(9, 3, 2, 0),
           PLAIN(silu), PLAIN(flatten), DENSE(10)),
     {.input = {3, {2, 12, 13}}, .classes = 10, .terms = 1}},
    {"gpt",
     MODEL(EMBEDDING(24), POSITION_EMBEDDING, TRANSFORMER(2, 3, true, 0.1), NORM(layer_norm), LM_HEAD(true)),
     {.input = {1, {45}}, .vocabulary = 29, .classes = 29, .terms = 45}},
};

/* Each of them, and these once more with products of bf16. */
static const struct {
    size_t model;
    enum precision precision;
} cases[] = {
    {0, PRECISION_FLOAT32}, {1, PRECISION_FLOAT32}, {2, PRECISION_FLOAT32}, {1, PRECISION_BF16}, {2, PRECISION_BF16}};

static void draw_leaf(struct model *model, uint64_t step)
{
    struct leaf *leaf = &model->leaf;
    uint64_t key = rng_key(step, "few steps");
    size_t inputs = ROWS * shape_count(&model->form.input), terms = ROWS * model->form.terms;
    leaf->rows = ROWS;
    leaf->first = 0;
    for (size_t i = 0; i < inputs; i++)
        if (leaf->tokens)
            leaf->tokens[i] = (int32_t)(rng_uniform(key, i) * (float)model->form.vocabulary);
        else
            leaf->inputs[i] = 2 * rng_uniform(key, i) - 1;
    for (size_t i = 0; i < terms; i++)
        leaf->labels[i] = (int32_t)(rng_uniform(key, inputs + i) * (float)model->form.classes);
}

static void train(struct model *model, float *params, float *gradient, float *moments[OPTIMIZER_MOMENTS])
{
    struct adam adam = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    struct optimizer_spec optimizer = {.class = &optimizer_adamw, .settings = &adam};
    for (uint64_t step = 1; step <= STEPS; step++) {
        struct loss_sums sums;
        struct optimizer_step numbers = optimizer_step_at(&optimizer, step);
        numbers.learning_rate = 0.01;
        numbers.weight_decay = 0.1;
        numbers.gradient_scale = 1.0f / ROWS;
        draw_leaf(model, step);
        model_train_leaf(model, params, step, gradient, &sums, NULL);
        optimizer_adamw.update(&adam, &numbers, model->table.count, params, gradient, moments);
    }
}

int main(void)
{
    struct error error = {0};
    struct loss_spec loss = {.class = &loss_softmax_cross_entropy};
    numerics_enter();
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *name = models[cases[i].model].name;
        struct model_spec spec = models[cases[i].model].spec;
        struct model model;
        spec.precision = cases[i].precision;
        if (!model_init(&model, &spec, &loss, &models[cases[i].model].form, ROWS, 3, &error)) {
            fprintf(stderr, "%s: %s\n", name, error.text);
            return 1;
        }
        size_t count = model.table.count;
        float *arenas[2 + OPTIMIZER_MOMENTS];
        for (size_t a = 0; a < COUNT(arenas); a++)
            arenas[a] = memory_need(count, sizeof(float));
        tensor_table_fill(&model.table, 3, 0, count, arenas[0]);
        train(&model, arenas[0], arenas[1], arenas + 2);
        printf("%s%s %016" PRIx64 " ", name, spec.precision == PRECISION_BF16 ? "-bf16" : "",
               digest_bytes(arenas[0], count * sizeof(float)));
        for (size_t a = 0; a < COUNT(arenas); a++)
            memory_free(arenas[a]);
        model_release(&model);
    }
    printf("numerics %s\n", numerics_describe());
    fprintf(stderr, "%s\n", cpu_name(cpu_isa()));
    return 0;
}
