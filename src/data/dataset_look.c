/* What datasets remember from start to start (look.h). */
#include "base/clock.h"
#include "base/digest.h"
#include "data/dataset.h"

#define RULES 1 /* a number for what open refuses: another one if it refuses more, or finds something else */

/* The settings as they decide what is found: not where the files lie, and not what sections say, which is what becomes
 * of samples once they are read. */
static void append_settings(const struct dataset_spec *spec, struct text *words)
{
    struct option_keys keys;
    option_keys_of(dataset_rows, (void *)(uintptr_t)spec, &keys);
    for (const struct option_key *key = keys.keys; key < keys.keys + keys.count; key++) {
        const struct option_row *option = key->option;
        bool is_value = option->type != OPTION_SECTION && option->type != OPTION_LIST;
        if (!is_value || option->path != PATH_NONE || !option_is_present(key))
            continue;
        text_append(words, "%s: ", option->name);
        option_write(option, key->base, words);
        text_append(words, "\n");
    }
}

void dataset_ask(struct dataset_aid *aid, const struct dataset_spec *spec, const struct description *train)
{
    struct text words;
    text_init(&words);
    append_settings(spec, &words);
    if (train)
        text_append(&words, "beside training data: %zu %zu\n", train->form.vocabulary, train->form.classes);
    aid->look.question = digest_chain(RULES, digest_bytes(text_bytes(&words), words.length));
    aid->opened_s = clock_unix_exact();
    text_release(&words);
}

bool dataset_recall(struct dataset *dataset, uint64_t layout, struct look_found *found)
{
    struct dataset_aid *aid = dataset->aid;
    if (!aid)
        return false;
    aid->look.question = digest_chain(aid->look.question, layout);
    if (!aid->known || aid->known->count == 0 || aid->known->question != aid->look.question)
        return false;
    aid->is_known = look_is_worth(dataset->files) && look_holds(aid->known, dataset->files, aid->is_of_node);
    aid->is_stale = !aid->is_known;
    if (!aid->is_known)
        return false;
    look_copy(&aid->look, aid->known);
    *found = aid->known->found;
    return true;
}

void dataset_note(struct dataset *dataset, const struct look_found *found)
{
    struct dataset_aid *aid = dataset->aid;
    if (!aid)
        return;
    uint64_t question = aid->look.question;
    look_release(&aid->look);
    aid->is_known = false;
    aid->look.question = question;
    aid->look.found = *found;
    if (look_is_worth(dataset->files) && !look_take(&aid->look, dataset->files, aid->opened_s))
        look_release(&aid->look);
}
