#include "checkpoint/striping.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LUSTRE 0x0BD00BD0

/* By statfs(2) and the file systems' own headers. */
static const struct {
    uint64_t type;
    const char *name;
} systems[] = {
    {LUSTRE, "Lustre"},     {0xEF53, "ext4"},        {0x58465342, "xfs"},  {0x9123683E, "btrfs"},
    {0x01021994, "tmpfs"},  {0x794C7630, "overlay"}, {0x6969, "NFS"},      {0x47504653, "GPFS"},
    {0x19830326, "BeeGFS"}, {0x00C36400, "Ceph"},    {0x65735546, "FUSE"},
};

/* A layout of stripes as Lustre's user interface has it (lustre_user.h, lov_user_md_v1; version 3 has a pool's name
 * behind it), in the machine's byte order. */
#define LAYOUT_V1  0x0BD10BD0
#define LAYOUT_V3  0x0BD30BD0
#define ANY_SERVER 0xFFFF /* where the first stripe goes */

struct lustre_layout {
    uint32_t magic;
    uint32_t pattern; /* 0: as usual, one copy of everything */
    uint64_t object[2];
    uint32_t stripe_size;
    uint16_t stripe_count; /* 0: as usual; 0xFFFF: all servers */
    uint16_t stripe_offset;
};

_Static_assert(sizeof(struct lustre_layout) == 32, "as in the kernel");

#define LUSTRE_SET_STRIPING _IOW('f', 154, long)

void striping_init(struct striping *striping)
{
    *striping = (struct striping){.alignment = STRIPING_ALIGNMENT};
}

bool striping_parse(const void *bytes, size_t count, uint64_t *stripes, uint64_t *size)
{
    struct lustre_layout layout;
    if (count < sizeof layout)
        return false;
    memcpy(&layout, bytes, sizeof layout);
    if ((layout.magic != LAYOUT_V1 && layout.magic != LAYOUT_V3) || layout.stripe_size == 0)
        return false;
    *stripes = layout.stripe_count;
    *size = layout.stripe_size;
    return true;
}

/* What `lfs setstripe` does with a directory. */
static bool set_default(const struct striping *striping, const char *directory)
{
    const struct lustre_layout layout = {.magic = LAYOUT_V1,
                                         .stripe_size = (uint32_t)striping->size,
                                         .stripe_count = (uint16_t)striping->count,
                                         .stripe_offset = ANY_SERVER};
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && ioctl(fd, LUSTRE_SET_STRIPING, &layout) == 0;
    int reason = errno;
    if (fd >= 0)
        close(fd);
    errno = reason;
    return ok;
}

void striping_apply(struct striping *striping, const char *directory)
{
    struct statfs info;
    char layout[4096];
    bool asked = striping->count > 0 || striping->size > 0;
    striping->type = statfs(directory, &info) ? 0 : (uint64_t)(uint32_t)info.f_type;
    striping->refused[0] = '\0';
    striping->found_count = striping->found_size = 0;
    if (striping->type == LUSTRE) {
        if (asked && !set_default(striping, directory))
            snprintf(striping->refused, sizeof striping->refused, "%s", strerror(errno));
        ssize_t bytes = getxattr(directory, "lustre.lov", layout, sizeof layout);
        if (bytes > 0 && !striping_parse(layout, (size_t)bytes, &striping->found_count, &striping->found_size))
            striping->found_count = striping->found_size = 0;
    } else if (asked) {
        snprintf(striping->refused, sizeof striping->refused, "only Lustre has stripes");
    }
    uint64_t size = striping->size ? striping->size : striping->found_size;
    striping->alignment = size ? size & -size : STRIPING_ALIGNMENT; /* of odd sizes only the part that HDF5 can have */
}

static void append_bytes(struct text *words, uint64_t bytes)
{
    if (bytes % (1 << 20) == 0)
        text_append(words, "%" PRIu64 " MiB", bytes >> 20);
    else
        text_append(words, "%" PRIu64 " KiB", bytes >> 10);
}

void striping_describe(const struct striping *striping, struct text *words)
{
    const char *name = NULL;
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++)
        if (systems[i].type == striping->type)
            name = systems[i].name;
    if (name)
        text_append(words, "%s", name);
    else
        text_append(words, "a file system of type 0x%" PRIx64, striping->type);
    if (striping->found_size) {
        if (striping->found_count == UINT16_MAX)
            text_append(words, ", stripes on all servers, of ");
        else if (striping->found_count)
            text_append(words, ", %" PRIu64 " stripe%s of ", striping->found_count,
                        striping->found_count == 1 ? "" : "s");
        else
            text_append(words, ", stripes of ");
        append_bytes(words, striping->found_size);
    } else if (striping->type == LUSTRE) {
        text_append(words, ", stripes as the file system has them");
    }
    text_append(words, ", arrays aligned to ");
    append_bytes(words, striping->alignment);
    if (striping->aggregators)
        text_append(words, ", %" PRIu64 " aggregator%s", striping->aggregators, striping->aggregators == 1 ? "" : "s");
    if (striping->refused[0])
        text_append(words, "; checkpoint.stripe_count and stripe_size are not taken: %s", striping->refused);
}

static void set_hint(MPI_Info *hints, const char *key, uint64_t value)
{
    char text[24];
    if (value == 0)
        return;
    if (*hints == MPI_INFO_NULL)
        MPI_Info_create(hints);
    snprintf(text, sizeof text, "%" PRIu64, value);
    MPI_Info_set(*hints, key, text);
}

MPI_Info striping_hints(const struct striping *striping)
{
    MPI_Info hints = MPI_INFO_NULL;
    set_hint(&hints, "striping_factor", striping->count);
    set_hint(&hints, "striping_unit", striping->size);
    set_hint(&hints, "cb_nodes", striping->aggregators);
    return hints;
}
