/* Rows of keys: what a section of a job file may hold, and what can be done with one row.
 *
 * A row is a value, a list of numbers or texts, a section (a mapping with rows of its own), a list of sections, or the
 * name of a kind (base/kind.h). The rows of a list may be the rows that it is itself one of. Reading, checking,
 * writing, comparing and explaining jobs all walk these rows; a new key is one new row.
 *
 * A section that names a kind begins with that row; the kind's own keys stand where the row KIND_KEYS is, and their
 * base are the kind's settings. */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/error.h"
#include "base/kind.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPTION_UNSIGNED, /* uint64_t */
    OPTION_REAL,     /* double, finite */
    OPTION_PAIR,     /* double[2], finite */
    OPTION_BOOL,     /* bool */
    OPTION_TEXT,     /* char *, owned by the section, not empty */
    OPTION_CHOICE,   /* an enum whose 0 means that nothing was chosen */
    OPTION_NUMBERS,  /* uint64_t *, owned by the section, and how many: any number of them */
    OPTION_REALS,    /* double *, finite, the same */
    OPTION_TEXTS,    /* char **, owned by the section as the texts are, and how many: any number, none of them empty */
    OPTION_KIND,     /* const struct kind *; NULL: nothing was chosen. Its settings are owned by the section. The first
                      * row of its section */
    OPTION_SECTION,
    OPTION_LIST,      /* of at least one section */
    OPTION_KIND_KEYS, /* here stand the keys of the kind; the row has no name that counts */
};

/* What a resumed job may do with a key, from strict to loose. */
enum option_resume {
    RESUME_FIXED,     /* must be as in the checkpoint; what a row means that says nothing */
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

/* What stands in a section, as texts. */
struct option_given {
    const char *keys[OPTION_ROWS];
    const char *texts[OPTION_ROWS]; /* NULL: it is not a single value */
    size_t count;
};

struct option_row {
    const char *name; /* NULL behind the last row of a section */
    const char *help; /* for people: part of a sentence, without a point */
    enum option_type type;
    size_t offset; /* of the field from the section's base; of a section's base from its parent's */

    const char *const *choices;      /* choice: by value, from 1; NULL behind the last */
    const struct registry *registry; /* kind: which may stand here */
    size_t settings_offset;          /* kind: of the void * to its settings, from the section's base */

    /* kind: which one a section means that does not name it, by what else stands there. NULL: that must be named. On
     * failure it returns NULL, and the words say why, beginning with "missing" or a file. */
    const struct kind *(*guess)(const struct option_given *given, struct error *error);

    enum option_path path; /* of a text: checked by option_check_path, where a user has written it */

    uint64_t least, most;            /* unsigned, numbers: inclusive */
    const struct option_word *words; /* unsigned, numbers: allowed as well, and written in place of the number. Reals:
                                      * in place of the list, which is then this number alone, beyond the range */
    double low, high;                /* real, pair, reals: inclusive, unless ... */
    bool above, below;               /* ... the value must be above low, below high */

    /* What an absent key means; nothing of this: it is required. */
    const char *defaults[2];                          /* as text, one for each element */
    const char *(*default_rule)(const void *section); /* the same, if it hangs on the kind that the section names */
    const char *default_key; /* unsigned: the value of this key of the same section, which stands before */
    bool optional; /* nothing: a real is `absent`, a number or a choice 0, a kind or a text NULL, a list empty, a
                      section without a kind has optional keys alone; not of a pair, a bool */
    double absent; /* a value that cannot be given otherwise */

    /* Whether a section of this kind has the key (nothing else of it is read yet); NULL: always. Not of a kind's own
     * keys, which exist with it. */
    bool (*exists)(const void *section);

    enum option_resume resume; /* a section's holds for its keys where it is the looser one */
    /* Instead, if not NULL: from the structs in which the key stands in both; NULL, NULL: it is not the same row. */
    enum option_resume (*resume_rule)(const void *saved, const void *now);

    const struct option_row *keys; /* section, list: its rows */
    bool bare;                     /* section: the name of its kind may stand in its place */
    size_t count_offset; /* lists of all kinds: of the size_t that counts what the pointer at `offset` points to */
    size_t item_bytes;   /* lists of all kinds */
};

/* A key of a section, and the struct that its offset counts from: the section, or the settings of its kind. */
struct option_key {
    const struct option_row *option;
    void *base;
};

/* The keys that a section has, the kind that it names being what it is: those of that kind in their place. */
struct option_keys {
    struct option_key keys[OPTION_ROWS];
    size_t count;
};

/* Local. Finds them. base may be NULL, as that of a section that is not there: no keys. */
void option_keys_of(const struct option_row *rows, void *base, struct option_keys *keys);

/* Local. The key with this name; NULL: there is none. */
const struct option_key *option_find(const struct option_keys *keys, const char *name, size_t length);

/* Local. Whether the key has a value at all. */
bool option_is_present(const struct option_key *key);

/* Local. The word of the row that this text is; NULL: none. */
const struct option_word *option_word(const struct option_row *option, const char *text);

/* Local. The path that the key gives of something that is there to be read; NULL: it gives none. Borrowed. */
const char *option_input(const struct option_key *key);

/* Local. The kind that the section names; NULL: none, or its rows name no kind. */
const struct kind *option_kind(const struct option_row *rows, const void *base);

/* Local. The settings of a section that names a kind; NULL: that kind has none. */
void *option_settings(const struct option_row *rows, const void *base);

/* Local. Sets the kind of a section that has none: its settings are zero. */
void option_set_kind(const struct option_row *rows, void *base, const struct kind *kind);

/* Local. How many texts make a default: two for a pair, else one. */
size_t option_elements(const struct option_row *option);

/* Local. The field of a row: the value, or the base of the section. As changeable as the base is. */
void *option_field(const struct option_row *option, const void *base);

/* Local. Whether it is a list: of numbers, texts or sections. */
bool option_is_counted(const struct option_row *option);

/* Local. For lists of all kinds: how many items there are, and the place of one (NULL if there are none). */
size_t option_item_count(const struct option_row *option, const void *base);
void *option_item(const struct option_row *option, const void *base, size_t index);

/* Local. Gives an empty list `count` zeroed items, which the section owns. */
void option_add_items(const struct option_row *option, void *base, size_t count);

/* Local. Frees what a section owns: texts, lists, settings. The section itself stays, and is not to be used. */
void option_release(const struct option_row *rows, void *base);

/* Local. A copy of a kind's settings, which the caller owns (option_release_settings): texts and lists of values as
 * well, but lists of sections are left out: they are those of compositions, which read them where they stand. NULL for
 * NULL. */
void *option_copy_settings(const struct kind *kind, const void *settings) WARN_UNUSED;

/* Local. Frees settings, and what they own. NULL is fine. */
void option_release_settings(const struct kind *kind, void *settings);

/* From here on: option_value.c, one value as text. */

/* Local. Checks the text and sets this element of the field. On failure the words say what is wrong and what is
 * allowed, not where. */
bool option_read(const struct option_row *option, size_t element, const char *text, void *base,
                 struct error *error) WARN_UNUSED;

/* Local. Whether a path means what it says: no leading ~ and no $VARIABLE, which nobody expands here, and nothing that
 * is not visible (utf8_is_visible), such as a line break. In the name of what is made, nothing else either that a shell
 * or a batch system would replace, and no blank at an end. The words say what is wrong, not where. */
bool option_check_path(enum option_path kind, const char *path, struct error *error) WARN_UNUSED;

/* Local. Appends the value as YAML that option_read takes back to the same bits (a text that is not UTF-8 excepted:
 * YAML cannot hold it). */
void option_write(const struct option_row *option, const void *base, struct text *yaml);

/* Local. Appends what is allowed, e.g. "1 to 1000000". */
void option_allowed(const struct option_row *option, struct text *words);

/* Local. A text from outside for use in a message: one line, as text_append_shown has it, shortened to the buffer. */
void option_show(const char *text, char *shown, size_t bytes);

#endif
