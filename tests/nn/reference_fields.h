/* Operations of the second implementation that look at neighbours in a field: rows of the table in reference_layers.c.
 */
#ifndef TESTS_NN_REFERENCE_FIELDS_H
#define TESTS_NN_REFERENCE_FIELDS_H

#include "nn/reference_layers.h"

void reference_conv1d(struct walk *w, const void *settings, const char *name);
void reference_conv2d(struct walk *w, const void *settings, const char *name);
void reference_conv3d(struct walk *w, const void *settings, const char *name);
void reference_max_pool(struct walk *w, const void *settings, const char *name);
void reference_avg_pool(struct walk *w, const void *settings, const char *name);
void reference_global_avg_pool(struct walk *w, const void *settings, const char *name);
void reference_upsample(struct walk *w, const void *settings, const char *name);

#endif
