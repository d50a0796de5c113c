// Which files a folder has, and of which class each is.
#include "data/files.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "data/csv.h"
#include "data/twister.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32, PATH_SIZE = 4096 };

static bool has_ending(const char *name, const cj__files_wanted *wanted)
{
    for (const char *const *ending = wanted->endings; *ending; ending++) {
        const size_t length = strlen(name), end = strlen(*ending);
        bool same = length > end;
        for (size_t k = 0; same && k < end; k++) {
            const char c = name[length - end + k];
            same = (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) == (*ending)[k];
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

static cj_status add_files(const char *folder, const cj__files_wanted *wanted, cj__names *paths)
{
    cj__names inside;
    char path[PATH_SIZE];
    CJ_TRY(cj__folder_list(folder, &inside));
    cj_status status = CJ_OK;
    for (int64_t i = 0; status == CJ_OK && i < inside.count; i++) {
        if (!has_ending(inside.items[i], wanted))
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

// The files of a class: by folder, then by name.
static cj_status add_class(const char *folder, const cj__files_wanted *wanted, cj__names *paths)
{
    cj__names folders = {0};
    cj_status status = find_folders(folder, 0, &folders);
    if (status == CJ_OK)
        qsort(folders.items, (size_t)folders.count, sizeof *folders.items, by_bytes);
    for (int64_t i = 0; status == CJ_OK && i < folders.count; i++)
        status = add_files(folders.items[i], wanted, paths);
    cj__names_free(&folders);
    return status;
}

// ---- classes ----

static cj_status given_classes(const cj__files_wanted *wanted, cj__names *classes)
{
    for (int i = 0; i < wanted->class_count && wanted->class_names[i]; i++)
        CJ_TRY(cj__names_add(classes, wanted->class_names[i]));
    return CJ_OK;
}

static cj_status folder_classes(const char *folder, const char *what, cj__names *classes)
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
        return cj__fail(CJ_NOT_FOUND,
                        "%s: there are no folders in it; it needs a folder of %s for each class",
                        folder, what);
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

static cj_status find_by_folder(const char *folder, const cj__files_wanted *wanted,
                                cj__files *files)
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
            status = add_class(path, wanted, &files->paths);
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
static cj_status read_record(const char *folder, const cj__files_wanted *wanted, const cj__csv *csv,
                             bool first, cj__files *files, cj__names *labels)
{
    char path[PATH_SIZE];
    const long long line = (long long)csv->line;
    if (csv->count < 2 || csv->fields[0].length == 0 || csv->fields[1].length == 0)
        return cj__fail(CJ_BAD_FILE, "%s, line %lld: it needs a file's name, a comma and a label",
                        csv->path, line);
    const char *name = csv->fields[0].text;
    CJ_TRY(join(folder, name, path));
    if (!cj__path_readable(path))
        return first && !has_ending(name, wanted) ?
                   CJ_OK :
                   cj__fail(CJ_NOT_FOUND, "%s, line %lld: %s cannot be read", csv->path, line,
                            path);
    CJ_TRY(cj__names_add(&files->paths, path));
    return cj__names_add(labels, csv->fields[1].text);
}

static cj_status read_records(const char *folder, const cj__files_wanted *wanted, cj__files *files,
                              cj__names *labels)
{
    cj__csv csv;
    CJ_TRY(cj__csv_open(&csv, wanted->labels, ','));
    cj_status status = CJ_OK;
    bool more = true;
    for (bool first = true; status == CJ_OK && more; first = false) {
        status = cj__csv_next(&csv, &more);
        if (status == CJ_OK && more)
            status = read_record(folder, wanted, &csv, first, files, labels);
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

static cj_status find_by_list(const char *folder, const cj__files_wanted *wanted, cj__files *files)
{
    cj__names labels = {0};
    cj_status status = read_records(folder, wanted, files, &labels);
    if (status == CJ_OK && files->classes.count == 0)
        status = sort_classes(&labels, &files->classes);
    if (status == CJ_OK && !(files->labels = cj__new((size_t)labels.count + 1, sizeof(int64_t))))
        status = CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; status == CJ_OK && i < labels.count; i++) {
        files->labels[i] = class_of(&files->classes, labels.items[i]);
        if (files->labels[i] < 0)
            status = cj__fail(CJ_INVALID_ARGUMENT, "%s: the label \"%s\" is none of class_names",
                              wanted->labels, labels.items[i]);
    }
    cj__names_free(&labels);
    return status;
}

cj_status cj__files_find(const char *folder, const cj__files_wanted *wanted, cj__files *files)
{
    *files = (cj__files){0};
    CJ_TRY(given_classes(wanted, &files->classes));
    if (!wanted->labels && files->classes.count == 0)
        CJ_TRY(folder_classes(folder, wanted->what, &files->classes));
    CJ_TRY(wanted->labels ? find_by_list(folder, wanted, files) :
                            find_by_folder(folder, wanted, files));
    if (files->paths.count == 0)
        return cj__fail(CJ_NOT_FOUND, "%s: there are no %s in it", folder, wanted->what);
    return CJ_OK;
}

cj_status cj__files_shuffle(cj__files *files, uint32_t seed)
{
    const int64_t count = files->paths.count;
    if (count > UINT32_MAX)
        return cj__fail(CJ_UNSUPPORTED, "a folder of more than 2^32 files");
    int64_t *order = cj__new((size_t)count, sizeof *order),
            *labels = cj__new((size_t)count + 1, sizeof *labels);
    char **paths = cj__new((size_t)count, sizeof *paths);
    if (order && labels && paths) {
        cj__twister twister;
        cj__twister_start(&twister, seed);
        for (int64_t i = 0; i < count; i++)
            order[i] = i;
        cj__twister_shuffle(&twister, order, count);
        for (int64_t i = 0; i < count; i++) {
            paths[i] = files->paths.items[order[i]];
            labels[i] = files->labels[order[i]];
        }
        memcpy(files->paths.items, paths, (size_t)count * sizeof *paths);
        memcpy(files->labels, labels, (size_t)count * sizeof *labels);
    }
    const bool enough = order && labels && paths;
    cj__free(order);
    cj__free(labels);
    cj__free(paths);
    return enough ? CJ_OK : CJ_OUT_OF_MEMORY;
}

cj_status cj__files_part(const cj__files *files, int64_t begin, int64_t count, cj__files *part)
{
    *part = (cj__files){.labels = cj__new((size_t)count + 1, sizeof *part->labels)};
    if (!part->labels)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        CJ_TRY(cj__names_add(&part->paths, files->paths.items[begin + i]));
        part->labels[i] = files->labels[begin + i];
    }
    for (int64_t i = 0; i < files->classes.count; i++)
        CJ_TRY(cj__names_add(&part->classes, files->classes.items[i]));
    return CJ_OK;
}

void cj__files_free(cj__files *files)
{
    cj__names_free(&files->paths);
    cj__names_free(&files->classes);
    cj__free(files->labels);
    files->labels = NULL;
}
