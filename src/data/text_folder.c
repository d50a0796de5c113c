// A folder of text files as data sets, in the manner of keras.utils.text_dataset_from_directory.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "data/files.h"
#include <cajal/folders.h>
#include <cajal/texts.h>
#include <string.h>

CJ__DEFAULTS(load_text_folder, LOAD_TEXT_FOLDER)

enum { FILE_MAX = 1 << 28 };
static const char who[] = "cj_load_text_folder";

static cj_status read_texts(const cj__files *files, int64_t begin, int64_t count, cj_tensor **x)
{
    char **values = cj__new((size_t)count, sizeof *values);
    int64_t *lengths = cj__new((size_t)count, sizeof *lengths);
    cj_status status = values && lengths ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; status == CJ_OK && i < count; i++) {
        size_t size = 0;
        status = cj__file_read(files->paths.items[begin + i], FILE_MAX, &values[i], &size);
        lengths[i] = (int64_t)size;
    }
    if (status == CJ_OK)
        status = cj_tensor_from_texts(CJ_SHAPE(count, 1),
                                      (cj_texts){(const char *const *)values, lengths, count}, x);
    for (int64_t i = 0; values && i < count; i++)
        cj__free(values[i]);
    cj__free(values);
    cj__free(lengths);
    return status;
}

static cj_status make_set(const cj__files *files, int64_t begin, int64_t count, cj__label_mode mode,
                          cj_dataset **data)
{
    cj_tensor *x = NULL, *y = NULL;
    cj_dtype dtype;
    cj_shape one, shape;
    const int64_t classes = files->classes.count;
    cj__label_type(mode, classes, &dtype, &one);
    shape = (cj_shape){.rank = one.rank + 1, .dims = {count, one.dims[0]}};
    cj_status status = read_texts(files, begin, count, &x);
    if (status == CJ_OK)
        status = cj_tensor_new(dtype, shape, &y);
    const size_t bytes = (size_t)cj_shape_count(&one) * cj_dtype_size(dtype);
    for (int64_t i = 0; status == CJ_OK && i < count; i++)
        cj__label_write(mode, classes, files->labels[begin + i],
                        (char *)cj_tensor_data(y) + (size_t)i * bytes);
    if (status != CJ_OK) {
        cj_release(x);
        return status;
    }
    *data = cj_dataset(.x = {x}, .y = {y});
    return *data ? cj__dataset_name_classes(*data, files->classes.items, (int)classes) :
                   cj_error_status();
}

static cj_status load(const char *folder, const cj_load_text_folder_args *a, cj__files *files,
                      cj_dataset **train, cj_dataset **validation)
{
    static const char *const endings[] = {".txt", NULL};
    const bool list = a->class_names_list;
    const cj__files_wanted wanted = {"text files", endings,
                                     list ? a->class_names_list : a->class_names,
                                     list ? a->class_names_count : CJ_IN_BRACES, NULL};
    cj__label_mode mode;
    CJ_TRY(cj__label_mode_find(a->label_mode, who, &mode));
    CJ_TRY(cj__files_find(folder, &wanted, files));
    const int64_t count = files->paths.count,
                  held_out = (int64_t)(a->validation_split * (double)count);
    if (mode == CJ__LABEL_BINARY && files->classes.count != 2)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: label_mode \"binary\" needs two classes, %s has %lld", who, folder,
                        (long long)files->classes.count);
    if (a->validation_split > 0 && held_out == 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: validation_split %g of %lld texts is none", who,
                        a->validation_split, (long long)count);
    if (a->shuffle)
        CJ_TRY(cj__files_shuffle(files, a->seed));
    CJ_TRY(make_set(files, 0, count - held_out, mode, train));
    return held_out > 0 ? make_set(files, count - held_out, held_out, mode, validation) : CJ_OK;
}

cj_status cj_load_text_folder_with(const char *folder, cj_dataset **train, cj_dataset **validation,
                                   const cj_load_text_folder_args *args)
{
    cj_load_text_folder_args given;
    cj__files files = {0};
    if (!folder || !train)
        return cj__fail_null(folder ? "cj_load_text_folder: the place for the data set" :
                                      "cj_load_text_folder: the folder");
    *train = NULL;
    if (validation)
        *validation = NULL;
    CJ_TRY(cj__args_read(who, args, &load_text_folder_defaults, sizeof given, &given));
    if (!(given.validation_split >= 0 && given.validation_split < 1))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: validation_split %g, it needs 0 to below 1", who,
                        given.validation_split);
    if (given.validation_split > 0 && !validation)
        return cj__fail_null("cj_load_text_folder: the place for the validation data");
    const cj_status status = load(folder, &given, &files, train, validation);
    cj__files_free(&files);
    if (status == CJ_OK)
        return CJ_OK;
    cj_release(*train);
    *train = NULL;
    if (validation) {
        cj_release(*validation);
        *validation = NULL;
    }
    return status;
}
