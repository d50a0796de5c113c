// Dense and Embedding.
#include "layers/kind.h"
#include "ops/variable.h"

// Dense
// ------------------------------------------------------------------------------------------------------------

CJ__DEFAULTS(dense, DENSE)

static const cj__field dense_fields[] = {
    CJ__FIELD(cj_dense_args, units, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__SPEC_FIELD(cj_dense_args, activation, cj__activations),
    CJ__FIELD(cj_dense_args, use_bias, CJ__FIELD_BOOL),
    CJ__SPEC_FIELD(cj_dense_args, kernel_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_dense_args, bias_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_dense_args, kernel_regularizer, cj__regularizers),
    CJ__SPEC_FIELD(cj_dense_args, bias_regularizer, cj__regularizers),
    CJ__SPEC_FIELD(cj_dense_args, activity_regularizer, cj__regularizers),
    CJ__LAYER_FIELDS(cj_dense_args),
};

static const cj__config_key dense_keys[] = {
    CJ__KEY_RENAMED("output_dim", "units"),
    CJ__KEY_RENAMED("init", "kernel_initializer"),
    CJ__KEY_RENAMED("W_regularizer", "kernel_regularizer"),
    CJ__KEY_RENAMED("b_regularizer", "bias_regularizer"),
    CJ__KEY_RENAMED("bias", "use_bias"),
    CJ__KEY_ONLY("kernel_constraint", "null"),
    CJ__KEY_ONLY("bias_constraint", "null"),
    CJ__KEY_ONLY("W_constraint", "null"),
    CJ__KEY_ONLY("b_constraint", "null"),
    CJ__KEY_ONLY("lora_rank", "null"),
    CJ__KEY_ONLY("lora_alpha", "null"),
    CJ__KEY_HARMLESS("input_dim"),
    {.key = NULL},
};

static cj_status build_dense(cj_layer *layer, const cj__type *inputs, int count)
{
    const cj_dense_args *a = layer->args;
    const cj_shape *x = &inputs[0].shape;
    (void)count;
    CJ_TRY(cj__layer_need_rank(layer, x, 2, CJ_MAX_RANK));
    CJ_TRY(cj__layer_need_length(layer, x, x->rank - 1));
    CJ_TRY(cj__layer_add_variable(layer, "kernel", CJ_SHAPE(x->dims[x->rank - 1], a->units),
                                  a->kernel_initializer, a->kernel_regularizer, true, NULL));
    if (!a->use_bias)
        return CJ_OK;
    return cj__layer_add_variable(layer, "bias", CJ_SHAPE(a->units), a->bias_initializer,
                                  a->bias_regularizer, true, NULL);
}

// y = activation(x W + b): (..., in) by (in, units).
static cj_status call_dense(cj_layer *layer, cj__trace *trace, const cj__value *inputs, int count,
                            cj__value *outputs, int *output_count)
{
    const cj_dense_args *a = layer->args;
    const cj_shape *x = cj__value_shape(&inputs[0]);
    cj__build *g = &trace->build;
    (void)count;
    *output_count = 1;
    CJ_TRY(cj__layer_need_rank(layer, x, 2, CJ_MAX_RANK));
    const int64_t needed = cj__variable_type(layer->variables[0]).shape.dims[0];
    if (x->dims[x->rank - 1] != needed)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: the input's last axis has %lld entries, the layer was built for %lld",
                        layer->name, (long long)x->dims[x->rank - 1], (long long)needed);
    cj_symbol *y = cj__matmul(g, inputs[0].symbol, cj__trace_variable(trace, layer->variables[0]),
                              false, false);
    if (a->use_bias)
        y = cj__add(g, y, cj__trace_variable(trace, layer->variables[1]));
    y = cj__activation(g, a->activation, layer->name, y);
    if (a->activity_regularizer)
        cj__trace_loss(trace, cj__activity_regularizer(g, a->activity_regularizer, layer->name, y));
    outputs[0].symbol = y;
    return CJ_OK;
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

cj_layer *cj_dense_new(const cj_dense_args *args)
{
    return cj__layer_new(&cj__layer_dense, args);
}

// Embedding
// --------------------------------------------------------------------------------------------------------

CJ__DEFAULTS(embedding, EMBEDDING)

static const cj__field embedding_fields[] = {
    CJ__FIELD(cj_embedding_args, input_dim, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_embedding_args, output_dim, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__SPEC_FIELD(cj_embedding_args, embeddings_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_embedding_args, embeddings_regularizer, cj__regularizers),
    CJ__FIELD(cj_embedding_args, mask_zero, CJ__FIELD_BOOL),
    CJ__LAYER_FIELDS(cj_embedding_args),
};

static const cj__config_key embedding_keys[] = {
    CJ__KEY_RENAMED("init", "embeddings_initializer"),
    CJ__KEY_RENAMED("W_regularizer", "embeddings_regularizer"),
    CJ__KEY_ONLY("embeddings_constraint", "null"),
    CJ__KEY_ONLY("W_constraint", "null"),
    CJ__KEY_ONLY("activity_regularizer", "null"),
    CJ__KEY_ONLY("lora_rank", "null"),
    CJ__KEY_ONLY("lora_alpha", "null"),
    CJ__KEY_ONLY("dropout", "0"),
    CJ__KEY_HARMLESS("input_length"),
    CJ__KEY_HARMLESS("sparse"),
    {.key = NULL},
};

static cj_status build_embedding(cj_layer *layer, const cj__type *inputs, int count)
{
    const cj_embedding_args *a = layer->args;
    (void)inputs, (void)count;
    return cj__layer_add_variable(layer, "embeddings", CJ_SHAPE(a->input_dim, a->output_dim),
                                  a->embeddings_initializer, a->embeddings_regularizer, true, NULL);
}

// y = table[x]: (...) by (input_dim, output_dim); the mask is x != 0.
static cj_status call_embedding(cj_layer *layer, cj__trace *trace, const cj__value *inputs,
                                int count, cj__value *outputs, int *output_count)
{
    const cj_embedding_args *a = layer->args;
    cj__build *g = &trace->build;
    cj_symbol *x = inputs[0].symbol;
    (void)count;
    *output_count = 1;
    CJ_TRY(cj__layer_need_rank(layer, cj__value_shape(&inputs[0]), 1, CJ_MAX_RANK - 1));
    outputs[0].symbol = cj__gather(g, cj__trace_variable(trace, layer->variables[0]), x);
    if (a->mask_zero)
        outputs[0].mask = cj__compare(g, CJ__COMPARISON_not_equal, cj__cast(g, x, CJ_F32),
                                      cj__scalar(g, CJ_F32, 0));
    return CJ_OK;
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

cj_layer *cj_embedding_new(const cj_embedding_args *args)
{
    return cj__layer_new(&cj__layer_embedding, args);
}
