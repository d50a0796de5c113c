// Datasets in chunks: the B-tree of the chunks, and undoing their filters.
#include "formats/hdf5_parts.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>
#include <zlib.h>

enum { TREE_DEPTH = 16, DEFLATE = 1, SHUFFLE = 2, FLETCHER = 3 };

// A chunk that is being read. `work` and `other` are of `room` bytes each.
typedef struct chunk_reader {
    cj__hdf5 *file;
    const cj__hdf5_object *object;
    unsigned char *elements, *work, *other;
    uint64_t room, chunk_bytes, left; // `left`: chunks that may still come
} chunk_reader;

// ---- Filters ----

static cj_status inflate_chunk(const chunk_reader *r, const unsigned char *from, uint64_t size,
                               unsigned char *to, uint64_t *made)
{
    uLongf length = (uLongf)r->room;
    if (size > ULONG_MAX || uncompress(to, &length, from, (uLong)size) != Z_OK)
        return cj__hdf5_damaged("a chunk cannot be inflated");
    *made = length;
    return CJ_OK;
}

// Bytes were sorted by their place in the element.
static void unshuffle(const unsigned char *from, uint64_t size, unsigned char *to, uint32_t element)
{
    const uint64_t count = size / element;
    for (uint64_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < element; k++)
            to[i * element + k] = from[k * count + i];
    memcpy(to + count * element, from + count * element, (size_t)(size % element));
}

// Fletcher's checksum with 32 bits over words of 16, high byte first.
static uint32_t fletcher(const unsigned char *bytes, uint64_t size)
{
    uint32_t a = 0, b = 0;
    for (uint64_t i = 0; i < size / 2; i++) {
        a = (a + ((uint32_t)bytes[2 * i] << 8 | bytes[2 * i + 1])) % 65535;
        b = (b + a) % 65535;
    }
    if (size % 2 != 0) {
        a = (a + ((uint32_t)bytes[size - 1] << 8)) % 65535;
        b = (b + a) % 65535;
    }
    return b << 16 | a;
}

// The two forms of 0 modulo 65535 are one.
static bool same_sums(uint32_t a, uint32_t b)
{
    return (a % 65536 % 65535) == (b % 65536 % 65535) && (a / 65536 % 65535) == (b / 65536 % 65535);
}

// From the stored bytes to those of the chunk; *at is where they are in the end.
static cj_status undo_filters(const chunk_reader *r, cj__h5_bytes stored, uint64_t mask,
                              const unsigned char **at)
{
    const cj__hdf5_object *o = r->object;
    const unsigned char *from = stored.at;
    unsigned char *to = r->work, *spare = r->other;
    uint64_t size = stored.size;
    for (int i = o->filter_count - 1; i >= 0; i--) {
        if (mask >> i & 1)
            continue;
        if (o->filters[i] == FLETCHER) {
            if (size < 4 ||
                !same_sums((uint32_t)cj__le(from + size - 4, 4), fletcher(from, size - 4)))
                return cj__hdf5_damaged("the checksum of a chunk is wrong");
            size -= 4;
            continue;
        }
        if (o->filters[i] == DEFLATE)
            CJ_TRY(inflate_chunk(r, from, size, to, &size));
        else if (size > r->room)
            return cj__hdf5_damaged("a chunk is too large");
        else
            unshuffle(from, size, to, o->size);
        from = to;
        to = spare, spare = (unsigned char *)(uintptr_t)from;
    }
    if (size != r->chunk_bytes)
        return cj__hdf5_damaged("a chunk has not the size of its elements");
    *at = from;
    return CJ_OK;
}

// ---- Places ----

// Copies a chunk whose first element is at `offset` into the dataset, row by row.
static void place_chunk(const chunk_reader *r, const uint64_t *offset, const unsigned char *from)
{
    const cj__hdf5_object *o = r->object;
    const int last = o->rank - 1;
    uint64_t at[CJ__HDF5_RANK] = {0}, inside[CJ__HDF5_RANK];
    for (int i = 0; i < o->rank; i++) {
        const uint64_t left = o->dims[i] - offset[i];
        inside[i] = left < o->chunk[i] ? left : o->chunk[i];
    }
    for (;;) {
        uint64_t source = 0, target = 0;
        for (int i = 0; i < o->rank; i++) {
            source = source * o->chunk[i] + at[i];
            target = target * o->dims[i] + offset[i] + at[i];
        }
        memcpy(r->elements + target * o->size, from + source * o->size,
               (size_t)(inside[last] * o->size));
        int axis = last - 1;
        while (axis >= 0 && ++at[axis] == inside[axis])
            at[axis--] = 0;
        if (axis < 0)
            return;
    }
}

static cj_status read_chunk(chunk_reader *r, const unsigned char *key, uint64_t address)
{
    const cj__hdf5_object *o = r->object;
    uint64_t offset[CJ__HDF5_RANK];
    cj__h5_bytes stored = {0};
    const unsigned char *bytes = NULL;
    if (r->left-- == 0)
        return cj__hdf5_damaged("a dataset has more chunks than it has place for");
    for (int i = 0; i < o->rank; i++) {
        offset[i] = cj__le(key + 8 + 8 * i, 8);
        if (offset[i] >= o->dims[i] || offset[i] % o->chunk[i] != 0)
            return cj__hdf5_damaged("a chunk lies outside of its dataset");
    }
    CJ_TRY(cj__hdf5_span(r->file, address, cj__le(key, 4), "a chunk", &stored));
    CJ_TRY(undo_filters(r, stored, cj__le(key + 4, 4), &bytes));
    place_chunk(r, offset, bytes);
    return CJ_OK;
}

static cj_status read_tree(chunk_reader *r, uint64_t address, int above)
{
    cj__h5_bytes head = {0}, keys = {0};
    const uint64_t step = 8 + 8 * ((uint64_t)r->object->rank + 1) + 8;
    CJ_TRY(cj__hdf5_span(r->file, address, 24, "a B-tree", &head));
    const int level = head.at[5];
    const uint64_t count = cj__le(head.at + 6, 2);
    if (memcmp(head.at, "TREE", 4) != 0 || head.at[4] != 1 || level >= above)
        return cj__hdf5_damaged("the B-tree of chunks is none");
    // So each node leads to a chunk, and the number of chunks bounds the way.
    if (count == 0 && above < TREE_DEPTH)
        return cj__hdf5_damaged("the B-tree of chunks has an empty node");
    CJ_TRY(cj__hdf5_span(r->file, address + 24, step * count, "a B-tree", &keys));
    for (uint64_t i = 0; i < count; i++) {
        const unsigned char *key = keys.at + step * i;
        const uint64_t child = cj__le(key + step - 8, 8);
        CJ_TRY(level == 0 ? read_chunk(r, key, child) : read_tree(r, child, level));
    }
    return CJ_OK;
}

// ---- A dataset ----

static cj_status check_filters(const cj__hdf5_object *object)
{
    for (int i = 0; i < object->filter_count; i++)
        if (object->filters[i] < DEFLATE || object->filters[i] > FLETCHER)
            return cj__fail(CJ_UNSUPPORTED,
                            "the HDF5 file has a dataset that filter %d made, which this version "
                            "does not read; gzip, shuffle and fletcher32 are read",
                            object->filters[i]);
    return CJ_OK;
}

// The number of chunks, and the bytes of each.
static cj_status measure(chunk_reader *r)
{
    const cj__hdf5_object *o = r->object;
    r->left = 1, r->chunk_bytes = o->size;
    for (int i = 0; i < o->rank; i++) {
        const uint64_t chunks = (o->dims[i] - 1) / o->chunk[i] + 1;
        if (r->left > (uint64_t)INT64_MAX / chunks ||
            r->chunk_bytes > (uint64_t)INT64_MAX / o->chunk[i])
            return cj__hdf5_damaged("the chunks of a dataset are too large");
        r->left *= chunks, r->chunk_bytes *= o->chunk[i];
    }
    return r->left > (uint64_t)INT64_MAX / r->chunk_bytes ?
               cj__hdf5_damaged("the chunks of a dataset are too large") :
               CJ_OK;
}

cj_status cj__hdf5_chunks_size(cj__hdf5 *file, const cj__hdf5_object *object)
{
    chunk_reader r = {.file = file, .object = object};
    if (object->rank == 0)
        return cj__hdf5_damaged("a single element is in chunks");
    if (object->count == 0)
        return CJ_OK;
    CJ_TRY(measure(&r));
    return cj__hdf5_spend(file, r.left * r.chunk_bytes);
}

cj_status cj__hdf5_chunks(cj__hdf5 *file, const cj__hdf5_object *object, unsigned char *elements)
{
    chunk_reader r = {.file = file, .object = object, .elements = elements};
    CJ_TRY(check_filters(object));
    CJ_TRY(measure(&r));
    r.room = r.chunk_bytes + 16; // a checksum of 4 bytes may be deflated too
    r.work = cj__new((size_t)r.room, 1);
    r.other = cj__new((size_t)r.room, 1);
    cj_status status = r.work && r.other ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        status = read_tree(&r, object->place, TREE_DEPTH);
    cj__free(r.work);
    cj__free(r.other);
    return status;
}
