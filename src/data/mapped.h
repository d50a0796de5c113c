// Tensors over mapped files.
#ifndef CJ_DATA_MAPPED_H
#define CJ_DATA_MAPPED_H

#include "base/mapping.h"
#include <cajal/tensor.h>

// A tensor whose elements begin at byte `begin` of a mapping, which has them all and is taken over if
// this succeeds. CJ_OUT_OF_MEMORY.
cj_status cj__mapped_tensor(cj__mapping *mapping, cj_dtype dtype, const cj_shape *shape,
                            size_t begin, cj_tensor **tensor);

#endif
