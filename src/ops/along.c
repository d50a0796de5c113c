// Ops that pick, put and order entries along one axis by an index for each entry of the result. x is seen
// as (outer, n, inner).
//
//   take_along  x, indices (outer or 1, m, inner or 1) -> (outer, m, inner)
//   add_along   like, indices, dy (outer, m, inner) -> like's shape: dy added at its indices, in order
//   argsort     x -> int32 of its shape
//
// Indices have x's rank: along every axis but one x's length, or 1 and then the same index for all.
#include "base/memory.h"
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include "ops/words.h"
#include <math.h>
#include <string.h>

static int axis_of(const void *attrs)
{
    return ((const cj__along_attrs *)attrs)->axis;
}

// The shape of the result: x's, with the indices' length along the axis.
static cj_status infer_indices(const cj__inference *r, const cj_shape *x, const cj_shape *indices,
                               cj_shape *y)
{
    const int axis = axis_of(r->attrs);
    char first[CJ__SHAPE_TEXT], second[CJ__SHAPE_TEXT];
    bool fits = indices->rank == x->rank;
    for (int i = 0; fits && i < x->rank; i++)
        fits = i == axis || indices->dims[i] == 1 || indices->dims[i] == x->dims[i];
    if (!fits)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: indices %s do not fit %s along axis %d",
                        r->op->name, cj__shape_words(indices, first), cj__shape_words(x, second),
                        axis);
    *y = *x;
    y->dims[axis] = indices->dims[axis];
    return cj__check_output(r, y);
}

static cj_status infer_take(cj__inference *r)
{
    CJ_TRY(cj__need_dtype(r, 1, CJ_I32));
    CJ_TRY(cj__need_axis(r, &r->inputs[0], axis_of(r->attrs), true));
    r->outputs[0].dtype = r->inputs[0].dtype;
    return infer_indices(r, &r->inputs[0].shape, &r->inputs[1].shape, &r->outputs[0].shape);
}

static cj_status infer_add(cj__inference *r)
{
    cj__type y;
    CJ_TRY(cj__need_dtype(r, 1, CJ_I32));
    CJ_TRY(cj__need_real(r, 2, NULL));
    CJ_TRY(cj__need_axis(r, &r->inputs[0], axis_of(r->attrs), true));
    CJ_TRY(infer_indices(r, &r->inputs[0].shape, &r->inputs[1].shape, &y.shape));
    r->outputs[0] = (cj__type){r->inputs[2].dtype, r->inputs[0].shape};
    return cj__need_same_shape(r, &y, &r->inputs[2]);
}

static cj_status check_range(const cj__call *call, int64_t n)
{
    const int32_t *index = call->inputs[1].data;
    const int64_t count = cj__count(&call->inputs[1]);
    for (int64_t i = 0; i < count; i++)
        if (index[i] < -n || index[i] >= n)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: index %d of element %lld is outside the %lld entries",
                            call->op->name, (int)index[i], (long long)i, (long long)n);
    return CJ_OK;
}

// A walk through the indices beside x: where the index of (outer, j, inner) is.
typedef struct walk {
    const cj__call *call;
    const cj_shape *x, *indices;
    int axis;
    int64_t n, m, inner; // of x and of the result
    size_t size;         // of an element
} walk;

static walk walk_of(const cj__call *call)
{
    const cj_shape *x = &call->inputs[0].type.shape, *indices = &call->inputs[1].type.shape;
    const int axis = axis_of(call->attrs);
    return (walk){call,
                  x,
                  indices,
                  axis,
                  x->dims[axis],
                  indices->dims[axis],
                  cj__span(x, axis + 1, x->rank),
                  cj_dtype_size(call->outputs[0].type.dtype)};
}

// The place of an entry of x's axes begin .. end - 1, counted in row-major order, among those of the
// indices, where an axis of length 1 stands for any.
static int64_t place_of(const walk *w, int begin, int end, int64_t entry)
{
    int64_t place = 0, step = 1;
    for (int i = end - 1; i >= begin; i--) {
        if (w->indices->dims[i] != 1)
            place += entry % w->x->dims[i] * step;
        step *= w->indices->dims[i];
        entry /= w->x->dims[i];
    }
    return place;
}

// Calls visit(w, from, to) for each element of rows begin .. end - 1 of the result, a row being all of
// `inner` for one outer index and one j: `at` its element there, `entry` that of x.
typedef void (*visit)(const walk *w, int64_t at, int64_t entry, int64_t count);
static void each_row(const walk *w, int64_t begin, int64_t end, visit visit_run)
{
    const int last = w->x->rank;
    const int64_t inner = cj__span(w->indices, w->axis + 1, last);
    const int32_t *index = w->call->inputs[1].data;
    for (int64_t row = begin; row < end; row++) {
        const int64_t outer = row / w->m, j = row % w->m;
        const int64_t from = (place_of(w, 0, w->axis, outer) * w->m + j) * inner;
        const int64_t width = inner == 1 ? w->inner : 1;
        for (int64_t i = 0; i < w->inner; i += width) {
            int64_t entry = index[from + (inner == 1 ? 0 : place_of(w, w->axis + 1, last, i))];
            entry += entry < 0 ? w->n : 0;
            visit_run(w, row * w->inner + i, (outer * w->n + entry) * w->inner + i, width);
        }
    }
}

static void copy_run(const walk *w, int64_t at, int64_t entry, int64_t count)
{
    memcpy((char *)w->call->outputs[0].data + (size_t)at * w->size,
           (const char *)w->call->inputs[0].data + (size_t)entry * w->size,
           (size_t)count * w->size);
}

static void add_run(const walk *w, int64_t at, int64_t entry, int64_t count)
{
    void *y = cj__at(w->call, w->call->outputs[0].data, entry);
    w->call->kernels->binary[CJ__BINARY_add](1, count, y, 0, 1,
                                             cj__at(w->call, w->call->inputs[2].data, at), 0, 1, y);
}

static void take_task(void *context, int64_t begin, int64_t end)
{
    each_row(context, begin, end, copy_run);
}

// Outer indices: rows of one outer index may add to one place, in order.
static void add_task(void *context, int64_t begin, int64_t end)
{
    const walk *w = context;
    each_row(w, begin * w->m, end * w->m, add_run);
}

static cj_status run_take(const cj__call *call)
{
    walk w = walk_of(call);
    CJ_TRY(check_range(call, w.n));
    if (w.inner > 0 && w.m > 0)
        cj__each_item(call, cj__span(w.x, 0, w.axis) * w.m, w.inner, take_task, &w);
    return CJ_OK;
}

static cj_status run_add(const cj__call *call)
{
    walk w = walk_of(call);
    CJ_TRY(check_range(call, w.n));
    memset(call->outputs[0].data, 0, cj__bytes(&call->outputs[0]));
    if (w.inner > 0 && w.m > 0)
        cj__each_item(call, cj__span(w.x, 0, w.axis), w.m * w.inner, add_task, &w);
    return CJ_OK;
}

static void gradient_take(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    dx[0] = cj__add_along(g, node->inputs[0], node->inputs[1], dy[0], axis_of(node->attrs));
    dx[1] = NULL;
}

static void gradient_add(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    dx[0] = dx[1] = NULL;
    dx[2] = cj__take_along(g, dy[0], node->inputs[1], axis_of(node->attrs));
}

// ---- argsort ----

static cj_status infer_argsort(cj__inference *r)
{
    CJ_TRY(cj__need_axis(r, &r->inputs[0], axis_of(r->attrs), true));
    if (!cj__is_real(r->inputs[0].dtype) && !cj__is_integer(r->inputs[0].dtype))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: input 0 is %s, needs a dtype with an order",
                        r->op->name, cj_dtype_name(r->inputs[0].dtype));
    r->outputs[0] = (cj__type){CJ_I32, r->inputs[0].shape};
    return CJ_OK;
}

// An entry: its number as an integer of the same order, and its index.
typedef struct entry {
    int64_t key;
    int64_t index;
} entry;

// The bits of a real have its order but for the sign; zeros are equal, NaN is the greatest.
static int64_t key_of_real(double x)
{
    int64_t bits;
    if (isnan(x))
        return INT64_MAX;
    x += 0.0; // -0 becomes 0
    memcpy(&bits, &x, sizeof bits);
    return bits < 0 ? INT64_MIN - bits : bits;
}

static int64_t key_of(cj_dtype dtype, const void *data, int64_t index)
{
    switch (dtype) {
    case CJ_I32:
        return ((const int32_t *)data)[index];
    case CJ_I64:
        return ((const int64_t *)data)[index];
    case CJ_U8:
    case CJ_BOOL:
        return ((const uint8_t *)data)[index];
    default:
        return key_of_real(cj__element_get(dtype, data, index));
    }
}

// Merges runs of `width` entries, two at a time, from `a` into `b`; of equal keys the first goes first.
static void merge_runs(const entry *a, entry *b, int64_t n, int64_t width)
{
    for (int64_t begin = 0; begin < n; begin += 2 * width) {
        const int64_t middle = begin + width < n ? begin + width : n,
                      end = begin + 2 * width < n ? begin + 2 * width : n;
        int64_t i = begin, j = middle;
        for (int64_t k = begin; k < end; k++)
            b[k] = i < middle && (j >= end || a[i].key <= a[j].key) ? a[i++] : a[j++];
    }
}

static size_t line_space(const cj__call *call)
{
    const int64_t n = call->inputs[0].type.shape.dims[axis_of(call->attrs)];
    return cj__align_up_64(2 * (size_t)n * sizeof(entry));
}

static size_t workspace_argsort(const cj__call *call)
{
    return line_space(call) * (size_t)cj_pool_threads(call->pool);
}

static void sort_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__along_attrs *attrs = call->attrs;
    const cj_shape *shape = &call->inputs[0].type.shape;
    const int64_t n = shape->dims[attrs->axis],
                  inner = cj__span(shape, attrs->axis + 1, shape->rank);
    entry *a = (void *)((char *)call->workspace + line_space(call) * (size_t)cj__thread_slot());
    for (int64_t line = begin; line < end; line++) {
        const int64_t first = line / inner * n * inner + line % inner;
        entry *from = a, *to = a + n;
        for (int64_t i = 0; i < n; i++) {
            const int64_t key =
                key_of(call->inputs[0].type.dtype, call->inputs[0].data, first + i * inner);
            from[i] = (entry){attrs->descending ? ~key : key, i};
        }
        for (int64_t width = 1; width < n; width *= 2) {
            merge_runs(from, to, n, width);
            entry *sorted = to;
            to = from;
            from = sorted;
        }
        for (int64_t i = 0; i < n; i++)
            ((int32_t *)call->outputs[0].data)[first + i * inner] = (int32_t)from[i].index;
    }
}

static cj_status run_argsort(const cj__call *call)
{
    const int64_t n = call->inputs[0].type.shape.dims[axis_of(call->attrs)];
    if (n > INT32_MAX)
        return cj__fail(CJ_UNSUPPORTED, "argsort: %lld entries are more than int32 counts",
                        (long long)n);
    if (n > 0)
        cj__each_item(call, cj__count(&call->inputs[0]) / n, 16 * n, sort_task, (void *)call);
    return CJ_OK;
}

#define ALONG(op_name, how, op_flags, inputs, ...)                                  \
    const cj__op cj__op_##op_name = {.name = #op_name,                              \
                                     .flags = op_flags,                             \
                                     .min_inputs = inputs,                          \
                                     .max_inputs = inputs,                          \
                                     .samples = CJ__WHOLE_BATCH,                    \
                                     .on_blocks = CJ__ON_BLOCKS_NO,                 \
                                     .identity = CJ__IDENTITY_NEVER,                \
                                     .bf16 = CJ__BF16_NEVER,                        \
                                     .attrs_size = CJ__ATTRS_SIZE(cj__along_attrs), \
                                     .infer = infer_##how,                          \
                                     .run = run_##how,                              \
                                     __VA_ARGS__};
ALONG(take_along, take, 0, 2, .gradient = gradient_take)
ALONG(add_along, add, 0, 3, .gradient = gradient_add, .shape_only = 1 << 0)
ALONG(argsort, argsort, CJ__OP_NO_GRADIENT, 1, .workspace = workspace_argsort)

cj_symbol *cj__take_along(cj__build *g, cj_symbol *x, cj_symbol *indices, int axis)
{
    return cj__append(g, &cj__op_take_along, &(cj__along_attrs){axis, 0},
                      (cj_symbol *[]){x, indices}, 2);
}

cj_symbol *cj__add_along(cj__build *g, cj_symbol *like, cj_symbol *indices, cj_symbol *dy, int axis)
{
    return cj__append(g, &cj__op_add_along, &(cj__along_attrs){axis, 0},
                      (cj_symbol *[]){like, indices, dy}, 3);
}

cj_symbol *cj__argsort(cj__build *g, cj_symbol *x, int axis, bool descending)
{
    return cj__append(g, &cj__op_argsort, &(cj__along_attrs){axis, descending}, &x, 1);
}
