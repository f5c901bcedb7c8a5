/* Adding kinds (base/kind.h) to a registry while a program runs. */
#ifndef BASE_REGISTRY_H
#define BASE_REGISTRY_H

#include "base/error.h"
#include "base/kind.h"

#define REGISTRY_NAME 32 /* letters of a name, at most */
#define REGISTRY_KEYS 32 /* of a kind, at most */

/* Local, before jobs are read, and while nobody else reads the registry. Adds a kind, which is not copied and stays as
 * it is; a class is added by the function that knows what it must have (dataset_register, layer_register, ...).
 * ERROR_USAGE: the name is taken, or cannot be one; the registry is full; or a row of the keys is not what it should
 * be: its name is one that the section has whatever the kind, or stands there twice; it is a section; it lies beyond
 * the settings; its default is not allowed; it says when it exists; a resumed job could change it on request (that is
 * for the job's own keys).
 */
bool registry_add(struct registry *registry, const struct kind *kind, struct error *error) WARN_UNUSED;

#endif
