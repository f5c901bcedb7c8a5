#include "nn/model.h"

#include "base/check.h"
#include "base/digest.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/timeline.h"
#include "nn/kernels/compute.h"
#include "nn/kernels/split.h"
#include "nn/kernels/threaded.h"
#include "nn/kernels/vector.h"
#include "nn/layers/concat.h"
#include "nn/model_build.h"

#include <limits.h>
#include <string.h>

#define TILE_FLOATS (1 << 18) /* of the last layer's output: a tile of 1 MB, or TILE_ROWS rows of it */
#define TILE_ROWS   64

/* ---- building ---- */

static bool build(struct model *model, const struct model_spec *spec, struct error *error)
{
    struct model_builder builder = {.compute = model->compute,
                                    .table = &model->table,
                                    .shape = model->form.input,
                                    .rows = model->rows,
                                    .vocabulary = model->form.vocabulary,
                                    .is_tokens = model->form.vocabulary > 0,
                                    .embedding = TENSOR_NONE};
    bool ok = model_builder_add_list(&builder, spec->layers, spec->count, error) &&
              model_builder_finish(&builder, error) && loss_check(&model->loss, &builder.shape, &model->form, error);
    model->layers = builder.layers;
    model->count = builder.count;
    for (size_t t = 0; ok && t < model->table.length; t++)
        if (model->table.tensors[t].count > INT_MAX)
            ok = error_set(error, ERROR_USAGE, "model: %s has %zu elements, more than products can count (%d)",
                           model->table.tensors[t].name, model->table.tensors[t].count, INT_MAX);
    if (ok && model->table.length == 0)
        ok = error_set(error, ERROR_USAGE, "model: none of its layers has anything to learn");
    if (ok)
        tensor_table_place(&model->table);
    return ok;
}

/* Offsets; who adds to a gradient that a later layer, whose backward comes first, has written; and who is the last to
 * add: the first layer that has the tensor. */
static void settle(struct model *model)
{
    bool *written = memory_need(model->table.length, sizeof *written);
    bool *seen = memory_need(model->table.length, sizeof *seen);
    for (size_t l = model->count; l-- > 0;) {
        struct layer *layer = &model->layers[l];
        for (size_t k = 0; k < layer->tensor_count; k++) {
            size_t t = layer->tensors[k];
            layer->offset[k] = model->table.tensors[t].offset;
            layer->adds[k] = written[t];
            written[t] = true;
        }
    }
    for (struct layer *layer = model->layers; layer < model->layers + model->count; layer++)
        for (size_t k = 0; k < layer->tensor_count; k++) {
            layer->finishes[k] = !seen[layer->tensors[k]];
            seen[layer->tensors[k]] = true;
        }
    memory_free(written);
    memory_free(seen);
}

static bool has_planes(const struct model *model)
{
    return !model->loss.class->point && model->loss.class->ranks_classes &&
           loss_has_planes(&model->layers[model->count - 1].out, &model->form);
}

/* A last layer that works on each position by itself is made in tiles, if no term of the loss needs several positions.
 */
static void choose_tiles(struct model *model)
{
    const struct layer *last = &model->layers[model->count - 1];
    size_t width = last->out.size[last->out.dims - 1], positions = last->outputs / width;
    size_t most = model->rows * positions;
    if (!last->class->forward_rows || model->terms % positions != 0)
        return;
    size_t rows = TILE_FLOATS / width > TILE_ROWS ? TILE_FLOATS / width : TILE_ROWS;
    model->tile_rows = rows < most ? rows : most;
}

static bool allocate_floats(float **floats, size_t count, struct error *error)
{
    *floats = memory_alloc(count, sizeof **floats, "a leaf's activations: a smaller microbatch needs less", error);
    return *floats != NULL;
}

bool model_allocate(struct model *model, struct error *error)
{
    const struct plan *plan = &model->plan;
    const struct layer *last = &model->layers[model->count - 1];
    if (!model->compute->reserve(model->compute, error) || (model->threaded && !threaded_start(model->threaded, error)))
        return false;
    model->outs = memory_need(plan->out_count, sizeof *model->outs);
    model->ups = memory_need(plan->up_count, sizeof *model->ups);
    model->saved = memory_need(model->count, sizeof *model->saved);
    for (size_t i = 0; i < plan->out_count; i++)
        if (!allocate_floats(&model->outs[i], model->rows * plan->out_floats[i], error))
            return false;
    for (size_t i = 0; i < plan->up_count; i++)
        if (!allocate_floats(&model->ups[i], model->rows * plan->up_floats[i], error))
            return false;
    for (size_t l = 0; l < model->count; l++) {
        size_t saved = model->layers[l].saved;
        if (saved > 0 && !allocate_floats(&model->saved[l], saved, error))
            return false;
    }
    if (has_planes(model) && !allocate_floats(&model->turned, model->rows * last->outputs, error))
        return false;
    return allocate_floats(&model->scratch, model->scratch_floats, error) &&
           allocate_floats(&model->tile, model->tile_rows * last->out.size[last->out.dims - 1], error) &&
           leaf_init(&model->leaf, &model->form, model->rows, error);
}

static double *copy_weights(const double *weights, size_t count)
{
    double *copy = weights ? memory_need(count, sizeof *copy) : NULL;
    if (weights)
        memcpy(copy, weights, count * sizeof *copy);
    return copy;
}

void model_weigh(struct model *model, const double *weights)
{
    memory_free(model->loss.class_weights);
    model->loss.class_weight_count = weights ? model->form.classes : 0;
    model->loss.class_weights = copy_weights(weights, model->loss.class_weight_count);
}

bool model_describe(struct model *model, const struct model_spec *spec, const struct loss_spec *loss,
                    const struct leaf_form *form, size_t rows, uint64_t seed, struct error *error)
{
    CHECK(spec->count > 0, "a model has layers");
    size_t threads = threads_of(spec->threads);
    *model = (struct model){.compute = compute_of(spec->gemm, spec->precision),
                            .rows = rows,
                            .form = *form,
                            .loss = *loss,
                            .terms = form->terms,
                            .seed = seed};
    if (threads > 1)
        model->compute = model->threaded = threaded_open(model->compute, threads);
    model->loss.settings = option_copy_settings(&loss->class->kind, loss->settings);
    model->loss.class_weights = copy_weights(loss->class_weights, loss->class_weight_count);
    if (!build(model, spec, error)) {
        model_release(model);
        return false;
    }
    if (loss_is_balanced(&model->loss))
        model_weigh(model, NULL);
    settle(model);
    choose_tiles(model);
    plan_init(&model->plan, model->layers, model->count, model->tile_rows > 0);
    for (size_t l = 0; l < model->count; l++)
        if (model->layers[l].scratch > model->scratch_floats)
            model->scratch_floats = model->layers[l].scratch;
    return true;
}

bool model_init(struct model *model, const struct model_spec *spec, const struct loss_spec *loss,
                const struct leaf_form *form, size_t rows, uint64_t seed, struct error *error)
{
    if (!model_describe(model, spec, loss, form, rows, seed, error))
        return false;
    if (!model_allocate(model, error)) {
        model_release(model);
        return false;
    }
    return true;
}

void model_release(struct model *model)
{
    for (size_t i = 0; model->outs && i < model->plan.out_count; i++)
        memory_free(model->outs[i]);
    for (size_t i = 0; model->ups && i < model->plan.up_count; i++)
        memory_free(model->ups[i]);
    for (size_t l = 0; model->saved && l < model->count; l++)
        memory_free(model->saved[l]);
    memory_free(model->outs);
    memory_free(model->ups);
    memory_free(model->saved);
    memory_free(model->scratch);
    memory_free(model->tile);
    memory_free(model->turned);
    leaf_release(&model->leaf);
    plan_release(&model->plan);
    if (model->loss.class)
        option_release_settings(&model->loss.class->kind, model->loss.settings);
    memory_free(model->loss.class_weights);
    for (size_t l = 0; l < model->count; l++)
        model_builder_release_layer(&model->layers[l]);
    memory_free(model->layers);
    tensor_table_release(&model->table);
    threaded_close(model->threaded);
    memset(model, 0, sizeof *model);
}

size_t model_bytes(const struct model *model)
{
    const struct layer *last = &model->layers[model->count - 1];
    size_t floats = model->scratch_floats + model->tile_rows * last->out.size[last->out.dims - 1];
    if (has_planes(model))
        floats += model->rows * last->outputs;
    for (size_t i = 0; i < model->plan.out_count; i++)
        floats += model->rows * model->plan.out_floats[i];
    for (size_t i = 0; i < model->plan.up_count; i++)
        floats += model->rows * model->plan.up_floats[i];
    for (size_t l = 0; l < model->count; l++)
        floats += model->layers[l].saved;
    return floats * sizeof(float);
}

/* ---- a leaf's pass ---- */

static float *buffer(float **buffers, size_t index)
{
    return index == PLAN_NONE ? NULL : buffers[index];
}

/* What the operation at this step reads: the leaf itself if nothing stands before it. */
static const float *input(const struct model *model, size_t l)
{
    size_t x = model->plan.steps[l].x;
    return x == PLAN_NONE ? model->leaf.inputs : model->outs[x];
}

/* Forward is about to go through this layer. */
static void tell_wanted(const struct layer *layer, const struct pass *pass)
{
    for (size_t k = 0; pass->watch && pass->watch->is_wanted && k < layer->tensor_count; k++)
        pass->watch->is_wanted(pass->watch->context, layer->tensors[k]);
}

static void forward(const struct model *model, const struct pass *pass, size_t end)
{
    for (size_t l = 0; l < end; l++) {
        const struct layer *layer = &model->layers[l];
        const struct plan_step *step = &model->plan.steps[l];
        tell_wanted(layer, pass);
        const float *x = input(model, l);
        float *y = buffer(model->outs, step->y);
        const float *skip = step->skip == PLAN_NONE ? model->leaf.inputs : model->outs[step->skip];
        timeline_begin_part(MARK_FORWARD, l);
        if (layer->class->skip == SKIP_ENDS)
            split_map_two(pass->compute, vector_add, pass->leaf->rows * layer->outputs, x, skip, y);
        else if (layer->class->skip == SKIP_APPENDS)
            concat_forward(layer, pass->leaf->rows, x, skip, y);
        else if (pass->past && layer->class->forward_next)
            layer->class->forward_next(layer, pass, x, y, pass->past->kept[l]);
        else if (layer->class->forward)
            layer->class->forward(layer, pass, x, y, model->saved[l]);
        timeline_end();
    }
}

/* Backward is through this layer: nobody adds any more to what it finishes. */
static void tell_final(const struct layer *layer, const struct pass *pass)
{
    for (size_t k = 0; pass->watch && k < layer->tensor_count; k++)
        if (layer->finishes[k])
            pass->watch->is_final(pass->watch->context, layer->tensors[k]);
}

/* The gradient through one operation, from `dy` to `dx`. */
static void backward_step(const struct model *model, const struct pass *pass, size_t l)
{
    const struct layer *layer = &model->layers[l];
    const struct plan_step *step = &model->plan.steps[l];
    const float *dy = buffer(model->ups, step->dy);
    float *dx = buffer(model->ups, step->dx);
    size_t count = pass->leaf->rows * layer->inputs;
    float *dskip = buffer(model->ups, step->dskip);
    if (layer->class->skip == SKIP_APPENDS)
        concat_backward(layer, pass->leaf->rows, dy, dx, dskip, step->adds);
    else if (dskip) /* where what has gone two ways comes together */
        split_map_two(pass->compute, vector_add, count, dy, dskip, dx);
    else if (layer->class->backward)
        layer->class->backward(layer, pass, input(model, l), buffer(model->outs, step->y), model->saved[l], dy, dx);
    else if (dx && dx != dy)
        memcpy(dx, dy, count * sizeof *dx);
}

static void backward(const struct model *model, const struct pass *pass, size_t end)
{
    for (size_t l = end; l-- > model->plan.stop;) { /* no tensor lies before the stop */
        timeline_begin_part(MARK_BACKWARD, l);
        backward_step(model, pass, l);
        timeline_end();
        tell_final(&model->layers[l], pass);
    }
}

/* Terms [first, first + n) of the leaf, with their outputs [n, width]: somebody may look, then the loss has them, if it
 * is wanted. */
static void take_loss(const struct model *model, const struct pass *pass, size_t first, size_t n, size_t width,
                      float *outputs, struct loss_sums *sums)
{
    if (pass->viewer)
        pass->viewer->see(pass->viewer->context, pass->leaf, first, n, width, outputs);
    if (!sums)
        return;
    timeline_begin(MARK_LOSS);
    loss_terms(&model->loss, pass->leaf, first, n, width, outputs, pass->gradient != NULL, sums);
    timeline_end();
}

/* The last layer, the loss, and the layer's gradient, tile by tile: its whole output never exists. */
static void run_tiles(const struct model *model, const struct pass *pass, struct loss_sums *sums)
{
    size_t l = model->count - 1;
    const struct layer *last = &model->layers[l];
    size_t width = last->out.size[last->out.dims - 1], positions = last->outputs / width;
    size_t n = pass->leaf->rows * positions, columns = last->inputs / positions, terms = model->terms / positions;
    const float *x = input(model, l);
    float *dx = buffer(model->ups, model->plan.top_up);
    tell_wanted(last, pass);
    for (size_t first = 0; first < n; first += model->tile_rows) {
        size_t rows = n - first < model->tile_rows ? n - first : model->tile_rows;
        timeline_begin_part(MARK_FORWARD, l);
        last->class->forward_rows(last, pass, rows, x + first * columns, model->tile);
        timeline_end();
        take_loss(model, pass, first * terms, rows * terms, width / terms, model->tile, sums);
        timeline_begin_part(MARK_BACKWARD, l);
        if (pass->gradient)
            last->class->backward_rows(last, pass, first == 0, rows, x + first * columns, model->tile,
                                       dx ? dx + first * columns : NULL);
        timeline_end();
    }
    if (pass->gradient)
        tell_final(last, pass);
}

/* Of each of so many samples: from [rows, columns] to [columns, rows]. */
static void turn(size_t samples, size_t rows, size_t columns, const float *from, float *to)
{
    for (size_t m = 0; m < samples; m++, from += rows * columns, to += rows * columns)
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < columns; c++)
                to[c * rows + r] = from[r * columns + c];
}

/* The same as run_loss, where the classes are planes. */
static void run_planes(const struct model *model, const struct pass *pass, struct loss_sums *sums)
{
    size_t l = model->count - 1, M = pass->leaf->rows, K = model->form.classes, T = model->terms;
    turn(M, K, T, model->outs[model->plan.steps[l].y], model->turned);
    take_loss(model, pass, 0, M * T, K, model->turned, sums);
    if (pass->gradient)
        turn(M, T, K, model->turned, model->ups[model->plan.top_up]);
}

/* The loss of an output that exists as a whole. The output is needed no more, but its layer may read it. */
static void run_loss(const struct model *model, const struct pass *pass, struct loss_sums *sums)
{
    const struct layer *last = &model->layers[model->count - 1];
    size_t count = pass->leaf->rows * last->outputs, terms = pass->leaf->rows * model->terms;
    float *top = model->ups[model->plan.top_up];
    memcpy(top, model->outs[model->plan.steps[model->count - 1].y], count * sizeof *top);
    take_loss(model, pass, 0, terms, count / terms, top, sums);
}

/* sums NULL: the loss is not wanted. */
static void run(const struct model *model, const struct pass *pass, struct loss_sums *sums)
{
    bool tiled = model->tile_rows > 0;
    size_t end = model->count - (tiled ? 1 : 0);
    if (sums)
        *sums = (struct loss_sums){0};
    forward(model, pass, end);
    (tiled ? run_tiles : model->turned ? run_planes : run_loss)(model, pass, sums);
    if (pass->gradient)
        backward(model, pass, end);
}

void model_train_leaf(struct model *model, const float *params, uint64_t step, float *gradient, struct loss_sums *sums,
                      const struct tensor_watch *watch)
{
    struct pass pass = {.compute = model->compute,
                        .params = params,
                        .gradient = gradient,
                        .leaf = &model->leaf,
                        .scratch = model->scratch,
                        .training = true,
                        .drop_key = digest_chain(rng_key(model->seed, "dropout"), step),
                        .statistic_weight = (float)(model->leaf.rows * model->terms),
                        .watch = watch};
    run(model, &pass, sums);
}

void model_evaluate_leaf(struct model *model, const float *params, struct loss_sums *sums,
                         const struct output_watch *viewer)
{
    struct pass pass = {
        .compute = model->compute, .params = params, .leaf = &model->leaf, .scratch = model->scratch, .viewer = viewer};
    run(model, &pass, sums);
}

void model_predict_leaf(struct model *model, const float *params, const struct output_watch *viewer)
{
    struct pass pass = {
        .compute = model->compute, .params = params, .leaf = &model->leaf, .scratch = model->scratch, .viewer = viewer};
    run(model, &pass, NULL);
}

void model_predict_next(struct model *model, const float *params, const struct past *past,
                        const struct output_watch *viewer)
{
    struct pass pass = {.compute = model->compute,
                        .params = params,
                        .leaf = &model->leaf,
                        .scratch = model->scratch,
                        .viewer = viewer,
                        .past = past};
    run(model, &pass, NULL);
}
