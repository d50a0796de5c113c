// Mean and variance over any axes, in one sweep over memory.
//
// Groups of axes as in reduce.c: the first pass gives the mean and m2, the sum of the squared
// distances from it, of each piece of x; further passes merge what is there. Pieces are cut by the
// shape alone. Workspace: three areas of each of the two, the pieces' results and two that hold
// what lies between passes.
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/reduction.h"
#include "ops/run.h"
#include <string.h>

// moments: x, attrs cj__reduce_attrs -> mean = sum(x) / N, variance = sum((x - mean)^2) / N, over
// the N elements that each stands for.
static cj_status infer_moments(cj__inference *r)
{
    CJ_TRY(cj__infer_reduction(r));
    r->output_count = 2;
    r->outputs[1] = r->outputs[0];
    return CJ_OK;
}

// Elements of each workspace area.
static int64_t area_of(const cj__reduction_pass *passes, int count, int64_t results)
{
    int64_t most = results;
    for (int i = 0; i < count; i++) {
        const int64_t pieces = i == 0 ? passes[i].pieces : 1,
                      made = passes[i].outer * pieces * passes[i].inner;
        most = made > most ? made : most;
    }
    return most;
}

// Means and sums of squared distances, side by side.
typedef struct pair {
    char *mean, *m2;
} pair;

typedef struct pass_context {
    const cj__call *call;
    const cj__reduction_pass *pass;
    int64_t count; // of the elements of x that each element of `from` stands for
    pair from, to;
} pass_context;

static pair area(const cj__call *call, int64_t elements, int index)
{
    return (pair){cj__at(call, call->workspace, elements * (2 * index)),
                  cj__at(call, call->workspace, elements * (2 * index + 1))};
}

static pair at(const cj__call *call, pair p, int64_t index)
{
    return (pair){cj__at(call, p.mean, index), cj__at(call, p.m2, index)};
}

// The first pass: tasks are pieces.
static void piece_task(void *context, int64_t begin, int64_t end)
{
    const pass_context *c = context;
    const cj__reduction_pass *p = c->pass;
    for (int64_t task = begin; task < end; task++) {
        const int64_t first = task % p->pieces * p->length, left = p->n - first;
        const pair to = at(c->call, c->to, task * p->inner);
        c->call->kernels->moments(
            1, left < p->length ? left : p->length, p->inner,
            cj__at(c->call, c->from.mean, (task / p->pieces * p->n + first) * p->inner), to.mean,
            to.m2);
    }
}

static void merge_task(void *context, int64_t begin, int64_t end)
{
    const pass_context *c = context;
    const cj__reduction_pass *p = c->pass;
    const pair from = at(c->call, c->from, begin * p->n * p->inner),
               to = at(c->call, c->to, begin * p->inner);
    c->call->kernels->merge_moments(end - begin, p->n, p->inner, c->count, c->count, from.mean,
                                    from.m2, to.mean, to.m2);
}

static void first_pass(const cj__call *call, const cj__reduction_pass *p, pair to, pair partial)
{
    const pair x = {call->inputs[0].data, NULL};
    pass_context context = {call, p, 1, x, p->pieces > 1 ? partial : to};
    const int64_t last = p->n - (p->pieces - 1) * p->length;
    cj__each_item(call, p->outer * p->pieces, p->length * p->inner, piece_task, &context);
    if (p->pieces > 1)
        call->kernels->merge_moments(p->outer, p->pieces, p->inner, p->length, last, partial.mean,
                                     partial.m2, to.mean, to.m2);
}

// The variance, from the sums that lie in area 0.
static void variance_work(const cj__call *call, int64_t begin, int64_t end)
{
    const double ratio = (double)cj__count(&call->inputs[0]) / (double)cj__count(&call->outputs[0]);
    const cj__real divisor = cj__real_of(call, ratio);
    const pair sums = at(call, area(call, cj__count(&call->outputs[0]), 0), begin);
    call->kernels->binary[CJ__BINARY_divide](1, end - begin, sums.m2, 0, 1, &divisor, 0, 0,
                                             cj__at(call, call->outputs[1].data, begin));
}

static size_t workspace_moments(const cj__call *call)
{
    cj__reduction_pass passes[CJ_MAX_RANK];
    const int count = cj__reduction_passes(&call->inputs[0].type.shape,
                                           ((const cj__reduce_attrs *)call->attrs)->axes, passes);
    return 6 * (size_t)area_of(passes, count, cj__count(&call->outputs[0])) *
           call->kernels->real_size;
}

static cj_status run_moments(const cj__call *call)
{
    cj__reduction_pass passes[CJ_MAX_RANK];
    const int count = cj__reduction_passes(&call->inputs[0].type.shape,
                                           ((const cj__reduce_attrs *)call->attrs)->axes, passes);
    const int64_t results = cj__count(&call->outputs[0]);
    const int64_t elements = area_of(passes, count, results);
    pass_context c = {.call = call, .count = 1, .from = {call->inputs[0].data, NULL}};
    for (int i = 0; i < count; i++) {
        c.pass = &passes[i];
        c.to = i + 1 < count ? area(call, elements, 1 + i % 2) : area(call, results, 0);
        if (i == 0)
            first_pass(call, &passes[0], c.to, area(call, elements, 2));
        else
            cj__each_item(call, passes[i].outer, passes[i].n * passes[i].inner, merge_task, &c);
        c.count *= passes[i].n;
        c.from = c.to;
    }
    if (count == 0) // each element by itself
        memset(area(call, results, 0).m2, 0, (size_t)results * call->kernels->real_size);
    memcpy(call->outputs[0].data, c.from.mean, cj__bytes(&call->outputs[0]));
    if (call->outputs[1].data)
        cj__each_element(call, results, variance_work);
    return CJ_OK;
}

// A result of the node so that it broadcasts to x: axes that are first need not be put back.
static cj_symbol *against_x(cj__build *g, const cj__node *node, cj_symbol *y)
{
    const uint32_t axes = ((const cj__reduce_attrs *)(const void *)node->attrs)->axes;
    return (axes & (axes + 1)) == 0 ? y : cj__reduced_axes(g, node, y);
}

// dx = dmean / N + dvariance 2 (x - mean) / N, all but the last product and sum over few elements.
static void gradient_moments(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                             cj_symbol **dx)
{
    cj_symbol *x = node->inputs[0], *mean = against_x(g, node, cj__node_output(g, node, 0));
    cj_symbol *by_mean = dy[0] ? against_x(g, node, dy[0]) : NULL;
    if (!dy[1]) {
        dx[0] = cj__share_like(g, by_mean, x);
        return;
    }
    cj_symbol *by_variance = cj__divide_by_count(g, cj__scale(g, against_x(g, node, dy[1]), 2), x);
    dx[0] = cj__mul(g, cj__sub(g, x, mean), by_variance);
    if (dy[0])
        dx[0] = cj__add(g, dx[0], cj__divide_by_count(g, by_mean, x));
}

const cj__op cj__op_moments = {
    .name = "moments",
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__reduce_attrs),
    .infer = infer_moments,
    .gradient = gradient_moments,
    .workspace = workspace_moments,
    .run = run_moments,
};

// divide_by_count: x, like -> y = x / N, where like has N elements for each of x's, which
// broadcasts to it. Of like the shape is all that matters.
static cj_status infer_divide(cj__inference *r)
{
    const cj_shape *like = &r->inputs[1].shape;
    char first[CJ__SHAPE_TEXT], second[CJ__SHAPE_TEXT];
    cj_shape both;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__broadcast(r, &r->inputs[0].shape, like, &both));
    if (!cj_shape_equal(&both, like))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: %s does not broadcast to %s", r->op->name,
                        cj__shape_words(&r->inputs[0].shape, first), cj__shape_words(like, second));
    r->outputs[0] = r->inputs[0];
    return CJ_OK;
}

static void divide_work(const cj__call *call, int64_t begin, int64_t end)
{
    const double ratio = (double)cj__count(&call->inputs[1]) / (double)cj__count(&call->inputs[0]);
    const cj__real divisor = cj__real_of(call, ratio);
    call->kernels->binary[CJ__BINARY_divide](
        1, end - begin, cj__at(call, call->inputs[0].data, begin), 0, 1, &divisor, 0, 0,
        cj__at(call, call->outputs[0].data, begin));
}

static cj_status run_divide(const cj__call *call)
{
    cj__each_element(call, cj__count(&call->outputs[0]), divide_work);
    return CJ_OK;
}

static void gradient_divide(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                            cj_symbol **dx)
{
    dx[0] = cj__divide_by_count(g, dy[0], node->inputs[1]);
    dx[1] = NULL;
}

const cj__op cj__op_divide_by_count = {
    .name = "divide_by_count",
    .min_inputs = 2,
    .max_inputs = 2,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .shape_only = 1 << 1,
    .infer = infer_divide,
    .gradient = gradient_divide,
    .run = run_divide,
};
