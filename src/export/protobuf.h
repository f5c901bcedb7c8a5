/* Writing messages of Protocol Buffers (protobuf.dev, "Encoding"): fields behind each other, each a key (number and
 * kind) and its value. A message in a message is a field of bytes. */
#ifndef EXPORT_PROTOBUF_H
#define EXPORT_PROTOBUF_H

#include "base/text.h"

/* Local. Append one field. Negative whole numbers are 64-bit ones. */
void protobuf_whole(struct text *message, unsigned field, int64_t value);
void protobuf_float(struct text *message, unsigned field, float value);
void protobuf_bytes(struct text *message, unsigned field, const void *bytes, size_t count);
void protobuf_text(struct text *message, unsigned field, const char *text);

/* Local. Appends `inner` as a message, and releases it. */
void protobuf_message(struct text *message, unsigned field, struct text *inner);

#endif
