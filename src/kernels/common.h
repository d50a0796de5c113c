// Integers that every kernel counts with.
#ifndef CJ_KERNELS_COMMON_H
#define CJ_KERNELS_COMMON_H

#include <stdint.h>

static inline int64_t min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// a / b rounded up, for a >= 0 and b > 0.
static inline int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

#endif
