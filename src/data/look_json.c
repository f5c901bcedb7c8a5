#include "data/look.h"

#include "base/digest.h"
#include "base/memory.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VERSION   1
#define FILE_MOST 1000000
#define HEX       16 /* digits */

/* {"version":1,"looks":[LOOK or null, ...],"digest":"..."}: the digest is that of all that stands before its comma.
 * Numbers of 64 bits are texts: JSON's are not so wide everywhere. */
static const char before_digest[] = ",\"digest\":\"", behind[] = "\"}\n";

static void append_number(const char *key, uint64_t number, struct text *json)
{
    text_append(json, "\"%s\":\"%016" PRIx64 "\",", key, number);
}

static void append_look(const struct look *look, struct text *json)
{
    if (look->count == 0) {
        text_append(json, "null");
        return;
    }
    text_append(json, "{");
    append_number("question", look->question, json);
    append_number("content", look->found.digest, json);
    append_number("kinds", look->found.kinds, json);
    text_append(json, "\"lacks_first\":%s,\"least\":%.9g,\"most\":%.9g,\n  \"files\":[",
                look->found.lacks_first ? "true" : "false", (double)look->found.least, (double)look->found.most);
    for (size_t i = 0; i < look->count; i++) {
        const struct look_file *file = &look->files[i];
        text_append(json, "%s{", i > 0 ? ",\n    " : "\n    ");
        append_number("bytes", file->bytes, json);
        append_number("inode", file->inode, json);
        append_number("written_ns", file->written_ns, json);
        append_number("changed_ns", file->changed_ns, json);
        text_append(json, "\"sample\":\"%016" PRIx64 "\"}", file->sample);
    }
    text_append(json, "]}");
}

void look_write(const struct look *looks, size_t count, struct text *json)
{
    text_append(json, "{\"version\":%d,\"looks\":[", VERSION);
    for (size_t i = 0; i < count; i++) {
        text_append(json, "%s", i > 0 ? ",\n " : "\n ");
        append_look(&looks[i], json);
    }
    text_append(json, "]");
    uint64_t digest = digest_bytes(json->bytes, json->length);
    text_append(json, "%s%016" PRIx64 "%s", before_digest, digest, behind);
}

/* ---- read ---- */

static bool read_hex(const char *text, uint64_t *number)
{
    char *end;
    if (!text || strlen(text) != HEX || strspn(text, "0123456789abcdef") != HEX)
        return false;
    *number = strtoull(text, &end, 16);
    return true;
}

static bool read_number(const json_t *object, const char *key, uint64_t *number)
{
    return read_hex(json_string_value(json_object_get(object, key)), number);
}

static bool read_float(const json_t *object, const char *key, float *number)
{
    const json_t *value = json_object_get(object, key);
    *number = (float)json_number_value(value);
    return json_is_number(value) && isfinite(*number);
}

static bool read_file(const json_t *object, struct look_file *file)
{
    return read_number(object, "bytes", &file->bytes) && read_number(object, "inode", &file->inode) &&
           read_number(object, "written_ns", &file->written_ns) &&
           read_number(object, "changed_ns", &file->changed_ns) && read_number(object, "sample", &file->sample);
}

static bool read_look(const json_t *object, struct look *look)
{
    const json_t *files = json_object_get(object, "files");
    const json_t *lacks_first = json_object_get(object, "lacks_first");
    size_t count = json_array_size(files);
    if (!read_number(object, "question", &look->question) || !read_number(object, "content", &look->found.digest) ||
        !read_number(object, "kinds", &look->found.kinds) || !json_is_boolean(lacks_first) ||
        !read_float(object, "least", &look->found.least) || !read_float(object, "most", &look->found.most) ||
        count == 0 || count > FILE_MOST)
        return false;
    look->found.lacks_first = json_is_true(lacks_first);
    look->files = memory_need(count, sizeof *look->files);
    look->count = count;
    for (size_t i = 0; i < count; i++)
        if (!read_file(json_array_get(files, i), &look->files[i]))
            return false;
    return true;
}

/* Whether the text ends with the digest of what stands before. */
static bool is_whole(const char *json, size_t bytes)
{
    const size_t before = sizeof before_digest - 1, after = sizeof behind - 1, tail = before + HEX + after;
    char text[HEX + 1] = "";
    uint64_t digest;
    if (bytes < tail || memcmp(json + bytes - tail, before_digest, before) != 0 ||
        memcmp(json + bytes - after, behind, after) != 0)
        return false;
    memcpy(text, json + bytes - after - HEX, HEX);
    return read_hex(text, &digest) && digest == digest_bytes(json, bytes - tail);
}

static bool read_all(struct look *looks, size_t count, const json_t *root)
{
    const json_t *list = json_object_get(root, "looks");
    if (json_integer_value(json_object_get(root, "version")) != VERSION || json_array_size(list) > count)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_null(item) && !read_look(item, &looks[i]))
            return false;
    }
    return true;
}

bool look_read(struct look *looks, size_t count, const char *json, size_t bytes)
{
    memset(looks, 0, count * sizeof *looks);
    json_t *root = is_whole(json, bytes) ? json_loadb(json, bytes, 0, NULL) : NULL;
    bool ok = root && read_all(looks, count, root);
    json_decref(root);
    for (size_t i = 0; !ok && i < count; i++)
        look_release(&looks[i]);
    return ok;
}
