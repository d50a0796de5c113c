// Writing HDF5 files: superblock 2, groups whose headers have their links, contiguous datasets. The
// root's header comes last, so that every address is known when it is written down. Members of groups
// and elements go out in the order of the items.
#include "formats/hdf5_parts.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <string.h>

enum { SUPERBLOCK = 48 };

// ---- Bytes ----

// The file as it grows.
typedef struct writer {
    unsigned char *bytes;
    size_t used, capacity;
    bool failed;
} writer;

static unsigned char *room(writer *w, size_t size)
{
    if (w->failed || size > SIZE_MAX / 2 - w->used ||
        !cj__reserve((void **)&w->bytes, &w->capacity, w->used + size, 1)) {
        w->failed = true;
        return NULL;
    }
    unsigned char *at = w->bytes + w->used;
    w->used += size;
    return at;
}

static void put_bytes(writer *w, const void *bytes, size_t size)
{
    unsigned char *at = room(w, size);
    if (at && size != 0)
        memcpy(at, bytes, size);
}

static void put(writer *w, uint64_t value, int size)
{
    unsigned char *at = room(w, (size_t)size);
    for (int i = 0; at && i < size; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

// Every part begins at a multiple of 8.
static void align(writer *w)
{
    while (!w->failed && w->used % 8 != 0)
        put(w, 0, 1);
}

// ---- Bob Jenkins's lookup3 ----

static uint32_t turn(uint32_t x, int by)
{
    return x << by | x >> (32 - by);
}

// The hash takes 12 bytes at a time; here the parts are a, b and c of the published function.
uint32_t cj__hdf5_checksum(const unsigned char *bytes, size_t size)
{
    uint32_t s[3];
    s[0] = s[1] = s[2] = 0xdeadbeef + (uint32_t)size;
    while (size > 12) {
        static const int turns[6] = {4, 6, 8, 16, 19, 4};
        for (int i = 0; i < 3; i++)
            s[i] += (uint32_t)cj__le(bytes + 4 * i, 4);
        for (int i = 0; i < 6; i++) {
            uint32_t *x = &s[i % 3], *y = &s[(i + 1) % 3], *z = &s[(i + 2) % 3];
            *x -= *z;
            *x ^= turn(*z, turns[i]);
            *z += *y;
        }
        bytes += 12, size -= 12;
    }
    if (size == 0)
        return s[2];
    for (size_t i = 0; i < size; i++)
        s[i / 4] += (uint32_t)bytes[i] << 8 * (i % 4);
    static const int last[7] = {14, 11, 25, 16, 4, 14, 24};
    for (int i = 0; i < 7; i++) {
        uint32_t *x = &s[(2 + i) % 3], *y = &s[(1 + i) % 3];
        *x ^= *y;
        *x -= turn(*y, last[i]);
    }
    return s[2];
}

// ---- Object headers ----

// Messages are gathered apart, since a header says how long they are.
static void put_message(writer *messages, int type, const writer *body)
{
    messages->failed = messages->failed || body->failed || body->used > 65535;
    put(messages, (uint64_t)type, 1);
    put(messages, body->used, 2);
    put(messages, 0, 1);
    if (body->used != 0)
        put_bytes(messages, body->bytes, body->used);
}

// The address of the header.
static uint64_t put_header(writer *w, const writer *messages)
{
    align(w);
    const size_t begin = w->used;
    w->failed = w->failed || messages->failed || messages->used > UINT32_MAX;
    put_bytes(w, "OHDR\2\2", 6); // version 2; 4 bytes say how long the messages are
    put(w, messages->used, 4);
    if (messages->used != 0)
        put_bytes(w, messages->bytes, messages->used);
    if (!w->failed)
        put(w, cj__hdf5_checksum(w->bytes + begin, w->used - begin), 4);
    return begin;
}

// ---- Datasets ----

static uint64_t count_of(const cj__hdf5_item *item)
{
    uint64_t count = 1;
    for (int i = 0; i < item->rank; i++)
        count *= item->dims[i];
    return count;
}

static size_t longest(const cj__hdf5_item *item)
{
    size_t most = 1;
    for (uint64_t i = 0; i < count_of(item); i++) {
        const size_t length = strlen(item->texts[i]);
        most = length > most ? length : most;
    }
    return most;
}

// The elements, and the bytes of each.
static size_t put_elements(writer *w, const cj__hdf5_item *item)
{
    const uint64_t count = count_of(item);
    const size_t size = item->kind == CJ__HDF5_INTEGER ? 8 :
                        item->kind == CJ__HDF5_FLOAT   ? 4 :
                                                         longest(item);
    for (uint64_t i = 0; i < count && !w->failed; i++) {
        if (item->kind == CJ__HDF5_INTEGER) {
            put(w, (uint64_t)item->integers[i], 8);
        } else if (item->kind == CJ__HDF5_FLOAT) {
            uint32_t bits;
            memcpy(&bits, &item->floats[i], sizeof bits);
            put(w, bits, 4);
        } else {
            unsigned char *at = room(w, size);
            const size_t length = strlen(item->texts[i]);
            if (at) {
                memset(at, 0, size);
                memcpy(at, item->texts[i], length);
            }
        }
    }
    return size;
}

static void put_type(writer *body, cj__hdf5_kind kind, size_t size)
{
    if (kind == CJ__HDF5_INTEGER) { // version 1, class 0, signed
        put(body, 0x000810, 4), put(body, 8, 4), put(body, 0, 2), put(body, 64, 2);
    } else if (kind == CJ__HDF5_FLOAT) { // class 1, the sign is bit 31, a leading 1 is implied
        put(body, 0x1f2011, 4), put(body, 4, 4), put(body, 0, 2), put(body, 32, 2);
        put_bytes(body, (const unsigned char[]){23, 8, 0, 23}, 4);
        put(body, 127, 4);
    } else { // class 3, filled up with zeros, UTF-8
        put(body, 0x001113, 4), put(body, size, 4);
    }
}

static void put_space(writer *body, const cj__hdf5_item *item)
{
    put(body, 2, 1), put(body, (uint64_t)item->rank, 1), put(body, 0, 1);
    put(body, item->rank > 0, 1); // a single element, or axes
    for (int i = 0; i < item->rank; i++)
        put(body, item->dims[i], 8);
}

static uint64_t put_dataset(writer *w, const cj__hdf5_item *item)
{
    writer messages = {0}, space = {0}, type = {0}, layout = {0}, fill = {0};
    align(w);
    const size_t begin = w->used, size = put_elements(w, item);
    const uint64_t bytes = w->used - begin;
    put_space(&space, item);
    put_type(&type, item->kind, size);
    put_bytes(&fill, "\3\12", 2); // version 3, no value of the user's
    put_bytes(&layout, "\3\1", 2);
    put(&layout, bytes != 0 ? begin : CJ__HDF5_UNDEFINED, 8), put(&layout, bytes, 8);
    put_message(&messages, 1, &space);
    put_message(&messages, 3, &type);
    put_message(&messages, 5, &fill);
    put_message(&messages, 8, &layout);
    const uint64_t address = put_header(w, &messages);
    cj__free(messages.bytes), cj__free(space.bytes), cj__free(type.bytes);
    cj__free(layout.bytes), cj__free(fill.bytes);
    return address;
}

// ---- Groups ----

static uint64_t put_item(writer *w, const cj__hdf5_item *item);

static void put_link(writer *messages, const char *name, uint64_t address)
{
    writer body = {0};
    const size_t length = strlen(name);
    put_bytes(&body, "\1\x11\1", 3); // version 1; a name in UTF-8, whose length has 2 bytes
    put(&body, length, 2);
    put_bytes(&body, name, length);
    put(&body, address, 8);
    put_message(messages, 6, &body);
    cj__free(body.bytes);
}

static uint64_t put_group(writer *w, const cj__hdf5_item *item)
{
    writer messages = {0}, info = {0}, group = {0};
    put(&info, 0, 2), put(&info, CJ__HDF5_UNDEFINED, 8), put(&info, CJ__HDF5_UNDEFINED, 8);
    put(&group, 0, 2);
    put_message(&messages, 2, &info);
    put_message(&messages, 10, &group);
    for (int i = 0; i < item->member_count && !w->failed; i++)
        put_link(&messages, item->members[i].name, put_item(w, &item->members[i]));
    const uint64_t address = put_header(w, &messages);
    cj__free(messages.bytes), cj__free(info.bytes), cj__free(group.bytes);
    return address;
}

static uint64_t put_item(writer *w, const cj__hdf5_item *item)
{
    return item->kind == CJ__HDF5_GROUP ? put_group(w, item) : put_dataset(w, item);
}

cj_status cj__hdf5_write(const cj__hdf5_item *root, cj__sink *sink)
{
    writer w = {0}, head = {0};
    if (room(&w, SUPERBLOCK))
        memset(w.bytes, 0, SUPERBLOCK);
    const uint64_t address = put_item(&w, root);
    put_bytes(&head, "\x89HDF\r\n\x1a\n\2\10\10\0", 12);
    put(&head, 0, 8), put(&head, CJ__HDF5_UNDEFINED, 8);
    put(&head, w.used, 8), put(&head, address, 8);
    if (!head.failed)
        put(&head, cj__hdf5_checksum(head.bytes, head.used), 4);
    cj_status status = w.failed || head.failed ? CJ_OUT_OF_MEMORY : cj__sink_begin(sink, w.used);
    if (status == CJ_OK) {
        memcpy(w.bytes, head.bytes, SUPERBLOCK);
        cj__sink_write(sink, w.bytes, w.used);
    }
    cj__free(w.bytes);
    cj__free(head.bytes);
    return status;
}
