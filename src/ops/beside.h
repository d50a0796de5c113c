// What lies beside an image, along one axis.
#ifndef CJ_OPS_BESIDE_H
#define CJ_OPS_BESIDE_H

#include "ops/images.h"

static inline int64_t cj__modulo(int64_t value, int64_t length)
{
    const int64_t rest = value - value / length * length;
    return rest < 0 ? rest + length : rest;
}

// The place that stands for `index` of a line of `length`; -1 for the fill value.
static inline int64_t cj__place_beside(int64_t index, int64_t length, int beside)
{
    if (index >= 0 && index < length)
        return index;
    if (beside == CJ__BESIDE_NEAREST)
        return index < 0 ? 0 : length - 1;
    if (beside == CJ__BESIDE_WRAP)
        return cj__modulo(index, length);
    if (beside == CJ__BESIDE_CONSTANT)
        return -1;
    if (beside == CJ__BESIDE_MIRROR) { // the ends are not repeated
        const int64_t there = length > 1 ? cj__modulo(index, 2 * length - 2) : 0;
        return there < length ? there : 2 * length - 2 - there;
    }
    const int64_t there = cj__modulo(index, 2 * length); // the line and its mirror image, repeated
    return there < length ? there : 2 * length - 1 - there;
}

#endif
