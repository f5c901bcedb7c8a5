/* TARGET_CLONES: one source, compiled for AVX-512, AVX2 and the baseline; the machine picks at load time. With
 * -ffp-contract=off and a fixed order of sums in the source, all of them give the same bits. */
#ifndef BASE_TARGET_H
#define BASE_TARGET_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&               \
    !defined(__SANITIZE_THREAD__)
#define TARGET_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TARGET_CLONES /* the sanitizers are not ready when the loader picks */
#endif

#endif
