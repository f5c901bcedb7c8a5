/* The optimizers whose step is scaled by norms of the whole tensor: LAMB and LARS. */
#include "optim/adam.h"
#include "optim/lars.h"
#include "optim/trial.h"
#include "support/test.h"

#include <math.h>

static void lamb_follows_its_paper_for_twenty_steps(void)
{
    trial_check_class(&optimizer_lamb);
}

static void lars_follows_its_paper_for_twenty_steps(void)
{
    trial_check_class(&optimizer_lars);
}

static void one_step_of_lamb_by_hand_gives_the_numbers(void)
{
    /* Without betas the direction is sign(g) + decay * p. All numbers exact in float. */
    const struct adam settings = {0};
    struct optimizer_step step = {.step = 1, .learning_rate = 0.25, .gradient_scale = 0.5f};
    float p[4] = {2, -2, 2, 2}, d[4] = {1, -64, 0.25f, -1}, m[4] = {0}, v[4] = {0};
    float *const moment[OPTIMIZER_MOMENTS] = {m, v};
    optimizer_lamb.direction(&settings, &step, 4, p, d, moment);
    CU_ASSERT_TRUE(d[0] == 1 && d[1] == -1 && d[2] == 1 && d[3] == -1);
    CU_ASSERT_TRUE(m[1] == -32 && v[1] == 1024);
    step.trust = optimizer_lamb.trust(&settings, &step, trial_norm(4, p), trial_norm(4, d));
    CU_ASSERT_EQUAL(step.trust, 2); /* 4 / 2 */
    optimizer_lamb.update(&settings, &step, 4, p, d, moment);
    CU_ASSERT_TRUE(p[0] == 1.5f && p[1] == -1.5f && p[2] == 1.5f && p[3] == 2.5f); /* 0.25 * 2 * d */
    CU_ASSERT_TRUE(m[1] == -32 && v[1] == 1024 && d[1] == -1);
    step.weight_decay = 0.5;
    p[0] = p[1] = p[2] = p[3] = d[0] = d[1] = d[2] = d[3] = 2;
    optimizer_lamb.direction(&settings, &step, 4, p, d, moment);
    CU_ASSERT_TRUE(d[0] == 2 && d[3] == 2); /* 1 + 0.5 * 2 */
}

static void one_step_of_lars_by_hand_gives_the_numbers(void)
{
    /* All numbers exact in float. */
    struct lars settings = {.trust = 0.5, .momentum = 0.5};
    struct optimizer_step step = {.step = 1, .learning_rate = 0.25, .weight_decay = 0.5, .gradient_scale = 0.5f};
    float p[2] = {3, 4}, g[2] = {3, 4}, v[2] = {1, 1};
    float *const moment[OPTIMIZER_MOMENTS] = {v, NULL};
    optimizer_lars.direction(&settings, &step, 2, p, g, moment);
    CU_ASSERT_TRUE(g[0] == 1.5f && g[1] == 2 && v[0] == 1);
    step.trust = optimizer_lars.trust(&settings, &step, trial_norm(2, p), trial_norm(2, g));
    CU_ASSERT_EQUAL(step.trust, 0.5); /* 0.5 * 5 / (2.5 + 0.5 * 5) */
    optimizer_lars.update(&settings, &step, 2, p, g, moment);
    CU_ASSERT_TRUE(v[0] == 0.875f && v[1] == 1); /* 0.5 * 1 + 0.25 * 0.5 * (g + 0.5 * p) */
    CU_ASSERT_TRUE(p[0] == 2.125f && p[1] == 3);
    settings.epsilon = 2.5;
    step.weight_decay = 0;
    CU_ASSERT_EQUAL(optimizer_lars.trust(&settings, &step, 5, 2.5), 0.5); /* 0.5 * 5 / (2.5 + 2.5) */
}

static void trust_is_1_where_there_is_nothing_to_compare(void)
{
    size_t tested = 0;
    for (size_t i = 0; i < TRIAL_SPECS; i++) {
        const struct optimizer_class *class = trial_specs[i].class;
        CU_ASSERT_EQUAL(class->direction == NULL, class->trust == NULL);
        if (!class->trust)
            continue;
        const void *settings = trial_specs[i].settings;
        struct optimizer_step step = trial_step_at(&trial_specs[i], 1, true);
        CU_ASSERT_EQUAL(class->trust(settings, &step, 0, 3), 1);
        CU_ASSERT_EQUAL(class->trust(settings, &step, 3, 0), 1);
        CU_ASSERT_EQUAL(class->trust(settings, &step, 0, 0), 1);
        CU_ASSERT_TRUE(isnan(class->trust(settings, &step, (double)NAN, 3)));
        CU_ASSERT_TRUE(isnan(class->trust(settings, &step, 3, (double)NAN)));
        CU_ASSERT_NOT_EQUAL(class->trust(settings, &step, 3, 2), 1);
        tested++;
    }
    CU_ASSERT_EQUAL(tested, 7);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"LAMB follows its paper for twenty steps", lamb_follows_its_paper_for_twenty_steps},
        {"LARS follows its paper for twenty steps", lars_follows_its_paper_for_twenty_steps},
        {"one step of LAMB by hand gives the numbers", one_step_of_lamb_by_hand_gives_the_numbers},
        {"one step of LARS by hand gives the numbers", one_step_of_lars_by_hand_gives_the_numbers},
        {"trust is 1 where there is nothing to compare", trust_is_1_where_there_is_nothing_to_compare},
        {NULL, NULL},
    };
    return test_run("optim/trust", cases);
}
