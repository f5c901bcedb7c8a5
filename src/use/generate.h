/* Text from a model of tokens: each token is drawn from what the model says comes next. */
#ifndef USE_GENERATE_H
#define USE_GENERATE_H

#include "nn/stepper.h"
#include "use/trained.h"

/* How a token is drawn from the logits z. Letters: V tokens. */
struct generate_options {
    uint64_t seed;
    double temperature; /* of softmax(z / temperature); 0: the most probable token */
    size_t top_k;       /* only the k most probable ones; 0: all */
    double top_p;       /* of these the fewest, the most probable first, that together have this share at least (A.
                           Holtzman et al., "The curious case of neural text degeneration", ICLR 2020, section 3.1); 1:
                           all */
};

struct generator {
    struct stepper stepper;
    struct generate_options options;
    uint32_t *tokens; /* [count] read and drawn so far */
    size_t count, capacity;
    float *logits;   /* [V] behind the last of them */
    uint32_t *order; /* [V] */
    double *shares;  /* [V] */
};

/* Local. The trained model is borrowed. ERROR_USAGE: it is no model of tokens, or cannot go token by token. Nothing
 * stays after failure. */
bool generator_init(struct generator *generator, const struct trained *trained, const struct generate_options *options,
                    struct error *error) WARN_UNUSED;

/* Local. Accepts a released one. */
void generator_release(struct generator *generator);

/* Local. Tokens of a prompt [count], below V, count above 0; once, before the first is drawn. */
void generator_read(struct generator *generator, const uint32_t *tokens, size_t count);

/* Local. The next token: a function of the model, the prompt, the options and how many were drawn before. Where the
 * text has become as long as the model's context, the model begins anew with the later half of that. */
uint32_t generator_next(struct generator *generator);

#endif
