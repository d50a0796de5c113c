// The image files of a folder with their labels; see include/cajal/folders.h.
#ifndef CJ_DATA_FILES_H
#define CJ_DATA_FILES_H

#include "base/folder.h"
#include <cajal/folders.h>

// Paths, and for each the number of its class.
typedef struct cj__files {
    cj__names paths, classes;
    int64_t *labels; // paths.count of them
} cj__files;

// Finds the files of each class, by class and name. CJ_NOT_FOUND, CJ_IO, CJ_INVALID_ARGUMENT,
// CJ_OUT_OF_MEMORY; *files must be freed in any case.
cj_status cj__files_find(const char *folder, const cj_load_image_folder_args *args,
                         cj__files *files);
// Puts them into the order of numpy.random.RandomState(seed).shuffle.
void cj__files_shuffle(cj__files *files, uint32_t seed);
void cj__files_free(cj__files *files);

#endif
