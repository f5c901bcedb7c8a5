#include "export/onnx.h"

#include "base/memory.h"
#include "export/onnx_layers.h"
#include "export/protobuf.h"
#include "weights/probabilities.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define IR_VERSION 8
#define OPSET      17

enum {
    MODEL_IR = 1,
    MODEL_PRODUCER = 2,
    MODEL_PRODUCER_VERSION = 3,
    MODEL_WORDS = 6,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_METADATA = 14
};
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum { OPSET_DOMAIN = 1, OPSET_VERSION = 2 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2, TYPE_TENSOR = 1, TENSOR_ELEMENTS = 1, TENSOR_SHAPE = 2, SHAPE_SIZE = 1 };
enum { SIZE_NUMBER = 1, SIZE_NAME = 2 };

/* A value of the graph that has a name outside: [N, shape]. */
static void add_value(struct text *graph, unsigned field, const char *name, int type, const struct shape *shape)
{
    struct text value, outer, tensor, sizes, size;
    text_init(&value);
    text_init(&outer);
    text_init(&tensor);
    text_init(&sizes);
    text_init(&size);
    protobuf_text(&size, SIZE_NAME, "N");
    protobuf_message(&sizes, SHAPE_SIZE, &size);
    for (size_t d = 0; d < shape->dims; d++) {
        protobuf_whole(&size, SIZE_NUMBER, (int64_t)shape->size[d]);
        protobuf_message(&sizes, SHAPE_SIZE, &size);
    }
    protobuf_whole(&tensor, TENSOR_ELEMENTS, type);
    protobuf_message(&tensor, TENSOR_SHAPE, &sizes);
    protobuf_message(&outer, TYPE_TENSOR, &tensor);
    protobuf_text(&value, VALUE_NAME, name);
    protobuf_message(&value, VALUE_TYPE, &outer);
    protobuf_message(graph, field, &value);
}

/* The classes of a term lie behind each other, whatever the shape. */
static void add_probabilities(struct onnx_step *step, const struct probabilities *own)
{
    const struct shape *out = &step->layer->out;
    int64_t shape[5] = {-1, (int64_t)out->size[0], (int64_t)out->size[1], (int64_t)out->size[2], (int64_t)out->size[3]};
    char terms[ONNX_NAME], back[ONNX_NAME], inputs[2 * ONNX_NAME];
    if (own->sigmoid) {
        onnx_node(step, "Sigmoid", "outputs", "y");
        return;
    }
    if (own->planes) {
        onnx_whole(step, "axis", 1);
        onnx_node(step, "Softmax", "outputs", "y");
        return;
    }
    onnx_wholes(step, 2, (int64_t[]){-1, (int64_t)own->width}, terms);
    onnx_wholes(step, out->dims + 1, shape, back);
    snprintf(inputs, sizeof inputs, "outputs %s", terms);
    onnx_node(step, "Reshape", inputs, "y.terms");
    onnx_whole(step, "axis", 1);
    onnx_node(step, "Softmax", "y.terms", "y.shares");
    snprintf(inputs, sizeof inputs, "y.shares %s", back);
    onnx_node(step, "Reshape", inputs, "y");
}

static const char *input_name(const struct export_request *request)
{
    if (request->model->form.vocabulary > 0)
        return "tokens";
    return request->inputs.columns > 0 ? "x.standard" : "x";
}

#define VALUE_NAME_BYTES 40

static void name_value(const struct export_request *request, const struct graph *graph, size_t value,
                       char name[VALUE_NAME_BYTES])
{
    bool is_changed = request->softmax || request->targets.columns > 0;
    if (value == 0)
        snprintf(name, VALUE_NAME_BYTES, "%s", input_name(request));
    else if (value == graph->output)
        snprintf(name, VALUE_NAME_BYTES, "%s", is_changed ? "outputs" : "y");
    else if (value == GRAPH_NONE)
        name[0] = '\0';
    else
        snprintf(name, VALUE_NAME_BYTES, "v%zu", value);
}

/* (x - mean) * (1 / scale), and outputs * scale + mean: as training and predict do it, in floats. */
static void add_standard(struct onnx_step *step, const struct export_standard *standard, const char *name,
                         const size_t *shape, size_t dims, bool back)
{
    char mean[ONNX_NAME], factor[ONNX_NAME], inputs[3 * ONNX_NAME], between[ONNX_NAME];
    float *factors = memory_need(standard->columns, sizeof *factors);
    for (size_t c = 0; c < standard->columns; c++)
        factors[c] = back ? standard->scale[c] : 1 / standard->scale[c];
    snprintf(mean, sizeof mean, "%s.mean", name);
    snprintf(factor, sizeof factor, "%s.factor", name);
    snprintf(between, sizeof between, "%s.between", name);
    onnx_initializer(step->graph, mean, dims, shape, ONNX_FLOAT, standard->mean, standard->columns * sizeof(float));
    onnx_initializer(step->graph, factor, dims, shape, ONNX_FLOAT, factors, standard->columns * sizeof(float));
    snprintf(inputs, sizeof inputs, "%s %s", name, back ? factor : mean);
    onnx_node(step, back ? "Mul" : "Sub", inputs, between);
    snprintf(inputs, sizeof inputs, "%s %s", between, back ? mean : factor);
    onnx_node(step, back ? "Add" : "Mul", inputs, back ? "y" : "x.standard");
    memory_free(factors);
}

/* All operations, and what comes in front of them and behind. */
static bool add_nodes(const struct export_request *request, const struct graph *graph, const struct probabilities *own,
                      struct text *out, struct error *error)
{
    size_t constants = 0;
    struct onnx_step step = {.table = &request->model->table, .graph = out, .constants = &constants};
    const struct shape *out_shape = &request->model->layers[request->model->count - 1].out;
    step.layer = &request->model->layers[0];
    if (request->inputs.columns > 0)
        add_standard(&step, &request->inputs, "x", (const size_t[]){request->inputs.columns, 1, 1, 1},
                     request->model->form.input.dims > 2 ? request->model->form.input.dims : 1, false);
    for (size_t s = 0; s < graph->count; s++) {
        char x[VALUE_NAME_BYTES], y[VALUE_NAME_BYTES], skip[VALUE_NAME_BYTES];
        name_value(request, graph, graph->steps[s].x, x);
        name_value(request, graph, graph->steps[s].y, y);
        name_value(request, graph, graph->steps[s].skip, skip);
        step.layer = graph->steps[s].layer;
        step.x = x, step.y = y, step.skip = skip;
        if (!onnx_layer(&step))
            return error_set(error, ERROR_USAGE, "%s: nobody has said yet what %s is in ONNX: use another format",
                             step.layer->name, step.layer->class->kind.name);
    }
    if (request->softmax)
        add_probabilities(&step, own);
    else if (request->targets.columns > 0)
        add_standard(&step, &request->targets, "outputs", out_shape->size, out_shape->dims, true);
    return true;
}

static bool add_graph(const struct export_request *request, struct text *out, struct error *error)
{
    const struct model *model = request->model;
    struct probabilities own = {0};
    struct graph graph;
    if (request->softmax && !probabilities_of(model, &own, error))
        return false;
    graph_init(&graph, model);
    bool ok = add_nodes(request, &graph, &own, out, error);
    bool tokens = model->form.vocabulary > 0;
    protobuf_text(out, GRAPH_NAME, request->name);
    for (size_t t = 0; ok && t < model->table.length; t++) {
        const struct tensor *tensor = &model->table.tensors[t];
        onnx_initializer(out, tensor->name, tensor->dims, tensor->shape, ONNX_FLOAT, request->params + tensor->offset,
                         tensor->count * sizeof(float));
    }
    add_value(out, GRAPH_INPUT, tokens ? "tokens" : "x", tokens ? ONNX_INT64 : ONNX_FLOAT, &model->form.input);
    add_value(out, GRAPH_OUTPUT, "y", ONNX_FLOAT, &model->layers[model->count - 1].out);
    graph_release(&graph);
    return ok;
}

/* classes: ["ant", "bee"]. */
static void add_names(const struct export_names *names, struct text *file)
{
    struct text entry, list;
    text_init(&entry);
    text_init(&list);
    for (size_t i = 0; i < names->count; i++) {
        text_append(&list, i == 0 ? "[" : ", ");
        text_append_json(&list, names->names[i]);
    }
    text_append(&list, "]");
    protobuf_text(&entry, ENTRY_KEY, names->of);
    protobuf_text(&entry, ENTRY_VALUE, text_bytes(&list));
    protobuf_message(file, MODEL_METADATA, &entry);
    text_release(&list);
}

bool onnx_model(const struct export_request *request, struct text *file, struct error *error)
{
    struct text graph, opset;
    text_init(&graph);
    text_init(&opset);
    bool ok = add_graph(request, &graph, error);
    if (ok && graph.length > INT_MAX - 4096)
        ok = error_set(error, ERROR_USAGE, "a file of ONNX holds at most 2 GB, and this one would have %zu bytes",
                       graph.length);
    if (ok) {
        protobuf_whole(file, MODEL_IR, IR_VERSION);
        protobuf_text(file, MODEL_PRODUCER, "lockstep");
        protobuf_text(file, MODEL_PRODUCER_VERSION, LOCKSTEP_VERSION);
        protobuf_text(file, MODEL_WORDS, request->origin);
        protobuf_text(&opset, OPSET_DOMAIN, "");
        protobuf_whole(&opset, OPSET_VERSION, OPSET);
        protobuf_message(file, MODEL_OPSET, &opset);
        protobuf_message(file, MODEL_GRAPH, &graph);
        for (size_t i = 0; i < request->name_lists; i++)
            if (request->names[i].count > 0)
                add_names(&request->names[i], file);
    }
    text_release(&graph);
    text_release(&opset);
    return ok;
}
