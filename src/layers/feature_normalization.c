// Normalization, and cj_adapt(). Mean and variance are variables that cj_adapt() assigns, or constants
// that were given. As long as they are neither learnt nor loaded, nothing can be run.
#include "base/memory.h"
#include "layers/preprocess.h"
#include "ops/variable.h"

#include <string.h>

CJ__DEFAULTS(normalization, NORMALIZATION)

static const cj__field fields[] = {
    CJ__FIELD(cj_normalization_args, axis, CJ__FIELD_LIST),
    CJ__FIELD(cj_normalization_args, invert, CJ__FIELD_BOOL),
    CJ__FIELD(cj_normalization_args, mean, CJ__FIELD_NUMBERS, .scalar = true),
    CJ__FIELD(cj_normalization_args, variance, CJ__FIELD_NUMBERS, .scalar = true),
    CJ__LAYER_FIELDS(cj_normalization_args),
};

typedef struct normalization {
    cj_layer layer;
    bool adapted; // by cj_adapt(), or its variables come from a file
    uint32_t kept;
} normalization;

static cj_status check(cj_layer *layer)
{
    const cj_normalization_args *a = layer->args;
    if (a->mean.count != a->variance.count)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: %lld means and %lld variances: needs as many of both, or neither",
                        layer->name, (long long)a->mean.count, (long long)a->variance.count);
    for (int64_t i = 0; i < a->variance.count; i++)
        if (a->variance.values[i] < 0)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: variance %lld is negative", layer->name,
                            (long long)i);
    return CJ_OK;
}

static cj_status kept_axes(const cj_layer *layer, const cj_shape *x, uint32_t *kept)
{
    const cj_normalization_args *a = layer->args;
    *kept = 0;
    CJ_TRY(cj__layer_need_rank(layer, x, 1, CJ_MAX_RANK));
    for (int i = 0; i < CJ_MAX_RANK && a->axis[i] != 0; i++) {
        int axis = 0;
        if (a->axis[i] < -CJ_MAX_RANK || a->axis[i] > CJ_MAX_RANK)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: axis %lld is no axis of its input",
                            layer->name, (long long)a->axis[i]);
        CJ_TRY(cj__layer_axis(layer, x, (int)a->axis[i], &axis));
        if (x->dims[axis] < 0)
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: the length of axis %d must be known",
                            layer->name, axis);
        *kept |= 1u << axis;
    }
    return CJ_OK;
}

// The lengths of the kept axes, and with `keepdims` 1 in place of the others.
static cj_shape shape_of_kept(const cj_shape *x, uint32_t kept, bool keepdims)
{
    cj_shape shape = {0};
    for (int i = 0; i < x->rank; i++)
        if (kept >> i & 1)
            shape.dims[shape.rank++] = x->dims[i];
        else if (keepdims)
            shape.dims[shape.rank++] = 1;
    return shape;
}

// Means that were given: one, or as many as the last kept axis is long.
static cj_status check_given(const cj_layer *layer, const cj_shape *kept)
{
    const cj_normalization_args *a = layer->args;
    const int64_t last = kept->rank > 0 ? kept->dims[kept->rank - 1] : 1;
    if (a->mean.count == 1 || a->mean.count == last)
        return CJ_OK;
    return cj__fail(CJ_SHAPE_MISMATCH,
                    "%s: %lld means do not fit its last kept axis, which has %lld entries",
                    layer->name, (long long)a->mean.count, (long long)last);
}

static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const cj_normalization_args *a = layer->args;
    normalization *n = (normalization *)(void *)layer;
    CJ_TRY(kept_axes(layer, &inputs[0].shape, &n->kept));
    const cj_shape kept = shape_of_kept(&inputs[0].shape, n->kept, false);
    if (a->mean.count > 0)
        return check_given(layer, &kept);
    n->adapted = layer->filling;
    CJ_TRY(cj__layer_add_variable(layer, "mean", kept, "zeros", NULL, false, NULL));
    CJ_TRY(cj__layer_add_variable(layer, "variance", kept, "ones", NULL, false, NULL));
    // Keras's, which nothing reads any more
    return cj__layer_add_variable(layer, "count", (cj_shape){0}, "zeros", NULL, false, NULL);
}

// Whether there are a mean and a variance to run with.
static cj_status need_values(const cj_layer *layer)
{
    const normalization *n = (const normalization *)(const void *)layer;
    bool untouched = false;
    if (!n->adapted)
        CJ_TRY(cj__layer_untouched(layer, &untouched));
    return !untouched ? CJ_OK :
                        cj__fail(CJ_NOT_BUILT,
                                 "%s: it has no mean and variance yet: call cj_adapt() with data, "
                                 "or give it .mean and .variance",
                                 layer->name);
}

// Mean (0) or variance (1), of a shape that broadcasts against x.
static cj_symbol *value_of(cj__layer_context *c, const cj_shape *x, int which)
{
    const cj_normalization_args *a = c->layer->args;
    const normalization *n = (const normalization *)(const void *)c->layer;
    const cj_numbers *given = which == 0 ? &a->mean : &a->variance;
    cj_shape shape = shape_of_kept(x, n->kept, true);
    if (given->count == 0)
        return cj__reshape(c->build, cj__trace_variable(c->trace, c->layer->variables[which]),
                           &shape);
    for (int i = x->rank - 1, last = 1; i >= 0; i--) {
        const bool own = last && (n->kept >> i & 1);
        shape.dims[i] = own ? given->count : 1;
        last = last && !own;
    }
    return cj__constant_of(c->build, CJ_F32, &shape, given->values);
}

// y = (x - mean) / max(sqrt(variance), 1e-7), or its inverse.
static cj_status call(cj__layer_context *c)
{
    const cj_normalization_args *a = c->layer->args;
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    cj__build *g = c->build;
    uint32_t kept;
    CJ_TRY(kept_axes(c->layer, x, &kept));
    for (int i = 1; i < x->rank; i++)
        if (kept >> i & 1)
            CJ_TRY(cj__layer_need_length(c->layer, x, i));
    if (a->mean.count == 0 && c->trace->running)
        CJ_TRY(need_values(c->layer));
    cj_symbol *mean = value_of(c, x, 0);
    cj_symbol *deviation = cj__apply_unary(g, CJ__UNARY_sqrt, value_of(c, x, 1), 0, 0);
    deviation = cj__apply_binary(g, CJ__BINARY_maximum, deviation, cj__scalar(g, CJ_F32, 1e-7));
    c->outputs[0].symbol = a->invert ?
                               cj__add(g, mean, cj__mul(g, c->inputs[0].symbol, deviation)) :
                               cj__div(g, cj__sub(g, c->inputs[0].symbol, mean), deviation);
    return CJ_OK;
}

// Learning
// -----------------------------------------------------------------------------------------------

// Sums of the entries of each place of the kept axes: of x, or of (x - mean)^2.
typedef struct sums {
    uint32_t kept;
    double *sum;
    const double *mean; // NULL for the sum of x
} sums;

static void add_chunk(sums *s, const cj_shape *shape, const double *values)
{
    int64_t step[CJ_MAX_RANK] = {0}, index[CJ_MAX_RANK] = {0}, stride = 1, place = 0;
    const int64_t count = cj_shape_count(shape);
    for (int i = shape->rank - 1; i >= 0; i--)
        if (s->kept >> i & 1) {
            step[i] = stride;
            stride *= shape->dims[i];
        }
    for (int64_t k = 0; k < count; k++) {
        const double distance = s->mean ? values[k] - s->mean[place] : values[k];
        s->sum[place] += s->mean ? distance * distance : distance;
        for (int i = shape->rank - 1; i >= 0; i--) {
            place += step[i];
            if (++index[i] < shape->dims[i])
                break;
            place -= step[i] * shape->dims[i];
            index[i] = 0;
        }
    }
}

enum { ROWS = 256 }; // that are converted at a time

static cj_status add_all(sums *s, const cj_tensor *data)
{
    const int64_t rows = cj_tensor_shape(data)->dims[0];
    for (int64_t first = 0; first < rows; first += ROWS) {
        cj_tensor *part = NULL, *real = NULL;
        const int64_t count = rows - first < ROWS ? rows - first : ROWS;
        CJ_TRY(cj_tensor_slice(data, 0, first, count, &part));
        const cj_status status = cj_tensor_convert(part, CJ_F64, &real);
        cj_release(part);
        CJ_TRY(status);
        add_chunk(s, cj_tensor_shape(real), cj_tensor_data(real));
        cj_release(real);
    }
    return CJ_OK;
}

// Builds the layer for samples such as those of the data.
static cj_status build_for(cj_layer *layer, const cj_tensor *data)
{
    cj__trace trace = {0};
    cj__value in = {0}, *out = NULL;
    cj_shape shape = *cj_tensor_shape(data);
    int count = 0;
    shape.dims[0] = CJ_BATCH;
    in.symbol = cj__build_keep(&trace.build, cj_symbol_input(cj_tensor_dtype(data), shape, "data"));
    const cj_status status = cj__layer_call(layer, &trace, &in, 1, &out, &count);
    const cj_status ended = cj__trace_end(&trace);
    return status != CJ_OK ? status : ended;
}

static cj_status assign(cj_variable *variable, const double *values, int64_t count)
{
    cj_tensor *value = cj__variable_edit(variable);
    if (!value)
        return cj_error_status();
    for (int64_t i = 0; i < count; i++)
        ((float *)cj_tensor_data(value))[i] = (float)values[i];
    return cj__variable_commit(variable);
}

static cj_status learn(cj_layer *layer, const cj_tensor *data, double *mean, double *variance,
                       int64_t places)
{
    normalization *n = (normalization *)(void *)layer;
    const double each = (double)cj_tensor_count(data) / (double)places;
    sums s = {n->kept, mean, NULL};
    CJ_TRY(add_all(&s, data));
    for (int64_t i = 0; i < places; i++)
        mean[i] /= each;
    s = (sums){n->kept, variance, mean};
    CJ_TRY(add_all(&s, data));
    for (int64_t i = 0; i < places; i++)
        variance[i] /= each;
    CJ_TRY(assign(layer->variables[0], mean, places));
    CJ_TRY(assign(layer->variables[1], variance, places));
    n->adapted = true;
    return CJ_OK;
}

static cj_status adapt(cj_layer *layer, const cj_tensor *data)
{
    const cj_normalization_args *a = layer->args;
    const normalization *n = (const normalization *)(const void *)layer;
    const cj_shape *x = cj_tensor_shape(data);
    uint32_t kept;
    if (a->mean.count > 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: it was given its mean and variance: there is nothing to adapt",
                        layer->name);
    if (!layer->built)
        CJ_TRY(build_for(layer, data));
    CJ_TRY(kept_axes(layer, x, &kept));
    for (int i = 1; i < x->rank; i++)
        if (kept >> i & 1)
            CJ_TRY(cj__layer_need_length(layer, x, i));
    if (kept != n->kept)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: the data has not the rank it was built for",
                        layer->name);
    const cj_shape shape = shape_of_kept(x, kept, false);
    const int64_t places = cj_shape_count(&shape);
    double *values = cj__new(2 * (size_t)places, sizeof *values);
    if (!values)
        return CJ_OUT_OF_MEMORY;
    const cj_status status = learn(layer, data, values, values + places, places);
    cj__free(values);
    return status;
}

static void copy_state(cj_layer *made, const cj_layer *layer)
{
    ((normalization *)(void *)made)->adapted =
        ((const normalization *)(const void *)layer)->adapted;
}

const cj__layer_kind cj__layer_normalization = {
    .choice = CJ__CHOICE("normalization", "Normalization", fields, normalization_defaults),
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check,
    .build = build,
    .call = call,
    .adapt = adapt,
    .copy_state = copy_state,
    .mask = CJ__MASK_PASS,
    .size = sizeof(normalization),
    .exact_variables = true,
};

CJ__CONSTRUCTOR(normalization)

cj_status cj_adapt(cj_layer *layer, const cj_tensor *data)
{
    if (!layer)
        return cj__fail_missing_of(CJ__MADE_LAYER, "cj_adapt", "the layer");
    if (!data)
        return cj__fail_missing_of(CJ__MADE_TENSOR, "cj_adapt", "the data");
    if (!layer->kind->adapt)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: a %s learns nothing from data before training",
                        layer->name, layer->kind->choice.class_name);
    if (cj_tensor_shape(data)->rank < 1 || cj_tensor_count(data) < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: there are no samples to adapt to", layer->name);
    return layer->kind->adapt(layer, data);
}
