// The safetensors container: 8 bytes with the length of a JSON header (little endian), the header,
// the tensors' bytes. The header maps each name to {"dtype", "shape", "data_offsets": [begin,
// end)}, and "__metadata__" to texts. Reading accepts what the format's description allows and
// nothing else: names once, sizes that match dtype and shape, bytes covered without gap or overlap
// to the end of the file. See docs/formats/native.md.
#ifndef CJ_FORMATS_SAFETENSORS_H
#define CJ_FORMATS_SAFETENSORS_H

#include "tensor/tensor.h"
#include <jansson.h>

typedef struct cj__entry {
    const char *name;
    cj__type type;
    const char *data; // of type.shape's count elements; alignment is not promised
} cj__entry;

typedef struct cj__container {
    char *bytes; // the whole file
    size_t size;
    json_t *header;   // keeps the names
    json_t *metadata; // object of texts, or NULL; belongs to header
    cj__entry *entries;
    int count;
} cj__container;

cj_status cj__container_read(const char *path, cj__container *container);
void cj__container_free(cj__container *container); // fine on {0}
const cj__entry *cj__container_find(const cj__container *container, const char *name);
// from the metadata, or NULL
const char *cj__container_text(const cj__container *container, const char *key);

// Writes `count` tensors under their names, in order; `metadata` maps names to texts.
cj_status cj__container_write(const char *path, const char *const *names, cj_tensor *const *tensors,
                              int count, json_t *metadata);

#endif
