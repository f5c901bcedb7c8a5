#include "nn/kernels/numerics.h"

#include "nn/kernels/cpu.h"
#include "nn/kernels/product.h"
#include "support/test.h"

#include <fenv.h>
#if CPU_X86
#include <immintrin.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The digest of a process that was told to use these instructions: of this program, started again. */
static void digest_of(const char *program, const char *cpu, const char *mode, char *digest, size_t bytes)
{
    char line[512];
    snprintf(line, sizeof line, "LOCKSTEP_CPU=%s '%s' %s", cpu, program, mode);
    FILE *out = popen(line, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_PTR_NOT_NULL(fgets(digest, (int)bytes, out));
    CU_ASSERT_EQUAL(pclose(out), 0);
    digest[strcspn(digest, "\n")] = '\0';
}

static const char *program;

static void every_path_of_this_machine_has_the_digest_of_the_rules(void)
{
    static const char *const cpus[] = {"avx512", "avx2", "neon", "baseline"};
    char digest[128];
    for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++) {
        digest_of(program, cpus[i], "--plain", digest, sizeof digest);
        CU_ASSERT_STRING_EQUAL(digest, "1");
    }
}

/* Flushed: as a library that was compiled with -ffast-math leaves it. */
static void a_machine_that_rounds_otherwise_is_named(void)
{
    static const char *const modes[][2] = {{"--upward", "--upward-entered"}, {"--flushed", "--flushed-entered"}};
    char digest[128];
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        digest_of(program, "baseline", modes[i][0], digest, sizeof digest);
        CU_ASSERT_EQUAL(strncmp(digest, "not 1: this machine rounds otherwise (digest ", 45), 0);
        digest_of(program, "baseline", modes[i][1], digest, sizeof digest);
        CU_ASSERT_STRING_EQUAL(digest, "1");
    }
}

/* Subnormal results become 0. */
static void flush(void)
{
#if CPU_X86
    _mm_setcsr(_mm_getcsr() | 0x8000);
#elif CPU_ARM
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    __asm__ volatile("msr fpcr, %0" : : "r"(control | 1u << 24));
#endif
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"every path of this machine has the digest of the rules",
         every_path_of_this_machine_has_the_digest_of_the_rules},
        {"a machine that rounds otherwise is named", a_machine_that_rounds_otherwise_is_named},
        {NULL, NULL},
    };
    program = argv[0];
    if (argc == 1)
        return test_run("nn/numerics", cases);
    if (strncmp(argv[1], "--upward", 8) == 0)
        fesetround(FE_UPWARD);
    if (strncmp(argv[1], "--flushed", 9) == 0)
        flush();
    if (strstr(argv[1], "-entered"))
        numerics_enter();
    printf("%s\n", numerics_describe());
    return 0;
}
