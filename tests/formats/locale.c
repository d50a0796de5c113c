// Files are the same, and read the same, in a program whose locale has a decimal comma.
#include "support.h"

#include <cajal.h>
#include <locale.h>
#include <string.h>

static cj_model *network(void)
{
    cj_model *model = cj_sequential(cj_input(3), cj_rescaling(0.12345),
                                    cj_dense(2, .activation = "leaky_relu(negative_slope=0.05)",
                                             .kernel_initializer = "random_normal(stddev=0.5)",
                                             .kernel_regularizer = "l2(0.001)"),
                                    cj_dropout(0.25));
    if (!model || cj_compile(model, .optimizer = cj_sgd(.learning_rate = 0.0123, .momentum = 0.9),
                             .loss = "categorical_crossentropy(label_smoothing=0.125)",
                             .metrics = {"mae"}) != CJ_OK)
        fail_msg("%s", cj_error());
    return model;
}

static void a_decimal_comma_changes_nothing(void **state)
{
    (void)state;
    void *with_point = NULL, *with_comma = NULL, *again = NULL;
    size_t size = 0, comma_size = 0, again_size = 0;
    cj_model *model = network();
    assert_int_equal(cj_save_memory(model, &with_point, &size), CJ_OK);
    cj_release(model);
    if (!support_locale_with_comma())
        support_skip("no locale with a decimal comma can be made here");
    model = network();
    assert_int_equal(cj_save_memory(model, &with_comma, &comma_size), CJ_OK);
    cj_model *loaded = cj_load_memory(with_point, size);
    if (!loaded)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_save_memory(loaded, &again, &again_size), CJ_OK);
    setlocale(LC_ALL, "C");
    assert_int_equal(comma_size, size);
    assert_memory_equal(with_comma, with_point, size);
    assert_int_equal(again_size, size);
    assert_memory_equal(again, with_point, size);
    cj_free(with_point), cj_free(with_comma), cj_free(again);
    cj_release(model), cj_release(loaded);
}

static void configs_of_keras_read_the_same(void **state)
{
    (void)state;
    static const char json[] =
        "{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": "
        "\"InputLayer\", "
        "\"config\": {\"batch_shape\": [null, 4]}}, {\"class_name\": \"Dense\", \"config\": "
        "{\"units\": 2, \"kernel_initializer\": {\"class_name\": \"RandomNormal\", \"config\": "
        "{\"stddev\": 0.5}}, \"kernel_regularizer\": {\"class_name\": \"L2\", \"config\": {\"l2\": "
        "1e-3}}}}, {\"class_name\": \"ReLU\", \"config\": {\"max_value\": 6.5}}]}}";
    char *with_point = NULL, *with_comma = NULL;
    cj_model *model = cj_model_from_json(json, sizeof json - 1);
    assert_int_equal(cj_model_to_json(model, &with_point), CJ_OK);
    cj_release(model);
    if (!support_locale_with_comma())
        support_skip("no locale with a decimal comma can be made here");
    model = cj_model_from_json(json, sizeof json - 1);
    if (!model)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_model_to_json(model, &with_comma), CJ_OK);
    setlocale(LC_ALL, "C");
    assert_non_null(strstr(with_point, "6.5"));
    assert_string_equal(with_point, with_comma);
    cj_free(with_point), cj_free(with_comma);
    cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decimal_comma_changes_nothing),
        cmocka_unit_test(configs_of_keras_read_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
