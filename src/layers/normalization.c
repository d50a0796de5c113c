// Rescaling and BatchNormalization.
#include "layers/preprocess.h"

CJ__DEFAULTS(rescaling, RESCALING)

static const cj__field rescaling_fields[] = {
    {.key = "scale",
     .kind = CJ__FIELD_NUMBERS,
     .offset = offsetof(cj_rescaling_args, scales),
     .single = offsetof(cj_rescaling_args, scale),
     .required = true},
    {.key = "offset",
     .kind = CJ__FIELD_NUMBERS,
     .offset = offsetof(cj_rescaling_args, offsets),
     .single = offsetof(cj_rescaling_args, offset)},
    CJ__LAYER_FIELDS(cj_rescaling_args),
};

static cj_status check_rescaling(cj_layer *layer)
{
    const cj_rescaling_args *a = layer->args;
    return a->scales.count > 0 || a->scale < 0 || a->scale > 0 ?
               CJ_OK :
               cj__fail(CJ_INVALID_ARGUMENT, "%s: scale is required", layer->name);
}

// A number of the setting, or one for each entry of the last axis.
static cj_symbol *numbers_of(cj__layer_context *c, const cj_numbers *numbers, double single)
{
    return numbers->count > 0 ?
               cj__constant_of(c->build, CJ_F32, &CJ_SHAPE(numbers->count), numbers->values) :
               cj__scalar(c->build, CJ_F32, single);
}

static cj_status rescale_entries(cj__layer_context *c)
{
    const cj_rescaling_args *a = c->layer->args;
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    const int64_t counts[] = {a->scales.count, a->offsets.count};
    cj__build *g = c->build;
    CJ_TRY(cj__layer_need_rank(c->layer, x, 2, CJ_MAX_RANK));
    for (int i = 0; i < 2; i++)
        if (counts[i] > 1 && counts[i] != x->dims[x->rank - 1])
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: %lld %s for a last axis of %lld entries: needs as many, or one",
                            c->layer->name, (long long)counts[i], i == 0 ? "scales" : "offsets",
                            (long long)x->dims[x->rank - 1]);
    cj_symbol *real = cj__cast(g, c->inputs[0].symbol, CJ_F32);
    c->outputs[0].symbol = cj__add(g, cj__mul(g, real, numbers_of(c, &a->scales, a->scale)),
                                   numbers_of(c, &a->offsets, a->offset));
    return CJ_OK;
}

static cj_status call_rescaling(cj__layer_context *c)
{
    const cj_rescaling_args *a = c->layer->args;
    if (a->scales.count > 0 || a->offsets.count > 0)
        return rescale_entries(c);
    c->outputs[0].symbol = cj__rescale(c->build, c->inputs[0].symbol, a->scale, a->offset, CJ_F32);
    return CJ_OK;
}

const cj__layer_kind cj__layer_rescaling = {
    .choice = CJ__CHOICE("rescaling", "Rescaling", rescaling_fields, rescaling_defaults),
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check_rescaling,
    .call = call_rescaling,
    .mask = CJ__MASK_PASS,
    .any_dtype = true,
};

CJ__CONSTRUCTOR(rescaling)

// BatchNormalization
// -----------------------------------------------------------------------------------------------

CJ__DEFAULTS(batch_normalization, BATCH_NORMALIZATION)

static const cj__field norm_fields[] = {
    CJ__FIELD(cj_batch_normalization_args, axis, CJ__FIELD_INT32),
    CJ__FIELD(cj_batch_normalization_args, momentum, CJ__FIELD_NUMBER, .low = 0, .high = 1),
    CJ__FIELD(cj_batch_normalization_args, epsilon, CJ__FIELD_NUMBER, .low = 0, .high = 1e30),
    CJ__FIELD(cj_batch_normalization_args, center, CJ__FIELD_BOOL),
    CJ__FIELD(cj_batch_normalization_args, scale, CJ__FIELD_BOOL),
    CJ__SPEC_FIELD(cj_batch_normalization_args, beta_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_batch_normalization_args, gamma_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_batch_normalization_args, moving_mean_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_batch_normalization_args, moving_variance_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_batch_normalization_args, beta_regularizer, cj__regularizers),
    CJ__SPEC_FIELD(cj_batch_normalization_args, gamma_regularizer, cj__regularizers),
    CJ__CONSTRAINT_FIELD(cj_batch_normalization_args, beta_constraint),
    CJ__CONSTRAINT_FIELD(cj_batch_normalization_args, gamma_constraint),
    CJ__LAYER_FIELDS(cj_batch_normalization_args),
};

static const cj__config_key norm_keys[] = {
    CJ__KEY_RENAMED("beta_init", "beta_initializer"),
    CJ__KEY_RENAMED("gamma_init", "gamma_initializer"),
    CJ__KEY_ONLY("renorm", "false"),
    CJ__KEY_ONLY("renorm_clipping", "null"),
    CJ__KEY_HARMLESS("renorm_momentum"),
    CJ__KEY_ONLY("virtual_batch_size", "null"),
    CJ__KEY_ONLY("adjustment", "null"),
    CJ__KEY_ONLY("mode", "0"),
    CJ__KEY_ONLY("synchronized", "false"),
    CJ__KEY_HARMLESS("fused"),
    {.key = NULL},
};

typedef struct norm {
    cj_layer layer;
    cj_variable *gamma, *beta, *mean, *variance; // those of `layer`; gamma and beta may be NULL
} norm;

static cj_status build_norm(cj_layer *layer, const cj__type *inputs)
{
    const cj_batch_normalization_args *a = layer->args;
    const cj_shape *x = &inputs[0].shape;
    norm *n = (norm *)(void *)layer;
    int axis = 0;
    n->gamma = n->beta = NULL;
    CJ_TRY(cj__layer_need_rank(layer, x, 2, CJ_MAX_RANK));
    CJ_TRY(cj__layer_axis(layer, x, a->axis, &axis));
    CJ_TRY(cj__layer_need_length(layer, x, axis));
    const cj_shape shape = CJ_SHAPE(x->dims[axis]);
    if (a->scale)
        CJ_TRY(cj__layer_add_variable(layer, "gamma", shape, a->gamma_initializer,
                                      a->gamma_regularizer, true, &n->gamma));
    if (a->center)
        CJ_TRY(cj__layer_add_variable(layer, "beta", shape, a->beta_initializer,
                                      a->beta_regularizer, true, &n->beta));
    CJ_TRY(cj__layer_add_variable(layer, "moving_mean", shape, a->moving_mean_initializer, NULL,
                                  false, &n->mean));
    return cj__layer_add_variable(layer, "moving_variance", shape, a->moving_variance_initializer,
                                  NULL, false, &n->variance);
}

// A vector over the normalized axis, reshaped to broadcast against x.
static cj_symbol *spread(cj__build *g, cj_symbol *vector, int axis, int rank)
{
    cj_shape shape = {.rank = rank};
    if (!vector || axis == rank - 1)
        return vector;
    for (int i = 0; i < rank; i++)
        shape.dims[i] = i == axis ? cj_symbol_shape(vector)->dims[0] : 1;
    return cj__reshape(g, vector, &shape);
}

// The mean over `axes` with weights w (0 or 1, broadcast against x) as in Keras: sum(x w) / (sum(w)
// + eps).
static cj_symbol *weighted_mean(cj__build *g, cj_symbol *x, cj_symbol *w, uint32_t axes)
{
    cj_symbol *sum = cj__sum(g, cj__mul(g, x, w), axes, false);
    cj_symbol *weight = cj__sum(g, w, cj__all_axes(w), false);
    return cj__div(g, sum, cj__shift(g, weight, 1e-7));
}

// Mean and variance of the batch, over all axes but one; `weights` may be NULL.
static void batch_moments(cj__build *g, cj_symbol *x, cj_symbol *weights, int axis,
                          cj_symbol **mean, cj_symbol **variance)
{
    const uint32_t axes = cj__all_axes(x) & ~(1u << axis);
    if (!weights) {
        cj__moments(g, x, axes, false, mean, variance);
        return;
    }
    *mean = weighted_mean(g, x, weights, axes);
    cj_symbol *centered = cj__sub(g, x, spread(g, *mean, axis, cj_symbol_shape(x)->rank));
    *variance =
        weighted_mean(g, cj__apply_unary(g, CJ__UNARY_square, centered, 0, 0), weights, axes);
}

// A mask (batch, time) as weights (batch, time, 1).
static cj_status weights_of(const cj_layer *layer, cj__build *g, const cj__value *input, int axis,
                            cj_symbol **weights)
{
    *weights = NULL;
    if (!input->mask)
        return CJ_OK;
    cj_shape shape = *cj_symbol_shape(input->mask);
    const int rank = cj__value_shape(input)->rank;
    if (shape.rank != rank - 1 || axis != rank - 1)
        return cj__fail(
            CJ_UNSUPPORTED,
            "%s: a mask of %d axes with an input of %d, needs one axis less and axis -1",
            layer->name, shape.rank, rank);
    shape.dims[shape.rank++] = 1;
    *weights = cj__reshape(g, cj__cast(g, input->mask, CJ_F32), &shape);
    return CJ_OK;
}

// Updates a moving average: moving = moving * momentum + batch * (1 - momentum).
static void move(cj__trace *trace, cj_variable *variable, cj_symbol *batch, double momentum)
{
    cj__build *g = &trace->build;
    cj_symbol *old = cj__scale(g, cj__trace_latest(trace, variable), momentum);
    cj_symbol *new = cj__scale(g, cj__stop_gradient(g, batch), 1 - momentum);
    cj__trace_update(trace, variable, cj__add(g, old, new));
}

// y = (x - mean) gamma / sqrt(variance + epsilon) + beta; the variance is the biased one.
static cj_status call_norm(cj__layer_context *c)
{
    const cj_batch_normalization_args *a = c->layer->args;
    const norm *n = (const norm *)(const void *)c->layer;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol, *mean, *variance, *weights;
    const cj_shape *shape = cj_symbol_shape(x);
    int axis = 0;
    CJ_TRY(cj__layer_need_rank(c->layer, shape, 2, CJ_MAX_RANK));
    CJ_TRY(cj__layer_axis(c->layer, shape, a->axis, &axis));
    CJ_TRY(cj__layer_need_length(c->layer, shape, axis));
    if (c->trace->training && cj__layer_trains(c->layer, c->trace->flags)) {
        CJ_TRY(weights_of(c->layer, g, &c->inputs[0], axis, &weights));
        batch_moments(g, x, weights, axis, &mean, &variance);
        move(c->trace, n->mean, mean, a->momentum);
        move(c->trace, n->variance, variance, a->momentum);
    } else {
        mean = cj__trace_latest(c->trace, n->mean);
        variance = cj__trace_latest(c->trace, n->variance);
    }
    // Centered first: x factor - mean factor would cancel where the mean is large.
    cj_symbol *centered = cj__sub(g, x, spread(g, mean, axis, shape->rank));
    cj_symbol *factor =
        cj__apply_unary(g, CJ__UNARY_rsqrt, cj__shift(g, variance, a->epsilon), 0, 0);
    if (n->gamma)
        factor = cj__mul(g, factor, cj__trace_variable(c->trace, n->gamma));
    cj_symbol *y = cj__mul(g, centered, spread(g, factor, axis, shape->rank));
    if (n->beta)
        y = cj__add(g, y, spread(g, cj__trace_variable(c->trace, n->beta), axis, shape->rank));
    c->outputs[0].symbol = y;
    return CJ_OK;
}

const cj__layer_kind cj__layer_batch_normalization = {
    .choice = CJ__CHOICE("batch_normalization", "BatchNormalization", norm_fields,
                         batch_normalization_defaults),
    .keys = norm_keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build_norm,
    .call = call_norm,
    .mask = CJ__MASK_PASS,
    .size = sizeof(norm),
    .exact_variables = true,
    .by_batch = true,
    .call_settings = cj__mask_settings,
    .given_masks = cj__mask_of_first,
};

CJ__CONSTRUCTOR(batch_normalization)
