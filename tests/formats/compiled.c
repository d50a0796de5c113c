// compile_config: compiled models as Keras 3.15.1 (JAX) writes them evaluate and train here as there
// (tests/parity/fixtures/compiled.json, from make_compiled.py), and come back from what is written here.
// With CAJAL_COMPILED_OUT=FILE what is written goes to that file, for make_compiled.py to read.
#include "support.h"

#include "formats/json_build.h"
#include <cajal.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cj_tensor *numbers(cj_shape shape, int period, bool truth)
{
    float values[64];
    cj_tensor *tensor = NULL;
    const int64_t count = cj_shape_count(&shape);
    for (int i = 0; i < (int)count; i++) {
        values[i] = (float)(i * 7 % period) / (float)period - 0.5f;
        if (truth)
            values[i] = values[i] > 0 ? 1.0f : 0.0f;
    }
    assert_int_equal(cj_tensor_from(CJ_F32, shape, values, (size_t)count, &tensor), CJ_OK);
    return tensor;
}

static cj_model *one_output(void)
{
    return cj_sequential_new(&(cj_sequential_args){
        CJ_SEQUENTIAL_DEFAULTS,
        .layers =
            (cj_layer *[]){cj_input(4), cj_dense(4, .kernel_initializer = "identity", .name = "h"),
                           cj_dense(3, .kernel_initializer = "identity", .activation = "softmax",
                                    .name = "p")},
        .layer_count = 3, .name = "one"});
}

static cj_model *two_outputs(void)
{
    cj_symbol *x = cj_input_symbol(4, .name = "x"),
              *h = cj_apply(
                  cj_dense(4, .kernel_initializer = "identity", .activation = "tanh", .name = "h"),
                  x);
    cj_symbol *a = cj_apply(cj_dense(2, .kernel_initializer = "identity", .name = "a"), h),
              *b = cj_apply(cj_dense(1, .kernel_initializer = "identity", .activation = "sigmoid",
                                     .name = "b"),
                            h);
    return cj_functional(.inputs = {x}, .outputs = {a, b}, .name = "two");
}

static cj_dataset *data_of(int outputs, bool labels, bool weighted)
{
    static const float weights[6] = {0.25f, 0.5f, 1, 2, 0, 1.25f};
    static const int32_t classes[6] = {0, 1, 2, 0, 1, 2};
    cj_tensor *y = NULL, *weight = NULL;
    if (weighted)
        assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(6), weights, 6, &weight), CJ_OK);
    cj_tensor *x = numbers(CJ_SHAPE(6, 4), 23, false);
    if (outputs == 2)
        return cj_dataset(.x = {x},
                          .y = {numbers(CJ_SHAPE(6, 2), 9, false),
                                numbers(CJ_SHAPE(6, 1), 5, true)},
                          .sample_weight = weight);
    if (labels) {
        assert_int_equal(cj_tensor_from(CJ_I32, CJ_SHAPE(6), classes, 6, &y), CJ_OK);
    } else {
        float rows[18] = {0};
        for (int i = 0; i < 6; i++)
            rows[i * 3 + classes[i]] = 1;
        assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(6, 3), rows, 18, &y), CJ_OK);
    }
    return cj_dataset(.x = {x}, .y = {y}, .sample_weight = weight);
}

// The model of a fixture as Keras writes it: the architecture with its compile_config.
static cj_model *load(const json_t *row, const char *config)
{
    char *plain = NULL;
    cj_model *bare =
        json_integer_value(json_object_get(row, "outputs")) == 2 ? two_outputs() : one_output();
    assert_int_equal(cj_model_to_json(bare, &plain), CJ_OK);
    cj_release(bare);
    const size_t length = strlen(plain), room = length + strlen(config) + 64;
    char *text = malloc(room);
    assert_non_null(text);
    assert_int_equal(plain[length - 1], '}');
    plain[length - 1] = '\0';
    snprintf(text, room, "%s, \"compile_config\": %s}", plain, config);
    cj_free(plain);
    cj_model *model = cj_model_from_json(text, strlen(text));
    if (!model)
        fail_msg("%s", cj_error());
    free(text);
    return model;
}

static char *config_text(const json_t *config)
{
    char *text = json_dumps(config, JSON_COMPACT);
    assert_non_null(text);
    return text;
}

static cj_results *evaluated(cj_model *model, const json_t *row, bool weighted, int batch)
{
    cj_results *results = NULL;
    cj_dataset *data = data_of((int)json_integer_value(json_object_get(row, "outputs")),
                               json_is_true(json_object_get(row, "labels")), weighted);
    if (cj_evaluate(model, data, &results, .batch_size = batch) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_release(data);
    return results;
}

static double trained(cj_model *model, const json_t *row)
{
    cj_dataset *data = data_of((int)json_integer_value(json_object_get(row, "outputs")),
                               json_is_true(json_object_get(row, "labels")), false);
    if (cj_fit(model, data, .epochs = 3, .batch_size = 6, .shuffle = false) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_release(data);
    cj_results *results = evaluated(model, row, false, 6);
    const double loss = cj_results_value(results, "loss");
    cj_release(results);
    return loss;
}

static bool near(double a, double b)
{
    return support_near(a, b, 2e-5, 2e-5);
}

// The weights before training are the initial ones, whatever reads the model.
static void write_out(FILE *out, const json_t *row, const cj_results *before, double after,
                      char *json)
{
    json_t *values = json_object(), *all = json_object(), *model = NULL;
    for (int i = 0; i < cj_results_count(before); i++)
        json_object_set_new(values, cj_results_name(before, i),
                            json_real(cj_results_value_at(before, i)));
    assert_int_equal(cj__json_parse(json, strlen(json), &model), CJ_OK);
    json_object_set_new(all, "model", model);
    json_object_set(all, "labels", json_object_get(row, "labels"));
    json_object_set_new(all, "before", values);
    json_object_set_new(all, "after", json_real(after));
    json_dumpf(all, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(all);
}

static void one_fixture(const json_t *row, size_t number, FILE *out)
{
    char *config = config_text(json_object_get(row, "compile_config")), *json = NULL, *again = NULL;
    cj_model *model = load(row, config);
    cj_results *before = evaluated(model, row, true, 4);
    const json_t *theirs = json_object_get(row, "before");
    if (cj_results_count(before) != (int)json_object_size(theirs))
        fail_msg("fixture %zu: %d values, Keras has %zu: %s", number, cj_results_count(before),
                 json_object_size(theirs), config);
    for (int i = 0; i < cj_results_count(before); i++) {
        const json_t *value = json_object_get(theirs, cj_results_name(before, i));
        if (!value || !near(cj_results_value_at(before, i), json_number_value(value)))
            fail_msg("fixture %zu: %s is %.9g, Keras has %.9g: %s", number,
                     cj_results_name(before, i), cj_results_value_at(before, i),
                     value ? json_number_value(value) : (double)NAN, config);
    }
    assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
    cj_model *copy = cj_model_from_json(json, strlen(json));
    assert_non_null(copy);
    assert_int_equal(cj_model_to_json(copy, &again), CJ_OK);
    assert_string_equal(json, again);
    const double after = trained(model, row),
                 keras = json_number_value(json_object_get(row, "after"));
    if (!near(after, keras))
        fail_msg("fixture %zu: after training %.9g, Keras has %.9g: %s", number, after, keras,
                 config);
    if (!near(trained(copy, row), keras))
        fail_msg("fixture %zu: what was written trains differently: %s", number, config);
    if (out)
        write_out(out, row, before, after, json);
    free(config);
    cj_free(json), cj_free(again);
    cj_release(before), cj_release(model), cj_release(copy);
}

static void warned(const char *sentence, void *context)
{
    (void)context;
    fail_msg("a warning: %s", sentence);
}

static void compiled_models_of_keras_go_on(void **state)
{
    (void)state;
    json_t *rows = json_load_file(CAJAL_TEST_SOURCES "/parity/fixtures/compiled.json", 0, NULL);
    const char *path = getenv("CAJAL_COMPILED_OUT");
    FILE *out = path ? fopen(path, "w") : NULL;
    assert_true(json_array_size(rows) > 30);
    cj_set_warning_handler(warned, NULL);
    for (size_t i = 0; i < json_array_size(rows); i++)
        one_fixture(json_array_get(rows, i), i, out);
    cj_set_warning_handler(NULL, NULL);
    if (out)
        fclose(out);
    json_decref(rows);
}

// ---- What Keras 2 wrote, and what is refused ----

static char last_warning[512];

static void keep_warning(const char *sentence, void *context)
{
    (void)context;
    snprintf(last_warning, sizeof last_warning, "%s", sentence);
}

// Loads a model with that compile_config; whether it is compiled.
static bool compiles(const char *config, int outputs)
{
    json_t *row = json_pack("{s:i}", "outputs", outputs);
    last_warning[0] = '\0';
    cj_set_warning_handler(keep_warning, NULL);
    cj_model *model = load(row, config);
    cj_set_warning_handler(NULL, NULL);
    cj_results *results = NULL;
    cj_dataset *data = data_of(outputs, true, false);
    const cj_status status = cj_evaluate(model, data, &results);
    const bool yes = status == CJ_OK;
    if (!yes)
        assert_int_equal(status, CJ_NOT_BUILT);
    json_decref(row);
    cj_release(results), cj_release(data), cj_release(model);
    return yes;
}

static void configs_of_older_files_are_read(void **state)
{
    (void)state;
    assert_true(
        compiles("{\"loss\": {\"class_name\": \"SparseCategoricalCrossentropy\", \"config\": "
                 "{\"reduction\": \"auto\", \"name\": \"x\", \"from_logits\": false}}, "
                 "\"metrics\": [[{\"class_name\": \"MeanMetricWrapper\", \"config\": {"
                 "\"name\": \"accuracy\", \"dtype\": \"float32\", \"fn\": "
                 "\"sparse_categorical_accuracy\"}}]], \"optimizer_config\": {\"class_name\": "
                 "\"Adam\", \"config\": {\"name\": \"Adam\", \"lr\": 0.01, \"decay\": 0.0, "
                 "\"beta_1\": 0.8, \"amsgrad\": false}}}",
                 1));
    assert_string_equal(last_warning, "");
    assert_true(compiles("{\"loss\": \"sparse_categorical_crossentropy\", \"optimizer\": \"adam\", "
                         "\"metrics\": [], \"weighted_metrics\": null}",
                         1));
    assert_string_equal(last_warning, "");
}

static void what_is_not_known_leaves_the_model_uncompiled(void **state)
{
    (void)state;
    static const struct {
        const char *config, *part;
        int outputs;
    } cases[] = {
        {"{\"loss\": \"my_loss\", \"optimizer\": \"adam\"}", "my_loss", 1},
        {"{\"loss\": \"mse\", \"optimizer\": \"my_optimizer\"}", "my_optimizer", 1},
        {"{\"loss\": \"mse\", \"optimizer\": {\"class_name\": \"SGD\", \"config\": {"
         "\"learning_rate\": \"fast\"}}}",
         "learning_rate", 1},
        {"{\"loss\": {\"zz\": \"mse\"}, \"optimizer\": \"adam\"}", "zz", 2},
        {"{\"loss\": [\"mse\"], \"optimizer\": \"adam\"}", "list of 1 losses", 2},
        {"{\"loss\": \"mse\", \"loss_weights\": {\"a\": \"x\"}, \"optimizer\": \"adam\"}",
         "no number", 2},
        {"{\"loss\": \"mse\", \"metrics\": [null, [null]], \"optimizer\": \"adam\"}", "is null", 2},
        {"{\"loss\": \"mse\", \"metrics\": {\"a\": [3]}, \"optimizer\": \"adam\"}", "neither", 2},
        {"{\"loss\": 7, \"optimizer\": \"adam\"}", "neither", 1},
        {"{\"loss\": \"mse\", \"metrics\": 7, \"optimizer\": \"adam\"}", "neither", 2},
        {"[1]", "no object", 1},
        {"{\"loss\": \"mse\", \"metrics\": [{\"class_name\": \"MeanMetricWrapper\", \"config\": "
         "{}}], "
         "\"optimizer\": \"adam\"}",
         "MeanMetricWrapper", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (compiles(cases[i].config, cases[i].outputs))
            fail_msg("case %zu is compiled", i);
        if (!strstr(last_warning, cases[i].part) || !strstr(last_warning, "is not compiled"))
            fail_msg("case %zu: %s", i, last_warning);
    }
    assert_false(compiles("null", 1)); // as if it were not there
    assert_string_equal(last_warning, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compiled_models_of_keras_go_on),
        cmocka_unit_test(configs_of_older_files_are_read),
        cmocka_unit_test(what_is_not_known_leaves_the_model_uncompiled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
