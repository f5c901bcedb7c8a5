/* What the numbers of an array are that stands alone, so that nothing tells what it is for. */
#include "base/memory.h"
#include "base/plural.h"
#include "data/array.h"
#include "data/survey.h"

#include <math.h>
#include <string.h>

#define BYTES_MOST   200000000 /* that are looked at */
#define FIRST        3
#define NUMBERS_TOLD 8
#define VOID         255 /* a label that often stands for no class */

struct numbers {
    const struct array *array;
    size_t rows; /* that are looked at */
    float low, high;
    float below_void;                   /* the largest but for VOID */
    size_t gaps, gap_sample, gap_value; /* numbers that are none; the first of them */
    float *first;                       /* [width] of the first row */
    bool *varies;                       /* [width] */
};

static void take(struct numbers *numbers, const float *row, size_t sample)
{
    size_t width = numbers->array->width;
    for (size_t i = 0; i < width; i++) {
        float x = row[i];
        numbers->varies[i] = numbers->varies[i] || !isfinite(x) || x < numbers->first[i] || x > numbers->first[i];
        if (isfinite(x)) {
            numbers->low = fminf(numbers->low, x);
            numbers->high = fmaxf(numbers->high, x);
            if (x < VOID || x > VOID)
                numbers->below_void = fmaxf(numbers->below_void, x);
        } else if (numbers->gaps++ == 0) {
            numbers->gap_sample = sample;
            numbers->gap_value = i;
        }
    }
}

static void tell_row(struct survey *survey, const float *row, size_t width, size_t sample)
{
    struct text words;
    text_init(&words);
    text_append(&words, "  sample %zu:", sample);
    for (size_t i = 0; i < width && i < NUMBERS_TOLD; i++)
        text_append(&words, " %.5g", (double)row[i]);
    survey_tell(survey, "%s%s", text_bytes(&words), width > NUMBERS_TOLD ? " ..." : "");
    text_release(&words);
}

static bool take_all(struct numbers *numbers, struct survey *survey, float *row, struct error *error)
{
    const struct array *array = numbers->array;
    struct array_rows rows;
    for (size_t r = 0; r < numbers->rows; r++) {
        if (!array_rows(array, r, 1, &rows, error))
            return false;
        array_floats(&rows, 0, array->width, 0, 1, row);
        if (r == 0)
            memcpy(numbers->first, row, array->width * sizeof *row);
        take(numbers, row, r);
        if (r < FIRST)
            tell_row(survey, row, array->width, r);
    }
    return true;
}

static void tell_odd(const struct numbers *numbers, struct survey *survey)
{
    const struct array *array = numbers->array;
    size_t constants = 0, constant = 0;
    for (size_t i = array->width; i > 0; i--)
        if (!numbers->varies[i - 1]) {
            constants++;
            constant = i - 1;
        }
    if (numbers->gaps > 0)
        survey_wonder(
            survey,
            "%zu number%s NaN, infinite or beyond a float: the first is value %zu of sample %zu, both counted "
            "from 0",
            numbers->gaps, numbers->gaps == 1 ? " is" : "s are", numbers->gap_value, numbers->gap_sample);
    if (array->dims < 3 && numbers->rows > 1 && constants > 0)
        survey_wonder(survey, "%zu of %zu column%s %s constant: the first is number %zu, counted from 0", constants,
                      array->width, plural(array->width), constants == 1 ? "is" : "are", constant);
    if (!array_has_floats(array) && numbers->high >= VOID && numbers->high <= VOID && numbers->below_void < VOID - 1)
        survey_wonder(survey,
                      "255 is there, but the others go to %g: of labels, does it stand for no class, as "
                      "ignore_label: 255 says?",
                      (double)numbers->below_void);
}

bool survey_tell_numbers(struct survey *survey, const struct array *array, struct error *error)
{
    size_t most = BYTES_MOST / array->row_bytes + 1, width = array->width;
    struct numbers numbers = {.array = array,
                              .rows = array->size[0] < most ? array->size[0] : most,
                              .low = INFINITY,
                              .high = -INFINITY,
                              .below_void = -INFINITY,
                              .first = memory_need(width, sizeof(float)),
                              .varies = memory_need(width, sizeof(bool))};
    float *row = memory_need(width, sizeof *row);
    struct survey samples;
    survey_init(&samples);
    bool ok = take_all(&numbers, &samples, row, error);
    if (ok) {
        survey_tell(survey, "  %zu sample%s of %zu number%s from %.6g to %.6g%s", array->size[0],
                    plural(array->size[0]), width, plural(width), (double)numbers.low, (double)numbers.high,
                    numbers.rows < array->size[0] ? ", as far as looked at" : "");
        text_append(&survey->facts, "%s", text_bytes(&samples.facts));
        tell_odd(&numbers, survey);
    }
    survey_release(&samples);
    memory_free(row);
    memory_free(numbers.first);
    memory_free(numbers.varies);
    return ok;
}
