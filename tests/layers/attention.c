// MultiHeadAttention and EinsumDense: weights as Keras names and draws them, training, and the
// sentences for what does not fit. Values are held to Keras's in tests/parity/layers.c.
#include "layers/helpers.h"

#include <cajal/attention.h>
#include <cajal/train.h>

#include <math.h>
#include <string.h>

static cj_symbol *sequence(int64_t length, int64_t features)
{
    return cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, length, features), "x");
}

static void weights_are_those_of_the_projections(void **state)
{
    (void)state;
    static const char *const names[] = {"query/kernel",
                                        "query/bias",
                                        "key/kernel",
                                        "key/bias",
                                        "value/kernel",
                                        "value/bias",
                                        "attention_output/kernel",
                                        "attention_output/bias"};
    cj_layer *layer = cj_multi_head_attention(2, 3, .value_dim = 5);
    assert_int_equal(cj_layer_variable_count(layer), 0);
    cj_retain(layer);
    cj_symbol *y = cj_merge(layer, sequence(4, 6), sequence(7, 2));
    assert_non_null(y);
    assert_int_equal(cj_layer_variable_count(layer), 8);
    for (int i = 0; i < 8; i++)
        assert_string_equal(cj_variable_name(cj_layer_variable(layer, i)), names[i]);
    const cj_shape *kernel =
        cj_tensor_shape(cj_variable_value(cj_layer_variable(layer, 4))); // of the values
    assert_true(cj_shape_equal(kernel, &CJ_SHAPE(2, 2, 5)));
    cj_release(y);
    cj_release(layer);
}

// Glorot's limit is that of all features in and all heads out, not that of a convolution.
static void kernels_are_drawn_by_what_goes_in_and_out(void **state)
{
    (void)state;
    cj_layer *layer = cj_multi_head_attention(4, 16);
    cj_retain(layer);
    cj_symbol *x = sequence(3, 64);
    cj_retain(x);
    cj_symbol *y = cj_merge(layer, x, x);
    assert_non_null(y);
    const double limit = sqrt(6.0 / (64 + 64));
    for (int index = 0; index < 8; index += 2) {
        const cj_tensor *kernel = cj_variable_value(cj_layer_variable(layer, index));
        double most = 0;
        for (int64_t i = 0; i < cj_tensor_count(kernel); i++)
            most = fmax(most, fabs((double)helper_floats(kernel)[i]));
        assert_true(most <= limit && most > 0.99 * limit);
    }
    // each projection has numbers of its own
    assert_memory_not_equal(helper_floats(cj_variable_value(cj_layer_variable(layer, 0))),
                            helper_floats(cj_variable_value(cj_layer_variable(layer, 2))), 64);
    cj_release(y);
    cj_release(x);
    cj_release(layer);
}

static cj_model *small_model(uint64_t seed)
{
    cj_symbol *x = cj_input_symbol(5, 4);
    cj_symbol *h =
        cj_merge(cj_multi_head_attention(2, 3, .use_causal_mask = true, .dropout = 0.2), x, x);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {cj_apply(cj_dense(1), h)});
    if (!model || cj_model_set_seed(model, seed) != CJ_OK)
        fail_msg("%s", cj_error());
    return model;
}

static void first_weights_follow_the_model_s_seed(void **state)
{
    (void)state;
    cj_model *models[3] = {small_model(1), small_model(1), small_model(2)};
    for (int i = 0; i < 8; i += 2) {
        const cj_tensor *kernel[3];
        for (int m = 0; m < 3; m++)
            kernel[m] = cj_variable_value(cj_layer_variable(cj_model_layer(models[m]), i));
        const size_t size = (size_t)cj_tensor_count(kernel[0]) * sizeof(float);
        assert_memory_equal(helper_floats(kernel[0]), helper_floats(kernel[1]), size);
        assert_memory_not_equal(helper_floats(kernel[0]), helper_floats(kernel[2]), size);
    }
    for (int m = 0; m < 3; m++)
        cj_release(models[m]);
}

// The gradient reaches every projection, and a frozen layer keeps all of them.
static void training_changes_all_projections_or_none(void **state)
{
    (void)state;
    for (int frozen = 0; frozen < 2; frozen++) {
        cj_model *model = small_model(3);
        cj_layer *layer = cj_model_find_layer(model, "multi_head_attention");
        cj_tensor *x = helper_random(CJ_SHAPE(8, 5, 4), 1),
                  *y = helper_random(CJ_SHAPE(8, 5, 1), 2);
        assert_int_equal(cj_set_trainable(layer, !frozen), CJ_OK);
        assert_int_equal(
            cj_compile(model, .optimizer = cj_sgd(.learning_rate = 0.1), .loss = "mse"), CJ_OK);
        float before[8];
        for (int i = 0; i < 8; i++)
            before[i] = helper_floats(cj_variable_value(cj_layer_variable(layer, i)))[0];
        cj_dataset *data = cj_dataset(.x = {x}, .y = {y});
        assert_int_equal(cj_fit(model, data, .epochs = 2, .batch_size = 4, .verbose = 0), CJ_OK);
        for (int i = 0; i < 8; i++)
            if (i != 3) // a key's bias changes no softmax
                assert_int_equal(
                    before[i] != helper_floats(cj_variable_value(cj_layer_variable(layer, i)))[0],
                    !frozen);
        cj_release(data); // and with it the tensors
        cj_release(model);
    }
}

static void refused(cj_layer *layer, cj_symbol *query, cj_symbol *value, const char *sentence)
{
    cj_error_clear();
    cj_symbol *y = cj_merge(layer, query, value);
    assert_null(y);
    assert_error_contains(sentence);
    assert_error_contains("multi_head_attention: ");
}

static void what_does_not_fit_gets_its_sentence(void **state)
{
    (void)state;
    refused(cj_multi_head_attention(2, 3), sequence(4, 5),
            cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 4), "x"), "needs 3 to 7");
    refused(cj_multi_head_attention(2, 3), sequence(4, 5),
            cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 4, 2, 5), "x"), "different ranks");
    refused(cj_multi_head_attention(2, 3, .attention_axes = {2}), sequence(4, 5), sequence(4, 5),
            "attention_axes has 2");
    refused(cj_multi_head_attention(2, 3, .attention_axes = {2, 1}),
            cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 4, 2, 5), "x"),
            cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 4, 2, 5), "x"), "in rising order");
    refused(cj_multi_head_attention(2, 3, .attention_axes = {2}),
            cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 4, 2, 5), "x"),
            cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 3, 2, 5), "x"),
            "differ along axis 1, which is not among attention_axes");
    cj_symbol *bad[] = {sequence(4, 5), sequence(6, 5), sequence(7, 5)}, *y = NULL;
    assert_null(cj_apply_list(cj_multi_head_attention(2, 3), bad, 3));
    assert_error_contains("value (None, 6, 5) and key (None, 7, 5) differ");
    cj_symbol *masked[] = {sequence(4, 5), sequence(6, 5), sequence(6, 5),
                           cj_symbol_input(CJ_BOOL, CJ_SHAPE(CJ_BATCH, 4, 7), "mask")};
    assert_null(cj_apply_list(cj_multi_head_attention(2, 3), masked, 4));
    assert_error_contains("attention_mask (None, 4, 7) does not fit 4 queries and 6 keys");
    (void)y;
    assert_null(cj_multi_head_attention(2, 3, .sliding_window = 0));
    assert_error_contains("sliding_window must be positive");
    assert_null(cj_multi_head_attention(0, 3));
    assert_error_contains("num_heads");
    cj_release(cj_functional(.inputs = {NULL}, .outputs = {NULL})); // lets go of what was applied
}

static void equations_that_are_none_get_their_sentence(void **state)
{
    (void)state;
    static const char *const none[] = {"ab,bc", "ab,bc->ac...", "aab,bc->ac", "a1,bc->ac",
                                       "...a,...ab->...b"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_null(cj_einsum_dense(none[i], {3}));
        assert_error_contains("is not of the form");
    }
    assert_null(cj_einsum_dense("ab,bc->ad", {3}));
    assert_error_contains("axis d of equation");
    assert_null(cj_einsum_dense("ab,bc->ca", {3}));
    assert_error_contains("batch axis");
    assert_null(cj_einsum_dense("ab,bc->ac", {3}, .bias_axes = "b"));
    assert_error_contains("bias_axes");
    assert_null(cj_einsum_dense("ab,bc->ac"));
    assert_error_contains("output_shape is required");
    assert_null(cj_apply(cj_einsum_dense("abc,cd->abd", {3}), sequence(4, 5)));
    assert_error_contains("output_shape has 1 lengths, equation \"abc,cd->abd\" needs 2");
    assert_null(cj_apply(cj_einsum_dense("abc,cd->abd", {5, 3}), sequence(4, 5)));
    assert_error_contains("length 5 of axis b");
    assert_null(cj_apply(cj_einsum_dense("abc,cd->abd", {-1, -1}), sequence(4, 5)));
    assert_error_contains("needs a positive one");
    cj_release(cj_functional(.inputs = {NULL}, .outputs = {NULL}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_those_of_the_projections),
        cmocka_unit_test(kernels_are_drawn_by_what_goes_in_and_out),
        cmocka_unit_test(first_weights_follow_the_model_s_seed),
        cmocka_unit_test(training_changes_all_projections_or_none),
        cmocka_unit_test(what_does_not_fit_gets_its_sentence),
        cmocka_unit_test(equations_that_are_none_get_their_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
