// Flatten and Reshape: the same elements in another shape.
#include "layers/kind.h"

CJ__DEFAULTS(flatten, FLATTEN)

static const cj__field flatten_fields[] = {CJ__LAYER_FIELDS(cj_flatten_args)};

static const cj__config_key flatten_keys[] = {
    CJ__KEY_ONLY("data_format", "channels_last"),
    {.key = NULL},
};

// The number of elements of a sample: the product of all but the batch axis.
static cj_status sample_size(const cj_layer *layer, const cj_shape *x, int64_t *size)
{
    cj_shape sample = {.rank = x->rank - 1};
    char text[CJ__SHAPE_WORDS];
    CJ_TRY(cj__layer_need_rank(layer, x, 1, CJ_MAX_RANK));
    for (int i = 0; i < sample.rank; i++)
        sample.dims[i] = x->dims[i + 1];
    *size = cj_shape_count(&sample);
    if (*size < 0)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: input %s must be known but for the batch axis",
                        layer->name, cj_shape_text(x, text, sizeof text));
    return CJ_OK;
}

// (n, ...) becomes (n, elements); (n) becomes (n, 1).
static cj_status call_flatten(cj__layer_context *c)
{
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    int64_t size = 0;
    CJ_TRY(sample_size(c->layer, x, &size));
    c->outputs[0].symbol = cj__reshape(c->build, c->inputs[0].symbol, &CJ_SHAPE(x->dims[0], size));
    return CJ_OK;
}

const cj__layer_kind cj__layer_flatten = {
    .choice = CJ__CHOICE("flatten", "Flatten", flatten_fields, flatten_defaults),
    .keys = flatten_keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .call = call_flatten,
    .mask = CJ__MASK_DROP,
    .any_dtype = true,
};

CJ__CONSTRUCTOR(flatten)

CJ__DEFAULTS(reshape, RESHAPE)

static const cj__field reshape_fields[] = {
    CJ__FIELD(cj_reshape_args, target_shape, CJ__FIELD_LIST),
    CJ__LAYER_FIELDS(cj_reshape_args),
};

static cj_status check_reshape(cj_layer *layer)
{
    const cj_reshape_args *a = layer->args;
    int rank = 0, open = 0;
    for (; rank < CJ_MAX_RANK && a->target_shape[rank] != 0; rank++) {
        if (a->target_shape[rank] < -1)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: target_shape has length %lld; lengths are positive, or -1 once",
                            layer->name, (long long)a->target_shape[rank]);
        open += a->target_shape[rank] == -1;
    }
    if (rank == 0 || rank == CJ_MAX_RANK || open > 1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: target_shape must have 1 to %d lengths, of which one may be -1",
                        layer->name, CJ_MAX_RANK - 1);
    return CJ_OK;
}

static cj_status call_reshape(cj__layer_context *c)
{
    const cj_reshape_args *a = c->layer->args;
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    cj_shape y = {.rank = 1, .dims = {x->dims[0]}}, sample = {0};
    char from[CJ__SHAPE_WORDS], to[CJ__SHAPE_WORDS];
    int64_t size = 0;
    int open = 0;
    CJ_TRY(sample_size(c->layer, x, &size));
    for (int i = 0; i < CJ_MAX_RANK - 1 && a->target_shape[i] != 0; i++) {
        open = a->target_shape[i] == -1 ? i + 1 : open;
        y.dims[y.rank++] = a->target_shape[i];
        sample.dims[sample.rank++] = a->target_shape[i] == -1 ? 1 : a->target_shape[i];
    }
    const int64_t known = cj_shape_count(&sample);
    if (known <= 0 || size % known != 0 || (!open && size != known))
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: input %s has %lld elements a sample, which do not fit %s",
                        c->layer->name, cj_shape_text(x, from, sizeof from), (long long)size,
                        cj_shape_text(&y, to, sizeof to));
    if (open)
        y.dims[open] = size / known;
    c->outputs[0].symbol = cj__reshape(c->build, c->inputs[0].symbol, &y);
    return CJ_OK;
}

const cj__layer_kind cj__layer_reshape = {
    .choice = CJ__CHOICE("reshape", "Reshape", reshape_fields, reshape_defaults),
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check_reshape,
    .call = call_reshape,
    .mask = CJ__MASK_DROP,
    .any_dtype = true,
};

CJ__CONSTRUCTOR(reshape)
