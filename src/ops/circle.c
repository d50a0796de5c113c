// The circle loss (Sun et al., CVPR 2020) of a batch of embeddings, as Keras computes it
// (keras/src/losses/losses.py): each sample is compared with all others of the batch.
//
//   circle       x (b, d), int32 labels (b) -> loss (b)
//   circle_grad  x, labels, dloss (b)       -> dx (b, d)
//
// With distances e[i][j] = max(1 - x[i] . x[j], 0), the positives of i those j with its label (without
// i itself, if attrs say so) and the negatives all others, m the margin and g gamma:
//
//   a[i][j] = g max(m + e, 0) (e - m)           of positives
//   a[i][j] = g max(1 + m - e, 0) (1 - m - e)   of negatives
//   loss[i] = softplus(ln sum of exp a over positives + ln sum of exp a over negatives)
//
// which is 0 without positives or without negatives. Computed in double.
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include <math.h>
#include <string.h>

// A call's workspace: embeddings, and for each sample the logarithms of its two sums.
typedef struct pairs {
    const cj__call *call;
    const cj__circle_attrs *attrs;
    int64_t samples, length;
    const int32_t *labels;
    double *x;    // (b, d)
    double *sums; // (b, 2): of positives and of negatives
} pairs;

static pairs pairs_of(const cj__call *call)
{
    const int64_t *x = call->inputs[0].type.shape.dims;
    double *block = call->workspace;
    return (pairs){.call = call,
                   .attrs = call->attrs,
                   .samples = x[0],
                   .length = x[1],
                   .labels = call->inputs[1].data,
                   .x = block,
                   .sums = block + x[0] * x[1]};
}

// In four sums, which the processor can add at once.
static double dot(const double *a, const double *b, int64_t n)
{
    double sums[4] = {0};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int j = 0; j < 4; j++)
            sums[j] += a[i + j] * b[i + j];
    for (; i < n; i++)
        sums[0] += a[i] * b[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

static bool is_positive(const pairs *p, int64_t i, int64_t j)
{
    return p->labels[i] == p->labels[j];
}

static bool is_left_out(const pairs *p, int64_t i, int64_t j)
{
    return i == j && p->attrs->remove_diagonal;
}

// a[i][j], and its derivative by x[i] . x[j] if `slope` is not NULL.
static double pair_value(const pairs *p, int64_t i, int64_t j, double *slope)
{
    const double m = p->attrs->margin, g = p->attrs->gamma;
    const double gap = 1 - dot(p->x + i * p->length, p->x + j * p->length, p->length);
    const double e = gap > 0 ? gap : 0;
    const bool positive = is_positive(p, i, j);
    const double weight = positive ? m + e : 1 + m - e, rest = positive ? e - m : 1 - m - e;
    if (slope) // by e it is 2 e g of positives and (2 e - 2) g of negatives
        *slope = gap > 0 && weight > 0 ? -g * (positive ? 2 * e : 2 * e - 2) : 0;
    return weight > 0 ? g * weight * rest : 0;
}

// ln(e^a + e^b), of which a may be -INFINITY.
static double log_add(double a, double b)
{
    return a > b ? a + log1p(exp(b - a)) : isinf(a) ? b : b + log1p(exp(a - b));
}

static void copy_task(void *context, int64_t begin, int64_t end)
{
    const pairs *p = context;
    for (int64_t k = begin * p->length; k < end * p->length; k++)
        p->x[k] = cj__real_get(p->call, cj__at(p->call, p->call->inputs[0].data, k));
}

static void put(const cj__call *call, int64_t index, double value)
{
    const cj__real real = cj__real_of(call, value);
    memcpy(cj__at(call, call->outputs[0].data, index), &real, call->kernels->real_size);
}

static void sums_task(void *context, int64_t begin, int64_t end)
{
    const pairs *p = context;
    for (int64_t i = begin; i < end; i++) {
        double sums[2] = {-INFINITY, -INFINITY};
        for (int64_t j = 0; j < p->samples; j++) {
            double *sum = &sums[is_positive(p, i, j) ? 0 : 1];
            if (!is_left_out(p, i, j))
                *sum = log_add(*sum, pair_value(p, i, j, NULL));
        }
        memcpy(p->sums + 2 * i, sums, sizeof sums);
        const double z = sums[0] + sums[1];
        if (p->call->op == &cj__op_circle)
            put(p->call, i, z > 0 ? z + log1p(exp(-z)) : log1p(exp(z)));
    }
}

// dloss[i] by x[i] . x[j]
static double by_product(const pairs *p, int64_t i, int64_t j)
{
    const double *sums = p->sums + 2 * i;
    const double z = sums[0] + sums[1];
    double slope;
    if (is_left_out(p, i, j) || !(z > -INFINITY))
        return isnan(z) ? z : 0;
    const double share = exp(pair_value(p, i, j, &slope) - sums[is_positive(p, i, j) ? 0 : 1]);
    return cj__real_get(p->call, cj__at(p->call, p->call->inputs[2].data, i)) / (1 + exp(-z)) *
           share * slope;
}

static void grad_task(void *context, int64_t begin, int64_t end)
{
    const pairs *p = context;
    double *row = p->sums + 2 * p->samples;
    for (int64_t i = begin; i < end; i++) {
        double *dx = row + i * p->length;
        memset(dx, 0, (size_t)p->length * sizeof *dx);
        for (int64_t j = 0; j < p->samples; j++) {
            const double weight = by_product(p, i, j) + by_product(p, j, i);
            for (int64_t k = 0; k < p->length; k++)
                dx[k] += weight * p->x[j * p->length + k];
        }
        for (int64_t k = 0; k < p->length; k++)
            put(p->call, i * p->length + k, dx[k]);
    }
}

static size_t workspace_circle(const cj__call *call)
{
    const int64_t *x = call->inputs[0].type.shape.dims;
    return (size_t)(x[0] * (2 * x[1] + 2)) * sizeof(double);
}

static cj_status run_circle(const cj__call *call)
{
    pairs p = pairs_of(call);
    cj__each_item(call, p.samples, p.length, copy_task, &p);
    cj__each_item(call, p.samples, p.samples * (p.length + 16), sums_task, &p);
    if (call->op == &cj__op_circle_grad)
        cj__each_item(call, p.samples, p.samples * (3 * p.length + 64), grad_task, &p);
    return CJ_OK;
}

static cj_status infer_circle(cj__inference *r)
{
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 2, 2));
    const cj__type rows = {CJ_I32, {1, {r->inputs[0].shape.dims[0]}}};
    CJ_TRY(cj__need_dtype(r, 1, CJ_I32));
    CJ_TRY(cj__need_same_shape(r, &r->inputs[1], &rows));
    CJ_TRY(cj__need_axis(r, &r->inputs[0], 1, false));
    r->outputs[0] = (cj__type){r->inputs[0].dtype, rows.shape};
    return CJ_OK;
}

static cj_status infer_circle_grad(cj__inference *r)
{
    CJ_TRY(infer_circle(r));
    CJ_TRY(cj__need_real(r, 2, &r->inputs[0]));
    CJ_TRY(cj__need_same_shape(r, &r->inputs[1], &r->inputs[2]));
    r->outputs[0] = r->inputs[0];
    return CJ_OK;
}

static void gradient_circle(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                            cj_symbol **dx)
{
    dx[0] = cj__append(g, &cj__op_circle_grad, node->attrs,
                       (cj_symbol *[]){node->inputs[0], node->inputs[1], dy[0]}, 3);
    dx[1] = NULL;
}

static void gradient_circle_grad(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                                 cj_symbol **dx)
{
    (void)node, (void)dy;
    cj__build_refuse(g, cj__fail(CJ_UNSUPPORTED, "circle: its second derivative is not there"));
    dx[0] = dx[1] = dx[2] = NULL;
}

#define CIRCLE(plain, inputs)                           \
    const cj__op cj__op_##plain = {                     \
        .name = #plain,                                 \
        .min_inputs = inputs,                           \
        .max_inputs = inputs,                           \
        .attrs_size = CJ__ATTRS_SIZE(cj__circle_attrs), \
        .samples = CJ__WHOLE_BATCH,                     \
        .on_blocks = CJ__ON_BLOCKS_NO,                  \
        .identity = CJ__IDENTITY_NEVER,                 \
        .bf16 = CJ__BF16_NEVER,                         \
        .infer = infer_##plain,                         \
        .gradient = gradient_##plain,                   \
        .workspace = workspace_circle,                  \
        .run = run_circle,                              \
    }
CIRCLE(circle, 2);
CIRCLE(circle_grad, 3);
