#include "base/utf8.h"

size_t utf8_decode(const char *bytes, size_t count, uint32_t *character)
{
    static const uint32_t smallest[UTF8_BYTES + 1] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *b = (const uint8_t *)bytes;
    size_t length = b[0] < 0x80 ? 1 : b[0] < 0xC0 ? 0 : b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : b[0] < 0xF8 ? 4 : 0;
    if (length == 0 || length > count)
        return 0;
    uint32_t value = length == 1 ? b[0] : b[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((b[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (b[i] & 0x3F);
    }
    if (value < smallest[length] || value >= UTF8_CODE_POINTS || (value >= 0xD800 && value < 0xE000))
        return 0;
    *character = value;
    return length;
}

size_t utf8_whole(const char *bytes, size_t count)
{
    size_t whole = 0, length;
    for (uint32_t character; whole < count; whole += length) {
        length = utf8_decode(bytes + whole, count - whole, &character);
        if (length == 0)
            break;
    }
    return whole;
}

bool utf8_is_text(const char *bytes, size_t count)
{
    return utf8_whole(bytes, count) == count;
}

bool utf8_is_visible(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0x00, 0x1F},     {0x7F, 0x9F},     {0x61C, 0x61C},   {0x200B, 0x200B}, {0x200E, 0x200F},   {0x2028, 0x202E},
        {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xFFFE, 0xFFFF}, {0xE0000, 0xE0FFF},
    };
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (character >= hidden[i].first && character <= hidden[i].last)
            return false;
    return true;
}

size_t utf8_encode(uint32_t character, char *bytes)
{
    size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; character >>= 6)
        bytes[i] = (char)(0x80 | (character & 0x3F));
    bytes[0] = (char)(length == 1 ? character : (0xF0u << (4 - length) & 0xFF) | character);
    return length;
}
