/* A run in one line, by what lies in its directory. */
#include "run/run_summary.h"
#include "support/test.h"

#include "base/file.h"
#include "run/run_files.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct error error;
static char run[PATH_MAX];

#define BEGIN "{\"event\":\"begin\",\"unix\":1000,\"step\":0}\n"
#define JOB                                                                                                            \
    "run: x\n"                                                                                                         \
    "data: {train: {format: digits, count: 64}, validation: {format: digits, count: 8}}\n"                             \
    "model: [{layer: dense, units: 10}]\n"                                                                             \
    "train: {steps: 50, batch: 8}\n"                                                                                   \
    "optimizer: {name: sgd, learning_rate: 0.1}\n"                                                                     \
    "validate: {every: 10, metric: accuracy}\n"
#define METRICS                                                                                                        \
    "{\"step\":10,\"loss\":2.5,\"samples_per_s\":900}\n"                                                               \
    "{\"event\":\"validation\",\"step\":10,\"loss\":2.25,\"accuracy\":0.75,\"best\":true}\n"                           \
    "{\"step\":20,\"loss\":1.5,\"samples_per_s\":800}\n"                                                               \
    "{\"event\":\"validation\",\"step\":20,\"loss\":2.5,\"accuracy\":0.5,\"best\":false}\n"                            \
    "{\"event\":\"checkpoint\",\"step\":20,\"why\":\"every\"}\n"                                                       \
    "{\"step\":21,\"lo"

static void write_file(enum run_file file, const char *content)
{
    char path[PATH_MAX];
    CU_ASSERT_TRUE(run_file_path(run, file, path) && file_replace(path, content, strlen(content), &error));
}

static void make_run(const char *name, const char *history, const char *metrics, const char *job)
{
    snprintf(run, sizeof run, "%s", test_path(name));
    CU_ASSERT_TRUE(file_make_directories(run, &error));
    CU_ASSERT_FALSE(run_summary_is_run(run));
    write_file(RUN_HISTORY, history);
    CU_ASSERT_TRUE(run_summary_is_run(run));
    if (metrics)
        write_file(RUN_METRICS, metrics);
    if (job)
        write_file(RUN_JOB, job);
}

static void how_far_and_how_good_it_is(void)
{
    struct run_summary summary;
    make_run("good", BEGIN, METRICS, JOB);
    CU_ASSERT_TRUE(run_summary_look(&summary, run, &error));
    CU_ASSERT(summary.has_job && summary.job.train.steps == 50);
    CU_ASSERT(summary.step == 20 && summary.loss == 1.5 && summary.samples_per_s == 800 && summary.seen_unix > 1e9);
    CU_ASSERT(summary.last.step == 20 && summary.last.value == 0.5);
    CU_ASSERT(summary.best.step == 10 && summary.best.value == 0.75);
    run_summary_release(&summary);
    run_summary_release(&summary);
}

static void the_state_is_how_the_last_life_has_ended(void)
{
    static const struct {
        const char *end, *state;
    } cases[] = {
        {"", "dead"},         {"finished", "finished"}, {"early_stopping", "finished"},
        {"SIGUSR1", "saved"}, {"stop-after", "saved"},  {"failed: no space left", "failed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run_summary summary;
        char name[16], history[400];
        snprintf(name, sizeof name, "state-%zu", i);
        snprintf(history, sizeof history, BEGIN);
        if (*cases[i].end)
            snprintf(history, sizeof history,
                     BEGIN "{\"event\":\"end\",\"unix\":1100,\"step\":20,\"reason\":\"%s\",\"interrupted\":true}\n",
                     cases[i].end);
        make_run(name, history, METRICS, JOB);
        CU_ASSERT_TRUE(run_summary_look(&summary, run, &error));
        CU_ASSERT_STRING_EQUAL(summary.state, cases[i].state);
        run_summary_release(&summary);
    }
}

static void one_whose_lock_is_held_is_running(void)
{
    struct run_summary summary;
    char path[PATH_MAX];
    int lock = -1;
    make_run("running", BEGIN "{\"event\":\"end\",\"unix\":1100,\"step\":20,\"reason\":\"SIGUSR1\"}\n", METRICS, JOB);
    run_file_path(run, RUN_LOCK, path);
    CU_ASSERT_TRUE(file_lock(path, 0, &lock, &error));
    CU_ASSERT_TRUE(run_summary_look(&summary, run, &error));
    CU_ASSERT_STRING_EQUAL(summary.state, "running");
    run_summary_release(&summary);
    close(lock);
}

static void what_is_not_there_is_not_known(void)
{
    struct run_summary summary;
    make_run("bare", BEGIN, NULL, NULL);
    CU_ASSERT_TRUE(run_summary_look(&summary, run, &error));
    CU_ASSERT(!summary.has_job && strstr(summary.no_job.text, "job.yaml"));
    CU_ASSERT(isnan(summary.loss) && isnan(summary.best.value) && summary.seen_unix == 0);
    run_summary_release(&summary);
    make_run("strange", BEGIN, METRICS, "run: [\n");
    CU_ASSERT_TRUE(run_summary_look(&summary, run, &error));
    CU_ASSERT(!summary.has_job && strstr(summary.no_job.text, "job.yaml"));
    CU_ASSERT(summary.loss == 1.5 && isnan(summary.last.value));
    run_summary_release(&summary);
    make_run("empty", "", NULL, NULL);
    CU_ASSERT_TRUE(run_summary_look(&summary, run, &error));
    CU_ASSERT_STRING_EQUAL(summary.state, "new");
    run_summary_release(&summary);
}

int main(void)
{
    const struct test_case cases[] = {
        {"how far and how good it is", how_far_and_how_good_it_is},
        {"the state is how the last life has ended", the_state_is_how_the_last_life_has_ended},
        {"one whose lock is held is running", one_whose_lock_is_held_is_running},
        {"what is not there is not known", what_is_not_there_is_not_known},
        {0},
    };
    return test_run("run/run_summary", cases);
}
