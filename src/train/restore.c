#include "train/restore.h"

#include "base/memory.h"

void restore_open(struct restore *restore, const struct world *world, double timeout_s)
{
    *restore = (struct restore){.patience.fixed_s = timeout_s};
    text_init(&restore->passport);
    text_init(&restore->changes);
    agreement_open(&restore->agreement, world);
}

void restore_close(struct restore *restore)
{
    agreement_close(&restore->agreement);
    text_release(&restore->passport);
    text_release(&restore->changes);
    memory_free(restore->weights_data);
    *restore = (struct restore){0};
}

bool restore_agree(struct restore *restore, bool ok, const char *what, struct error *error)
{
    agreement_begin(&restore->agreement);
    return agreement_agree(&restore->agreement, ok, restore_patience_s(restore), what, NULL, error);
}
