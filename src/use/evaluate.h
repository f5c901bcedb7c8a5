/* A trained model, judged by data. */
#ifndef USE_EVALUATE_H
#define USE_EVALUATE_H

#include "nn/meter.h"
#include "parallel/world.h"
#include "policy/evaluation.h"
#include "use/trained.h"

#define EVALUATE_WORST     10   /* samples that are told */
#define EVALUATE_CONFUSION 1000 /* classes up to which terms are counted label by prediction */

/* A sample, and how wrong the model is about it. */
struct evaluate_sample {
    uint64_t index;   /* in the dataset, also if that is a share of what the format has read */
    double loss;      /* mean over its terms; not finite: the worst of all */
    double label;     /* of one term: its label or target; NaN: there are several */
    double predicted; /* the class with the largest output, or the output; NaN as label */
};

struct evaluate_report {
    const char *name; /* of the data: "data.test" */
    size_t samples;
    struct evaluation evaluation;
    size_t classes;              /* K; 0: nothing was counted by class */
    struct class_counts *counts; /* [K]; owned, as `confusion` */
    uint64_t *confusion;         /* [K, K] terms by label (row) and prediction (column); NULL: not counted */
    struct evaluate_sample worst[EVALUATE_WORST]; /* the worst first */
    char *worst_names[EVALUATE_WORST];            /* dataset_name_of; NULL: they have none; owned */
    size_t worst_count;
};

/* Local. From here on the data.test of its job are all samples of these files [count], which are like those of
 * data.train (dataset_elsewhere). ERROR_USAGE, and nothing is changed. */
bool evaluate_elsewhere(struct trained *trained, const char *const *files, size_t count,
                        struct error *error) WARN_UNUSED;

/* Collective over world; all arguments equal on every rank. Judges by data.test of its job, or, if there is none, by
 * its validation data, whose files are opened: the job may be of a stranger. All numbers have the same bits for every
 * number of ranks, and those of a validation in training. ERROR_USAGE: there are no such data; and errors of the data,
 * the same on every rank. Release the report after failure, too. */
bool evaluate(const struct world *world, struct trained *trained, struct evaluate_report *report,
              struct error *error) WARN_UNUSED;

/* Local. Accepts a released one. */
void evaluate_report_release(struct evaluate_report *report);

#endif
