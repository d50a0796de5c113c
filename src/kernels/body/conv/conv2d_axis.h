// The axes of a convolution, seen from what is made: forward from y, for the gradient by the input
// from dx. Along an axis, output o and tap t meet at source
//
//   (o * up - before + t * dilation) / down      if that is a whole number in [0, size)
//
// where forward has up = stride, down = 1, and the gradient by the input up = 1, down = stride,
// with the taps turned around; its sources are dy. Outputs with the same taps form a class.
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_AXIS_H
#define CJ_KERNELS_BODY_CONV_CONV2D_AXIS_H

typedef struct conv_axis {
    int64_t up, down, before, dilation, taps, size;
    // from one tap of an output to its next: taps apart, and sources apart
    int64_t tap_step, src_step;
} conv_axis;

static int64_t greatest_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static conv_axis axis_of(int64_t up, int64_t down, int64_t before, int64_t dilation, int64_t taps,
                         int64_t size)
{
    const int64_t divisor = down == 1 ? 1 : greatest_divisor(dilation, down);
    return (conv_axis){up, down, before, dilation, taps, size, down / divisor, dilation / divisor};
}

// The taps of an output that lie inside: `count` from `tap` on, the first at source `src`.
typedef struct conv_span {
    int64_t tap, count, src;
} conv_span;

static conv_span span_of(const conv_axis *a, int64_t output)
{
    const int64_t at = output * a->up - a->before;
    int64_t tap = 0;
    while (tap < a->tap_step && (at + tap * a->dilation) % a->down != 0)
        tap++;
    if (tap == a->tap_step)
        return (conv_span){a->taps, 0, 0};
    int64_t src = (at + tap * a->dilation) / a->down;
    if (src < 0) {
        const int64_t skip = ceil_div(-src, a->src_step);
        tap += skip * a->tap_step;
        src += skip * a->src_step;
    }
    const int64_t count = min(tap < a->taps ? ceil_div(a->taps - tap, a->tap_step) : 0,
                              src < a->size ? ceil_div(a->size - src, a->src_step) : 0);
    return (conv_span){tap, count, count > 0 ? src : 0};
}

// Outputs first, first + down, ... (`count` of them) whose taps are the same; their sources lie
// `step` apart.
typedef struct conv_class {
    conv_span span;
    int64_t first, count, step;
} conv_class;

// The longest class that begins at `first`. First and last tap of an output fall as outputs rise,
// so that outputs between two of the same taps have them too.
static conv_class class_of(const conv_axis *a, int64_t first, int64_t end)
{
    conv_class c = {span_of(a, first), first, 1, a->down == 1 ? a->up : 1};
    int64_t none = ceil_div(end - first, a->down) + 1;
    for (int64_t next = none - 1; next > c.count; next = (c.count + none) / 2) {
        const conv_span s = span_of(a, first + (next - 1) * a->down);
        if (s.tap == c.span.tap && s.count == c.span.count)
            c.count = next;
        else
            none = next;
    }
    return c;
}

// The outputs 0 <= o < count for which 0 <= o * stride + tap - before < size: first and,
// exclusively, last.
static void outputs_inside(int64_t count, int64_t stride, int64_t tap, int64_t before, int64_t size,
                           int64_t *first, int64_t *last)
{
    const int64_t low = before - tap, high = size + before - tap;
    *first = low > 0 ? ceil_div(low, stride) : 0;
    *last = high > 0 ? min(ceil_div(high, stride), count) : 0;
}

// Outputs in rows row0 .. row1 - 1 and columns likewise see tap (u, v) inside the image.
typedef struct tap_reach {
    int64_t u, v, row0, row1, col0, col1;
} tap_reach;

static tap_reach tap_reach_of(const cj__conv2d *s, int64_t tap)
{
    tap_reach r = {.u = tap / s->kw, .v = tap % s->kw};
    outputs_inside(s->oh, s->sh, r.u * s->dh, s->top, s->h, &r.row0, &r.row1);
    outputs_inside(s->ow, s->sw, r.v * s->dw, s->left, s->w, &r.col0, &r.col1);
    return r;
}

static bool reaches_none(const tap_reach *r)
{
    return r->row0 >= r->row1 || r->col0 >= r->col1;
}

#endif
