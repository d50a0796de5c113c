// MultiHeadAttention and GroupQueryAttention: keras/src/layers/attention.
#include "layers/multi_head.h"
#include "layers/composite.h"

static cj_status need_positive(const cj_layer *layer, const char *what, int64_t value)
{
    if (value == 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be positive, or -1 for none, not 0",
                        layer->name, what);
    return CJ_OK;
}

// MultiHeadAttention
// -----------------------------------------------------------------------------------------------

CJ__DEFAULTS(multi_head_attention, MULTI_HEAD_ATTENTION)

static const cj__field multi_fields[] = {
    CJ__FIELD(cj_multi_head_attention_args, num_heads, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_multi_head_attention_args, key_dim, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_multi_head_attention_args, value_dim, CJ__FIELD_SEED),
    CJ__FIELD(cj_multi_head_attention_args, output_shape, CJ__FIELD_LIST, CJ__POSITIVE),
    CJ__FIELD(cj_multi_head_attention_args, attention_axes, CJ__FIELD_LIST),
    CJ__HEADS_FIELDS(cj_multi_head_attention_args),
    CJ__LAYER_FIELDS(cj_multi_head_attention_args),
};

static const cj__config_key config_keys[] = {CJ__HEADS_KEYS, {.key = NULL}};

static cj_status check_multi(cj_layer *layer)
{
    const cj_multi_head_attention_args *a = layer->args;
    CJ_TRY(need_positive(layer, "sliding_window", a->sliding_window));
    return need_positive(layer, "value_dim", a->value_dim);
}

static cj__heads multi_of(const cj_layer *layer)
{
    const cj_multi_head_attention_args *a = layer->args;
    return (cj__heads){.heads = a->num_heads,
                       .key_heads = a->num_heads,
                       .depth = a->key_dim,
                       .width = a->value_dim > 0 ? a->value_dim : a->key_dim,
                       .most_axes = CJ_MAX_RANK - 1,
                       .output_shape = a->output_shape,
                       .attention_axes = a->attention_axes,
                       CJ__HEADS_OF(a)};
}

static cj_status build_multi(cj_layer *layer, const cj__type *inputs)
{
    const cj__heads heads = multi_of(layer);
    return cj__build_heads(layer, &heads, inputs);
}

static cj_status call_multi(cj__layer_context *c)
{
    const cj__heads heads = multi_of(c->layer);
    return cj__call_heads(c, &heads);
}

// In Keras a query_mask that is given is replaced by the one that the query carries.
static const cj__given_mask masks[] = {{"value_mask", 1}, {"key_mask", 2}, {NULL, 0}};

#define HEADS(plain, class, name)                                             \
    const cj__layer_kind cj__layer_##plain = {                                \
        .choice = CJ__CHOICE(#plain, class, name##_fields, plain##_defaults), \
        .keys = config_keys,                                                  \
        .min_inputs = 2,                                                      \
        .max_inputs = CJ__HEADS_INPUTS,                                       \
        .arguments = cj__heads_arguments,                                     \
        .call_settings = cj__attention_call_settings,                         \
        .given_masks = masks,                                                 \
        .check = check_##name,                                                \
        .build = build_##name,                                                \
        .call = call_##name,                                                  \
        .mask = CJ__MASK_OWN,                                                 \
        .children = cj__composite_children,                                   \
        .free = cj__composite_free,                                           \
        .size = sizeof(cj__composite),                                        \
        .any_dtype = true,                                                    \
    };                                                                        \
    CJ__CONSTRUCTOR(plain)

HEADS(multi_head_attention, "MultiHeadAttention", multi)

// GroupQueryAttention
// -----------------------------------------------------------------------------------------------

CJ__DEFAULTS(group_query_attention, GROUP_QUERY_ATTENTION)

static const cj__field grouped_fields[] = {
    CJ__FIELD(cj_group_query_attention_args, head_dim, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_group_query_attention_args, num_query_heads, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_group_query_attention_args, num_key_value_heads, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__HEADS_FIELDS(cj_group_query_attention_args),
    CJ__LAYER_FIELDS(cj_group_query_attention_args),
};

static cj_status check_grouped(cj_layer *layer)
{
    const cj_group_query_attention_args *a = layer->args;
    if (a->num_query_heads % a->num_key_value_heads != 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: num_query_heads %lld is no multiple of num_key_value_heads %lld",
                        layer->name, (long long)a->num_query_heads,
                        (long long)a->num_key_value_heads);
    return need_positive(layer, "sliding_window", a->sliding_window);
}

static cj__heads grouped_of(const cj_layer *layer)
{
    const cj_group_query_attention_args *a = layer->args;
    return (cj__heads){.heads = a->num_query_heads,
                       .key_heads = a->num_key_value_heads,
                       .depth = a->head_dim,
                       .width = a->head_dim,
                       .most_axes = 3,
                       CJ__HEADS_OF(a)};
}

static cj_status build_grouped(cj_layer *layer, const cj__type *inputs)
{
    const cj__heads heads = grouped_of(layer);
    return cj__build_heads(layer, &heads, inputs);
}

static cj_status call_grouped(cj__layer_context *c)
{
    const cj__heads heads = grouped_of(c->layer);
    return cj__call_heads(c, &heads);
}

HEADS(group_query_attention, "GroupQueryAttention", grouped)
