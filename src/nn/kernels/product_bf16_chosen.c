#include "nn/kernels/product_bf16_chosen.h"

#include "nn/kernels/convolution.h"
#include "nn/kernels/product_bf16_trial.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

static struct {
    product_bf16_way *way;
    uint64_t digest;
} chosen;

static void choose(void)
{
    chosen.way = product_bf16_emulated;
#if CPU_X86
    if (cpu_has_bf16()) {
        chosen.way = product_bf16_avx512;
        chosen.digest = product_bf16_try(chosen.way);
        if (chosen.digest == PRODUCT_BF16_DIGEST)
            return;
        chosen.way = product_bf16_emulated;
    }
#endif
    chosen.digest = product_bf16_try(chosen.way);
}

static void find_out(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
}

product_bf16_way *product_bf16_chosen(void)
{
    find_out();
    return chosen.way;
}

bool product_bf16_is_native(void)
{
    return product_bf16_chosen() != product_bf16_emulated;
}

uint64_t product_bf16_digest(void)
{
    find_out();
    return chosen.digest;
}

static void product(const struct compute *compute, size_t m, size_t n, size_t k, struct matrix a, struct matrix b,
                    bool adds, float *c, size_t stride)
{
    (void)compute;
    product_bf16_chosen()(m, n, k, a, b, adds, c, stride);
}

static const char *describe(const struct compute *compute)
{
    return compute_lockstep.describe(compute);
}

static const char *precision(const struct compute *compute)
{
    static char words[96];
    (void)compute;
    if (product_bf16_digest() == PRODUCT_BF16_DIGEST)
        return "bf16";
    snprintf(words, sizeof words, "bf16, rounded otherwise by this machine (digest %016" PRIx64 ")", chosen.digest);
    return words;
}

static bool reserve(const struct compute *compute, struct error *error)
{
    (void)compute, (void)error;
    find_out();
    return true;
}

const struct compute compute_bf16 = {
    .describe = describe,
    .precision = precision,
    .reserve = reserve,
    .product = product,
    CONVOLUTION_BY_PRODUCTS,
};
