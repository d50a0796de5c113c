// Add and Concatenate.
#include "layers/kind.h"

CJ__DEFAULTS(merge, MERGE)

static const cj__field add_fields[] = {CJ__LAYER_FIELDS(cj_merge_args)};
CJ__DEFAULTS(concatenate, CONCATENATE)

static const cj__field concatenate_fields[] = {
    CJ__FIELD(cj_concatenate_args, axis, CJ__FIELD_INT32),
    CJ__LAYER_FIELDS(cj_concatenate_args),
};

// True where one of two masks is.
static cj_symbol *either(cj__build *g, cj_symbol *a, cj_symbol *b)
{
    cj_symbol *both =
        cj__apply_binary(g, CJ__BINARY_maximum, cj__cast(g, a, CJ_F32), cj__cast(g, b, CJ_F32));
    return cj__compare(g, CJ__COMPARISON_greater, both, cj__scalar_like(g, both, 0));
}

// The sum, with numpy's broadcasting. The mask as in Keras: true where one of the inputs' masks is;
// none if an input has none.
static cj_status call_add(cj__layer_context *c)
{
    cj__build *g = c->build;
    cj_symbol *sum = c->inputs[0].symbol, *mask = c->inputs[0].mask;
    for (int i = 1; i < c->input_count; i++) {
        const cj_shape *a = cj_symbol_shape(sum), *b = cj__value_shape(&c->inputs[i]);
        char first[CJ__SHAPE_WORDS], second[CJ__SHAPE_WORDS];
        bool fits = a->rank == b->rank;
        for (int j = 0; fits && j < a->rank; j++)
            fits = a->dims[j] == b->dims[j] || a->dims[j] == 1 || b->dims[j] == 1;
        if (!fits)
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: inputs %s and %s cannot be added",
                            c->layer->name, cj_shape_text(a, first, sizeof first),
                            cj_shape_text(b, second, sizeof second));
        sum = cj__add(g, sum, c->inputs[i].symbol);
        mask = mask && c->inputs[i].mask ? either(g, mask, c->inputs[i].mask) : NULL;
        if (!sum)
            return g->status;
    }
    c->outputs[0] = (cj__value){sum, mask};
    return CJ_OK;
}

const cj__layer_kind cj__layer_add = {
    .choice = CJ__CHOICE("add", "Add", add_fields, merge_defaults),
    .min_inputs = 2,
    .max_inputs = CJ__LAYER_IO_MAX,
    .call = call_add,
    .mask = CJ__MASK_OWN,
};

cj_layer *cj_add_new(const cj_merge_args *args)
{
    return cj__layer_new(&cj__layer_add, args);
}

// The mask as in Keras: those of the inputs are concatenated like the inputs, an input without one
// counts as true, and a step is true if any of its entries is. So along the last axis the mask is
// the "or" of all masks, and there is none if one input has none.
static cj_symbol *joined_mask(cj__build *g, const cj__value *inputs, int count, int axis, int rank)
{
    cj_symbol *parts[CJ__LAYER_IO_MAX], *any = NULL;
    int masked = 0;
    for (int i = 0; i < count; i++)
        masked += inputs[i].mask && cj_symbol_shape(inputs[i].mask)->rank == rank - 1;
    if (masked == 0 || (axis == rank - 1 && masked < count))
        return NULL;
    for (int i = 0; i < count; i++) {
        if (axis == rank - 1) {
            any = any ? either(g, any, inputs[i].mask) : inputs[i].mask;
            continue;
        }
        cj_symbol *ones =
            inputs[i].mask ? NULL : cj__max(g, inputs[i].symbol, 1u << (rank - 1), false);
        ones = ones ? cj__ones_over(g, ones, 0) : NULL;
        parts[i] = inputs[i].mask ?
                       inputs[i].mask :
                       cj__compare(g, CJ__COMPARISON_greater, ones, cj__scalar(g, CJ_F32, 0));
    }
    return axis == rank - 1 ? any : cj__concat(g, parts, count, axis);
}

static cj_status call_concatenate(cj__layer_context *c)
{
    const cj_concatenate_args *a = c->layer->args;
    const cj_shape *first = cj__value_shape(&c->inputs[0]);
    cj_symbol *symbols[CJ__LAYER_IO_MAX];
    int axis = 0;
    CJ_TRY(cj__layer_axis(c->layer, first, a->axis, &axis));
    for (int i = 0; i < c->input_count; i++) {
        const cj_shape *shape = cj__value_shape(&c->inputs[i]);
        char one[CJ__SHAPE_WORDS], other[CJ__SHAPE_WORDS];
        bool fits = shape->rank == first->rank;
        for (int j = 0; fits && j < first->rank; j++)
            fits = j == axis || shape->dims[j] == first->dims[j];
        if (!fits)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: inputs %s and %s differ along more than axis %d", c->layer->name,
                            cj_shape_text(first, one, sizeof one),
                            cj_shape_text(shape, other, sizeof other), axis);
        symbols[i] = c->inputs[i].symbol;
    }
    c->outputs[0].symbol =
        c->input_count == 1 ? symbols[0] : cj__concat(c->build, symbols, c->input_count, axis);
    c->outputs[0].mask = joined_mask(c->build, c->inputs, c->input_count, axis, first->rank);
    return CJ_OK;
}

const cj__layer_kind cj__layer_concatenate = {
    .choice = CJ__CHOICE("concatenate", "Concatenate", concatenate_fields, concatenate_defaults),
    .min_inputs = 1,
    .max_inputs = CJ__LAYER_IO_MAX,
    .call = call_concatenate,
    .mask = CJ__MASK_OWN,
};

CJ__CONSTRUCTOR(concatenate)
