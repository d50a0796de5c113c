// Ops that pick by integers. Indices are int32; one that is out of range fails the run with a
// sentence.
//
//   gather       table (v, ...), indices (i...) -> (i..., ...): rows of the table
//   gather_grad  indices, dy -> (v, ...): rows of dy added at their indices, in the order of the
//                indices; v = attrs.size
//   one_hot      labels (...) -> (..., attrs.size) of attrs.dtype
//   in_top_k     scores (..., c), labels (...) -> bool (...): fewer than attrs.size scores are
//                greater than the label's
//   count_correct  scores (..., c), labels (...) -> scalar: how many rows have their first maximum
//                  score at the label
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include <string.h>

static cj_status check_range(const cj__call *call, const cj__operand *indices, int64_t limit,
                             const char *what)
{
    const int32_t *index = indices->data;
    const int64_t count = cj__count(indices);
    for (int64_t i = 0; i < count; i++)
        if (index[i] < 0 || index[i] >= limit)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s %d of element %lld is outside 0..%lld",
                            call->op->name, what, (int)index[i], (long long)i,
                            (long long)limit - 1);
    return CJ_OK;
}

// The axes of `first` followed by those of `second` from `skip` on.
static cj_status join(const cj__inference *r, const cj_shape *first, const cj_shape *second,
                      int skip, cj_shape *result)
{
    if (first->rank + second->rank - skip > CJ_MAX_RANK)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: the result would have more than %d axes",
                        r->op->name, CJ_MAX_RANK);
    *result = *first;
    for (int i = skip; i < second->rank; i++)
        result->dims[result->rank++] = second->dims[i];
    return cj__check_output(r, result);
}

static cj_status infer_gather(cj__inference *r)
{
    cj__index_attrs *a = r->attrs;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 1, CJ_MAX_RANK));
    CJ_TRY(cj__need_axis(r, &r->inputs[0], 0, false));
    CJ_TRY(cj__need_dtype(r, 1, CJ_I32));
    a->size = r->inputs[0].shape.dims[0];
    r->outputs[0].dtype = r->inputs[0].dtype;
    return join(r, &r->inputs[1].shape, &r->inputs[0].shape, 1, &r->outputs[0].shape);
}

static void gather_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj_shape *table = &call->inputs[0].type.shape;
    const size_t bytes = (size_t)cj__span(table, 1, table->rank) * call->kernels->real_size;
    const int32_t *index = call->inputs[1].data;
    for (int64_t i = begin; i < end; i++)
        memcpy((char *)call->outputs[0].data + (size_t)i * bytes,
               (const char *)call->inputs[0].data + (size_t)index[i] * bytes, bytes);
}

static cj_status run_gather(const cj__call *call)
{
    const cj_shape *table = &call->inputs[0].type.shape;
    CJ_TRY(check_range(call, &call->inputs[1], table->dims[0], "index"));
    cj__each_item(call, cj__count(&call->inputs[1]), cj__span(table, 1, table->rank), gather_task,
                  (void *)call);
    return CJ_OK;
}

static void gradient_gather(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                            cj_symbol **dx)
{
    dx[0] =
        cj__append(g, &cj__op_gather_grad, node->attrs, (cj_symbol *[]){node->inputs[1], dy[0]}, 2);
    dx[1] = NULL;
}

static cj_status infer_gather_grad(cj__inference *r)
{
    const cj__index_attrs *a = r->attrs;
    const cj_shape *indices = &r->inputs[0].shape, *dy = &r->inputs[1].shape,
                   rows = {.rank = 1, .dims = {a->size}};
    char first[CJ__SHAPE_TEXT], second[CJ__SHAPE_TEXT];
    CJ_TRY(cj__need_dtype(r, 0, CJ_I32));
    CJ_TRY(cj__need_real(r, 1, NULL));
    bool fits = a->size >= 0 && dy->rank >= indices->rank;
    for (int i = 0; fits && i < indices->rank; i++)
        fits = indices->dims[i] == dy->dims[i];
    if (!fits)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: indices %s do not lead the axes of %s", r->op->name,
                        cj__shape_words(indices, first), cj__shape_words(dy, second));
    r->outputs[0].dtype = r->inputs[1].dtype;
    return join(r, &rows, dy, indices->rank, &r->outputs[0].shape);
}

// All on one thread, since the order of additions is part of the result.
static cj_status run_gather_grad(const cj__call *call)
{
    const cj_shape *table = &call->outputs[0].type.shape;
    const int64_t cols = cj__span(table, 1, table->rank), count = cj__count(&call->inputs[0]);
    const int32_t *index = call->inputs[0].data;
    CJ_TRY(check_range(call, &call->inputs[0], table->dims[0], "index"));
    memset(call->outputs[0].data, 0, cj__bytes(&call->outputs[0]));
    for (int64_t i = 0; i < count; i++) {
        void *row = cj__at(call, call->outputs[0].data, index[i] * cols);
        call->kernels->binary[CJ__BINARY_add](
            1, cols, row, 0, 1, cj__at(call, call->inputs[1].data, i * cols), 0, 1, row);
    }
    return CJ_OK;
}

static void gradient_gather_grad(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                                 cj_symbol **dx)
{
    dx[0] = NULL;
    dx[1] = cj__append(g, &cj__op_gather, node->attrs, (cj_symbol *[]){dy[0], node->inputs[0]}, 2);
}

static cj_status infer_one_hot(cj__inference *r)
{
    const cj__index_attrs *a = r->attrs;
    const cj_shape classes = {.rank = 1, .dims = {a->size}};
    CJ_TRY(cj__need_dtype(r, 0, CJ_I32));
    if (a->size < 1 || !cj__is_real(a->dtype))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: needs at least one class and a float32 or float64 result",
                        r->op->name);
    r->outputs[0].dtype = a->dtype;
    return join(r, &r->inputs[0].shape, &classes, 0, &r->outputs[0].shape);
}

static cj_status run_one_hot(const cj__call *call)
{
    const cj__index_attrs *a = call->attrs;
    const int32_t *label = call->inputs[0].data;
    const int64_t count = cj__count(&call->inputs[0]);
    CJ_TRY(check_range(call, &call->inputs[0], a->size, "label"));
    memset(call->outputs[0].data, 0, cj__bytes(&call->outputs[0]));
    for (int64_t i = 0; i < count; i++)
        cj__element_set(a->dtype, call->outputs[0].data, i * a->size + label[i], 1);
    return CJ_OK;
}

static cj_status infer_in_top_k(cj__inference *r)
{
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 1, CJ_MAX_RANK));
    CJ_TRY(cj__need_dtype(r, 1, CJ_I32));
    const int last = r->inputs[0].shape.rank - 1;
    const cj__type rows = {CJ_BOOL, cj__reduced_shape(&r->inputs[0].shape, 1u << last, false)};
    if (((const cj__index_attrs *)r->attrs)->size < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: k must be at least 1", r->op->name);
    r->outputs[0] = rows;
    return cj__need_same_shape(r, &r->inputs[1], &rows);
}

// A label out of range, or a score that is not finite, is never among the k largest, as in
// TensorFlow.
static cj_status run_in_top_k(const cj__call *call)
{
    const cj__operand *scores = &call->inputs[0];
    const int64_t cols = scores->type.shape.dims[scores->type.shape.rank - 1],
                  rows = cj__count(&call->inputs[1]);
    const int32_t *label = call->inputs[1].data;
    for (int64_t r = 0; r < rows; r++) {
        int64_t greater = 0;
        const bool known = label[r] >= 0 && label[r] < cols;
        const double own =
            known ? cj__real_get(call, cj__at(call, scores->data, r * cols + label[r])) : 0;
        for (int64_t j = 0; known && j < cols; j++)
            greater += cj__real_get(call, cj__at(call, scores->data, r * cols + j)) > own;
        ((uint8_t *)call->outputs[0].data)[r] =
            known && own - own == 0 && greater < ((const cj__index_attrs *)call->attrs)->size;
    }
    return CJ_OK;
}

// Labels may be any number: one that is no class is no row's.
static cj_status infer_count_correct(cj__inference *r)
{
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 1, CJ_MAX_RANK));
    CJ_TRY(cj__need_dtype(r, 1, CJ_I32));
    const int last = r->inputs[0].shape.rank - 1;
    const cj__type rows = {CJ_I32, cj__reduced_shape(&r->inputs[0].shape, 1u << last, false)};
    CJ_TRY(cj__need_axis(r, &r->inputs[0], last, true));
    r->outputs[0] = (cj__type){r->inputs[0].dtype, {.rank = 0}};
    return cj__need_same_shape(r, &r->inputs[1], &rows);
}

// Rows are counted in at most COUNTS pieces, each into its own entry of the workspace.
enum { COUNTS = 64 };

static int64_t rows_counted(const cj__call *call)
{
    return (cj__count(&call->inputs[1]) + COUNTS - 1) / COUNTS;
}

static size_t workspace_count_correct(const cj__call *call)
{
    (void)call;
    return COUNTS * sizeof(int64_t);
}

static void count_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__operand *scores = &call->inputs[0];
    const int64_t cols = scores->type.shape.dims[scores->type.shape.rank - 1],
                  rows = cj__count(&call->inputs[1]);
    const int64_t each = rows_counted(call);
    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t first = piece * each, left = rows - first;
        ((int64_t *)call->workspace)[piece] = call->kernels->count_correct(
            left < each ? left : each, cols, cj__at(call, scores->data, first * cols),
            (const int32_t *)call->inputs[1].data + first);
    }
}

static cj_status run_count_correct(const cj__call *call)
{
    const cj__operand *scores = &call->inputs[0];
    const int64_t cols = scores->type.shape.dims[scores->type.shape.rank - 1],
                  rows = cj__count(&call->inputs[1]);
    const int64_t each = rows_counted(call), pieces = each > 0 ? (rows + each - 1) / each : 0;
    int64_t count = 0;
    cj__each_item(call, pieces, each * cols, count_task, (void *)call);
    for (int64_t i = 0; i < pieces; i++)
        count += ((const int64_t *)call->workspace)[i];
    cj__element_set(call->outputs[0].type.dtype, call->outputs[0].data, 0, (double)count);
    return CJ_OK;
}

#define INDEX(op_name, op_flags, inputs, gradient_function) \
    const cj__op cj__op_##op_name = {                       \
        .name = #op_name,                                   \
        .flags = op_flags,                                  \
        .min_inputs = inputs,                               \
        .max_inputs = inputs,                               \
        .samples = CJ__WHOLE_BATCH,                         \
        .on_blocks = CJ__ON_BLOCKS_NO,                      \
        .identity = CJ__IDENTITY_NEVER,                     \
        .bf16 = CJ__BF16_NEVER,                             \
        .attrs_size = CJ__ATTRS_SIZE(cj__index_attrs),      \
        .infer = infer_##op_name,                           \
        .gradient = gradient_function,                      \
        .run = run_##op_name,                               \
    }
INDEX(gather, 0, 2, gradient_gather);
INDEX(gather_grad, 0, 2, gradient_gather_grad);
INDEX(one_hot, CJ__OP_NO_GRADIENT, 1, NULL);
INDEX(in_top_k, CJ__OP_NO_GRADIENT, 2, NULL);

const cj__op cj__op_count_correct = {
    .name = "count_correct",
    .flags = CJ__OP_FUSED,
    .min_inputs = 2,
    .max_inputs = 2,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .infer = infer_count_correct,
    .workspace = workspace_count_correct,
    .run = run_count_correct,
};
