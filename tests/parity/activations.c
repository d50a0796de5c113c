// Activations against Keras: values and derivatives, extreme arguments included; see
// generator/activations.py.
#include "fixture.h"
#include "layers/layer.h"

// y and dx, the derivative of sum(y dy) (of sum(y) without dy), for one x.
static bool compute(const char *spec, cj_tensor *x, cj_tensor *dy, cj_tensor *y, cj_tensor *dx)
{
    cj__build g = {0};
    cj_symbol *input = cj__build_keep(&g, cj_symbol_input(CJ_F32, *cj_tensor_shape(x), "x")),
              *outputs[2] = {0};
    outputs[0] = cj__activation(&g, spec, "parity", input);
    cj_symbol *weighed = dy && outputs[0] ?
                             cj__mul(&g, outputs[0], cj__build_keep(&g, cj_symbol_constant(dy))) :
                             outputs[0];
    cj_symbol *sum = weighed ? cj__sum(&g, weighed, cj__all_axes(weighed), false) : NULL;
    cj_function *function = NULL;
    bool right = sum && cj__gradients(&g, sum, &input, 1, &outputs[1]) == CJ_OK;
    if (right)
        function =
            cj_function(.inputs = &input, .input_count = 1, .outputs = outputs, .output_count = 2);
    right = function && cj_function_call(function, &x, (cj_tensor *[]){y, dx}) == CJ_OK;
    cj_release(function);
    return cj__build_end(&g) == CJ_OK && right;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    cj_tensor *x = fixture_tensor(file, name, "x"), *y = fixture_tensor(file, name, "y");
    cj_tensor *dx = fixture_tensor(file, name, "dx");
    cj_tensor *dy = fixture_flag(one, "rows") ? fixture_tensor(file, name, "dy") : NULL;
    bool right = compute(name, x, dy, y, dx);
    if (right) {
        right = fixture_compare(file, name, "y", y);
        right &= fixture_compare(file, name, "dx", dx);
    }
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
