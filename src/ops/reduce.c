// Reductions over any axes, and the pair sum_like / broadcast_like that undoes and does
// broadcasting.
//
// Adjacent axes that are kept, or reduced, alike are merged; each group of reduced axes is one pass
// (outer, n, inner) -> (outer, inner), from the last group to the first. A long n is cut into
// pieces, by the shape alone, whose results are combined in order. Workspace: three areas, one for
// the pieces' results and two that hold what lies between passes.
#include "base/memory.h"
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/reduction.h"
#include "ops/run.h"
#include <string.h>

enum { PIECE = 32768, MOST_PIECES = 64 };

int cj__reduction_passes(const cj_shape *shape, uint32_t axes, cj__reduction_pass *passes)
{
    int count = 0;
    cj_shape left = *shape;
    for (int end = shape->rank; end > 0;) {
        int begin = end;
        const bool reduced = axes >> (end - 1) & 1;
        while (begin > 0 && (axes >> (begin - 1) & 1) == reduced)
            begin--;
        const int64_t n = cj__span(shape, begin, end);
        if (reduced && n != 1) {
            cj__reduction_pass *p = &passes[count++];
            *p = (cj__reduction_pass){.outer = cj__span(shape, 0, begin),
                                      .n = n,
                                      .inner = cj__span(&left, end, left.rank)};
            int64_t pieces = p->n * p->inner / PIECE;
            pieces = pieces > MOST_PIECES ? MOST_PIECES : pieces;
            pieces = pieces > p->n ? p->n : pieces;
            p->length = pieces > 1 ? (p->n + pieces - 1) / pieces : p->n;
            p->pieces = pieces > 1 ? (p->n + p->length - 1) / p->length : 1;
        }
        if (reduced)
            for (int i = begin; i < end; i++)
                left.dims[i] = 1;
        end = begin;
    }
    return count;
}

// Elements of each workspace area.
static int64_t area_of(const cj__reduction_pass *passes, int count)
{
    int64_t most = 0;
    for (int i = 0; i < count; i++) {
        const int64_t partial =
            passes[i].pieces > 1 ? passes[i].outer * passes[i].pieces * passes[i].inner : 0;
        const int64_t result = i + 1 < count ? passes[i].outer * passes[i].inner : 0;
        most = partial > most ? partial : most;
        most = result > most ? result : most;
    }
    return most;
}

typedef struct pass_context {
    const cj__call *call;
    cj__reduction function;
    const cj__reduction_pass *pass;
    const void *x;
    void *y;
} pass_context;

static void outer_task(void *context, int64_t begin, int64_t end)
{
    const pass_context *c = context;
    const cj__reduction_pass *p = c->pass;
    c->call->kernels->reduce[c->function](end - begin, p->n, p->inner,
                                          cj__at(c->call, c->x, begin * p->n * p->inner),
                                          cj__at(c->call, c->y, begin * p->inner), false);
}

static void piece_task(void *context, int64_t begin, int64_t end)
{
    const pass_context *c = context;
    const cj__reduction_pass *p = c->pass;
    for (int64_t task = begin; task < end; task++) {
        const int64_t first = task % p->pieces * p->length, left = p->n - first;
        const int64_t at = (task / p->pieces * p->n + first) * p->inner;
        c->call->kernels->reduce[c->function](1, left < p->length ? left : p->length, p->inner,
                                              cj__at(c->call, c->x, at),
                                              cj__at(c->call, c->y, task * p->inner), false);
    }
}

static void run_pass(const cj__call *call, cj__reduction function, const cj__reduction_pass *p,
                     const void *x, void *y, void *partial)
{
    pass_context context = {call, function, p, x, p->pieces > 1 ? partial : y};
    if (p->pieces > 1) {
        cj__each_item(call, p->outer * p->pieces, p->length * p->inner, piece_task, &context);
        call->kernels->reduce[function](p->outer, p->pieces, p->inner, partial, y, false);
    } else {
        cj__each_item(call, p->outer, p->n * p->inner, outer_task, &context);
    }
}

static size_t workspace_of(const cj__call *call, uint32_t axes)
{
    cj__reduction_pass passes[CJ_MAX_RANK];
    const int count = cj__reduction_passes(&call->inputs[0].type.shape, axes, passes);
    return 3 * (size_t)area_of(passes, count) * call->kernels->real_size;
}

// Reduces input 0 over `axes` into output 0.
static void run_reduction(const cj__call *call, cj__reduction function, uint32_t axes)
{
    cj__reduction_pass passes[CJ_MAX_RANK];
    const int count = cj__reduction_passes(&call->inputs[0].type.shape, axes, passes);
    const int64_t area = area_of(passes, count);
    const void *x = call->inputs[0].data;
    if (count == 0)
        memcpy(call->outputs[0].data, x, cj__bytes(&call->outputs[0]));
    for (int i = 0; i < count; i++) {
        void *y = call->outputs[0].data;
        if (i + 1 < count)
            y = cj__at(call, call->workspace, area * (1 + i % 2));
        run_pass(call, function, &passes[i], x, y, call->workspace);
        x = y;
    }
}

static double ratio_of(const cj__operand *large, const cj__operand *small)
{
    return (double)cj__count(large) / (double)cj__count(small);
}

// Divides output 0 by a number.
static void divide_work(const cj__call *call, int64_t begin, int64_t end)
{
    const cj__real divisor = cj__real_of(call, ratio_of(&call->inputs[0], &call->outputs[0]));
    void *y = cj__at(call, call->outputs[0].data, begin);
    call->kernels->binary[CJ__BINARY_divide](1, end - begin, y, 0, 1, &divisor, 0, 0, y);
}

cj_status cj__infer_reduction(cj__inference *r)
{
    const cj__reduce_attrs *a = r->attrs;
    char text[CJ__SHAPE_TEXT];
    CJ_TRY(cj__need_real(r, 0, NULL));
    if (a->axes >> r->inputs[0].shape.rank)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: an axis is outside the %d axes of %s",
                        r->op->name, r->inputs[0].shape.rank,
                        cj__shape_words(&r->inputs[0].shape, text));
    r->outputs[0] = (cj__type){r->inputs[0].dtype,
                               cj__reduced_shape(&r->inputs[0].shape, a->axes, a->keepdims)};
    return CJ_OK;
}

static size_t workspace_reduce(const cj__call *call)
{
    return workspace_of(call, ((const cj__reduce_attrs *)call->attrs)->axes);
}

static cj_status run_reduce(const cj__call *call)
{
    run_reduction(call, (cj__reduction)call->op->variant,
                  ((const cj__reduce_attrs *)call->attrs)->axes);
    if (call->op == &cj__op_reduce_mean)
        cj__each_element(call, cj__count(&call->outputs[0]), divide_work);
    return CJ_OK;
}

static void reducing(const cj__call *call, cj__reducing *r)
{
    *r = (cj__reducing){(cj__reduction)call->op->variant,
                        ((const cj__reduce_attrs *)call->attrs)->axes, 1};
    if (call->op == &cj__op_reduce_mean)
        r->divisor = ratio_of(&call->inputs[0], &call->outputs[0]);
}

// A result of the reduction with its lost axes put back as 1.
cj_symbol *cj__reduced_axes(cj__build *g, const cj__node *node, cj_symbol *y)
{
    const cj__reduce_attrs *a = (const void *)node->attrs;
    const cj__type type = {CJ_F32,
                           cj__reduced_shape(&cj__operand_type(node, 0)->shape, a->axes, true)};
    return a->keepdims ? y : cj__reshape_to(g, y, &type);
}

static void gradient_sum(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    dx[0] = cj__broadcast_like(g, cj__reduced_axes(g, node, dy[0]), node->inputs[0]);
}

static void gradient_mean(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    dx[0] = cj__share_like(g, cj__reduced_axes(g, node, dy[0]), node->inputs[0]);
}

// dx = dy / (number of elements equal to y) where x equals y, else 0.
static void gradient_extreme(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                             cj_symbol **dx)
{
    const cj__reduce_attrs *a = (const void *)node->attrs;
    cj_symbol *x = node->inputs[0], *y = cj__reduced_axes(g, node, cj__node_output(g, node, 0));
    cj_symbol *equal = cj__compare(g, CJ__COMPARISON_equal, x, y);
    cj_symbol *mask = cj__cast(g, equal, cj__symbol_type(x)->dtype);
    dx[0] = cj__mul(g, mask,
                    cj__div(g, cj__reduced_axes(g, node, dy[0]), cj__sum(g, mask, a->axes, true)));
}

#define REDUCTION(op_name, function, gradient_function) \
    const cj__op cj__op_##op_name = {                   \
        .name = #op_name,                               \
        .min_inputs = 1,                                \
        .max_inputs = 1,                                \
        .samples = CJ__WHOLE_BATCH,                     \
        .on_blocks = CJ__ON_BLOCKS_NO,                  \
        .identity = CJ__IDENTITY_NEVER,                 \
        .bf16 = CJ__BF16_NEVER,                         \
        .attrs_size = CJ__ATTRS_SIZE(cj__reduce_attrs), \
        .variant = CJ__REDUCTION_##function,            \
        .reducing = reducing,                           \
        .infer = cj__infer_reduction,                   \
        .gradient = gradient_function,                  \
        .workspace = workspace_reduce,                  \
        .run = run_reduce,                              \
    }
REDUCTION(reduce_sum, sum, gradient_sum);
REDUCTION(reduce_mean, sum, gradient_mean);
REDUCTION(reduce_max, max, gradient_extreme);
REDUCTION(reduce_min, min, gradient_extreme);

// argmax: x (outer, n, inner) -> int32 (outer, inner).
static cj_status infer_argmax(cj__inference *r)
{
    const cj__axis_attrs *a = r->attrs;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_axis(r, &r->inputs[0], a->axis, true));
    r->outputs[0] =
        (cj__type){CJ_I32, cj__reduced_shape(&r->inputs[0].shape, 1u << a->axis, false)};
    return CJ_OK;
}

static void argmax_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj_shape *shape = &call->inputs[0].type.shape;
    const int axis = ((const cj__axis_attrs *)call->attrs)->axis;
    const int64_t n = shape->dims[axis], inner = cj__span(shape, axis + 1, shape->rank);
    call->kernels->argmax(end - begin, n, inner,
                          cj__at(call, call->inputs[0].data, begin * n * inner),
                          (int32_t *)call->outputs[0].data + begin * inner);
}

static cj_status run_argmax(const cj__call *call)
{
    const cj_shape *shape = &call->inputs[0].type.shape;
    const int axis = ((const cj__axis_attrs *)call->attrs)->axis;
    cj__each_item(call, cj__span(shape, 0, axis), cj__span(shape, axis, shape->rank), argmax_task,
                  (void *)call);
    return CJ_OK;
}

const cj__op cj__op_argmax = {
    .name = "argmax",
    .flags = CJ__OP_NO_GRADIENT,
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__axis_attrs),
    .infer = infer_argmax,
    .run = run_argmax,
};

// Both directions: inputs (x, like), of which the shape of `like` is all that matters. One shape
// must broadcast to the other; with attrs.mean the result is divided by the ratio of their sizes.
static cj_status infer_stretch(cj__inference *r)
{
    const bool sums = r->op == &cj__op_sum_like;
    const cj_shape *large = &r->inputs[sums ? 0 : 1].shape;
    char first[CJ__SHAPE_TEXT], second[CJ__SHAPE_TEXT];
    cj_shape both;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__broadcast(r, &r->inputs[0].shape, &r->inputs[1].shape, &both));
    if (!cj_shape_equal(&both, large))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: %s does not broadcast to %s", r->op->name,
                        cj__shape_words(&r->inputs[sums ? 1 : 0].shape, first),
                        cj__shape_words(large, second));
    r->outputs[0] = (cj__type){r->inputs[0].dtype, r->inputs[1].shape};
    return CJ_OK;
}

// The axes of x along which `like` would be broadcast.
static uint32_t stretched_axes(const cj_shape *x, const cj_shape *like)
{
    uint32_t axes = 0;
    for (int i = 0; i < x->rank; i++) {
        const int own = i - (x->rank - like->rank);
        if (own < 0 || (like->dims[own] == 1 && x->dims[i] != 1))
            axes |= 1u << i;
    }
    return axes;
}

static size_t workspace_sum_like(const cj__call *call)
{
    return workspace_of(call,
                        stretched_axes(&call->inputs[0].type.shape, &call->outputs[0].type.shape));
}

static cj_status run_sum_like(const cj__call *call)
{
    run_reduction(call, CJ__REDUCTION_sum,
                  stretched_axes(&call->inputs[0].type.shape, &call->outputs[0].type.shape));
    if (((const cj__stretch_attrs *)call->attrs)->mean)
        cj__each_element(call, cj__count(&call->outputs[0]), divide_work);
    return CJ_OK;
}

static void reducing_sum_like(const cj__call *call, cj__reducing *r)
{
    const bool mean = ((const cj__stretch_attrs *)call->attrs)->mean;
    *r = (cj__reducing){CJ__REDUCTION_sum,
                        stretched_axes(&call->inputs[0].type.shape, &call->outputs[0].type.shape),
                        mean ? ratio_of(&call->inputs[0], &call->outputs[0]) : 1};
}

static void gradient_sum_like(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                              cj_symbol **dx)
{
    const bool mean = ((const cj__stretch_attrs *)(const void *)node->attrs)->mean;
    dx[0] = (mean ? cj__share_like : cj__broadcast_like)(g, dy[0], node->inputs[0]);
    dx[1] = NULL;
}

static double stretched(const cj__call *call)
{
    return ((const cj__stretch_attrs *)call->attrs)->mean ?
               ratio_of(&call->outputs[0], &call->inputs[0]) :
               1;
}

static void work_broadcast(const cj__call *call, const cj__run_of *r)
{
    const bool mean = ((const cj__stretch_attrs *)call->attrs)->mean;
    const cj__real factor = cj__real_of(call, stretched(call));
    call->kernels->binary[mean ? CJ__BINARY_divide : CJ__BINARY_multiply](
        r->rows, r->cols, cj__at(call, call->inputs[0].data, r->at[0]), r->row[0], r->step[0],
        &factor, 0, 0, cj__at(call, call->outputs[0].data, r->out));
}

static cj_status run_broadcast_like(const cj__call *call)
{
    cj__spread_run(call, 1, work_broadcast);
    return CJ_OK;
}

static void gradient_broadcast_like(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                                    cj_symbol **dx)
{
    const bool mean = ((const cj__stretch_attrs *)(const void *)node->attrs)->mean;
    dx[0] = (mean ? cj__mean_like : cj__sum_like)(g, dy[0], node->inputs[0]);
    dx[1] = NULL;
}

const cj__op cj__op_sum_like = {
    .name = "sum_like",
    .min_inputs = 2,
    .max_inputs = 2,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_OF_EQUAL_TYPE,
    .bf16 = CJ__BF16_NEVER,
    .shape_only = 1 << 1,
    .attrs_size = CJ__ATTRS_SIZE(cj__stretch_attrs),
    .infer = infer_stretch,
    .reducing = reducing_sum_like,
    .gradient = gradient_sum_like,
    .workspace = workspace_sum_like,
    .run = run_sum_like,
};

// A mean is over as many elements as the whole batch has.
static const char *samples_of_broadcast(const void *attrs)
{
    return ((const cj__stretch_attrs *)attrs)->mean ? CJ__WHOLE_BATCH : "es>s";
}

const cj__op cj__op_broadcast_like = {
    .name = "broadcast_like",
    .min_inputs = 2,
    .max_inputs = 2,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_OF_EQUAL_TYPE,
    .bf16 = CJ__BF16_NEVER,
    .shape_only = 1 << 1,
    .attrs_size = CJ__ATTRS_SIZE(cj__stretch_attrs),
    .samples_of = samples_of_broadcast,
    .infer = infer_stretch,
    .stretched = stretched,
    .gradient = gradient_broadcast_like,
    .run = run_broadcast_like,
};
