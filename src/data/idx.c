// IDX, the format in which MNIST is published: two zero bytes, a code for the dtype, the rank, the
// lengths as big-endian 32-bit numbers, then the elements, big-endian, row major. Files are plain
// or gzip, told apart by content.
//
// The header is checked against the size of the file before memory is allocated: a plain file must
// have exactly the size that the header implies, and deflate compresses by at most 1032 to 1. So a
// short file cannot ask for a large block.
#include "base/error.h"
#include "data/packed.h"
#include "tensor/tensor.h"
#include <cajal/data.h>
#include <string.h>

enum { CHUNK = 1 << 14, DEFLATE_RATIO = 1032 };

static uint32_t big32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// Each stores `count` elements that lie big-endian at `from`.
static void decode_u8(const unsigned char *from, char *to, size_t count)
{
    memcpy(to, from, count);
}

static void decode_i8(const unsigned char *from, char *to, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int32_t value = from[i] < 128 ? from[i] : from[i] - 256;
        memcpy(to + 4 * i, &value, 4);
    }
}

static void decode_i16(const unsigned char *from, char *to, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int32_t value = from[2 * i] << 8 | from[2 * i + 1];
        value = value < 32768 ? value : value - 65536;
        memcpy(to + 4 * i, &value, 4);
    }
}

static void decode_32(const unsigned char *from, char *to, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t value = big32(from + 4 * i);
        memcpy(to + 4 * i, &value, 4);
    }
}

static void decode_64(const unsigned char *from, char *to, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = (uint64_t)big32(from + 8 * i) << 32 | big32(from + 8 * i + 4);
        memcpy(to + 8 * i, &value, 8);
    }
}

// The dtypes of the format and what they become here: integers that have no dtype of ours become
// int32.
typedef struct idx_dtype {
    unsigned char code;
    size_t width;
    cj_dtype dtype;
    void (*decode)(const unsigned char *from, char *to, size_t count);
} idx_dtype;

static const idx_dtype dtypes[] = {
    {0x08, 1, CJ_U8, decode_u8},  {0x09, 1, CJ_I32, decode_i8}, {0x0B, 2, CJ_I32, decode_i16},
    {0x0C, 4, CJ_I32, decode_32}, {0x0D, 4, CJ_F32, decode_32}, {0x0E, 8, CJ_F64, decode_64},
};

static cj_status read_header(cj__packed *s, const idx_dtype **dtype, cj_shape *shape)
{
    unsigned char head[4 + 4 * CJ_MAX_RANK];
    CJ_TRY(cj__packed_read(s, head, 4, "the IDX header"));
    *dtype = NULL;
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (dtypes[i].code == head[2])
            *dtype = &dtypes[i];
    if (head[0] != 0 || head[1] != 0 || !*dtype)
        return cj__fail(CJ_BAD_FILE, "%s: not an IDX file, it begins with %02x %02x %02x %02x",
                        s->path, head[0], head[1], head[2], head[3]);
    if (head[3] < 1 || head[3] > CJ_MAX_RANK)
        return cj__fail(CJ_BAD_FILE, "%s: %d axes, it needs 1 to %d", s->path, head[3],
                        CJ_MAX_RANK);
    shape->rank = head[3];
    CJ_TRY(cj__packed_read(s, head + 4, 4 * (size_t)shape->rank, "the IDX header"));
    for (int i = 0; i < shape->rank; i++)
        shape->dims[i] = big32(head + 4 + 4 * i);
    return CJ_OK;
}

// Whether the file can hold `count` elements: exactly for a plain one, at all for a packed one.
static cj_status check_size(const cj__packed *s, const idx_dtype *dtype, const cj_shape *shape)
{
    char text[160];
    cj_shape_text(shape, text, sizeof text);
    int64_t count = cj_shape_count(shape), width = (int64_t)dtype->width;
    if (count < 0 || count > INT64_MAX / 16)
        return cj__fail(CJ_BAD_FILE, "%s: its shape %s is larger than any file", s->path, text);
    int64_t needed = 4 + 4 * shape->rank + count * width;
    if (!s->is_packed && s->size != needed)
        return cj__fail(CJ_BAD_FILE, "%s: %lld bytes, its header %s needs %lld", s->path,
                        (long long)s->size, text, (long long)needed);
    if (s->is_packed && needed / DEFLATE_RATIO > s->size)
        return cj__fail(CJ_BAD_FILE,
                        "%s: %lld packed bytes cannot hold the %lld that its header %s needs",
                        s->path, (long long)s->size, (long long)needed, text);
    return CJ_OK;
}

static cj_status read_elements(cj__packed *s, const idx_dtype *dtype, cj_tensor *tensor)
{
    unsigned char chunk[CHUNK];
    size_t left = (size_t)cj_shape_count(&tensor->shape), size = cj_dtype_size(tensor->dtype);
    char *to = tensor->data;
    while (left > 0) {
        size_t count = left < CHUNK / dtype->width ? left : CHUNK / dtype->width;
        CJ_TRY(cj__packed_read(s, chunk, count * dtype->width, "the elements"));
        dtype->decode(chunk, to, count);
        to += count * size;
        left -= count;
    }
    return cj__packed_end(s);
}

cj_status cj_load_idx(const char *path, cj_tensor **tensor)
{
    if (!path || !tensor)
        return cj__fail_null(path ? "cj_load_idx: the output" : "cj_load_idx: the file's name");
    *tensor = NULL;
    cj__packed s;
    const idx_dtype *dtype;
    cj_shape shape = {0};
    CJ_TRY(cj__packed_open(path, &s));
    cj_status status = read_header(&s, &dtype, &shape);
    if (status == CJ_OK)
        status = check_size(&s, dtype, &shape);
    if (status == CJ_OK)
        status = cj_tensor_new(dtype->dtype, shape, tensor);
    if (status == CJ_OK)
        status = read_elements(&s, dtype, *tensor);
    cj__packed_close(&s);
    if (status != CJ_OK) {
        cj_release(*tensor);
        *tensor = NULL;
    }
    return status;
}
