// HDF5 files, as far as files of models need them: a reader of the whole tree of groups and datasets,
// and a writer. Both are ours, because what comes from strangers must not be able to do harm: the
// reader looks at nothing beyond the end of the file, gives out no more bytes than a file of its size
// can hold, and visits every part of the file once. The format: The HDF Group, "HDF5 File Format
// Specification", version 3.0.
//
// Read: superblocks 0 to 3, object headers 1 and 2, groups with symbol tables, with links in their
// headers and in heaps; datasets that are compact, contiguous or in chunks (B-tree 1), deflated,
// shuffled or with Fletcher's checksum; whole numbers, floats, enumerations of whole numbers, texts
// of fixed and of variable length, of either byte order. Refused by name: links to other places and
// files, committed types, compounds, other filters, offsets that are not 8 bytes long.
#ifndef CJ_FORMATS_HDF5_H
#define CJ_FORMATS_HDF5_H

#include "base/input.h"
#include "formats/sink.h"
#include "layers/index.h"

enum { CJ__HDF5_RANK = 32, CJ__HDF5_FILTERS = 8, CJ__HDF5_DEPTH = 32 };

typedef enum cj__hdf5_kind {
    CJ__HDF5_GROUP,
    CJ__HDF5_INTEGER,
    CJ__HDF5_FLOAT,
    CJ__HDF5_TEXT,
    CJ__HDF5_OTHER // a dataset of elements that are not read
} cj__hdf5_kind;

// A group or a dataset.
typedef struct cj__hdf5_object {
    char *name; // in its group; "" for the root
    cj__hdf5_kind kind;
    struct cj__hdf5_object *members; // of a group
    int member_count;
    size_t member_capacity;
    // Of a dataset: its axes, the number of its elements, and what each is.
    int rank;
    uint64_t dims[CJ__HDF5_RANK], count;
    uint32_t size; // bytes of an element
    bool is_signed, big_endian;
    bool variable; // a text that lies in a heap
    // Where the elements are.
    enum { CJ__HDF5_NOWHERE, CJ__HDF5_PLAIN, CJ__HDF5_CHUNKS } layout;
    uint64_t place, bytes; // in the file; of chunks: of their B-tree
    uint32_t chunk[CJ__HDF5_RANK];
    uint16_t filters[CJ__HDF5_FILTERS]; // by their numbers, in the order of writing
    int filter_count;
} cj__hdf5_object;

typedef struct cj__hdf5 {
    const unsigned char *bytes; // the file
    uint64_t size;
    void *owned;     // its memory; NULL where the input is memory
    cj__index seen;  // addresses of what was visited
    uint64_t budget; // bytes that may still be made of the file
    cj__hdf5_object root;
    // the object of a heap that was found last
    uint64_t heap, heap_at;
    uint32_t heap_index;
} cj__hdf5;

// Reads the tree; the input may be closed afterwards if it is a file.
cj_status cj__hdf5_open(cj__hdf5 *file, const cj__input *input);
void cj__hdf5_close(cj__hdf5 *file); // fine on {0}
// The member of that name, NULL if there is none; NULL for a NULL or a dataset too.
const cj__hdf5_object *cj__hdf5_find(const cj__hdf5_object *group, const char *name);
// The numbers of a dataset, object->count of them, as float64: cj__free().
cj_status cj__hdf5_numbers(cj__hdf5 *file, const cj__hdf5_object *object, double **numbers);
// Its texts, each ended by a 0; both the list and what texts[0] points to: cj__free().
cj_status cj__hdf5_texts(cj__hdf5 *file, const cj__hdf5_object *object, char ***texts);

// ---- Writing ----

// A group or a dataset that is to be written. Texts are written with a fixed length.
typedef struct cj__hdf5_item {
    const char *name;
    cj__hdf5_kind kind; // GROUP, INTEGER (int64), FLOAT (float32) or TEXT
    const struct cj__hdf5_item *members;
    int member_count;
    int rank; // 0 for one element
    uint64_t dims[CJ__HDF5_RANK];
    const int64_t *integers;
    const float *floats;
    const char *const *texts;
} cj__hdf5_item;

// Writes the file whose root is a group.
cj_status cj__hdf5_write(const cj__hdf5_item *root, cj__sink *sink);

// Bob Jenkins's lookup3 hash of bytes, which newer parts of files end with.
uint32_t cj__hdf5_checksum(const unsigned char *bytes, size_t size);

#endif
