/* The files of a directory of class directories, as samples in an order.
 *
 * The class is the number of its directory, in the order of the bytes of their names. The order of the samples is that
 * of a fixed mixture, so that any part of them has each class in its share: within a class the files, in the order of
 * the bytes of their names, change places by a permutation that only their number decides (rng_permute, key "folder");
 * the k-th of the n that a class has then stands at (k + 1/2) / n of the way, in a row with those of all others.
 *
 * Hidden files and directories, Thumbs.db, ehthumbs.db and desktop.ini are passed over, and beside the class
 * directories other files, unless their names are those of images. Links are followed, as those of a user's other data.
 *
 * Images without classes, for a model to say what they are, lie directly in the directory; the samples are in the order
 * of the bytes of their names. */
#ifndef DATA_FOLDER_FILES_H
#define DATA_FOLDER_FILES_H

#include "base/directory.h"
#include "base/error.h"
#include "base/text.h"
#include "data/categories.h"

#include <stddef.h>
#include <stdint.h>

struct folder_file {
    size_t name;     /* where it begins in `file_names` */
    uint32_t class;  /* its directory */
    uint32_t turn;   /* k: its place in its class */
    uint64_t digest; /* of its bytes, as of folder_files_prove */
};

struct folder_class {
    size_t count; /* n: files */
    size_t label; /* what a sample of it has */
};

struct folder_files {
    struct directory directory;
    struct categories names;      /* of the classes, in UTF-8; none: the images have no classes */
    struct folder_class *classes; /* [names.count], at least one */
    struct folder_file *files;    /* [count], in the order of the samples */
    size_t count;
    /* private */
    struct text file_names;
    size_t room;
};

/* Bytes of a file, in memory that the next one is read into. */
struct folder_bytes {
    uint8_t *bytes;
    size_t count;
    size_t room;
};

/* Local. Lists the directory: no file is opened yet; labels are the numbers of the classes. Nothing stays after
 * failure. ERROR_NOT_FOUND, ERROR_USAGE: it is no such directory. */
bool folder_files_open(struct folder_files *files, const char *path, struct error *error) WARN_UNUSED;

/* Local. The same of images without classes: those of a directory, or one file, whose directory is then opened. */
bool folder_files_open_images(struct folder_files *files, const char *path, struct error *error) WARN_UNUSED;

/* Local. Accepts a closed one. */
void folder_files_close(struct folder_files *files);

/* Local. Reads a file for the first time, and keeps its digest. */
bool folder_files_prove(struct folder_files *files, size_t index, struct folder_bytes *into,
                        struct error *error) WARN_UNUSED;

/* Local. Reads it again. ERROR_CORRUPT: it is not what it was. */
bool folder_files_read(const struct folder_files *files, size_t index, struct folder_bytes *into,
                       struct error *error) WARN_UNUSED;

/* Local. "DIR/class/file", or without classes "DIR/file". The caller owns it. */
char *folder_files_path(const struct folder_files *files, size_t index) WARN_UNUSED;

#endif
