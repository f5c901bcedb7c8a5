/* CSV files: what becomes of their fields. */
#include "data/csv_support.h"

#include <locale.h>
#include <stdlib.h>
#include <zlib.h>

enum { MOST = 16 }; /* inputs, and targets, of a sample here */

/* Whether a sample reads as `inputs` and `targets` (labels, if there are classes), as many as the form has. */
static bool reads_as(const struct dataset *dataset, uint64_t index, const float *inputs, const float *targets)
{
    float got_inputs[MOST], got_targets[MOST];
    int32_t labels[MOST];
    struct leaf leaf = {.inputs = got_inputs, .labels = labels, .targets = got_targets};
    CU_ASSERT_FATAL(dataset->about.form.input.size[0] <= MOST && dataset->about.form.terms <= MOST);
    dataset_read(dataset, &index, 1, &leaf);
    bool ok = memcmp(got_inputs, inputs, dataset->about.form.input.size[0] * sizeof *inputs) == 0;
    for (size_t t = 0; t < dataset->about.form.terms; t++)
        ok = ok && (dataset->about.form.classes > 0 ? (float)labels[t] : got_targets[t]) == targets[t];
    if (!ok)
        printf("sample %d: %g %g ... -> %g\n", (int)index, (double)got_inputs[0], (double)got_inputs[1],
               dataset->about.form.classes > 0 ? labels[0] : (double)got_targets[0]);
    return ok;
}

#define VALUES(...)                           ((const float[]){__VA_ARGS__})
#define READS_AS(dataset, index, target, ...) CU_ASSERT(reads_as(dataset, index, VALUES(__VA_ARGS__), VALUES(target)))
#define HAS_FORM(dataset, rows, inputs, n, t)                                                                          \
    CU_ASSERT((dataset)->count == (rows) && (dataset)->about.form.input.dims == 1 &&                                   \
              (dataset)->about.form.input.size[0] == (inputs) && (dataset)->about.form.classes == (n) &&               \
              (dataset)->about.form.terms == (t) && (dataset)->about.form.vocabulary == 0)

static void a_target_with_points_is_a_regression(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a", "a,b,y\n1,2,3\n-1.5,+.25,1e-3\n1E2,7.,-4.5\n");
    struct dataset dataset = open_good(&fixture, NULL);
    HAS_FORM(&dataset, 3, 2, 0, 1);
    READS_AS(&dataset, 0, 3, 1, 2);
    READS_AS(&dataset, 1, 1e-3f, -1.5f, 0.25f);
    READS_AS(&dataset, 2, -4.5f, 100, 7);
    CU_ASSERT(dataset.about.form.least == -4.5f && dataset.about.form.most == 3 && dataset.mean == 0 &&
              dataset.std == 0);
    dataset_close(&dataset);
    dataset_close(&dataset);
}

/* Which class may be none: of numbers the largest, of names the rarest. */
static void the_class_that_may_be_none_has_its_line(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a", "a,y\n1,1\n2,9\n3,3\n4,9\n");
    struct dataset dataset = open_good(&fixture, NULL);
    CU_ASSERT_STRING_EQUAL(dataset.about.form.hint, "label 9 is first in line 3, column y");
    dataset_close(&dataset);
    fixture_init(&fixture, "a", "a,y\n1,cat\n2,dog\n3,\"do g\"\n4,cat\n5,dog\n");
    dataset = open_good(&fixture, NULL);
    CU_ASSERT_STRING_EQUAL(dataset.about.form.hint, "the rarest, 'do g', comes 1 time, first in line 4, column y");
    dataset_close(&dataset);
}

static void whole_targets_are_labels_unless_the_job_says_otherwise(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a", "y,a\n1,5\n3,6\n1,7\n");
    struct dataset dataset = open_good(&fixture, NULL);
    HAS_FORM(&dataset, 3, 1, 4, 1);
    READS_AS(&dataset, 1, 3, 6);
    dataset_close(&dataset);
    fixture.settings.label_offset = 1;
    dataset = open_good(&fixture, NULL);
    HAS_FORM(&dataset, 3, 1, 3, 1);
    READS_AS(&dataset, 1, 2, 6);
    dataset_close(&dataset);
    fixture.settings.classes = 7;
    dataset = open_good(&fixture, NULL);
    HAS_FORM(&dataset, 3, 1, 7, 1);
    dataset_close(&dataset);
    fixture.settings.task = CSV_REGRESSION;
    fixture.settings.classes = fixture.settings.label_offset = 0;
    dataset = open_good(&fixture, NULL);
    HAS_FORM(&dataset, 3, 1, 0, 1);
    READS_AS(&dataset, 1, 3, 6);
    dataset_close(&dataset);
    fixture_init(&fixture, "b", "y,a\n1.0,5\n2,6\n");
    fixture.settings.task = CSV_CLASSES;
    dataset = open_good(&fixture, NULL);
    HAS_FORM(&dataset, 2, 1, 3, 1);
    dataset_close(&dataset);
}

static void who_wants_labels_is_told_why_targets_are_none(void)
{
    static const char *const cases[][2] = {
        {"a,y\n1,2.0\n3,0.0\n", " are floats, but whole: if they are labels, task: classes takes them as labels"},
        {"a,y\n1,2.0\n3,-0.25\n", " are no labels, which are whole: sample 1 (counted from 0) has -0.25"},
        {"a,y\n1,2\n3,0\n", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture fixture;
        struct text words;
        text_init(&words);
        fixture_init(&fixture, "a", cases[i][0]);
        struct dataset dataset = open_good(&fixture, NULL);
        dataset_tell_targets(&dataset, &(struct dataset_spec){&dataset_csv, &fixture.settings}, &words);
        CU_ASSERT(cases[i][1] ? strstr(text_bytes(&words), cases[i][1]) != NULL : words.length == 0);
        dataset_close(&dataset);
        text_release(&words);
    }
}

static void several_targets_are_a_regression(void)
{
    struct fixture fixture;
    char z[] = "z";
    fixture_init(&fixture, "a", "z,a,y\n1,2,3\n4,5,6\n");
    fixture.targets[1] = z;
    fixture.settings.target_count = 2;
    struct dataset dataset = open_good(&fixture, NULL);
    HAS_FORM(&dataset, 2, 1, 0, 2);
    CU_ASSERT(reads_as(&dataset, 1, VALUES(5), VALUES(6, 4)));
    dataset_close(&dataset);
}

static void inputs_are_taken_by_name_in_the_order_of_the_job(void)
{
    struct fixture fixture;
    char c[] = "c", a[] = "a";
    fixture_init(&fixture, "a", "a,b,c,y\n1,no number,3,1\n4,,6,0\n");
    fixture.inputs[0] = c;
    fixture.inputs[1] = a;
    fixture.settings.input_count = 2;
    struct dataset dataset = open_good(&fixture, NULL);
    HAS_FORM(&dataset, 2, 2, 2, 1);
    READS_AS(&dataset, 0, 1, 3, 1);
    READS_AS(&dataset, 1, 0, 6, 4);
    dataset_close(&dataset);
}

/* The same table, however it is written. */
static void all_ways_to_write_a_table_give_the_same(void)
{
    static const struct {
        const char *text, *separator;
    } tables[] = {
        {"a,b b,y\n1,2.5,0\n3,4,1\n", ","},
        {"a,b b,y\r\n1,2.5,0\r\n3,4,1\r\n", ","},
        {"a,b b,y\r1,2.5,0\r3,4,1", ","},
        {"\xEF\xBB\xBF"
         "a,b b,y\n1,2.5,0\n3,4,1\n\n\r\n\n",
         ","},
        {"\"a\",\"b b\",\"y\"\n\"1\",\"2.5\",0\n3,\"4\",\"1\"\n", ","},
        {" a ,\"b b\"\t, y\n 1,2.5 ,\t0\n3 , 4, 1 \n", ","},
        {"a;b b;y\n1;2.5;0\n3;4;1\n", ";"},
        {"a\tb b\ty\n1\t2.5\t0\n3\t4\t1\n", "\t"},
        {"a\tb b\ty\n1 \t 2.50\t0\n3\t4e0\t1\n", "\\t"},
        {"y,unused,a,b b\n0,,01,25e-1\n1,\"x\ny\",3,+4\n", ","},
    };
    struct fixture fixture;
    char a[] = "a", b[] = "b b";
    uint64_t digest = 0;
    for (size_t i = 0; i < COUNT(tables); i++) {
        fixture_init(&fixture, "a", tables[i].text);
        strcpy(fixture.separator, tables[i].separator);
        fixture.inputs[0] = a;
        fixture.inputs[1] = b;
        fixture.settings.input_count = 2;
        struct dataset dataset = open_good(&fixture, NULL);
        HAS_FORM(&dataset, 2, 2, 2, 1);
        READS_AS(&dataset, 0, 0, 1, 2.5f);
        READS_AS(&dataset, 1, 1, 3, 4);
        digest = i == 0 ? dataset.digest : digest;
        CU_ASSERT_EQUAL(dataset.digest, digest);
        dataset_close(&dataset);
    }
}

static void a_file_without_names_has_numbers(void)
{
    struct fixture fixture;
    char third[] = "3";
    fixture_init(&fixture, "a", "1,2,1\n3,4,0\n");
    fixture.targets[0] = third;
    fixture.settings.header = false;
    struct dataset dataset = open_good(&fixture, NULL);
    HAS_FORM(&dataset, 2, 2, 2, 1);
    READS_AS(&dataset, 0, 1, 1, 2);
    dataset_close(&dataset);
}

static void missing_numbers_become_the_one_of_the_job(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a", "a,b,y\n,NA,1\nNaN,nan,0\n\"\",null,1\nN/A,7,0\n");
    fixture.settings.missing = -1;
    struct dataset dataset = open_good(&fixture, NULL);
    for (uint64_t i = 0; i < 3; i++)
        READS_AS(&dataset, i, (float)(1 - i % 2), -1, -1);
    READS_AS(&dataset, 3, 0, -1, 7);
    dataset_close(&dataset);
}

static void categories_become_ones_among_zeros(void)
{
    struct fixture fixture;
    char colour[] = "colour";
    fixture_init(&fixture, "a",
                 "a,colour,y\n1,red,cat\n2,\"say \"\"green\"\"\",dog\n3,red,\"a cat,\nor dog\"\n4,re,cat\n5,,cat\n");
    fixture.categories[0] = colour;
    fixture.settings.category_count = 1;
    fixture.settings.missing = 9;
    struct dataset dataset = open_good(&fixture, NULL);
    HAS_FORM(&dataset, 5, 4, 3, 1); /* re, red, say "green" */
    READS_AS(&dataset, 0, 1, 1, 0, 1, 0);
    READS_AS(&dataset, 1, 2, 2, 0, 0, 1);
    READS_AS(&dataset, 2, 0, 3, 0, 1, 0);
    READS_AS(&dataset, 3, 1, 4, 1, 0, 0);
    READS_AS(&dataset, 4, 1, 5, 0, 0, 0);
    dataset_close(&dataset);
}

/* Numbers of values come from the training data, whatever stands in that for validation, and in which order. */
static void validation_data_is_read_as_the_training_data(void)
{
    struct fixture fixture, other;
    char colour[] = "colour";
    fixture_init(&fixture, "a", "a,colour,y\n1,red,cat\n2,green,dog\n3,blue,cow\n");
    fixture_init(&other, "b", "y,extra,colour,a\ndog,,red,5\n");
    fixture.categories[0] = colour;
    fixture.settings.category_count = 1;
    struct dataset train = open_good(&fixture, NULL);
    struct dataset dataset = open_good(&other, &train);
    HAS_FORM(&dataset, 1, 4, 3, 1);
    READS_AS(&dataset, 0, 2, 5, 0, 0, 1);
    dataset_close(&dataset);
    dataset_close(&train);
}

static void parts_are_rows(void)
{
    static const char unused[] = "a,y\n1,1\n2,1\nx,1\nNA,1\n"; /* inputs of the others may be anything */
    struct fixture fixture;
    fixture_init(&fixture, "a", "a,y\n0,0\n1,1\n2,2\n3,3\n4,4\n5,5\n6,6\n");
    fixture.settings.part[0] = 0.5; /* from floor(3.5) on */
    struct dataset dataset = open_good(&fixture, NULL);
    HAS_FORM(&dataset, 4, 1, 7, 1);
    READS_AS(&dataset, 0, 3, 3);
    dataset_close(&dataset);
    fixture.settings.first = 1;
    fixture.settings.count = 2;
    dataset = open_good(&fixture, NULL);
    HAS_FORM(&dataset, 2, 1, 7, 1);
    READS_AS(&dataset, 1, 5, 5);
    dataset_close(&dataset);
    fixture.settings = (struct csv_settings){.path = fixture.path,
                                             .targets = fixture.targets,
                                             .target_count = 1,
                                             .header = true,
                                             .separator = fixture.separator,
                                             .missing = CSV_NONE,
                                             .task = CSV_AUTO,
                                             .part = {0, 0.5}};
    fixture_write(&fixture, unused, strlen(unused));
    dataset = open_good(&fixture, NULL);
    HAS_FORM(&dataset, 2, 1, 2, 1);
    dataset_close(&dataset);
}

static void what_gzip_has_made_is_read(void)
{
    static const char text[] = "a,y\n1,0.5\n2,1.5\n";
    struct fixture fixture;
    fixture_init(&fixture, "a", text);
    struct dataset plain = open_good(&fixture, NULL);
    gzFile file = gzopen(fixture.path, "wb");
    CU_ASSERT_EQUAL(gzwrite(file, text, sizeof text - 1), sizeof text - 1);
    CU_ASSERT_EQUAL(gzclose(file), Z_OK);
    struct dataset dataset = open_good(&fixture, NULL);
    CU_ASSERT_EQUAL(dataset.digest, plain.digest);
    dataset_close(&dataset);
    dataset_close(&plain);
}

static void the_digest_is_of_names_and_values(void)
{
    static const char *const texts[] = {
        "a,b,y\n1,2,0\n3,4,1\n", "b,a,y\n1,2,0\n3,4,1\n",   "a,b,y\n1,2,0\n3,5,1\n",        "a,b,y\n1,2,1\n3,4,0\n",
        "a,b,y\n1,2,u\n3,4,v\n", "a,b,y\n1,2,0.0\n3,4,1\n", "a,b,y\n1,2,0\n3,4,1\n5,6,0\n",
    };
    uint64_t digests[COUNT(texts)];
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct fixture fixture;
        fixture_init(&fixture, "a", texts[i]);
        struct dataset dataset = open_good(&fixture, NULL);
        digests[i] = dataset.digest;
        for (size_t j = 0; j < i; j++)
            CU_ASSERT_NOT_EQUAL(digests[i], digests[j]);
        dataset_close(&dataset);
    }
}

/* With a comma for the point, as a German user's programs may have it. */
static void the_locale_does_not_matter(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a", "a,y\n1.5,0.5\n");
    bool has_comma = setlocale(LC_ALL, "de_DE.UTF-8") || setlocale(LC_ALL, "fr_FR.UTF-8");
    struct dataset dataset = open_good(&fixture, NULL);
    setlocale(LC_ALL, "C");
    READS_AS(&dataset, 0, 0.5f, 1.5f);
    dataset_close(&dataset);
    if (!has_comma)
        printf("(no locale with a comma here) ");
}

/* As text with nine digits, every float comes back. */
static void all_floats_are_read_to_the_bit(void)
{
    enum { N = 2000 };
    struct fixture fixture;
    static float values[N];
    struct text text;
    text_init(&text);
    text_append(&text, "a,y\n");
    for (uint32_t i = 0; i < N; i++) {
        uint32_t bits = i * 2654435761u;
        bits = (bits & 0x7F800000) == 0x7F800000 ? i : bits;
        memcpy(&values[i], &bits, sizeof bits);
        text_append(&text, "%.9g,0.5\n", (double)values[i]);
    }
    fixture_init(&fixture, "a", text_bytes(&text));
    struct dataset dataset = open_good(&fixture, NULL);
    HAS_FORM(&dataset, N, 1, 0, 1);
    for (uint64_t i = 0; i < N; i++)
        READS_AS(&dataset, i, 0.5f, values[i]);
    dataset_close(&dataset);
    text_release(&text);
}

static void a_file_that_is_replaced_is_told_once(void)
{
    struct fixture fixture;
    struct error error;
    fixture_init(&fixture, "a", "a,y\n1,0.5\n");
    struct dataset dataset = open_good(&fixture, NULL);
    CU_ASSERT(dataset_look(&dataset, &error) && !dataset.files->told);
    fixture_write(&fixture, "a,y\n1,0.5\n2,3\n", 14);
    CU_ASSERT(dataset_look(&dataset, &error) && dataset.files->told && !dataset_is_touched(&dataset));
    READS_AS(&dataset, 0, 0.5f, 1);
    dataset_close(&dataset);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a target with points is a regression", a_target_with_points_is_a_regression},
        {"the class that may be none has its line", the_class_that_may_be_none_has_its_line},
        {"whole targets are labels, unless the job says otherwise",
         whole_targets_are_labels_unless_the_job_says_otherwise},
        {"who wants labels is told why targets are none", who_wants_labels_is_told_why_targets_are_none},
        {"several targets are a regression", several_targets_are_a_regression},
        {"inputs are taken by name, in the order of the job", inputs_are_taken_by_name_in_the_order_of_the_job},
        {"all ways to write a table give the same", all_ways_to_write_a_table_give_the_same},
        {"a file without names has numbers", a_file_without_names_has_numbers},
        {"missing numbers become the one of the job", missing_numbers_become_the_one_of_the_job},
        {"categories become ones among zeros", categories_become_ones_among_zeros},
        {"validation data is read as the training data", validation_data_is_read_as_the_training_data},
        {"parts are rows", parts_are_rows},
        {"what gzip has made is read", what_gzip_has_made_is_read},
        {"the digest is of names and values", the_digest_is_of_names_and_values},
        {"the locale does not matter", the_locale_does_not_matter},
        {"all floats are read to the bit", all_floats_are_read_to_the_bit},
        {"a file that is replaced is told once", a_file_that_is_replaced_is_told_once},
        {0},
    };
    return test_run("data/csv", cases);
}
