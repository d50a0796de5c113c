// The words of keras.ops by name, as a fixture's case asks for them: see operator_words.h.
#include "operator_words.h"

#include <cajal.h>
#include <math.h>
#include <string.h>

enum { LIST = 8 };

// ---- Settings ----

static double number(const made *m, const char *key, double otherwise)
{
    const json_t *value = json_object_get(m->one, key);
    return json_is_boolean(value) ? json_is_true(value) :
           value                  ? json_number_value(value) :
                                    otherwise;
}

static int whole(const made *m, const char *key, int otherwise)
{
    return (int)number(m, key, otherwise);
}

// NULL where there is none.
static const char *text(const made *m, const char *key)
{
    return json_string_value(json_object_get(m->one, key));
}

// A list of integers, or one; returns how many.
static int list(const made *m, const char *key, int *numbers)
{
    const json_t *value = json_object_get(m->one, key);
    const int count = json_is_array(value) ? (int)json_array_size(value) : value != NULL;
    assert_true(count <= LIST);
    for (int i = 0; i < count; i++)
        numbers[i] =
            (int)json_number_value(json_is_array(value) ? json_array_get(value, (size_t)i) : value);
    return count;
}

static int long_list(const made *m, const char *key, int64_t *numbers)
{
    int few[LIST];
    const int count = list(m, key, few);
    for (int i = 0; i < count; i++)
        numbers[i] = few[i];
    return count;
}

static cj_shape shape(const made *m)
{
    cj_shape s = {0};
    s.rank = long_list(m, "shape", s.dims);
    return s;
}

static cj_dtype dtype(const made *m)
{
    cj_dtype found = CJ_F32;
    assert_int_equal(cj_dtype_from_name(text(m, "dtype"), &found), CJ_OK);
    return found;
}

// The axes of a case; NULL for all.
typedef struct axes {
    int numbers[LIST], count;
} axes;

static const int *axes_of(const made *m, axes *a)
{
    a->count = list(m, json_object_get(m->one, "axes") ? "axes" : "axis", a->numbers);
    return a->count > 0 ? a->numbers : NULL;
}

static int axis(const made *m)
{
    return whole(m, "axis", -1);
}

// ---- Words with settings ----

// A word a line, where that is all.
// clang-format off

#define WORD(name) static void word_##name(made *m)
#define X(i)       m->x[i]
#define Y          m->y[0]

WORD(round) { Y = cj_op_round(X(0), whole(m, "decimals", 0)); }
WORD(nan_to_num)
{
    Y = cj_op_nan_to_num(X(0), number(m, "nan", 0), number(m, "posinf", NAN),
                         number(m, "neginf", NAN));
}
WORD(saturate_cast) { Y = cj_op_saturate_cast(X(0), dtype(m)); }
WORD(isclose)
{
    Y = cj_op_isclose(X(0), X(1), number(m, "rtol", 1e-5), number(m, "atol", 1e-8),
                      fixture_flag(m->one, "equal_nan"));
}
WORD(allclose)
{
    Y = cj_op_allclose(X(0), X(1), number(m, "rtol", 1e-5), number(m, "atol", 1e-8),
                       fixture_flag(m->one, "equal_nan"));
}
WORD(where) { Y = cj_op_where(X(0), X(1), X(2)); }
WORD(select) { Y = cj_op_select(m->x, m->x + 2, 2, number(m, "default", 0)); }
WORD(clip) { Y = cj_op_clip(X(0), number(m, "low", 0), number(m, "high", 0)); }
WORD(argmax) { Y = cj_op_argmax(X(0), axis(m)); }
WORD(argmin) { Y = cj_op_argmin(X(0), axis(m)); }
// The order within the two parts is free: they are sorted.
WORD(argpartition)
{
    const int k = whole(m, "kth", 0), at = axis(m);
    const cj_shape *x = cj_symbol_shape(X(0));
    const int64_t n = x->dims[at < 0 ? x->rank + at : at];
    int64_t places[2];
    int count = 0;
    if (k > 0)
        places[count++] = k;
    if (k < n - 1)
        places[count++] = k + 1;
    cj_symbol *parts[3];
    parts[0] = cj_op_moveaxis(cj_op_argpartition(X(0), k, at), (int[]){at}, (int[]){-1}, 1);
    if (count)
        cj_op_split_at(parts[0], places, count, -1, parts);
    for (int i = 0; i <= count; i++)
        parts[i] = cj_op_sort(parts[i], -1);
    Y = cj_op_concatenate(parts, count + 1, -1);
}
WORD(nanargmax) { Y = cj_op_nanargmax(X(0), axis(m)); }
WORD(nanargmin) { Y = cj_op_nanargmin(X(0), axis(m)); }
WORD(cumsum) { Y = cj_op_cumsum(X(0), axis(m)); }
WORD(cumprod) { Y = cj_op_cumprod(X(0), axis(m)); }
WORD(nancumsum) { Y = cj_op_nancumsum(X(0), axis(m)); }
WORD(nancumprod) { Y = cj_op_nancumprod(X(0), axis(m)); }
WORD(quantile)
{
    axes a;
    const int *list = axes_of(m, &a);
    Y = cj_op_quantile(X(0), number(m, "q", 0), text(m, "method"), list, a.count);
}
WORD(percentile)
{
    axes a;
    const int *list = axes_of(m, &a);
    Y = cj_op_percentile(X(0), number(m, "q", 0), text(m, "method"), list, a.count);
}
WORD(nanquantile)
{
    axes a;
    const int *list = axes_of(m, &a);
    Y = cj_op_nanquantile(X(0), number(m, "q", 0), text(m, "method"), list, a.count);
}
WORD(nanpercentile)
{
    axes a;
    const int *list = axes_of(m, &a);
    Y = cj_op_nanpercentile(X(0), number(m, "q", 0), text(m, "method"), list, a.count);
}
WORD(average)
{
    axes a;
    const int *list = axes_of(m, &a);
    Y = cj_op_average(X(0), X(1), list, a.count);
}
WORD(moments)
{
    axes a;
    const int *list = axes_of(m, &a);
    cj_op_moments(X(0), list, a.count, fixture_flag(m->one, "keepdims"), &m->y[0], &m->y[1]);
}
WORD(normalize) { Y = cj_op_normalize(X(0), axis(m), whole(m, "order", 2), 1e-7); }
WORD(diff) { Y = cj_op_diff(X(0), whole(m, "n", 1), axis(m)); }
WORD(trapezoid) { Y = cj_op_trapezoid(X(0), X(1), number(m, "dx", 1), axis(m)); }
WORD(segment_sum) { Y = cj_op_segment_sum(X(0), X(1), whole(m, "num_segments", 0)); }
WORD(segment_max) { Y = cj_op_segment_max(X(0), X(1), whole(m, "num_segments", 0)); }
WORD(segment_min) { Y = cj_op_segment_min(X(0), X(1), whole(m, "num_segments", 0)); }
WORD(segment_prod) { Y = cj_op_segment_prod(X(0), X(1), whole(m, "num_segments", 0)); }
WORD(zeros) { Y = cj_op_zeros(shape(m), dtype(m)); }
WORD(ones) { Y = cj_op_ones(shape(m), dtype(m)); }
WORD(eye) { Y = cj_op_eye(whole(m, "n", 0), whole(m, "m", 0), whole(m, "k", 0), dtype(m)); }
WORD(tri) { Y = cj_op_tri(whole(m, "n", 0), whole(m, "m", 0), whole(m, "k", 0), dtype(m)); }
WORD(identity) { Y = cj_op_identity(whole(m, "n", 0), dtype(m)); }
WORD(full) { Y = cj_op_full(shape(m), number(m, "value", 0), dtype(m)); }
WORD(array)
{
    const json_t *values = json_object_get(m->one, "values");
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE((int64_t)json_array_size(values)), &tensor), CJ_OK);
    for (size_t i = 0; i < json_array_size(values); i++)
        ((float *)cj_tensor_data(tensor))[i] = (float)json_number_value(json_array_get(values, i));
    Y = cj_op_array(tensor, dtype(m));
}
WORD(full_like) { Y = cj_op_full_like(X(0), number(m, "value", 0)); }
WORD(arange) { Y = cj_op_arange(number(m, "start", 0), number(m, "stop", 0), number(m, "step", 1), dtype(m)); }
#define SPACED(m)                                                    \
    number(m, "start", 0), number(m, "stop", 0), whole(m, "num", 0), \
        fixture_flag(m->one, "endpoint")
WORD(linspace) { Y = cj_op_linspace(SPACED(m), dtype(m)); }
WORD(logspace) { Y = cj_op_logspace(SPACED(m), 10, dtype(m)); }
WORD(geomspace) { Y = cj_op_geomspace(SPACED(m), dtype(m)); }
WORD(meshgrid) { cj_op_meshgrid(m->x, whole(m, "inputs", 0), text(m, "indexing"), m->y); }
WORD(vander) { Y = cj_op_vander(X(0), whole(m, "n", 0), fixture_flag(m->one, "increasing")); }
WORD(transpose)
{
    int order[LIST];
    const int count = list(m, "order", order);
    Y = cj_op_transpose(X(0), order, count);
}
WORD(moveaxis)
{
    int source[LIST], destination[LIST];
    const int count = list(m, "source", source);
    list(m, "destination", destination);
    Y = cj_op_moveaxis(X(0), source, destination, count);
}
WORD(swapaxes) { Y = cj_op_swapaxes(X(0), whole(m, "axis1", 0), whole(m, "axis2", 0)); }
WORD(rot90)
{
    axes a;
    axes_of(m, &a);
    Y = cj_op_rot90(X(0), whole(m, "k", 1), a.numbers[0], a.numbers[1]);
}
WORD(flip) { Y = cj_op_flip(X(0), axis(m)); }
WORD(roll) { Y = cj_op_roll(X(0), whole(m, "shift", 0), axis(m)); }
WORD(expand_dims) { Y = cj_op_expand_dims(X(0), axis(m)); }
WORD(split)
{
    int64_t places[LIST];
    const int count = long_list(m, "places", places);
    if (count)
        cj_op_split_at(X(0), places, count, axis(m), m->y);
    else
        cj_op_split(X(0), whole(m, "parts", 0), axis(m), m->y);
}
WORD(array_split) { cj_op_array_split(X(0), whole(m, "parts", 0), axis(m), m->y); }
WORD(vsplit) { cj_op_vsplit(X(0), whole(m, "parts", 0), m->y); }
WORD(hsplit) { cj_op_hsplit(X(0), whole(m, "parts", 0), m->y); }
WORD(dsplit) { cj_op_dsplit(X(0), whole(m, "parts", 0), m->y); }
WORD(unstack) { cj_op_unstack(X(0), axis(m), m->y); }
WORD(vstack) { Y = cj_op_vstack(m->x, 2); }
WORD(hstack) { Y = cj_op_hstack(m->x, 2); }
WORD(dstack) { Y = cj_op_dstack(m->x, 2); }
WORD(concatenate) { Y = cj_op_concatenate(m->x, 2, axis(m)); }
WORD(stack) { Y = cj_op_stack(m->x, 2, axis(m)); }
WORD(append) { Y = cj_op_append(X(0), X(1), axis(m)); }
WORD(repeat)
{
    int64_t repeats[LIST];
    const int count = long_list(m, "repeats", repeats);
    Y = cj_op_repeat(X(0), repeats, count, axis(m));
}
WORD(tile) { Y = cj_op_tile(X(0), whole(m, "times", 1), axis(m)); }
WORD(get_item) { Y = cj_op_get_item(X(0), text(m, "key")); }
WORD(slice_update)
{
    int64_t starts[LIST];
    const int count = long_list(m, "starts", starts);
    Y = cj_op_slice_update(X(0), starts, count, X(1));
}
WORD(slice)
{
    // The generator's other limits are those of the whole axes but the first.
    Y = cj_op_slice(X(0), axis(m), whole(m, "begin", 0), whole(m, "length", 0));
}
WORD(broadcast_to) { Y = cj_op_broadcast_to(X(0), shape(m)); }
WORD(rearrange) { Y = cj_op_rearrange(X(0), text(m, "pattern"), text(m, "lengths")); }
WORD(tril) { Y = cj_op_tril(X(0), whole(m, "k", 0)); }
WORD(triu) { Y = cj_op_triu(X(0), whole(m, "k", 0)); }
WORD(diag) { Y = cj_op_diag(X(0), whole(m, "k", 0)); }
WORD(diagflat) { Y = cj_op_diagflat(X(0), whole(m, "k", 0)); }
#define DIAGONAL(m) whole(m, "offset", 0), whole(m, "axis1", 0), whole(m, "axis2", 1)
WORD(diagonal) { Y = cj_op_diagonal(X(0), DIAGONAL(m)); }
WORD(trace) { Y = cj_op_trace(X(0), DIAGONAL(m)); }
WORD(depth_to_space) { Y = cj_op_depth_to_space(X(0), whole(m, "block", 0), text(m, "data_format")); }
WORD(space_to_depth) { Y = cj_op_space_to_depth(X(0), whole(m, "block", 0), text(m, "data_format")); }
static cj_windows windows(const made *m)
{
    cj_windows w;
    long_list(m, "kernel", w.kernel), long_list(m, "dilation", w.dilation);
    long_list(m, "padding", w.padding), long_list(m, "stride", w.stride);
    return w;
}
WORD(unfold) { Y = cj_op_unfold(X(0), windows(m)); }
WORD(fold) { Y = cj_op_fold(X(0), whole(m, "height", 0), whole(m, "width", 0), windows(m)); }
WORD(extract_sequences) { Y = cj_op_extract_sequences(X(0), whole(m, "length", 0), whole(m, "stride", 0)); }
WORD(tensordot)
{
    int first[LIST], second[LIST];
    const int count = list(m, "a_axes", first);
    list(m, "b_axes", second);
    Y = cj_op_tensordot(X(0), X(1), first, second, count);
}
WORD(cross) { Y = cj_op_cross(X(0), X(1), axis(m)); }
WORD(correlate) { Y = cj_op_correlate(X(0), X(1), text(m, "mode")); }
WORD(einsum) { Y = cj_op_einsum(text(m, "equation"), X(0), X(1)); }
// h' = tanh(x + h w), and the outputs h' h.
static cj_status step(void *context, const cj_scan_step *s)
{
    s->next[0] = cj_op_activation("tanh", cj_op_add(s->entries[0], cj_op_matmul(s->states[0], context)));
    s->outputs[0] = cj_op_multiply(s->next[0], s->states[0]);
    return s->outputs[0] ? CJ_OK : cj_error_status();
}
WORD(scan)
{
    cj_scan(&m->y[0], &m->y[1], step, X(2), &X(1), 1, &X(0), 1, 1, .reverse = fixture_flag(m->one, "reverse"));
}
WORD(sort) { Y = cj_op_sort(X(0), axis(m)); }
WORD(argsort) { Y = cj_op_argsort(X(0), axis(m)); }
WORD(top_k) { cj_op_top_k(X(0), whole(m, "k", 1), &m->y[0], &m->y[1]); }
WORD(in_top_k) { Y = cj_op_in_top_k(X(0), X(1), whole(m, "k", 1)); }
WORD(take_along_axis) { Y = cj_op_take_along_axis(X(0), X(1), axis(m)); }
WORD(take) { Y = cj_op_take_at(X(0), X(1), axis(m)); }
WORD(scatter) { Y = cj_op_scatter(X(0), X(1), shape(m)); }
WORD(scatter_update) { Y = cj_op_scatter_update(X(0), X(1), X(2), text(m, "reduction")); }
WORD(searchsorted) { Y = cj_op_searchsorted(X(0), X(1), text(m, "side")); }
WORD(digitize)
{
    const json_t *bins = json_object_get(m->one, "bins");
    double numbers[LIST];
    for (size_t i = 0; i < json_array_size(bins); i++)
        numbers[i] = json_number_value(json_array_get(bins, i));
    Y = cj_op_digitize(X(0), numbers, (int)json_array_size(bins));
}
WORD(isin) { Y = cj_op_isin(X(0), X(1), fixture_flag(m->one, "invert")); }
WORD(multi_hot) { Y = cj_op_multi_hot(X(0), whole(m, "classes", 0)); }
WORD(one_hot) { Y = cj_op_one_hot(X(0), whole(m, "classes", 0)); }

static cj_op_window window(const made *m)
{
    cj_op_window w = {.padding = text(m, "padding"), .data_format = text(m, "data_format")};
    long_list(m, "strides", w.strides), long_list(m, "dilation_rate", w.dilation_rate);
    const int count = long_list(m, "output_padding", w.output_padding);
    for (int i = 0; i < count; i++)
        w.output_padding[i]++;
    return w;
}
static const int64_t *sizes(const made *m, int64_t *numbers)
{
    long_list(m, "pool_size", numbers);
    return numbers;
}
#define FORMAT(m) text(m, "data_format")
#define SIZES     sizes(m, (int64_t[LIST]){0})
#define LOGITS    fixture_flag(m->one, "from_logits")
WORD(conv) { Y = cj_op_conv(X(0), X(1), window(m)); }
WORD(depthwise_conv) { Y = cj_op_depthwise_conv(X(0), X(1), window(m)); }
WORD(separable_conv) { Y = cj_op_separable_conv(X(0), X(1), X(2), window(m)); }
WORD(conv_transpose) { Y = cj_op_conv_transpose(X(0), X(1), window(m)); }
WORD(max_pool) { Y = cj_op_max_pool(X(0), SIZES, window(m)); }
WORD(average_pool) { Y = cj_op_average_pool(X(0), SIZES, window(m)); }
WORD(adaptive_max_pool) { Y = cj_op_adaptive_max_pool(X(0), SIZES, FORMAT(m)); }
WORD(adaptive_average_pool) { Y = cj_op_adaptive_average_pool(X(0), SIZES, FORMAT(m)); }
WORD(batch_normalization)
{
    Y = cj_op_batch_normalization(X(0), X(1), X(2), axis(m), X(3), X(4), number(m, "epsilon", 1e-3));
}
WORD(layer_normalization)
{
    axes a;
    const int *list = axes_of(m, &a);
    Y = cj_op_layer_normalization(X(0), X(1), X(2), list, a.count, number(m, "epsilon", 0));
}
WORD(rms_normalization)
{
    axes a;
    const int *list = axes_of(m, &a);
    Y = cj_op_rms_normalization(X(0), X(1), list, a.count, number(m, "epsilon", 0));
}
WORD(binary_crossentropy) { Y = cj_op_binary_crossentropy(X(0), X(1), LOGITS); }
WORD(categorical_crossentropy) { Y = cj_op_categorical_crossentropy(X(0), X(1), LOGITS, axis(m)); }
WORD(sparse_categorical_crossentropy) { Y = cj_op_sparse_categorical_crossentropy(X(0), X(1), LOGITS); }
WORD(ctc_loss) { Y = cj_op_ctc_loss(X(0), X(1), X(2), X(3), whole(m, "mask_index", 0)); }
WORD(ctc_decode)
{
    cj_op_ctc_decode(X(0), X(1), text(m, "strategy"), whole(m, "beam_width", 100), whole(m, "top_paths", 1),
                     fixture_flag(m->one, "merge_repeated"), whole(m, "mask_index", 0), &m->y[0], &m->y[1]);
}
WORD(dot_product_attention)
{
    const char *order = text(m, "order"), *bias = strchr(order, 'b'), *mask = strchr(order, 'm');
    Y = cj_op_dot_product_attention(X(0), X(1), X(2), bias ? X(bias - order) : NULL, mask ? X(mask - order) : NULL,
                                    number(m, "scale", NAN), fixture_flag(m->one, "causal"));
}
WORD(sparsemax) { Y = cj_op_sparsemax(X(0), axis(m)); }
WORD(psnr) { Y = cj_op_psnr(X(0), X(1), number(m, "max_val", 1)); }
// clang-format on

// ---- The table ----

typedef struct row {
    const char *word;
    cj_symbol *(*of_one)(cj_symbol *x);
    cj_symbol *(*of_two)(cj_symbol *a, cj_symbol *b);
    cj_symbol *(*reduces)(cj_symbol *x, const int *axes, int count);
    void (*other)(made *m);
} row;

#define ONE(name)                             \
    {                                         \
        .word = #name, .of_one = cj_op_##name \
    }
#define TWO(name)                             \
    {                                         \
        .word = #name, .of_two = cj_op_##name \
    }
#define REDUCES(name)                          \
    {                                          \
        .word = #name, .reduces = cj_op_##name \
    }
#define AS(word_, name)                         \
    {                                           \
        .word = #word_, .reduces = cj_op_##name \
    }
#define OTHER(name)                         \
    {                                       \
        .word = #name, .other = word_##name \
    }

// clang-format off
static const row rows[] = {
    ONE(sin), ONE(cos), ONE(tan), ONE(arcsin), ONE(arccos), ONE(arctan), ONE(sinh), ONE(cosh), ONE(arcsinh),
    ONE(arccosh), ONE(arctanh), ONE(deg2rad), ONE(rad2deg), ONE(sinc), ONE(expm1), ONE(exp2), ONE(log2), ONE(log10),
    ONE(cbrt), ONE(erf), ONE(erfc), ONE(erfinv), ONE(i0), ONE(floor), ONE(ceil), ONE(trunc), ONE(fabs), ONE(exp),
    ONE(log), ONE(log1p), ONE(sqrt), ONE(rsqrt), ONE(reciprocal), ONE(square), ONE(sign), ONE(negative), ONE(relu),
    {.word = "abs", .of_one = cj_op_absolute}, ONE(absolute), ONE(isfinite), ONE(isinf), ONE(isnan), ONE(isposinf),
    ONE(isneginf), ONE(stop_gradient), ONE(signbit), ONE(logical_not), ONE(bitwise_invert), ONE(bitwise_not), ONE(ravel), ONE(fliplr), ONE(flipud),
    ONE(zeros_like), ONE(ones_like), ONE(corrcoef),
    TWO(add), TWO(subtract), TWO(multiply), TWO(divide), TWO(true_divide), TWO(divide_no_nan), TWO(floor_divide),
    TWO(mod), TWO(fmod), TWO(power), TWO(maximum), TWO(minimum), TWO(fmax), TWO(fmin), TWO(arctan2), TWO(hypot),
    TWO(logaddexp), TWO(logaddexp2), TWO(heaviside), TWO(ldexp), TWO(nextafter), TWO(gcd), TWO(lcm), TWO(bitwise_and),
    TWO(bitwise_or), TWO(bitwise_xor), TWO(bitwise_left_shift), TWO(bitwise_right_shift), TWO(left_shift),
    TWO(right_shift), TWO(equal), TWO(not_equal), TWO(greater), TWO(greater_equal), TWO(less), TWO(less_equal),
    TWO(logical_and), TWO(logical_or), TWO(logical_xor), TWO(dot), TWO(matmul), TWO(inner), TWO(outer), TWO(vdot),
    TWO(kron), TWO(cdist),
    AS(sum, reduce_sum), AS(mean, reduce_mean), AS(max, reduce_max), AS(min, reduce_min), REDUCES(amax), REDUCES(amin),
    REDUCES(prod), REDUCES(var), REDUCES(std), REDUCES(logsumexp), REDUCES(norm), REDUCES(ptp), REDUCES(median),
    REDUCES(any), REDUCES(all), REDUCES(count_nonzero), REDUCES(nansum), REDUCES(nanmean), REDUCES(nanmax),
    REDUCES(nanmin), REDUCES(nanprod), REDUCES(nanvar), REDUCES(nanstd), REDUCES(nanmedian),
    OTHER(round), OTHER(nan_to_num), OTHER(saturate_cast), OTHER(isclose), OTHER(allclose), OTHER(where),
    OTHER(select), OTHER(clip), OTHER(argmax), OTHER(argmin), OTHER(nanargmax), OTHER(nanargmin), OTHER(cumsum),
    OTHER(cumprod), OTHER(nancumsum), OTHER(nancumprod), OTHER(quantile), OTHER(percentile), OTHER(nanquantile),
    OTHER(nanpercentile), OTHER(average), OTHER(moments), OTHER(normalize), OTHER(diff), OTHER(trapezoid),
    OTHER(segment_sum), OTHER(segment_max), OTHER(segment_min), OTHER(segment_prod), OTHER(zeros), OTHER(ones),
    OTHER(eye), OTHER(tri), OTHER(identity), OTHER(full), OTHER(full_like), OTHER(arange), OTHER(linspace),
    OTHER(logspace), OTHER(geomspace), OTHER(meshgrid), OTHER(vander), OTHER(transpose), OTHER(moveaxis),
    OTHER(swapaxes), OTHER(rot90), OTHER(flip), OTHER(roll), OTHER(expand_dims), OTHER(split), OTHER(array_split),
    OTHER(vsplit), OTHER(hsplit), OTHER(dsplit), OTHER(unstack), OTHER(vstack), OTHER(hstack), OTHER(dstack),
    OTHER(concatenate), OTHER(stack), OTHER(append), OTHER(repeat), OTHER(tile), OTHER(get_item), OTHER(slice_update),
    OTHER(slice), OTHER(broadcast_to), OTHER(rearrange), OTHER(tril), OTHER(triu), OTHER(diag), OTHER(diagflat),
    OTHER(diagonal), OTHER(trace), OTHER(depth_to_space), OTHER(space_to_depth), OTHER(unfold), OTHER(fold),
    OTHER(extract_sequences), OTHER(tensordot), OTHER(cross), OTHER(correlate), OTHER(einsum), OTHER(sort),
    OTHER(argsort), OTHER(top_k), OTHER(in_top_k), OTHER(take_along_axis), OTHER(take), OTHER(scatter),
    OTHER(argpartition), OTHER(array), OTHER(scan), OTHER(scatter_update), OTHER(searchsorted), OTHER(digitize), OTHER(isin), OTHER(multi_hot), OTHER(one_hot),
    OTHER(conv), OTHER(depthwise_conv), OTHER(separable_conv), OTHER(conv_transpose), OTHER(max_pool), OTHER(average_pool),
    OTHER(adaptive_max_pool), OTHER(adaptive_average_pool), OTHER(batch_normalization), OTHER(layer_normalization),
    OTHER(rms_normalization), OTHER(binary_crossentropy), OTHER(categorical_crossentropy),
    OTHER(sparse_categorical_crossentropy), OTHER(ctc_loss), OTHER(ctc_decode), OTHER(dot_product_attention),
    OTHER(sparsemax), OTHER(psnr),
};
// clang-format on

void make_operator(made *m)
{
    const char *word = fixture_text(m->one, "word");
    axes a;
    size_t i = 0;
    while (i < sizeof rows / sizeof rows[0] && strcmp(rows[i].word, word) != 0)
        i++;
    if (i == sizeof rows / sizeof rows[0]) {
        // an activation, or a word without a row, which fails
        Y = cj_op_activation(word, X(0));
        return;
    }
    const row *r = &rows[i];
    const int *list = axes_of(m, &a);
    if (r->of_one)
        Y = r->of_one(X(0));
    else if (r->of_two)
        Y = r->of_two(X(0), X(1));
    else if (r->reduces && !fixture_flag(m->one, "keepdims"))
        Y = r->reduces(X(0), list, a.count);
    else if (r->reduces)
        Y = cj_op_reduce(word, X(0), list, a.count, true);
    else
        r->other(m);
}
