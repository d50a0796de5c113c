// What follows a product: bias, activation and rounding. ReLU happens in registers, at the end of a tile; any other
// activation is this table's element-wise kernel, applied to rows that are still in the cache, and so is rounding, but
// for the elements of a pool's window, which are rounded in registers before the greatest is taken.
#if CJ_REAL_BYTES == 4
#include "kernels/body/round_vec.h"
#endif

typedef struct epilogue {
    const real *bias; // of the whole row, or NULL
    cj__unary act;
    double a, b;
    bool rounds; // to bfloat16, in the end
} epilogue;

// The table that these bodies are part of; set once, when it is made (table.c).
static const cj__kernels *own_table;

static bool is_relu(const epilogue *e)
{
    return e->act == CJ__UNARY_relu;
}

// Whether finish_rows() has anything to do.
static bool is_applied(const epilogue *e)
{
    return (e->act != CJ__UNARY_NONE && !is_relu(e)) || e->rounds;
}

static void finish_rows(const epilogue *e, real *const *rows, int count, int64_t cols)
{
    const bool acts = e->act != CJ__UNARY_NONE && !is_relu(e);
    for (int i = 0; i < count && acts; i++)
        own_table->unary[e->act](cols, rows[i], rows[i], e->a, e->b);
    for (int i = 0; i < count && e->rounds; i++)
        own_table->round_bf16(cols, rows[i], rows[i]);
}

ALWAYS_INLINE vec round_lanes(vec x)
{
#if CJ_REAL_BYTES == 4
    return vec_round_bf16(x);
#else // nobody's road to speed
    real lanes[LANES];
    vec_store(lanes, x);
    own_table->round_bf16(LANES, lanes, lanes);
    return vec_load(lanes);
#endif
}

// The elements of a window, where `rounds` asks for it. ReLU may follow: it keeps what is rounded.
ALWAYS_INLINE void round_window(bool rounds, vec *elements, const int count)
{
    if (!rounds)
        return;
    UNROLL
    for (int i = 0; i < count; i++)
        elements[i] = round_lanes(elements[i]);
}
