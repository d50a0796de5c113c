// In a configuration a key that is there means its value: 0 is 0, null is none.
#include "layers/layer.h"
#include "support.h"
#include <cajal.h>
#include <math.h>
#include <string.h>

// The layer of that class and config behind an input of 4 in a model from JSON.
static cj_model *model_of(const char *class_name, const char *config)
{
    char text[1024];
    snprintf(text, sizeof text,
             "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": ["
             "{\"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, 4, 4], "
             "\"dtype\": \"float32\", \"name\": \"i\"}}, "
             "{\"class_name\": \"%s\", \"config\": {\"name\": \"l\", %s}}]}}",
             class_name, config);
    cj_model *model = cj_model_from_json(text, strlen(text));
    if (!model)
        fail_msg("%s: %s", class_name, cj_error());
    return model;
}

static const void *settings_of(const cj_model *model)
{
    return cj_model_find_layer(model, "l")->args;
}

static void zero_is_zero(void **state)
{
    (void)state;
    cj_model *model = model_of("BatchNormalization", "\"epsilon\": 0.0, \"momentum\": 0.0");
    const cj_batch_normalization_args *norm = settings_of(model);
    assert_true(norm->epsilon == 0 && norm->momentum == 0);
    cj_release(model);
    model = model_of("ReLU", "\"max_value\": 0.0, \"negative_slope\": 0.0, \"threshold\": 0.0");
    assert_true(((const cj_relu_args *)settings_of(model))->max_value == 0);
    cj_release(model);
    model = model_of("LeakyReLU", "\"negative_slope\": 0.0");
    assert_true(((const cj_leaky_relu_args *)settings_of(model))->negative_slope == 0);
    cj_release(model);
    model = model_of("Dropout", "\"rate\": 0.5, \"seed\": 0");
    assert_int_equal(((const cj_dropout_args *)settings_of(model))->seed, 0);
    cj_release(model);
}

static void false_is_false(void **state)
{
    (void)state;
    cj_model *model = model_of("Dense", "\"units\": 2, \"use_bias\": false, \"trainable\": false");
    assert_false(((const cj_dense_args *)settings_of(model))->use_bias);
    assert_false(cj_trainable(cj_model_find_layer(model, "l")));
    cj_release(model);
}

static void null_is_none(void **state)
{
    (void)state;
    cj_model *model = model_of("ReLU", "\"max_value\": null");
    assert_true(isinf(((const cj_relu_args *)settings_of(model))->max_value));
    cj_release(model);
    model = model_of("Dropout", "\"rate\": 0.5, \"seed\": null, \"noise_shape\": null");
    assert_int_equal(((const cj_dropout_args *)settings_of(model))->seed, -1);
    cj_release(model);
    model = model_of("SimpleRNN", "\"units\": 2, \"activation\": null"); // linear, not tanh
    assert_null(((const cj_simple_rnn_args *)settings_of(model))->activation);
    cj_release(model);
}

static void what_is_left_out_has_the_default(void **state)
{
    (void)state;
    cj_model *model = model_of("SimpleRNN", "\"units\": 2");
    const cj_simple_rnn_args *rnn = settings_of(model);
    assert_string_equal(rnn->activation, "tanh");
    assert_true(rnn->use_bias && rnn->seed == -1);
    cj_release(model);
}

// What a model from JSON is, it is again after being written.
static void settings_survive_being_written(void **state)
{
    (void)state;
    cj_model *model = model_of("ReLU", "\"max_value\": 0.0");
    char *json = NULL;
    assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
    cj_model *again = cj_model_from_json(json, strlen(json));
    assert_non_null(again);
    assert_true(((const cj_relu_args *)settings_of(again))->max_value == 0);
    cj_free(json);
    cj_release(model), cj_release(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_is_zero),
        cmocka_unit_test(false_is_false),
        cmocka_unit_test(null_is_none),
        cmocka_unit_test(what_is_left_out_has_the_default),
        cmocka_unit_test(settings_survive_being_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
