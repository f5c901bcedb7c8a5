#include "base/say.h"
#include "base/text.h"
#include "cli/bench_words.h"
#include "nn/kernels/cpu.h"
#include "run/environment.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* The comma stands behind what is in front: an object that has just begun has none. */
static void key(struct text *line, const char *name)
{
    char last = line->bytes[line->length - 1];
    text_append(line, "%s\"%s\":", last == '{' || last == '[' ? "" : ",", name);
}

static void number(struct text *line, const char *name, double value)
{
    key(line, name);
    if (isfinite(value))
        text_append(line, "%.9g", value);
    else
        text_append(line, "null");
}

static void word(struct text *line, const char *name, const char *value)
{
    key(line, name);
    text_append_json(line, value);
}

/* The next of a list begins. */
static void item(struct text *line)
{
    text_append(line, "%s{", line->bytes[line->length - 1] == '[' ? "" : ",");
}

static void list(struct text *line, const char *name)
{
    key(line, name);
    text_append(line, "[");
}

static void spread(struct text *line, const char *name, const struct spread *spread)
{
    key(line, name);
    text_append(line, "{");
    number(line, "rank0", spread->own);
    number(line, "least", spread->least);
    number(line, "most", spread->most);
    text_append(line, "}");
}

static void append_machine(struct text *line, const struct bench_report *report)
{
    char host[ENVIRONMENT_HOST];
    const struct machine *machine = &report->benchmark->machine;
    environment_host(host);
    key(line, "machine");
    text_append(line, "{");
    word(line, "host", host);
    number(line, "ranks", report->ranks);
    number(line, "nodes", machine->nodes);
    number(line, "threads", (double)machine->threads);
    word(line, "cpu", cpu_name(cpu_isa()));
    spread(line, "flops_per_s", &machine->flops);
    number(line, "all_flops_per_s", machine->flops.sum);
    spread(line, "memory_bytes_per_s", &machine->memory);
    number(line, "all_memory_bytes_per_s", machine->memory.sum);
    list(line, "exchange");
    for (size_t i = 0; i < MACHINE_EXCHANGES; i++) {
        item(line);
        number(line, "bytes", machine->exchanges[i].bytes);
        number(line, "s", machine->exchanges[i].seconds);
        number(line, "bytes_per_s", machine->exchanges[i].bytes / machine->exchanges[i].seconds);
        text_append(line, "}");
    }
    text_append(line, "]");
    number(line, "agreement_s", machine->agreement_s);
    text_append(line, "}");
}

static void append_phase(struct text *line, const char *name, const struct spread *seconds, double step_s)
{
    item(line);
    word(line, "phase", name);
    spread(line, "s", seconds);
    number(line, "share", seconds->own / step_s);
    text_append(line, "}");
}

static void append_pass(struct text *line, const char *name, const struct benchmark_pass *pass)
{
    key(line, name);
    text_append(line, "{");
    spread(line, "s", &pass->seconds);
    number(line, "passes", pass->passes);
    number(line, "flops", pass->flops);
    number(line, "bytes", pass->bytes);
    number(line, "flops_per_s", pass->flops / pass->seconds.own);
    number(line, "intensity", pass->flops / pass->bytes);
    number(line, "roofline_s", pass->bound_s);
    word(line, "roofline", pass->is_bound_by_memory ? "memory" : "fma");
    number(line, "roofline_share", pass->bound_s / pass->seconds.own);
    text_append(line, "}");
}

static void append_recorded(struct text *line, const struct recorded *recorded)
{
    const struct convolution *v = &recorded->convolution;
    item(line);
    word(line, "kind", recorded_word(recorded->kind));
    number(line, "count", (double)recorded->count);
    if (recorded->kind == RECORDED_PRODUCT)
        text_append(line, ",\"m\":%zu,\"n\":%zu,\"k\":%zu,\"a_transposed\":%s,\"b_transposed\":%s,\"adds\":%s}",
                    recorded->m, recorded->n, recorded->k, recorded->a_transposed ? "true" : "false",
                    recorded->b_transposed ? "true" : "false", recorded->adds ? "true" : "false");
    else
        text_append(
            line,
            ",\"samples\":%zu,\"channels\":%zu,\"height\":%zu,\"width\":%zu,\"filters\":%zu,\"out_height\":%zu,"
            "\"out_width\":%zu,\"kernel_height\":%zu,\"kernel_width\":%zu,\"stride_height\":%zu,\"stride_width\":%zu,"
            "\"top\":%zu,\"left\":%zu,\"depth\":%zu,\"out_depth\":%zu,\"kernel_depth\":%zu,\"stride_depth\":%zu,"
            "\"front\":%zu}",
            v->M, v->C, v->in[1], v->in[2], v->O, v->out[1], v->out[2], v->kernel[1], v->kernel[2], v->stride[1],
            v->stride[2], v->before[1], v->before[2], v->in[0], v->out[0], v->kernel[0], v->stride[0], v->before[0]);
}

static void append_saves(struct text *line, const struct benchmark *found)
{
    key(line, "saves");
    text_append(line, "{");
    number(line, "count", (double)found->saves);
    for (enum timeline_mark mark = MARK_SAVE; found->saves > 0 && mark <= MARK_PRUNE; mark++) {
        char name[40];
        snprintf(name, sizeof name, "%s_s", timeline_word(mark));
        number(line, name, found->saving[mark]);
    }
    text_append(line, "}");
}

static void append_step(struct text *line, const struct bench_report *report)
{
    const struct benchmark *found = report->benchmark;
    double step_s = found->step_s.own;
    word(line, "file", report->file);
    word(line, "gemm", gemm_names[report->gemm]);
    number(line, "steps", (double)found->steps);
    number(line, "steps_counted", (double)found->counted);
    number(line, "batch", (double)found->batch);
    number(line, "microbatch", (double)found->microbatch);
    number(line, "leaves", (double)found->leaves);
    number(line, "parameters", (double)found->parameters);
    spread(line, "step_s", &found->step_s);
    number(line, "samples_per_s", (double)found->batch / step_s);
    number(line, "tokens_per_s", found->tokens > 0 ? (double)found->batch * found->tokens / step_s : (double)NAN);
    number(line, "flops", found->flops);
    number(line, "flops_per_s", found->flops / step_s);
    number(line, "peak_share", found->flops / step_s / found->machine.flops.sum);
    list(line, "phases");
    for (enum timeline_mark mark = 0; mark < TIMELINE_MARK_COUNT; mark++)
        if (benchmark_has_phase(mark))
            append_phase(line, timeline_word(mark), &found->phases[mark], step_s);
    append_phase(line, "rest", &found->rest_s, step_s);
    text_append(line, "]");
}

void bench_say_json(const struct bench_report *report)
{
    const struct benchmark *found = report->benchmark;
    struct text line;
    text_init(&line);
    text_append(&line, "{");
    word(&line, "program", "lockstep " LOCKSTEP_VERSION);
    append_machine(&line, report);
    if (report->file) {
        key(&line, "job");
        text_append(&line, "{");
        append_step(&line, report);
        list(&line, "layers");
        for (size_t l = 0; l < found->layer_count; l++) {
            item(&line);
            word(&line, "layer", found->layers[l].name);
            append_pass(&line, "forward", &found->layers[l].forward);
            append_pass(&line, "backward", &found->layers[l].backward);
            text_append(&line, "}");
        }
        text_append(&line, "]");
        list(&line, "products");
        for (size_t i = 0; i < found->recorder.count; i++)
            append_recorded(&line, &found->recorder.items[i]);
        text_append(&line, "]");
        append_saves(&line, found);
        text_append(&line, "}");
    }
    say("%s}\n", text_bytes(&line));
    text_release(&line);
}
