// Cross-entropies fused with what makes probabilities of logits, without overflow or loss of
// digits.
//
//   softmax_cross_entropy       z (..., c), int32 labels (...) -> loss (...) = log sum exp z - z[label], p
//                      (..., c) = softmax z
//   softmax_cross_entropy_grad  p, labels, dloss               -> dz = (p - onehot(label)) dloss
//   softmax_cross_entropy_both  z, labels, dloss -> loss, p, dz: the two above in one pass over the rows
//   sigmoid_cross_entropy       z, t                           -> max(z, 0) - z t + log(1 + exp(-|z|))
//   sigmoid_cross_entropy_grad  z, t, dloss                    -> dz = (sigmoid(z) - t) dloss
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"

// Labels (...) for classes (..., c).
static cj_status check_labels(const cj__inference *r)
{
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 1, CJ_MAX_RANK));
    const int last = r->inputs[0].shape.rank - 1;
    const cj__type rows = {CJ_I32, cj__reduced_shape(&r->inputs[0].shape, 1u << last, false)};
    CJ_TRY(cj__need_axis(r, &r->inputs[0], last, false));
    CJ_TRY(cj__need_dtype(r, 1, CJ_I32));
    return cj__need_same_shape(r, &r->inputs[1], &rows);
}

static cj_status infer_softmax_cross_entropy(cj__inference *r)
{
    r->output_count = 2;
    CJ_TRY(check_labels(r));
    r->outputs[0] = (cj__type){r->inputs[0].dtype, r->inputs[1].shape};
    r->outputs[1] = r->inputs[0];
    return CJ_OK;
}

static int64_t classes_of(const cj__call *call)
{
    const cj_shape *shape = &call->inputs[0].type.shape;
    return shape->dims[shape->rank - 1];
}

static void cross_entropy_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const int64_t cols = classes_of(call);
    void *p = call->outputs[1].data ? cj__at(call, call->outputs[1].data, begin * cols) : NULL;
    call->kernels->softmax_cross_entropy(end - begin, cols,
                                         cj__at(call, call->inputs[0].data, begin * cols),
                                         (const int32_t *)call->inputs[1].data + begin, p,
                                         cj__at(call, call->outputs[0].data, begin));
}

static cj_status check_range(const cj__call *call)
{
    const int32_t *label = call->inputs[1].data;
    const int64_t rows = cj__count(&call->inputs[1]), classes = classes_of(call);
    for (int64_t r = 0; r < rows; r++)
        if (label[r] < 0 || label[r] >= classes)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "softmax_cross_entropy: label %d of sample %lld is outside 0..%lld",
                            (int)label[r], (long long)r, (long long)classes - 1);
    return CJ_OK;
}

static cj_status run_softmax_cross_entropy(const cj__call *call)
{
    CJ_TRY(check_range(call));
    cj__each_item(call, cj__count(&call->inputs[1]), classes_of(call), cross_entropy_task,
                  (void *)call);
    return CJ_OK;
}

static void gradient_softmax_cross_entropy(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                                           cj_symbol **dx)
{
    cj_symbol *p = cj__node_output(g, node, 1), *by_loss = NULL, *by_p = NULL;
    if (dy[0])
        by_loss = cj__append(g, &cj__op_softmax_cross_entropy_grad, NULL,
                             (cj_symbol *[]){p, node->inputs[1], dy[0]}, 3);
    if (dy[1])
        by_p = cj__append(g, &cj__op_softmax_grad, NULL, (cj_symbol *[]){p, dy[1]}, 2);
    dx[0] = dy[0] && dy[1] ? cj__add(g, by_loss, by_p) : dy[0] ? by_loss : by_p;
    dx[1] = NULL;
}

static cj_status infer_softmax_cross_entropy_grad(cj__inference *r)
{
    CJ_TRY(check_labels(r));
    CJ_TRY(cj__need_real(r, 2, &r->inputs[0]));
    CJ_TRY(cj__need_same_shape(r, &r->inputs[1], &r->inputs[2]));
    r->outputs[0] = r->inputs[0];
    return CJ_OK;
}

static void cross_entropy_grad_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const int64_t cols = classes_of(call);
    call->kernels->softmax_cross_entropy_grad(
        end - begin, cols, cj__at(call, call->inputs[0].data, begin * cols),
        (const int32_t *)call->inputs[1].data + begin, cj__at(call, call->inputs[2].data, begin),
        cj__at(call, call->outputs[0].data, begin * cols));
}

static cj_status run_softmax_cross_entropy_grad(const cj__call *call)
{
    cj__each_item(call, cj__count(&call->inputs[1]), classes_of(call), cross_entropy_grad_task,
                  (void *)call);
    return CJ_OK;
}

// The loss, the probabilities and the gradient by the logits; the probabilities lie in dz where
// nobody else wants them.
static cj_status infer_softmax_cross_entropy_both(cj__inference *r)
{
    CJ_TRY(infer_softmax_cross_entropy(r));
    CJ_TRY(cj__need_real(r, 2, &r->inputs[0]));
    CJ_TRY(cj__need_same_shape(r, &r->inputs[1], &r->inputs[2]));
    r->output_count = 3;
    r->outputs[2] = r->inputs[0];
    return CJ_OK;
}

static void cross_entropy_both_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__kernels *k = call->kernels;
    const int64_t cols = classes_of(call), count = end - begin;
    const int32_t *label = (const int32_t *)call->inputs[1].data + begin;
    void *dz = call->outputs[2].data ? cj__at(call, call->outputs[2].data, begin * cols) : NULL;
    void *p = call->outputs[1].data ? cj__at(call, call->outputs[1].data, begin * cols) : dz;
    k->softmax_cross_entropy(count, cols, cj__at(call, call->inputs[0].data, begin * cols), label,
                             p, cj__at(call, call->outputs[0].data, begin));
    if (dz)
        k->softmax_cross_entropy_grad(count, cols, p, label,
                                      cj__at(call, call->inputs[2].data, begin), dz);
}

static cj_status run_softmax_cross_entropy_both(const cj__call *call)
{
    CJ_TRY(check_range(call));
    cj__each_item(call, cj__count(&call->inputs[1]), 2 * classes_of(call), cross_entropy_both_task,
                  (void *)call);
    return CJ_OK;
}

// With e arriving: by p it is e dloss; by dloss it is the row sum of e (p - onehot).
static void gradient_softmax_cross_entropy_grad(cj__build *g, const cj__node *node,
                                                cj_symbol *const *e, cj_symbol **dx)
{
    const cj__type *p = cj__operand_type(node, 0);
    const int last = p->shape.rank - 1;
    const cj__type column = {p->dtype, cj__reduced_shape(&p->shape, 1u << last, true)};
    cj_symbol *onehot = cj__one_hot(g, node->inputs[1], p->shape.dims[last], p->dtype);
    dx[0] = cj__mul(g, e[0], cj__reshape_to(g, node->inputs[2], &column));
    dx[1] = NULL;
    dx[2] = cj__sum(g, cj__mul(g, e[0], cj__sub(g, node->inputs[0], onehot)), 1u << last, false);
}

static cj_status infer_sigmoid(cj__inference *r)
{
    r->outputs[0] = r->inputs[0];
    for (int i = 0; i < r->input_count; i++) {
        CJ_TRY(cj__need_real(r, i, &r->inputs[0]));
        CJ_TRY(cj__need_same_shape(r, &r->inputs[0], &r->inputs[i]));
    }
    return CJ_OK;
}

static void sigmoid_work(const cj__call *call, int64_t begin, int64_t end)
{
    const void *z = cj__at(call, call->inputs[0].data, begin),
               *t = cj__at(call, call->inputs[1].data, begin);
    void *y = cj__at(call, call->outputs[0].data, begin);
    if (call->input_count == 2)
        call->kernels->sigmoid_cross_entropy(end - begin, z, t, y);
    else
        call->kernels->sigmoid_cross_entropy_grad(end - begin, z, t,
                                                  cj__at(call, call->inputs[2].data, begin), y);
}

static cj_status run_sigmoid(const cj__call *call)
{
    cj__each_element(call, cj__count(&call->outputs[0]), sigmoid_work);
    return CJ_OK;
}

static void gradient_sigmoid_cross_entropy(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                                           cj_symbol **dx)
{
    cj_symbol *z = node->inputs[0];
    dx[0] = cj__append(g, &cj__op_sigmoid_cross_entropy_grad, NULL,
                       (cj_symbol *[]){z, node->inputs[1], dy[0]}, 3);
    dx[1] = cj__apply_unary(g, CJ__UNARY_negative, cj__mul(g, z, dy[0]), 0, 0);
}

static void gradient_sigmoid_cross_entropy_grad(cj__build *g, const cj__node *node,
                                                cj_symbol *const *e, cj_symbol **dx)
{
    cj_symbol *s = cj__apply_unary(g, CJ__UNARY_sigmoid, node->inputs[0], 0, 0);
    cj_symbol *scaled = cj__mul(g, e[0], node->inputs[2]);
    dx[0] = cj__apply_unary_grad(g, CJ__UNARY_sigmoid, s, scaled, 0, 0);
    dx[1] = cj__apply_unary(g, CJ__UNARY_negative, scaled, 0, 0);
    dx[2] = cj__mul(g, e[0], cj__sub(g, s, node->inputs[1]));
}

#define XENT(op_name, op_flags, inputs, infer_function, run_function, ...) \
    const cj__op cj__op_##op_name = {.name = #op_name,                     \
                                     .flags = op_flags,                    \
                                     .min_inputs = inputs,                 \
                                     .max_inputs = inputs,                 \
                                     .samples = CJ__WHOLE_BATCH,           \
                                     .on_blocks = CJ__ON_BLOCKS_NO,        \
                                     .identity = CJ__IDENTITY_NEVER,       \
                                     .bf16 = CJ__BF16_NEVER,               \
                                     .infer = infer_function,              \
                                     .gradient = gradient_##op_name,       \
                                     .run = run_function,                  \
                                     __VA_ARGS__}
XENT(softmax_cross_entropy, 0, 2, infer_softmax_cross_entropy, run_softmax_cross_entropy, );
XENT(softmax_cross_entropy_grad, 0, 3, infer_softmax_cross_entropy_grad,
     run_softmax_cross_entropy_grad, );
XENT(sigmoid_cross_entropy, CJ__OP_ELEMENTWISE, 2, infer_sigmoid, run_sigmoid,
     .work_elements = sigmoid_work);
XENT(sigmoid_cross_entropy_grad, CJ__OP_ELEMENTWISE, 3, infer_sigmoid, run_sigmoid,
     .work_elements = sigmoid_work);

const cj__op cj__op_softmax_cross_entropy_both = {
    .name = "softmax_cross_entropy_both",
    .flags = CJ__OP_FUSED,
    .min_inputs = 3,
    .max_inputs = 3,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .infer = infer_softmax_cross_entropy_both,
    .run = run_softmax_cross_entropy_both,
};
