// The elements of an array of NumPy.
#include "data/npy.h"

#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/file.h"
#include "base/half.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/mapped.h"
#include "tensor/tensor.h"
#include <cajal/texts.h>
#include <stdio.h>
#include <string.h>

CJ__DEFAULTS(load_npy, LOAD_NPY)

enum { CHUNK = 1 << 14 };

cj_dtype cj__npy_becomes(const cj__npy_dtype *d)
{
    switch (d->kind) {
    case 'b':
        return CJ_BOOL;
    case 'f':
        return d->size == 8 ? CJ_F64 : CJ_F32;
    case 'i':
        return d->size == 8 ? CJ_I64 : CJ_I32;
    case 'u':
        return d->size == 1 ? CJ_U8 : d->size == 2 ? CJ_I32 : CJ_I64;
    default:
        return CJ_STRING;
    }
}

// Whether the elements are those of the tensor, byte by byte.
static bool is_plain(const cj__npy_dtype *d)
{
    return !d->swapped && ((d->kind == 'f' && d->size > 2) || (d->kind == 'i' && d->size > 2) ||
                           (d->kind == 'u' && d->size == 1));
}

// ---- Numbers ----

// One element in this machine's order as bits.
static uint64_t bits_of(const unsigned char *from, const cj__npy_dtype *d)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < d->size; i++)
        bytes[i] = from[d->swapped ? d->size - 1 - i : i];
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (d->size) {
    case 1:
        return bytes[0];
    case 2:
        memcpy(&two, bytes, 2);
        return two;
    case 4:
        memcpy(&four, bytes, 4);
        return four;
    default:
        memcpy(&eight, bytes, 8);
        return eight;
    }
}

// Stores one element; false for a number that the tensor's type does not have.
static bool store(const unsigned char *from, const cj__npy_dtype *d, char *to)
{
    const uint64_t bits = bits_of(from, d);
    const cj_dtype dtype = cj__npy_becomes(d);
    if (dtype == CJ_BOOL || dtype == CJ_U8) {
        *to = (char)(unsigned char)(dtype == CJ_BOOL ? bits != 0 : bits);
    } else if (dtype == CJ_F32) {
        const uint32_t same = (uint32_t)bits;
        const float value = d->size == 2 ? cj__half_value((uint16_t)bits) : 0;
        memcpy(to, d->size == 2 ? (const void *)&value : (const void *)&same, 4);
    } else if (dtype == CJ_I32) {
        const int32_t value = d->kind == 'u' ? (int32_t)bits :
                              d->size == 1   ? (int8_t)bits :
                              d->size == 2   ? (int16_t)bits :
                                               (int32_t)(uint32_t)bits;
        memcpy(to, &value, 4);
    } else {
        memcpy(to, &bits, 8);
        return !(d->kind == 'u' && d->size == 8 && bits > INT64_MAX);
    }
    return true;
}

static cj_status read_numbers(const cj__input *input, const char *path, const cj__npy_header *h,
                              cj_tensor *tensor)
{
    unsigned char chunk[CHUNK];
    const size_t from = h->dtype.size, to = cj_dtype_size(tensor->dtype);
    const uint64_t count = (uint64_t)cj_tensor_count(tensor);
    if (is_plain(&h->dtype))
        return cj__input_read(input, h->begin, tensor->data, (size_t)count * from);
    for (uint64_t done = 0; done < count;) {
        const uint64_t left = count - done, n = left < CHUNK / from ? left : CHUNK / from;
        CJ_TRY(cj__input_read(input, h->begin + done * from, chunk, (size_t)n * from));
        for (uint64_t i = 0; i < n; i++)
            if (!store(chunk + i * from, &h->dtype, tensor->data + (done + i) * to))
                return cj__fail(CJ_BAD_FILE,
                                "%s: element %llu is above 2^63 - 1, which no integer here holds",
                                path, (unsigned long long)(done + i));
        done += n;
    }
    return CJ_OK;
}

// ---- Texts ----

// Appends one element, without the zeros that fill it up.
static cj_status add_text(const unsigned char *from, const char *path, const cj__npy_dtype *d,
                          cj__text *text)
{
    const size_t width = d->kind == 'U' ? 4 : 1;
    size_t length = d->size / width;
    const cj__npy_dtype one = {d->kind, width, d->swapped};
    while (length > 0 && bits_of(from + (length - 1) * width, &one) == 0)
        length--;
    for (size_t i = 0; i < length; i++) {
        const uint64_t c = bits_of(from + i * width, &one);
        char bytes[4];
        if (width == 1)
            cj__text_add_bytes(text, (const char *)from + i, 1);
        else if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
            return cj__fail(CJ_BAD_FILE, "%s: a text has %llx, which is no character", path,
                            (unsigned long long)c);
        else
            cj__text_add_bytes(text, bytes, cj__utf8_put((uint32_t)c, bytes));
    }
    return cj__text_status(text);
}

static cj_status read_texts(const cj__input *input, const char *path, const cj__npy_header *h,
                            cj_shape shape, cj_tensor **tensor)
{
    const size_t count = (size_t)cj_shape_count(&shape), size = h->dtype.size;
    unsigned char *element = cj__new(size + 1, 1);
    size_t *ends = cj__new(count + 1, sizeof *ends);
    const char **values = cj__new(count + 1, sizeof *values);
    int64_t *lengths = cj__new(count + 1, sizeof *lengths);
    cj__text text = {0};
    cj_status status = element && ends && values && lengths ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (size_t i = 0; status == CJ_OK && i < count; i++) {
        status = cj__input_read(input, h->begin + (uint64_t)i * size, element, size);
        if (status == CJ_OK)
            status = add_text(element, path, &h->dtype, &text);
        ends[i + 1] = text.length;
    }
    for (size_t i = 0; status == CJ_OK && i < count; i++) {
        values[i] = text.data ? text.data + ends[i] : "";
        lengths[i] = (int64_t)(ends[i + 1] - ends[i]);
    }
    if (status == CJ_OK)
        status = cj_tensor_from_texts(shape, (cj_texts){values, lengths, (int64_t)count}, tensor);
    cj__text_free(&text);
    cj__free(lengths);
    cj__free(values);
    cj__free(ends);
    cj__free(element);
    return status;
}

// ---- Order ----

// The shape in which the elements lie: of an array in Fortran order the axes are turned round.
static cj_shape laid_out(const cj__npy_header *h)
{
    cj_shape shape = h->shape;
    for (int i = 0; h->fortran_order && i < shape.rank; i++)
        shape.dims[i] = h->shape.dims[shape.rank - 1 - i];
    return shape;
}

// Turns the axes of a tensor in Fortran order back, as a view, and with `dense` as a copy in C order.
static cj_status turn(const cj__npy_header *h, bool dense, cj_tensor **tensor)
{
    int order[CJ_MAX_RANK];
    cj_tensor *view = NULL, *copy = NULL;
    if (!h->fortran_order || h->shape.rank < 2)
        return CJ_OK;
    for (int i = 0; i < h->shape.rank; i++)
        order[i] = h->shape.rank - 1 - i;
    cj_status status = cj_tensor_transpose(*tensor, order, &view);
    if (status == CJ_OK && dense)
        status = cj_tensor_convert(view, view->dtype, &copy);
    cj_release(*tensor);
    if (copy)
        cj_release(view);
    *tensor = copy ? copy : view;
    if (status == CJ_OK)
        return CJ_OK;
    cj_release(*tensor);
    *tensor = NULL;
    return status;
}

cj_status cj__npy_read(const cj__input *input, const char *path, const cj__npy_header *h,
                       cj_tensor **tensor)
{
    const cj_shape shape = laid_out(h);
    const cj_dtype dtype = cj__npy_becomes(&h->dtype);
    cj_status status;
    *tensor = NULL;
    if (dtype == CJ_STRING) {
        status = read_texts(input, path, h, shape, tensor);
    } else {
        status = cj_tensor_new(dtype, shape, tensor);
        if (status == CJ_OK)
            status = read_numbers(input, path, h, *tensor);
    }
    if (status == CJ_OK)
        return turn(h, true, tensor);
    cj_release(*tensor);
    *tensor = NULL;
    return status;
}

// ---- Files ----

static cj_status map(const char *path, const cj__npy_header *h, cj_tensor **tensor)
{
    cj__mapping mapping;
    CJ_TRY(cj__mapping_open(path, &mapping));
    const cj_shape shape = laid_out(h);
    cj_status status = CJ_OK;
    // the file may have become another one since its header was read
    if (h->begin > mapping.size ||
        (uint64_t)cj_shape_count(&shape) * h->dtype.size > mapping.size - h->begin)
        status = cj__fail(CJ_IO, "cannot read \"%s\": it became shorter while it was read", path);
    if (status == CJ_OK)
        status = cj__mapped_tensor(&mapping, cj__npy_becomes(&h->dtype), &shape, (size_t)h->begin,
                                   tensor);
    cj__mapping_close(&mapping);
    return status == CJ_OK ? turn(h, false, tensor) : status;
}

cj_status cj_load_npy_with(const char *path, cj_tensor **tensor, const cj_load_npy_args *args)
{
    cj_load_npy_args given;
    cj__input input;
    cj__npy_header header;
    if (!path || !tensor)
        return cj__fail_null(path ? "cj_load_npy: the place for the tensor" :
                                    "cj_load_npy: the file's name");
    *tensor = NULL;
    CJ_TRY(cj__args_read("cj_load_npy", args, &load_npy_defaults, sizeof given, &given));
    CJ_TRY(cj__input_open(&input, path));
    cj_status status = cj__npy_header_read(&input, path, &header);
    if (status == CJ_OK) {
        const bool mapped = given.mmap && is_plain(&header.dtype) &&
                            header.begin % header.dtype.size == 0 &&
                            cj_shape_count(&header.shape) > 0;
        status = mapped ? map(path, &header, tensor) : cj__npy_read(&input, path, &header, tensor);
    }
    cj__input_close(&input);
    return status;
}

// ---- Writing ----

// The dtype without the order of bytes.
static const char *descr_of(cj_dtype dtype)
{
    switch (dtype) {
    case CJ_F64:
        return "f8";
    case CJ_I32:
        return "i4";
    case CJ_I64:
        return "i8";
    case CJ_U8:
        return "u1";
    case CJ_BOOL:
        return "b1";
    default:
        return "f4";
    }
}

// The header of version 1, filled up so that the elements begin at a multiple of 64.
static cj_status write_header(const cj_tensor *tensor, FILE *stream)
{
    enum { LINE = 64, PREFIX = 10 };
    cj__text text = {0};
    cj__text_add(&text, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                 cj_dtype_size(tensor->dtype) == 1 ? '|' : CJ__NPY_ORDER, descr_of(tensor->dtype));
    for (int i = 0; i < tensor->shape.rank; i++)
        cj__text_add(&text, "%s%lld", i > 0 ? ", " : "", (long long)tensor->shape.dims[i]);
    cj__text_add(&text, "%s), }", tensor->shape.rank == 1 ? "," : "");
    while ((text.length + PREFIX + 1) % LINE != 0 && !text.failed)
        cj__text_add_bytes(&text, " ", 1);
    cj__text_add_bytes(&text, "\n", 1);
    const cj_status status = cj__text_status(&text);
    if (status == CJ_OK) {
        fwrite("\x93NUMPY\1\0", 1, PREFIX - 2, stream);
        putc((int)(text.length & 255), stream);
        putc((int)(text.length >> 8), stream);
        fwrite(text.data, 1, text.length, stream);
    }
    cj__text_free(&text);
    return status;
}

cj_status cj_save_npy(const cj_tensor *tensor, const char *path)
{
    cj_tensor *plain;
    cj__output output;
    if (!tensor || !path)
        return path ? cj__fail_missing(CJ__MADE_TENSOR, "cj_save_npy: the tensor") :
                      cj__fail_null("cj_save_npy: the file's name");
    if (tensor->dtype == CJ_STRING)
        return cj__fail(CJ_UNSUPPORTED, "%s: texts are not written as arrays, numbers are", path);
    CJ_TRY(cj_tensor_convert(tensor, tensor->dtype == CJ_BF16 ? CJ_F32 : tensor->dtype, &plain));
    cj_status status = cj__output_open(&output, path);
    if (status == CJ_OK) {
        status = write_header(plain, output.stream);
        fwrite(plain->data, cj_dtype_size(plain->dtype), (size_t)cj_tensor_count(plain),
               output.stream);
        if (status == CJ_OK)
            status = cj__output_commit(&output);
        else
            cj__output_abandon(&output);
    }
    cj_release(plain);
    return status;
}
