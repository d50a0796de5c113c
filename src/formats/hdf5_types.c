// What a dataset in an HDF5 file is: its axes, its elements, where they lie, how they were filtered.
#include "formats/hdf5_parts.h"

#include "base/error.h"

#include <string.h>

cj_status cj__hdf5_dataspace(cj__h5_bytes message, cj__hdf5_object *object)
{
    cj__h5_bytes head = {0}, lengths = {0};
    if (!cj__take_bytes(&message, 4, &head) || (head.at[0] != 1 && head.at[0] != 2))
        return cj__hdf5_damaged("the space of a dataset is of no known version");
    const int version = head.at[0], rank = head.at[1];
    if (version == 1 && !cj__take_bytes(&message, 4, &head))
        return cj__hdf5_damaged("the space of a dataset is cut short");
    if (rank > CJ__HDF5_RANK || !cj__take_bytes(&message, 8 * (uint64_t)rank, &lengths))
        return cj__hdf5_damaged("the space of a dataset is cut short");
    object->rank = rank;
    object->count = version == 2 && head.at[3] == 2 ? 0 : 1; // nothing at all
    for (int i = 0; i < rank; i++) {
        const uint64_t length = object->dims[i] = cj__le(lengths.at + 8 * i, 8);
        if (length != 0 && object->count > INT64_MAX / 64 / length)
            return cj__hdf5_damaged("the axes of a dataset are too long");
        object->count *= length;
    }
    return CJ_OK;
}

// The widths and places of the parts of a float, as IEEE 754 has them.
static bool is_ieee(const unsigned char *p, uint32_t size)
{
    static const struct {
        uint32_t size;
        unsigned char parts[6];
        uint32_t bias;
    } known[] = {{2, {16, 0, 10, 5, 0, 10}, 15},
                 {4, {32, 0, 23, 8, 0, 23}, 127},
                 {8, {64, 0, 52, 11, 0, 52}, 1023}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].size == size)
            return p[0] == 0 && p[1] == 0 && memcmp(p + 2, known[i].parts, 6) == 0 &&
                   cj__le(p + 8, 4) == known[i].bias;
    return false;
}

static bool is_whole(const unsigned char *p, uint32_t size)
{
    const bool fits = size == 1 || size == 2 || size == 4 || size == 8;
    return fits && cj__le(p, 2) == 0 && cj__le(p + 2, 2) == 8 * (uint64_t)size;
}

enum { FIXED_POINT = 0, FLOATING_POINT = 1, STRING = 3, ENUMERATION = 8, VARIABLE = 9 };

cj_status cj__hdf5_datatype(cj__h5_bytes message, cj__hdf5_object *object)
{
    cj__h5_bytes head = {0};
    object->kind = CJ__HDF5_OTHER;
    if (!cj__take_bytes(&message, 8, &head))
        return cj__hdf5_damaged("a type is cut short");
    if ((head.at[0] & 15) == ENUMERATION && !cj__take_bytes(&message, 8, &head))
        return cj__hdf5_damaged("a type is cut short"); // the type of its numbers follows
    const int class = head.at[0] & 15;
    const uint64_t bits = cj__le(head.at + 1, 3);
    object->size = (uint32_t)cj__le(head.at + 4, 4);
    if (object->size == 0)
        return cj__hdf5_damaged("the elements of a dataset have no bytes");
    object->big_endian = bits & 1;
    if (class == FIXED_POINT && message.size >= 4 && is_whole(message.at, object->size)) {
        object->kind = CJ__HDF5_INTEGER;
        object->is_signed = bits & 8;
    } else if (class == FLOATING_POINT && message.size >= 12 && !(bits & 0x40) &&
               is_ieee(message.at, object->size)) {
        object->kind = CJ__HDF5_FLOAT;
    } else if (class == STRING || (class == VARIABLE && (bits & 15) == 1)) {
        object->kind = CJ__HDF5_TEXT;
        object->variable = class == VARIABLE;
        if (object->variable && object->size != 16)
            return cj__hdf5_damaged("a text of variable length has not 16 bytes");
    }
    return CJ_OK;
}

static cj_status read_chunks(cj__h5_bytes m, cj__hdf5_object *object)
{
    uint64_t axes, place;
    cj__h5_bytes lengths = {0};
    if (!cj__take_number(&m, 1, &axes) || !cj__take_number(&m, 8, &place) ||
        axes != (uint64_t)object->rank + 1 || !cj__take_bytes(&m, 4 * axes, &lengths))
        return cj__hdf5_damaged("the layout of chunks does not fit its dataset");
    for (int i = 0; i < object->rank; i++) {
        object->chunk[i] = (uint32_t)cj__le(lengths.at + 4 * i, 4);
        if (object->chunk[i] == 0)
            return cj__hdf5_damaged("a chunk has no elements");
    }
    if (cj__le(lengths.at + 4 * object->rank, 4) != object->size)
        return cj__hdf5_damaged("the elements of chunks have another size than their dataset's");
    object->place = place;
    object->layout = place == CJ__HDF5_UNDEFINED ? CJ__HDF5_NOWHERE : CJ__HDF5_CHUNKS;
    return CJ_OK;
}

cj_status cj__hdf5_layout(const cj__hdf5 *file, cj__h5_bytes m, cj__hdf5_object *object)
{
    uint64_t version, class, size;
    if (!cj__take_number(&m, 1, &version) || !cj__take_number(&m, 1, &class))
        return cj__hdf5_damaged("the layout of a dataset is cut short");
    if (version != 3 && !(version == 4 && class < 2))
        return cj__hdf5_unsupported("a layout of another version than 3");
    if (class == 0) {
        if (!cj__take_number(&m, 2, &size) || size > m.size)
            return cj__hdf5_damaged("a dataset in its header is cut short");
        object->place = (uint64_t)(m.at - file->bytes), object->bytes = size;
        object->layout = CJ__HDF5_PLAIN;
        return CJ_OK;
    }
    if (class == 1) {
        if (!cj__take_number(&m, 8, &object->place) || !cj__take_number(&m, 8, &object->bytes))
            return cj__hdf5_damaged("the layout of a dataset is cut short");
        object->layout = object->place == CJ__HDF5_UNDEFINED ? CJ__HDF5_NOWHERE : CJ__HDF5_PLAIN;
        return CJ_OK;
    }
    return class == 2 ? read_chunks(m, object) : cj__hdf5_unsupported("a dataset made of others");
}

cj_status cj__hdf5_filters(cj__h5_bytes m, cj__hdf5_object *object)
{
    uint64_t version, count, id, name, numbers;
    cj__h5_bytes skipped = {0};
    if (!cj__take_number(&m, 1, &version) || !cj__take_number(&m, 1, &count) ||
        (version != 1 && version != 2) || (version == 1 && !cj__take_bytes(&m, 6, &skipped)))
        return cj__hdf5_damaged("the filters of a dataset are of no known version");
    if (count > CJ__HDF5_FILTERS)
        return cj__hdf5_unsupported("more than 8 filters on one dataset");
    for (uint64_t i = 0; i < count; i++) {
        name = 0;
        if (!cj__take_number(&m, 2, &id))
            return cj__hdf5_damaged("a filter is cut short");
        if ((version == 1 || id >= 256) && !cj__take_number(&m, 2, &name))
            return cj__hdf5_damaged("a filter is cut short");
        if (!cj__take_bytes(&m, 2, &skipped) || !cj__take_number(&m, 2, &numbers) ||
            !cj__take_bytes(&m, version == 1 ? (name + 7) / 8 * 8 : name, &skipped) ||
            !cj__take_bytes(&m, 4 * (numbers + (version == 1 && numbers % 2)), &skipped))
            return cj__hdf5_damaged("a filter is cut short");
        object->filters[object->filter_count++] = (uint16_t)id;
    }
    return CJ_OK;
}
