/**
 * @file ops_nn.h
 * Operators of networks as functions, as keras.ops has them: convolutions, pools, normalizations,
 * losses, attention. cajal/layers.h and its like have them with weights of their own.
 *
 * Each takes its symbols over (they are kept by the result) and returns a floating symbol, or NULL
 * with a sentence: CJ_INVALID_ARGUMENT (an axis or a setting out of range), CJ_SHAPE_MISMATCH (shapes or
 * dtypes that do not fit), CJ_UNSUPPORTED, CJ_OUT_OF_MEMORY, or the first cause where an argument is
 * NULL that must be there. Gradients of any order pass, but where it says otherwise. Axes count the
 * batch axis, and from the end if negative. A function may be called by several threads for different
 * symbols.
 */
#ifndef CAJAL_OPS_NN_H
#define CAJAL_OPS_NN_H

#include <cajal/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The windows of convolutions and pools over one, two or three axes; what is 0 or NULL has its default,
 * and entries beyond the number of axes are not read.
 */
typedef struct cj_op_window {
    int64_t strides[3];       ///< default 1; of a pool the size
    int64_t dilation_rate[3]; ///< default 1; of convolutions
    const char *padding;      ///< "valid" (default) or "same"
    const char *data_format;  ///< "channels_last" (default) or "channels_first"
    /** of cj_op_conv_transpose(): one more than the wanted number of elements at the end; 0: as few as
     * the padding says */
    int64_t output_padding[3];
} cj_op_window;

/**
 * A convolution (cross-correlation) of x, (batch, axes..., channels), by a kernel, (axes..., channels /
 * groups, filters), over one to three axes. The number of groups follows from the channels.
 */
CJ_API cj_symbol *cj_op_conv(cj_symbol *x, cj_symbol *kernel, cj_op_window window);
/** Each channel by filters of its own, over one or two axes: kernel (axes..., channels, multiplier). */
CJ_API cj_symbol *cj_op_depthwise_conv(cj_symbol *x, cj_symbol *kernel, cj_op_window window);
/** cj_op_depthwise_conv(), and the channels that it gives by a kernel (1..., channels, filters). */
CJ_API cj_symbol *cj_op_separable_conv(cj_symbol *x, cj_symbol *depthwise_kernel,
                                       cj_symbol *pointwise_kernel, cj_op_window window);
/** The transposed convolution: kernel (axes..., filters, channels). */
CJ_API cj_symbol *cj_op_conv_transpose(cj_symbol *x, cj_symbol *kernel, cj_op_window window);

/** The greatest, or the mean, of each window of x; `size` has its length along each axis. */
CJ_API cj_symbol *cj_op_max_pool(cj_symbol *x, const int64_t *size, cj_op_window window);
CJ_API cj_symbol *cj_op_average_pool(cj_symbol *x, const int64_t *size, cj_op_window window);
/** The same of windows that cut the axes into `size` parts, which may overlap by one element. */
CJ_API cj_symbol *cj_op_adaptive_max_pool(cj_symbol *x, const int64_t *size,
                                          const char *data_format);
CJ_API cj_symbol *cj_op_adaptive_average_pool(cj_symbol *x, const int64_t *size,
                                              const char *data_format);

/**
 * (x - mean) / sqrt(variance + epsilon) scale + offset, by the entries along an axis, of which each of
 * the others is a vector; offset and scale may be NULL. Keras's default of epsilon is 1e-3.
 */
CJ_API cj_symbol *cj_op_batch_normalization(cj_symbol *x, cj_symbol *mean, cj_symbol *variance,
                                            int axis, cj_symbol *offset, cj_symbol *scale,
                                            double epsilon);
/**
 * The same with the mean and the variance of x along `count` axes (NULL: the last); gamma and beta have
 * their lengths, or may be NULL. Keras's default of epsilon is 1e-7 here.
 */
CJ_API cj_symbol *cj_op_layer_normalization(cj_symbol *x, cj_symbol *gamma, cj_symbol *beta,
                                            const int *axes, int count, double epsilon);
/** x / sqrt(mean of x^2 along `count` axes + epsilon) scale; scale may be NULL. */
CJ_API cj_symbol *cj_op_rms_normalization(cj_symbol *x, cj_symbol *scale, const int *axes,
                                          int count, double epsilon);

/**
 * Cross-entropies of each element, or of the classes along an axis, which is dropped: of probabilities,
 * kept in 1e-7 .. 1 - 1e-7, or logits. Targets have the shape of the outputs; of the sparse one they are
 * integers without that axis, which is the last, or with it and the length 1.
 */
CJ_API cj_symbol *cj_op_binary_crossentropy(cj_symbol *target, cj_symbol *output, bool from_logits);
CJ_API cj_symbol *cj_op_categorical_crossentropy(cj_symbol *target, cj_symbol *output,
                                                 bool from_logits, int axis);
CJ_API cj_symbol *cj_op_sparse_categorical_crossentropy(cj_symbol *target, cj_symbol *output,
                                                        bool from_logits);

/**
 * Connectionist temporal classification: -ln of the probability of labels, (batch, n), given logits,
 * (batch, steps, classes), of which the first target_length and output_length count (integers, batch).
 * Class `mask_index` is the blank. Derivatives of first order.
 */
CJ_API cj_symbol *cj_op_ctc_loss(cj_symbol *target, cj_symbol *output, cj_symbol *target_length,
                                 cj_symbol *output_length, int mask_index);
/**
 * The likeliest labels, int32 (paths, batch, steps) filled up with -1, and their scores (batch, paths),
 * from (batch, steps, classes) and how many steps count. `strategy` "greedy" (NULL is the same; one
 * path, score minus the sum of the greatest; repeats are merged if `merge_repeated`) or "beam_search"
 * over logits with `beam_width` beams (Keras's default is 100). No gradient. CJ_OK, or what the head of
 * this file says, with both NULL.
 */
CJ_API cj_status cj_op_ctc_decode(cj_symbol *x, cj_symbol *lengths, const char *strategy,
                                  int beam_width, int top_paths, bool merge_repeated,
                                  int mask_index, cj_symbol **labels, cj_symbol **scores);

/**
 * softmax(scale query key' + bias) value for each head: query (batch, t, heads, depth), key and value
 * (batch, s, key heads, depth), of which the heads are a multiple; bias and mask, booleans, broadcast to
 * (batch, heads, t, s), and either may be NULL. `scale` NAN means 1 / sqrt(depth). `causal`: query i
 * sees keys 0 to i only.
 */
CJ_API cj_symbol *cj_op_dot_product_attention(cj_symbol *query, cj_symbol *key, cj_symbol *value,
                                              cj_symbol *bias, cj_symbol *mask, double scale,
                                              bool causal);

/**
 * max(x - tau, 0) along an axis of known length, as Keras computes it: with the entries in falling order
 * z[1], z[2], ..., their running sums c, and k the number of i for which 1 + i z[i] > c[i], tau = (c[1] +
 * ... + c[k] - 1) / k. Where k is 1 that is the sparsemax of Martins and Astudillo ("From Softmax to
 * Sparsemax", 2016), whose tau is (c[k] - 1) / k.
 */
CJ_API cj_symbol *cj_op_sparsemax(cj_symbol *x, int axis);

/** The peak signal-to-noise ratio 20 log10(max_val) - 10 log10(mean (a - b)^2): a scalar. */
CJ_API cj_symbol *cj_op_psnr(cj_symbol *a, cj_symbol *b, double max_val);

#ifdef __cplusplus
}
#endif
#endif
