#include "train/mix.h"

#include "base/error.h"

// The layer that a spec means; NULL after a failure.
static cj_layer *layer_of(const char *spec)
{
    cj__chosen chosen;
    if (cj__spec_parse(&cj__mixtures, spec, "mix", &chosen) != CJ_OK)
        return NULL;
    cj_layer *layer = NULL;
    if (chosen.choice)
        layer = cj__layer_new(cj__layer_kind_find(chosen.choice->class_name), chosen.args);
    else
        (void)cj__fail(CJ_INVALID_ARGUMENT, "mix: there is no name of a mixture");
    cj__chosen_free(&chosen);
    return layer;
}

cj_status cj__mix_check(const char *spec)
{
    cj_layer *layer = layer_of(spec);
    if (!layer)
        return cj_error_status();
    cj_release(layer);
    return CJ_OK;
}

cj_status cj__mix_fits(const cj_model *model)
{
    const cj__type *types = NULL;
    const int inputs = cj__model_inputs(model, &types), outputs = cj_model_output_count(model);
    const char *name = cj_layer_name(cj_model_layer((cj_model *)(uintptr_t)model));
    if (inputs != 1 || outputs != 1)
        return cj__fail(CJ_UNSUPPORTED,
                        "mix: model \"%s\" has %d inputs and %d outputs, needed is one of each",
                        name, inputs, outputs);
    return CJ_OK;
}

cj_symbol *cj__mix_targets(const cj_model *model, cj__build *g, cj_symbol *targets)
{
    const cj_shape *output = cj_model_output_shape(model, 0);
    if (!targets || !output)
        return NULL;
    const cj_shape *shape = cj_symbol_shape(targets);
    const int64_t batch = shape->dims[0];
    const bool single = shape->rank == 1 || (shape->rank == 2 && shape->dims[1] == 1);
    if (single && output->rank == 2 && output->dims[1] > 1) {
        targets = cj__reshape(g, cj__cast(g, targets, CJ_I32), &CJ_SHAPE(batch));
        return cj__one_hot(g, targets, output->dims[1], CJ_F32);
    }
    targets = cj__cast(g, targets, CJ_F32);
    return shape->rank == 1 ? cj__reshape(g, targets, &CJ_SHAPE(batch, 1)) : targets;
}

cj_status cj__mix_batch(const char *spec, cj__trace *trace, cj_symbol **images, cj_symbol **targets)
{
    cj_layer *layer = layer_of(spec);
    cj__value *outputs = NULL;
    int count = 0;
    if (!layer)
        return cj_error_status();
    const cj__value inputs[] = {{.symbol = *images}, {.symbol = *targets}};
    const cj_status status = cj__layer_call(layer, trace, inputs, 2, &outputs, &count);
    cj_release(layer);
    CJ_TRY(status);
    *images = outputs[0].symbol;
    *targets = outputs[1].symbol;
    return CJ_OK;
}
