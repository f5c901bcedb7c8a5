#include "weights/probabilities.h"

bool probabilities_of(const struct model *model, struct probabilities *probabilities, struct error *error)
{
    const struct loss_class *loss = model->loss.class;
    size_t outputs = model->layers[model->count - 1].outputs;
    *probabilities = (struct probabilities){
        .sigmoid = loss == &loss_binary_cross_entropy,
        .terms = model->terms,
        .width = outputs / model->terms,
        .planes = loss == &loss_softmax_cross_entropy &&
                  loss_has_planes(&model->layers[model->count - 1].out, &model->form)};
    return loss == &loss_softmax_cross_entropy || loss == &loss_binary_cross_entropy ||
           error_set(error, ERROR_USAGE,
                     "--softmax: outputs that are trained with the loss %s are no logits of probabilities: leave it "
                     "out",
                     loss->kind.name);
}
