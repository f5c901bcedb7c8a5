/* The table of all keys of a job file, and what can be done with one row.
 *
 * A row is a value, a list of numbers, a section (a mapping with rows of its own) or a list of sections; the rows of a
 * list may be the rows that it is itself one of. Reading, checking, writing and comparing jobs all walk this table; a
 * new key is one new row.
 *
 * A key that depends on what its section's selector is (another default, another range) has several rows of the same
 * name, type, field and `resume`, which exist for different values of the selector. */
#ifndef JOB_OPTIONS_H
#define JOB_OPTIONS_H

#include "base/error.h"
#include "base/text.h"
#include "job/job.h"

#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPTION_UNSIGNED, /* uint64_t */
    OPTION_REAL,     /* double, finite */
    OPTION_PAIR,     /* double[2], finite */
    OPTION_BOOL,     /* bool */
    OPTION_TEXT,     /* char *, owned by the job, not empty */
    OPTION_CHOICE,   /* an enum whose 0 means that nothing was chosen */
    OPTION_NUMBERS,  /* uint64_t *, owned by the job, and how many: any number of them */
    OPTION_SECTION,
    OPTION_LIST, /* of at least one section */
};

/* What a resumed job may do with a key, from strict to loose. */
enum option_resume {
    RESUME_FIXED,     /* must be as in the checkpoint */
    RESUME_REQUESTED, /* may change if the user names the key, and then the result is another one */
    RESUME_TUNABLE,   /* may change, and then the result is another one */
    RESUME_FREE,      /* may change: the same steps give the same bits */
};

/* What a text names. */
enum option_path {
    PATH_NONE = 0, /* no file */
    PATH_READ,     /* what is there */
    PATH_MADE,     /* what is made: a directory of an odd name would be noticed late, or never */
    PATH_OF_NODE,  /* the same, in which %n stands for the number of the node */
};

/* A number with a name. */
struct option_word {
    const char *word; /* NULL behind the last */
    uint64_t value;
};

#define OPTION_ROWS  64 /* of a section, at most */
#define OPTION_DEPTH 8  /* lists in the items of lists, at most */

struct option {
    const char *name; /* NULL behind the last row of a section */
    enum option_type type;
    size_t offset; /* of the field from the section's base; of a section's base from its parent's */

    /* A choice in the first row of a section is its selector: the others may exist only for some of its values. */
    const char *const *choices; /* by value, from 1; NULL behind the last */
    uint64_t kinds;             /* bit k: exists if the selector is k; 0: exists always */

    enum option_path path; /* of a text: checked by option_check_path, where a user has written it */

    uint64_t least, most;            /* unsigned, numbers: inclusive */
    const struct option_word *words; /* unsigned: allowed as well, and written in place of the number */
    double low, high;                /* real, pair: inclusive, unless ... */
    bool above, below;               /* ... the value must be above low, below high */

    /* What an absent key means; nothing of this: it is required. */
    const char *defaults[2]; /* as text, one for each element */
    const char *default_key; /* unsigned: the value of this key of the same section, which stands before */
    bool optional;           /* nothing: a real is `absent`, a number or a selector 0, a list empty, a text NULL */
    double absent;           /* a value that cannot be given otherwise */

    enum option_resume resume; /* a section's holds for its keys where it is the looser one */
    enum option_resume (*resume_rule)(const struct job *saved, const struct job *now); /* instead, if not NULL */

    const struct option *keys; /* section, list: its rows */
    size_t count_offset;       /* list, numbers: of the size_t that counts what the pointer at `offset` points to */
    size_t item_bytes;         /* list, numbers */
};

/* The rows of the whole file; their base is the struct job. */
extern const struct option job_options[];

/* Local. The value of the section's selector, 0 if it has none. */
unsigned option_kind(const struct option *keys, const void *base);

/* Local. Whether the row exists in a section whose selector is `kind`. */
bool option_applies(const struct option *option, unsigned kind);

/* Local. The row with this name that exists if the selector is `kind`; NULL if there is none. */
const struct option *option_find(const struct option *keys, const char *name, size_t length, unsigned kind);

/* Local. Whether the key of this section has a value at all. base may be NULL: a section that is not there. */
bool option_present(const struct option *keys, const struct option *option, const void *base);

/* Local. How many texts make a default: two for a pair, else one. */
size_t option_elements(const struct option *option);

/* Local. The field of a row: the value, or the base of the section. As changeable as the base is. */
void *option_field(const struct option *option, const void *base);

/* Local. For a list and for numbers: how many items there are (base may be NULL: none), and the place of one (NULL if
 * there are none). */
size_t option_item_count(const struct option *option, const void *base);
void *option_item(const struct option *option, const void *base, size_t index);

/* Local. Gives an empty list `count` zeroed items, which the job owns. */
void option_add_items(const struct option *option, void *base, size_t count);

/* From here on: option_value.c, one value as text. */

/* Local. Checks the text and sets this element of the field. On failure the words say what is wrong and what is
 * allowed, not where. */
bool option_read(const struct option *option, size_t element, const char *text, void *base,
                 struct error *error) WARN_UNUSED;

/* Local. Whether a path means what it says: no leading ~ and no $VARIABLE, which nobody expands here, and nothing that
 * is not visible (utf8_is_visible), such as a line break. In the name of what is made, nothing else either that a shell
 * or a batch system would replace, and no blank at an end. The words say what is wrong, not where. */
bool option_check_path(enum option_path kind, const char *path, struct error *error) WARN_UNUSED;

/* Local. Appends the value as YAML that option_read takes back to the same bits (a text that is not UTF-8 excepted:
 * YAML cannot hold it). */
void option_write(const struct option *option, const void *base, struct text *yaml);

/* Local. Appends what is allowed, e.g. "1 to 1000000". */
void option_allowed(const struct option *option, struct text *words);

/* Local. A text from outside for use in a message: one line, as text_append_shown has it, shortened to the buffer. */
void option_show(const char *text, char *shown, size_t bytes);

#endif
