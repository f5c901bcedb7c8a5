#include "h5/h5_array.h"

#include "base/memory.h"

#include <string.h>

void h5_array_release(struct h5_array *array)
{
    memory_free(array->values);
    memory_free(array->chunks);
    memset(array, 0, sizeof *array);
}
