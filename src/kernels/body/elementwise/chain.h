// A chain of element-wise links: the value of CHAIN_VECS vectors goes through all of them in
// registers, then that of the next vectors. A link's formula is that of the kernel that does it
// alone, so bits are the same.
//
// Sums whose elements come again after some vectors stay in registers, the first two of them: rows
// of a few columns are added up without a load and a store for each element.
#ifndef CJ_KERNELS_BODY_ELEMENTWISE_CHAIN_H
#define CJ_KERNELS_BODY_ELEMENTWISE_CHAIN_H

#include "kernels/body/elementwise/elementwise.h"

enum { CHAIN_VECS = 8, CHAIN_SUMS = 2 };

typedef struct chain_sums {
    vec of[CHAIN_SUMS][CHAIN_VECS];
} chain_sums;

#define EACH_OF_CHAIN(...)           \
    UNROLL                           \
    for (int j = 0; j < vecs; j++) { \
        __VA_ARGS__                  \
    }                                \
    break

#define OF_CHAIN(p) (whole ? vec_load((p) + j * LANES) : vec_load_part((p) + j * LANES, part))

// `vecs` vectors from element i on; one alone may be a part. `sums`: the first sums, or NULL where
// all are in memory.
ALWAYS_INLINE void chain_at(int64_t i, const cj__link *links, int count, const int vecs,
                            const bool whole, vmask part, chain_sums *sums)
{
    int sum = 0;
    vec v[CHAIN_VECS];
    UNROLL
    for (int j = 0; j < vecs; j++)
        v[j] = CONST(0);
    for (int k = 0; k < count; k++) {
        real *o = links[k].operand;
        o += !o || links[k].repeats ? 0 : links[k].period > 0 ? i % links[k].period : i;
        if (sums && links[k].kind == CJ__LINK_sum && sum < CHAIN_SUMS) {
            if (sum++ == 0) {
                UNROLL
                for (int j = 0; j < vecs; j++)
                    sums->of[0][j] = sums->of[0][j] + v[j];
            } else {
                UNROLL
                for (int j = 0; j < vecs; j++)
                    sums->of[1][j] = sums->of[1][j] + v[j];
            }
            continue;
        }
        switch (links[k].kind) {
        case CJ__LINK_load:
            EACH_OF_CHAIN(v[j] = OF_CHAIN(o););
        case CJ__LINK_store:
            EACH_OF_CHAIN(put_vec(o + j * LANES, v[j], whole, part););
        case CJ__LINK_sum:
            EACH_OF_CHAIN(put_vec(o + j * LANES, OF_CHAIN(o) + v[j], whole, part););
        case CJ__LINK_add:
            EACH_OF_CHAIN(v[j] = v[j] + OF_CHAIN(o););
        case CJ__LINK_subtract:
            EACH_OF_CHAIN(v[j] = v[j] - OF_CHAIN(o););
        case CJ__LINK_subtract_from:
            EACH_OF_CHAIN(v[j] = OF_CHAIN(o) - v[j];);
        case CJ__LINK_multiply:
            EACH_OF_CHAIN(v[j] = v[j] * OF_CHAIN(o););
        case CJ__LINK_divide:
            EACH_OF_CHAIN(v[j] = v[j] / OF_CHAIN(o););
        case CJ__LINK_negative:
            EACH_OF_CHAIN(v[j] = -v[j];);
        case CJ__LINK_absolute:
            EACH_OF_CHAIN(v[j] = vec_abs(v[j]););
        case CJ__LINK_reciprocal:
            EACH_OF_CHAIN(v[j] = CONST(1) / v[j];);
        case CJ__LINK_beyond:
            EACH_OF_CHAIN(v[j] = vec_select(vec_lt(CONST(0), v[j]), CONST(1), CONST(0)););
        case CJ__LINK_reached:
            EACH_OF_CHAIN(v[j] = vec_select(vec_le(CONST(0), v[j]), CONST(1), CONST(0)););
        case CJ__LINK_square:
            EACH_OF_CHAIN(v[j] = v[j] * v[j];);
        case CJ__LINK_relu:
            EACH_OF_CHAIN(v[j] = vec_max(CONST(0), v[j]););
        case CJ__LINK_relu_grad:
            EACH_OF_CHAIN(v[j] = vec_select(vec_lt(CONST(0), OF_CHAIN(o)), v[j], CONST(0)););
        case CJ__LINK_square_grad:
            EACH_OF_CHAIN(const vec x = OF_CHAIN(o); v[j] = (x + x) * v[j];);
        case CJ__LINK_COUNT:
            break;
        }
    }
}

// As many whole periods as there are, each of so many vectors. Returns where they end.
ALWAYS_INLINE int64_t chain_periods(int64_t n, const cj__link *links, int count, const int vecs)
{
    const vmask none = {0};
    chain_sums sums;
    real *to[CHAIN_SUMS] = {NULL};
    int64_t i = 0;
    for (int k = 0, sum = 0; k < count && sum < CHAIN_SUMS; k++)
        if (links[k].kind == CJ__LINK_sum)
            to[sum++] = links[k].operand;
    UNROLL
    for (int s = 0; s < CHAIN_SUMS; s++) {
        UNROLL
        for (int j = 0; j < vecs; j++)
            sums.of[s][j] = to[s] ? vec_load(to[s] + j * LANES) : CONST(0);
    }
    for (; i + vecs * LANES <= n; i += vecs * LANES)
        chain_at(i, links, count, vecs, true, none, &sums);
    UNROLL
    for (int s = 0; s < CHAIN_SUMS; s++) {
        if (!to[s])
            continue;
        UNROLL
        for (int j = 0; j < vecs; j++)
            vec_store(to[s] + j * LANES, sums.of[s][j]);
    }
    return i;
}

// Vectors of a period: 0 for none, -1 where it is none of vectors.
static int64_t vecs_of_period(const cj__link *links, int count)
{
    for (int k = 0; k < count; k++)
        if (links[k].period > 0)
            return links[k].period % LANES == 0 ? links[k].period / LANES : -1;
    return 0;
}

static void chain(int64_t n, const cj__link *links, int count)
{
    const vmask none = {0};
    const int64_t vecs = vecs_of_period(links, count);
    int64_t i = vecs == 8 ? chain_periods(n, links, count, 8) :
                vecs == 7 ? chain_periods(n, links, count, 7) :
                vecs == 6 ? chain_periods(n, links, count, 6) :
                vecs == 5 ? chain_periods(n, links, count, 5) :
                            0;
    for (; vecs == 0 && i + CHAIN_VECS * LANES <= n; i += CHAIN_VECS * LANES)
        chain_at(i, links, count, CHAIN_VECS, true, none, NULL);
    for (; vecs >= 0 && i + LANES <= n; i += LANES)
        chain_at(i, links, count, 1, true, none, NULL);
    if (i < n && vecs >= 0)
        chain_at(i, links, count, 1, false, mask_first(n - i), NULL);
    for (; i < n && vecs < 0; i++)
        chain_at(i, links, count, 1, false, mask_first(1), NULL);
}

#undef EACH_OF_CHAIN
#undef OF_CHAIN

#endif
