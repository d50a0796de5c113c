// Sums over the places of a list: what is 0 elsewhere is left out.
//
//   c[j] = start + sum over k of values[k] b[places[k] * step + j]
//
// A product with 0 changes no sum of a tile (tile.h), so a list of all places that are not 0, in their
// order, gives its bits, as long as b is finite.
#ifndef CJ_KERNELS_BODY_PRODUCT_SPARSE_SUM_H
#define CJ_KERNELS_BODY_PRODUCT_SPARSE_SUM_H

#include "kernels/body/product/tile.h"

enum { SPARSE_SHARE = 3 }; // more than one place of so many: the dense form is faster

typedef struct sparse_sum {
    const int32_t *places;
    const real *values;
    int64_t count;
    const real *b;
    int64_t step, cols; // cols: at most TILE_VECS_MAX vectors
    tile_start start;
    const real *bias;
    bool relu;
    real *c;
} sparse_sum;

// Lists what is not 0 of `count` elements; returns how many there are.
ALWAYS_INLINE int64_t list_places(const real *x, int64_t count, int32_t *places)
{
    int64_t found = 0;
    for (int64_t i = 0; i < count; i += LANES) {
        const vec v =
            i + LANES <= count ? vec_load(x + i) : vec_load_part(x + i, mask_first(count - i));
        uint32_t bits = mask_bits(mask_not(vec_eq(v, vec_set(0))));
        for (; bits != 0; bits &= bits - 1)
            places[found++] = (int32_t)i + __builtin_ctz(bits);
    }
    return found;
}

ALWAYS_INLINE void sparse_sum_body(const sparse_sum *p, const int vecs, const bool whole)
{
    const vmask last = mask_first(p->cols - (vecs - 1) * LANES);
    vec sum[TILE_VECS_MAX];
    UNROLL
    for (int v = 0; v < vecs; v++)
        sum[v] = p->start == START_ZERO ? vec_set(0) :
                                          VEC_OF(p->start == START_BIAS ? p->bias : p->c, v);
    for (int64_t k = 0; k < p->count; k++) {
        const vec value = vec_set(p->values[k]);
        const real *const row = p->b + p->places[k] * p->step;
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[v] = vec_fma(value, VEC_OF(row, v), sum[v]);
    }
    UNROLL
    for (int v = 0; v < vecs; v++) {
        const vec y = p->relu ? vec_max(vec_set(0), sum[v]) : sum[v];
        if (v < vecs - 1 || whole)
            vec_store(p->c + v * LANES, y);
        else
            vec_store_part(p->c + v * LANES, y, last);
    }
}

#define SPARSE_SUM(v, r)                            \
    static void sparse_sum_##v(const sparse_sum *p) \
    {                                               \
        if (p->cols % LANES == 0)                   \
            sparse_sum_body(p, v, true);            \
        else                                        \
            sparse_sum_body(p, v, false);           \
    }
TILE_SHAPES(SPARSE_SUM)
#undef SPARSE_SUM
static void (*const sparse_sum_codes[TILE_VECS_MAX + 1])(const sparse_sum *p) = {
#define ROW(v, r) [v] = sparse_sum_##v,
    TILE_SHAPES(ROW)
#undef ROW
};

static void sparse_sum_run(const sparse_sum *p, int vecs)
{
    sparse_sum_codes[vecs](p);
}

// Whether no number is infinite or NaN.
static bool all_finite(const real *x, int64_t count)
{
    vec worst = vec_set(0);
    for (int64_t i = 0; i < count; i += LANES)
        worst = worst + vec_load_part(x + i, mask_first(min(LANES, count - i))) * vec_set(0);
    return vec_sum(worst) >= 0;
}

#endif
