/* The weights of a checkpoint, by the names that its views give them. Only read. */
#include "base/memory.h"
#include "checkpoint/reader.h"
#include "weights/weights.h"

#include <stdio.h>
#include <string.h>

#define MODEL   "/model/"
#define AVERAGE "/optimizer/ema/"

struct opened {
    struct reader reader;
    struct reader_tensor *tensors; /* the views; a tensor's place is its index here */
};

static bool take_tensors(struct weights_file *file, const struct opened *opened, size_t count, const char *group,
                         struct error *error)
{
    struct weights *weights = &file->weights;
    for (size_t i = 0; i < count; i++) {
        const struct reader_tensor *view = &opened->tensors[i];
        struct weights_tensor *tensor;
        if (strncmp(view->path, group, strlen(group)) != 0)
            continue;
        if (!weights_add(weights, view->path + strlen(group), view->dims, view->shape, &tensor, error))
            return false;
        tensor->form.type = FLOATS_F32;
        tensor->place = i;
    }
    if (weights->count > 0)
        return true;
    return strcmp(group, AVERAGE) == 0
               ? error_set(error, ERROR_USAGE, "there are no averaged weights in it: its job has no ema_decay")
               : error_set(error, ERROR_CORRUPT, "there are no tensors in it");
}

static bool open_file(struct weights_file *file, bool averaged, struct error *error)
{
    struct opened *opened = file->self = memory_need(1, sizeof *opened);
    struct weights *weights = &file->weights;
    size_t count;
    if (!reader_open(&opened->reader, file->path, error) || !reader_verify(&opened->reader, error) ||
        !reader_list_tensors(&opened->reader, &opened->tensors, &count, error))
        return false;
    const struct record *record = &opened->reader.record;
    weights->step = record->step;
    snprintf(weights->fingerprint, sizeof weights->fingerprint, "%016llx", (unsigned long long)record->fingerprint);
    weights->job = memory_text(record->job);
    if (record->vocabulary)
        weights->vocabulary = memory_text(record->vocabulary);
    if (record->data && *record->data)
        weights->data = memory_text(record->data);
    return take_tensors(file, opened, count, averaged ? AVERAGE : MODEL, error);
}

static void close_file(struct weights_file *file)
{
    struct opened *opened = file->self;
    memory_free(opened->tensors);
    reader_close(&opened->reader);
    memory_free(opened);
}

static bool load(const struct weights_file *file, const struct weights_tensor *tensor, float *values,
                 struct error *error)
{
    const struct opened *opened = file->self;
    return reader_load_tensor(&opened->reader, &opened->tensors[tensor->place], values, error);
}

const struct weights_format weights_checkpoint = {
    .name = "checkpoint", .suffix = ".h5", .open = open_file, .close = close_file, .load = load, .has_averages = true};
