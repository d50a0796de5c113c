// Settings in configs of Keras, of today and of old: each is taken for what it means, refused by
// its name, or warned of, and none is passed over in silence.
#include "support.h"

#include <cajal.h>
#include <stdio.h>
#include <string.h>

static char warnings[2048];

static void note_warning(const char *sentence, void *context)
{
    (void)context;
    strncat(warnings, sentence, sizeof warnings - strlen(warnings) - 1);
}

// A sequential model of one layer over (6, 6, 2) or, for `flat`, over (4).
static cj_model *load_layer(const char *class_name, const char *config, const char *batch_shape)
{
    char json[2048];
    snprintf(json, sizeof json,
             "{\"class_name\": \"Sequential\", \"config\": {\"layers\": ["
             "{\"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": %s, \"name\": \"i\"}},"
             "{\"class_name\": \"%s\", \"config\": {%s}}]}}",
             batch_shape, class_name, config);
    cj_error_clear();
    *warnings = '\0';
    cj_set_warning_handler(note_warning, NULL);
    cj_model *model = cj_model_from_json(json, strlen(json));
    cj_set_warning_handler(NULL, NULL);
    return model;
}

static const char image[] = "[null, 6, 6, 2]", flat[] = "[null, 4]", steps[] = "[null, 5, 3]",
                  words[] = "[null, 5]";

typedef struct row {
    const char *class_name, *given, *shape, *expected;
} row;

// Both configs make the same architecture, without a warning.
static void older_names_mean_what_they_meant(void **state)
{
    (void)state;
    static const row rows[] = {
        {"LeakyReLU", "\"alpha\": 0.05", flat, "\"negative_slope\": 0.05"},
        {"ELU", "\"alpha\": 0.5", flat, "\"alpha\": 0.5"},
        {"Dropout", "\"p\": 0.5", flat, "\"rate\": 0.5"},
        {"Dense", "\"output_dim\": 3, \"init\": \"he_normal\", \"bias\": false, \"input_dim\": 4",
         flat, "\"units\": 3, \"kernel_initializer\": \"he_normal\", \"use_bias\": false"},
        {"Dense",
         "\"output_dim\": 3, \"W_regularizer\": {\"name\": \"WeightRegularizer\", \"l1\": 0.0, "
         "\"l2\": 0.01}, \"W_constraint\": null",
         flat,
         "\"units\": 3, \"kernel_regularizer\": {\"class_name\": \"L1L2\", \"config\": {\"l1\": 0, "
         "\"l2\": 0.01}}"},
        {"Convolution2D",
         "\"name\": \"conv2d\", \"nb_filter\": 3, \"nb_row\": 3, \"nb_col\": 2, \"border_mode\": "
         "\"same\", \"subsample\": [2, 2], \"dim_ordering\": \"tf\"",
         image,
         "\"name\": \"conv2d\", \"filters\": 3, \"kernel_size\": [3, 2], \"padding\": \"same\", "
         "\"strides\": [2, 2]"},
        {"MaxPooling2D", "\"border_mode\": \"same\", \"strides\": null", image,
         "\"padding\": \"same\""},
        {"SimpleRNN", "\"output_dim\": 2, \"inner_init\": \"orthogonal\", \"dropout_W\": 0.25",
         steps, "\"units\": 2, \"recurrent_initializer\": \"orthogonal\", \"dropout\": 0.25"},
        {"Embedding",
         "\"input_dim\": 7, \"output_dim\": 2, \"init\": \"uniform\", \"dropout\": 0.0", words,
         "\"input_dim\": 7, \"output_dim\": 2, \"embeddings_initializer\": \"uniform\""},
        {"BatchNormalization", "\"mode\": 0, \"gamma_init\": \"one\"", flat,
         "\"gamma_initializer\": \"one\""},
        {"Dense",
         "\"units\": 2, \"kernel_initializer\": {\"class_name\": \"RandomNormal\", "
         "\"config\": {\"mean\": 0.0, \"stddev\": 0.5, \"seed\": 3}}",
         flat, "\"units\": 2, \"kernel_initializer\": \"random_normal(stddev=0.5)\""},
        {"Dense", "\"units\": 2, \"lora_rank\": null, \"quantization_config\": null", flat,
         "\"units\": 2"},
        {"Dense",
         "\"output_dim\": 2, \"W_constraint\": {\"name\": \"MaxNorm\", \"m\": 3}, "
         "\"b_constraint\": "
         "null",
         flat, "\"units\": 2, \"kernel_constraint\": \"max_norm(3)\""},
        {"Embedding", "\"input_dim\": 7, \"output_dim\": 2, \"W_constraint\": \"unitnorm\"", words,
         "\"input_dim\": 7, \"output_dim\": 2, \"embeddings_constraint\": \"unit_norm\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *first = NULL, *second = NULL;
        const row *r = &rows[i];
        const char *class_name = strcmp(r->class_name, "Convolution2D") ? r->class_name : "Conv2D";
        cj_model *a = load_layer(r->class_name, r->given, r->shape);
        if (!a || *warnings)
            fail_msg("%s {%s}: %s %s", r->class_name, r->given, cj_error(), warnings);
        cj_model *b = load_layer(class_name, r->expected, r->shape);
        assert_non_null(b);
        assert_int_equal(cj_model_to_json(a, &first), CJ_OK);
        assert_int_equal(cj_model_to_json(b, &second), CJ_OK);
        assert_string_equal(first, second);
        cj_free(first), cj_free(second);
        cj_release(a), cj_release(b);
    }
}

static void what_changes_the_result_is_refused_by_name(void **state)
{
    (void)state;
    static const row rows[] = {
        {"Dense", "\"units\": 2, \"activaton\": \"relu\"", flat, "did you mean \"activation\""},
        {"Dense", "\"units\": 2, \"lora_rank\": 4", flat, "no \"lora_rank\""},
        {"Dense", "\"units\": 2, \"kernel_constraint\": {\"class_name\": \"MaxNrm\"}", flat,
         "did you mean \"max"},
        {"Dense",
         "\"units\": 2, \"kernel_constraint\": {\"class_name\": \"UnitNorm\", \"config\": "
         "{\"axis\": "
         "2}}",
         flat, "axis 2 of a constraint is none of a weight of 2 axes"},
        {"Dense",
         "\"units\": 2, \"kernel_constraint\": {\"class_name\": \"UnitNorm\", \"config\": "
         "{\"axis\": "
         "[]}}",
         flat, "\"axis\""},
        {"DepthwiseConv2D",
         "\"kernel_size\": 2, \"kernel_constraint\": {\"class_name\": \"NonNeg\", \"config\": {}}",
         image, "no \"kernel_constraint\""},
        {"Dense", "\"units\": 2, \"output_dim\": 3", flat, "twice"},
        {"Dense", "\"units\": 2, \"quantization_config\": {\"mode\": \"int8\"}", flat,
         "quantization_config"},
        {"Conv2D", "\"filters\": 1, \"kernel_size\": 3, \"data_format\": \"channels_first\"", image,
         "channels_first"},
        {"Conv2D", "\"filters\": 1, \"kernel_size\": 3, \"dim_ordering\": \"th\"", image,
         "dim_ordering"},
        {"BatchNormalization", "\"renorm\": true", flat, "renorm"},
        {"Dropout", "\"rat\": 0.5", flat, "did you mean \"rate\""},
        {"Flatten", "\"data_format\": \"channels_first\"", image, "data_format"},
        {"Dropout", "\"rate\": 0.5, \"activity_regularizer\": \"l2\"", flat,
         "activity_regularizer"},
        {"Softmax", "\"axis\": [1, 2]", image, "axis"},
        {"Dense",
         "\"units\": 2, \"kernel_initializer\": {\"class_name\": \"VarianceScaling\", \"config\": "
         "{\"mode\": \"fan_inn\"}}",
         flat, "fan_in"},
        {"Dense",
         "\"units\": 2, \"kernel_initializer\": {\"class_name\": \"RandomNormal\", \"config\": "
         "{\"stdev\": 0.5}}",
         flat, "did you mean \"stddev\""},
        {"Dense",
         "\"units\": 2, \"kernel_initializer\": {\"class_name\": \"GlorotUniform\", \"config\": "
         "{\"input_axes\": [0]}}",
         flat, "input_axes"},
        {"Dense",
         "\"units\": 2, \"kernel_regularizer\": {\"class_name\": \"L2\", \"config\": {\"l22\": 1}}",
         flat, "did you mean \"l2\""},
        {"Dense",
         "\"units\": 2, \"activation\": {\"class_name\": \"Softmax\", \"config\": {\"axis\": 1}}",
         flat, "axis"},
        {"Dense", "\"units\": 2, \"activation\": {\"class_name\": \"PReLU\", \"config\": {}}", flat,
         "prelu"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cj_model *model = load_layer(rows[i].class_name, rows[i].given, rows[i].shape);
        if (model)
            fail_msg("%s {%s} was taken", rows[i].class_name, rows[i].given);
        assert_error_contains(rows[i].expected);
    }
}

static void other_keys_are_warned_of(void **state)
{
    (void)state;
    cj_model *model =
        load_layer("Dense", "\"name\": \"d\", \"units\": 2, \"glow_colour\": \"red\"", flat);
    assert_non_null(model);
    assert_non_null(strstr(warnings, "d: the setting \"glow_colour\""));
    cj_release(model);
    model = load_layer("Dense", "\"units\": 2, \"seed_of_some_version\": null", flat);
    assert_non_null(model);
    assert_string_equal(warnings, "");
    cj_release(model);
}

// What a value of 0 or a layer as an activation means, by the JSON that is written.
static void values_mean_themselves(void **state)
{
    (void)state;
    static const row rows[] = {
        {"BatchNormalization", "\"epsilon\": 0.0", flat, "\"epsilon\": 0.0"},
        {"ReLU", "\"max_value\": 0.0", flat, "\"max_value\": 0.0"},
        {"ReLU", "\"max_value\": null", flat, "\"max_value\": null"},
        {"LeakyReLU", "\"negative_slope\": 0.0", flat, "\"negative_slope\": 0.0"},
        {"Dense",
         "\"units\": 2, \"activation\": {\"class_name\": \"LeakyReLU\", \"config\": {\"name\": "
         "\"x\", \"trainable\": true, \"negative_slope\": 0.1}}",
         flat, "\"negative_slope\": 0.1"},
        // the layer's default, which is not the activation's
        {"Dense", "\"units\": 2, \"activation\": \"relu6\"", flat, "\"relu6\""},
        {"Dense", "\"units\": 2, \"activation\": \"gelu(approximate=true)\"", flat,
         "\"approximate\": true"},
        {"Dense", "\"units\": 2, \"activation\": {\"class_name\": \"LeakyReLU\", \"config\": {}}",
         flat, "\"negative_slope\": 0.2999999"},
        {"Dense",
         "\"units\": 2, \"activation\": {\"class_name\": \"ReLU\", \"config\": {\"max_value\": "
         "6.0}}",
         flat, "\"max_value\": 6.0"},
        {"Dense",
         "\"units\": 2, \"activation\": {\"class_name\": \"Softmax\", \"config\": {\"axis\": "
         "-1}}",
         flat, "\"softmax\""},
        {"Dense",
         "\"units\": 2, \"activation\": {\"class_name\": \"Activation\", \"config\": "
         "{\"activation\": \"tanh\"}}",
         flat, "\"tanh\""},
        {"Dense",
         "\"units\": 2, \"activation\": {\"class_name\": \"function\", \"config\": "
         "\"elu\"}",
         flat, "\"elu\""},
        {"Dense",
         "\"units\": 2, \"kernel_initializer\": {\"class_name\": \"VarianceScaling\", \"config\": "
         "{\"scale\": 2.0, \"mode\": \"fan_out\", \"distribution\": \"uniform\", \"seed\": null}}",
         flat, "\"mode\": \"fan_out\""},
        {"Dense",
         "\"units\": 2, \"kernel_initializer\": \"variance_scaling(scale=2, mode=fan_in, "
         "distribution=uniform)\"",
         flat, "\"distribution\": \"uniform\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *json = NULL;
        cj_model *model = load_layer(rows[i].class_name, rows[i].given, rows[i].shape);
        if (!model)
            fail_msg("%s {%s}: %s", rows[i].class_name, rows[i].given, cj_error());
        assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
        if (!strstr(json, rows[i].expected))
            fail_msg("%s {%s}: no %s in %s", rows[i].class_name, rows[i].given, rows[i].expected,
                     json);
        cj_free(json);
        cj_release(model);
    }
}

// An application's own arguments: an initial state would change the result.
static void arguments_of_an_application_are_refused(void **state)
{
    (void)state;
    static const char old[] =
        "{\"class_name\": \"Model\", \"config\": {\"name\": \"m\", \"layers\": ["
        "{\"class_name\": \"InputLayer\", \"name\": \"x\", \"config\": {\"batch_shape\": [null, 5, "
        "3]}, \"inbound_nodes\": []},"
        "{\"class_name\": \"InputLayer\", \"name\": \"h\", \"config\": {\"batch_shape\": [null, "
        "2]}, \"inbound_nodes\": []},"
        "{\"class_name\": \"SimpleRNN\", \"name\": \"r\", \"config\": {\"units\": 2}, "
        "\"inbound_nodes\": [[[\"x\", 0, 0, {\"initial_state\": [[\"h\", 0, 0]]}]]]}],"
        "\"input_layers\": [[\"x\", 0, 0], [\"h\", 0, 0]], \"output_layers\": [[\"r\", 0, 0]]}}";
    cj_error_clear();
    assert_null(cj_model_from_json(old, sizeof old - 1));
    assert_error_contains("initial_state");
    static const char now[] =
        "{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": ["
        "{\"class_name\": \"InputLayer\", \"name\": \"x\", \"config\": {\"batch_shape\": [null, "
        "4]}, \"inbound_nodes\": []},"
        "{\"class_name\": \"Dropout\", \"name\": \"d\", \"config\": {\"rate\": 0.5}, "
        "\"inbound_nodes\": [{\"args\": [{\"class_name\": \"__keras_tensor__\", \"config\": "
        "{\"keras_history\": [\"x\", 0, 0]}}], \"kwargs\": {\"training\": true}}]}],"
        "\"input_layers\": [[\"x\", 0, 0]], \"output_layers\": [[\"d\", 0, 0]]}}";
    assert_null(cj_model_from_json(now, sizeof now - 1));
    assert_error_contains("training");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(older_names_mean_what_they_meant),
        cmocka_unit_test(what_changes_the_result_is_refused_by_name),
        cmocka_unit_test(other_keys_are_warned_of),
        cmocka_unit_test(values_mean_themselves),
        cmocka_unit_test(arguments_of_an_application_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
