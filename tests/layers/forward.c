// Values of each family against loops written out here. Tolerance 1e-5: sums of a few float
// products in another order.
#include "layers/helpers.h"

#include <math.h>

static void dense_is_a_product_plus_bias(void **state)
{
    (void)state;
    cj_layer *layer = cj_dense(3, .activation = "sigmoid");
    cj_tensor *x = helper_random(CJ_SHAPE(2, 4, 5), 1);
    cj_release(helper_predict(layer, x));
    helper_assign(layer, 1, (double[]){0.5, -0.5, 0.25});
    cj_tensor *y = helper_predict(layer, x);
    const float *w = helper_floats(cj_variable_value(cj_layer_variable(layer, 0))),
                *b = helper_floats(cj_variable_value(cj_layer_variable(layer, 1)));
    for (int r = 0; r < 8; r++)
        for (int u = 0; u < 3; u++) {
            double sum = b[u];
            for (int k = 0; k < 5; k++)
                sum += (double)helper_floats(x)[r * 5 + k] * w[k * 3 + u];
            assert_near(helper_floats(y)[r * 3 + u], 1 / (1 + exp(-sum)), 1e-5, 1e-5);
        }
    cj_release(y), cj_release(x), cj_release(layer);
}

static void convolution_is_a_sum_over_the_window(void **state)
{
    (void)state;
    // padding "same", strides 2
    enum { H = 6, W = 5, C = 2, F = 3, KH = 3, KW = 2, OH = 3, OW = 3 };
    cj_layer *layer = cj_conv2d(F, {KH, KW}, .strides = {2}, .padding = "same");
    cj_tensor *x = helper_random(CJ_SHAPE(1, H, W, C), 3), *y = helper_predict(layer, x);
    assert_true(cj_shape_equal(cj_tensor_shape(y), &CJ_SHAPE(1, OH, OW, F)));
    const float *w = helper_floats(cj_variable_value(cj_layer_variable(layer, 0)));
    const int top = ((OH - 1) * 2 + KH - H) / 2, left = ((OW - 1) * 2 + KW - W) / 2;
    for (int i = 0; i < OH; i++)
        for (int j = 0; j < OW; j++)
            for (int f = 0; f < F; f++) {
                double sum = 0;
                for (int u = 0; u < KH; u++)
                    for (int v = 0; v < KW; v++)
                        for (int c = 0; c < C; c++) {
                            const int r = i * 2 + u - top, s = j * 2 + v - left;
                            if (r >= 0 && r < H && s >= 0 && s < W)
                                sum += (double)helper_floats(x)[(r * W + s) * C + c] *
                                       w[((u * KW + v) * C + c) * F + f];
                        }
                assert_near(helper_floats(y)[(i * OW + j) * F + f], sum, 1e-5, 1e-5);
            }
    cj_release(y), cj_release(x), cj_release(layer);
}

static void pools_keep_partial_windows_with_padding_same(void **state)
{
    (void)state;
    const double image[9] = {3, 3, 2, 2, 2, 1, 1, 1, 1};
    cj_tensor *x = helper_tensor(CJ_F32, CJ_SHAPE(1, 3, 3, 1), image);
    cj_layer *layers[] = {cj_max_pooling2d(.padding = "same"),
                          cj_average_pooling2d(.padding = "same"), cj_global_max_pooling2d(),
                          cj_global_average_pooling2d()};
    static const float expected[][4] = {{3, 2, 1, 1}, {2.5f, 1.5f, 1, 1}, {3}, {16.0f / 9}};
    static const size_t counts[] = {4, 4, 1, 1};
    for (int i = 0; i < 4; i++) {
        cj_tensor *y = helper_predict(layers[i], x);
        assert_int_equal(cj_tensor_count(y), counts[i]);
        assert_all_near(helper_floats(y), expected[i], counts[i], 0, 1e-6);
        cj_release(y), cj_release(layers[i]);
    }
    cj_release(x);
}

static void activation_layers_follow_their_arguments(void **state)
{
    (void)state;
    const double numbers[5] = {-2, -0.5, 0, 1, 7};
    cj_tensor *x = helper_tensor(CJ_F32, CJ_SHAPE(1, 5), numbers);
    cj_layer *layers[] = {cj_relu(),
                          cj_relu(.max_value = 6, .negative_slope = 0.5, .threshold = 1),
                          cj_leaky_relu(),
                          cj_elu(2),
                          cj_activation("hard_sigmoid"),
                          cj_activation("leaky_relu"),
                          cj_activation("relu6"),
                          cj_activation("softsign")};
    const float expected[][5] = {
        {0, 0, 0, 1, 7},
        {-1.5f, -0.75f, -0.5f, 0, 6},
        {-0.6f, -0.15f, 0, 1, 7},
        {(float)(2 * expm1(-2)), (float)(2 * expm1(-0.5)), 0, 1, 7},
        {1.0f / 6, 2.5f / 6, 0.5f, 4.0f / 6, 1},
        {-0.4f, -0.1f, 0, 1, 7},
        {0, 0, 0, 1, 6},
        {-2.0f / 3, -1.0f / 3, 0, 0.5f, 7.0f / 8},
    };
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        cj_tensor *y = helper_predict(layers[i], x);
        assert_all_near(helper_floats(y), expected[i], 5, 1e-6, 1e-5);
        cj_release(y), cj_release(layers[i]);
    }
    cj_release(x);
}

static void batch_normalization_uses_and_moves_its_averages(void **state)
{
    (void)state;
    cj_layer *layer = cj_batch_normalization(.momentum = 0.75);
    // mean 3, variance 3.5
    cj_tensor *x = helper_tensor(CJ_F32, CJ_SHAPE(4, 1), (double[]){1, 2, 3, 6});
    cj_tensor *y = helper_run(layer, &x, 1, 0, true, 0);
    for (int i = 0; i < 4; i++)
        assert_near(helper_floats(y)[i], (helper_floats(x)[i] - 3) / sqrt(3.501), 1e-5, 1e-5);
    assert_near(helper_floats(cj_variable_value(cj_layer_variable(layer, 2)))[0], 0.25 * 3, 1e-6,
                0);
    assert_near(helper_floats(cj_variable_value(cj_layer_variable(layer, 3)))[0], 0.75 + 0.25 * 3.5,
                1e-6, 0);
    cj_release(y);
    y = helper_predict(layer, x);
    for (int i = 0; i < 4; i++)
        assert_near(helper_floats(y)[i], (helper_floats(x)[i] - 0.75) / sqrt(1.626), 1e-5, 1e-5);
    cj_release(y);
    // a frozen one predicts also in training
    assert_int_equal(cj_set_trainable(layer, false), CJ_OK);
    y = helper_run(layer, &x, 1, 0, true, 0);
    assert_near(helper_floats(y)[3], (6 - 0.75) / sqrt(1.626), 1e-5, 1e-5);
    assert_near(helper_floats(cj_variable_value(cj_layer_variable(layer, 2)))[0], 0.75, 1e-6, 0);
    cj_release(y), cj_release(x), cj_release(layer);
}

static void dropout_keeps_the_mean_and_shares_along_noise_shape(void **state)
{
    (void)state;
    double ones[600];
    for (int i = 0; i < 600; i++)
        ones[i] = 1;
    cj_tensor *x = helper_tensor(CJ_F32, CJ_SHAPE(2, 100, 3), ones);
    cj_layer *layer = cj_dropout(0.25, .noise_shape = {-1, 1, 3}), *whole = cj_dropout(0.25),
             *all = cj_dropout(1);
    cj_tensor *y = helper_run(layer, &x, 1, 0, true, 5);
    for (int i = 0; i < 600; i++) {
        const float v = helper_floats(y)[i], first = helper_floats(y)[i / 300 * 300 + i % 3];
        assert_near(v, first, 0, 0);
        assert_true(v < 0.5f || support_near(v, 4.0 / 3, 1e-6, 0));
    }
    cj_release(y);
    y = helper_run(whole, &x, 1, 0, true, 5);
    double mean = 0;
    for (int i = 0; i < 600; i++)
        mean += helper_floats(y)[i] / 600.0;
    assert_near(mean, 1, 0.12, 0); // 5 standard errors
    cj_tensor *same = helper_run(whole, &x, 1, 0, true, 5),
              *other = helper_run(whole, &x, 1, 0, true, 6);
    assert_memory_equal(helper_floats(y), helper_floats(same), 600 * sizeof(float));
    assert_memory_not_equal(helper_floats(y), helper_floats(other), 600 * sizeof(float));
    cj_tensor *nothing = helper_run(all, &x, 1, 0, true, 0);
    for (int i = 0; i < 600; i++)
        assert_near(helper_floats(nothing)[i], 0, 0, 0);
    cj_release(y), cj_release(same), cj_release(other), cj_release(nothing);
    cj_release(layer), cj_release(whole), cj_release(all), cj_release(x);
}

// h(t) = tanh(x(t) W + h(t-1) U + b) for one sample, time 4, features 2, units 3.
static void recurrent_layer_is_a_loop_over_time(void **state)
{
    (void)state;
    for (int backwards = 0; backwards < 2; backwards++) {
        cj_layer *layer = cj_simple_rnn(3, .return_sequences = true, .return_state = true,
                                        .go_backwards = backwards);
        cj_tensor *x = helper_random(CJ_SHAPE(1, 4, 2), 8), *y = helper_predict(layer, x);
        cj_tensor *last = helper_run(layer, &x, 1, 1, false, 0);
        const float *w = helper_floats(cj_variable_value(cj_layer_variable(layer, 0))),
                    *u = helper_floats(cj_variable_value(cj_layer_variable(layer, 1)));
        double h[3] = {0};
        for (int t = 0; t < 4; t++) {
            double new[3];
            for (int j = 0; j < 3; j++) {
                double sum = 0;
                for (int k = 0; k < 2; k++)
                    sum += (double)helper_floats(x)[(backwards ? 3 - t : t) * 2 + k] * w[k * 3 + j];
                for (int k = 0; k < 3; k++)
                    sum += h[k] * u[k * 3 + j];
                new[j] = tanh(sum);
            }
            for (int j = 0; j < 3; j++)
                assert_near(helper_floats(y)[t * 3 + j], h[j] = new[j], 1e-5, 1e-5);
        }
        assert_all_near(helper_floats(last), helper_floats(y) + 9, 3, 0, 0);
        cj_release(y), cj_release(last), cj_release(x), cj_release(layer);
    }
}

static void stateful_layer_goes_on_where_it_stopped(void **state)
{
    (void)state;
    cj_layer *layer = cj_simple_rnn(1, .stateful = true, .activation = "linear",
                                    .kernel_initializer = "ones", .recurrent_initializer = "ones");
    cj_symbol *x = cj_symbol_input(CJ_F32, CJ_SHAPE(1, 2, 1), "x");
    cj_retain(layer);
    cj_symbol *applied = cj_apply(layer, x);
    assert_non_null(applied);
    cj_tensor *in = helper_tensor(CJ_F32, CJ_SHAPE(1, 2, 1), (double[]){1, 2});
    for (int i = 1; i <= 3; i++) {
        cj_tensor *y = helper_predict(layer, in);
        assert_near(helper_floats(y)[0], 3 * i, 0, 0);
        cj_release(y);
    }
    cj_release(applied), cj_release(in), cj_release(layer);
    assert_null(cj_apply(cj_simple_rnn(1, .stateful = true),
                         cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 2, 1), "x")));
    assert_error_contains("stateful needs an input layer with a batch_size");
}

static void softmax_layer_normalizes_its_axis(void **state)
{
    (void)state;
    cj_layer *layer = cj_softmax(.axis = 1);
    cj_tensor *x = helper_random(CJ_SHAPE(2, 3, 4), 6), *y = helper_predict(layer, x);
    for (int n = 0; n < 2; n++)
        for (int j = 0; j < 4; j++) {
            double sum = 0;
            for (int i = 0; i < 3; i++)
                sum += exp(helper_floats(x)[(n * 3 + i) * 4 + j]);
            for (int i = 0; i < 3; i++)
                assert_near(helper_floats(y)[(n * 3 + i) * 4 + j],
                            exp(helper_floats(x)[(n * 3 + i) * 4 + j]) / sum, 1e-6, 1e-5);
        }
    cj_release(y), cj_release(x), cj_release(layer);
}

static void embedding_picks_rows_of_any_integers(void **state)
{
    (void)state;
    cj_layer *layer = cj_embedding(3, 2);
    cj_tensor *x = helper_tensor(CJ_U8, CJ_SHAPE(2, 2), (double[]){2, 0, 1, 2});
    cj_release(helper_predict(layer, x));
    helper_assign(layer, 0, (double[]){10, 11, 20, 21, 30, 31});
    cj_tensor *y = helper_predict(layer, x);
    assert_all_near(helper_floats(y), ((float[]){30, 31, 10, 11, 20, 21, 30, 31}), 8, 0, 0);
    cj_release(y), cj_release(x), cj_release(layer);
}

static void merges_check_their_inputs(void **state)
{
    (void)state;
    cj_symbol *a = cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 3), "a"),
              *b = cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 4), "b");
    cj_retain(a), cj_retain(b);
    assert_null(cj_merge(cj_add(), a, b));
    assert_error_contains("add: inputs (None, 3) and (None, 4) cannot be added");
    assert_null(cj_merge(cj_concatenate(.axis = 5), a, b));
    assert_error_contains("concatenate: axis 5");
    cj_release(a), cj_release(b);
    assert_null(cj_functional(.inputs = {NULL}));
}

static void activity_regularizer_is_divided_by_the_batch(void **state)
{
    (void)state;
    cj__trace trace = {0};
    cj_layer *layer =
        cj_dense(1, .use_bias = false, .kernel_initializer = "ones",
                 .activity_regularizer = "l2(0.5)", .kernel_regularizer = "l1_l2(l1=1, l2=2)");
    cj_symbol *x =
        cj__build_keep(&trace.build, cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 2), "x"));
    cj__value in = {x, NULL}, *out = NULL;
    int count = 0;
    bool any = false;
    assert_int_equal(cj__layer_call(layer, &trace, &in, 1, &out, &count), CJ_OK);
    assert_int_equal(trace.loss_count, 1);
    cj_symbol *losses[2] = {trace.losses[0], cj__layer_losses(layer, &trace, &any)};
    assert_true(any);
    cj_function *f =
        cj_function(.inputs = &x, .input_count = 1, .outputs = losses, .output_count = 2);
    assert_non_null(f);
    // outputs 2 and 4
    cj_tensor *given = helper_tensor(CJ_F32, CJ_SHAPE(2, 2), (double[]){1, 1, 3, 1});
    cj_tensor *results[2] = {helper_tensor(CJ_F32, (cj_shape){0}, NULL),
                             helper_tensor(CJ_F32, (cj_shape){0}, NULL)};
    assert_int_equal(cj_function_call(f, &given, results), CJ_OK);
    assert_near(helper_floats(results[0])[0], 0.5 * (4 + 16) / 2, 1e-5, 0);
    assert_near(helper_floats(results[1])[0], 1 * 2 + 2 * 2, 1e-5, 0);
    cj_release(f), cj_release(given), cj_release(results[0]), cj_release(results[1]);
    cj__trace_end(&trace);
    cj_release(layer);
}

// Keras counts the batch axis: axis 0 is that one, and never a default.
static void batch_axis_is_refused(void **state)
{
    (void)state;
    cj_layer *const layers[] = {cj_softmax(.axis = 0), cj_batch_normalization(.axis = 0),
                                cj_softmax(.axis = -3), cj_layer_normalization({-3, 1})};
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        cj_symbol *x = cj_retain(cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 3, 4), "x"));
        assert_null(cj_apply(layers[i], x));
        assert_int_equal(cj_error_status(), CJ_UNSUPPORTED);
        assert_error_contains("is the batch axis");
        cj_release(x);
    }
    cj_symbol *a = cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 3), "a"),
              *b = cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 3), "b");
    assert_null(cj_merge(cj_concatenate(.axis = 0), a, b));
    assert_error_contains("concatenate: axis 0 of input (None, 3) is the batch axis");
    cj_symbol *c = cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 3), "c");
    assert_null(cj_apply(cj_layer_normalization({1, -1}), c));
    assert_error_contains("axis 1 is given twice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_is_a_product_plus_bias),
        cmocka_unit_test(convolution_is_a_sum_over_the_window),
        cmocka_unit_test(pools_keep_partial_windows_with_padding_same),
        cmocka_unit_test(activation_layers_follow_their_arguments),
        cmocka_unit_test(batch_normalization_uses_and_moves_its_averages),
        cmocka_unit_test(dropout_keeps_the_mean_and_shares_along_noise_shape),
        cmocka_unit_test(recurrent_layer_is_a_loop_over_time),
        cmocka_unit_test(stateful_layer_goes_on_where_it_stopped),
        cmocka_unit_test(softmax_layer_normalizes_its_axis),
        cmocka_unit_test(embedding_picks_rows_of_any_integers),
        cmocka_unit_test(merges_check_their_inputs),
        cmocka_unit_test(activity_regularizer_is_divided_by_the_batch),
        cmocka_unit_test(batch_axis_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
