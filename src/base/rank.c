#include "base/rank.h"

static int rank_of_process = 0;

void rank_set(int rank)
{
    rank_of_process = rank;
}

int rank_get(void)
{
    return rank_of_process;
}
