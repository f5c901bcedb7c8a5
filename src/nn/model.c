#include "nn/model.h"

#include "base/memory.h"

#include <limits.h>
#include <string.h>

static bool build(struct model *model, const struct layer_spec *specs, size_t classes, struct error *error)
{
    size_t width = model->inputs;
    for (size_t l = 0; l < model->count; l++) {
        struct layer *layer = &model->layers[l];
        *layer = (struct layer){.class = layer_classes[specs[l].kind], .spec = specs[l], .inputs = width};
        layer->class->build(layer, l, &model->table);
        width = layer->outputs;
    }
    model->outputs = width;
    if (width != classes)
        return error_set(error, ERROR_USAGE,
                         "model: the last layer has %zu outputs, but the data has %zu classes: give it units: %zu",
                         width, classes, classes);
    for (size_t t = 0; t < model->table.length; t++)
        if (model->table.tensors[t].count > INT_MAX)
            return error_set(error, ERROR_USAGE, "model: %s has %zu elements, more than BLAS can count (%d)",
                             model->table.tensors[t].name, model->table.tensors[t].count, INT_MAX);
    return true;
}

bool model_init(struct model *model, const struct layer_spec *specs, size_t count, enum loss_kind loss, size_t rows,
                size_t inputs, size_t classes, struct error *error)
{
    static const char what[] = "a leaf's activations: a smaller microbatch needs less";
    *model = (struct model){.count = count, .rows = rows, .inputs = inputs, .loss = loss};
    model->layers = memory_need(count, sizeof *model->layers);
    model->outs = memory_need(count, sizeof *model->outs);
    if (!build(model, specs, classes, error))
        goto failed;
    size_t sum = 0, widest = 0;
    for (size_t l = 0; l < count; l++) {
        size_t width = (model->layers[l].outputs + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
        sum += width;
        widest = width > widest ? width : widest;
    }
    model->input = memory_alloc(rows * inputs, sizeof(float), what, error);
    model->labels = memory_need(rows, sizeof *model->labels);
    float *outs = model->outs[0] = memory_alloc(rows * sum, sizeof(float), what, error);
    model->ups[0] = memory_alloc(rows * widest, sizeof(float), what, error);
    model->ups[1] = memory_alloc(rows * widest, sizeof(float), what, error);
    if (!model->input || !outs || !model->ups[0] || !model->ups[1])
        goto failed;
    for (size_t l = 0; l < count; l++) {
        model->outs[l] = outs;
        outs += rows * ((model->layers[l].outputs + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN);
    }
    return true;
failed:
    model_release(model);
    return false;
}

void model_release(struct model *model)
{
    tensor_table_release(&model->table);
    memory_free(model->layers);
    memory_free(model->input);
    memory_free(model->labels);
    if (model->outs)
        memory_free(model->outs[0]);
    memory_free(model->outs);
    memory_free(model->ups[0]);
    memory_free(model->ups[1]);
    memset(model, 0, sizeof *model);
}

static const float *forward(struct model *model, const float *params, size_t rows)
{
    const float *x = model->input;
    for (size_t l = 0; l < model->count; l++) {
        const struct layer *layer = &model->layers[l];
        layer->class->forward(layer, params, rows, x, model->outs[l]);
        x = model->outs[l];
    }
    return x;
}

void model_evaluate_leaf(struct model *model, const float *params, size_t rows, double *loss, double *hits)
{
    const float *logits = forward(model, params, rows);
    loss_softmax_cross_entropy(rows, model->outputs, logits, model->labels, loss, hits, NULL);
}

void model_train_leaf(struct model *model, const float *params, size_t rows, float *gradient, double *loss,
                      double *hits)
{
    const float *logits = forward(model, params, rows);
    float *dy = model->ups[0], *dx = model->ups[1];
    loss_softmax_cross_entropy(rows, model->outputs, logits, model->labels, loss, hits, dy);
    for (size_t l = model->count; l-- > 0;) {
        const struct layer *layer = &model->layers[l];
        const float *x = l > 0 ? model->outs[l - 1] : model->input;
        layer->class->backward(layer, params, rows, x, model->outs[l], dy, l > 0 ? dx : NULL, gradient);
        float *swap = dy;
        dy = dx;
        dx = swap;
    }
}
