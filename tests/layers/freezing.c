// trainable, as Keras means it: a frozen model freezes what it contains, wherever else that is
// used.
#include "layers/helpers.h"

static int trainable_count(const cj_model *model)
{
    return cj__layer_variables(cj_model_layer(model), true, NULL, 0);
}

static void frozen_discriminator_leaves_the_generator_trainable(void **state)
{
    (void)state;
    cj_model *generator = cj_sequential(cj_input(2), cj_dense(3), cj_batch_normalization());
    cj_model *discriminator = cj_sequential(cj_input(3), cj_dense(4), cj_dense(1));
    assert_int_equal(trainable_count(discriminator), 4);
    assert_int_equal(cj_set_trainable(cj_model_layer(discriminator), false), CJ_OK);
    assert_false(cj_trainable(cj_model_layer_at(discriminator, 0)));
    cj_retain(generator), cj_retain(discriminator);
    cj_model *combined = cj_sequential(cj_model_layer(generator), cj_model_layer(discriminator));
    assert_int_equal(trainable_count(combined), 4); // kernel, bias, gamma, beta
    assert_int_equal(cj_layer_variable_count(cj_model_layer(combined)), 10);
    assert_int_equal(trainable_count(discriminator), 0);
    assert_int_equal(cj_set_trainable(cj_model_layer(discriminator), true), CJ_OK);
    assert_int_equal(trainable_count(combined), 8);
    cj_release(combined), cj_release(generator), cj_release(discriminator);
}

static void variables_come_in_keras_order(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(3), cj_batch_normalization(), cj_dense(2));
    static const char *const names[] = {"batch_normalization/gamma",
                                        "batch_normalization/beta",
                                        "batch_normalization/moving_mean",
                                        "batch_normalization/moving_variance",
                                        "dense/kernel",
                                        "dense/bias"};
    for (int i = 0; i < 6; i++)
        assert_string_equal(cj_variable_name(cj_layer_variable(cj_model_layer(model), i)),
                            names[i]);
    assert_null(cj_layer_variable(cj_model_layer(model), 6));
    assert_null(cj_layer_variable(cj_model_layer(model), -1));
    assert_int_equal(trainable_count(model), 4);
    cj_release(model);
}

static void layer_in_two_nested_models_is_counted_once(void **state)
{
    (void)state;
    cj_layer *shared = cj_dense(2);
    cj_model *a = cj_sequential(cj_input(2), shared),
             *b = cj_sequential(cj_input(2), shared, cj_dense(2));
    cj_model *both = cj_sequential(cj_model_layer(a), cj_model_layer(b));
    assert_non_null(both);
    assert_int_equal(cj_layer_variable_count(cj_model_layer(both)), 4);
    cj_release(both);
}

static void layer_made_frozen_has_no_trainable_variables(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(2), cj_dense(2, .trainable = false), cj_dense(1));
    assert_int_equal(trainable_count(model), 2);
    cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frozen_discriminator_leaves_the_generator_trainable),
        cmocka_unit_test(variables_come_in_keras_order),
        cmocka_unit_test(layer_in_two_nested_models_is_counted_once),
        cmocka_unit_test(layer_made_frozen_has_no_trainable_variables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
