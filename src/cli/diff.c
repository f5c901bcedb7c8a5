#include "base/memory.h"
#include "checkpoint/h5.h"
#include "checkpoint/reader.h"
#include "cli/command.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A file with its tensors. */
struct side {
    struct reader reader;
    struct reader_tensor *tensors;
    size_t count;
};

static bool open_side(struct side *side, const char *path, struct error *error)
{
    return reader_open(&side->reader, path, error) && reader_verify(&side->reader, error) &&
           reader_list_tensors(&side->reader, &side->tensors, &side->count, error);
}

static void close_side(struct side *side)
{
    memory_free(side->tensors);
    reader_close(&side->reader);
}

static bool same_shape(const struct reader_tensor *a, const struct reader_tensor *b)
{
    return a->dims == b->dims && memcmp(a->shape, b->shape, a->dims * sizeof *a->shape) == 0;
}

static void print_place(const struct reader_tensor *tensor, size_t element)
{
    size_t stride = tensor->count;
    printf("[");
    for (size_t d = 0; d < tensor->dims; d++) {
        stride /= tensor->shape[d];
        printf("%s%zu", d ? "," : "", element / stride % tensor->shape[d]);
    }
    printf("]");
}

/* Compares bits; where they differ, tells the largest absolute difference. Two NaN with other bits differ by NaN. */
static bool print_values(const struct reader_tensor *tensor, const float *a, const float *b)
{
    size_t differing = 0, place = 0;
    double largest = -1;
    for (size_t i = 0; i < tensor->count; i++) {
        if (memcmp(&a[i], &b[i], sizeof *a) == 0)
            continue;
        double distance = fabs((double)a[i] - (double)b[i]);
        if (differing++ == 0 || distance > largest || (isnan(distance) && !isnan(largest))) {
            largest = distance;
            place = i;
        }
    }
    if (differing == 0) {
        printf("%s: equal\n", tensor->path);
        return true;
    }
    printf("%s: largest difference %.9g at ", tensor->path, largest);
    print_place(tensor, place);
    printf(" (%.9g, %.9g), %zu of %zu elements differ\n", (double)a[place], (double)b[place], differing, tensor->count);
    return false;
}

/* Prints the verdict on one tensor; *equal is cleared if it differs. */
static bool compare(const struct side *a, const struct reader_tensor *x, const struct side *b,
                    const struct reader_tensor *y, bool *equal, struct error *error)
{
    if (!same_shape(x, y)) {
        printf("%s: other shape\n", x->path);
        *equal = false;
        return true;
    }
    float *left = memory_alloc(x->count, sizeof *left, x->path, error);
    float *right = left ? memory_alloc(y->count, sizeof *right, y->path, error) : NULL;
    bool ok = right && reader_load_tensor(&a->reader, x, left, error) &&
              reader_load_tensor(&b->reader, y, right, error);
    if (ok && !print_values(x, left, right))
        *equal = false;
    memory_free(left);
    memory_free(right);
    return ok;
}

/* Both lists are ordered by path: walk them together. */
static bool compare_all(const struct side *a, const struct side *b, bool *equal, struct error *error)
{
    size_t i = 0, j = 0;
    while (i < a->count || j < b->count) {
        int order = i == a->count ? 1 : j == b->count ? -1 : strcmp(a->tensors[i].path, b->tensors[j].path);
        if (order == 0) {
            if (!compare(a, &a->tensors[i++], b, &b->tensors[j++], equal, error))
                return false;
            continue;
        }
        printf("%s: only in %s\n", order < 0 ? a->tensors[i].path : b->tensors[j].path,
               order < 0 ? a->reader.path : b->reader.path);
        *equal = false;
        i += order < 0;
        j += order > 0;
    }
    return true;
}

static int run(int count, char **words)
{
    struct side a = {0}, b = {0};
    struct error error;
    if (count != 2)
        return command_misused(&command_diff, "two checkpoint files are compared");
    h5_init();
    bool equal = true;
    bool ok = open_side(&a, words[0], &error) && open_side(&b, words[1], &error);
    if (ok && a.reader.record.step != b.reader.record.step) {
        printf("step: %" PRIu64 ", %" PRIu64 "\n", a.reader.record.step, b.reader.record.step);
        equal = false;
    }
    ok = ok && compare_all(&a, &b, &equal, &error);
    close_side(&a);
    close_side(&b);
    h5_release();
    if (!ok)
        return command_fail(&error);
    return equal ? EXIT_FINISHED : EXIT_FAILED;
}

const struct command command_diff = {
    .name = "diff", .usage = "lockstep diff FILE FILE         compares two checkpoints tensor by tensor", .run = run};
