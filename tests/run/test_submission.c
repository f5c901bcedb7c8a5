/* What a job was submitted as counts at its restarts, whatever becomes of its file; and who holds a run. */
#include "run/submission.h"

#include "base/file.h"
#include "job/job_support.h"
#include "run/holder.h"
#include "run/notice.h"
#include "run/refusal.h"
#include "support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct error error;
static const char *const overrides[] = {"seed=3"};
static const struct submission_request asked = {.file = "job.yaml", .overrides = overrides, .override_count = 1};

static void write_job(const char *run)
{
    struct text text;
    text_init(&text);
    text_append(&text, "%s", SMALLEST);
    text_append(&text, "clip_norm: 1\n");
    memcpy(strstr(text.bytes, "out"), run, 3);
    CU_ASSERT(file_replace("job.yaml", text.bytes, text.length, &error));
    text_release(&text);
}

/* An empty directory, in which batch job 14 is at its start number `restart`, 0: the first. */
static void begin(const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", test_path(name));
    CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
    CU_ASSERT_EQUAL_FATAL(chdir(path), 0);
    setenv("SLURM_JOB_ID", "14", 1);
    unsetenv("SLURM_ARRAY_JOB_ID");
    unsetenv("SLURM_ARRAY_TASK_ID");
    unsetenv("SLURM_RESTART_COUNT");
    write_job("one");
}

/* A start of the job. The run that it has; "": it has failed. */
static const char *start(const char *restart, const struct submission_request *request)
{
    static char run[PATH_MAX];
    struct submission submission;
    struct job job = {0};
    *run = '\0';
    if (restart)
        setenv("SLURM_RESTART_COUNT", restart, 1);
    submission_init(&submission, false);
    if (!submission_read(&submission, request, &job, &error))
        return run;
    CU_ASSERT(submission_keep(&submission, request, &job, &error));
    CU_ASSERT_EQUAL(job.seed, 3);
    submission_begun(&submission, job.run);
    snprintf(run, sizeof run, "%s", job.run);
    job_release(&job);
    return run;
}

static void a_requeued_job_is_what_was_submitted(void)
{
    begin("edited");
    CU_ASSERT_STRING_EQUAL(start(NULL, &asked), "one");
    CU_ASSERT_EQUAL(access("one/submitted/14.yaml", F_OK), 0);
    write_job("two");
    CU_ASSERT_STRING_EQUAL(start("1", &asked), "one");
    CU_ASSERT(file_replace("job.yaml", "run: [", 6, &error));
    CU_ASSERT_STRING_EQUAL(start("2", &asked), "one");
    unlink("job.yaml");
    static const char *const settings[] = {"seed=9"}; /* of a line of a sweep that was edited */
    const struct submission_request swept = {.file = "job.yaml", .overrides = settings, .override_count = 1};
    CU_ASSERT_STRING_EQUAL(start("3", &swept), "one");
    static const char *const other[] = {"seed=3", "run=two"};
    const struct submission_request elsewhere = {.file = "job.yaml", .overrides = other, .override_count = 2};
    CU_ASSERT_STRING_EQUAL(start("4", &elsewhere), "");
}

static void a_start_that_repeats_none_reads_the_file(void)
{
    begin("anew");
    CU_ASSERT_STRING_EQUAL(start(NULL, &asked), "one");
    write_job("two");
    CU_ASSERT_STRING_EQUAL(start(NULL, &asked), "two");
    CU_ASSERT_STRING_EQUAL(start("1", &asked), "two");
    write_job("six");
    CU_ASSERT_STRING_EQUAL(start("1", &asked), "two"); /* a script that tries again, after an edit that was told */
    CU_ASSERT_STRING_EQUAL(start("1", &asked), "two");
    write_job("one");
    struct submission_request reread = asked;
    reread.anew = true;
    CU_ASSERT_STRING_EQUAL(start("2", &reread), "one");
    setenv("SLURM_ARRAY_JOB_ID", "14", 1);
    setenv("SLURM_ARRAY_TASK_ID", "2", 1);
    write_job("two");
    CU_ASSERT_STRING_EQUAL(start("1", &asked), "two"); /* another element of the array */
    CU_ASSERT_EQUAL(access("two/submitted/14_2.yaml", F_OK), 0);
}

static void a_batch_system_that_hides_restarts_repeats(void)
{
    begin("hidden");
    unsetenv("SLURM_JOB_ID");
    setenv("PBS_JOBID", "7[2].server", 1);
    CU_ASSERT_STRING_EQUAL(start(NULL, &asked), "one");
    CU_ASSERT_EQUAL(access("one/submitted/7[2].server.yaml", F_OK), 0);
    write_job("two");
    CU_ASSERT_STRING_EQUAL(start(NULL, &asked), "one");
    struct submission_request reread = asked;
    reread.anew = true;
    CU_ASSERT_STRING_EQUAL(start(NULL, &reread), "two");
    write_job("six");
    setenv("PBS_ENVIRONMENT", "PBS_INTERACTIVE", 1);
    CU_ASSERT_STRING_EQUAL(start(NULL, &asked), "six");
    unsetenv("PBS_ENVIRONMENT");
    unsetenv("PBS_JOBID");
    setenv("LSB_JOBID", "8", 1);
    setenv("LSB_JOBINDEX", "3", 1);
    write_job("one");
    CU_ASSERT_STRING_EQUAL(start(NULL, &asked), "one");
    CU_ASSERT_EQUAL(access("one/submitted/8[3].yaml", F_OK), 0);
    setenv("LSB_JOBINDEX", "0", 1);
    write_job("two");
    CU_ASSERT_STRING_EQUAL(start(NULL, &asked), "two"); /* another one */
    unsetenv("LSB_JOBID");
    unsetenv("LSB_JOBINDEX");
}

static void a_run_that_has_lost_its_kept_job_goes_on(void)
{
    struct text yaml;
    struct job job = {0};
    begin("lost");
    CU_ASSERT_STRING_EQUAL(start(NULL, &asked), "one");
    CU_ASSERT(unlink("one/submitted/14.yaml") == 0 && rmdir("one/submitted") == 0);
    CU_ASSERT_STRING_EQUAL(start("1", &asked), ""); /* nothing is there */
    CU_ASSERT(file_replace("one/history.jsonl", "", 0, &error));
    text_init(&yaml);
    text_append(&yaml, "%s", SMALLEST);
    text_append(&yaml, "seed: 3\n");
    memcpy(strstr(yaml.bytes, "out"), "one", 3);
    CU_ASSERT(job_parse(&job, "job.yaml", yaml.bytes, NULL, 0, &error));
    text_release(&yaml);
    job_write(&job, &yaml);
    CU_ASSERT(file_replace("one/job.yaml", yaml.bytes, yaml.length, &error));
    write_job("two");
    CU_ASSERT_STRING_EQUAL(start("1", &asked), "one");
    CU_ASSERT_STRING_EQUAL(start("1", &asked), "one"); /* it is kept again */
    CU_ASSERT_EQUAL(access("one/submitted/14.yaml", F_OK), 0);
    job_release(&job);
    text_release(&yaml);
}

static void old_traces_go(void)
{
    static const char *const others[] = {".lockstep-1-0123456789abcde", ".lockstep-1-0123456789abcdeg",
                                         ".lockstep-x.yaml", ".lockstep-2-00000000000000ff"};
    const struct timespec old[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    begin("traces");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CU_ASSERT(file_replace(others[i], "", 0, &error));
        CU_ASSERT_EQUAL(utimensat(AT_FDCWD, others[i], old, 0), 0);
    }
    CU_ASSERT(file_replace(".lockstep-3-00000000000000ff", "", 0, &error)); /* young */
    CU_ASSERT_EQUAL(link(".lockstep-2-00000000000000ff", "second name"), 0);
    CU_ASSERT_STRING_EQUAL(start(NULL, &asked), "one");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        CU_ASSERT_EQUAL(access(others[i], F_OK), 0);
    CU_ASSERT_EQUAL(access(".lockstep-3-00000000000000ff", F_OK), 0);
    CU_ASSERT_EQUAL(unlink("second name"), 0);
    CU_ASSERT_STRING_EQUAL(start(NULL, &asked), "one");
    CU_ASSERT_EQUAL(access(".lockstep-2-00000000000000ff", F_OK), -1);
}

static void a_job_that_finds_nothing_of_itself_is_refused(void)
{
    begin("moved");
    CU_ASSERT_STRING_EQUAL(start(NULL, &asked), "one");
    CU_ASSERT_EQUAL(rename("one", "away"), 0);
    CU_ASSERT_STRING_EQUAL(start("1", &asked), "");
    CU_ASSERT(error.kind == ERROR_NOT_FOUND && strstr(error.text, "job 14 has begun its work in one"));
    CU_ASSERT_EQUAL(access("one", F_OK), -1);
    CU_ASSERT_EQUAL(rename("away", "one"), 0);
    CU_ASSERT_STRING_EQUAL(start("1", &asked), "one");
}

static void a_job_that_had_not_begun_finds_nothing(void)
{
    struct submission submission;
    struct job job = {0};
    begin("early");
    CU_ASSERT_STRING_EQUAL(start("1", &asked), "one"); /* requeued before it was ever started */
    begin("earlier");
    submission_init(&submission, false);
    CU_ASSERT(submission_read(&submission, &asked, &job, &error));
    CU_ASSERT(submission_keep(&submission, &asked, &job, &error)); /* and before its ranks were at work */
    job_release(&job);
    CU_ASSERT_EQUAL(rename("one", "away"), 0);
    CU_ASSERT_STRING_EQUAL(start("1", &asked), "one");
}

static void nothing_is_left_of_a_job_that_is_finished(void)
{
    struct submission submission;
    struct job job = {0};
    begin("done");
    submission_init(&submission, false);
    CU_ASSERT(submission_read(&submission, &asked, &job, &error));
    CU_ASSERT(submission_keep(&submission, &asked, &job, &error));
    submission_forget(&submission);
    job_release(&job);
    CU_ASSERT_EQUAL(rmdir("one"), 0);
    CU_ASSERT_EQUAL(unlink("job.yaml"), 0);
    CU_ASSERT_EQUAL(rmdir("../done"), 0);
    begin("hand");
    unsetenv("SLURM_JOB_ID");
    submission_init(&submission, false);
    CU_ASSERT_STRING_EQUAL(submission.key, "");
    submission_init(&submission, true);
    CU_ASSERT_STRING_NOT_EQUAL(submission.key, "");
}

static void a_refusal_is_told_once(void)
{
    struct error told, heard;
    begin("refusal");
    error_set(&told, ERROR_NOT_FOUND, "no \"data\"");
    refusal_write("kept.yaml", &told);
    CU_ASSERT(refusal_take("kept.yaml", &heard));
    CU_ASSERT(heard.kind == ERROR_NOT_FOUND && strcmp(heard.text, told.text) == 0);
    CU_ASSERT_FALSE(refusal_take("kept.yaml", &heard));
    refusal_remove("kept.yaml");
    CU_ASSERT_FALSE(refusal_take("kept.yaml", &heard));
}

/* Into the room that it has: the very file, of the same length. */
static void a_refusal_is_told_on_a_full_disk(void)
{
    struct error told, heard;
    struct stat before, after;
    begin("full");
    refusal_reserve("kept.yaml");
    CU_ASSERT_FALSE(refusal_take("kept.yaml", &heard));
    CU_ASSERT_EQUAL(stat("kept.yaml.refused", &before), 0);
    error_set(&told, ERROR_FULL, "%0900d%0900d", 1, 2);
    memset(told.text, '\001', 900);
    refusal_write("kept.yaml", &told);
    CU_ASSERT_EQUAL(stat("kept.yaml.refused", &after), 0);
    CU_ASSERT(before.st_ino == after.st_ino && before.st_size == after.st_size && before.st_size > 0);
    CU_ASSERT(refusal_take("kept.yaml", &heard));
    CU_ASSERT(heard.kind == ERROR_FULL && heard.text[0] == '\001');
    refusal_write("kept.yaml", &told);
    refusal_reserve("kept.yaml");
    CU_ASSERT_FALSE(refusal_take("kept.yaml", &heard));
}

/* Pipes are not waited for, links are not followed. */
static void what_is_planted_in_a_run_is_not_used(void)
{
    struct notice notice;
    struct holder holder;
    struct error told, heard;
    struct submission submission = {.key = "14", .path = "one/submitted/14.yaml"};
    begin("planted");
    CU_ASSERT_STRING_EQUAL(start(NULL, &asked), "one");
    error_set(&told, ERROR_USAGE, "no");
    CU_ASSERT_EQUAL(mkfifo("one/submitted/14.yaml.refused", 0600), 0);
    CU_ASSERT_FALSE(refusal_take("one/submitted/14.yaml", &heard));
    CU_ASSERT_EQUAL(mkfifo("one/.end", 0600), 0);
    CU_ASSERT_FALSE(notice_read("one", &notice));
    CU_ASSERT_EQUAL(mkfifo("one/.lock", 0600), 0);
    CU_ASSERT_FALSE(holder_read("one", &holder));
    CU_ASSERT(rename("one/submitted/14.yaml", "kept") == 0 && mkfifo("one/submitted/14.yaml", 0600) == 0);
    CU_ASSERT_STRING_EQUAL(start("1", &asked), "");
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "14.yaml is not a file"));
    /* The directory is a link to one that holds just such files. */
    CU_ASSERT(rename("one/submitted", "elsewhere") == 0 && symlink("../elsewhere", "one/submitted") == 0);
    CU_ASSERT(unlink("elsewhere/14.yaml") == 0 && unlink("elsewhere/14.yaml.refused") == 0);
    refusal_write("one/submitted/14.yaml", &told);
    CU_ASSERT_EQUAL(access("elsewhere/14.yaml.refused", F_OK), -1);
    CU_ASSERT(file_replace("elsewhere/14.yaml.refused", "{\"kind\":\"usage\"}", 16, &error));
    CU_ASSERT_FALSE(refusal_take("one/submitted/14.yaml", &heard));
    CU_ASSERT_EQUAL(rename("kept", "elsewhere/14.yaml"), 0);
    CU_ASSERT_STRING_EQUAL(start("1", &asked), "");
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "one/submitted is a symbolic link"));
    submission_forget(&submission);
    CU_ASSERT_EQUAL(access("elsewhere/14.yaml", F_OK), 0);
    struct job job = {0};
    unsetenv("SLURM_RESTART_COUNT");
    submission_init(&submission, false);
    CU_ASSERT(submission_read(&submission, &asked, &job, &error));
    CU_ASSERT_EQUAL(unlink("elsewhere/14.yaml"), 0);
    CU_ASSERT_FALSE(submission_keep(&submission, &asked, &job, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_EQUAL(access("elsewhere/14.yaml", F_OK), -1);
    job_release(&job);
}

static void a_holder_is_named(void)
{
    begin("holder");
    CU_ASSERT_EQUAL(mkdir("run", 0700), 0);
    int lock = open("run/.lock", O_RDWR | O_CREAT, 0600);
    CU_ASSERT_FALSE(holder_is_other("run", "15"));
    holder_write(lock, "14");
    CU_ASSERT(holder_is_other("run", "15") && !holder_is_other("run", "14"));
    holder_refuse("run", "14", &error);
    CU_ASSERT_EQUAL(error.kind, ERROR_IO);
    CU_ASSERT_FALSE(holder_stays("run", "14"));
    setenv("SLURM_JOB_ID", "15", 1);
    CU_ASSERT(holder_stays("run", "15"));
    holder_refuse("run", "15", &error);
    CU_ASSERT(error.kind == ERROR_BUSY && strstr(error.text, "job 14, process") && strstr(error.text, "scancel 14"));
    close(lock);
}

int main(void)
{
    const struct test_case cases[] = {
        {"a requeued job is what was submitted", a_requeued_job_is_what_was_submitted},
        {"a start that repeats none reads the file", a_start_that_repeats_none_reads_the_file},
        {"a batch system that hides restarts repeats", a_batch_system_that_hides_restarts_repeats},
        {"a run that has lost its kept job goes on", a_run_that_has_lost_its_kept_job_goes_on},
        {"old traces go", old_traces_go},
        {"a job that finds nothing of itself is refused", a_job_that_finds_nothing_of_itself_is_refused},
        {"a job that had not begun finds nothing", a_job_that_had_not_begun_finds_nothing},
        {"nothing is left of a job that is finished", nothing_is_left_of_a_job_that_is_finished},
        {"a refusal is told once", a_refusal_is_told_once},
        {"a refusal is told on a full disk", a_refusal_is_told_on_a_full_disk},
        {"what is planted in a run is not used", what_is_planted_in_a_run_is_not_used},
        {"a holder is named", a_holder_is_named},
        {0},
    };
    return test_run("run/submission", cases);
}
