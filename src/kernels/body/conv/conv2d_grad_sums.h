// Sums of the gradient by the filters: those of the pieces of a batch, and the bias's.
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_GRAD_SUMS_H
#define CJ_KERNELS_BODY_CONV_CONV2D_GRAD_SUMS_H

#include "kernels/body/product/tile.h"

enum { BAND_TASKS = 8 }; // wanted, where the shape gives them

// A piece's sums: dw, then dbias from the next cache line on.
static size_t bias_offset(const cj__conv2d *s)
{
    return cj__align_up_64((size_t)(s->kh * s->kw * (s->c / s->groups) * s->f) * sizeof(real));
}

static size_t partial_size(const cj__conv2d_args *a)
{
    return bias_offset(&a->s) +
           (a->sums_dbias ? cj__align_up_64((size_t)a->s.f * sizeof(real)) : 0);
}

// dbias: the rows of dy, added one after another.
static void sum_rows(const cj__conv2d *s, const real *dy, int64_t rows, bool begins, real *dbias)
{
    for (int64_t col = 0; col < s->f; col += LANES) {
        const vmask part = mask_first(min(LANES, s->f - col));
        vec sum = begins ? vec_set(0) : vec_load_part(dbias + col, part);
        for (int64_t row = 0; row < rows; row++)
            sum = sum + vec_load_part(dy + row * s->f + col, part);
        vec_store_part(dbias + col, sum, part);
    }
}

// Adds `count` numbers of the pieces, which lie `step` bytes apart, in order.
static void add_pieces(const char *partials, size_t step, int64_t pieces, int64_t first,
                       int64_t last, real *sums)
{
    for (int64_t at = first; at < last; at += LANES) {
        const vmask part = mask_first(min(LANES, last - at));
        vec sum = vec_set(0);
        for (int64_t piece = 0; piece < pieces; piece++)
            sum = sum + vec_load_part((const real *)(partials + (size_t)piece * step) + at, part);
        vec_store_part(sums + at, sum, part);
    }
}

#endif
