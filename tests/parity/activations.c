// Activations against Keras: values and derivatives, extreme arguments included; see generator/activations.py.
#include "fixture.h"

#include <cajal/graph.h>
#include <string.h>

static bool equals_keras(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    const bool rows = fixture_flag(one, "rows");
    cj_tensor *x = fixture_tensor(file, name, "x"), *y = fixture_tensor(file, name, "y");
    cj_tensor *dx = fixture_tensor(file, name, "dx");
    cj_tensor *dy = rows ? fixture_tensor(file, name, "dy") : NULL;
    cj_symbol *input = cj_symbol_input(CJ_F32, *cj_tensor_shape(x), "x");
    cj_symbol *output = cj_activation_symbol(name, input), *gradient = NULL;
    cj_symbol *weighed = rows ? cj_multiply(output, cj_symbol_constant(dy)) : output;
    cj_function *function = NULL;
    bool right = output && cj_gradients(cj_reduce_sum(weighed, NULL, 0), &input, 1, &gradient) == CJ_OK;
    if (right) {
        function = cj_function_new(&(cj_function_args){.inputs = &input, .input_count = 1,
                                                       .outputs = (cj_symbol *[]){output, gradient}, .output_count = 2});
        right = function && cj_function_call(function, &x, (cj_tensor *[]){y, dx}) == CJ_OK;
    }
    if (right) {
        right = fixture_compare(file, name, "y", y);
        right &= fixture_compare(file, name, "dx", dx);
    }
    cj_release(function);
    cj_release(x);
    cj_release(y);
    cj_release(dx);
    cj_release(dy);
    return right;
}

static void activations_equal_keras(void **state)
{
    (void)state;
    fixture_run("activations", equals_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(activations_equal_keras)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
