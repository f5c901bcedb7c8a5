/* What a checkpoint says of its training data, as JSON. What is accepted is written, and read again, as the same. */
#include "base/check.h"
#include "data/description.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static void check_columns(const struct column *columns, const struct column *again, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct categories *values = &columns[i].values, *others = &again[i].values;
        CHECK(strcmp(columns[i].name, again[i].name) == 0, "a column keeps its name");
        CHECK(columns[i].is_category == again[i].is_category && values->count == others->count, "and its kind");
        for (size_t v = 0; v < values->count; v++) {
            size_t number;
            CHECK(strcmp(values->names[v], others->names[v]) == 0, "and its values");
            CHECK(categories_find(values, others->names[v], strlen(others->names[v]), &number) && number == v,
                  "which are found");
        }
    }
}

/* Of what is written; the caller releases it. */
static void read_again(const struct description *description, struct text *json, struct description *again)
{
    struct error error;
    text_init(json);
    description_write(description, json);
    CHECK(description_read(again, text_bytes(json), &error), "what was written can be read");
    CHECK(description_has_same_tokens(description, text_bytes(json), &error), "and has the same tokens");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *json = fuzz_text(data, size);
    struct description description, copy, again, third;
    struct text second, last;
    struct error error;
    if (description_read(&description, json, &error)) {
        const struct categories *classes = description_classes(&description);
        CHECK(!classes || classes->count <= description.form.classes, "there are as many classes as names, or more");
        description_copy(&copy, &description);
        read_again(&copy, &second, &again);
        CHECK(again.input_count == copy.input_count && again.target_count == copy.target_count,
              "all columns are there");
        check_columns(copy.inputs, again.inputs, copy.input_count);
        check_columns(copy.targets, again.targets, copy.target_count);
        read_again(&again, &last, &third);
        text_release(&second);
        text_init(&second);
        description_write(&third, &second); /* from the second time on: -0 is written as -0, and read as 0 */
        CHECK(strcmp(text_bytes(&second), text_bytes(&last)) == 0, "and nothing changes any more");
        description_release(&third);
        description_release(&again);
        description_release(&copy);
        description_release(&description);
        text_release(&second);
        text_release(&last);
    }
    free(json);
    return 0;
}
