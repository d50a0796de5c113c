// The geometry of a window that slides along one axis: convolutions and pools.
#ifndef CJ_OPS_WINDOW_H
#define CJ_OPS_WINDOW_H

#include "ops/op.h"

// Output length: "same" ceil(n / stride), "valid" floor((n - reach) / stride) + 1 with reach =
// (size - 1) dilation + 1; 0 or less where the window does not fit.
static inline int64_t cj__window_count(int64_t n, int64_t size, int64_t stride, int64_t dilation,
                                       bool same)
{
    const int64_t reach = (size - 1) * dilation + 1;
    if (same)
        return (n + stride - 1) / stride;
    return n < reach ? 0 : (n - reach) / stride + 1;
}

// Zeros before the first element: half of max(0, (count - 1) stride + reach - n), rounded down; the
// rest goes after.
static inline int64_t cj__window_before(int64_t n, int64_t size, int64_t stride, int64_t dilation,
                                        bool same)
{
    const int64_t count = cj__window_count(n, size, stride, dilation, same);
    const int64_t total = (count - 1) * stride + (size - 1) * dilation + 1 - n;
    return same && total > 0 ? total / 2 : 0;
}

#endif
