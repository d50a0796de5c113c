// Keras's own to_json() files: each loads, is the model that fixtures/json/index.json describes,
// and comes back the same from what Cajal writes of it. With a folder as argument, what Cajal
// writes is put there too, for load_json.py.
#include "fixture.h"

#include <cajal/files.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *folder;

static void *read_fixture(const char *name, size_t *size)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/parity/fixtures/json/%s.json", CAJAL_TEST_SOURCES, name);
    return support_read(path, size);
}

static bool same_shape(const cj_shape *shape, const json_t *lengths)
{
    bool same = shape && shape->rank == (int)json_array_size(lengths);
    for (int i = 0; same && i < shape->rank; i++) {
        const int64_t length = json_integer_value(json_array_get(lengths, (size_t)i));
        same = shape->dims[i] == (length == -1 ? CJ_BATCH : length);
    }
    return same;
}

// Weights have Keras's shapes, and its number of elements in all and of those that training
// changes.
static bool weights_agree(cj_model *model, const json_t *facts)
{
    cj_layer *layer = cj_model_layer(model);
    int64_t total = 0;
    int index = 0;
    const char *path;
    json_t *lengths;
    json_object_foreach (json_object_get(facts, "weights"), path, lengths) {
        cj_variable *variable = cj_layer_variable(layer, index++);
        if (!variable || !same_shape(cj_tensor_shape(cj_variable_value(variable)), lengths)) {
            print_message("weight %d is not %s\n", index - 1, path);
            return false;
        }
        total += cj_tensor_count(cj_variable_value(variable));
    }
    return index == cj_layer_variable_count(layer) &&
           total == (int64_t)fixture_number(facts, "parameters");
}

static bool layers_agree(const cj_model *model, const json_t *facts)
{
    const json_t *layers = json_object_get(facts, "layers");
    bool same = cj_model_layer_count(model) == (int)json_array_size(layers);
    for (int i = 0; same && i < cj_model_layer_count(model); i++) {
        const cj_layer *layer = cj_model_layer_at(model, i);
        const json_t *pair = json_array_get(layers, (size_t)i);
        same = strcmp(cj_layer_name(layer), json_string_value(json_array_get(pair, 0))) == 0 &&
               strcmp(cj_layer_class(layer), json_string_value(json_array_get(pair, 1))) == 0;
        if (!same)
            print_message("layer %d is %s\n", i, cj_layer_name(layer));
    }
    return same;
}

static bool agrees(cj_model *model, const json_t *facts)
{
    const json_t *inputs = json_object_get(facts, "inputs"),
                 *outputs = json_object_get(facts, "outputs");
    bool same = cj_model_input_count(model) == (int)json_array_size(inputs) &&
                cj_model_output_count(model) == (int)json_array_size(outputs);
    for (int i = 0; same && i < cj_model_input_count(model); i++)
        same = same_shape(cj_model_input_shape(model, i), json_array_get(inputs, (size_t)i));
    for (int i = 0; same && i < cj_model_output_count(model); i++)
        same = same_shape(cj_model_output_shape(model, i), json_array_get(outputs, (size_t)i));
    if (!same)
        print_message("inputs or outputs differ\n");
    return same && layers_agree(model, facts) && weights_agree(model, facts);
}

static bool comes_back(const char *name, cj_model *model, const json_t *facts)
{
    char *first = NULL, *second = NULL, path[1024];
    cj_model *again = NULL;
    if (cj_model_to_json(model, &first) == CJ_OK)
        again = cj_model_from_json(first, strlen(first));
    bool right = again && agrees(again, facts) && cj_model_to_json(again, &second) == CJ_OK &&
                 strcmp(first, second) == 0;
    if (first && folder) {
        snprintf(path, sizeof path, "%s/%s.json", folder, name);
        support_write(path, first, strlen(first));
    }
    cj_release(again);
    cj_free(first);
    cj_free(second);
    return right;
}

// What Keras writes by itself is known to the last key.
static int warnings;

static void count_warning(const char *sentence, void *context)
{
    (void)context;
    print_message("warning: %s\n", sentence);
    warnings++;
}

static void architectures_of_keras_load(void **state)
{
    (void)state;
    size_t size = 0, wrong = 0;
    char *text = read_fixture("index", &size);
    json_t *index = json_loadb(text, size, 0, NULL), *facts;
    const char *name;
    free(text);
    assert_non_null(index);
    cj_set_warning_handler(count_warning, NULL);
    json_object_foreach (index, name, facts) {
        cj_error_clear();
        text = read_fixture(name, &size);
        cj_model *model = cj_model_from_json(text, size);
        if (!model || !agrees(model, facts) || !comes_back(name, model, facts)) {
            print_message("FAILED %s: %s\n", name, cj_error());
            wrong++;
        }
        cj_release(model);
        free(text);
    }
    json_decref(index);
    cj_set_warning_handler(NULL, NULL);
    assert_int_equal(wrong, 0);
    assert_int_equal(warnings, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(architectures_of_keras_load)};
    folder = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
