// SpatialDropout, GaussianNoise, GaussianDropout, AlphaDropout, ActivityRegularization.
#include "layers/kind.h"
#include <cajal/regularization.h>

CJ__DEFAULTS(spatial_dropout, SPATIAL_DROPOUT)
CJ__DEFAULTS(gaussian_noise, GAUSSIAN_NOISE)
CJ__DEFAULTS(gaussian_dropout, GAUSSIAN_DROPOUT)
CJ__DEFAULTS(alpha_dropout, ALPHA_DROPOUT)
CJ__DEFAULTS(activity_regularization, ACTIVITY_REGULARIZATION)

static const cj__field spatial_fields[] = {
    CJ__FIELD(cj_spatial_dropout_args, rate, CJ__FIELD_NUMBER, .required = true, CJ__SHARE),
    CJ__FIELD(cj_spatial_dropout_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_spatial_dropout_args),
};
static const cj__field noise_fields[] = {
    CJ__FIELD(cj_gaussian_noise_args, stddev, CJ__FIELD_NUMBER, .required = true, CJ__SHARE),
    CJ__FIELD(cj_gaussian_noise_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_gaussian_noise_args),
};
static const cj__field gaussian_fields[] = {
    CJ__FIELD(cj_gaussian_dropout_args, rate, CJ__FIELD_NUMBER, .required = true, CJ__SHARE),
    CJ__FIELD(cj_gaussian_dropout_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_gaussian_dropout_args),
};
static const cj__field alpha_fields[] = {
    CJ__FIELD(cj_alpha_dropout_args, rate, CJ__FIELD_NUMBER, .required = true, CJ__SHARE),
    CJ__FIELD(cj_alpha_dropout_args, noise_shape, CJ__FIELD_LIST, .optional = true),
    CJ__FIELD(cj_alpha_dropout_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_alpha_dropout_args),
};
static const cj__field activity_fields[] = {
    CJ__FIELD(cj_activity_regularization_args, l1, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__FIELD(cj_activity_regularization_args, l2, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__LAYER_FIELDS(cj_activity_regularization_args),
};

static const cj__config_key keys[] = {
    CJ__KEY_RENAMED("p", "rate"),
    CJ__KEY_RENAMED("sigma", "stddev"),
    CJ__KEY_ONLY("data_format", "channels_last"),
    {.key = NULL},
};

static bool draws(const cj__layer_context *c, double amount)
{
    return c->trace->training && amount > 0;
}

// One mask for all between the batch and the channels.
static cj_status spatial_dropout(cj__layer_context *c, int axes)
{
    const cj_spatial_dropout_args *a = c->layer->args;
    cj_symbol *x = c->inputs[0].symbol;
    CJ_TRY(cj__layer_need_rank(c->layer, cj_symbol_shape(x), axes + 2, axes + 2));
    if (draws(c, a->rate))
        x = cj__shared_dropout(c, x, ((1u << axes) - 1) << 1,
                               cj__trace_key(c->trace, a->seed, c->layer->name), a->rate);
    c->outputs[0].symbol = x;
    return CJ_OK;
}

static cj_status call_spatial_dropout1d(cj__layer_context *c)
{
    return spatial_dropout(c, 1);
}

static cj_status call_spatial_dropout2d(cj__layer_context *c)
{
    return spatial_dropout(c, 2);
}

static cj_status call_spatial_dropout3d(cj__layer_context *c)
{
    return spatial_dropout(c, 3);
}

static cj_status call_gaussian_noise(cj__layer_context *c)
{
    const cj_gaussian_noise_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    if (draws(c, a->stddev))
        x = cj__add(g, x,
                    cj__random_normal_like(g, x, c->trace->step,
                                           cj__trace_key(c->trace, a->seed, c->layer->name), 0,
                                           a->stddev));
    c->outputs[0].symbol = x;
    return CJ_OK;
}

static cj_status call_gaussian_dropout(cj__layer_context *c)
{
    const cj_gaussian_dropout_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    if (draws(c, a->rate))
        x = cj__mul(g, x,
                    cj__random_normal_like(g, x, c->trace->step,
                                           cj__trace_key(c->trace, a->seed, c->layer->name), 1,
                                           sqrt(a->rate / (1 - a->rate))));
    c->outputs[0].symbol = x;
    return CJ_OK;
}

// See regularization.h.
static cj_status call_alpha_dropout(cj__layer_context *c)
{
    const double p = -1.0507009873554804934 * 1.6732632423543772848;
    const cj_alpha_dropout_args *args = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    uint32_t axes = 0;
    CJ_TRY(cj__noise_axes(c->layer, args->noise_shape, cj_symbol_shape(x), &axes));
    if (draws(c, args->rate)) {
        const double rate = args->rate, a = 1 / sqrt((1 - rate) * (1 + rate * p * p));
        cj_symbol *like = axes ? cj__max(g, x, axes, true) : x;
        cj_symbol *u = cj__random_uniform_like(
            g, like, c->trace->step, cj__trace_key(c->trace, args->seed, c->layer->name), 0, 1);
        cj_symbol *kept =
            cj__compare(g, CJ__COMPARISON_greater_equal, u, cj__scalar_like(g, x, rate));
        x = cj__select(g, kept, x, cj__scalar_like(g, x, p));
        x = cj__shift(g, cj__scale(g, x, a), -a * p * rate);
    }
    c->outputs[0].symbol = x;
    return CJ_OK;
}

static cj_status call_activity_regularization(cj__layer_context *c)
{
    const cj_activity_regularization_args *a = c->layer->args;
    cj_symbol *x = c->inputs[0].symbol;
    c->outputs[0].symbol = x;
    if (a->l1 > 0 || a->l2 > 0)
        return cj__trace_loss(c->trace, cj__activity_penalty(c->build, x, a->l1, a->l2));
    return CJ_OK;
}

static cj_status check_gaussian_dropout(cj_layer *layer)
{
    const cj_gaussian_dropout_args *a = layer->args;
    return a->rate < 1 ? CJ_OK :
                         cj__fail(CJ_INVALID_ARGUMENT, "%s: rate must be less than 1", layer->name);
}

static cj_status check_alpha_dropout(cj_layer *layer)
{
    const cj_alpha_dropout_args *a = layer->args;
    return a->rate < 1 ? CJ_OK :
                         cj__fail(CJ_INVALID_ARGUMENT, "%s: rate must be less than 1", layer->name);
}

#define KIND(plain, class, table, standard, checks, ...)                                      \
    const cj__layer_kind cj__layer_##plain = {.choice =                                       \
                                                  CJ__CHOICE(#plain, class, table, standard), \
                                              .keys = keys,                                   \
                                              .min_inputs = 1,                                \
                                              .max_inputs = 1,                                \
                                              .check = checks,                                \
                                              .call = call_##plain,                           \
                                              .mask = CJ__MASK_PASS,                          \
                                              __VA_ARGS__};
// Keras's SpatialDropout takes no "trainable".
#define SPATIAL(plain, class)                                                                \
    KIND(plain, class, spatial_fields, spatial_dropout_defaults, NULL, .no_trainable = true) \
    cj_layer *cj_##plain##_new(const cj_spatial_dropout_args *args)                          \
    {                                                                                        \
        return cj__layer_new(&cj__layer_##plain, args);                                      \
    }
SPATIAL(spatial_dropout1d, "SpatialDropout1D")
SPATIAL(spatial_dropout2d, "SpatialDropout2D")
SPATIAL(spatial_dropout3d, "SpatialDropout3D")
KIND(gaussian_noise, "GaussianNoise", noise_fields, gaussian_noise_defaults, NULL, )
CJ__CONSTRUCTOR(gaussian_noise)
KIND(gaussian_dropout, "GaussianDropout", gaussian_fields, gaussian_dropout_defaults,
     check_gaussian_dropout, )
CJ__CONSTRUCTOR(gaussian_dropout)
KIND(alpha_dropout, "AlphaDropout", alpha_fields, alpha_dropout_defaults, check_alpha_dropout, )
CJ__CONSTRUCTOR(alpha_dropout)
KIND(activity_regularization, "ActivityRegularization", activity_fields,
     activity_regularization_defaults, NULL, )
CJ__CONSTRUCTOR(activity_regularization)
