#include "launch/again.h"

#include <stdlib.h>
#include <string.h>

/* As a shell reads it back. */
static void append_quoted(const char *word, struct text *words)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";
    size_t length = strspn(word, plain);
    if (*word && word[length] == '\0') {
        text_append(words, "%s", word);
        return;
    }
    text_append(words, "'");
    for (const char *from = word; *from; from += strcspn(from, "'"), from += *from == '\'') {
        size_t upto = strcspn(from, "'");
        text_append(words, "%.*s%s", (int)upto, from, from[upto] ? "'\\''" : "");
    }
    text_append(words, "'");
}

/* The value of a key that may hold spaces: up to the key that scontrol writes behind it. */
static bool between(const char *text, const char *key, const char *next, struct text *value)
{
    const char *from = strstr(text, key);
    const char *end = from ? strstr(from, next) : NULL;
    if (end)
        text_append(value, "%.*s", (int)(end - from - (long)strlen(key)), from + strlen(key));
    return end && value->length > 0;
}

/* Slurm forgets a job some minutes after its end (MinJobAge); then it has to be submitted as it was. */
static void append_batch(const struct slurm_job *job, struct text *words)
{
    struct text answer, script, directory;
    const char *element = getenv("SLURM_ARRAY_TASK_ID");
    text_init(&answer);
    text_init(&script);
    text_init(&directory);
    bool known = slurm_ask((const char *[]){"show", "job", "-o", job->id, NULL}, &answer) &&
                 between(text_bytes(&answer), " Command=", " WorkDir=", &script) &&
                 between(text_bytes(&answer), " WorkDir=", " StdErr=", &directory);
    if (job->may_requeue && job->batch_flag > 0)
        text_append(words, "scontrol requeue %s%s", job->id, known ? ", or, when Slurm has forgotten the job: " : "");
    if (known) { /* the script with its arguments, as scontrol has joined them */
        text_append(words, "cd ");
        append_quoted(text_bytes(&directory), words);
        text_append(words, " && sbatch %s%s%s%s", element ? "--array=" : "", element ? element : "", element ? " " : "",
                    text_bytes(&script));
    }
    text_release(&answer);
    text_release(&script);
    text_release(&directory);
}

void again_append(const struct slurm_job *job, char *const *command, struct text *words)
{
    text_append(words, "what starts it again: ");
    size_t length = words->length;
    if (job->is_inside)
        append_batch(job, words);
    if (words->length > length)
        return;
    text_append(words, "lockstep supervise --");
    for (; *command; command++)
        if (strcmp(*command, "--submitted") == 0 && command[1])
            command++; /* of the start that is over */
        else {
            text_append(words, " ");
            append_quoted(*command, words);
        }
}
