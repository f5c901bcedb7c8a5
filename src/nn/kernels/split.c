#include "nn/kernels/split.h"

#include "base/partition.h"
#include "base/team.h"

struct loop {
    size_t count, parts;
    void (*range)(void *context, size_t first, size_t end, size_t thread);
    void *context;
};

static void run_part(void *context, size_t i, size_t thread)
{
    const struct loop *loop = context;
    loop->range(loop->context, partition_first(loop->count, loop->parts, i),
                partition_first(loop->count, loop->parts, i + 1), thread);
}

void split_run(const struct compute *compute, size_t count, size_t least,
               void (*range)(void *context, size_t first, size_t end, size_t thread), void *context)
{
    size_t threads = team_threads(compute->team), most = count / least;
    struct loop loop = {.count = count, .parts = most < threads ? most : threads, .range = range, .context = context};
    if (loop.parts > 1)
        team_run(compute->team, loop.parts, run_part, &loop);
    else if (count > 0)
        range(context, 0, count, 0);
}

#define LINE 16 /* floats of a cache line, of which no two threads should have a half */

struct map {
    size_t n;
    void (*one)(size_t n, const float *x, float *y);
    void (*two)(size_t n, const float *a, const float *b, float *y);
    const float *a, *b;
    float *y;
};

static void map_one(void *context, size_t first, size_t end, size_t thread)
{
    const struct map *map = context;
    (void)thread;
    size_t at = first * LINE, last = end * LINE < map->n ? end * LINE : map->n;
    map->one(last - at, map->a + at, map->y + at);
}

static void map_two(void *context, size_t first, size_t end, size_t thread)
{
    const struct map *map = context;
    (void)thread;
    size_t at = first * LINE, last = end * LINE < map->n ? end * LINE : map->n;
    map->two(last - at, map->a + at, map->b + at, map->y + at);
}

void split_map(const struct compute *compute, void (*function)(size_t n, const float *x, float *y), size_t n,
               const float *x, float *y)
{
    struct map map = {.n = n, .one = function, .a = x, .y = y};
    split_run(compute, (n + LINE - 1) / LINE, SPLIT_FLOATS / LINE, map_one, &map);
}

void split_map_two(const struct compute *compute,
                   void (*derivative)(size_t n, const float *a, const float *b, float *y), size_t n, const float *a,
                   const float *b, float *y)
{
    struct map map = {.n = n, .two = derivative, .a = a, .b = b, .y = y};
    split_run(compute, (n + LINE - 1) / LINE, SPLIT_FLOATS / LINE, map_two, &map);
}
