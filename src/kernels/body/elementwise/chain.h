// A chain of element-wise links: the value of CHAIN_VECS vectors goes through all of them in
// registers, then that of the next vectors. A link's formula is that of the kernel that does it
// alone, so bits are the same.
#ifndef CJ_KERNELS_BODY_ELEMENTWISE_CHAIN_H
#define CJ_KERNELS_BODY_ELEMENTWISE_CHAIN_H

#include "kernels/body/elementwise/elementwise.h"

enum { CHAIN_VECS = 8 };

#define EACH_OF_CHAIN(...)           \
    UNROLL                           \
    for (int j = 0; j < vecs; j++) { \
        __VA_ARGS__                  \
    }                                \
    break

#define OF_CHAIN(p) (whole ? vec_load((p) + j * LANES) : vec_load_part((p) + j * LANES, part))

// `vecs` vectors from element i on; one alone may be a part.
ALWAYS_INLINE void chain_at(int64_t i, const cj__link *links, int count, const int vecs,
                            const bool whole, vmask part)
{
    vec v[CHAIN_VECS];
    UNROLL
    for (int j = 0; j < vecs; j++)
        v[j] = CONST(0);
    for (int k = 0; k < count; k++) {
        real *o = links[k].operand;
        o += !o ? 0 : links[k].repeats ? i % CJ__CHAIN_BLOCK : i;
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

static void chain(int64_t n, const cj__link *links, int count)
{
    const vmask none = {0};
    int64_t i = 0;
    for (; i + CHAIN_VECS * LANES <= n; i += CHAIN_VECS * LANES)
        chain_at(i, links, count, CHAIN_VECS, true, none);
    for (; i + LANES <= n; i += LANES)
        chain_at(i, links, count, 1, true, none);
    if (i < n)
        chain_at(i, links, count, 1, false, mask_first(n - i));
}

#undef EACH_OF_CHAIN
#undef OF_CHAIN

#endif
