// What a planned call promises about variables and outputs: reads see old values, and every listed output is written.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the headers above before its own
#include <cmocka.h>

#include "graph/graph.h"

static cj_variable *variable(const char *name, double value)
{
    cj_tensor *tensor;
    assert_int_equal(cj_tensor_new(CJ_F64, CJ_SHAPE(3), &tensor), CJ_OK);
    cj_tensor_fill(tensor, value);
    return cj__own(cj_variable_new(name, tensor));
}

static double first(const cj_variable *v)
{
    return *(double *)cj_tensor_data(cj_variable_value(v));
}

static void two_variables_are_swapped(void **state)
{
    (void)state;
    cj_variable *a = variable("a", 1), *b = variable("b", 2);
    cj_update swap[] = {{a, cj__own(cj_symbol_variable(b))}, {b, cj__own(cj_symbol_variable(a))}};
    cj_function *f = cj_function_new(&(cj_function_args){.updates = swap, .update_count = 2});
    assert_non_null(f);
    assert_int_equal(cj_function_call(f, NULL, NULL), CJ_OK);
    assert_true(first(a) == 2 && first(b) == 1);
    assert_int_equal(cj_function_call(f, NULL, NULL), CJ_OK);
    assert_true(first(a) == 1 && first(b) == 2);
    cj_release(f);
    for (int i = 0; i < 2; i++)
        cj_release(swap[i].value);
    cj_release(a);
    cj_release(b);
}

// Outputs: an input, the same sum twice, and a variable that the call changes (its old value is meant).
static void outputs_may_be_inputs_repeated_or_variables(void **state)
{
    (void)state;
    cj_variable *v = variable("v", 5);
    cj_symbol *x = cj__own(cj_symbol_input(CJ_F64, CJ_SHAPE(3), "x")), *r = cj__own(cj_symbol_variable(v));
    cj_symbol *sum = cj__own(cj_add(x, r));
    cj_symbol *outputs[] = {x, sum, sum, r};
    cj_update update = {v, sum};
    cj_function *f = cj_function_new(&(cj_function_args){.inputs = &x, .input_count = 1, .outputs = outputs,
                                                        .output_count = 4, .updates = &update, .update_count = 1});
    assert_non_null(f);
    const double in[3] = {1, 2, 3};
    double out[4][3] = {{0}};
    const void *ins[] = {in};
    void *outs[] = {out[0], out[1], out[2], out[3]};
    assert_int_equal(cj__function_run(f, 1, ins, outs), CJ_OK);
    for (int i = 0; i < 3; i++) {
        assert_true(out[0][i] == in[i] && out[1][i] == in[i] + 5 && out[2][i] == in[i] + 5 && out[3][i] == 5);
        assert_true(((double *)cj_tensor_data(cj_variable_value(v)))[i] == in[i] + 5);
    }
    outs[1] = NULL; // nobody wants the first of the two
    assert_int_equal(cj__function_run(f, 1, ins, outs), CJ_OK);
    assert_true(out[2][0] == 7 && out[3][0] == 6 && first(v) == 7);
    cj_release(f);
    cj_release(sum);
    cj_release(r);
    cj_release(x);
    cj_release(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_variables_are_swapped),
        cmocka_unit_test(outputs_may_be_inputs_repeated_or_variables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
