// Layers that apply a kernel, then a bias and an activation.
#include "layers/kind.h"

cj_status cj__add_kernel(cj_layer *layer, cj_shape kernel, const cj__kernel_settings *s)
{
    CJ_TRY(cj__layer_add_variable(layer, "kernel", kernel, s->kernel_initializer,
                                  s->kernel_regularizer, true, NULL));
    if (!s->use_bias)
        return CJ_OK;
    return cj__layer_add_variable(layer, "bias", CJ_SHAPE(kernel.dims[kernel.rank - 1]),
                                  s->bias_initializer, s->bias_regularizer, true, NULL);
}

void cj__add_activity_loss(cj__layer_context *c, const char *regularizer)
{
    if (regularizer)
        cj__trace_loss(c->trace, cj__activity_regularizer(c->build, regularizer, c->layer->name,
                                                          c->outputs[0].symbol));
}

cj_status cj__finish_kernel(cj__layer_context *c, cj_symbol *y, const cj__kernel_settings *s)
{
    if (s->use_bias)
        y = cj__add(c->build, y, cj__trace_variable(c->trace, c->layer->variables[1]));
    c->outputs[0].symbol = cj__activation(c->build, s->activation, c->layer->name, y);
    cj__add_activity_loss(c, s->activity_regularizer);
    return CJ_OK;
}
