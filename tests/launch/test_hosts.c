/* Hosts in a command line of mpirun, and the command line without some of them. */
#include "launch/hosts.h"

#include "base/file.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct error error;

/* The words, each with a space in front. */
static void join(const struct words *words, struct text *text)
{
    text_init(text);
    for (size_t i = 0; i < words->count; i++)
        text_append(text, " %s", words->items[i]);
}

static void expect(const struct words *words, const char *expected)
{
    struct text text;
    join(words, &text);
    CU_ASSERT_STRING_EQUAL(text_bytes(&text), expected);
    text_release(&text);
}

static void split(const char *text, struct words *words)
{
    words_init(words);
    words_append(words, text);
}

/* The hosts that mpirun's options name, and what is left of these without the lost ones. */
static void sift(const char *options, const char *expected_names, const char *lost, const char *expected)
{
    struct words command, names, gone;
    split(options, &command);
    words_insert(&command, 0, "mpirun");
    words_append(&command, "lockstep train -n job.yaml");
    split(lost, &gone);
    hosts_named(&command, &names);
    expect(&names, expected_names);
    hosts_remove(&command, &gone);
    words_remove(&command, 0);
    expect(&command, expected);
    words_release(&names);
    words_release(&gone);
    words_release(&command);
}

static void lists_are_sifted(void)
{
    sift("--host a:2,b:2,c", " a b c", "b", " --host a:2,c lockstep train -n job.yaml");
    sift("-H b  -np 4 -host x@a", " b x@a", "b", " -np 2 -host x@a lockstep train -n job.yaml");
    sift("--host a:6,b:2 -np 8", " a b", "a", " --host b:2 -np 2 lockstep train -n job.yaml");
    sift("-n 7 --host a,b,bb", " a b bb", "a b", " -n 2 --host bb lockstep train -n job.yaml");
    sift("-np 1 --host a,b", " a b", "b", " -np 1 --host a lockstep train -n job.yaml");
    sift("-np 4 -H a,a,b,b", " a b", "b", " -np 2 -H a,a lockstep train -n job.yaml");
    sift("--host a,b taskset -c 0-3", " a b", "b", " --host a taskset -c 0-3 lockstep train -n job.yaml");
}

static void slots_that_are_none_are_one(void)
{
    sift("-np 3 --host a:,b:-4,c:99999999999999999999", " a b c", "b",
         " -np 2 --host a:,c:99999999999999999999 lockstep train -n job.yaml");
}

static void a_command_without_hosts_stays(void)
{
    sift("-np 4", "", "", " -np 4 lockstep train -n job.yaml");
    sift("--host a,b --hostfile no/such/file", "", "",
         " --host a,b --hostfile no/such/file lockstep train -n job.yaml");
    sift("--hostfile no/such/file", "", "", " --hostfile no/such/file lockstep train -n job.yaml");
}

static void files_are_sifted_line_by_line(void)
{
    static const char lines[] = "# ours@home\na slots=2 # 10:30\n  b slots=4 # old\n\nme@c slots=\n",
                      kept[] = "# ours@home\na slots=2 # 10:30\n\nme@c slots=\n";
    char path[256], *bytes = NULL;
    size_t length;
    struct words command, names, lost;
    snprintf(path, sizeof path, "%s", test_path("hosts"));
    CU_ASSERT_TRUE_FATAL(file_replace(path, lines, strlen(lines), &error));
    split("mpirun --hostfile FILE -np 14 lockstep train", &command);
    words_replace(&command, 2, path);
    split("b", &lost);
    hosts_named(&command, &names);
    expect(&names, " a b me@c");
    hosts_remove(&command, &lost);
    CU_ASSERT_STRING_EQUAL(command.items[4], "6"); /* 2 + 1 of 7 slots are left */
    CU_ASSERT_STRING_NOT_EQUAL(command.items[2], path);
    CU_ASSERT_TRUE_FATAL(file_read(command.items[2], &bytes, &length, &error));
    CU_ASSERT_STRING_EQUAL(bytes, kept);
    free(bytes);
    words_release(&names);
    words_release(&lost);
    words_release(&command);
}

/* With `false` nobody is reached but this machine; with `true` everybody is. */
static void hosts_are_lost_that_the_agent_does_not_reach(void)
{
    struct words command;
    struct text lost;
    text_init(&lost);
    split("mpirun --host far,localhost,farther lockstep train", &command);
    setenv("OMPI_MCA_plm_rsh_agent", "true : rsh", 1);
    CU_ASSERT_EQUAL(hosts_leave_out_lost(&command, &lost), 3);
    CU_ASSERT_EQUAL(lost.length, 0);
    setenv("OMPI_MCA_plm_rsh_agent", "false", 1);
    words_insert(&command, 1, "true");
    words_insert(&command, 1, "plm_rsh_agent");
    CU_ASSERT_EQUAL(hosts_leave_out_lost(&command, &lost), 3); /* the command goes before the environment */
    words_remove(&command, 1);
    words_remove(&command, 1);
    CU_ASSERT_EQUAL(hosts_leave_out_lost(&command, &lost), 1);
    CU_ASSERT_STRING_EQUAL(text_bytes(&lost), "far,farther");
    expect(&command, " mpirun --host localhost lockstep train");
    words_replace(&command, 2, "far,farther");
    CU_ASSERT_EQUAL(hosts_leave_out_lost(&command, &lost), 0); /* no use in going on with nobody */
    expect(&command, " mpirun --host far,farther lockstep train");
    unsetenv("OMPI_MCA_plm_rsh_agent");
    text_release(&lost);
    words_release(&command);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"lists are sifted", lists_are_sifted},
        {"slots that are none are one", slots_that_are_none_are_one},
        {"a command without hosts stays", a_command_without_hosts_stays},
        {"files are sifted line by line", files_are_sifted_line_by_line},
        {"hosts are lost that the agent does not reach", hosts_are_lost_that_the_agent_does_not_reach},
        {0},
    };
    return test_run("launch/hosts", cases);
}
