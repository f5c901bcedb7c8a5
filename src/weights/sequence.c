#include "weights/sequence.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MOST   16   /* Sequentials inside each other */
#define MODULES_MOST 4096 /* of a file: more are no Sequential that somebody wrote down */

/* What a module of torch.nn may hold, a bit each. */
static const char *const leaves[] = {"weight", "bias", "running_mean", "running_var"};
#define LEAVES (sizeof leaves / sizeof *leaves)
#define BIAS   2u

/* Parts of a model that run in this order, in front of numbers. */
static const char *const stages[] = {"features", "classifier"};
#define STAGES (sizeof stages / sizeof *stages)

/* A module with tensors. */
struct module {
    const char *name; /* of one of its tensors, or rows: its own is what is in front of the leaf */
    size_t length;    /* of its own name, with the last dot */
    unsigned has;     /* leaves */
    bool repeats;     /* all of them are second copies, which files may lack */
    size_t depth;
    unsigned long path[DEPTH_MOST];
};

struct modules {
    struct module *list;
    size_t count;
};

/* Where the last part of a name begins. */
static size_t leaf_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? (size_t)(dot - name) + 1 : 0;
}

static unsigned leaf_bit(const char *leaf)
{
    for (unsigned i = 0; i < LEAVES; i++)
        if (strcmp(leaf, leaves[i]) == 0)
            return 1u << i;
    return 0;
}

/* What comes for the first time, or once more. */
static void add(struct modules *modules, const char *name, bool repeats)
{
    size_t length = leaf_of(name);
    for (size_t i = modules->count; i-- > 0;) {
        struct module *module = &modules->list[i];
        if (module->length == length && strncmp(module->name, name, length) == 0) {
            module->has |= leaf_bit(name + length);
            module->repeats = module->repeats && repeats;
            return;
        }
    }
    modules->list[modules->count++] = (struct module){
        .name = name, .length = length, .has = leaf_bit(name + length), .repeats = repeats};
}

/* The number that a part of a path is, or the place of a stage. */
static bool take_part(const char *part, size_t length, unsigned long *number)
{
    char text[24];
    for (size_t s = 0; s < STAGES; s++)
        if (strlen(stages[s]) == length && strncmp(part, stages[s], length) == 0) {
            *number = s;
            return true;
        }
    if (length == 0 || length > 9 || strspn(part, "0123456789") < length || (*part == '0' && length > 1))
        return false;
    snprintf(text, sizeof text, "%.*s", (int)length, part);
    *number = strtoul(text, NULL, 10);
    return true;
}

/* How much of all names is one name in front of them, such as "net.": parts that are no numbers. */
static size_t common(const struct modules *modules)
{
    const char *first = modules->list[0].name;
    for (size_t length = 0;;) {
        size_t part = strcspn(first + length, "."), next = length + part + 1;
        unsigned long number;
        if (next > modules->list[0].length || take_part(first + length, part, &number))
            return length;
        for (size_t i = 1; i < modules->count; i++)
            if (modules->list[i].length < next || strncmp(modules->list[i].name, first, next) != 0)
                return length;
        length = next;
    }
}

/* The path behind what is common. Stages count only at its beginning, where all have one or none. */
static bool take_path(struct module *module, size_t begin, bool *is_staged)
{
    *is_staged = false;
    for (size_t at = begin; at < module->length; module->depth++) {
        size_t part = strcspn(module->name + at, ".");
        bool is_number = module->name[at] >= '0' && module->name[at] <= '9';
        if (module->depth == DEPTH_MOST || (!is_number && at > begin) ||
            !take_part(module->name + at, part, &module->path[module->depth]))
            return false;
        *is_staged = *is_staged || !is_number;
        at += part + 1;
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct module *x = a, *y = b;
    for (size_t d = 0; d < x->depth && d < y->depth; d++)
        if (x->path[d] != y->path[d])
            return x->path[d] < y->path[d] ? -1 : 1;
    return x->depth < y->depth ? -1 : x->depth > y->depth;
}

/* A module that has tensors of its own holds no others. */
static bool is_inside(const struct module *outer, const struct module *inner)
{
    return inner->depth >= outer->depth && memcmp(outer->path, inner->path, outer->depth * sizeof *outer->path) == 0;
}

/* The file's modules in the order in which they run. False: its names say none. */
static bool take_modules(const struct layout *layout, const struct weights *weights, struct modules *modules)
{
    bool is_staged, first = false;
    for (size_t i = 0; i < weights->count; i++) {
        const char *name = layout_bare(weights->tensors[i].name);
        if (layout->ignores && layout->ignores(name))
            continue;
        if (!leaf_bit(name + leaf_of(name)) || strlen(name) >= LAYOUT_NAME)
            return false;
        add(modules, name, false);
        if (modules->count > MODULES_MOST)
            return false;
    }
    if (modules->count == 0)
        return false;
    size_t begin = common(modules);
    for (size_t i = 0; i < modules->count; i++) {
        if (!take_path(&modules->list[i], begin, &is_staged) || (i > 0 && is_staged != first))
            return false;
        first = is_staged;
    }
    qsort(modules->list, modules->count, sizeof *modules->list, compare);
    for (size_t i = 1; i < modules->count; i++)
        if (is_inside(&modules->list[i - 1], &modules->list[i]))
            return false;
    return true;
}

/* Those here; without second copies if the file has none. */
static void take_layers(const struct layout *layout, size_t there, struct modules *modules)
{
    for (size_t r = 0; r < layout->count; r++)
        add(modules, layout->rows[r].name, layout->rows[r].repeats);
    size_t kept = 0;
    for (size_t i = 0; modules->count != there && i < modules->count; i++)
        if (!modules->list[i].repeats)
            modules->list[kept++] = modules->list[i];
    modules->count = kept > 0 ? kept : modules->count;
}

static void list_leaves(unsigned has, struct text *words)
{
    for (unsigned i = 0, n = 0; i < LEAVES; i++)
        if (has & 1u << i)
            text_append(words, "%s%s", n++ ? ", " : "", leaves[i]);
}

/* Whether they are the same in number and kind: one may have a bias that the other lacks. */
static bool agree(const struct modules *there, const struct modules *here, struct text *why)
{
    if (there->count != here->count)
        text_append(why, "the file has %zu modules with tensors, this model %zu layers", there->count, here->count);
    for (size_t i = 0; i < there->count && there->count == here->count; i++) {
        const struct module *theirs = &there->list[i], *ours = &here->list[i];
        if ((theirs->has | BIAS) == (ours->has | BIAS))
            continue;
        text_append(why, "module %.*s of the file has ", (int)(theirs->length ? theirs->length - 1 : 0), theirs->name);
        list_leaves(theirs->has, why);
        text_append(why, ", where this model has ");
        list_leaves(ours->has, why);
        return false;
    }
    return there->count == here->count;
}

/* Rows of a module here get the name of the one there. */
static void rename_rows(struct layout *layout, const struct modules *there, const struct modules *here)
{
    struct layout_row *rows = memory_need(layout->count, sizeof *rows);
    memcpy(rows, layout->rows, layout->count * sizeof *rows);
    for (size_t r = 0; r < layout->count; r++) {
        size_t length = leaf_of(layout->rows[r].name), i = 0;
        while (i < here->count &&
               (here->list[i].length != length || strncmp(here->list[i].name, layout->rows[r].name, length) != 0))
            i++;
        if (i == here->count)
            *rows[r].name = '\0'; /* a second copy that is not there */
        else
            snprintf(rows[r].name, sizeof rows[r].name, "%.*s%s", (int)there->list[i].length, there->list[i].name,
                     layout->rows[r].name + length);
    }
    for (size_t r = 0; r < layout->count; r++)
        layout->in_order = layout->in_order || strcmp(rows[r].name, layout->rows[r].name) != 0;
    memory_free(layout->rows);
    layout->rows = rows;
    layout->capacity = layout->count;
}

bool sequence_take(struct layout *layout, const struct weights *weights, struct text *why)
{
    struct modules there = {.list = memory_need(weights->count + 1, sizeof *there.list)};
    struct modules here = {.list = memory_need(layout->count + 1, sizeof *here.list)};
    bool ok = take_modules(layout, weights, &there);
    if (ok) {
        take_layers(layout, there.count, &here);
        ok = agree(&there, &here, why);
    }
    if (ok)
        rename_rows(layout, &there, &here);
    memory_free(there.list);
    memory_free(here.list);
    return ok;
}
