// Convolutions in which every filter sees one channel (groups == c): forward, and the gradient by the
// input.
//
//   y[pixel][q] = act(sum over taps of x[place of tap][q / m] w[tap][q] + bias[q])
//   dx[pixel][c] = sum over taps that reach it and q = c m .. c m + m - 1 of dy[place of tap][q] w[tap][q]
//
// with m = f / c filters to a channel. Both are one sum with different numbers (conv2d_axis.h).
#ifndef CJ_KERNELS_BODY_CONV_DEPTHWISE_FORM_H
#define CJ_KERNELS_BODY_CONV_DEPTHWISE_FORM_H

#include "kernels/body/conv/conv2d.h"
#include "kernels/body/conv/conv2d_axis.h"
#include "kernels/body/product/epilogue.h"

static bool is_depthwise(const cj__conv2d *s)
{
    return s->groups > 1 && s->groups == s->c;
}

typedef struct depthwise {
    conv_axis rows, cols;
    const real *from, *w;
    real *to;
    int64_t from_cols, from_rows, from_channels; // of an image that is read
    int64_t to_cols, to_rows, to_channels;       // and of one that is made
    int64_t images, filters, spread;             // filters that share a channel of what is read
    int64_t kh, kw;
    bool turned;    // the taps, around
    epilogue e;     // of sums by filter
    epilogue after; // of an input's gradient, once its channels are complete
} depthwise;

static depthwise depthwise_forward_of(const cj__conv2d_args *a)
{
    const cj__conv2d *s = &a->s;
    return (depthwise){
        .rows = axis_of(s->sh, 1, s->top, s->dh, s->kh, s->h),
        .cols = axis_of(s->sw, 1, s->left, s->dw, s->kw, s->w),
        .from = a->x,
        .w = a->w,
        .to = a->y,
        .from_cols = s->w,
        .from_rows = s->h,
        .from_channels = s->c,
        .to_cols = s->ow,
        .to_rows = s->oh,
        .to_channels = s->f,
        .images = s->n,
        .filters = s->f,
        .spread = s->f / s->c,
        .kh = s->kh,
        .kw = s->kw,
        .e = epilogue_of(a),
        .after = {.act = CJ__UNARY_NONE},
    };
}

static depthwise depthwise_input_grad_of(const cj__conv2d_args *a)
{
    const cj__conv2d *s = &a->s;
    return (depthwise){
        .rows = axis_of(1, s->sh, (s->kh - 1) * s->dh - s->top, s->dh, s->kh, s->oh),
        .cols = axis_of(1, s->sw, (s->kw - 1) * s->dw - s->left, s->dw, s->kw, s->ow),
        .from = a->dy,
        .w = a->w,
        .to = a->dx,
        .from_cols = s->ow,
        .from_rows = s->oh,
        .from_channels = s->f,
        .to_cols = s->w,
        .to_rows = s->h,
        .to_channels = s->c,
        .images = s->n,
        .filters = s->f,
        .spread = 1,
        .kh = s->kh,
        .kw = s->kw,
        .turned = true,
        .e = {.act = CJ__UNARY_NONE},
        .after = epilogue_of(a),
    };
}

#endif
