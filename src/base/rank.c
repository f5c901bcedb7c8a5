#include "base/rank.h"

#include <stdlib.h>

static int rank_of_process = 0;

void rank_set(int rank)
{
    rank_of_process = rank;
}

int rank_get(void)
{
    return rank_of_process;
}

int rank_told(void)
{
    const char *told = getenv("OMPI_COMM_WORLD_RANK");
    if (!told)
        told = getenv("PMIX_RANK");
    return told ? (int)strtol(told, NULL, 10) : -1;
}
