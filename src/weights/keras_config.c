#include "weights/keras_config.h"

#include "base/memory.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MOST  16 /* models inside each other */
#define LAYERS_MOST 8192
#define NAME_MOST   128

struct walk {
    struct keras_config *config;
    struct text *why;
    const struct weights *weights;
    const char *container; /* of a model's layers */
    char separator;        /* behind it and behind a model's name: of the system that Keras 2 ran on */
};

/* Names that occurred in a container, and how often. */
struct seen {
    char (*names)[NAME_MOST];
    size_t *times;
    size_t count;
};

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* Keras' naming.to_snake_case: "_" in front of a capital that small letters follow, and between a small letter and a
 * capital: conv2d, conv2d_transpose, layer_normalization, rms_normalization. False: too long, or strange. */
static bool snake(const char *class, char name[NAME_MOST])
{
    char first[NAME_MOST];
    size_t n = 0, m = 0;
    for (const char *c = class; *c;) {
        if (n + 3 >= NAME_MOST || (!isalnum((unsigned char)*c) && *c != '_'))
            return false;
        first[n++] = *c++;
        if (is_upper(c[0]) && is_lower(c[1])) {
            first[n++] = '_';
            for (first[n++] = *c++; is_lower(*c) && n + 3 < NAME_MOST; c++)
                first[n++] = *c;
        }
    }
    first[n] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (m + 3 >= NAME_MOST)
            return false;
        name[m++] = (char)tolower((unsigned char)first[i]);
        if (is_lower(first[i]) && is_upper(first[i + 1]))
            name[m++] = '_';
    }
    name[m] = '\0';
    return n > 0;
}

/* Whether the file has tensors of a layer: of those of its class in the model the one that has this number. */
static bool is_there(const struct walk *walk, const char *path, const char *name, size_t number)
{
    struct text own;
    bool found = false;
    text_init(&own);
    text_append(&own, "%s%s%c%s", path, walk->container, walk->separator, name);
    if (number > 0)
        text_append(&own, "_%zu", number);
    for (size_t i = 0; i < walk->weights->count && !found; i++) {
        const char *other = walk->weights->tensors[i].name;
        found = strncmp(other, own.bytes, own.length) == 0 &&
                (other[own.length] == '/' || other[own.length] == walk->separator);
    }
    text_release(&own);
    return found;
}

/* "dense", then "dense_1". Keras 2 counts a layer twice that has weights, and keeps it once: "dense", "dense_2". */
static void number(const struct walk *walk, const char *path, struct seen *seen, char name[NAME_MOST])
{
    size_t i = 0;
    while (i < seen->count && strcmp(seen->names[i], name) != 0)
        i++;
    if (i == seen->count) {
        memcpy(seen->names[seen->count++], name, NAME_MOST);
        return;
    }
    size_t length = strlen(name), last = seen->times[i]++;
    if (strcmp(walk->container, KERAS2_LAYERS) == 0 && is_there(walk, path, name, last) &&
        !is_there(walk, path, name, last + 1))
        seen->times[i]++;
    snprintf(name + length, NAME_MOST - length, "_%zu", seen->times[i]);
}

/* The layers of a model; NULL: it is none. A Sequential of Keras 1 and 2 may be the list itself. */
static const json_t *layers_of(const json_t *model)
{
    const json_t *config = json_object_get(model, "config");
    return json_is_array(config)                              ? config
           : json_is_array(json_object_get(config, "layers")) ? json_object_get(config, "layers")
                                                              : NULL;
}

static const char *name_of(const json_t *layer)
{
    const char *own = json_string_value(json_object_get(json_object_get(layer, "config"), "name"));
    const char *outer = json_string_value(json_object_get(layer, "name"));
    return own ? own : outer ? outer : "";
}

/* Whose outputs a layer of a functional model has as inputs: how many, and the last one's name. Keras 3 has
 * {"keras_history": [NAME, 0, 0]} somewhere in it, those before [NAME, 0, 0, {}]. */
static size_t inputs_of(const json_t *nodes, const char **name)
{
    const json_t *history = json_object_get(nodes, "keras_history");
    const json_t *place = history ? history : nodes;
    if (json_is_string(json_array_get(place, 0)) && json_is_integer(json_array_get(place, 1)) &&
        json_is_integer(json_array_get(place, 2))) {
        *name = json_string_value(json_array_get(place, 0));
        return 1;
    }
    size_t count = 0, i;
    const char *key;
    json_t *value;
    json_array_foreach((json_t *)nodes, i, value) count += inputs_of(value, name);
    json_object_foreach((json_t *)nodes, key, value) count += inputs_of(value, name);
    return count;
}

/* Whether the layer goes on from the one before. */
static bool is_next(const struct walk *walk, const json_t *layer, const char *before)
{
    const json_t *nodes = json_object_get(layer, "inbound_nodes");
    const char *from = "";
    size_t count = nodes ? inputs_of(nodes, &from) : 0;
    if (!nodes || (count == 0 && !before) || (count == 1 && before && strcmp(from, before) == 0))
        return true;
    text_append(walk->why, "the model is no chain: its layer ");
    text_append_json(walk->why, name_of(layer)); /* a name may hold anything */
    text_append(walk->why, " has not the output of the one before as its only input");
    return false;
}

static bool walk_model(struct walk *walk, const json_t *layers, const char *path, const char *top, size_t depth);

/* A layer, or a model as one. */
static bool walk_layer(struct walk *walk, const json_t *layer, struct seen *seen, const char *path, const char *top,
                       size_t depth)
{
    struct keras_config *config = walk->config;
    const char *class = json_string_value(json_object_get(layer, "class_name"));
    const json_t *inner = layers_of(layer);
    char name[NAME_MOST];
    struct text own;
    if (inner && class && strcmp(class, "Model") == 0)
        class = "Functional"; /* as it is called since */
    if (!class || !snake(class, name) || strlen(path) > 4000 || config->count == LAYERS_MOST) {
        text_append(walk->why, "a layer of its configuration has no class_name that can be read");
        return false;
    }
    char *plain = memory_text(name);
    number(walk, path, seen, name);
    text_init(&own);
    text_append(&own, "%s%s%c%s", path, walk->container, walk->separator, name);
    top = top ? top : name_of(layer);
    bool ok = true;
    if (inner) {
        text_append(&own, "%c", walk->separator);
        ok = walk_model(walk, inner, own.bytes, top, depth + 1);
    } else {
        config->layers = memory_grow(config->layers, config->count, &config->capacity, sizeof *config->layers);
        config->layers[config->count++] = (struct keras_layer){.class = memory_text(plain),
                                                               .path = memory_text(own.bytes),
                                                               .name = memory_text(name_of(layer)),
                                                               .top = memory_text(top)};
    }
    text_release(&own);
    memory_free(plain);
    return ok;
}

static bool walk_model(struct walk *walk, const json_t *layers, const char *path, const char *top, size_t depth)
{
    size_t count = json_array_size(layers);
    if (depth > DEPTH_MOST || count > LAYERS_MOST) {
        text_append(walk->why, "its models inside each other are too many, or too large");
        return false;
    }
    struct seen seen = {.names = memory_need(count + 1, sizeof *seen.names),
                        .times = memory_need(count + 1, sizeof *seen.times)};
    const char *before = NULL;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        const json_t *layer = json_array_get(layers, i);
        ok = is_next(walk, layer, before) && walk_layer(walk, layer, &seen, path, top, depth);
        before = name_of(layer);
    }
    memory_free(seen.names);
    memory_free(seen.times);
    return ok;
}

bool keras_config_read(struct keras_config *config, const char *json, const struct weights *weights, struct text *why)
{
    *config = (struct keras_config){0};
    struct walk walk = {config, why, weights, KERAS_LAYERS, '/'};
    for (size_t i = 0; i < weights->count; i++) {
        const char *name = weights->tensors[i].name, *behind = name + strlen(KERAS2_LAYERS);
        if (strncmp(name, KERAS2_LAYERS, strlen(KERAS2_LAYERS)) == 0 && (*behind == '/' || *behind == '\\')) {
            walk.container = KERAS2_LAYERS;
            walk.separator = *behind;
        }
    }
    json_t *model = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    const json_t *layers = layers_of(model);
    bool ok = layers != NULL;
    if (ok)
        ok = walk_model(&walk, layers, "", NULL, 0);
    else
        text_append(why, "its configuration is not that of a Sequential or functional model of Keras");
    json_decref(model);
    if (!ok)
        keras_config_release(config);
    return ok;
}

void keras_config_release(struct keras_config *config)
{
    for (size_t i = 0; i < config->count; i++) {
        memory_free(config->layers[i].class);
        memory_free(config->layers[i].path);
        memory_free(config->layers[i].name);
        memory_free(config->layers[i].top);
    }
    memory_free(config->layers);
    *config = (struct keras_config){0};
}
