// Pools along one axis and over three, and the global ones.
//
// A pool is separable: the greatest of a window is the greatest of the greatest of its lines, and the
// mean, whose window is cut at the edges along each axis for itself, the mean of their means. So a
// pool over three axes is one along each. Along one, the axes before it are rows of an image and
// those behind it channels. Width goes first and depth last, so that of equal elements the first of
// the window gets the gradient, as with one window.
#include "layers/windows.h"

#include <string.h>

CJ__DEFAULTS(pooling1d, POOLING1D)
CJ__DEFAULTS(pooling3d, POOLING3D)
CJ__DEFAULTS(global_pooling1d, GLOBAL_POOLING1D)
CJ__DEFAULTS(global_pooling3d, GLOBAL_POOLING3D)

static const cj__field pool_fields_1d[] = {
    CJ__FIELD(cj_pooling1d_args, pool_size, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_pooling1d_args, strides, CJ__FIELD_SEED),
    CJ__FIELD(cj_pooling1d_args, padding, CJ__FIELD_TEXT, .required = true),
    CJ__LAYER_FIELDS(cj_pooling1d_args),
};

static const cj__field pool_fields_3d[] = {
    CJ__FIELD(cj_pooling3d_args, pool_size, CJ__FIELD_TRIPLE, CJ__POSITIVE),
    CJ__FIELD(cj_pooling3d_args, strides, CJ__FIELD_TRIPLE, .optional = true, CJ__POSITIVE),
    CJ__FIELD(cj_pooling3d_args, padding, CJ__FIELD_TEXT, .required = true),
    CJ__LAYER_FIELDS(cj_pooling3d_args),
};

static const cj__config_key pool_keys[] = {
    CJ__KEY_RENAMED("border_mode", "padding"),
    CJ__KEY_RENAMED("pool_length", "pool_size"),
    CJ__KEY_RENAMED("stride", "strides"),
    CJ__KEY_ONLY("data_format", "channels_last"),
    {.key = NULL},
};

static cj_status check_1d(cj_layer *layer)
{
    const cj_pooling1d_args *a = layer->args;
    bool same;
    if (a->strides == 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: strides must be at least 1, or -1 for pool_size",
                        layer->name);
    return cj__layer_padding(layer, a->padding, &same);
}

static cj_status check_3d(cj_layer *layer)
{
    cj_pooling3d_args *a = layer->args;
    bool same;
    if (a->strides[0] == 0)
        memcpy(a->strides, a->pool_size, sizeof a->strides);
    return cj__layer_padding(layer, a->padding, &same);
}

typedef cj_symbol *pool_op(cj__build *g, cj_symbol *x, const cj__pool2d_attrs *attrs);

// The product of the lengths from axis `first` to before `last`.
static int64_t product(const cj_shape *shape, int first, int last)
{
    int64_t count = 1;
    for (int i = first; i < last; i++)
        count *= shape->dims[i];
    return count;
}

static cj_symbol *pool_axis(cj__build *g, cj_symbol *x, int axis, const cj__windows *w,
                            pool_op *pool)
{
    const int64_t size = w->size[axis - 1], stride = w->strides[axis - 1];
    if (!x || (size == 1 && stride == 1))
        return x;
    cj_shape shape = *cj_symbol_shape(x);
    const cj_shape image = CJ_SHAPE(shape.dims[0], product(&shape, 1, axis), shape.dims[axis],
                                    product(&shape, axis + 1, shape.rank));
    const cj__pool2d_attrs attrs = {.size = {1, size},
                                    .strides = {1, stride},
                                    .same = cj__windows_same(w),
                                    .input = {image.dims[1], image.dims[2]}};
    cj_symbol *y =
        pool(g, w->rank == 1 ? cj__put_axis(g, x, 1) : cj__reshape(g, x, &image), &attrs);
    if (!y)
        return NULL;
    shape.dims[axis] = cj_symbol_shape(y)->dims[2];
    return cj__reshape(g, y, &shape);
}

static cj_status call_pool(cj__layer_context *c, pool_op *pool)
{
    const cj_pooling1d_args *one = c->layer->args;
    const cj_pooling3d_args *three = c->layer->args;
    const bool is_1d = c->layer->kind == &cj__layer_max_pooling1d ||
                       c->layer->kind == &cj__layer_average_pooling1d;
    cj__windows w = is_1d ? CJ__POOL_WINDOWS(one) : CJ__POOL_WINDOWS(three);
    if (w.strides[0] < 0)
        w.strides[0] = w.size[0];
    CJ_TRY(cj__windows_fit(c->layer, "pool", cj__value_shape(c->inputs), &w));
    cj_symbol *x = c->inputs->symbol;
    for (int axis = w.rank; axis >= 1; axis--)
        x = pool_axis(c->build, x, axis, &w, pool);
    c->outputs[0].symbol = x;
    return CJ_OK;
}

static cj_status call_max(cj__layer_context *c)
{
    return call_pool(c, cj__max_pool2d);
}

static cj_status call_average(cj__layer_context *c)
{
    return call_pool(c, cj__average_pool2d);
}

#define POOL(plain, class, args, table, checks, how) \
    POOL_MASKED(plain, class, args, table, checks, how, NULL, NULL)
#define POOL_MASKED(plain, class, args, table, checks, how, settings, masks) \
    const cj__layer_kind cj__layer_##plain = {                               \
        .choice = CJ__CHOICE(#plain, class, table, args##_defaults),         \
        .keys = pool_keys,                                                   \
        .min_inputs = 1,                                                     \
        .max_inputs = 1,                                                     \
        .check = checks,                                                     \
        .call = how,                                                         \
        .mask = CJ__MASK_DROP,                                               \
        .call_settings = settings,                                           \
        .given_masks = masks,                                                \
    };                                                                       \
    cj_layer *cj_##plain##_new(const cj_##args##_args *args)                 \
    {                                                                        \
        return cj__layer_new(&cj__layer_##plain, args);                      \
    }
POOL(max_pooling1d, "MaxPooling1D", pooling1d, pool_fields_1d, check_1d, call_max)
POOL(average_pooling1d, "AveragePooling1D", pooling1d, pool_fields_1d, check_1d, call_average)
POOL(max_pooling3d, "MaxPooling3D", pooling3d, pool_fields_3d, check_3d, call_max)
POOL(average_pooling3d, "AveragePooling3D", pooling3d, pool_fields_3d, check_3d, call_average)

// ---- global ----

static const cj__field global_fields_1d[] = {
    CJ__FIELD(cj_global_pooling1d_args, keepdims, CJ__FIELD_BOOL),
    CJ__LAYER_FIELDS(cj_global_pooling1d_args),
};

static const cj__field global_fields_3d[] = {
    CJ__FIELD(cj_global_pooling3d_args, keepdims, CJ__FIELD_BOOL),
    CJ__LAYER_FIELDS(cj_global_pooling3d_args),
};

// The input has the rank, and lengths are known.
static cj_status check_global(const cj__layer_context *c, int axes)
{
    const cj__windows one = {.rank = axes,
                             .size = {1, 1, 1},
                             .strides = {1, 1, 1},
                             .dilation = {1, 1, 1},
                             .padding = "valid"};
    return cj__windows_fit(c->layer, "pool", cj__value_shape(c->inputs), &one);
}

typedef cj_symbol *reduce_op(cj__build *g, cj_symbol *x, uint32_t axes, bool keepdims);

static cj_status call_global_1d(cj__layer_context *c, reduce_op *reduce)
{
    const cj_global_pooling1d_args *a = c->layer->args;
    CJ_TRY(check_global(c, 1));
    c->outputs[0].symbol = reduce(c->build, c->inputs->symbol, 1u << 1, a->keepdims);
    return CJ_OK;
}

static cj_status call_global_3d(cj__layer_context *c, reduce_op *reduce)
{
    const cj_global_pooling3d_args *a = c->layer->args;
    CJ_TRY(check_global(c, 3));
    c->outputs[0].symbol =
        reduce(c->build, c->inputs->symbol, 1u << 1 | 1u << 2 | 1u << 3, a->keepdims);
    return CJ_OK;
}

static cj_status call_global_max_1d(cj__layer_context *c)
{
    return call_global_1d(c, cj__max);
}

// With a mask, the mean of the steps that it leaves.
static cj_status call_global_average_1d(cj__layer_context *c)
{
    const cj_global_pooling1d_args *a = c->layer->args;
    cj__build *g = c->build;
    if (!c->inputs->mask)
        return call_global_1d(c, cj__mean);
    CJ_TRY(check_global(c, 1));
    cj_symbol *x = c->inputs->symbol, *mask = cj__put_axis(g, c->inputs->mask, 2);
    cj_symbol *left = cj__select(g, mask, x, cj__scalar_like(g, x, 0));
    cj_symbol *ones = cj__select(g, mask, cj__scalar_like(g, x, 1), cj__scalar_like(g, x, 0));
    c->outputs[0].symbol =
        cj__div(g, cj__sum(g, left, 1u << 1, a->keepdims), cj__sum(g, ones, 1u << 1, a->keepdims));
    return CJ_OK;
}

static cj_status call_global_max_3d(cj__layer_context *c)
{
    return call_global_3d(c, cj__max);
}

static cj_status call_global_average_3d(cj__layer_context *c)
{
    return call_global_3d(c, cj__mean);
}

POOL(global_max_pooling1d, "GlobalMaxPooling1D", global_pooling1d, global_fields_1d, NULL,
     call_global_max_1d)
POOL_MASKED(global_average_pooling1d, "GlobalAveragePooling1D", global_pooling1d, global_fields_1d,
            NULL, call_global_average_1d, cj__mask_settings, cj__mask_of_first)
POOL(global_max_pooling3d, "GlobalMaxPooling3D", global_pooling3d, global_fields_3d, NULL,
     call_global_max_3d)
POOL(global_average_pooling3d, "GlobalAveragePooling3D", global_pooling3d, global_fields_3d, NULL,
     call_global_average_3d)
