/* The same models as PyTorch, from the same weights: losses, gradients, and ten steps of each optimizer that both
 * have. The numbers are those of tests/golden/reference, computed in double precision, so that what is measured is our
 * error alone. An array is near if both hold: |ours - theirs| <= 1e-4 |theirs| in the Euclidean norm, and the largest
 * difference of an element is 1e-4 of the largest element at most. (Element by element such a bound means nothing for
 * those that are near 0 because their terms cancel.) */
#include "base/memory.h"
#include "base/text.h"
#include "optim/adam.h"
#include "optim/sgd.h"
#include "support/test_mpi.h"
#include "train/reference_models.h"
#include "train/update.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 1e-4
#define STEPS     10

/* ---- what PyTorch said ---- */

struct array {
    char name[120]; /* "adamw/0.dense.weight" */
    size_t first;   /* of the floats */
    char shape[40]; /* "16x8" */
};

struct reference {
    struct array *arrays;
    size_t count, capacity;
    float *floats;
    size_t float_count;
};

static void read_floats(struct reference *reference, const char *path)
{
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, 0, SEEK_END);
    reference->float_count = (size_t)ftell(file) / sizeof *reference->floats;
    rewind(file);
    reference->floats = memory_need(reference->float_count, sizeof *reference->floats);
    size_t got = fread(reference->floats, sizeof *reference->floats, reference->float_count, file);
    CU_ASSERT_EQUAL(got, reference->float_count);
    fclose(file);
}

static struct reference reference_read(const char *model)
{
    struct reference reference = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/reference/%s.bin", GOLDEN_DIRECTORY, model);
    read_floats(&reference, path);
    snprintf(path, sizeof path, "%s/reference/%s.txt", GOLDEN_DIRECTORY, model);
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    struct array array;
    while (fscanf(file, "%119s %zu %39s", array.name, &array.first, array.shape) == 3) {
        reference.arrays = memory_grow(reference.arrays, reference.count, &reference.capacity,
                                       sizeof *reference.arrays);
        reference.arrays[reference.count++] = array;
    }
    fclose(file);
    return reference;
}

static void reference_release(struct reference *reference)
{
    memory_free(reference->arrays);
    memory_free(reference->floats);
}

/* The floats of "<group>/<name>"; group NULL: of "<name>". There must be `count` from there on. */
static const float *look_up(const struct reference *reference, const char *group, const char *name, size_t count,
                            const char *shape)
{
    char full[240];
    snprintf(full, sizeof full, "%s%s%s", group ? group : "", group ? "/" : "", name);
    const struct array *found = NULL;
    for (size_t i = 0; i < reference->count; i++)
        if (strcmp(reference->arrays[i].name, full) == 0)
            found = &reference->arrays[i];
    if (!found || (shape && strcmp(found->shape, shape) != 0))
        printf("\n    %s: %s there, %s here ", full, found ? found->shape : "not", shape ? shape : "any shape");
    CU_ASSERT_FATAL(found != NULL);
    CU_ASSERT_FATAL(!shape || strcmp(found->shape, shape) == 0);
    CU_ASSERT_FATAL(found->first + count <= reference->float_count);
    return reference->floats + found->first;
}

static const float *look_up_tensor(const struct reference *reference, const char *group, const struct tensor *tensor)
{
    char shape[40];
    text_sizes(tensor->dims, tensor->shape, shape, sizeof shape);
    return look_up(reference, group, tensor->name, tensor->count, shape);
}

static void check_near(const char *group, const char *name, size_t count, const float *ours, const float *theirs)
{
    double difference = 0, norm = 0, largest_difference = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        double theirs_i = (double)theirs[i], d = (double)ours[i] - theirs_i;
        difference += d * d;
        norm += theirs_i * theirs_i;
        /* Written so that a NaN stays. */
        largest_difference = fabs(d) <= largest_difference ? largest_difference : fabs(d);
        largest = fmax(largest, fabs(theirs_i));
    }
    bool near = sqrt(difference) <= TOLERANCE * sqrt(norm) && largest_difference <= TOLERANCE * largest;
    if (!near)
        printf("\n    %s/%s: |difference| %.2g of %.2g, largest %.2g of %.2g ", group, name, sqrt(difference),
               sqrt(norm), largest_difference, largest);
    CU_ASSERT(near);
}

/* ---- running them ---- */

struct run {
    struct subject subject;
    struct reference reference;
    struct model model;
    float *params, *gradient, *leaf_gradient, *moments[OPTIMIZER_MOMENTS]; /* [P] */
};

static void run_init(struct run *run, struct subject subject, size_t rows)
{
    struct error error = {0};
    struct loss_spec loss = {.class = &loss_softmax_cross_entropy};
    *run = (struct run){.subject = subject, .reference = reference_read(subject.name)};
    bool ok = model_init(&run->model, &subject.model, &loss, &subject.form, rows, 1, &error);
    if (!ok)
        printf("\n    %s ", error.text);
    CU_ASSERT_FATAL(ok);
    float **arenas[] = {&run->params, &run->gradient, &run->leaf_gradient, &run->moments[0], &run->moments[1]};
    for (size_t a = 0; a < sizeof arenas / sizeof *arenas; a++)
        *arenas[a] = memory_need(run->model.table.count, sizeof **arenas[a]);
}

static void run_release(struct run *run)
{
    memory_free(run->params);
    memory_free(run->gradient);
    memory_free(run->leaf_gradient);
    for (size_t k = 0; k < OPTIMIZER_MOMENTS; k++)
        memory_free(run->moments[k]);
    model_release(&run->model);
    reference_release(&run->reference);
}

/* The initial parameters: every tensor of either side is one of the other's too. */
static void run_restart(struct run *run)
{
    const struct tensor_table *table = &run->model.table;
    size_t theirs = 0;
    for (size_t i = 0; i < run->reference.count; i++)
        theirs += strncmp(run->reference.arrays[i].name, "initial/", 8) == 0;
    CU_ASSERT_EQUAL_FATAL(theirs, table->length);
    for (size_t t = 0; t < table->length; t++)
        memcpy(run->params + table->tensors[t].offset, look_up_tensor(&run->reference, "initial", &table->tensors[t]),
               table->tensors[t].count * sizeof(float));
    for (size_t k = 0; k < OPTIMIZER_MOMENTS; k++)
        memset(run->moments[k], 0, table->count * sizeof(float));
}

/* Samples [first, first + rows) of the batch of `step` (from 0) into the model's leaf. */
static void fill_leaf(struct run *run, size_t step, size_t first, size_t rows)
{
    const struct leaf_form *form = &run->subject.form;
    size_t inputs = shape_count(&form->input), sample = step * run->subject.batch + first;
    size_t all = STEPS * run->subject.batch;
    const float *x = look_up(&run->reference, NULL, "inputs", all * inputs, NULL) + sample * inputs;
    const float *labels = look_up(&run->reference, NULL, "labels", all * form->terms, NULL) + sample * form->terms;
    struct leaf *leaf = &run->model.leaf;
    leaf->rows = rows;
    leaf->first = first;
    for (size_t i = 0; i < rows * inputs; i++)
        if (form->vocabulary > 0)
            leaf->tokens[i] = (int32_t)x[i];
        else
            leaf->inputs[i] = x[i];
    for (size_t i = 0; i < rows * form->terms; i++)
        leaf->labels[i] = (int32_t)labels[i];
}

/* The mean gradient of a batch, as the exchange makes it of leaves as large as the model's. Returns the mean loss. */
static float train_batch(struct run *run, size_t step)
{
    size_t count = run->model.table.count, rows = run->model.rows;
    float terms = (float)(run->subject.batch * run->model.terms);
    double loss = 0, counted = 0;
    memset(run->gradient, 0, count * sizeof(float));
    for (size_t first = 0; first < run->subject.batch; first += rows) {
        struct loss_sums sums;
        fill_leaf(run, step, first, rows);
        /* What is not overwritten shows. */
        for (size_t t = 0; t < run->model.table.length; t++)
            for (size_t i = 0; i < run->model.table.tensors[t].count; i++)
                run->leaf_gradient[run->model.table.tensors[t].offset + i] = NAN;
        model_train_leaf(&run->model, run->params, step + 1, run->leaf_gradient, &sums, NULL);
        for (size_t i = 0; i < count; i++)
            run->gradient[i] += run->leaf_gradient[i];
        loss += sums.loss;
        CU_ASSERT(sums.terms == (double)(rows * run->model.terms) || run->subject.ignores);
        counted += sums.terms;
    }
    /* Running statistics are means over all terms, gradients over those that count. */
    for (size_t i = 0; i < count; i++)
        run->gradient[i] /= i < run->model.table.learned ? (float)counted : terms;
    return (float)(loss / counted);
}

/* ---- losses and gradients ---- */

/* The loss of each sample of the first batch, alone in its leaf, against "<group>/<name>". */
static void check_used(const struct run *run, const char *group, const char *name)
{
    struct run alone;
    run_init(&alone, run->subject, 1);
    const float *theirs = look_up(&alone.reference, group, name, run->subject.batch, NULL);
    for (size_t m = 0; m < run->subject.batch; m++) {
        struct loss_sums sums;
        fill_leaf(&alone, 0, m, 1);
        model_evaluate_leaf(&alone.model, run->params, &sums, NULL);
        float loss = (float)(sums.loss / sums.terms);
        check_near(group ? group : run->subject.name, name, 1, &loss, &theirs[m]);
    }
    run_release(&alone);
}

static void check_gradient(struct subject subject, size_t rows)
{
    struct run run;
    run_init(&run, subject, rows);
    run_restart(&run);
    check_used(&run, NULL, "losses");
    float loss = train_batch(&run, 0);
    check_near("momentum", "losses", 1, &loss, look_up(&run.reference, "momentum", "losses", STEPS, "10"));
    for (size_t t = 0; t < run.model.table.length; t++) {
        const struct tensor *tensor = &run.model.table.tensors[t];
        if (tensor->role != TENSOR_STATISTIC)
            check_near("gradient", tensor->name, tensor->count, run.gradient + tensor->offset,
                       look_up_tensor(&run.reference, "gradient", tensor));
    }
    run_release(&run);
}

/* ---- optimizers ---- */

struct recipe {
    const char *name;
    struct optimizer_spec optimizer;
    double clip_norm; /* 0: none */
};

static const struct recipe recipes[] = {
    {"sgd", {&optimizer_sgd, &(struct sgd){}, .learning_rate = 0.05, .weight_decay = 0.01}, 0},
    {"momentum", {&optimizer_sgd, &(struct sgd){.momentum = 0.9}, .learning_rate = 0.05, .weight_decay = 0.01}, 0},
    {"nesterov",
     {&optimizer_sgd, &(struct sgd){.momentum = 0.9, .nesterov = true}, .learning_rate = 0.05, .weight_decay = 0.01},
     0},
    {"adam",
     {&optimizer_adam, &(struct adam){.beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8}, .learning_rate = 0.01,
      .weight_decay = 0.01},
     0},
    {"adamw",
     {&optimizer_adamw, &(struct adam){.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}, .learning_rate = 0.01,
      .weight_decay = 0.1},
     0},
    {"clipped", {&optimizer_sgd, &(struct sgd){.momentum = 0.5}, .learning_rate = 0.5}, 0.1},
};

static float clip_scale(const struct run *run, double clip_norm)
{
    double squares = 0;
    for (size_t i = 0; i < run->model.table.learned; i++)
        squares += (double)run->gradient[i] * (double)run->gradient[i];
    return clip_norm > 0 && sqrt(squares) > clip_norm ? (float)(clip_norm / sqrt(squares)) : 1;
}

/* Whether the middle third of a tensor (the bias of the keys) has no gradient: it adds the same to the scores of all
 * keys, which softmax does not see. What rounding leaves of the gradient instead is noise, of which Adam, that divides
 * by its size, makes whole steps: there is nothing to compare, and no output depends on it. */
static bool is_without_gradient(const struct recipe *recipe, const struct tensor *tensor)
{
    bool is_adam = recipe->optimizer.class == &optimizer_adam || recipe->optimizer.class == &optimizer_adamw;
    return is_adam && strstr(tensor->name, ".attention.qkv.bias");
}

static void check_tensor(const struct run *run, const struct recipe *recipe, const struct tensor *tensor)
{
    const float *theirs = look_up_tensor(&run->reference, recipe->name, tensor), *ours = run->params + tensor->offset;
    if (!is_without_gradient(recipe, tensor)) {
        check_near(recipe->name, tensor->name, tensor->count, ours, theirs);
        return;
    }
    const float *initial = look_up_tensor(&run->reference, "initial", tensor);
    size_t third = tensor->count / 3;
    check_near(recipe->name, tensor->name, third, ours, theirs);
    check_near(recipe->name, tensor->name, third, ours + 2 * third, theirs + 2 * third);
    for (size_t i = third; i < 2 * third; i++)
        CU_ASSERT(fabs((double)(ours[i] - initial[i])) <= 1.01 * STEPS * recipe->optimizer.learning_rate);
}

/* Ten steps from the initial parameters, whose updates one rank makes: it owns the whole arena. */
static void take_steps(struct run *run, const struct recipe *recipe)
{
    const struct world alone = {.comm = MPI_COMM_SELF, .rank = 0, .size = 1};
    const float *losses = look_up(&run->reference, recipe->name, "losses", STEPS, "10");
    const struct update_arrays arrays = {.params = run->params, .moments = {run->moments[0], run->moments[1]}};
    struct update update;
    run_restart(run);
    update_init(&update, &alone, &recipe->optimizer, &run->model.table, (struct shard){0, run->model.table.count}, 1);
    for (size_t step = 0; step < STEPS; step++) {
        float loss = train_batch(run, step);
        check_near(recipe->name, "losses", 1, &loss, &losses[step]);
        const struct update_numbers numbers = {step + 1, recipe->optimizer.learning_rate,
                                               clip_scale(run, recipe->clip_norm), 0, false};
        update_run(&update, &arrays, &arrays, run->gradient, &numbers);
    }
    update_release(&update);
}

static void check_steps(struct subject subject)
{
    struct run run;
    run_init(&run, subject, subject.batch);
    for (size_t r = 0; r < sizeof recipes / sizeof *recipes; r++) {
        const struct recipe *recipe = &recipes[r];
        if (subject.few_recipes && strcmp(recipe->name, "momentum") != 0 && strcmp(recipe->name, "adamw") != 0)
            continue;
        take_steps(&run, recipe);
        for (size_t t = 0; t < run.model.table.length; t++)
            check_tensor(&run, recipe, &run.model.table.tensors[t]);
        check_used(&run, recipe->name, "used");
    }
    run_release(&run);
}

/* ---- weighted losses ---- */

/* Twelve terms of K classes, one by one, and their gradients. */
static void check_weighted(const struct reference *reference, const char *group, const char *terms,
                           const struct loss_spec *loss, size_t K)
{
    const float *outputs = look_up(reference, *terms ? terms : NULL, "outputs", 12 * K, NULL);
    const float *labels = look_up(reference, *terms ? terms : NULL, "labels", 12, "12");
    const float *losses = look_up(reference, group, "losses", 12, "12");
    float ours[12 * 5], values[12];
    int32_t own_labels[12];
    struct leaf leaf = {.rows = 12, .labels = own_labels};
    memcpy(ours, outputs, 12 * K * sizeof *ours);
    for (size_t i = 0; i < 12; i++) {
        struct loss_sums sums = {0};
        own_labels[i] = (int32_t)labels[i];
        loss_terms(loss, &leaf, i, 1, K, ours + i * K, true, &sums);
        values[i] = (float)sums.loss;
    }
    check_near(group, "losses", 12, values, losses);
    check_near(group, "gradient", 12 * K, ours, look_up(reference, group, "gradient", 12 * K, NULL));
}

static void weighted_losses(void)
{
    struct reference reference = reference_read("class_weights");
    const float *weights = look_up(&reference, NULL, "weights", 5, "5");
    const float *binary = look_up(&reference, "binary", "weights", 2, "2");
    double five[5], two[2] = {(double)binary[0], (double)binary[1]};
    for (size_t k = 0; k < 5; k++)
        five[k] = (double)weights[k];
    struct loss_spec loss = {.class = &loss_softmax_cross_entropy, .class_weights = five, .class_weight_count = 5};
    check_weighted(&reference, "0", "", &loss, 5);
    loss.label_smoothing = 0.1;
    check_weighted(&reference, "0.1", "", &loss, 5);
    loss = (struct loss_spec){.class = &loss_binary_cross_entropy, .class_weights = two, .class_weight_count = 2};
    check_weighted(&reference, "binary", "binary", &loss, 1);
    reference_release(&reference);
}

static void mlp_gradient(void)
{
    check_gradient(reference_mlp(), 8);
}

static void mlp_leaves(void)
{
    check_gradient(reference_mlp(), 2);
}

static void mlp_steps(void)
{
    check_steps(reference_mlp());
}

static void cnn_gradient(void)
{
    check_gradient(reference_cnn(), 8);
}

static void cnn_steps(void)
{
    check_steps(reference_cnn());
}

static void gpt_gradient(void)
{
    check_gradient(reference_gpt(), 4);
}

static void gpt_leaves(void)
{
    check_gradient(reference_gpt(), 1);
}

static void gpt_steps(void)
{
    check_steps(reference_gpt());
}

/* A convolution of sequences, a U-Net with a class of each pixel, convolutions of volumes with one of each voxel. */
static void sequence_gradient(void)
{
    check_gradient(reference_sequence(), 2);
}

static void sequence_steps(void)
{
    check_steps(reference_sequence());
}

static void unet_gradient(void)
{
    check_gradient(reference_unet(), 2);
}

static void unet_steps(void)
{
    check_steps(reference_unet());
}

static void volume_gradient(void)
{
    check_gradient(reference_volume(), 4);
}

static void volume_steps(void)
{
    check_steps(reference_volume());
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"losses and gradients of an MLP are PyTorch's", mlp_gradient},
        {"... and in four leaves", mlp_leaves},
        {"... and so is where each optimizer takes it in ten steps", mlp_steps},
        {"losses and gradients of a CNN with batch norm are PyTorch's", cnn_gradient},
        {"... and so is where each optimizer takes it in ten steps, with its running statistics", cnn_steps},
        {"losses and gradients of a GPT are PyTorch's", gpt_gradient},
        {"... and in four leaves", gpt_leaves},
        {"... and so is where each optimizer takes it in ten steps", gpt_steps},
        {"losses and gradients of convolutions of sequences are PyTorch's", sequence_gradient},
        {"... and so is where optimizers take them in ten steps", sequence_steps},
        {"losses of pixels and gradients of a U-Net are PyTorch's", unet_gradient},
        {"... and so is where optimizers take it in ten steps", unet_steps},
        {"losses of voxels, some of which do not count, and gradients are PyTorch's", volume_gradient},
        {"... and so is where optimizers take it in ten steps", volume_steps},
        {"losses that count by their classes are PyTorch's, with their gradients", weighted_losses},
        {NULL, NULL},
    };
    return test_mpi_run(&argc, &argv, "train/reference", cases);
}
