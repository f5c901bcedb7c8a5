#include "run/refusal.h"

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

/* Holds the directory of a kept job, in which the path is. */
static bool hold(const char *kept, char path[PATH_MAX], int *directory)
{
    char parent[PATH_MAX];
    struct error error;
    file_parent(kept, parent);
    return snprintf(path, PATH_MAX, "%s.refused", kept) < PATH_MAX &&
           file_open_directory(parent, FILE_OURS, directory, &error);
}

/* Over what is in the file, which has the room. */
static bool overwrite(int directory, const char *path, const char *bytes, size_t count)
{
    int fd;
    struct error error;
    if (!file_open_in(directory, path, FILE_CHANGE, &fd, &error))
        return false;
    bool ok = pwrite(fd, bytes, count, 0) == (ssize_t)count && fdatasync(fd) == 0;
    return file_close(fd) && ok;
}

/* Perhaps there is no room, or only later: the supervisor has the exit code. */
static void put(const char *kept, const char *bytes, size_t count)
{
    char path[PATH_MAX];
    struct error error;
    int directory;
    if (!hold(kept, path, &directory))
        return;
    bool ok = overwrite(directory, path, bytes, count) || file_replace_in(directory, path, bytes, count, &error);
    (void)ok;
    close(directory);
}

void refusal_reserve(const char *kept)
{
    char blank[ROOM];
    memset(blank, '\n', sizeof blank);
    put(kept, blank, sizeof blank);
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
    struct text line;
    compose(refusal, (int)sizeof refusal->text, &line);
    if (line.length > ROOM) {
        text_release(&line);
        compose(refusal, SHORT, &line);
    }
    put(kept, line.bytes, line.length);
    text_release(&line);
}

bool refusal_take(const char *kept, struct error *refusal)
{
    char path[PATH_MAX], kind[16] = "", *text = NULL;
    size_t bytes;
    struct error error;
    int directory;
    if (!hold(kept, path, &directory))
        return false;
    bool is_there = file_read_note_in(directory, path, &text, &bytes, &error);
    bool is_told = is_there && (overwrite(directory, path, "\n", 1) || file_remove_in(directory, path, &error));
    close(directory);
    if (is_told) {
        error_set(refusal, ERROR_NONE, "%s", "");
        text[strcspn(text, "\n")] = '\0';
        json_text(text, "kind", kind, sizeof kind);
        json_text(text, "words", refusal->text, sizeof refusal->text);
        refusal->kind = error_kind_of(kind);
    }
    free(text);
    return is_told && refusal->kind != ERROR_NONE;
}

void refusal_remove(const char *kept)
{
    char path[PATH_MAX];
    struct error error;
    int directory;
    if (!hold(kept, path, &directory))
        return;
    bool ok = file_remove_in(directory, path, &error);
    (void)ok; /* there may be none */
    close(directory);
}
