#include "base/check.h"
#include "base/memory.h"
#include "data/dataset.h"

#include <string.h>

/* The text among the settings that this is; NULL: none is. */
static char **find_text(const struct dataset_spec *spec, const char *text)
{
    for (const struct option_row *row = spec->class->kind.keys; row && row->name; row++)
        if (row->type == OPTION_TEXT && row->path == PATH_READ && *(char **)option_field(row, spec->settings) == text)
            return option_field(row, spec->settings);
    return NULL;
}

static void replace(char **text, const char *file)
{
    memory_free(*text);
    *text = memory_text(file);
}

/* Which samples of a file are used was said of another one. */
static void take_all_samples(const struct dataset_spec *spec)
{
    static const char *const keys[] = {"first", "count", "part"};
    for (const struct option_row *row = spec->class->kind.keys; row && row->name; row++)
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            struct error error;
            for (size_t i = 0; strcmp(row->name, keys[k]) == 0 && i < option_elements(row) && row->defaults[i]; i++)
                CHECK(option_read(row, i, row->defaults[i], spec->settings, &error), "a default must be allowed");
        }
}

bool dataset_elsewhere(struct dataset_spec *spec, const struct dataset_spec *like, const char *const *files,
                       size_t count, struct error *error)
{
    const struct dataset_class *class = like->class;
    *spec = (struct dataset_spec){class, option_copy_settings(&class->kind, like->settings)};
    char **x = class->source ? find_text(spec, class->source(spec->settings, false)) : NULL;
    char **y = class->source ? find_text(spec, class->source(spec->settings, true)) : NULL;
    size_t wanted = !x || !y ? 0 : x == y ? 1 : 2;
    if (count == wanted) {
        replace(x, files[0]);
        if (count == 2)
            replace(y, files[1]);
        take_all_samples(spec);
        return true;
    }
    option_release_settings(&class->kind, spec->settings);
    *spec = (struct dataset_spec){0};
    const char *what = wanted == 0   ? "lie in no file that could be another one"
                       : wanted == 1 ? "are one file, directory or pattern (in quotes)"
                                     : "are two files, first that of the inputs";
    return error_set(error, ERROR_USAGE, "data of format %s %s, and %zu %s named", class->kind.name, what, count,
                     count == 1 ? "is" : "are");
}
