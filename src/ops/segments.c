// Ops on rows that carry the number of a segment, or of the row that they replace. Indices are int32; one
// that is out of range fails the run.
//
//   segment_max, segment_min  x (n, ...), ids (n) -> (segments, ...)
//   scatter_rows              x (v, ...), indices (n), u (n, ...) -> (v, ...)
//
// Equal extremes of a segment share its gradient. Of rows that are set more than once the last is there,
// and gets the gradient.
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include "ops/words.h"
#include <math.h>
#include <string.h>

static cj_status check_range(const cj__call *call, int64_t limit)
{
    const int32_t *index = call->inputs[1].data;
    const int64_t count = cj__count(&call->inputs[1]);
    for (int64_t i = 0; i < count; i++)
        if (index[i] < 0 || index[i] >= limit)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: index %d of row %lld is outside 0..%lld",
                            call->op->name, (int)index[i], (long long)i, (long long)limit - 1);
    return CJ_OK;
}

static cj_status infer_segment(cj__inference *r)
{
    const int64_t segments = ((const cj__segment_attrs *)r->attrs)->segments;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 1, CJ_MAX_RANK));
    CJ_TRY(cj__need_dtype(r, 1, CJ_I32));
    CJ_TRY(cj__need_rank(r, 1, 1, 1));
    if (r->inputs[0].shape.dims[0] != r->inputs[1].shape.dims[0])
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: there must be a segment's number for each row",
                        r->op->name);
    if (segments < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %lld segments, needed is at least 1", r->op->name,
                        (long long)segments);
    r->outputs[0] = r->inputs[0];
    r->outputs[0].shape.dims[0] = segments;
    return cj__check_output(r, &r->outputs[0].shape);
}

static cj_status run_segment(const cj__call *call)
{
    const bool least = call->op == &cj__op_segment_min;
    const cj_shape *shape = &call->inputs[0].type.shape;
    const int64_t cols = cj__span(shape, 1, shape->rank), all = cj__count(&call->outputs[0]);
    const cj_dtype dtype = call->outputs[0].type.dtype;
    const int32_t *id = call->inputs[1].data;
    CJ_TRY(check_range(call, call->outputs[0].type.shape.dims[0]));
    for (int64_t i = 0; i < all; i++)
        cj__element_set(dtype, call->outputs[0].data, i,
                        least ? (double)INFINITY : -(double)INFINITY);
    for (int64_t i = 0; i < shape->dims[0]; i++) {
        void *row = cj__at(call, call->outputs[0].data, id[i] * cols);
        call->kernels->binary[least ? CJ__BINARY_minimum : CJ__BINARY_maximum](
            1, cols, row, 0, 1, cj__at(call, call->inputs[0].data, i * cols), 0, 1, row);
    }
    return CJ_OK;
}

// Rows of a table (segments, ...) by segment, and back: sums of the rows of each.
static cj_symbol *rows_of(cj__build *g, cj_symbol *table, cj_symbol *ids)
{
    return cj__gather(g, table, ids);
}

static cj_symbol *sums_of(cj__build *g, cj_symbol *rows, cj_symbol *ids, int64_t segments)
{
    return cj__append(g, &cj__op_gather_grad, &(cj__index_attrs){.size = segments},
                      (cj_symbol *[]){ids, rows}, 2);
}

static void gradient_segment(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                             cj_symbol **dx)
{
    const int64_t segments = ((const cj__segment_attrs *)(const void *)node->attrs)->segments;
    cj_symbol *x = node->inputs[0], *ids = node->inputs[1];
    cj_symbol *equal =
        cj__compare(g, CJ__COMPARISON_equal, x, rows_of(g, cj__node_output(g, node, 0), ids));
    cj_symbol *mask = cj__cast(g, equal, cj_symbol_dtype(x));
    cj_symbol *count = sums_of(g, mask, ids, segments);
    count = cj__apply_binary(g, CJ__BINARY_maximum, count, cj__scalar_like(g, x, 1));
    dx[0] = cj__mul(g, mask, rows_of(g, cj__div(g, dy[0], count), ids));
    dx[1] = NULL;
}

static cj_status infer_scatter(cj__inference *r)
{
    cj__type rows = r->inputs[0];
    CJ_TRY(cj__need_rank(r, 0, 1, CJ_MAX_RANK));
    CJ_TRY(cj__need_axis(r, &r->inputs[0], 0, false));
    CJ_TRY(cj__need_dtype(r, 1, CJ_I32));
    CJ_TRY(cj__need_rank(r, 1, 1, 1));
    CJ_TRY(cj__need_axis(r, &r->inputs[1], 0, false));
    CJ_TRY(cj__need_dtype(r, 2, r->inputs[0].dtype));
    rows.shape.dims[0] = r->inputs[1].shape.dims[0];
    r->outputs[0] = r->inputs[0];
    return cj__need_same_shape(r, &rows, &r->inputs[2]);
}

static cj_status run_scatter(const cj__call *call)
{
    const cj_shape *shape = &call->inputs[0].type.shape;
    const size_t bytes =
        (size_t)cj__span(shape, 1, shape->rank) * cj_dtype_size(call->inputs[0].type.dtype);
    const int32_t *index = call->inputs[1].data;
    const int64_t count = cj__count(&call->inputs[1]);
    CJ_TRY(check_range(call, shape->dims[0]));
    memcpy(call->outputs[0].data, call->inputs[0].data, cj__bytes(&call->inputs[0]));
    for (int64_t i = 0; i < count && bytes > 0; i++)
        memcpy((char *)call->outputs[0].data + (size_t)index[i] * bytes,
               (const char *)call->inputs[2].data + (size_t)i * bytes, bytes);
    return CJ_OK;
}

// By x: dy, 0 in the rows that were set. By u: dy's rows at the indices, where the row's own setting was
// the last, which is asked by setting the settings' numbers.
static void gradient_scatter(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                             cj_symbol **dx)
{
    cj_symbol *x = node->inputs[0], *indices = node->inputs[1], *u = node->inputs[2];
    const int64_t count = cj_symbol_shape(indices)->dims[0], rows = cj_symbol_shape(x)->dims[0];
    cj_shape column = {.rank = cj_symbol_shape(x)->rank, .dims = {count}};
    cj_tensor *none = NULL;
    for (int i = 0; i < 3; i++)
        dx[i] = NULL;
    if (!cj__is_real(cj_symbol_dtype(x)))
        return;
    for (int i = 1; i < column.rank; i++)
        column.dims[i] = 1;
    cj_symbol *zero = cj__broadcast_like(g, cj__scalar_like(g, x, 0), u);
    cj_symbol *own = cj__word_range(g, 0, count);
    const cj_status status = cj_tensor_new(CJ_I32, CJ_SHAPE(rows), &none);
    cj_symbol *last = cj__scatter_rows(g, cj__word_tensor(g, status, none), indices, own);
    last = cj__apply_integer(g, CJ__INTEGER_equal, cj__take_along(g, last, indices, 0), own);
    dx[0] = cj__scatter_rows(g, dy[0], indices, zero);
    dx[2] = cj__select(g, cj__reshape(g, last, &column), cj__gather(g, dy[0], indices),
                       cj__scalar_like(g, x, 0));
}

#define SEGMENTS(op_name, how, inputs, size) \
    const cj__op cj__op_##op_name = {        \
        .name = #op_name,                    \
        .min_inputs = inputs,                \
        .max_inputs = inputs,                \
        .samples = CJ__WHOLE_BATCH,          \
        .on_blocks = CJ__ON_BLOCKS_NO,       \
        .identity = CJ__IDENTITY_NEVER,      \
        .bf16 = CJ__BF16_NEVER,              \
        .attrs_size = size,                  \
        .infer = infer_##how,                \
        .gradient = gradient_##how,          \
        .run = run_##how,                    \
    };
SEGMENTS(segment_max, segment, 2, CJ__ATTRS_SIZE(cj__segment_attrs))
SEGMENTS(segment_min, segment, 2, CJ__ATTRS_SIZE(cj__segment_attrs))
SEGMENTS(scatter_rows, scatter, 3, 0)

cj_symbol *cj__segment_extreme(cj__build *g, cj_symbol *x, cj_symbol *ids, int64_t segments,
                               bool least)
{
    return cj__append(g, least ? &cj__op_segment_min : &cj__op_segment_max,
                      &(cj__segment_attrs){segments}, (cj_symbol *[]){x, ids}, 2);
}

cj_symbol *cj__scatter_rows(cj__build *g, cj_symbol *x, cj_symbol *indices, cj_symbol *u)
{
    return cj__append(g, &cj__op_scatter_rows, NULL, (cj_symbol *[]){x, indices, u}, 3);
}
