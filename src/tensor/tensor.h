// Inside a tensor; for rooms above that need to look without asking. See cajal/tensor.h for what a
// tensor is.
#ifndef CJ_TENSOR_TENSOR_H
#define CJ_TENSOR_TENSOR_H

#include "base/object.h"
#include <cajal/tensor.h>

struct cj_tensor {
    cj__object object;
    cj_dtype dtype;
    cj_shape shape;
    int64_t strides[CJ_MAX_RANK]; // in elements
    char *data;                   // the first element
    // of an owned block (cj__new_aligned); 0 if the memory is another's
    size_t block_size;
    cj_tensor *base; // the tensor looked at, held; or NULL
    // the user's, for lent memory; of texts, which are never lent, what frees those that are its own
    // (strings.h). No member is added: cj_no_tensor's size is part of old programs.
    void (*released)(void *);
    void *context;
};

// The type of a value: dtype and shape. Symbols and kernels' operands carry one.
typedef struct cj__type {
    cj_dtype dtype;
    cj_shape shape;
} cj__type;

bool cj__type_equal(const cj__type *a, const cj__type *b);

// One element as a double, and a double stored as one element (towards zero and saturating for
// integers).
double cj__element_get(cj_dtype dtype, const void *data, int64_t index);
void cj__element_set(cj_dtype dtype, void *data, int64_t index, double value);

// A tensor over memory of another's, which may be texts: cj_tensor_borrow() without a user.
cj_status cj__tensor_over(cj_dtype dtype, const cj_shape *shape, void *data, cj_tensor **tensor);

// Where an element is, from the first one.
cj_status cj__tensor_offset(const cj_tensor *tensor, const int64_t *index, int64_t *offset);
// Fails for texts, where numbers are needed; NULL is fine.
cj_status cj__tensor_need_numbers(const cj_tensor *tensor, const char *who);

// Converts a run of contiguous elements. A text is no number: it becomes NaN, and a number the empty
// text.
void cj__convert(cj_dtype from, const void *source, cj_dtype to, void *target, int64_t count);

#endif
