#include "run/trace.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "run/environment.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PREFIX ".lockstep-"
#define DIGITS 16 /* of the digest */

bool trace_name(const char *key, uint64_t digest, char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, PREFIX "%s-%016" PRIx64, key, digest) < PATH_MAX;
}

bool trace_read(const char *path, char run[PATH_MAX], bool *begun)
{
    char *text = NULL;
    size_t bytes;
    struct error error;
    struct stat info;
    bool is_ours = *path && lstat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid();
    if (!is_ours || !file_read_note(path, &text, &bytes, &error))
        return false;
    text[strcspn(text, "\n")] = '\0';
    bool ok = json_text(text, "run", run, PATH_MAX) && *run;
    json_bool(text, "begun", begun);
    free(text);
    return ok;
}

/* Whether trace_name makes such names. */
static bool is_name(const char *name)
{
    size_t length = strlen(name), head = strlen(PREFIX);
    return length > head + 1 + DIGITS && strncmp(name, PREFIX, head) == 0 && name[length - DIGITS - 1] == '-' &&
           strspn(name + length - DIGITS, "0123456789abcdef") == DIGITS;
}

static void remove_old(void)
{
    DIR *directory = opendir(".");
    struct stat info;
    time_t now = time(NULL);
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        if (is_name(entry->d_name) && fstatat(dirfd(directory), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(info.st_mode) && info.st_nlink == 1 && info.st_uid == geteuid() &&
            now - info.st_mtime > TRACE_OLD_S)
            unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory)
        closedir(directory);
}

bool trace_write(const char *path, const char *run, bool begun, struct error *error)
{
    struct text line;
    char host[ENVIRONMENT_HOST];
    environment_host(host);
    text_init(&line);
    text_append(&line, "{\"run\":");
    text_append_json(&line, run);
    text_append(&line, ",\"begun\":%s,\"host\":", begun ? "true" : "false");
    text_append_json(&line, host);
    text_append(&line, "}\n");
    bool ok = file_replace(path, line.bytes, line.length, error);
    text_release(&line);
    if (ok)
        remove_old();
    return ok;
}
