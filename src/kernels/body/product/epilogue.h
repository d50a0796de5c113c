// After a product: bias, activation and rounding. ReLU happens in registers, at the end of a tile;
// any other activation is this table's element-wise kernel, applied to rows that are still in the
// cache, and so is rounding, but for the elements of a pool's window, which are rounded in
// registers before the maximum is taken.
#ifndef CJ_KERNELS_BODY_PRODUCT_EPILOGUE_H
#define CJ_KERNELS_BODY_PRODUCT_EPILOGUE_H

#include "kernels/body/own_table.h"
#if CJ_REAL_BYTES == 4
#include "kernels/body/elementwise/round_vec.h"
#endif

typedef struct epilogue {
    const real *bias; // of the whole row, or NULL
    cj__unary act;
    double a, b;
    bool to_bf16; // to bfloat16, in the end
} epilogue;

static bool is_relu(const epilogue *e)
{
    return e->act == CJ__UNARY_relu;
}

// Whether finish_rows() has anything to do.
static bool is_applied(const epilogue *e)
{
    return (e->act != CJ__UNARY_NONE && !is_relu(e)) || e->to_bf16;
}

static void finish_rows(const epilogue *e, real *const *rows, int count, int64_t cols)
{
    const bool activated = e->act != CJ__UNARY_NONE && !is_relu(e);
    for (int i = 0; i < count && activated; i++)
        own_table()->unary[e->act](cols, rows[i], rows[i], e->a, e->b);
    for (int i = 0; i < count && e->to_bf16; i++)
        own_table()->round_bf16(cols, rows[i], rows[i]);
}

static epilogue epilogue_of(const cj__conv2d_args *a)
{
    return (epilogue){a->bias, a->act, a->act_a, a->act_b, a->to_bf16};
}

// All of it, for sums that are complete in memory: columns col .. col + cols - 1 of `count` rows
// that are `step` apart.
static void finish_sums(const epilogue *e, real *sums, int64_t count, int64_t step, int64_t col,
                        int64_t cols)
{
    const bool adds = e->bias || is_relu(e);
    const vec least = vec_set(is_relu(e) ? 0 : (real)-INFINITY);
    for (int64_t i = 0; i < count && adds; i++) {
        real *const row = sums + i * step + col;
        for (int64_t j = 0; j < cols; j += LANES) {
            const vmask in = mask_first(min(cols - j, LANES));
            const vec bias = e->bias ? vec_load_part(e->bias + col + j, in) : vec_set(0);
            vec_store_part(row + j, vec_max(least, vec_load_part(row + j, in) + bias), in);
        }
    }
    const int64_t together = cols == step ? count : 1; // rows that are adjacent
    for (int64_t i = 0; i < count && is_applied(e); i += together)
        finish_rows(e, (real *[]){sums + i * step + col}, 1, together * cols);
}

ALWAYS_INLINE vec round_lanes(vec x)
{
#if CJ_REAL_BYTES == 4
    return vec_round_bf16(x);
#else // float64 is not performance-critical
    real lanes[LANES];
    vec_store(lanes, x);
    own_table()->round_bf16(LANES, lanes, lanes);
    return vec_load(lanes);
#endif
}

// The elements of a window, where `to_bf16` asks for it. ReLU may follow: it keeps what is rounded.
ALWAYS_INLINE void round_window(bool to_bf16, vec *elements, const int count)
{
    if (!to_bf16)
        return;
    UNROLL
    for (int i = 0; i < count; i++)
        elements[i] = round_lanes(elements[i]);
}

enum { FOUR = 4 };

// The maximum of a window's four elements after rounding, and the first of the elements that equal
// it; after ReLU it is FOUR where ReLU gives 0 for the whole window. NaN is greater than all.
static __attribute__((noinline)) void careful_window(const vec *elements, bool relu, vec *best,
                                                     ivec *place)
{
    *best = round_lanes(elements[0]);
    *place = ivec_set(0);
    for (int i = 1; i < FOUR; i++) {
        const vec v = round_lanes(elements[i]);
        const vmask wins = mask_and(mask_not(vec_le(v, *best)), vec_eq(*best, *best));
        *best = vec_select(wins, v, *best);
        *place = (ivec)vec_select(wins, (vec)ivec_set(i), (vec)*place);
    }
    if (relu) {
        *place = (ivec)vec_select(vec_lt(vec_set(0), *best), (vec)*place, (vec)ivec_set(FOUR));
        *best = vec_max(vec_set(0), *best);
    }
}

// The same, and faster before ReLU: rounding is monotone, so only the largest element is rounded,
// to r, and those equal it that are not below the smallest number that is rounded to r,
// which for r above 0 is half a step (or, where r is odd and the tie would go down, a bit less)
// below it in the bits of a float. Sums are NaN where an element may be.
ALWAYS_INLINE void rounded_window(const vec *elements, bool relu, vec *best, ivec *place)
{
#if CJ_REAL_BYTES == 4
    const vec sum = (elements[0] + elements[1]) + (elements[2] + elements[3]);
    if (relu && mask_all(vec_eq(sum, sum))) {
        const vec top =
            vec_max(elements[3], vec_max(elements[2], vec_max(elements[1], elements[0])));
        const bits_vec bits = (bits_vec)top, r = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000;
        const vec tie = (vec)(r - 0x8000 + (r >> 16 & 1));
        *place = ivec_set(3);
        UNROLL
        for (int i = 2; i >= 0; i--)
            *place = (ivec)vec_select(vec_le(tie, elements[i]), (vec)ivec_set(i), (vec)*place);
        *place = (ivec)vec_select(vec_lt(vec_set(0), (vec)r), (vec)*place, (vec)ivec_set(FOUR));
        *best = vec_max(vec_set(0), (vec)r);
        return;
    }
#endif
    const vec copy[FOUR] = {elements[0], elements[1], elements[2], elements[3]};
    careful_window(copy, relu, best, place);
}

#endif
