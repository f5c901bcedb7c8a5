#include "train/inflation.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "job/job_data.h"
#include "parallel/node.h"
#include "train/restore.h"

static void add_packed(const char *path, void *context)
{
    *(double *)context += (double)inflated_packed(path);
}

static void add_inflated(const char *path, void *context)
{
    inflated_add(context, path);
}

/* Local, of the first rank of a node. */
static void tell(const struct inflated_table *table, int ranks)
{
    uint64_t bytes = 0;
    char amount[TEXT_AMOUNT];
    for (size_t i = 0; i < table->count; i++)
        bytes += table->files[i].count;
    text_amount(bytes, amount);
    log_info("inflated %zu file%s, %s, once for the %d ranks of this node", table->count, table->count == 1 ? "" : "s",
             amount, ranks);
}

/* Collective over node. What its first rank has, to all of it. */
static void share(const struct node *node, struct inflated_table *table)
{
    char *bytes = (char *)table->files;
    size_t count = table->count * sizeof *table->files;
    node_share_bytes(node, &bytes, &count);
    table->files = (struct inflated_file *)(void *)bytes;
    table->count = count / sizeof *table->files;
}

bool inflation_begin(struct session *session, struct inflation *inflation, struct error *error)
{
    struct node node;
    double packed = 0;
    *inflation = (struct inflation){0};
    job_data_each_path(session->job, add_packed, &packed);
    if (world_share_number(session->world, packed > 0) == 0)
        return true;
    session->restore->patience.bytes = packed;
    node_open(&node, session->world, session->options->ranks_per_node);
    if (node.rank == 0 && node.size > 1) {
        job_data_each_path(session->job, add_inflated, &inflation->table);
        inflation->is_ours = true;
    }
    bool ok = restore_agree(session->restore, true, "inflating the data", error);
    if (ok) {
        share(&node, &inflation->table);
        if (inflation->is_ours && inflation->table.count > 0)
            tell(&inflation->table, node.size);
        node_close(&node);
    } else {
        inflation_end(inflation);
    }
    return ok;
}

void inflation_end(struct inflation *inflation)
{
    if (inflation->is_ours)
        inflated_hide(&inflation->table);
    inflated_release(&inflation->table);
}
