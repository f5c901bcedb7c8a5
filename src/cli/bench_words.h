/* What `lockstep bench` has found, for people and as JSON. */
#ifndef CLI_BENCH_WORDS_H
#define CLI_BENCH_WORDS_H

#include "train/benchmark.h"

struct bench_report {
    int ranks;
    const char *file; /* of the job; NULL: there was none, and of the benchmark only the machine counts */
    const struct benchmark *benchmark;
    enum gemm gemm; /* of the job */
};

/* Local. On standard output, in lines of at most 100 columns (but for long names of files). */
void bench_say(const struct bench_report *report);

/* Local. The same numbers, and the shapes of all products, in one line: src/cli/README.md has its fields. */
void bench_say_json(const struct bench_report *report);

#endif
