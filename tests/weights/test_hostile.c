/* Files from strangers: whatever their bytes are, there is an error with words, or a tensor; never a crash. Run under
 * AddressSanitizer these tests say the most. */
#include "damage_support.h"
#include "h5/h5.h"
#include "weights/npy.h"

#include <stdlib.h>
#include <zip.h>

static struct error error;

static void write_safetensors(const char *path, const char *header, size_t data)
{
    size_t length = strlen(header);
    char *bytes = memory_need(8 + length + data, 1);
    for (size_t b = 0; b < 8; b++)
        bytes[b] = (char)(length >> 8 * b);
    memcpy(bytes + 8, header, length);
    write_bytes(path, bytes, 8 + length + data);
    memory_free(bytes);
}

static void safetensors_with_a_header_that_lies_are_refused(void)
{
    static const struct {
        const char *header, *words;
    } cases[] = {
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}", "header"}, /* JSON without its end */
        {"{}x", "header"},
        {"{\"a\":1}", "entry a"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "entry a"},
        {"{\"a\":{\"dtype\":7,\"shape\":[2],\"data_offsets\":[0,8]}}", "entry a"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "entry a"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", "entry a"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":\"2\",\"data_offsets\":[0,8]}}", "entry a"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}", "entry a"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,9]}}", "entry a"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,9]}}", "do not fit"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", "do not fit"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}", "cut short"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "8 bytes of data"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "gap"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         "overlap"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", "elements"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", "elements"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1e30],\"data_offsets\":[0,0]}}", "entry a"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,0]}}", "header"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[2],"
         "\"data_offsets\":[0,8]}}",
         "header"},
        {"{\"a\\u001b[2J\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "control characters"},
        {"{\"a\\u0000b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "header"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_safetensors(test_path("lies"), cases[i].header, 8);
        bool refused = !read_all(test_path("lies"), &error) && error.kind == ERROR_CORRUPT &&
                       strstr(error.text, cases[i].words);
        CU_ASSERT_TRUE(refused);
        if (!refused)
            printf("%s: %s\n", cases[i].header, error.text);
    }
    write_safetensors(test_path("lies"), "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}  ", 8);
    CU_ASSERT_TRUE(read_all(test_path("lies"), &error));
    write_safetensors(test_path("lies"), "{\"a\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[0,0]}}", 0);
    CU_ASSERT_TRUE(read_all(test_path("lies"), &error));
    write_safetensors(test_path("lies"), "{\"__metadata__\":[1,{\"lockstep.step\":4}]}", 0);
    CU_ASSERT_TRUE(read_all(test_path("lies"), &error));
}

static void a_fingerprint_that_is_none_is_not_taken(void)
{
    static const char *const texts[] = {"0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF",
                                        "\\u001b[2J45678901234"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char header[200];
        struct weights_file file;
        snprintf(header, sizeof header, "{\"__metadata__\":{\"lockstep.fingerprint\":\"%s\"}}", texts[i]);
        write_safetensors(test_path("foreign"), header, 0);
        CU_ASSERT_TRUE_FATAL(weights_open(&file, test_path("foreign"), false, &error));
        CU_ASSERT_STRING_EQUAL(file.weights.fingerprint, "");
        weights_close(&file);
    }
}

static void a_json_nested_without_end_is_refused(void)
{
    size_t depth = 1000000;
    char *header = memory_need(depth + 10, 1);
    memcpy(header, "{\"a\":", 5);
    memset(header + 5, '[', depth);
    write_safetensors(test_path("deep"), header, 0);
    CU_ASSERT_FALSE(read_all(test_path("deep"), &error));
    memory_free(header);
}

static void types_that_are_no_floats_are_listed_but_not_loaded(void)
{
    struct weights_file file;
    float values[8];
    write_safetensors(test_path("types"),
                      "{\"i\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
                      "\"x\":{\"dtype\":\"F4_NEW\",\"shape\":[16],\"data_offsets\":[8,16]}}",
                      16);
    CU_ASSERT_TRUE_FATAL(weights_open(&file, test_path("types"), false, &error));
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_FALSE(weights_load(&file, i, values, &error));
        CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, file.weights.tensors[i].type));
    }
    weights_close(&file);
}

static void npy_headers_are_read_as_python_writes_them(void)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n", true},
        {"{\"shape\":(2,3),\"descr\":\"<f4\",\"fortran_order\":False}", true},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} {", false},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)", false},
        {"{'descr': '<f4', 'fortran_order': False}", false},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", false},
        {"{'descr': '<f4', 'fortran_order': maybe, 'shape': (2, 3)}", false},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3)}", false},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}", false},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,2,3)}", false},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 6}", false},
        {"{'descr': '<f4, 'fortran_order': False, 'shape': (2, 3)}", false},
        {"{'descr': <f4, 'fortran_order': False, 'shape': (2, 3)}", false},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551617,)}", false},
        {"{'other': '<f4', 'fortran_order': False, 'shape': (2, 3)}", false},
        {"", false},
        {"{", false},
        {"{'", false},
        {"{'descr'", false},
        {"{'descr':", false},
        {"{'descr':[", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct npy npy;
        bool good = npy_parse(cases[i].text, strlen(cases[i].text), &npy, &error);
        CU_ASSERT_EQUAL(good, cases[i].good);
        if (good)
            CU_ASSERT_TRUE(npy.header.dims == 2 && npy.header.size[0] == 2 && npy.header.size[1] == 3 &&
                           npy.bytes == 4);
        if (good != cases[i].good)
            printf("%s\n", cases[i].text);
    }
    static const struct {
        const char *type;
        enum floats_type floats;
        bool big;
    } types[] = {{"'<f4'", FLOATS_F32, false},
                 {"'>f4'", FLOATS_F32, true},
                 {"'<f2'", FLOATS_F16, false},
                 {"'<f8'", FLOATS_F64, false},
                 {"'<i8'", 0, false},
                 {"'|O'", 0, false},
                 {"'<f16'", 0, false},
                 {"'<U3'", 0, false},
                 {"[('a', '<f4'), ('b', '<i4')]", 0, false},
                 {"[('a[', [('b', '>f4')]), ('c]', '<i4', (2,))]", 0, false},
                 {"''", 0, false}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct npy npy;
        char text[200];
        snprintf(text, sizeof text, "{'descr': %s, 'fortran_order': True, 'shape': (), }", types[i].type);
        CU_ASSERT_TRUE(npy_parse(text, strlen(text), &npy, &error));
        CU_ASSERT_TRUE(npy.form.type == types[i].floats && npy.form.big_endian == types[i].big && npy.header.fortran);
    }
}

/* An archive with one entry. */
static void write_zip(const char *path, const char *name, const void *bytes, size_t count, bool compressed)
{
    int code;
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    CU_ASSERT_PTR_NOT_NULL_FATAL(archive);
    zip_source_t *source = zip_source_buffer(archive, bytes, count, 0);
    zip_int64_t index = zip_file_add(archive, name, source, 0);
    zip_set_file_compression(archive, (zip_uint64_t)index, compressed ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
    CU_ASSERT_EQUAL_FATAL(zip_close(archive), 0);
}

static void archives_whose_entries_lie_are_refused(void)
{
    struct text npy;
    const size_t shape[] = {1000, 1000};
    text_init(&npy);
    npy_write(2, shape, &npy);
    write_zip(test_path("lies.npz"), "a.npy", npy.bytes, npy.length, false);
    CU_ASSERT_FALSE(read_all(test_path("lies.npz"), &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "a.npy"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "does not fit its shape"));
    for (size_t length = 0; length < npy.length; length += 7) {
        write_zip(test_path("lies.npz"), "a.npy", npy.bytes, length, length % 2);
        CU_ASSERT_FALSE(read_all(test_path("lies.npz"), &error));
    }
    write_zip(test_path("lies.npz"), "a.npy", "a text\nand no array at all\n", 27, true);
    CU_ASSERT_FALSE(read_all(test_path("lies.npz"), &error));
    text_release(&npy);
}

/* Beside it lies "shard", which has tensor a. */
static void an_index_that_lies_is_refused(void)
{
    static const struct {
        const char *index, *words;
    } cases[] = {
        {"{", "no index"},
        {"{\"weight_map\":[]}", "weight_map is no object"},
        {"{\"weight_map\":{\"a\":\"shard\"}}x", "no index"},
        {"{\"weight_map\":{\"a\":7}}", "names of files beside it"},
        {"{\"weight_map\":{\"a\":\"\"}}", "names of files beside it"},
        {"{\"weight_map\":{\"a\":\"..\"}}", "names of files beside it"},
        {"{\"weight_map\":{\"a\":\"../shard\"}}", "names of files beside it"},
        {"{\"weight_map\":{\"a\":\"/etc/passwd\"}}", "names of files beside it"},
        {"{\"weight_map\":{\"a\":\"sh\\u001bard\"}}", "names of files beside it"},
        {"{\"weight_map\":{\"a\":\"elsewhere\"}}", "cannot open"},
        {"{\"weight_map\":{\"a\":\"index\"}}", "not of the format safetensors"},
        {"{\"weight_map\":{\"a\":\"shard\",\"b\\u001b\":\"shard\"}}", "says that \"b\\u001b\" is in shard"},
        {"{\"weight_map\":{\"a\":\"shard\",\"a\":\"shard\"}}", "no index"},
        {"{\"weight_map\":{\"a\":\"shard\",\"c\":\"copy\"}}", "two tensors of the name a"},
    };
    static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
    write_safetensors(test_path("shard"), header, 8);
    write_safetensors(test_path("copy"),
                      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                      "\"c\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
                      8);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_bytes(test_path("index"), cases[i].index, strlen(cases[i].index));
        bool refused = !read_all(test_path("index"), &error) && strstr(error.text, cases[i].words);
        CU_ASSERT_TRUE(refused);
        if (!refused)
            printf("%s: %s\n", cases[i].index, error.text);
    }
    static const char good[] = " {\"weight_map\":{\"a\":\"shard\"}}";
    write_bytes(test_path("index"), good, sizeof good - 1);
    CU_ASSERT_TRUE(read_all(test_path("index"), &error));
    write_bytes(test_path("index"), "{\"weight_map\":{}}", 17);
    CU_ASSERT_TRUE(read_all(test_path("index"), &error));
}

static void damaged_files_give_an_error_or_other_numbers(void)
{
    make_files();
    read_damaged(&weights_safetensors, 1000, 0);
    read_damaged(&weights_npz, 1000, 7000);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"safetensors with a header that lies are refused", safetensors_with_a_header_that_lies_are_refused},
        {"a fingerprint that is none is not taken", a_fingerprint_that_is_none_is_not_taken},
        {"a JSON nested without end is refused", a_json_nested_without_end_is_refused},
        {"types that are no floats are listed, but not loaded", types_that_are_no_floats_are_listed_but_not_loaded},
        {"npy headers are read as Python writes them", npy_headers_are_read_as_python_writes_them},
        {"archives whose entries lie are refused", archives_whose_entries_lie_are_refused},
        {"an index that lies is refused", an_index_that_lies_is_refused},
        {"damaged files give an error, or other numbers", damaged_files_give_an_error_or_other_numbers},
        {0}};
    h5_init();
    return test_run("weights/hostile", cases);
}
