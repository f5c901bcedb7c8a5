#include "base/leaf.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

size_t shape_count(const struct shape *shape)
{
    size_t count = shape->dims > 0;
    for (size_t d = 0; d < shape->dims; d++)
        if (__builtin_mul_overflow(count, shape->size[d], &count))
            return SIZE_MAX;
    return count;
}

bool shape_lies_as(const struct shape *shape, const struct shape *other)
{
    const struct shape *more = shape->dims > other->dims ? shape : other, *less = more == shape ? other : shape;
    size_t front = more->dims - less->dims;
    return front <= 1 && (front == 0 || more->size[0] == 1) &&
           memcmp(more->size + front, less->size, less->dims * sizeof *less->size) == 0;
}

void shape_text(const struct shape *shape, char *text, size_t bytes)
{
    text_sizes(shape->dims, shape->size, text, bytes);
}

bool leaf_init(struct leaf *leaf, const struct leaf_form *form, size_t rows, struct error *error)
{
    static const char what[] = "a leaf's samples: a smaller microbatch needs less";
    size_t inputs = shape_count(&form->input);
    bool ok;
    memset(leaf, 0, sizeof *leaf);
    if (form->vocabulary > 0)
        ok = (leaf->tokens = memory_alloc(rows * inputs, sizeof *leaf->tokens, what, error)) != NULL;
    else
        ok = (leaf->inputs = memory_alloc(rows * inputs, sizeof *leaf->inputs, what, error)) != NULL;
    if (ok && form->classes > 0)
        ok = (leaf->labels = memory_alloc(rows * form->terms, sizeof *leaf->labels, what, error)) != NULL;
    else if (ok)
        ok = (leaf->targets = memory_alloc(rows * form->terms, sizeof *leaf->targets, what, error)) != NULL;
    if (!ok)
        leaf_release(leaf);
    return ok;
}

void leaf_release(struct leaf *leaf)
{
    memory_free(leaf->inputs);
    memory_free(leaf->tokens);
    memory_free(leaf->labels);
    memory_free(leaf->targets);
    memset(leaf, 0, sizeof *leaf);
}

size_t leaf_bytes(const struct leaf_form *form, size_t rows)
{
    const struct leaf *leaf = NULL;
    size_t input = form->vocabulary > 0 ? sizeof *leaf->tokens : sizeof *leaf->inputs;
    size_t target = form->classes > 0 ? sizeof *leaf->labels : sizeof *leaf->targets;
    return rows * (shape_count(&form->input) * input + form->terms * target);
}
