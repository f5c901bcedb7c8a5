/* What layers that a program has added may do besides computing: begin and end residual connections, take tokens. */
#include "base/error.h"
#include "nn/model_build.h"
#include "nn/trial.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

static bool same_shape(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)table, (void)error;
    layer->out = layer->in;
    return true;
}

/* ---- residual connections ---- */

static const struct layer_class layer_keep = {
    .kind = {.name = "keep", .help = "remembers what comes in"},
    .build = same_shape,
    .skip = SKIP_BEGINS,
};
static const struct layer_class layer_sum = {
    .kind = {.name = "sum", .help = "adds what was remembered"},
    .build = same_shape,
    .in_place = true,
    .skip = SKIP_ENDS,
};

/* A composition of the program's own, which ends what something else has begun. */
static bool expand_end(struct model_builder *builder, const void *settings, struct error *error)
{
    (void)settings;
    return model_builder_end_residual(builder, error);
}
static const struct layer_class layer_ender = {
    .kind = {.name = "ender", .help = "ends"},
    .expand = expand_end,
};

static bool expand_begin(struct model_builder *builder, const void *settings, struct error *error)
{
    (void)settings;
    return model_builder_begin_residual(builder, error);
}
static const struct layer_class layer_beginner = {
    .kind = {.name = "beginner", .help = "begins"},
    .expand = expand_begin,
};

static void check_refused(const struct model_spec *spec, const struct leaf_form *form, const char *words)
{
    struct model model;
    struct error error = {0};
    struct loss_spec loss = {.class = form->classes > 0 ? &loss_softmax_cross_entropy : &loss_mean_squared_error};
    CU_ASSERT_FALSE(model_describe(&model, spec, &loss, form, 2, 1, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_STRING_EQUAL(error.text, words);
    if (strcmp(error.text, words) != 0)
        printf("\n    \"%s\"", error.text);
}

static void an_end_without_a_begin_is_refused(void)
{
    struct leaf_form form = FEATURES(5, 4);
    struct model_spec alone = MODEL(DENSE(4), PLAIN(sum));
    struct model_spec twice = MODEL(DENSE(4), PLAIN(keep), DENSE(4), PLAIN(sum), PLAIN(sum));
    struct model_spec inside = MODEL(DENSE(4), RESIDUAL(DENSE(4), PLAIN(sum)));
    struct model_spec composed = MODEL(DENSE(4), PLAIN(ender));
    check_refused(&alone, &form,
                  "model: 1.sum (sum): it ends a residual connection, but none is open: let one begin before it");
    check_refused(&twice, &form,
                  "model: 4.sum (sum): it ends a residual connection, but none is open: let one begin before it");
    check_refused(
        &inside, &form,
        "model: 1.residual (residual): it ends a residual connection, but none is open: let one begin before it");
    check_refused(&composed, &form,
                  "model: 1.ender (ender): it ends a residual connection, but none is open: let one begin before it");
}

static void a_begin_without_an_end_is_refused(void)
{
    struct leaf_form form = FEATURES(5, 4);
    struct model_spec own = MODEL(DENSE(4), PLAIN(keep), DENSE(4), PLAIN(sum), PLAIN(keep), DENSE(4));
    struct model_spec last = MODEL(DENSE(4), PLAIN(keep));
    struct model_spec composed = MODEL(DENSE(4), PLAIN(beginner), DENSE(4));
    check_refused(&own, &form,
                  "model: 4.keep (keep): the residual connection that begins here is still open at the end of the "
                  "model: let a layer end it");
    check_refused(&last, &form,
                  "model: 1.keep (keep): the residual connection that begins here is still open at the end of the "
                  "model: let a layer end it");
    check_refused(&composed, &form,
                  "model: 1.beginner.fork (fork): the residual connection that begins here is still open at the end "
                  "of the model: let a layer end it");
}

static void more_open_connections_than_there_is_room_for_are_refused(void)
{
    enum { MOST = MODEL_OPEN };
    struct leaf_form form = FEATURES(5, 4);
    struct layer_spec layers[2 * MOST + 2] = {DENSE(4)};
    for (size_t i = 0; i <= MOST; i++)
        layers[1 + i] = (struct layer_spec)PLAIN(keep);
    char words[200];
    snprintf(words, sizeof words,
             "model: %d.keep (keep): %d residual connections are open already: end one before the next begins",
             1 + MOST, MOST);
    check_refused(&(struct model_spec){.layers = layers, .count = 2 + MOST}, &form, words);
    for (size_t i = 0; i < MOST; i++)
        layers[1 + MOST + i] = (struct layer_spec)PLAIN(sum);
    struct trial trial = {.spec = {layers, 1 + 2 * MOST}, .form = form, .rows = 2};
    struct bench b;
    CU_ASSERT_TRUE(bench_init(&b, &trial));
    bench_release(&b);
}

static void what_has_another_shape_than_was_remembered_is_not_added(void)
{
    struct leaf_form form = FEATURES(5, 4);
    struct model_spec wider = MODEL(DENSE(3), PLAIN(keep), DENSE(4), PLAIN(sum));
    check_refused(&wider, &form,
                  "model: 3.sum (sum): the layers in front of it turn 3 into 4, which cannot be added to the 3 that "
                  "went in");
}

/* Connections of the program's own layers are those of the house: inside each other, crossing compositions, too. */
static void own_ends_of_a_connection_do_what_residual_does(void)
{
    struct trial own = {
        .spec = MODEL(DENSE(4), PLAIN(keep), DENSE(4), PLAIN(keep), PLAIN(tanh), PLAIN(ender), PLAIN(sum), DENSE(3)),
        .form = FEATURES(5, 3),
        .rows = 3};
    struct trial house = {.spec = MODEL(DENSE(4), RESIDUAL(DENSE(4), RESIDUAL(PLAIN(tanh))), DENSE(3)),
                          .form = FEATURES(5, 3),
                          .rows = 3};
    struct bench b, expected;
    struct loss_sums sums, right;
    CU_ASSERT_TRUE_FATAL(bench_init(&expected, &house));
    CU_ASSERT_TRUE_FATAL(bench_init(&b, &own));
    CU_ASSERT_EQUAL_FATAL(b.model.table.count, expected.model.table.count);
    size_t bytes = b.model.table.count * sizeof(float);
    memcpy(b.params, expected.params, bytes); /* drawn by names, which are others here */
    model_train_leaf(&expected.model, expected.params, 0, expected.gradient, &right, NULL);
    model_train_leaf(&b.model, b.params, 0, b.gradient, &sums, NULL);
    CU_ASSERT_EQUAL(memcmp(&sums, &right, sizeof sums), 0);
    CU_ASSERT_EQUAL(memcmp(b.gradient, expected.gradient, bytes), 0);
    bench_release(&b);
    bench_release(&expected);
}

/* ---- tokens ---- */

/* As embedding, but its tensor has another name. */
static bool build_glyphs(struct layer *layer, struct tensor_table *table, struct error *error)
{
    const struct embedding *settings = layer->settings;
    size_t V = layer->vocabulary, C = settings->width;
    (void)error;
    layer_add_tensor(layer, table, "table", (struct tensor){.dims = 2, .shape = {V, C}, .role = TENSOR_EMBEDDING});
    layer->out = (struct shape){.dims = 2, .size = {layer->in.size[0], C}};
    return true;
}

/* The same rows as an image of one column: no matrix, which a head could share. */
static bool build_thick(struct layer *layer, struct tensor_table *table, struct error *error)
{
    bool ok = build_glyphs(layer, table, error);
    struct tensor *tensor = &table->tensors[layer->tensors[0]];
    tensor->dims = 3;
    tensor->shape[2] = 1;
    return ok;
}

static void forward_glyphs(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    layer_embedding.forward(layer, pass, x, y, saved);
}

static void backward_glyphs(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                            const float *saved, const float *dy, float *dx)
{
    layer_embedding.backward(layer, pass, x, y, saved, dy, dx);
}

#define GLYPHS(words, how)                                                                                             \
    {                                                                                                                  \
        .kind = {.name = (words), .help = "rows", .settings_bytes = sizeof(struct embedding)}, .build = (how),         \
        .forward = forward_glyphs, .backward = backward_glyphs, .takes_tokens = true,                                  \
    }
static const struct layer_class layer_glyphs = GLYPHS("glyphs", build_glyphs);
static const struct layer_class layer_thick = GLYPHS("thick", build_thick);

/* In one composition, with a position embedding behind it. */
static bool expand_front(struct model_builder *builder, const void *settings, struct error *error)
{
    struct position_embedding positions = {.init = INIT_GPT2};
    return model_builder_add(builder, &layer_glyphs, settings, "glyphs", error) &&
           model_builder_add(builder, &layer_position_embedding, &positions, "positions", error);
}
static bool expand_wrong(struct model_builder *builder, const void *settings, struct error *error)
{
    (void)settings;
    return model_builder_add(builder, &layer_relu, NULL, "relu", error);
}

#define FRONT(words, how)                                                                                              \
    {                                                                                                                  \
        .kind = {.name = (words), .help = "tokens and places", .settings_bytes = sizeof(struct embedding)},            \
        .expand = (how), .takes_tokens = true,                                                                         \
    }
static const struct layer_class layer_front = FRONT("front", expand_front);
static const struct layer_class layer_wrong = FRONT("wrong", expand_wrong);

#define OWN(name, c)                                                                                                   \
    {                                                                                                                  \
        .class = &layer_##name, .settings = &(struct embedding)                                                        \
        {                                                                                                              \
            .width = (c)                                                                                               \
        }                                                                                                              \
    }
#define CROSS_ENTROPY                                                                                                  \
    {                                                                                                                  \
        .class = &loss_softmax_cross_entropy                                                                           \
    }

static void count_final(void *context, size_t t)
{
    ((size_t *)context)[t]++;
}

/* A tied head's gradient and the embedding's are one, and it is said to be final once, as of each other tensor. */
static void a_head_shares_the_rows_of_whatever_layer_took_the_tokens(void)
{
    struct trial house = {.spec = MODEL(EMBEDDING(4), POSITION_EMBEDDING, DENSE(4), LM_HEAD(true)),
                          .form = TEXT(5, 7),
                          .loss = CROSS_ENTROPY,
                          .rows = 3};
    struct trial trials[] = {
        {.spec = MODEL(OWN(glyphs, 4), POSITION_EMBEDDING, DENSE(4), LM_HEAD(true))},
        {.spec = MODEL(OWN(front, 4), DENSE(4), LM_HEAD(true))},
    };
    struct bench b, expected;
    struct loss_sums sums, right;
    CU_ASSERT_TRUE_FATAL(bench_init(&expected, &house));
    model_train_leaf(&expected.model, expected.params, 0, expected.gradient, &right, NULL);
    for (size_t i = 0; i < COUNT(trials); i++) {
        size_t times[8] = {0};
        struct tensor_watch watch = {.is_final = count_final, .context = times};
        trials[i].form = house.form, trials[i].loss = house.loss, trials[i].rows = house.rows;
        CU_ASSERT_TRUE_FATAL(bench_init(&b, &trials[i]));
        CU_ASSERT_EQUAL_FATAL(b.model.table.length, expected.model.table.length);
        CU_ASSERT_EQUAL(b.model.layers[3].tensors[0], 0);
        size_t bytes = b.model.table.count * sizeof(float);
        memcpy(b.params, expected.params, bytes);
        model_train_leaf(&b.model, b.params, 0, b.gradient, &sums, &watch);
        CU_ASSERT_EQUAL(memcmp(&sums, &right, sizeof sums), 0);
        CU_ASSERT_EQUAL(memcmp(b.gradient, expected.gradient, bytes), 0);
        for (size_t t = 0; t < COUNT(times); t++)
            CU_ASSERT_EQUAL(times[t], t < b.model.table.length);
        bench_release(&b);
    }
    bench_release(&expected);
}

static void what_cannot_take_tokens_or_share_their_rows_is_refused(void)
{
    struct leaf_form text = TEXT(5, 7), floats = FEATURES(5, 4);
    struct model_spec wrong = MODEL(OWN(wrong, 4), LM_HEAD(true));
    struct model_spec late = MODEL(DENSE(4), OWN(front, 4));
    struct model_spec thick = MODEL(OWN(thick, 4), LM_HEAD(true));
    struct model_spec wide = MODEL(OWN(front, 4), DENSE(3), LM_HEAD(true));
    check_refused(&wrong, &text,
                  "model: 0.wrong.relu (relu): its inputs are tokens: let the model begin with {layer: embedding, "
                  "width: ...}");
    check_refused(&late, &floats,
                  "model: 1.front (front): its inputs are no tokens: an embedding can only be the first layer of a "
                  "model whose data is text");
    check_refused(&thick, &text,
                  "model: 1.lm_head (lm_head): tied, but the model has no embedding: say tied: false, or let the "
                  "model begin with {layer: embedding, width: ...}");
    check_refused(&wide, &text,
                  "model: 2.lm_head (lm_head): tied, but its own weight would be 7x3, and 0.front.glyphs.table is "
                  "7x4: say tied: false, or make the widths equal");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"an end without a begin is refused", an_end_without_a_begin_is_refused},
        {"a begin without an end is refused", a_begin_without_an_end_is_refused},
        {"more open connections than there is room for are refused",
         more_open_connections_than_there_is_room_for_are_refused},
        {"what has another shape than was remembered is not added",
         what_has_another_shape_than_was_remembered_is_not_added},
        {"own ends of a connection do what residual does", own_ends_of_a_connection_do_what_residual_does},
        {"a head shares the rows of whatever layer took the tokens",
         a_head_shares_the_rows_of_whatever_layer_took_the_tokens},
        {"what cannot take tokens or share their rows is refused",
         what_cannot_take_tokens_or_share_their_rows_is_refused},
        {NULL, NULL},
    };
    return test_run("nn/own_layers", cases);
}
