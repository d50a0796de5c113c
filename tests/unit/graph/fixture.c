// See fixture.h.
#define _POSIX_C_SOURCE 200809L
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

cj_symbol *fixture_input(fixture *f, cj_shape shape)
{
    return f->inputs[f->input_count++] = cj__build_keep(&f->g, cj_symbol_input(CJ_F32, shape, "x"));
}

cj_tensor *fixture_tensor(cj_shape shape, const float *values)
{
    cj_tensor *tensor = NULL;
    if (cj_tensor_new(CJ_F32, shape, &tensor) != CJ_OK)
        return NULL;
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++)
        ((float *)cj_tensor_data(tensor))[i] = values ? values[i] : 0;
    return tensor;
}

cj_variable *fixture_variable(const char *name, cj_shape shape, const float *values)
{
    cj_variable *variable = cj__own(cj_variable_new(name, fixture_tensor(shape, values)));
    assert_non_null(variable);
    return variable;
}

cj_symbol *fixture_read(fixture *f, cj_variable *variable)
{
    return cj__build_keep(&f->g, cj_symbol_variable(variable));
}

void fixture_output(fixture *f, cj_symbol *symbol)
{
    f->outputs[f->output_count++] = symbol;
}

void fixture_update(fixture *f, cj_variable *variable, cj_symbol *value)
{
    f->updates[f->update_count++] = (cj_update){variable, value};
}

cj_function *fixture_function(fixture *f, const char *off)
{
    cj_function *function = NULL;
    if (off)
        setenv("CAJAL_PLAN", off, 1);
    if (f->g.status == CJ_OK)
        function = cj_function_new(&(cj_function_args){f->inputs, f->input_count, f->outputs, f->output_count,
                                                       f->updates, f->update_count, f->pool});
    unsetenv("CAJAL_PLAN");
    cj__build_end(&f->g);
    return function;
}

bool fixture_plan_says(cj_function *function, int64_t batch, const char *word)
{
    const char *path = support_path("plan");
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    assert_int_equal(cj__function_print(function, batch, 0, stream), CJ_OK);
    fclose(stream);
    size_t size = 0;
    char *bytes = support_read(path, &size), *text = calloc(size + 1, 1);
    memcpy(text, bytes, size);
    const bool found = strstr(text, word) != NULL;
    free(bytes);
    free(text);
    return found;
}

void fixture_expect(const cj_tensor *tensor, const float *values)
{
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++)
        assert_near((double)((const float *)cj_tensor_data(tensor))[i], (double)values[i], 0, 0);
}

void fixture_fill(cj_tensor *tensor, unsigned seed)
{
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++) {
        seed = seed * 1664525u + 1013904223u;
        ((float *)cj_tensor_data(tensor))[i] = (float)(seed >> 8) / 8388608.0f - 1;
    }
}

const fixture_optimizer fixture_optimizers[FIXTURE_OPTIMIZERS] = {
    {&cj__op_sgd, 0, false, {.weight_decay = 0.01}},
    {&cj__op_sgd, 1, false, {.momentum = 0.9, .nesterov = true}},
    {&cj__op_adagrad, 1, false, {.epsilon = 1e-7}},
    {&cj__op_adadelta, 2, false, {.rho = 0.95, .epsilon = 1e-7}},
    {&cj__op_rmsprop, 1, false, {.rho = 0.9, .epsilon = 1e-7}},
    {&cj__op_adam, 2, true, {.beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7}},
};

cj_variable *fixture_scalar(cj_dtype dtype)
{
    cj_tensor *tensor;
    assert_int_equal(cj_tensor_new(dtype, (cj_shape){0}, &tensor), CJ_OK);
    if (dtype == CJ_F32)
        *(float *)cj_tensor_data(tensor) = 0.01f;
    return cj__own(cj_variable_new("scalar", tensor));
}
