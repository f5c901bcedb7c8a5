#include "policy/pause.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum pause_unit unit;
    double factor;
} units[] = {
    {"steps", PAUSE_STEPS, 1}, {"step", PAUSE_STEPS, 1},   {"epochs", PAUSE_EPOCHS, 1}, {"epoch", PAUSE_EPOCHS, 1},
    {"s", PAUSE_SECONDS, 1},   {"min", PAUSE_SECONDS, 60}, {"h", PAUSE_SECONDS, 3600},
};

bool pause_parse(const char *text, struct pause_spec *spec, struct error *error)
{
    size_t digits = strspn(text, "0123456789.");
    char *end;
    double number = strtod(text, &end);
    for (size_t i = 0; digits > 0 && end == text + digits && i < sizeof units / sizeof *units; i++) {
        bool whole = units[i].unit != PAUSE_STEPS || number == floor(number);
        if (strcmp(end, units[i].name) == 0 && isfinite(number) && number > 0 && whole) {
            *spec = (struct pause_spec){.unit = units[i].unit, .amount = number * units[i].factor};
            return true;
        }
    }
    return error_set(error, ERROR_USAGE,
                     "--stop-after %.40s: a number of more than 0 with its unit is expected, as in 500steps, 2epochs, "
                     "90s, 30min, 1.5h",
                     text);
}

/* The number as a count, if there are that many. */
static uint64_t as_count(double number)
{
    return number < 0x1p63 ? (uint64_t)number : UINT64_MAX;
}

static uint64_t add(uint64_t a, uint64_t b)
{
    return a < UINT64_MAX - b ? a + b : UINT64_MAX;
}

struct pause pause_begin(const struct pause_spec *spec, const struct sampler *sampler, uint64_t step, double now_s)
{
    struct pause pause = {.step = UINT64_MAX, .deadline_s = INFINITY};
    if (spec->unit == PAUSE_STEPS)
        pause.step = add(step, as_count(spec->amount));
    if (spec->unit == PAUSE_SECONDS)
        pause.deadline_s = now_s + spec->amount;
    if (spec->unit == PAUSE_EPOCHS) {
        uint64_t taken = sampler_taken(sampler, step), over = taken % sampler->samples;
        if (over < sampler->batch)
            taken -= over;
        pause.step = sampler_step_of(sampler, add(taken, as_count(round(spec->amount * (double)sampler->samples))));
    }
    return pause;
}

unsigned pause_flags(const struct pause *pause, int rank, uint64_t step, double now_s)
{
    bool late = rank == 0 && now_s >= pause->deadline_s;
    return step >= pause->step || late ? LEAVE_PAUSE : 0;
}
