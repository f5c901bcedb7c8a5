/* A job's model without its data: what a file of weights tells of them is enough, or not to be believed. */
#include "job/job_model.h"
#include "job/job_support.h"

/* clang-format off */
#define TEXT_JOB \
    "run: out\n" \
    "data: {train: {format: text, path: not-there.txt, context: 4}}\n" \
    "model: [{layer: embedding, width: 3}, {layer: lm_head, tied: false}]\n" \
    "train: {steps: 10, batch: 8}\n" \
    "optimizer: {name: sgd, learning_rate: 0.1}\n"
/* clang-format on */

static void a_vocabulary_tells_all_of_a_text(void)
{
    const struct job_model_data known = {.vocabulary = "ab\xc3\xa4"};
    struct job job;
    struct model model;
    struct description about;
    struct error error;
    if (!PARSE(&job, TEXT_JOB, NULL))
        return;
    CU_ASSERT_TRUE(job_model_is_known(&job, known));
    CU_ASSERT_TRUE_FATAL(job_model_describe(&job, known, &model, &about, &error));
    CU_ASSERT(model.form.vocabulary == 3 && about.form.vocabulary == 3 && about.form.input.size[0] == 4);
    check_text(about.vocabulary, known.vocabulary);
    model_release(&model);
    description_release(&about);
    job_release(&job);
}

static void a_vocabulary_that_is_no_text_is_refused(void)
{
    static const char *const vocabularies[] = {"\xff", "ab\xc3", "a\xed\xa0\x80"};
    struct job job;
    if (!PARSE(&job, TEXT_JOB, NULL))
        return;
    for (size_t i = 0; i < COUNT(vocabularies); i++) {
        struct model model;
        struct description about;
        struct error error = {0};
        CU_ASSERT_FALSE(
            job_model_describe(&job, (struct job_model_data){.vocabulary = vocabularies[i]}, &model, &about, &error));
        CU_ASSERT_EQUAL(error.kind, ERROR_CORRUPT);
        check_text(error.text, "its vocabulary is not UTF-8");
    }
    job_release(&job);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a vocabulary tells all of a text", a_vocabulary_tells_all_of_a_text},
        {"a vocabulary that is no text is refused", a_vocabulary_that_is_no_text_is_refused},
        {NULL, NULL},
    };
    return test_run("job/job_model", cases);
}
