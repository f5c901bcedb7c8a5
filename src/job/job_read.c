#include "job/job.h"

#include "base/check.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/registry.h"
#include "job/job_check.h"
#include "job/job_yaml.h"
#include "job/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* In all lists of a job together: aliases can make a short file mean any number. */
#define ITEMS_MOST 10000

/* Of a path that the rows know: a key of a list and a place ("9999") for each list on the way, with their points, and
 * some keys around them. */
#define PATH_BYTES (96 + (OPTION_DEPTH + 1) * (REGISTRY_NAME + 8))

struct job_reader {
    struct job_yaml yaml;
    struct error *error;
    size_t depth;  /* lists around what is being read */
    size_t items;  /* so far */
    bool is_saved; /* it was a job once: its paths are what they are */
};

/* A section on its way into a struct. */
struct section {
    const struct option_row *rows;
    const char *path; /* "" for the whole file */
    int node;         /* 0: not in the file, all keys have their defaults */
    int place;        /* the node to blame for what is missing */
    void *base;
    bool is_bare; /* the name of its kind may stand in its place */
};

static void join(char path[PATH_BYTES], const char *section, const char *key)
{
    int length = snprintf(path, PATH_BYTES, "%s%s%s", section, *section ? "." : "", key);
    CHECK(length < PATH_BYTES, "a path of the table of options must fit");
}

/* Writes the error "PLACE: PATH: words" and returns false. */
static bool refuse(struct job_reader *reader, int node, const char *path, const char *format, ...) FORMAT(4, 5);
static bool refuse(struct job_reader *reader, int node, const char *path, const char *format, ...)
{
    char words[1500];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    error_set(reader->error, ERROR_USAGE, "%s: %s", path, words);
    return job_yaml_blame(&reader->yaml, node, reader->error);
}

static bool refuse_value(struct job_reader *reader, int node, const char *path, const struct option_row *option,
                         const char *wrong)
{
    struct text allowed;
    text_init(&allowed);
    option_allowed(option, &allowed);
    refuse(reader, node, path, "%s; allowed: %s", wrong, text_bytes(&allowed));
    text_release(&allowed);
    return false;
}

static bool refuse_key(struct job_reader *reader, int node, const struct section *section,
                       const struct option_keys *keys)
{
    const yaml_node_t *name = job_yaml_node(&reader->yaml, node);
    const struct kind *kind = option_kind(section->rows, section->base);
    char shown[64] = "(not a word)", path[PATH_BYTES + sizeof shown];
    if (name->type == YAML_SCALAR_NODE)
        option_show((const char *)name->data.scalar.value, shown, sizeof shown);
    snprintf(path, sizeof path, "%s%s%s", section->path, *section->path ? "." : "", shown);
    struct text words;
    text_init(&words);
    text_append(&words, "unknown key");
    if (kind)
        text_append(&words, " for %s: %s", section->is_bare ? section->path : section->rows->name, kind->name);
    for (size_t i = 0; i < keys->count; i++)
        text_append(&words, "%s%s", i ? ", " : "; allowed here: ", keys->keys[i].option->name);
    refuse(reader, node, path, "%s", text_bytes(&words));
    text_release(&words);
    return false;
}

static bool read_section(struct job_reader *reader, const struct section *section);

/* The type that the table gives decides how a value is read, quoted or not: 'run: 2024' is a text, 'seed: "1"' a
 * number. `node` holds the text of this element of the value. */
static bool read_element(struct job_reader *reader, const struct option_row *option, size_t element, int node,
                         const char *path, void *base)
{
    const yaml_node_t *value = job_yaml_node(&reader->yaml, node);
    if (value->type != YAML_SCALAR_NODE)
        return refuse_value(reader, node, path, option, "a single value is expected");
    const char *text = (const char *)value->data.scalar.value;
    if (strlen(text) != value->data.scalar.length)
        return refuse_value(reader, node, path, option, "a NUL byte cannot be part of it");
    if (option_read(option, element, text, base, reader->error) &&
        (!option->path || reader->is_saved || option_check_path(option->path, text, reader->error)))
        return true;
    error_set(reader->error, ERROR_USAGE, "%s: %s", path, reader->error->text);
    return job_yaml_blame(&reader->yaml, node, reader->error);
}

static bool refuse_length(struct job_reader *reader, int node, const char *path)
{
    return refuse(reader, node, path, "the lists of this job have more than %d items", ITEMS_MOST);
}

/* The word that stands in place of a list. */
static bool read_list_word(struct job_reader *reader, const struct option_row *option, int node, const char *path,
                           void *base)
{
    option_add_items(option, base, 1);
    reader->items++;
    return read_element(reader, option, 0, node, path, base);
}

static bool is_list_word(const struct option_row *option, const yaml_node_t *value)
{
    return option->type == OPTION_REALS && value->type == YAML_SCALAR_NODE &&
           option_word(option, (const char *)value->data.scalar.value);
}

/* A pair, or any number of numbers or texts, for which this makes room. */
static bool read_elements(struct job_reader *reader, const struct option_row *option, int node, const char *path,
                          void *base)
{
    const yaml_node_t *list = job_yaml_node(&reader->yaml, node);
    bool is_list = list->type == YAML_SEQUENCE_NODE, is_pair = option->type == OPTION_PAIR;
    size_t count = is_list ? (size_t)(list->data.sequence.items.top - list->data.sequence.items.start) : 0;
    if (is_pair && count != 2)
        return refuse_value(reader, node, path, option, "two numbers are expected, as in [a, b]");
    if (is_list_word(option, list))
        return read_list_word(reader, option, node, path, base);
    if (!is_list)
        return refuse_value(reader, node, path, option,
                            option->type == OPTION_TEXTS ? "a list of texts is expected, as in [a, b]"
                                                         : "a list of numbers is expected, as in [10, 20]");
    if (!is_pair) {
        if (count > ITEMS_MOST - reader->items)
            return refuse_length(reader, node, path);
        option_add_items(option, base, count);
        reader->items += count;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = read_element(reader, option, i, list->data.sequence.items.start[i], path, base);
    return ok;
}

static bool read_value(struct job_reader *reader, const struct option_row *option, int node, const char *path,
                       void *base)
{
    if (option->type == OPTION_PAIR || (option_is_counted(option) && option->type != OPTION_LIST))
        return read_elements(reader, option, node, path, base);
    return read_element(reader, option, 0, node, path, base);
}

static bool read_items(struct job_reader *reader, const struct option_row *option, const int *items, size_t count,
                       const char *path, void *base)
{
    for (size_t i = 0; i < count; i++) {
        char place[24], item[PATH_BYTES];
        snprintf(place, sizeof place, "%zu", i);
        join(item, path, place);
        if (!read_section(
                reader, &(struct section){option->keys, item, items[i], items[i], option_item(option, base, i), false}))
            return false;
    }
    return true;
}

static bool read_list(struct job_reader *reader, const struct option_row *option, int node, const char *path,
                      void *base)
{
    const yaml_node_t *list = job_yaml_node(&reader->yaml, node);
    if (list->type != YAML_SEQUENCE_NODE)
        return refuse(reader, node, path, "a list is expected");
    const int *items = list->data.sequence.items.start;
    size_t count = (size_t)(list->data.sequence.items.top - items);
    if (count == 0)
        return refuse(reader, node, path, "the list is empty; at least one item is needed");
    if (reader->depth > OPTION_DEPTH)
        return refuse(reader, node, path, "lists are nested too deep here; allowed: %d in each other", OPTION_DEPTH);
    if (count > ITEMS_MOST - reader->items)
        return refuse_length(reader, node, path);
    option_add_items(option, base, count);
    reader->items += count;
    reader->depth++;
    bool ok = read_items(reader, option, items, count, path, base);
    reader->depth--;
    return ok;
}

static bool read_key(struct job_reader *reader, const struct section *section, const struct option_key *key, int node)
{
    const struct option_row *option = key->option;
    char path[PATH_BYTES];
    join(path, section->path, option->name);
    if (option->type == OPTION_LIST)
        return read_list(reader, option, node, path, key->base);
    if (option->type != OPTION_SECTION)
        return read_value(reader, option, node, path, key->base);
    return read_section(
        reader, &(struct section){option->keys, path, node, node, option_field(option, key->base), option->bare});
}

static void take_default(struct job_reader *reader, const struct option_key *key, const char *const *defaults)
{
    for (size_t i = 0; i < option_elements(key->option); i++)
        CHECK(option_read(key->option, i, defaults[i], key->base, reader->error), "a default must be allowed");
}

static void take_default_key(const struct option_keys *keys, const struct option_key *key)
{
    const struct option_key *other = option_find(keys, key->option->default_key, strlen(key->option->default_key));
    CHECK(other && other < key, "a default must come from a key that stands before");
    memcpy(option_field(key->option, key->base), option_field(other->option, other->base), sizeof(uint64_t));
}

static bool read_default(struct job_reader *reader, const struct section *section, const struct option_keys *keys,
                         const struct option_key *key)
{
    const struct option_row *option = key->option;
    char path[PATH_BYTES];
    join(path, section->path, option->name);
    void *field = option_field(option, key->base);
    if (option->optional) {
        if (option->type == OPTION_REAL)
            *(double *)field = option->absent;
        return true;
    }
    if (option->type == OPTION_SECTION)
        return read_section(reader, &(struct section){option->keys, path, 0, section->place, field, option->bare});
    if (option->type == OPTION_LIST)
        return refuse(reader, section->place, path, "missing; a list is expected");
    if (option->default_key)
        take_default_key(keys, key);
    else if (option->default_rule)
        take_default(reader, key, &(const char *){option->default_rule(section->base)});
    else if (option->defaults[0])
        take_default(reader, key, option->defaults);
    else
        return refuse_value(reader, section->place, path, option, "missing");
    return true;
}

/* `key: null` and `key: ~` are as good as no key: so --set can take an optional one away. */
static bool is_null(const yaml_node_t *value)
{
    if (value->type != YAML_SCALAR_NODE || value->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    const char *text = (const char *)value->data.scalar.value;
    return strcmp(text, "null") == 0 || strcmp(text, "~") == 0;
}

/* What stands in a section, for a guess. */
static void list_given(struct job_reader *reader, int node, struct option_given *given)
{
    const yaml_node_t *section = job_yaml_node(&reader->yaml, node);
    const yaml_node_pair_t *pair = section->data.mapping.pairs.start, *top = section->data.mapping.pairs.top;
    for (; pair < top && given->count < OPTION_ROWS; pair++) {
        const yaml_node_t *key = job_yaml_node(&reader->yaml, pair->key);
        const yaml_node_t *value = job_yaml_node(&reader->yaml, pair->value);
        bool is_text = value->type == YAML_SCALAR_NODE;
        if (key->type != YAML_SCALAR_NODE || is_null(value))
            continue;
        given->keys[given->count] = (const char *)key->data.scalar.value;
        given->texts[given->count++] = is_text ? (const char *)value->data.scalar.value : NULL;
    }
}

static bool guess_kind(struct job_reader *reader, const struct section *section)
{
    const struct option_row *row = section->rows;
    struct option_given given = {.count = 0};
    char path[PATH_BYTES], words[sizeof reader->error->text];
    list_given(reader, section->node, &given);
    const struct kind *kind = row->guess(&given, reader->error);
    if (kind) {
        option_set_kind(row, section->base, kind);
        return true;
    }
    join(path, section->path, row->name);
    memcpy(words, reader->error->text, sizeof words);
    return refuse_value(reader, section->place, path, row, words);
}

/* The name of the kind comes first: it decides which keys exist. */
static bool read_kind(struct job_reader *reader, const struct section *section)
{
    if (section->rows->type != OPTION_KIND)
        return true;
    const struct option_key key = {section->rows, section->base};
    if (section->is_bare)
        return read_element(reader, key.option, 0, section->node, section->path, key.base);
    int node = section->node ? job_yaml_find(&reader->yaml, section->node, key.option->name) : 0;
    bool given = node && !is_null(job_yaml_node(&reader->yaml, node));
    if (!given && section->node && key.option->guess)
        return guess_kind(reader, section);
    return given ? read_key(reader, section, &key, node) : read_default(reader, section, NULL, &key);
}

/* Reads the keys that the section has in the file; bit k of *seen: keys->keys[k] has its value. */
static bool read_given(struct job_reader *reader, const struct section *section, const struct option_keys *keys,
                       uint64_t *seen)
{
    const yaml_node_t *node = job_yaml_node(&reader->yaml, section->node);
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = job_yaml_node(&reader->yaml, pair->key);
        const struct option_key *key = NULL;
        if (name->type == YAML_SCALAR_NODE)
            key = option_find(keys, (const char *)name->data.scalar.value, name->data.scalar.length);
        if (!key)
            return refuse_key(reader, pair->key, section, keys);
        uint64_t bit = (uint64_t)1 << (key - keys->keys);
        char path[PATH_BYTES];
        join(path, section->path, key->option->name);
        if (*seen & bit)
            return refuse(reader, pair->key, path, "this key stands here twice");
        bool is_kind = key->option->type == OPTION_KIND;
        bool is_no_key = is_null(job_yaml_node(&reader->yaml, pair->value));
        if (is_kind || !is_no_key) /* of names of a kind read_kind has looked at the first, null or not */
            *seen |= bit;
        if (is_no_key)
            continue;
        if (!is_kind && !read_key(reader, section, key, pair->value))
            return false;
    }
    return true;
}

/* Whether the values of the kind's keys fit each other. */
static bool check_settings(struct job_reader *reader, const struct section *section)
{
    const struct kind *kind = option_kind(section->rows, section->base);
    const char *key = NULL;
    if (!kind || !kind->check || kind->check(option_settings(section->rows, section->base), &key, reader->error))
        return true;
    CHECK(key, "a kind's check names the key that is wrong");
    char path[PATH_BYTES], words[sizeof reader->error->text];
    join(path, section->path, key);
    memcpy(words, reader->error->text, sizeof words);
    int node = section->node ? job_yaml_find(&reader->yaml, section->node, key) : 0;
    return refuse(reader, node ? node : section->place, path, "%s", words);
}

static bool read_section(struct job_reader *reader, const struct section *section)
{
    const yaml_node_t *node = section->node ? job_yaml_node(&reader->yaml, section->node) : NULL;
    struct section own = *section;
    own.is_bare = section->is_bare && node && node->type == YAML_SCALAR_NODE && !is_null(node);
    if (node && node->type == YAML_SEQUENCE_NODE && section->is_bare)
        return refuse_value(reader, section->node, section->path, section->rows, "a single value is expected");
    if (node && node->type != YAML_MAPPING_NODE && !own.is_bare)
        return refuse(reader, section->node, section->path, "keys with values are expected, as in {%s: ...}",
                      section->rows->name);
    if (!read_kind(reader, &own))
        return false;
    struct option_keys keys;
    option_keys_of(section->rows, section->base, &keys);
    uint64_t seen = 0;
    if (node && !own.is_bare && !read_given(reader, section, &keys, &seen))
        return false;
    for (size_t k = 0; k < keys.count; k++)
        if (!(seen & (uint64_t)1 << k) && keys.keys[k].option->type != OPTION_KIND &&
            !read_default(reader, section, &keys, &keys.keys[k]))
            return false;
    return check_settings(reader, section);
}

static bool parse(struct job *job, bool is_saved, const char *name, const char *text, const char *const *overrides,
                  size_t override_count, struct error *error)
{
    struct job_reader reader = {.error = error, .is_saved = is_saved};
    *job = (struct job){0};
    if (!job_yaml_init(&reader.yaml, name, text, overrides, override_count, error))
        return false;
    bool ok = read_section(&reader, &(struct section){job_options, "", JOB_YAML_ROOT, JOB_YAML_ROOT, job, false}) &&
              job_check(job, &reader.yaml, error);
    job_yaml_release(&reader.yaml);
    if (!ok)
        job_release(job);
    return ok;
}

bool job_parse(struct job *job, const char *name, const char *text, const char *const *overrides, size_t override_count,
               struct error *error)
{
    return parse(job, false, name, text, overrides, override_count, error);
}

bool job_read_text(const char *file, char **text, size_t *bytes, struct error *error)
{
    *text = NULL;
    if (!file_read(file, text, bytes, error))
        return false;
    if (strlen(*text) == *bytes)
        return true;
    free(*text);
    *text = NULL;
    return error_set(error, ERROR_USAGE, "%s: there is a NUL byte in it: not a text file", file);
}

bool job_read(struct job *job, const char *file, const char *const *overrides, size_t override_count,
              struct error *error)
{
    char *text;
    size_t bytes;
    bool ok = job_read_text(file, &text, &bytes, error) && job_parse(job, file, text, overrides, override_count, error);
    free(text);
    return ok;
}

bool job_parse_saved(struct job *job, const char *name, const char *text, const char *const *overrides,
                     size_t override_count, struct error *error)
{
    return parse(job, true, name, text, overrides, override_count, error);
}

void job_release(struct job *job)
{
    option_release(job_options, job);
    *job = (struct job){0};
}
