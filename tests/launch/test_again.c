/* The words that start a job again can be copied into a shell. */
#include "launch/again.h"

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void words_that_are_plain_stay(void)
{
    struct slurm_job job = {0};
    struct text words;
    const char *const command[] = {
        "mpirun", "-np", "2", "lockstep", "train", "--submitted", "run/submitted/a-1.yaml", "--set", "run=a_b", NULL};
    text_init(&words);
    again_append(&job, (char *const *)command, &words);
    CU_ASSERT_STRING_EQUAL(text_bytes(&words),
                           "what starts it again: lockstep supervise -- mpirun -np 2 lockstep train --set run=a_b");
    text_release(&words);
}

/* What a shell makes of them is what they were. */
static void a_shell_reads_the_words_back(void)
{
    static const char told[] = "what starts it again: lockstep supervise -- ";
    static const char *const strange[] = {"two words", "$HOME", "it's", "",  "'",   "a\"b",
                                          "`id`",      "x;y",   "~",    "#", "[1]", "a*"};
    enum { COUNT = sizeof strange / sizeof *strange };
    struct slurm_job job = {0};
    struct text words, line;
    const char *command[COUNT + 2] = {"mpirun"};
    char read[256];
    memcpy(command + 1, strange, sizeof strange);
    text_init(&words);
    text_init(&line);
    again_append(&job, (char *const *)command, &words);
    CU_ASSERT_EQUAL_FATAL(strncmp(text_bytes(&words), told, strlen(told)), 0);
    text_append(&line, "printf '%%s\\n' %s", text_bytes(&words) + strlen(told));
    FILE *shell = popen(text_bytes(&line), "r"); /* NOLINT(cert-env33-c): it is what the words are for */
    CU_ASSERT_PTR_NOT_NULL_FATAL(shell);
    for (size_t i = 0; i <= COUNT; i++) {
        bool ok = fgets(read, sizeof read, shell) != NULL;
        read[strcspn(read, "\n")] = '\0';
        CU_ASSERT(ok && strcmp(read, command[i]) == 0);
    }
    CU_ASSERT_EQUAL(pclose(shell), 0);
    text_release(&words);
    text_release(&line);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"words that are plain stay", words_that_are_plain_stay},
        {"a shell reads the words back", a_shell_reads_the_words_back},
        {0},
    };
    return test_run("launch/again", cases);
}
