// What the preprocessing layers share.
#include "layers/preprocess.h"

cj_symbol *cj__constant_of(cj__build *g, cj_dtype dtype, const cj_shape *shape,
                           const double *values)
{
    cj_tensor *tensor = NULL;
    const cj_status status = cj_tensor_new(dtype, *shape, &tensor);
    if (status != CJ_OK) {
        cj__build_refuse(g, status);
        return NULL;
    }
    const int64_t count = cj_tensor_count(tensor);
    for (int64_t i = 0; i < count; i++)
        cj__element_set(dtype, cj_tensor_data(tensor), i, values[i]);
    return cj__build_keep(g, cj_symbol_constant(tensor));
}

cj_status cj__need_images(const cj__layer_context *c)
{
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    char text[CJ__SHAPE_WORDS];
    CJ_TRY(cj__layer_need_rank(c->layer, x, 4, 4));
    for (int i = 1; i < x->rank; i++)
        if (x->dims[i] <= 0)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: input %s must be known and positive but for the batch axis",
                            c->layer->name, cj_shape_text(x, text, sizeof text));
    return CJ_OK;
}
