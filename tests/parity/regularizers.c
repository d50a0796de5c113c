// Regularizers against Keras: penalties of weights and their gradients; see
// generator/regularizers.py.
#include "fixture.h"

#include "graph/graph.h"
#include "layers/layer.h"
#include <cajal.h>

static cj_tensor *result(cj_shape shape)
{
    cj_tensor *made = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, shape, &made), CJ_OK);
    return made;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    cj_tensor *x = fixture_tensor(file, name, "x");
    cj_tensor *given[] = {result((cj_shape){0}), result(*cj_tensor_shape(x))};
    cj__build g = {0};
    cj_symbol *in = cj__build_keep(&g, cj_symbol_input(CJ_F32, *cj_tensor_shape(x), "x"));
    cj_symbol *outputs[2] = {cj__regularizer(&g, fixture_text(one, "spec"), "test", in), NULL};
    bool right = outputs[0] && cj__gradients(&g, outputs[0], &in, 1, &outputs[1]) == CJ_OK;
    cj_function *f = NULL;
    if (right)
        f = cj_function(.inputs = &in, .input_count = 1, .outputs = outputs, .output_count = 2);
    right = cj__build_end(&g) == CJ_OK && f &&
            cj_function_call(f, (cj_tensor *[]){x}, given) == CJ_OK &&
            fixture_compare(file, name, "penalty", given[0]) &&
            fixture_compare(file, name, "gradient", given[1]);
    cj_release(f);
    cj_release(x);
    cj_release(given[0]);
    cj_release(given[1]);
    return right;
}

static void regularizers_equal_keras(void **state)
{
    (void)state;
    fixture_run("regularizers", equals_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(regularizers_equal_keras)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
