#include "nn/kernels/threaded.h"

#include "base/memory.h"
#include "base/partition.h"
#include "base/team.h"
#include "nn/kernels/convolution.h"
#include "nn/kernels/split.h"

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t ceiling(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* ---- products ---- */

#define UNIT       16      /* rows and columns are dealt in as many: a vector's, and a multiple of what is turned */
#define WORTH      100000  /* multiplications that are worth a thread: some microseconds */
#define PLENTY     8000000 /* of which a thread gets several blocks, so that one that is held up holds up no other */
#define MOST_PARTS 4       /* so many */

/* Rows and columns of c go in so many blocks. */
struct grid {
    size_t down, across;
};

static size_t longest(size_t lines, size_t blocks)
{
    return least(ceiling(ceiling(lines, UNIT), blocks) * UNIT, lines);
}

/* About `parts` blocks, of which the largest is as small as it can be, and as near to a square. */
static struct grid grid_of(size_t m, size_t n, size_t parts)
{
    struct grid best = {1, 1};
    size_t smallest = SIZE_MAX, border = SIZE_MAX;
    for (size_t down = 1; down <= parts; down++) {
        struct grid grid = {least(down, ceiling(m, UNIT)), least(parts / down, ceiling(n, UNIT))};
        size_t rows = longest(m, grid.down), columns = longest(n, grid.across);
        if (rows * columns > smallest || (rows * columns == smallest && rows + columns >= border))
            continue;
        best = grid;
        smallest = rows * columns;
        border = rows + columns;
    }
    return best;
}

struct cut_product {
    const struct compute *alone;
    size_t m, n, k;
    struct matrix a, b;
    bool adds;
    float *c;
    size_t stride;
    struct grid grid;
};

/* Lines [first, end) of `lines` that block `i` of `blocks` has. */
struct span {
    size_t first, count;
};

static struct span span_of(size_t lines, size_t blocks, size_t i)
{
    size_t units = ceiling(lines, UNIT), first = least(partition_first(units, blocks, i) * UNIT, lines);
    return (struct span){first, least(partition_first(units, blocks, i + 1) * UNIT, lines) - first};
}

/* A side without its first rows, or columns: it is not the whole parameter any more. */
static struct matrix side_from(struct matrix side, size_t row, size_t column, bool is_whole)
{
    side.values += side.transposed ? column * side.stride + row : row * side.stride + column;
    side.tensor = is_whole ? side.tensor : NULL;
    return side;
}

static void make_block(void *context, size_t i, size_t thread)
{
    const struct cut_product *p = context;
    struct span rows = span_of(p->m, p->grid.down, i / p->grid.across);
    struct span columns = span_of(p->n, p->grid.across, i % p->grid.across);
    (void)thread;
    p->alone->product(p->alone, rows.count, columns.count, p->k, side_from(p->a, rows.first, 0, p->grid.down == 1),
                      side_from(p->b, 0, columns.first, p->grid.across == 1), p->adds,
                      p->c + rows.first * p->stride + columns.first, p->stride);
}

static void product(const struct compute *compute, size_t m, size_t n, size_t k, struct matrix a, struct matrix b,
                    bool adds, float *c, size_t stride)
{
    struct cut_product cut = {compute->alone, m, n, k, a, b, adds, c, stride, {1, 1}};
    double work = (double)m * (double)n * (double)k;
    size_t parts = (size_t)least((size_t)(work / WORTH), compute->threads);
    if (work > PLENTY * (double)compute->threads)
        parts *= least((size_t)(work / PLENTY) / compute->threads, MOST_PARTS);
    if (parts > 1)
        cut.grid = grid_of(m, n, parts);
    team_run(compute->team, cut.grid.down * cut.grid.across, make_block, &cut);
}

/* ---- convolutions ---- */

static size_t scratch_of_one(const struct compute *compute, const struct convolution *convolution)
{
    return compute->alone->convolution_scratch(compute->alone, convolution);
}

static size_t scratch(const struct compute *compute, const struct convolution *convolution)
{
    return compute->threads * scratch_of_one(compute, convolution);
}

struct cut_convolution {
    const struct compute *alone;
    const struct convolution *convolution;
    const float *from; /* x, or dy */
    struct matrix weight;
    const float *bias;
    float *scratch; /* [threads, each] */
    size_t each;
    float *to; /* y, or dx */
};

static void forward_samples(void *context, size_t first, size_t end, size_t thread)
{
    const struct cut_convolution *p = context;
    const struct convolution *v = p->convolution;
    p->alone->convolution_forward(p->alone, v, end - first, p->from + first * convolution_inputs(v), p->weight, p->bias,
                                  p->scratch + thread * p->each, p->to + first * convolution_outputs(v));
}

static void dx_samples(void *context, size_t first, size_t end, size_t thread)
{
    const struct cut_convolution *p = context;
    const struct convolution *v = p->convolution;
    p->alone->convolution_dx(p->alone, v, end - first, p->from + first * convolution_outputs(v), p->weight,
                             p->scratch + thread * p->each, p->to + first * convolution_inputs(v));
}

/* Samples that are worth a thread. */
static size_t worthy(const struct convolution *v)
{
    return ceiling(WORTH, convolution_outputs(v) * v->K);
}

static void convolution_forward_by_samples(const struct compute *compute, const struct convolution *convolution,
                                           size_t M, const float *x, struct matrix weight, const float *bias,
                                           float *scratch, float *y)
{
    struct cut_convolution cut = {
        compute->alone, convolution, x, weight, bias, scratch, scratch_of_one(compute, convolution), y};
    split_run(compute, M, worthy(convolution), forward_samples, &cut);
}

static void convolution_dx_by_samples(const struct compute *compute, const struct convolution *convolution, size_t M,
                                      const float *dy, struct matrix weight, float *scratch, float *dx)
{
    struct cut_convolution cut = {
        compute->alone, convolution, dy, weight, NULL, scratch, scratch_of_one(compute, convolution), dx};
    split_run(compute, M, worthy(convolution), dx_samples, &cut);
}

struct cut_dweight {
    const struct compute *alone;
    const struct convolution *convolution;
    size_t M;
    const float *x, *dy;
    float *scratch; /* [threads, each] */
    size_t each;
    float *dweight, *dbias;
    bool by_channels; /* else by filters */
};

static void dweight_part(void *context, size_t first, size_t end, size_t thread)
{
    const struct cut_dweight *p = context;
    const struct convolution *v = p->convolution;
    struct convolution_part part = {first, end, 0, v->C / v->groups};
    if (p->by_channels)
        part = (struct convolution_part){0, v->O, first, end};
    convolution_dweight_part(p->alone, v, &part, p->M, p->x, p->dy, p->scratch + thread * p->each, p->dweight,
                             p->by_channels && first > 0 ? NULL : p->dbias);
}

/* The sum over samples is one thread's, in their order: others have other weights. If there are enough channels, they
 * are dealt: each thread looks at its own alone. */
static void dweight_by_weights(const struct compute *compute, const struct convolution *v, size_t M, const float *x,
                               const float *dy, float *scratch, float *dweight, float *dbias)
{
    size_t channels = v->C / v->groups;
    struct cut_dweight cut = {.alone = compute->alone,
                              .convolution = v,
                              .M = M,
                              .x = x,
                              .dy = dy,
                              .scratch = scratch,
                              .each = scratch_of_one(compute, v),
                              .dweight = dweight,
                              .dbias = dbias,
                              .by_channels = channels >= 4 * compute->threads};
    size_t units = cut.by_channels ? channels : v->O;
    split_run(compute, units, ceiling(WORTH, M * convolution_outputs(v) * v->K / units), dweight_part, &cut);
}

/* ---- the whole ---- */

size_t threads_of(uint64_t asked)
{
    size_t threads = asked == THREADS_BY_AFFINITY ? team_cores() : (size_t)asked;
    return threads == 0 ? 1 : least(threads, TEAM_THREADS_MOST);
}

struct compute *threaded_open(const struct compute *alone, size_t threads)
{
    struct compute *threaded = memory_need(1, sizeof *threaded);
    *threaded = *alone;
    threaded->product = product;
    threaded->convolution_scratch = scratch;
    threaded->convolution_forward = convolution_forward_by_samples;
    threaded->convolution_dweight = dweight_by_weights;
    threaded->convolution_dx = convolution_dx_by_samples;
    threaded->threads = threads;
    threaded->alone = alone;
    return threaded;
}

bool threaded_start(struct compute *threaded, struct error *error)
{
    return team_open(&threaded->team, threaded->threads, error);
}

void threaded_close(struct compute *threaded)
{
    if (threaded)
        team_close(threaded->team);
    memory_free(threaded);
}
