// Model files behind one door: each format is a row of `cj__formats` (formats.c). To add one, write
// a file that defines its row. Loading chooses by content, saving by the name's extension; the
// native format takes what no other claims.
#ifndef CJ_FORMATS_FORMAT_H
#define CJ_FORMATS_FORMAT_H

#include <cajal/files.h>

typedef struct cj__format {
    const char *name;      // "safetensors"
    const char *extension; // ".safetensors"
    // Whether a file that begins with these bytes looks like this format.
    bool (*recognise)(const unsigned char *bytes, size_t size, uint64_t file_size);
    cj_status (*save)(cj_model *model, const char *path);
    cj_status (*load)(const char *path, cj_model **model); // a new model, floating
    cj_status (*load_weights)(cj_model *model, const char *path);
} cj__format;

extern const cj__format cj__format_native;

#endif
