/* Which format a file is of, where nobody has said so: by the keys that a job file gives, by how the file begins, and
 * where that does not tell, by the end of its name. */
#ifndef DATA_RECOGNISE_H
#define DATA_RECOGNISE_H

#include "base/option.h"
#include "data/dataset.h"

struct candidates {
    const struct dataset_class *classes[REGISTRY_MOST]; /* [count], in the order of the registry */
    size_t count;
    bool are_sure;       /* candidates_look: they know the file */
    const char *else_is; /* candidates_look has left none: what the file is; NULL: nobody knows */
};

/* Local. All formats that read something. */
void candidates_all(struct candidates *candidates);

/* Local. Leaves those that the file, the first one that a pattern means, or the directory may be: those that know it;
 * if none does, those that it may be, of these those that its name tells if it does. They may be none, or several.
 * ERROR_NOT_FOUND, ERROR_IO: nobody can look. */
bool candidates_look(struct candidates *candidates, const char *path, struct error *error) WARN_UNUSED;

/* Local. The one format that is left. ERROR_USAGE names those that are. */
const struct dataset_class *candidates_one(const struct candidates *candidates, const char *path, struct error *error);

/* Local. The guess of the key format (struct option_row). The file is looked at only if several formats have such keys:
 * each process that reads the job does so, as each will open the data. Jobs of which the ranks see different ones
 * do not start (train/ranks.h). */
const struct kind *recognise_keys(const struct option_given *given, struct error *error);

#endif
