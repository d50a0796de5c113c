// Losses against Keras: values, their mean with and without sample weights, and its gradient; see
// generator/losses.py.
#include "fixture.h"
#include "graph/graph.h"
#include "train/losses.h"

enum { GIVEN = 4, KINDS = 4, WANTED = 1 + 2 * KINDS };
static const char *const GIVEN_PARTS[GIVEN] = {"y_true", "y_pred", "weights", "mask"};
static const char *const WANTED_PARTS[WANTED] = {
    "values", "mean", "dmean", "weighted", "dweighted", "masked", "dmasked", "both", "dboth"};

// Appends what a case wants, in the order of WANTED_PARTS. Without a mask there are half of them.
static cj_status build(cj__build *g, const cj__chosen *chosen, cj_symbol *const *inputs,
                       cj_symbol **outputs)
{
    const cj__loss *loss = (const cj__loss *)(const void *)chosen->choice;
    cj_symbol *predictions = inputs[1];
    outputs[0] = cj__loss_values(loss, chosen->args, "parity", g, inputs[0], predictions, NULL);
    for (int kind = 0; kind < (inputs[3] ? KINDS : 2); kind++) {
        const cj__loss_inputs of = {inputs[0], predictions, kind % 2 ? inputs[2] : NULL,
                                    kind > 1 ? inputs[3] : NULL};
        cj_symbol *total = cj__loss_of(loss, chosen->args, "parity", g, of);
        outputs[1 + 2 * kind] = total ? cj__reshape(g, total, &CJ_SHAPE(1)) : NULL;
        if (!total)
            return g->status ? g->status : cj_error_status();
        CJ_TRY(cj__gradients(g, total, &predictions, 1, &outputs[2 + 2 * kind]));
    }
    return g->status;
}

static bool compute(const char *spec, int given_count, int wanted_count, cj_tensor *const *given,
                    cj_tensor *const *results)
{
    cj__build g = {0};
    cj__chosen chosen = {0};
    cj_symbol *inputs[GIVEN] = {NULL}, *outputs[WANTED] = {NULL};
    cj_function *function = NULL;
    if (cj__spec_parse(&cj__losses, spec, "loss", &chosen) != CJ_OK)
        return false;
    for (int i = 0; i < given_count; i++)
        inputs[i] = cj__build_keep(&g, cj_symbol_input(cj_tensor_dtype(given[i]),
                                                       *cj_tensor_shape(given[i]), GIVEN_PARTS[i]));
    if (build(&g, &chosen, inputs, outputs) == CJ_OK)
        function = cj_function(.inputs = inputs, .input_count = given_count, .outputs = outputs,
                               .output_count = wanted_count);
    bool right = function && cj_function_call(function, given, results) == CJ_OK;
    cj_release(function);
    cj__chosen_free(&chosen);
    return cj__build_end(&g) == CJ_OK && right;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    cj_tensor *given[GIVEN], *results[WANTED];
    const bool masked = fixture_has(file, name, "mask");
    const int given_count = masked ? GIVEN : GIVEN - 1, wanted_count = masked ? WANTED : 5;
    for (int i = 0; i < given_count; i++)
        given[i] = fixture_tensor(file, name, GIVEN_PARTS[i]);
    for (int i = 0; i < wanted_count; i++)
        results[i] = fixture_tensor(file, name, WANTED_PARTS[i]);
    bool computed = compute(fixture_text(one, "spec"), given_count, wanted_count, given, results),
         right = computed;
    for (int i = 0; i < wanted_count; i++) {
        right &= !computed || fixture_compare(file, name, WANTED_PARTS[i], results[i]);
        cj_release(results[i]);
    }
    for (int i = 0; i < given_count; i++)
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
