/* HDF5 files as samples: every type, storage and filter; many files; what NetCDF says; and that nothing of how the
 * numbers lie shows. Files are written by HDF5 itself. */
#include "base/clock.h"
#include "data/formats.h"
#include "data/hdf5_trial.h"
#include "data/opening.h"
#include "h5/h5.h"
#include "support/test.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { N = 10, C = 2, H = 5, W = 3, X = C * H * W };

static float x_values[N][X];
static int32_t y_values[N];
static char path[PATH_MAX];

static struct stored x_stored(void)
{
    return (struct stored){.memory = H5T_NATIVE_FLOAT, .dims = 4, .size = {N, C, H, W}, .values = x_values};
}

static struct stored y_stored(void)
{
    return (struct stored){.memory = H5T_NATIVE_INT32, .dims = 1, .size = {N}, .values = y_values};
}

static void begin(const char *name)
{
    for (int i = 0; i < N; i++) {
        y_values[i] = i % 4;
        for (int k = 0; k < X; k++)
            x_values[i][k] = (float)(i * X + k) * (k % 2 ? 1 : -1) / 4;
    }
    snprintf(path, sizeof path, "%s", test_path(name));
}

/* Reads all samples, from the last to the first. */
static void check_samples(const struct hdf5_settings *settings)
{
    struct dataset dataset = trial_open_good(settings);
    struct error error;
    CU_ASSERT_EQUAL(dataset.count, N);
    CU_ASSERT(dataset.about.form.input.size[0] == C && dataset.about.form.input.size[1] == H &&
              dataset.about.form.input.size[2] == W);
    for (uint64_t i = N; i-- > 0;) {
        float inputs[X];
        int32_t label = -1;
        struct leaf leaf = {.inputs = inputs, .labels = &label};
        dataset_read(&dataset, &i, 1, &leaf);
        CU_ASSERT(label == y_values[i] && memcmp(inputs, x_values[i], sizeof inputs) == 0);
    }
    CU_ASSERT_FALSE(dataset_failed(&dataset, &error));
    dataset_close(&dataset);
}

static void storage_and_filters_do_not_show(void)
{
    static const char *const filters[] = {NULL, "d", "s", "f", "sd", "sdf", "fsd", "dsf", "fdf", "sfds"};
    static const hsize_t chunks[][4] = {{1, C, H, W}, {4, C, H, W}, {N, C, H, W}, {3, 1, 2, 2},
                                        {4, C, 3, W}, {1, 1, 1, 1}, {7, 2, 5, 1}};
    struct stored x = x_stored(), y = y_stored();
    begin("x.h5");
    struct hdf5_settings settings = trial_settings(path);
    trial_write_file(path, &x, &y);
    check_samples(&settings);
    uint64_t digest = trial_digest(&settings);
    x.inside = y.inside = true;
    trial_write_file(path, &x, &y);
    check_samples(&settings);
    CU_ASSERT_EQUAL(trial_digest(&settings), digest);
    x.inside = y.inside = false;
    y.chunk[0] = 4;
    for (size_t f = 0; f < sizeof filters / sizeof *filters; f++)
        for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++) {
            memcpy(x.chunk, chunks[c], sizeof chunks[c]);
            x.filters = y.filters = filters[f];
            trial_write_file(path, &x, &y);
            check_samples(&settings);
            CU_ASSERT_EQUAL(trial_digest(&settings), digest);
        }
}

/* Single chunk, implicit, fixed array, extensible array, B-tree; and chunks at the edge that no filter has touched. */
static void all_indices_of_chunks_are_read(void)
{
    begin("latest.h5");
    struct hdf5_settings settings = trial_settings(path);
    for (int i = 0; i < 10; i++) {
        hid_t file = trial_create(path, true), create = H5Pcreate(H5P_DATASET_CREATE);
        hsize_t size[] = {N, C, H, W}, most[] = {N, C, H, W}, chunk[] = {4, C, H, 2};
        if (i / 2 == 0)
            memcpy(chunk, size, sizeof chunk);
        if (i / 2 == 1)
            H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY);
        if (i / 2 >= 3)
            most[0] = H5S_UNLIMITED;
        if (i / 2 == 4)
            most[1] = H5S_UNLIMITED;
        H5Pset_chunk(create, 4, chunk);
        if (i % 2) {
            H5Pset_deflate(create, 3);
            H5Pset_chunk_opts(create, H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS);
        }
        hid_t space = H5Screate_simple(4, size, most);
        hid_t x = H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
        CU_ASSERT(H5Dwrite(x, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x_values) >= 0);
        H5Dclose(x);
        H5Sclose(space);
        H5Pclose(create);
        trial_write(file, "y",
                    &(struct stored){.memory = H5T_NATIVE_INT32, .dims = 1, .size = {N}, .values = y_values});
        H5Fclose(file);
        check_samples(&settings);
    }
}

static void chunks_may_be_absent_or_not_filtered(void)
{
    begin("absent.h5");
    struct hdf5_settings settings = trial_settings(path);
    struct stored x = x_stored(), y = y_stored();
    float fill = 2.5f;
    x.values = NULL;
    x.fill = &fill;
    x.filters = "sdf";
    trial_chunk(&x, 2, C, H, W);
    hid_t file = trial_create(path, false), dataset = trial_put(file, "x", &x);
    trial_write(file, "y", &y);
    for (hsize_t i = 0; i < N; i += 4) /* every second one, past the filters */
        CU_ASSERT(H5Dwrite_chunk(dataset, H5P_DEFAULT, 7, (const hsize_t[]){i, 0, 0, 0}, 2 * sizeof x_values[0],
                                 x_values[i]) >= 0);
    H5Dclose(dataset);
    H5Fclose(file);
    for (int i = 0; i < N; i++)
        for (int k = 0; i % 4 >= 2 && k < X; k++)
            x_values[i][k] = fill;
    check_samples(&settings);
}

/* In the file, and what becomes of 5, 6, 7... */
static void types_and_byte_orders_are_all_read(void)
{
    begin("types.h5");
    struct hdf5_settings settings = trial_settings(path);
    hid_t half = H5Tcopy(H5T_IEEE_F32LE), half_big, flag = H5Tenum_create(H5T_STD_I8LE);
    H5Tset_fields(half, 15, 10, 5, 0, 10);
    H5Tset_size(half, 2);
    H5Tset_ebias(half, 15);
    half_big = H5Tcopy(half);
    H5Tset_order(half_big, H5T_ORDER_BE);
    const hid_t types[] = {H5T_STD_I8LE,   H5T_STD_U8BE,   H5T_STD_I16LE,  H5T_STD_I16BE, H5T_STD_U16LE,
                           H5T_STD_U16BE,  H5T_STD_I32LE,  H5T_STD_I32BE,  H5T_STD_U32LE, H5T_STD_U32BE,
                           H5T_STD_I64LE,  H5T_STD_I64BE,  H5T_STD_U64LE,  H5T_STD_U64BE, H5T_IEEE_F32LE,
                           H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE, half,          half_big};
    struct stored x = x_stored(), y = y_stored();
    for (int i = 0; i < N; i++)
        for (int k = 0; k < X; k++)
            x_values[i][k] = (float)((i + k) % 100);
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        for (int chunked = 0; chunked < 2; chunked++) {
            x.type = types[t];
            y.type = t < 14 ? types[t] : 0;
            trial_chunk(&x, chunked ? 3 : 0, 1, H, W);
            x.filters = chunked ? "sd" : NULL;
            trial_write_file(path, &x, &y);
            check_samples(&settings);
        }
    for (int8_t i = 0; i < 2; i++)
        H5Tenum_insert(flag, i ? "TRUE" : "FALSE", &i);
    int8_t flags[N];
    for (int i = 0; i < N; i++)
        y_values[i] = flags[i] = (int8_t)(i % 2);
    struct stored bools = {.memory = flag, .dims = 1, .size = {N}, .values = flags};
    trial_write_file(path, &x, &bools);
    check_samples(&settings);
    H5Tclose(half);
    H5Tclose(half_big);
    H5Tclose(flag);
}

static void names_lead_through_groups(void)
{
    struct stored x = x_stored(), y = y_stored();
    char name_x[] = "a/b/images", name_y[] = "/a/labels";
    begin("groups.h5");
    hid_t file = trial_create(path, false);
    trial_write(file, name_x, &x);
    trial_write(file, name_y, &y);
    H5Fclose(file);
    struct hdf5_settings settings = trial_settings(path);
    trial_expect(&settings, ERROR_NOT_FOUND, "groups.h5: there is no dataset x: it has a/b/images, a/labels");
    settings.x = name_x;
    settings.y = name_y;
    check_samples(&settings);
}

/* Samples of one file in `files` of them, some in chunks. */
static void write_parts(const size_t *counts, size_t files)
{
    size_t first = 0;
    for (size_t i = 0; i < files; i++) {
        struct stored x = x_stored(), y = y_stored();
        char name[32];
        snprintf(name, sizeof name, "part%zu.h5", i);
        x.size[0] = y.size[0] = counts[i];
        x.values = x_values[first];
        y.values = &y_values[first];
        if (i % 2) {
            trial_chunk(&x, 2, C, 2, W);
            x.filters = "sd";
        }
        trial_write_file(test_path(name), &x, &y);
        first += counts[i];
    }
}

static void many_files_are_one_row_of_samples(void)
{
    begin("part0.h5");
    struct stored x = x_stored(), y = y_stored();
    trial_write_file(path, &x, &y);
    struct hdf5_settings settings = trial_settings(path);
    uint64_t digest = trial_digest(&settings);
    write_parts((const size_t[]){3, 2, 1, 4}, 4);
    settings = trial_settings(test_path("part*.h5"));
    check_samples(&settings);
    CU_ASSERT_EQUAL(trial_digest(&settings), digest);
    settings.samples.first = 4;
    settings.samples.count = 3;
    struct dataset dataset = trial_open_good(&settings);
    float inputs[3][X];
    int32_t labels[3];
    struct leaf leaf = {.inputs = inputs[0], .labels = labels};
    dataset_read(&dataset, (const uint64_t[]){2, 0, 1}, 3, &leaf);
    CU_ASSERT(memcmp(inputs[0], x_values[6], sizeof *inputs) == 0 && labels[1] == y_values[4]);
    CU_ASSERT(memcmp(inputs[2], x_values[5], sizeof *inputs) == 0);
    dataset_close(&dataset);

    x_values[4][7] = __builtin_nanf("");
    write_parts((const size_t[]){3, 2, 1, 4}, 4);
    trial_expect(&settings, ERROR_CORRUPT, "part1.h5 (x): sample 1, value 7 is nan");
}

static void inputs_alone_need_no_targets(void)
{
    begin("train.h5");
    struct stored x = x_stored(), y = y_stored();
    trial_write_file(path, &x, &y);
    struct hdf5_settings settings = trial_settings(path);
    struct dataset train = trial_open_good(&settings), inputs;
    trial_chunk(&x, 2, C, 2, W);
    x.filters = "sd";
    for (int i = 0; i < 2; i++) {
        hid_t file = trial_create(test_path(i ? "new1.h5" : "new0.h5"), false);
        trial_write(file, "pictures", &x);
        H5Fclose(file);
    }
    char name[] = "pictures";
    settings.x = name;
    settings.samples.first = 3; /* of the training data, and not of these */
    struct error error;
    bool ok = dataset_open_inputs(&inputs, test_path("new?.h5"), &(struct dataset_spec){&dataset_hdf5, &settings},
                                  &train.about, &error);
    check_opened(ok, &error);
    float values[X];
    struct leaf leaf = {.inputs = values};
    dataset_read(&inputs, (const uint64_t[]){N + 2}, 1, &leaf);
    CU_ASSERT(inputs.count == 2 * N && memcmp(values, x_values[2], sizeof values) == 0);
    dataset_close(&inputs);

    ok = dataset_open_inputs(&inputs, test_path("new0.h5"), &(struct dataset_spec){&dataset_npy, NULL}, &train.about,
                             &error);
    check_refused(ok, &error, ERROR_NOT_FOUND, "new0.h5: there is no dataset x", "it has pictures");
    dataset_close(&train);
}

static void put_attribute(hid_t dataset, const char *name, hid_t type, const void *value)
{
    hid_t space = H5Screate(H5S_SCALAR), attribute = H5Acreate2(dataset, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT(attribute >= 0 && H5Awrite(attribute, type, value) >= 0);
    H5Aclose(attribute);
    H5Sclose(space);
}

static void what_netcdf_says_is_applied(void)
{
    static int8_t small[N][X];
    struct stored x = x_stored(), y = y_stored();
    begin("scaled.h5");
    for (int i = 0; i < N; i++)
        for (int k = 0; k < X; k++) {
            small[i][k] = (int8_t)(i + k - 50);
            uint8_t meant = (uint8_t)small[i][k];
            x_values[i][k] = (float)(meant * 0.1 - 7);
        }
    x.memory = H5T_NATIVE_INT8;
    x.values = small;
    hid_t file = trial_create(path, false), dataset = trial_put(file, "x", &x), text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, H5T_VARIABLE);
    put_attribute(dataset, "scale_factor", H5T_NATIVE_DOUBLE, &(double){0.1});
    put_attribute(dataset, "add_offset", H5T_NATIVE_INT16, &(int16_t){-7});
    put_attribute(dataset, "_Unsigned", text, &(const char *){"true"});
    put_attribute(dataset, "_FillValue", H5T_NATIVE_INT8, &(int8_t){100});
    trial_write(file, "y", &y);
    H5Dclose(dataset);
    H5Fclose(file);
    H5Tclose(text);
    struct hdf5_settings settings = trial_settings(path);
    check_samples(&settings);

    small[3][4] = 100;
    file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    dataset = H5Dopen2(file, "x", H5P_DEFAULT);
    H5Dwrite(dataset, H5T_NATIVE_INT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, small);
    H5Dclose(dataset);
    H5Fclose(file);
    trial_expect(&settings, ERROR_CORRUPT, "(x): sample 3, value 4 (both counted from 0) is the fill value");
    settings.samples.first = 4;
    trial_digest(&settings);
}

static void scaled_integers_are_targets(void)
{
    struct stored x = x_stored(), y = y_stored();
    begin("targets.h5");
    y.size[0] = N;
    hid_t file = trial_create(path, false), dataset = trial_put(file, "y", &y);
    trial_write(file, "x", &x);
    put_attribute(dataset, "scale_factor", H5T_NATIVE_FLOAT, &(float){0.5f});
    H5Dclose(dataset);
    H5Fclose(file);
    struct hdf5_settings settings = trial_settings(path);
    struct dataset opened = trial_open_good(&settings);
    float inputs[X], target;
    struct leaf leaf = {.inputs = inputs, .targets = &target};
    dataset_read(&opened, (const uint64_t[]){3}, 1, &leaf);
    CU_ASSERT(opened.about.form.classes == 0 && opened.about.form.most == 1.5f && target == 1.5f);
    dataset_close(&opened);
}

/* More bands than are kept: 48 MB. */
static void bands_come_and_go(void)
{
    enum { ROWS = 12, WIDTH = 1 << 20 };
    static float wide[ROWS][WIDTH];
    int32_t labels[ROWS] = {0};
    begin("wide.h5");
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < WIDTH; k += 1000)
            wide[i][k] = (float)(i + k);
    trial_write_file(path,
                     &(struct stored){.memory = H5T_NATIVE_FLOAT,
                                      .dims = 2,
                                      .size = {ROWS, WIDTH},
                                      .values = wide,
                                      .chunk = {1, WIDTH},
                                      .filters = "sd"},
                     &(struct stored){.memory = H5T_NATIVE_INT32, .dims = 1, .size = {ROWS}, .values = labels});
    struct hdf5_settings settings = trial_settings(path);
    struct dataset dataset = trial_open_good(&settings);
    static float inputs[WIDTH];
    int32_t label;
    struct leaf leaf = {.inputs = inputs, .labels = &label};
    for (uint64_t i = 0; i < 40; i++) {
        uint64_t index = i * 7 % ROWS;
        dataset_read(&dataset, &index, 1, &leaf);
        CU_ASSERT(memcmp(inputs, wide[index], sizeof inputs) == 0);
    }
    dataset_close(&dataset);
}

static void an_index_of_many_chunks_takes_no_long(void)
{
    enum { MANY = 50000 };
    static uint8_t labels[MANY];
    begin("many.h5");
    for (int i = 0; i < MANY; i++)
        labels[i] = (uint8_t)(i % 7);
    trial_write_file(
        path, &(struct stored){.memory = H5T_NATIVE_UINT8, .dims = 1, .size = {MANY}, .values = labels, .chunk = {1}},
        &(struct stored){.memory = H5T_NATIVE_UINT8, .dims = 1, .size = {MANY}, .values = labels});
    struct hdf5_settings settings = trial_settings(path);
    double begin_s = clock_seconds();
    struct dataset dataset = trial_open_good(&settings);
    CU_ASSERT(clock_seconds() - begin_s < 20); /* one by one from the beginning would be minutes */
    dataset_close(&dataset);
}

static void a_change_in_place_is_proven(void)
{
    struct stored x = x_stored(), y = y_stored();
    begin("changed.h5");
    trial_write_file(path, &x, &y);
    struct hdf5_settings settings = trial_settings(path);
    struct dataset dataset = trial_open_good(&settings);
    struct error error;
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), open = H5Dopen2(file, "x", H5P_DEFAULT);
    x_values[1][1] = 7.25f;
    H5Dwrite(open, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x_values);
    H5Dclose(open);
    H5Fclose(file);
    CU_ASSERT(dataset_look(&dataset, &error) && dataset_is_touched(&dataset));
    CU_ASSERT(!dataset_prove(&dataset, &error) && strstr(error.text, "changed.h5 was changed while it was in use"));
    dataset_close(&dataset);
}

int main(void)
{
    h5_init();
    static const struct test_case cases[] = {
        {"storage and filters do not show", storage_and_filters_do_not_show},
        {"all indices of chunks are read", all_indices_of_chunks_are_read},
        {"chunks may be absent or not filtered", chunks_may_be_absent_or_not_filtered},
        {"types and byte orders are all read", types_and_byte_orders_are_all_read},
        {"names lead through groups", names_lead_through_groups},
        {"many files are one row of samples", many_files_are_one_row_of_samples},
        {"inputs alone need no targets", inputs_alone_need_no_targets},
        {"what NetCDF says is applied", what_netcdf_says_is_applied},
        {"scaled integers are targets", scaled_integers_are_targets},
        {"bands come and go", bands_come_and_go},
        {"an index of many chunks takes no long", an_index_of_many_chunks_takes_no_long},
        {"a change in place is proven", a_change_in_place_is_proven},
        {0},
    };
    return test_run("data/hdf5", cases);
}
