#include "train/spread.h"

#include "base/memory.h"

#include <math.h>

void spread_find(const struct world *world, const double *values, size_t count, struct spread *spreads)
{
    double *all = memory_need((size_t)world->size * count, sizeof *all);
    world_gather(world, values, count * sizeof *values, all);
    for (size_t i = 0; world->rank == 0 && i < count; i++) {
        spreads[i] = (struct spread){values[i], values[i], values[i], values[i]};
        for (size_t r = 1; r < (size_t)world->size; r++) {
            double value = all[r * count + i];
            spreads[i].least = fmin(spreads[i].least, value);
            spreads[i].most = fmax(spreads[i].most, value);
            spreads[i].sum += value;
        }
    }
    memory_free(all);
}
