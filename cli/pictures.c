// How images of a user's own are read: the rules that a model was trained by, and folders of files.
#define _XOPEN_SOURCE 700
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 64 };

// ---- Rules ----

cj_status note_pictures(cj_model *model, const own_data *own)
{
    char text[64];
    const cj_load_picture_args *p = &own->pictures;
    const cj_shape *shape = cj_model_input_shape(model, 0);
    const bool sized = shape && shape->rank == 4 && shape->dims[1] > 0 && shape->dims[2] > 0;
    snprintf(text, sizeof text, "%lld %lld", (long long)(sized ? shape->dims[1] : own->side),
             (long long)(sized ? shape->dims[2] : own->side));
    CJ_TRY(cj_model_set_note(model, "pictures/image_size", text));
    CJ_TRY(cj_model_set_note(model, "pictures/interpolation", p->interpolation));
    if (p->crop_to_aspect_ratio || p->pad_to_aspect_ratio)
        return cj_model_set_note(model, "pictures/aspect_ratio",
                                 p->crop_to_aspect_ratio ? "crop" : "pad");
    return CJ_OK;
}

bool noted_pictures(const cj_model *model, cj_load_picture_args *rules)
{
    const char *method = cj_model_note(model, "pictures/interpolation"),
               *ratio = cj_model_note(model, "pictures/aspect_ratio"),
               *size = cj_model_note(model, "pictures/image_size"),
               *data = cj_model_note(model, "data");
    long long height, width;
    *rules = (cj_load_picture_args){CJ_LOAD_PICTURE_DEFAULTS};
    if (!method) // files from before there were such notes have "data" alone
        return data && is_folder_data(data);
    rules->interpolation = method;
    rules->crop_to_aspect_ratio = ratio && strcmp(ratio, "crop") == 0;
    rules->pad_to_aspect_ratio = ratio && strcmp(ratio, "pad") == 0;
    if (size && sscanf(size, "%lld %lld", &height, &width) == 2) {
        rules->image_size[0] = height;
        rules->image_size[1] = width;
    }
    return true;
}

// ---- Folders of files ----

bool is_folder(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static bool is_picture(const char *name)
{
    static const char *const endings[] = {".png",  ".jpg", ".jpeg", ".bmp", ".gif",
                                          ".webp", ".pgm", ".ppm",  ".pnm"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_with(name, endings[i]))
            return true;
    return false;
}

// Where a walk has got to.
typedef struct walk {
    cj_status (*take)(void *context, const char *path);
    void *context;
    int64_t found;
    int depth;
} walk;

static int seen(const struct dirent *entry)
{
    return *entry->d_name != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static cj_status walk_folder(walk *w, const char *folder);

static cj_status walk_entry(walk *w, const char *folder, const char *name)
{
    struct stat facts;
    const size_t length = strlen(folder);
    const size_t size = length + strlen(name) + 2;
    char *path = malloc(size);
    cj_status status = CJ_OK;
    if (!path)
        return cj_fail(CJ_OUT_OF_MEMORY, "%s: out of memory", folder);
    snprintf(path, size, "%s%s%s", folder, length > 0 && folder[length - 1] == '/' ? "" : "/",
             name);
    if (lstat(path, &facts) == 0 && S_ISDIR(facts.st_mode)) { // links to folders may go round
        status = walk_folder(w, path);
    } else if (is_picture(name)) {
        w->found++;
        status = w->take(w->context, path);
    }
    free(path);
    return status;
}

static cj_status walk_folder(walk *w, const char *folder)
{
    struct dirent **entries = NULL;
    if (w->depth == DEPTH_MAX)
        return cj_fail(CJ_IO, "%s: more than %d folders below each other", folder, DEPTH_MAX);
    const int count = scandir(folder, &entries, seen, by_bytes);
    if (count < 0)
        return cj_fail(CJ_IO, "%s: cannot be read: %s", folder, strerror(errno));
    cj_status status = CJ_OK;
    w->depth++;
    for (int i = 0; i < count; i++) {
        if (status == CJ_OK)
            status = walk_entry(w, folder, entries[i]->d_name);
        free(entries[i]);
    }
    w->depth--;
    free(entries);
    return status;
}

cj_status each_picture(const char *folder, cj_status (*take)(void *context, const char *path),
                       void *context)
{
    walk w = {.take = take, .context = context};
    CJ_TRY(walk_folder(&w, folder));
    return w.found > 0 ? CJ_OK : cj_fail(CJ_NOT_FOUND, "%s: there are no images in it", folder);
}
