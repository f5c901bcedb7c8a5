#include "cli/data_job.h"

#include <inttypes.h>
#include <string.h>

#define BATCH       32
#define LEAVES      4   /* and so as many ranks at most */
#define SPLIT_LEAST 10  /* samples; of fewer all are trained on */
#define IMAGE_LEAST 8   /* pixels of a side; smaller ones are rows of numbers */
#define VOID        255 /* a label that often stands for no class */
#define NEAR        20  /* inputs beyond are standardised, also of images */

static bool is_image(const struct shape *input)
{
    return input->dims == 3 && input->size[1] >= IMAGE_LEAST && input->size[2] >= IMAGE_LEAST;
}

/* Whether the label 255 seems to stand for no class; *classes: the others. */
static bool has_void(const struct leaf_form *form, const struct sample_facts *facts, size_t *classes)
{
    *classes = form->classes;
    if (form->classes != VOID + 1 || !facts->of_class || facts->of_class[VOID] == 0 || facts->of_class[VOID - 1] > 0)
        return false;
    for (*classes = VOID; *classes > 2 && facts->of_class[*classes - 1] == 0;)
        --*classes;
    return true;
}

static bool is_split(const struct dataset *dataset)
{
    return dataset->count >= SPLIT_LEAST;
}

static const char *standardise(const struct leaf_form *form, const struct sample_facts *facts)
{
    bool is_near = facts->low >= -NEAR && facts->high <= NEAR;
    if (form->vocabulary > 0)
        return NULL;
    return form->classes == 0 ? "both" : !is_image(&form->input) || !is_near ? "inputs" : NULL;
}

static void write_data(const struct dataset *dataset, const struct sample_facts *facts, const char *keys,
                       struct text *yaml)
{
    const char *format = dataset->about.format, *what = standardise(&dataset->about.form, facts);
    size_t classes;
    const char *ignored = has_void(&dataset->about.form, facts, &classes) ? ", ignore_label: 255" : "";
    bool is_row = is_split(dataset) && dataset->about.form.vocabulary > 0; /* windows of which overlap */
    text_append(yaml, "data:\n  train: {format: %s%s%s%s}\n", format, keys, ignored,
                is_row ? ", part: [0.0, 0.9]" : "");
    if (is_row)
        text_append(yaml, "  validation: {format: %s%s, part: [0.9, 1.0]}\n", format, keys);
    else if (is_split(dataset))
        text_append(yaml, "  split: {validation: 0.1}\n");
    if (what)
        text_append(yaml, "  standardise: %s\n", what);
}

/* Whether targets, or labels, have the sides of the inputs; *channels: of the output that has them too. */
static bool is_field(const struct leaf_form *form, size_t classes, size_t *channels)
{
    const struct shape *input = &form->input, *target = &form->target;
    size_t sides = input->dims - 1, front = target->dims > sides ? target->size[0] : 1;
    if (input->dims < 3 || target->dims < sides || target->dims > input->dims || (form->classes > 0 && front != 1))
        return false;
    *channels = classes > 0 ? classes : front;
    return memcmp(input->size + 1, target->size + target->dims - sides, sides * sizeof *input->size) == 0;
}

static void write_field_model(const struct leaf_form *form, size_t channels, struct text *yaml)
{
    const char *layer = form->input.dims == 4 ? "conv3d" : "conv2d";
    text_append(yaml,
                "  - {layer: %s, filters: 16, kernel: 3, padding: same}\n  - {layer: relu}\n"
                "  - {layer: %s, filters: 16, kernel: 3, padding: same}\n  - {layer: relu}\n"
                "  - {layer: %s, filters: %zu, kernel: 1}\n",
                layer, layer, layer, channels);
}

static void write_model(const struct leaf_form *form, const struct sample_facts *facts, struct text *yaml)
{
    size_t channels, classes;
    has_void(form, facts, &classes);
    size_t outputs = form->classes > 0 ? classes : form->terms;
    text_append(yaml, "model:\n");
    if (form->vocabulary > 0) {
        text_append(yaml, "  - {layer: embedding, width: 64}\n  - {layer: position_embedding}\n"
                          "  - {layer: transformer, blocks: 2, heads: 4}\n  - {layer: layer_norm}\n"
                          "  - {layer: lm_head}\n");
        return;
    }
    if (is_field(form, classes, &channels)) {
        write_field_model(form, channels, yaml);
        return;
    }
    if (is_image(&form->input)) {
        text_append(yaml, "  - {layer: conv2d, filters: 16, kernel: 3, padding: same}\n  - {layer: relu}\n"
                          "  - {layer: max_pool, size: 2}\n"
                          "  - {layer: conv2d, filters: 32, kernel: 3, padding: same}\n  - {layer: relu}\n"
                          "  - {layer: max_pool, size: 2}\n  - {layer: flatten}\n");
    } else {
        if (form->input.dims > 1)
            text_append(yaml, "  - {layer: flatten}\n");
        text_append(yaml, "  - {layer: dense, units: 64}\n  - {layer: relu}\n"
                          "  - {layer: dense, units: 64}\n  - {layer: relu}\n");
    }
    text_append(yaml, "  - {layer: dense, units: %zu}\n", outputs);
}

static void write_training(const struct dataset *dataset, struct text *yaml)
{
    const struct leaf_form *form = &dataset->about.form;
    size_t there = is_split(dataset) ? dataset->count / 10 * 9 : dataset->count, batch = BATCH;
    while (batch > there)
        batch /= 2;
    size_t leaf = batch >= LEAVES ? batch / LEAVES : 1, epoch = (there + batch - 1) / batch;
    bool is_sequence = form->vocabulary > 0;
    text_append(yaml, "loss: %s\n", form->classes > 0 ? "softmax_cross_entropy" : "mean_squared_error");
    text_append(yaml, "train: {%s, batch: %zu, microbatch: %zu}\n", is_sequence ? "steps: 1000" : "epochs: 20", batch,
                leaf);
    text_append(yaml, "optimizer: {name: adamw, learning_rate: 1.0e-3}\n");
    if (is_split(dataset))
        text_append(yaml, "validate: {every: %zu, metric: %s}\n", is_sequence ? 100 : epoch,
                    is_sequence         ? "perplexity"
                    : form->classes > 0 ? "accuracy"
                                        : "rmse");
    text_append(yaml, "checkpoint: {minutes: 1}\n");
}

void data_job_write(const struct dataset *dataset, const struct sample_facts *facts, const char *keys,
                    struct text *yaml)
{
    text_append(yaml, "run: run\n");
    write_data(dataset, facts, keys, yaml);
    write_model(&dataset->about.form, facts, yaml);
    write_training(dataset, yaml);
}
