#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const char *fuzz_file(size_t number, const void *data, size_t size)
{
    static struct {
        int descriptor;
        char path[64];
    } files[FUZZ_FILES];
    int *descriptor = &files[number].descriptor;
    if (*descriptor == 0) { /* that of standard input: none of ours */
        *descriptor = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(files[number].path, sizeof files[number].path, "/proc/self/fd/%d", *descriptor);
    }
    if (*descriptor < 0 || ftruncate(*descriptor, 0) || pwrite(*descriptor, data, size, 0) != (ssize_t)size)
        abort();
    return files[number].path;
}

void fuzz_split(const uint8_t *data, size_t size, size_t *first, const uint8_t **second, size_t *second_size)
{
    static const char line[] = "----\n";
    const uint8_t *cut = memmem(data, size, line, sizeof line - 1);
    *first = cut ? (size_t)(cut - data) : size;
    *second = cut ? cut + sizeof line - 1 : data + size;
    *second_size = size - (size_t)(*second - data);
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}
