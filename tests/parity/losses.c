// Losses against Keras: values, their mean with and without sample weights, and its gradient; see
// generator/losses.py.
#include "fixture.h"
#include "graph/graph.h"
#include "train/losses.h"

enum { GIVEN = 3, WANTED = 5 };
static const char *const GIVEN_PARTS[GIVEN] = {"y_true", "y_pred", "weights"};
static const char *const WANTED_PARTS[WANTED] = {"values", "mean", "dmean", "weighted",
                                                 "dweighted"};

// Appends what a case wants, in the order of WANTED_PARTS.
static cj_status build(cj__build *g, const cj__chosen *chosen, cj_symbol *const *inputs,
                       cj_symbol **outputs)
{
    cj_symbol *predictions = inputs[1];
    cj_symbol *values = cj__loss_values((const cj__loss *)chosen->choice, chosen->args, "parity", g,
                                        inputs[0], predictions);
    if (!values)
        return g->status ? g->status : cj_error_status();
    cj_symbol *mean = cj__mean(g, values, cj__all_axes(values), false);
    cj_symbol *scaled = cj__mul(g, values, inputs[2]);
    cj_symbol *weighted = scaled ? cj__mean(g, scaled, cj__all_axes(scaled), false) : NULL;
    outputs[0] = values;
    outputs[1] = cj__reshape(g, mean, &CJ_SHAPE(1));
    outputs[3] = cj__reshape(g, weighted, &CJ_SHAPE(1));
    cj_status status = mean ? cj__gradients(g, mean, &predictions, 1, &outputs[2]) : g->status;
    return status == CJ_OK ? cj__gradients(g, weighted, &predictions, 1, &outputs[4]) : status;
}

static bool compute(const char *spec, cj_tensor *const *given, cj_tensor *const *results)
{
    cj__build g = {0};
    cj__chosen chosen = {0};
    cj_symbol *inputs[GIVEN], *outputs[WANTED] = {0};
    cj_function *function = NULL;
    if (cj__spec_parse(&cj__losses, spec, "loss", &chosen) != CJ_OK)
        return false;
    for (int i = 0; i < GIVEN; i++)
        inputs[i] = cj__build_keep(&g, cj_symbol_input(cj_tensor_dtype(given[i]),
                                                       *cj_tensor_shape(given[i]), GIVEN_PARTS[i]));
    if (build(&g, &chosen, inputs, outputs) == CJ_OK)
        function = cj_function(.inputs = inputs, .input_count = GIVEN, .outputs = outputs,
                               .output_count = WANTED);
    bool right = function && cj_function_call(function, given, results) == CJ_OK;
    cj_release(function);
    cj__chosen_free(&chosen);
    return cj__build_end(&g) == CJ_OK && right;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    cj_tensor *given[GIVEN], *results[WANTED];
    for (int i = 0; i < GIVEN; i++)
        given[i] = fixture_tensor(file, name, GIVEN_PARTS[i]);
    for (int i = 0; i < WANTED; i++)
        results[i] = fixture_tensor(file, name, WANTED_PARTS[i]);
    bool computed = compute(fixture_text(one, "spec"), given, results), right = computed;
    for (int i = 0; i < WANTED; i++) {
        right &= !computed || fixture_compare(file, name, WANTED_PARTS[i], results[i]);
        cj_release(results[i]);
    }
    for (int i = 0; i < GIVEN; i++)
        cj_release(given[i]);
    return right;
}

static void losses_equal_keras(void **state)
{
    (void)state;
    fixture_run("losses", equals_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(losses_equal_keras)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
