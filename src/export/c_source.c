#include "export/c_source.h"

#include "base/check.h"
#include "base/memory.h"
#include "export/c_layers.h"
#include "nn/layers/layers.h"
#include "weights/probabilities.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define PLACE       32 /* bytes of an expression */
#define LINE_FLOATS 90 /* bytes of a line, behind which another one begins */

/* Where values lie while the function works: each in one of a few buffers, which are used again. */
struct buffer {
    size_t floats;
    size_t value; /* that it holds; GRAPH_NONE: it is free */
};

struct writer {
    const struct export_request *request;
    struct graph graph;
    struct text *out;
    size_t *root;  /* [values] the value whose place this one has: its own, or that of what it is made of */
    size_t *last;  /* [values] of roots: the last step that reads it; count: the output */
    size_t *place; /* [values] of roots: buffer; GRAPH_NONE: the input or the output */
    struct buffer *buffers;
    size_t buffer_count, buffer_capacity;
    size_t end; /* the root that is the output */
    char name[64], macro[64];
};

/* ---- where values lie ---- */

static bool does_nothing(const struct graph_step *step)
{
    const struct c_layer *what = c_layer_of(step->layer->class);
    return !what->function && !what->call;
}

static void find_lives(struct writer *writer)
{
    const struct graph *graph = &writer->graph;
    for (size_t s = 0; s < graph->count; s++) {
        const struct graph_step *step = &graph->steps[s];
        size_t x = writer->root[step->x];
        writer->root[step->y] = does_nothing(step) ? x : step->y;
        writer->last[x] = s;
        if (step->skip != GRAPH_NONE)
            writer->last[writer->root[step->skip]] = s;
    }
    writer->end = writer->root[graph->output];
    writer->last[writer->end] = graph->count;
}

static size_t take_buffer(struct writer *writer, size_t value, size_t floats)
{
    size_t b = 0;
    while (b < writer->buffer_count && writer->buffers[b].value != GRAPH_NONE)
        b++;
    if (b == writer->buffer_count) {
        writer->buffers = memory_grow(writer->buffers, writer->buffer_count, &writer->buffer_capacity,
                                      sizeof *writer->buffers);
        writer->buffers[writer->buffer_count++] = (struct buffer){0};
    }
    struct buffer *buffer = &writer->buffers[b];
    buffer->value = value;
    buffer->floats = floats > buffer->floats ? floats : buffer->floats;
    return b;
}

/* What a layer writes over its input lies where that lay, if nobody reads it again. */
static void place_values(struct writer *writer)
{
    for (size_t s = 0; s < writer->graph.count; s++) {
        const struct graph_step *step = &writer->graph.steps[s];
        size_t x = writer->root[step->x], b = writer->place[x];
        if (writer->root[step->y] == step->y && step->y != writer->end) {
            bool over = step->layer->class->in_place && b != GRAPH_NONE && writer->last[x] == s;
            if (over)
                writer->buffers[b].value = step->y;
            writer->place[step->y] = over ? b : take_buffer(writer, step->y, step->layer->outputs);
        }
        for (size_t free = 0; free < writer->buffer_count; free++)
            if (writer->buffers[free].value != GRAPH_NONE && writer->last[writer->buffers[free].value] == s)
                writer->buffers[free].value = GRAPH_NONE;
    }
}

static const char *place_of(const struct writer *writer, size_t value, char place[PLACE])
{
    size_t root = writer->root[value];
    if (writer->place[root] != GRAPH_NONE)
        snprintf(place, PLACE, "b%zu", writer->place[root]);
    else
        snprintf(place, PLACE, "%s", root == writer->end ? "y" : "x");
    return place;
}

/* ---- the file ---- */

/* An identifier of a name; upper case for macros. */
static void make_identifier(const char *name, bool upper, char identifier[64])
{
    size_t n = 0;
    if (!isalpha((unsigned char)name[0]))
        identifier[n++] = upper ? 'M' : 'm';
    for (; *name && n < 40; name++) {
        int c = (unsigned char)*name;
        identifier[n++] = (char)(c < 128 && isalnum(c) ? (upper ? toupper(c) : c) : '_');
    }
    identifier[n] = '\0';
}

/* Words from elsewhere, which must not end the comment. */
static void append_comment(struct text *out, const char *words)
{
    for (; *words; words++)
        text_append(out, "%c", (*words == '/' || *words == '\\') || (unsigned char)*words < ' ' ? '|' : *words);
}

static void write_head(struct writer *writer, const struct probabilities *own)
{
    const struct export_request *request = writer->request;
    const struct model *model = request->model;
    const struct layer *last = &model->layers[model->count - 1];
    static const char *const dimensions[] = {"", "", " (positions x channels)", " (channels x height x width)",
                                             " (channels x depth x height x width)"};
    char in[64], out[64];
    bool tokens = model->form.vocabulary > 0;
    shape_text(&model->form.input, in, sizeof in);
    shape_text(&last->out, out, sizeof out);
    text_append(writer->out, "/* ");
    append_comment(writer->out, request->name);
    text_append(writer->out, ": a neural network, trained by lockstep (");
    append_comment(writer->out, request->origin);
    text_append(writer->out,
                ").\n *\n *     void %s_predict(const %s *x, float *y);\n *\n * x: %s %s of one sample%s.\n * y: %s, "
                "%s.\n *\n * C99; link with -lm. One call at a time: its work space is static. ",
                writer->name, tokens ? "int" : "float", in, tokens ? "tokens" : "values",
                dimensions[model->form.input.dims], out,
                !request->softmax ? "the outputs of the last layer"
                : own->sigmoid    ? "probabilities"
                                  : "probabilities of each class");
    text_append(writer->out,
                "For several at once give each its own:\n *\n *     void %s_predict_in(const %s *x, float "
                "*y, float *work);     work [%s_WORK] */\n#include <math.h>\n#include <stddef.h>\n\n",
                writer->name, tokens ? "int" : "float", writer->macro);
    text_append(writer->out, "#define %s_INPUTS %zu\n#define %s_OUTPUTS %zu\n", writer->macro,
                shape_count(&model->form.input), writer->macro, last->outputs);
    if (tokens)
        text_append(writer->out, "#define %s_VOCABULARY %zu /* tokens are less */\n", writer->macro,
                    model->form.vocabulary);
}

/* The buffers lie behind each other. */
static void write_sizes(const struct writer *writer)
{
    size_t floats = 0;
    for (size_t b = 0; b < writer->buffer_count; b++)
        floats += writer->buffers[b].floats;
    if (writer->request->inputs.columns > 0)
        floats += shape_count(&writer->request->model->form.input);
    text_append(writer->out, "#define %s_WORK %zu /* floats */\n\n", writer->macro, floats > 0 ? floats : 1);
}

/* A string literal: bytes that are not plain are octal, and `?` begins no trigraph. */
static void write_string(struct text *out, const char *bytes)
{
    text_append(out, "\"");
    for (; *bytes; bytes++) {
        unsigned char byte = (unsigned char)*bytes;
        if (byte < ' ' || byte > '~' || strchr("\"\\?", byte))
            text_append(out, "\\%03o", byte);
        else
            text_append(out, "%c", byte);
    }
    text_append(out, "\"");
}

static void write_names(const struct writer *writer, const struct export_names *names)
{
    text_append(writer->out, "extern const char *const %s_%s[%zu];\nconst char *const %s_%s[%zu] = {", writer->name,
                names->of, names->count, writer->name, names->of, names->count);
    for (size_t i = 0; i < names->count; i++) {
        text_append(writer->out, i > 0 ? ",\n    " : "\n    ");
        write_string(writer->out, names->names[i]);
    }
    text_append(writer->out, "};\n\n");
}

/* static const float `name`[count]. */
static void write_array(const struct writer *writer, const char *name, const float *values, size_t count)
{
    text_append(writer->out, "static const float %s[%zu] = {\n    ", name, count);
    size_t line = writer->out->length;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && writer->out->length - line > LINE_FLOATS) {
            text_append(writer->out, ",\n    ");
            line = writer->out->length;
        } else if (i > 0) {
            text_append(writer->out, ", ");
        }
        c_number(writer->out, (double)values[i]);
    }
    text_append(writer->out, "};\n\n");
}

static void write_tensor(const struct writer *writer, size_t t)
{
    const struct tensor *tensor = &writer->request->model->table.tensors[t];
    char sizes[64], name[32];
    text_sizes(tensor->dims, tensor->shape, sizes, sizeof sizes);
    text_append(writer->out, "/* %s: %s */\n", tensor->name, sizes);
    snprintf(name, sizeof name, "w%zu", t);
    write_array(writer, name, writer->request->params + tensor->offset, tensor->count);
}

static const struct c_function *write_call(struct writer *writer, const struct graph_step *step, struct text *calls)
{
    char x[PLACE], y[PLACE], skip[PLACE] = "";
    if (step->skip != GRAPH_NONE)
        place_of(writer, step->skip, skip);
    text_append(calls, "    ");
    return c_layer_call(c_layer_of(step->layer->class), &(struct c_call){.layer = step->layer,
                                                                         .x = place_of(writer, step->x, x),
                                                                         .y = place_of(writer, step->y, y),
                                                                         .skip = skip,
                                                                         .out = calls});
}

/* What is called, in front of what calls it. */
static void write_function(struct writer *writer, const struct c_function *function, struct text *written)
{
    char mark[40];
    snprintf(mark, sizeof mark, " %s ", function->name);
    if (strstr(text_bytes(written), mark))
        return;
    if (function->calls)
        write_function(writer, function->calls, written);
    text_append(written, "%s", mark);
    text_append(writer->out, "%s\n", function->lines);
}

static void write_body(struct writer *writer, const struct text *calls)
{
    const char *type = writer->request->model->form.vocabulary > 0 ? "int" : "float";
    size_t offset = 0;
    text_append(writer->out,
                "void %s_predict_in(const %s *x, float *y, float *work);\nvoid %s_predict(const %s *x, "
                "float *y);\n\nvoid %s_predict_in(const %s *x, float *y, float *work)\n{\n",
                writer->name, type, writer->name, type, writer->name, type);
    for (size_t b = 0; b < writer->buffer_count; offset += writer->buffers[b++].floats)
        text_append(writer->out, "    float *b%zu = work + %zu;\n", b, offset);
    if (writer->buffer_count == 0 && writer->request->inputs.columns == 0)
        text_append(writer->out, "    (void)work;\n");
    if (writer->request->inputs.columns > 0)
        text_append(writer->out, "    float *prepared = work + %zu;\n", offset);
    text_append_bytes(writer->out, calls->bytes, calls->length);
    text_append(writer->out,
                "}\n\nvoid %s_predict(const %s *x, float *y)\n{\n    static float work[%s_WORK];\n    "
                "%s_predict_in(x, y, work);\n}\n",
                writer->name, type, writer->macro, writer->name);
}

/* What the model is given instead of x. */
static void write_preparation(struct writer *writer, struct text *calls, struct text *written)
{
    const struct export_standard *inputs = &writer->request->inputs;
    if (inputs->columns == 0)
        return;
    write_array(writer, "input_mean", inputs->mean, inputs->columns);
    write_array(writer, "input_scale", inputs->scale, inputs->columns);
    write_function(writer, &c_standardise, written);
    text_append(calls, "    standardise(%zu, %zu, %zu, input_mean, input_scale, x, prepared);\n    x = prepared;\n",
                inputs->outer, inputs->columns, inputs->inner);
}

/* What becomes of what the model says. */
static void write_restoration(struct writer *writer, struct text *calls, struct text *written)
{
    const struct export_standard *targets = &writer->request->targets;
    if (targets->columns == 0)
        return;
    write_array(writer, "target_mean", targets->mean, targets->columns);
    write_array(writer, "target_scale", targets->scale, targets->columns);
    write_function(writer, &c_original, written);
    text_append(calls, "    original(%zu, target_mean, target_scale, y);\n", targets->columns);
}

/* Calls first, to see which functions there are. */
static void write_file(struct writer *writer, const struct probabilities *own)
{
    struct text calls, written;
    text_init(&calls);
    text_init(&written);
    for (size_t t = 0; t < writer->request->model->table.length; t++)
        write_tensor(writer, t);
    write_preparation(writer, &calls, &written);
    for (size_t s = 0; s < writer->graph.count; s++) {
        const struct graph_step *step = &writer->graph.steps[s];
        if (writer->root[step->y] == step->y)
            write_function(writer, write_call(writer, step, &calls), &written);
    }
    write_restoration(writer, &calls, &written);
    if (own->sigmoid)
        text_append(&calls, "    sigmoid(%zu, y, y);\n", own->terms * own->width);
    else if (own->width > 0)
        text_append(&calls, "    softmax(%zu, %zu, %zu, %zu, y);\n", own->terms, own->width,
                    own->planes ? 1 : own->width, own->planes ? own->terms : 1);
    if (own->width > 0)
        write_function(writer, own->sigmoid ? &c_sigmoid : &c_softmax, &written);
    write_body(writer, &calls);
    text_release(&calls);
    text_release(&written);
}

static bool check_layers(const struct writer *writer, struct error *error)
{
    for (size_t s = 0; s < writer->graph.count; s++) {
        const struct graph_step *step = &writer->graph.steps[s];
        if (!c_layer_of(step->layer->class))
            return error_set(error, ERROR_USAGE, "%s: nobody has said yet what %s is in C: use another format",
                             step->layer->name, step->layer->class->kind.name);
    }
    return true;
}

bool c_source(const struct export_request *request, struct text *file, struct error *error)
{
    struct writer writer = {.request = request, .out = file};
    struct probabilities own = {0};
    if (request->softmax && !probabilities_of(request->model, &own, error))
        return false;
    graph_init(&writer.graph, request->model);
    size_t values = writer.graph.count + 1;
    bool ok = check_layers(&writer, error);
    if (ok) {
        writer.root = memory_need(values, sizeof *writer.root);
        writer.last = memory_need(values, sizeof *writer.last);
        writer.place = memory_need(values, sizeof *writer.place);
        memset(writer.place, 0xFF, values * sizeof *writer.place);
        make_identifier(request->name, false, writer.name);
        make_identifier(request->name, true, writer.macro);
        find_lives(&writer);
        place_values(&writer);
        write_head(&writer, &own);
        write_sizes(&writer);
        for (size_t i = 0; i < request->name_lists; i++)
            if (request->names[i].count > 0)
                write_names(&writer, &request->names[i]);
        write_file(&writer, &own);
    }
    graph_release(&writer.graph);
    memory_free(writer.root);
    memory_free(writer.last);
    memory_free(writer.place);
    memory_free(writer.buffers);
    return ok;
}
