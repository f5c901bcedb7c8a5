#include "nn/kernels/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word, *name;
} isas[CPU_ISAS] = {
    [CPU_BASELINE] = {"baseline", "baseline"},
    [CPU_AVX2] = {"avx2", "AVX2"},
    [CPU_AVX512] = {"avx512", "AVX-512"},
    [CPU_NEON] = {"neon", "NEON"},
};

static bool has(enum cpu_isa isa)
{
    switch (isa) {
    case CPU_BASELINE:
        return true;
#if CPU_X86
    case CPU_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case CPU_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && has(CPU_AVX2);
#elif CPU_ARM
    case CPU_NEON:
        return true;
#endif
    default:
        return false;
    }
}

/* CPU_ISAS: there is no such one. */
static enum cpu_isa asked_for(const char *word)
{
    enum cpu_isa isa = 0;
    while (isa < CPU_ISAS && strcmp(word, isas[isa].word) != 0)
        isa++;
    return isa;
}

static const char *asked_word(void)
{
    const char *word = getenv("LOCKSTEP_CPU");
    return word && *word ? word : NULL;
}

static enum cpu_isa find_out(void)
{
    const char *word = asked_word();
    enum cpu_isa asked = word ? asked_for(word) : CPU_ISAS, best = CPU_ISAS - 1;
    if (has(asked))
        return asked;
    while (!has(best))
        best--;
    return best;
}

enum cpu_isa cpu_isa(void)
{
    static atomic_int found = -1; /* whoever comes first; the others find the same */
    int set = atomic_load_explicit(&found, memory_order_relaxed);
    if (set < 0) {
        set = (int)find_out();
        atomic_store_explicit(&found, set, memory_order_relaxed);
    }
    return (enum cpu_isa)set;
}

bool cpu_has_bf16(void)
{
#if CPU_X86
    return cpu_isa() == CPU_AVX512 && !asked_word() && __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

const char *cpu_name(enum cpu_isa isa)
{
    return isas[isa].name;
}

bool cpu_check(struct error *error)
{
    const char *word = asked_word();
    if (!word)
        return true;
    if (asked_for(word) == CPU_ISAS)
        return error_set(error, ERROR_USAGE, "LOCKSTEP_CPU=%s: it is avx512, avx2, neon or baseline", word);
    if (!has(asked_for(word)))
        return error_set(error, ERROR_USAGE, "LOCKSTEP_CPU=%s: this machine has no %s; its best is %s", word,
                         cpu_name(asked_for(word)), cpu_name(cpu_isa()));
    return true;
}
