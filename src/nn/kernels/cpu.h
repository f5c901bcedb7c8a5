/* Which of the instruction sets that this program has kernels for the machine has, and is to use. They all give the
 * same bits: the choice is one of speed. */
#ifndef NN_KERNELS_CPU_H
#define NN_KERNELS_CPU_H

#include "base/error.h"

#include <stdbool.h>

#if defined(__x86_64__)
#define CPU_X86 1
#else
#define CPU_X86 0
#endif
#if defined(__aarch64__)
#define CPU_ARM 1
#else
#define CPU_ARM 0
#endif

enum cpu_isa { CPU_BASELINE, CPU_AVX2, CPU_AVX512, CPU_NEON, CPU_ISAS };

/* Local. The best that the machine has, or the lesser one that LOCKSTEP_CPU names (avx512, avx2, neon, baseline), found
 * out once a process. A name that means nothing here is passed over: cpu_check says so. Of products and of vector.h,
 * that is; functions with TARGET_CLONES (base/target.h) always take the best. Without FMA products are exact, and very
 * slow. */
enum cpu_isa cpu_isa(void);

/* Local. Whether products of bf16 may be made by AVX512_BF16: not if LOCKSTEP_CPU names anything, avx512 included. */
bool cpu_has_bf16(void);

/* Local. "AVX-512", "AVX2", "NEON", "baseline". Borrowed. */
const char *cpu_name(enum cpu_isa isa);

/* Local. ERROR_USAGE: LOCKSTEP_CPU asks for what nobody knows, or the machine has not. */
bool cpu_check(struct error *error) WARN_UNUSED;

#endif
