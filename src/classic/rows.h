// Tensors as samples: rows of elements of one dtype, and class numbers, with checks.
#ifndef CJ_CLASSIC_ROWS_H
#define CJ_CLASSIC_ROWS_H

#include <cajal/data.h>

// Samples one after the other: all elements along the axes after the first.
typedef struct cj__rows {
    const cj_tensor *tensor; // held: the user's own, or a copy that is contiguous uint8 or float32
    const char *data;
    int64_t count, width;
    bool bytes; // uint8, else float32
} cj__rows;

// `who` begins the sentences of failures: "cj_knn_fit: x". CJ_INVALID_ARGUMENT (NULL; no samples; a
// NaN or infinity), CJ_SHAPE_MISMATCH (a scalar; no elements), CJ_OUT_OF_MEMORY. On failure `rows`
// is empty.
cj_status cj__rows_open(const cj_tensor *tensor, const char *who, cj__rows *rows);
void cj__rows_close(cj__rows *rows);

// Rows begin .. begin + count - 1; valid as long as `rows`, not to be closed.
cj__rows cj__rows_slice(const cj__rows *rows, int64_t begin, int64_t count);
const void *cj__rows_at(const cj__rows *rows, int64_t index);

// The class numbers of `count` samples as a new array (cj__free). CJ_SHAPE_MISMATCH for another
// shape than (count) or (count, 1) and for what is no integer, CJ_INVALID_ARGUMENT for a number
// outside 0 to 2147483647, CJ_OUT_OF_MEMORY.
cj_status cj__labels_read(const cj_tensor *tensor, int64_t count, const char *who,
                          int32_t **labels);

#endif
