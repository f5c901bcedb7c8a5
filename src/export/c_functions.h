/* The functions that a file of C can have, as texts. */
#ifndef EXPORT_C_FUNCTIONS_H
#define EXPORT_C_FUNCTIONS_H

struct c_function {
    const char *name;
    const char *lines;
    const struct c_function *calls; /* another one, which stands in front of it; NULL: none */
};

/* clang-format off */
#define C_FUNCTIONS(ROW) /* c_NAME; in the order in which they stand in a file */ \
    ROW(standardise) \
    ROW(original) \
    ROW(dot) \
    ROW(dense) \
    ROW(conv1d) \
    ROW(conv2d) \
    ROW(conv3d) \
    ROW(max_pool) \
    ROW(avg_pool) \
    ROW(mean_of_channels) \
    ROW(add) \
    ROW(append) \
    ROW(upsample) \
    ROW(layer_norm) \
    ROW(rms_norm) \
    ROW(group_norm) \
    ROW(batch_norm) \
    ROW(embedding) \
    ROW(attend) \
    ROW(softmax) \
    ROW(relu) \
    ROW(gelu) \
    ROW(gelu_tanh) \
    ROW(tanh_of) \
    ROW(sigmoid) \
    ROW(silu)
/* clang-format on */

#define C_FUNCTION_EXTERN(name) extern const struct c_function c_##name;
C_FUNCTIONS(C_FUNCTION_EXTERN)

#endif
