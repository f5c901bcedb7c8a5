/* Optimizers and schedules as kinds: the keys that they have in a job file, and new ones that a program adds. */
#include "base/registry.h"
#include "base/rows.h"
#include "optim/lars.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "optim/sgd.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

/* The names of a registry, in their order. */
static void check_names(const struct registry *registry, const char *expected)
{
    struct text names;
    text_init(&names);
    for (size_t i = 0; registry->kinds[i]; i++) {
        const struct kind *kind = registry->kinds[i];
        text_append(&names, "%s%s", i ? ", " : "", kind->name);
        CU_ASSERT_TRUE(kind->help && *kind->help && kind_find(registry, kind->name) == kind);
    }
    CU_ASSERT_STRING_EQUAL(text_bytes(&names), expected);
    text_release(&names);
}

/* Gives a key its default, as a reader of job files does. */
static void take_default(const struct option_key *key, const void *section)
{
    const struct option_row *option = key->option;
    const char *value = option->default_rule ? option->default_rule(section) : option->defaults[0];
    struct error error = {0};
    if (value)
        CU_ASSERT_TRUE(option_read(option, 0, value, key->base, &error));
}

/* The keys of a section in their order, with their defaults: "name: sgd, learning_rate, momentum: 0.0". */
static void check_keys(const struct option_row *rows, void *section, const char *expected)
{
    struct option_keys keys;
    struct text words;
    text_init(&words);
    option_keys_of(rows, section, &keys);
    for (size_t k = 0; k < keys.count; k++) {
        const struct option_row *option = keys.keys[k].option;
        bool has_value = option->type == OPTION_KIND || option->default_rule || option->defaults[0];
        text_append(&words, "%s%s%s", k ? ", " : "", option->name, has_value ? ": " : "");
        if (option->type != OPTION_KIND)
            take_default(&keys.keys[k], section);
        if (has_value)
            option_write(option, keys.keys[k].base, &words);
        CU_ASSERT_TRUE(option->help && *option->help);
    }
    CU_ASSERT_STRING_EQUAL(text_bytes(&words), expected);
    text_release(&words);
}

static void check_optimizer(const char *name, const char *expected)
{
    struct optimizer_spec spec = {0};
    option_set_kind(optimizer_rows, &spec, kind_find(&optimizer_registry, name));
    check_keys(optimizer_rows, &spec, expected);
    option_release(optimizer_rows, &spec);
}

static void check_schedule(const char *name, const char *expected)
{
    struct schedule_spec spec = {0};
    option_set_kind(schedule_rows, &spec, kind_find(&schedule_registry, name));
    check_keys(schedule_rows, &spec, expected);
    option_release(schedule_rows, &spec);
}

static void optimizers_have_their_keys(void)
{
    check_names(&optimizer_registry, "sgd, adam, adamw, lamb, lars");
    check_optimizer("sgd", "name: sgd, learning_rate, weight_decay: 0.0, momentum: 0.0, nesterov: false, groups");
    check_optimizer("adam", "name: adam, learning_rate, weight_decay: 0.0, beta1: 0.9, beta2: 0.999, epsilon: 1.0e-08, "
                            "groups");
    check_optimizer("adamw", "name: adamw, learning_rate, weight_decay: 0.01, beta1: 0.9, beta2: 0.999, "
                             "epsilon: 1.0e-08, groups");
    check_optimizer("lamb", "name: lamb, learning_rate, weight_decay: 0.01, beta1: 0.9, beta2: 0.999, "
                            "epsilon: 1.0e-06, groups");
    check_optimizer("lars", "name: lars, learning_rate, weight_decay: 0.0, momentum: 0.9, epsilon: 1.0e-08, "
                            "trust: 0.001, groups");
}

static void schedules_have_their_keys(void)
{
    check_names(&schedule_registry,
                "constant, linear, cosine, step, polynomial, wsd, one_cycle, cosine_restarts, plateau");
    check_schedule("constant", "name: constant, unit: steps, warmup: 0.0");
    check_schedule("linear", "name: linear, unit: steps, warmup: 0.0, horizon, floor: 0.0");
    check_schedule("cosine", "name: cosine, unit: steps, warmup: 0.0, horizon, floor: 0.0");
    check_schedule("step", "name: step, unit: steps, warmup: 0.0, every, gamma: 0.1");
    check_schedule("polynomial", "name: polynomial, unit: steps, warmup: 0.0, horizon, floor: 0.0, power: 1.0");
    check_schedule("wsd", "name: wsd, unit: steps, warmup: 0.0, horizon, floor: 0.0, decay");
    check_schedule("one_cycle", "name: one_cycle, unit: steps, horizon, pct_start: 0.3, div_factor: 25.0, "
                                "final_div_factor: 10000.0");
    check_schedule("cosine_restarts", "name: cosine_restarts, unit: steps, warmup: 0.0, floor: 0.0, t_0, t_mult: 1");
    check_schedule("plateau", "name: plateau, unit: steps, warmup: 0.0, floor: 0.0, factor: 0.1, patience: 10, "
                              "threshold: 0.0001");
}

static void nesterov_needs_momentum(void)
{
    struct error error = {0};
    const char *key = NULL;
    CU_ASSERT_TRUE(optimizer_sgd.kind.check(&(struct sgd){.momentum = 0}, &key, &error));
    CU_ASSERT_TRUE(optimizer_sgd.kind.check(&(struct sgd){.momentum = 0.5, .nesterov = true}, &key, &error));
    CU_ASSERT_FALSE(optimizer_sgd.kind.check(&(struct sgd){.nesterov = true}, &key, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_STRING_EQUAL(key, "nesterov");
    CU_ASSERT_STRING_EQUAL(error.text, "needs an optimizer.momentum of more than 0");
}

/* The rule of the row "momentum". */
static enum option_resume resume_of(const struct optimizer_class *class, const void *saved, const void *now)
{
    CU_ASSERT_STRING_EQUAL(class->kind.keys[0].name, "momentum");
    return class->kind.keys[0].resume_rule(saved, now);
}

static void momentum_may_change_but_not_come_or_go(void)
{
    const struct sgd none = {0}, some = {.momentum = 0.5}, more = {.momentum = 0.9};
    const struct lars no_lars = {0}, some_lars = {.momentum = 0.5};
    CU_ASSERT_EQUAL(resume_of(&optimizer_sgd, &some, &more), RESUME_TUNABLE);
    CU_ASSERT_EQUAL(resume_of(&optimizer_sgd, &none, &none), RESUME_TUNABLE);
    CU_ASSERT_EQUAL(resume_of(&optimizer_sgd, &none, &some), RESUME_FIXED);
    CU_ASSERT_EQUAL(resume_of(&optimizer_sgd, &some, &none), RESUME_FIXED);
    CU_ASSERT_EQUAL(resume_of(&optimizer_sgd, NULL, NULL), RESUME_TUNABLE);
    CU_ASSERT_EQUAL(resume_of(&optimizer_lars, &some_lars, &some_lars), RESUME_TUNABLE);
    CU_ASSERT_EQUAL(resume_of(&optimizer_lars, &no_lars, &some_lars), RESUME_FIXED);
    CU_ASSERT_EQUAL(resume_of(&optimizer_lars, &some_lars, &no_lars), RESUME_FIXED);
    CU_ASSERT_EQUAL(resume_of(&optimizer_lars, NULL, NULL), RESUME_TUNABLE);
}

/* ---- an optimizer of one's own: p -= rate * fade^step * sign(g) ---- */

struct signs {
    double fade;
};

static const char *const *signs_moments(const void *settings)
{
    static const char *const none[] = {NULL};
    (void)settings;
    return none;
}

static void signs_prepare(const void *settings, struct optimizer_step *step)
{
    step->power[0] = pow(((const struct signs *)settings)->fade, (double)step->step);
}

static void signs_update(const void *settings, const struct optimizer_step *step, size_t count, float *params,
                         const float *gradient, float *const moments[OPTIMIZER_MOMENTS])
{
    (void)settings, (void)moments;
    for (size_t i = 0; i < count; i++)
        params[i] -= (float)(step->learning_rate * step->power[0]) * (gradient[i] > 0 ? 1.0f : -1.0f);
}

static const struct option_row signs_rows[] = {
    {"fade", "factor of each step to the one before", FIELD(struct signs, fade), REAL(0, 1), DEFAULT("0.5")},
    {0},
};

static const struct optimizer_class signs = {
    KIND_OF("signs", "steps of one length", struct signs, signs_rows),
    .weight_decay = "0.25",
    .moments = signs_moments,
    .prepare = signs_prepare,
    .update = signs_update,
};

static void a_program_can_add_an_optimizer(void)
{
    struct error error = {0};
    struct optimizer_class half = signs;
    half.update = NULL;
    CU_ASSERT_FALSE(optimizer_register(&half, &error));
    half = signs;
    half.trust = optimizer_lars.trust;
    CU_ASSERT_FALSE(optimizer_register(&half, &error));
    half = signs;
    half.weight_decay = "-1";
    CU_ASSERT_FALSE(optimizer_register(&half, &error));
    CU_ASSERT_TRUE(optimizer_register(&signs, &error));
    check_names(&optimizer_registry, "sgd, adam, adamw, lamb, lars, signs");
    check_optimizer("signs", "name: signs, learning_rate, weight_decay: 0.25, fade: 0.5, groups");
    struct optimizer_spec spec = {0};
    CU_ASSERT_TRUE(option_read(optimizer_rows, 0, "signs", &spec, &error));
    CU_ASSERT_PTR_EQUAL(spec.class, &signs);
    ((struct signs *)spec.settings)->fade = 0.5;
    struct optimizer_step step = optimizer_step_at(&spec, 2);
    step.learning_rate = 4;
    float params[2] = {3, 3};
    const float gradient[2] = {0.1f, -7};
    float *const none[OPTIMIZER_MOMENTS] = {NULL};
    spec.class->update(spec.settings, &step, 2, params, gradient, none);
    CU_ASSERT_TRUE(params[0] == 2 && params[1] == 4);
    option_release(optimizer_rows, &spec);
}

static void what_clashes_is_refused(void)
{
    static const struct option_row taken[] = {{"weight_decay", "twice", FIELD(struct signs, fade), REAL(0, 1)}, {0}};
    static const struct optimizer_class same_name = {KIND_OF("adam", "another", struct signs, signs_rows)},
                                        same_key = {KIND_OF("other", "another", struct signs, taken)},
                                        no_settings = {.kind = {"other", "another", .keys = signs_rows}};
    static const struct {
        const struct kind *kind;
        const char *word; /* that the error has */
    } cases[] = {
        {&same_name.kind, "optimizer adam"},
        {&same_key.kind, "weight_decay"},
        {&no_settings.kind, "settings_bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        CU_ASSERT_FALSE(registry_add(&optimizer_registry, cases[i].kind, &error));
        CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, cases[i].word));
    }
    CU_ASSERT_PTR_NULL(kind_find(&optimizer_registry, "other"));
    CU_ASSERT_PTR_EQUAL(kind_find(&optimizer_registry, "adam"), &optimizer_adam.kind);
}

/* ---- a schedule of one's own: falls to 0 over every period, and begins again ---- */

struct saw {
    double period;
};

static double saw_factor(const struct schedule_spec *spec, const struct schedule_time *time, double warmup)
{
    double period = schedule_length(spec, time, ((const struct saw *)spec->settings)->period);
    return 1 - fmod(time->step - warmup, period) / period;
}

static const struct option_row saw_rows[] = {
    {"period", "length of a tooth", FIELD(struct saw, period), POSITIVE, DEFAULT("4")},
    {0},
};

static const struct schedule_class saw = {KIND_OF("saw", "teeth", struct saw, saw_rows), .factor = saw_factor};

static void a_program_can_add_a_schedule(void)
{
    struct error error = {0};
    CU_ASSERT_TRUE(schedule_register(&saw, &error));
    check_schedule("saw", "name: saw, unit: steps, warmup: 0.0, period: 4.0");
    struct schedule_spec spec = {.unit = SCHEDULE_EPOCHS, .warmup = 0.5};
    struct schedule_time time = {.end = 6, .samples = 16, .batch = 2}; /* epochs of 8 steps */
    CU_ASSERT_TRUE(option_read(schedule_rows, 0, "saw", &spec, &error));
    CU_ASSERT_PTR_EQUAL(spec.class, &saw);
    ((struct saw *)spec.settings)->period = 0.25;
    static const double expected[] = {0.25, 0.5, 0.75, 1, 0.5, 1, 0.5, 1};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        time.step = (double)(i + 1);
        CU_ASSERT_EQUAL(schedule_factor(&spec, &time), expected[i]);
    }
    CU_ASSERT_FALSE(schedule_follows_job(&spec));
    option_release(schedule_rows, &spec);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"optimizers have their keys", optimizers_have_their_keys},
        {"schedules have their keys", schedules_have_their_keys},
        {"Nesterov needs momentum", nesterov_needs_momentum},
        {"momentum may change, but not come or go", momentum_may_change_but_not_come_or_go},
        {"a program can add an optimizer", a_program_can_add_an_optimizer},
        {"an optimizer that clashes with what is there is refused", what_clashes_is_refused},
        {"a program can add a schedule", a_program_can_add_a_schedule},
        {NULL, NULL},
    };
    return test_run("optim/optim_kinds", cases);
}
