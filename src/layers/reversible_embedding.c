// ReversibleEmbedding: keras/src/layers/core/reversible_embedding.py.
#include "layers/embedding.h"
#include "ops/variable.h"

#include <cajal/embeddings.h>
#include <math.h>
#include <string.h>

CJ__DEFAULTS(reversible_embedding, REVERSIBLE_EMBEDDING)

static const char *const dtypes[] = {"float32", "bfloat16", NULL};

static const cj__field fields[] = {
    CJ__FIELD(cj_reversible_embedding_args, input_dim, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_reversible_embedding_args, output_dim, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_reversible_embedding_args, tie_weights, CJ__FIELD_BOOL),
    CJ__SPEC_FIELD(cj_reversible_embedding_args, embeddings_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_reversible_embedding_args, embeddings_regularizer, cj__regularizers),
    CJ__CONSTRAINT_FIELD(cj_reversible_embedding_args, embeddings_constraint),
    CJ__FIELD(cj_reversible_embedding_args, mask_zero, CJ__FIELD_BOOL),
    CJ__FIELD(cj_reversible_embedding_args, reverse_dtype, CJ__FIELD_TEXT, .words = dtypes),
    CJ__FIELD(cj_reversible_embedding_args, logit_soft_cap, CJ__FIELD_LIMIT),
    CJ__LAYER_FIELDS(cj_reversible_embedding_args),
};

static const cj__config_key keys[] = {
    CJ__KEY_ONLY("activity_regularizer", "null"),
    CJ__KEY_ONLY("lora_rank", "null"),
    CJ__KEY_ONLY("lora_alpha", "null"),
    {.key = NULL},
};

static const char *const call_settings[] = {"reverse", NULL};

static cj_status check(cj_layer *layer)
{
    const cj_reversible_embedding_args *a = layer->args;
    if (a->logit_soft_cap > 0)
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT,
                    "%s: logit_soft_cap is %g, needs a positive number, or INFINITY for none",
                    layer->name, a->logit_soft_cap);
}

static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const cj_reversible_embedding_args *a = layer->args;
    (void)inputs;
    CJ_TRY(cj__layer_add_variable(layer, "embeddings", CJ_SHAPE(a->input_dim, a->output_dim),
                                  a->embeddings_initializer, a->embeddings_regularizer, true,
                                  NULL));
    if (a->tie_weights)
        return CJ_OK;
    return cj__layer_add_variable(layer, "reverse_embeddings",
                                  CJ_SHAPE(a->output_dim, a->input_dim), a->embeddings_initializer,
                                  NULL, true, NULL);
}

// logits = x E^T, or x R of the table of its own: (..., output_dim) becomes (..., input_dim).
static cj_status call_reverse(cj__layer_context *c)
{
    const cj_reversible_embedding_args *a = c->layer->args;
    cj__build *g = c->build;
    char text[CJ__SHAPE_WORDS];
    const cj_shape *shape = cj__value_shape(&c->inputs[0]);
    CJ_TRY(cj__layer_need_rank(c->layer, shape, 2, CJ_MAX_RANK));
    if (shape->dims[shape->rank - 1] != a->output_dim)
        return cj__fail(
            CJ_SHAPE_MISMATCH, "%s: the reverse takes vectors of %lld numbers, its input is %s",
            c->layer->name, (long long)a->output_dim, cj_shape_text(shape, text, sizeof text));
    const bool rounds = a->reverse_dtype && strcmp(a->reverse_dtype, "bfloat16") == 0;
    cj_symbol *x = cj__cast(g, c->inputs[0].symbol, CJ_F32),
              *table = cj__trace_variable(c->trace, c->layer->variables[a->tie_weights ? 0 : 1]);
    if (rounds) {
        x = cj__round_bf16(g, x);
        table = cj__round_bf16(g, table);
    }
    cj_symbol *y = cj__matmul(g, x, table, false, a->tie_weights);
    if (rounds)
        y = cj__round_bf16(g, y);
    if (isfinite(a->logit_soft_cap)) {
        y = cj__div(g, y, cj__scalar(g, CJ_F32, a->logit_soft_cap));
        y = cj__scale(g, cj__apply_unary(g, CJ__UNARY_tanh, y, 0, 0), a->logit_soft_cap);
    }
    c->outputs[0].symbol = y;
    return g->status;
}

static cj_status call(cj__layer_context *c)
{
    if (cj__called_with(c, call_settings[0]))
        return call_reverse(c);
    return cj__call_embedding(c, ((const cj_reversible_embedding_args *)c->layer->args)->mask_zero);
}

const cj__layer_kind cj__layer_reversible_embedding = {
    .choice = CJ__CHOICE("reversible_embedding", "ReversibleEmbedding", fields,
                         reversible_embedding_defaults),
    .keys = keys,
    .call_settings = call_settings,
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check,
    .build = build,
    .call = call,
    .mask = CJ__MASK_OWN,
    .any_dtype = true,
};

CJ__CONSTRUCTOR(reversible_embedding)
