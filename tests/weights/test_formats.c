#include "h5/h5.h"
#include "weights_support.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static struct error error;

static void make(struct weights *weights)
{
    weights_init(weights);
    add_tensor(weights, "layers/0.dense/vars/weight", 2, (size_t[]){3, 5}, 1);
    add_tensor(weights, "layers/0.dense/vars/\"bias\"", 1, (size_t[]){3}, -7);
    add_tensor(weights, "layers/scalar", 0, NULL, 0.5f);
    add_tensor(weights, "layers/four", 4, (size_t[]){2, 1, 3, 2}, 100);
    weights->step = 1200;
    snprintf(weights->fingerprint, sizeof weights->fingerprint, "0123456789abcdef");
    weights->job = memory_text("run: a\n");
    weights->vocabulary = memory_text("\n \"a\\\xc3\xa4");
}

/* The tensor of that name in the file is that of the list. */
static void assert_tensor(const struct weights_file *file, const struct weights_tensor *expected)
{
    for (size_t i = 0; i < file->weights.count; i++) {
        const struct weights_tensor *tensor = &file->weights.tensors[i];
        if (strcmp(tensor->name, expected->name) != 0)
            continue;
        CU_ASSERT_EQUAL_FATAL(tensor->dims, expected->dims);
        CU_ASSERT_EQUAL(memcmp(tensor->shape, expected->shape, sizeof tensor->shape), 0);
        float values[64];
        CU_ASSERT_TRUE(weights_load(file, i, values, &error));
        CU_ASSERT_EQUAL(memcmp(values, expected->values, expected->count * sizeof *values), 0);
        return;
    }
    CU_FAIL("a tensor is missing");
}

static void every_format_gives_back_what_it_was_given(void)
{
    struct weights weights;
    make(&weights);
    for (size_t f = 0; weights_formats[f]; f++) {
        const struct weights_format *format = weights_formats[f];
        struct weights_file file;
        const char *path = test_path(format->name);
        CU_ASSERT_TRUE_FATAL(weights_write(format, path, &weights, &error));
        CU_ASSERT_TRUE_FATAL(weights_open(&file, path, false, &error));
        CU_ASSERT_PTR_EQUAL(file.format, format);
        CU_ASSERT_EQUAL(file.weights.count, weights.count);
        for (size_t i = 0; i < weights.count; i++)
            assert_tensor(&file, &weights.tensors[i]);
        weights_close(&file);
        weights_close(&file);
    }
    weights_release(&weights);
}

static void safetensors_and_our_own_say_where_they_come_from(void)
{
    struct weights weights;
    make(&weights);
    const struct weights_format *formats[] = {&weights_safetensors, &weights_lockstep};
    for (size_t f = 0; f < 2; f++) {
        struct weights_file file;
        const char *path = test_path("origin");
        CU_ASSERT_TRUE_FATAL(weights_write(formats[f], path, &weights, &error));
        CU_ASSERT_TRUE_FATAL(weights_open(&file, path, false, &error));
        CU_ASSERT_EQUAL(file.weights.step, 1200);
        CU_ASSERT_STRING_EQUAL(file.weights.fingerprint, "0123456789abcdef");
        CU_ASSERT_STRING_EQUAL(file.weights.vocabulary, weights.vocabulary);
        CU_ASSERT_TRUE(f == 0 || strcmp(file.weights.job, "run: a\n") == 0);
        weights_close(&file);
    }
    weights_release(&weights);
}

static void the_same_weights_are_the_same_bytes(void)
{
    struct weights weights;
    char *bytes[4][2];
    size_t counts[4][2];
    make(&weights);
    for (size_t i = 0; i < 2; i++) {
        if (i > 0) /* times are in whole seconds */
            usleep(1100000);
        for (size_t f = 0; weights_formats[f]; f++) {
            CU_ASSERT_TRUE(weights_write(weights_formats[f], test_path("twice"), &weights, &error));
            CU_ASSERT_TRUE_FATAL(file_read(test_path("twice"), &bytes[f][i], &counts[f][i], &error));
        }
    }
    for (size_t f = 0; weights_formats[f]; f++) {
        CU_ASSERT_EQUAL_FATAL(counts[f][0], counts[f][1]);
        CU_ASSERT_EQUAL(memcmp(bytes[f][0], bytes[f][1], counts[f][0]), 0);
        memory_free(bytes[f][0]);
        memory_free(bytes[f][1]);
    }
    weights_release(&weights);
}

static void the_header_of_safetensors_ends_at_a_multiple_of_8(void)
{
    struct weights weights;
    char *bytes, name[12] = "";
    size_t count;
    for (size_t i = 0; i < 9; i++) {
        const char *path = test_path("aligned");
        weights_init(&weights);
        name[i] = 'a';
        add_tensor(&weights, name, 1, (size_t[]){2}, 1);
        CU_ASSERT_TRUE(weights_write(&weights_safetensors, path, &weights, &error));
        CU_ASSERT_TRUE_FATAL(file_read(path, &bytes, &count, &error));
        CU_ASSERT_EQUAL((uint8_t)bytes[0] % 8, 0);
        memory_free(bytes);
        weights_release(&weights);
    }
}

/* In the directory of the test. */
static size_t count_hidden(void)
{
    size_t count = 0;
    char path[4096];
    snprintf(path, sizeof path, "%s", test_path("."));
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        count += strstr(entry->d_name, ".partial") != NULL;
    if (directory)
        closedir(directory);
    return count;
}

static void what_cannot_be_written_leaves_what_was_there(void)
{
    struct weights weights;
    struct stat info;
    make(&weights);
    for (size_t f = 0; weights_formats[f]; f++) {
        CU_ASSERT_FALSE(weights_write(weights_formats[f], test_path("no/where"), &weights, &error));
        CU_ASSERT_EQUAL(strncmp(error.text, test_path("no/where"), strlen(test_path("no/where"))), 0);
        CU_ASSERT_FALSE(weights_write(weights_formats[f], test_path(""), &weights, &error));
    }
    CU_ASSERT_TRUE(mkdir(test_path("full"), 0777) == 0);
    write_bytes(test_path("full/old"), "old", 3);
    for (size_t f = 0; weights_formats[f]; f++)
        CU_ASSERT_FALSE(weights_write(weights_formats[f], test_path("full"), &weights, &error));
    CU_ASSERT_TRUE(stat(test_path("full/old"), &info) == 0 && info.st_size == 3);
    CU_ASSERT_EQUAL(count_hidden(), 0);
    weights_release(&weights);
}

/* Of the name that a killed one has left nothing is taken, and it stays: somebody may be writing there. */
static void what_has_a_hidden_name_is_somebody_elses(void)
{
    struct weights weights;
    struct stat info;
    make(&weights);
    write_bytes(test_path(".new.partial"), "theirs", 6);
    write_bytes(test_path(".new.0123456789abcdef.partial"), "theirs", 6);
    for (size_t f = 0; weights_formats[f]; f++)
        CU_ASSERT_TRUE(weights_write(weights_formats[f], test_path("new"), &weights, &error));
    CU_ASSERT_TRUE(stat(test_path(".new.partial"), &info) == 0 && info.st_size == 6);
    CU_ASSERT_TRUE(stat(test_path(".new.0123456789abcdef.partial"), &info) == 0 && info.st_size == 6);
    CU_ASSERT_EQUAL(count_hidden(), 2);
    weights_release(&weights);
}

static void files_that_are_none_of_them_are_named(void)
{
    struct weights_file file;
    CU_ASSERT_FALSE(weights_open(&file, test_path("nothing"), false, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
    const char *contents[] = {"", "P", "PK\3\4", "\211HDF\r\n\032\n", "hello, this is a text", "\1\0\0\0\0\0\0\0{"};
    const size_t lengths[] = {0, 1, 4, 8, 21, 9};
    for (size_t i = 0; i < 6; i++) {
        write_bytes(test_path("strange"), contents[i], lengths[i]);
        CU_ASSERT_FALSE(weights_open(&file, test_path("strange"), false, &error));
        CU_ASSERT_TRUE(error.kind == ERROR_CORRUPT || error.kind == ERROR_IO);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "strange: "));
    }
    mkdir(test_path("directory"), 0777);
    CU_ASSERT_FALSE(weights_open(&file, test_path("directory"), false, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "is not a file"));
    mkfifo(test_path("pipe"), 0666);
    CU_ASSERT_FALSE(weights_open(&file, test_path("pipe"), false, &error));
}

static void only_a_checkpoint_has_averaged_weights(void)
{
    struct weights weights;
    struct weights_file file;
    make(&weights);
    CU_ASSERT_TRUE(weights_write(&weights_npz, test_path("plain"), &weights, &error));
    CU_ASSERT_FALSE(weights_open(&file, test_path("plain"), true, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    weights_release(&weights);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"every format gives back what it was given", every_format_gives_back_what_it_was_given},
        {"safetensors and our own say where they come from", safetensors_and_our_own_say_where_they_come_from},
        {"the same weights are the same bytes", the_same_weights_are_the_same_bytes},
        {"the header of safetensors ends at a multiple of 8", the_header_of_safetensors_ends_at_a_multiple_of_8},
        {"what cannot be written leaves what was there", what_cannot_be_written_leaves_what_was_there},
        {"what has a hidden name is somebody else's", what_has_a_hidden_name_is_somebody_elses},
        {"files that are none of them are named", files_that_are_none_of_them_are_named},
        {"only a checkpoint has averaged weights", only_a_checkpoint_has_averaged_weights},
        {0}};
    h5_init();
    return test_run("weights/formats", cases);
}
