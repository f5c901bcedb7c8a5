/* Losses: the last thing of a forward pass and the first of a backward pass. */
#ifndef NN_LOSS_H
#define NN_LOSS_H

#include <stddef.h>
#include <stdint.h>

enum loss_kind {
    LOSS_NONE = 0,
    LOSS_SOFTMAX_CROSS_ENTROPY,
};

/* Local. Softmax cross-entropy of logits [rows, classes] with labels [rows], labels[i] < classes.
 * *loss: sum over the rows (not mean) of -log softmax(logits)[label], in double; *hits: rows whose largest logit is
 * the label's (the first of equal ones counts as largest).
 * gradient [rows, classes], if not NULL: of that sum with respect to the logits; it may be the logits' own memory. */
void loss_softmax_cross_entropy(size_t rows, size_t classes, const float *logits, const int32_t *labels, double *loss,
                                double *hits, float *gradient);

#endif
