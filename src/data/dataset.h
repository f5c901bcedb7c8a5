/* A dataset: numbered samples, each a vector of floats or a row of tokens, with labels or float targets. One interface,
 * one file per format. Reading is a pure function of (dataset, index), so that nothing about data has to be saved or
 * exchanged. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "base/error.h"
#include "base/kind.h"
#include "base/leaf.h"
#include "base/option.h"
#include "base/text.h"
#include "data/description.h"
#include "data/inflated.h"
#include "data/look.h"
#include "data/share.h"
#include "data/survey.h"
#include "data/watched.h"

#include <stddef.h>
#include <stdint.h>

#define DATASET_CHUNK 1024 /* samples that are kept together where the format keeps none */

/* What a job file says about one dataset. The settings belong to whoever filled them in. */
struct dataset_spec {
    const struct dataset_class *class; /* the format; NULL: there is no dataset */
    void *settings;                    /* of the class's kind; NULL: it has none */
};

/* What a start brings to the opening of a dataset, and takes from it for the next one. */
struct dataset_aid {
    const struct look *known; /* what an earlier start has found; NULL: nothing */
    bool is_of_node; /* known is what another rank of this node has just found: a copy of its file is another one */
    const struct inflated_table *inflated; /* files that are inflated already; NULL: none */
    struct array_gaps *gaps; /* formats of arrays count numbers here that are none, and read them as NaN, and warn of
                                nothing; NULL: such are errors */
    struct look look;        /* what this one has, for the next one; count 0: nothing that is worth it. To be released
                                (look_release), also after failure */
    bool is_known;           /* it is what the earlier one has found: the samples were not looked at */
    bool is_stale;           /* that was found in other files */
    /* private */
    double opened_s;
};

/* Processes that read one dataset together: each has it open. */
struct dataset_readers {
    size_t count;
    uint64_t window; /* chunks that are mixed in their order (data/sampler.h); 0: any sample may be next */
    uint64_t ahead;  /* samples of that order that one may be ahead of another, at most */
};

/* One thread at a time: while one reads from a dataset, no other reads from it, or from one that was split from it (or
 * it from that one), looks at their files or proves them, or asks it what has failed, until the first is done and has
 * said so. So a format may keep what it likes between two samples, in `self`; what several processes share is its own
 * care. */
struct dataset {
    size_t count;             /* samples */
    struct description about; /* of each sample; opened with `train`: of the form of the training data */
    uint64_t digest;     /* of the samples and labels that are used: within a format equal content has an equal digest,
                            wherever the file lies; mean and std are not part of it. Text and tokens: of those of the
                            part, the vocabulary and the context */
    double mean, std;    /* with which the format has normalised its inputs; both 0: with nothing that the digest does
                            not tell */
    size_t sample_bytes; /* about what has to be read for one more of them; 0: nothing is */
    /* private */
    const struct dataset_class *class;
    void *self;
    struct shape stored;     /* of an input, as the format has it: form.input, or that before dataset_read_as */
    struct watched *files;   /* that it was made of: the first of them; NULL: none */
    struct error *failure;   /* the first one of a read; ERROR_NONE: none has failed */
    struct share share;      /* which of the format's samples it has; its chunks: once it is cut */
    bool is_taken;           /* from another dataset, whose are self and the files */
    struct dataset_aid *aid; /* while it is opened; NULL: it has none */
};

struct row_stream;

enum recognition { FORMAT_NO, FORMAT_MAYBE, FORMAT_YES };

/* What a format has to do. `index` counts within the used part: 0 <= index < count, which is that of open, also if the
 * dataset was split. */
struct dataset_class {
    struct kind kind;

    /* Local. Sets count (above 0), about (but for its format), digest, mean and std, sample_bytes, files and self, the
     * others being 0; the settings are not kept. `train`: see dataset_open, which compares the forms afterwards. After
     * failure nothing stays but what is in `about`, which the caller releases, as that of a dataset that is closed. */
    bool (*open)(struct dataset *dataset, const void *settings, const struct description *train,
                 struct error *error) WARN_UNUSED;
    void (*close)(struct dataset *dataset);

    /* Local. Whether a file is of this format, by its first bytes, inflated; bytes NULL: whether a directory is. NULL:
     * they never tell. */
    enum recognition (*knows)(const uint8_t *bytes, size_t count);

    /* How names of such files end, where bytes tell no more than that it may be one; NULL behind the last. NULL: in no
     * way of their own. */
    const char *const *endings;
    bool is_known_by_its_name; /* where bytes tell no more, only files that are called so are of this format: any bytes
                                  could be */

    /* Local. Tells what files are that make one dataset, up to survey_most of them (0: 1). False: they cannot be read,
     * or are not of this format. NULL: the samples tell all. */
    survey_files *survey;
    size_t survey_most;

    bool joins;   /* the key path may be a pattern, whose files lie one behind the other (base/pattern.h) */
    bool recalls; /* open asks dataset_recall, and notes what it finds: others can do with it */

    /* Local. As open, for the inputs alone of one file or directory: targets are not looked at, form.classes and
     * form.terms stay 0, and read leaves labels and targets as they are. `like`: settings of the training data, where
     * they are of this class, which tell how a file is written; NULL: there are none. NULL: files of this format cannot
     * be read so. */
    bool (*open_inputs)(struct dataset *dataset, const char *path, const void *like, const struct description *train,
                        struct error *error) WARN_UNUSED;

    /* Local. As open_inputs, for the next rows of a stream (data/row_stream.h). True, and self is NULL: there are none
     * left. NULL: files of this format do not come so. */
    bool (*open_rows)(struct dataset *dataset, struct row_stream *stream, const void *like,
                      const struct description *train, struct error *error) WARN_UNUSED;

    /* Local. Writes one sample into row `row` of the leaf. False with ERROR_CORRUPT if it is none that was there when
     * the dataset was opened: a label beyond the classes, a target beyond the range, a number that is not finite. */
    bool (*read)(const struct dataset *dataset, size_t index, struct leaf *leaf, size_t row,
                 struct error *error) WARN_UNUSED;

    /* Local. The sample behind those that are stored in one chunk with this one; 0: they are in none. NULL: none ever
     * are. */
    size_t (*chunk_end)(const struct dataset *dataset, size_t index);

    /* Local. Chunks that were unpacked are kept; as dataset_shared_bytes, dataset_shared_layout, dataset_share_memory
     * and dataset_unpacked, which see. NULL, all four: nothing is unpacked. */
    size_t (*shared_bytes)(const struct dataset *dataset, const struct dataset_readers *readers);
    uint64_t (*shared_layout)(const struct dataset *dataset, const struct dataset_readers *readers);
    void (*share_memory)(struct dataset *dataset, const struct dataset_readers *readers, void *memory);
    uint64_t (*unpacked)(const struct dataset *dataset);

    /* Local. What a sample is called, as a path; the caller owns it. NULL: samples have only numbers. */
    char *(*name_of)(const struct dataset *dataset, size_t index);

    /* Local. The digest that open has found, of what is there now. NULL: nothing is read from files any more. */
    uint64_t (*digest)(const struct dataset *dataset);

    /* Local. Where the inputs, or the targets, come from, for messages: a path. Borrowed. NULL: the kind's name will
     * do. */
    const char *(*source)(const void *settings, bool targets);

    const char *as_labels; /* how float targets that are whole are taken as labels; NULL: they are stored as integers */

    /* Local. The form of the samples, from the settings and the vocabulary of a checkpoint ("": it has none), without
     * a look at the data. All 0: these do not tell. NULL: only the data ever does. */
    struct leaf_form (*form)(const void *settings, const char *vocabulary);
};

/* The formats that a job file can name (formats.c). */
extern struct registry dataset_registry;

/* Local, as registry_add (base/registry.h), which it calls. ERROR_USAGE also: the class has no open, close or read. */
bool dataset_register(const struct dataset_class *class, struct error *error) WARN_UNUSED;

/* The rows of a dataset in a job file; their base is a struct dataset_spec. */
extern const struct option_row dataset_rows[];

/* Local, for formats: the error of a guarded read that has met `where` (base/guard.h). Returns false. */
bool dataset_refuse_hole(const struct dataset *dataset, const void *where, struct error *error);

/* Local, for formats: in open. What is inflated already; NULL: nothing. */
static inline const struct inflated_table *dataset_inflated(const struct dataset *dataset)
{
    return dataset->aid ? dataset->aid->inflated : NULL;
}

/* Local, for formats: in open, when `files` is set. Whether an earlier start has looked at all samples of these files.
 * layout: a digest of what they say that they hold. What comes back was in a file: the format judges whether it can be,
 * and else looks, as if it were not known. */
bool dataset_recall(struct dataset *dataset, uint64_t layout, struct look_found *found) WARN_UNUSED;

/* Local, before a format opens it. Sets aid->look.question: all that what is found hangs on, besides the files and the
 * layout. What the settings call the files is no part of it. */
void dataset_ask(struct dataset_aid *aid, const struct dataset_spec *spec, const struct description *train);

/* Local, for formats: after dataset_recall, and a look at all samples. Keeps what it has found for the next start. */
void dataset_note(struct dataset *dataset, const struct look_found *found);

/* Local. Opens; the spec is not kept. Errors name the file, what is wrong with it (missing, truncated, wrong magic,
 * counts that differ, first + count beyond its end, NaN or infinity in a used sample, not UTF-8, a context longer than
 * the text) and what to do.
 *
 * train: NULL for training data; for other data the training data, to which it has to fit: an input shape that lies
 * as theirs, which it takes (text: equal context), the same kind and number of targets, labels below the training
 * data's classes, no character or token outside the training data's vocabulary (that of all training files, not only of
 * the part). Text and tokens are enumerated by role: a training sample is the window of `context` of them, and their
 * successors, that begins at any place; validation windows stand side by side and cover the whole part, each successor
 * exactly once (the last window reaches back, and what it repeats is labelled LEAF_IGNORED). */
bool dataset_open(struct dataset *dataset, const struct dataset_spec *spec, const struct description *train,
                  struct error *error) WARN_UNUSED;

/* Local. The same with what the start has; aid NULL: nothing. Whatever that is, the dataset is the same one, and the
 * same errors are found, unless files have changed and hide it (look.h). */
bool dataset_open_with(struct dataset *dataset, const struct dataset_spec *spec, const struct description *train,
                       struct dataset_aid *aid, struct error *error) WARN_UNUSED;

/* Local. Of training data, before anything else is made of them: from here on an input has this shape, as which it
 * lies (shape_lies_as). The digest is that of before. */
void dataset_read_as(struct dataset *dataset, const struct shape *input);

/* Local. Whether a model for the training data can read these samples; `name`: where they come from. ERROR_USAGE. */
bool dataset_inputs_fit(const struct dataset *dataset, const struct description *training, const char *name,
                        struct error *error) WARN_UNUSED;

/* Local; in dataset_inputs.c. Opens the inputs of one file, or of a directory of images, for a model to say what it
 * makes of them: of the format that its first bytes tell, or else of that of `like`, the training data as its job has
 * it. They have to fit `train`; the dataset has its form, though there are no labels and targets: dataset_read leaves
 * them as they are. Errors as dataset_open. */
bool dataset_open_inputs(struct dataset *dataset, const char *path, const struct dataset_spec *like,
                         const struct description *train, struct error *error) WARN_UNUSED;

/* Local; in dataset_inputs.c. The same for the next rows of a table that comes through standard input: waits until one
 * is there. count 0: there are none left, and nothing is open. */
bool dataset_open_rows(struct dataset *dataset, struct row_stream *stream, const struct dataset_spec *like,
                       const struct description *train, struct error *error) WARN_UNUSED;

/* Local. What a sample is called, as a path; the caller owns it (memory_free). NULL: samples have only numbers. */
char *dataset_name_of(const struct dataset *dataset, size_t index) WARN_UNUSED;

/* Local; in dataset_elsewhere.c. What a job file would say about all samples of other files [count] that are like those
 * of `like`: its settings, but for the paths of inputs and targets, in this order where they are two, and for first,
 * count and part. Its settings are the caller's (option_release, with dataset_rows). ERROR_USAGE, and nothing stays: as
 * many files are none. */
bool dataset_elsewhere(struct dataset_spec *spec, const struct dataset_spec *like, const char *const *files,
                       size_t count, struct error *error) WARN_UNUSED;

/* Local. Where the inputs, or the targets, come from, for messages: a path, or the name of the format. Borrowed. */
const char *dataset_source(const struct dataset_spec *spec, bool targets);

/* Local; in dataset_targets.c. What makes labels of float targets that are whole: "store them as integers...". */
const char *dataset_as_labels(const struct dataset *dataset);

/* Local; in dataset_targets.c. Of float targets where labels are wanted: which is not whole, or, if all are, how they
 * become labels. "; the targets of y.npy are whole: ...". */
void dataset_tell_targets(const struct dataset *dataset, const struct dataset_spec *spec, struct text *words);

/* Local. Whether its samples, the first ones at least, are stored in chunks. */
bool dataset_has_chunks(const struct dataset *dataset);

/* Local. Cuts the samples into chunks, share.chunks, that an order can keep to: of `length` samples, or, if that is 0,
 * as they are stored, and of DATASET_CHUNK samples where they are stored in one piece. Once, before it is split.
 * ERROR_USAGE: these would be more than CHUNKS_MOST. */
bool dataset_cut(struct dataset *dataset, uint64_t length, struct error *error) WARN_UNUSED;

/* Local. Takes about `part` of the samples (0 < part < 1) out of the dataset, for another one, which reads from what
 * the first has open, and whose files the first looks after: it is not used any more once that is closed. Which
 * samples, hangs on the seed and on how many there are; of a dataset that is cut whole chunks are taken. What is known
 * of them, such as classes, stays that of all. ERROR_USAGE: one of the two would have none, or they are windows of a
 * text, which overlap. Nothing is changed after failure. */
bool dataset_split(struct dataset *dataset, uint64_t seed, double part, struct dataset *taken,
                   struct error *error) WARN_UNUSED;

/* Local. How much memory the readers want to share, for what they unpack of the files; 0: none. The same for all
 * whose files have one layout. */
size_t dataset_shared_bytes(const struct dataset *dataset, const struct dataset_readers *readers);

/* Local. A digest of that layout: of all that decides what lies where in the memory, and what its bytes mean. Files of
 * one content (the digest of a dataset) may differ in it, as h5repack makes them: readers who do share no memory. */
uint64_t dataset_shared_layout(const struct dataset *dataset, const struct dataset_readers *readers);

/* Local. From here on what is unpacked is kept in this memory, for all readers together, who have one layout and give
 * equal readers: it has as many bytes, aligned to 64, and was all 0 before the first of them came. It stays until the
 * last of them has closed the dataset. What was split from it shares with it. */
void dataset_share_memory(struct dataset *dataset, const struct dataset_readers *readers, void *memory);

/* Local. How many chunks of its files were unpacked, by all who share the memory, since they do (or since it was
 * opened). */
uint64_t dataset_unpacked(const struct dataset *dataset);

/* Local. From here on its samples are read standardised, as the description of the training data says. A dataset that
 * was opened with a `train` has the standards of that. */
void dataset_standardise(struct dataset *dataset, const struct description *train);

/* Local. Appends what has to be the same wherever this dataset is opened: samples, classes or characters, digest. */
void dataset_describe(const struct dataset *dataset, struct text *words);

/* Local. About what has to be read for all its samples. */
static inline double dataset_bytes(const struct dataset *dataset)
{
    return (double)dataset->count * (double)dataset->sample_bytes;
}

/* Local. Accepts a closed dataset. */
void dataset_close(struct dataset *dataset);

/* Local. Reads n samples into rows [0, n) of the leaf, which has the dataset's form, and standardises them; sets
 * leaf->rows, and leaves leaf->first to the caller. indices[i] < count.
 *
 * Others may change a file meanwhile. A sample that cannot be what it was, or is not there any more, and all that are
 * read after it, are zeros: whoever computes with them in step with other ranks can do so to the next place where all
 * can leave together, and asks dataset_failed there. */
void dataset_read(const struct dataset *dataset, const uint64_t *indices, size_t n, struct leaf *leaf);

/* Local. Whether a read has failed so far; the error names file, sample and value. */
bool dataset_failed(const struct dataset *dataset, struct error *error);

/* Local. Looks at the files, which costs a stat a file. False if one that is still read from has become shorter, or
 * cannot be looked at. A file that was replaced or removed is still read as it was: a warning, once, that the next
 * start may find something else. */
bool dataset_look(struct dataset *dataset, struct error *error) WARN_UNUSED;

/* Local. Whether a look has found that the size or a time of one that is still read from has changed: nothing is known
 * of its content before it is proven. */
bool dataset_is_touched(const struct dataset *dataset);

/* Local. Whether what has changed is a size or the time of a last write: what is read now may be something else. */
bool dataset_is_written(const struct dataset *dataset);

/* Local. Digests the content again, if it was touched. False if it is not what it was: it was changed in place. */
bool dataset_prove(struct dataset *dataset, struct error *error) WARN_UNUSED;

#endif
