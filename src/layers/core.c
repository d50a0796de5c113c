// Dense and Embedding.
#include "layers/embedding.h"
#include "ops/variable.h"

// Dense
// ------------------------------------------------------------------------------------------------------------

CJ__DEFAULTS(dense, DENSE)

static const cj__field dense_fields[] = {
    CJ__FIELD(cj_dense_args, units, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__KERNEL_FIELDS(cj_dense_args),
    CJ__KERNEL_CONSTRAINTS(cj_dense_args),
    CJ__LAYER_FIELDS(cj_dense_args),
};

static const cj__config_key dense_keys[] = {
    CJ__KEY_RENAMED("output_dim", "units"),
    CJ__KEY_RENAMED("init", "kernel_initializer"),
    CJ__KEY_RENAMED("W_regularizer", "kernel_regularizer"),
    CJ__KEY_RENAMED("b_regularizer", "bias_regularizer"),
    CJ__KEY_RENAMED("bias", "use_bias"),
    CJ__KEY_RENAMED("W_constraint", "kernel_constraint"),
    CJ__KEY_RENAMED("b_constraint", "bias_constraint"),
    CJ__KEY_ONLY("lora_rank", "null"),
    CJ__KEY_ONLY("lora_alpha", "null"),
    CJ__KEY_HARMLESS("input_dim"),
    {.key = NULL},
};

static cj_status build_dense(cj_layer *layer, const cj__type *inputs)
{
    const cj_dense_args *a = layer->args;
    const cj_shape *x = &inputs[0].shape;
    CJ_TRY(cj__layer_need_rank(layer, x, 2, CJ_MAX_RANK));
    CJ_TRY(cj__layer_need_length(layer, x, x->rank - 1));
    return cj__add_kernel(layer, CJ_SHAPE(x->dims[x->rank - 1], a->units), CJ__KERNEL_SETTINGS(a));
}

// y = activation(x W + b): (..., in) by (in, units).
static cj_status call_dense(cj__layer_context *c)
{
    const cj_dense_args *a = c->layer->args;
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    cj__build *g = c->build;
    CJ_TRY(cj__layer_need_rank(c->layer, x, 2, CJ_MAX_RANK));
    const int64_t needed = cj__variable_type(c->layer->variables[0]).shape.dims[0];
    if (x->dims[x->rank - 1] != needed)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: the input's last axis has %lld entries, the layer was built for %lld",
                        c->layer->name, (long long)x->dims[x->rank - 1], (long long)needed);
    cj_symbol *y = cj__matmul(g, c->inputs[0].symbol,
                              cj__trace_variable(c->trace, c->layer->variables[0]), false, false);
    return cj__finish_kernel(c, y, CJ__KERNEL_SETTINGS(a));
}

const cj__layer_kind cj__layer_dense = {
    .choice = CJ__CHOICE("dense", "Dense", dense_fields, dense_defaults),
    .keys = dense_keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build_dense,
    .call = call_dense,
    .mask = CJ__MASK_PASS,
};

CJ__CONSTRUCTOR(dense)

// Embedding
// --------------------------------------------------------------------------------------------------------

CJ__DEFAULTS(embedding, EMBEDDING)

static const cj__field embedding_fields[] = {
    CJ__FIELD(cj_embedding_args, input_dim, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_embedding_args, output_dim, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__SPEC_FIELD(cj_embedding_args, embeddings_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_embedding_args, embeddings_regularizer, cj__regularizers),
    CJ__CONSTRAINT_FIELD(cj_embedding_args, embeddings_constraint),
    CJ__FIELD(cj_embedding_args, mask_zero, CJ__FIELD_BOOL),
    CJ__LAYER_FIELDS(cj_embedding_args),
};

static const cj__config_key embedding_keys[] = {
    CJ__KEY_RENAMED("init", "embeddings_initializer"),
    CJ__KEY_RENAMED("W_regularizer", "embeddings_regularizer"),
    CJ__KEY_RENAMED("W_constraint", "embeddings_constraint"),
    CJ__KEY_ONLY("activity_regularizer", "null"),
    CJ__KEY_ONLY("lora_rank", "null"),
    CJ__KEY_ONLY("lora_alpha", "null"),
    CJ__KEY_ONLY("dropout", "0"),
    CJ__KEY_HARMLESS("input_length"),
    CJ__KEY_HARMLESS("sparse"),
    {.key = NULL},
};

static cj_status build_embedding(cj_layer *layer, const cj__type *inputs)
{
    const cj_embedding_args *a = layer->args;
    (void)inputs;
    return cj__layer_add_variable(layer, "embeddings", CJ_SHAPE(a->input_dim, a->output_dim),
                                  a->embeddings_initializer, a->embeddings_regularizer, true, NULL);
}

// NaN, which would become row 0 when it is cast, becomes -1, which is no row.
static cj_symbol *number_of(cj__build *g, cj_symbol *x)
{
    const cj_dtype dtype = cj_symbol_dtype(x);
    if (dtype != CJ_F32 && dtype != CJ_F64)
        return x;
    return cj__select(g, cj__compare(g, CJ__COMPARISON_not_equal, x, x), cj__scalar(g, dtype, -1),
                      x);
}

cj_status cj__call_embedding(cj__layer_context *c, bool mask_zero)
{
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    CJ_TRY(cj__layer_need_rank(c->layer, cj__value_shape(&c->inputs[0]), 1, CJ_MAX_RANK - 1));
    c->outputs[0].symbol =
        cj__gather(g, cj__trace_variable(c->trace, c->layer->variables[0]), number_of(g, x));
    if (mask_zero)
        c->outputs[0].mask = cj__compare(g, CJ__COMPARISON_not_equal, cj__cast(g, x, CJ_F32),
                                         cj__scalar(g, CJ_F32, 0));
    return CJ_OK;
}

static cj_status call_embedding(cj__layer_context *c)
{
    return cj__call_embedding(c, ((const cj_embedding_args *)c->layer->args)->mask_zero);
}

const cj__layer_kind cj__layer_embedding = {
    .choice = CJ__CHOICE("embedding", "Embedding", embedding_fields, embedding_defaults),
    .keys = embedding_keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build_embedding,
    .call = call_embedding,
    .mask = CJ__MASK_OWN,
    .any_dtype = true,
};

CJ__CONSTRUCTOR(embedding)
