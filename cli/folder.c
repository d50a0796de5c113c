// Folders of images as data: "folder:PATH".
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char prefix[] = "folder:";
#define CACHE ((int64_t)1 << 30)

bool is_folder_data(const char *name)
{
    return strncmp(name, prefix, sizeof prefix - 1) == 0;
}

static bool has_folder(const char *path, const char *below, char full[4096])
{
    struct stat facts;
    const int length = snprintf(full, 4096, "%s/%s", path, below);
    return length > 0 && length < 4096 && stat(full, &facts) == 0 && S_ISDIR(facts.st_mode);
}

// Where training and test images lie, if the folder has both halves.
static bool find_halves(const char *path, char train[4096], char test[4096])
{
    static const char *const names[] = {"test", "validation", "valid", "val"};
    if (!has_folder(path, "train", train))
        return false;
    for (int i = 0; i < 4; i++)
        if (has_folder(path, names[i], test))
            return true;
    return false;
}

static cj_status load_halves(const char *train_path, const char *test_path,
                             cj_load_image_folder_args *args, cj_dataset **train, cj_dataset **test)
{
    const char *names[1024];
    CJ_TRY(cj_load_image_folder_with(train_path, train, NULL, args));
    for (int i = 0; i < cj_dataset_class_count(*train) && i < 1024; i++)
        names[args->class_names_count++] = cj_dataset_class_name(*train, i);
    args->class_names_list = names;
    args->shuffle = false;
    args->stream = false;
    args->cache_bytes = 0;
    return cj_load_image_folder_with(test_path, test, NULL, args);
}

// Reads a streamed data set into memory.
static cj_status read_all(cj_dataset **data)
{
    cj_dataset *memory = NULL;
    CJ_TRY(cj_dataset_load(*data, &memory));
    cj_release(*data);
    *data = memory;
    return CJ_OK;
}

// How images are read: as the model was trained, or as is wanted.
static void set_rules(const cj_model *model, const own_data *own, cj_load_image_folder_args *args)
{
    const cj_shape *shape = model ? cj_model_input_shape(model, 0) : NULL;
    const bool known = shape && shape->rank == 4;
    cj_load_picture_args noted, rules = own->pictures;
    if (model && noted_pictures(model, &noted))
        rules = noted;
    for (int i = 0; i < 2; i++)
        args->image_size[i] = known && shape->dims[i + 1] > 0 ? shape->dims[i + 1] :
                              rules.image_size[i] > 0         ? rules.image_size[i] :
                                                                own->side;
    args->interpolation = rules.interpolation;
    args->crop_to_aspect_ratio = rules.crop_to_aspect_ratio;
    args->pad_to_aspect_ratio = rules.pad_to_aspect_ratio;
    if (known ? shape->dims[3] == 1 : own->grey)
        args->color_mode = "grayscale";
    else if (known && shape->dims[3] == 4)
        args->color_mode = "rgba";
}

cj_status load_folder_data(const char *name, const cj_model *model, const own_data *own,
                           cj_dataset **train, cj_dataset **test)
{
    cj_load_image_folder_args args = {CJ_LOAD_IMAGE_FOLDER_DEFAULTS, .skip_broken = true};
    char train_path[4096], test_path[4096];
    const char *path = name + sizeof prefix - 1;
    set_rules(model, own, &args);
    args.stream = own->stream;
    args.cache_bytes = own->stream ? CACHE : 0;
    cj_status status;
    if (find_halves(path, train_path, test_path)) {
        status = load_halves(train_path, test_path, &args, train, test);
    } else {
        args.validation_split = 0.2;
        status = cj_load_image_folder_with(path, train, test, &args);
        if (status == CJ_OK && own->stream)
            status = read_all(test);
    }
    if (status != CJ_OK) {
        cj_release(*train);
        *train = NULL;
    }
    return status;
}

cj_status note_classes(cj_model *model, const cj_dataset *data)
{
    char text[1 << 15];
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < cj_dataset_class_count(data); i++) {
        const int more = snprintf(text + at, sizeof text - at, "%s%s", i > 0 ? "\n" : "",
                                  cj_dataset_class_name(data, i));
        if (more < 0 || (size_t)more >= sizeof text - at)
            return CJ_OK; // too many to be remembered: they stay numbers
        at += (size_t)more;
    }
    return cj_model_set_note(model, "classes", text);
}
