#include "run/holder.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "run/run_files.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AGAIN_S 1 /* between taking the lock and writing the line, with a slow disk */

void holder_write(int lock, const char *key)
{
    char host[ENVIRONMENT_HOST], batch[SUBMISSION_KEY];
    struct text line;
    if (lock < 0)
        return;
    environment_host(host);
    environment_batch_key(batch, sizeof batch);
    text_init(&line);
    text_append(&line, "{\"host\":");
    text_append_json(&line, host);
    text_append(&line, ",\"pid\":%ld,\"since_unix\":%.3f", (long)getpid(), clock_unix_exact());
    if (*key) {
        text_append(&line, ",\"%s\":", strcmp(key, batch) == 0 ? "job" : "supervisor");
        text_append_json(&line, key);
    }
    text_append(&line, "}\n");
    /* A disk that takes no line: then nobody is named. */
    if (ftruncate(lock, 0) == 0 && pwrite(lock, line.bytes, line.length, 0) == (ssize_t)line.length)
        fdatasync(lock);
    text_release(&line);
}

bool holder_read(const char *run, struct holder *holder)
{
    char path[PATH_MAX], *text = NULL;
    size_t bytes;
    double pid = 0;
    struct error error;
    *holder = (struct holder){0};
    if (!run_file_path(run, RUN_LOCK, path) || !file_read_own(path, FILE_NOTE_MOST, &text, &bytes, &error))
        return false;
    text[strcspn(text, "\n")] = '\0';
    bool ok = json_text(text, "host", holder->host, sizeof holder->host) && json_number(text, "pid", &pid) &&
              json_number(text, "since_unix", &holder->since_unix);
    holder->is_batch = json_text(text, "job", holder->key, sizeof holder->key);
    if (!holder->is_batch)
        json_text(text, "supervisor", holder->key, sizeof holder->key);
    holder->pid = pid > 0 && pid < 1e9 ? (long)pid : 0;
    free(text);
    return ok;
}

bool holder_is_other(const char *run, const char *key)
{
    struct holder holder;
    return holder_read(run, &holder) && strcmp(holder.key, key) != 0;
}

/* The supervisor's process is the number behind the last dash. */
static bool lives_here(const struct holder *holder)
{
    char host[ENVIRONMENT_HOST];
    environment_host(host);
    size_t length = strlen(host);
    long pid = strncmp(holder->key, host, length) == 0 && holder->key[length] == '-'
                   ? strtol(holder->key + length + 1, NULL, 10)
                   : 0;
    return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

static bool stays(const char *run, const char *key)
{
    struct holder holder;
    char batch[SUBMISSION_KEY];
    environment_batch_key(batch, sizeof batch);
    if (!holder_read(run, &holder) || !*holder.key || strcmp(holder.key, key) == 0)
        return false;
    return holder.is_batch ? *batch != '\0' : lives_here(&holder);
}

bool holder_stays(const char *run, const char *key)
{
    if (!stays(run, key))
        return false;
    sleep(AGAIN_S);
    return stays(run, key);
}

bool holder_refuse(const char *run, const char *key, struct error *error)
{
    struct holder holder;
    char since[CLOCK_TEXT_BYTES];
    if (!holder_read(run, &holder))
        return error_set(error, ERROR_BUSY, "another lockstep is training in %s: end it, or choose another run:", run);
    clock_text((int64_t)holder.since_unix, since);
    if (*key && strcmp(holder.key, key) == 0)
        return error_set(error, ERROR_IO,
                         "an earlier start of this job (process %ld on %s, since %s) still holds %s, and does not end",
                         holder.pid, holder.host, since, run);
    const char *who = holder.is_batch ? "job " : *holder.key ? "supervisor " : "by hand, ";
    return error_set(error, ERROR_BUSY,
                     "another lockstep is training in %s: %s%s%sprocess %ld on %s, since %s: end it (%s%s), or choose "
                     "another run:",
                     run, who, holder.key, *holder.key ? ", " : "", holder.pid, holder.host, since,
                     holder.is_batch ? "scancel " : "SIGUSR2 to it", holder.is_batch ? holder.key : "");
}
