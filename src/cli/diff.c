#include "base/memory.h"
#include "base/say.h"
#include "base/text.h"
#include "checkpoint/locate.h"
#include "checkpoint/reader.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "h5/h5.h"

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

/* What was found so far. */
struct verdict {
    bool all; /* equal tensors get a line of their own */
    size_t equal, others;
};

/* What is no path of a file stands for one: then that is told. */
static bool open_side(struct side *side, const char *word, struct error *error)
{
    char path[PATH_MAX];
    if (!locate_checkpoint(word, path, error))
        return false;
    if (strcmp(word, path) != 0)
        say("%s is %s\n", word, path);
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
    say("[");
    for (size_t d = 0; d < tensor->dims; d++) {
        stride /= tensor->shape[d];
        say("%s%zu", d ? "," : "", element / stride % tensor->shape[d]);
    }
    say("]");
}

/* |a - b| by the larger of the two; of two that are equal as numbers (0, -0) it is 0. */
static double relative(double a, double b)
{
    double larger = fmax(fabs(a), fabs(b));
    return a == b ? 0 : fabs(a - b) / larger;
}

/* Whether `distance` is to be told rather than `largest`. NaN is further than everything. */
static bool is_larger(double distance, double largest)
{
    return distance > largest || (isnan(distance) && !isnan(largest));
}

/* Compares bits; where they differ, tells the largest absolute difference. Two NaN with other bits differ by NaN. */
static void print_values(struct verdict *verdict, const struct reader_tensor *tensor, const float *a, const float *b)
{
    size_t differing = 0, place = 0;
    double largest = -1, largest_relative = -1;
    for (size_t i = 0; i < tensor->count; i++) {
        if (memcmp(&a[i], &b[i], sizeof *a) == 0)
            continue;
        differing++;
        double distance = fabs((double)a[i] - (double)b[i]), part = relative((double)a[i], (double)b[i]);
        if (is_larger(part, largest_relative))
            largest_relative = part;
        if (is_larger(distance, largest)) {
            largest = distance;
            place = i;
        }
    }
    if (differing == 0) {
        verdict->equal++;
        if (verdict->all)
            say("%s: equal\n", tensor->path);
        return;
    }
    verdict->others++;
    say("%s: largest difference %.9g at ", tensor->path, largest);
    print_place(tensor, place);
    say(" (%.9g, %.9g), largest relative one %.3g, %zu of %zu elements differ\n", (double)a[place], (double)b[place],
        largest_relative, differing, tensor->count);
}

static bool compare(struct verdict *verdict, const struct side *a, const struct reader_tensor *x, const struct side *b,
                    const struct reader_tensor *y, struct error *error)
{
    if (!same_shape(x, y)) {
        char left[64], right[64];
        text_sizes(x->dims, x->shape, left, sizeof left);
        text_sizes(y->dims, y->shape, right, sizeof right);
        say("%s: other shape: %s, %s\n", x->path, left, right);
        verdict->others++;
        return true;
    }
    float *left = memory_alloc(x->count, sizeof *left, x->path, error);
    float *right = left ? memory_alloc(y->count, sizeof *right, y->path, error) : NULL;
    bool ok = right && reader_load_tensor(&a->reader, x, left, error) &&
              reader_load_tensor(&b->reader, y, right, error);
    if (ok)
        print_values(verdict, x, left, right);
    memory_free(left);
    memory_free(right);
    return ok;
}

/* Both lists are ordered by path: walk them together. */
static bool compare_all(struct verdict *verdict, const struct side *a, const struct side *b, struct error *error)
{
    size_t i = 0, j = 0;
    while (i < a->count || j < b->count) {
        int order = i == a->count ? 1 : j == b->count ? -1 : strcmp(a->tensors[i].path, b->tensors[j].path);
        if (order == 0) {
            if (!compare(verdict, a, &a->tensors[i++], b, &b->tensors[j++], error))
                return false;
            continue;
        }
        say("%s: only in %s\n", order < 0 ? a->tensors[i].path : b->tensors[j].path,
            order < 0 ? a->reader.path : b->reader.path);
        verdict->others++;
        i += order < 0;
        j += order > 0;
    }
    return true;
}

static int run(int count, char **words)
{
    struct side a = {0}, b = {0};
    struct error error;
    struct verdict verdict = {0};
    const struct flag flags[] = {{.name = "--all", .given = &verdict.all}, {0}};
    if (!flags_parse(flags, (struct flag_files){"two checkpoints", 2, 2}, &count, words, &error))
        return command_misused(&command_diff, "%s", error.text);
    h5_init();
    bool ok = open_side(&a, words[0], &error) && open_side(&b, words[1], &error);
    bool same_step = ok && a.reader.record.step == b.reader.record.step;
    if (ok && !same_step)
        say("step: %" PRIu64 ", %" PRIu64 "\n", a.reader.record.step, b.reader.record.step);
    ok = ok && compare_all(&verdict, &a, &b, &error);
    if (ok)
        say("%zu of %zu tensors are equal\n", verdict.equal, verdict.equal + verdict.others);
    fflush(stdout);
    close_side(&a);
    close_side(&b);
    h5_release();
    if (!ok)
        return command_fail(&error);
    return same_step && verdict.others == 0 ? EXIT_FINISHED : EXIT_FAILED;
}

const struct command command_diff = {
    .name = "diff",
    .usage = "lockstep diff CHECKPOINT CHECKPOINT [--all]    compares them tensor by tensor",
    .run = run};
