/* What the tests of the job file have in common: two jobs, and parsing that reports why it failed. */
#ifndef JOB_JOB_SUPPORT_H
#define JOB_JOB_SUPPORT_H

#include "data/csv_settings.h"
#include "data/digits.h"
#include "data/formats.h"
#include "data/idx.h"
#include "data/text_format.h"
#include "job/job.h"
#include "nn/layers/dense.h"
#include "nn/layers/layers.h"
#include "nn/layers/residual.h"
#include "optim/adam.h"
#include "optim/lars.h"
#include "optim/sgd.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */
/* The job file of the README, with every section that it has there. */
#define EXAMPLE \
    "run: out/mnist                  # directory\n" \
    "seed: 1\n" \
    "data:\n" \
    "  train:      {format: idx, images: IMAGES, labels: LABELS, first: 0, count: 9000}\n" \
    "  validation: {format: idx, images: IMAGES, labels: LABELS, first: 9000, count: 1000}\n" \
    "model:\n" \
    "  - {layer: dense, units: 512}\n" \
    "  - {layer: relu}\n" \
    "  - {layer: dense, units: 10}\n" \
    "loss: softmax_cross_entropy\n" \
    "train: {steps: 1000, batch: 128, microbatch: 16}\n" \
    "optimizer: {name: adamw, learning_rate: 1.0e-3, weight_decay: 0.01}\n" \
    "schedule: {name: cosine, warmup: 50, floor: 0.1}\n" \
    "clip_norm: 1.0\n" \
    "validate: {every: 100}\n" \
    "checkpoint: {every: 100, keep: 3}\n" \
    "log: {every: 10}\n"

/* Only what has no default. */
#define SMALLEST \
    "run: out\n" \
    "data: {train: {format: digits}}\n" \
    "model: [{layer: dense, units: 10}]\n" \
    "train: {steps: 10, batch: 8}\n" \
    "optimizer: {name: sgd, learning_rate: 0.1}\n"
/* clang-format on */

#define OVERRIDES_MAX 12
#define COUNT(array)  (sizeof(array) / sizeof *(array))

/* The settings of a dataset, a layer or an optimizer, as those of its class. */
#define SETTINGS(structure, spec) ((struct structure *)(spec).settings)

/* Parses with the overrides up to the first NULL; a failure fails the test with its message. */
static inline bool parse(struct job *job, const char *text, const char *const overrides[OVERRIDES_MAX])
{
    size_t count = 0;
    struct error error = {0};
    while (overrides && count < OVERRIDES_MAX && overrides[count])
        count++;
    bool ok = job_parse(job, "job.yaml", text, overrides, count, &error);
    if (!ok)
        printf("    %s\n", error.text);
    CU_ASSERT_TRUE(ok);
    return ok;
}

/* The same for what job_write has written. */
static inline bool parse_saved(struct job *job, const char *text)
{
    struct error error = {0};
    bool ok = job_parse_saved(job, "job.yaml", text, NULL, 0, &error);
    if (!ok)
        printf("    %s\n", error.text);
    CU_ASSERT_TRUE(ok);
    return ok;
}

#define OVERRIDES(...)        ((const char *const[OVERRIDES_MAX]){__VA_ARGS__})
#define PARSE(job, text, ...) parse(job, text, OVERRIDES(__VA_ARGS__))

static inline void check_text(const char *actual, const char *expected)
{
    bool equal = !strcmp(actual, expected);
    if (!equal)
        printf("    expected: %s\n    actual:   %s\n", expected, actual);
    CU_ASSERT_TRUE(equal);
}

/* The job as YAML is `expected` (if not NULL), and a job that is read from it is written as the same bytes. */
static inline void check_round_trip(const struct job *job, const char *expected)
{
    struct text first = {0}, second = {0};
    struct job again;
    job_write(job, &first);
    if (expected)
        check_text(text_bytes(&first), expected);
    if (parse_saved(&again, text_bytes(&first))) {
        job_write(&again, &second);
        check_text(text_bytes(&second), text_bytes(&first));
        job_release(&again);
    }
    text_release(&first);
    text_release(&second);
}

/* Fails with the message that is expected. */
struct refusal {
    const char *text; /* NULL: the example */
    const char *override;
    const char *message;
};

static inline void check_refusals(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct job job;
        struct error error = {0};
        const char *text = refusals[i].text ? refusals[i].text : EXAMPLE;
        bool ok = job_parse(&job, "job.yaml", text, &refusals[i].override, refusals[i].override ? 1 : 0, &error);
        CU_ASSERT_FALSE(ok);
        CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
        check_text(error.text, refusals[i].message);
        if (ok)
            job_release(&job);
    }
}

#define CHECK_REFUSALS(table) check_refusals(table, COUNT(table))

#endif
