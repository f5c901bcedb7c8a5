/* A model: layers in a row, with the memory that one leaf's forward and backward pass needs.
 * It knows neither ranks nor files: parameters and gradients are arenas that somebody else owns. */
#ifndef NN_MODEL_H
#define NN_MODEL_H

#include "base/error.h"
#include "nn/layer.h"
#include "nn/loss.h"
#include "nn/tensor.h"

struct model {
    struct tensor_table table;
    struct layer *layers;
    size_t count; /* layers */
    size_t rows;  /* M: rows of a leaf at most */
    size_t inputs, outputs;
    enum loss_kind loss;
    float *input;    /* [M, inputs]: fill in before a pass */
    int32_t *labels; /* [M]: likewise */
    float **outs;    /* [layers]: output of each layer, [M, its outputs]; one allocation */
    float *ups[2];   /* [M, widest]: gradients with respect to outputs, back and forth */
};

/* Local. Builds the layers and allocates for leaves of up to `rows` rows of `inputs` floats and labels below `classes`.
 * ERROR_USAGE if the last layer does not give one output for each class. The specs are copied. */
bool model_init(struct model *model, const struct layer_spec *specs, size_t count, enum loss_kind loss, size_t rows,
                size_t inputs, size_t classes, struct error *error) WARN_UNUSED;

/* Local. Accepts a released model. */
void model_release(struct model *model);

/* Local. One leaf: `rows` rows of model->input and model->labels through `params` [P].
 * *loss and *hits are sums over the rows. The gradient [P] of the summed loss is overwritten, all but the gaps. */
void model_train_leaf(struct model *model, const float *params, size_t rows, float *gradient, double *loss,
                      double *hits);

/* Local. The same without gradient. */
void model_evaluate_leaf(struct model *model, const float *params, size_t rows, double *loss, double *hits);

#endif
