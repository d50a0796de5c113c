// recurrence: s[t] = a[t] s[t - 1] + b[t] along an axis, s before the first being 0; with attrs.reverse
// from the last entry to the first. a is a scalar or has b's shape. Running sums (a = 1) and running
// products (b = x[0], 0, 0, ...) are cases of it.
//
// The gradient is the same op the other way: with e arriving by s, l[t] = e[t] + a[t + 1] l[t + 1]; by
// b it is l, by a l[t] s[t - 1].
//
// Sums are kept in double between entries, whatever the dtype.
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include "ops/words.h"

static cj_status infer_recurrence(cj__inference *r)
{
    const cj__recurrence_attrs *attrs = r->attrs;
    CJ_TRY(cj__need_real(r, 1, NULL));
    CJ_TRY(cj__need_real(r, 0, &r->inputs[1]));
    CJ_TRY(cj__need_axis(r, &r->inputs[1], attrs->axis, false));
    if (r->inputs[0].shape.rank > 0)
        CJ_TRY(cj__need_same_shape(r, &r->inputs[0], &r->inputs[1]));
    r->outputs[0] = r->inputs[1];
    return CJ_OK;
}

// Lines are done some at a time, side by side in memory.
enum { LINES = 64 };

static void recur_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__recurrence_attrs *attrs = call->attrs;
    const cj__operand *a = &call->inputs[0], *b = &call->inputs[1], *s = &call->outputs[0];
    const cj_shape *shape = &b->type.shape;
    const cj_dtype dtype = b->type.dtype;
    const int64_t n = shape->dims[attrs->axis],
                  inner = cj__span(shape, attrs->axis + 1, shape->rank);
    const int64_t pieces = (inner + LINES - 1) / LINES, step = a->type.shape.rank > 0;
    for (int64_t task = begin; task < end; task++) {
        const int64_t first = task % pieces * LINES, left = inner - first;
        const int64_t lines = left < LINES ? left : LINES, outer = task / pieces * n * inner;
        double state[LINES] = {0};
        for (int64_t t = 0; t < n; t++) {
            const int64_t at = outer + (attrs->reverse ? n - 1 - t : t) * inner + first;
            for (int64_t i = 0; i < lines; i++) {
                state[i] = cj__element_get(dtype, a->data, (at + i) * step) * state[i] +
                           cj__element_get(dtype, b->data, at + i);
                if (t == 0) // 0 times a[0], which may be infinite, is 0 here
                    state[i] = cj__element_get(dtype, b->data, at + i);
                cj__element_set(dtype, s->data, at + i, state[i]);
            }
        }
    }
}

static cj_status run_recurrence(const cj__call *call)
{
    const cj_shape *shape = &call->inputs[1].type.shape;
    const int axis = ((const cj__recurrence_attrs *)call->attrs)->axis;
    const int64_t n = shape->dims[axis], inner = cj__span(shape, axis + 1, shape->rank);
    cj__each_item(call, cj__span(shape, 0, axis) * ((inner + LINES - 1) / LINES),
                  n * (inner < LINES ? inner : LINES), recur_task, (void *)call);
    return CJ_OK;
}

// x[t - 1] at t, or x[t + 1] if `reverse`; 0 at the end that has none.
static cj_symbol *shifted(cj__build *g, cj_symbol *x, int axis, bool reverse)
{
    const int64_t n = x ? cj_symbol_shape(x)->dims[axis] : 0;
    if (n < 1)
        return x;
    return cj__pad(g, cj__slice(g, x, axis, reverse, n - 1), axis, !reverse, reverse);
}

static void gradient_recurrence(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                                cj_symbol **dx)
{
    const cj__recurrence_attrs *attrs = (const void *)node->attrs;
    const bool reverse = attrs->reverse;
    cj_symbol *a = node->inputs[0], *s = cj__node_output(g, node, 0);
    if (cj_symbol_shape(a)->rank > 0)
        a = shifted(g, a, attrs->axis, !reverse);
    dx[1] = cj__append_recurrence(g, a, dy[0], attrs->axis, !reverse);
    dx[0] =
        cj__sum_like(g, cj__mul(g, dx[1], shifted(g, s, attrs->axis, reverse)), node->inputs[0]);
}

const cj__op cj__op_recurrence = {
    .name = "recurrence",
    .min_inputs = 2,
    .max_inputs = 2,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__recurrence_attrs),
    .infer = infer_recurrence,
    .gradient = gradient_recurrence,
    .run = run_recurrence,
};

cj_symbol *cj__append_recurrence(cj__build *g, cj_symbol *a, cj_symbol *b, int axis, bool reverse)
{
    return cj__append(g, &cj__op_recurrence, &(cj__recurrence_attrs){axis, reverse},
                      (cj_symbol *[]){a, b}, 2);
}

cj_symbol *cj__running_sum(cj__build *g, cj_symbol *x, int axis)
{
    return cj__append_recurrence(g, cj__scalar_like(g, x, 1), x, axis, false);
}

// s[t] = x[t] s[t - 1], from s[0] = x[0].
cj_symbol *cj__running_product(cj__build *g, cj_symbol *x, int axis)
{
    const int64_t n = x ? cj_symbol_shape(x)->dims[axis] : 0;
    if (n < 1)
        return x;
    return cj__append_recurrence(g, x, cj__pad(g, cj__slice(g, x, axis, 0, 1), axis, 0, n - 1),
                                 axis, false);
}
