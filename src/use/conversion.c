#include "use/conversion.h"

#include <string.h>

/* Of datasets without and with a vocabulary. */
static const struct {
    const char *suffix, *what;
    conversion *run;
} kinds[] = {
    {".h5", "numbers", conversion_numbers},
    {".bin", "tokens", conversion_tokens},
};

static size_t kind_of(const struct dataset *dataset)
{
    return dataset->about.form.vocabulary > 0;
}

bool conversion_check(const struct dataset *dataset, const char *path, struct error *error)
{
    size_t kind = kind_of(dataset), length = strlen(path), suffix = strlen(kinds[kind].suffix);
    return (length > suffix && strcmp(path + length - suffix, kinds[kind].suffix) == 0) ||
           error_set(error, ERROR_USAGE, "%s: these data are %s: the name of the output ends with %s", path,
                     kinds[kind].what, kinds[kind].suffix);
}

bool conversion_run(const struct world *world, const struct conversion_source *source, const char *path,
                    struct survey *survey, struct error *error)
{
    return kinds[kind_of(source->dataset)].run(world, source, path, survey, error);
}
