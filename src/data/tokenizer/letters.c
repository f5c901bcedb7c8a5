#include "data/tokenizer/letters.h"

#include "base/utf8.h"

#include <string.h>

/* What can be seen in Latin-1 stands for itself, the others, in their order, for U+0100 and on. */
static bool is_own_letter(unsigned byte)
{
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD && byte <= 0xFF);
}

void letters_init(struct letters *letters)
{
    unsigned next = 256;
    for (unsigned letter = 0; letter < LETTERS; letter++)
        letters->byte_of[letter] = -1;
    for (unsigned byte = 0; byte < 256; byte++)
        letters->byte_of[is_own_letter(byte) ? byte : next++] = (int16_t)byte;
}

bool letters_read(const struct letters *letters, const char *text, struct text *bytes)
{
    size_t rest = strlen(text), length;
    bytes->length = 0;
    for (; rest > 0; text += length, rest -= length) {
        uint32_t letter;
        length = utf8_decode(text, rest, &letter);
        if (length == 0 || letter >= LETTERS || letters->byte_of[letter] < 0)
            return false;
        text_append_bytes(bytes, &(char){(char)letters->byte_of[letter]}, 1);
    }
    return true;
}
