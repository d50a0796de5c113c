// What cj_adapt() learns against Keras: means, variances, boundaries of bins; see
// generator/preprocessing.py.
#include "fixture.h"
#include "base/memory.h"
#include "layers/layer.h"

#include <string.h>

static bool normalization_learns(const fixture *file, const json_t *one, cj_tensor *data)
{
    const char *name = fixture_case_name(one);
    const json_t *axes = json_object_get(one, "axis");
    cj_normalization_args args;
    cj_normalization_defaults(&args);
    memset(args.axis, 0, sizeof args.axis);
    for (size_t i = 0; i < json_array_size(axes); i++)
        args.axis[i] = json_integer_value(json_array_get(axes, i));
    cj_layer *layer = cj_normalization_new(&args);
    bool right = layer && cj_adapt(layer, data) == CJ_OK;
    const char *const parts[] = {"mean", "variance"};
    for (int i = 0; right && i < 2; i++) {
        cj_tensor *value = NULL;
        right = (value = cj_variable_value(cj_layer_variable(layer, i))) &&
                fixture_compare(file, name, parts[i], value);
    }
    cj_release(layer);
    return right;
}

// The boundaries equal Keras's to the last bit: they are compared with no tolerance.
static bool discretization_learns(const fixture *file, const json_t *one, cj_tensor *data)
{
    const char *name = fixture_case_name(one);
    cj_layer *layer = cj_discretization(.num_bins = (int64_t)fixture_number(one, "num_bins"),
                                        .epsilon = fixture_number(one, "epsilon"));
    bool right = layer && cj_adapt(layer, data) == CJ_OK;
    cj_tensor *wanted = fixture_tensor(file, name, "boundaries");
    const cj_numbers *made = right ? cj__layer_setting(layer, "bin_boundaries") : NULL;
    right = made && made->count == cj_tensor_count(wanted);
    for (int64_t i = 0; right && i < made->count; i++)
        right = (float)made->values[i] == ((const float *)cj_tensor_data(wanted))[i];
    cj_release(wanted);
    cj_release(layer);
    return right;
}

static bool learns_as_keras(const fixture *file, const json_t *one)
{
    cj_tensor *data = fixture_tensor(file, fixture_case_name(one), "x0");
    const bool right = strncmp(fixture_case_name(one), "normalization", 13) == 0 ?
                           normalization_learns(file, one, data) :
                           discretization_learns(file, one, data);
    cj_release(data);
    return right;
}

static void layers_adapt_as_keras(void **state)
{
    (void)state;
    fixture_run("adapted", learns_as_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(layers_adapt_as_keras)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
