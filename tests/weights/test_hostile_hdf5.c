/* Damaged HDF5 files. Apart from the other formats, because HDF5 loses memory over them, which is not ours to find. */
#include "damage_support.h"
#include "h5/h5.h"

#include <zip.h>

static struct error error;

static void damaged_files_of_keras_give_an_error_or_other_numbers(void)
{
    make_files();
    read_damaged(&weights_keras, 60, 0);
}

/* The file of Keras in an archive, whose checksum it has to fail first, and without one. */
static void damaged_archives_of_keras_give_an_error_or_other_numbers(void)
{
    static const char config[] = "{\"config\":{\"layers\":[{\"class_name\":\"Dense\"}]}}";
    char *bytes;
    size_t count;
    make_files();
    CU_ASSERT_TRUE_FATAL(file_read(test_path("keras"), &bytes, &count, &error));
    for (size_t trial = 0; trial < 40; trial++) {
        int code;
        size_t length = count;
        char *copy = memory_need(count, 1);
        memcpy(copy, bytes, count);
        if (trial > 0)
            damage(copy, &length, 9, trial, 0, 4000);
        zip_t *archive = zip_open(test_path("keras archive"), ZIP_CREATE | ZIP_TRUNCATE, &code);
        CU_ASSERT_PTR_NOT_NULL_FATAL(archive);
        zip_file_add(archive, "metadata.json", zip_source_buffer(archive, "{}", 2, 0), 0);
        zip_file_add(archive, "config.json", zip_source_buffer(archive, config, sizeof config - 1, 0), 0);
        zip_file_add(archive, "model.weights.h5", zip_source_buffer(archive, copy, length, 0), 0);
        CU_ASSERT_EQUAL_FATAL(zip_close(archive), 0);
        error_clear(&error);
        bool ok = read_all(test_path("keras archive"), &error);
        CU_ASSERT_TRUE(ok || error.kind != ERROR_NONE);
        CU_ASSERT_TRUE(ok || trial > 0);
        memory_free(copy);
        if (trial == 0)
            read_damaged(&weights_keras_archive, 60, 500);
    }
    memory_free(bytes);
}

static void a_flipped_bit_of_our_own_weights_is_noticed_or_in_no_use(void)
{
    char *bytes;
    size_t count, unseen = 0;
    uint64_t sound = 0, digest = 0;
    make_files();
    CU_ASSERT_TRUE_FATAL(read_everything(test_path("weights"), &sound, &error));
    CU_ASSERT_TRUE_FATAL(file_read(test_path("weights"), &bytes, &count, &error));
    for (size_t trial = 0; trial < 120; trial++) {
        uint32_t dice[4];
        rng_words(7, trial, 0, dice);
        size_t at = dice[0] % count;
        bytes[at] ^= (char)(1 << dice[1] % 8);
        FILE *stream = fopen(test_path("damaged"), "wb");
        CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
        CU_ASSERT_EQUAL(fwrite(bytes, 1, count, stream), count);
        fclose(stream);
        if (read_everything(test_path("damaged"), &digest, &error))
            unseen += digest != sound;
        bytes[at] ^= (char)(1 << dice[1] % 8);
    }
    CU_ASSERT_EQUAL(unseen, 0);
    memory_free(bytes);
}

/* A few hundred bytes that claim to be 4 TB. */
static void a_dataset_without_its_values_is_refused(void)
{
    hid_t file = H5Fcreate(test_path("claim"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, (hsize_t[]){(hsize_t)1 << 40}, NULL);
    hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(layout, 1, (hsize_t[]){1 << 20});
    hid_t layers = H5Gcreate2(file, "layers", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t dataset = H5Dcreate2(layers, "a", H5T_IEEE_F32LE, space, H5P_DEFAULT, layout, H5P_DEFAULT);
    CU_ASSERT_TRUE_FATAL(dataset >= 0);
    h5_close(dataset);
    h5_close(layers);
    h5_close(layout);
    h5_close(space);
    h5_close(file);
    CU_ASSERT_FALSE(read_all(test_path("claim"), &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "layers/a cannot be read, or is not wholly in this file"));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"damaged files of Keras give an error, or other numbers",
         damaged_files_of_keras_give_an_error_or_other_numbers},
        {"damaged archives of Keras give an error, or other numbers",
         damaged_archives_of_keras_give_an_error_or_other_numbers},
        {"a flipped bit of our own weights is noticed, or in no use",
         a_flipped_bit_of_our_own_weights_is_noticed_or_in_no_use},
        {"a dataset without its values is refused", a_dataset_without_its_values_is_refused},
        {0}};
    h5_init();
    return test_run("weights/hostile_hdf5", cases);
}
