/* What files are, for people who have not yet written a job for them: told by the format, before anything is opened as
 * a dataset. What the samples are is asked of the dataset afterwards (data/sample_facts.h). */
#ifndef DATA_SURVEY_H
#define DATA_SURVEY_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct survey {
    const char *const *targets; /* [target_count] columns that are to be predicted; 0: that is guessed; borrowed */
    size_t target_count;
    struct text facts; /* lines */
    struct text odd;   /* lines: what somebody should look at before training */
    struct text guess; /* a line: what the job takes for granted, and how to say otherwise */
    struct text keys;  /* ", path: a.h5, x: u": what a job file has to say beside the format; empty: there is no whole
                          dataset in these files */
};

/* Local. Nothing is told yet, and no targets are wanted. Release accepts a released one. */
void survey_init(struct survey *survey);
void survey_release(struct survey *survey);

/* Local. A line of facts, of what is odd, of what is guessed; without its end. */
void survey_tell(struct survey *survey, const char *format, ...) FORMAT(2, 3);
void survey_wonder(struct survey *survey, const char *format, ...) FORMAT(2, 3);
void survey_guess(struct survey *survey, const char *format, ...) FORMAT(2, 3);

/* Local. A key of the job file, and its value: a number or the like as it is; a text, in quotes where YAML needs
 * them; a list of texts. */
void survey_key(struct survey *survey, const char *key, const char *format, ...) FORMAT(3, 4);
void survey_text(struct survey *survey, const char *key, const char *text);
void survey_texts(struct survey *survey, const char *key, char *const *texts, size_t count);

#define SURVEY_DIMS 8

/* An array of numbers among those of the files. */
struct survey_array {
    const char *name; /* borrowed, as the type */
    const char *type; /* "float32" */
    bool is_whole;    /* integers */
    size_t dims;
    size_t size[SURVEY_DIMS];
};

/* Local. Tells what the arrays are; `where`: of which file they are parts, NULL: they are files. */
void survey_tell_arrays(struct survey *survey, const char *where, const struct survey_array *arrays, size_t n);

struct array;

/* Local. What an array is; it borrows the name. */
struct survey_array survey_array_of(const struct array *array, const char *name);

/* Local, guarded. Tells the range of an array that stands alone, its first samples, and what is odd. */
bool survey_tell_numbers(struct survey *survey, const struct array *array, struct error *error) WARN_UNUSED;

enum survey_choice {
    CHOICE_NONE,  /* no two have as many rows */
    CHOICE_SIZES, /* the largest array, and the first other one with as many rows */
    CHOICE_NAMES, /* what they are called is usual */
};

/* Local; in survey_choose.c. Chooses inputs and targets. */
enum survey_choice survey_choose(const struct survey_array *arrays, size_t n, size_t *x, size_t *y);

/* Local; there, too. The keys x and y for arrays of the file at `path`, as far as they can be chosen; what is but a
 * guess is said. */
void survey_choose_in(struct survey *survey, const char *path, const struct survey_array *arrays, size_t n);

/* Local. Entries of struct dataset_class: each in a file survey_FORMAT.c, but those that are alike. */
typedef bool survey_files(const char *const *paths, size_t count, struct survey *survey, struct error *error);
survey_files survey_npy, survey_idx, survey_npz, survey_hdf5, survey_csv, survey_text_file, survey_tokens,
    survey_folder;

#endif
