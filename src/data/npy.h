// Arrays of NumPy; see include/cajal/arrays.h for what is read. npy_header.c reads what an array is,
// npy.c its elements, npz.c archives of arrays.
#ifndef CJ_DATA_NPY_H
#define CJ_DATA_NPY_H

#include "base/input.h"
#include <cajal/arrays.h>

// This machine's order of bytes, as NumPy writes it.
enum { CJ__NPY_ORDER = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>' };

// How elements lie in a file.
typedef struct cj__npy_dtype {
    char kind;   // as NumPy calls it: b, i, u, f, U, S
    size_t size; // bytes of an element
    bool swapped;
} cj__npy_dtype;

typedef struct cj__npy_header {
    cj__npy_dtype dtype;
    bool fortran_order;
    cj_shape shape;
    uint64_t begin; // of the elements in the file
} cj__npy_header;

// Reads the header of an array at the beginning of `input`, and checks that the elements are there.
// `path` begins sentences. CJ_IO, CJ_BAD_FILE, CJ_UNSUPPORTED, CJ_OUT_OF_MEMORY.
cj_status cj__npy_header_read(const cj__input *input, const char *path, cj__npy_header *header);

// The tensor of a header's elements. Statuses as cj_load_npy_with().
cj_status cj__npy_read(const cj__input *input, const char *path, const cj__npy_header *header,
                       cj_tensor **tensor);

// The dtype that the elements become.
cj_dtype cj__npy_becomes(const cj__npy_dtype *dtype);

#endif
