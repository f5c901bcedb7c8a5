/* The list of layers of a job: keys and defaults of each kind, and lists in lists. */
#include "job/job_support.h"
#include "nn/layers/attention.h"
#include "nn/layers/batch_norm.h"
#include "nn/layers/conv2d.h"
#include "nn/layers/gelu.h"
#include "nn/layers/group_norm.h"
#include "nn/layers/lm_head.h"
#include "nn/layers/pool.h"
#include "nn/layers/repeat.h"
#include "nn/layers/transformer.h"

/* Parses the smallest job with this model. */
static bool parse_model(struct job *job, const char *model)
{
    struct text override = {0};
    text_append(&override, "model=%s", model);
    bool ok = PARSE(job, SMALLEST, text_bytes(&override));
    text_release(&override);
    return ok;
}

/* What a layer is given, and what it is with all its defaults, as written. */
static const struct {
    const struct layer_class *class;
    const char *given, *written; /* NULL: nothing but the kind */
} kinds[] = {
    {&layer_dense, "units: 3", "units: 3, bias: true, init: default"},
    {&layer_dense, "units: 3, bias: no, init: zeros", "units: 3, bias: false, init: zeros"},
    {&layer_conv2d, "filters: 8, kernel: 3",
     "filters: 8, kernel: 3, stride: 1, padding: valid, bias: true, init: default"},
    {&layer_conv2d, "filters: 8, kernel: 3, stride: 2, padding: same, bias: false, init: kaiming_normal",
     "filters: 8, kernel: 3, stride: 2, padding: same, bias: false, init: kaiming_normal"},
    {&layer_conv2d, "filters: 8, kernel: 3, padding: 2",
     "filters: 8, kernel: 3, stride: 1, padding: 2, bias: true, init: default"},
    {&layer_conv2d, "filters: 8, kernel: 3, padding: 0",
     "filters: 8, kernel: 3, stride: 1, padding: valid, bias: true, init: default"},
    {&layer_conv3d, "filters: 8, kernel: 3, padding: 1",
     "filters: 8, kernel: 3, stride: 1, padding: 1, bias: true, init: default"},
    {&layer_conv1d, "filters: 8, kernel: 3, padding: same",
     "filters: 8, kernel: 3, stride: 1, padding: same, bias: true, init: default"},
    {&layer_max_pool, "size: 2", "size: 2, stride: 2"},
    {&layer_avg_pool, "stride: 1, size: 3", "size: 3, stride: 1"},
    {&layer_global_avg_pool, NULL, NULL},
    {&layer_upsample, NULL, "factor: 2, mode: nearest"},
    {&layer_upsample, "factor: 3, mode: linear", "factor: 3, mode: linear"},
    {&layer_flatten, NULL, NULL},
    {&layer_relu, NULL, NULL},
    {&layer_gelu, NULL, "form: exact"},
    {&layer_gelu, "form: tanh", "form: tanh"},
    {&layer_tanh, NULL, NULL},
    {&layer_sigmoid, NULL, NULL},
    {&layer_silu, NULL, NULL},
    {&layer_dropout, "rate: 0.5", "rate: 0.5"},
    {&layer_layer_norm, NULL, "epsilon: 1.0e-05"},
    {&layer_rms_norm, "epsilon: 1e-6", "epsilon: 1.0e-06"},
    {&layer_group_norm, "groups: 4", "groups: 4, epsilon: 1.0e-05"},
    {&layer_batch_norm, NULL, "momentum: 0.1, epsilon: 1.0e-05"},
    {&layer_residual, "layers: [{layer: relu}]", "layers: [{layer: relu}]"},
    {&layer_concat, "with: a", "with: a"},
    {&layer_dense, "name: a, units: 3", "name: a, units: 3, bias: true, init: default"},
    {&layer_repeat, "times: 3, layers: [{layer: relu}, {layer: max_pool, size: 2}]",
     "times: 3, layers: [{layer: relu}, {layer: max_pool, size: 2, stride: 2}]"},
    {&layer_embedding, "width: 128", "width: 128, init: gpt2"},
    {&layer_position_embedding, NULL, "init: gpt2"},
    {&layer_attention, "heads: 4", "heads: 4, causal: true, dropout: 0.0, bias: true, init: xavier_uniform"},
    {&layer_transformer, "blocks: 2, heads: 4",
     "blocks: 2, heads: 4, ratio: 4.0, causal: true, dropout: 0.0, gelu: exact, bias: true, init: xavier_uniform"},
    {&layer_transformer,
     "blocks: 2, heads: 4, ratio: 2.5, causal: no, dropout: 0.2, gelu: tanh, bias: no, init: xavier_uniform",
     "blocks: 2, heads: 4, ratio: 2.5, causal: false, dropout: 0.2, gelu: tanh, bias: false, init: xavier_uniform"},
    {&layer_lm_head, NULL, "tied: true, bias: false, init: gpt2"},
};

static void test_kinds(void)
{
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const char *name = kinds[i].class->kind.name;
        const char *given = kinds[i].given, *written = kinds[i].written;
        struct job job;
        struct text model = {0}, expected = {0}, yaml = {0};
        text_append(&model, "[{layer: %s%s%s}]", name, given ? ", " : "", given ? given : "");
        text_append(&expected, "model:\n  - {layer: %s%s%s}\nloss", name, written ? ", " : "", written ? written : "");
        if (parse_model(&job, text_bytes(&model))) {
            CU_ASSERT_PTR_EQUAL(job.model.layers[0].class, kinds[i].class);
            job_write(&job, &yaml);
            bool found = strstr(text_bytes(&yaml), text_bytes(&expected));
            if (!found)
                printf("    expected: %s\n    in: %s\n", text_bytes(&expected), text_bytes(&yaml));
            CU_ASSERT_TRUE(found);
            check_round_trip(&job, NULL);
            job_release(&job);
        }
        text_release(&model);
        text_release(&expected);
        text_release(&yaml);
    }
}

static void test_no_kind_is_forgotten(void)
{
    for (size_t k = 0; layer_registry.kinds[k]; k++) {
        bool found = false;
        for (size_t i = 0; i < COUNT(kinds); i++)
            found |= &kinds[i].class->kind == layer_registry.kinds[k];
        CU_ASSERT_TRUE(found);
    }
}

static void test_fields(void)
{
    struct job job;
    if (!parse_model(&job, "[{layer: conv2d, filters: 8, kernel: 5, stride: 2, padding: same},"
                           "{layer: conv2d, filters: 8, kernel: 5}, {layer: max_pool, size: 3},"
                           "{layer: gelu, form: tanh}, {layer: batch_norm}, {layer: group_norm, groups: 2},"
                           "{layer: attention, heads: 2, dropout: 0.1}, {layer: transformer, blocks: 3, heads: 5},"
                           "{layer: lm_head}]"))
        return;
    const struct layer_spec *layers = job.model.layers;
    CU_ASSERT_EQUAL_FATAL(job.model.count, 9);
    const struct conv2d *conv = layers[0].settings;
    CU_ASSERT(conv->filters == 8 && conv->kernel == 5 && conv->stride == 2);
    CU_ASSERT(conv->padding == PADDING_SAME && conv->bias && conv->init == INIT_DEFAULT);
    conv = layers[1].settings;
    CU_ASSERT(conv->stride == 1 && conv->padding == 0);
    const struct pool *pool = layers[2].settings;
    CU_ASSERT(pool->size == 3 && pool->stride == 3);
    CU_ASSERT_EQUAL(SETTINGS(gelu, layers[3])->form, GELU_TANH);
    const struct batch_norm *norm = layers[4].settings;
    CU_ASSERT(norm->momentum == 0.1 && norm->epsilon == 1e-5);
    CU_ASSERT(SETTINGS(group_norm, layers[5])->groups == 2 && SETTINGS(group_norm, layers[5])->epsilon == 1e-5);
    const struct attention *attention = layers[6].settings;
    CU_ASSERT(attention->heads == 2 && attention->dropout == 0.1 && attention->causal);
    CU_ASSERT_EQUAL(attention->init, INIT_XAVIER_UNIFORM);
    const struct transformer *transformer = layers[7].settings;
    CU_ASSERT(transformer->blocks == 3 && transformer->heads == 5 && transformer->ratio == 4);
    CU_ASSERT(transformer->gelu == GELU_EXACT && transformer->dropout == 0 && transformer->causal && transformer->bias);
    const struct lm_head *head = layers[8].settings;
    CU_ASSERT(head->tied && !head->bias && head->init == INIT_GPT2);
    job_release(&job);
}

static void test_nested(void)
{
    struct job job;
    if (!PARSE(&job, SMALLEST,
               "model=[{layer: residual, layers: [{layer: conv2d, filters: 4, kernel: 3, padding: same}, {layer: relu},"
               " {layer: repeat, times: 2, layers: [{layer: dense, units: 7}]}]}, {layer: dense, units: 10}]",
               "model.0.layers.2.times=5", "model.0.layers.2.layers.0.units=8",
               "model.0.layers.1={layer: dropout, rate: 0}"))
        return;
    CU_ASSERT_EQUAL_FATAL(job.model.count, 2);
    const struct residual *residual = job.model.layers[0].settings;
    CU_ASSERT_EQUAL_FATAL(residual->count, 3);
    CU_ASSERT(residual->layers[0].class == &layer_conv2d && residual->layers[1].class == &layer_dropout);
    const struct repeat *repeat = residual->layers[2].settings;
    CU_ASSERT(repeat->times == 5 && repeat->count == 1 && SETTINGS(dense, repeat->layers[0])->units == 8);
    CU_ASSERT_PTR_EQUAL(job.model.layers[1].class, &layer_dense);
    check_round_trip(&job, NULL);
    job_release(&job);
}

/* A residual in a residual in ..., `depth` lists in the list of the model. */
static void nest(size_t depth, struct text *model)
{
    text_append(model, "[");
    for (size_t i = 0; i < depth; i++)
        text_append(model, "{layer: residual, layers: [");
    text_append(model, "{layer: relu}");
    for (size_t i = 0; i < depth; i++)
        text_append(model, "]}");
    text_append(model, "]");
}

static void test_depth(void)
{
    struct job job;
    struct error error = {0};
    struct text model = {0};
    nest(8, &model);
    if (parse_model(&job, text_bytes(&model))) {
        check_round_trip(&job, NULL);
        job_release(&job);
    }
    text_release(&model);
    text_append(&model, "model=");
    nest(9, &model);
    const char *override = text_bytes(&model);
    CU_ASSERT_FALSE(job_parse(&job, "job.yaml", SMALLEST, &override, 1, &error));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(error.text, ": model.0.layers.0.layers.0.layers.0.layers.0.layers.0.layers.0.layers.0.layers.0.layers: "
                           "lists are nested too deep here; allowed: 8 in each other"));
    text_release(&model);
}

/* The deepest place with the most digits that a job can have: its path fits, and so does what is wrong there. */
static void test_longest_path(void)
{
    struct job job;
    struct error error = {0};
    struct text model = {0};
    size_t depth = 8, before = 9991;
    text_append(&model, "model=[");
    for (size_t i = 0; i < before; i++)
        text_append(&model, "{layer: relu}, ");
    for (size_t i = 0; i < depth; i++)
        text_append(&model, "{layer: residual, layers: [");
    text_append(&model, "{layer: batch_norm, momentum: 2}");
    for (size_t i = 0; i < depth; i++)
        text_append(&model, "]}");
    text_append(&model, "]");
    const char *override = text_bytes(&model);
    CU_ASSERT_FALSE(job_parse(&job, "job.yaml", SMALLEST, &override, 1, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, ": model.9991.layers.0."));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, ".layers.0.momentum: '2' is out of range; allowed: more than 0 to 1"));
    text_release(&model);
}

#define REST "run: out\ndata: {train: {format: digits}}\ntrain: {steps: 1, batch: 1}\n"

static void test_aliases(void)
{
    static const struct refusal refusals[] = {
        {REST "model: &a [{layer: residual, layers: *a}]\n", NULL,
         "job.yaml:4:8: model.0.layers.0.layers.0.layers.0.layers.0.layers.0.layers.0.layers.0.layers.0.layers: lists "
         "are nested too deep here; allowed: 8 in each other"},
        {REST "model: [&a {layer: repeat, times: 1, layers: [*a, *a]}]\n", NULL,
         "job.yaml:4:46: model.0.layers.0.layers.0.layers.0.layers.0.layers.0.layers.0.layers.0.layers.0.layers: lists "
         "are nested too deep here; allowed: 8 in each other"},
        {REST "model:\n"
              "  - &a {layer: residual, layers: [{layer: relu}, {layer: relu}, {layer: relu}, {layer: relu}]}\n"
              "  - &b {layer: residual, layers: [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]}\n"
              "  - &c {layer: residual, layers: [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]}\n"
              "  - &d {layer: residual, layers: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]}\n"
              "  - &e {layer: residual, layers: [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]}\n",
         NULL,
         "job.yaml:5:34: model.4.layers.0.layers.8.layers.4.layers.0.layers: the lists of this job have more than "
         "10000 items"},
    };
    CHECK_REFUSALS(refusals);
}

static void test_shared_list(void)
{
    struct job job;
    if (!PARSE(&job,
               REST "optimizer: {name: sgd, learning_rate: 1}\n"
                    "model: [&a {layer: residual, layers: [{layer: dense, units: 4}]}, *a]\n",
               "model.1.layers.0.units=5"))
        return;
    CU_ASSERT_EQUAL(SETTINGS(dense, SETTINGS(residual, job.model.layers[0])->layers[0])->units, 4);
    CU_ASSERT_EQUAL(SETTINGS(dense, SETTINGS(residual, job.model.layers[1])->layers[0])->units, 5);
    check_round_trip(&job, NULL);
    job_release(&job);
}

/* libyaml looks ahead only so far for the end of a key; a long item must not be taken for one. */
static void test_long_lines(void)
{
    struct job job;
    struct text model = {0};
    text_append(&model, "[{layer: residual, layers: [{layer: relu}");
    for (int i = 0; i < 500; i++)
        text_append(&model, ", {layer: conv2d, filters: %d, kernel: 3}", i + 1);
    text_append(&model, "]}]");
    if (parse_model(&job, text_bytes(&model))) {
        const struct residual *residual = job.model.layers[0].settings;
        CU_ASSERT(residual->count == 501 && SETTINGS(conv2d, residual->layers[500])->filters == 500);
        check_round_trip(&job, NULL);
        job_release(&job);
    }
    text_release(&model);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"each kind has its keys and defaults, and reads back to the same bytes", test_kinds},
        {"no kind is forgotten here", test_no_kind_is_forgotten},
        {"the keys of layers reach their fields", test_fields},
        {"lists of layers nest, and overrides lead into them", test_nested},
        {"a list that is nested too deep is refused", test_depth},
        {"the longest path fits", test_longest_path},
        {"aliases that contain themselves or multiply are refused", test_aliases},
        {"an override in a list does not change what shares an anchor with it", test_shared_list},
        {"a layer may take a long line", test_long_lines},
        {NULL, NULL},
    };
    return test_run("job/job_layers", cases);
}
