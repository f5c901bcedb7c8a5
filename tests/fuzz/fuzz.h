/* What the harnesses share. Each is one function in the form that libFuzzer calls; linked with replay.c instead it
 * gives the bytes of files to the same function (see README.md). */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* One input. Returns 0; what is wrong with the program shows as a crash, a sanitizer's words, or time. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_FILES 3

/* Local. A file in memory with these bytes, for what reads files: number 0 to FUZZ_FILES - 1, valid until the next call
 * with this number. Returns its path. */
const char *fuzz_file(size_t number, const void *data, size_t size);

/* Local. Cuts an input in two at the first line "----"; without one all of it is the first part. */
void fuzz_split(const uint8_t *data, size_t size, size_t *first, const uint8_t **second, size_t *second_size);

/* Local. A copy with a NUL behind it, as texts are given to the program (which refuses files with a NUL in them). The
 * caller frees it. */
char *fuzz_text(const uint8_t *data, size_t size);

#endif
