// The safetensors container: 8 bytes with the length of a JSON header (little endian), the header,
// the tensors' bytes. The header maps each name to {"dtype", "shape", "data_offsets": [begin,
// end)}, and "__metadata__" to texts. Reading accepts what the format's description allows and
// nothing else: names once, sizes that match dtype and shape, bytes covered without gap or overlap
// to the end of the file. Only the header is read; tensors are read one by one, on demand. See
// docs/formats/native.md.
#ifndef CJ_FORMATS_SAFETENSORS_H
#define CJ_FORMATS_SAFETENSORS_H

#include "base/input.h"
#include "formats/sink.h"
#include "tensor/tensor.h"
#include <jansson.h>

typedef struct cj__entry {
    const char *name;
    cj__type type;                   // of what is read: dtypes that no tensor here has are widened
    uint64_t begin, end;             // bytes of the file
    const struct cj__stored *stored; // how an element lies there
} cj__entry;

typedef struct cj__container {
    const cj__input *input;
    json_t *header;         // keeps the names
    const json_t *metadata; // object of texts, or NULL; belongs to header
    cj__entry *entries;     // in the order of their names
    int count;
} cj__container;

// Reads the header. `input` must stay open while the container is used.
cj_status cj__container_read(const cj__input *input, cj__container *container);
void cj__container_free(cj__container *container); // fine on {0}
const cj__entry *cj__container_find(const cj__container *container, const char *name);
// The elements of an entry, into a block of their size.
cj_status cj__container_elements(const cj__container *container, const cj__entry *entry,
                                 void *elements);
// A new tensor with the elements of an entry.
cj_status cj__container_tensor(const cj__container *container, const cj__entry *entry,
                               cj_tensor **tensor);
// from the metadata, or NULL
const char *cj__container_text(const cj__container *container, const char *key);

// What a file is to hold: tensors under their names, in order, and texts.
typedef struct cj__contents {
    const char *const *names;
    const cj_tensor *const *tensors;
    int count;
    json_t *metadata; // names to texts
} cj__contents;

// Writes a file to `sink`; CJ_UNSUPPORTED if its header is longer than readers of the format take.
cj_status cj__container_write(const cj__contents *contents, cj__sink *sink);

#endif
