// RMSNormalization and UnitNormalization: keras/src/layers/normalization.
#include "layers/kind.h"

#include <cajal/normalization.h>

// The set of axes of a setting, which must not be empty.
static cj_status axes_of(const cj_layer *layer, const cj_shape *x, const int64_t *list,
                         uint32_t *axes)
{
    *axes = 0;
    CJ_TRY(cj__layer_need_rank(layer, x, 2, CJ_MAX_RANK));
    for (int i = 0; i < CJ_MAX_RANK && list[i] != 0; i++) {
        int axis = 0;
        CJ_TRY(cj__layer_axis(layer, x, (int)list[i], &axis));
        if (*axes >> axis & 1)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: axis %d is given twice", layer->name, axis);
        *axes |= 1u << axis;
    }
    return *axes ? CJ_OK : cj__fail(CJ_INVALID_ARGUMENT, "%s: axis is required", layer->name);
}

static cj_symbol *square(cj__build *g, cj_symbol *x)
{
    return cj__apply_unary(g, CJ__UNARY_square, x, 0, 0);
}

static cj_symbol *rsqrt(cj__build *g, cj_symbol *x)
{
    return cj__apply_unary(g, CJ__UNARY_rsqrt, x, 0, 0);
}

// RMSNormalization
// -----------------------------------------------------------------------------------------------

CJ__DEFAULTS(rms_normalization, RMS_NORMALIZATION)

static const cj__field rms_fields[] = {
    CJ__FIELD(cj_rms_normalization_args, axis, CJ__FIELD_LIST),
    CJ__FIELD(cj_rms_normalization_args, epsilon, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__LAYER_FIELDS(cj_rms_normalization_args),
};

// Whether the lengths in the order of the axes' numbers, negative ones first, are those of the last
// axes: Keras's scale has them in that order and is multiplied along the last axes.
static bool fits_scale(const cj_shape *x, const int64_t *list, uint32_t axes)
{
    int64_t sorted[CJ_MAX_RANK];
    int count = 0;
    for (; count < CJ_MAX_RANK && list[count] != 0; count++) {
        int place = count;
        for (; place > 0 && sorted[place - 1] > list[count]; place--)
            sorted[place] = sorted[place - 1];
        sorted[place] = list[count];
    }
    for (int i = 0, at = 0; i < x->rank; i++)
        if (axes >> i & 1) {
            const int64_t axis = sorted[at++];
            if (x->dims[axis < 0 ? axis + x->rank : axis] != x->dims[i])
                return false;
        }
    return true;
}

// The normalized axes, which are the last ones: elsewhere Keras's scale would meet other axes.
static cj_status last_axes(const cj_layer *layer, const cj_shape *x, uint32_t *axes)
{
    const cj_rms_normalization_args *a = layer->args;
    char text[CJ__SHAPE_WORDS];
    CJ_TRY(axes_of(layer, x, a->axis, axes));
    const uint32_t before = (1u << x->rank) - 1 - *axes;
    if (before & (before + 1))
        return cj__fail(CJ_UNSUPPORTED, "%s: axis must name the last axes of input %s", layer->name,
                        cj_shape_text(x, text, sizeof text));
    for (int i = 0; i < x->rank; i++)
        if (*axes >> i & 1)
            CJ_TRY(cj__layer_need_length(layer, x, i));
    if (!fits_scale(x, a->axis, *axes))
        return cj__fail(
            CJ_UNSUPPORTED,
            "%s: axis mixes positive and negative numbers, in whose order Keras's scale "
            "does not fit input %s: count all axes from one end",
            layer->name, cj_shape_text(x, text, sizeof text));
    return CJ_OK;
}

static cj_status build_rms(cj_layer *layer, const cj__type *inputs)
{
    const cj_shape *x = &inputs[0].shape;
    cj_shape shape = {.rank = 0};
    uint32_t axes = 0;
    CJ_TRY(last_axes(layer, x, &axes));
    for (int i = 0; i < x->rank; i++)
        if (axes >> i & 1)
            shape.dims[shape.rank++] = x->dims[i];
    return cj__layer_add_variable(layer, "scale", shape, "ones", NULL, true, NULL);
}

static cj_status call_rms(cj__layer_context *c)
{
    const cj_rms_normalization_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    uint32_t axes = 0;
    CJ_TRY(last_axes(c->layer, cj_symbol_shape(x), &axes));
    cj_symbol *mean = cj__mean(g, square(g, x), axes, true);
    cj_symbol *y = cj__mul(g, x, rsqrt(g, cj__shift(g, mean, a->epsilon)));
    c->outputs[0].symbol = cj__mul(g, y, cj__trace_variable(c->trace, c->layer->variables[0]));
    return CJ_OK;
}

const cj__layer_kind cj__layer_rms_normalization = {
    .choice =
        CJ__CHOICE("rms_normalization", "RMSNormalization", rms_fields, rms_normalization_defaults),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build_rms,
    .call = call_rms,
    .mask = CJ__MASK_DROP,
};

CJ__CONSTRUCTOR(rms_normalization)

// UnitNormalization
// -----------------------------------------------------------------------------------------------

CJ__DEFAULTS(unit_normalization, UNIT_NORMALIZATION)

static const cj__field unit_fields[] = {
    CJ__FIELD(cj_unit_normalization_args, axis, CJ__FIELD_LIST),
    CJ__LAYER_FIELDS(cj_unit_normalization_args),
};

static cj_status call_unit(cj__layer_context *c)
{
    const cj_unit_normalization_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    uint32_t axes = 0;
    CJ_TRY(axes_of(c->layer, cj_symbol_shape(x), a->axis, &axes));
    cj_symbol *inverse = rsqrt(g, cj__sum(g, square(g, x), axes, true));
    inverse = cj__apply_binary(g, CJ__BINARY_minimum, inverse, cj__scalar(g, CJ_F32, 1e12));
    c->outputs[0].symbol = cj__mul(g, x, inverse);
    return CJ_OK;
}

const cj__layer_kind cj__layer_unit_normalization = {
    .choice = CJ__CHOICE("unit_normalization", "UnitNormalization", unit_fields,
                         unit_normalization_defaults),
    .min_inputs = 1,
    .max_inputs = 1,
    .call = call_unit,
    .mask = CJ__MASK_PASS,
};

CJ__CONSTRUCTOR(unit_normalization)
