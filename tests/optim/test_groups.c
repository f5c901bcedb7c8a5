/* Which group of settings a tensor belongs to, and what that says of its decay. */
#include "optim/optimizer.h"
#include "support/test.h"

#include <stddef.h>

/* The place of the tensor's group; 99 for none. */
static size_t place(const struct optimizer_spec *spec, const char *tensor)
{
    const struct optimizer_group *group = optimizer_group_of(spec, tensor);
    return group ? (size_t)(group - spec->groups) : 99;
}

static void the_first_group_that_fits_counts(void)
{
    char first[] = "2.transformer.*", second[] = "*.bias", third[] = "?.dense.weight", fourth[] = "[45].*";
    struct optimizer_group groups[] = {{.match = first}, {.match = second}, {.match = third}, {.match = fourth}};
    struct optimizer_spec spec = {.class = &optimizer_sgd, .groups = groups, .group_count = 4};
    CU_ASSERT_EQUAL(place(&spec, "2.transformer.0.attention.bias"), 0);
    CU_ASSERT_EQUAL(place(&spec, "3.dense.bias"), 1);
    CU_ASSERT_EQUAL(place(&spec, "4.dense.bias"), 1);
    CU_ASSERT_EQUAL(place(&spec, "4.dense.weight"), 2);
    CU_ASSERT_EQUAL(place(&spec, "4.conv2d.weight"), 3);
    CU_ASSERT_EQUAL(place(&spec, "14.dense.weight"), 99);
    CU_ASSERT_EQUAL(place(&spec, "2.transformer"), 99); /* all of a name has to fit */
    CU_ASSERT_EQUAL(place(&spec, "0.dense.biases"), 99);
    spec.group_count = 0;
    CU_ASSERT_EQUAL(place(&spec, "3.dense.bias"), 99);
}

static void a_group_says_the_decay_if_it_has_one(void)
{
    struct optimizer_spec spec = {.class = &optimizer_adamw, .weight_decay = 0.1};
    struct optimizer_group silent = {.rate_factor = 2, .weight_decay = -1}, none = {.weight_decay = 0},
                           more = {.weight_decay = 0.5};
    CU_ASSERT_EQUAL(optimizer_decay(&spec, NULL, true), 0.1);
    CU_ASSERT_EQUAL(optimizer_decay(&spec, NULL, false), 0);
    CU_ASSERT_EQUAL(optimizer_decay(&spec, &silent, true), 0.1);
    CU_ASSERT_EQUAL(optimizer_decay(&spec, &silent, false), 0);
    CU_ASSERT_EQUAL(optimizer_decay(&spec, &none, true), 0);
    CU_ASSERT_EQUAL(optimizer_decay(&spec, &more, true), 0.5);
    CU_ASSERT_EQUAL(optimizer_decay(&spec, &more, false), 0.5); /* a bias, asked for by name */
}

int main(void)
{
    static const struct test_case cases[] = {
        {"the first group that fits counts", the_first_group_that_fits_counts},
        {"a group says the decay if it has one", a_group_says_the_decay_if_it_has_one},
        {NULL, NULL},
    };
    return test_run("optim/groups", cases);
}
