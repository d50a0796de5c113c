// The convolutions and pools of cajal/ops_nn.h. Channels come last inside; one axis is an image of height
// 1; a pool over three axes is one along each (src/layers/pooling_axes.c says why that is the same).
#include "ops/infer.h"
#include "ops/word_settings.h"
#include "ops/words.h"
#include <cajal/ops_nn.h>
#include <string.h>

// An operand with its windows: 1 to 3 axes, channels last, what was not given filled in.
typedef struct windowed {
    cj_symbol *x;
    int axes;
    bool first, same; // channels first; padding
    int64_t size[3], strides[3], dilation[3], extra[3];
} windowed;

static cj_symbol *channels_last(cj__build *g, cj_symbol *x)
{
    return x ? cj__word_move(g, x, 1, cj_symbol_shape(x)->rank - 1) : NULL;
}

// The result as the data format has it.
static cj_symbol *given_back(cj__build *g, const windowed *w, cj_symbol *y)
{
    return y && w->first ? cj__word_move(g, y, cj_symbol_shape(y)->rank - 1, 1) : y;
}

static bool read_format(cj__build *g, const char *who, const char *data_format, bool *first)
{
    *first = data_format && strcmp(data_format, "channels_first") == 0;
    if (!data_format || *first || strcmp(data_format, "channels_last") == 0)
        return true;
    cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                 "%s: data format \"%s\" is neither \"channels_last\" nor "
                                 "\"channels_first\"",
                                 who, data_format));
    return false;
}

// x of three to five axes, of known lengths but for the batch.
static bool read_input(cj__build *g, const char *who, cj_symbol *x, const char *data_format,
                       windowed *w)
{
    char text[CJ__SHAPE_TEXT];
    const cj_shape *shape = cj_symbol_shape(x);
    w->axes = shape->rank - 2;
    bool fits = w->axes >= 1 && w->axes <= 3;
    for (int i = 1; i < shape->rank; i++)
        fits = fits && shape->dims[i] > 0;
    if (!fits)
        cj__build_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                     "%s: input %s: needed are a batch, one to three axes and "
                                     "channels, known and positive but for the batch",
                                     who, cj__shape_words(shape, text)));
    if (!fits || !read_format(g, who, data_format, &w->first))
        return false;
    w->x = w->first ? channels_last(g, x) : x;
    return w->x;
}

// The windows, of the sizes that `w` has; false with a sentence.
static bool read_window(cj__build *g, const char *who, const cj_op_window *from, bool is_pool,
                        windowed *w)
{
    bool strided = false, dilated = false;
    w->same = from->padding && strcmp(from->padding, "same") == 0;
    if (from->padding && !w->same && strcmp(from->padding, "valid") != 0) {
        cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                     "%s: padding \"%s\" is neither \"valid\" nor \"same\"", who,
                                     from->padding));
        return false;
    }
    for (int i = 0; i < w->axes; i++) {
        const int64_t length = cj_symbol_shape(w->x)->dims[i + 1];
        w->strides[i] = from->strides[i] ? from->strides[i] : is_pool ? w->size[i] : 1;
        w->dilation[i] = from->dilation_rate[i] && !is_pool ? from->dilation_rate[i] : 1;
        w->extra[i] = from->output_padding[i] - 1;
        strided |= w->strides[i] > 1, dilated |= w->dilation[i] > 1;
        if (w->size[i] < 1 || w->strides[i] < 1 || w->dilation[i] < 1 || w->size[i] > INT16_MAX ||
            w->strides[i] > INT16_MAX || w->dilation[i] > INT16_MAX ||
            from->output_padding[i] < 0) {
            cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                         "%s: along axis %d a window of %lld, %lld apart, with "
                                         "elements %lld apart",
                                         who, i + 1, (long long)w->size[i],
                                         (long long)w->strides[i], (long long)w->dilation[i]));
            return false;
        }
        if (is_pool && !w->same && w->size[i] > length) {
            cj__build_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                         "%s: a window of %lld does not fit an axis of %lld", who,
                                         (long long)w->size[i], (long long)length));
            return false;
        }
    }
    if (strided && dilated)
        cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                     "%s: strides above 1 and a dilation rate above 1 exclude each "
                                     "other",
                                     who));
    return g->status == CJ_OK;
}

// Ends a word of these operands over so many axes, whose settings are its windows.
static cj_symbol *give_windows(cj__build *g, cj_symbol *y, const cj__word *word,
                               cj_symbol *const *operands, int count, const cj_op_window *window,
                               const int64_t *size, int axes)
{
    double numbers[4][3] = {{0}};
    int extra = 0;
    for (int i = 0; y && i < axes; i++) {
        const int64_t own = size ? size[i] : 1;
        numbers[0][i] = (double)own;
        numbers[1][i] = (double)(window->strides[i] ? window->strides[i] : own);
        numbers[2][i] = (double)(window->dilation_rate[i] ? window->dilation_rate[i] : 1);
        numbers[3][i] = (double)(window->output_padding[i] - 1);
        extra += window->output_padding[i] > 0;
    }
    if (!y || (extra > 0 && extra < axes)) // Keras has all of an output padding, or none
        CJ__GIVE;
    cj__window_settings settings = {.padding = window->padding ? window->padding : "valid",
                                    .data_format = window->data_format ? window->data_format :
                                                                         "channels_last"};
    // of what is no setting of the word no copy would be made
    if (size)
        settings.pool_size = (cj_numbers){numbers[0], axes};
    else
        settings.dilation_rate = (cj_numbers){numbers[2], axes};
    if (word != &cj__word_adaptive_max_pool && word != &cj__word_adaptive_average_pool)
        settings.strides = (cj_numbers){numbers[1], axes};
    if (word == &cj__word_conv_transpose && extra > 0)
        settings.output_padding = (cj_numbers){numbers[3], axes};
    return cj__word_result(g, y, word, operands, count, &settings);
}

// A kernel of so many axes, of known lengths, in which `inputs` channels come in.
static bool read_kernel(cj__build *g, const char *who, cj_symbol *kernel, windowed *w)
{
    char text[CJ__SHAPE_TEXT];
    const cj_shape *shape = cj_symbol_shape(kernel);
    bool fits = shape->rank == w->axes + 2;
    for (int i = 0; i < shape->rank; i++)
        fits = fits && shape->dims[i] > 0;
    if (!fits)
        cj__build_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                     "%s: kernel %s for an input of %d axes, batch and channels",
                                     who, cj__shape_words(shape, text), w->axes));
    for (int i = 0; i < w->axes && fits; i++)
        w->size[i] = shape->dims[i];
    return fits;
}

static int64_t channels_of(const windowed *w)
{
    return cj_symbol_shape(w->x)->dims[w->axes + 1];
}

// Attributes of the 2-D op, the one axis of a sequence being its second. Of three axes there are none.
static cj__conv2d_attrs attrs_2d(const windowed *w, int64_t groups)
{
    cj__conv2d_attrs attrs = {.kernel = {1, 1},
                              .strides = {1, 1},
                              .dilation = {1, 1},
                              .groups = (int32_t)groups,
                              .same = w->same};
    for (int i = 0; i < w->axes && w->axes <= 2; i++) {
        const int place = 2 - w->axes + i;
        attrs.kernel[place] = w->size[i];
        attrs.strides[place] = w->strides[i];
        attrs.dilation[place] = w->dilation[i];
    }
    return attrs;
}

static cj__conv3d_attrs attrs_3d(const windowed *w, int64_t groups)
{
    cj__conv3d_attrs attrs = {.groups = (int32_t)groups, .same = w->same};
    memcpy(attrs.kernel, w->size, sizeof attrs.kernel);
    memcpy(attrs.strides, w->strides, sizeof attrs.strides);
    memcpy(attrs.dilation, w->dilation, sizeof attrs.dilation);
    return attrs;
}

// The convolution of what was read by a kernel with `groups` groups.
static cj_symbol *convolved(cj__build *g, const windowed *w, cj_symbol *kernel, int64_t groups)
{
    if (w->axes == 3) {
        const cj__conv3d_attrs attrs = attrs_3d(w, groups);
        return cj__conv3d(g, w->x, kernel, &attrs);
    }
    const cj__conv2d_attrs attrs = attrs_2d(w, groups);
    if (w->axes == 2)
        return cj__conv2d_symbol(g, w->x, kernel, &attrs);
    cj_symbol *y =
        cj__conv2d_symbol(g, cj__word_expand(g, w->x, 1), cj__word_expand(g, kernel, 0), &attrs);
    return cj__word_drop(g, y, 1);
}

cj_symbol *cj_op_conv(cj_symbol *x, cj_symbol *kernel, cj_op_window window)
{
    cj_symbol *const operands[] = {x, kernel};
    windowed w = {0};
    CJ__TAKE_2(x, kernel)
    {
        cj__word_join(g, &x, &kernel);
        x = cj__word_real(g, x), kernel = cj__word_real(g, kernel);
        if (read_input(g, "conv", x, window.data_format, &w) &&
            read_kernel(g, "conv", kernel, &w) && read_window(g, "conv", &window, false, &w)) {
            const int64_t in = cj_symbol_shape(kernel)->dims[w.axes], channels = channels_of(&w);
            const int64_t filters = cj_symbol_shape(kernel)->dims[w.axes + 1];
            const int64_t groups = channels / in;
            if (channels % in != 0 || groups < 1 || filters % groups != 0)
                cj__build_refuse(g,
                                 cj__fail(CJ_SHAPE_MISMATCH,
                                          "conv: %lld channels by a kernel for %lld with %lld "
                                          "filters",
                                          (long long)channels, (long long)in, (long long)filters));
            else
                y = given_back(g, &w, convolved(g, &w, kernel, groups));
        }
    }
    return give_windows(g, y, &cj__word_conv, operands, 2, &window, NULL, w.axes);
}

// A kernel (axes..., c, m) has the elements of one with c groups, (axes..., 1, c m).
static cj_symbol *depthwise(cj__build *g, const char *who, const cj_op_window *window, windowed *w,
                            cj_symbol *kernel)
{
    if (!read_kernel(g, who, kernel, w) || !read_window(g, who, window, false, w))
        return NULL;
    cj_shape shape = *cj_symbol_shape(kernel);
    const int64_t channels = channels_of(w);
    if (w->axes == 3 || shape.dims[w->axes] != channels)
        return cj__word_refuse(
            g, cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: %lld channels over %d axes by a kernel for %lld, needed "
                        "are one or two axes and equal numbers",
                        who, (long long)channels, w->axes, (long long)shape.dims[w->axes]));
    shape.dims[w->axes + 1] *= channels;
    shape.dims[w->axes] = 1;
    return convolved(g, w, cj__reshape(g, kernel, &shape), channels);
}

cj_symbol *cj_op_depthwise_conv(cj_symbol *x, cj_symbol *kernel, cj_op_window window)
{
    cj_symbol *const operands[] = {x, kernel};
    windowed w = {0};
    CJ__TAKE_2(x, kernel)
    {
        cj__word_join(g, &x, &kernel);
        x = cj__word_real(g, x), kernel = cj__word_real(g, kernel);
        if (read_input(g, "depthwise_conv", x, window.data_format, &w))
            y = given_back(g, &w, depthwise(g, "depthwise_conv", &window, &w, kernel));
    }
    return give_windows(g, y, &cj__word_depthwise_conv, operands, 2, &window, NULL, w.axes);
}

cj_symbol *cj_op_separable_conv(cj_symbol *x, cj_symbol *depthwise_kernel,
                                cj_symbol *pointwise_kernel, cj_op_window window)
{
    cj_symbol *const operands[] = {x, depthwise_kernel, pointwise_kernel};
    windowed w = {0};
    CJ__TAKE_3(x, depthwise_kernel, pointwise_kernel)
    {
        cj_symbol *kernel = depthwise_kernel;
        cj__word_join(g, &x, &kernel);
        x = cj__word_real(g, x), kernel = cj__word_real(g, kernel);
        if (read_input(g, "separable_conv", x, window.data_format, &w)) {
            w.x = depthwise(g, "separable_conv", &window, &w, kernel);
            if (w.x && read_kernel(g, "separable_conv", pointwise_kernel, &w) &&
                read_window(g, "separable_conv", &(cj_op_window){0}, false, &w))
                y = given_back(g, &w, convolved(g, &w, pointwise_kernel, 1));
        }
    }
    return give_windows(g, y, &cj__word_separable_conv, operands, 3, &window, NULL, w.axes);
}

void cj__transposed_padding(int64_t size, int64_t stride, int64_t dilation, bool same,
                            int64_t extra, int32_t *before, int32_t *after)
{
    const int64_t reach = (size - 1) * dilation + 1;
    int64_t left = reach - 1, right = reach - 1;
    if (same) {
        const int64_t all = extra < 0 ? stride + reach - 2 : reach + reach % 2 - 2 + extra;
        left = all / 2 + all % 2 < left ? all / 2 + all % 2 : left;
        right = all - left;
    } else if (extra >= 0) {
        right += extra;
    } else if (stride > reach) {
        right += stride - reach;
    }
    *before = (int32_t)(reach - 1 - left);
    *after = (int32_t)(reach - 1 - right);
}

static cj_symbol *transposed(cj__build *g, windowed *w, cj_symbol *kernel)
{
    cj__conv2d_attrs attrs = attrs_2d(w, 1);
    cj__conv3d_attrs three = attrs_3d(w, 1);
    attrs.same = three.same = false;
    for (int i = 0; i < w->axes; i++) {
        int32_t *before = w->axes == 3 ? three.before + i : attrs.before + 2 - w->axes + i;
        int32_t *after = w->axes == 3 ? three.after + i : attrs.after + 2 - w->axes + i;
        cj__transposed_padding(w->size[i], w->strides[i], w->dilation[i], w->same, w->extra[i],
                               before, after);
    }
    if (w->axes == 3)
        return cj__conv3d_transpose(g, w->x, kernel, &three);
    if (w->axes == 2)
        return cj__conv2d_transpose(g, w->x, kernel, &attrs);
    return cj__word_drop(
        g,
        cj__conv2d_transpose(g, cj__word_expand(g, w->x, 1), cj__word_expand(g, kernel, 0), &attrs),
        1);
}

cj_symbol *cj_op_conv_transpose(cj_symbol *x, cj_symbol *kernel, cj_op_window window)
{
    cj_symbol *const operands[] = {x, kernel};
    windowed w = {0};
    CJ__TAKE_2(x, kernel)
    {
        cj__word_join(g, &x, &kernel);
        x = cj__word_real(g, x), kernel = cj__word_real(g, kernel);
        if (read_input(g, "conv_transpose", x, window.data_format, &w) &&
            read_kernel(g, "conv_transpose", kernel, &w) &&
            read_window(g, "conv_transpose", &window, false, &w)) {
            bool fits = cj_symbol_shape(kernel)->dims[w.axes + 1] == channels_of(&w);
            for (int i = 0; i < w.axes; i++)
                fits = fits && w.extra[i] < w.strides[i];
            if (fits)
                y = given_back(g, &w, transposed(g, &w, kernel));
            else
                cj__build_refuse(
                    g, cj__fail(CJ_SHAPE_MISMATCH,
                                "conv_transpose: a kernel for %lld channels and an input of "
                                "%lld, or an output padding that is not below the stride",
                                (long long)cj_symbol_shape(kernel)->dims[w.axes + 1],
                                (long long)channels_of(&w)));
        }
    }
    return give_windows(g, y, &cj__word_conv_transpose, operands, 2, &window, NULL, w.axes);
}

// ---- Pools ----

typedef cj_symbol *pool_op(cj__build *g, cj_symbol *x, const cj__pool2d_attrs *attrs);

// Along one axis: those before it are rows of an image, those behind it channels.
static cj_symbol *pool_axis(cj__build *g, const windowed *w, cj_symbol *x, int axis, pool_op *pool)
{
    if (!x || (w->size[axis - 1] == 1 && w->strides[axis - 1] == 1))
        return x;
    cj_shape shape = *cj_symbol_shape(x);
    const cj_shape image = {4,
                            {shape.dims[0], cj__span(&shape, 1, axis), shape.dims[axis],
                             cj__span(&shape, axis + 1, shape.rank)}};
    const cj__pool2d_attrs attrs = {.size = {1, w->size[axis - 1]},
                                    .strides = {1, w->strides[axis - 1]},
                                    .same = w->same,
                                    .input = {image.dims[1], image.dims[2]}};
    cj_symbol *y = pool(g, cj__reshape(g, x, &image), &attrs);
    if (!y)
        return NULL;
    shape.dims[axis] = cj_symbol_shape(y)->dims[2];
    return cj__reshape(g, y, &shape);
}

static cj_symbol *pooled(const cj__word *word, cj_symbol *x, const int64_t *size,
                         const cj_op_window *window, pool_op *pool)
{
    const char *who = word->choice.name;
    cj_symbol *const operand = x;
    windowed w = {0};
    CJ__TAKE(x)
    {
        if (!size)
            cj__build_refuse(g, cj__fail_null_of(who, "the list of sizes"));
        else if (read_input(g, who, cj__word_real(g, x), window->data_format, &w)) {
            memcpy(w.size, size, (size_t)w.axes * sizeof *size);
            if (read_window(g, who, window, true, &w)) {
                const int64_t *d = cj_symbol_shape(w.x)->dims;
                const cj__pool2d_attrs attrs = {.size = {w.size[0], w.size[1]},
                                                .strides = {w.strides[0], w.strides[1]},
                                                .same = w.same,
                                                .input = {d[1], d[2]}};
                y = w.axes == 2 ? pool(g, w.x, &attrs) : w.x;
                for (int axis = w.axes == 2 ? 0 : w.axes; axis >= 1; axis--)
                    y = pool_axis(g, &w, y, axis, pool);
                y = given_back(g, &w, y);
            }
        }
    }
    return give_windows(g, y, word, &operand, 1, window, size, w.axes);
}

cj_symbol *cj_op_max_pool(cj_symbol *x, const int64_t *size, cj_op_window window)
{
    return pooled(&cj__word_max_pool, x, size, &window, cj__max_pool2d);
}

cj_symbol *cj_op_average_pool(cj_symbol *x, const int64_t *size, cj_op_window window)
{
    return pooled(&cj__word_average_pool, x, size, &window, cj__average_pool2d);
}

// Window o of `out` along an axis of n is entries o n / out .. ceil((o + 1) n / out) - 1: picked side by
// side, in rows as long as the longest, whose rest repeats the last entry, weighed by 0.
static cj_symbol *adaptive_axis(cj__build *g, cj_symbol *x, int axis, int64_t out, bool max)
{
    if (!x)
        return NULL;
    const cj_shape old = *cj_symbol_shape(x);
    const int64_t n = old.dims[axis], longest = (n + out - 1) / out + (n % out != 0);
    cj_shape apart = {.rank = old.rank + 1};
    cj_tensor *places = NULL, *weights = NULL;
    cj_status status = cj_tensor_new(CJ_I32, CJ_SHAPE(out * longest), &places);
    if (status == CJ_OK)
        status = cj_tensor_new(cj_symbol_dtype(x), CJ_SHAPE(out, longest), &weights);
    for (int64_t i = 0; status == CJ_OK && i < out * longest; i++) {
        const int64_t o = i / longest, begin = o * n / out, end = ((o + 1) * n + out - 1) / out;
        const int64_t place = begin + i % longest;
        ((int32_t *)cj_tensor_data(places))[i] = (int32_t)(place < end ? place : end - 1);
        cj__element_set(weights->dtype, cj_tensor_data(weights), i,
                        place < end ? 1 / (double)(end - begin) : 0);
    }
    cj_symbol *picked = cj__word_tensor(g, status, places);
    cj_symbol *share = cj__word_tensor(g, status, weights);
    for (int i = 0; i < apart.rank; i++)
        apart.dims[i] = i < axis ? old.dims[i] : i > axis + 1 ? old.dims[i - 1] : 0;
    apart.dims[axis] = out, apart.dims[axis + 1] = longest;
    x = cj__take_along(g, x, cj__word_along(g, picked, old.rank, axis), axis);
    x = cj__reshape(g, x, &apart);
    if (max)
        return cj__max(g, x, 1u << (axis + 1), false);
    for (int i = 0; i < apart.rank; i++)
        apart.dims[i] = i == axis ? out : i == axis + 1 ? longest : 1;
    return cj__sum(g, cj__mul(g, x, cj__reshape(g, share, &apart)), 1u << (axis + 1), false);
}

static cj_symbol *adaptive(const cj__word *word, cj_symbol *x, const int64_t *size,
                           const char *data_format, bool max)
{
    const char *who = word->choice.name;
    cj_symbol *const operand = x;
    windowed w = {0};
    CJ__TAKE(x)
    {
        if (!size)
            cj__build_refuse(g, cj__fail_null_of(who, "the list of sizes"));
        else if (read_input(g, who, cj__word_real(g, x), data_format, &w)) {
            y = w.x;
            for (int i = 0; i < w.axes && g->status == CJ_OK; i++)
                if (size[i] < 1 || size[i] > 1 << 20)
                    cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT, "%s: %lld parts of axis %d",
                                                 who, (long long)size[i], i + 1));
                else
                    y = adaptive_axis(g, y, i + 1, size[i], max);
            y = given_back(g, &w, y);
        }
    }
    return give_windows(g, y, word, &operand, 1, &(cj_op_window){.data_format = data_format}, size,
                        w.axes);
}

cj_symbol *cj_op_adaptive_max_pool(cj_symbol *x, const int64_t *size, const char *data_format)
{
    return adaptive(&cj__word_adaptive_max_pool, x, size, data_format, true);
}

cj_symbol *cj_op_adaptive_average_pool(cj_symbol *x, const int64_t *size, const char *data_format)
{
    return adaptive(&cj__word_adaptive_average_pool, x, size, data_format, false);
}
