/* What the tests of weights share: small lists of tensors, and files made of bytes. */
#ifndef WEIGHTS_SUPPORT_H
#define WEIGHTS_SUPPORT_H

#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "support/test.h"
#include "weights/weights.h"

#include <stdio.h>
#include <string.h>

/* Adds a tensor whose values are base, base + 0.25, ... */
static inline void add_tensor(struct weights *weights, const char *name, size_t dims, const size_t *shape, float base)
{
    struct error error;
    struct weights_tensor *tensor;
    CU_ASSERT_TRUE_FATAL(weights_add(weights, name, dims, shape, &tensor, &error));
    tensor->values = memory_need(tensor->count, sizeof *tensor->values);
    for (size_t i = 0; i < tensor->count; i++)
        tensor->values[i] = base + 0.25f * (float)i;
}

static inline void write_bytes(const char *path, const void *bytes, size_t count)
{
    struct error error;
    CU_ASSERT_TRUE_FATAL(file_replace(path, bytes, count, &error));
}

/* Opens, loads everything that is a float, and closes: whether all of it went well. *digest (which may be NULL): of all
 * that the file says. */
static inline bool read_everything(const char *path, uint64_t *digest, struct error *error)
{
    struct weights_file file;
    struct text all;
    if (!weights_open(&file, path, false, error))
        return false;
    text_init(&all);
    text_append(&all, "%llu %s %s %s", (unsigned long long)file.weights.step, file.weights.fingerprint,
                file.weights.job ? file.weights.job : "", file.weights.vocabulary ? file.weights.vocabulary : "");
    bool ok = true;
    for (size_t i = 0; ok && i < file.weights.count; i++) {
        const struct weights_tensor *tensor = &file.weights.tensors[i];
        float *values = memory_alloc(tensor->count, sizeof *values, "a tensor", error);
        ok = values && (tensor->form.type == FLOATS_NONE || weights_load(&file, i, values, error));
        text_append(&all, "%s %zu %zu %zu %016llx\n", tensor->name, tensor->dims, tensor->shape[0], tensor->shape[1],
                    (unsigned long long)(ok ? weights_digest(values, tensor->count) : 0));
        memory_free(values);
    }
    if (digest)
        *digest = digest_bytes(all.bytes, all.length);
    text_release(&all);
    weights_close(&file);
    return ok;
}

static inline bool read_all(const char *path, struct error *error)
{
    return read_everything(path, NULL, error);
}

#endif
