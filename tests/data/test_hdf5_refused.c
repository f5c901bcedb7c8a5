/* HDF5 files that are damaged, or hold no numbers in rows: each is refused with words. */
#include "data/hdf5_trial.h"
#include "data/npy_file.h"
#include "h5/h5.h"
#include "support/test.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N = 6, F = 4 };

static const double features[N][F] = {{1, 2, 3, 4}, {5, 6, 7, 8}, {-1, -2, -3, -4}, {9, 9, 9, 9}};
static const int32_t labels[N] = {0, 1, 2, 0, 1, 2};
static char path[PATH_MAX];

static struct stored x_stored(void)
{
    return (struct stored){
        .memory = H5T_NATIVE_DOUBLE, .type = H5T_IEEE_F32LE, .dims = 2, .size = {N, F}, .values = features};
}

static struct stored y_stored(void)
{
    return (struct stored){.memory = H5T_NATIVE_INT32, .dims = 1, .size = {N}, .values = labels};
}

static void begin(void)
{
    snprintf(path, sizeof path, "%s", test_path("x.h5"));
}

static void expect_x(const struct stored *x, enum error_kind kind, const char *words)
{
    struct stored y = y_stored();
    struct hdf5_settings settings = trial_settings(path);
    trial_write_file(path, x, &y);
    trial_expect(&settings, kind, words);
}

static void expect_y(const struct stored *y, enum error_kind kind, const char *words)
{
    struct stored x = x_stored();
    struct hdf5_settings settings = trial_settings(path);
    trial_write_file(path, &x, y);
    trial_expect(&settings, kind, words);
}

static void what_is_not_numbers_in_rows_is_refused(void)
{
    hid_t text = H5Tcopy(H5T_C_S1), record = H5Tcreate(H5T_COMPOUND, 8), list = H5Tvlen_create(H5T_NATIVE_INT),
          array = H5Tarray_create2(H5T_NATIVE_INT, 1, (const hsize_t[]){2}), opaque = H5Tcreate(H5T_OPAQUE, 3),
          odd = H5Tcopy(H5T_NATIVE_INT32), brain = H5Tcopy(H5T_IEEE_F32LE);
    struct stored x = x_stored();
    begin();
    H5Tinsert(record, "r", 0, H5T_NATIVE_FLOAT);
    H5Tinsert(record, "i", 4, H5T_NATIVE_FLOAT);
    H5Tset_precision(odd, 20);
    H5Tset_fields(brain, 15, 7, 8, 0, 7);
    H5Tset_size(brain, 2);
    const struct {
        hid_t type;
        const char *words;
    } types[] = {{text, "x holds texts"},
                 {record, "x holds records"},
                 {list, "x holds lists"},
                 {array, "x holds arrays as elements"},
                 {opaque, "x holds bytes of no type"},
                 {H5T_NATIVE_LDOUBLE, "x holds unusual floats"},
                 {odd, "x holds unusual integers"},
                 {brain, "x holds unusual floats"}};
    x.values = NULL;
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        x.type = 0;
        x.memory = types[t].type;
        hid_t file = trial_create(path, false);
        hid_t create = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, x.size, NULL);
        H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY);
        H5Dclose(H5Dcreate2(file, "x", x.memory, space, H5P_DEFAULT, create, H5P_DEFAULT));
        H5Sclose(space);
        H5Pclose(create);
        struct stored y = y_stored();
        trial_write(file, "y", &y);
        H5Fclose(file);
        struct hdf5_settings settings = trial_settings(path);
        trial_expect(&settings, ERROR_VERSION, types[t].words);
        if (types[t].type != H5T_NATIVE_LDOUBLE)
            H5Tclose(types[t].type);
    }
}

static void shapes_that_are_none_are_refused(void)
{
    struct stored x = x_stored(), y = y_stored();
    begin();
    x.dims = 0;
    expect_x(&x, ERROR_VERSION, "x holds a single number: samples lie along the first axis");
    x = (struct stored){.memory = H5T_NATIVE_FLOAT, .dims = 2, .size = {0, 3}};
    expect_x(&x, ERROR_CORRUPT, "x");
    x = x_stored();
    x.dims = 6;
    memcpy(x.size, (const hsize_t[]){N, 1, 1, 1, 2, 2}, 6 * sizeof(hsize_t));
    expect_x(&x, ERROR_USAGE, "has the shape 6x1x1x1x2x2: inputs are");
    y.size[0] = 5;
    expect_y(&y, ERROR_CORRUPT, "x.h5: x holds 6 samples, but y targets of 5: they do not belong together");
    y = y_stored();
    y.dims = 2;
    memcpy(y.size, (const hsize_t[]){N, 1}, 2 * sizeof(hsize_t));
    x = x_stored();
    trial_write_file(path, &x, &y);
    struct hdf5_settings settings = trial_settings(path);
    trial_digest(&settings); /* labels [N, 1] are fine; so is one sample */
    x.size[0] = y.size[0] = 1;
    trial_write_file(path, &x, &y);
    trial_digest(&settings);
}

static void numbers_that_are_none_are_refused(void)
{
    double bad[N][F] = {{0}};
    struct stored x = x_stored(), y = y_stored();
    begin();
    bad[4][1] = __builtin_nan("");
    x.values = bad;
    expect_x(&x, ERROR_CORRUPT, "x.h5 (x): sample 4, value 1 is nan");
    trial_chunk(&x, 3, F, 0, 0);
    x.filters = "d";
    expect_x(&x, ERROR_CORRUPT, "x.h5 (x): sample 4, value 1 is nan");
    bad[4][1] = 1e39;
    x.type = H5T_IEEE_F64BE;
    expect_x(&x, ERROR_CORRUPT, "x.h5 (x): sample 4, value 1 is 1e+39, which is beyond a float");
    const int32_t negative[N] = {0, 1, -1}, large[N] = {0, 1, 1000000};
    y.values = negative;
    expect_y(&y, ERROR_USAGE, "x.h5 (y): sample 2 (counted from 0) has label -1");
    y.values = large;
    expect_y(&y, ERROR_USAGE, "x.h5 (y): sample 2 (counted from 0) has label 1000000: labels are below");
    const double halves[N] = {0, 0.5};
    y = (struct stored){.memory = H5T_NATIVE_DOUBLE, .dims = 1, .size = {N}, .values = halves};
    x = x_stored();
    trial_write_file(path, &x, &y);
    struct hdf5_settings settings = trial_settings(path);
    settings.samples.classes = 3;
    trial_expect(&settings, ERROR_USAGE, "holds floats (float64), which are targets of a regression");
}

static void what_is_elsewhere_is_refused(void)
{
    struct stored x = x_stored(), y = y_stored();
    char view[] = "view", outside[] = "outside", soft[] = "soft", far[] = "far", never[] = "never", group[] = "g",
         empty[] = "";
    begin();
    hid_t file = trial_create(path, true);
    trial_write(file, "x", &x);
    trial_write(file, "y", &y);
    trial_write(file, "g/inner", &x);
    hid_t create = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, x.size, NULL);
    H5Pset_virtual(create, space, "other.h5", "x", space);
    H5Dclose(H5Dcreate2(file, view, H5T_IEEE_F32LE, space, H5P_DEFAULT, create, H5P_DEFAULT));
    H5Pclose(create);
    create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(create, "/etc/passwd", 0, H5F_UNLIMITED);
    H5Dclose(H5Dcreate2(file, outside, H5T_IEEE_F32LE, space, H5P_DEFAULT, create, H5P_DEFAULT));
    H5Pclose(create);
    H5Sclose(space);
    H5Lcreate_soft("/x", file, soft, H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("other.h5", "x", file, far, H5P_DEFAULT, H5P_DEFAULT);
    x.values = NULL;
    trial_write(file, never, &x);
    H5Fclose(file);
    const struct {
        char *name;
        enum error_kind kind;
        const char *words;
    } wrong[] = {
        {view, ERROR_VERSION, "view has its numbers in other files (a virtual dataset)"},
        {outside, ERROR_VERSION, "outside has its numbers in other files (external storage): h5repack"},
        {soft, ERROR_VERSION, "soft is a link to another place"},
        {far, ERROR_VERSION, "far is a link to another place"},
        {never, ERROR_CORRUPT, "never cannot be read, was never written"},
        {group, ERROR_NOT_FOUND, "there is no dataset g: it has"},
        {empty, ERROR_USAGE, "needs the names of x and y"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct hdf5_settings settings = trial_settings(path);
        settings.x = wrong[i].name;
        trial_expect(&settings, wrong[i].kind, wrong[i].words);
    }
}

static void attributes_that_cannot_be_applied_are_refused(void)
{
    static const char *const names[] = {"scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned"};
    struct stored x = x_stored(), y = y_stored();
    begin();
    hid_t text = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(text, 4);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        hid_t file = trial_create(path, false), dataset = trial_put(file, "x", &x);
        hid_t attribute = H5Acreate2(dataset, names[i], text, space, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(attribute, text, "0.1");
        H5Aclose(attribute);
        H5Dclose(dataset);
        trial_write(file, "y", &y);
        H5Fclose(file);
        struct hdf5_settings settings = trial_settings(path);
        trial_expect(&settings, ERROR_VERSION, names[i]);
    }
    H5Tclose(text);
    H5Sclose(space);
}

static void other_filters_are_named(void)
{
    struct stored x = x_stored(), y = y_stored();
    begin();
    hid_t create = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, x.size, NULL);
    H5Pset_chunk(create, 2, (const hsize_t[]){2, F});
    H5Pset_scaleoffset(create, H5Z_SO_INT, 0);
    hid_t file = trial_create(path, false);
    hid_t dataset = H5Dcreate2(file, "x", H5T_NATIVE_INT32, space, H5P_DEFAULT, create, H5P_DEFAULT);
    H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, features);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(create);
    trial_write(file, "y", &y);
    H5Fclose(file);
    struct hdf5_settings settings = trial_settings(path);
    trial_expect(&settings, ERROR_VERSION,
                 "x is packed by the filter scaleoffset (6), which is not read here: h5repack");
}

static void files_that_do_not_fit_are_named(void)
{
    struct stored x = x_stored(), y = y_stored();
    begin();
    trial_write_file(test_path("b0.h5"), &x, &y);
    x.type = H5T_IEEE_F64LE;
    trial_write_file(test_path("b1.h5"), &x, &y);
    struct hdf5_settings settings = trial_settings(test_path("b*.h5"));
    trial_expect(&settings, ERROR_CORRUPT, "b1.h5 (x) holds float64, but ");
    x.type = H5T_IEEE_F32LE;
    x.size[0] = N * 2;
    x.size[1] = F / 2;
    y.size[0] = N * 2;
    y.values = NULL;
    y.memory = H5T_NATIVE_INT32;
    int32_t many[2 * N] = {0};
    y.values = many;
    trial_write_file(test_path("b1.h5"), &x, &y);
    trial_expect(&settings, ERROR_CORRUPT, "b1.h5 (x) has the shape 12x2, but ");
}

static void other_files_are_told_what_they_are(void)
{
    struct hdf5_settings settings;
    begin();
    npy_file_write(path, "\223NUMPY\1\0...", 12);
    settings = trial_settings(path);
    trial_expect(&settings, ERROR_CORRUPT, "x.h5 is not an HDF5 file, but a NumPy file: format: npy");
    npy_file_write(path, "CDF\1....", 8);
    trial_expect(&settings, ERROR_CORRUPT, "x.h5 is not an HDF5 file, but a NetCDF-3 file");
    npy_file_write(path, "1, 2\n", 5);
    trial_expect(&settings, ERROR_CORRUPT, "x.h5 is not an HDF5 file, but a text: format: csv");
    npy_file_write(path, "\1\2", 2);
    trial_expect(&settings, ERROR_CORRUPT, "x.h5 is not an HDF5 file: h5py and NetCDF-4 write such");
    npy_file_write(path, "", 0);
    trial_expect(&settings, ERROR_CORRUPT, "x.h5 is empty");
    CU_ASSERT_EQUAL(unlink(path), 0);
    trial_expect(&settings, ERROR_NOT_FOUND, "x.h5");
    CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
    trial_expect(&settings, ERROR_USAGE, "x.h5 is not a regular file: give the path of an HDF5 file");
    CU_ASSERT_EQUAL(unlink(path), 0);
    settings.path = NULL;
    trial_expect(&settings, ERROR_USAGE, "needs the path of its file");
}

static uint8_t *load(size_t *count)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(1 << 20);
    CU_ASSERT_FATAL(file && bytes);
    *count = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

static hsize_t place_of_chunk(hsize_t row)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), dataset = H5Dopen2(file, "x", H5P_DEFAULT);
    unsigned mask;
    haddr_t place = 0;
    hsize_t bytes;
    CU_ASSERT(H5Dget_chunk_info_by_coord(dataset, (const hsize_t[]){row, 0}, &mask, &place, &bytes) >= 0);
    H5Dclose(dataset);
    H5Fclose(file);
    return place;
}

static void damaged_chunks_are_named(void)
{
    static const char *const filters[] = {"d", "f", "df"};
    static const char *const words[] = {"inflate", "checksum (fletcher32)", "checksum (fletcher32)"};
    for (size_t f = 0; f < 3; f++) {
        struct stored x = x_stored(), y = y_stored();
        size_t count;
        begin();
        x.filters = filters[f];
        trial_chunk(&x, 4, F, 0, 0);
        trial_write_file(path, &x, &y);
        hsize_t place = place_of_chunk(4);
        uint8_t *bytes = load(&count);
        bytes[place + 3] ^= 0x55;
        npy_file_write(path, bytes, count);
        free(bytes);
        struct hdf5_settings settings = trial_settings(path);
        trial_expect(&settings, ERROR_CORRUPT, "x.h5 (x) is damaged: a chunk of samples 4 to 5 (counted from 0)");
        trial_expect(&settings, ERROR_CORRUPT, words[f]);
        settings.samples.count = 4;
        trial_digest(&settings);
    }
}

/* Opened or refused with words, and never anything else, whatever byte is another one and wherever the file ends. */
static void damaged_files_end_nothing(void)
{
    struct stored x = x_stored(), y = y_stored();
    size_t count;
    begin();
    x.filters = "sd";
    trial_chunk(&x, 2, F, 0, 0);
    trial_write_file(path, &x, &y);
    uint8_t *bytes = load(&count);
    for (size_t i = 0; i < count; i += 1 + i % 37) {
        struct hdf5_settings settings = trial_settings(path);
        struct dataset dataset;
        struct error error = {0};
        bytes[i] ^= 0xff;
        npy_file_write(path, bytes, i % 2 ? count : i + 1);
        bytes[i] ^= 0xff;
        if (trial_open(&settings, NULL, &dataset, &error))
            dataset_close(&dataset);
        else
            CU_ASSERT(strstr(error.text, "x.h5") && !strchr(error.text, '\n'));
    }
    free(bytes);
}

/* A petabyte that a short file claims. */
static void absurd_sizes_are_refused(void)
{
    struct stored x = x_stored();
    begin();
    x.values = NULL;
    x.size[0] = (hsize_t)1 << 40;
    x.size[1] = 256;
    trial_chunk(&x, (hsize_t)1 << 20, 256, 0, 0);
    expect_x(&x, ERROR_CORRUPT, "x cannot be read, was never written, or claims more than is there");
}

int main(void)
{
    h5_init();
    static const struct test_case cases[] = {
        {"what is not numbers in rows is refused", what_is_not_numbers_in_rows_is_refused},
        {"shapes that are none are refused", shapes_that_are_none_are_refused},
        {"numbers that are none are refused", numbers_that_are_none_are_refused},
        {"what is elsewhere is refused", what_is_elsewhere_is_refused},
        {"attributes that cannot be applied are refused", attributes_that_cannot_be_applied_are_refused},
        {"other filters are named", other_filters_are_named},
        {"files that do not fit are named", files_that_do_not_fit_are_named},
        {"other files are told what they are", other_files_are_told_what_they_are},
        {"damaged chunks are named", damaged_chunks_are_named},
        {"damaged files end nothing", damaged_files_end_nothing},
        {"absurd sizes are refused", absurd_sizes_are_refused},
        {0},
    };
    return test_run("data/hdf5_refused", cases);
}
