/* The settings of gelu. */
#ifndef NN_LAYERS_GELU_H
#define NN_LAYERS_GELU_H

enum gelu_form {
    GELU_NONE = 0,
    GELU_EXACT, /* x Phi(x) */
    GELU_TANH,  /* the approximation of GPT-2 */
};

/* By form, as in job files; [0] NULL, NULL behind the last. */
extern const char *const gelu_forms[];

struct gelu {
    enum gelu_form form;
};

#endif
