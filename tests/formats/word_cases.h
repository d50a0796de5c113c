// Cases of tests/formats/operations.c: words of cajal/ops_math.h, ops_reduce.h, ops_shape.h, ops_index.h,
// ops_nn.h and ops_wide.h between layers. `o` has the operands; what has no free axis goes through
// spread(), which makes a row of each sample of it.
#define WORD_CASES(F)                                                                             \
    F(round, "Round", cj_op_round(cj_op_multiply(o->x, number(7.3)), 0))                          \
    F(round_decimals, "Round", cj_op_round(o->x, 1))                                              \
    F(isclose, "Isclose", cj_op_isclose(o->x, o->y, 0.5, 0.1, true))                              \
    F(allclose, "AllClose", spread(o, cj_op_allclose(o->x, o->y, 1, 0.1, false)))                 \
    F(nan_to_num, "NanToNum", cj_op_nan_to_num(holes(o->x), 3, 4, NAN))                           \
    F(saturate_cast, "SaturateCast",                                                              \
      cj_op_saturate_cast(cj_op_multiply(o->x, number(200)), CJ_U8))                              \
    F(full_like, "FullLike", cj_op_full_like(o->x, 2.5))                                          \
    F(select, "Select",                                                                           \
      cj_op_select((cj_symbol *[]){o->b, cj_op_less(o->x, number(0.5))},                          \
                   (cj_symbol *[]){o->x, o->y}, 2, -3))                                           \
    F(isfinite, "Isfinite", cj_op_isfinite(holes(o->x)))                                          \
    F(isinf, "Isinf", cj_op_isinf(holes(o->x)))                                                   \
    F(isposinf, "Isposinf", cj_op_isposinf(holes(o->x)))                                          \
    F(isneginf, "Isneginf", cj_op_isneginf(cj_op_negative(holes(o->x))))                          \
    F(isnan, "Isnan", cj_op_isnan(holes(o->x)))                                                   \
    F(signbit, "Signbit", cj_op_signbit(shifted(o->x)))                                           \
    F(divide_no_nan, "DivideNoNan", cj_op_divide_no_nan(o->x, cj_op_cast(o->b, CJ_F32)))          \
    F(true_divide, "Divide", cj_op_true_divide(o->x, o->y))                                       \
    F(heaviside, "Heaviside", cj_op_heaviside(shifted(o->x), o->y))                               \
    F(ldexp, "Ldexp", cj_op_ldexp(o->x, integers(2, 1, 0, 3)))                                    \
    F(gcd, "Gcd", cj_op_gcd(whole(o->x), integers(4, 6, 9, 12)))                                  \
    F(lcm, "Lcm", cj_op_lcm(whole(o->x), integers(4, 6, 9, 12)))                                  \
    F(bitwise_and, "BitwiseAnd", cj_op_bitwise_and(whole(o->x), integers(4, 6, 9, 12)))           \
    F(bitwise_or, "BitwiseOr", cj_op_bitwise_or(whole(o->x), integers(4, 6, 9, 12)))              \
    F(bitwise_xor, "BitwiseXor", cj_op_bitwise_xor(whole(o->x), integers(4, 6, 9, 12)))           \
    F(bitwise_invert, "BitwiseInvert", cj_op_bitwise_invert(whole(o->x)))                         \
    F(bitwise_not, "BitwiseNot", cj_op_bitwise_not(whole(o->x)))                                  \
    F(bitwise_left_shift, "BitwiseLeftShift",                                                     \
      cj_op_bitwise_left_shift(whole(o->x), integers(0, 1, 2, 3)))                                \
    F(bitwise_right_shift, "BitwiseRightShift",                                                   \
      cj_op_bitwise_right_shift(whole(o->x), integers(0, 1, 2, 3)))                               \
    F(left_shift, "LeftShift", cj_op_left_shift(whole(o->x), integers(0, 1, 2, 3)))               \
    F(right_shift, "RightShift", cj_op_right_shift(whole(o->x), integers(0, 1, 2, 3)))            \
    F(reduce_keepdims, "Max", cj_op_reduce("max", o->x, (int[]){1}, 1, true))                     \
    F(reduce_ptp, "Ptp", cj_op_reduce("ptp", o->x, (int[]){-1, 1}, 2, true))                      \
    F(count_nonzero, "CountNonzero", cj_op_count_nonzero(o->b, (int[]){1}, 1))                    \
    F(quantile, "Quantile", cj_op_quantile(o->x, 0.3, "linear", (int[]){2}, 1))                   \
    F(quantile_list, "Quantile",                                                                  \
      cj_op_reduce_sum(cj_op_quantiles(o->x, (double[]){0.25, 0.5}, 2, NULL, (int[]){1}, 1),      \
                       (int[]){0}, 1))                                                            \
    F(percentile, "Percentile", cj_op_percentile(o->x, 40, "nearest", (int[]){1}, 1))             \
    F(nanquantile, "Nanquantile", cj_op_nanquantile(o->x, 0.8, "lower", (int[]){1, 2}, 2))        \
    F(nanpercentile, "Nanpercentile", cj_op_nanpercentile(o->x, 10, "midpoint", (int[]){2}, 1))   \
    F(nanargmax, "Nanargmax", cj_op_nanargmax(o->x, -1))                                          \
    F(nanargmin, "Nanargmin", cj_op_nanargmin(o->x, 1))                                           \
    F(average, "Average", cj_op_average(o->x, NULL, (int[]){1}, 1))                               \
    F(average_weighted, "Average", cj_op_average(o->x, o->c, (int[]){2}, 1))                      \
    F(moments, "Moments", both_moments(o->x))                                                     \
    F(normalize, "Normalize", cj_op_normalize(o->x, 1, 3, 1e-6))                                  \
    F(nancumsum, "Nancumsum", cj_op_nancumsum(o->x, 2))                                           \
    F(nancumprod, "Nancumprod", cj_op_nancumprod(o->x, 1))                                        \
    F(diff, "Diff", cj_op_diff(o->x, 2, -1))                                                      \
    F(trapezoid, "Trapezoid", cj_op_trapezoid(o->x, NULL, 0.5, 1))                                \
    F(corrcoef, "Corrcoef", spread(o, cj_op_corrcoef(fixed(o))))                                  \
    F(segment_sum, "SegmentSum", spread(o, cj_op_segment_sum(fixed(o), ids(), 3)))                \
    F(segment_prod, "SegmentProd", spread(o, cj_op_segment_prod(fixed(o), ids(), 2)))             \
    F(segment_max, "SegmentMax", spread(o, cj_op_segment_max(fixed(o), ids(), 2)))                \
    F(segment_min, "SegmentMin", spread(o, cj_op_segment_min(fixed(o), ids(), 2)))                \
    F(broadcast_to, "BroadcastTo", spread(o, cj_op_broadcast_to(fixed(o), CJ_SHAPE(2, 3, 4))))    \
    F(ravel, "Ravel", spread(o, cj_op_ravel(fixed(o))))                                           \
    F(moveaxis, "Moveaxis", cj_op_moveaxis(o->x, (int[]){1}, (int[]){-1}, 1))                     \
    F(moveaxis_two, "Moveaxis", cj_op_moveaxis(heads(o->x), (int[]){1, 2}, (int[]){3, 1}, 2))     \
    F(swapaxes, "Swapaxes", cj_op_swapaxes(o->x, 1, -1))                                          \
    F(rot90, "Rot90", cj_op_rot90(o->x, 3, 1, 2))                                                 \
    F(fliplr, "Fliplr", cj_op_fliplr(o->x))                                                       \
    F(flipud, "Flipud", spread(o, cj_op_flipud(fixed(o))))                                        \
    F(split, "Split", part_of(cj_op_split, o->x, 2, 2, 1))                                        \
    F(split_at, "Split", part_at(o->x))                                                           \
    F(array_split, "ArraySplit", part_of(cj_op_array_split, o->x, 3, 2, 0))                       \
    F(vsplit, "Vsplit", spread(o, part_by(cj_op_vsplit, fixed(o), 3, 2)))                         \
    F(hsplit, "Hsplit", part_by(cj_op_hsplit, o->x, 3, 1))                                        \
    F(dsplit, "Dsplit", part_by(cj_op_dsplit, o->x, 2, 1))                                        \
    F(unstack, "Unstack", unstacked(o->x))                                                        \
    F(vstack, "Vstack", spread(o, cj_op_vstack((cj_symbol *[]){fixed(o), fixed(o)}, 2)))          \
    F(hstack, "Hstack", cj_op_hstack((cj_symbol *[]){o->x, o->y}, 2))                             \
    F(dstack, "Dstack", cj_op_dstack((cj_symbol *[]){o->x, o->y}, 2))                             \
    F(append, "Append", cj_op_append(o->x, o->y, 1))                                              \
    F(repeat, "Repeat", cj_op_repeat(o->x, (int64_t[]){2}, 1, 1))                                 \
    F(repeat_each, "Repeat", cj_op_repeat(o->x, (int64_t[]){2, 0, 1}, 3, 1))                      \
    F(get_item, "GetItem", cj_op_get_item(o->x, ":, None, 1:, ::-2"))                             \
    F(get_item_rest, "GetItem", cj_op_get_item(o->x, "..., -1"))                                  \
    F(slice_update, "SliceUpdate",                                                                \
      spread(o, cj_op_slice_update(fixed(o), (int64_t[]){1, 1}, 2, around(CJ_SHAPE(1, 2)))))      \
    F(rearrange, "Rearrange", cj_op_rearrange(o->x, "b h (w c) -> b w (h c)", "c=2"))             \
    F(tril, "Tril", cj_op_tril(o->x, -1))                                                         \
    F(triu, "Triu", cj_op_triu(o->x, 1))                                                          \
    F(diag, "Diag", spread(o, cj_op_diag(fixed(o), 1)))                                           \
    F(diagflat, "Diagflat", spread(o, cj_op_diagflat(fixed(o), -1)))                              \
    F(diagonal, "Diagonal", cj_op_diagonal(o->x, 1, 1, 2))                                        \
    F(trace, "Trace", cj_op_trace(o->x, -1, 1, 2))                                                \
    F(depth_to_space, "DepthToSpace", cj_op_depth_to_space(image(o->x), 2, NULL))                 \
    F(space_to_depth, "SpaceToDepth",                                                             \
      cj_op_space_to_depth(cj_op_reshape(o->x, CJ_SHAPE(CJ_BATCH, 2, 2, 3)), 2, NULL))            \
    F(unfold, "Unfold", cj_op_unfold(planes(o->x), windows))                                      \
    F(fold, "Fold", cj_op_fold(cj_op_unfold(planes(o->x), windows), 3, 4, windows))               \
    F(extract_sequences, "ExtractSequences", cj_op_extract_sequences(o->x, 2, 1))                 \
    F(dot, "Dot", cj_op_dot(o->x, o->c))                                                          \
    F(inner, "Inner", cj_op_inner(o->x, o->c))                                                    \
    F(outer, "Outer", spread(o, cj_op_outer(fixed(o), o->c)))                                     \
    F(vdot, "Vdot", spread(o, cj_op_vdot(fixed(o), fixed(o))))                                    \
    F(kron, "Kron", spread(o, cj_op_kron(fixed(o), table())))                                     \
    F(cdist, "CDist", cj_op_cdist(o->x, o->y))                                                    \
    F(tensordot, "Tensordot",                                                                     \
      spread(o, cj_op_tensordot(fixed(o), table(), (int[]){0}, (int[]){0}, 1)))                   \
    F(tensordot_all, "Tensordot",                                                                 \
      spread(o, cj_op_tensordot(fixed(o), fixed(o), (int[]){0, 1}, (int[]){0, 1}, 2)))            \
    F(cross, "Cross", cj_op_cross(o->x, o->y, 1))                                                 \
    F(correlate, "Correlate", spread(o, cj_op_correlate(cj_op_ravel(fixed(o)), o->c, "same")))    \
    F(vander, "Vander", spread(o, cj_op_vander(cj_op_ravel(fixed(o)), 3, true)))                  \
    F(vander_square, "Vander", spread(o, cj_op_vander(cj_op_ravel(fixed(o)), 0, false)))          \
    F(meshgrid, "Meshgrid", spread(o, grid_of(cj_op_ravel(fixed(o)), o->c)))                      \
    F(sort, "Sort", cj_op_sort(o->x, 1))                                                          \
    F(argsort, "Argsort", cj_op_argsort(o->x, -1))                                                \
    F(argpartition, "Argpartition",                                                               \
      cj_op_get_item(cj_op_argpartition(flat_rows(o->x), 0, 1), ":, 0"))                          \
    F(top_k, "TopK", best_of(o->x))                                                               \
    F(in_top_k, "InTopK",                                                                         \
      cj_op_in_top_k(cj_op_get_item(o->i, ":, 1"), cj_op_get_item(o->x, ":, 0"), 2))              \
    F(take_along_axis, "TakeAlongAxis",                                                           \
      cj_op_take_along_axis(o->x, cj_op_expand_dims(o->i, -1), 1))                                \
    F(take_at, "Take", cj_op_take_at(o->x, places(), 1))                                          \
    F(scatter, "Scatter", spread(o, cj_op_scatter(pairs(), fixed_row(o), CJ_SHAPE(2, 3))))        \
    F(scatter_update, "ScatterUpdate",                                                            \
      spread(o, cj_op_scatter_update(fixed(o), pairs(), fixed_row(o), NULL)))                     \
    F(scatter_max, "ScatterUpdate",                                                               \
      spread(o, cj_op_scatter_update(fixed(o), pairs(), fixed_row(o), "max")))                    \
    F(searchsorted, "SearchSorted", cj_op_searchsorted(o->c, o->x, "right"))                      \
    F(digitize, "Digitize", cj_op_digitize(o->x, (double[]){0.5, 0.75, 1.5}, 3))                  \
    F(isin, "IsIn", cj_op_isin(whole(o->x), integers(1, 3, 5, 7), true))                          \
    F(multi_hot, "MultiHot", cj_op_multi_hot(o->i, 4))                                            \
    F(conv, "Conv",                                                                               \
      cj_op_conv(o->x, kernel(3, 4, 2), (cj_op_window){.strides = {2}, .padding = "same"}))       \
    F(conv_2d, "Conv",                                                                            \
      cj_op_conv(cj_op_expand_dims(o->x, -1), around(CJ_SHAPE(2, 2, 1, 1)),                       \
                 (cj_op_window){.dilation_rate = {1, 2}}))                                        \
    F(depthwise_conv, "DepthwiseConv", cj_op_depthwise_conv(o->x, kernel(2, 4, 2), plain))        \
    F(separable_conv, "SeparableConv",                                                            \
      cj_op_separable_conv(o->x, kernel(2, 4, 1), kernel(1, 4, 3), plain))                        \
    F(conv_transpose, "ConvTranspose",                                                            \
      cj_op_conv_transpose(o->x, kernel(3, 2, 4),                                                 \
                           (cj_op_window){.strides = {2}, .output_padding = {2}}))                \
    F(max_pool, "MaxPool", cj_op_max_pool(o->x, (int64_t[]){2}, plain))                           \
    F(max_pool_2d, "MaxPool",                                                                     \
      cj_op_max_pool(cj_op_expand_dims(o->x, -1), (int64_t[]){2, 3},                              \
                     (cj_op_window){.strides = {1, 2}, .padding = "same"}))                       \
    F(average_pool, "AveragePool",                                                                \
      cj_op_average_pool(o->x, (int64_t[]){2},                                                    \
                         (cj_op_window){.strides = {1}, .data_format = "channels_first"}))        \
    F(adaptive_max_pool, "AdaptiveMaxPool",                                                       \
      cj_op_adaptive_max_pool(o->x, (int64_t[]){2}, "channels_last"))                             \
    F(adaptive_average_pool, "AdaptiveAveragePool",                                               \
      cj_op_adaptive_average_pool(o->x, (int64_t[]){2}, "channels_last"))                         \
    F(batch_norm, "BatchNorm", cj_op_batch_normalization(o->x, o->c, o->c, -1, o->c, o->c, 1e-3)) \
    F(batch_norm_scale, "BatchNorm",                                                              \
      cj_op_batch_normalization(o->x, o->c, o->c, 2, NULL, o->c, 1e-2))                           \
    F(layer_norm, "LayerNorm", cj_op_layer_normalization(o->x, NULL, o->c, (int[]){-1}, 1, 1e-3)) \
    F(layer_norm_axes, "LayerNorm",                                                               \
      cj_op_layer_normalization(o->x, NULL, NULL, (int[]){1, 2}, 2, 1e-3))                        \
    F(rms_norm, "RMSNorm", cj_op_rms_normalization(o->x, o->c, NULL, 0, 1e-4))                    \
    F(binary_crossentropy, "BinaryCrossentropy",                                                  \
      cj_op_binary_crossentropy(cj_op_cast(o->b, CJ_F32), o->y, true))                            \
    F(categorical_crossentropy, "CategoricalCrossentropy",                                        \
      cj_op_categorical_crossentropy(o->x, o->y, false, 1))                                       \
    F(sparse_categorical_crossentropy, "SparseCategoricalCrossentropy",                           \
      cj_op_sparse_categorical_crossentropy(o->i, o->y, true))                                    \
    F(ctc_loss, "CTCLoss", cj_op_ctc_loss(labels(o->i), o->x, lengths(o, 1), lengths(o, 3), 0))   \
    F(ctc_decode, "CTCDecode", decoded(o))                                                        \
    F(biased_attention, "DotProductAttention",                                                    \
      cj_op_dot_product_attention(heads(o->x), heads(o->y), heads(o->x), bias(o), NULL, 0.5,      \
                                  false))                                                         \
    F(masked_attention, "DotProductAttention",                                                    \
      cj_op_dot_product_attention(heads(o->x), heads(o->y), heads(o->x), NULL,                    \
                                  cj_op_greater(bias(o), number(0.5)), NAN, true))                \
    F(sparsemax, "Sparsemax", cj_op_sparsemax(o->x, 1))                                           \
    F(activation_sparsemax, "Sparsemax", cj_op_activation("sparsemax", o->x))                     \
    F(psnr, "PSNR", spread(o, cj_op_psnr(fixed(o), cj_op_multiply(fixed(o), number(0.9)), 2)))    \
    F(pads_reflect, "Pad", cj_op_pads(o->x, (int64_t[]){0, 0, 1, 2, 3, 0}, "reflect", 0))         \
    F(pads_symmetric, "Pad", cj_op_pads(o->x, (int64_t[]){0, 0, 2, 1, 0, 3}, "symmetric", 0))     \
    F(pads_value, "Pad", cj_op_pads(o->x, (int64_t[]){0, 0, 1, 0, 0, 2}, NULL, 2.5))              \
    F(conv_3d, "Conv",                                                                            \
      cj_op_conv(cj_op_reshape(o->x, CJ_SHAPE(CJ_BATCH, 3, 2, 1, 2)),                             \
                 around(CJ_SHAPE(2, 1, 1, 1, 4)), plain))                                         \
    F(argmax_all, "Argmax", spread(o, cj_op_argmax(cj_op_ravel(fixed(o)), 0)))

// ---- What they are built from ----

static cj_symbol *number(double value);
static cj_symbol *heads(cj_symbol *x);
static cj_symbol *table(void);

// A constant of `count` numbers: float32, or int32.
static cj_symbol *constant_of(cj_shape shape, cj_dtype dtype, const double *numbers)
{
    cj_tensor *tensor;
    assert_int_equal(cj_tensor_new(dtype, shape, &tensor), CJ_OK);
    for (int64_t j = 0; j < cj_tensor_count(tensor); j++) {
        if (dtype == CJ_F32)
            ((float *)cj_tensor_data(tensor))[j] = (float)numbers[j];
        else
            ((int32_t *)cj_tensor_data(tensor))[j] = (int32_t)numbers[j];
    }
    return cj_symbol_constant(tensor);
}

static cj_symbol *integers(double a, double b, double c, double d)
{
    return constant_of(CJ_SHAPE(4), CJ_I32, (double[]){a, b, c, d});
}

static cj_symbol *ids(void)
{
    return constant_of(CJ_SHAPE(3), CJ_I32, (double[]){1, 0, 1});
}

static cj_symbol *places(void)
{
    return constant_of(CJ_SHAPE(2, 2), CJ_I32, (double[]){2, 0, 1, 1});
}

static cj_symbol *pairs(void) // two indices of two axes
{
    return constant_of(CJ_SHAPE(2, 2), CJ_I32, (double[]){1, 2, 0, 1});
}

// Numbers around 0.
static cj_symbol *around(cj_shape shape)
{
    double numbers[64];
    for (int j = 0; j < 64; j++)
        numbers[j] = (double)(j * 5 % 11) / 8 - 0.6;
    return constant_of(shape, CJ_F32, numbers);
}

static cj_symbol *kernel(int64_t a, int64_t b, int64_t c)
{
    return around(CJ_SHAPE(a, b, c));
}

static const cj_op_window plain = {.padding = "valid"};
static const cj_windows windows = {{2, 2}, {1, 2}, {1, 0}, {2, 1}};

static cj_symbol *fixed(const operands *o) // (3, 4): the mean of the samples
{
    return cj_op_reduce_mean(o->x, (int[]){0}, 1);
}

static cj_symbol *fixed_row(const operands *o) // (2)
{
    return cj_op_get_item(fixed(o), "1, 1:3");
}

// What has no free axis, as a row for each sample.
static cj_symbol *spread(const operands *o, cj_symbol *y)
{
    if (!y)
        return NULL;
    const int64_t count = cj_shape_count(cj_symbol_shape(y));
    cj_symbol *row = cj_op_reshape(cj_op_cast(y, CJ_F32), CJ_SHAPE(1, count));
    return cj_op_multiply(row, cj_op_expand_dims(cj_op_reduce_sum(o->x, (int[]){1, 2}, 2), -1));
}

static cj_symbol *holes(cj_symbol *x) // infinity where x is small, else x
{
    return cj_op_divide(x, cj_op_cast(cj_op_greater(x, number(0.5)), CJ_F32));
}

static cj_symbol *whole(cj_symbol *x)
{
    return cj_op_cast(cj_op_multiply(x, number(5)), CJ_I32);
}

static cj_symbol *image(cj_symbol *x) // (None, 3, 1, 4)
{
    return cj_op_expand_dims(x, 2);
}

static cj_symbol *planes(cj_symbol *x) // (None, 1, 3, 4)
{
    return cj_op_expand_dims(x, 1);
}

static cj_symbol *flat_rows(cj_symbol *x) // (None, 12)
{
    return cj_op_reshape(x, CJ_SHAPE(CJ_BATCH, 12));
}

static cj_symbol *both_moments(cj_symbol *x)
{
    cj_symbol *mean, *variance;
    if (cj_op_moments(x, (int[]){1}, 1, true, &mean, &variance) != CJ_OK)
        return NULL;
    return cj_op_concatenate((cj_symbol *[]){variance, mean}, 2, 1);
}

// One of several results; the others go.
static cj_symbol *only(cj_status status, cj_symbol **parts, int count, int index)
{
    if (status != CJ_OK)
        return NULL;
    for (int i = 0; i < count; i++)
        if (i != index)
            cj_release(cj_take(parts[i]));
    return parts[index];
}

static cj_symbol *part_of(cj_status (*function)(cj_symbol *, int, int, cj_symbol **), cj_symbol *x,
                          int parts, int axis, int index)
{
    cj_symbol *all[8];
    return only(function(x, parts, axis, all), all, parts, index);
}

static cj_symbol *part_by(cj_status (*function)(cj_symbol *, int, cj_symbol **), cj_symbol *x,
                          int parts, int index)
{
    cj_symbol *all[8];
    return only(function(x, parts, all), all, parts, index);
}

static cj_symbol *part_at(cj_symbol *x)
{
    cj_symbol *all[3];
    if (cj_op_split_at(x, (int64_t[]){1, 3}, 2, -1, all) != CJ_OK)
        return NULL;
    return cj_op_concatenate((cj_symbol *[]){all[2], all[0], all[1]}, 3, 2);
}

static cj_symbol *unstacked(cj_symbol *x)
{
    cj_symbol *all[3];
    return only(cj_op_unstack(x, 1, all), all, 3, 2);
}

static cj_symbol *grid_of(cj_symbol *a, cj_symbol *b)
{
    cj_symbol *all[2];
    return only(cj_op_meshgrid((cj_symbol *[]){a, b}, 2, "ij", all), all, 2, 1);
}

static cj_symbol *best_of(cj_symbol *x)
{
    cj_symbol *values, *indices;
    if (cj_op_top_k(x, 2, &values, &indices) != CJ_OK)
        return NULL;
    return cj_op_add(cj_op_cast(indices, CJ_F32), values);
}

static cj_symbol *labels(cj_symbol *i) // (None, 1), 1..3
{
    return cj_op_add(cj_op_slice(i, 1, 0, 1), cj_symbol_scalar(CJ_I32, 1));
}

static cj_symbol *lengths(const operands *o, int length) // (None)
{
    return cj_op_add(cj_op_multiply(cj_op_get_item(o->i, ":, 0"), cj_symbol_scalar(CJ_I32, 0)),
                     cj_symbol_scalar(CJ_I32, length));
}

static cj_symbol *decoded(const operands *o)
{
    cj_symbol *found, *scores;
    if (cj_op_ctc_decode(o->x, lengths(o, 3), "greedy", 1, 1, true, 0, &found, &scores) != CJ_OK)
        return NULL;
    return cj_op_add(cj_op_cast(cj_op_get_item(found, "0"), CJ_F32), scores);
}

static cj_symbol *bias(const operands *o) // (None, 1, 3, 3)
{
    return cj_op_expand_dims(cj_op_get_item(o->x, "..., :3"), 1);
}
