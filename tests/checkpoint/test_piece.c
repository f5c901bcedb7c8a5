/* Pieces, and directories of them, that are not what lockstep has written there. */
#include "checkpoint/copies_support.h"

static void give_away(const char *path)
{
    CU_ASSERT_EQUAL(chown(path, 12345, 12345), 0);
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
        CU_ASSERT_TRUE_FATAL(copies_hold(&cast.copies, &directory, &error));
        piece_path(cast.copies.directory, 5, 0, 1, PIECE_OWN, path);
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
        snprintf(other, sizeof other, "%s", cast.copies.directory);
        snprintf(moved, sizeof moved, "%s.moved", other);
        CU_ASSERT_EQUAL(chmod(other, 0777), 0);
        CU_ASSERT_FALSE(copies_hold(&cast.copies, &directory, &error));
        CU_ASSERT_EQUAL(load(&cast, LINEAGE, 0, &complaints), 0);
        CU_ASSERT_EQUAL(complaints, 1);
        copies_keep(&cast.copies, 0, 0);
        CU_ASSERT_FALSE(save_step(&cast, 40));
        CU_ASSERT_EQUAL(chmod(other, 0700), 0);
        CU_ASSERT(rename(other, moved) == 0 && symlink(moved, other) == 0);
        CU_ASSERT_EQUAL(load(&cast, LINEAGE, 0, &complaints), 0);
        CU_ASSERT_EQUAL(complaints, 1);
        copies_keep(&cast.copies, 0, 0);
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
        CU_ASSERT_TRUE_FATAL(copies_hold(&cast.copies, &directory, &error));
        piece_path(cast.copies.directory, 5, 0, 1, PIECE_OWN, path);
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

static void a_directory_that_others_can_write_in_is_refused(void)
{
    struct cast cast;
    new_place("open");
    cast_open(&cast, everybody.size, 1);
    CU_ASSERT_TRUE(save_step(&cast, 1));
    if (everybody.rank == 0)
        CU_ASSERT_EQUAL(chmod(cast.copies.directory, 0777), 0);
    CU_ASSERT_FALSE(save_step(&cast, 2));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "has to be a directory of this user alone"));
    cast_close(&cast);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"a length without bytes proves no count", a_length_without_bytes_proves_no_count},
        {"what somebody else has put there is not used", what_somebody_else_has_put_there_is_not_used},
        {"no flipped bit and no length of a piece passes", no_flipped_bit_and_no_length_of_a_piece_passes},
        {"a directory that others can write in is refused", a_directory_that_others_can_write_in_is_refused},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "checkpoint/piece", cases);
}
