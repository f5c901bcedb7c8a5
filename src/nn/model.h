/* A model: operations in a row, with the memory that one leaf's forward and backward pass needs.
 * It knows neither ranks nor files: parameters and gradients are arenas that somebody else owns.
 *
 * Outputs that nobody reads in backward are overwritten by the next operation; gradients with respect to outputs go
 * through a handful of buffers. Which buffer holds what is planned once (plan.h). */
#ifndef NN_MODEL_H
#define NN_MODEL_H

#include "base/error.h"
#include "base/leaf.h"
#include "nn/layer.h"
#include "nn/loss.h"
#include "nn/plan.h"
#include "nn/tensor.h"

/* What a job file says. */
struct model_spec {
    struct layer_spec *layers;
    size_t count;
    enum gemm gemm;           /* what makes its products; 0: GEMM_LOCKSTEP */
    enum precision precision; /* of their operands; 0: PRECISION_FLOAT32 */
    uint64_t threads;         /* that make a pass: as threads_of of kernels/threaded.h; 0: one */
};

struct model {
    const struct compute *compute; /* as the spec says. Tests set another between passes, which needs no more scratch */
    struct compute *threaded;      /* the same, if it has several threads, and is the model's own; NULL: it has one */
    struct tensor_table table;
    struct layer *layers; /* operations */
    size_t count;
    size_t rows; /* M: rows of a leaf at most */
    struct leaf_form form;
    struct loss_spec loss;
    size_t terms;  /* of a sample: what the sums of a batch are divided by is batch * terms */
    uint64_t seed; /* of dropout */

    struct plan plan;
    float **outs;     /* [plan.out_count] outputs, of the sizes that the plan says */
    float **ups;      /* [plan.up_count] gradients with respect to outputs */
    float **saved;    /* [count] each layer's own; NULL: nothing */
    float *scratch;   /* [scratch_floats] */
    float *tile;      /* [tile_rows, outputs of a term]: of the last layer, if that is made in tiles */
    size_t tile_rows; /* 0: it is not */
    size_t scratch_floats;
    float *turned;    /* [M, outputs] with the classes of a term side by side, if the last layer has them in front (see
                         loss_has_planes); NULL: it has not */
    struct leaf leaf; /* fill in before a pass */
};

/* Local. Builds the operations for leaves of up to `rows` rows: shapes, tensors and plan, without the memory of a pass.
 * ERROR_USAGE names the layer, and what does not fit. Of the specs nothing is needed any more; weights that are to be
 * balanced are none before model_weigh. Nothing stays after failure. */
bool model_describe(struct model *model, const struct model_spec *spec, const struct loss_spec *loss,
                    const struct leaf_form *form, size_t rows, uint64_t seed, struct error *error) WARN_UNUSED;

/* Local. Of a described model: allocates what its passes need. ERROR_IO if there is no room; release it after that,
 * too.
 */
bool model_allocate(struct model *model, struct error *error) WARN_UNUSED;

/* Local. Both. */
bool model_init(struct model *model, const struct model_spec *spec, const struct loss_spec *loss,
                const struct leaf_form *form, size_t rows, uint64_t seed, struct error *error) WARN_UNUSED;

/* Local. From here on training counts a term as often as its label's class weighs: weights [form.classes],
 * copied; NULL: 1. */
void model_weigh(struct model *model, const double *weights);

/* Local. Accepts a released model. */
void model_release(struct model *model);

/* Local. One leaf of step `step`, model->leaf, through `params` [P]. *sums: over its terms. The gradient [P] of the
 * summed loss is overwritten, all but the gaps between tensors; `watch` (NULL: nobody) is told of each tensor that is
 * wanted, and of each whose gradient is final. */
void model_train_leaf(struct model *model, const float *params, uint64_t step, float *gradient, struct loss_sums *sums,
                      const struct tensor_watch *watch);

/* Local. The same without gradient, and as a model is used: no dropout, running statistics. `viewer` (NULL: nobody) is
 * shown the outputs. */
void model_evaluate_leaf(struct model *model, const float *params, struct loss_sums *sums,
                         const struct output_watch *viewer);

/* Local. The same without labels, targets or loss: `viewer` is shown what the model says of the leaf's inputs. */
void model_predict_leaf(struct model *model, const float *params, const struct output_watch *viewer);

/* Local. The same of one position of a sequence, behind `past`; for stepper.h, which knows what model that takes. */
void model_predict_next(struct model *model, const float *params, const struct past *past,
                        const struct output_watch *viewer);

/* Local. Bytes of a rank for one leaf's pass: outputs, gradients of outputs, saved, scratch. */
size_t model_bytes(const struct model *model);

#endif
