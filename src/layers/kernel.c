// Layers that apply a kernel, then a bias and an activation.
#include "layers/kind.h"

cj_status cj__add_kernel_and_bias(cj_layer *layer, cj_shape kernel, int64_t bias,
                                  const cj__kernel_settings *s)
{
    CJ_TRY(cj__layer_add_variable(layer, "kernel", kernel, s->kernel_initializer,
                                  s->kernel_regularizer, true, NULL));
    if (!s->use_bias)
        return CJ_OK;
    return cj__layer_add_variable(layer, "bias", CJ_SHAPE(bias), s->bias_initializer,
                                  s->bias_regularizer, true, NULL);
}

cj_status cj__add_kernel(cj_layer *layer, cj_shape kernel, const cj__kernel_settings *s)
{
    return cj__add_kernel_and_bias(layer, kernel, kernel.dims[kernel.rank - 1], s);
}

cj_status cj__groups_check(const cj_layer *layer, int64_t filters, int64_t groups)
{
    if (filters % groups != 0 || groups > INT32_MAX)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: filters %lld cannot be divided into %lld groups",
                        layer->name, (long long)filters, (long long)groups);
    return CJ_OK;
}

cj_status cj__groups_fit(const cj_layer *layer, int64_t channels, int64_t groups)
{
    if (channels % groups != 0)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: %lld channels cannot be divided into %lld groups",
                        layer->name, (long long)channels, (long long)groups);
    return CJ_OK;
}

void cj__add_activity_loss_of(cj__layer_context *c, const char *regularizer, int output)
{
    if (regularizer)
        cj__trace_loss(c->trace, cj__activity_regularizer(c->build, regularizer, c->layer->name,
                                                          c->outputs[output].symbol));
}

void cj__add_activity_loss(cj__layer_context *c, const char *regularizer)
{
    cj__add_activity_loss_of(c, regularizer, 0);
}

cj_symbol *cj__kernel_tail(cj__layer_context *c, cj_symbol *y, int bias,
                           const cj__kernel_settings *s)
{
    if (s->use_bias)
        y = cj__add(c->build, y, cj__trace_variable(c->trace, c->layer->variables[bias]));
    return cj__activation(c->build, s->activation, c->layer->name, y);
}

cj_status cj__finish_kernel(cj__layer_context *c, cj_symbol *y, const cj__kernel_settings *s)
{
    c->outputs[0].symbol = cj__kernel_tail(c, y, 1, s);
    cj__add_activity_loss(c, s->activity_regularizer);
    return CJ_OK;
}
