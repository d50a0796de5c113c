#include "layers/models.h"

#include <cajal/train.h>
#include <string.h>

cj_model *model_of(const sample *s, bool score, cj_layer **layer)
{
    cj_symbol *inputs[MODEL_INPUTS], *outputs[1 + MODEL_INPUTS] = {NULL};
    if (strcmp(s->class_name, "InputLayer") == 0)
        return NULL;
    *layer = sample_made(s);
    const int count = sample_inputs(*layer);
    assert_in_range(count, 1, MODEL_INPUTS);
    for (int i = 0; i < count; i++)
        inputs[i] = cj_input_symbol_new(
            &(cj_input_args){CJ_INPUT_DEFAULTS, .dtype = cj_dtype_name(sample_dtype(s)),
                             .shape = {s->input[0], s->input[1], s->input[2], s->input[3],
                                       s->input[4], s->input[5], s->input[6]}});
    if (cj_apply_many(*layer, inputs, count, outputs, 1) != CJ_OK)
        fail_msg("%s: %s", s->class_name, cj_error());
    cj_symbol *y = outputs[0];
    if (score)
        y = cj_apply(cj_dense(1, .name = "score"), cj_apply(cj_flatten(), y));
    cj_functional_args args = {CJ_FUNCTIONAL_DEFAULTS, .outputs = {y}};
    memcpy(args.inputs, inputs, (size_t)count * sizeof *inputs);
    cj_model *model = cj_functional_new(&args);
    if (!model)
        fail_msg("%s: %s", s->class_name, cj_error());
    return model;
}

void model_inputs(const cj_model *model, const sample *s, int64_t batch, cj_tensor **inputs)
{
    for (int i = 0; i < cj_model_input_count(model); i++)
        inputs[i] = sample_tensor(s, batch, sample_seed(s) + 50 * (uint64_t)i);
}

void model_inputs_free(const cj_model *model, cj_tensor **inputs)
{
    for (int i = 0; i < cj_model_input_count(model); i++)
        cj_release(inputs[i]);
}

cj_tensor *model_predicted(cj_model *model, const sample *s)
{
    cj_tensor *inputs[MODEL_INPUTS], *y = NULL;
    model_inputs(model, s, 3, inputs);
    if (cj_predict_many(model, inputs, &y) != CJ_OK)
        fail_msg("%s: %s", s->class_name, cj_error());
    model_inputs_free(model, inputs);
    return y;
}
