/* What HDF5 is asked to open: only what has been looked at before, and that very file. */
#include "h5/h5.h"
#include "weights_support.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct error error;
static unsigned questions;  /* to HDF5, whether a file is one of its own */
static unsigned children;   /* that have looked at a file, so far */
static unsigned replace_at; /* behind this one another file comes in the place of the one that it has looked at */

/* In place of the libraries': these come first. */
htri_t H5Fis_hdf5(const char *path)
{
    (void)path;
    questions++;
    return 0;
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    pid_t ended = wait4(pid, status, options, NULL);
    if (ended > 0 && ++children == replace_at)
        CU_ASSERT_EQUAL(rename(test_path("other"), test_path("file")), 0);
    return ended;
}

static const char *crash_at; /* the attribute over which HDF5 ends whoever reads it */

hid_t H5Aopen(hid_t object, const char *name, hid_t access)
{
    hid_t (*real)(hid_t, const char *, hid_t);
    *(void **)&real = dlsym(RTLD_NEXT, "H5Aopen");
    if (crash_at && strcmp(name, crash_at) == 0)
        _exit(1); /* what a sandbox allows */
    return real(object, name, access);
}

static void write_weights(const char *path, float base)
{
    struct weights weights;
    weights_init(&weights);
    add_tensor(&weights, "layers/dense/vars/0", 1, (size_t[]){4}, base);
    CU_ASSERT_TRUE_FATAL(weights_write(&weights_keras, path, &weights, &error));
    weights_release(&weights);
}

static void a_file_that_was_not_rehearsed_is_not_read(void)
{
    write_weights(test_path("file"), 5);
    write_weights(test_path("other"), 7);
    CU_ASSERT_TRUE(read_all(test_path("file"), &error));
    children = 0;
    replace_at = 2; /* of two: which kind it is, and the rehearsal */
    CU_ASSERT_FALSE(read_all(test_path("file"), &error));
    CU_ASSERT_EQUAL(children, 2);
    CU_ASSERT_EQUAL(error.kind, ERROR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "another file has just come to its place"));
    replace_at = 0;
    CU_ASSERT_TRUE(read_all(test_path("file"), &error));
}

/* As a job that prunes does it to who looks at a checkpoint: that says nothing about the file. */
static void a_file_that_is_deleted_meanwhile_is_not_called_damaged(void)
{
    hid_t file;
    write_weights(test_path("deleted"), 5);
    int descriptor = open(test_path("deleted"), O_RDONLY);
    CU_ASSERT_TRUE(h5_open(descriptor, "deleted", H5F_ACC_RDONLY, &file, &error));
    h5_close(file);
    CU_ASSERT_EQUAL(unlink(test_path("deleted")), 0);
    CU_ASSERT_FALSE(h5_open(descriptor, "deleted", H5F_ACC_RDONLY, &file, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "deleted: was deleted or replaced while it was being opened"));
    close(descriptor);
}

static void what_ends_who_reads_an_attribute_ends_another_process(void)
{
    static const char *const attributes[] = {"version", "step", "fingerprint", "job", "vocabulary", "digest", NULL};
    struct weights weights;
    weights_init(&weights);
    add_tensor(&weights, "0.dense.bias", 1, (size_t[]){4}, 1);
    CU_ASSERT_TRUE_FATAL(weights_write(&weights_lockstep, test_path("own"), &weights, &error));
    weights_release(&weights);
    CU_ASSERT_TRUE(read_all(test_path("own"), &error));
    for (size_t i = 0; attributes[i]; i++) {
        crash_at = attributes[i];
        CU_ASSERT_FALSE(read_all(test_path("own"), &error));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "no answer from the process that looked at it"));
    }
    crash_at = NULL;
}

/* Whether it is taken for a checkpoint, with something in front of HDF5's signature. */
static bool is_checkpoint(size_t place, size_t bytes)
{
    static char content[5000];
    memset(content, 'x', sizeof content);
    memcpy(content + place, "\211HDF\r\n\032\n", 8);
    write_bytes(test_path("behind"), content, bytes);
    CU_ASSERT_FALSE(read_all(test_path("behind"), &error));
    return strstr(error.text, "not a lockstep checkpoint") != NULL;
}

static void signatures_are_looked_for_without_hdf5(void)
{
    questions = 0;
    CU_ASSERT_TRUE(is_checkpoint(512, 5000));
    CU_ASSERT_TRUE(is_checkpoint(512, 520));
    CU_ASSERT_TRUE(is_checkpoint(4096, 5000));
    CU_ASSERT_FALSE(is_checkpoint(513, 5000));
    CU_ASSERT_FALSE(is_checkpoint(1536, 5000));
    CU_ASSERT_FALSE(is_checkpoint(512, 519));
    CU_ASSERT_FALSE(is_checkpoint(512, 1));
    CU_ASSERT_EQUAL(questions, 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a file that was not rehearsed is not read", a_file_that_was_not_rehearsed_is_not_read},
        {"a file that is deleted meanwhile is not called damaged",
         a_file_that_is_deleted_meanwhile_is_not_called_damaged},
        {"what ends who reads an attribute ends another process",
         what_ends_who_reads_an_attribute_ends_another_process},
        {"signatures are looked for without HDF5", signatures_are_looked_for_without_hdf5},
        {0}};
    h5_init();
    int failed = test_run("weights/hdf5_open", cases);
    h5_release();
    return failed;
}
