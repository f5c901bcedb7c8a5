#include "train/restore.h"

void restore_open(struct restore *restore, const struct world *world, double timeout_s)
{
    *restore = (struct restore){.patience.fixed_s = timeout_s};
    text_init(&restore->passport);
    text_init(&restore->changes);
    council_open(&restore->council, world);
}

void restore_close(struct restore *restore)
{
    council_close(&restore->council);
    text_release(&restore->passport);
    text_release(&restore->changes);
    *restore = (struct restore){0};
}

bool restore_agree(struct restore *restore, bool ok, const char *what, struct error *error)
{
    council_begin(&restore->council);
    return council_agree(&restore->council, ok, restore_patience_s(restore), what, NULL, error);
}
