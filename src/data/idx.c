// IDX, the format in which MNIST is published: two zero bytes, a code for the dtype, the rank, the
// lengths as big-endian 32-bit numbers, then the elements, big-endian, row major. Files are plain
// or gzip, told apart by content.
//
// What the header promises is believed only as far as the file's size allows: a plain file must
// have exactly that size, and deflate never packs better than 1032 to 1. So a short file cannot ask
// for a large block.
#define _POSIX_C_SOURCE 200809L
#include "base/error.h"
#include "tensor/tensor.h"
#include <cajal/data.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

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

// An open file: its path for sentences, its stream, its size on disk, and whether it is gzip.
typedef struct source {
    const char *path;
    gzFile stream;
    int64_t size;
    bool packed;
} source;

static cj_status open_source(const char *path, source *s)
{
    *s = (source){.path = path};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return cj__fail(errno == ENOENT || errno == ENOTDIR ? CJ_NOT_FOUND : CJ_IO, "%s: %s", path,
                        strerror(errno));
    struct stat info;
    if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(file);
        return cj__fail(CJ_IO, "%s: not a regular file", path);
    }
    s->size = info.st_size;
    s->stream = gzdopen(file, "rb");
    if (!s->stream) {
        close(file);
        return cj__fail_memory(sizeof(z_stream), "zlib");
    }
    gzbuffer(s->stream, 1 << 16);
    s->packed = !gzdirect(s->stream);
    return CJ_OK;
}

// Reads exactly `size` bytes.
static cj_status read_exactly(source *s, unsigned char *to, size_t size, const char *what)
{
    int got = gzread(s->stream, to, (unsigned)size);
    if (got == (int)size)
        return CJ_OK;
    int code = Z_OK;
    const char *reason = gzerror(s->stream, &code);
    if (code == Z_ERRNO)
        return cj__fail(CJ_IO, "%s: reading failed", s->path);
    if (code == Z_DATA_ERROR)
        return cj__fail(CJ_BAD_FILE, "%s: damaged gzip data (%s)", s->path, reason);
    return cj__fail(CJ_BAD_FILE, "%s: the file ends inside %s", s->path, what);
}

static cj_status read_header(source *s, const idx_dtype **dtype, cj_shape *shape)
{
    unsigned char head[4 + 4 * CJ_MAX_RANK];
    CJ_TRY(read_exactly(s, head, 4, "the IDX header"));
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
    CJ_TRY(read_exactly(s, head + 4, 4 * (size_t)shape->rank, "the IDX header"));
    for (int i = 0; i < shape->rank; i++)
        shape->dims[i] = big32(head + 4 + 4 * i);
    return CJ_OK;
}

// Whether the file can hold `count` elements: exactly for a plain one, at all for a packed one.
static cj_status check_size(const source *s, const idx_dtype *dtype, const cj_shape *shape)
{
    char text[160];
    cj_shape_text(shape, text, sizeof text);
    int64_t count = cj_shape_count(shape), width = (int64_t)dtype->width;
    if (count < 0 || count > INT64_MAX / 16)
        return cj__fail(CJ_BAD_FILE, "%s: its shape %s is larger than any file", s->path, text);
    int64_t needed = 4 + 4 * shape->rank + count * width;
    if (!s->packed && s->size != needed)
        return cj__fail(CJ_BAD_FILE, "%s: %lld bytes, its header %s needs %lld", s->path,
                        (long long)s->size, text, (long long)needed);
    if (s->packed && needed / DEFLATE_RATIO > s->size)
        return cj__fail(CJ_BAD_FILE,
                        "%s: %lld packed bytes cannot hold the %lld that its header %s needs",
                        s->path, (long long)s->size, (long long)needed, text);
    return CJ_OK;
}

static cj_status read_elements(source *s, const idx_dtype *dtype, cj_tensor *tensor)
{
    unsigned char chunk[CHUNK];
    size_t left = (size_t)cj_shape_count(&tensor->shape), size = cj_dtype_size(tensor->dtype);
    char *to = tensor->data;
    while (left > 0) {
        size_t count = left < CHUNK / dtype->width ? left : CHUNK / dtype->width;
        CJ_TRY(read_exactly(s, chunk, count * dtype->width, "the elements"));
        dtype->decode(chunk, to, count);
        to += count * size;
        left -= count;
    }
    // Reading on past the last element also makes zlib check the sum at the end.
    int more = gzread(s->stream, chunk, 1), code = Z_OK;
    const char *reason = gzerror(s->stream, &code);
    if (more > 0)
        return cj__fail(CJ_BAD_FILE, "%s: there are bytes after the last element", s->path);
    if (code != Z_OK && code != Z_STREAM_END)
        return cj__fail(CJ_BAD_FILE, "%s: damaged or truncated gzip data (%s)", s->path, reason);
    return CJ_OK;
}

cj_status cj_load_idx(const char *path, cj_tensor **tensor)
{
    *tensor = NULL;
    source s;
    const idx_dtype *dtype;
    cj_shape shape = {0};
    CJ_TRY(open_source(path, &s));
    cj_status status = read_header(&s, &dtype, &shape);
    if (status == CJ_OK)
        status = check_size(&s, dtype, &shape);
    if (status == CJ_OK)
        status = cj_tensor_new(dtype->dtype, shape, tensor);
    if (status == CJ_OK)
        status = read_elements(&s, dtype, *tensor);
    gzclose(s.stream);
    if (status != CJ_OK) {
        cj_release(*tensor);
        *tensor = NULL;
    }
    return status;
}
