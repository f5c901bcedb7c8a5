/* What a word of a job file stands for, where programs can add words: data formats, layers, losses, optimizers.
 *
 * A kind is the first member of its class (struct layer_class, ...): its name, and the keys that a section has because
 * it names this kind. Their values stand in a struct of the kind's own, its settings. A registry holds the kinds of one
 * role: first those of the house, then what a program has added (base/registry.h). */
#ifndef BASE_KIND_H
#define BASE_KIND_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct option_row; /* base/option.h */

struct kind {
    const char *name;              /* in job files and messages: small letters, digits, underscores; a letter first */
    const char *help;              /* for people: part of a sentence, without a point */
    const struct option_row *keys; /* rows, whose base are the settings; NULL: it has none */
    size_t settings_bytes;         /* 0: it has none */

    /* Local. Whether the values fit each other, each of them being allowed. On failure the words say what is wrong with
     * *key, one of those that cannot be wrong by its default. NULL: they always do. */
    bool (*check)(const void *settings, const char **key, struct error *error);
};

#define REGISTRY_MOST 64

struct registry {
    const char *role;                            /* "layer" */
    const struct option_row *keys;               /* of the section in which the name of a kind stands */
    const struct kind *kinds[REGISTRY_MOST + 1]; /* NULL behind the last */
};

/* Local. NULL: no kind has this name. */
const struct kind *kind_find(const struct registry *registry, const char *name);

#endif
