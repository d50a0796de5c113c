// Dropout.
#include "layers/kind.h"

CJ__DEFAULTS(dropout, DROPOUT)

static const cj__field fields[] = {
    CJ__FIELD(cj_dropout_args, rate, CJ__FIELD_NUMBER, .low = 0, .high = 1),
    CJ__FIELD(cj_dropout_args, noise_shape, CJ__FIELD_LIST, .optional = true),
    CJ__FIELD(cj_dropout_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_dropout_args),
};

static const cj__config_key keys[] = {
    CJ__KEY_RENAMED("p", "rate"),
    {.key = NULL},
};

// x > 0 ? 1 : 1 is 1 for any x and has the shape of x, a free batch axis included.
cj_symbol *cj__ones_over(cj__build *g, cj_symbol *x, uint32_t axes)
{
    if (axes)
        x = cj__max(g, x, axes, true);
    cj_symbol *one = cj__scalar_like(g, x, 1);
    return cj__select(g, cj__compare(g, CJ__COMPARISON_greater, x, cj__scalar_like(g, x, 0)), one,
                      one);
}

// The axes along which the mask is shared: those with length 1 in noise_shape but not in the input.
static cj_status shared_axes(const cj_layer *layer, const cj_shape *x, uint32_t *axes)
{
    const cj_dropout_args *a = layer->args;
    char text[CJ__SHAPE_WORDS];
    int rank = 0;
    *axes = 0;
    for (; rank < CJ_MAX_RANK && a->noise_shape[rank] != 0; rank++) {
        const int64_t length = a->noise_shape[rank];
        if (rank < x->rank && length == 1 && x->dims[rank] != 1)
            *axes |= 1u << rank;
        else if (rank < x->rank && length != -1 && length != x->dims[rank])
            rank = CJ_MAX_RANK;
    }
    if (rank != 0 && rank != x->rank)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: noise_shape does not fit input %s: lengths are 1, -1 or the input's",
                        layer->name, cj_shape_text(x, text, sizeof text));
    return CJ_OK;
}

// Training: y = x mask / (1 - rate). Predicting: y = x.
static cj_status call_dropout(cj__layer_context *c)
{
    const cj_dropout_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    uint32_t axes = 0;
    CJ_TRY(shared_axes(c->layer, cj_symbol_shape(x), &axes));
    if (c->trace->training && a->rate > 0) {
        const uint64_t key = cj__trace_key(c->trace, a->seed, c->layer->name);
        if (axes)
            x = cj__mul(g, x,
                        cj__dropout(g, cj__ones_over(g, x, axes), c->trace->step, key, a->rate));
        else
            x = cj__dropout(g, x, c->trace->step, key, a->rate);
    }
    c->outputs[0].symbol = x;
    return CJ_OK;
}

const cj__layer_kind cj__layer_dropout = {
    .choice = CJ__CHOICE("dropout", "Dropout", fields, dropout_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .call = call_dropout,
    .mask = CJ__MASK_PASS,
};

CJ__CONSTRUCTOR(dropout)
