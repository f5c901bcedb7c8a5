#include "nn/initialisation.h"

#include "base/check.h"

#include <math.h>
#include <stddef.h>

#define GPT2_DEVIATION 0.02

const char *const init_names[] = {
    [INIT_DEFAULT] = "default",
    [INIT_KAIMING_UNIFORM] = "kaiming_uniform",
    [INIT_KAIMING_NORMAL] = "kaiming_normal",
    [INIT_XAVIER_UNIFORM] = "xavier_uniform",
    [INIT_XAVIER_NORMAL] = "xavier_normal",
    [INIT_LECUN_UNIFORM] = "lecun_uniform",
    [INIT_LECUN_NORMAL] = "lecun_normal",
    [INIT_GPT2] = "gpt2",
    [INIT_ZEROS] = "zeros",
    NULL,
};

/* The variance that each kind wants. */
static double variance(enum init_kind kind, double fan_in, double fan_out)
{
    switch (kind) {
    case INIT_DEFAULT:
        return 1 / (3 * fan_in);
    case INIT_KAIMING_UNIFORM:
    case INIT_KAIMING_NORMAL:
        return 2 / fan_in;
    case INIT_XAVIER_UNIFORM:
    case INIT_XAVIER_NORMAL:
        return 2 / (fan_in + fan_out);
    case INIT_LECUN_UNIFORM:
    case INIT_LECUN_NORMAL:
        return 1 / fan_in;
    case INIT_GPT2:
        return GPT2_DEVIATION * GPT2_DEVIATION;
    case INIT_ZEROS:
        return 0;
    case INIT_NONE:
        break;
    }
    CHECK(kind != INIT_NONE, "a layer with weights says how they begin");
    return 0;
}

void initialise(struct tensor *tensor, enum init_kind kind, size_t fan_in, size_t fan_out, double factor)
{
    double deviation = factor * sqrt(variance(kind, (double)fan_in, (double)fan_out));
    bool is_normal = kind == INIT_KAIMING_NORMAL || kind == INIT_XAVIER_NORMAL || kind == INIT_LECUN_NORMAL ||
                     kind == INIT_GPT2;
    tensor->init = kind == INIT_ZEROS ? TENSOR_CONSTANT : is_normal ? TENSOR_NORMAL : TENSOR_UNIFORM;
    /* Uniform in [-b, b) has the variance b^2 / 3. */
    tensor->scale = (float)(is_normal || kind == INIT_ZEROS ? deviation : sqrt(3) * deviation);
}
