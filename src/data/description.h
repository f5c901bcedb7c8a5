/* What is known of a dataset without its files: all that it takes to describe the model, to fit further data to it, and
 * to say in words what the model answers. That of the training data goes into the checkpoint. */
#ifndef DATA_DESCRIPTION_H
#define DATA_DESCRIPTION_H

#include "base/leaf.h"
#include "base/text.h"
#include "data/categories.h"
#include "data/standard.h"

/* An input or a target that has a name. */
struct column {
    char *name;               /* UTF-8; owned */
    bool is_category;         /* its values are names; else they are numbers */
    struct categories values; /* of categories; of a target: the names of the classes */
};

struct description {
    char *format; /* of the dataset; owned */
    struct leaf_form form;
    uint64_t label_offset; /* what the format has subtracted from its labels */
    double mean, std;      /* with which the format has normalised its inputs, before they are standardised; std 0: it
                              has not */
    char *vocabulary; /* of text: the characters in UTF-8, in the order of their numbers; NULL: it is none, though its
                         samples may be tokens (form.vocabulary); owned */
    char *tokenizer;  /* of text in tokens of a tokenizer: its content (data/tokenizer/tokenizer.h); NULL: it has none;
                         owned */
    struct column *inputs; /* [input_count]; owned, as the targets. One of numbers is one number of a sample, one of
                              categories a 1 among as many zeros as it has values. */
    size_t input_count;    /* 0: the inputs have no names */
    struct column *targets;
    size_t target_count;    /* as form.terms; 0: the targets have no names */
    uint64_t *class_counts; /* [form.classes] labels of each class among the training samples; NULL: nobody has counted;
                               owned */
    uint64_t chunks;        /* digest of the chunks that the order keeps to (data/chunks.h); 0: to none */
    struct standard input_standard, target_standard; /* with which they are standardised; no columns: they are not */
};

/* Local. A copy of its own. Release accepts a released one. */
void description_copy(struct description *description, const struct description *from);
void description_release(struct description *description);

/* Local. Adds named inputs, or targets; `columns` [count] are copied. Once each. */
void description_name(struct description *description, const struct column *inputs, size_t input_count,
                      const struct column *targets, size_t target_count);

/* Local. Gives it class_counts [form.classes], copied; NULL: none. */
void description_count(struct description *description, const uint64_t *counts);

/* Local. Gives it the standards of another description of such samples. */
void description_standardise(struct description *description, const struct description *from);

/* Local. Whether it has the standards that a job wants, and no others. */
bool description_is_standardised(const struct description *description, enum standardise_kind kind);

/* Local. Whether a token means the same here as in what description_write has written, as far as that is known of both
 * ("", NULL: nothing is): the same tokenizer, or none. Which characters there are is not compared. ERROR_USAGE. */
bool description_has_same_tokens(const struct description *description, const char *json,
                                 struct error *error) WARN_UNUSED;

/* Local. Whether the order of the samples keeps to the same chunks as in what description_write has written, as far as
 * that is known of both ("", NULL, 0: nothing is). ERROR_USAGE. */
bool description_has_same_chunks(const struct description *description, const char *json,
                                 struct error *error) WARN_UNUSED;

/* Local. The names of the classes; NULL: they have none but their numbers. */
const struct categories *description_classes(const struct description *description);

/* Local. All but the vocabulary, as one JSON object. */
void description_write(const struct description *description, struct text *json);

/* Local. The same back. Strangers may have written it: ERROR_CORRUPT if it is no description, or none that can be
 * meant. Nothing stays after failure. */
bool description_read(struct description *description, const char *json, struct error *error) WARN_UNUSED;

#endif
