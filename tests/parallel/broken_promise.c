/* Breaks a promise: an argument that has to be equal on every rank is not on the last one. The script `promises` looks
 * at what becomes of it. */
#include "parallel/world.h"

int main(int argc, char **argv)
{
    struct world world;
    char bytes[8] = "";
    MPI_Init(&argc, &argv);
    world_open(&world);
    size_t count = world.rank + 1 == world.size ? 7 : 8;
    world_share(&world, bytes, count);
    world_close(&world);
    MPI_Finalize();
    return 0;
}
