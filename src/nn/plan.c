#include "nn/plan.h"

#include "base/check.h"
#include "base/memory.h"
#include "nn/model_build.h"

#include <string.h>

static size_t padded(size_t floats)
{
    return (floats + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
}

static bool is_alias(const struct layer *layer)
{
    return !layer->class->forward && layer->class->skip != SKIP_ENDS && layer->class->skip != SKIP_APPENDS;
}

/* ---- outputs ---- */

struct outs {
    bool *kept;   /* some backward reads it, so that nothing may overwrite it */
    size_t *pins; /* residual connections and later concats that have it */
};

static size_t add_out(struct plan *plan, size_t floats)
{
    plan->out_floats[plan->out_count] = padded(floats);
    return plan->out_count++;
}

static void plan_out(struct plan *plan, const struct layer *layer, struct plan_step *step, struct outs *outs)
{
    bool from_leaf = step->x == PLAN_NONE;
    if (layer->class->needs_x && !from_leaf)
        outs->kept[step->x] = true;
    bool free = !from_leaf && !outs->kept[step->x] && outs->pins[step->x] == 0;
    if (is_alias(layer))
        step->y = step->x;
    else if (layer->class->in_place && free)
        step->y = step->x;
    else
        step->y = add_out(plan, layer->outputs);
    if (layer->class->needs_y && step->y != PLAN_NONE)
        outs->kept[step->y] = true;
}

/* How many append what has a name here. */
static size_t readers_of(const struct layer *layers, size_t count, size_t tap)
{
    size_t readers = 0;
    for (size_t l = tap + 1; l < count; l++)
        readers += layers[l].class->skip == SKIP_APPENDS && layers[l].tap == tap;
    return readers;
}

static void plan_forward(struct plan *plan, const struct layer *layers, size_t count, bool tiled)
{
    struct outs outs = {.kept = memory_need(count, sizeof *outs.kept), .pins = memory_need(count, sizeof *outs.pins)};
    size_t stack[MODEL_OPEN], depth = 0, x = PLAN_NONE;
    for (size_t l = 0; l < count; l++) {
        struct plan_step *step = &plan->steps[l];
        *step = (struct plan_step){
            .x = x, .y = PLAN_NONE, .skip = PLAN_NONE, .dy = PLAN_NONE, .dx = PLAN_NONE, .dskip = PLAN_NONE};
        if (layers[l].class->skip == SKIP_ENDS) {
            CHECK(depth > 0, "the builder lets nothing end that has not begun");
            step->skip = stack[--depth];
            if (step->skip != PLAN_NONE)
                outs.pins[step->skip]--;
        }
        if (layers[l].class->skip == SKIP_APPENDS) {
            step->skip = plan->steps[layers[l].tap].x;
            if (step->skip != PLAN_NONE)
                outs.pins[step->skip]--;
        }
        if (tiled && l + 1 == count)
            break;
        if (layers[l].class->skip == SKIP_IS_NAMED && x != PLAN_NONE)
            outs.pins[x] += readers_of(layers, count, l);
        plan_out(plan, &layers[l], step, &outs);
        if (layers[l].class->skip == SKIP_BEGINS) {
            CHECK(depth < MODEL_OPEN, "the builder limits how many are open");
            stack[depth++] = x;
            if (x != PLAN_NONE)
                outs.pins[x]++;
        }
        x = step->y;
    }
    memory_free(outs.kept);
    memory_free(outs.pins);
}

/* ---- gradients with respect to outputs ---- */

struct ups {
    bool *busy;   /* [up_count] */
    size_t *pins; /* residual connections that wait with it */
};

/* The free buffer that fits best, or a new one: the smallest that is large enough, else the largest, which grows. */
static size_t take_up(struct plan *plan, struct ups *ups, size_t floats)
{
    size_t best = PLAN_NONE;
    floats = padded(floats);
    for (size_t u = 0; u < plan->up_count; u++) {
        if (ups->busy[u])
            continue;
        size_t have = plan->up_floats[u], had = best == PLAN_NONE ? 0 : plan->up_floats[best];
        bool better = had >= floats ? have >= floats && have < had : have > had;
        if (best == PLAN_NONE || better)
            best = u;
    }
    if (best == PLAN_NONE)
        best = plan->up_count++;
    if (plan->up_floats[best] < floats)
        plan->up_floats[best] = floats;
    ups->busy[best] = true;
    return best;
}

static void drop_up(struct ups *ups, size_t u)
{
    if (ups->pins[u] == 0)
        ups->busy[u] = false;
}

/* Where the gradient with respect to the operation's input goes. */
static size_t plan_dx(struct plan *plan, struct ups *ups, const struct layer *layer, size_t dy)
{
    bool pinned = ups->pins[dy] > 0;
    if ((layer->class->in_place || !layer->class->backward) && !pinned)
        return dy;
    size_t dx = take_up(plan, ups, layer->inputs);
    drop_up(ups, dy);
    return dx;
}

/* Its gradient goes two ways. */
static void plan_append(struct plan *plan, struct ups *ups, const struct layer *layers, size_t l)
{
    struct plan_step *step = &plan->steps[l], *tap = &plan->steps[layers[l].tap];
    step->dx = take_up(plan, ups, layers[l].inputs);
    if (layers[l].tap > plan->stop) {
        step->adds = tap->dskip != PLAN_NONE;
        if (!step->adds)
            tap->dskip = take_up(plan, ups, shape_count(&layers[l].earlier));
        step->dskip = tap->dskip;
    }
    drop_up(ups, step->dy);
}

static void plan_backward(struct plan *plan, const struct layer *layers, size_t count, bool tiled)
{
    struct ups ups = {.busy = memory_need(count + 1, sizeof *ups.busy),
                      .pins = memory_need(count + 1, sizeof *ups.pins)};
    size_t stack[MODEL_OPEN], depth = 0;
    const struct layer *last = &layers[count - 1];
    bool learns_before_last = plan->stop + 1 < count;
    size_t dy = PLAN_NONE;
    if (!tiled || learns_before_last)
        dy = take_up(plan, &ups, tiled ? last->inputs : last->outputs);
    plan->top_up = dy;
    for (size_t l = tiled ? count - 1 : count; l-- > plan->stop;) {
        struct plan_step *step = &plan->steps[l];
        step->dy = dy;
        if (layers[l].class->skip == SKIP_ENDS) {
            stack[depth++] = dy;
            ups.pins[dy]++;
            step->dx = dy;
        } else if (layers[l].class->skip == SKIP_BEGINS) {
            step->dskip = stack[--depth];
            ups.pins[step->dskip]--;
            /* An empty way round the connection: the gradient of both is one and the same buffer. */
            step->dx = ups.pins[dy] > 0 || dy == step->dskip ? take_up(plan, &ups, layers[l].inputs) : dy;
            if (step->dx != dy)
                drop_up(&ups, dy);
            if (step->dskip != step->dx)
                drop_up(&ups, step->dskip);
        } else if (layers[l].class->skip == SKIP_APPENDS) {
            plan_append(plan, &ups, layers, l);
        } else if (step->dskip != PLAN_NONE) { /* a tap: both parts, in the buffer that is its own */
            step->dx = step->dskip;
            drop_up(&ups, dy);
        } else if (l > plan->stop) {
            step->dx = plan_dx(plan, &ups, &layers[l], dy);
        }
        dy = step->dx;
    }
    memory_free(ups.busy);
    memory_free(ups.pins);
}

void plan_init(struct plan *plan, const struct layer *layers, size_t count, bool tiled)
{
    *plan = (struct plan){.stop = count, .top_up = PLAN_NONE};
    plan->steps = memory_need(count, sizeof *plan->steps);
    plan->out_floats = memory_need(count, sizeof *plan->out_floats);
    plan->up_floats = memory_need(count + 1, sizeof *plan->up_floats);
    for (size_t l = count; l-- > 0;)
        if (layers[l].tensor_count > 0)
            plan->stop = l;
    CHECK(plan->stop < count, "the model refuses to be without tensors");
    plan_forward(plan, layers, count, tiled);
    plan_backward(plan, layers, count, tiled);
}

void plan_release(struct plan *plan)
{
    memory_free(plan->steps);
    memory_free(plan->out_floats);
    memory_free(plan->up_floats);
    memset(plan, 0, sizeof *plan);
}
