// Model files behind one door: each format is a row of the table in formats.c, also those that this
// version can only tell by their name and content. To add one, write a file that defines its row.
// Loading chooses by content, saving by the name's extension; a name without a known extension is
// written in the native format.
#ifndef CJ_FORMATS_FORMAT_H
#define CJ_FORMATS_FORMAT_H

#include "base/input.h"
#include "formats/sink.h"
#include <cajal/files.h>

enum { CJ__FORMAT_HEAD = 128 }; // the bytes at the beginning that a format is recognised by

typedef struct cj__format {
    const char *name; // "a safetensors file" is how sentences use it, with its article
    // with the point and in lower case, ended by NULL; the first is the usual one
    const char *extensions[8];
    // Whether a file that begins with these bytes looks like this format; `size` of them, at most
    // CJ__FORMAT_HEAD.
    bool (*recognise)(const unsigned char *bytes, size_t size, uint64_t file_size);
    // What this version can do; NULL for what it cannot.
    cj_status (*save)(cj_model *model, cj__sink *sink);
    cj_status (*save_weights)(cj_model *model, cj__sink *sink);
    cj_status (*load)(const cj__input *input, cj_model **model); // a new model, floating
    cj_status (*load_weights)(cj_model *model, const cj__input *input);
    // The same with those that the file has in the model's shapes; counts them.
    cj_status (*load_matching)(cj_model *model, const cj__input *input, int *loaded);
    const char *instead; // what to do where it cannot, or NULL
} cj__format;

extern const cj__format cj__format_native, cj__format_nir;

// The row of that content, or NULL; reads the first bytes.
cj_status cj__format_of(const cj__input *input, const cj__format **format);

#endif
