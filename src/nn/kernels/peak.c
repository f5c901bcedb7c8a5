#include "nn/kernels/peak.h"

#include "base/clock.h"
#include "nn/kernels/cpu.h"

#include <stddef.h>

#if CPU_X86
#include <immintrin.h>
#elif CPU_ARM
#include <arm_neon.h>
#endif

#define BURSTS  40
#define BURST_S 1e-3

/* The sanitizers would keep the sums in memory, to look at them there. */
#define AS_IT_IS __attribute__((no_sanitize("address", "undefined")))

/* COUNT chains sum = a sum + b, which stay what they are; returns something that hangs on all of them. */
#define PEAK(NAME, TARGET, VECTOR, COUNT, ONE, FMA)                                                                    \
    AS_IT_IS TARGET static float NAME(size_t rounds)                                                                   \
    {                                                                                                                  \
        VECTOR sums[COUNT], a = ONE(0.5F), b = ONE(0.5F);                                                              \
        _Pragma("GCC unroll 24") for (int i = 0; i < COUNT; i++) sums[i] = ONE((float)i);                              \
        for (size_t round = 0; round < rounds; round++)                                                                \
            _Pragma("GCC unroll 24") for (int i = 0; i < COUNT; i++) sums[i] = FMA(a, sums[i], b);                     \
        float all = 0;                                                                                                 \
        _Pragma("GCC unroll 24") for (int i = 0; i < COUNT; i++) all += sums[i][0];                                    \
        return all;                                                                                                    \
    }

typedef float quad __attribute__((vector_size(16)));
#define QUAD_ONE(number)    ((quad){number, number, number, number})
#define QUAD_FMA(a, sum, b) ((a) * (sum) + (b))
PEAK(run_baseline, , quad, 12, QUAD_ONE, QUAD_FMA)
#if CPU_X86
PEAK(run_avx2, __attribute__((target("avx2,fma"))), __m256, 12, _mm256_set1_ps, _mm256_fmadd_ps)
PEAK(run_avx512, __attribute__((target("avx512f"))), __m512, 24, _mm512_set1_ps, _mm512_fmadd_ps)
#elif CPU_ARM
#define NEON_FMA(a, sum, b) vfmaq_f32(b, a, sum)
PEAK(run_neon, , float32x4_t, 24, vdupq_n_f32, NEON_FMA)
#endif

static const struct {
    float (*run)(size_t rounds);
    double flops; /* of a round */
} kernels[CPU_ISAS] = {
    [CPU_BASELINE] = {run_baseline, 2 * 4 * 12},
#if CPU_X86
    [CPU_AVX2] = {run_avx2, 2 * 8 * 12},
    [CPU_AVX512] = {run_avx512, 2 * 16 * 24},
#elif CPU_ARM
    [CPU_NEON] = {run_neon, 2 * 4 * 24},
#endif
};

double peak_flops(void)
{
    enum cpu_isa isa = cpu_isa();
    volatile float kept;
    size_t rounds = 1000;
    double seconds = 0, best = 0;
    for (int burst = 0; burst < BURSTS; burst += seconds >= BURST_S) {
        double begin = clock_seconds();
        kept = kernels[isa].run(rounds);
        seconds = clock_seconds() - begin;
        double flops = seconds > 0 ? (double)rounds * kernels[isa].flops / seconds : 0;
        best = flops > best && seconds >= BURST_S ? flops : best;
        if (seconds < BURST_S)
            rounds *= 2;
    }
    (void)kept;
    return best;
}
