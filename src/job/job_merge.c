#include "job/job_merge.h"

#include "base/memory.h"

#include <string.h>

/* Comparisons of keys: aliases of aliases can make a short file mean any number of them. */
#define WORK_MOST 10000000

enum state { STATE_NEW, STATE_BUSY, STATE_DONE };

struct merging {
    yaml_document_t *document;
    unsigned char *states; /* [nodes] enum state */
    size_t work;
    yaml_mark_t *mark;
    struct error *error;
};

static yaml_node_t *node_of(const struct merging *merging, int id)
{
    return &merging->document->nodes.start[id - 1];
}

static bool refuse(const struct merging *merging, int id, const char *words)
{
    *merging->mark = node_of(merging, id)->start_mark;
    return error_set(merging->error, ERROR_USAGE, "<<: %s", words);
}

static bool is_merge(const yaml_node_t *key)
{
    return key->type == YAML_SCALAR_NODE && key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           key->data.scalar.length == 2 && memcmp(key->data.scalar.value, "<<", 2) == 0;
}

static bool is_same(const yaml_node_t *a, const yaml_node_t *b)
{
    return a->type == YAML_SCALAR_NODE && b->type == YAML_SCALAR_NODE &&
           a->data.scalar.length == b->data.scalar.length &&
           memcmp(a->data.scalar.value, b->data.scalar.value, a->data.scalar.length) == 0;
}

static bool has_key(struct merging *merging, int id, int key)
{
    const yaml_node_t *node = node_of(merging, id);
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start, *top = node->data.mapping.pairs.top;
    while (pair < top && !is_same(node_of(merging, pair->key), node_of(merging, key)))
        pair++;
    merging->work += (size_t)(top - node->data.mapping.pairs.start);
    return pair < top;
}

static bool resolve(struct merging *merging, int id);

/* Gives section `id` the keys of section `source` that it does not have. */
static bool take(struct merging *merging, int id, int source, int key)
{
    if (node_of(merging, source)->type != YAML_MAPPING_NODE)
        return refuse(merging, source, "a section, or a list of sections, is expected");
    if (merging->states[source - 1] == STATE_BUSY)
        return refuse(merging, key, "a section cannot be merged into itself");
    if (!resolve(merging, source))
        return false;
    const yaml_node_t *from = node_of(merging, source);
    for (const yaml_node_pair_t *pair = from->data.mapping.pairs.start; pair < from->data.mapping.pairs.top; pair++) {
        bool is_there = has_key(merging, id, pair->key);
        if (merging->work > WORK_MOST)
            return refuse(merging, key, "the merged sections of this file are too many");
        if (!is_there && !yaml_document_append_mapping_pair(merging->document, id, pair->key, pair->value))
            memory_none(sizeof *pair, "a job file");
    }
    return true;
}

static bool take_all(struct merging *merging, int id, yaml_node_pair_t merge)
{
    const yaml_node_t *value = node_of(merging, merge.value);
    if (value->type != YAML_SEQUENCE_NODE)
        return take(merging, id, merge.value, merge.key);
    for (const int *item = value->data.sequence.items.start; item < value->data.sequence.items.top; item++)
        if (!take(merging, id, *item, merge.key))
            return false;
    return true;
}

/* Merges what section `id` wants to have merged. An alias stands behind what it names, and sections are resolved in the
 * order of the file: this goes no deeper than they are nested. */
static bool resolve(struct merging *merging, int id)
{
    yaml_node_t *node = node_of(merging, id);
    if (merging->states[id - 1] == STATE_DONE || node->type != YAML_MAPPING_NODE)
        return true;
    merging->states[id - 1] = STATE_BUSY;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        if (!is_merge(node_of(merging, pair->key)))
            continue;
        yaml_node_pair_t merge = *pair;
        memmove(pair, pair + 1, (size_t)(node->data.mapping.pairs.top - pair - 1) * sizeof *pair);
        node->data.mapping.pairs.top--;
        for (const yaml_node_pair_t *rest = pair; rest < node->data.mapping.pairs.top; rest++)
            if (is_merge(node_of(merging, rest->key)))
                return refuse(merging, rest->key, "this key stands here twice");
        if (!take_all(merging, id, merge))
            return false;
        break;
    }
    merging->states[id - 1] = STATE_DONE;
    return true;
}

bool job_merge(yaml_document_t *document, yaml_mark_t *mark, struct error *error)
{
    int count = (int)(document->nodes.top - document->nodes.start);
    struct merging merging = {.document = document, .mark = mark, .error = error};
    merging.states = memory_need((size_t)count, sizeof *merging.states);
    bool ok = true;
    for (int id = 1; ok && id <= count; id++)
        ok = resolve(&merging, id);
    memory_free(merging.states);
    return ok;
}
