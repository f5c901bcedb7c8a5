#include "job/job_yaml.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "job/job_merge.h"
#include "job/options.h"

#include <stdlib.h>
#include <string.h>

/* libyaml looks at all open lists for each word, and at all anchors for each anchor and alias: 60,000 brackets take
 * seconds. No job needs as many. */
#define NESTED_MOST  100
#define ANCHORS_MOST 250

const yaml_node_t *job_yaml_node(struct job_yaml *yaml, int id)
{
    const yaml_node_t *node = yaml_document_get_node(&yaml->document, id);
    CHECK(node, "a node number that the document does not have");
    return node;
}

static bool blame_override(const char *override, struct error *error)
{
    char shown[256];
    option_show(override, shown, sizeof shown);
    return error_set(error, ERROR_USAGE, "--set %s: %s", shown, error->text);
}

bool job_yaml_blame(struct job_yaml *yaml, int id, struct error *error)
{
    yaml_mark_t mark = job_yaml_node(yaml, id)->start_mark;
    if (mark.index > 0)
        return blame_override(yaml->overrides[mark.index - 1], error);
    return error_set(error, ERROR_USAGE, "%s:%zu:%zu: %s", yaml->name, mark.line + 1, mark.column + 1, error->text);
}

/* What libyaml found, and where: the reader, below the parser, knows only the byte. */
static bool syntax_error(const yaml_parser_t *parser, const char *text, yaml_mark_t *mark, struct error *error)
{
    if (parser->error == YAML_MEMORY_ERROR)
        memory_none(strlen(text), "a job file");
    *mark = parser->problem_mark;
    if (parser->error == YAML_READER_ERROR) {
        *mark = (yaml_mark_t){0};
        for (size_t i = 0; i < parser->problem_offset && text[i]; i++) {
            mark->column = text[i] == '\n' ? 0 : mark->column + 1;
            mark->line += text[i] == '\n';
        }
    }
    return error_set(error, ERROR_USAGE, "not YAML: %s%s%s", parser->problem, parser->context ? ", " : "",
                     parser->context ? parser->context : "");
}

static void begin_parser(yaml_parser_t *parser, const char *text)
{
    if (!yaml_parser_initialize(parser))
        memory_none(sizeof *parser, "a YAML parser");
    yaml_parser_set_input_string(parser, (const unsigned char *)text, strlen(text));
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
}

/* Reads a text without keeping anything, and no further than it is within the limits. What is no YAML at all is for the
 * second reading. On failure the mark says where. */
static bool measure(const char *text, yaml_mark_t *mark, struct error *error)
{
    yaml_parser_t parser;
    yaml_event_t event = {0};
    size_t depth = 0, anchors = 0;
    bool ok = true;
    begin_parser(&parser, text);
    while (ok && yaml_parser_parse(&parser, &event) && event.type != YAML_STREAM_END_EVENT) {
        depth += event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT;
        depth -= event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        anchors += (event.type == YAML_SEQUENCE_START_EVENT && event.data.sequence_start.anchor) ||
                   (event.type == YAML_MAPPING_START_EVENT && event.data.mapping_start.anchor) ||
                   (event.type == YAML_SCALAR_EVENT && event.data.scalar.anchor);
        *mark = event.start_mark;
        if (depth > NESTED_MOST)
            ok = error_set(error, ERROR_USAGE, "nested too deep here; allowed: %d levels", NESTED_MOST);
        else if (anchors > ANCHORS_MOST)
            ok = error_set(error, ERROR_USAGE, "more anchors (&) than %d", ANCHORS_MOST);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return ok;
}

/* Parses a text of one document, which may be empty: then it has no node. What it wants to have merged is. On failure
 * the mark says where. */
static bool load(const char *text, yaml_document_t *document, yaml_mark_t *mark, struct error *error)
{
    bool ok = false;
    yaml_parser_t parser;
    yaml_document_t second = {0};
    if (strncmp(text, UTF8_MARK, strlen(UTF8_MARK)) == 0) /* libyaml stumbles over it */
        text += strlen(UTF8_MARK);
    if (!measure(text, mark, error))
        return false;
    begin_parser(&parser, text);
    if (!yaml_parser_load(&parser, document)) {
        syntax_error(&parser, text, mark, error);
        goto done;
    }
    if (yaml_document_get_root_node(document) && !yaml_parser_load(&parser, &second)) {
        syntax_error(&parser, text, mark, error);
    } else if (yaml_document_get_root_node(&second)) {
        *mark = second.start_mark;
        error_set(error, ERROR_USAGE, "a second YAML document begins here; allowed: one");
    } else {
        ok = job_merge(document, mark, error);
    }
    yaml_document_delete(&second);
    if (!ok)
        yaml_document_delete(document);
done:
    yaml_parser_delete(&parser);
    return ok;
}

static int need_node(int id)
{
    if (id <= 0)
        memory_none(sizeof(yaml_node_t), "a YAML node");
    return id;
}

/* Every node that is added comes from the override that is being applied. Nobody needs the offset of a node in its
 * text, so that mark.index holds the origin instead: 0 for the file, k for the k-th override. */
static int added(struct job_yaml *yaml, int id)
{
    yaml->document.nodes.start[need_node(id) - 1].start_mark.index = yaml->origin;
    return id;
}

static int add_scalar(struct job_yaml *yaml, const char *value, size_t length)
{
    const yaml_char_t *bytes = (const yaml_char_t *)value;
    return added(yaml, yaml_document_add_scalar(&yaml->document, NULL, bytes, (int)length, YAML_PLAIN_SCALAR_STYLE));
}

static int add_section(struct job_yaml *yaml)
{
    return added(yaml, yaml_document_add_mapping(&yaml->document, NULL, YAML_ANY_MAPPING_STYLE));
}

/* A node like this one, still without children. */
static int add_like(struct job_yaml *yaml, const yaml_node_t *node)
{
    if (node->type == YAML_SCALAR_NODE)
        return add_scalar(yaml, (const char *)node->data.scalar.value, node->data.scalar.length);
    if (node->type == YAML_MAPPING_NODE)
        return add_section(yaml);
    return added(yaml, yaml_document_add_sequence(&yaml->document, NULL, YAML_ANY_SEQUENCE_STYLE));
}

/* Gives `id` the children of a node like it; a child's number is `shift` higher than there. */
static void add_children(yaml_document_t *document, int id, const yaml_node_t *node, int shift)
{
    if (node->type == YAML_MAPPING_NODE)
        for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++)
            need_node(yaml_document_append_mapping_pair(document, id, pair->key + shift, pair->value + shift));
    if (node->type == YAML_SEQUENCE_NODE)
        for (int *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++)
            need_node(yaml_document_append_sequence_item(document, id, *item + shift));
}

/* Moves a whole document into another and returns the number of its root there. Node by node, so that an alias that
 * contains itself is not followed. */
static int graft(struct job_yaml *yaml, const yaml_document_t *other)
{
    int shift = (int)(yaml->document.nodes.top - yaml->document.nodes.start);
    for (const yaml_node_t *node = other->nodes.start; node < other->nodes.top; node++)
        add_like(yaml, node);
    for (const yaml_node_t *node = other->nodes.start; node < other->nodes.top; node++)
        add_children(&yaml->document, (int)(node - other->nodes.start) + 1 + shift, node, shift);
    if (other->nodes.start == other->nodes.top)
        add_scalar(yaml, "", 0);
    return shift + 1;
}

/* A copy of the node with the same children and the same place: what is overridden in it does not appear where an
 * alias names the original. */
static int detach(struct job_yaml *yaml, int id)
{
    yaml_node_t original = yaml->document.nodes.start[id - 1];
    int copy = add_like(yaml, &original);
    add_children(&yaml->document, copy, &original, 0);
    yaml->document.nodes.start[copy - 1].start_mark = original.start_mark;
    return copy;
}

static yaml_node_pair_t *find_pair(yaml_document_t *document, int id, const char *key, size_t length)
{
    const yaml_node_t *node = yaml_document_get_node(document, id);
    if (!node || node->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = yaml_document_get_node(document, pair->key);
        if (name->type == YAML_SCALAR_NODE && name->data.scalar.length == length &&
            !memcmp(name->data.scalar.value, key, length))
            return pair;
    }
    return NULL;
}

int job_yaml_find(struct job_yaml *yaml, int id, const char *path)
{
    while (id && *path) {
        size_t length = strcspn(path, ".");
        const yaml_node_pair_t *pair = find_pair(&yaml->document, id, path, length);
        id = pair ? pair->value : 0;
        path += length + (path[length] == '.');
    }
    return id;
}

/* A single value has no keys; but it may stand for a section that has. False. */
static bool refuse_key_of_value(const yaml_node_t *value, const char *path, int length, struct error *error)
{
    for (const struct option_row *row = job_options; row->name; row++)
        if (row->bare && strlen(row->name) == (size_t)length && !memcmp(row->name, path, (size_t)length))
            return error_set(error, ERROR_USAGE, "%.*s: a single value, which has no keys: write %.*s={%s: %.40s, ...}",
                             length, path, length, path, row->keys->name, (const char *)value->data.scalar.value);
    return error_set(error, ERROR_USAGE, "%.*s: a single value, which has no keys", length, path);
}

/* Where the parent `id` holds the number of its child `key`; a key that is new to a section holds an empty section.
 * Valid until something is added to this parent. `path` is the whole path, of which `key` is a part. */
static int *child_slot(struct job_yaml *yaml, int id, const char *path, const char *key, size_t length,
                       struct error *error)
{
    const yaml_node_t *node = yaml_document_get_node(&yaml->document, id);
    int parent = (int)(key - path) - (key > path);
    if (node->type == YAML_SCALAR_NODE) {
        refuse_key_of_value(node, path, parent, error);
        return NULL;
    }
    if (node->type == YAML_SEQUENCE_NODE) {
        int *items = node->data.sequence.items.start;
        long count = node->data.sequence.items.top - items;
        long place = length < 10 ? strtol(key, NULL, 10) : count;
        if (strspn(key, "0123456789") == length && place < count)
            return &items[place];
        error_set(error, ERROR_USAGE, "%.*s: a list of %ld, counted from 0", parent, path, count);
        return NULL;
    }
    yaml_node_pair_t *pair = find_pair(&yaml->document, id, key, length);
    if (pair)
        return &pair->value;
    int name = add_scalar(yaml, key, length);
    need_node(yaml_document_append_mapping_pair(&yaml->document, id, name, add_section(yaml)));
    return &find_pair(&yaml->document, id, key, length)->value;
}

/* Puts the node `value` at the path, which ends at '='. */
static bool put(struct job_yaml *yaml, const char *path, int value, struct error *error)
{
    int id = JOB_YAML_ROOT;
    for (const char *key = path;;) {
        size_t length = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
        if (length == 0 || (key[length] != '.' && key[length] != '='))
            return error_set(error, ERROR_USAGE, "not of the form key.path=value");
        int *slot = child_slot(yaml, id, path, key, length, error);
        if (!slot)
            return false;
        if (key[length] == '=') {
            *slot = value;
            return true;
        }
        *slot = id = detach(yaml, *slot);
        key += length + 1;
    }
}

/* Whether YAML takes the end of this text for a comment. Marks count characters. */
static bool has_comment(const char *text, yaml_document_t *value)
{
    const yaml_node_t *root = yaml_document_get_root_node(value);
    for (size_t left = root ? root->end_mark.index : 0; left > 0 && *text; left--)
        do
            text++;
        while (((unsigned char)*text & 0xC0) == 0x80);
    return text[strspn(text, " \t")] == '#';
}

static bool apply(struct job_yaml *yaml, size_t index, struct error *error)
{
    const char *override = yaml->overrides[index];
    const char *equals = strchr(override, '=');
    yaml_document_t value = {0};
    yaml_mark_t mark;
    if (!equals) {
        error_set(error, ERROR_USAGE, "not of the form key.path=value");
        return blame_override(override, error);
    }
    if (!load(equals + 1, &value, &mark, error))
        return blame_override(override, error);
    if (has_comment(equals + 1, &value)) {
        yaml_document_delete(&value);
        error_set(error, ERROR_USAGE,
                  "what stands behind ' #' is a comment for YAML: put the value in quotes, or take "
                  "the comment away");
        return blame_override(override, error);
    }
    yaml->origin = index + 1;
    int root = graft(yaml, &value);
    yaml_document_delete(&value);
    return put(yaml, override, root, error) || blame_override(override, error);
}

/* Forgets the offsets and makes sure that there is a root that can hold keys. */
static bool prepare(struct job_yaml *yaml, struct error *error)
{
    yaml_document_t *document = &yaml->document;
    for (yaml_node_t *node = document->nodes.start; node < document->nodes.top; node++)
        node->start_mark.index = 0;
    const yaml_node_t *root = yaml_document_get_root_node(document);
    if (!root)
        return error_set(error, ERROR_USAGE, "%s:1:1: the file is empty", yaml->name);
    if (root->type == YAML_MAPPING_NODE)
        return true;
    error_set(error, ERROR_USAGE, "keys with values are expected");
    return job_yaml_blame(yaml, JOB_YAML_ROOT, error);
}

bool job_yaml_init(struct job_yaml *yaml, const char *name, const char *text, const char *const *overrides,
                   size_t override_count, struct error *error)
{
    yaml_mark_t mark = {0};
    *yaml = (struct job_yaml){.name = name, .overrides = overrides};
    if (!load(text, &yaml->document, &mark, error))
        return error_set(error, ERROR_USAGE, "%s:%zu:%zu: %s", name, mark.line + 1, mark.column + 1, error->text);
    yaml->loaded = true;
    bool ok = prepare(yaml, error);
    for (size_t i = 0; ok && i < override_count; i++)
        ok = apply(yaml, i, error);
    if (!ok)
        job_yaml_release(yaml);
    return ok;
}

void job_yaml_release(struct job_yaml *yaml)
{
    if (yaml->loaded)
        yaml_document_delete(&yaml->document);
    yaml->loaded = false;
}
