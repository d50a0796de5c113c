// MaxPooling2D, AveragePooling2D, and the global pools.
#include "layers/kind.h"
#include <string.h>

CJ__DEFAULTS(pooling2d, POOLING2D)

static const cj__field pool_fields[] = {
    CJ__FIELD(cj_pooling2d_args, pool_size, CJ__FIELD_PAIR, CJ__POSITIVE),
    CJ__FIELD(cj_pooling2d_args, strides, CJ__FIELD_PAIR, .optional = true, CJ__POSITIVE),
    CJ__FIELD(cj_pooling2d_args, padding, CJ__FIELD_TEXT, .required = true),
    CJ__LAYER_FIELDS(cj_pooling2d_args),
};

static const cj__config_key pool_keys[] = {
    CJ__KEY_RENAMED("border_mode", "padding"),
    CJ__KEY_ONLY("data_format", "channels_last"),
    CJ__KEY_ONLY("dim_ordering", "tf"),
    {.key = NULL},
};

static cj_status check_pool(cj_layer *layer)
{
    cj_pooling2d_args *a = layer->args;
    bool same;
    if (a->strides[0] == 0)
        memcpy(a->strides, a->pool_size, sizeof a->strides);
    return cj__layer_padding(layer, a->padding, &same);
}

typedef cj_symbol *pool_op(cj__build *g, cj_symbol *x, const cj__pool2d_attrs *attrs);

// (n, h, w, c) becomes (n, h', w', c).
static cj_status call_pool(cj__layer_context *c, pool_op *pool)
{
    const cj_pooling2d_args *a = c->layer->args;
    const cj_shape *x = cj__value_shape(c->inputs);
    const bool same = strcmp(a->padding, "same") == 0;
    CJ_TRY(cj__layer_window(c->layer, "pool", x, a->pool_size, (int64_t[2]){1, 1}, same));
    const cj__pool2d_attrs attrs = {
        .size = {a->pool_size[0], a->pool_size[1]},
        .strides = {a->strides[0], a->strides[1]},
        .same = same,
        .input = {x->dims[1], x->dims[2]},
    };
    c->outputs[0].symbol = pool(c->build, c->inputs->symbol, &attrs);
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

#define POOL(plain, class, how)                                               \
    const cj__layer_kind cj__layer_##plain = {                                \
        .choice = CJ__CHOICE(#plain, class, pool_fields, pooling2d_defaults), \
        .keys = pool_keys,                                                    \
        .min_inputs = 1,                                                      \
        .max_inputs = 1,                                                      \
        .check = check_pool,                                                  \
        .call = how,                                                          \
        .mask = CJ__MASK_DROP,                                                \
    };                                                                        \
    cj_layer *cj_##plain##_new(const cj_pooling2d_args *args)                 \
    {                                                                         \
        return cj__layer_new(&cj__layer_##plain, args);                       \
    }
POOL(max_pooling2d, "MaxPooling2D", call_max)
POOL(average_pooling2d, "AveragePooling2D", call_average)

CJ__DEFAULTS(global_pooling2d, GLOBAL_POOLING2D)

static const cj__field global_fields[] = {
    CJ__FIELD(cj_global_pooling2d_args, keepdims, CJ__FIELD_BOOL),
    CJ__LAYER_FIELDS(cj_global_pooling2d_args),
};

typedef cj_symbol *reduce_op(cj__build *g, cj_symbol *x, uint32_t axes, bool keepdims);

// (n, h, w, c) becomes (n, c), or (n, 1, 1, c) with keepdims.
static cj_status call_global(cj__layer_context *c, reduce_op *reduce)
{
    const cj_global_pooling2d_args *a = c->layer->args;
    CJ_TRY(cj__layer_window(c->layer, "pool", cj__value_shape(c->inputs), (int64_t[2]){1, 1},
                            (int64_t[2]){1, 1}, false));
    c->outputs[0].symbol = reduce(c->build, c->inputs->symbol, 1u << 1 | 1u << 2, a->keepdims);
    return CJ_OK;
}

static cj_status call_global_max(cj__layer_context *c)
{
    return call_global(c, cj__max);
}

static cj_status call_global_average(cj__layer_context *c)
{
    return call_global(c, cj__mean);
}

#define GLOBAL_POOL(plain, class, how)                                                 \
    const cj__layer_kind cj__layer_##plain = {                                         \
        .choice = CJ__CHOICE(#plain, class, global_fields, global_pooling2d_defaults), \
        .keys = pool_keys,                                                             \
        .min_inputs = 1,                                                               \
        .max_inputs = 1,                                                               \
        .call = how,                                                                   \
        .mask = CJ__MASK_DROP,                                                         \
    };                                                                                 \
    cj_layer *cj_##plain##_new(const cj_global_pooling2d_args *args)                   \
    {                                                                                  \
        return cj__layer_new(&cj__layer_##plain, args);                                \
    }
GLOBAL_POOL(global_max_pooling2d, "GlobalMaxPooling2D", call_global_max)
GLOBAL_POOL(global_average_pooling2d, "GlobalAveragePooling2D", call_global_average)
