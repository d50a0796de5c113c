// Input: what a model is given.
#include "layers/input.h"
#include "layers/kind.h"
#include <string.h>

CJ__DEFAULTS(input, INPUT)

static const cj__field input_fields[] = {
    CJ__FIELD(cj_input_args, shape, CJ__FIELD_LIST, .low = CJ_ANY, .high = 1e15, .hidden = true),
    CJ__FIELD(cj_input_args, dtype, CJ__FIELD_TEXT),
    CJ__FIELD(cj_input_args, batch_size, CJ__FIELD_INT, .low = 0, .high = 1e15, .hidden = true),
    CJ__FIELD(cj_input_args, name, CJ__FIELD_TEXT),
};

static cj_status check_input(cj_layer *layer)
{
    const cj_input_args *a = layer->args;
    cj_dtype dtype;
    int rank = 0;
    while (rank < CJ_MAX_RANK && a->shape[rank] != 0)
        rank++;
    if (rank == CJ_MAX_RANK)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: more than %d axes", layer->name, CJ_MAX_RANK - 1);
    const cj_status status = cj_dtype_from_name(a->dtype, &dtype);
    return status != CJ_OK ? cj__fail_in(status, "%s", layer->name) : CJ_OK;
}

void cj__input_type(const cj_layer *input_layer, cj__type *type)
{
    const cj_input_args *a = input_layer->args;
    *type =
        (cj__type){.shape = {.rank = 1, .dims = {a->batch_size > 0 ? a->batch_size : CJ_BATCH}}};
    cj_dtype_from_name(a->dtype, &type->dtype); // checked when the layer was made
    while (type->shape.rank < CJ_MAX_RANK && a->shape[type->shape.rank - 1] != 0) {
        type->shape.dims[type->shape.rank] = a->shape[type->shape.rank - 1];
        type->shape.rank++;
    }
}

bool cj__type_is_free(const cj__type *type)
{
    for (int i = 1; i < type->shape.rank; i++)
        if (type->shape.dims[i] == CJ_ANY)
            return true;
    return false;
}

cj__type cj__type_of_length(const cj__type *type, int64_t length)
{
    cj__type fixed = *type;
    for (int i = 1; i < fixed.shape.rank; i++)
        if (fixed.shape.dims[i] == CJ_ANY)
            fixed.shape.dims[i] = length;
    return fixed;
}

cj_layer *cj__input_of_type(const cj__type *type)
{
    cj_input_args args = {CJ_INPUT_DEFAULTS, .dtype = cj_dtype_name(type->dtype)};
    if (type->shape.rank == 0) {
        cj__fail(CJ_SHAPE_MISMATCH, "input_layer: a scalar was given, needs a batch axis");
        return NULL;
    }
    args.batch_size = type->shape.dims[0] == CJ_BATCH ? 0 : type->shape.dims[0];
    memcpy(args.shape, type->shape.dims + 1, (size_t)(type->shape.rank - 1) * sizeof args.shape[0]);
    return cj_input_new(&args);
}

// A model puts its own input in place of this layer and does not call it. Called otherwise, it
// passes its input on.
static cj_status call_input(cj__layer_context *c)
{
    c->outputs[0] = c->inputs[0];
    return CJ_OK;
}

const cj__layer_kind cj__layer_input = {
    .choice = CJ__CHOICE("input", "InputLayer", input_fields, input_defaults),
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check_input,
    .call = call_input,
    .mask = CJ__MASK_PASS,
    .any_dtype = true,
    .no_policy = true,
};

CJ__CONSTRUCTOR(input)
