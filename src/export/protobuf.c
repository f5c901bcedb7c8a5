#include "export/protobuf.h"

#include <string.h>

enum kind { VARINT = 0, BYTES = 2, FIXED32 = 5 };

/* Seven bits a byte, the lowest first; the highest bit says that more follow. */
static void append_varint(struct text *message, uint64_t value)
{
    char bytes[10];
    size_t count = 0;
    for (; value > 127; value >>= 7)
        bytes[count++] = (char)(value | 128);
    bytes[count++] = (char)value;
    text_append_bytes(message, bytes, count);
}

static void append_key(struct text *message, unsigned field, enum kind kind)
{
    append_varint(message, (uint64_t)field << 3 | kind);
}

void protobuf_whole(struct text *message, unsigned field, int64_t value)
{
    append_key(message, field, VARINT);
    append_varint(message, (uint64_t)value);
}

/* All machines that this runs on are little-endian, as the encoding. */
void protobuf_float(struct text *message, unsigned field, float value)
{
    append_key(message, field, FIXED32);
    text_append_bytes(message, (const char *)&value, sizeof value);
}

void protobuf_bytes(struct text *message, unsigned field, const void *bytes, size_t count)
{
    append_key(message, field, BYTES);
    append_varint(message, count);
    if (count > 0)
        text_append_bytes(message, bytes, count);
}

void protobuf_text(struct text *message, unsigned field, const char *text)
{
    protobuf_bytes(message, field, text, strlen(text));
}

void protobuf_message(struct text *message, unsigned field, struct text *inner)
{
    protobuf_bytes(message, field, inner->bytes, inner->length);
    text_release(inner);
}
