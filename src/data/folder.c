// A folder of images as data sets: files are found, ordered and split; then each is decoded and
// resized in its place in the tensor of its data set, by several threads, or when it is needed.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "base/threads.h"
#include "base/warning.h"
#include "data/files.h"
#include "data/image.h"
#include "data/source.h"
#include <cajal/folders.h>
#include <cajal/streams.h>
#include <string.h>

static const char who[] = "cj_load_image_folder";

// What each image becomes.
typedef struct look {
    cj__look picture;
    int channels;
    cj__label_mode mode;
} look;

typedef struct job {
    const cj_load_image_folder_args *args;
    look look;
    size_t image_bytes;
    cj__files files;
    bool *failed;          // for each file
    unsigned char *pixels; // of the files from `begin`; NULL: they are only tried
    int64_t begin;
} job;

static cj_status load_one(const look *l, const char *path, void *pixels)
{
    return cj__load_fitted(path, l->channels, &l->picture, pixels);
}

static void load_range(void *context, int64_t begin, int64_t end)
{
    const job *j = context;
    unsigned char *tried = j->pixels ? NULL : cj__new(j->image_bytes, 1);
    for (int64_t i = begin; i < end; i++) {
        const int64_t file = j->begin + i;
        unsigned char *pixels = j->pixels ? j->pixels + (size_t)i * j->image_bytes : tried;
        if (pixels && load_one(&j->look, j->files.paths.items[file], pixels) == CJ_OK)
            continue;
        j->failed[file] = true;
        cj__error_forget(); // it is told in the order of the files, by the calling thread
    }
    cj__free(tried);
}

// Reads a file again that another thread could not read, for its sentence. One that has come right
// in between is kept.
static cj_status ask_again(const job *j, int64_t file)
{
    unsigned char *tried = NULL;
    unsigned char *pixels = j->pixels ? j->pixels + (size_t)(file - j->begin) * j->image_bytes :
                                        (tried = cj__new(j->image_bytes, 1));
    const cj_status status =
        pixels ? load_one(&j->look, j->files.paths.items[file], pixels) : CJ_OUT_OF_MEMORY;
    cj__free(tried);
    if (status == CJ_OK)
        j->failed[file] = false;
    if (status == CJ_OK || status == CJ_OUT_OF_MEMORY || !j->args->skip_broken)
        return status;
    cj__warn("left out: %s", cj_error());
    cj_error_clear();
    return CJ_OK;
}

// Decodes `count` files from `begin`, or tries whether that can be done.
static cj_status decode_all(job *j, int64_t begin, int64_t count, unsigned char *pixels)
{
    j->begin = begin;
    j->pixels = pixels;
    cj_pool *pool = j->args->pool ? cj_retain(j->args->pool) : cj_pool_new(0);
    cj_status status = pool ? CJ_OK : cj_error_status();
    if (status == CJ_OK)
        cj__parallel(pool, count, 1, load_range, j);
    cj_release(pool);
    for (int64_t i = begin; status == CJ_OK && i < begin + count; i++)
        if (j->failed[i])
            status = ask_again(j, i);
    return status;
}

// Moves what could be read to the front; tells how many there are.
static int64_t close_gaps(const job *j, int64_t count)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++) {
        const int64_t file = j->begin + i, to = j->begin + kept;
        if (j->failed[file])
            continue;
        if (j->pixels && kept != i)
            memmove(j->pixels + (size_t)kept * j->image_bytes,
                    j->pixels + (size_t)i * j->image_bytes, j->image_bytes);
        char *path = j->files.paths.items[to];
        j->files.paths.items[to] = j->files.paths.items[file];
        j->files.paths.items[file] = path;
        j->files.labels[to] = j->files.labels[file];
        kept++;
    }
    return kept;
}

static cj_status none_left(int64_t count)
{
    return count > 0 ? CJ_OK : cj__fail(CJ_BAD_FILE, "none of the images could be read");
}

// ---- In memory ----

static cj_status make_labels(const job *j, int64_t count, cj_tensor **labels)
{
    cj__type type;
    const int64_t classes = j->files.classes.count;
    cj__label_type(j->look.mode, classes, &type.dtype, &type.shape);
    const size_t bytes = (size_t)cj_shape_count(&type.shape) * cj_dtype_size(type.dtype);
    memmove(type.shape.dims + 1, type.shape.dims, sizeof *type.shape.dims);
    type.shape.dims[0] = count;
    type.shape.rank++;
    CJ_TRY(cj_tensor_new(type.dtype, type.shape, labels));
    for (int64_t i = 0; i < count; i++)
        cj__label_write(j->look.mode, classes, j->files.labels[j->begin + i],
                        (*labels)->data + (size_t)i * bytes);
    return CJ_OK;
}

static cj_status make_set(job *j, cj_tensor *images, int64_t count, cj_dataset **data)
{
    cj_tensor *kept = NULL, *labels = NULL;
    CJ_TRY(none_left(count));
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
    CJ_TRY(cj_tensor_new(
        j->look.picture.reals ? CJ_F32 : CJ_U8,
        CJ_SHAPE(count, j->look.picture.height, j->look.picture.width, j->look.channels), &images));
    cj_status status = decode_all(j, begin, count, (unsigned char *)images->data);
    if (status == CJ_OK)
        status = make_set(j, images, close_gaps(j, count), data);
    cj_release(images); // the slice holds it
    return status;
}

// ---- When they are needed ----

typedef struct pictures {
    cj__source source;
    look look;
    cj__files files;
} pictures;

static cj_status read_picture(const cj__source *source, int64_t index, uint64_t pass,
                              void *const *places)
{
    const pictures *p = (const pictures *)source;
    (void)pass;
    CJ_TRY(load_one(&p->look, p->files.paths.items[index], places[0]));
    cj__label_write(p->look.mode, p->files.classes.count, p->files.labels[index], places[1]);
    return CJ_OK;
}

static void free_pictures(cj__source *source)
{
    pictures *p = (pictures *)source;
    cj__files_free(&p->files);
    cj__free(p);
}

static cj_status stream_set(job *j, int64_t begin, int64_t count, cj_dataset **data)
{
    const look *l = &j->look;
    if (j->args->skip_broken) {
        CJ_TRY(decode_all(j, begin, count, NULL));
        count = close_gaps(j, count);
    }
    CJ_TRY(none_left(count));
    pictures *p = cj__new(1, sizeof *p);
    if (!p)
        return CJ_OUT_OF_MEMORY;
    p->source.read = read_picture;
    p->source.free = free_pictures;
    p->look = *l;
    const cj_status status = cj__files_part(&j->files, begin, count, &p->files);
    if (status != CJ_OK) {
        free_pictures(&p->source);
        return status;
    }
    const cj__type x = {l->picture.reals ? CJ_F32 : CJ_U8,
                        {3, {l->picture.height, l->picture.width, l->channels}}};
    cj__type y;
    cj__label_type(l->mode, j->files.classes.count, &y.dtype, &y.shape);
    const cj__parts parts = {.x_count = 1, .y_count = 1, .x = &x, .y = &y};
    *data = cj__stream_new(&p->source, &parts, count);
    if (!*data)
        return cj_error_status();
    CJ_TRY(cj__dataset_name_classes(*data, j->files.classes.items, (int)j->files.classes.count));
    if (j->args->cache_bytes == 0)
        return CJ_OK;
    *data = cj_dataset_cache(*data, j->args->cache_bytes);
    return *data ? CJ_OK : cj_error_status();
}

// ---- Arguments ----

static cj_status read_settings(job *j, cj_dataset **validation)
{
    const cj_load_image_folder_args *a = j->args;
    cj__look *picture = &j->look.picture;
    const cj__look_words words = {.image_size = {a->image_size[0], a->image_size[1]},
                                  .color_mode = a->color_mode,
                                  .interpolation = a->interpolation,
                                  .dtype = a->dtype,
                                  .crop = a->crop_to_aspect_ratio,
                                  .pad = a->pad_to_aspect_ratio};
    CJ_TRY(cj__look_read(who, &words, picture, &j->look.channels));
    CJ_TRY(cj__label_mode_find(a->label_mode, who, &j->look.mode));
    if (!(a->validation_split >= 0 && a->validation_split < 1))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: validation_split %g, it needs 0 to below 1", who,
                        a->validation_split);
    if (a->validation_split > 0 && !validation)
        return cj__fail_null("cj_load_image_folder: the place for the validation data");
    if (a->cache_bytes < 0 || (a->cache_bytes > 0 && !a->stream))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: cache_bytes is %lld, it needs 0 or more, and `stream`", who,
                        (long long)a->cache_bytes);
    j->image_bytes = (size_t)(picture->height * picture->width * j->look.channels) *
                     (picture->reals ? sizeof(float) : 1);
    return CJ_OK;
}

static cj_status load_all(job *j, const char *folder, cj_dataset **train, cj_dataset **validation)
{
    static const char *const endings[] = {".png",  ".jpg", ".jpeg", ".bmp", ".gif",
                                          ".webp", ".pgm", ".ppm",  ".pnm", NULL};
    const cj_load_image_folder_args *a = j->args;
    const bool list = a->class_names_list;
    const cj__files_wanted wanted = {"images", endings, list ? a->class_names_list : a->class_names,
                                     list ? a->class_names_count : CJ_IN_BRACES, a->labels};
    CJ_TRY(cj__files_find(folder, &wanted, &j->files));
    const int64_t count = j->files.paths.count;
    const int64_t held_out = (int64_t)(a->validation_split * (double)count);
    if (j->look.mode == CJ__LABEL_BINARY && j->files.classes.count != 2)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: label_mode \"binary\" needs two classes, %s has %lld", who, folder,
                        (long long)j->files.classes.count);
    if (a->validation_split > 0 && held_out == 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: validation_split %g of %lld images is none", who,
                        a->validation_split, (long long)count);
    if (!(j->failed = cj__new((size_t)count, sizeof *j->failed)))
        return CJ_OUT_OF_MEMORY;
    if (a->shuffle)
        CJ_TRY(cj__files_shuffle(&j->files, a->seed));
    cj_status (*make)(job *, int64_t, int64_t, cj_dataset **) = a->stream ? stream_set : load_set;
    CJ_TRY(make(j, 0, count - held_out, train));
    return held_out > 0 ? make(j, count - held_out, held_out, validation) : CJ_OK;
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
    CJ_TRY(cj__args_read(who, args, &load_image_folder_defaults, sizeof given, &given));
    CJ_TRY(cj__pool_given(&given.pool, who));
    job j = {.args = &given};
    cj_status status = read_settings(&j, validation);
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
