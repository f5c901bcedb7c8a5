/* How files lie on a disk: there is no Lustre here, so that its layouts are bytes as it gives them. */
#include "checkpoint/striping.h"
#include "support/test.h"

#include <string.h>
#include <sys/stat.h>

/* What getxattr(directory, "lustre.lov") gives, but for the magic: pattern 1, no object, 4 MiB, 8 stripes, anywhere. */
static const unsigned char layout[32] = {0xD0, 0x0B, 0, 0x0B, 1, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0,    0,
                                         0,    0,    0, 0,    0, 0, 0, 0, 0, 0, 0x40, 0, 8, 0, 0xFF, 0xFF};

static void simple_layouts_are_read_and_others_are_not(void)
{
    unsigned char bytes[64] = {0};
    uint64_t count = 0, size = 0;
    static const struct {
        unsigned char kind;
        bool simple;
    } kinds[] = {{0xD1, true}, {0xD3, true}, {0xD4, false}, {0xD6, false}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        memcpy(bytes, layout, sizeof layout);
        bytes[2] = kinds[i].kind;
        CU_ASSERT_EQUAL(striping_parse(bytes, sizeof bytes, &count, &size), kinds[i].simple);
        CU_ASSERT_FALSE(striping_parse(bytes, 31, &count, &size));
    }
    CU_ASSERT_EQUAL(count, 8);
    CU_ASSERT_EQUAL(size, 4 << 20);
}

static void describes(const struct striping *striping, const char *expected)
{
    struct text words;
    text_init(&words);
    striping_describe(striping, &words);
    CU_ASSERT_STRING_EQUAL(text_bytes(&words), expected);
    text_release(&words);
}

static void what_was_chosen_is_told(void)
{
    struct striping striping;
    striping_init(&striping);
    striping.type = 0xEF53;
    describes(&striping, "ext4, arrays aligned to 1 MiB");
    striping.type = 0x77;
    describes(&striping, "a file system of type 0x77, arrays aligned to 1 MiB");
    striping.type = 0x0BD00BD0;
    describes(&striping, "Lustre, stripes as the file system has them, arrays aligned to 1 MiB");
    striping.found_count = 8;
    striping.found_size = striping.alignment = 4 << 20;
    striping.aggregators = 2;
    describes(&striping, "Lustre, 8 stripes of 4 MiB, arrays aligned to 4 MiB, 2 aggregators");
    striping.found_count = 0xFFFF;
    striping.found_size = striping.alignment = 65536;
    striping.aggregators = 0;
    describes(&striping, "Lustre, stripes on all servers, of 64 KiB, arrays aligned to 64 KiB");
}

static void without_lustre_only_the_alignment_is_taken(void)
{
    struct striping striping;
    const char *directory = test_path("disk");
    CU_ASSERT_EQUAL(mkdir(directory, 0777), 0);
    striping_init(&striping);
    striping_apply(&striping, directory);
    CU_ASSERT_EQUAL(striping.alignment, 1 << 20);
    CU_ASSERT_NOT_EQUAL(striping.type, 0);
    CU_ASSERT_STRING_EQUAL(striping.refused, "");
    striping.size = 8 << 20;
    striping_apply(&striping, directory);
    CU_ASSERT_EQUAL(striping.alignment, 8 << 20);
    CU_ASSERT_STRING_EQUAL(striping.refused, "only Lustre has stripes");
    striping_apply(&striping, "/nowhere");
    CU_ASSERT_EQUAL(striping.type, 0);
}

int main(void)
{
    const struct test_case cases[] = {
        {"simple layouts are read, and others are not", simple_layouts_are_read_and_others_are_not},
        {"what was chosen is told", what_was_chosen_is_told},
        {"without Lustre only the alignment is taken", without_lustre_only_the_alignment_is_taken},
        {0},
    };
    return test_run("checkpoint/striping", cases);
}
