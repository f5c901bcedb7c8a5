/* The second tier: saved on any number of ranks and pretended nodes, loaded on any other, with directories lost and
 * bits flipped. Ranks beyond the number that a case wants stand aside. */
#include "checkpoint/h5.h"
#include "checkpoint/local.h"
#include "checkpoint/local_load.h"
#include "checkpoint/record_image.h"
#include "support/test_mpi.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/rng.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT   (9 * EXCHANGE_BLOCK + 77)
#define ARRAYS  3
#define LINEAGE 4711

static struct world everybody;
static struct error error;
static const char *const names[ARRAYS] = {"params", "adamw.m", "ema"};
static char place[PATH_MAX];

/* What some of the ranks are, with so many on a node. */
struct cast {
    struct world world;
    struct council council;
    struct local local;
    bool plays; /* this rank is one of them */
};

/* Collective over everybody. */
static void cast_open(struct cast *cast, int ranks, int per_node)
{
    *cast = (struct cast){.plays = everybody.rank < ranks};
    MPI_Comm_split(everybody.comm, cast->plays ? 0 : MPI_UNDEFINED, everybody.rank, &cast->world.comm);
    if (!cast->plays)
        return;
    cast->world.rank = everybody.rank;
    cast->world.size = ranks;
    council_open(&cast->council, &cast->world);
    CU_ASSERT_TRUE(local_open(&cast->local, &cast->world, place, "/nowhere", per_node, &error));
}

static void cast_close(struct cast *cast)
{
    if (cast->plays) {
        local_close(&cast->local);
        local_close(&cast->local);
        council_close(&cast->council);
        MPI_Comm_free(&cast->world.comm);
    }
    MPI_Barrier(everybody.comm);
}

/* A fresh place on the "disk", with a directory for each node. */
static void new_place(const char *name)
{
    snprintf(place, sizeof place, "%.3000s/node-%%n", test_mpi_path(name));
}

static float value(uint64_t step, size_t array, size_t element)
{
    return rng_uniform(rng_key(100 * step + array, "local test"), element) - 0.5f;
}

/* The shard of this rank, filled or zero. */
static struct state make_state(const struct world *world, uint64_t step)
{
    struct state state = {
        .count = COUNT, .shard = exchange_shard(COUNT, world->size, world->rank), .array_count = ARRAYS};
    for (size_t a = 0; a < ARRAYS; a++) {
        float *values = memory_need(state.shard.count, sizeof *values);
        for (size_t i = 0; step > 0 && i < state.shard.count; i++)
            values[i] = value(step, a, state.shard.first + i);
        state.arrays[a] = (struct state_array){.name = names[a], .values = values};
    }
    return state;
}

static void free_state(struct state *state)
{
    for (size_t a = 0; a < ARRAYS; a++)
        memory_free(state->arrays[a].values);
}

static size_t wrong_values(const struct state *state, uint64_t step)
{
    size_t wrong = 0;
    for (size_t a = 0; a < ARRAYS; a++)
        for (size_t i = 0; i < state->shard.count; i++)
            wrong += state->arrays[a].values[i] != value(step, a, state->shard.first + i);
    return wrong;
}

static struct segment segments[] = {
    {.first_step = 1, .last_step = 1, .ranks = 2, .nodes = 1, .end = "running", .hosts = "a,b"}};

/* Collective over the cast. */
static bool save_step(struct cast *cast, uint64_t step)
{
    struct state state = make_state(&cast->world, step);
    struct snapshot snapshot;
    /* What rank 0 knows counts. */
    struct record record = {.epoch = cast->world.rank == 0 ? 1.5 : 9,
                            .lineage = cast->world.rank == 0 ? LINEAGE : 3,
                            .job = (char *)"run: x\n",
                            .passport = (char *)"blas: none\n",
                            .segments = segments,
                            .segment_count = 1};
    struct patience patience = {0};
    snapshot_init(&snapshot, &cast->world, &state);
    snapshot_take(&snapshot, &state, step);
    council_begin(&cast->council);
    bool ok = snapshot_digest(&snapshot, &cast->council, 60, &error) &&
              local_save(&cast->local, &cast->council, &snapshot, &record, &patience, &error);
    snapshot_release(&snapshot);
    free_state(&state);
    return ok;
}

/* Collective over the cast. The step of the newest set of the lineage beyond `beyond`; its values are right. 0: there
 * is none. `complaints`: how many there are. */
static uint64_t load(struct cast *cast, uint64_t lineage, uint64_t beyond, size_t *complaints)
{
    struct local_finds finds;
    struct local_set set;
    uint64_t step = 0;
    CU_ASSERT_TRUE(local_look(&cast->local, &cast->council, 60, &finds, &error));
    if (local_take(&cast->local, &cast->council, 60, &finds, lineage, beyond, &set, &error)) {
        struct state state = make_state(&cast->world, 0);
        CU_ASSERT_TRUE(local_deliver(&cast->local, &cast->council, 60, &set, &state, &error));
        step = set.record.step;
        CU_ASSERT_EQUAL(wrong_values(&state, step), 0);
        CU_ASSERT_EQUAL(set.record.epoch, 1.5);
        CU_ASSERT_EQUAL(set.record.lineage, LINEAGE);
        CU_ASSERT_STRING_EQUAL(set.record.job, "run: x\n");
        CU_ASSERT_EQUAL(set.record.segment_count, 1);
        free_state(&state);
    } else {
        CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
    }
    *complaints = 0;
    for (const char *c = text_bytes(&finds.complaints); *c; c++)
        *complaints += *c == '\n';
    local_set_release(&set);
    local_set_release(&set);
    local_finds_release(&finds);
    return step;
}

/* Collective over everybody: saves and loads by other casts. `complete`: the step of a set that stays. */
static void save_on(int ranks, int per_node, uint64_t step, uint64_t complete)
{
    struct cast cast;
    cast_open(&cast, ranks, per_node);
    cast.local.complete = complete;
    if (cast.plays)
        CU_ASSERT_TRUE(save_step(&cast, step));
    cast_close(&cast);
}

static uint64_t load_on(int ranks, int per_node, size_t *complaints)
{
    struct cast cast;
    uint64_t step = 0;
    *complaints = 0;
    cast_open(&cast, ranks, per_node);
    if (cast.plays)
        step = load(&cast, LINEAGE, 0, complaints);
    cast_close(&cast);
    return world_share_number(&everybody, step);
}

/* Rank 0 of everybody. Calls `act` with each file of a node whose name holds `part`; returns how many. */
static int for_files(int node, const char *part, void (*act)(const char *path))
{
    char directory[PATH_MAX], whole[PATH_MAX * 2];
    int count = 0;
    snprintf(directory, sizeof directory, "%.*s%d", (int)(strlen(place) - 2), place, node);
    DIR *outer = opendir(directory);
    for (struct dirent *inner; outer && (inner = readdir(outer));) {
        if (strncmp(inner->d_name, "lockstep-", 9) != 0)
            continue;
        snprintf(whole, sizeof whole, "%s/%s", directory, inner->d_name);
        DIR *pieces = opendir(whole);
        for (struct dirent *piece; pieces && (piece = readdir(pieces));) {
            if (piece->d_name[0] == '.' && (piece->d_name[1] == '.' || piece->d_name[1] == '\0'))
                continue;
            if (!strstr(piece->d_name, part))
                continue;
            snprintf(whole, sizeof whole, "%s/%s/%s", directory, inner->d_name, piece->d_name);
            if (act)
                act(whole);
            count++;
        }
        closedir(pieces);
    }
    if (outer)
        closedir(outer);
    return count;
}

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

static void give_away(const char *path)
{
    CU_ASSERT_EQUAL(chown(path, 12345, 12345), 0);
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

/* Its header claims what no memory holds, and the file, without a byte on the disk, has the length for it. */
static void make_huge(const char *path)
{
    struct {
        char magic[16];
        struct piece_set set;
        uint64_t rank, digests_digest, digest;
    } header;
    int fd = open(path, O_RDWR);
    CU_ASSERT_EQUAL(pread(fd, &header, sizeof header, 0), (ssize_t)sizeof header);
    header.set.count = (uint64_t)1 << 40;
    header.digest = digest_bytes(&header, offsetof(typeof(header), digest));
    CU_ASSERT_EQUAL(pwrite(fd, &header, sizeof header, 0), (ssize_t)sizeof header);
    size_t before = sizeof header + header.set.record_bytes +
                    header.set.array_count * exchange_blocks(header.set.count) * sizeof(uint64_t);
    off_t whole = (off_t)((before + 4095) / 4096 * 4096 + header.set.array_count * header.set.count * sizeof(float));
    CU_ASSERT_EQUAL(ftruncate(fd, whole), 0);
    close(fd);
}

/* Rank 0 alone. */
static void a_length_without_bytes_proves_no_count(void)
{
    struct cast cast;
    new_place("huge");
    cast_open(&cast, 1, 1);
    if (cast.plays) {
        char path[PATH_MAX];
        struct piece piece;
        int directory;
        CU_ASSERT_TRUE(save_step(&cast, 5));
        CU_ASSERT_TRUE_FATAL(local_hold(&cast.local, &directory, &error));
        piece_path(cast.local.directory, 5, 0, 1, PIECE_OWN, path);
        make_huge(path);
        CU_ASSERT_FALSE(piece_open(&piece, directory, path, &error));
        CU_ASSERT(error.kind == ERROR_CORRUPT && strstr(error.text, "it has a hole where its digests should be"));
        close(directory);
    }
    cast_close(&cast);
}

/* Copies are found by the state alone that is in them: a directory or a file of somebody else is none of ours. */
static void what_somebody_else_has_put_there_is_not_used(void)
{
    size_t complaints;
    char other[PATH_MAX], moved[PATH_MAX + 8];
    struct cast cast;
    new_place("planted");
    save_on(1, 1, 30, 0);
    cast_open(&cast, 1, 1);
    if (cast.plays) {
        int directory;
        snprintf(other, sizeof other, "%s", cast.local.directory);
        snprintf(moved, sizeof moved, "%s.moved", other);
        CU_ASSERT_EQUAL(chmod(other, 0777), 0);
        CU_ASSERT_FALSE(local_hold(&cast.local, &directory, &error));
        CU_ASSERT_EQUAL(load(&cast, LINEAGE, 0, &complaints), 0);
        CU_ASSERT_EQUAL(complaints, 1);
        local_keep(&cast.local, 0, 0);
        CU_ASSERT_FALSE(save_step(&cast, 40));
        CU_ASSERT_EQUAL(chmod(other, 0700), 0);
        CU_ASSERT(rename(other, moved) == 0 && symlink(moved, other) == 0);
        CU_ASSERT_EQUAL(load(&cast, LINEAGE, 0, &complaints), 0);
        CU_ASSERT_EQUAL(complaints, 1);
        local_keep(&cast.local, 0, 0);
        CU_ASSERT_FALSE(save_step(&cast, 40));
        CU_ASSERT(unlink(other) == 0 && rename(moved, other) == 0);
        CU_ASSERT_EQUAL(load(&cast, LINEAGE, 0, &complaints), 30); /* nothing was removed */
    }
    cast_close(&cast);
    if (everybody.rank == 0 && geteuid() == 0) {
        CU_ASSERT(for_files(0, "own", give_away) > 0);
    }
    MPI_Barrier(everybody.comm);
    if (geteuid() == 0)
        CU_ASSERT_EQUAL(load_on(1, 1, &complaints), 0);
}

/* Rank 0 alone. */
static void no_flipped_bit_and_no_length_of_a_piece_passes(void)
{
    struct cast cast;
    new_place("bits");
    cast_open(&cast, 1, 1);
    if (cast.plays) {
        char path[PATH_MAX];
        struct piece piece;
        int directory;
        float *values = memory_need(ARRAYS * COUNT, sizeof *values);
        CU_ASSERT_TRUE(save_step(&cast, 5));
        CU_ASSERT_TRUE_FATAL(local_hold(&cast.local, &directory, &error));
        piece_path(cast.local.directory, 5, 0, 1, PIECE_OWN, path);
        CU_ASSERT_TRUE(piece_open(&piece, directory, path, &error) && piece_load(&piece, values, &error));
        off_t bytes = lseek(piece.descriptor, 0, SEEK_END);
        size_t front = 400 + ARRAYS * 10 * sizeof(uint64_t) + piece.set.record_bytes; /* a header has less than 400 */
        piece_close(&piece);
        size_t passed = 0;
        for (off_t at = 0; at < bytes; at += at < (off_t)front ? 7 : 997) {
            unsigned char byte, flipped;
            int fd = open(path, O_RDWR);
            CU_ASSERT_EQUAL(pread(fd, &byte, 1, at), 1);
            flipped = (unsigned char)(byte ^ 1 << at % 8);
            CU_ASSERT_EQUAL(pwrite(fd, &flipped, 1, at), 1);
            bool whole = piece_open(&piece, directory, path, &error) && piece_load(&piece, values, &error);
            /* What fills up the page before the values means nothing. */
            passed += whole && (at < (off_t)(front - 400) || at > (off_t)front + 4096);
            CU_ASSERT(whole || error.kind == ERROR_CORRUPT);
            piece_close(&piece);
            CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, at), 1);
            close(fd);
        }
        CU_ASSERT_EQUAL(passed, 0);
        CU_ASSERT_TRUE(piece_open(&piece, directory, path, &error) && piece_load(&piece, values, &error));
        piece_close(&piece);
        for (off_t length = bytes - 1; length >= 0; length -= bytes / 19) {
            CU_ASSERT_EQUAL(truncate(path, length), 0);
            CU_ASSERT_FALSE(piece_open(&piece, directory, path, &error));
            CU_ASSERT_EQUAL(error.kind, ERROR_CORRUPT);
        }
        close(directory);
        memory_free(values);
    }
    cast_close(&cast);
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
    local_keep(&cast.local, 4, 0);
    MPI_Barrier(everybody.comm);
    if (everybody.rank == 0)
        CU_ASSERT_EQUAL(for_files(0, "", NULL), each);
    MPI_Barrier(everybody.comm);
    CU_ASSERT_EQUAL(access(cast.local.directory, R_OK), 0);
    MPI_Barrier(everybody.comm);
    local_keep(&cast.local, 0, 0);
    MPI_Barrier(everybody.comm);
    CU_ASSERT_NOT_EQUAL(access(cast.local.directory, R_OK), 0);
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

static void a_directory_that_others_can_write_in_is_refused(void)
{
    struct cast cast;
    new_place("open");
    cast_open(&cast, everybody.size, 1);
    CU_ASSERT_TRUE(save_step(&cast, 1));
    if (everybody.rank == 0)
        CU_ASSERT_EQUAL(chmod(cast.local.directory, 0777), 0);
    CU_ASSERT_FALSE(save_step(&cast, 2));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "has to be a directory of this user alone"));
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

static void opening(void)
{
    world_open(&everybody);
    h5_init();
    CU_ASSERT_TRUE(everybody.size > 0);
}

static void closing(void)
{
    h5_release();
    world_close(&everybody);
    CU_ASSERT_EQUAL(everybody.comm, MPI_COMM_NULL);
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
        {"a length without bytes proves no count", a_length_without_bytes_proves_no_count},
        {"what somebody else has put there is not used", what_somebody_else_has_put_there_is_not_used},
        {"no flipped bit and no length of a piece passes", no_flipped_bit_and_no_length_of_a_piece_passes},
        {"what is of another job, or not newer, is no match", what_is_of_another_job_or_not_newer_is_no_match},
        {"only two sets stay, and nothing after a clear", only_two_sets_stay_and_nothing_after_a_clear},
        {"a full directory fails on all ranks in the same words",
         a_full_directory_fails_on_all_ranks_in_the_same_words},
        {"a directory that others can write in is refused", a_directory_that_others_can_write_in_is_refused},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "checkpoint/local", cases);
}
