/* history.jsonl; behind the line "----" metrics.jsonl, which is opened for writing as a start does. */
#include "base/text.h"
#include "fuzz.h"
#include "run/lives.h"
#include "run/metrics.h"

#include <stdlib.h>

static void parse_history(const char *lines, size_t count)
{
    struct lives lives;
    struct text line;
    text_init(&line);
    lives_parse(&lives, lines, count, &(struct lives_now){.step = 70, .unix_s = 1.7e9, .saved = 50});
    lives_sum(&lives);
    for (size_t i = 0; i < lives.count; i++)
        lives_write(&lives.items[i], i + 1, &line);
    lives_release(&lives);
    text_release(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first, second_size;
    const uint8_t *second;
    fuzz_split(data, size, &first, &second, &second_size);
    char *lines = fuzz_text(data, first);
    parse_history(lines, first);
    free(lines);
    metrics_look(fuzz_file(0, second, second_size));
    return 0;
}
