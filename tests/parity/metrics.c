// Metrics against Keras: what evaluate() of an identity model reports, in batches; see
// generator/metrics.py.
#include "fixture.h"

#include <cajal/train.h>

// A model that gives back its input.
static cj_model *identity(const cj_tensor *x)
{
    const cj_shape *shape = cj_tensor_shape(x);
    cj_input_args input = {CJ_INPUT_DEFAULTS};
    for (int i = 1; i < shape->rank; i++)
        input.shape[i - 1] = shape->dims[i];
    return cj_sequential(cj_input_new(&input), cj_activation("linear"));
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one), *metric = fixture_text(one, "metric");
    cj_tensor *x = fixture_tensor(file, name, "x"), *y = fixture_tensor(file, name, "y");
    cj_tensor *weights = fixture_tensor(file, name, "weights"),
              *result = fixture_tensor(file, name, "result");
    cj_model *model = identity(x);
    cj_dataset *data = cj_dataset(.x = {x}, .y = {y}, .sample_weight = weights);
    cj_compile_args args = {CJ_COMPILE_DEFAULTS, .loss = fixture_text(one, "loss")};
    args.metrics[0] = fixture_flag(one, "weighted") ? NULL : metric;
    args.weighted_metrics[0] = fixture_flag(one, "weighted") ? metric : NULL;
    cj_results *results = NULL;
    bool right = model && data && cj_compile_with(model, &args) == CJ_OK &&
                 cj_evaluate(model, data, &results,
                             .batch_size = (int64_t)fixture_number(one, "batch_size")) == CJ_OK;
    if (right && cj_results_count(results) != 2) {
        print_message("%s: %d results\n", name, cj_results_count(results));
        right = false;
    } else if (right) {
        right = fixture_near(file, name, "result", cj_results_value_at(results, 1),
                             cj_tensor_get(result, (int64_t[]){0}));
    }
    cj_release(results);
    cj_release(data);
    cj_release(model);
    cj_release(x);
    cj_release(y);
    cj_release(weights);
    cj_release(result);
    return right;
}

static void metrics_equal_keras(void **state)
{
    (void)state;
    fixture_run("metrics", equals_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(metrics_equal_keras)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
