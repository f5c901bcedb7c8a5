#include "nn/loss.h"

#include <math.h>

void loss_softmax_cross_entropy(size_t rows, size_t classes, const float *logits, const int32_t *labels, double *loss,
                                double *hits, float *gradient)
{
    *loss = 0;
    *hits = 0;
    for (size_t row = 0; row < rows; row++) {
        const float *z = logits + row * classes;
        size_t label = (size_t)labels[row], largest = 0;
        for (size_t c = 1; c < classes; c++)
            if (z[c] > z[largest])
                largest = c;
        /* Shifted by the largest logit: no overflow, and at least one term is 1. */
        float top = z[largest], sum = 0, own = z[label];
        for (size_t c = 0; c < classes; c++)
            sum += expf(z[c] - top);
        *loss += (double)logf(sum) - ((double)own - (double)top);
        *hits += largest == label && !isnan(sum);
        if (!gradient)
            continue;
        float *d = gradient + row * classes;
        for (size_t c = 0; c < classes; c++)
            d[c] = expf(z[c] - top) / sum;
        d[label] -= 1;
    }
}
