/* Adding kinds (base/kind.h) to a registry while a program runs. */
#ifndef BASE_REGISTRY_H
#define BASE_REGISTRY_H

#include "base/error.h"
#include "base/kind.h"

/* Local, before jobs are read, and while nobody else reads the registry. Adds a kind, which is not copied and stays
 * as it is. ERROR_USAGE: the name is taken, or cannot be one; a key is called as one that the section has whatever the
 * kind, or stands there twice, or is a section; keys without settings; the registry is full. */
bool registry_add(struct registry *registry, const struct kind *kind, struct error *error) WARN_UNUSED;

#endif
