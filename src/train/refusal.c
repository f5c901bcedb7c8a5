#include "train/refusal.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool path_of(const char *kept, char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s.refused", kept) < PATH_MAX;
}

void refusal_write(const char *kept, const struct error *refusal)
{
    char path[PATH_MAX];
    struct text line;
    struct error error;
    text_init(&line);
    text_append(&line, "{\"kind\":\"%s\",\"words\":", error_kind_word(refusal->kind));
    text_append_json(&line, refusal->text);
    text_append(&line, "}\n");
    bool told = path_of(kept, path) && file_replace(path, line.bytes, line.length, &error);
    (void)told; /* a disk that takes no file: the supervisor has the exit code */
    text_release(&line);
}

bool refusal_take(const char *kept, struct error *refusal)
{
    char path[PATH_MAX], kind[16] = "", *text = NULL;
    size_t bytes;
    struct error error;
    if (!path_of(kept, path) || !file_read(path, &text, &bytes, &error))
        return false;
    unlink(path);
    error_set(refusal, ERROR_NONE, "%s", "");
    json_text(text, "kind", kind, sizeof kind);
    json_text(text, "words", refusal->text, sizeof refusal->text);
    free(text);
    refusal->kind = error_kind_of(kind);
    return refusal->kind != ERROR_NONE;
}
