// Names and first weights: counted in each model, unique, drawn by name and seed, and never drawn
// over what is the user's.
#include "layers/helpers.h"

#include <string.h>

static void default_names_are_keras_snake_case(void **state)
{
    (void)state;
    cj_layer *layers[] = {cj_relu(),        cj_leaky_relu(),           cj_elu(),
                          cj_simple_rnn(2), cj_global_max_pooling2d(), cj_batch_normalization(),
                          cj_input(3)};
    static const char *const names[] = {"re_lu",      "leaky_re_lu",          "elu",
                                        "simple_rnn", "global_max_pooling2d", "batch_normalization",
                                        "input_layer"};
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        assert_string_equal(cj_layer_name(layers[i]), names[i]);
        cj_release(layers[i]);
    }
}

static void numbers_go_around_the_names_of_users(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(2), cj_dense(2), cj_dense(2, .name = "dense"),
                                    cj_dense(2), cj_dense(2, .name = "dense_2"));
    assert_non_null(model);
    static const char *const names[] = {"dense_1", "dense", "dense_3", "dense_2"};
    for (int i = 0; i < 4; i++)
        assert_string_equal(cj_layer_name(cj_model_layer_at(model, i)), names[i]);
    cj_release(model);
    assert_null(cj_sequential(cj_input(2), cj_dense(2, .name = "a"), cj_dense(2, .name = "a")));
    assert_error_contains("two layers are named \"a\"");
    assert_null(cj_dense(2, .name = "a/b"));
}

static const float *kernel(cj_model *model, int layer)
{
    return helper_floats(cj_variable_value(cj_layer_variable(cj_model_layer_at(model, layer), 0)));
}

static void equal_layers_start_differently_and_models_alike(void **state)
{
    (void)state;
    cj_model *a = cj_sequential(cj_input(4), cj_dense(4), cj_dense(4));
    cj_model *b = cj_sequential(cj_input(4), cj_dense(4), cj_dense(4));
    assert_memory_not_equal(kernel(a, 0), kernel(a, 1), 16 * sizeof(float));
    assert_memory_equal(kernel(a, 0), kernel(b, 0), 16 * sizeof(float));
    assert_int_equal(cj_model_set_seed(b, 7), CJ_OK);
    assert_memory_not_equal(kernel(a, 0), kernel(b, 0), 16 * sizeof(float));
    assert_int_equal(cj_model_set_seed(b, 0), CJ_OK);
    assert_memory_equal(kernel(a, 1), kernel(b, 1), 16 * sizeof(float));
    cj_release(a), cj_release(b);
}

static void functional_and_sequential_layers_get_new_draws_by_their_settled_names(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(4);
    cj_model *model =
        cj_functional(.inputs = {x}, .outputs = {cj_apply(cj_dense(4), cj_apply(cj_dense(4), x))});
    assert_memory_not_equal(kernel(model, 1), kernel(model, 2), 16 * sizeof(float));
    assert_string_equal(cj_variable_name(cj_layer_variable(cj_model_layer_at(model, 2), 1)),
                        "dense_1/bias");
    cj_release(model);
}

static void assigned_weights_are_not_drawn_over(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(1);
    cj_layer *layer = cj_dense(1);
    cj_symbol *y = cj_apply(layer, x);
    cj_tensor *value = helper_tensor(CJ_F32, CJ_SHAPE(1, 1), (double[]){42});
    assert_int_equal(cj_variable_assign(cj_layer_variable(layer, 0), value), CJ_OK);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {y});
    assert_near(kernel(model, 1)[0], 42, 0, 0);
    cj_release(value), cj_release(model);
}

static void layers_that_join_a_second_model_keep_their_weights_and_names(void **state)
{
    (void)state;
    cj_model *first = cj_sequential(cj_input(3), cj_dense(3), cj_dense(3));
    float before[9];
    memcpy(before, kernel(first, 1), sizeof before);
    cj_model *second = cj_sequential(cj_input(3), cj_dense(3), cj_model_layer_at(first, 1));
    assert_non_null(second);
    assert_string_equal(cj_layer_name(cj_model_layer_at(second, 1)), "dense_1");
    assert_memory_equal(kernel(second, 1), before, sizeof before);
    cj_release(first), cj_release(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_names_are_keras_snake_case),
        cmocka_unit_test(numbers_go_around_the_names_of_users),
        cmocka_unit_test(equal_layers_start_differently_and_models_alike),
        cmocka_unit_test(functional_and_sequential_layers_get_new_draws_by_their_settled_names),
        cmocka_unit_test(assigned_weights_are_not_drawn_over),
        cmocka_unit_test(layers_that_join_a_second_model_keep_their_weights_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
