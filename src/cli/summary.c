#include "base/plural.h"
#include "base/say.h"
#include "cli/command.h"
#include "cli/request.h"
#include "job/job_data.h"
#include "job/length.h"
#include "train/memory_plan.h"
#include "train/update.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Whether it is the layer's own, not another's that it shares, and learned. */
static bool is_own(const struct layer *layer, const struct tensor *tensor)
{
    size_t length = strlen(layer->name);
    return tensor->role != TENSOR_STATISTIC && strncmp(tensor->name, layer->name, length) == 0 &&
           tensor->name[length] == '.';
}

/* What the tensors of one layer hold, and what its output takes for a leaf. */
static void print_layer(const struct model *model, size_t l)
{
    const struct layer *layer = &model->layers[l];
    size_t y = model->plan.steps[l].y, x = model->plan.steps[l].x, elements = 0;
    char shape[64];
    for (size_t k = 0; k < layer->tensor_count; k++)
        if (is_own(layer, &model->table.tensors[layer->tensors[k]]))
            elements += model->table.tensors[layer->tensors[k]].count;
    shape_text(&layer->out, shape, sizeof shape);
    size_t floats = layer->saved + (y != PLAN_NONE && y != x ? model->rows * model->plan.out_floats[y] : 0);
    say("%-44s %14s %14zu %14.0f %12.2f\n", layer->name, shape, elements, layer->flops, (double)floats * 4e-6);
}

static void print_layers(const struct model *model)
{
    double flops = 0;
    say("%-44s %14s %14s %14s %12s\n", "layer", "output", "parameters", "GEMM FLOPs", "leaf MB");
    for (size_t l = 0; l < model->count; l++) {
        flops += model->layers[l].flops;
        if (model->layers[l].class->skip != SKIP_BEGINS && model->layers[l].class->skip != SKIP_IS_NAMED)
            print_layer(model, l);
    }
    say("%-44s %14s %14zu %14.0f\n", "together", "", tensor_table_elements(&model->table, false), flops);
    size_t statistics = tensor_table_elements(&model->table, true) - tensor_table_elements(&model->table, false);
    if (statistics > 0)
        say("%-44s %14s %14zu\n", "of the parameters' kind, but running averages", "", statistics);
}

static void print_memory(const struct job *job, const struct model *model, size_t ranks)
{
    struct memory_plan most = {0};
    for (size_t r = 0; r < ranks; r++) {
        struct memory_plan plan = memory_plan_make(job, model, job->checkpoint.background, ranks, r);
        if (r == 0 || plan.slot_count > most.slot_count)
            most = plan;
    }
    struct memory_plan first = memory_plan_make(job, model, false, ranks, 0);
    double shard = first.gradient + first.moments;
    double parts[] = {most.params, most.slots, shard, job->checkpoint.background ? shard : 0, most.pass};
    say("\nmemory of a rank, of %zu on one node, in MB (its data and the libraries come on top):\n", ranks);
    say("  %10.1f  parameters, shared by the ranks of a node\n", parts[0] * 1e-6);
    say("  %10.1f  gradients of %zu %s at a time\n", parts[1] * 1e-6, most.slot_count,
        most.slot_count == 1 ? "leaf" : "leaves");
    say("  %10.1f  gradient, moments%s of its shard\n", parts[2] * 1e-6, job->ema > 0 ? " and average" : "");
    say("  %10.1f  the same once more, to train on while a checkpoint is written\n", parts[3] * 1e-6);
    say("  %10.1f  activations of a leaf of %zu sample%s\n", parts[4] * 1e-6, model->rows, plural(model->rows));
    say("  %10.1f  together\n", (parts[0] + parts[1] + parts[2] + parts[3] + parts[4]) * 1e-6);
}

/* How long the job is, in steps and in epochs. */
static bool print_length(const struct job *job, size_t samples, struct error *error)
{
    struct sampler sampler;
    uint64_t steps;
    if (!length_sampler(job, samples, &sampler, error) || !length_steps(job, &sampler, &steps, error))
        return false;
    say("%" PRIu64 " step%s of %" PRIu64 " sample%s: %.6g epochs of %zu sample%s, %.6g steps each\n", steps,
        plural(steps), job->train.batch, plural(job->train.batch), sampler_epoch(&sampler, steps),
        (size_t)sampler.samples, plural(sampler.samples), (double)sampler.samples / (double)job->train.batch);
    return true;
}

static bool print_summary(const struct job *job, size_t ranks, struct error *error)
{
    struct dataset train, validation;
    struct model model;
    size_t leaves = job->train.batch / job->train.microbatch;
    if (ranks > leaves)
        return error_set(error, ERROR_USAGE, "%zu ranks, but only %zu %s", ranks, leaves,
                         leaves == 1 ? "leaf" : "leaves");
    if (!job_data_open(job, &train, &validation, NULL, error))
        return false;
    dataset_close(&validation); /* it fits: that is all that is asked of it here */
    bool ok = model_describe(&model, &job->model, &job->loss, &train.about.form, job->train.microbatch, job->seed,
                             error);
    if (ok && !update_check_groups(&job->optimizer, &model.table, error)) {
        model_release(&model);
        ok = false;
    }
    if (ok) {
        char shape[64];
        shape_text(&train.about.form.input, shape, sizeof shape);
        say("%zu sample%s of %s %s; %zu %s of %" PRIu64
            " sample%s a step; shapes and FLOPs (of forward's matrix products) of one sample\n\n",
            train.count, plural(train.count), shape, train.about.form.vocabulary > 0 ? "tokens" : "floats", leaves,
            leaves == 1 ? "leaf" : "leaves", job->train.microbatch, plural(job->train.microbatch));
        print_layers(&model);
        print_memory(job, &model, ranks);
        say("\n");
        ok = print_length(job, train.count, error);
        model_release(&model);
    }
    dataset_close(&train);
    return ok;
}

static int run(int count, char **words)
{
    struct request request;
    struct error error = {0};
    struct job job = {0};
    bool ok = request_parse(&request, false, count, words, &error) &&
              job_read(&job, request.file, request.overrides, request.override_count, &error) &&
              print_summary(&job, request.ranks > 0 ? (size_t)request.ranks : 1, &error);
    job_release(&job);
    request_release(&request);
    return ok ? EXIT_FINISHED : command_fail(&error);
}

const struct command command_summary = {
    .name = "summary",
    .usage = "lockstep summary JOB.yaml [--set key.path=value]... [--ranks N]   layers, shapes, parameters, memory",
    .run = run,
};
