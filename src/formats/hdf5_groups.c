// The members of groups in HDF5 files: symbol tables (a B-tree of nodes of entries whose names are in
// a heap), and links in the headers of groups.
#include "formats/hdf5_parts.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <string.h>

enum { TREE_DEPTH = 16, ENTRY = 40 };

cj_status cj__hdf5_add_member(cj__hdf5 *file, cj__hdf5_object *group, const char *name,
                              uint64_t length, uint64_t address)
{
    (void)file;
    if (length == 0 || length > 1u << 16 || !cj__is_utf8(name, (size_t)length))
        return cj__hdf5_damaged("the name of a link is no text");
    if (!cj__reserve((void **)&group->members, &group->member_capacity,
                     (size_t)group->member_count + 1, sizeof *group->members))
        return CJ_OUT_OF_MEMORY;
    char *copy = cj__resize(NULL, (size_t)length + 1, 1);
    if (!copy)
        return CJ_OUT_OF_MEMORY;
    memcpy(copy, name, (size_t)length);
    copy[length] = 0;
    if (cj__hdf5_find(group, copy)) {
        cj__free(copy);
        return cj__hdf5_damaged("two members of a group have one name");
    }
    group->members[group->member_count++] = (cj__hdf5_object){.name = copy, .place = address};
    return CJ_OK;
}

// ---- Symbol tables ----

// A node of entries: each has the offset of its name in the heap, and the address of the header.
static cj_status read_entries(cj__hdf5 *file, uint64_t address, cj__h5_bytes names,
                              cj__hdf5_object *group)
{
    cj__h5_bytes head = {0}, entries = {0};
    CJ_TRY(cj__hdf5_visit(file, address, "a node of a group's symbols"));
    CJ_TRY(cj__hdf5_span(file, address, 8, "a node of a group's symbols", &head));
    if (memcmp(head.at, "SNOD", 4) != 0 || head.at[4] != 1)
        return cj__hdf5_damaged("a node of a group's symbols is none");
    const uint64_t count = cj__le(head.at + 6, 2);
    CJ_TRY(cj__hdf5_span(file, address + 8, count * ENTRY, "a group's symbol", &entries));
    for (uint64_t i = 0; i < count; i++) {
        const unsigned char *entry = entries.at + i * ENTRY;
        const uint64_t at = cj__le(entry, 8);
        const unsigned char *end =
            at < names.size ? memchr(names.at + at, 0, (size_t)(names.size - at)) : NULL;
        if (!end)
            return cj__hdf5_damaged("the name of a link lies outside of its heap");
        if (cj__le(entry + 16, 4) == 2)
            return cj__hdf5_unsupported("a symbolic link");
        CJ_TRY(cj__hdf5_add_member(file, group, (const char *)names.at + at,
                                   (uint64_t)(end - names.at) - at, cj__le(entry + 8, 8)));
    }
    return CJ_OK;
}

static cj_status read_tree(cj__hdf5 *file, uint64_t address, int above, cj__h5_bytes names,
                           cj__hdf5_object *group)
{
    cj__h5_bytes head = {0}, keys = {0};
    CJ_TRY(cj__hdf5_visit(file, address, "a B-tree"));
    CJ_TRY(cj__hdf5_span(file, address, 24, "a B-tree", &head));
    const int level = head.at[5];
    const uint64_t count = cj__le(head.at + 6, 2);
    if (memcmp(head.at, "TREE", 4) != 0 || head.at[4] != 0 || level >= above)
        return cj__hdf5_damaged("the B-tree of a group is none");
    CJ_TRY(cj__hdf5_span(file, address + 24, 16 * count + 8, "a B-tree", &keys));
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t child = cj__le(keys.at + 16 * i + 8, 8);
        CJ_TRY(level == 0 ? read_entries(file, child, names, group) :
                            read_tree(file, child, level, names, group));
    }
    return CJ_OK;
}

cj_status cj__hdf5_symbol_table(cj__hdf5 *file, cj__h5_bytes message, cj__hdf5_object *group)
{
    uint64_t tree, heap;
    cj__h5_bytes head = {0}, names = {0};
    if (!cj__take_number(&message, 8, &tree) || !cj__take_number(&message, 8, &heap))
        return cj__hdf5_damaged("the symbol table of a group is cut short");
    CJ_TRY(cj__hdf5_span(file, heap, 32, "the heap of a group's names", &head));
    if (memcmp(head.at, "HEAP", 4) != 0 || head.at[4] != 0)
        return cj__hdf5_damaged("the heap of a group's names is none");
    CJ_TRY(cj__hdf5_span(file, cj__le(head.at + 24, 8), cj__le(head.at + 8, 8),
                         "the heap of a group's names", &names));
    return read_tree(file, tree, TREE_DEPTH, names, group);
}

// ---- Links ----

cj_status cj__hdf5_link(cj__hdf5 *file, cj__h5_bytes message, cj__hdf5_object *group)
{
    uint64_t version, flags, type = 0, skipped, length, address;
    cj__h5_bytes name = {0};
    if (!cj__take_number(&message, 1, &version) || !cj__take_number(&message, 1, &flags) ||
        version != 1)
        return cj__hdf5_damaged("a link is of no known version");
    if ((flags & 8 && !cj__take_number(&message, 1, &type)) ||
        (flags & 4 && !cj__take_number(&message, 8, &skipped)) ||
        (flags & 16 && !cj__take_number(&message, 1, &skipped)) ||
        !cj__take_number(&message, 1 << (flags & 3), &length) ||
        !cj__take_bytes(&message, length, &name))
        return cj__hdf5_damaged("a link is cut short");
    if (type != 0)
        return cj__hdf5_unsupported("a link to another place or file");
    if (!cj__take_number(&message, 8, &address))
        return cj__hdf5_damaged("a link is cut short");
    return cj__hdf5_add_member(file, group, (const char *)name.at, length, address);
}

cj_status cj__hdf5_link_info(cj__hdf5 *file, cj__h5_bytes message, cj__hdf5_object *group)
{
    uint64_t version, flags, skipped, heap;
    (void)file, (void)group;
    if (!cj__take_number(&message, 1, &version) || !cj__take_number(&message, 1, &flags) ||
        (flags & 1 && !cj__take_number(&message, 8, &skipped)) ||
        !cj__take_number(&message, 8, &heap))
        return cj__hdf5_damaged("what a group says of its links is cut short");
    return heap == CJ__HDF5_UNDEFINED ?
               CJ_OK :
               cj__hdf5_unsupported("a group whose links are in a heap, as \"libver\" later than "
                                    "\"earliest\" makes them");
}
