// What cj_explain() prints, and that it is true: explainers derive what the model computed.
#include "explain/explain.h"
#include "explain/honest.h"
#include <cajal/merging.h>
#include <cajal/recurrent.h>
#include <cajal/spiking.h>
#include <cajal/wrappers.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Chapter 4.6
// -------------------------------------------------------------------------------------------------

static void assign(cj_model *model, const char *layer, cj_shape shape, const float *values,
                   size_t count)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_from(CJ_F32, shape, values, count, &tensor), CJ_OK);
    assert_int_equal(
        cj_variable_assign(cj_layer_variable(cj_model_find_layer(model, layer), 0), tensor), CJ_OK);
    cj_release(tensor);
}

static cj_model *chapter(cj_tensor **image)
{
    static const float pixels[25] = {0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1};
    static const float kernel[9] = {1, 0, 1, 0, 1, 0, 1, 0, 1};
    static const float weights[12] = {0.1f, 0.5f, 0.9f, 0.2f, 0.6f, 1.0f,
                                      0.3f, 0.7f, 1.1f, 0.4f, 0.8f, 1.2f};
    cj_model *model = cj_sequential(
        cj_input(5, 5, 1), cj_conv2d(1, {3, 3}, .activation = "relu", .use_bias = false),
        cj_max_pooling2d({2, 2}, .padding = "same"), cj_flatten(), cj_dense(3, .use_bias = false));
    assert_non_null(model);
    assign(model, "conv2d", CJ_SHAPE(3, 3, 1, 1), kernel, 9);
    assign(model, "dense", CJ_SHAPE(4, 3), weights, 12);
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(5, 5, 1), pixels, 25, image), CJ_OK);
    return model;
}

static void the_chapter_is_explained_number_by_number(void **state)
{
    (void)state;
    cj_tensor *image = NULL;
    cj_model *model = chapter(&image);
    cj_status status;
    char *text = honest_text(model, &image, (cj_explain_args){CJ_EXPLAIN_DEFAULTS}, &status);
    assert_int_equal(status, CJ_OK);
    assert_says(text, "      3 3 2\n      2 2 1\n      1 1 1\n");
    assert_says(text, "  output (2, 2, 1):\n      3 2\n      1 1\n");
    assert_says(text, "  output (4,):\n      3 2 1 1\n");
    assert_says(text, "  output (3,):\n      1.4 4.2   7\n");
    assert_says(text,
                "    = 0 + 0 + 1 + 0 + 1 + 0 + 0 + 0 + 1\n    = 3\n    relu: max(0, 3) = 3\n");
    assert_says(text,
                "    3 × 0.9 + 2 × 1 + 1 × 1.1 + 1 × 1.2\n    = 2.7 + 2 + 1.1 + 1.2\n    = 7\n");
    assert_says(text, "so output[2] = 7\n"); // the largest
    free(text);
    for (int64_t unit = 0; unit < 3; unit++) {
        static const char *const sums[] = {"= 1.4\n", "= 1.5 + 1.2 + 0.7 + 0.8\n    = 4.2\n",
                                           "= 2.7 + 2 + 1.1 + 1.2\n    = 7\n"};
        text = honest_text(model, &image,
                           (cj_explain_args){CJ_EXPLAIN_DEFAULTS, .layer = "dense",
                                             .has_index = true, .index = {unit}},
                           &status);
        assert_int_equal(status, CJ_OK);
        assert_says(text, sums[unit]);
        free(text);
    }
    cj_release(image);
    cj_release(model);
}

static void one_layer_alone_can_be_asked_for(void **state)
{
    (void)state;
    cj_tensor *image = NULL;
    cj_model *model = chapter(&image);
    cj_status status;
    cj_explain_args args = {CJ_EXPLAIN_DEFAULTS, .layer = "max_pooling2d", .has_index = true,
                            .index = {0, 1, 0}};
    char *text = honest_text(model, &image, args, &status);
    assert_int_equal(status, CJ_OK);
    assert_null(strstr(text, "Conv2D"));
    assert_says(text, "(a partial window)");
    assert_says(text, "so output[0, 1, 0] = 2\n");
    free(text);
    cj_release(image);
    cj_release(model);
}

static void mistakes_are_answered_with_sentences(void **state)
{
    (void)state;
    cj_tensor *image = NULL, *wrong = honest_numbers(CJ_SHAPE(4, 5, 1), 1);
    cj_model *model = chapter(&image);
    cj_status status;
    free(honest_text(model, &image, (cj_explain_args){CJ_EXPLAIN_DEFAULTS, .layer = "conv2"},
                     &status));
    assert_int_equal(status, CJ_NOT_FOUND);
    assert_error_contains("did you mean \"conv2d\"?");
    free(honest_text(
        model, &image,
        (cj_explain_args){CJ_EXPLAIN_DEFAULTS, .layer = "dense", .has_index = true, .index = {3}},
        &status));
    assert_int_equal(status, CJ_INVALID_ARGUMENT);
    assert_error_contains("dense: index 3 along axis 0 is not in the output");
    free(honest_text(model, &wrong, (cj_explain_args){CJ_EXPLAIN_DEFAULTS}, &status));
    assert_int_equal(status, CJ_SHAPE_MISMATCH);
    assert_error_contains("explain: input 0 has shape (4, 5, 1), needs (5, 5, 1)");
    cj_model *unbuilt = cj_sequential(cj_dense(2));
    free(honest_text(unbuilt, &image, (cj_explain_args){CJ_EXPLAIN_DEFAULTS}, &status));
    assert_int_equal(status, CJ_NOT_BUILT);
    cj_release(unbuilt);
    cj_release(wrong);
    cj_release(image);
    cj_release(model);
}

// Honesty
// -------------------------------------------------------------------------------------------------

static void convolutions_agree_with_the_model(void **state)
{
    (void)state;
    assert_honest(
        cj_sequential(cj_input(9, 8, 3), cj_conv2d(4, {3, 2}, .strides = {2, 3}, .padding = "same",
                                                   .activation = "tanh")));
    assert_honest(cj_sequential(cj_input(9, 8, 3),
                                cj_conv2d(4, {3, 3}, .dilation_rate = {2, 2}, .padding = "same")));
    assert_honest(cj_sequential(cj_input(6, 6, 4),
                                cj_conv2d(6, {3, 3}, .groups = 2, .activation = "softmax")));
    assert_honest(cj_sequential(cj_input(9, 9, 20), cj_conv2d(5, {5, 5}, .activation = "gelu")));
}

static void pooling_agrees_with_the_model(void **state)
{
    (void)state;
    assert_honest(cj_sequential(cj_input(7, 6, 3),
                                cj_max_pooling2d({3, 2}, .strides = {2, 1}, .padding = "same")));
    assert_honest(cj_sequential(cj_input(7, 6, 3),
                                cj_average_pooling2d({3, 3}, .strides = {2}, .padding = "same")));
    assert_honest(cj_sequential(cj_input(7, 6, 3), cj_average_pooling2d()));
    assert_honest(cj_sequential(cj_input(7, 6, 3), cj_global_max_pooling2d()));
    assert_honest(cj_sequential(cj_input(7, 6, 3), cj_global_average_pooling2d()));
}

static void dense_and_elementwise_layers_agree_with_the_model(void **state)
{
    (void)state;
    assert_honest(cj_sequential(cj_input(300), cj_dense(7, .activation = "softmax")));
    assert_honest(cj_sequential(cj_input(4, 5), cj_dense(3, .activation = "elu(alpha=0.5)")));
    assert_honest(
        cj_sequential(cj_input(4, 5), cj_dropout(0.5), cj_batch_normalization(), cj_relu()));
    assert_honest(
        cj_sequential(cj_input(4, 5), cj_batch_normalization(.axis = 1), cj_leaky_relu(0.2)));
    assert_honest(cj_sequential(
        cj_input(4, 5), cj_relu(.max_value = 0.5, .negative_slope = 0.1, .threshold = 0.2)));
    assert_honest(cj_sequential(cj_input(4, 5), cj_rescaling(0.5, .offset = -2), cj_elu(),
                                cj_activation("sigmoid")));
    assert_honest(cj_sequential(cj_input(4, 5), cj_softmax(1), cj_reshape({2, 10}),
                                cj_activation("softmax")));
    assert_honest(cj_sequential(cj_input(4, 3, 5), cj_softmax(), cj_flatten()));
}

static void layer_normalization_agrees_with_the_model(void **state)
{
    (void)state;
    assert_honest(cj_sequential(cj_input(7), cj_layer_normalization()));
    assert_honest(cj_sequential(cj_input(300), cj_layer_normalization(.epsilon = 1e-6)));
    assert_honest(cj_sequential(cj_input(4, 5), cj_layer_normalization(.axis = {1})));
    assert_honest(cj_sequential(cj_input(4, 3, 5), cj_layer_normalization(.axis = {1, -1})));
    assert_honest(cj_sequential(cj_input(4, 3, 5), cj_layer_normalization(.axis = {-1, -2, -3})));
    assert_honest(
        cj_sequential(cj_input(4, 5), cj_layer_normalization(.scale = false, .center = false)));
}

// Mean 2, variance (1 + 1 + 0 + 9 + 9) / 5 = 4, and 1 / sqrt(4 + 0) = 0.5.
static void layer_normalization_is_explained_number_by_number(void **state)
{
    (void)state;
    static const float numbers[5] = {1, 3, 2, -1, 5};
    cj_model *model = cj_sequential(cj_input(5), cj_layer_normalization(.epsilon = 0));
    cj_tensor *x = NULL;
    cj_status status;
    assert_non_null(model);
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(5), numbers, 5, &x), CJ_OK);
    char *text = honest_text(model, &x, (cj_explain_args){CJ_EXPLAIN_DEFAULTS}, &status);
    assert_int_equal(status, CJ_OK);
    assert_says(text, "    mean = (1 + 3 + 2 + -1 + 5) / 5 = 2\n");
    assert_says(text,
                "    variance = ((1 - 2)² + (3 - 2)² + (2 - 2)² + (-1 - 2)² + (5 - 2)²) / 5 = 4\n");
    assert_says(text, "    = 1 × (5 - 2) / sqrt(4 + 0) + 0 = 1.5\n");
    free(text);
    text = honest_text(model, &x, (cj_explain_args){CJ_EXPLAIN_DEFAULTS, .max_rows = 4}, &status);
    assert_says(text, "    mean = (1 + 3 + ... + -1 + 5) / 5 = 2\n");
    free(text);
    cj_release(x);
    cj_release(model);
}

static void every_class_in_the_table_is_a_layer(void **state)
{
    (void)state;
    static const char *const names[] = {
#define CJ__EXPLAINER(class_name, function) class_name,
#include "explain/explain.def"
#undef CJ__EXPLAINER
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!cj__layer_kind_find(names[i]))
            fail_msg("explain.def has %s, which is no layer", names[i]);
}

// What is wrapped is explained where it is called.
static void wrapped_layers_are_explained(void **state)
{
    (void)state;
    cj_model *models[] = {
        cj_sequential(cj_input(4, 2), cj_bidirectional(cj_gru(3))),
        cj_sequential(cj_input(4, 3), cj_time_distributed(cj_dense(2))),
        cj_sequential(cj_input(4, 5, 2), cj_time_distributed(cj_lstm(3))),
        cj_sequential(cj_input(4, 2), cj_rnn(cj_stacked_rnn_cells({cj_gru_cell(3)}))),
        cj_sequential(cj_input(CJ_ANY, 2), cj_lstm(3)),
    };
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        cj_tensor *input =
            honest_numbers(i == 2 ? CJ_SHAPE(4, 5, 2) : CJ_SHAPE(4, i == 1 ? 3 : 2), 5);
        cj_status status;
        assert_non_null(models[i]);
        honest_stir(models[i]);
        char *text =
            honest_text(models[i], &input, (cj_explain_args){CJ_EXPLAIN_DEFAULTS}, &status);
        if (status != CJ_OK)
            fail_msg("%s\n%s", cj_error(), text);
        if (i != 3)
            assert_says(text, "so output[");
        free(text);
        cj_release(input), cj_release(models[i]);
    }
}

// Spikes, membranes, currents, thresholds that rise, recurrent input and rest.
static void neurons_are_walked_through_time(void **state)
{
    (void)state;
    assert_honest(cj_sequential(cj_input(9, 3), cj_lif(0.8, .threshold = 0.4)));
    assert_honest(cj_sequential(cj_input(9, 3), cj_lif(0.8, .threshold = 0.4, .reset = "value",
                                                       .recurrent = "dense", .recurrent_bias = true,
                                                       .refractory = 2, .learn_beta = true)));
    assert_honest(cj_sequential(cj_input(9, 3), cj_lif(.tau = 3, .preset = "spikingjelly",
                                                       .threshold = 0.2, .output = "membrane")));
    assert_honest(cj_sequential(cj_input(3), cj_lif(0.9, .steps = 9, .refractory = 2,
                                                    .refractory_state = "running",
                                                    .reset_time = "same", .threshold = 0.3)));
    assert_honest(cj_sequential(cj_input(9, 2, 3),
                                cj_integrate_fire(.threshold = 0.5, .go_backwards = true)));
    assert_honest(cj_sequential(cj_input(9, 3), cj_leaky_integrator(0.8, .v_leak = 0.5)));
    assert_honest(cj_sequential(
        cj_input(9, 3), cj_cuba_lif(.tau = 5, .tau_syn = 3, .preset = "norse", .threshold = 0.2)));
    assert_honest(cj_sequential(cj_input(9, 3), cj_alpha_lif(0.6, .alpha = 0.9, .threshold = 0.4)));
    assert_honest(cj_sequential(cj_input(9, 3),
                                cj_lapicque(.capacitance = 3, .resistance = 2, .threshold = 0.2)));
    assert_honest(cj_sequential(cj_input(9, 3), cj_alif(0.8, .rho = 0.9, .adaptation = 0.3,
                                                        .threshold = 0.4, .heterogeneous = true)));
    assert_honest(cj_sequential(cj_input(20, 2), cj_izhikevich(.resistance = 40)));
}

static void recurrence_agrees_with_the_model(void **state)
{
    (void)state;
    assert_honest(cj_sequential(cj_input(6, 3), cj_lstm(4)));
    assert_honest(cj_sequential(cj_input(5, 2), cj_lstm(3, .return_sequences = true,
                                                        .go_backwards = true, .activation = "relu",
                                                        .recurrent_activation = "hard_sigmoid")));
    assert_honest(cj_sequential(cj_input(3, 20), cj_lstm(2, .use_bias = false)));
    assert_honest(cj_sequential(cj_input(6, 3), cj_gru(4, .return_sequences = true)));
    assert_honest(
        cj_sequential(cj_input(5, 2), cj_gru(3, .reset_after = false, .go_backwards = true)));
    assert_honest(cj_sequential(cj_input(40, 2), cj_gru(3)));
    assert_honest(cj_sequential(cj_input(6, 3), cj_simple_rnn(5)));
    assert_honest(cj_sequential(cj_input(6, 3),
                                cj_simple_rnn(5, .return_sequences = true, .go_backwards = true)));
    assert_honest(
        cj_sequential(cj_input(1, 20), cj_simple_rnn(40, .activation = "relu", .use_bias = false)));
}

// h(0) = tanh(0.3), with 0.3 as bfloat16 has it, is rounded before the next step reads it: 0.292027
// becomes 0.292969.
static void a_state_in_bfloat16_is_rounded_at_each_step(void **state)
{
    (void)state;
    static const float inputs[2] = {0.3f, 0}, one = 1;
    cj_model *model = cj_sequential(cj_input(2, 1),
                                    cj_simple_rnn(1, .use_bias = false, .dtype = "mixed_bfloat16"));
    cj_tensor *x = NULL, *weight = NULL;
    cj_status status;
    assert_non_null(model);
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(2, 1), inputs, 2, &x), CJ_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(1, 1), &one, 1, &weight), CJ_OK);
        assert_int_equal(
            cj_variable_assign(cj_layer_variable(cj_model_find_layer(model, "simple_rnn"), i),
                               weight),
            CJ_OK);
        cj_release(weight);
    }
    char *text = honest_text(model, &x, (cj_explain_args){CJ_EXPLAIN_DEFAULTS}, &status);
    assert_int_equal(status, CJ_OK);
    assert_says(text, "0.300781");
    assert_says(text, "0.292969 × 1\n");
    free(text);
    cj_release(x);
    cj_release(model);
}

static void tokens_are_looked_up(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(3, .dtype = "int32"),
                                    cj_embedding(9, 4, .mask_zero = true), cj_simple_rnn(2));
    cj_tensor *tokens = NULL;
    assert_int_equal(cj_tensor_from(CJ_I32, CJ_SHAPE(3), (int32_t[]){7, 2, 0}, 3, &tokens), CJ_OK);
    cj_status status;
    char *text = honest_text(model, &tokens, (cj_explain_args){CJ_EXPLAIN_DEFAULTS}, &status);
    assert_int_equal(status, CJ_OK);
    assert_says(text, "index 2: entry 3 of row 2 of the table");
    assert_says(text, "steps whose mask is false keep the state");
    free(text);
    cj_release(tokens);
    cj_release(model);
}

static void merging_layers_are_derived(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        cj_layer *const kinds[] = {cj_subtract(), cj_multiply(), cj_average(), cj_maximum(),
                                   cj_minimum()};
        cj_symbol *x = cj_input_symbol(3, 4);
        cj_symbol *row = cj_apply(cj_max_pooling1d(3), x);
        cj_model *model =
            cj_functional(.inputs = {x},
                          .outputs = {cj_merge(kinds[i], cj_apply(cj_dense(4), x), row)});
        if (!model)
            fail_msg("%s", cj_error());
        honest_stir(model);
        assert_derives(model, false);
        for (int j = 0; j < 5; j++)
            if (j != i)
                cj_release(kinds[j]);
        cj_release(model);
    }
}

static void nested_and_shared_layers_are_named_by_their_path(void **state)
{
    (void)state;
    cj_model *inner =
        cj_sequential(cj_input(4), cj_dense(3, .activation = "relu", .name = "first"));
    cj_symbol *a = cj_input_symbol(4), *b = cj_input_symbol(4);
    cj_symbol *seen_a = cj_apply(cj_model_layer(inner), a),
              *seen_b = cj_apply(cj_model_layer(inner), b);
    cj_symbol *sum = cj_merge(cj_add(), seen_a, seen_b);
    cj_symbol *all = cj_merge(cj_concatenate(), sum, seen_a);
    cj_model *model = cj_functional(.inputs = {a, b}, .outputs = {all});
    assert_non_null(model);
    honest_stir(model);
    cj_tensor *inputs[] = {honest_numbers(CJ_SHAPE(1, 4), 1), honest_numbers(CJ_SHAPE(4), 2)};
    cj_status status;
    char *text = honest_text(
        model, inputs, (cj_explain_args){CJ_EXPLAIN_DEFAULTS, .has_index = true, .index = {4}},
        &status);
    assert_int_equal(status, CJ_OK);
    assert_says(text, "sequential/first (Dense)\n");
    assert_says(text, "sequential/first (Dense), use 2 of the same layer\n");
    assert_says(text, "side by side: input 1, element [1] = ");
    free(text);
    text =
        honest_text(model, inputs,
                    (cj_explain_args){CJ_EXPLAIN_DEFAULTS, .layer = "sequential/first"}, &status);
    assert_int_equal(status, CJ_OK);
    assert_null(strstr(text, "Concatenate"));
    free(text);
    cj_release(inputs[0]);
    cj_release(inputs[1]);
    cj_release(model);
}

static void a_derivation_that_differs_is_an_error(void **state)
{
    (void)state;
    cj_layer *layer = cj_dense(1);
    cj_tensor *output = honest_numbers(CJ_SHAPE(1, 1), 3);
    ((float *)cj_tensor_data(output))[0] = 3;
    const cj__record record = {.layer = layer, .output_count = 1, .outputs = &output};
    FILE *stream = fopen("/dev/null", "w");
    const cj__explanation explanation = {.record = &record, .stream = stream, .max_rows = 12};
    assert_int_equal(cj__conclude(&explanation, 3, 3), CJ_OK);
    assert_int_equal(cj__conclude(&explanation, 3.0001, 3.0002), CJ_UNSUPPORTED);
    assert_error_contains("dense: by hand, output[0] comes to between 3.0001");
    assert_int_equal(cj__conclude(&explanation, (double)NAN, (double)NAN), CJ_UNSUPPORTED);
    fclose(stream);
    cj_release(output);
    cj_release(layer);
}

static cj_status build_and_explain(void *context)
{
    FILE *stream = context;
    float pixels[9] = {1, 2, 3};
    cj_tensor *image = NULL;
    cj_status status = cj_tensor_from(CJ_F32, CJ_SHAPE(3, 3, 1), pixels, 9, &image);
    cj_model *model = cj_sequential(
        cj_input(3, 3, 1), cj_conv2d(2, {2, 2}, .activation = "softmax"), cj_flatten(),
        cj_dense(20, .dtype = "mixed_bfloat16"), cj_layer_normalization(), cj_dense(1));
    if (status == CJ_OK)
        status = model ? cj_explain_with(model, &image, stream,
                                         &(cj_explain_args){CJ_EXPLAIN_DEFAULTS}) :
                         cj_error_status();
    cj_release(model);
    cj_release(image);
    return status;
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    FILE *stream = fopen("/dev/null", "w");
    support_fail_each_allocation(build_and_explain, stream);
    fclose(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chapter_is_explained_number_by_number),
        cmocka_unit_test(one_layer_alone_can_be_asked_for),
        cmocka_unit_test(mistakes_are_answered_with_sentences),
        cmocka_unit_test(convolutions_agree_with_the_model),
        cmocka_unit_test(pooling_agrees_with_the_model),
        cmocka_unit_test(dense_and_elementwise_layers_agree_with_the_model),
        cmocka_unit_test(layer_normalization_agrees_with_the_model),
        cmocka_unit_test(layer_normalization_is_explained_number_by_number),
        cmocka_unit_test(every_class_in_the_table_is_a_layer),
        cmocka_unit_test(neurons_are_walked_through_time),
        cmocka_unit_test(recurrence_agrees_with_the_model),
        cmocka_unit_test(wrapped_layers_are_explained),
        cmocka_unit_test(a_state_in_bfloat16_is_rounded_at_each_step),
        cmocka_unit_test(tokens_are_looked_up),
        cmocka_unit_test(merging_layers_are_derived),
        cmocka_unit_test(nested_and_shared_layers_are_named_by_their_path),
        cmocka_unit_test(a_derivation_that_differs_is_an_error),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
