/* What a trained model says of inputs that have no answers yet. */
#ifndef USE_PREDICT_H
#define USE_PREDICT_H

#include "data/dataset.h"
#include "parallel/world.h"
#include "use/trained.h"

/* What the numbers of an answer are. */
enum predict_kind {
    PREDICT_PROBABILITIES, /* of each class, at each of T terms: [T, K], or as the model has them, [K, H, W] */
    PREDICT_CLASSES,       /* [T] the most probable class at each of several terms */
    PREDICT_CHANCE,        /* [T] of the second of two classes */
    PREDICT_VALUES,        /* [T] targets of a regression, in original units */
};

/* Letters: T terms of a sample, K classes. */
struct predict_form {
    enum predict_kind kind;
    size_t terms;       /* T */
    size_t classes;     /* K; 0: values */
    size_t width;       /* numbers of a sample's answer: T K, or T */
    bool planes;        /* probabilities are [K, T] */
    struct shape shape; /* of them; no dimensions: one number */
};

/* Who gets the answers. */
struct predict_sink {
    /* Called on rank 0 for the samples of all inputs in their order, some at a time: answers [n, width]. False with an
     * error: it cannot take them. */
    bool (*take)(void *context, size_t n, const float *answers, struct error *error);
    void *context;
};

/* Local. What the model's answers are; where a sample has several labels, their classes, unless `probabilities` are
 * wanted. They have the shape of the training data's targets, if that is known, or else of the model's outputs.
 * ERROR_USAGE: a model of tokens says what comes next. */
bool predict_describe(const struct trained *trained, bool probabilities, struct predict_form *form,
                      struct error *error) WARN_UNUSED;

/* Collective over world; all arguments but the sink equal on every rank. Goes through the inputs (dataset_open_inputs);
 * each rank computes some of them, in leaves of the job's microbatch: answers have the same bits for every number of
 * ranks. Errors of data and sink, the same on every rank. */
bool predict(const struct world *world, struct trained *trained, const struct predict_form *form,
             const struct dataset *inputs, const struct predict_sink *sink, struct error *error) WARN_UNUSED;

#endif
