// AdaptiveMaxPooling and AdaptiveAveragePooling, 1-D to 3-D: an axis after another. Windows that lie
// side by side are an axis of their own; others overlap: their means are a product with a matrix of
// weights, their maxima are taken one by one.
#include "layers/resample.h"

#include "base/memory.h"
#include <cajal/reshaping.h>

CJ__DEFAULTS(adaptive_pooling1d, ADAPTIVE_POOLING1D)
CJ__DEFAULTS(adaptive_pooling2d, ADAPTIVE_POOLING2D)
CJ__DEFAULTS(adaptive_pooling3d, ADAPTIVE_POOLING3D)

static const cj__config_key keys[] = {CJ__KEY_ONLY("data_format", "channels_last"), {.key = NULL}};

// Where window `i` of `out` begins in an axis of length `in`, and its length.
static int64_t window_of(int64_t in, int64_t out, int64_t i, int64_t *length)
{
    const int64_t begin = i * in / out, end = ((i + 1) * in + out - 1) / out;
    *length = end - begin;
    return begin;
}

static cj_symbol *means(cj__build *g, cj_symbol *x, int axis, int64_t out)
{
    const int64_t in = cj_symbol_shape(x)->dims[axis];
    double *weights = cj__new((size_t)in * (size_t)out, sizeof *weights);
    if (!weights) {
        cj__build_refuse(g, CJ_OUT_OF_MEMORY);
        return NULL;
    }
    for (int64_t o = 0; o < out; o++) {
        int64_t length;
        const int64_t begin = window_of(in, out, o, &length);
        for (int64_t i = begin; i < begin + length; i++)
            weights[i * out + o] = 1 / (double)length;
    }
    cj_symbol *y = cj__resample(g, x, axis, out, weights);
    cj__free(weights);
    return y;
}

// Windows begin .. end - 1 side by side, in groups that an op can take.
static cj_symbol *maxima(cj__build *g, cj_symbol *x, int axis, int64_t out, int64_t begin,
                         int64_t end)
{
    cj_symbol *parts[CJ__OP_IO_MAX];
    int count = 0;
    int64_t length, share = 1;
    if (end - begin == 1) {
        const int64_t first = window_of(cj_symbol_shape(x)->dims[axis], out, begin, &length);
        return cj__max(g, cj__slice(g, x, axis, first, length), 1u << axis, true);
    }
    while (share * CJ__OP_IO_MAX < end - begin)
        share *= CJ__OP_IO_MAX;
    for (int64_t i = begin; i < end; i += share) {
        parts[count] = maxima(g, x, axis, out, i, i + share < end ? i + share : end);
        if (!parts[count++])
            return NULL;
    }
    return cj__concat(g, parts, count, axis);
}

// One axis, where windows lie side by side.
static cj_symbol *side_by_side(cj__build *g, cj_symbol *x, int axis, int64_t out, bool max)
{
    const cj_shape *shape = cj_symbol_shape(x);
    cj_shape apart = {.rank = shape->rank + 1};
    for (int i = 0; i < apart.rank; i++)
        apart.dims[i] = shape->dims[i <= axis ? i : i - 1];
    apart.dims[axis + 1] = shape->dims[axis] / out;
    apart.dims[axis] = out;
    cj_symbol *windows = cj__reshape(g, x, &apart);
    if (!windows)
        return NULL;
    return (max ? cj__max : cj__mean)(g, windows, 1u << (axis + 1), false);
}

static cj_status pool(cj__layer_context *c, int axes, const int64_t *sizes, bool max)
{
    cj_symbol *x = c->inputs[0].symbol;
    CJ_TRY(cj__layer_need_rank(c->layer, cj_symbol_shape(x), axes + 2, axes + 2));
    for (int i = 0; i < axes; i++) {
        const int64_t in = cj_symbol_shape(x)->dims[i + 1];
        char text[CJ__SHAPE_WORDS];
        if (in <= 0 || in > INT32_MAX)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: the length of axis %d of input %s must be known and positive",
                            c->layer->name, i + 1,
                            cj_shape_text(cj_symbol_shape(x), text, sizeof text));
        if (in % sizes[i] == 0)
            x = side_by_side(c->build, x, i + 1, sizes[i], max);
        else
            x = max ? maxima(c->build, x, i + 1, sizes[i], 0, sizes[i]) :
                      means(c->build, x, i + 1, sizes[i]);
        if (!x)
            return c->build->status;
    }
    c->outputs[0].symbol = x;
    return CJ_OK;
}

#define SIZES(axes, lengths)                                                                 \
    static const cj__field fields_##axes[] = {                                               \
        CJ__FIELD(cj_adaptive_pooling##axes##d_args, output_size, lengths, .required = true, \
                  .low = 1, .high = 1 << 20),                                                \
        CJ__LAYER_FIELDS(cj_adaptive_pooling##axes##d_args),                                 \
    };
SIZES(1, CJ__FIELD_INT)
SIZES(2, CJ__FIELD_PAIR)
SIZES(3, CJ__FIELD_TRIPLE)

#define KIND(plain, class, axes, max)                                                           \
    static cj_status call_##plain(cj__layer_context *c)                                         \
    {                                                                                           \
        const cj_adaptive_pooling##axes##d_args *a = c->layer->args;                            \
        return pool(c, axes, (const int64_t *)&a->output_size, max);                            \
    }                                                                                           \
    const cj__layer_kind cj__layer_##plain = {                                                  \
        .choice = CJ__CHOICE(#plain, class, fields_##axes, adaptive_pooling##axes##d_defaults), \
        .keys = keys,                                                                           \
        .min_inputs = 1,                                                                        \
        .max_inputs = 1,                                                                        \
        .call = call_##plain,                                                                   \
        .mask = CJ__MASK_DROP,                                                                  \
    };                                                                                          \
    cj_layer *cj_##plain##_new(const cj_adaptive_pooling##axes##d_args *args)                   \
    {                                                                                           \
        return cj__layer_new(&cj__layer_##plain, args);                                         \
    }
KIND(adaptive_max_pooling1d, "AdaptiveMaxPooling1D", 1, true)
KIND(adaptive_max_pooling2d, "AdaptiveMaxPooling2D", 2, true)
KIND(adaptive_max_pooling3d, "AdaptiveMaxPooling3D", 3, true)
KIND(adaptive_average_pooling1d, "AdaptiveAveragePooling1D", 1, false)
KIND(adaptive_average_pooling2d, "AdaptiveAveragePooling2D", 2, false)
KIND(adaptive_average_pooling3d, "AdaptiveAveragePooling3D", 3, false)
