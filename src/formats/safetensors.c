// Reading and writing the safetensors container.
#include "formats/safetensors.h"

#include "base/error.h"
#include "base/half.h"
#include "base/memory.h"
#include "formats/json_build.h"

#include <stdlib.h>
#include <string.h>

static const char *const dtype_names[CJ_DTYPE_COUNT] = {
    [CJ_F32] = "F32", [CJ_F64] = "F64", [CJ_BF16] = "BF16", [CJ_I32] = "I32",
    [CJ_I64] = "I64", [CJ_U8] = "U8",   [CJ_BOOL] = "BOOL",
};

// A dtype of files.
typedef struct cj__stored {
    const char *name;
    cj_dtype dtype; // what it is read as
    size_t size;    // bytes of an element
    bool same;      // the bytes are the tensor's
} cj__stored;

static const cj__stored stored[] = {
    {"F32", CJ_F32, 4, true},   {"F64", CJ_F64, 8, true},  {"BF16", CJ_BF16, 2, true},
    {"I32", CJ_I32, 4, true},   {"I64", CJ_I64, 8, true},  {"U8", CJ_U8, 1, true},
    {"BOOL", CJ_BOOL, 1, true}, {"F16", CJ_F32, 2, false}, {"I8", CJ_I32, 1, false},
    {"I16", CJ_I32, 2, false},  {"U16", CJ_I32, 2, false}, {"U32", CJ_I64, 4, false},
    {"U64", CJ_I64, 8, false},
};

enum { HEADER_LENGTH_SIZE = 8 };
static const size_t header_max = 100u << 20; // the format's own limit

// A file's numbers are little endian. On a machine that is not, reverses the bytes of each of
// `count` elements.
static void swap_bytes(void *data, size_t size, size_t count)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (char *element = data; count > 0; element += size, count--) {
        for (size_t i = 0; i < size / 2; i++) {
            const char byte = element[i];
            element[i] = element[size - 1 - i];
            element[size - 1 - i] = byte;
        }
    }
#else
    (void)data, (void)size, (void)count;
#endif
}

// ---- Reading ----

static cj_status read_dtype(const char *name, const json_t *value, cj__entry *entry)
{
    const char *text = json_string_value(value);
    for (size_t i = 0; text && i < sizeof stored / sizeof *stored; i++) {
        if (strcmp(text, stored[i].name) == 0) {
            entry->stored = &stored[i];
            entry->type.dtype = stored[i].dtype;
            return CJ_OK;
        }
    }
    return cj__fail(CJ_UNSUPPORTED, "tensor \"%.200s\" has dtype \"%.40s\", which is not supported",
                    name, text ? text : "none");
}

static cj_status read_shape(const char *name, const json_t *value, cj_shape *shape)
{
    size_t rank = json_array_size(value);
    if (!json_is_array(value) || rank > CJ_MAX_RANK)
        return cj__fail(CJ_BAD_FILE, "tensor \"%.200s\" has no shape of at most %d axes", name,
                        CJ_MAX_RANK);
    shape->rank = (int)rank;
    for (size_t i = 0; i < rank; i++) {
        const json_t *length = json_array_get(value, i);
        shape->dims[i] = json_integer_value(length);
        if (!json_is_integer(length) || shape->dims[i] < 0)
            return cj__fail(CJ_BAD_FILE, "tensor \"%.200s\" has a bad length in its shape", name);
    }
    return CJ_OK;
}

// `base` is where in the file the tensors' bytes begin.
static cj_status read_entry(const char *name, const json_t *value, uint64_t base,
                            uint64_t file_size, cj__entry *entry)
{
    entry->name = name;
    if (!json_is_object(value))
        return cj__fail(CJ_BAD_FILE, "the header's entry \"%.200s\" is not an object", name);
    CJ_TRY(read_dtype(name, json_object_get(value, "dtype"), entry));
    CJ_TRY(read_shape(name, json_object_get(value, "shape"), &entry->type.shape));
    const json_t *offsets = json_object_get(value, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    int64_t begin = json_integer_value(first), end = json_integer_value(last), size = 0;
    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last) ||
        begin < 0 || end < begin || (uint64_t)end > file_size - base)
        return cj__fail(CJ_BAD_FILE, "tensor \"%.200s\" lies outside the file", name);
    int64_t count = cj_shape_count(&entry->type.shape);
    if (count < 0 || __builtin_mul_overflow(count, (int64_t)entry->stored->size, &size) ||
        size != end - begin)
        return cj__fail(CJ_BAD_FILE,
                        "tensor \"%.200s\" has %lld bytes, which its shape and dtype contradict",
                        name, (long long)(end - begin));
    entry->begin = base + (uint64_t)begin;
    entry->end = base + (uint64_t)end;
    return CJ_OK;
}

static int by_place(const void *a, const void *b)
{
    const cj__entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end); // empty ones first
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const cj__entry *)a)->name, ((const cj__entry *)b)->name);
}

// Every byte after the header belongs to exactly one tensor. Leaves the entries in order of their
// names.
static cj_status check_cover(cj__container *container, uint64_t base)
{
    uint64_t next = base;
    qsort(container->entries, (size_t)container->count, sizeof *container->entries, by_place);
    for (int i = 0; i < container->count; i++) {
        const cj__entry *entry = &container->entries[i];
        if (entry->begin != next)
            return cj__fail(CJ_BAD_FILE,
                            "the bytes of tensor \"%.200s\" overlap others or leave a gap",
                            entry->name);
        next = entry->end;
    }
    if (next != container->input->size)
        return cj__fail(CJ_BAD_FILE, "%llu bytes at the end belong to no tensor",
                        (unsigned long long)(container->input->size - next));
    qsort(container->entries, (size_t)container->count, sizeof *container->entries, by_name);
    return CJ_OK;
}

// The format's description has an object of texts; null stands for none.
static cj_status read_metadata(cj__container *container, const json_t *value)
{
    const char *key = NULL;
    const json_t *text = NULL;
    if (json_is_null(value))
        return CJ_OK;
    if (!json_is_object(value))
        return cj__fail(CJ_BAD_FILE, "the metadata is not an object");
    json_object_foreach ((json_t *)(uintptr_t)value, key, text) {
        if (!json_is_string(text))
            return cj__fail(CJ_BAD_FILE, "the metadata's entry \"%.200s\" is not a text", key);
    }
    container->metadata = value;
    return CJ_OK;
}

// The header as a JSON value, and its length.
static cj_status parse_header(const cj__input *input, json_t **header, uint64_t *length)
{
    unsigned char prefix[HEADER_LENGTH_SIZE];
    *length = 0;
    if (input->size < HEADER_LENGTH_SIZE)
        return cj__fail(CJ_BAD_FILE, "the file ends within its first %d bytes", HEADER_LENGTH_SIZE);
    CJ_TRY(cj__input_read(input, 0, prefix, sizeof prefix));
    for (int i = HEADER_LENGTH_SIZE - 1; i >= 0; i--)
        *length = *length << 8 | prefix[i];
    const uint64_t left = input->size - HEADER_LENGTH_SIZE;
    if (*length > left || *length > header_max)
        return cj__fail(CJ_BAD_FILE, "the header claims %llu bytes where %llu follow, at most %zu",
                        (unsigned long long)*length, (unsigned long long)left, header_max);
    char *text = cj__resize(NULL, (size_t)*length + 1, 1);
    if (!text)
        return CJ_OUT_OF_MEMORY;
    cj_status status = cj__input_read(input, HEADER_LENGTH_SIZE, text, (size_t)*length);
    if (status == CJ_OK) {
        status = cj__json_parse(text, (size_t)*length, header);
        status = status == CJ_OK ? CJ_OK : cj__fail_in(status, "the header");
    }
    cj__free(text);
    return status;
}

static cj_status read_header(cj__container *container)
{
    uint64_t length = 0;
    CJ_TRY(parse_header(container->input, &container->header, &length));
    if (!json_is_object(container->header))
        return cj__fail(CJ_BAD_FILE, "the header is not a JSON object");
    container->entries = cj__new(json_object_size(container->header), sizeof *container->entries);
    if (!container->entries)
        return CJ_OUT_OF_MEMORY;
    const uint64_t base = HEADER_LENGTH_SIZE + length;
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach (container->header, name, value) {
        if (strcmp(name, "__metadata__") == 0)
            CJ_TRY(read_metadata(container, value));
        else
            CJ_TRY(read_entry(name, value, base, container->input->size,
                              &container->entries[container->count++]));
    }
    return check_cover(container, base);
}

cj_status cj__container_read(const cj__input *input, cj__container *container)
{
    *container = (cj__container){.input = input};
    cj_status status = read_header(container);
    if (status != CJ_OK)
        cj__container_free(container);
    return status;
}

void cj__container_free(cj__container *container)
{
    cj__free(container->entries);
    json_decref(container->header);
    *container = (cj__container){0};
}

const cj__entry *cj__container_find(const cj__container *container, const char *name)
{
    const cj__entry wanted = {.name = name};
    return container->count == 0 ? NULL :
                                   bsearch(&wanted, container->entries, (size_t)container->count,
                                           sizeof *container->entries, by_name);
}

// One element of a dtype that is widened, as a float or an integer of 32 or 64 bits; false for an integer
// that the tensor's dtype does not have.
static bool widen(const cj__stored *from, const unsigned char *bytes, char *to)
{
    uint64_t bits = 0;
    for (size_t i = from->size; i-- > 0;)
        bits = bits << 8 | bytes[i];
    if (from->name[0] == 'I' && from->size < 8 && bits >> (8 * from->size - 1))
        bits |= ~(uint64_t)0 << 8 * from->size; // the sign
    const float real = cj__half_value((uint16_t)bits);
    const int32_t number = (int32_t)(uint32_t)bits;
    if (from->dtype == CJ_F32)
        memcpy(to, &real, sizeof real);
    else if (from->dtype == CJ_I32)
        memcpy(to, &number, sizeof number);
    else
        memcpy(to, &bits, sizeof bits);
    return from->dtype != CJ_I64 || bits <= INT64_MAX;
}

cj_status cj__container_elements(const cj__container *container, const cj__entry *entry,
                                 void *elements)
{
    const cj__stored *from = entry->stored;
    const size_t size = cj_dtype_size(entry->type.dtype),
                 bytes = (size_t)(entry->end - entry->begin), count = bytes / from->size;
    // what is widened is read to the end of the block, so that no element is written over one that is unread
    char *to = elements;
    unsigned char *read = (unsigned char *)elements + (count * size - bytes);
    CJ_TRY(cj__input_read(container->input, entry->begin, read, bytes));
    if (from->same)
        swap_bytes(elements, size, count);
    for (size_t i = 0; !from->same && i < count; i++)
        if (!widen(from, read + i * from->size, to + i * size))
            return cj__fail(CJ_BAD_FILE, "tensor \"%.200s\" has an integer above 2^63 - 1",
                            entry->name);
    return CJ_OK;
}

cj_status cj__container_tensor(const cj__container *container, const cj__entry *entry,
                               cj_tensor **tensor)
{
    CJ_TRY(cj_tensor_new(entry->type.dtype, entry->type.shape, tensor));
    const cj_status status = cj__container_elements(container, entry, (*tensor)->data);
    if (status != CJ_OK) {
        cj_release(*tensor);
        *tensor = NULL;
    }
    return status;
}

const char *cj__container_text(const cj__container *container, const char *key)
{
    return json_string_value(json_object_get(container->metadata, key));
}

// ---- Writing ----

static int64_t bytes_of(const cj_tensor *tensor)
{
    return cj_tensor_count(tensor) * (int64_t)cj_dtype_size(tensor->dtype);
}

// {"dtype": ..., "shape": [...], "data_offsets": [begin, end]}
static json_t *describe(cj__json *b, const cj_tensor *tensor, int64_t begin)
{
    json_t *entry = cj__json_object(b), *shape = cj__json_list(b), *offsets = cj__json_list(b);
    for (int i = 0; i < tensor->shape.rank; i++)
        cj__json_append(b, shape, cj__json_int(b, tensor->shape.dims[i]));
    cj__json_append(b, offsets, cj__json_int(b, begin));
    cj__json_append(b, offsets, cj__json_int(b, begin + bytes_of(tensor)));
    cj__json_set(b, entry, "dtype", cj__json_text(b, dtype_names[tensor->dtype]));
    cj__json_set(b, entry, "shape", shape);
    cj__json_set(b, entry, "data_offsets", offsets);
    return entry;
}

// The header as text, which cj__free() frees.
static cj_status make_header(const cj__contents *contents, char **text)
{
    cj__json b = {0};
    json_t *header = cj__json_object(&b);
    int64_t offset = 0;
    cj__json_set(&b, header, "__metadata__", json_incref(contents->metadata));
    for (int i = 0; i < contents->count && b.status == CJ_OK; i++) {
        if (json_object_get(header, contents->names[i]))
            b.status = cj__fail(CJ_INVALID_ARGUMENT, "two variables are named \"%.200s\"",
                                contents->names[i]);
        cj__json_set(&b, header, contents->names[i], describe(&b, contents->tensors[i], offset));
        offset += bytes_of(contents->tensors[i]);
    }
    header = cj__json_end(&b, header);
    *text = header ? cj__json_print(header, JSON_COMPACT) : NULL;
    json_decref(header);
    if (b.status != CJ_OK)
        return b.status;
    if (!*text)
        return CJ_OUT_OF_MEMORY;
    if (strlen(*text) <= header_max - HEADER_LENGTH_SIZE)
        return CJ_OK;
    cj_status status = cj__fail(CJ_UNSUPPORTED,
                                "the model's description has %zu bytes, and the header of a "
                                "safetensors file at most %zu",
                                strlen(*text), header_max);
    cj__free(*text);
    *text = NULL;
    return status;
}

static void write_tensor(const cj_tensor *tensor, cj__sink *sink)
{
    const size_t size = cj_dtype_size(tensor->dtype), bytes = (size_t)bytes_of(tensor);
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        cj__sink_write(sink, tensor->data, bytes);
        return;
    }
    char piece[4096];
    for (size_t done = 0, step; done < bytes; done += step) {
        step = bytes - done < sizeof piece ? bytes - done : sizeof piece;
        memcpy(piece, tensor->data + done, step);
        swap_bytes(piece, size, step / size);
        cj__sink_write(sink, piece, step);
    }
}

cj_status cj__container_write(const cj__contents *contents, cj__sink *sink)
{
    char *header = NULL;
    CJ_TRY(make_header(contents, &header));
    const size_t length = strlen(header), padded = (length + 7) / 8 * 8;
    size_t all = HEADER_LENGTH_SIZE + padded;
    for (int i = 0; i < contents->count; i++)
        all += (size_t)bytes_of(contents->tensors[i]);
    cj_status status = cj__sink_begin(sink, all);
    if (status == CJ_OK) {
        unsigned char prefix[HEADER_LENGTH_SIZE];
        for (int i = 0; i < HEADER_LENGTH_SIZE; i++)
            prefix[i] = (unsigned char)((uint64_t)padded >> (8 * i));
        cj__sink_write(sink, prefix, sizeof prefix);
        cj__sink_write(sink, header, length);
        cj__sink_write(sink, "        ", padded - length); // so that the tensors are aligned
        for (int i = 0; i < contents->count; i++)
            write_tensor(contents->tensors[i], sink);
    }
    cj__free(header);
    return status;
}
