// Functions for building expressions, one for each op, over a cj__build (symbol.h). All return
// symbols held by the builder, NULL after a failure. Attributes structs of the ops are here too.
#ifndef CJ_OPS_BUILD_H
#define CJ_OPS_BUILD_H

#include "ops/symbol.h"

typedef struct cj__unary_attrs {
    double a, b; // parameters of leaky_relu, elu, clip
} cj__unary_attrs;
CJ__NO_PADDING(cj__unary_attrs, 2 * sizeof(double));

typedef struct cj__cast_attrs {
    cj_dtype dtype;
} cj__cast_attrs;
CJ__NO_PADDING(cj__cast_attrs, sizeof(cj_dtype));

typedef struct cj__rescale_attrs {
    double scale, offset;
    cj_dtype dtype; // of the result: f32 or f64
    uint32_t filler;
} cj__rescale_attrs;
CJ__NO_PADDING(cj__rescale_attrs, 2 * sizeof(double) + sizeof(cj_dtype) + sizeof(uint32_t));

typedef struct cj__reduce_attrs {
    uint32_t axes;     // bit i: axis i
    uint32_t keepdims; // not 0: yes
} cj__reduce_attrs;
CJ__NO_PADDING(cj__reduce_attrs, 2 * sizeof(uint32_t));

typedef struct cj__axis_attrs {
    int axis;
} cj__axis_attrs; // argmax, concat, unstack, stack, reverse
CJ__NO_PADDING(cj__axis_attrs, sizeof(int));

typedef struct cj__reshape_attrs {
    // CJ_BATCH in axis 0 where the input's free axis is; one -1 elsewhere is worked out. A cj_shape
    // has padding, and its lengths beyond the rank may be anything: here they are 0.
    struct {
        int64_t rank, dims[CJ_MAX_RANK];
    } shape;
} cj__reshape_attrs;
CJ__NO_PADDING(cj__reshape_attrs, (1 + CJ_MAX_RANK) * sizeof(int64_t));

static inline cj__reshape_attrs cj__reshape_attrs_of(const cj_shape *shape)
{
    cj__reshape_attrs attrs = {.shape.rank = shape->rank};
    for (int i = 0; i < shape->rank && i < CJ_MAX_RANK; i++)
        attrs.shape.dims[i] = shape->dims[i];
    return attrs;
}

typedef struct cj__transpose_attrs {
    int order[CJ_MAX_RANK];
} cj__transpose_attrs;
CJ__NO_PADDING(cj__transpose_attrs, CJ_MAX_RANK * sizeof(int));

typedef struct cj__slice_attrs {
    int64_t axis;
    int64_t begin, length; // for pad: zeros before and after
} cj__slice_attrs;
CJ__NO_PADDING(cj__slice_attrs, 3 * sizeof(int64_t));

typedef struct cj__matmul_attrs {
    int32_t trans_a, trans_b; // see matmul.c: trans_a folds leading axes into the summed one
    // Chosen by passes; zero in a graph.
    int32_t bf16;          // not 0: operands are rounded to bfloat16 and multiplied in pairs
    int32_t sparse;        // not 0: a is 0 in most places
    cj__epilogue epilogue; // of matmul_bias_act
} cj__matmul_attrs;
CJ__NO_PADDING(cj__matmul_attrs, 4 * sizeof(int32_t) + sizeof(cj__epilogue));

// The letter of each axis of both operands and of the result: see einsum.c.
typedef struct cj__einsum_attrs {
    char a[CJ_MAX_RANK + 1], b[CJ_MAX_RANK + 1], y[CJ_MAX_RANK + 1];
} cj__einsum_attrs;
CJ__NO_PADDING(cj__einsum_attrs, 3 * (CJ_MAX_RANK + 1));

typedef struct cj__attention_attrs {
    double scale;   // of scores
    int64_t causal; // not 0: query i sees keys 0 .. i
} cj__attention_attrs;
CJ__NO_PADDING(cj__attention_attrs, sizeof(double) + sizeof(int64_t));

// What the passes of a plan choose for a convolution; zero in a graph.
typedef struct cj__conv2d_choice {
    cj__epilogue epilogue; // of conv2d_bias_act, conv2d_transpose_bias_act and conv2d_pool
    int16_t winograd;      // side of the tiles of Winograd's form; 0 for the direct form
    int16_t sparse;        // not 0: an operand is 0 in most places: see cj__conv2d_args
    int32_t pool[2];       // window of the max pool in it; 0 for none
    int32_t out[2];        // rows and columns of y, after the pool, that are computed; 0 for all
    // not 0: x, y, dx, dy hold so many images in blocks of `lanes` images, (blocks, h, w, c lanes):
    // see ops/blocks.h
    int32_t images, lanes;
    int32_t sums_dbias; // not 0: of filters' gradients: a second output, the bias's gradient
} cj__conv2d_choice;
CJ__NO_PADDING(cj__conv2d_choice, sizeof(cj__epilogue) + 2 * sizeof(int16_t) + 7 * sizeof(int32_t));

// What a convolution means, and what was chosen for it.
typedef struct cj__conv2d_attrs {
    int64_t kernel[2], strides[2], dilation[2];
    int32_t groups;
    int32_t same; // not 0: padding "same"; otherwise zeros as given, "valid" without any
    // Zeros before and after x, fewer than the kernel reaches over. Less than 0 after x: so many
    // elements at its end are not read, fewer than a stride.
    int32_t before[2], after[2];
    cj__conv2d_choice chosen;
} cj__conv2d_attrs;
CJ__NO_PADDING(cj__conv2d_attrs,
               6 * sizeof(int64_t) + 6 * sizeof(int32_t) + sizeof(cj__conv2d_choice));
// The same for three axes, depth first.
typedef struct cj__conv3d_attrs {
    int64_t kernel[3], strides[3], dilation[3];
    int32_t groups;
    int16_t same;
    int16_t winograd; // chosen by passes, as `epilogue` is: see cj__conv2d_choice
    int32_t before[3], after[3];
    cj__epilogue epilogue; // of conv3d_bias_act and conv3d_transpose_bias_act
} cj__conv3d_attrs;
CJ__NO_PADDING(cj__conv3d_attrs, 9 * sizeof(int64_t) + 7 * sizeof(int32_t) + 2 * sizeof(int16_t) +
                                     sizeof(cj__epilogue));

typedef struct cj__pool2d_attrs {
    int64_t size[2], strides[2];
    int64_t same;     // not 0: padding "same"; otherwise "valid"
    int64_t input[2]; // height and width of x: for the gradients
} cj__pool2d_attrs;
CJ__NO_PADDING(cj__pool2d_attrs, 7 * sizeof(int64_t));

typedef struct cj__blocks_attrs {
    int64_t images, lanes; // in all, and in a block
    double scale, offset;  // of bytes
    cj_dtype dtype;        // of the blocks
    uint32_t filler;
} cj__blocks_attrs;
CJ__NO_PADDING(cj__blocks_attrs,
               2 * (sizeof(int64_t) + sizeof(double)) + sizeof(cj_dtype) + sizeof(uint32_t));

typedef struct cj__index_attrs {
    int64_t size;   // rows of a table, classes, or k
    cj_dtype dtype; // of one_hot's result: f32 or f64
    uint32_t once;  // of index_counts: not how often, but whether
} cj__index_attrs;
CJ__NO_PADDING(cj__index_attrs, sizeof(int64_t) + sizeof(cj_dtype) + sizeof(uint32_t));

typedef struct cj__circle_attrs {
    double gamma, margin;
    int64_t remove_diagonal; // not 0: a sample is no positive of itself
} cj__circle_attrs;
CJ__NO_PADDING(cj__circle_attrs, 2 * sizeof(double) + sizeof(int64_t));

typedef struct cj__dropout_attrs {
    uint64_t key;
    double rate;
} cj__dropout_attrs;
CJ__NO_PADDING(cj__dropout_attrs, sizeof(uint64_t) + sizeof(double));

typedef struct cj__noise_attrs {
    uint64_t key;
    double offset, scale;
} cj__noise_attrs; // random_uniform, random_normal
CJ__NO_PADDING(cj__noise_attrs, sizeof(uint64_t) + 2 * sizeof(double));

typedef struct cj__stretch_attrs {
    bool mean;       // divide by the number of elements that one is stretched to
} cj__stretch_attrs; // sum_like, broadcast_like
CJ__NO_PADDING(cj__stretch_attrs, sizeof(bool));

typedef struct cj__update_attrs {
    double momentum, rho, beta_1, beta_2, epsilon, weight_decay;
    int32_t nesterov, centered; // not 0: yes
} cj__update_attrs;
CJ__NO_PADDING(cj__update_attrs, 6 * sizeof(double) + 2 * sizeof(int32_t));

// A rate: formula(numbers, step).
typedef struct cj__schedule_attrs {
    double (*formula)(const double *numbers, double step);
    uint32_t filler[sizeof(void *) == 8 ? 2 : 1]; // zero: pointers have 4 or 8 bytes
    double numbers[13];
} cj__schedule_attrs;
CJ__NO_PADDING(cj__schedule_attrs,
               sizeof(void *) + 13 * sizeof(double) + CJ__SIZE_OF(cj__schedule_attrs, filler));

// The step by the op `step` of weights whose gradient is a product. The fillers make up for pointers
// of 4 and of 8 bytes.
typedef struct cj__matmul_step_attrs {
    cj__update_attrs update;
    const cj__op *step;
    uint32_t filler[sizeof(void *) == 8 ? 2 : 1];
} cj__matmul_step_attrs;
CJ__NO_PADDING(cj__matmul_step_attrs, sizeof(cj__update_attrs) + sizeof(void *) +
                                          CJ__SIZE_OF(cj__matmul_step_attrs, filler));

// The steps of `members` tensors by the op `step`, each with `inputs` and `outputs` operands.
typedef struct cj__sweep_attrs {
    cj__update_attrs update;
    const cj__op *step;
    int members, inputs, outputs;
    uint32_t filler[sizeof(void *) == 8 ? 1 : 2];
} cj__sweep_attrs;
CJ__NO_PADDING(cj__sweep_attrs, sizeof(cj__update_attrs) + sizeof(void *) + 3 * sizeof(int) +
                                    CJ__SIZE_OF(cj__sweep_attrs, filler));

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
// -ln of the probability of labels (b, n) given log probabilities (b, t, c): see ctc.c
cj_symbol *cj__ctc(cj__build *g, cj_symbol *log_probabilities, cj_symbol *labels);
// The circle loss of embeddings (b, d) whose labels (b) are equal or not: see circle.c
cj_symbol *cj__circle(cj__build *g, cj_symbol *embeddings, cj_symbol *labels,
                      const cj__circle_attrs *attrs);
// indices of any integer dtype or float
cj_symbol *cj__gather(cj__build *g, cj_symbol *table, cj_symbol *indices);
cj_symbol *cj__one_hot(cj__build *g, cj_symbol *labels, int64_t classes, cj_dtype dtype);
cj_symbol *cj__in_top_k(cj__build *g, cj_symbol *scores, cj_symbol *labels, int64_t k); // bool
cj_symbol *cj__dropout(cj__build *g, cj_symbol *x, cj_symbol *step, uint64_t key, double rate);
// offset + scale r, r uniform in [0, 1) or standard normal, in the shape and dtype of `like`.
cj_symbol *cj__random_uniform_like(cj__build *g, cj_symbol *like, cj_symbol *step, uint64_t key,
                                   double offset, double scale);
cj_symbol *cj__random_normal_like(cj__build *g, cj_symbol *like, cj_symbol *step, uint64_t key,
                                  double offset, double scale);

#endif
