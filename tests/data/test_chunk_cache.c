/* Bands of chunks in memory that ranks share: whoever reads, gets what is stored, however few places there are; each
 * band is unpacked once for a window; what is damaged is told to everybody who wants it, and nobody waits for ever. */
#include "data/chunk_cache.h"
#include "support/test_mpi.h"

#include "base/guard.h"
#include "base/memory.h"
#include "base/partition.h"
#include "base/rng.h"
#include "data/sampler.h"
#include "parallel/node.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    ROWS = 203,
    WIDTH = 6,
    BAND = 8,
    ACROSS = 2,
    BANDS = 26,
    CHUNKS = BANDS * ACROSS,
    CHUNK = BAND * WIDTH / ACROSS
};

static struct world world;

/* A dataset [ROWS, WIDTH] of 4-byte numbers, in chunks [BAND, WIDTH / ACROSS], deflated; the file is shared memory, so
 * that its end can be taken away. */
struct stored {
    struct node node;
    struct window window;
    struct h5_array about;
    struct h5_chunk chunks[CHUNKS];
    struct chunked chunked;
    struct chunk_cache cache;
    uint8_t *file;
    size_t file_bytes;
};

static uint32_t number(size_t row, size_t column)
{
    return (uint32_t)(row * 1000003 + column * 7919);
}

static void fill(struct stored *stored)
{
    uint32_t values[CHUNK];
    size_t at = 0;
    for (size_t k = 0; k < CHUNKS; k++) {
        for (size_t i = 0; i < CHUNK; i++)
            values[i] = number(k / ACROSS * BAND + i / (WIDTH / ACROSS),
                               k % ACROSS * (WIDTH / ACROSS) + i % (WIDTH / ACROSS));
        uLongf bytes = compressBound(sizeof values);
        CU_ASSERT_EQUAL(compress(stored->file + at, &bytes, (const Bytef *)values, sizeof values), Z_OK);
        stored->chunks[k] = (struct h5_chunk){.place = at, .bytes = (uint32_t)bytes};
        at += bytes < 1024 ? 1024 : bytes; /* over many pages */
    }
}

/* slots 0: in memory of its own. */
static void open_stored(struct stored *stored, size_t slots)
{
    struct error error;
    struct chunked *chunked = &stored->chunked;
    char path[] = "/tmp/lockstep-chunks-XXXXXX";
    int fd = mkstemp(path);
    stored->file_bytes = 65536;
    CU_ASSERT(fd >= 0 && ftruncate(fd, (off_t)stored->file_bytes) == 0);
    stored->file = mmap(NULL, stored->file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CU_ASSERT(stored->file != MAP_FAILED);
    unlink(path);
    stored->about = (struct h5_array){.kind = H5_ARRAY_UNSIGNED,
                                      .bytes = 4,
                                      .dims = 2,
                                      .size = {ROWS, WIDTH},
                                      .storage = H5_ARRAY_CHUNKED,
                                      .chunk = {BAND, WIDTH / ACROSS},
                                      .chunk_bytes = CHUNK * sizeof(uint32_t),
                                      .filter_count = 1,
                                      .filter = {H5_ARRAY_DEFLATE},
                                      .chunks = stored->chunks,
                                      .count = CHUNKS};
    fill(stored);
    stored->chunked = (struct chunked){.about = &stored->about, .file = stored->file, .name = "x"};
    CU_ASSERT_TRUE(chunk_cache_init(&stored->cache, &chunked, 1, &error));
    world_open(&world);
    node_open(&stored->node, &world, 0);
    if (slots > 0) {
        size_t bytes = chunk_cache_bytes(&stored->cache, slots);
        size_t mine = stored->node.rank == 0 ? bytes : 0;
        CU_ASSERT_TRUE(window_open(&stored->window, &stored->node, mine, "a test", &error));
        chunk_cache_share(&stored->cache, window_piece(&stored->window, 0), slots);
    }
    close(fd);
}

static void close_stored(struct stored *stored, size_t slots)
{
    MPI_Barrier(world.comm);
    if (slots > 0)
        window_close(&stored->window);
    node_close(&stored->node);
    world_close(&world);
    chunk_cache_release(&stored->cache);
    munmap(stored->file, stored->file_bytes);
}

/* Whether the row is there, and what was stored. */
static bool row_is_right(struct stored *stored, size_t row, struct error *error)
{
    size_t count = 1;
    const uint8_t *bytes = chunk_cache_rows(&stored->cache, &stored->chunked, row, &count, error);
    for (size_t c = 0; bytes && c < WIDTH; c++) {
        uint32_t found;
        memcpy(&found, bytes + c * sizeof found, sizeof found);
        if (found != number(row, c))
            return false;
    }
    return bytes && count == 1;
}

static size_t least_slots(void)
{
    int size;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    return (size_t)size;
}

static void anybody_reads_anything_in_as_many_places_as_ranks(void)
{
    for (size_t more = 0; more < 3; more++) {
        struct stored stored = {0};
        struct error error = {0};
        size_t wrong = 0, slots = least_slots() + more * more;
        open_stored(&stored, slots);
        uint64_t key = rng_key((uint64_t)world.rank, "rows");
        for (size_t i = 0; i < 4000; i++)
            wrong += !row_is_right(&stored, (size_t)rng_permute(key + i / ROWS, ROWS, i % ROWS), &error);
        CU_ASSERT_EQUAL(wrong, 0);
        MPI_Barrier(world.comm);
        CU_ASSERT(chunk_cache_unpacked(&stored.cache) > CHUNKS); /* places were given to others */
        CU_ASSERT_EQUAL(chunk_cache_unpacked(&stored.cache) % ACROSS, 0);
        close_stored(&stored, slots);
    }
}

/* Ranks take their leaves of each step, and wait for each other behind it, as in training. */
static void an_epoch_by_chunks_unpacks_each_once(void)
{
    enum { LEAF = 3, LEAVES = 5, BATCH = LEAF * LEAVES, WINDOW = 3, STEPS = ROWS / BATCH, EPOCHS = 20 };
    const size_t slots = 3 * WINDOW + 2 * BATCH / BAND + least_slots();
    struct stored stored = {0};
    struct chunks chunks = {0};
    struct error error = {0};
    struct sampler sampler = {.seed = 1, .samples = ROWS, .batch = BATCH};
    uint64_t unpacked = 0;
    size_t wrong = 0;
    open_stored(&stored, slots);
    for (size_t row = 0; row < ROWS; row += BAND)
        chunks_add(&chunks, row, ROWS - row < BAND ? ROWS - row : BAND);
    sampler_keep_chunks(&sampler, &chunks, WINDOW);
    for (uint64_t step = 1; step <= EPOCHS * STEPS; step++) {
        size_t size = (size_t)world.size, rank = (size_t)world.rank;
        for (size_t leaf = partition_first(LEAVES, size, rank); leaf < partition_first(LEAVES, size, rank + 1);
             leaf++) {
            uint64_t rows[LEAF];
            sampler_row(&sampler, sampler_taken(&sampler, step - 1) + leaf * LEAF, LEAF, rows);
            for (size_t i = 0; i < LEAF; i++)
                wrong += !row_is_right(&stored, (size_t)rows[i], &error);
        }
        MPI_Barrier(world.comm);
        if (step % STEPS == 0) { /* later epochs may find some of the one before */
            uint64_t before = unpacked;
            unpacked = chunk_cache_unpacked(&stored.cache);
            CU_ASSERT(step == STEPS ? unpacked == CHUNKS : unpacked <= before + CHUNKS);
            MPI_Barrier(world.comm);
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    sampler_release(&sampler);
    chunks_release(&chunks);
    close_stored(&stored, slots);
}

static void what_is_damaged_is_told_to_all(void)
{
    struct stored stored = {0};
    struct error error = {0};
    size_t slots = least_slots() + 1, told = 0, wrong = 0, asked = 0;
    open_stored(&stored, slots);
    stored.file[stored.chunks[2 * ACROSS].place + 9] ^= 0xff;
    for (size_t i = 0; i < 500; i++) {
        size_t row = (size_t)rng_permute(i / ROWS, ROWS, i % ROWS); /* all ranks the same, at once */
        bool is_damaged = row / BAND == 2, right = row_is_right(&stored, row, &error);
        asked += is_damaged;
        told += is_damaged && !right && strstr(error.text, "x is damaged: a chunk of samples 16 to 23 ");
        wrong += !is_damaged && !right;
    }
    CU_ASSERT(asked > 10 && told == asked && wrong == 0);
    close_stored(&stored, slots);
}

struct attempt {
    struct stored *stored;
    size_t row;
    bool ok;
};

static void attempt(void *context)
{
    struct attempt *attempt = context;
    struct error error;
    attempt->ok = row_is_right(attempt->stored, attempt->row, &error);
}

/* The rest of the file is not there any more. A band that somebody was about to unpack keeps nobody waiting. */
static void what_is_gone_is_met_by_all(void)
{
    struct stored stored = {0};
    size_t slots = least_slots() + 1, met = 0, wrong = 0, asked = 0;
    open_stored(&stored, slots);
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), gone = stored.chunks[CHUNKS / 2].place / page * page;
    uint8_t *file = stored.file; /* a mapping beyond the end of its file */
    int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    CU_ASSERT(fd >= 0 && write(fd, file, gone) == (ssize_t)gone);
    CU_ASSERT(mmap(file, stored.file_bytes, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == file);
    close(fd);
    for (size_t i = 0; i < ROWS; i++) {
        struct attempt try = {.stored = &stored, .row = i};
        const struct h5_chunk *last = &stored.chunks[i / BAND * ACROSS + ACROSS - 1];
        const void *where = NULL;
        bool is_gone = last->place + last->bytes > gone, whole = guard_run(attempt, &try, &where);
        asked += is_gone;
        met += is_gone && !whole && (const uint8_t *)where >= file + gone;
        wrong += !is_gone && (!whole || !try.ok);
    }
    CU_ASSERT(asked > 10 && met == asked && wrong == 0);
    close_stored(&stored, slots);
}

static void apart_from_the_kept_the_file_is_read(void)
{
    struct stored stored = {0};
    struct error error = {0};
    open_stored(&stored, least_slots());
    CU_ASSERT_TRUE(row_is_right(&stored, 0, &error));
    MPI_Barrier(world.comm);
    uint64_t unpacked = chunk_cache_unpacked(&stored.cache);
    stored.file[stored.chunks[0].place + 9] ^= 0xff;
    MPI_Barrier(world.comm);
    CU_ASSERT_TRUE(row_is_right(&stored, 1, &error));
    chunk_cache_set_apart(&stored.cache, true);
    CU_ASSERT_FALSE(row_is_right(&stored, 1, &error));
    CU_ASSERT_TRUE(row_is_right(&stored, 9, &error));
    CU_ASSERT_TRUE(row_is_right(&stored, 10, &error));
    chunk_cache_set_apart(&stored.cache, false);
    CU_ASSERT_TRUE(row_is_right(&stored, 1, &error));
    CU_ASSERT_EQUAL(chunk_cache_unpacked(&stored.cache), unpacked);
    close_stored(&stored, least_slots());
}

static void alone_it_keeps_all_that_fits(void)
{
    struct stored stored = {0};
    struct error error = {0};
    size_t wrong = 0;
    open_stored(&stored, 0);
    for (size_t i = 0; i < 3 * ROWS; i++)
        wrong += !row_is_right(&stored, (i * 37) % ROWS, &error);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(chunk_cache_unpacked(&stored.cache), CHUNKS);
    close_stored(&stored, 0);
}

/* As if of bytes, one a chunk. */
static void more_bands_than_words_can_number_are_refused(void)
{
    struct h5_array about = {
        .bytes = 1, .dims = 1, .size = {(size_t)1 << 33}, .chunk = {1}, .chunk_bytes = 1, .count = (size_t)1 << 33};
    struct chunked chunked = {.about = &about, .name = "many.h5 (x)"}, *all = &chunked;
    struct chunk_cache cache;
    struct error error;
    CU_ASSERT_FALSE(chunk_cache_init(&cache, &all, 1, &error));
    CU_ASSERT(error.kind == ERROR_VERSION && strstr(error.text, "many.h5 (x): 8589934592 chunks are too many"));
    chunk_cache_release(&cache);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"anybody reads anything, in as many places as there are ranks",
         anybody_reads_anything_in_as_many_places_as_ranks},
        {"an epoch by chunks unpacks each of them once", an_epoch_by_chunks_unpacks_each_once},
        {"what is damaged is told to all", what_is_damaged_is_told_to_all},
        {"what is gone is met by all", what_is_gone_is_met_by_all},
        {"apart from what is kept, the file is read", apart_from_the_kept_the_file_is_read},
        {"alone it keeps all that fits", alone_it_keeps_all_that_fits},
        {"more bands than words can number are refused", more_bands_than_words_can_number_are_refused},
        {NULL, NULL},
    };
    return test_mpi_run(&argc, &argv, "data/chunk_cache", cases);
}
