/* A job file; behind a line "----" overrides as --set has them, one a line. What is accepted has to come out of
 * job_write as a job that is accepted again and is written in the same bytes. */
#include "base/check.h"
#include "fuzz.h"
#include "job/job.h"

#include <stdlib.h>
#include <string.h>

#define OVERRIDES 8

/* The lines of the text, which it is cut into. */
static size_t split_lines(char *text, const char **lines)
{
    size_t count = 0;
    for (char *line = strtok(text, "\n"); line && count < OVERRIDES; line = strtok(NULL, "\n"))
        lines[count++] = line;
    return count;
}

static void write_and_read_again(const struct job *job)
{
    struct job again;
    struct error error;
    struct text once, twice;
    text_init(&once);
    text_init(&twice);
    job_write(job, &once);
    CHECK(job_parse(&again, "written", text_bytes(&once), NULL, 0, &error), "a job that was written can be read");
    job_write(&again, &twice);
    CHECK(strcmp(text_bytes(&once), text_bytes(&twice)) == 0, "and is written in the same bytes");
    job_release(&again);
    text_release(&once);
    text_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first, second_size;
    const uint8_t *second;
    const char *overrides[OVERRIDES];
    struct job job;
    struct error error;
    fuzz_split(data, size, &first, &second, &second_size);
    char *yaml = fuzz_text(data, first), *lines = fuzz_text(second, second_size);
    size_t count = split_lines(lines, overrides);
    if (job_parse(&job, "job.yaml", yaml, overrides, count, &error)) {
        write_and_read_again(&job);
        job_release(&job);
    }
    free(yaml);
    free(lines);
    return 0;
}
