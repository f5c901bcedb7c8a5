#include "export/graph.h"

#include "base/memory.h"
#include "nn/layers/layers.h"
#include "nn/model_build.h"

void graph_init(struct graph *graph, const struct model *model)
{
    size_t begins[MODEL_OPEN], open = 0, value = 0;
    size_t *taps = memory_need(model->count, sizeof *taps); /* the values that are appended later */
    *graph = (struct graph){.steps = memory_need(model->count, sizeof *graph->steps)};
    for (size_t l = 0; l < model->count; l++) {
        const struct layer *layer = &model->layers[l];
        struct graph_step step = {.layer = layer, .x = value, .skip = GRAPH_NONE};
        if (layer->class->skip == SKIP_BEGINS)
            begins[open++] = value;
        else if (layer->class->skip == SKIP_ENDS)
            step.skip = begins[--open];
        else if (layer->class->skip == SKIP_APPENDS)
            step.skip = taps[layer->tap];
        taps[l] = value;
        if (layer->class->skip == SKIP_BEGINS || layer->class->skip == SKIP_IS_NAMED || layer->class == &layer_dropout)
            continue;
        step.y = value = graph->count + 1;
        graph->steps[graph->count++] = step;
    }
    graph->output = value;
    memory_free(taps);
}

void graph_release(struct graph *graph)
{
    memory_free(graph->steps);
    *graph = (struct graph){0};
}
