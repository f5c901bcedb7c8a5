#include "use/predict.h"

#include "base/memory.h"
#include "base/real.h"
#include "nn/kernels/vector.h"

#include <math.h>
#include <string.h>

#define ROUND_FLOATS ((size_t)1 << 20) /* answers of a rank from one talk to the next, or one leaf */

/* [T], or as the data or the model has them. */
static struct shape shape_of(const struct model *model, const struct predict_form *form)
{
    const struct shape *out = &model->layers[model->count - 1].out;
    struct shape shape = {.dims = form->terms > 1, .size = {form->terms}};
    if (form->kind == PREDICT_PROBABILITIES && form->planes)
        return *out;
    if (form->kind == PREDICT_PROBABILITIES) {
        shape.size[shape.dims++] = form->classes;
    } else if (model->form.target.dims > 0) {
        shape = model->form.target;
    } else if (form->terms > 1 && form->kind != PREDICT_CLASSES) {
        shape = *out;
    } else if (form->planes) {
        shape.dims = out->dims - 1;
        memcpy(shape.size, out->size + 1, shape.dims * sizeof *shape.size);
    }
    return shape;
}

bool predict_describe(const struct trained *trained, bool probabilities, struct predict_form *form, struct error *error)
{
    const struct model *model = &trained->saved.model;
    const struct loss_class *loss = model->loss.class;
    if (model->form.vocabulary > 0)
        return error_set(error, ERROR_USAGE,
                         "%s is a model of tokens, which says what comes next: ask it with lockstep generate",
                         trained->path);
    *form = (struct predict_form){.kind = PREDICT_VALUES, .terms = model->terms, .width = model->terms};
    if (loss->ranks_classes) {
        bool is_one = model->terms == 1 || probabilities;
        form->kind = is_one ? PREDICT_PROBABILITIES : PREDICT_CLASSES;
        form->classes = model->form.classes;
        form->width = is_one ? model->terms * form->classes : model->terms;
        form->planes = loss_has_planes(&model->layers[model->count - 1].out, &model->form);
    } else if (loss->has_hits) {
        form->kind = PREDICT_CHANCE;
        form->classes = 2;
    }
    if (probabilities && form->classes == 0)
        return error_set(error, ERROR_USAGE, "%s: --probabilities is for classes, but this model answers with numbers",
                         trained->path);
    form->shape = shape_of(model, form);
    return true;
}

/* One rank's work between two talks. Letters: Q leaves, M rows of a leaf. */
struct round {
    struct trained *trained;
    const struct predict_form *form;
    const struct dataset *inputs;
    size_t leaves;     /* Q */
    uint64_t *indices; /* [M] */
    float *answers;    /* [Q, M, width] */
    float *at;         /* those of the leaf that is being made */
    float *shares;     /* [K] of one term */
};

/* The logistic function, in double: exact at both ends. */
static float chance(float y)
{
    return (float)(y >= 0 ? 1 / (1 + real_exp((double)-y)) : real_exp((double)y) / (1 + real_exp((double)y)));
}

static void see(void *context, const struct leaf *leaf, size_t first_term, size_t n, size_t width, const float *outputs)
{
    const struct round *round = context;
    const struct standard *targets = &round->trained->saved.about.target_standard;
    size_t T = round->form->terms;
    float *to = round->at + first_term * width;
    (void)leaf;
    for (size_t i = 0; i < n && round->form->kind == PREDICT_PROBABILITIES; i++) {
        size_t term = first_term + i;
        vector_softmax(width, 1, outputs + i * width, round->shares);
        for (size_t k = 0; k < width; k++)
            round->at[round->form->planes ? (term / T * width + k) * T + term % T : term * width + k] =
                round->shares[k];
    }
    for (size_t i = 0; i < n && round->form->kind == PREDICT_CLASSES; i++)
        round->at[first_term + i] = (float)vector_argmax(width, outputs + i * width);
    for (size_t i = 0; i < n && round->form->kind == PREDICT_CHANCE; i++)
        to[i] = chance(outputs[i * width]);
    for (size_t i = 0; i < n && round->form->kind == PREDICT_VALUES; i++)
        to[i] = (float)standard_original(targets, (first_term + i) % T, outputs[i]);
}

/* Local. Samples [first, first + count) of the inputs. */
static void answer(struct round *round, size_t first, size_t count)
{
    struct model *model = &round->trained->saved.model;
    const struct output_watch viewer = {.see = see, .context = round};
    for (size_t done = 0, rows; done < count; done += rows) {
        rows = count - done < model->rows ? count - done : model->rows;
        for (size_t i = 0; i < rows; i++)
            round->indices[i] = first + done + i;
        dataset_read(round->inputs, round->indices, rows, &model->leaf);
        round->at = round->answers + done * round->form->width;
        model_predict_leaf(model, round->trained->params, &viewer);
    }
}

/* Collective. The samples from `first` on that this round is for; those of rank r follow those of rank r - 1. */
static bool talk(const struct world *world, const struct round *round, size_t first, float *all,
                 const struct predict_sink *sink, struct error *error)
{
    size_t most = round->leaves * round->trained->saved.model.rows, width = round->form->width;
    bool ok = !dataset_failed(round->inputs, error);
    world_gather(world, round->answers, most * width * sizeof *all, all);
    size_t left = round->inputs->count - first, together = most * (size_t)world->size;
    if (ok && world->rank == 0)
        ok = sink->take(sink->context, left < together ? left : together, all, error);
    return world_agree(world, ok, error);
}

bool predict(const struct world *world, struct trained *trained, const struct predict_form *form,
             const struct dataset *inputs, const struct predict_sink *sink, struct error *error)
{
    size_t M = trained->saved.model.rows, size = (size_t)world->size, Q = ROUND_FLOATS / (M * form->width);
    size_t leaves = (inputs->count + M - 1) / M, share = (leaves + size - 1) / size;
    Q = Q < 1 ? 1 : Q < share ? Q : share;
    struct round round = {.trained = trained, .form = form, .inputs = inputs, .leaves = Q};
    float *all = world->rank == 0 ? memory_alloc(size * Q * M, form->width * sizeof *all, "answers", error) : NULL;
    round.indices = memory_need(M, sizeof *round.indices);
    round.shares = memory_need(form->classes + 1, sizeof *round.shares);
    round.answers = memory_alloc(Q * M, form->width * sizeof *round.answers, "answers", error);
    bool ok = world_agree(world, round.answers && (all || world->rank != 0), error);
    for (size_t first = 0; ok && first < inputs->count; first += size * Q * M) {
        size_t own = first + (size_t)world->rank * Q * M, left = own < inputs->count ? inputs->count - own : 0;
        answer(&round, own, left < Q * M ? left : Q * M);
        ok = talk(world, &round, first, all, sink, error);
    }
    memory_free(all);
    memory_free(round.indices);
    memory_free(round.answers);
    memory_free(round.shares);
    return ok;
}
