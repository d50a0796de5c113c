// The files of a folder with their labels: images (include/cajal/folders.h), sounds
// (include/cajal/sounds.h) or texts (include/cajal/text.h).
#ifndef CJ_DATA_FILES_H
#define CJ_DATA_FILES_H

#include "base/folder.h"
#include <cajal/tensor.h>

// Paths, and for each the number of its class.
typedef struct cj__files {
    cj__names paths, classes;
    int64_t *labels; // paths.count of them
} cj__files;

// What is looked for.
typedef struct cj__files_wanted {
    const char *what;               // "images", for sentences
    const char *const *endings;     // of names, ended by NULL: ".png"
    const char *const *class_names; // up to the first NULL or class_count; NULL: every folder
    int class_count;
    const char *labels; // a CSV file of names and labels; NULL: a folder for each class
} cj__files_wanted;

// Finds the files of each class, by class and name. CJ_NOT_FOUND, CJ_IO, CJ_INVALID_ARGUMENT,
// CJ_OUT_OF_MEMORY; *files must be freed in any case.
cj_status cj__files_find(const char *folder, const cj__files_wanted *wanted, cj__files *files);
// Puts them into the order of numpy.random.RandomState(seed).shuffle. CJ_OUT_OF_MEMORY,
// CJ_UNSUPPORTED.
cj_status cj__files_shuffle(cj__files *files, uint32_t seed);
// Copies `count` files from `begin`, and the classes. CJ_OUT_OF_MEMORY; *part must be freed in any case.
cj_status cj__files_part(const cj__files *files, int64_t begin, int64_t count, cj__files *part);
void cj__files_free(cj__files *files);

// How labels are given.
typedef enum cj__label_mode {
    CJ__LABEL_INT,
    CJ__LABEL_CATEGORICAL,
    CJ__LABEL_BINARY
} cj__label_mode;

// The mode of a word. CJ_INVALID_ARGUMENT; `who` begins the sentence.
cj_status cj__label_mode_find(const char *word, const char *who, cj__label_mode *mode);
// What the label of one sample is: int32, float32 (classes) or float32 (1).
void cj__label_type(cj__label_mode mode, int64_t classes, cj_dtype *dtype, cj_shape *shape);
// Writes the label of one sample.
void cj__label_write(cj__label_mode mode, int64_t classes, int64_t label, void *to);

#endif
