#include "cli/flags.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER_MOST (1 << 20)

static const struct flag *find(const struct flag *flags, const char *word)
{
    size_t length = strcspn(word, "=");
    for (; flags->name; flags++)
        if (strncmp(flags->name, word, length) == 0 && flags->name[length] == '\0')
            return flags;
    return NULL;
}

static bool fail_unknown(const struct flag *flags, const char *word, struct error *error)
{
    struct text names;
    text_init(&names);
    for (const struct flag *flag = flags; flag->name; flag++)
        text_append(&names, "%s%s", flag == flags ? "; there are " : ", ", flag->name);
    error_set(error, ERROR_USAGE, "%s: not understood%s", word, text_bytes(&names));
    text_release(&names);
    return false;
}

static bool take_number(const struct flag *flag, const char *word, struct error *error)
{
    char *end;
    long number = strtol(word, &end, 10);
    if (*end || end == word || number < flag->least || number > NUMBER_MOST)
        return error_set(error, ERROR_USAGE, "%s %s: not a number from %d to %d", flag->name, word, flag->least,
                         NUMBER_MOST);
    *flag->number = (int)number;
    return true;
}

static bool take_value(const struct flag *flag, const char *word, struct error *error)
{
    if (!word)
        return error_set(error, ERROR_USAGE, "%s needs a value behind it", flag->name);
    if (flag->number)
        return take_number(flag, word, error);
    if (flag->list)
        flag->list[(*flag->length)++] = word;
    else
        *flag->value = word;
    return true;
}

bool flags_parse(const struct flag *flags, struct flag_files files, int *count, char **words, struct error *error)
{
    int taken = 0;
    for (int i = 0; i < *count; i++) {
        const struct flag *flag = find(flags, words[i]);
        if (!flag && words[i][0] == '-' && words[i][1] != '\0')
            return fail_unknown(flags, words[i], error);
        if (!flag && taken == files.most)
            return error_set(error, ERROR_USAGE, "%s: too much; %s %s wanted", words[i], files.what,
                             files.most > 1 ? "are" : "is");
        const char *equals = flag ? strchr(words[i], '=') : NULL;
        if (!flag)
            words[taken++] = words[i];
        else if (flag->given && equals)
            return error_set(error, ERROR_USAGE, "%s: %s takes no value", words[i], flag->name);
        else if (flag->given)
            *flag->given = true;
        else if (!take_value(flag, equals ? equals + 1 : ++i < *count ? words[i] : NULL, error))
            return false;
    }
    *count = taken;
    return taken >= files.least ||
           error_set(error, ERROR_USAGE, "%s %s missing", files.what, files.least > 1 ? "are" : "is");
}
