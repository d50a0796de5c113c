// Sequential models: building, shapes, names, sentences.
#include "layers/helpers.h"

static cj_model *tutorial(void)
{
    return cj_sequential(cj_input(28, 28, 1), cj_rescaling(1.0 / 255),
                         cj_conv2d(32, {3, 3}, .activation = "relu"), cj_max_pooling2d({2, 2}),
                         cj_conv2d(64, {3, 3}, .activation = "relu"), cj_max_pooling2d({2, 2}),
                         cj_flatten(), cj_dense(128, .activation = "relu"),
                         cj_dense(10, .activation = "softmax"));
}

static void tutorial_model_has_keras_shapes_and_names(void **state)
{
    (void)state;
    static const char *const names[] = {"rescaling",       "conv2d",  "max_pooling2d", "conv2d_1",
                                        "max_pooling2d_1", "flatten", "dense",         "dense_1"};
    cj_model *model = tutorial();
    assert_non_null(model);
    assert_int_equal(cj_model_layer_count(model), 8);
    for (int i = 0; i < 8; i++)
        assert_string_equal(cj_layer_name(cj_model_layer_at(model, i)), names[i]);
    assert_true(cj_shape_equal(cj_model_output_shape(model, 0), &CJ_SHAPE(CJ_BATCH, 10)));
    assert_true(cj_shape_equal(cj_model_input_shape(model, 0), &CJ_SHAPE(CJ_BATCH, 28, 28, 1)));
    assert_int_equal(cj_layer_variable_count(cj_model_layer(model)), 8);
    assert_string_equal(cj_variable_name(cj_layer_variable(cj_model_layer(model), 2)),
                        "conv2d_1/kernel");
    cj_release(model);
}

static void kernel_that_does_not_fit_is_said_with_the_layer_name(void **state)
{
    (void)state;
    cj_error_clear();
    assert_null(cj_sequential(cj_input(5, 5, 1), cj_conv2d(4, {3, 3}), cj_conv2d(4, {5, 5})));
    assert_string_equal(cj_error(),
                        "conv2d_1: kernel 5x5 does not fit input 3x3 with padding \"valid\"");
    assert_int_equal(cj_error_status(), CJ_SHAPE_MISMATCH);
}

static void first_cause_of_nested_builders_survives(void **state)
{
    (void)state;
    cj_error_clear();
    assert_null(cj_sequential(cj_input(4), cj_dense(3, .activation = "rellu"), cj_dense(2)));
    assert_error_contains("unknown activation \"rellu\": did you mean \"relu\"?");
    cj_error_clear();
    assert_null(cj_sequential(cj_input(4), cj_dense(0)));
    assert_error_contains("dense: units must be at least 1, not 0");
}

static void model_without_input_is_built_when_it_is_told(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_dense(3), cj_dense(2));
    assert_non_null(model);
    assert_int_equal(cj_model_output_count(model), 0);
    assert_int_equal(cj_layer_variable_count(cj_model_layer(model)), 0);
    assert_int_equal(cj_model_set_input(model, CJ_F32, CJ_SHAPE(5)), CJ_OK);
    assert_true(cj_shape_equal(cj_model_output_shape(model, 0), &CJ_SHAPE(CJ_BATCH, 2)));
    assert_int_equal(cj_layer_variable_count(cj_model_layer(model)), 4);
    assert_int_equal(cj_model_set_input(model, CJ_F32, CJ_SHAPE(5)), CJ_INVALID_ARGUMENT);
    cj_release(model);
}

static void failed_input_can_be_set_again(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_conv2d(2, {5}), cj_flatten(), cj_dense(2));
    assert_non_null(model);
    assert_int_equal(cj_model_set_input(model, CJ_F32, CJ_SHAPE(3, 3, 1)), CJ_SHAPE_MISMATCH);
    assert_int_equal(cj_model_set_input(model, CJ_F32, CJ_SHAPE(7, 7, 1)), CJ_OK);
    assert_true(cj_shape_equal(cj_model_output_shape(model, 0), &CJ_SHAPE(CJ_BATCH, 2)));
    cj_release(model);
}

static void same_layer_twice_is_refused(void **state)
{
    (void)state;
    cj_layer *shared = cj_dense(4);
    assert_null(cj_sequential(cj_input(4), shared, shared));
    assert_error_contains("given twice");
}

static void two_outputs_in_a_chain_are_refused(void **state)
{
    (void)state;
    assert_null(cj_sequential(cj_input(3, 2), cj_simple_rnn(4, .return_state = true), cj_dense(2)));
    assert_error_contains("simple_rnn has 2 outputs");
}

static void layers_may_be_joined_by_models(void **state)
{
    (void)state;
    cj_model *first = cj_sequential(cj_input(4), cj_dense(3)),
             *second = cj_sequential(cj_input(3), cj_dense(2));
    cj_retain(first);
    cj_model *both = cj_sequential(cj_model_layer(first), cj_model_layer(second));
    assert_non_null(both);
    assert_true(cj_shape_equal(cj_model_output_shape(both, 0), &CJ_SHAPE(CJ_BATCH, 2)));
    assert_string_equal(cj_layer_name(cj_model_layer_at(both, 1)), "sequential_1");
    assert_non_null(cj_model_find_layer(both, "sequential_1/dense"));
    assert_null(cj_model_find_layer(both, "sequential_1/dens"));
    assert_error_contains("did you mean \"dense\"");
    cj_release(both);
    assert_string_equal(cj_layer_name(cj_model_layer_at(first, 0)), "dense");
    cj_release(first);
}

static void bytes_go_straight_into_rescaling(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(3, .dtype = "uint8"), cj_rescaling(0.5, .offset = 1));
    cj_tensor *x = helper_tensor(CJ_U8, CJ_SHAPE(1, 3), (double[]){0, 2, 255});
    cj_tensor *y = helper_predict(cj_model_layer(model), x);
    assert_all_near(helper_floats(y), ((float[]){1, 2, 128.5f}), 3, 0, 0);
    cj_release(y);
    cj_release(x);
    cj_release(model);
}

static void layers_are_added_and_popped(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(3), cj_dense(4));
    assert_int_equal(cj_model_add(model, cj_dense(2)), CJ_OK);
    assert_string_equal(cj_layer_name(cj_model_layer_at(model, 1)), "dense_1");
    assert_true(cj_shape_equal(cj_model_output_shape(model, 0), &CJ_SHAPE(CJ_BATCH, 2)));
    cj_model *same = cj_sequential(cj_input(3), cj_dense(4), cj_dense(2));
    assert_memory_equal(
        helper_floats(cj_variable_value(cj_layer_variable(cj_model_layer(model), 2))),
        helper_floats(cj_variable_value(cj_layer_variable(cj_model_layer(same), 2))),
        8 * sizeof(float));
    cj_release(same);
    assert_int_equal(cj_model_add(model, cj_max_pooling2d()), CJ_SHAPE_MISMATCH);
    assert_int_equal(cj_model_add(model, cj_model_layer_at(model, 0)), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_model_add(model, cj_input(2)), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_model_add(model, cj_dense(0)), CJ_INVALID_ARGUMENT);
    assert_error_contains("units");
    assert_true(cj_shape_equal(cj_model_output_shape(model, 0), &CJ_SHAPE(CJ_BATCH, 2)));
    assert_int_equal(cj_model_pop(model), CJ_OK);
    assert_int_equal(cj_model_layer_count(model), 1);
    assert_true(cj_shape_equal(cj_model_output_shape(model, 0), &CJ_SHAPE(CJ_BATCH, 4)));
    assert_int_equal(cj_model_pop(model), CJ_INVALID_ARGUMENT);
    cj_release(model);
}

static void layers_are_added_before_the_input_is_known(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_dense(4));
    assert_int_equal(cj_model_add(model, cj_dense(2)), CJ_OK);
    assert_int_equal(cj_model_output_count(model), 0);
    assert_int_equal(cj_model_set_input(model, CJ_F32, CJ_SHAPE(3)), CJ_OK);
    assert_true(cj_shape_equal(cj_model_output_shape(model, 0), &CJ_SHAPE(CJ_BATCH, 2)));
    cj_model *outer = cj_sequential(cj_model_layer(model), cj_dense(1));
    assert_int_equal(cj_model_pop(model), CJ_INVALID_ARGUMENT);
    assert_error_contains("belongs to another one");
    cj_release(outer);
}

// What walks over models calls itself: a nest has a limit, and no crash behind it.
static void models_nest_to_a_limit(void **state)
{
    (void)state;
    cj_layer *nest = cj_dense(2);
    int depth = 0;
    for (; depth < 5000; depth++) {
        cj_model *model =
            cj_sequential(depth == 0 ? cj_input(2) : nest, depth == 0 ? nest : cj_relu());
        if (!model)
            break;
        nest = cj_model_layer(model);
    }
    assert_int_equal(depth, CJ__MODEL_DEPTH_MAX);
    assert_int_equal(cj_error_status(), CJ_UNSUPPORTED);
    assert_error_contains("nested 65 deep, at most 64 are possible");
}

// The deepest nest does everything that a model does.
static void the_deepest_nest_works(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(2), cj_dense(2)), *one = NULL;
    for (int i = 1; i < CJ__MODEL_DEPTH_MAX; i++)
        model = cj_sequential(cj_model_layer(model), cj_relu());
    assert_non_null(model);
    FILE *stream = tmpfile();
    assert_int_equal(cj_model_summary(model, stream), CJ_OK);
    assert_int_equal(cj_model_reset_weights(model), CJ_OK);
    assert_int_equal(cj_set_trainable(cj_model_layer(model), false), CJ_OK);
    fclose(stream);
    one = cj_sequential(cj_dense(2));
    assert_int_equal(cj_model_add(one, cj_model_layer(model)), CJ_UNSUPPORTED); // drops it
    assert_int_equal(cj_model_layer_count(one), 1);
    cj_release(one);
}

// A loop has as many ops whatever its length; beyond the limit it is refused at once.
static void a_recurrence_has_a_limit_of_steps(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(1 << 20, 2), cj_simple_rnn(2));
    assert_non_null(model);
    cj_release(model);
    assert_null(cj_sequential(cj_input((1 << 20) + 1, 2), cj_simple_rnn(2)));
    assert_error_contains("1048577");
    assert_error_contains("1 to 1048576");
}

static cj_status build_badly(void *context, cj_layer *cell, cj_shape input)
{
    (void)cell, (void)input;
    return *(const cj_status *)context;
}

static cj_status step_badly(void *context, const cj_cell_step *step)
{
    step->next[0] = step->states[0];
    return *(const cj_status *)context;
}

static void what_a_cell_of_ones_own_returns_is_checked(void **state)
{
    cj_status none = (cj_status)999, mute = CJ_IO;
    (void)state;
    assert_null(cj_sequential(cj_input(4, 3), cj_rnn(cj_cell({3}, step_badly, .context = &none))));
    assert_error_contains("the step of a cell of one's own returned 999, which is no status");
    cj_error_clear();
    assert_null(cj_sequential(cj_input(4, 3), cj_rnn(cj_cell({3}, step_badly, .context = &mute))));
    assert_error_contains("the step of a cell of one's own failed");
    assert_null(cj_sequential(
        cj_input(4, 3), cj_rnn(cj_cell({3}, step_badly, .context = &none, .build = build_badly))));
    assert_error_contains("the build of a cell of one's own returned 999");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_nest_to_a_limit),
        cmocka_unit_test(what_a_cell_of_ones_own_returns_is_checked),
        cmocka_unit_test(the_deepest_nest_works),
        cmocka_unit_test(a_recurrence_has_a_limit_of_steps),
        cmocka_unit_test(tutorial_model_has_keras_shapes_and_names),
        cmocka_unit_test(kernel_that_does_not_fit_is_said_with_the_layer_name),
        cmocka_unit_test(first_cause_of_nested_builders_survives),
        cmocka_unit_test(model_without_input_is_built_when_it_is_told),
        cmocka_unit_test(failed_input_can_be_set_again),
        cmocka_unit_test(same_layer_twice_is_refused),
        cmocka_unit_test(two_outputs_in_a_chain_are_refused),
        cmocka_unit_test(layers_may_be_joined_by_models),
        cmocka_unit_test(bytes_go_straight_into_rescaling),
        cmocka_unit_test(layers_are_added_and_popped),
        cmocka_unit_test(layers_are_added_before_the_input_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
