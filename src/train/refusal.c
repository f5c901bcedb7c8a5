#include "train/refusal.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM  4096 /* bytes of the file */
#define SHORT 600  /* of words that do not fit otherwise, with each byte escaped */

static bool path_of(const char *kept, char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s.refused", kept) < PATH_MAX;
}

/* Over what is in the file, which has the room. */
static bool overwrite(const char *path, const char *bytes, size_t count)
{
    int fd;
    struct error error;
    if (!file_open(path, FILE_CHANGE, &fd, &error))
        return false;
    bool ok = pwrite(fd, bytes, count, 0) == (ssize_t)count && fdatasync(fd) == 0;
    return file_close(fd) && ok;
}

void refusal_reserve(const char *kept)
{
    char path[PATH_MAX], blank[ROOM];
    struct error error;
    memset(blank, '\n', sizeof blank);
    bool made = path_of(kept, path) &&
                (overwrite(path, blank, sizeof blank) || file_replace(path, blank, sizeof blank, &error));
    (void)made; /* perhaps there is room later */
}

static void compose(const struct error *refusal, int length, struct text *line)
{
    char words[sizeof refusal->text];
    snprintf(words, sizeof words, "%.*s", length, refusal->text);
    text_init(line);
    text_append(line, "{\"kind\":\"%s\",\"words\":", error_kind_word(refusal->kind));
    text_append_json(line, words);
    text_append(line, "}\n");
}

void refusal_write(const char *kept, const struct error *refusal)
{
    char path[PATH_MAX];
    struct text line;
    struct error error;
    compose(refusal, (int)sizeof refusal->text, &line);
    if (line.length > ROOM) {
        text_release(&line);
        compose(refusal, SHORT, &line);
    }
    bool told = path_of(kept, path) &&
                (overwrite(path, line.bytes, line.length) || file_replace(path, line.bytes, line.length, &error));
    (void)told; /* a disk that takes nothing: the supervisor has the exit code */
    text_release(&line);
}

bool refusal_take(const char *kept, struct error *refusal)
{
    char path[PATH_MAX], kind[16] = "", *text = NULL;
    size_t bytes;
    struct error error;
    if (!path_of(kept, path) || !file_read_own(path, &text, &bytes, &error))
        return false;
    bool forgotten = overwrite(path, "\n", 1) || unlink(path) == 0;
    (void)forgotten; /* before each start as well */
    error_set(refusal, ERROR_NONE, "%s", "");
    text[strcspn(text, "\n")] = '\0';
    json_text(text, "kind", kind, sizeof kind);
    json_text(text, "words", refusal->text, sizeof refusal->text);
    free(text);
    refusal->kind = error_kind_of(kind);
    return refusal->kind != ERROR_NONE;
}

void refusal_remove(const char *kept)
{
    char path[PATH_MAX];
    if (path_of(kept, path))
        unlink(path);
}
