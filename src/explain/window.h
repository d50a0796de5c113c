// The position of a sliding window over height and width, with Keras's padding. Shared by
// convolution and pooling.
#ifndef CJ_EXPLAIN_WINDOW_H
#define CJ_EXPLAIN_WINDOW_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// Along one axis: the first position (negative in the padding), the step between positions, and how
// many.
typedef struct cj__window_span {
    int64_t begin, step, count;
} cj__window_span;

// With "same", half of the missing positions, rounded down, lie before the input:
// missing = (outputs - 1) stride + (count - 1) step + 1 - input.
static inline cj__window_span cj__span_at(int64_t output, int64_t outputs, int64_t input,
                                          int64_t count, int64_t stride, int64_t step,
                                          const char *padding)
{
    const int64_t missing = (outputs - 1) * stride + (count - 1) * step + 1 - input;
    const int64_t before = strcmp(padding, "same") == 0 && missing > 0 ? missing / 2 : 0;
    return (cj__window_span){output * stride - before, step, count};
}

static inline bool cj__inside(int64_t position, int64_t length)
{
    return position >= 0 && position < length;
}

#endif
