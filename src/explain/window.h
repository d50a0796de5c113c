// Windows that slide over the axes between batch and channels, with Keras's padding. Shared by
// convolutions and pools along one to three axes.
#ifndef CJ_EXPLAIN_WINDOW_H
#define CJ_EXPLAIN_WINDOW_H

#include "explain/explain.h"

enum { CJ__WINDOW_TEXT = 160, CJ__WINDOW_RANK = 3 };

// One axis of a window: tap k lies over (begin + k step) / divisor of the input. A divisor above 1
// is that of a transposed convolution, whose taps between the elements of the input meet nothing.
typedef struct cj__axis {
    int64_t length; // of the input
    int64_t count;  // of taps
    int64_t begin, step, divisor;
} cj__axis;

// Where one window lies over x (1, axes..., channels).
typedef struct cj__window {
    const cj_tensor *x;
    int rank; // number of axes
    cj__axis axes[CJ__WINDOW_RANK];
    int64_t size, channels; // taps in all; channels of x
} cj__window;

// The position below tap k along an axis; -1 where the tap meets nothing.
static inline int64_t cj__axis_at(const cj__axis *axis, int64_t k)
{
    const int64_t at = axis->begin + k * axis->step;
    if (at < 0 || at % axis->divisor != 0)
        return -1;
    return at / axis->divisor < axis->length ? at / axis->divisor : -1;
}

// Along one axis, for an output: with "same", half of the missing positions, rounded down, lie
// before the input, with "causal" all of them:
// missing = (outputs - 1) stride + (count - 1) step + 1 - input.
cj__axis cj__axis_of(int64_t output, int64_t outputs, int64_t input, int64_t count, int64_t stride,
                     int64_t step, const char *padding);
// The window of a layer over x for the element at `index` of y (1, axes..., ...): its settings
// `size` ("kernel_size", "pool_size"), "strides", "dilation_rate" and "padding". Strides that are not
// positive are the sizes.
cj__window cj__window_of(const cj_layer *layer, const char *size, const cj_tensor *x,
                         const cj_tensor *y, const int64_t *index);
// The whole of x.
cj__window cj__window_over(const cj_tensor *x);
// The place of the position below tap k among the positions of x; -1 where the tap meets nothing.
int64_t cj__window_place(const cj__window *window, int64_t k);
// The element of x there; 0 where the tap meets nothing.
double cj__window_value(const cj__window *window, int64_t k, int64_t channel);
// "rows 0 to 2 and columns 1 to 3"; *beyond tells whether taps lie outside the input.
const char *cj__window_text(const cj__window *window, char text[CJ__WINDOW_TEXT], bool *beyond);
// The rows and columns that the taps are shown in.
int64_t cj__window_columns(const cj__window *window);

#endif
