/* What a trained model says of inputs that have no answers yet. */
#ifndef USE_PREDICT_H
#define USE_PREDICT_H

#include "data/dataset.h"
#include "parallel/world.h"
#include "use/trained.h"

/* What the numbers of an answer are. */
enum predict_kind {
    PREDICT_PROBABILITIES, /* [T, K] of each class, at each of T terms */
    PREDICT_CHANCE,        /* [T] of the second of two classes */
    PREDICT_VALUES,        /* [T] targets of a regression, in original units */
};

/* Letters: T terms of a sample, K classes. */
struct predict_form {
    enum predict_kind kind;
    size_t terms;   /* T */
    size_t classes; /* K; 0: values */
    size_t width;   /* numbers of a sample's answer: T K, or T */
};

/* Who gets the answers. */
struct predict_sink {
    /* Called on rank 0 for the samples of all inputs in their order, some at a time: answers [n, width]. False with an
     * error: it cannot take them. */
    bool (*take)(void *context, size_t n, const float *answers, struct error *error);
    void *context;
};

/* Local. What the model's answers are. ERROR_USAGE: a model of tokens says what comes next. */
bool predict_describe(const struct trained *trained, struct predict_form *form, struct error *error) WARN_UNUSED;

/* Collective over world; all arguments but the sink equal on every rank. Goes through the inputs (dataset_open_inputs);
 * each rank computes some of them, in leaves of the job's microbatch: answers have the same bits for every number of
 * ranks. Errors of data and sink, the same on every rank. */
bool predict(const struct world *world, struct trained *trained, const struct predict_form *form,
             const struct dataset *inputs, const struct predict_sink *sink, struct error *error) WARN_UNUSED;

#endif
