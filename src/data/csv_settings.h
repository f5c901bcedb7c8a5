/* The format csv: what a job file says about it. */
#ifndef DATA_CSV_SETTINGS_H
#define DATA_CSV_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is to be predicted. */
enum csv_task {
    CSV_AUTO = 1, /* classes, if there is one target and its values are whole numbers or words; else regression */
    CSV_CLASSES,
    CSV_REGRESSION,
};

/* What becomes of an input that is no value of its column of categories in the training data. */
enum csv_unknown {
    CSV_UNKNOWN_ERROR = 1,
    CSV_UNKNOWN_NONE, /* it is none of them, as an empty one is */
};

struct csv_settings {
    char *path;
    char **targets; /* [target_count] names of columns, at least one */
    size_t target_count;
    char **inputs; /* [input_count] the same; 0: all others */
    size_t input_count;
    char **categories; /* [category_count] those of them whose values are names */
    size_t category_count;
    bool header;           /* the first line holds the names; else they are numbers, from 1 */
    char *separator;       /* see csv_separator (csv_scan.h) */
    double missing;        /* the number of a field of an input that has none; CSV_NONE: that is an error */
    unsigned unknown;      /* enum csv_unknown */
    unsigned task;         /* enum csv_task */
    uint64_t classes;      /* of whole numbers; 0: 1 + the largest */
    uint64_t label_offset; /* what is subtracted from each of them */
    double part[2];        /* of the n rows of the file, those from floor(n part[0]) to before floor(n part[1]) */
    uint64_t first, count; /* the first of them that is used, and how many; count 0: all that are there */
};

#define CSV_NONE HUGE_VAL /* (math.h) not a number that a job file can give */

#endif
