#include "nn/reference.h"

#include "base/memory.h"
#include "support/test.h"

#include <math.h>

static double softmax_cross_entropy(const double *y, size_t K, size_t label, double smoothing)
{
    double top = y[0], sum = 0, loss = 0;
    for (size_t k = 1; k < K; k++)
        top = fmax(top, y[k]);
    for (size_t k = 0; k < K; k++)
        sum += exp(y[k] - top);
    for (size_t k = 0; k < K; k++) {
        double target = (k == label ? 1 - smoothing : 0) + smoothing / (double)K;
        loss += target > 0 ? target * (log(sum) - (y[k] - top)) : 0;
    }
    return loss;
}

/* -log of the probability 1 / (1 + exp(-y)), which is also finite where that is 0 in double. */
static double surprise(double y)
{
    return y < 0 ? log1p(exp(y)) - y : log1p(exp(-y));
}

double reference_term(const struct loss_spec *loss, size_t K, const double *y, int32_t label, double target)
{
    if (label == LEAF_IGNORED)
        return 0;
    double d = fabs(y[0] - target), e = loss->label_smoothing, t = target * (1 - e) + e / 2;
    if (loss->class == &loss_softmax_cross_entropy)
        return softmax_cross_entropy(y, K, (size_t)label, e);
    if (loss->class == &loss_mean_squared_error)
        return d * d;
    if (loss->class == &loss_l1)
        return d;
    if (loss->class == &loss_huber)
        return d <= loss->delta ? d * d / 2 : loss->delta * (d - loss->delta / 2);
    if (loss->class == &loss_binary_cross_entropy)
        return t * surprise(y[0]) + (1 - t) * surprise(-y[0]);
    CU_FAIL_FATAL("no such loss");
    return NAN;
}

static bool is_hit(const struct loss_spec *loss, size_t K, const double *y, int32_t label, double target)
{
    if (label == LEAF_IGNORED)
        return false;
    if (loss->class == &loss_binary_cross_entropy)
        return (y[0] > 0) == (target > 0.5);
    if (loss->class != &loss_softmax_cross_entropy)
        return false;
    for (size_t k = 0; k < K; k++)
        if (y[k] > y[label] || (y[k] == y[label] && k < (size_t)label))
            return false;
    return true;
}

/* The outputs y [K] of term i: side by side, or the values of a pixel in the planes of an image or a volume. */
static void gather(const struct model *model, const double *outputs, size_t K, size_t i, double *y)
{
    size_t T = model->form.terms;
    bool planes = K > 1 && T > 1 && model->layers[model->count - 1].out.dims > 2;
    for (size_t k = 0; k < K; k++)
        y[k] = planes ? outputs[(i / T * K + k) * T + i % T] : outputs[i * K + k];
}

struct loss_sums reference_sums(const struct reference *reference, const double *outputs)
{
    const struct model *model = reference->model;
    const struct leaf *leaf = &model->leaf;
    struct loss_sums sums = {0};
    size_t K = model->loss.class == &loss_softmax_cross_entropy ? model->form.classes : 1;
    double *y = memory_need(K, sizeof *y);
    for (size_t i = 0; i < leaf->rows * model->form.terms; i++) {
        int32_t label = leaf->labels ? leaf->labels[i] : 0;
        double target = leaf->targets ? (double)leaf->targets[i] : label;
        gather(model, outputs, K, i, y);
        sums.loss += reference_term(&model->loss, K, y, label, target);
        sums.hits += is_hit(&model->loss, K, y, label, target);
        sums.terms += label != LEAF_IGNORED;
        if (model->loss.class->has_surprise && label != LEAF_IGNORED)
            sums.surprise += softmax_cross_entropy(y, K, (size_t)label, 0);
    }
    memory_free(y);
    return sums;
}

double reference_loss(const struct reference *reference)
{
    struct shape shape;
    double *outputs = reference_outputs(reference, &shape);
    double loss = reference_sums(reference, outputs).loss;
    memory_free(outputs);
    return loss;
}
