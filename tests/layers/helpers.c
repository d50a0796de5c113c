#include "layers/helpers.h"

#include "base/random.h"
#include <math.h>
#include <stdlib.h>

cj_tensor *helper_tensor(cj_dtype dtype, cj_shape shape, const double *numbers)
{
    cj_tensor *tensor;
    assert_int_equal(cj_tensor_new(dtype, shape, &tensor), CJ_OK);
    for (int64_t i = 0; numbers && i < cj_tensor_count(tensor); i++)
        cj__element_set(dtype, tensor->data, i, numbers[i]);
    return tensor;
}

cj_tensor *helper_random(cj_shape shape, uint64_t seed)
{
    cj_tensor *tensor = helper_tensor(CJ_F32, shape, NULL);
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++)
        cj__element_set(CJ_F32, tensor->data, i, 2 * cj__random_uniform(seed, 0, (uint64_t)i) - 1);
    return tensor;
}

const float *helper_floats(const cj_tensor *tensor)
{
    assert_int_equal(cj_tensor_dtype(tensor), CJ_F32);
    return cj_tensor_data(tensor);
}

void helper_assign(cj_layer *layer, int index, const double *numbers)
{
    cj_variable *variable = cj_layer_variable(layer, index);
    assert_non_null(variable);
    for (int64_t i = 0; i < cj_tensor_count(cj_variable_value(variable)); i++)
        cj__element_set(CJ_F32, cj_variable_value(variable)->data, i, numbers[i]);
}

static cj_shape free_batch(const cj_tensor *tensor, const cj_layer *layer)
{
    cj_shape shape = *cj_tensor_shape(tensor);
    const bool fixed = layer->input_types && layer->input_types[0].shape.dims[0] != CJ_BATCH;
    if (!fixed)
        shape.dims[0] = CJ_BATCH;
    return shape;
}

static cj_tensor *result_like(const cj_symbol *symbol, int64_t batch)
{
    cj_shape shape = *cj_symbol_shape(symbol);
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = shape.dims[i] == CJ_BATCH ? batch : shape.dims[i];
    return helper_tensor(cj_symbol_dtype(symbol), shape, NULL);
}

cj_tensor *helper_run(cj_layer *layer, cj_tensor *const *inputs, int count, int index,
                      bool training, int64_t step)
{
    cj__trace trace = {.training = training};
    enum { MOST = 16 };
    cj__value values[MOST], *outputs = NULL;
    cj_symbol *symbols[MOST + 1];
    cj_tensor *given[MOST + 1];
    int output_count = 0, given_count = count;
    for (int i = 0; i < count; i++) {
        symbols[i] =
            cj__build_keep(&trace.build, cj_symbol_input(cj_tensor_dtype(inputs[i]),
                                                         free_batch(inputs[i], layer), "x"));
        values[i] = (cj__value){symbols[i], NULL};
        given[i] = inputs[i];
    }
    symbols[count] = trace.step =
        cj__build_keep(&trace.build, cj_symbol_input(CJ_I64, (cj_shape){0}, "step"));
    given[count] = helper_tensor(CJ_I64, (cj_shape){0}, (double[]){(double)step});
    given_count++;
    if (cj__layer_call(layer, &trace, values, count, &outputs, &output_count) != CJ_OK)
        fail_msg("%s", cj_error());
    assert_true(index < output_count);
    cj_function *function =
        cj_function(.inputs = symbols, .input_count = given_count,
                    .outputs = &outputs[index].symbol, .output_count = 1, .updates = trace.updates,
                    .update_count = trace.update_count);
    if (!function)
        fail_msg("%s", cj_error());
    cj_tensor *result = result_like(outputs[index].symbol, cj_tensor_shape(inputs[0])->dims[0]);
    if (cj_function_call(function, given, &result) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_release(function);
    cj_release(given[count]);
    cj__trace_end(&trace);
    return result;
}

cj_tensor *helper_predict(cj_layer *layer, cj_tensor *input)
{
    return helper_run(layer, &input, 1, 0, false, 0);
}

// sum(output * c), and its gradients by the input and the variables if `gradients` is not NULL.
typedef struct probe {
    cj_function *function;
    cj_tensor *inputs[2], *results[CJ__LAYER_VARIABLES_MAX + 2];
    int result_count;
} probe;

static void probe_make(probe *p, cj_layer *layer, cj_tensor *input)
{
    cj__trace trace = {.training = true};
    cj__value value = {0}, *outputs = NULL;
    cj_symbol *xs[CJ__LAYER_VARIABLES_MAX + 1], *all[CJ__LAYER_VARIABLES_MAX + 2];
    cj_variable *variables[CJ__LAYER_VARIABLES_MAX];
    int output_count = 0, x_count = 0;
    value.symbol =
        cj__build_keep(&trace.build, cj_symbol_input(CJ_F32, *cj_tensor_shape(input), "x"));
    trace.step = cj__build_keep(&trace.build, cj_symbol_input(CJ_I64, (cj_shape){0}, "step"));
    if (cj__layer_call(layer, &trace, &value, 1, &outputs, &output_count) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_tensor *c = helper_random(*cj_symbol_shape(outputs[0].symbol), 77);
    cj_symbol *weighted = cj__mul(&trace.build, outputs[0].symbol,
                                  cj__build_keep(&trace.build, cj_symbol_constant(c)));
    all[0] = cj__sum(&trace.build, weighted, cj__all_axes(weighted), false);
    xs[x_count++] = value.symbol;
    const int count = cj__layer_variables(layer, true, variables, CJ__LAYER_VARIABLES_MAX);
    for (int i = 0; i < count; i++)
        xs[x_count++] = cj__trace_variable(&trace, variables[i]);
    if (cj__gradients(&trace.build, all[0], xs, x_count, all + 1) != CJ_OK)
        fail_msg("%s", cj_error());
    p->inputs[0] = input;
    p->inputs[1] = helper_tensor(CJ_I64, (cj_shape){0}, NULL);
    p->result_count = x_count + 1;
    for (int i = 0; i <= x_count; i++)
        p->results[i] = result_like(all[i], 1);
    p->function = cj_function(.inputs = (cj_symbol *[]){value.symbol, trace.step}, .input_count = 2,
                              .outputs = all, .output_count = x_count + 1);
    if (!p->function)
        fail_msg("%s", cj_error());
    cj__trace_end(&trace);
}

static double probe_value(probe *p)
{
    cj_tensor *results[CJ__LAYER_VARIABLES_MAX + 2] = {p->results[0]};
    if (cj_function_call(p->function, p->inputs, results) != CJ_OK)
        fail_msg("%s", cj_error());
    return helper_floats(p->results[0])[0];
}

static double error_by(probe *p, cj_tensor *at, const cj_tensor *gradient, double step)
{
    float *x = cj_tensor_data(at);
    double worst = 0;
    for (int64_t i = 0; i < cj_tensor_count(at); i++) {
        const float old = x[i];
        x[i] = (float)(old + step);
        const double up = probe_value(p);
        x[i] = (float)(old - step);
        const double down = probe_value(p);
        x[i] = old;
        const double g = helper_floats(gradient)[i];
        worst = fmax(worst, fabs((up - down) / (2 * step) - g) / (1 + fabs(g)));
    }
    return worst;
}

double helper_gradient_error(cj_layer *layer, cj_tensor *input, double step)
{
    probe p;
    cj_variable *variables[CJ__LAYER_VARIABLES_MAX];
    probe_make(&p, layer, input);
    if (cj_function_call(p.function, p.inputs, p.results) != CJ_OK)
        fail_msg("%s", cj_error());
    double worst = error_by(&p, input, p.results[1], step);
    const int count = cj__layer_variables(layer, true, variables, CJ__LAYER_VARIABLES_MAX);
    for (int i = 0; i < count; i++)
        worst = fmax(worst, error_by(&p, cj_variable_value(variables[i]), p.results[i + 2], step));
    for (int i = 0; i < p.result_count; i++)
        cj_release(p.results[i]);
    cj_release(p.inputs[1]);
    cj_release(p.function);
    return worst;
}
