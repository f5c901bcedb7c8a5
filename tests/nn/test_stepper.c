/* Token by token a model says what it says of whole windows. */
#include "nn/stepper.h"

#include "base/memory.h"
#include "nn/layers/embedding.h"
#include "nn/layers/layers.h"
#include "nn/layers/lm_head.h"
#include "nn/layers/position_embedding.h"
#include "nn/layers/row_norm.h"
#include "nn/layers/transformer.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

enum { T = 70, V = 11 }; /* more than one tile of attention */

static const struct loss_spec loss = {.class = &loss_softmax_cross_entropy};
static const struct leaf_form form = {.input = {1, {T}}, .vocabulary = V, .classes = V, .terms = T};
static struct error error;

static struct layer_spec *gpt(bool causal, bool tied)
{
    static struct embedding embedding = {.width = 12, .init = INIT_DEFAULT};
    static struct position_embedding positions = {.init = INIT_DEFAULT};
    static struct transformer transformer = {
        .blocks = 2, .heads = 3, .ratio = 4, .bias = true, .gelu = GELU_TANH, .init = INIT_DEFAULT};
    static struct row_norm norm = {.epsilon = 1e-5};
    static struct lm_head head = {.init = INIT_DEFAULT};
    static struct layer_spec layers[] = {{.class = &layer_embedding, .settings = &embedding},
                                         {.class = &layer_position_embedding, .settings = &positions},
                                         {.class = &layer_transformer, .settings = &transformer},
                                         {.class = &layer_layer_norm, .settings = &norm},
                                         {.class = &layer_lm_head, .settings = &head}};
    transformer.causal = causal;
    head.tied = tied;
    return layers;
}

static float *make_params(const struct model *model)
{
    float *params = memory_need(model->table.count, sizeof *params);
    tensor_table_fill(&model->table, 7, 0, model->table.count, params);
    for (size_t i = 0; i < model->table.count; i++) /* so that no position is like another */
        params[i] += 0.3f * sinf((float)i);
    return params;
}

static void take(void *context, const struct leaf *leaf, size_t first_term, size_t n, size_t width,
                 const float *outputs)
{
    float *logits = context;
    (void)leaf;
    memcpy(logits + first_term * width, outputs, n * width * sizeof *outputs);
}

static int32_t token(size_t place)
{
    return (int32_t)(place * place % V);
}

static void each_token_says_what_the_window_says(void)
{
    for (int tied = 0; tied < 2; tied++) {
        struct model_spec spec = {.layers = gpt(true, tied), .count = 5};
        struct model model;
        struct stepper stepper;
        static float window[T][V];
        float logits[V], worst = 0;
        CU_ASSERT_TRUE_FATAL(model_init(&model, &spec, &loss, &form, 1, 1, &error));
        float *params = make_params(&model);
        model.leaf.rows = 1;
        for (size_t t = 0; t < T; t++)
            model.leaf.tokens[t] = token(t);
        model_predict_leaf(&model, params, &(struct output_watch){.see = take, .context = window});
        CU_ASSERT_TRUE_FATAL(stepper_init(&stepper, &spec, &model, params, &error));
        for (int again = 0; again < 2; again++) { /* what was forgotten has no part in it */
            stepper_restart(&stepper);
            for (size_t t = 0; t < T; t++) {
                CU_ASSERT_FALSE_FATAL(stepper_is_full(&stepper));
                stepper_next(&stepper, token(t), logits);
                for (size_t v = 0; v < V; v++)
                    worst = fmaxf(worst, fabsf(logits[v] - window[t][v]) / (1 + fabsf(window[t][v])));
            }
            CU_ASSERT_TRUE(stepper_is_full(&stepper));
        }
        CU_ASSERT(worst < 2e-5f);
        CU_ASSERT(fabsf(window[1][0] - window[T - 1][0]) > 1e-3f);
        stepper_release(&stepper);
        stepper_release(&stepper);
        memory_free(params);
        model_release(&model);
    }
}

static void expect_refusal(const struct model_spec *spec, const char *words)
{
    struct model model;
    struct stepper stepper;
    CU_ASSERT_TRUE_FATAL(model_init(&model, spec, &loss, &form, 1, 1, &error));
    float *params = make_params(&model);
    CU_ASSERT_FALSE(stepper_init(&stepper, spec, &model, params, &error));
    CU_ASSERT(error.kind == ERROR_USAGE && strstr(error.text, words));
    memory_free(params);
    model_release(&model);
}

static void what_sees_several_positions_is_refused(void)
{
    expect_refusal(&(struct model_spec){.layers = gpt(false, true), .count = 5},
                   "attend needs several positions at once");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"each token says what the window says", each_token_says_what_the_window_says},
        {"what sees several positions is refused", what_sees_several_positions_is_refused},
        {NULL, NULL},
    };
    return test_run("nn/stepper", cases);
}
