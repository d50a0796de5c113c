// Functions for building expressions, one for each op, over a cj__build (symbol.h). All return
// symbols held by the builder, NULL after a failure. Attributes structs of the ops are here too.
#ifndef CJ_OPS_BUILD_H
#define CJ_OPS_BUILD_H

#include "ops/symbol.h"

typedef struct cj__unary_attrs {
    double a, b; // parameters of leaky_relu, elu, clip
} cj__unary_attrs;
typedef struct cj__cast_attrs {
    cj_dtype dtype;
} cj__cast_attrs;
typedef struct cj__rescale_attrs {
    double scale, offset;
    cj_dtype dtype; // of the result: f32 or f64
} cj__rescale_attrs;
typedef struct cj__reduce_attrs {
    uint32_t axes;     // bit i: axis i
    uint32_t keepdims; // not 0: yes. Attributes are compared by bytes: a bool would leave padding
} cj__reduce_attrs;
typedef struct cj__axis_attrs {
    int axis;
} cj__axis_attrs; // argmax, concat, unstack, stack, reverse
typedef struct cj__reshape_attrs {
    // CJ_BATCH in axis 0 where the input's free axis is; one -1 elsewhere is worked out
    cj_shape shape;
} cj__reshape_attrs;
typedef struct cj__transpose_attrs {
    int order[CJ_MAX_RANK];
} cj__transpose_attrs;
typedef struct cj__slice_attrs {
    int axis;
    int64_t begin, length; // for pad: zeros before and after
} cj__slice_attrs;
typedef struct cj__matmul_attrs {
    bool trans_a, trans_b; // see matmul.c: trans_a folds leading axes into the summed one
    // Chosen by passes; zero in a graph.
    bool bf16;             // operands are rounded to bfloat16 and multiplied in pairs
    cj__epilogue epilogue; // of matmul_bias_act
} cj__matmul_attrs;

// The letter of each axis of both operands and of the result: see einsum.c.
typedef struct cj__einsum_attrs {
    char a[CJ_MAX_RANK + 1], b[CJ_MAX_RANK + 1], y[CJ_MAX_RANK + 1];
} cj__einsum_attrs;

typedef struct cj__attention_attrs {
    double scale;   // of scores
    int64_t causal; // not 0: query i sees keys 0 .. i
} cj__attention_attrs;

// What the passes of a plan choose for a convolution; zero in a graph.
typedef struct cj__conv2d_choice {
    cj__epilogue epilogue; // of conv2d_bias_act and conv2d_pool
    int32_t winograd;      // side of the tiles of Winograd's form; 0 for the direct form
    int32_t pool[2];       // window of the max pool in it; 0 for none
    int32_t out[2];        // rows and columns of y, after the pool, that are computed; 0 for all
    // not 0: x, y, dx, dy hold so many images in blocks of `lanes` images, (blocks, h, w, c lanes):
    // see ops/blocks.h
    int32_t images, lanes;
    bool sums_dbias; // of filters' gradients: a second output, the bias's gradient
} cj__conv2d_choice;
// What a convolution means, and what was chosen for it.
typedef struct cj__conv2d_attrs {
    int64_t kernel[2], strides[2], dilation[2];
    int32_t groups;
    bool same; // padding "same"; otherwise zeros as given, "valid" without any
    // Zeros before and after x, fewer than the kernel reaches over. Less than 0 after x: so many
    // elements at its end are not read, fewer than a stride.
    int32_t before[2], after[2];
    cj__conv2d_choice chosen;
} cj__conv2d_attrs;
// The same for three axes, depth first.
typedef struct cj__conv3d_attrs {
    int64_t kernel[3], strides[3], dilation[3];
    int32_t groups;
    bool same;
    int32_t before[3], after[3];
} cj__conv3d_attrs;
typedef struct cj__pool2d_attrs {
    int64_t size[2], strides[2];
    bool same;
    int64_t input[2]; // height and width of x: for the gradients
} cj__pool2d_attrs;
typedef struct cj__blocks_attrs {
    int64_t images, lanes; // in all, and in a block
    double scale, offset;  // of bytes
    cj_dtype dtype;        // of the blocks
} cj__blocks_attrs;
typedef struct cj__index_attrs {
    int64_t size;   // rows of a table, classes, or k
    cj_dtype dtype; // of one_hot's result: f32 or f64
} cj__index_attrs;
typedef struct cj__dropout_attrs {
    uint64_t key;
    double rate;
} cj__dropout_attrs;
typedef struct cj__stretch_attrs {
    bool mean;       // divide by the number of elements that one is stretched to
} cj__stretch_attrs; // sum_like, broadcast_like
typedef struct cj__update_attrs {
    double momentum, rho, beta_1, beta_2, epsilon, weight_decay;
    bool nesterov, centered;
} cj__update_attrs;

// The step by the op `step` of weights whose gradient is a product.
typedef struct cj__matmul_step_attrs {
    const cj__op *step;
    cj__update_attrs update;
} cj__matmul_step_attrs;

// The steps of `members` tensors by the op `step`, each with `inputs` and `outputs` operands.
typedef struct cj__sweep_attrs {
    const cj__op *step;
    int members, inputs, outputs;
    cj__update_attrs update;
} cj__sweep_attrs;

// y = f(x) for any function of CJ__UNARIES; a and b are its parameters.
cj_symbol *cj__apply_unary(cj__build *g, cj__unary function, cj_symbol *x, double a, double b);
cj_symbol *cj__apply_binary(cj__build *g, cj__binary function, cj_symbol *a, cj_symbol *b);
cj_symbol *cj__compare(cj__build *g, cj__comparison function, cj_symbol *a, cj_symbol *b);
cj_symbol *cj__select(cj__build *g, cj_symbol *condition, cj_symbol *a, cj_symbol *b);
// Short forms of the most used.
cj_symbol *cj__add(cj__build *g, cj_symbol *a, cj_symbol *b);
cj_symbol *cj__sub(cj__build *g, cj_symbol *a, cj_symbol *b);
cj_symbol *cj__mul(cj__build *g, cj_symbol *a, cj_symbol *b);
cj_symbol *cj__div(cj__build *g, cj_symbol *a, cj_symbol *b);
cj_symbol *cj__scalar(cj__build *g, cj_dtype dtype, double value);
cj_symbol *cj__scalar_like(cj__build *g, const cj_symbol *x, double value); // of x's dtype
cj_symbol *cj__scale(cj__build *g, cj_symbol *x, double factor);            // x * factor
cj_symbol *cj__shift(cj__build *g, cj_symbol *x, double term);              // x + term

// x itself if it is that op's result
cj_symbol *cj__round_bf16(cj__build *g, cj_symbol *x);
cj_symbol *cj__cast(cj__build *g, cj_symbol *x, cj_dtype dtype); // x itself if it has that dtype
cj_symbol *cj__stop_gradient(cj__build *g, cj_symbol *x);
cj_symbol *cj__rescale(cj__build *g, cj_symbol *x, double scale, double offset, cj_dtype dtype);

// Reductions over a bit mask of axes.
cj_symbol *cj__sum(cj__build *g, cj_symbol *x, uint32_t axes, bool keepdims);
cj_symbol *cj__mean(cj__build *g, cj_symbol *x, uint32_t axes, bool keepdims);
cj_symbol *cj__max(cj__build *g, cj_symbol *x, uint32_t axes, bool keepdims);
// Mean and (biased) variance in one sweep. NULL in both after a failure.
void cj__moments(cj__build *g, cj_symbol *x, uint32_t axes, bool keepdims, cj_symbol **mean,
                 cj_symbol **variance);
// x / N, where `like`, to which x broadcasts, has N elements for each of x's.
cj_symbol *cj__divide_by_count(cj__build *g, cj_symbol *x, cj_symbol *like);
cj_symbol *cj__min(cj__build *g, cj_symbol *x, uint32_t axes, bool keepdims);
cj_symbol *cj__argmax(cj__build *g, cj_symbol *x, int axis);
cj_symbol *cj__sum_like(cj__build *g, cj_symbol *x, cj_symbol *like);
cj_symbol *cj__broadcast_like(cj__build *g, cj_symbol *x, cj_symbol *like);
uint32_t cj__all_axes(const cj_symbol *x);

cj_symbol *cj__reshape(cj__build *g, cj_symbol *x, const cj_shape *shape);
cj_symbol *cj__transpose(cj__build *g, cj_symbol *x, const int *order);
cj_symbol *cj__concat(cj__build *g, cj_symbol *const *inputs, int count, int axis);
cj_symbol *cj__slice(cj__build *g, cj_symbol *x, int axis, int64_t begin, int64_t length);
cj_symbol *cj__pad(cj__build *g, cj_symbol *x, int axis, int64_t before, int64_t after);
// One output for each entry along `axis`, which must not be free; `outputs` has room for them.
cj_status cj__unstack(cj__build *g, cj_symbol *x, int axis, cj_symbol **outputs);
cj_symbol *cj__stack(cj__build *g, cj_symbol *const *inputs, int count, int axis);
cj_symbol *cj__reverse(cj__build *g, cj_symbol *x, int axis);

cj_symbol *cj__matmul(cj__build *g, cj_symbol *a, cj_symbol *b, bool trans_a, bool trans_b);
// Any sum of products of two operands, such as "abc,cd->abd": see cj_op_einsum().
cj_symbol *cj__einsum(cj__build *g, const char *equation, cj_symbol *a, cj_symbol *b);
// q (b, t, h, d), k (b, s, g, d), v (b, s, g, e) and a mask or NULL: see attention.c.
cj_symbol *cj__attention(cj__build *g, cj_symbol *q, cj_symbol *k, cj_symbol *v, cj_symbol *mask,
                         double scale, bool causal);
// attrs: the kernel is filled in from w.
cj_symbol *cj__conv2d_symbol(cj__build *g, cj_symbol *x, cj_symbol *w,
                             const cj__conv2d_attrs *attrs);
// x (n, oh, ow, f) and w (kh, kw, c / groups, f): y (n, h, w, c) of which conv2d makes x's shape, with
// the least h and w for which all of the padding in attrs is read.
cj_symbol *cj__conv2d_transpose(cj__build *g, cj_symbol *x, cj_symbol *w,
                                const cj__conv2d_attrs *attrs);
// Likewise along three axes.
cj_symbol *cj__conv3d(cj__build *g, cj_symbol *x, cj_symbol *w, const cj__conv3d_attrs *attrs);
cj_symbol *cj__conv3d_transpose(cj__build *g, cj_symbol *x, cj_symbol *w,
                                const cj__conv3d_attrs *attrs);
cj_symbol *cj__max_pool2d(cj__build *g, cj_symbol *x, const cj__pool2d_attrs *attrs);
cj_symbol *cj__average_pool2d(cj__build *g, cj_symbol *x, const cj__pool2d_attrs *attrs);
cj_symbol *cj__softmax(cj__build *g, cj_symbol *x);     // over the last axis
cj_symbol *cj__log_softmax(cj__build *g, cj_symbol *x); // over the last axis
cj_symbol *
cj__softmax_cross_entropy(cj__build *g, cj_symbol *logits,
                          cj_symbol *labels); // the loss; labels of any integer dtype or float
cj_symbol *cj__sigmoid_cross_entropy(cj__build *g, cj_symbol *logits, cj_symbol *targets);
// indices of any integer dtype or float
cj_symbol *cj__gather(cj__build *g, cj_symbol *table, cj_symbol *indices);
cj_symbol *cj__one_hot(cj__build *g, cj_symbol *labels, int64_t classes, cj_dtype dtype);
cj_symbol *cj__in_top_k(cj__build *g, cj_symbol *scores, cj_symbol *labels, int64_t k); // bool
cj_symbol *cj__dropout(cj__build *g, cj_symbol *x, cj_symbol *step, uint64_t key, double rate);

#endif
