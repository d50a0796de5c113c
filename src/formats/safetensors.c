// Reading and writing the safetensors container.
#include "formats/safetensors.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static const char *const dtype_names[CJ_DTYPE_COUNT] = {
    [CJ_F32] = "F32", [CJ_F64] = "F64", [CJ_BF16] = "BF16", [CJ_I32] = "I32",
    [CJ_I64] = "I64", [CJ_U8] = "U8",   [CJ_BOOL] = "BOOL",
};

enum { HEADER_LENGTH_SIZE = 8 };
static const size_t header_max = 100u << 20; // the format's own limit
static const size_t file_max = SIZE_MAX / 4;

static cj_status read_dtype(const char *name, const json_t *value, cj_dtype *dtype)
{
    const char *text = json_string_value(value);
    for (int i = 0; text && i < CJ_DTYPE_COUNT; i++) {
        if (strcmp(text, dtype_names[i]) == 0) {
            *dtype = (cj_dtype)i;
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

// `data_size` is how many bytes follow the header.
static cj_status read_entry(const char *name, const json_t *value, const char *data,
                            uint64_t data_size, cj__entry *entry)
{
    entry->name = name;
    if (!json_is_object(value))
        return cj__fail(CJ_BAD_FILE, "the header's entry \"%.200s\" is not an object", name);
    CJ_TRY(read_dtype(name, json_object_get(value, "dtype"), &entry->type.dtype));
    CJ_TRY(read_shape(name, json_object_get(value, "shape"), &entry->type.shape));
    const json_t *offsets = json_object_get(value, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    int64_t begin = json_integer_value(first), end = json_integer_value(last), size = 0;
    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last) ||
        begin < 0 || end < begin || (uint64_t)end > data_size)
        return cj__fail(CJ_BAD_FILE, "tensor \"%.200s\" lies outside the file", name);
    int64_t count = cj_shape_count(&entry->type.shape);
    if (count < 0 ||
        __builtin_mul_overflow(count, (int64_t)cj_dtype_size(entry->type.dtype), &size) ||
        size != end - begin)
        return cj__fail(CJ_BAD_FILE,
                        "tensor \"%.200s\" has %lld bytes, which its shape and dtype contradict",
                        name, (long long)(end - begin));
    entry->data = data + begin;
    return CJ_OK;
}

static size_t bytes_of(const cj__entry *entry)
{
    return (size_t)cj_shape_count(&entry->type.shape) * cj_dtype_size(entry->type.dtype);
}

static int by_place(const void *a, const void *b)
{
    const cj__entry *x = *(const cj__entry *const *)a, *y = *(const cj__entry *const *)b;
    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    return (bytes_of(x) > bytes_of(y)) - (bytes_of(x) < bytes_of(y)); // empty ones first
}

// Every byte after the header belongs to exactly one tensor.
static cj_status check_cover(const cj__container *container, const char *data)
{
    const cj__entry **order = cj__new((size_t)container->count, sizeof *order);
    if (!order)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < container->count; i++)
        order[i] = &container->entries[i];
    qsort(order, (size_t)container->count, sizeof *order, by_place);
    const char *next = data;
    cj_status status = CJ_OK;
    for (int i = 0; i < container->count && status == CJ_OK; i++) {
        if (order[i]->data != next)
            status = cj__fail(CJ_BAD_FILE,
                              "the bytes of tensor \"%.200s\" overlap others or leave a gap",
                              order[i]->name);
        next = order[i]->data + bytes_of(order[i]);
    }
    if (status == CJ_OK && next != container->bytes + container->size)
        status = cj__fail(CJ_BAD_FILE, "%zu bytes at the end belong to no tensor",
                          (size_t)(container->bytes + container->size - next));
    cj__free(order);
    return status;
}

static cj_status read_metadata(cj__container *container, json_t *value)
{
    const char *key = NULL;
    json_t *text = NULL;
    if (!json_is_object(value))
        return cj__fail(CJ_BAD_FILE, "the metadata is not an object");
    json_object_foreach (value, key, text) {
        if (!json_is_string(text))
            return cj__fail(CJ_BAD_FILE, "the metadata's entry \"%.200s\" is not a text", key);
    }
    container->metadata = value;
    return CJ_OK;
}

static cj_status read_header(cj__container *container)
{
    if (container->size < HEADER_LENGTH_SIZE)
        return cj__fail(CJ_BAD_FILE, "the file ends within its first %d bytes", HEADER_LENGTH_SIZE);
    uint64_t length = 0;
    for (int i = HEADER_LENGTH_SIZE - 1; i >= 0; i--)
        length = length << 8 | (unsigned char)container->bytes[i];
    size_t left = container->size - HEADER_LENGTH_SIZE;
    if (length > left || length > header_max)
        return cj__fail(CJ_BAD_FILE, "the header claims %llu bytes where %zu follow",
                        (unsigned long long)length, left);
    json_error_t error;
    container->header = json_loadb(container->bytes + HEADER_LENGTH_SIZE, (size_t)length,
                                   JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(container->header))
        return cj__fail(CJ_BAD_FILE, "the header is not a JSON object: %s", error.text);
    container->entries = cj__new(json_object_size(container->header), sizeof *container->entries);
    if (!container->entries)
        return CJ_OUT_OF_MEMORY;
    const char *data = container->bytes + HEADER_LENGTH_SIZE + length, *name = NULL;
    json_t *value = NULL;
    json_object_foreach (container->header, name, value) {
        if (strcmp(name, "__metadata__") == 0)
            CJ_TRY(read_metadata(container, value));
        else
            CJ_TRY(read_entry(name, value, data, left - length,
                              &container->entries[container->count++]));
    }
    return check_cover(container, data);
}

cj_status cj__container_read(const char *path, cj__container *container)
{
    *container = (cj__container){0};
    CJ_TRY(cj__file_read(path, file_max, &container->bytes, &container->size));
    cj_status status = read_header(container);
    if (status != CJ_OK)
        cj__container_free(container);
    return status;
}

void cj__container_free(cj__container *container)
{
    cj__free(container->entries);
    json_decref(container->header);
    cj__free(container->bytes);
    *container = (cj__container){0};
}

const cj__entry *cj__container_find(const cj__container *container, const char *name)
{
    for (int i = 0; i < container->count; i++) {
        if (strcmp(container->entries[i].name, name) == 0)
            return &container->entries[i];
    }
    return NULL;
}

const char *cj__container_text(const cj__container *container, const char *key)
{
    return json_string_value(json_object_get(container->metadata, key));
}

// {"dtype": ..., "shape": [...], "data_offsets": [begin, end]}
static json_t *describe(const cj_tensor *tensor, int64_t begin)
{
    json_t *shape = json_array();
    for (int i = 0; i < tensor->shape.rank; i++)
        json_array_append_new(shape, json_integer(tensor->shape.dims[i]));
    int64_t end = begin + cj_tensor_count(tensor) * (int64_t)cj_dtype_size(tensor->dtype);
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_names[tensor->dtype], "shape", shape,
                     "data_offsets", (json_int_t)begin, (json_int_t)end);
}

// The header as text, padded with spaces so that the data begins at a multiple of 8. The caller
// frees it (free).
static char *make_header(const char *const *names, cj_tensor *const *tensors, int count,
                         json_t *metadata)
{
    json_t *header = json_pack("{s:O}", "__metadata__", metadata);
    int64_t offset = 0;
    bool made = header;
    for (int i = 0; i < count && made; i++) {
        made = !json_object_get(header, names[i]) &&
               json_object_set_new(header, names[i], describe(tensors[i], offset)) == 0;
        offset += cj_tensor_count(tensors[i]) * (int64_t)cj_dtype_size(tensors[i]->dtype);
    }
    char *text = made ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    return text;
}

static void write_container(FILE *stream, const char *header, cj_tensor *const *tensors, int count)
{
    size_t length = strlen(header), padded = (length + 7) / 8 * 8;
    for (int i = 0; i < HEADER_LENGTH_SIZE; i++)
        fputc((int)((uint64_t)padded >> (8 * i) & 0xFF), stream);
    fprintf(stream, "%s%*s", header, (int)(padded - length), "");
    for (int i = 0; i < count; i++)
        fwrite(tensors[i]->data, cj_dtype_size(tensors[i]->dtype),
               (size_t)cj_tensor_count(tensors[i]), stream);
}

cj_status cj__container_write(const char *path, const char *const *names, cj_tensor *const *tensors,
                              int count, json_t *metadata)
{
    char *header = make_header(names, tensors, count, metadata);
    if (!header)
        return cj__fail(CJ_OUT_OF_MEMORY,
                        "\"%s\": the header could not be made: no memory, or a name twice", path);
    cj__output output;
    cj_status status = cj__output_open(&output, path);
    if (status == CJ_OK) {
        write_container(output.stream, header, tensors, count);
        status = cj__output_commit(&output);
    }
    free(header);
    return status;
}
