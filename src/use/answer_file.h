/* A file of answers (predict.h): a table for people and programs, or an array, for NumPy or HDF5. */
#ifndef USE_ANSWER_FILE_H
#define USE_ANSWER_FILE_H

#include "base/hidden_file.h"
#include "base/text.h"
#include "use/predict.h"

struct answer_file_options {
    const char *path;   /* ends with .csv, .npy or .h5; NULL: a table on standard output, by `say` */
    size_t samples;     /* N, that will be answered; of a table nobody asks */
    bool names_samples; /* a table has a column of their names (dataset_name_of) */
    size_t top;         /* of a table: the classes that are told of a sample, the most probable first; 0: one */
};

struct answer_format;

struct answer_file {
    const struct answer_format *format; /* NULL: closed */
    struct predict_form form;
    const struct description *about; /* borrowed */
    struct answer_file_options options;
    struct hidden_file hidden; /* of standard output none */
    uint64_t written;
    const struct dataset *input; /* whose sample is the next to be answered; borrowed */
    size_t sample;               /* that one */
    size_t answered;             /* in all */
    struct text buffer;
};

/* Local. Whether an answer can be given away before the next one is known. */
bool answer_file_flows(const struct answer_file_options *options);

/* Local. Whether a file of this name can hold such answers. ERROR_USAGE. */
bool answer_file_check(const struct answer_file_options *options, const struct predict_form *form,
                       struct error *error) WARN_UNUSED;

/* Local. Begins a hidden file beside the path: a table with the line of its names, which are those of the training
 * data's targets and classes (the first column, `file`, if samples have names); or the head of an
 * array of float32, of classes int32, [N, shape] or of one number a sample [N]: of HDF5 the dataset
 * `answers`, whose attribute `classes`, or `targets`, has the names, if there are any. The options have passed
 * answer_file_check. Nothing stays after failure. */
bool answer_file_begin(struct answer_file *file, const struct answer_file_options *options,
                       const struct predict_form *form, const struct description *about,
                       struct error *error) WARN_UNUSED;

/* Local. The next answers are for this input, from its first sample on. */
void answer_file_input(struct answer_file *file, const struct dataset *input);

/* Local. Of a struct predict_sink whose context is the file. */
bool answer_file_take(void *context, size_t n, const float *answers, struct error *error);

/* Local. What was answered so far is where it goes to: on standard output others can read it. */
bool answer_file_flush(struct answer_file *file, struct error *error) WARN_UNUSED;

/* Local. The file gets its name, and is on disk; what had that name is gone. After failure it has none; but if
 * only the sync of the directory fails, it stays under its name, whole, and the error says so. */
bool answer_file_commit(struct answer_file *file, struct error *error) WARN_UNUSED;

/* Local. Accepts a released one; without a commit nothing stays. */
void answer_file_release(struct answer_file *file);

#endif
