#include "cli/flags.h"

#include <string.h>

static const struct flag *find(const struct flag *flags, const char *word)
{
    for (; flags->name; flags++)
        if (strcmp(flags->name, word) == 0)
            return flags;
    return NULL;
}

bool flags_parse(const struct flag *flags, int count, char **words, const char **file, struct error *error)
{
    *file = NULL;
    for (int i = 0; i < count; i++) {
        const struct flag *flag = find(flags, words[i]);
        if (!flag && words[i][0] == '-')
            return error_set(error, ERROR_USAGE, "%s: not understood", words[i]);
        if (!flag && *file)
            return error_set(error, ERROR_USAGE, "%s: one file is enough, and there is %s already", words[i], *file);
        if (!flag)
            *file = words[i];
        else if (flag->given)
            *flag->given = true;
        else if (i + 1 == count)
            return error_set(error, ERROR_USAGE, "%s needs a value behind it", words[i]);
        else if (flag->list)
            flag->list[(*flag->length)++] = words[++i];
        else
            *flag->value = words[++i];
    }
    return *file || error_set(error, ERROR_USAGE, "no file given");
}
