#include "base/digest.h"
#include "support/test.h"

#include <string.h>

enum { COUNT = 1000, BLOCK = 64, BLOCKS = (COUNT + BLOCK - 1) / BLOCK };

static void fill(float values[COUNT])
{
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)i * 0.25f - 17.0f;
}

/* These numbers are in files on users' disks. The first two are published: "XXH3_64bits" of xxHash 0.8. */
static void digests_are_those_of_the_file_format(void)
{
    unsigned char pattern[100000];
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (unsigned char)(i * 131 + (i >> 8));
    CU_ASSERT_EQUAL(digest_bytes("", 0), 0x2d06800538d394c2u);
    CU_ASSERT_EQUAL(digest_bytes("abc", 3), 0x78af5f94892f3950u);
    CU_ASSERT_EQUAL(digest_bytes(pattern, 17), 0x57c52d21ce492c1eu);
    CU_ASSERT_EQUAL(digest_bytes(pattern, 200), 0x4f7ba561b80feff6u);
    CU_ASSERT_EQUAL(digest_bytes(pattern, sizeof pattern), 0x45169176f633139fu);
}

static void a_digest_does_not_know_the_pieces(void)
{
    unsigned char pattern[5000];
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (unsigned char)(i * 131 + (i >> 8));
    for (size_t piece = 1; piece < 2 * sizeof pattern; piece = piece * 3 + 1) {
        struct digest_stream *stream = digest_open();
        for (size_t first = 0; first < sizeof pattern; first += piece)
            digest_add(stream, pattern + first, sizeof pattern - first < piece ? sizeof pattern - first : piece);
        CU_ASSERT_EQUAL(digest_close(stream), digest_bytes(pattern, sizeof pattern));
    }
    CU_ASSERT_EQUAL(digest_close(digest_open()), digest_bytes("", 0));
}

static void chained_digests_are_those_of_the_file_format(void)
{
    CU_ASSERT_EQUAL(digest_chain(0, 0), 0xd0a66a65c7528968u);
    CU_ASSERT_EQUAL(digest_chain(digest_chain(0, 1), 2), 0xd6440487114a6cc7u);
    CU_ASSERT_NOT_EQUAL(digest_chain(digest_chain(0, 1), 2), digest_chain(digest_chain(0, 2), 1));
}

static void block_digests_are_those_of_the_file_format(void)
{
    float values[COUNT];
    uint64_t digests[BLOCKS], all = 0;
    fill(values);
    digest_blocks(values, COUNT, BLOCK, digests);
    for (int i = 0; i < BLOCKS; i++)
        all = digest_chain(all, digests[i]);
    CU_ASSERT_EQUAL(all, 0x6652e87ad4ce0ddbu);
}

static void each_block_is_the_digest_of_its_bytes(void)
{
    float values[COUNT];
    uint64_t digests[BLOCKS + 1];
    fill(values);
    digests[BLOCKS] = 77;
    digest_blocks(values, COUNT, BLOCK, digests);
    for (size_t i = 0; i + 1 < BLOCKS; i++)
        CU_ASSERT_EQUAL(digests[i], digest_bytes(values + i * BLOCK, BLOCK * sizeof *values));
    size_t rest = COUNT % BLOCK;
    CU_ASSERT_EQUAL(digests[BLOCKS - 1], digest_bytes(values + COUNT - rest, rest * sizeof *values));
    CU_ASSERT_EQUAL(digests[BLOCKS], 77);
}

static void a_flipped_bit_changes_only_its_block(void)
{
    float values[COUNT];
    uint64_t before[BLOCKS], after[BLOCKS];
    fill(values);
    digest_blocks(values, COUNT, BLOCK, before);
    for (size_t place = 0; place < COUNT; place += 37) {
        unsigned char *byte = (unsigned char *)(values + place) + place % sizeof *values;
        *byte ^= (unsigned char)(1u << place % 8);
        digest_blocks(values, COUNT, BLOCK, after);
        *byte ^= (unsigned char)(1u << place % 8);
        for (size_t i = 0; i < BLOCKS; i++)
            CU_ASSERT_EQUAL(before[i] != after[i], i == place / BLOCK);
    }
}

static void shards_give_the_digests_of_the_whole(void)
{
    float values[COUNT];
    uint64_t whole[BLOCKS], parts[BLOCKS];
    fill(values);
    digest_blocks(values, COUNT, BLOCK, whole);
    for (size_t cut = 0; cut <= BLOCKS; cut++) {
        size_t first = cut * BLOCK < COUNT ? cut * BLOCK : COUNT;
        digest_blocks(values, first, BLOCK, parts);
        digest_blocks(values + first, COUNT - first, BLOCK, parts + cut);
        CU_ASSERT_EQUAL(memcmp(whole, parts, sizeof whole), 0);
    }
}

static void no_values_have_no_digest(void)
{
    uint64_t untouched = 77;
    digest_blocks(NULL, 0, BLOCK, &untouched);
    CU_ASSERT_EQUAL(untouched, 77);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"digests are those of the file format", digests_are_those_of_the_file_format},
        {"a digest does not know in which pieces its bytes came", a_digest_does_not_know_the_pieces},
        {"chained digests are those of the file format, in order", chained_digests_are_those_of_the_file_format},
        {"block digests are those of the file format", block_digests_are_those_of_the_file_format},
        {"each block has the digest of its bytes, the short last one too", each_block_is_the_digest_of_its_bytes},
        {"a flipped bit changes the digest of its block only", a_flipped_bit_changes_only_its_block},
        {"shards cut between blocks give the digests of the whole", shards_give_the_digests_of_the_whole},
        {"no values have no digest", no_values_have_no_digest},
        {NULL, NULL},
    };
    return test_run("base/digest", cases);
}
