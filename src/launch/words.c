#include "launch/words.h"

#include "base/memory.h"

#include <string.h>

void words_init(struct words *words)
{
    *words = (struct words){.items = memory_need(1, sizeof *words->items)};
}

void words_copy(struct words *words, char *const *from)
{
    words_init(words);
    for (; *from; from++)
        words_insert(words, words->count, *from);
}

void words_append(struct words *words, const char *text)
{
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        size_t length = strcspn(text, " ");
        char *word = memory_need(length + 1, 1);
        memcpy(word, text, length);
        words_insert(words, words->count, word);
        memory_free(word);
        text += length;
    }
}

void words_release(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        memory_free(words->items[i]);
    memory_free(words->items);
    *words = (struct words){0};
}

void words_insert(struct words *words, size_t at, const char *word)
{
    char **items = memory_need(words->count + 2, sizeof *items);
    memcpy(items, words->items, at * sizeof *items);
    items[at] = memory_text(word);
    memcpy(items + at + 1, words->items + at, (words->count - at) * sizeof *items);
    memory_free(words->items);
    words->items = items;
    words->count++;
}

void words_remove(struct words *words, size_t at)
{
    memory_free(words->items[at]);
    memmove(words->items + at, words->items + at + 1, (words->count - at) * sizeof *words->items); /* the NULL, too */
    words->count--;
}

void words_replace(struct words *words, size_t at, const char *word)
{
    char *copy = memory_text(word);
    memory_free(words->items[at]);
    words->items[at] = copy;
}
