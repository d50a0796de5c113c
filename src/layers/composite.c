#include "layers/composite.h"
#include "base/error.h"
#include "base/random.h"

static cj__composite *composite(const cj_layer *layer)
{
    return (cj__composite *)(uintptr_t)layer;
}

int cj__composite_children(const cj_layer *layer, cj_layer *const **children)
{
    *children = composite(layer)->sublayers;
    return composite(layer)->sublayer_count;
}

void cj__composite_free(cj_layer *layer)
{
    cj__composite *c = composite(layer);
    while (c->sublayer_count > 0)
        cj_release(c->sublayers[--c->sublayer_count]);
}

cj_status cj__add_sublayer(cj_layer *layer, cj_layer *sublayer, const cj__type *input)
{
    cj__composite *c = composite(layer);
    cj_status status = CJ_OK;
    cj__own(sublayer);
    if (!sublayer)
        status = cj_error_status();
    else if (c->sublayer_count == CJ__SUBLAYERS_MAX)
        status =
            cj__fail(CJ_UNSUPPORTED, "%s: more than %d sublayers", layer->name, CJ__SUBLAYERS_MAX);
    if (status == CJ_OK) {
        sublayer->key = cj__key(layer->key, sublayer->name);
        sublayer->filling = layer->filling;
        sublayer->mixed = layer->mixed;
        status = cj__layer_build(sublayer, input, 1);
    }
    if (status == CJ_OK) {
        c->sublayers[c->sublayer_count++] = sublayer;
        return CJ_OK;
    }
    cj_release(sublayer);
    cj__composite_free(layer);
    return status;
}

cj_symbol *cj__call_sublayer(cj__layer_context *context, int index, cj_symbol *x)
{
    cj__value *outputs = NULL;
    int count = 0;
    cj_layer *sublayer = composite(context->layer)->sublayers[index];
    if (cj__layer_call(sublayer, context->trace, &(cj__value){.symbol = x}, 1, &outputs, &count) !=
        CJ_OK)
        return NULL;
    return outputs[0].symbol;
}
