/* What an earlier start has found in the data (RUN/.looks): as it is, and with the digest that belongs to it, so that
 * nothing but the reader's own checks stands between it and the program. What is accepted is written, and read again,
 * as the same. */
#include "base/check.h"
#include "base/digest.h"
#include "data/look.h"
#include "fuzz.h"

#include <inttypes.h>
#include <string.h>

#define LOOKS 2

static void release(struct look *looks)
{
    for (size_t i = 0; i < LOOKS; i++)
        look_release(&looks[i]);
}

/* What the looks are, as text, by way of one that was read. */
static void write_and_read(struct look *looks, struct text *json)
{
    text_init(json);
    look_write(looks, LOOKS, json);
    release(looks);
    CHECK(look_read(looks, LOOKS, text_bytes(json), json->length), "what was written can be read");
}

static void read(const char *json, size_t bytes)
{
    struct look looks[LOOKS];
    struct text once, twice;
    if (look_read(looks, LOOKS, json, bytes)) {
        write_and_read(looks, &once);
        text_release(&once); /* -0 is written as -0, and read as 0 */
        write_and_read(looks, &once);
        write_and_read(looks, &twice);
        CHECK(strcmp(text_bytes(&once), text_bytes(&twice)) == 0, "and nothing changes any more");
        text_release(&once);
        text_release(&twice);
    }
    for (size_t i = 0; i < LOOKS; i++)
        CHECK(looks[i].count > 0 || !looks[i].files, "a look without files has none");
    release(looks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char tail[] = ",\"digest\":\"";
    struct text sealed;
    read((const char *)data, size);
    const uint8_t *end = memmem(data, size, tail, sizeof tail - 1);
    size_t count = end ? (size_t)(end - data) : size;
    text_init(&sealed);
    text_append_bytes(&sealed, (const char *)data, count);
    text_append(&sealed, "%s%016" PRIx64 "\"}\n", tail, digest_bytes(data, count));
    read(text_bytes(&sealed), sealed.length);
    text_release(&sealed);
    return 0;
}
