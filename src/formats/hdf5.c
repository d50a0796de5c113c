// Opening an HDF5 file: the superblock, and the headers of objects. See hdf5.h.
#include "formats/hdf5_parts.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

// Deflate makes at most 1032 bytes of one, and a dataset may be read twice.
enum { MOST_GROWTH = 2 * 1032, BLOCKS_MAX = 256 };

// Types of messages.
enum {
    DATASPACE = 1,
    LINK_INFO = 2,
    DATATYPE = 3,
    LINK = 6,
    EXTERNAL = 7,
    LAYOUT = 8,
    FILTERS = 11,
    CONTINUATION = 16,
    SYMBOL_TABLE = 17,
};

// ---- Bytes within bounds ----

cj_status cj__hdf5_damaged(const char *what)
{
    return cj__fail(CJ_BAD_FILE, "the HDF5 file is damaged: %s", what);
}

cj_status cj__hdf5_unsupported(const char *what)
{
    return cj__fail(CJ_UNSUPPORTED, "the HDF5 file has %s, which this version does not read", what);
}

cj_status cj__hdf5_span(const cj__hdf5 *file, uint64_t address, uint64_t size, const char *what,
                        cj__h5_bytes *span)
{
    if (address > file->size || size > file->size - address)
        return cj__fail(CJ_BAD_FILE,
                        "the HDF5 file is damaged or cut short: %s lies beyond its end", what);
    *span = (cj__h5_bytes){file->bytes + address, size};
    return CJ_OK;
}

cj_status cj__hdf5_visit(cj__hdf5 *file, uint64_t address, const char *what)
{
    cj__h5_bytes rest = {0};
    CJ_TRY(cj__hdf5_span(file, address, 1, what, &rest));
    if (cj__index_find(&file->seen, file->bytes + address))
        return cj__fail(CJ_BAD_FILE, "the HDF5 file is damaged: %s is referred to twice", what);
    return cj__index_add(&file->seen, file->bytes + address, 1) ? CJ_OK : CJ_OUT_OF_MEMORY;
}

cj_status cj__hdf5_spend(cj__hdf5 *file, uint64_t bytes)
{
    if (bytes > file->budget)
        return cj__fail(
            CJ_BAD_FILE,
            "the HDF5 file is damaged: its datasets are larger than %llu bytes can hold",
            (unsigned long long)file->size);
    file->budget -= bytes;
    return CJ_OK;
}

// ---- Object headers ----

// What a header says, as far as it matters.
typedef struct header {
    cj__h5_bytes space, type, layout, filters, table, link_info;
    bool external;
    cj__h5_bytes blocks[BLOCKS_MAX]; // of messages
    int block_count;
    int version;
    bool ordered; // messages of version 2 have the order of their creation
} header;

static cj_status add_block(header *h, cj__h5_bytes block)
{
    if (h->block_count == BLOCKS_MAX)
        return cj__hdf5_unsupported("an object header in too many parts");
    h->blocks[h->block_count++] = block;
    return CJ_OK;
}

static cj_status check_sum(const unsigned char *from, cj__h5_bytes sum, const char *what)
{
    const size_t size = (size_t)(sum.at - from);
    return cj__le(sum.at, 4) == cj__hdf5_checksum(from, size) ?
               CJ_OK :
               cj__fail(CJ_BAD_FILE, "the HDF5 file is damaged: the checksum of %s is wrong", what);
}

static cj_status open_header_1(cj__hdf5 *file, uint64_t address, header *h)
{
    cj__h5_bytes prefix = {0}, block = {0};
    CJ_TRY(cj__hdf5_span(file, address, 16, "an object header", &prefix));
    const uint64_t size = cj__le(prefix.at + 8, 4);
    CJ_TRY(cj__hdf5_span(file, address + 16, size, "an object header", &block));
    h->version = 1;
    return add_block(h, block);
}

static cj_status open_header_2(cj__hdf5 *file, uint64_t address, header *h)
{
    cj__h5_bytes rest = {0}, part = {0}, block = {0}, sum = {0};
    uint64_t flags, size;
    CJ_TRY(cj__hdf5_span(file, address, file->size - address, "an object header", &rest));
    const unsigned char *const begin = rest.at;
    if (!cj__take_bytes(&rest, 5, &part) || !cj__take_number(&rest, 1, &flags) || begin[4] != 2)
        return cj__hdf5_damaged("an object header is of no known version");
    if ((flags & 0x20 && !cj__take_bytes(&rest, 16, &part)) ||
        (flags & 0x10 && !cj__take_bytes(&rest, 4, &part)) ||
        !cj__take_number(&rest, 1 << (flags & 3), &size) || !cj__take_bytes(&rest, size, &block) ||
        !cj__take_bytes(&rest, 4, &sum))
        return cj__hdf5_damaged("an object header is cut short");
    CJ_TRY(check_sum(begin, sum, "an object header"));
    h->version = 2;
    h->ordered = flags & 4;
    return add_block(h, block);
}

// More messages of the same object.
static cj_status open_continuation(cj__hdf5 *file, header *h, cj__h5_bytes message)
{
    uint64_t address, size;
    cj__h5_bytes block = {0}, sum = {0};
    if (!cj__take_number(&message, 8, &address) || !cj__take_number(&message, 8, &size))
        return cj__hdf5_damaged("a continuation of an object header is cut short");
    CJ_TRY(cj__hdf5_span(file, address, size, "a continuation of an object header", &block));
    CJ_TRY(cj__hdf5_visit(file, address, "a continuation of an object header"));
    if (h->version == 1)
        return add_block(h, block);
    if (size < 8 || memcmp(block.at, "OCHK", 4) != 0)
        return cj__hdf5_damaged("a continuation of an object header is none");
    sum = (cj__h5_bytes){block.at + size - 4, 4};
    CJ_TRY(check_sum(block.at, sum, "a continuation of an object header"));
    return add_block(h, (cj__h5_bytes){block.at + 4, size - 8});
}

static cj_status take_message(cj__hdf5 *file, header *h, cj__hdf5_object *object, uint64_t type,
                              uint64_t flags, cj__h5_bytes message)
{
    const bool shared = flags & 2;
    cj__h5_bytes *const place = type == DATASPACE    ? &h->space :
                                type == DATATYPE     ? &h->type :
                                type == LAYOUT       ? &h->layout :
                                type == FILTERS      ? &h->filters :
                                type == SYMBOL_TABLE ? &h->table :
                                type == LINK_INFO    ? &h->link_info :
                                                       NULL;
    if (place && shared)
        return cj__hdf5_unsupported("a type or a space that objects share");
    if (place && !place->at)
        *place = message;
    else if (place)
        return cj__hdf5_damaged("an object has two messages of one kind");
    h->external = h->external || type == EXTERNAL;
    if (type == CONTINUATION)
        return open_continuation(file, h, message);
    return type == LINK ? cj__hdf5_link(file, message, object) : CJ_OK;
}

// The messages of all blocks; a continuation adds a block.
static cj_status read_messages(cj__hdf5 *file, header *h, cj__hdf5_object *object)
{
    for (int i = 0; i < h->block_count; i++) {
        cj__h5_bytes rest = h->blocks[i], head, message;
        const bool old = h->version == 1;
        const uint64_t head_size = old ? 8 : h->ordered ? 6 : 4;
        // What is left in the end is a gap.
        while (cj__take_bytes(&rest, head_size, &head)) {
            const uint64_t type = cj__le(head.at, old ? 2 : 1),
                           size = cj__le(head.at + (old ? 2 : 1), 2), flags = head.at[old ? 4 : 3];
            if (!cj__take_bytes(&rest, size, &message))
                return cj__hdf5_damaged("a message of an object header is cut short");
            CJ_TRY(take_message(file, h, object, type, flags, message));
        }
    }
    return CJ_OK;
}

static cj_status read_dataset(cj__hdf5 *file, const header *h, cj__hdf5_object *object)
{
    if (!h->space.at || !h->type.at || !h->layout.at)
        return cj__hdf5_damaged("a dataset lacks its space, its type or its layout");
    if (h->external)
        return cj__hdf5_unsupported("a dataset that lies in another file");
    CJ_TRY(cj__hdf5_dataspace(h->space, object));
    CJ_TRY(cj__hdf5_datatype(h->type, object));
    CJ_TRY(cj__hdf5_layout(file, h->layout, object));
    return h->filters.at ? cj__hdf5_filters(h->filters, object) : CJ_OK;
}

static cj_status read_object(cj__hdf5 *file, uint64_t address, cj__hdf5_object *object, int depth);

// The header's block of state is on the heap: groups are read within groups.
static cj_status read_header(cj__hdf5 *file, uint64_t address, header *h, cj__hdf5_object *object)
{
    cj__h5_bytes begin = {0};
    CJ_TRY(cj__hdf5_span(file, address, 4, "an object header", &begin));
    if (memcmp(begin.at, "OHDR", 4) == 0)
        CJ_TRY(open_header_2(file, address, h));
    else if (begin.at[0] == 1)
        CJ_TRY(open_header_1(file, address, h));
    else
        return cj__hdf5_damaged("an object header is of no known version");
    CJ_TRY(read_messages(file, h, object));
    if (h->layout.at || h->space.at)
        return read_dataset(file, h, object);
    if (h->type.at)
        return cj__hdf5_unsupported("a type under a name");
    if (h->table.at)
        CJ_TRY(cj__hdf5_symbol_table(file, h->table, object));
    return h->link_info.at ? cj__hdf5_link_info(file, h->link_info, object) : CJ_OK;
}

static cj_status read_object(cj__hdf5 *file, uint64_t address, cj__hdf5_object *object, int depth)
{
    if (depth > CJ__HDF5_DEPTH)
        return cj__hdf5_unsupported("groups within more than 32 groups");
    CJ_TRY(cj__hdf5_visit(file, address, "an object"));
    header *h = cj__new(1, sizeof *h);
    if (!h)
        return CJ_OUT_OF_MEMORY;
    cj_status status = read_header(file, address, h, object);
    cj__free(h);
    for (int i = 0; status == CJ_OK && i < object->member_count; i++) {
        cj__hdf5_object *member = &object->members[i];
        const uint64_t place = member->place;
        member->place = 0;
        status = read_object(file, place, member, depth + 1);
        if (status != CJ_OK && depth < 2)
            cj__fail_in(status, "\"%s\"", member->name);
    }
    return status;
}

// ---- The superblock ----

static cj_status need_sizes(const unsigned char *sizes)
{
    return sizes[0] == 8 && sizes[1] == 8 ?
               CJ_OK :
               cj__hdf5_unsupported("offsets or lengths that are not 8 bytes long");
}

// Where the root's header is, and the file's end.
static cj_status read_superblock(const cj__hdf5 *file, uint64_t *root, uint64_t *base,
                                 uint64_t *end)
{
    static const unsigned char magic[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    cj__h5_bytes s = {0};
    CJ_TRY(cj__hdf5_span(file, 0, 16, "the superblock", &s));
    if (memcmp(s.at, magic, sizeof magic) != 0)
        return cj__fail(CJ_BAD_FILE, "not an HDF5 file");
    const int version = s.at[8];
    if (version <= 1) {
        const uint64_t at = version == 0 ? 24 : 28;
        CJ_TRY(cj__hdf5_span(file, 0, at + 72, "the superblock", &s));
        CJ_TRY(need_sizes(s.at + 13));
        *base = cj__le(s.at + at, 8);
        *end = cj__le(s.at + at + 16, 8);
        *root = cj__le(s.at + at + 40, 8); // after the name's offset in the root's entry
        return CJ_OK;
    }
    if (version > 3)
        return cj__hdf5_unsupported("a superblock of a later version");
    CJ_TRY(cj__hdf5_span(file, 0, 48, "the superblock", &s));
    CJ_TRY(need_sizes(s.at + 9));
    *base = cj__le(s.at + 12, 8);
    *end = cj__le(s.at + 28, 8);
    *root = cj__le(s.at + 36, 8);
    return check_sum(s.at, (cj__h5_bytes){s.at + 44, 4}, "the superblock");
}

static cj_status read_file(cj__hdf5 *file)
{
    uint64_t root = 0, base = 0, end = 0;
    CJ_TRY(read_superblock(file, &root, &base, &end));
    if (base != 0)
        return cj__hdf5_unsupported("a base address");
    if (end > file->size)
        return cj__fail(CJ_BAD_FILE, "the HDF5 file is cut short: it says %llu bytes, and has %llu",
                        (unsigned long long)end, (unsigned long long)file->size);
    file->root.name = cj__copy_text("");
    if (!file->root.name)
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(read_object(file, root, &file->root, 0));
    return file->root.kind == CJ__HDF5_GROUP ? CJ_OK : cj__hdf5_damaged("its root is no group");
}

cj_status cj__hdf5_open(cj__hdf5 *file, const cj__input *input)
{
    *file = (cj__hdf5){.bytes = (const unsigned char *)input->bytes, .size = input->size};
    if (input->size > SIZE_MAX / 2)
        return cj__fail_memory(SIZE_MAX, "an HDF5 file");
    if (!input->bytes) {
        file->owned = cj__resize(NULL, (size_t)input->size + 1, 1);
        if (!file->owned)
            return CJ_OUT_OF_MEMORY;
        file->bytes = file->owned;
        CJ_TRY(cj__input_read(input, 0, file->owned, (size_t)input->size));
    }
    file->budget = input->size <= UINT64_MAX / MOST_GROWTH ? input->size * MOST_GROWTH : UINT64_MAX;
    return read_file(file);
}

static void free_object(cj__hdf5_object *object)
{
    for (int i = 0; i < object->member_count; i++)
        free_object(&object->members[i]);
    cj__free(object->members);
    cj__free(object->name);
}

void cj__hdf5_close(cj__hdf5 *file)
{
    free_object(&file->root);
    cj__index_free(&file->seen);
    cj__free(file->owned);
    *file = (cj__hdf5){0};
}

const cj__hdf5_object *cj__hdf5_find(const cj__hdf5_object *group, const char *name)
{
    for (int i = 0; group && i < group->member_count; i++)
        if (strcmp(group->members[i].name, name) == 0)
            return &group->members[i];
    return NULL;
}
