/* The format folder: what a job file says about it. */
#ifndef DATA_FOLDER_H
#define DATA_FOLDER_H

#include <stdint.h>

struct folder_settings {
    char *path; /* the directory that holds a directory of images for each class */
    uint64_t
        size; /* each image becomes size x size (image_square, data/image_square.h); 0: all have one size, and stay */
    uint64_t channels; /* 1: grey, 3: RGB */
    double part[2];    /* of the samples that are there, in the order of data/folder_files.h: those from part[0] on to
                          before part[1], as shares */
    uint64_t first;    /* the first sample of the part that is used */
    uint64_t count;    /* how many are used; 0: all of the part from there on */
    double mean;       /* byte b becomes (b / 255 - mean) / std, in double and rounded once */
    double std;        /* > 0 */
};

#endif
