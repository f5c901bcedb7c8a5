#include "base/kind.h"

#include <string.h>

const struct kind *kind_find(const struct registry *registry, const char *name)
{
    for (size_t i = 0; registry->kinds[i]; i++)
        if (!strcmp(registry->kinds[i]->name, name))
            return registry->kinds[i];
    return NULL;
}
