// Functional models: several inputs and outputs, shared layers, nested models, ops between layers,
// sentences.
#include "layers/helpers.h"

#include <cajal/train.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void two_inputs_and_two_outputs_run(void **state)
{
    (void)state;
    cj_symbol *a = cj_input_symbol(3), *b = cj_input_symbol(2);
    cj_symbol *joined = cj_merge(cj_concatenate(), cj_apply(cj_dense(4), a), b);
    cj_symbol *y = cj_apply(cj_dense(2), joined),
              *z = cj_apply(cj_dense(1, .name = "value"), joined);
    cj_model *model = cj_functional(.inputs = {a, b}, .outputs = {y, z});
    if (!model)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_model_input_count(model), 2);
    assert_int_equal(cj_model_output_count(model), 2);
    assert_true(cj_shape_equal(cj_model_output_shape(model, 1), &CJ_SHAPE(CJ_BATCH, 1)));
    assert_int_equal(cj_model_layer_count(model), 6);
    static const char *const names[] = {"input_layer", "dense",   "input_layer_1",
                                        "concatenate", "dense_1", "value"};
    for (int i = 0; i < 6; i++)
        assert_non_null(cj_model_find_layer(model, names[i]));
    cj_tensor *x[2] = {helper_random(CJ_SHAPE(5, 3), 1), helper_random(CJ_SHAPE(5, 2), 2)};
    cj_tensor *out = helper_run(cj_model_layer(model), x, 2, 1, false, 0);
    assert_int_equal(cj_tensor_count(out), 5);
    cj_release(out);
    cj_release(x[0]);
    cj_release(x[1]);
    cj_release(model);
}

static void shared_layer_has_one_set_of_variables(void **state)
{
    (void)state;
    cj_symbol *a = cj_input_symbol(3), *b = cj_input_symbol(3);
    cj_layer *shared = cj_dense(2, .use_bias = false);
    cj_symbol *y = cj_merge(cj_add(), cj_apply(shared, a), cj_apply(shared, b));
    cj_model *model = cj_functional(.inputs = {a, b}, .outputs = {y});
    assert_non_null(model);
    assert_int_equal(cj_layer_variable_count(cj_model_layer(model)), 1);
    helper_assign(cj_model_find_layer(model, "dense"), 0, (double[]){1, 0, 0, 1, 2, 3});
    cj_tensor *x[2] = {helper_tensor(CJ_F32, CJ_SHAPE(1, 3), (double[]){1, 2, 3}),
                       helper_tensor(CJ_F32, CJ_SHAPE(1, 3), (double[]){10, 20, 30})};
    cj_tensor *out = helper_run(cj_model_layer(model), x, 2, 0, false, 0);
    assert_all_near(helper_floats(out), ((float[]){11 + 66, 22 + 99}), 2, 0, 1e-6);
    cj_release(out);
    cj_release(x[0]);
    cj_release(x[1]);
    cj_release(model);
}

static void nested_model_counts_its_variables_and_is_found(void **state)
{
    (void)state;
    cj_model *inner = cj_sequential_new(&(cj_sequential_args){
        CJ_SEQUENTIAL_DEFAULTS, .layers = (cj_layer *[]){cj_input(4), cj_dense(3), cj_dense(2)},
        .layer_count = 3, .name = "inner"});
    cj_symbol *x = cj_input_symbol(4), *h = cj_apply(cj_model_layer(inner), x);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {cj_apply(cj_dense(1), h)});
    assert_non_null(model);
    assert_int_equal(cj_layer_variable_count(cj_model_layer(model)), 6);
    assert_non_null(cj_model_find_layer(model, "inner/dense_1"));
    assert_ptr_equal(cj_layer_model(cj_model_find_layer(model, "inner")), inner);
    cj_release(model);
}

static void op_between_layers_is_made_again(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(2);
    cj_symbol *scaled =
        cj_op_multiply(cj_apply(cj_activation("relu"), x), cj_symbol_scalar(CJ_F32, 3));
    cj_model *model =
        cj_functional(.inputs = {x}, .outputs = {cj_apply(cj_activation("linear"), scaled)});
    if (!model)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_model_layer_count(model), 4);
    cj_tensor *in = helper_tensor(CJ_F32, CJ_SHAPE(2, 2), (double[]){1, -1, 2, -2});
    cj_tensor *out = helper_predict(cj_model_layer(model), in);
    assert_all_near(helper_floats(out), ((float[]){3, 0, 6, 0}), 4, 0, 0);
    cj_release(out);
    cj_release(in);
    cj_release(model);
}

static void layer_that_changes_nothing_still_belongs_to_the_model(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(2);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {cj_apply(cj_dropout(0.5), x)});
    assert_non_null(model);
    assert_int_equal(cj_model_layer_count(model), 2);
    assert_string_equal(cj_layer_class(cj_model_layer_at(model, 1)), "Dropout");
    cj_release(model);
}

static void missing_and_unused_inputs_are_named(void **state)
{
    (void)state;
    cj_symbol *a = cj_input_symbol(3), *b = cj_input_symbol(3, .name = "noise");
    cj_symbol *sum = cj_merge(cj_add(), a, b), *alone = cj_apply(cj_dense(2), a);
    cj_retain(a), cj_retain(b), cj_retain(sum), cj_retain(alone);
    assert_null(cj_functional(.inputs = {a}, .outputs = {sum}));
    assert_error_contains("need input \"noise\"");
    assert_null(cj_functional(.inputs = {a, b}, .outputs = {alone}));
    assert_error_contains("input 1 (\"noise\") is not used");
    assert_null(cj_functional(.inputs = {alone}, .outputs = {sum}));
    assert_error_contains("cj_input_symbol()");
    cj_release(alone), cj_release(sum), cj_release(a), cj_release(b);
}

static void failure_on_the_way_reaches_the_model(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(3);
    cj_error_clear();
    cj_symbol *y = cj_apply(cj_dense(2, .activation = "sofmax"), cj_apply(cj_dense(4), x));
    assert_null(y);
    assert_null(
        cj_functional(.inputs = {x}, .outputs = {y}, .inputs_count = 1, .outputs_count = 1));
    assert_error_contains("did you mean \"softmax\"");
}

static void lines_after_a_failure_may_use_its_arguments(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(3);
    cj_layer *shared = cj_dense(4);
    cj_symbol *h = cj_apply(shared, x);
    cj_symbol *bad = cj_apply(cj_conv2d(3, {2}), h), *again = cj_apply(shared, x);
    assert_null(bad);
    assert_non_null(again);
    cj_symbol *y = cj_merge(cj_add(), h, bad), *z = cj_merge(cj_add(), h, again);
    assert_null(cj_functional(.inputs = {x}, .outputs = {z, y}, .outputs_count = 2));
    assert_error_contains("conv2d: input (None, 4) has 2 axes");
}

static void shared_layer_survives_a_line_without_a_symbol(void **state)
{
    (void)state;
    support_memory_begin(-1);
    cj_symbol *a = cj_input_symbol(3), *b = cj_input_symbol(3);
    cj_layer *shared = cj_dense(4);
    cj_symbol *first = cj_apply(shared, cj_apply(cj_dense(0), a));
    assert_null(first);
    cj_symbol *second = cj_apply(shared, b);
    assert_non_null(second);
    cj_symbol *y = cj_apply(cj_dense(2), cj_merge(cj_add(), first, second));
    assert_null(cj_functional(.inputs = {a, b}, .outputs = {y}));
    assert_error_contains("units");
    support_memory_end();
}

static void *fail_and_end(void *shared)
{
    support_memory_hook();
    cj_symbol *x = cj_input_symbol(3);
    assert_null(cj_apply(cj_dense(4), cj_apply(cj_conv2d(3, {2}), x)));
    assert_null(cj_apply(shared, x)); // of 2 axes, needs 4
    return NULL;
}

static void threads_that_end_after_a_failure_leave_nothing(void **state)
{
    (void)state;
    pthread_t threads[2];
    support_memory_begin(-1);
    cj_layer *shared = cj_max_pooling2d();
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fail_and_end, cj_retain(shared)), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    cj_release(shared), cj_release(shared);
    support_memory_end();
}

// A search through all names or all applications for each layer would take minutes.
static void ten_thousand_layers_without_names_are_quick(void **state)
{
    (void)state;
    const clock_t begin = clock();
    FILE *stream = tmpfile();
    cj_symbol *x = cj_input_symbol(2), *h = x;
    for (int i = 0; i < 10000; i++)
        h = cj_apply(cj_dense(2), h);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {h});
    assert_non_null(model);
    assert_int_equal(cj_layer_variable_count(cj_model_layer(model)), 20000);
    assert_int_equal(cj_model_summary(model, stream), CJ_OK);
    assert_string_equal(cj_layer_name(cj_model_layer_at(model, 10000)), "dense_9999");
    cj_release(model);
    fclose(stream);
    assert_true((clock() - begin) / CLOCKS_PER_SEC < 30);
}

static void model_of_a_part_shares_the_layers(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(3), *h = cj_apply(cj_dense(4, .activation = "tanh"), x);
    cj_symbol *twice = cj_op_multiply(h, cj_symbol_scalar(CJ_F32, 2));
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {cj_apply(cj_dense(1), twice)});
    assert_non_null(model);
    cj_model *part = cj_functional(.inputs = {cj_model_input(model, 0)},
                                   .outputs = {cj_layer_input(model, "dense_1")});
    if (!part)
        fail_msg("%s", cj_error());
    assert_ptr_equal(cj_model_find_layer(part, "dense"), cj_model_find_layer(model, "dense"));
    cj_symbol *output = cj_layer_output(model, "dense");
    assert_true(cj_shape_equal(cj_symbol_shape(output), &CJ_SHAPE(CJ_BATCH, 4)));
    assert_true(cj_shape_equal(cj_symbol_shape(cj_model_output(model, 0)), &CJ_SHAPE(CJ_BATCH, 1)));
    cj_tensor *in = helper_random(CJ_SHAPE(2, 3), 1);
    cj_tensor *whole = helper_predict(cj_model_find_layer(model, "dense"), in);
    cj_tensor *half = helper_predict(cj_model_layer(part), in);
    for (int i = 0; i < 8; i++)
        assert_near(helper_floats(half)[i], 2 * helper_floats(whole)[i], 0, 1e-6);
    cj_release(whole), cj_release(half), cj_release(in);
    assert_null(cj_layer_output(model, "dence"));
    assert_error_contains("did you mean \"dense\"");
    assert_null(cj_model_input(model, 1));
    assert_error_contains("there is no input 1");
    cj_release(part), cj_release(model);
}

static void long_chain_is_walked_and_freed_without_recursion(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(2), *h = x;
    for (int i = 0; i < 3000; i++)
        h = cj_apply(cj_activation("relu"), h);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {h});
    assert_non_null(model);
    assert_int_equal(cj_model_layer_count(model), 3001);
    assert_string_equal(cj_layer_name(cj_model_layer_at(model, 3000)), "activation_2999");
    cj_release(model);
}

static void mask_of_an_embedding_reaches_the_recurrent_layer(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(3, .dtype = "int32");
    cj_symbol *h = cj_apply(cj_embedding(4, 1, .mask_zero = true), x);
    cj_symbol *y =
        cj_apply(cj_simple_rnn(1, .activation = "linear", .recurrent_initializer = "ones",
                               .kernel_initializer = "ones"),
                 h);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {y});
    if (!model)
        fail_msg("%s", cj_error());
    helper_assign(cj_model_find_layer(model, "embedding"), 0, (double[]){100, 1, 2, 3});
    cj_tensor *in = helper_tensor(CJ_I32, CJ_SHAPE(2, 3), (double[]){1, 2, 0, 0, 3, 0});
    cj_tensor *out = helper_predict(cj_model_layer(model), in);
    assert_all_near(helper_floats(out), ((float[]){3, 3}), 2, 0, 1e-6);
    cj_release(out);
    cj_release(in);
    cj_release(model);
}

// The state after three steps of h = h + x where the mask is true; x = embedding of ones + `other`.
static float summed(const int32_t *words, const int32_t *masked, const float *other)
{
    cj_symbol *a = cj_input_symbol(3, .dtype = "int32"),
              *b = masked ? cj_input_symbol(3, .dtype = "int32") : cj_input_symbol(3, 1);
    cj_symbol *added = b;
    if (masked)
        added =
            cj_apply(cj_embedding(4, 1, .mask_zero = true, .embeddings_initializer = "ones"), b);
    cj_symbol *e =
        cj_apply(cj_embedding(4, 1, .mask_zero = true, .embeddings_initializer = "ones"), a);
    cj_symbol *sum = cj_apply_list(cj_add(), (cj_symbol *[]){e, added}, 2);
    cj_symbol *y = cj_apply(cj_simple_rnn(1, .activation = "linear", .kernel_initializer = "ones",
                                          .recurrent_initializer = "ones"),
                            sum);
    cj_model *model = cj_functional(.inputs = {a, b}, .outputs = {y});
    assert_non_null(model);
    cj_tensor *in[2], *out;
    assert_int_equal(cj_tensor_new(CJ_I32, CJ_SHAPE(1, 3), &in[0]), CJ_OK);
    memcpy(cj_tensor_data(in[0]), words, 3 * sizeof *words);
    assert_int_equal(masked ? cj_tensor_new(CJ_I32, CJ_SHAPE(1, 3), &in[1]) :
                              cj_tensor_new(CJ_F32, CJ_SHAPE(1, 3, 1), &in[1]),
                     CJ_OK);
    memcpy(cj_tensor_data(in[1]), masked ? (const void *)masked : other, 3 * sizeof *other);
    assert_int_equal(cj_predict_many(model, in, &out), CJ_OK);
    const float result = ((float *)cj_tensor_data(out))[0];
    cj_release(out), cj_release(in[0]), cj_release(in[1]), cj_release(model);
    return result;
}

// The numbers are those of Keras 3.15: of several masks a step is seen where one is true, and an input
// without a mask leaves the sum without one.
static void sum_of_masked_inputs_has_the_mask_of_keras(void **state)
{
    (void)state;
    const int32_t one[] = {1, 0, 0}, two[] = {1, 1, 0};
    assert_true(summed(one, NULL, (const float[]){1, 10, 100}) == 114);
    assert_true(summed(one, two, NULL) == 4);
}

// h = h + x over an embedding of ones, from the state 10. The number is that of Keras 3.15: a layer
// that is given states gets no mask by itself.
static void mask_does_not_reach_a_layer_with_initial_states(void **state)
{
    (void)state;
    cj_symbol *words = cj_input_symbol(3, .dtype = "int32"), *begin = cj_input_symbol(1);
    cj_symbol *e =
        cj_apply(cj_embedding(4, 1, .mask_zero = true, .embeddings_initializer = "ones"), words);
    cj_symbol *y =
        cj_apply_list(cj_simple_rnn(1, .activation = "linear", .kernel_initializer = "ones",
                                    .recurrent_initializer = "ones"),
                      (cj_symbol *[]){e, begin}, 2);
    cj_model *model = cj_functional(.inputs = {words, begin}, .outputs = {y});
    assert_non_null(model);
    cj_tensor *in[2], *out;
    in[0] = helper_tensor(CJ_I32, CJ_SHAPE(1, 3), (double[]){1, 0, 0});
    in[1] = helper_tensor(CJ_F32, CJ_SHAPE(1, 1), (double[]){10});
    assert_int_equal(cj_predict_many(model, in, &out), CJ_OK);
    assert_true(helper_floats(out)[0] == 13);
    cj_release(out), cj_release(in[0]), cj_release(in[1]), cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sum_of_masked_inputs_has_the_mask_of_keras),
        cmocka_unit_test(mask_does_not_reach_a_layer_with_initial_states),
        cmocka_unit_test(two_inputs_and_two_outputs_run),
        cmocka_unit_test(shared_layer_has_one_set_of_variables),
        cmocka_unit_test(nested_model_counts_its_variables_and_is_found),
        cmocka_unit_test(op_between_layers_is_made_again),
        cmocka_unit_test(layer_that_changes_nothing_still_belongs_to_the_model),
        cmocka_unit_test(missing_and_unused_inputs_are_named),
        cmocka_unit_test(failure_on_the_way_reaches_the_model),
        cmocka_unit_test(lines_after_a_failure_may_use_its_arguments),
        cmocka_unit_test(shared_layer_survives_a_line_without_a_symbol),
        cmocka_unit_test(threads_that_end_after_a_failure_leave_nothing),
        cmocka_unit_test(ten_thousand_layers_without_names_are_quick),
        cmocka_unit_test(model_of_a_part_shares_the_layers),
        cmocka_unit_test(long_chain_is_walked_and_freed_without_recursion),
        cmocka_unit_test(mask_of_an_embedding_reaches_the_recurrent_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
