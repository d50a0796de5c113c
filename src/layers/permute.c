// Permute and RepeatVector.
#include "layers/kind.h"
#include <cajal/reshaping.h>

CJ__DEFAULTS(permute, PERMUTE)
CJ__DEFAULTS(repeat_vector, REPEAT_VECTOR)

static const cj__field permute_fields[] = {
    CJ__FIELD(cj_permute_args, dims, CJ__FIELD_LIST, .required = true, .low = 1,
              .high = CJ_MAX_RANK - 1),
    CJ__LAYER_FIELDS(cj_permute_args),
};
static const cj__field repeat_fields[] = {
    CJ__FIELD(cj_repeat_vector_args, n, CJ__FIELD_INT, .required = true, .low = 1, .high = 1 << 24),
    CJ__LAYER_FIELDS(cj_repeat_vector_args),
};

static int count_of(const int64_t *dims)
{
    int count = 0;
    while (count < CJ_MAX_RANK && dims[count] != 0)
        count++;
    return count;
}

static cj_status check_permute(cj_layer *layer)
{
    const cj_permute_args *a = layer->args;
    const int count = count_of(a->dims);
    uint32_t seen = 0;
    for (int i = 0; i < count; i++)
        seen |= 1u << a->dims[i];
    if (count >= CJ_MAX_RANK || seen != ((1u << count) - 1) << 1)
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "%s: dims must have each of the axes 1 to %d once; 0, the batch axis, stays",
            layer->name, count);
    return CJ_OK;
}

static cj_status call_permute(cj__layer_context *c)
{
    const cj_permute_args *a = c->layer->args;
    int order[CJ_MAX_RANK] = {0};
    const int count = count_of(a->dims);
    CJ_TRY(cj__layer_need_rank(c->layer, cj__value_shape(c->inputs), count + 1, count + 1));
    for (int i = 0; i < count; i++)
        order[i + 1] = (int)a->dims[i];
    c->outputs[0].symbol = cj__transpose(c->build, c->inputs[0].symbol, order);
    return CJ_OK;
}

// (n, 1, features) times ones of (1, steps, 1).
static cj_status call_repeat_vector(cj__layer_context *c)
{
    const cj_repeat_vector_args *a = c->layer->args;
    const cj_shape *x = cj__value_shape(c->inputs);
    cj_tensor *ones = NULL;
    CJ_TRY(cj__layer_need_rank(c->layer, x, 2, 2));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(1, a->n, 1), &ones));
    cj_tensor_fill(ones, 1);
    cj_symbol *steps = cj__build_keep(c->build, cj_symbol_constant(ones));
    cj_symbol *row =
        cj__reshape(c->build, c->inputs[0].symbol, &CJ_SHAPE(x->dims[0], 1, x->dims[1]));
    c->outputs[0].symbol = cj__mul(c->build, row, steps);
    return CJ_OK;
}

const cj__layer_kind cj__layer_permute = {
    .choice = CJ__CHOICE("permute", "Permute", permute_fields, permute_defaults),
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check_permute,
    .call = call_permute,
    .mask = CJ__MASK_DROP,
    .any_dtype = true,
};

CJ__CONSTRUCTOR(permute)

const cj__layer_kind cj__layer_repeat_vector = {
    .choice = CJ__CHOICE("repeat_vector", "RepeatVector", repeat_fields, repeat_vector_defaults),
    .min_inputs = 1,
    .max_inputs = 1,
    .call = call_repeat_vector,
    .mask = CJ__MASK_DROP,
};

CJ__CONSTRUCTOR(repeat_vector)
