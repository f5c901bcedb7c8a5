/* Images in a directory of class directories, PNG and JPEG. They are decoded when a sample is read: each has to be then
 * what it was at the start, when all that are used were looked at, and digested. */
#include "data/folder.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rows.h"
#include "data/folder_files.h"
#include "data/formats.h"
#include "data/image_read.h"
#include "data/image_square.h"
#include "data/levels.h"
#include "data/part.h"

#include <string.h>

#define SIZE_MOST 8192

/* Where the directory lies may change: the digest of its content is compared when it is opened. */
static const struct option_row rows[] = {
    {"path",
     "path of the directory; it holds a directory for each class, in the order of the bytes of their names, and those "
     "hold PNG and JPEG files",
     FIELD(struct folder_settings, path), .path = PATH_READ, .resume = RESUME_FREE},
    {"size",
     "pixels of a side to which the square in the middle of each image is scaled; 0: all images have one size, and "
     "keep it",
     FIELD(struct folder_settings, size), WHOLE(0, SIZE_MOST), DEFAULT("0")},
    {"channels", "1 for grey, 3 for red, green and blue; what is transparent is put on white",
     FIELD(struct folder_settings, channels), WHOLE(1, 3), DEFAULT("3")},
    {"first", "the first sample of the part that is used, counted from 0", FIELD(struct folder_settings, first),
     ANY_FROM(0), DEFAULT("0")},
    {"count", "how many samples are used; 0 for all of the part from there on", FIELD(struct folder_settings, count),
     ANY_FROM(0), DEFAULT("0")},
    {"part",
     "where the samples begin and end that are used, as shares of all, in a fixed mixture of the classes: each part, "
     "first and count have every class in its share",
     FIELD(struct folder_settings, part), REAL(0, 1), DEFAULT("0", "1")},
    {"mean", "what is subtracted from each number of the inputs, a byte b being b / 255",
     FIELD(struct folder_settings, mean), REAL(-INFINITY, INFINITY), DEFAULT("0")},
    {"std", "what each number of the inputs is divided by after that", FIELD(struct folder_settings, std), POSITIVE,
     DEFAULT("1")},
    {0},
};

struct folder {
    struct folder_files files;
    struct levels levels;
    size_t first;              /* sample 0 among those of `files` */
    size_t size, channels;     /* size 0: as the images are */
    struct folder_bytes bytes; /* the file that is read */
    uint8_t *square;           /* [size, size, channels] */
};

static bool check(const void *given, const char **key, struct error *error)
{
    const struct folder_settings *settings = given;
    *key = "channels";
    if (settings->channels == 2)
        return error_set(error, ERROR_USAGE, "2 is not possible; allowed: 1 (grey) or 3 (red, green, blue)");
    *key = "part";
    return part_check(settings->part, error);
}

static void folder_close(struct dataset *dataset)
{
    struct folder *folder = dataset->self;
    folder_files_close(&folder->files);
    memory_free(folder->bytes.bytes);
    memory_free(folder->square);
    memory_free(folder);
}

/* ---- classes ---- */

/* Each class has images, and there are several. */
static bool check_classes(const struct folder_files *files, struct error *error)
{
    const char *path = files->directory.path;
    if (files->names.count < 2)
        return error_set(error, ERROR_USAGE,
                         "%s holds the directory of one class only, %s: there is nothing to tell apart", path,
                         files->names.names[0]);
    for (size_t i = 0; i < files->names.count; i++)
        if (files->classes[i].count == 0)
            return error_set(error, ERROR_USAGE,
                             "%s/%s holds no images: remove the directory, or put the images of this class there", path,
                             files->names.names[i]);
    return true;
}

/* Labels are those of the training data, some classes of which may be missing here. */
static bool take_classes(struct folder_files *files, const struct categories *known, struct error *error)
{
    for (size_t i = 0; i < files->names.count; i++) {
        const char *name = files->names.names[i];
        if (!categories_find(known, name, strlen(name), &files->classes[i].label))
            return error_set(error, ERROR_USAGE,
                             "%s/%s is a class that the training data does not have: rename the directory, or take it "
                             "out",
                             files->directory.path, name);
    }
    return true;
}

static bool set_classes(struct dataset *dataset, const struct description *train, struct error *error)
{
    struct folder_files *files = &((struct folder *)dataset->self)->files;
    const struct categories *known = train ? description_classes(train) : NULL;
    if (known ? !take_classes(files, known, error) : !check_classes(files, error))
        return false;
    known = known ? known : &files->names;
    struct column target = {.name = (char[]){"class"}, .is_category = true, .values = *known};
    dataset->about.form.classes = known->count;
    description_name(&dataset->about, NULL, 0, &target, 1);
    return true;
}

/* ---- the look at all that is used ---- */

#define SIZES_TOLD 4

/* The different sizes that the images have. */
struct sizes {
    struct size {
        size_t width, height, index; /* of the first such file */
    } of[SIZES_TOLD];
    size_t count;
    bool more;
};

static void add_size(struct sizes *sizes, const struct image *image, size_t index)
{
    size_t i = 0;
    while (i < sizes->count && (sizes->of[i].width != image->width || sizes->of[i].height != image->height))
        i++;
    if (i == SIZES_TOLD)
        sizes->more = true;
    else if (i == sizes->count)
        sizes->of[sizes->count++] = (struct size){image->width, image->height, index};
}

static bool refuse_sizes(const struct folder_files *files, const struct sizes *sizes, struct error *error)
{
    struct text words;
    text_init(&words);
    for (size_t i = 0; i < sizes->count; i++) {
        char *path = folder_files_path(files, sizes->of[i].index);
        text_append(&words, "%s%zu x %zu (%s)", i > 0 ? ", " : "", sizes->of[i].width, sizes->of[i].height, path);
        memory_free(path);
    }
    error_set(error, ERROR_USAGE, "the images have several sizes: %s%s; %s", text_bytes(&words),
              sizes->more ? " and others" : "",
              files->names.count > 0 ? "give size, to which all are scaled"
                                     : "scale them to that of the training data");
    text_release(&words);
    return false;
}

/* Reads a file that is used, and adds what it is. */
static bool look(struct dataset *dataset, size_t index, struct sizes *sizes, double *bytes, struct error *error)
{
    struct folder *folder = dataset->self;
    struct folder_files *files = &folder->files;
    struct image image;
    if (!folder_files_prove(files, index, &folder->bytes, error))
        return false;
    char *path = folder_files_path(files, index);
    struct image_file file = {folder->bytes.bytes, folder->bytes.count, path};
    bool ok = image_look(&file, &image, error);
    memory_free(path);
    if (!ok)
        return false;
    add_size(sizes, &image, index);
    *bytes += (double)folder->bytes.count;
    dataset->digest = digest_chain(dataset->digest, files->files[index].digest);
    dataset->digest = digest_chain(dataset->digest, files->classes[files->files[index].class].label);
    return true;
}

/* What the labels mean is part of the content. */
static uint64_t digest_names(const struct folder_files *files)
{
    uint64_t digest = 0;
    for (size_t i = 0; i < files->names.count; i++)
        digest = digest_chain(digest, digest_bytes(files->names.names[i], strlen(files->names.names[i])));
    return digest;
}

static bool look_at_all(struct dataset *dataset, struct error *error)
{
    struct folder *folder = dataset->self;
    struct sizes sizes = {.count = 0};
    double bytes = 0;
    dataset->digest = digest_names(&folder->files);
    for (size_t i = 0; i < dataset->count; i++)
        if (!look(dataset, folder->first + i, &sizes, &bytes, error))
            return false;
    if (folder->size == 0 && sizes.count > 1)
        return refuse_sizes(&folder->files, &sizes, error);
    size_t height = folder->size ? folder->size : sizes.of[0].height;
    size_t width = folder->size ? folder->size : sizes.of[0].width;
    dataset->about.form.input = (struct shape){3, {folder->channels, height, width}};
    dataset->about.form.terms = 1;
    dataset->sample_bytes = (size_t)(bytes / (double)dataset->count) + 1;
    return true;
}

/* What becomes of pixels. */
static bool set_pixels(struct dataset *dataset, const struct folder_settings *settings, struct error *error)
{
    struct folder *folder = dataset->self;
    folder->size = (size_t)settings->size;
    folder->channels = (size_t)settings->channels;
    dataset->mean = settings->mean;
    dataset->std = settings->std;
    folder->square = memory_alloc(folder->size * folder->size, folder->channels, settings->path, error);
    return folder->square && levels_set(&folder->levels, settings->mean, settings->std, error);
}

static bool load(struct dataset *dataset, const struct folder_settings *settings, const struct description *train,
                 struct error *error)
{
    struct folder *folder = dataset->self;
    struct folder_files *files = &folder->files;
    return set_pixels(dataset, settings, error) && folder_files_open(files, settings->path, error) &&
           set_classes(dataset, train, error) &&
           part_choose(settings->part, settings->first, settings->count, files->count, settings->path, &folder->first,
                       &dataset->count, error) &&
           look_at_all(dataset, error);
}

static struct folder *folder_begin(struct dataset *dataset)
{
    struct folder *folder = memory_need(1, sizeof *folder);
    directory_init(&folder->files.directory);
    dataset->self = folder;
    return folder;
}

static bool folder_open(struct dataset *dataset, const void *given, const struct description *train,
                        struct error *error)
{
    const struct folder_settings *settings = given;
    if (!settings->path || !*settings->path)
        return error_set(error, ERROR_USAGE, "a dataset of format folder needs the path of its directory");
    folder_begin(dataset);
    bool ok = load(dataset, settings, train, error);
    if (!ok)
        folder_close(dataset);
    return ok;
}

/* ---- images without classes ---- */

/* What the training data, of another format, says about pixels. */
static bool take_form(struct folder_settings *settings, const struct description *train, struct error *error)
{
    const struct shape *input = &train->form.input, grey = {3, {1, input->size[0], input->size[1]}};
    char shape[96];
    shape_text(input, shape, sizeof shape);
    if (input->dims == 2) /* the model reads images of one channel as sequences */
        input = &grey;
    if (input->dims != 3 || (input->size[0] != 1 && input->size[0] != 3))
        return error_set(error, ERROR_USAGE,
                         "%s: images cannot be samples of the shape %s, which the training data has", settings->path,
                         shape);
    settings->channels = input->size[0];
    settings->size = input->size[1] == input->size[2] ? input->size[1] : 0;
    log_warn("%s: pixels become numbers from 0 to 1: are those of the training data, of the format %s, such?",
             settings->path, train->format);
    return true;
}

static bool folder_open_inputs(struct dataset *dataset, const char *path, const void *like,
                               const struct description *train, struct error *error)
{
    struct folder_settings settings = {.mean = train->mean, .std = train->std > 0 ? train->std : 1};
    if (like)
        settings = *(const struct folder_settings *)like;
    settings.path = (char *)(uintptr_t)path;
    if (!like && !take_form(&settings, train, error))
        return false;
    struct folder *folder = folder_begin(dataset);
    bool ok = set_pixels(dataset, &settings, error) && folder_files_open_images(&folder->files, path, error);
    dataset->count = folder->files.count;
    ok = ok && look_at_all(dataset, error);
    if (!ok)
        folder_close(dataset);
    return ok;
}

static char *folder_name_of(const struct dataset *dataset, size_t index)
{
    const struct folder *folder = dataset->self;
    return folder_files_path(&folder->files, folder->first + index);
}

/* ---- reading ---- */

/* pixels: [height, width, channels]. */
static void take_pixels(const struct folder *folder, const uint8_t *pixels, size_t count, float *input)
{
    size_t channels = folder->channels;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < count; i++)
            input[c * count + i] = folder->levels.level[pixels[i * channels + c]];
}

/* The image, as the model sees it. */
static bool take_image(struct folder *folder, const struct image *image, const struct shape *shape, float *input,
                       struct error *error)
{
    size_t height = shape->size[1], width = shape->size[2];
    const uint8_t *pixels = image->bytes;
    if (folder->size > 0) {
        if (!image_square(image, folder->size, folder->square, error))
            return false;
        pixels = folder->square;
    }
    take_pixels(folder, pixels, height * width, input);
    return true;
}

static bool folder_read(const struct dataset *dataset, size_t index, struct leaf *leaf, size_t row, struct error *error)
{
    struct folder *folder = dataset->self;
    const struct folder_files *files = &folder->files;
    const struct shape *shape = &dataset->about.form.input;
    struct image image;
    if (!folder_files_read(files, folder->first + index, &folder->bytes, error))
        return false;
    char *path = folder_files_path(files, folder->first + index);
    struct image_file file = {folder->bytes.bytes, folder->bytes.count, path};
    bool ok = image_decode(&file, folder->channels, &image, error);
    memory_free(path);
    ok = ok && take_image(folder, &image, shape, leaf->inputs + row * shape_count(shape), error);
    image_release(&image);
    if (files->names.count > 0)
        leaf->labels[row] = (int32_t)files->classes[files->files[folder->first + index].class].label;
    return ok;
}

static const char *folder_source(const void *given, bool targets)
{
    const struct folder_settings *settings = given;
    (void)targets;
    return settings->path;
}

static enum recognition folder_knows(const uint8_t *bytes, size_t count)
{
    return !bytes || image_knows(bytes, count) ? FORMAT_YES : FORMAT_NO;
}

const struct dataset_class dataset_folder = {
    KIND_OF("folder", "images in a directory of class directories, PNG and JPEG", struct folder_settings, rows),
    .kind.check = check,
    .open = folder_open,
    .knows = folder_knows,
    .survey = survey_folder,
    .open_inputs = folder_open_inputs,
    .name_of = folder_name_of,
    .close = folder_close,
    .read = folder_read,
    .source = folder_source,
};
