/* A disk that is sick, for LD_PRELOAD (calls: see disk_calls.h). What it does is said in SICK, rules between
 * semicolons:
 *
 *   SICK=CALL:PART:WHAT[:FROM[-TO]];...
 *
 *   CALL     create, write, truncate, reserve, sync, close, rename, unlink, mkdir, list
 *   PART     counts calls whose path (of a rename: either) holds these letters
 *   WHAT     EIO, ENOSPC, EDQUOT, EROFS, EACCES, ESTALE, EINVAL, EINTR   the call fails
 *            short                        a write takes half of the bytes
 *            slow=MS                      the call comes after so many milliseconds
 *            stop                         this process stops (SIGSTOP) before the call, until somebody sends SIGCONT
 *            hang                         the call does not come back before a file with the name SICK_CURE exists
 *   FROM-TO  only these of the calls that the rule counts, from 1; without TO: only that one; without both: all
 *
 * The first rule that applies to a call decides. Everything else goes through. */
#include "disk_calls.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum what { WHAT_FAIL, WHAT_SHORT, WHAT_SLOW, WHAT_STOP, WHAT_HANG };

static struct rule {
    enum disk_kind kind;
    char part[128];
    enum what what;
    int reason; /* errno */
    long milliseconds;
    long from, to;
    atomic_long calls;
} rules[16];
static int rule_count = 0;

static const char *const kinds[DISK_KINDS] = {
    [DISK_CREATE] = "create", [DISK_WRITE] = "write", [DISK_TRUNCATE] = "truncate", [DISK_RESERVE] = "reserve",
    [DISK_SYNC] = "sync",     [DISK_CLOSE] = "close", [DISK_RENAME] = "rename",     [DISK_UNLINK] = "unlink",
    [DISK_MKDIR] = "mkdir",   [DISK_LIST] = "list",
};

static const struct {
    const char *name;
    int reason;
} reasons[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS},
               {"EACCES", EACCES}, {"ESTALE", ESTALE}, {"EINVAL", EINVAL}, {"EINTR", EINTR}};

static bool parse_what(struct rule *rule, const char *word)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strcmp(word, reasons[i].name) == 0) {
            rule->what = WHAT_FAIL;
            rule->reason = reasons[i].reason;
            return true;
        }
    rule->what = strcmp(word, "short") == 0 ? WHAT_SHORT : strcmp(word, "stop") == 0 ? WHAT_STOP : WHAT_HANG;
    if (sscanf(word, "slow=%ld", &rule->milliseconds) == 1)
        rule->what = WHAT_SLOW;
    return rule->what != WHAT_HANG || strcmp(word, "hang") == 0;
}

static bool parse_rule(struct rule *rule, const char *text)
{
    char kind[16], word[32];
    *rule = (struct rule){.from = 1, .to = LONG_MAX};
    int fields = sscanf(text, "%15[a-z]:%127[^:]:%31[A-Za-z0-9=]:%ld-%ld", kind, rule->part, word, &rule->from,
                        &rule->to);
    if (fields == 4)
        rule->to = rule->from;
    while (rule->kind < DISK_KINDS && (fields < 3 || strcmp(kind, kinds[rule->kind]) != 0))
        rule->kind++;
    return rule->kind < DISK_KINDS && parse_what(rule, word);
}

/* A rule that is not understood would make a test of nothing. */
__attribute__((constructor)) static void read_rules(void)
{
    const char *value = getenv("SICK");
    char *copy = strdup(value ? value : ""), *rest = copy;
    for (char *text; (text = strtok_r(rest, ";", &rest));)
        if (rule_count == 16 || !parse_rule(&rules[rule_count++], text)) {
            fprintf(stderr, "SICK: not understood: %s\n", text);
            _exit(99);
        }
    free(copy);
}

/* The rule that decides about this call, or NULL. */
static struct rule *find_rule(const struct disk_call *call)
{
    char path[PATH_MAX];
    bool known = false, none = true;
    for (int i = 0; i < rule_count; i++)
        none = none && rules[i].kind != call->kind;
    if (none)
        return NULL;
    known = disk_path(call, path);
    for (int i = 0; known && i < rule_count; i++) {
        struct rule *rule = &rules[i];
        if (rule->kind != call->kind || !(strstr(path, rule->part) || (call->other && strstr(call->other, rule->part))))
            continue;
        long number = atomic_fetch_add(&rule->calls, 1) + 1;
        if (number >= rule->from && number <= rule->to)
            return rule;
    }
    return NULL;
}

static void wait_ms(long milliseconds)
{
    struct timespec rest = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    while (nanosleep(&rest, &rest) && errno == EINTR)
        continue;
}

bool disk_before(struct disk_call *call, long *result)
{
    int kept = errno;
    const struct rule *rule = find_rule(call);
    errno = kept;
    if (!rule)
        return false;
    const char *cure = getenv("SICK_CURE");
    switch (rule->what) {
    case WHAT_FAIL:
        *result = -1;
        errno = rule->reason;
        return true;
    case WHAT_SHORT:
        call->bytes = call->bytes > 1 ? call->bytes / 2 : call->bytes;
        break;
    case WHAT_SLOW:
        wait_ms(rule->milliseconds);
        break;
    case WHAT_STOP:
        raise(SIGSTOP);
        break;
    case WHAT_HANG:
        while (cure && access(cure, F_OK) != 0)
            wait_ms(20);
        break;
    }
    errno = kept;
    return false;
}

void disk_after(const struct disk_call *call, long result)
{
    (void)call;
    (void)result;
}
