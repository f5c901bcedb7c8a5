/* CSV files that cannot be read, and jobs that ask for what is not there: file, line, column, and what to do. */
#include "data/csv_support.h"

#include <sys/stat.h>
#include <unistd.h>

static void files_that_are_no_table_are_refused(void)
{
    static const struct {
        const char *text;
        size_t count; /* 0: up to its end */
        const char *words;
    } cases[] = {
        {"", 0, ".csv is empty"},
        {"\n\r\n\n", 0, ".csv is empty: it has blank lines only"},
        {"\xEF\xBB\xBF", 0, ".csv is empty"},
        {"a,y\n", 0, "holds a header, but no rows; if its only line is data: header: false"},
        {"a,y\n1,2\n3\n", 0, "line 3 has 1 field, but the first line 2"},
        {"a,y\n1,2\n\n3,4\n", 0, "line 3 has 1 field, but the first line 2"},
        {"a,y\n1,2,3\n", 0, "line 2 has 3 fields, but the first line 2"},
        {"a y\n1,2\n", 0, "line 2 has 2 fields, but the first line 1: is the separator another one? (separator)"},
        {"a,\"y\nz\"\n\"1\n\",2\n3\n", 0, "line 5 has 1 field, but the first line 2"},
        {"a,y\n1,\"2\n3,4\n", 0, "line 2: the quote that opens a field there is never closed"},
        {"a,y\n\"1\"2,3\n", 0, "line 2: something stands behind the quote that closes a field; a quote inside"},
        {"\"a\";\"y\"\n1;2\n", 0, "line 1: something stands behind the quote that closes a field; is the separator"},
        {"a,b,a,y\n1,2,3,4\n", 0, "columns 1 and 3 are both called a: rename one of them"},
        {"a,y\n1,\0002\n", 9, "is not a CSV file: there is a NUL byte at offset 6"},
        {"\x93NUMPY\x01\0v", 9, "is a NumPy file: format: npy"},
        {"\x89HDF\r\n\x1a\n\0\0", 10, "is an HDF5 file: format: hdf5"},
        {"PK\x03\x04sheet", 0, "is a ZIP archive"},
        {"PAR1...", 0, "is a Parquet file"},
        {"\xff\xfe"
         "a\0,\0",
         6, "is UTF-16: save the table as CSV in UTF-8"},
        {"\x1f\x8b\x08", 0, "is truncated: its gzip data breaks off after 0 inflated bytes"},
    };
    struct fixture fixture;
    for (size_t i = 0; i < COUNT(cases); i++) {
        fixture_init(&fixture, "a", "");
        fixture_write(&fixture, cases[i].text, cases[i].count ? cases[i].count : strlen(cases[i].text));
        expect(&fixture, NULL, ERROR_CORRUPT, cases[i].words);
    }
}

static void so_many_columns_are_another_separator(void)
{
    struct fixture fixture;
    struct text text;
    text_init(&text);
    for (int i = 0; i < 100000; i++)
        text_append(&text, "%d,", i);
    text_append(&text, "y\n");
    fixture_init(&fixture, "a", text_bytes(&text));
    expect(&fixture, NULL, ERROR_CORRUPT, "has more than 100000 columns: is its separator another one?");
    text_release(&text);
}

static void fields_that_are_no_number_are_refused(void)
{
    static const struct {
        const char *text;
        enum error_kind kind;
        const char *words;
    } cases[] = {
        {"a,y\n1,1\nred,0\n", ERROR_CORRUPT,
         "line 3, column a holds 'red', which is no number: repair it, or name the column in categories: [...]"},
        {"a,y\n\"x\n\n\",1\n", ERROR_CORRUPT, "line 2, column a holds 'x\\n\\n', which is no number"},
        {"a,y\n\"a \"\"b\"\"\",1\n", ERROR_CORRUPT, "column a holds 'a \"b\"', which is no number"},
        {"a,y\n\x1b[31m,1\n", ERROR_CORRUPT, "column a holds '\\x1b[31m', which is no number"},
        {"a,y\n0x10,1\n", ERROR_CORRUPT, "column a holds '0x10', which is no number"},
        {"a,y\n1 2,1\n", ERROR_CORRUPT, "column a holds '1 2', which is no number"},
        {"a,y\n1e,1\n", ERROR_CORRUPT, "column a holds '1e', which is no number"},
        {"a,y\n.,1\n", ERROR_CORRUPT, "column a holds '.', which is no number"},
        {"a,y\n-,1\n", ERROR_CORRUPT, "column a holds '-', which is no number"},
        {"a,y\n\"1,5\",1\n", ERROR_CORRUPT, "which is no number: numbers have a point, and nothing between thousands"},
        {"a,y\n-inf,1\n", ERROR_CORRUPT, "column a holds '-inf', which is not finite, or beyond a float"},
        {"a,y\n1e39,1\n", ERROR_CORRUPT, "column a holds '1e39', which is not finite, or beyond a float"},
        {"a,y\n1e999999999999,1\n", ERROR_CORRUPT, "which is not finite, or beyond a float"},
        {"a,y\n1,1\n,1\n", ERROR_CORRUPT,
         "line 3, column a holds '': a value is missing; missing: NUMBER puts a number in its place"},
        {"a,y\nNaN,1\n", ERROR_CORRUPT, "column a holds 'NaN': a value is missing"},
        {"a,y\n1,1.5\n2,\n", ERROR_CORRUPT,
         "line 3, column y holds '': a target is missing; leave the row out of the file"},
        {"a,y\n1,nan\n2,1\n", ERROR_CORRUPT, "line 2, column y holds 'nan': a target is missing"},
        {"a,y\n1,nan\n", ERROR_CORRUPT, "a target is missing"},
        {"a,y\n1,1.5\n2,1..5\n", ERROR_CORRUPT,
         "line 3, column y holds '1..5', which is no number, but others of the column are: repair it, or"},
        {"a,y\n1,1.5\n2,inf\n", ERROR_CORRUPT, "column y holds 'inf', which is not finite"},
        {"a,y\n1,-1\n2,1\n", ERROR_USAGE,
         "line 2, column y holds '-1': labels are whole numbers from 0 on; of a quantity: task: regression"},
        {"a,y\n1,250000\n", ERROR_USAGE,
         "column y holds '250000': as labels its whole numbers would be more than 65536 classes; if it is a quantity: "
         "task: regression"},
        {"y\n1\n", ERROR_USAGE, "has no column besides the targets"},
        {",y\n1,1\n", ERROR_USAGE, "column 1 has no name, and may be a mere number of the row: name the inputs"},
        {"a,z\n1,1\n", ERROR_USAGE, "has no column y; it has a, z"},
        {"1.5,2\n1,1\n", ERROR_USAGE, "has no column y; it has 1.5, 2; if its first line is data: header: false"},
        {"a;y\n1;1\n", ERROR_USAGE, "has no column y; it has a;y; is the separator another one (separator), or is it a text"},
        {"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v\n1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1\n", ERROR_USAGE,
         "r, s, t and 2 more"},
    };
    struct fixture fixture;
    for (size_t i = 0; i < COUNT(cases); i++) {
        fixture_init(&fixture, "a", cases[i].text);
        expect(&fixture, NULL, cases[i].kind, cases[i].words);
    }
}

static void long_fields_are_shown_shortened(void)
{
    struct fixture fixture;
    struct text text;
    text_init(&text);
    text_append(&text, "a,y\n\"");
    for (int i = 0; i < 5000; i++)
        text_append(&text, "\"\"\u00e9");
    text_append(&text, "\",1\n");
    fixture_init(&fixture, "a", text_bytes(&text));
    expect(&fixture, NULL, ERROR_CORRUPT, "...', which is no number");
    text_release(&text);
}

/* One fault each, in a good job. */
static void settings_that_do_not_fit_are_refused(void)
{
    static char a[] = "a", c[] = "c", x[] = "x", y[] = "y", none[] = "none";
    static const struct {
        char *targets[2], *inputs[2], *categories[1];
        const char *words;
    } cases[] = {
        {{none}, {0}, {0}, "has no column none; it has a, x, c, y"},
        {{y}, {a, none}, {0}, "has no column none; it has a, x, c, y"},
        {{y}, {a, a}, {0}, "column a is named twice in inputs"},
        {{y, y}, {a}, {0}, "column y is named twice in targets"},
        {{y}, {a, y}, {0}, "column y is among inputs and targets: it can be one"},
        {{y}, {a}, {c}, "categories names c, which is neither an input nor a target"},
        {{y, x}, {a}, {y}, "categories names the target y: categories are classes"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;
        fixture_init(&fixture, "a", "a,x,c,y\n1,2,red,0\n3,4,blue,1\n");
        memcpy(fixture.targets, cases[i].targets, sizeof cases[i].targets);
        memcpy(fixture.inputs, cases[i].inputs, sizeof cases[i].inputs);
        memcpy(fixture.categories, cases[i].categories, sizeof cases[i].categories);
        fixture.settings.target_count = cases[i].targets[1] ? 2 : 1;
        fixture.settings.input_count = cases[i].inputs[1] ? 2 : cases[i].inputs[0] ? 1 : 0;
        fixture.settings.category_count = cases[i].categories[0] ? 1 : 0;
        expect(&fixture, NULL, ERROR_USAGE, cases[i].words);
    }
}

static void numbers_of_settings_that_do_not_fit_are_refused(void)
{
    static const struct {
        struct csv_settings settings; /* the numbers of it, if not 0 */
        const char *words;
    } cases[] = {
        {{.first = 3}, "first is 3, but "},
        {{.first = 1, .count = 3}, "count is 3, but from row 1 on (counted from 0) "},
        {{.part = {0.1, 0.2}}, "part [0.1, 0.2] of the 3 rows of "},
        {{.part = {0, 0.5}, .first = 1}, "holds only 1 row in this part"},
        {{.classes = 2}, "line 4, column y holds '2', but there are only 2 classes, 0 to 1"},
        {{.label_offset = 1}, "line 2, column y holds '0': labels are whole numbers from 1 on"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;
        fixture_init(&fixture, "a", "a,y\n1,0\n3,1\n5,2\n");
        const struct csv_settings *numbers = &cases[i].settings;
        fixture.settings.first = numbers->first;
        fixture.settings.count = numbers->count;
        fixture.settings.classes = numbers->classes;
        fixture.settings.label_offset = numbers->label_offset;
        if (numbers->part[1] > 0)
            memcpy(fixture.settings.part, numbers->part, sizeof numbers->part);
        expect(&fixture, NULL, ERROR_USAGE, cases[i].words);
    }
}

static void a_part_that_no_job_file_can_say_is_refused(void)
{
    struct fixture fixture;
    struct dataset dataset;
    struct error error = {0};
    fixture_init(&fixture, "a", "a,y\n1,0\n3,1\n");
    fixture.settings.part[1] = 2;
    bool opened = open_fixture(&fixture, NULL, &dataset, &error);
    check_refused(opened, &error, ERROR_USAGE, "the dataset has part [0, 2]: 0 <= first < second <= 1 is needed", "");
    dataset_close(&dataset);
}

static void a_task_that_the_target_does_not_have_is_refused(void)
{
    static char z[] = "z";
    struct fixture fixture;
    fixture_init(&fixture, "a", "a,z,y\n1,2,0.5\n");
    fixture.settings.task = CSV_CLASSES;
    expect(&fixture, NULL, ERROR_USAGE, "line 2, column y holds '0.5': labels are whole numbers from 0 on");
    fixture.targets[1] = z;
    fixture.settings.target_count = 2;
    expect(&fixture, NULL, ERROR_USAGE, "classes have one target, but targets names 2 columns");
    fixture_init(&fixture, "a", "a,z,y\n1,2,0.5\n1,2,cat\n");
    fixture.settings.task = CSV_REGRESSION;
    expect(&fixture, NULL, ERROR_CORRUPT, "line 3, column y holds 'cat', which is no number");
}

static void keys_of_labels_are_for_labels(void)
{
    static char c[] = "c";
    static const struct {
        const char *text;
        enum csv_task task;
        bool categories; /* the target's */
        uint64_t classes, label_offset;
        const char *words;
    } cases[] = {
        {"a,c\n1,2\n", CSV_REGRESSION, false, 0, 1, "but the target c holds a quantity"},
        {"a,c\n1,2\n", CSV_REGRESSION, false, 3, 0, "but the target c holds a quantity"},
        {"a,c\n1,2.5\n", CSV_AUTO, false, 0, 1, "but the target c holds a quantity"},
        {"a,c\n1,2\n", CSV_AUTO, true, 0, 1, "but the target c holds names"},
        {"a,c\n1,cat\n", CSV_AUTO, false, 3, 0, "but the target c holds names"},
        {"a,c\n1,cat\n", CSV_REGRESSION, true, 0, 0, "categories are classes, of which there can be one target"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture fixture;
        fixture_init(&fixture, "a", cases[i].text);
        fixture.targets[0] = fixture.categories[0] = c;
        fixture.settings.category_count = cases[i].categories;
        fixture.settings.task = cases[i].task;
        fixture.settings.classes = cases[i].classes;
        fixture.settings.label_offset = cases[i].label_offset;
        expect(&fixture, NULL, ERROR_USAGE, cases[i].words);
    }
}

static void a_column_has_so_many_categories_and_no_more(void)
{
    struct fixture fixture;
    struct text text;
    text_init(&text);
    text_append(&text, "a,y\n");
    for (int i = 0; i < 10000; i++)
        text_append(&text, "1,v%d\n", i);
    fixture_init(&fixture, "a", text_bytes(&text));
    struct dataset dataset = open_good(&fixture, NULL);
    CU_ASSERT_EQUAL(dataset.about.form.classes, 10000);
    dataset_close(&dataset);
    text_append(&text, "1,w\n");
    fixture_write(&fixture, text_bytes(&text), text.length);
    expect(&fixture, NULL, ERROR_USAGE, "column y holds 'w', which is one value too many: a column of categories can");
    text_release(&text);
}

static void first_lines_that_are_names_are_told(void)
{
    static char second[] = "2";
    struct fixture fixture;
    fixture_init(&fixture, "a", "a,y\n1,2\n");
    fixture.targets[0] = second;
    fixture.settings.header = false;
    expect(&fixture, NULL, ERROR_CORRUPT, "; if the first line holds names: header: true");
}

static void validation_data_that_does_not_fit_is_refused(void)
{
    static char a[] = "a", b[] = "b", c[] = "c";
    struct fixture fixture, other;
    fixture_init(&fixture, "a", "a,b,c,y\n1,2,red,cat\n3,4,blue,dog\n");
    fixture.categories[0] = c;
    fixture.settings.category_count = 1;
    struct dataset train = open_good(&fixture, NULL);
    fixture_init(&other, "b", "a,b,c,y\n1,2,green,cat\n");
    expect(&other, &train, ERROR_USAGE,
           "line 2, column c holds 'green', which is no value of this column in the training data (1 row has such a "
           "value): correct it, or have it taken for none: unknown: none");
    other.settings.unknown = CSV_UNKNOWN_NONE;
    struct dataset none = open_good(&other, &train);
    dataset_close(&none);
    fixture_init(&other, "b", "a,b,c,y\n1,2,red,cow\n");
    expect(&other, &train, ERROR_USAGE, "line 2, column y holds 'cow', which is no value of this column");
    fixture_init(&other, "b", "a,c,y\n1,red,cat\n");
    expect(&other, &train, ERROR_USAGE, "has no column b; it has a, c, y");
    fixture_init(&other, "b", "a,b,c,y\n1,2,red,cat\n");
    other.inputs[0] = b;
    other.inputs[1] = a;
    other.inputs[2] = c;
    other.settings.input_count = 3;
    expect(&other, &train, ERROR_USAGE, "inputs has b where it is a in the training data: both must be equal");
    other.settings.input_count = 1;
    expect(&other, &train, ERROR_USAGE, "inputs names 1 column, but of the training data 3: both must be equal");
    dataset_close(&train);

    fixture_init(&fixture, "a", "a,y\n1,0\n3,1\n");
    train = open_good(&fixture, NULL);
    fixture_init(&other, "b", "a,y\n1,2\n");
    expect(&other, &train, ERROR_USAGE,
           "column y holds '2', but there are only 2 classes, 0 to 1; of a quantity: task: regression, of the");
    fixture_init(&other, "b", "a,y\n1,1\n3,2\n");
    other.settings.label_offset = 1;
    expect(&other, &train, ERROR_USAGE, "label_offset is 1, but that of the training data 0");
    fixture_init(&other, "b", "a,y\n1,1\n");
    other.settings.classes = 3;
    expect(&other, &train, ERROR_USAGE, "classes is 3, but of the training data 2: both must be equal");
    other.settings.classes = 0;
    other.settings.task = CSV_REGRESSION;
    expect(&other, &train, ERROR_USAGE, "task is regression, but the target y holds classes");
    other.settings.task = CSV_AUTO;
    other.categories[0] = a;
    other.settings.category_count = 1;
    expect(&other, &train, ERROR_USAGE, "categories names a, which is none in the training data");
    other.categories[0] = c;
    expect(&other, &train, ERROR_USAGE, "categories names c, which is neither an input nor a target");
    fixture_init(&other, "b", "a,y\n1,dog\n");
    expect(&other, &train, ERROR_CORRUPT, "column y holds 'dog', which is no number");
    dataset_close(&train);
    train.about = (struct description){.form = {{1, {1}}, .classes = 2, .terms = 1}}; /* of a format without names */
    expect(&other, &train, ERROR_USAGE, "only training data of format csv can tell");
}

static void what_is_no_file_is_refused(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a", "");
    CU_ASSERT_EQUAL(unlink(fixture.path), 0);
    expect(&fixture, NULL, ERROR_NOT_FOUND, "cannot open ");
    CU_ASSERT_EQUAL(mkfifo(fixture.path, 0600), 0);
    expect(&fixture, NULL, ERROR_USAGE, "is not a regular file: give the path of a CSV file");
    CU_ASSERT_EQUAL(unlink(fixture.path), 0);
    CU_ASSERT_EQUAL(mkdir(fixture.path, 0700), 0);
    expect(&fixture, NULL, ERROR_USAGE, "is a directory: give the path of a CSV file");
    CU_ASSERT_EQUAL(rmdir(fixture.path), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"files that are no table are refused", files_that_are_no_table_are_refused},
        {"so many columns are another separator", so_many_columns_are_another_separator},
        {"fields that are no number are refused", fields_that_are_no_number_are_refused},
        {"long fields are shown shortened", long_fields_are_shown_shortened},
        {"settings that do not fit are refused", settings_that_do_not_fit_are_refused},
        {"numbers of settings that do not fit are refused", numbers_of_settings_that_do_not_fit_are_refused},
        {"a part that no job file can say is refused", a_part_that_no_job_file_can_say_is_refused},
        {"a task that the target does not have is refused", a_task_that_the_target_does_not_have_is_refused},
        {"keys of labels are for labels", keys_of_labels_are_for_labels},
        {"a column has so many categories, and no more", a_column_has_so_many_categories_and_no_more},
        {"first lines that are names are told", first_lines_that_are_names_are_told},
        {"validation data that does not fit is refused", validation_data_that_does_not_fit_is_refused},
        {"what is no file is refused", what_is_no_file_is_refused},
        {0},
    };
    return test_run("data/csv_refusals", cases);
}
