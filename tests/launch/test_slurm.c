/* What scontrol prints, and what follows from it. */
#include "launch/nodes.h"
#include "launch/slurm.h"

#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void values_are_found_by_their_key(void)
{
    static const char job[] = "JobId=7 JobName=a PreemptEligibleTime=11 PreemptTime=None Restarts=2 EndTime=1795712781 "
                              "ReqNodeList=(null) Partition=low Command=/a/Restarts=9 \n";
    static const char config[] = "JobRequeue              = 1\nKillWait                = 4 sec\nPreemptType = "
                                 "preempt/partition_prio\n";
    char value[SLURM_TEXT];
    CU_ASSERT_TRUE(slurm_value(job, "JobId", value));
    CU_ASSERT_STRING_EQUAL(value, "7");
    CU_ASSERT_TRUE(slurm_value(job, "PreemptTime", value));
    CU_ASSERT_STRING_EQUAL(value, "None");
    CU_ASSERT_TRUE(slurm_value(job, "Restarts", value));
    CU_ASSERT_STRING_EQUAL(value, "2");
    CU_ASSERT_FALSE(slurm_value(job, "ReqNodeList", value));
    CU_ASSERT_FALSE(slurm_value(job, "Reason", value));
    CU_ASSERT_FALSE(slurm_value(job, "Time", value));
    CU_ASSERT_TRUE(slurm_value(config, "KillWait", value));
    CU_ASSERT_STRING_EQUAL(value, "4");
    CU_ASSERT_TRUE(slurm_value(config, "PreemptType", value));
    CU_ASSERT_STRING_EQUAL(value, "preempt/partition_prio");
    CU_ASSERT_FALSE(slurm_value("", "JobId", value));
}

/* In memory that ends where the text does. */
static void expect_signal(const char *text, const char *expected)
{
    char signal[SLURM_TEXT] = "?", *script = strdup(text);
    slurm_read_signal(script, signal);
    CU_ASSERT_STRING_EQUAL(signal, expected);
    free(script);
}

static void the_signal_is_read_in_the_script(void)
{
    expect_signal(
        "#!/bin/bash\n# --signal=USR2\n#SBATCH --time=1 --signal=B:USR1@120 # early\necho\n#SBATCH --signal=INT\n",
        "B:USR1@120");
    expect_signal("#!/bin/bash\n#SBATCH --signal B:USR1\n#SBATCH --signal=USR2@60", "USR2@60");
    expect_signal("#!/bin/bash\n#SBATCH --signal", ""); /* the end of the text */
    expect_signal("#!/bin/bash\n#SBATCH --signal\n#SBATCH --requeue\n", "");
    expect_signal("#!/bin/bash\n#SBATCH --signals=3\n", "");
    expect_signal("#SBATCH --signal=", "");
    expect_signal("", "");
}

static void tasks_of_nodes_are_expanded(void)
{
    unsigned tasks[5];
    CU_ASSERT_TRUE(nodes_parse_tasks("4(x2),3", tasks, 3));
    CU_ASSERT_EQUAL(tasks[0], 4);
    CU_ASSERT_EQUAL(tasks[1], 4);
    CU_ASSERT_EQUAL(tasks[2], 3);
    CU_ASSERT_TRUE(nodes_parse_tasks("1,2(x3),1", tasks, 5));
    CU_ASSERT_EQUAL(tasks[3], 2);
    CU_ASSERT_TRUE(nodes_parse_tasks("8", tasks, 1));
    static const char *const wrong[] = {"-1,1,1", "4294967297,1,1", "4(x),4(x3)", " 1,1,1", "4(x-1),1,1,1",
                                        "",       "4(x2)",          "4(x4)",      "4(x2),", "4(x2),3,1",
                                        "a",      "4(2),3,1",       "4(x2",       "4x2,3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CU_ASSERT_FALSE(nodes_parse_tasks(wrong[i], tasks, 3));
}

static void the_warning_is_what_reaches_the_ranks(void)
{
    struct slurm_job job = {
        .is_inside = true, .is_known = true, .site = {.preemption = SLURM_REQUEUED, .grace_s = 60, .kill_wait_s = 30}};
    struct slurm_site *site = &job.site;
    CU_ASSERT_EQUAL(slurm_warning_s(&job, true), 90); /* srun passes the first SIGTERM on */
    CU_ASSERT_EQUAL(slurm_warning_s(&job, false), 0); /* mpirun does not */
    strcpy(site->signal, "B:USR1@120");
    CU_ASSERT_EQUAL(slurm_warning_s(&job, false), 0); /* the site does not send it */
    site->warns = true;
    CU_ASSERT_EQUAL(slurm_warning_s(&job, false), 60);
    CU_ASSERT_EQUAL(slurm_warning_s(&job, true), 60);
    site->preemption = SLURM_CANCELLED; /* it has to be requeued before that */
    CU_ASSERT_EQUAL(slurm_warning_s(&job, false), 56);
    site->preemption = SLURM_REQUEUED;
    site->is_by_qos = true; /* the time of grace is that of the QOS */
    CU_ASSERT_TRUE(isnan(slurm_warning_s(&job, false)));
    site->is_by_qos = false;
    strcpy(site->signal, "USR1@120");
    CU_ASSERT_EQUAL(slurm_warning_s(&job, false), 0); /* not to the script */
    site->preemption = SLURM_SUSPENDED;
    CU_ASSERT_TRUE(isnan(slurm_warning_s(&job, true)));
}

static void what_slurm_tells_is_read(void)
{
    struct slurm_job job = {.id = "7"};
    slurm_read_job("JobId=7 JobState=RUNNING Reason=None Requeue=1 Restarts=2 BatchFlag=2 EndTime=1795712781 "
                   "PreemptTime=None Partition=low",
                   &job);
    CU_ASSERT_STRING_EQUAL(job.state, "RUNNING");
    CU_ASSERT_STRING_EQUAL(job.partition, "low");
    CU_ASSERT(job.may_requeue && !job.is_preempted && job.restarts == 2 && job.batch_flag == 2);
    CU_ASSERT_EQUAL(job.end_unix, 1795712781);
    slurm_read_job("JobState=RUNNING EndTime=6e81 Restarts=-1 PreemptTime=1795712000", &job);
    CU_ASSERT(job.is_preempted && job.end_unix == 0 && job.restarts == 0 && job.preempted_unix == 1795712000);

    struct slurm_site *site = &job.site;
    slurm_read_partition("PartitionName=low GraceTime=30 PreemptMode=REQUEUE", site);
    slurm_read_config("KillWait = 4 sec\nSlurmdPort = 26801\nSLURM_VERSION = 24.11.5\nMaxBatchRequeue = 5\n"
                      "PreemptType = preempt/partition_prio\nPreemptParameters = send_user_signal\n",
                      site);
    CU_ASSERT(site->preemption == SLURM_REQUEUED && site->grace_s == 30 && site->kill_wait_s == 4);
    CU_ASSERT(site->port == 26801 && site->warns && site->requeues_most == 5 && !site->is_by_qos);
    slurm_read_config("PreemptType = preempt/none\n", site);
    CU_ASSERT_EQUAL(site->preemption, SLURM_NOT_PREEMPTED);
}

static void what_is_not_answered_stays_as_it_was_told(void)
{
    struct slurm_job job = {.id = "7", .is_inside = true, .is_known = true, .end_unix = 1795712781};
    job.site.grace_s = 30;
    setenv("SLURM_JOB_ID", "7", 1);
    setenv("PATH", "/nowhere", 1); /* no scontrol */
    slurm_look(&job);
    CU_ASSERT(job.is_inside && !job.is_known);
    CU_ASSERT(job.end_unix == 1795712781 && job.site.grace_s == 30);
    unsetenv("SLURM_JOB_ID");
    slurm_look(&job);
    CU_ASSERT_FALSE(job.is_inside);
}

static void only_a_job_that_runs_is_not_ending(void)
{
    struct slurm_job job = {.is_inside = true, .is_known = true, .state = "RUNNING"};
    CU_ASSERT_FALSE(slurm_is_ending(&job));
    job.is_preempted = true;
    CU_ASSERT_TRUE(slurm_is_ending(&job));
    job = (struct slurm_job){.is_inside = true, .is_known = true, .state = "COMPLETING"};
    CU_ASSERT_TRUE(slurm_is_ending(&job));
    job.is_known = false;
    CU_ASSERT_FALSE(slurm_is_ending(&job));
}

static void only_near_the_limit_a_signal_announces_it(void)
{
    struct slurm_job job = {.is_inside = true, .is_known = true, .end_unix = 10000, .site = {.signal = "B:USR1@120"}};
    CU_ASSERT_TRUE(slurm_is_limit_near(&job, 9880));
    CU_ASSERT_TRUE(slurm_is_limit_near(&job, 9820)); /* a minute early */
    CU_ASSERT_FALSE(slurm_is_limit_near(&job, 9800));
    strcpy(job.site.signal, "B:USR1");
    CU_ASSERT_TRUE(slurm_is_limit_near(&job, 9900));
    CU_ASSERT_FALSE(slurm_is_limit_near(&job, 9870));
    job.is_preempted = true;
    CU_ASSERT_FALSE(slurm_is_limit_near(&job, 9990));
    job.is_preempted = false;
    job.end_unix = 0;
    CU_ASSERT_FALSE(slurm_is_limit_near(&job, 9990));
    job.end_unix = 10000;
    *job.site.signal = '\0';
    CU_ASSERT_FALSE(slurm_is_limit_near(&job, 9990));
}

static void a_requeue_is_asked_for_before_all_is_killed(void)
{
    struct slurm_job job = {.site = {.kill_wait_s = 30}};
    CU_ASSERT_EQUAL(slurm_requeue_delay(&job), 26);
    job.site.kill_wait_s = 2;
    CU_ASSERT_EQUAL(slurm_requeue_delay(&job), 0);
}

static void who_is_ended_early_was_cancelled(void)
{
    struct slurm_job job = {.is_preempted = true, .preempted_unix = 1000, .end_unix = 1060, .site = {.grace_s = 60}};
    CU_ASSERT_TRUE(slurm_is_out_of_time(&job));
    job.end_unix = 1030;
    CU_ASSERT_FALSE(slurm_is_out_of_time(&job));
    job.preempted_unix = 1030; /* by Slurm, with the end */
    CU_ASSERT_TRUE(slurm_is_out_of_time(&job));
    job.preempted_unix = 1000;
    strcpy(job.reason, "TimeLimit");
    CU_ASSERT_TRUE(slurm_is_out_of_time(&job));
}

static void slurm_requeues_by_itself_until_it_would_hold_the_job(void)
{
    struct slurm_job job = {.is_preempted = true, .may_requeue = true, .batch_flag = 1, .site = {.requeues_most = 5}};
    CU_ASSERT_TRUE(slurm_is_requeued_at_end(&job));
    job.batch_flag = 3;
    CU_ASSERT_TRUE(slurm_is_requeued_at_end(&job));
    job.batch_flag = 4;
    CU_ASSERT_FALSE(slurm_is_requeued_at_end(&job));
    job.batch_flag = 1;
    job.site.requeues_most = 0; /* an older Slurm */
    CU_ASSERT_FALSE(slurm_is_requeued_at_end(&job));
    job.site.requeues_most = 5;
    job.may_requeue = false;
    CU_ASSERT_FALSE(slurm_is_requeued_at_end(&job));
    job.may_requeue = true;
    job.is_preempted = false;
    CU_ASSERT_FALSE(slurm_is_requeued_at_end(&job));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"values are found by their key", values_are_found_by_their_key},
        {"the signal is read in the script", the_signal_is_read_in_the_script},
        {"tasks of nodes are expanded", tasks_of_nodes_are_expanded},
        {"the warning is what reaches the ranks", the_warning_is_what_reaches_the_ranks},
        {"what Slurm tells is read", what_slurm_tells_is_read},
        {"what is not answered stays as it was told", what_is_not_answered_stays_as_it_was_told},
        {"only a job that runs is not ending", only_a_job_that_runs_is_not_ending},
        {"slurm requeues by itself until it would hold the job", slurm_requeues_by_itself_until_it_would_hold_the_job},
        {"a requeue is asked for before all is killed", a_requeue_is_asked_for_before_all_is_killed},
        {"who is ended early was cancelled", who_is_ended_early_was_cancelled},
        {"only near the limit a signal announces it", only_near_the_limit_a_signal_announces_it},
        {0},
    };
    return test_run("launch/slurm", cases);
}
