#include "cli/bench_words.h"

#include "base/plural.h"
#include "base/say.h"
#include "nn/kernels/cpu.h"
#include "run/environment.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void say_rates(const char *name, const struct spread *rates, const char *unit, int ranks)
{
    say("  %-12s %8.1f %s of rank 0", name, 1e-9 * rates->own, unit);
    if (ranks > 1)
        say("; of all %.1f to %.1f, together %.1f", 1e-9 * rates->least, 1e-9 * rates->most, 1e-9 * rates->sum);
    say("\n");
}

static void say_machine(const struct bench_report *report)
{
    char host[ENVIRONMENT_HOST];
    const struct machine *machine = &report->benchmark->machine;
    environment_host(host);
    say("machine: %d rank%s on %d node%s (%.40s), %s, all at once\n", report->ranks, plural((uint64_t)report->ranks),
        machine->nodes, plural((uint64_t)machine->nodes), host, cpu_name(cpu_isa()));
    if (machine->threads > 1)
        say("  %-12s %8zu a rank\n", "threads", machine->threads);
    say_rates("FMA peak", &machine->flops, "GFLOP/s", report->ranks);
    say_rates("memory", &machine->memory, "GB/s", report->ranks);
    for (size_t i = 0; i < MACHINE_EXCHANGES; i++)
        if (isfinite(machine->exchanges[i].seconds))
            say("  %-12s %8.1f MB summed and distributed in %.3g ms, %.1f GB/s\n", i == 0 ? "exchange" : "",
                1e-6 * machine->exchanges[i].bytes, 1e3 * machine->exchanges[i].seconds,
                1e-9 * machine->exchanges[i].bytes / machine->exchanges[i].seconds);
        else
            say("  %-12s %8.1f MB: there is no room in the memory that ranks share (/dev/shm)\n",
                i == 0 ? "exchange" : "", 1e-6 * machine->exchanges[i].bytes);
    say("  %-12s %8.1f us\n", "agreement", 1e6 * machine->agreement_s);
}

static void say_step(const struct bench_report *report)
{
    const struct benchmark *found = report->benchmark;
    double step_s = found->step_s.own;
    say("\njob: %s, %" PRIu64 " samples a step, in %" PRIu64 " %s of %" PRIu64 "; %zu parameters\n", report->file,
        found->batch, found->leaves, found->leaves == 1 ? "leaf" : "leaves", found->microbatch, found->parameters);
    say("  %-12s %8.3f ms, the mean of %zu of %zu steps; %.4g samples/s", "step", 1e3 * step_s, found->counted,
        found->steps, (double)found->batch / step_s);
    if (found->tokens > 0)
        say(", %.4g tokens/s", (double)found->batch * found->tokens / step_s);
    say("\n  %-12s %8.3f GFLOP a step, %.4g GFLOP/s, %.1f %% of the peak%s\n", "products", 1e-9 * found->flops,
        1e-9 * found->flops / step_s, 100 * found->flops / step_s / found->machine.flops.sum,
        report->gemm == GEMM_OPENBLAS ? " (by OpenBLAS)" : "");
    if (found->saves > 0)
        say("  %-12s %8.1f ms each (%zu), beside the steps: written %.1f, read back %.1f, published %.1f\n", "saves",
            1e3 * found->saving[MARK_SAVE], found->saves, 1e3 * found->saving[MARK_WRITE],
            1e3 * found->saving[MARK_READ_BACK], 1e3 * found->saving[MARK_PUBLISH]);
}

static void say_phase(const char *name, const struct spread *seconds, double step_s)
{
    if (seconds->most > 0)
        say("%-14s %10.3f %7.1f %10.3f %10.3f\n", name, 1e3 * seconds->own, 100 * seconds->own / step_s,
            1e3 * seconds->least, 1e3 * seconds->most);
}

static void say_phases(const struct benchmark *found)
{
    say("\n%-14s %10s %7s %10s %10s\n", "phase", "ms", "%", "least", "most ms of a rank");
    for (enum timeline_mark mark = 0; mark < TIMELINE_MARK_COUNT; mark++)
        if (benchmark_has_phase(mark))
            say_phase(timeline_word(mark), &found->phases[mark], found->step_s.own);
    say_phase("rest", &found->rest_s, found->step_s.own);
}

/* ms, GFLOP/s, and what of the roofline was reached: "fma 91%". */
static void say_pass(const struct benchmark_pass *pass)
{
    double seconds = pass->seconds.own;
    if (pass->passes == 0) {
        say(" %32s", "");
        return;
    }
    say(" %9.3f", 1e3 * seconds);
    if (pass->flops > 0 && seconds > 0)
        say(" %9.1f", 1e-9 * pass->flops / seconds);
    else
        say(" %9s", "");
    if (pass->bound_s > 0 && seconds > 0)
        say("  %6s %3.0f%%", pass->is_bound_by_memory ? "memory" : "fma", 100 * pass->bound_s / seconds);
    else
        say("  %11s", "");
}

#define NAME_WIDTH 32

static void say_layers(const struct benchmark *found)
{
    say("\n%-*s  %-32s  %s\n", NAME_WIDTH, "layer, on rank 0", "forward", "backward");
    say("%-*s %9s %9s  %11s %9s %9s  %11s\n", NAME_WIDTH, "", "ms", "GFLOP/s", "of roofline", "ms", "GFLOP/s",
        "of roofline");
    for (size_t l = 0; l < found->layer_count; l++) {
        const struct benchmark_layer *layer = &found->layers[l];
        size_t length = strlen(layer->name);
        const char *tail = length > NAME_WIDTH ? layer->name + length - NAME_WIDTH : layer->name;
        if (layer->forward.bytes == 0 && layer->backward.bytes == 0) /* nothing happens in it */
            continue;
        say("%-*s", NAME_WIDTH, tail);
        say_pass(&layer->forward);
        say_pass(&layer->backward);
        say("\n");
    }
}

void bench_say(const struct bench_report *report)
{
    say_machine(report);
    if (!report->file)
        return;
    say_step(report);
    say_phases(report->benchmark);
    say_layers(report->benchmark);
}
