#include "weights/keras_order.h"

#include "base/memory.h"
#include "weights/keras_config.h"

#include <stdio.h>
#include <string.h>

#define VARS         "/vars/"
#define VARS_MOST    4 /* of a layer */
#define TENSORS_MOST 65536
#define NONE         ((size_t)-1)

/* What the variables of a layer are called in a whole model's .h5. */
static const char *const variables[VARS_MOST][5] = {
    {"kernel", "gamma", "embeddings", "scale"}, {"bias", "beta"}, {"moving_mean"}, {"moving_variance"}};

/* A layer that has weights. */
struct group {
    const char *name; /* of its class, perhaps with a number behind it */
    size_t length;    /* of the class alone */
    size_t tensors[VARS_MOST], count;
    const struct keras_layer *layer; /* of the file; NULL: of the layout, whose first row is `first` */
    size_t first;
};

struct groups {
    struct group *list;
    size_t count, capacity;
};

static struct group *add(struct groups *groups)
{
    groups->list = memory_grow(groups->list, groups->count, &groups->capacity, sizeof *groups->list);
    struct group *group = &groups->list[groups->count++];
    *group = (struct group){0};
    for (size_t k = 0; k < VARS_MOST; k++)
        group->tensors[k] = NONE;
    return group;
}

/* Which variable of the group at `path` a tensor is; VARS_MOST: none. */
static size_t variable_of(const char *name, const char *path, size_t length)
{
    const char *rest = name + length;
    if (strncmp(name, path, length) != 0 || strncmp(rest, VARS, strlen(VARS)) != 0)
        return VARS_MOST;
    rest += strlen(VARS);
    return rest[0] >= '0' && rest[0] < '0' + VARS_MOST && rest[1] == '\0' ? (size_t)(rest[0] - '0') : VARS_MOST;
}

/* The same in a whole model's file: TOP/.../NAME/kernel:0. */
static size_t variable_in_whole(const char *name, const struct keras_layer *layer)
{
    size_t top = strlen(layer->top), own = strlen(layer->name);
    const char *last = strrchr(name, '/');
    if (own == 0 || !last || strncmp(name, layer->top, top) != 0 || name[top] != '/' ||
        (size_t)(last - name) < top + 1 + own || strncmp(last - own, layer->name, own) != 0 ||
        last[-(long)own - 1] != '/')
        return VARS_MOST;
    size_t length = strcspn(last + 1, ":");
    for (size_t k = 0; k < VARS_MOST; k++)
        for (size_t i = 0; variables[k][i]; i++)
            if (strlen(variables[k][i]) == length && strncmp(last + 1, variables[k][i], length) == 0)
                return k;
    return VARS_MOST;
}

/* The file's, in order. False: two tensors are the same variable, or a name is too long to be one of a row. */
static bool take_file(const struct keras_config *config, const struct weights *weights, bool is_whole,
                      struct groups *groups)
{
    for (size_t l = 0; l < config->count; l++) {
        const struct keras_layer *layer = &config->layers[l];
        struct group *group = NULL;
        for (size_t i = 0; i < weights->count; i++) {
            const char *name = weights->tensors[i].name;
            size_t k = is_whole ? variable_in_whole(name, layer) : variable_of(name, layer->path, strlen(layer->path));
            if (k == VARS_MOST)
                continue;
            group = group ? group : add(groups);
            if (group->tensors[k] != NONE || strlen(name) >= LAYOUT_NAME)
                return false;
            group->tensors[k] = i;
            group->count++;
            group->layer = layer;
            group->name = layer->class;
            group->length = strlen(layer->class);
        }
    }
    return true;
}

/* Those of the layout: "layers/conv2d_1/vars/0". */
static void take_rows(const struct layout *layout, struct groups *groups)
{
    const char *before = "";
    size_t before_length = 0;
    for (size_t r = 0; r < layout->count; r++) {
        const char *name = layout->rows[r].name, *class = name + strlen("layers/");
        size_t length = (size_t)(strstr(name, VARS) - name);
        if (length != before_length || strncmp(name, before, length) != 0) {
            struct group *group = add(groups);
            const char *number = name + length;
            while (number > class && number[-1] >= '0' && number[-1] <= '9')
                number--;
            bool is_numbered = number > class && number[-1] == '_' && number < name + length;
            group->name = class;
            group->length = is_numbered ? (size_t)(number - 1 - class) : (size_t)(name + length - class);
            group->first = r;
            before = name;
            before_length = length;
        }
        groups->list[groups->count - 1].count++;
    }
}

/* A kernel without a bias is the same kernel. */
static bool has_kernel(const struct group *group)
{
    return strncmp(group->name, "dense", group->length) == 0 || strncmp(group->name, "conv", 4) == 0;
}

static bool is_same(const struct group *a, const struct group *b)
{
    return a->length == b->length && strncmp(a->name, b->name, a->length) == 0 &&
           (a->count == b->count || (has_kernel(a) && a->count <= 2 && b->count <= 2));
}

static void list(const struct groups *groups, struct text *words)
{
    for (size_t i = 0; i < groups->count && i < 12; i++)
        text_append(words, "%s%.*s (%zu)", i ? ", " : "", (int)groups->list[i].length, groups->list[i].name,
                    groups->list[i].count);
    if (groups->count > 12)
        text_append(words, ", ... (%zu layers)", groups->count);
}

/* How many of the first layers are the same. */
static size_t agree(const struct groups *there, const struct groups *here, struct text *why)
{
    size_t same = 0;
    while (same < there->count && same < here->count && is_same(&there->list[same], &here->list[same]))
        same++;
    if (same == there->count && same == here->count)
        return same;
    text_append(why, "the file's layers with tensors are ");
    list(there, why);
    text_append(why, "; those of this model ");
    list(here, why);
    return same;
}

static void rename_rows(struct layout *layout, const struct weights *weights, const struct group *there,
                        const struct group *here)
{
    for (size_t k = 0; k < here->count; k++) {
        char *name = layout->rows[here->first + k].name;
        if (k < VARS_MOST && there->tensors[k] != NONE)
            snprintf(name, LAYOUT_NAME, "%s", layout_bare(weights->tensors[there->tensors[k]].name));
        else
            snprintf(name, LAYOUT_NAME, "%.120s" VARS "%zu", there->layer->path, k);
    }
}

static bool is_top(const char *name)
{
    return strncmp(name, "top_level_model_weights/", strlen("top_level_model_weights/")) == 0;
}

/* A file that tells no order, and has some. */
static bool tells_nothing(const struct weights *weights, struct text *why)
{
    for (size_t i = 0; i < weights->count; i++) {
        const char *name = weights->tensors[i].name, *slash = strchr(name, '/');
        const char *inner = slash ? strchr(slash + 1, '/') : NULL;
        if (strncmp(name, "layers/", 7) == 0 && inner && strncmp(inner, "/layers/", 8) == 0) {
            text_append(why,
                        "there is a model inside the model, and .weights.h5 does not tell the order of its layers: "
                        "save it as .keras");
            break;
        }
    }
    return false;
}

bool keras_order_take(struct layout *layout, const struct model *model, const struct weights *weights, bool is_whole,
                      struct text *why)
{
    struct keras_config config = {0};
    struct groups there = {0}, here = {0};
    if (!weights->layers)
        return tells_nothing(weights, why);
    bool ok = weights->count > TENSORS_MOST || keras_config_read(&config, weights->layers, weights, why);
    if (ok && (weights->count > TENSORS_MOST || !take_file(&config, weights, is_whole, &there))) {
        text_append(why, "it has too many tensors, or two of one layer that have the same name");
        ok = false;
    }
    take_rows(layout, &here);
    size_t same = ok ? agree(&there, &here, why) : 0;
    for (size_t i = 0; i < same; i++)
        rename_rows(layout, weights, &there.list[i], &here.list[i]);
    for (size_t r = same < here.count ? here.list[same].first : layout->count; r < layout->count; r++)
        snprintf(layout->rows[r].name, LAYOUT_NAME, "%s", model->table.tensors[layout->rows[r].tensor].name);
    layout->in_order = true;
    if (is_whole)
        layout->ignores = is_top;
    memory_free(there.list);
    memory_free(here.list);
    keras_config_release(&config);
    return true;
}

void keras_order_check(const struct layout *layout, const struct weights *weights, struct text *wrong)
{
    struct groups here = {0};
    take_rows(layout, &here);
    for (size_t g = 0; g < here.count; g++) {
        const struct group *group = &here.list[g];
        const char *name = layout->rows[group->first].name;
        size_t length = (size_t)(strstr(name, VARS) - name), count = 0;
        for (size_t i = 0; i < weights->count; i++)
            count += variable_of(weights->tensors[i].name, name, length) != VARS_MOST;
        if (count > 0 && count != group->count && !has_kernel(group))
            text_append(wrong, "%.*s: %zu tensors in the file, %zu here (without scale or center there is none)\n",
                        (int)length, name, count, group->count);
    }
    memory_free(here.list);
}
