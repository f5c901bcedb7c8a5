#include "nn/stepper.h"

#include "base/check.h"
#include "base/memory.h"

#include <string.h>

/* The tensor of the trained model that this one is, or has a row of. */
static const struct tensor *tensor_there(const struct stepper *stepper, const struct tensor *here)
{
    const struct tensor_table *table = &stepper->trained->table;
    for (size_t t = 0; t < table->length; t++)
        if (strcmp(table->tensors[t].name, here->name) == 0)
            return &table->tensors[t];
    CHECK(false, "one position has no tensors of its own");
}

static bool check_layers(const struct model *model, struct error *error)
{
    for (size_t l = 0; l < model->count; l++) {
        const struct layer *layer = &model->layers[l];
        const struct layer_class *class = layer->class;
        if (class->skip == SKIP_NONE && !class->by_position && (!class->forward_next || layer->sees_ahead))
            return error_set(error, ERROR_USAGE,
                             "model: %s needs several positions at once: text is generated one token at a time, by "
                             "layers that see each position alone, and causal attention",
                             layer->name);
    }
    return true;
}

/* Those that are the same for each position. */
static void take_params(struct stepper *stepper)
{
    const struct tensor_table *table = &stepper->model.table;
    for (size_t t = 0; t < table->length; t++) {
        const struct tensor *here = &table->tensors[t], *there = tensor_there(stepper, here);
        if (here->count == there->count)
            memcpy(stepper->params + here->offset, stepper->trained_params + there->offset,
                   here->count * sizeof *stepper->params);
    }
}

/* Those that have a row for each position: this one's. */
static void take_rows(struct stepper *stepper)
{
    const struct tensor_table *table = &stepper->model.table;
    for (size_t t = 0; t < table->length; t++) {
        const struct tensor *here = &table->tensors[t], *there = tensor_there(stepper, here);
        if (here->count != there->count)
            memcpy(stepper->params + here->offset,
                   stepper->trained_params + there->offset + stepper->past.count * here->count,
                   here->count * sizeof *stepper->params);
    }
}

static bool allocate(struct stepper *stepper, struct error *error)
{
    struct model *model = &stepper->model;
    stepper->params = memory_alloc(model->table.count, sizeof *stepper->params, "the weights", error);
    stepper->past.kept = memory_need(model->count, sizeof *stepper->past.kept);
    for (size_t l = 0; stepper->params && l < model->count; l++) {
        size_t keeps = model->layers[l].keeps;
        if (keeps == 0)
            continue;
        stepper->past.kept[l] = memory_alloc(stepper->past.most * keeps, sizeof(float), "what is kept", error);
        if (!stepper->past.kept[l])
            return false;
    }
    return stepper->params;
}

bool stepper_init(struct stepper *stepper, const struct model_spec *spec, const struct model *trained,
                  const float *params, struct error *error)
{
    struct leaf_form form = trained->form;
    CHECK(form.vocabulary > 0 && form.input.dims == 1, "a model of tokens");
    *stepper = (struct stepper){
        .trained = trained, .trained_params = params, .past = {.most = trained->form.input.size[0]}};
    form.input.size[0] = form.terms = 1;
    if (!model_init(&stepper->model, spec, &trained->loss, &form, 1, trained->seed, error))
        return false;
    if (!check_layers(&stepper->model, error) || !allocate(stepper, error)) {
        stepper_release(stepper);
        return false;
    }
    take_params(stepper);
    return true;
}

void stepper_release(struct stepper *stepper)
{
    for (size_t l = 0; stepper->past.kept && l < stepper->model.count; l++)
        memory_free(stepper->past.kept[l]);
    memory_free(stepper->past.kept);
    memory_free(stepper->params);
    if (stepper->model.layers)
        model_release(&stepper->model);
    *stepper = (struct stepper){0};
}

void stepper_restart(struct stepper *stepper)
{
    stepper->past.count = 0;
}

bool stepper_is_full(const struct stepper *stepper)
{
    return stepper->past.count == stepper->past.most;
}

static void see(void *context, const struct leaf *leaf, size_t first_term, size_t n, size_t width, const float *outputs)
{
    float *logits = context;
    (void)leaf, (void)first_term;
    if (logits)
        memcpy(logits, outputs, n * width * sizeof *logits);
}

void stepper_next(struct stepper *stepper, int32_t token, float *logits)
{
    struct model *model = &stepper->model;
    const struct output_watch viewer = {.see = see, .context = logits};
    CHECK(!stepper_is_full(stepper) && token >= 0 && (size_t)token < model->form.vocabulary, "a token, and room");
    take_rows(stepper);
    model->leaf.rows = 1;
    model->leaf.tokens[0] = token;
    model_predict_next(model, stepper->params, &stepper->past, &viewer);
    stepper->past.count++;
}
