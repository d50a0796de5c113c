// What the parts of the HDF5 reader share: bytes of the file within bounds.
#ifndef CJ_FORMATS_HDF5_PARTS_H
#define CJ_FORMATS_HDF5_PARTS_H

#include "formats/hdf5.h"

#define CJ__HDF5_UNDEFINED UINT64_MAX // an address that is none

// Bytes of the file.
typedef struct cj__h5_bytes {
    const unsigned char *at;
    uint64_t size;
} cj__h5_bytes;

// The whole number, little endian, in `count` bytes, at most 8.
static inline uint64_t cj__le(const unsigned char *at, int count)
{
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

// Takes `count` bytes off a span; false if there are fewer.
static inline bool cj__take_bytes(cj__h5_bytes *from, uint64_t count, cj__h5_bytes *part)
{
    if (count > from->size)
        return false;
    *part = (cj__h5_bytes){from->at, count};
    from->at += count, from->size -= count;
    return true;
}
// The same for a number of `count` bytes.
static inline bool cj__take_number(cj__h5_bytes *from, int count, uint64_t *value)
{
    cj__h5_bytes part;
    if (!cj__take_bytes(from, (uint64_t)count, &part))
        return false;
    *value = cj__le(part.at, count);
    return true;
}

// "the HDF5 file is damaged: <what>", CJ_BAD_FILE; and "... <what>, which is not read here",
// CJ_UNSUPPORTED.
cj_status cj__hdf5_damaged(const char *what);
cj_status cj__hdf5_unsupported(const char *what);
// Bytes [address, address + size) of the file; `what` is there, for the sentence.
cj_status cj__hdf5_span(const cj__hdf5 *file, uint64_t address, uint64_t size, const char *what,
                        cj__h5_bytes *span);
// Notes that something at that address is visited; CJ_BAD_FILE if it was before.
cj_status cj__hdf5_visit(cj__hdf5 *file, uint64_t address, const char *what);
// Takes so many bytes of what may be made of the file.
cj_status cj__hdf5_spend(cj__hdf5 *file, uint64_t bytes);

// hdf5_groups.c: a link of a group, to an object whose header is at that address. Names are
// `length` bytes.
cj_status cj__hdf5_add_member(cj__hdf5 *file, cj__hdf5_object *group, const char *name,
                              uint64_t length, uint64_t address);
// The members of groups, whose objects are read later: `place` is the address of each header. By a
// symbol table, a message of a link, a message about links in heaps.
cj_status cj__hdf5_symbol_table(cj__hdf5 *file, cj__h5_bytes message, cj__hdf5_object *group);
cj_status cj__hdf5_link(cj__hdf5 *file, cj__h5_bytes message, cj__hdf5_object *group);
cj_status cj__hdf5_link_info(cj__hdf5 *file, cj__h5_bytes message, cj__hdf5_object *group);
// hdf5_types.c: messages of a dataset.
cj_status cj__hdf5_dataspace(cj__h5_bytes message, cj__hdf5_object *object);
cj_status cj__hdf5_datatype(cj__h5_bytes message, cj__hdf5_object *object);
cj_status cj__hdf5_layout(const cj__hdf5 *file, cj__h5_bytes message, cj__hdf5_object *object);
cj_status cj__hdf5_filters(cj__h5_bytes message, cj__hdf5_object *object);
// hdf5_chunks.c: checks the lengths of the chunks of a dataset, and spends their bytes; then its
// elements, into a block of zeros of their size.
cj_status cj__hdf5_chunks_size(cj__hdf5 *file, const cj__hdf5_object *object);
cj_status cj__hdf5_chunks(cj__hdf5 *file, const cj__hdf5_object *object, unsigned char *elements);

#endif
