// Models as the examples of keras.io build them: read from Keras's JSON with its compile_config, they predict, and train for
// three steps, as Keras does; see generator/examples.py.
#include "fixture.h"

#include <cajal/files.h>
#include <cajal/train.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8, NUMBERS = 8, STEPS = 3 };

#define GOLDEN UINT64_C(0x9E3779B97F4A7C15)

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

// generator/formula.py: uniforms().
static double uniform(uint64_t stream, uint64_t index)
{
    return (double)(mix(mix(stream + GOLDEN) + index * GOLDEN) >> 40) * 0x1p-24;
}

// generator/examples.py: value_of().
static cj_tensor *value_of(char kind, uint64_t stream, const cj_shape *shape)
{
    cj_tensor *value = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, *shape, &value), CJ_OK);
    float *data = cj_tensor_data(value);
    const int64_t count = cj_tensor_count(value);
    const int rank = shape->rank;
    double limit = 0.2;
    if (kind == 'r') {
        const int64_t in = shape->dims[rank - 2], out = shape->dims[rank - 1];
        limit = sqrt(6.0 / (double)(count / in / out * (in + out)));
    }
    for (int64_t i = 0; i < count; i++) {
        const double u = uniform(stream, (uint64_t)i);
        data[i] = (float)(kind == 'p' ? 0.5 + u : limit * (2 * u - 1));
    }
    return value;
}

static bool set_weights(const fixture *file, const json_t *one, cj_model *model)
{
    cj_layer *layer = cj_model_layer(model);
    const char *kinds = fixture_text(one, "kinds"), *name = fixture_case_name(one);
    const uint64_t stream = 1000 * (uint64_t)fixture_number(one, "number");
    bool right = cj_layer_variable_count(layer) == (int)strlen(kinds);
    if (!right)
        print_message("%s: %d weights, Keras has %zu\n", name, cj_layer_variable_count(layer),
                      strlen(kinds));
    for (int w = 0; right && kinds[w]; w++) {
        cj_variable *variable = cj_layer_variable(layer, w);
        cj_tensor *value = kinds[w] == 'k' ? fixture_tensor(file, name, fixture_part("w", w)) :
                                             value_of(kinds[w], stream + (uint64_t)w,
                                                      cj_tensor_shape(cj_variable_value(variable)));
        right = cj_variable_assign(variable, value) == CJ_OK;
        cj_release(value);
    }
    return right;
}

static int tensors(const fixture *file, const json_t *one, const char *stem, const char *count,
                   cj_tensor *list[MOST])
{
    const int wanted = (int)fixture_number(one, count);
    assert_in_range(wanted, 0, MOST);
    for (int i = 0; i < wanted; i++)
        list[i] = fixture_tensor(file, fixture_case_name(one), fixture_part(stem, i));
    return wanted;
}

static bool predicts(const fixture *file, const json_t *one, cj_model *model)
{
    cj_tensor *inputs[MOST], *outputs[MOST] = {NULL};
    const int count = tensors(file, one, "x", "inputs", inputs),
              made = (int)fixture_number(one, "outputs");
    assert_in_range(made, 0, MOST);
    bool right = cj_model_input_count(model) == count && cj_model_output_count(model) == made &&
                 cj_predict_many(model, inputs, outputs) == CJ_OK;
    for (int i = 0; right && i < made; i++)
        right = fixture_compare(file, fixture_case_name(one), fixture_part("y", i), outputs[i]);
    for (int i = 0; i < count; i++)
        cj_release(inputs[i]);
    for (int i = 0; i < made; i++)
        cj_release(outputs[i]);
    return right;
}

// One step, whose logs are entry `step` of Keras's.
static bool trains(const fixture *file, const json_t *one, cj_model *model, const cj_tensor *logs,
                   int step)
{
    cj_tensor *inputs[MOST], *targets[MOST];
    const int inputs_count = tensors(file, one, "x", "inputs", inputs),
              targets_count = tensors(file, one, "t", "targets", targets);
    cj_dataset *data = cj_dataset(.x_list = inputs, .x_count = inputs_count, .y_list = targets,
                                  .y_count = targets_count);
    cj_results *results = NULL;
    const json_t *names = json_object_get(one, "logs");
    bool right = cj_train_on_batch(model, data, &results) == CJ_OK;
    for (size_t i = 0; right && i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        right = fixture_near(file, fixture_case_name(one), fixture_part(name, step),
                             cj_results_value(results, name),
                             cj_tensor_get(logs, (int64_t[]){step, (int64_t)i}));
    }
    cj_release(results);
    cj_release(data);
    return right;
}

// generator/examples.py: digest().
static bool weight_is_near(const fixture *file, const char *name, const cj_tensor *value,
                           const cj_tensor *after, int w)
{
    const float *data = cj_tensor_data((cj_tensor *)(uintptr_t)value);
    const int64_t count = cj_tensor_count(value);
    double numbers[NUMBERS] = {0};
    for (int64_t i = 0; i < count; i++)
        numbers[0] += fabs((double)data[i]);
    for (int64_t i = 1; i < NUMBERS; i++) {
        const int64_t at = (i - 1) * (count / (NUMBERS - 1) > 1 ? count / (NUMBERS - 1) : 1);
        numbers[i] = (double)data[at < count ? at : count - 1];
    }
    bool right = true;
    for (int64_t i = 0; i < NUMBERS; i++)
        right &= fixture_near(file, name, fixture_part("after", w), numbers[i],
                              cj_tensor_get(after, (int64_t[]){w, i}));
    return right;
}

static bool is_trained_alike(const fixture *file, const json_t *one, cj_model *model)
{
    const char *name = fixture_case_name(one), *kinds = fixture_text(one, "kinds");
    cj_tensor *logs = fixture_tensor(file, name, "logs"),
              *after = fixture_tensor(file, name, "after");
    bool right = true;
    for (int step = 0; right && step < STEPS; step++)
        right = trains(file, one, model, logs, step);
    for (int w = 0; right && kinds[w]; w++) {
        const cj_tensor *value = cj_variable_value(cj_layer_variable(cj_model_layer(model), w));
        if (cj_tensor_dtype(value) == CJ_F32)
            right = weight_is_near(file, name, value, after, w);
    }
    cj_release(logs);
    cj_release(after);
    return right;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    char *config = json_dumps(json_object_get(one, "config"), JSON_COMPACT);
    assert_non_null(config);
    cj_model *model = cj_model_from_json(config, strlen(config));
    free(config);
    bool right = model && set_weights(file, one, model) && predicts(file, one, model);
    if (right && json_array_size(json_object_get(one, "logs")) != 0)
        right = is_trained_alike(file, one, model);
    cj_release(model);
    return right;
}

static void examples_equal_keras(void **state)
{
    (void)state;
    fixture_run("examples", equals_keras);
}

// `examples FOLDER` compares the models that are there.
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(examples_equal_keras)};
    if (argc == 2)
        fixture_folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
