/* The second tier: saved on any number of ranks and pretended nodes, loaded on any other, with directories lost and
 * bits flipped. */
#include "checkpoint/copies_support.h"

#include <signal.h>
#include <sys/resource.h>

static void lose(const char *path)
{
    CU_ASSERT_EQUAL(unlink(path), 0);
}

static void flip_last_byte(const char *path)
{
    unsigned char byte;
    int fd = open(path, O_RDWR);
    off_t end = lseek(fd, -1, SEEK_END);
    CU_ASSERT_EQUAL(pread(fd, &byte, 1, end), 1);
    byte ^= 1;
    CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, end), 1);
    close(fd);
}

static void do_to(int node, const char *part, void (*act)(const char *path))
{
    if (everybody.rank == 0)
        CU_ASSERT(for_files(node, part, act) > 0);
    MPI_Barrier(everybody.comm);
}

static int nodes_of(int ranks, int per_node)
{
    return (ranks + per_node - 1) / per_node;
}

/* Whether nodes 0 to here - 1 have every piece of what `there` nodes have saved. */
static bool is_enough(int there, int here)
{
    for (int node = 0; node < there; node++)
        if (node >= here && (there == 1 || (node + 1) % there >= here))
            return false;
    return true;
}

static void any_ranks_load_what_any_ranks_have_saved(void)
{
    char name[60];
    size_t complaints;
    for (int n = 1; n <= everybody.size; n++)
        for (int per = 1; per <= 2; per++) {
            snprintf(name, sizeof name, "pairs-%d-%d", n, per);
            new_place(name);
            save_on(n, per, 12, 0);
            for (int m = 1; m <= everybody.size; m++)
                for (int now = 1; now <= 2; now++) {
                    bool enough = is_enough(nodes_of(n, per), nodes_of(m, now));
                    uint64_t step = load_on(m, now, &complaints);
                    CU_ASSERT_EQUAL(step, enough ? 12 : 0);
                    CU_ASSERT_EQUAL(complaints, 0);
                }
        }
}

static void one_node_may_be_lost_and_two_neighbours_take_the_older_set(void)
{
    size_t complaints;
    int size = everybody.size;
    for (int lost = 0; size > 1 && lost < size; lost++) {
        char name[40];
        snprintf(name, sizeof name, "lost-%d", lost);
        new_place(name);
        save_on(size, 1, 20, 0);
        save_on(size, 1, 30, 20);
        do_to(lost, "step-", lose);
        CU_ASSERT_EQUAL(load_on(size, 1, &complaints), 30);
        /* What the lost node has written again is as good as all else. */
        save_on(size, 1, 30, 20);
        do_to(lost, "step-000000000030", lose);
        do_to((lost + 1) % size, "step-000000000030", lose);
        CU_ASSERT_EQUAL(load_on(size, 1, &complaints), 20);
    }
}

static void flipped_bits_are_found_and_the_other_copy_is_taken(void)
{
    size_t complaints;
    int size = everybody.size;
    new_place("flips");
    save_on(size, 1, 20, 0);
    save_on(size, 1, 30, 20);
    do_to(0, "step-000000000030.rank-0000", flip_last_byte);
    CU_ASSERT_EQUAL(load_on(size, 1, &complaints), size > 1 ? 30 : 20);
    if (everybody.rank == 0)
        CU_ASSERT_EQUAL(complaints, 1);
    if (size > 1)
        do_to(1, "step-000000000030.rank-0000", flip_last_byte);
    CU_ASSERT_EQUAL(load_on(size, 1, &complaints), 20);
    if (everybody.rank == 0)
        CU_ASSERT_EQUAL(complaints, size > 1 ? 2 : 1);
}

static void what_is_of_another_job_or_not_newer_is_no_match(void)
{
    struct cast cast;
    size_t complaints;
    new_place("match");
    save_on(everybody.size, 2, 8, 0);
    cast_open(&cast, everybody.size, 2);
    CU_ASSERT_EQUAL(load(&cast, LINEAGE + 1, 0, &complaints), 0);
    CU_ASSERT_EQUAL(load(&cast, LINEAGE, 8, &complaints), 0);
    CU_ASSERT_EQUAL(load(&cast, LINEAGE, 7, &complaints), 8);
    cast_close(&cast);
}

static void only_two_sets_stay_and_nothing_after_a_clear(void)
{
    struct cast cast;
    new_place("stay");
    cast_open(&cast, everybody.size, 1);
    for (uint64_t step = 1; step <= 4; step++)
        CU_ASSERT_TRUE(save_step(&cast, step));
    MPI_Barrier(everybody.comm);
    int each = everybody.size > 1 ? 2 : 1;
    if (everybody.rank == 0) {
        CU_ASSERT_EQUAL(for_files(0, "", NULL), 2 * each);
        CU_ASSERT_EQUAL(for_files(0, "step-000000000003", NULL), each);
        CU_ASSERT_EQUAL(for_files(0, "step-000000000004", NULL), each);
    }
    MPI_Barrier(everybody.comm);
    copies_keep(&cast.copies, 4, 0);
    MPI_Barrier(everybody.comm);
    if (everybody.rank == 0)
        CU_ASSERT_EQUAL(for_files(0, "", NULL), each);
    MPI_Barrier(everybody.comm);
    CU_ASSERT_EQUAL(access(cast.copies.directory, R_OK), 0);
    MPI_Barrier(everybody.comm);
    copies_keep(&cast.copies, 0, 0);
    MPI_Barrier(everybody.comm);
    CU_ASSERT_NOT_EQUAL(access(cast.copies.directory, R_OK), 0);
    cast_close(&cast);
}

/* The last rank may not write as much: for the others there is room. */
static void a_full_directory_fails_on_all_ranks_in_the_same_words(void)
{
    struct cast cast;
    size_t complaints;
    struct rlimit before, small;
    new_place("full");
    cast_open(&cast, everybody.size, 1);
    CU_ASSERT_TRUE(save_step(&cast, 1));
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){.rlim_cur = 10000, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    if (everybody.rank == everybody.size - 1)
        setrlimit(RLIMIT_FSIZE, &small);
    CU_ASSERT_FALSE(save_step(&cast, 2));
    setrlimit(RLIMIT_FSIZE, &before);
    CU_ASSERT_EQUAL(error.kind, ERROR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "cannot reserve"));
    char **texts = world_gather_texts(&everybody, error.text);
    for (int r = 0; r < everybody.size; r++)
        CU_ASSERT_STRING_EQUAL(texts[r], error.text);
    memory_free(texts);
    if (everybody.rank == 0)
        for (int node = 0; node < everybody.size; node++)
            CU_ASSERT_EQUAL(for_files(node, "step-000000000002", NULL), 0);
    MPI_Barrier(everybody.comm);
    CU_ASSERT_EQUAL(load(&cast, LINEAGE, 0, &complaints), 1);
    CU_ASSERT_TRUE(save_step(&cast, 3));
    CU_ASSERT_EQUAL(load(&cast, LINEAGE, 0, &complaints), 3);
    cast_close(&cast);
}

static void a_record_goes_through_memory(void)
{
    struct history_step window[] = {{1, 2}, {3, 4}};
    struct record record = {.version = RECORD_VERSION,
                            .fingerprint = 0xabcdef,
                            .step = 7,
                            .epoch = 0.5,
                            .lineage = 99,
                            .job = (char *)"run: a\n",
                            .passport = (char *)"x: y\n",
                            .vocabulary = (char *)"aé",
                            .history = {.updates = 6, .window = window, .window_count = 2},
                            .segments = segments,
                            .segment_count = 1};
    struct record found;
    char *image;
    size_t bytes;
    bool finished = false;
    record_image_make(&record, true, NULL, &image, &bytes);
    char *half = memory_need(bytes / 2, 1);
    memcpy(half, image, bytes / 2);
    CU_ASSERT_TRUE(record_image_parse(image, bytes, false, 0, &found, NULL, &finished, &error));
    CU_ASSERT_TRUE(finished);
    CU_ASSERT_EQUAL(found.step, 7);
    CU_ASSERT_EQUAL(found.fingerprint, 0xabcdef);
    CU_ASSERT_EQUAL(found.lineage, 99);
    CU_ASSERT_STRING_EQUAL(found.vocabulary, "aé");
    CU_ASSERT_EQUAL(found.history.window_count, 2);
    CU_ASSERT_EQUAL(memcmp(found.segments, segments, sizeof segments), 0);
    record_release(&found);
    CU_ASSERT_FALSE(record_image_parse(half, bytes / 2, false, 0, &found, NULL, &finished, &error));
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"a record goes through memory", a_record_goes_through_memory},
        {"any ranks load what any ranks have saved", any_ranks_load_what_any_ranks_have_saved},
        {"one node may be lost, of two neighbours the older set is taken",
         one_node_may_be_lost_and_two_neighbours_take_the_older_set},
        {"flipped bits are found, and the other copy is taken", flipped_bits_are_found_and_the_other_copy_is_taken},
        {"what is of another job, or not newer, is no match", what_is_of_another_job_or_not_newer_is_no_match},
        {"only two sets stay, and nothing after a clear", only_two_sets_stay_and_nothing_after_a_clear},
        {"a full directory fails on all ranks in the same words",
         a_full_directory_fails_on_all_ranks_in_the_same_words},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "checkpoint/copies", cases);
}
