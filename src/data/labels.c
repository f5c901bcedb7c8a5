#include "data/labels.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <string.h>

const char *const label_words[LABEL_KINDS] = {
    [LABELS_INPUTS] = "inputs",
    [LABELS_TARGETS] = "targets",
    [LABELS_CLASSES] = "classes",
    [LABELS_CHARACTERS] = "characters",
};

static void add(struct labels *labels, const char *bytes, size_t count)
{
    struct text name;
    text_init(&name);
    text_append_bytes(&name, bytes, count);
    labels->names = memory_grow(labels->names, labels->count, &labels->capacity, sizeof *labels->names);
    labels->names[labels->count++] = memory_text(text_bytes(&name));
    text_release(&name);
}

static void add_values(struct labels *labels, const struct column *column)
{
    for (size_t v = 0; v < column->values.count; v++) {
        struct text name;
        text_init(&name);
        text_append(&name, "%s=%s", column->name, column->values.names[v]);
        add(labels, name.bytes, name.length);
        text_release(&name);
    }
}

static void add_inputs(struct labels *labels, const struct description *about)
{
    for (size_t i = 0; i < about->input_count; i++)
        if (about->inputs[i].is_category)
            add_values(labels, &about->inputs[i]);
        else
            add(labels, about->inputs[i].name, strlen(about->inputs[i].name));
}

static void add_targets(struct labels *labels, const struct description *about)
{
    for (size_t i = 0; i < about->target_count && about->form.classes == 0; i++)
        add(labels, about->targets[i].name, strlen(about->targets[i].name));
}

static void add_classes(struct labels *labels, const struct description *about)
{
    const struct categories *classes = description_classes(about);
    for (size_t i = 0; classes && i < classes->count; i++)
        add(labels, classes->names[i], strlen(classes->names[i]));
}

static void add_characters(struct labels *labels, const struct description *about)
{
    const char *rest = about->vocabulary ? about->vocabulary : "";
    for (size_t length; *rest; rest += length) {
        uint32_t character;
        length = utf8_decode(rest, strlen(rest), &character);
        if (length == 0)
            break;
        add(labels, rest, length);
    }
}

static void (*const adders[LABEL_KINDS])(struct labels *labels, const struct description *about) = {
    [LABELS_INPUTS] = add_inputs,
    [LABELS_TARGETS] = add_targets,
    [LABELS_CLASSES] = add_classes,
    [LABELS_CHARACTERS] = add_characters,
};

void labels_init(struct labels *labels, const struct description *about, enum label_kind kind)
{
    *labels = (struct labels){0};
    if (about)
        adders[kind](labels, about);
}

void labels_release(struct labels *labels)
{
    for (size_t i = 0; i < labels->count; i++)
        memory_free(labels->names[i]);
    memory_free(labels->names);
    *labels = (struct labels){0};
}
