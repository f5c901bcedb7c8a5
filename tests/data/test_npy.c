/* Files as numpy.save writes them: what their headers may say, and what is refused. */
#include "data/npy_trial.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

static void versions_and_gzip_are_the_same_data(void)
{
    static const char dictionary[] = "{\"shape\":(6,2),'descr':'<f4','fortran_order':False}";
    struct fixture fixture;
    fixture_init(&fixture);
    uint64_t digest = digest_of(&fixture);
    for (int version = 1; version <= 3; version++) {
        npy_file_make(&fixture.x, version, dictionary, features, sizeof features);
        fixture_write(&fixture);
        CU_ASSERT_EQUAL(digest_of(&fixture), digest);
    }
    gzFile file = gzopen(fixture.x_path, "wb");
    CU_ASSERT_EQUAL(gzwrite(file, fixture.x.bytes, (unsigned)fixture.x.count), (int)fixture.x.count);
    CU_ASSERT_EQUAL(gzclose(file), Z_OK);
    CU_ASSERT_EQUAL(digest_of(&fixture), digest);
}

/* Headers, in place of the inputs'; the values are those of the fixture. */
static const struct {
    const char *dictionary;
    enum error_kind kind;
    const char *words;
} headers[] = {
    {"{'descr': '<f4', 'fortran_order': True, 'shape': (6, 2), }", ERROR_USAGE,
     "numpy.save(FILE, numpy.ascontiguousarray(numpy.load(FILE)))"},
    {"{'descr': '|O', 'fortran_order': False, 'shape': (6, 2), }", ERROR_USAGE, "holds Python objects (type '|O')"},
    {"{'descr': '<c8', 'fortran_order': False, 'shape': (6, 1), }", ERROR_USAGE, "holds complex numbers"},
    {"{'descr': '<U2', 'fortran_order': False, 'shape': (6,), }", ERROR_USAGE,
     "numpy.unique(a, return_inverse=True)[1])"},
    {"{'descr': '|S8', 'fortran_order': False, 'shape': (6,), }", ERROR_USAGE, "holds texts"},
    {"{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (6,), }", ERROR_USAGE, "holds dates"},
    {"{'descr': '<f16', 'fortran_order': False, 'shape': (3,), }", ERROR_USAGE, "floats of another size"},
    {"{'descr': '\x1b<f4', 'fortran_order': False, 'shape': (3,), }", ERROR_USAGE, "not known (type '?<f4')"},
    {"{'descr': '', 'fortran_order': False, 'shape': (6, 2), }", ERROR_USAGE, "holds what is not known"},
    {"{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': (6,), }", ERROR_USAGE,
     "holds records (a structured type)"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (), }", ERROR_USAGE, "holds a single number"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2), }", ERROR_CORRUPT, "axis 1 of 2 has the size 0"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,6,2), }", ERROR_USAGE, "has 9 axes"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (6, 1, 1, 1, 1, 2), }", ERROR_USAGE,
     "has the shape 6x1x1x1x1x2"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (7, 2), }", ERROR_CORRUPT,
     "is truncated: 56 bytes of numbers expected, 48 there"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (5, 2), }", ERROR_CORRUPT, "is too long by 8 bytes"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", ERROR_CORRUPT,
     "promises more than 2^64 bytes"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551617, 2), }", ERROR_CORRUPT,
     "its header is not what NumPy writes"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (6, -2), }", ERROR_CORRUPT, "not what NumPy writes"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (6 2), }", ERROR_CORRUPT, "not what NumPy writes"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (6, 2", ERROR_CORRUPT, "not what NumPy writes"},
    {"{'descr': '<f4', 'fortran_order': False, }", ERROR_CORRUPT, "not what NumPy writes"},
    {"{'descr': '<f4', 'descr': '<f4', 'shape': (6, 2), }", ERROR_CORRUPT, "not what NumPy writes"},
    {"{'descr': '<f4', 'fortran_order': 0, 'shape': (6, 2), }", ERROR_CORRUPT, "not what NumPy writes"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (6, 2), 'more': 1}", ERROR_CORRUPT, "not what NumPy writes"},
    {"{'descr", ERROR_CORRUPT, "not what NumPy writes"},
    {"", ERROR_CORRUPT, "not what NumPy writes"},
    {"{'descr': '<i4', 'fortran_order': False, 'shape': (4, 3), }", ERROR_CORRUPT, "holds 4 samples, but"},
};

static void wrong_headers_are_refused_with_words(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        npy_file_make(&fixture.x, 1, headers[i].dictionary, features, sizeof features);
        fixture_write(&fixture);
        expect(&fixture, NULL, headers[i].kind, headers[i].words);
    }
}

static void other_files_are_named(void)
{
    static const struct {
        const char *bytes;
        size_t count;
        enum error_kind kind;
        const char *words;
    } files[] = {
        {"PK\3\4 and more", 13, ERROR_CORRUPT, "but a zip archive; if numpy.savez made it: format: npz"},
        {"\211HDF\r\n\032\n...", 11, ERROR_CORRUPT, "but an HDF5 file"},
        {"\0\0\010\3....", 8, ERROR_CORRUPT, "but an IDX file: format: idx"},
        {"1, 2, 3\n", 8, ERROR_CORRUPT, "is not a NumPy file, but a text: format: csv"},
        {"\223NUM", 4, ERROR_CORRUPT, "is not a NumPy file"},
        {"\223NUMPY\1", 7, ERROR_CORRUPT, "is truncated in its header: 10 bytes expected, 7 there"},
        {"\223NUMPY\1\0\1\1{", 11, ERROR_CORRUPT, "is truncated in its header: 267 bytes expected, 11 there"},
        {"\223NUMPY\2\0\377\377\377\377{", 13, ERROR_CORRUPT, "4294967307 bytes expected, 13 there"},
        {"\223NUMPY\4\0\1\1{", 11, ERROR_VERSION, "is of version 4.0 of NumPy's format"},
        {"", 0, ERROR_CORRUPT, "is empty"},
    };
    struct fixture fixture;
    fixture_init(&fixture);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        npy_file_write(fixture.x_path, files[i].bytes, files[i].count);
        expect(&fixture, NULL, files[i].kind, files[i].words);
    }
    remove(fixture.x_path);
    expect(&fixture, NULL, ERROR_NOT_FOUND, "x.npy: No such file");
    char directory[PATH_MAX];
    snprintf(directory, sizeof directory, "%s", test_path("."));
    fixture.settings.x = directory;
    expect(&fixture, NULL, ERROR_USAGE, "is a directory: give the path of a NumPy file");
    fixture.settings.x = NULL;
    expect(&fixture, NULL, ERROR_USAGE, "format npy needs the path of its x");
}

/* Checkpoints name their data by its digest. */
static void the_digest_is_golden(void)
{
    struct fixture fixture;
    fixture_init(&fixture);
    CU_ASSERT_EQUAL(digest_of(&fixture), 0xa07406c54edc8f28u);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"versions and gzip are the same data", versions_and_gzip_are_the_same_data},
        {"wrong headers are refused with words", wrong_headers_are_refused_with_words},
        {"other files are named", other_files_are_named},
        {"the digest is golden", the_digest_is_golden},
        {0},
    };
    return test_run("data/npy", cases);
}
