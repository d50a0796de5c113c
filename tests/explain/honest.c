#define _POSIX_C_SOURCE 200809L
#include "explain/honest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

char *honest_text(cj_model *model, cj_tensor *const *inputs, cj_explain_args args,
                  cj_status *status)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    *status = cj_explain_with(model, inputs, stream, &args);
    fclose(stream);
    return text;
}

void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in\n%s", part, text);
}

cj_tensor *honest_numbers(cj_shape shape, unsigned seed)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, shape, &tensor), CJ_OK);
    float *value = cj_tensor_data(tensor);
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++) {
        seed = seed * 1664525u + 1013904223u;
        value[i] = (float)(seed >> 8) / 8388608.0f - 1;
    }
    return tensor;
}

void honest_stir(cj_model *model)
{
    const cj_layer *layer = cj_model_layer(model);
    for (int i = 0; i < cj_layer_variable_count(layer); i++) {
        cj_variable *variable = cj_layer_variable(layer, i);
        cj_tensor *value =
            honest_numbers(*cj_tensor_shape(cj_variable_value(variable)), (unsigned)i + 77);
        float *v = cj_tensor_data(value);
        for (int64_t j = 0;
             strstr(cj_variable_name(variable), "variance") && j < cj_tensor_count(value); j++)
            v[j] = fabsf(v[j]) + 0.1f;
        assert_int_equal(cj_variable_assign(variable, value), CJ_OK);
        cj_release(value);
    }
}

void assert_derives_of(cj_model *model, cj_tensor *const *inputs, bool mixed)
{
    const cj_shape y = *cj_model_output_shape(model, 0);
    for (int at = 0; at < 5; at++) {
        cj_explain_args args = {CJ_EXPLAIN_DEFAULTS, .has_index = true};
        for (int i = 1; i < y.rank; i++)
            args.index[i - 1] = (y.dims[i] - 1) * ((at + i) % 5) / 4;
        cj_status status;
        char *text = honest_text(model, inputs, args, &status);
        if (status != CJ_OK)
            fail_msg("%s\n%s", cj_error(), text);
        if (strstr(text, "not explained yet"))
            fail_msg("%s", text);
        assert_says(text, "so output[");
        assert_true((strstr(text, " in bfloat16\n") != NULL) == mixed);
        free(text);
    }
}

void assert_derives(cj_model *model, bool mixed)
{
    cj_tensor *inputs[8] = {NULL};
    const int count = cj_model_input_count(model);
    for (int i = 0; i < count; i++) {
        cj_shape x = *cj_model_input_shape(model, i);
        x.dims[0] = 1;
        inputs[i] = honest_numbers(x, 5 + (unsigned)i);
    }
    assert_derives_of(model, inputs, mixed);
    for (int i = 0; i < count; i++)
        cj_release(inputs[i]);
}

void assert_honest(cj_model *model)
{
    if (!model)
        fail_msg("%s", cj_error());
    honest_stir(model);
    assert_derives(model, false);
    assert_int_equal(cj_set_dtype_policy(cj_model_layer(model), "mixed_bfloat16"), CJ_OK);
    assert_derives(model, true);
    cj_release(model);
}
