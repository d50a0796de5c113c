// See fixture.h.
#define _POSIX_C_SOURCE 200809L
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cj_symbol *fixture_input_of(fixture *f, cj_dtype dtype, cj_shape shape)
{
    return f->inputs[f->input_count++] = cj__build_keep(&f->g, cj_symbol_input(dtype, shape, "x"));
}

cj_symbol *fixture_input(fixture *f, cj_shape shape)
{
    return fixture_input_of(f, CJ_F32, shape);
}

cj_tensor *fixture_tensor_of(cj_dtype dtype, cj_shape shape)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_new(dtype, shape, &tensor), CJ_OK);
    return tensor;
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
    cj_variable *variable = cj_variable_new(name, fixture_tensor(shape, values));
    assert_non_null(variable);
    return variable;
}

cj_variable *fixture_variable_of(cj_dtype dtype, const char *name, cj_shape shape)
{
    cj_variable *variable = cj_variable_new(name, fixture_tensor_of(dtype, shape));
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
        function = cj__function_new(
            &(cj_function_args){CJ_FUNCTION_DEFAULTS, .inputs = f->inputs,
                                .input_count = f->input_count, .outputs = f->outputs,
                                .output_count = f->output_count, .updates = f->updates,
                                .update_count = f->update_count, .pool = f->pool},
            f->arenas);
    unsetenv("CAJAL_PLAN");
    cj__build_end(&f->g);
    return function;
}

void fixture_expect(const cj_tensor *tensor, const float *values)
{
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++)
        assert_near((double)((const float *)cj_tensor_data(tensor))[i], (double)values[i], 0, 0);
}

static void put(cj_tensor *tensor, int64_t i, double value)
{
    if (tensor->dtype == CJ_F64)
        ((double *)cj_tensor_data(tensor))[i] = value;
    else
        ((float *)cj_tensor_data(tensor))[i] = (float)value;
}

double fixture_get(const cj_tensor *tensor, int64_t i)
{
    return tensor->dtype == CJ_F64 ? ((const double *)(const void *)tensor->data)[i] :
                                     (double)((const float *)(const void *)tensor->data)[i];
}

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

void fixture_fill(cj_tensor *tensor, unsigned seed)
{
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++)
        put(tensor, i, (double)next_random(&seed) / 8388608.0 - 1);
}

void fixture_fill_whole(cj_tensor *tensor, unsigned seed, int most)
{
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++)
        put(tensor, i, (double)(next_random(&seed) % (2 * (unsigned)most + 1)) - most);
}

void fixture_expect_same(const cj_tensor *a, const cj_tensor *b)
{
    assert_int_equal(a->dtype, b->dtype);
    assert_true(cj_shape_equal(&a->shape, &b->shape));
    assert_memory_equal(a->data, b->data, (size_t)cj_tensor_count(a) * cj_dtype_size(a->dtype));
}

char *fixture_text(const char *path)
{
    size_t size = 0;
    char *bytes = support_read(path, &size), *text = calloc(size + 1, 1);
    assert_non_null(text);
    memcpy(text, bytes, size);
    free(bytes);
    return text;
}

char *fixture_plan(cj_function *function, int64_t n)
{
    const char *path = support_path("plan");
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    assert_int_equal(cj__function_print(function, n, 0, stream), CJ_OK);
    assert_int_equal(fclose(stream), 0);
    return fixture_text(path);
}

int fixture_planned(cj_function *function, int64_t n, const char *word)
{
    char *text = fixture_plan(function, n);
    int count = 0;
    for (const char *c = text; (c = strstr(c, word)) != NULL; c++)
        count++;
    free(text);
    return count;
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
    if (dtype == CJ_F32 || dtype == CJ_F64)
        put(tensor, 0, 0.01);
    return cj_variable_new("scalar", tensor);
}
