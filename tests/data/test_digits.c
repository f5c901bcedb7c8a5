#include "base/digest.h"
#include "data/digits.h"
#include "data/formats.h"
#include "support/test.h"

#include <string.h>

#define WIDTH 784

static struct dataset open_digits(uint64_t seed, uint64_t first, uint64_t count)
{
    struct digits_settings settings = {.seed = seed, .first = first, .count = count, .std = 1};
    struct dataset_spec spec = {&dataset_digits, &settings};
    struct dataset dataset;
    struct error error;
    CU_ASSERT_FATAL(dataset_open(&dataset, &spec, NULL, &error));
    return dataset;
}

static int32_t read_one(const struct dataset *dataset, uint64_t index, float input[WIDTH])
{
    int32_t label;
    struct leaf leaf = {.inputs = input, .labels = &label};
    dataset_read(dataset, &index, 1, &leaf);
    return label;
}

static void digits_have_the_shape_of_mnist(void)
{
    struct dataset dataset = open_digits(1, 0, 0);
    CU_ASSERT_EQUAL(dataset.count, 60000);
    struct leaf_form form = {.input = {3, {1, 28, 28}}, .classes = 10, .terms = 1};
    CU_ASSERT_EQUAL(memcmp(&dataset.about.form, &form, sizeof form), 0);
    CU_ASSERT_PTR_NULL(dataset.about.vocabulary);
    dataset_close(&dataset);
}

static void a_digit_depends_on_seed_and_index_only(void)
{
    enum { N = 8 };
    static float forward[N][WIDTH], backward[WIDTH], shifted[WIDTH], reseeded[WIDTH];
    uint64_t indices[N] = {0, 1, 2, 3, 4, 5, 6, 7};
    int32_t labels[N];
    struct dataset dataset = open_digits(3, 100, 50), later = open_digits(3, 102, 1000),
                   other = open_digits(4, 100, 50);
    struct leaf leaf = {.inputs = forward[0], .labels = labels, .first = 77};
    dataset_read(&dataset, indices, N, &leaf);
    CU_ASSERT(leaf.rows == N && leaf.first == 77);
    for (size_t i = N; i-- > 2;) {
        CU_ASSERT_EQUAL(read_one(&dataset, i, backward), labels[i]);
        CU_ASSERT_EQUAL(memcmp(forward[i], backward, sizeof backward), 0);
        CU_ASSERT_EQUAL(read_one(&later, i - 2, shifted), labels[i]);
        CU_ASSERT_EQUAL(memcmp(forward[i], shifted, sizeof shifted), 0);
        read_one(&other, i, reseeded);
        CU_ASSERT_NOT_EQUAL(memcmp(forward[i], reseeded, sizeof reseeded), 0);
        CU_ASSERT_NOT_EQUAL(memcmp(forward[i], forward[i - 1], sizeof *forward), 0);
    }
    dataset_close(&dataset);
    dataset_close(&later);
    dataset_close(&other);
}

/* Golden: a job that resumes with a newer program must find the samples that it left, and the golden checkpoints were
 * trained on these. Whoever changes the generator on purpose raises GENERATOR_VERSION in digits.c and the numbers here.
 */
static void the_generator_is_golden(void)
{
    enum { N = 64 };
    static float inputs[N][WIDTH];
    int32_t labels[N];
    uint64_t indices[N];
    for (uint64_t i = 0; i < N; i++)
        indices[i] = i * 937;
    struct dataset dataset = open_digits(2026, 0, 0);
    struct leaf leaf = {.inputs = inputs[0], .labels = labels};
    dataset_read(&dataset, indices, N, &leaf);
    CU_ASSERT_EQUAL(digest_bytes(inputs, sizeof inputs), 0xf93f3acf00ebe910u);
    CU_ASSERT_EQUAL(digest_bytes(labels, sizeof labels), 0x8db8b9e9d5abf393u);
    CU_ASSERT_EQUAL(dataset.digest, 0x734bbe650bb45da0u);
    dataset_close(&dataset);
}

static void the_digest_tells_seed_first_and_count(void)
{
    struct dataset same = open_digits(1, 0, 0), again = open_digits(1, 0, 60000);
    CU_ASSERT_EQUAL(same.digest, again.digest);
    static const uint64_t others[][3] = {{2, 0, 60000}, {1, 1, 60000}, {1, 0, 59999}, {1, 1, 59999}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct dataset other = open_digits(others[i][0], others[i][1], others[i][2]);
        CU_ASSERT_NOT_EQUAL(other.digest, same.digest);
        dataset_close(&other);
    }
    dataset_close(&same);
    dataset_close(&again);
}

static void labels_are_uniform(void)
{
    enum { N = 10000 };
    struct dataset dataset = open_digits(8, 0, N);
    float input[WIDTH];
    int counts[10] = {0};
    for (uint64_t i = 0; i < N; i++) {
        int32_t label = read_one(&dataset, i, input);
        CU_ASSERT_FATAL(label >= 0 && label < 10);
        counts[label]++;
    }
    /* Five standard deviations of a binomial count: 5 * sqrt(10000 * 0.1 * 0.9). */
    for (int digit = 0; digit < 10; digit++)
        CU_ASSERT(counts[digit] > 1000 - 150 && counts[digit] < 1000 + 150);
    dataset_close(&dataset);
}

static void images_have_ink_inside_the_frame(void)
{
    enum { N = 2000 };
    struct dataset dataset = open_digits(11, 0, N);
    float input[WIDTH];
    int pale = 0, flooded = 0, cut = 0;
    for (uint64_t i = 0; i < N; i++) {
        read_one(&dataset, i, input);
        int inked = 0, border = 0;
        for (int p = 0; p < WIDTH; p++) {
            int x = p % 28, y = p / 28;
            inked += input[p] > 0.4f;
            border += input[p] > 0.4f && (x == 0 || x == 27 || y == 0 || y == 27);
        }
        pale += inked < 20; /* pixels; the thinnest 1 is a line of 18 by 1.5 */
        flooded += inked > 300;
        cut += border > 3;
    }
    CU_ASSERT_EQUAL(pale, 0);
    CU_ASSERT_EQUAL(flooded, 0);
    CU_ASSERT(cut < N / 50);
    dataset_close(&dataset);
}

static float squared_distance(const float *a, const float *b)
{
    float sum = 0;
    for (int p = 0; p < WIDTH; p++)
        sum += (a[p] - b[p]) * (a[p] - b[p]);
    return sum;
}

/* The mean image of each digit as a classifier: far better than chance, for the digits can be told apart, and far from
 * perfect, for they vary. */
static void digits_are_learnable_but_not_trivial(void)
{
    enum { TRAIN = 2000, TEST = 500 };
    static float means[10][WIDTH];
    struct dataset dataset = open_digits(5, 0, TRAIN + TEST);
    float input[WIDTH];
    int counts[10] = {0}, right = 0;
    for (uint64_t i = 0; i < TRAIN; i++) {
        int32_t label = read_one(&dataset, i, input);
        counts[label]++;
        for (int p = 0; p < WIDTH; p++)
            means[label][p] += input[p];
    }
    for (int digit = 0; digit < 10; digit++)
        for (int p = 0; p < WIDTH; p++)
            means[digit][p] /= (float)counts[digit];
    for (uint64_t i = TRAIN; i < TRAIN + TEST; i++) {
        int32_t label = read_one(&dataset, i, input), nearest = 0;
        for (int32_t digit = 1; digit < 10; digit++)
            if (squared_distance(input, means[digit]) < squared_distance(input, means[nearest]))
                nearest = digit;
        right += nearest == label;
    }
    CU_ASSERT(right > TEST * 6 / 10);
    CU_ASSERT(right < TEST * 95 / 100);
    dataset_close(&dataset);
}

static void digits_validate_what_has_their_shape(void)
{
    struct digits_settings settings = {.seed = 2, .count = 10, .std = 1};
    struct dataset_spec spec = {&dataset_digits, &settings};
    struct dataset train = open_digits(1, 0, 10), dataset;
    struct error error;
    CU_ASSERT_TRUE_FATAL(dataset_open(&dataset, &spec, &train.about, &error));
    dataset_close(&dataset);
    train.about.form.input.size[2] = 27;
    CU_ASSERT_FALSE(dataset_open(&dataset, &spec, &train.about, &error));
    CU_ASSERT(error.kind == ERROR_USAGE && strstr(error.text, "1x28x28") && strstr(error.text, "1x28x27"));
    train.about.form.input.size[2] = 28;
    train.about.form.classes = 9;
    CU_ASSERT_FALSE(dataset_open(&dataset, &spec, &train.about, &error));
    CU_ASSERT(error.kind == ERROR_USAGE && strstr(error.text, "10 classes") && strstr(error.text, "only 9"));
    train.about.form.classes = 12;
    CU_ASSERT_TRUE_FATAL(dataset_open(&dataset, &spec, &train.about, &error));
    CU_ASSERT_EQUAL(dataset.about.form.classes, 12);
    dataset_close(&dataset);
    dataset_close(&train);
}

static void the_sequence_ends_at_two_to_the_62(void)
{
    struct digits_settings settings = {.first = UINT64_MAX, .count = 2, .std = 1};
    struct dataset_spec spec = {&dataset_digits, &settings};
    struct dataset dataset;
    struct error error;
    CU_ASSERT_FALSE(dataset_open(&dataset, &spec, NULL, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    settings.first = 1;
    settings.count = UINT64_MAX;
    CU_ASSERT_FALSE(dataset_open(&dataset, &spec, NULL, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    settings.count = 2;
    settings.first = ((uint64_t)1 << 62) - 2;
    CU_ASSERT_TRUE(dataset_open(&dataset, &spec, NULL, &error));
    float input[WIDTH];
    CU_ASSERT(read_one(&dataset, 1, input) < 10);
    dataset_close(&dataset);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"digits have the shape and the default count of MNIST", digits_have_the_shape_of_mnist},
        {"a digit depends on its seed and index, not on what was read or used", a_digit_depends_on_seed_and_index_only},
        {"the generator is the golden one", the_generator_is_golden},
        {"the digest tells seed, first and count", the_digest_tells_seed_first_and_count},
        {"labels are uniform", labels_are_uniform},
        {"every image has ink, not too much, and inside the frame", images_have_ink_inside_the_frame},
        {"digits are learnable but not trivial", digits_are_learnable_but_not_trivial},
        {"digits validate only what has their shape and their classes", digits_validate_what_has_their_shape},
        {"the sequence ends at 2^62 with a usage error", the_sequence_ends_at_two_to_the_62},
        {NULL, NULL},
    };
    return test_run("data/digits", cases);
}
