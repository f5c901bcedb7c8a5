/* A model of tokens that goes through a text one token at a time: each layer keeps what those behind need (attention:
 * keys and values), so that the next token costs one position, and not all of them again.
 *
 * Letters: T positions that the model was made for; V tokens of the vocabulary. */
#ifndef NN_STEPPER_H
#define NN_STEPPER_H

#include "nn/model.h"

struct stepper {
    struct model model; /* the same model, for one position */
    float *params;      /* arena of its table */
    struct past past;
    const struct model *trained; /* borrowed, as its parameters */
    const float *trained_params;
};

/* Local. `spec` is what `trained` was made of, and that its parameters belong to; all borrowed. ERROR_USAGE: a layer
 * needs several positions at once. Nothing stays after failure. */
bool stepper_init(struct stepper *stepper, const struct model_spec *spec, const struct model *trained,
                  const float *params, struct error *error) WARN_UNUSED;

/* Local. Accepts a released one. */
void stepper_release(struct stepper *stepper);

/* Local. Forgets all tokens. */
void stepper_restart(struct stepper *stepper);

/* Local. Whether there is no room for another token: T have been read. */
bool stepper_is_full(const struct stepper *stepper);

/* Local. Reads the next token, below V; there has to be room. logits [V]: of the token behind it; NULL: not wanted. */
void stepper_next(struct stepper *stepper, int32_t token, float *logits);

#endif
