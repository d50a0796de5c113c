// The words of keras.ops against Keras, in values, dtypes and gradients: see generator/operators.py. A
// word is a row of the table in operator_words.c; what has settings of its own has a function there that
// reads them.
#include "fixture.h"
#include "graph/graph.h"
#include "operator_words.h"
#include "ops/build.h"

// ---- Comparing ----

// As generator/operators.py: weights_of().
static cj_symbol *weights(cj__build *g, const cj_symbol *y, int output)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, *cj_symbol_shape(y), &tensor), CJ_OK);
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++)
        ((float *)cj_tensor_data(tensor))[i] =
            (float)((double)(((i + 5 * output) * 37 + 11) % 19) / 10 - 0.9);
    return cj__build_keep(g, cj_symbol_constant(tensor));
}

// The gradients of the weighed sum of the real outputs by the real inputs, of which there are `count`.
static bool differentiate(cj__build *g, const made *m, int outputs, int inputs, cj_symbol **dx,
                          int *count)
{
    cj_symbol *sum = NULL, *real[INPUTS];
    *count = 0;
    for (int i = 0; i < outputs; i++)
        if (cj_symbol_dtype(m->y[i]) == CJ_F32) {
            cj_symbol *part = cj__mul(g, m->y[i], weights(g, m->y[i], i));
            part = cj__sum(g, part, cj__all_axes(part), false);
            sum = sum ? cj__add(g, sum, part) : part;
        }
    for (int i = 0; i < inputs; i++)
        if (cj_symbol_dtype(m->x[i]) == CJ_F32)
            real[(*count)++] = m->x[i];
    return cj__gradients(g, sum, real, *count, dx) == CJ_OK;
}

static cj_tensor *tensor_like(const cj_symbol *y)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_new(cj_symbol_dtype(y), *cj_symbol_shape(y), &tensor), CJ_OK);
    return tensor;
}

static bool same_type(const fixture *file, const char *name, const char *part,
                      const cj_tensor *actual)
{
    cj_tensor *expected = fixture_tensor(file, name, part);
    const bool same = cj_tensor_dtype(expected) == cj_tensor_dtype(actual) &&
                      cj_shape_equal(cj_tensor_shape(expected), cj_tensor_shape(actual));
    if (!same) {
        char is[64], should[64];
        cj_shape_text(cj_tensor_shape(actual), is, sizeof is);
        cj_shape_text(cj_tensor_shape(expected), should, sizeof should);
        print_message("%s/%s: %s %s, Keras has %s %s\n", name, part,
                      cj_dtype_name(cj_tensor_dtype(actual)), is,
                      cj_dtype_name(cj_tensor_dtype(expected)), should);
    }
    cj_release(expected);
    return same;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    const int inputs = (int)fixture_number(one, "inputs"),
              outputs = (int)fixture_number(one, "outputs");
    cj_tensor *given[INPUTS] = {NULL}, *results[OUTPUTS + INPUTS] = {NULL};
    cj_symbol *wanted[OUTPUTS + INPUTS];
    made m = {.one = one};
    cj__build g = {0};
    int gradients = 0;
    assert_true(inputs <= INPUTS && outputs <= OUTPUTS);
    for (int i = 0; i < inputs; i++) {
        given[i] = fixture_tensor(file, name, fixture_part("x", i));
        m.x[i] = cj__build_keep(
            &g, cj_symbol_input(cj_tensor_dtype(given[i]), *cj_tensor_shape(given[i]), "x"));
    }
    make_operator(&m);
    bool right = m.y[0] != NULL;
    for (int i = 0; i < outputs && right; i++)
        wanted[i] = m.y[i] = cj__build_keep(&g, m.y[i]);
    right = right && g.status == CJ_OK;
    if (right && fixture_flag(one, "grad"))
        right = differentiate(&g, &m, outputs, inputs, wanted + outputs, &gradients);
    cj_function *function = NULL;
    if (right)
        function = cj_function(.inputs = m.x, .input_count = inputs, .outputs = wanted,
                               .output_count = outputs + gradients);
    for (int i = 0; i < outputs + gradients && right; i++)
        results[i] = tensor_like(wanted[i]);
    right = function && cj_function_call(function, given, results) == CJ_OK;
    bool equal = right;
    for (int i = 0; i < outputs && right; i++)
        equal &= same_type(file, name, fixture_part("y", i), results[i]) &&
                 fixture_compare(file, name, fixture_part("y", i), results[i]);
    for (int i = 0, k = outputs; i < inputs && right; i++)
        if (gradients && cj_symbol_dtype(m.x[i]) == CJ_F32)
            equal &= fixture_compare(file, name, fixture_part("dx", i), results[k++]);
    cj_release(function);
    for (int i = 0; i < inputs; i++)
        cj_release(given[i]);
    for (int i = 0; i < outputs + gradients; i++)
        cj_release(results[i]);
    cj__build_end(&g);
    return equal;
}

static void operators_equal_keras(void **state)
{
    (void)state;
    fixture_run("operators", equals_keras);
}

static void operators_by_drawn_settings_equal_keras(void **state)
{
    (void)state;
    fixture_run("operators_drawn", equals_keras);
}

static void operators_of_networks_equal_keras(void **state)
{
    (void)state;
    fixture_run("operators_nn", equals_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_equal_keras),
        cmocka_unit_test(operators_by_drawn_settings_equal_keras),
        cmocka_unit_test(operators_of_networks_equal_keras),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
