// Tensors over mapped files.
#include "data/mapped.h"

#include "base/error.h"
#include <cajal/arrays.h>
#include <string.h>

static uint32_t big32(const char *p)
{
    unsigned char b[4];
    memcpy(b, p, 4);
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

// Whether the bytes are a plain IDX file of bytes, all of it.
static bool is_bytes(const cj__mapping *m, cj_shape *shape)
{
    if (m->size < 8 || memcmp(m->bytes, "\0\0\x08", 3) != 0 || m->bytes[3] < 1 ||
        m->bytes[3] > CJ_MAX_RANK || m->size < 4 + 4 * (size_t)m->bytes[3])
        return false;
    *shape = (cj_shape){.rank = m->bytes[3]};
    for (int i = 0; i < shape->rank; i++)
        shape->dims[i] = big32(m->bytes + 4 + 4 * i);
    const int64_t count = cj_shape_count(shape);
    return count > 0 && (uint64_t)count == m->size - 4 - 4 * (size_t)shape->rank;
}

cj_status cj__mapped_tensor(cj__mapping *m, cj_dtype dtype, const cj_shape *shape, size_t begin,
                            cj_tensor **tensor)
{
    char *bytes = m->bytes;
    void *kept = cj__mapping_keep(m);
    if (!kept)
        return CJ_OUT_OF_MEMORY;
    const cj_status status =
        cj_tensor_borrow(dtype, *shape, bytes + begin, cj__mapping_release, kept, tensor);
    if (status != CJ_OK)
        cj__mapping_release(kept);
    return status;
}

cj_status cj_map_idx(const char *path, cj_tensor **tensor)
{
    cj__mapping m;
    cj_shape shape;
    if (!path || !tensor)
        return cj__fail_null(path ? "cj_map_idx: the place for the tensor" :
                                    "cj_map_idx: the file's name");
    *tensor = NULL;
    CJ_TRY(cj__mapping_open(path, &m));
    if (is_bytes(&m, &shape)) {
        const cj_status status =
            cj__mapped_tensor(&m, CJ_U8, &shape, 4 + 4 * (size_t)shape.rank, tensor);
        cj__mapping_close(&m);
        return status;
    }
    cj__mapping_close(&m);
    return cj_load_idx(path, tensor);
}
