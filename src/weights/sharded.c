/* A model in several files of safetensors (huggingface/huggingface_hub, "Sharded checkpoints"): the index,
 * model.safetensors.index.json, has under "weight_map" the file of each tensor, which lies beside it:
 * {"metadata": {"total_size": 16}, "weight_map": {"a.weight": "model-00001-of-00002.safetensors", ...}}. */
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "weights/weights.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INDEX_MOST  100000000 /* bytes */
#define SHARDS_MOST 1000      /* each is an open file */

struct opened {
    struct weights_file *shards; /* [count] */
    char **names;                /* [count] as the index has them, owned */
    size_t count;
};

/* Where a tensor is. */
static uint64_t place_of(size_t shard, size_t tensor)
{
    return (uint64_t)shard << 32 | tensor;
}

static size_t shard_of(const struct weights_tensor *tensor)
{
    return tensor->place >> 32;
}

static bool read_index(const struct weights_file *file, json_t **index, struct error *error)
{
    *index = NULL;
    if (file->bytes > INDEX_MOST)
        return error_set(error, ERROR_CORRUPT, "an index of %llu bytes is longer than any: at most %d are read",
                         (unsigned long long)file->bytes, INDEX_MOST);
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno(error, "cannot open it");
    char *text = memory_alloc(file->bytes, 1, "the index", error);
    ssize_t got = text ? file_read_at(fd, text, file->bytes, 0) : -1;
    bool ok = got >= 0 || (text && error_errno(error, "cannot read it"));
    close(fd);
    json_error_t wrong = {.text = ""};
    *index = ok ? json_loadb(text, (size_t)got, JSON_REJECT_DUPLICATES, &wrong) : NULL;
    memory_free(text);
    if (ok && !json_is_object(json_object_get(*index, "weight_map"))) {
        for (char *c = wrong.text; *c; c++) /* it quotes the file */
            *c = (unsigned char)*c < ' ' || *c == 127 ? '?' : *c;
        ok = error_set(error, ERROR_CORRUPT,
                       "it is no index of sharded safetensors (\"weight_map\": {TENSOR: FILE, ...}): %s",
                       *wrong.text ? wrong.text : "its weight_map is no object");
    }
    return ok;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A file beside the index, and nothing else. */
static bool check_name(const char *name, struct error *error)
{
    bool ok = name && *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/') &&
              strlen(name) < 256;
    for (const char *c = name; ok && *c; c++)
        ok = (unsigned char)*c >= ' ' && *c != 127;
    return ok || error_set(error, ERROR_CORRUPT,
                           "its weight_map wants names of files beside it, without directories, and has something "
                           "else");
}

/* The names of the shards, each once. */
static bool take_names(struct opened *opened, const json_t *map, struct error *error)
{
    const char *tensor;
    json_t *value;
    size_t count = 0, kept = 0;
    opened->names = memory_need(json_object_size(map), sizeof *opened->names);
    json_object_foreach((json_t *)map, tensor, value)
    {
        const char *name = json_string_value(value);
        if (!check_name(name, error))
            break;
        opened->names[count++] = (char *)name;
    }
    bool ok = count == json_object_size(map);
    qsort(opened->names, count, sizeof *opened->names, compare_names);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(opened->names[i], opened->names[kept - 1]) != 0)
            opened->names[kept++] = opened->names[i];
    if (ok && kept > SHARDS_MOST)
        ok = error_set(error, ERROR_CORRUPT, "its weight_map names %zu files: at most %d are read", kept, SHARDS_MOST);
    opened->count = ok ? kept : 0;
    for (size_t i = 0; i < opened->count; i++)
        opened->names[i] = memory_text(opened->names[i]);
    return ok;
}

/* Opens a shard, and adds what is in it. */
static bool take_shard(struct weights_file *file, size_t s, struct error *error)
{
    struct opened *opened = file->self;
    struct weights_file *shard = &opened->shards[s];
    const char *slash = strrchr(file->path, '/');
    struct text path;
    text_init(&path);
    text_append(&path, "%.*s%s", slash ? (int)(slash - file->path) + 1 : 0, file->path, opened->names[s]);
    bool ok = weights_open_as(shard, path.bytes, &weights_safetensors, error);
    text_release(&path);
    for (size_t t = 0; ok && t < shard->weights.count; t++) {
        const struct weights_tensor *from = &shard->weights.tensors[t];
        struct weights_tensor *tensor;
        ok = weights_add(&file->weights, from->name, from->dims, from->shape, &tensor, error);
        if (ok) {
            tensor->form = from->form;
            tensor->place = place_of(s, t);
            memcpy(tensor->type, from->type, sizeof tensor->type);
        }
    }
    return ok;
}

static int compare_tensors(const void *a, const void *b)
{
    return strcmp((*(struct weights_tensor *const *)a)->name, (*(struct weights_tensor *const *)b)->name);
}

/* What the index lists is there. */
static bool check_map(const struct weights_file *file, const json_t *map, struct error *error)
{
    const struct opened *opened = file->self;
    const struct weights *weights = &file->weights;
    const char *name;
    json_t *value;
    bool ok = true;
    struct weights_tensor **sorted = memory_need(weights->count + 1, sizeof(void *));
    for (size_t i = 0; i < weights->count; i++)
        sorted[i] = &weights->tensors[i];
    qsort(sorted, weights->count, sizeof *sorted, compare_tensors);
    json_object_foreach((json_t *)map, name, value)
    {
        const struct weights_tensor wanted = {.name = (char *)name}, *key = &wanted;
        struct weights_tensor **found = bsearch(&key, sorted, weights->count, sizeof *sorted, compare_tensors);
        if (found && strcmp(opened->names[shard_of(*found)], json_string_value(value)) == 0)
            continue;
        struct text shown; /* a name may hold anything */
        text_init(&shown);
        text_append_json(&shown, name);
        ok = error_set(error, ERROR_CORRUPT, "its weight_map says that %.200s is in %s, but it is not",
                       text_bytes(&shown), json_string_value(value));
        text_release(&shown);
        break;
    }
    memory_free(sorted);
    return ok;
}

static bool open_file(struct weights_file *file, bool averaged, struct error *error)
{
    (void)averaged;
    struct opened *opened = file->self = memory_need(1, sizeof *opened);
    json_t *index;
    bool ok = read_index(file, &index, error);
    const json_t *map = json_object_get(index, "weight_map");
    ok = ok && take_names(opened, map, error);
    opened->shards = memory_need(opened->count + 1, sizeof *opened->shards);
    for (size_t s = 0; ok && s < opened->count; s++)
        ok = take_shard(file, s, error);
    ok = ok && check_map(file, map, error);
    json_decref(index);
    return ok;
}

static void close_file(struct weights_file *file)
{
    struct opened *opened = file->self;
    for (size_t s = 0; s < opened->count; s++) {
        weights_close(&opened->shards[s]);
        memory_free(opened->names[s]);
    }
    memory_free(opened->shards);
    memory_free(opened->names);
    memory_free(opened);
}

/* What is lost counts for the whole. */
static bool load(const struct weights_file *file, const struct weights_tensor *tensor, float *values,
                 struct error *error)
{
    const struct opened *opened = file->self;
    struct weights_file shard = opened->shards[shard_of(tensor)];
    shard.lost = file->lost;
    return shard.format->load(&shard, &shard.weights.tensors[tensor->place & UINT32_MAX], values, error);
}

const struct weights_format weights_sharded = {
    .name = "sharded safetensors", .suffix = ".index.json", .open = open_file, .close = close_file, .load = load};
