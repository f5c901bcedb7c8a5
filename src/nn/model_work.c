#include "nn/model_work.h"

static double of_tensors(const struct model *model, const struct layer *layer)
{
    double elements = 0;
    for (size_t k = 0; k < layer->tensor_count; k++)
        elements += (double)model->table.tensors[layer->tensors[k]].count;
    return elements * sizeof(float);
}

static struct work forward_of(const struct model *model, const struct layer *layer)
{
    const struct layer_class *class = layer->class;
    double in = (double)layer->inputs * sizeof(float), out = (double)layer->outputs * sizeof(float);
    if (class->skip == SKIP_ENDS)
        return (struct work){.bytes = 2 * in + out};
    if (class->skip == SKIP_APPENDS)
        return (struct work){.bytes = 2 * out};
    if (!class->forward)
        return (struct work){0};
    if (class->takes_tokens) /* of its table it reads the rows of the tokens */
        return (struct work){.bytes = 2 * out};
    return (struct work){.flops = layer->flops,
                         .bytes = in + out + (double)layer->saved / (double)layer->rows * sizeof(float),
                         .pass_bytes = of_tensors(model, layer)};
}

static struct work backward_of(const struct model *model, size_t l)
{
    const struct layer *layer = &model->layers[l];
    const struct layer_class *class = layer->class;
    const struct plan_step *step = &model->plan.steps[l];
    bool is_tiled = model->tile_rows > 0 && l + 1 == model->count;
    size_t dx_place = is_tiled ? model->plan.top_up : step->dx;
    double in = (double)layer->inputs * sizeof(float), out = (double)layer->outputs * sizeof(float);
    double dx = dx_place != PLAN_NONE ? 1 : 0, weights = of_tensors(model, layer), directions = dx;
    if (l < model->plan.stop)
        return (struct work){0};
    if (class->skip == SKIP_APPENDS)
        return (struct work){.bytes = 2 * out};
    if (step->dskip != PLAN_NONE)
        return (struct work){.bytes = 3 * in};
    if (!class->backward)
        return (struct work){.bytes = dx > 0 && step->dx != step->dy ? 2 * in : 0};
    if (class->takes_tokens) /* zeros all of the table's gradient, and adds to rows of it */
        return (struct work){.bytes = 2 * out, .pass_bytes = weights};
    directions += layer->tensor_count > 0 ? 1 : dx;
    return (struct work){.flops = directions * layer->flops,
                         .bytes = out + (class->needs_x ? in : 0) + (class->needs_y ? out : 0) + dx * in +
                                  (double)layer->saved / (double)layer->rows * sizeof(float),
                         .pass_bytes = (1 + dx) * weights};
}

struct layer_work model_layer_work(const struct model *model, size_t l)
{
    return (struct layer_work){.forward = forward_of(model, &model->layers[l]), .backward = backward_of(model, l)};
}

double model_flops(const struct model *model)
{
    double flops = 0;
    for (size_t l = 0; l < model->count; l++) {
        struct layer_work work = model_layer_work(model, l);
        flops += work.forward.flops + work.backward.flops;
    }
    return flops;
}
