/* Samples shared out between training and validation. */
#include "data/share.h"

#include "data/digits.h"
#include "data/formats.h"
#include "support/test.h"

#include <string.h>

static void each_sample_is_in_one_share(void)
{
    static const uint64_t sizes[] = {2, 3, 17, 100, 1000};
    struct error error;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct share shares[2];
        uint64_t of = sizes[s];
        unsigned char seen[1000] = {0};
        CU_ASSERT_TRUE_FATAL(share_cut(7, of, 0.4, &shares[0], &shares[1], &error));
        CU_ASSERT_EQUAL(shares[0].count + shares[1].count, of);
        for (int i = 0; i < 2; i++)
            for (uint64_t place = 0; place < shares[i].count; place++)
                seen[share_sample(&shares[i], place)]++;
        for (uint64_t i = 0; i < of; i++)
            CU_ASSERT_EQUAL(seen[i], 1);
    }
}

static void a_share_is_rounded_to_a_whole_number(void)
{
    struct share taken, rest;
    struct error error = {0};
    CU_ASSERT_TRUE(share_cut(1, 100, 0.29, &taken, &rest, &error)); /* 100 * 0.29 is less than 29 */
    CU_ASSERT_EQUAL(taken.count, 29);
    CU_ASSERT_TRUE(share_cut(1, 10, 0.06, &taken, &rest, &error));
    CU_ASSERT_EQUAL(taken.count, 1);
    CU_ASSERT_FALSE(share_cut(1, 10, 0.04, &taken, &rest, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "0.04 of 10 samples are 0: each share needs one at least");
    CU_ASSERT_FALSE(share_cut(1, 10, 0.96, &taken, &rest, &error));
    CU_ASSERT_FALSE(share_cut(1, 1, 0.1, &taken, &rest, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "0.1 of 1 sample is 0: each share needs one at least");
    CU_ASSERT_FALSE(share_cut(1, 1, 0.5, &taken, &rest, &error));
}

static void seeds_and_shares_have_digests_of_their_own(void)
{
    struct share a[2], b[2], all = {0};
    struct error error;
    CU_ASSERT_TRUE(share_cut(1, 100, 0.2, &a[0], &a[1], &error));
    CU_ASSERT_TRUE(share_cut(2, 100, 0.2, &b[0], &b[1], &error));
    const uint64_t digests[] = {share_digest(&a[0], 5), share_digest(&a[1], 5), share_digest(&b[0], 5),
                                share_digest(&b[1], 5), share_digest(&all, 5),  share_digest(&a[0], 6)};
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < i; j++)
            CU_ASSERT_NOT_EQUAL(digests[i], digests[j]);
    CU_ASSERT_EQUAL(share_digest(&all, 5), 5);
    size_t same = 0;
    for (uint64_t i = 0; i < 20; i++)
        same += share_sample(&a[0], i) == share_sample(&b[0], i);
    CU_ASSERT(same < 5);
}

static void shares_by_chunks_take_whole_ones(void)
{
    static const double parts[] = {0.01, 0.1, 0.5, 0.9, 0.999};
    struct chunks chunks = {0}, one = {0};
    struct error error = {0};
    for (uint64_t i = 0, at = 0; i < 40; at += 1 + i % 7, i++)
        chunks_add(&chunks, at, 1 + i % 7);
    uint64_t of = chunks.place[40];
    for (size_t p = 0; p < 5; p++) {
        struct share shares[2];
        unsigned char seen[200] = {0};
        CU_ASSERT_TRUE_FATAL(share_cut_chunks(7, &chunks, parts[p], &shares[0], &shares[1], &error));
        CU_ASSERT(shares[0].count + shares[1].count == of && shares[0].chunks.count + shares[1].chunks.count == 40);
        CU_ASSERT(shares[0].chunks.count > 0 && shares[1].chunks.count > 0);
        double wrong = (double)shares[0].count - parts[p] * (double)of;
        CU_ASSERT(wrong < 7 && wrong > -7);
        for (int i = 0; i < 2; i++)
            for (uint64_t place = 0; place < shares[i].count; place++) {
                uint64_t sample = share_sample(&shares[i], place);
                CU_ASSERT(place == 0 || sample > share_sample(&shares[i], place - 1)); /* in the order of the file */
                seen[sample] += (unsigned char)(1 + 100 * i);
            }
        for (uint64_t i = 0; i < of; i++) {
            CU_ASSERT(seen[i] == 1 || seen[i] == 101);
            CU_ASSERT(seen[i] == seen[chunks.place[chunks_find(&chunks, i)]]); /* as the first of its chunk */
        }
        CU_ASSERT_NOT_EQUAL(share_digest(&shares[0], 5), share_digest(&shares[1], 5));
        share_release(&shares[0]);
        share_release(&shares[1]);
    }
    struct share a, b;
    chunks_add(&one, 0, 9);
    CU_ASSERT_FALSE(share_cut_chunks(7, &one, 0.5, &a, &b, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "all 9 samples lie in one chunk, and shuffle: chunks shares out whole ones: "
                                       "data.shuffle_chunk makes smaller ones");
    chunks_release(&chunks);
    chunks_release(&one);
}

/* Whether row `row` holds the same sample. */
static bool same_row(const struct leaf *a, size_t row, const struct leaf *b)
{
    return memcmp(a->inputs + row * 784, b->inputs, 784 * sizeof *b->inputs) == 0 && a->labels[row] == b->labels[0];
}

static void both_datasets_read_their_samples(void)
{
    struct digits_settings settings = {.count = 50, .std = 1};
    const struct dataset_spec spec = {&dataset_digits, &settings};
    struct dataset train, validation, all;
    struct leaf leaf, one;
    struct error error;
    CU_ASSERT_TRUE_FATAL(dataset_open(&train, &spec, NULL, &error) && dataset_open(&all, &spec, NULL, &error));
    CU_ASSERT_TRUE_FATAL(dataset_split(&train, 3, 0.2, &validation, &error));
    CU_ASSERT(train.count == 40 && validation.count == 10);
    CU_ASSERT(train.digest != all.digest && validation.digest != all.digest && train.digest != validation.digest);
    CU_ASSERT(leaf_init(&leaf, &train.about.form, 2, &error) && leaf_init(&one, &train.about.form, 1, &error));
    const struct dataset *both[] = {&train, &validation};
    for (size_t i = 0; i < 2; i++) {
        uint64_t places[] = {both[i]->count - 1, 0};
        dataset_read(both[i], places, 2, &leaf);
        for (size_t row = 0; row < 2; row++) {
            uint64_t sample = share_sample(&both[i]->share, places[row]);
            dataset_read(&all, &sample, 1, &one);
            CU_ASSERT_TRUE(same_row(&leaf, row, &one));
        }
    }
    leaf_release(&leaf);
    leaf_release(&one);
    dataset_close(&validation);
    dataset_close(&train);
    dataset_close(&all);
}

static void a_dataset_that_is_cut_is_split_by_chunks(void)
{
    struct digits_settings settings = {.count = 50, .std = 1};
    const struct dataset_spec spec = {&dataset_digits, &settings};
    struct dataset train, validation;
    struct error error;
    CU_ASSERT_TRUE_FATAL(dataset_open(&train, &spec, NULL, &error) && dataset_cut(&train, 8, &error));
    CU_ASSERT(train.share.chunks.count == 7 && train.share.chunks.place[6] == 48 && train.share.chunks.place[7] == 50);
    CU_ASSERT_NOT_EQUAL(train.about.chunks, 0);
    CU_ASSERT_TRUE_FATAL(dataset_split(&train, 3, 0.2, &validation, &error));
    CU_ASSERT(train.count + validation.count == 50 && validation.share.chunks.count <= 2);
    CU_ASSERT(train.share.chunks.place[train.share.chunks.count] == train.count);
    dataset_close(&validation);
    dataset_close(&train);
    CU_ASSERT_TRUE_FATAL(dataset_open(&train, &spec, NULL, &error) && dataset_cut(&train, 0, &error));
    CU_ASSERT_EQUAL(train.share.chunks.count, 1);
    dataset_close(&train);
}

static void chunks_are_even_but_for_a_shorter_last_one(void)
{
    static const struct {
        uint64_t length[4], even;
    } cases[] = {{{0}, 0},    {{5}, 5},       {{7, 7, 7}, 7}, {{7, 7, 2}, 7},
                 {{7, 8}, 0}, {{3, 7, 7}, 0}, {{7, 2, 7}, 0}, {{7, 7, 7, 8}, 0}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct chunks chunks = {0};
        for (size_t i = 0, at = 0; i < 4 && cases[c].length[i] > 0; at += cases[c].length[i++])
            chunks_add(&chunks, at, cases[c].length[i]);
        CU_ASSERT_EQUAL(chunks_even(&chunks), cases[c].even);
        chunks_release(&chunks);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"each sample is in one share", each_sample_is_in_one_share},
        {"a share is rounded to a whole number, and none is empty", a_share_is_rounded_to_a_whole_number},
        {"seeds and shares have digests of their own", seeds_and_shares_have_digests_of_their_own},
        {"shares by chunks take whole ones", shares_by_chunks_take_whole_ones},
        {"a dataset that is cut is split by whole chunks", a_dataset_that_is_cut_is_split_by_chunks},
        {"chunks are even but for a shorter last one", chunks_are_even_but_for_a_shorter_last_one},
        {"both datasets read their samples", both_datasets_read_their_samples},
        {NULL, NULL},
    };
    return test_run("data/share", cases);
}
