/* The peak of the core: that products, which are made of the same instructions, come near it and not above. */
#include "nn/kernels/peak.h"

#include "base/clock.h"
#include "base/memory.h"
#include "nn/kernels/cpu.h"
#include "nn/kernels/product.h"
#include "support/test.h"

#include <math.h>

enum { SIDE = 256 };

#ifdef __SANITIZE_ADDRESS__
#define NEAR 0.01 /* what looks at every load is slow */
#else
#define NEAR 0.4
#endif

static double product_flops(const float *a, const float *b, float *c)
{
    double best_s = INFINITY;
    for (int i = 0; i < 10; i++) {
        double begin = clock_seconds();
        product_make(SIDE, SIDE, SIDE, matrix_of(a, SIDE, false), matrix_of(b, SIDE, false), false, c, SIDE);
        best_s = fmin(best_s, clock_seconds() - begin);
    }
    return 2.0 * SIDE * SIDE * SIDE / best_s;
}

/* Neighbours may have half of the core at any moment: the best of some tries. */
static void products_come_near_it_and_not_above(void)
{
    float *memory = memory_need(3 * SIDE * SIDE, sizeof *memory);
    double peak = 0, product = 0;
    for (int i = 0; i < 20 && !(product > NEAR * peak && product < 1.1 * peak); i++) {
        peak = fmax(peak, peak_flops());
        product = fmax(product, product_flops(memory, memory + SIDE * SIDE, memory + 2 * SIDE * SIDE));
    }
    CU_ASSERT_TRUE(peak > 1e8);
    if (cpu_isa() != CPU_BASELINE) { /* without FMA products are exact, and slow */
        CU_ASSERT_TRUE(product > NEAR * peak);
        CU_ASSERT_TRUE(product < 1.2 * peak);
    }
    memory_free(memory);
}

int main(void)
{
    const struct test_case cases[] = {
        {"products come near it, and not above", products_come_near_it_and_not_above},
        {0},
    };
    return test_run("nn/peak", cases);
}
