#include "use/generate.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/real.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool generator_init(struct generator *generator, const struct trained *trained, const struct generate_options *options,
                    struct error *error)
{
    const struct model *model = &trained->saved.model;
    size_t V = model->form.vocabulary;
    *generator = (struct generator){.options = *options};
    if (V == 0)
        return error_set(error, ERROR_USAGE, "%s is no model of tokens: ask it with lockstep predict", trained->path);
    if (!stepper_init(&generator->stepper, &trained->job.model, model, trained->params, error))
        return false;
    generator->logits = memory_need(V, sizeof *generator->logits);
    generator->order = memory_need(V, sizeof *generator->order);
    generator->shares = memory_need(V, sizeof *generator->shares);
    return true;
}

void generator_release(struct generator *generator)
{
    stepper_release(&generator->stepper);
    memory_free(generator->tokens);
    memory_free(generator->logits);
    memory_free(generator->order);
    memory_free(generator->shares);
    *generator = (struct generator){0};
}

/* The model reads a token; what it has no room for any more it forgets, but for the later half of its context. */
static void read(struct generator *generator, size_t place)
{
    struct stepper *stepper = &generator->stepper;
    if (stepper_is_full(stepper)) {
        size_t again = stepper->past.most / 2;
        stepper_restart(stepper);
        for (size_t i = place - again; i < place; i++)
            stepper_next(stepper, (int32_t)generator->tokens[i], NULL);
    }
    stepper_next(stepper, (int32_t)generator->tokens[place], generator->logits);
}

static void append(struct generator *generator, uint32_t token)
{
    generator->tokens = memory_grow(generator->tokens, generator->count, &generator->capacity, sizeof token);
    generator->tokens[generator->count++] = token;
}

/* Of a long prompt the model can know the end only. */
void generator_read(struct generator *generator, const uint32_t *tokens, size_t count)
{
    CHECK(count > 0 && generator->count == 0, "one prompt, of some tokens");
    size_t most = generator->stepper.past.most;
    for (size_t i = 0; i < count; i++)
        append(generator, tokens[i]);
    for (size_t i = count > most ? count - most : 0; i < count; i++)
        read(generator, i);
}

static int compare_logits(const void *a, const void *b, void *context)
{
    const float *logits = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (logits[x] != logits[y])
        return logits[x] > logits[y] ? -1 : 1;
    return (x > y) - (x < y);
}

/* How many of the tokens in their order can be drawn; shares [that many] become their probabilities, not yet scaled to
 * 1, and *sum their sum. */
static size_t choose(struct generator *generator, double *sum)
{
    const struct generate_options *options = &generator->options;
    const float *logits = generator->logits;
    size_t V = generator->stepper.model.form.vocabulary, most = options->top_k;
    most = most == 0 || most > V ? V : most;
    *sum = 0;
    for (size_t i = 0; i < most; i++) {
        double z = (double)logits[generator->order[i]] - (double)logits[generator->order[0]];
        generator->shares[i] = real_exp(z / options->temperature);
        *sum += generator->shares[i];
    }
    double want = options->top_p * *sum, have = 0;
    size_t count = 0;
    while (count < most && (count == 0 || have < want))
        have += generator->shares[count++];
    *sum = have;
    return count;
}

static uint32_t draw(struct generator *generator)
{
    size_t V = generator->stepper.model.form.vocabulary;
    for (size_t i = 0; i < V; i++)
        generator->order[i] = (uint32_t)i;
    qsort_r(generator->order, V, sizeof *generator->order, compare_logits, generator->logits);
    if (generator->options.temperature == 0)
        return generator->order[0];
    double sum;
    size_t count = choose(generator, &sum), i = 0;
    double at = (double)rng_uniform(rng_key(generator->options.seed, "generate"), generator->count) * sum;
    for (double passed = generator->shares[0]; i + 1 < count && at >= passed; passed += generator->shares[i])
        i++;
    return generator->order[i];
}

uint32_t generator_next(struct generator *generator)
{
    uint32_t token = draw(generator);
    append(generator, token);
    read(generator, generator->count - 1);
    return token;
}
