// A folder of images as data sets: files are found, ordered and split; then each is decoded and
// resized in its place in the tensor of its data set, by several threads.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "base/threads.h"
#include "base/warning.h"
#include "data/dataset.h"
#include "data/files.h"
#include "data/fit_image.h"
#include "tensor/tensor.h"
#include <string.h>

enum { SIZE_MAX_SIDE = 1 << 14 };

typedef struct job {
    const cj_load_image_folder_args *args;
    const cj__method *method;
    cj__fit fit;
    int channels;
    size_t image_bytes;
    cj__files files;
    bool *failed;          // for each file
    unsigned char *pixels; // of the files from `begin`
    int64_t begin;
} job;

static cj_status load_one(const job *j, const char *path, unsigned char *pixels)
{
    cj_tensor *image;
    CJ_TRY(cj_load_image(path, j->channels, &image));
    const cj_status status = cj__fit_image(image, j->method, j->fit, j->args->image_size[0],
                                           j->args->image_size[1], pixels);
    cj_release(image);
    return status;
}

static void load_range(void *context, int64_t begin, int64_t end)
{
    const job *j = context;
    for (int64_t i = begin; i < end; i++) {
        const int64_t file = j->begin + i;
        if (load_one(j, j->files.paths.items[file], j->pixels + (size_t)i * j->image_bytes) !=
            CJ_OK) {
            j->failed[file] = true;
            cj__error_forget(); // it is told in the order of the files, by the calling thread
        }
    }
}

// Reads a file again that another thread could not read, for its sentence. One that has come right
// in between is kept.
static cj_status ask_again(const job *j, int64_t file)
{
    const cj_status status = load_one(j, j->files.paths.items[file],
                                      j->pixels + (size_t)(file - j->begin) * j->image_bytes);
    if (status == CJ_OK)
        j->failed[file] = false;
    if (status == CJ_OK || status == CJ_OUT_OF_MEMORY || !j->args->skip_broken)
        return status;
    cj__warn("left out: %s", cj_error());
    cj_error_clear();
    return CJ_OK;
}

// Moves what could be read to the front; tells how many there are.
static int64_t close_gaps(const job *j, int64_t count)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++) {
        const int64_t file = j->begin + i;
        if (j->failed[file])
            continue;
        if (kept != i)
            memmove(j->pixels + (size_t)kept * j->image_bytes,
                    j->pixels + (size_t)i * j->image_bytes, j->image_bytes);
        j->files.labels[j->begin + kept++] = j->files.labels[file];
    }
    return kept;
}

static cj_status make_labels(const job *j, int64_t count, cj_tensor **labels)
{
    const char *mode = j->args->label_mode;
    const int64_t *from = j->files.labels + j->begin, classes = j->files.classes.count;
    if (strcmp(mode, "int") == 0) {
        CJ_TRY(cj_tensor_new(CJ_I32, CJ_SHAPE(count), labels));
        int32_t *to = (int32_t *)(*labels)->data;
        for (int64_t i = 0; i < count; i++)
            to[i] = (int32_t)from[i];
        return CJ_OK;
    }
    const int64_t width = strcmp(mode, "binary") == 0 ? 1 : classes;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(count, width), labels));
    float *to = (float *)(*labels)->data;
    memset(to, 0, (size_t)(count * width) * sizeof *to);
    for (int64_t i = 0; i < count; i++)
        to[i * width + (width > 1 ? from[i] : 0)] = width > 1 ? 1 : (float)from[i];
    return CJ_OK;
}

static cj_status make_set(job *j, cj_tensor *images, int64_t count, cj_dataset **data)
{
    cj_tensor *kept = NULL, *labels = NULL;
    if (count == 0)
        return cj__fail(CJ_BAD_FILE, "none of the images could be read");
    CJ_TRY(cj_tensor_slice(images, 0, 0, count, &kept));
    const cj_status status = make_labels(j, count, &labels);
    if (status != CJ_OK) {
        cj_release(kept);
        return status;
    }
    *data = cj_dataset(.x = {kept}, .y = {labels});
    if (!*data)
        return cj_error_status();
    return cj__dataset_name_classes(*data, j->files.classes.items, (int)j->files.classes.count);
}

static cj_status load_set(job *j, int64_t begin, int64_t count, cj_dataset **data)
{
    cj_tensor *images;
    const int64_t *size = j->args->image_size;
    CJ_TRY(cj_tensor_new(CJ_U8, CJ_SHAPE(count, size[0], size[1], j->channels), &images));
    j->begin = begin;
    j->pixels = (unsigned char *)images->data;
    cj_pool *pool = j->args->pool ? cj_retain(j->args->pool) : cj_pool_new(0);
    cj_status status = pool ? CJ_OK : cj_error_status();
    if (status == CJ_OK)
        cj__parallel(pool, count, 1, load_range, j);
    cj_release(pool);
    for (int64_t i = begin; status == CJ_OK && i < begin + count; i++)
        if (j->failed[i])
            status = ask_again(j, i);
    if (status == CJ_OK)
        status = make_set(j, images, close_gaps(j, count), data);
    cj_release(images); // the slice holds it
    return status;
}

// ---- arguments ----

static cj_status read_words(job *j)
{
    static const char *const modes[] = {"int", "categorical", "binary"};
    static const char *const colors[] = {"rgb", "grayscale"};
    const cj_load_image_folder_args *a = j->args;
    if (!a->color_mode || !a->label_mode)
        return cj__fail_null(a->color_mode ? "cj_load_image_folder: label_mode" :
                                             "cj_load_image_folder: color_mode");
    CJ_TRY(cj__method_find(a->interpolation, &j->method));
    if (strcmp(a->color_mode, colors[0]) != 0 && strcmp(a->color_mode, colors[1]) != 0)
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "cj_load_image_folder: color_mode \"%s\", it needs \"rgb\" or \"grayscale\"",
            a->color_mode);
    j->channels = strcmp(a->color_mode, colors[0]) == 0 ? 3 : 1;
    for (int i = 0; i < 3; i++)
        if (strcmp(a->label_mode, modes[i]) == 0)
            return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT,
                    "cj_load_image_folder: label_mode \"%s\", it needs \"int\", \"categorical\" or "
                    "\"binary\"",
                    a->label_mode);
}

static cj_status read_numbers(job *j, cj_dataset **validation)
{
    const cj_load_image_folder_args *a = j->args;
    const int64_t *size = a->image_size;
    if (size[0] < 1 || size[1] < 1 || size[0] > SIZE_MAX_SIDE || size[1] > SIZE_MAX_SIDE)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_load_image_folder: image_size %lld x %lld, each needs 1 to %d",
                        (long long)size[0], (long long)size[1], SIZE_MAX_SIDE);
    if (!(a->validation_split >= 0 && a->validation_split < 1))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_load_image_folder: validation_split %g, it needs 0 to below 1",
                        a->validation_split);
    if (a->validation_split > 0 && !validation)
        return cj__fail_null("cj_load_image_folder: the place for the validation data");
    if (a->crop_to_aspect_ratio && a->pad_to_aspect_ratio)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_load_image_folder: only one of crop_to_aspect_ratio and "
                        "pad_to_aspect_ratio can be true");
    j->fit = a->crop_to_aspect_ratio ? CJ__FIT_CROP :
             a->pad_to_aspect_ratio  ? CJ__FIT_PAD :
                                       CJ__FIT_STRETCH;
    j->image_bytes = (size_t)(size[0] * size[1] * j->channels);
    return CJ_OK;
}

static cj_status load_all(job *j, const char *folder, cj_dataset **train, cj_dataset **validation)
{
    CJ_TRY(cj__files_find(folder, j->args, &j->files));
    const int64_t count = j->files.paths.count;
    const int64_t held_out = (int64_t)(j->args->validation_split * (double)count);
    if (strcmp(j->args->label_mode, "binary") == 0 && j->files.classes.count != 2)
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "cj_load_image_folder: label_mode \"binary\" needs two classes, %s has %lld", folder,
            (long long)j->files.classes.count);
    if (j->args->validation_split > 0 && held_out == 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_load_image_folder: validation_split %g of %lld images is none",
                        j->args->validation_split, (long long)count);
    if (count > UINT32_MAX)
        return cj__fail(CJ_UNSUPPORTED, "%s: it has more than 2^32 images", folder);
    if (!(j->failed = cj__new((size_t)count, sizeof *j->failed)))
        return CJ_OUT_OF_MEMORY;
    if (j->args->shuffle)
        cj__files_shuffle(&j->files, j->args->seed);
    CJ_TRY(load_set(j, 0, count - held_out, train));
    return held_out > 0 ? load_set(j, count - held_out, held_out, validation) : CJ_OK;
}

CJ__DEFAULTS(load_image_folder, LOAD_IMAGE_FOLDER)

cj_status cj_load_image_folder_with(const char *folder, cj_dataset **train, cj_dataset **validation,
                                    const cj_load_image_folder_args *args)
{
    cj_load_image_folder_args given;
    if (!folder || !train)
        return cj__fail_null(folder ? "cj_load_image_folder: the place for the data set" :
                                      "cj_load_image_folder: the folder");
    *train = NULL;
    if (validation)
        *validation = NULL;
    CJ_TRY(cj__args_read("cj_load_image_folder", args, &load_image_folder_defaults, sizeof given,
                         &given));
    CJ_TRY(cj__pool_given(&given.pool, "cj_load_image_folder"));
    job j = {.args = &given};
    cj_status status = read_words(&j);
    if (status == CJ_OK)
        status = read_numbers(&j, validation);
    if (status == CJ_OK)
        status = load_all(&j, folder, train, validation);
    cj__files_free(&j.files);
    cj__free(j.failed);
    if (status != CJ_OK) {
        cj_release(*train);
        *train = NULL;
        if (validation) {
            cj_release(*validation);
            *validation = NULL;
        }
    }
    return status;
}
