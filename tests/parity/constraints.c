// Constraints against Keras: what each makes of a weight, and models trained with them; see
// generator/constraints.py.
#include "trained.h"

#include "layers/layer.h"
#include <cajal.h>

// y = constraint(x)
static bool value_equals_keras(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    cj_tensor *x = fixture_tensor(file, name, "x"), *y = NULL;
    cj__build g = {0};
    cj_symbol *in = cj__build_keep(&g, cj_symbol_input(CJ_F32, *cj_tensor_shape(x), "x"));
    cj_symbol *out = cj__constrain(&g, fixture_text(one, "spec"), "test", in);
    cj_function *f =
        out ? cj_function(.inputs = &in, .input_count = 1, .outputs = &out, .output_count = 1) :
              NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, *cj_tensor_shape(x), &y), CJ_OK);
    const bool right = cj__build_end(&g) == CJ_OK && f &&
                       cj_function_call(f, (cj_tensor *[]){x}, (cj_tensor *[]){y}) == CJ_OK &&
                       fixture_compare(file, name, "y", y);
    cj_release(f);
    cj_release(x);
    cj_release(y);
    return right;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    return *fixture_text(one, "model") ? trained_equals_keras(file, one) :
                                         value_equals_keras(file, one);
}

static void constraints_equal_keras(void **state)
{
    (void)state;
    fixture_run("constraints", equals_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(constraints_equal_keras)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
