// Masking: keras/src/layers/core/masking.py.
#include "layers/kind.h"

#include <cajal/wrappers.h>

CJ__DEFAULTS(masking, MASKING)

static const cj__field fields[] = {
    CJ__FIELD(cj_masking_args, mask_value, CJ__FIELD_NUMBER),
    CJ__LAYER_FIELDS(cj_masking_args),
};

// The mask is true where any feature differs from the value; y = mask ? x : 0.
static cj_status call(cj__layer_context *c)
{
    const cj_masking_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    CJ_TRY(cj__layer_need_rank(c->layer, cj_symbol_shape(x), 2, CJ_MAX_RANK));
    const cj_shape shape = *cj_symbol_shape(x);
    cj_symbol *other =
        cj__compare(g, CJ__COMPARISON_not_equal, x, cj__scalar_like(g, x, a->mask_value));
    cj_symbol *any = cj__max(g, cj__cast(g, other, CJ_F32), 1u << (shape.rank - 1), true);
    cj_symbol *kept = cj__compare(g, CJ__COMPARISON_not_equal, any, cj__scalar_like(g, any, 0));
    cj_shape steps = shape;
    steps.rank--;
    c->outputs[0].symbol = cj__select(g, kept, x, cj__scalar_like(g, x, 0));
    c->outputs[0].mask = cj__reshape(g, kept, &steps);
    return g->status;
}

const cj__layer_kind cj__layer_masking = {
    .choice = CJ__CHOICE("masking", "Masking", fields, masking_defaults),
    .min_inputs = 1,
    .max_inputs = 1,
    .call = call,
    .mask = CJ__MASK_OWN,
};

CJ__CONSTRUCTOR(masking)
