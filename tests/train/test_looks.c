/* The first rank of a node looks at the samples of large files, and the others take what it has found, if they have
 * these very files. */
#include "base/memory.h"
#include "job/job.h"
#include "support/test_mpi.h"
#include "train/looks.h"
#include "train/restore.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGE ((off_t)20 << 20)
#define SMALL ((off_t)1 << 20)

static struct world world;

/* Tokens, all 0 but for one; sparse, of an old time. Rank 0 writes. */
static void write_tokens(const char *path, off_t bytes, off_t place, uint16_t token)
{
    static const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    if (world.rank == 0) {
        unlink(path);
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        CU_ASSERT(fd >= 0 && ftruncate(fd, bytes) == 0 && pwrite(fd, &token, sizeof token, place) == sizeof token &&
                  futimens(fd, old) == 0);
        close(fd);
    }
    (void)world_union(&world, 0);
}

/* What a start finds on this rank. */
struct found {
    bool ok, is_known, is_stale;
    uint64_t digest;
    struct error error;
};

static struct found open_tokens(const char *path, int ranks_per_node)
{
    char yaml[PATH_MAX + 400];
    struct job job;
    struct restore restore;
    struct looks looks;
    struct error error;
    struct found found = {0};
    snprintf(yaml, sizeof yaml,
             "run: %s\n"
             "data: {train: {format: tokens, path: '%s', context: 4, vocabulary: 16}}\n"
             "model: [{layer: embedding, width: 4}, {layer: lm_head}]\n"
             "train: {steps: 1, batch: 8, microbatch: 2}\n"
             "optimizer: {name: sgd, learning_rate: 0.01}\n",
             test_mpi_path("run"), path);
    bool is_job = job_parse(&job, "job.yaml", yaml, NULL, 0, &error);
    if (!is_job)
        printf("    %s\n", error.text);
    CU_ASSERT_TRUE(is_job);
    if (!is_job)
        return found;
    restore_open(&restore, &world, 0);
    const struct session_options options = {.ranks_per_node = ranks_per_node};
    struct session session = {.world = &world, .job = &job, .options = &options, .restore = &restore};
    CU_ASSERT_TRUE(looks_bring(&session, &looks, &error));
    found.ok = looks_open_data(&session, &looks, &found.error);
    found.is_known = looks.aid.train.is_known;
    found.is_stale = looks.aid.train.is_stale;
    found.digest = session.data.train.digest;
    CU_ASSERT_TRUE(restore_agree(&restore, true, "the end", &error));
    if (found.ok)
        dataset_close(&session.data.train);
    looks_release(&looks);
    restore_close(&restore);
    job_release(&job);
    return found;
}

/* Whether all ranks have this number. */
static bool is_equal(uint64_t number)
{
    return world_union(&world, number != world_share_number(&world, number)) == 0;
}

static void one_rank_of_a_node_looks_at_large_files(void)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", test_mpi_path("large.bin"));
    write_tokens(path, LARGE, LARGE / 2, 5);
    struct found alone = open_tokens(path, 1), together = open_tokens(path, 0), pairs = open_tokens(path, 2);
    CU_ASSERT_TRUE(alone.ok && !alone.is_known);
    CU_ASSERT_TRUE(together.ok && !together.is_stale);
    CU_ASSERT_EQUAL(together.is_known, world.rank != 0);
    CU_ASSERT_TRUE(pairs.ok && !pairs.is_stale);
    CU_ASSERT_EQUAL(pairs.is_known, world.rank % 2 == 1);
    CU_ASSERT_TRUE(alone.digest == together.digest && alone.digest == pairs.digest);
    CU_ASSERT_TRUE(is_equal(alone.digest));
}

static void each_rank_looks_at_small_files(void)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", test_mpi_path("small.bin"));
    write_tokens(path, SMALL, SMALL / 2, 5);
    struct found found = open_tokens(path, 0);
    CU_ASSERT_TRUE(found.ok && !found.is_known && !found.is_stale);
    CU_ASSERT_TRUE(is_equal(found.digest));
}

/* Nor does the sample of its blocks, or its time, tell that it is another one. */
static void a_copy_of_the_file_is_looked_at(void)
{
    char path[PATH_MAX], copy[PATH_MAX];
    snprintf(path, sizeof path, "%s", test_mpi_path("here.bin"));
    snprintf(copy, sizeof copy, "%s", test_mpi_path("there.bin"));
    write_tokens(path, LARGE, LARGE / 2, 5);
    write_tokens(copy, LARGE, LARGE / 2, 6);
    bool has_copy = world.rank == world.size - 1 && world.rank > 0;
    struct found found = open_tokens(has_copy ? copy : path, 0);
    CU_ASSERT_TRUE(found.ok);
    CU_ASSERT_EQUAL(found.is_known, world.rank > 0 && !has_copy);
    CU_ASSERT_EQUAL(found.is_stale, has_copy);
    CU_ASSERT_EQUAL(is_equal(found.digest), world.size == 1);
}

static void what_is_wrong_is_found_by_all(void)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", test_mpi_path("beyond.bin"));
    write_tokens(path, LARGE, LARGE - 2, 16);
    struct found found = open_tokens(path, 0);
    CU_ASSERT_TRUE(!found.ok && found.error.kind == ERROR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(found.error.text, "beyond.bin: token 10485759 (counted from 0) is 16"));
}

static void opening(void)
{
    world_open(&world);
}

static void closing(void)
{
    world_close(&world);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"a world opens", opening},
        {"one rank of a node looks at large files", one_rank_of_a_node_looks_at_large_files},
        {"each rank looks at small files", each_rank_looks_at_small_files},
        {"a copy of the file is looked at", a_copy_of_the_file_is_looked_at},
        {"what is wrong is found by all", what_is_wrong_is_found_by_all},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "train/looks", cases);
}
