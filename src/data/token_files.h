/* Files of tokens, one behind the other: little-endian numbers of 2 or 4 bytes, either alone, as nanoGPT's prepare.py
 * writes them (A. Karpathy, https://github.com/karpathy/nanoGPT), or behind a header, as those of llm.c are
 * (https://github.com/karpathy/llm.c, dev/data/data_common.py): 256 int32, the first of which are a magic number, a
 * version, and the number of tokens; the next one is ours, where llm.c has 0: the size of the vocabulary. */
#ifndef DATA_TOKEN_FILES_H
#define DATA_TOKEN_FILES_H

#include "base/error.h"
#include "data/dataset.h"

#include <stddef.h>
#include <stdint.h>

/* How a token is stored where a file does not say so itself. */
enum token_type {
    TOKEN_NONE = 0,
    TOKEN_AUTO, /* by the header; without one uint16 */
    TOKEN_UINT16,
    TOKEN_UINT32,
};

struct token_file {
    struct watched watched;   /* of a plain one it has the mapping, */
    struct inflated inflated; /* of a gzip what came out */
    const uint8_t *bytes;     /* [byte_count] of either */
    size_t byte_count;
    const uint8_t *elements; /* [length] */
    size_t first;            /* the place of its first token among those of all files */
    size_t length;           /* above 0 */
    size_t width;            /* bytes of a token: 2 or 4 */
    size_t vocabulary;       /* as its header says; 0: nobody says it */
};

struct token_files {
    struct token_file *files; /* [count], their `watched` in a list */
    size_t count;
    size_t length;     /* tokens of all */
    size_t width;      /* of a token in each of them */
    size_t vocabulary; /* as all of them say; 0: they do not */
};

/* Local. Opens and maps all files that the path means; those of gzip are inflated (table: as inflated_open), if that is
 * what their names end in, too: the first bytes of a gzip could be those of two tokens. What holds afterwards: each is
 * exactly as long as its tokens, and its header if it has one, are. Errors name the file. Nothing stays after failure;
 * close accepts closed ones. */
bool token_files_open(struct token_files *files, const char *path, enum token_type type,
                      const struct inflated_table *table, struct error *error) WARN_UNUSED;
void token_files_close(struct token_files *files);

/* Local; under guard_run (base/guard.h). Copies the tokens [first, first + n), which have to be there. */
void token_files_copy(const struct token_files *files, size_t first, size_t n, uint32_t *into);

#define TOKEN_HEADER_BYTES 1024

/* Local. The header of llm.c before so many tokens, of uint16 if the vocabulary allows, else of uint32. ERROR_USAGE:
 * they are more than it can say. */
bool token_files_header(size_t length, size_t vocabulary, uint8_t header[TOKEN_HEADER_BYTES],
                        struct error *error) WARN_UNUSED;

/* Local. As struct dataset_class has it. */
enum recognition token_files_know(const uint8_t *begin, size_t count);

/* Local. The file that the token at this place is in. */
const struct token_file *token_files_at(const struct token_files *files, size_t place);

#endif
