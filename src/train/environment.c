#include "train/environment.h"

#include "checkpoint/passport.h"
#include "nn/kernels/gemm.h"

#include <gnu/libc-version.h>
#include <stdio.h>
#include <unistd.h>

/* The widest instruction set that our own kernels and the C library's functions may pick here. */
static const char *instruction_set(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        return "x86-64 AVX-512";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "x86-64 AVX2";
    return "x86-64";
#else
    return "other";
#endif
}

void environment_passport(struct text *passport)
{
    passport_add(passport, "lockstep", LOCKSTEP_VERSION);
    passport_add(passport, "compiler", "gcc " __VERSION__);
    passport_add(passport, "blas", gemm_describe());
    passport_add(passport, "instructions", instruction_set());
    passport_add(passport, "libc", gnu_get_libc_version());
    passport_add(passport, "precision", "float32");
}

void environment_host(char host[ENVIRONMENT_HOST])
{
    if (gethostname(host, ENVIRONMENT_HOST - 1))
        snprintf(host, ENVIRONMENT_HOST, "unknown");
    host[ENVIRONMENT_HOST - 1] = '\0';
}
