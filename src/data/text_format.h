/* The format text: what a job file says about it. */
#ifndef DATA_TEXT_FORMAT_H
#define DATA_TEXT_FORMAT_H

#include <stdint.h>

struct text_format_settings {
    char *path;       /* of the file */
    uint64_t context; /* T, tokens of a sample; >= 1 */
    char *tokenizer;  /* path of a tokenizer.json; NULL: tokens are characters, or as in the training data */
    double part[2];   /* of the n tokens of the file, those from floor(n part[0]) to before floor(n part[1]) are
                         used; 0 <= [0] < [1] <= 1 */
};

#endif
