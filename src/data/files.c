// Which image files a folder has, and of which class each is.
#include "data/files.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "data/csv.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32, PATH_SIZE = 4096 };

static const char *const endings[] = {".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm", ".pnm"};

static bool is_image(const char *name)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t length = strlen(name), end = strlen(endings[i]);
        bool same = length > end;
        for (size_t k = 0; same && k < end; k++) {
            const char c = name[length - end + k];
            same = (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) == endings[i][k];
        }
        if (same)
            return true;
    }
    return false;
}

static cj_status join(const char *folder, const char *name, char path[PATH_SIZE])
{
    const size_t length = strlen(folder);
    const char *slash = length > 0 && folder[length - 1] != '/' ? "/" : "";
    const int written = snprintf(path, PATH_SIZE, "%s%s%s", folder, slash, name);
    return written >= 0 && written < PATH_SIZE ?
               CJ_OK :
               cj__fail(CJ_IO, "%.60s...: the name of a file in it is too long", folder);
}

// Appends the folder and those below it.
static cj_status find_folders(const char *folder, int depth, cj__names *folders)
{
    cj__names inside;
    char path[PATH_SIZE];
    if (depth > DEPTH_MAX)
        return cj__fail(CJ_IO, "%s: folders are nested more than %d deep", folder, DEPTH_MAX);
    CJ_TRY(cj__names_add(folders, folder));
    CJ_TRY(cj__folder_list(folder, &inside));
    cj_status status = CJ_OK;
    for (int64_t i = 0; status == CJ_OK && i < inside.count; i++) {
        status = join(folder, inside.items[i], path);
        if (status == CJ_OK && cj__path_is_folder(path))
            status = find_folders(path, depth + 1, folders);
    }
    cj__names_free(&inside);
    return status;
}

static cj_status add_images(const char *folder, cj__names *paths)
{
    cj__names inside;
    char path[PATH_SIZE];
    CJ_TRY(cj__folder_list(folder, &inside));
    cj_status status = CJ_OK;
    for (int64_t i = 0; status == CJ_OK && i < inside.count; i++) {
        if (!is_image(inside.items[i]))
            continue;
        status = join(folder, inside.items[i], path);
        if (status == CJ_OK && !cj__path_is_folder(path))
            status = cj__names_add(paths, path);
    }
    cj__names_free(&inside);
    return status;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// The images of a class: by folder, then by name.
static cj_status add_class(const char *folder, cj__names *paths)
{
    cj__names folders = {0};
    cj_status status = find_folders(folder, 0, &folders);
    if (status == CJ_OK)
        qsort(folders.items, (size_t)folders.count, sizeof *folders.items, by_bytes);
    for (int64_t i = 0; status == CJ_OK && i < folders.count; i++)
        status = add_images(folders.items[i], paths);
    cj__names_free(&folders);
    return status;
}

// ---- classes ----

static cj_status given_classes(const cj_load_image_folder_args *args, cj__names *classes)
{
    const char *const *names = args->class_names_list ? args->class_names_list : args->class_names;
    const int most = args->class_names_list ? args->class_names_count : CJ_IN_BRACES;
    for (int i = 0; i < most && names[i]; i++)
        CJ_TRY(cj__names_add(classes, names[i]));
    return CJ_OK;
}

static cj_status folder_classes(const char *folder, cj__names *classes)
{
    cj__names inside;
    char path[PATH_SIZE];
    CJ_TRY(cj__folder_list(folder, &inside));
    cj_status status = CJ_OK;
    for (int64_t i = 0; status == CJ_OK && i < inside.count; i++) {
        status = join(folder, inside.items[i], path);
        if (status == CJ_OK && cj__path_is_folder(path))
            status = cj__names_add(classes, inside.items[i]);
    }
    cj__names_free(&inside);
    if (status == CJ_OK && classes->count == 0)
        return cj__fail(
            CJ_NOT_FOUND,
            "%s: there are no folders in it; it needs a folder of images for each class", folder);
    return status;
}

static int64_t class_of(const cj__names *classes, const char *name)
{
    for (int64_t i = 0; i < classes->count; i++)
        if (strcmp(classes->items[i], name) == 0)
            return i;
    return -1;
}

static cj_status label_all(cj__files *files, const int64_t *ends)
{
    files->labels = cj__new((size_t)files->paths.count + 1, sizeof *files->labels);
    if (!files->labels)
        return CJ_OUT_OF_MEMORY;
    for (int64_t c = 0, i = 0; c < files->classes.count; c++)
        for (; i < ends[c]; i++)
            files->labels[i] = c;
    return CJ_OK;
}

static cj_status find_by_folder(const char *folder, cj__files *files)
{
    char path[PATH_SIZE];
    int64_t *ends = cj__new((size_t)files->classes.count, sizeof *ends);
    cj_status status = ends ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int64_t c = 0; status == CJ_OK && c < files->classes.count; c++) {
        status = join(folder, files->classes.items[c], path);
        if (status == CJ_OK && !cj__path_is_folder(path))
            status = cj__fail(CJ_NOT_FOUND, "%s: there is no folder for the class \"%s\"", folder,
                              files->classes.items[c]);
        if (status == CJ_OK)
            status = add_class(path, &files->paths);
        if (status == CJ_OK)
            ends[c] = files->paths.count;
    }
    if (status == CJ_OK)
        status = label_all(files, ends);
    cj__free(ends);
    return status;
}

// ---- a file of labels ----

// One record: a path that exists, and its label. The first may be a heading.
static cj_status read_record(const char *folder, const cj__csv *csv, bool first, cj__files *files,
                             cj__names *labels)
{
    char path[PATH_SIZE];
    const long long line = (long long)csv->line;
    if (csv->count < 2 || csv->fields[0].length == 0 || csv->fields[1].length == 0)
        return cj__fail(CJ_BAD_FILE, "%s, line %lld: it needs a file's name, a comma and a label",
                        csv->path, line);
    const char *name = csv->fields[0].text;
    CJ_TRY(join(folder, name, path));
    if (!cj__path_readable(path))
        return first && !is_image(name) ? CJ_OK :
                                          cj__fail(CJ_NOT_FOUND, "%s, line %lld: %s cannot be read",
                                                   csv->path, line, path);
    CJ_TRY(cj__names_add(&files->paths, path));
    return cj__names_add(labels, csv->fields[1].text);
}

static cj_status read_records(const char *folder, const char *file, cj__files *files,
                              cj__names *labels)
{
    cj__csv csv;
    CJ_TRY(cj__csv_open(&csv, file, ','));
    cj_status status = CJ_OK;
    bool more = true;
    for (bool first = true; status == CJ_OK && more; first = false) {
        status = cj__csv_next(&csv, &more);
        if (status == CJ_OK && more)
            status = read_record(folder, &csv, first, files, labels);
    }
    cj__csv_close(&csv);
    return status;
}

// Classes that were not given are the labels in order of bytes.
static cj_status sort_classes(const cj__names *labels, cj__names *classes)
{
    char **sorted = cj__new((size_t)labels->count + 1, sizeof *sorted);
    cj_status status = sorted ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK && labels->count > 0) {
        memcpy(sorted, labels->items, (size_t)labels->count * sizeof *sorted);
        qsort(sorted, (size_t)labels->count, sizeof *sorted, by_bytes);
    }
    for (int64_t i = 0; status == CJ_OK && i < labels->count; i++)
        if (i == 0 || strcmp(sorted[i], sorted[i - 1]) != 0)
            status = cj__names_add(classes, sorted[i]);
    cj__free(sorted);
    return status;
}

static cj_status find_by_list(const char *folder, const char *file, cj__files *files)
{
    cj__names labels = {0};
    cj_status status = read_records(folder, file, files, &labels);
    if (status == CJ_OK && files->classes.count == 0)
        status = sort_classes(&labels, &files->classes);
    if (status == CJ_OK && !(files->labels = cj__new((size_t)labels.count + 1, sizeof(int64_t))))
        status = CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; status == CJ_OK && i < labels.count; i++) {
        files->labels[i] = class_of(&files->classes, labels.items[i]);
        if (files->labels[i] < 0)
            status = cj__fail(CJ_INVALID_ARGUMENT, "%s: the label \"%s\" is none of class_names",
                              file, labels.items[i]);
    }
    cj__names_free(&labels);
    return status;
}

cj_status cj__files_find(const char *folder, const cj_load_image_folder_args *args,
                         cj__files *files)
{
    *files = (cj__files){0};
    CJ_TRY(given_classes(args, &files->classes));
    if (!args->labels && files->classes.count == 0)
        CJ_TRY(folder_classes(folder, &files->classes));
    CJ_TRY(args->labels ? find_by_list(folder, args->labels, files) :
                          find_by_folder(folder, files));
    if (files->paths.count == 0)
        return cj__fail(CJ_NOT_FOUND, "%s: there are no images in it", folder);
    return CJ_OK;
}

void cj__files_free(cj__files *files)
{
    cj__names_free(&files->paths);
    cj__names_free(&files->classes);
    cj__free(files->labels);
    files->labels = NULL;
}
