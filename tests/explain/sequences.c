// Explanations of recurrence and attention: masks, initial states, stacks of cells, wrappers, heads.
#include "explain/honest.h"

#include <cajal/attention.h>
#include <cajal/convolutions.h>
#include <cajal/recurrent.h>
#include <cajal/spatial.h>
#include <cajal/train.h>
#include <cajal/wrappers.h>
#include <stdlib.h>
#include <string.h>

#define ONE(shape, layer) assert_honest(cj_sequential(cj_input shape, layer))

// Sequences of 6 steps with 3 features, of which the first, the fourth and the last are masked.
static void assert_masked(cj_layer *layer)
{
    cj_model *model = cj_sequential(cj_input(6, 3), cj_masking(), layer);
    cj_tensor *x = honest_numbers(CJ_SHAPE(6, 3), 8);
    static const int hidden[] = {0, 3, 5};
    for (int i = 0; i < 3; i++)
        memset((float *)cj_tensor_data(x) + hidden[i] * 3, 0, 3 * sizeof(float));
    if (!model)
        fail_msg("%s", cj_error());
    honest_stir(model);
    assert_derives_of(model, &x, false);
    cj_release(x);
    cj_release(model);
}

static void masked_steps(void **state)
{
    (void)state;
    assert_masked(cj_simple_rnn(4, .return_sequences = true));
    assert_masked(cj_lstm(4));
    assert_masked(cj_gru(4, .return_sequences = true, .go_backwards = true));
    assert_masked(cj_bidirectional(cj_lstm(2, .return_sequences = true)));
    assert_masked(cj_rnn(cj_stacked_rnn_cells({cj_lstm_cell(3), cj_gru_cell(2)}),
                         .return_sequences = true, .zero_output_for_mask = true));
    assert_masked(cj_global_average_pooling1d());
}

static void initial_states(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(5, 2), *h = cj_input_symbol(3), *c = cj_input_symbol(3);
    assert_honest(
        cj_functional(.inputs = {x, h, c},
                      .outputs = {cj_merge(cj_lstm(3, .return_sequences = true), x, h, c)}));
    x = cj_input_symbol(5, 2), h = cj_input_symbol(3);
    assert_honest(cj_functional(.inputs = {x, h},
                                .outputs = {cj_merge(cj_gru(3, .reset_after = false), x, h)}));
    x = cj_input_symbol(5, 2), h = cj_input_symbol(3);
    assert_honest(cj_functional(.inputs = {x, h},
                                .outputs = {cj_merge(cj_rnn(cj_simple_rnn_cell(3)), x, h)}));
}

static void cells(void **state)
{
    (void)state;
    ONE((6, 3), cj_rnn(cj_lstm_cell(4), .return_sequences = true));
    ONE((6, 3), cj_rnn(cj_gru_cell(4, .reset_after = false), .go_backwards = true));
    ONE((6, 3),
        cj_rnn(cj_stacked_rnn_cells({cj_gru_cell(4), cj_lstm_cell(3), cj_simple_rnn_cell(2)})));
    ONE((6, 3), cj_simple_rnn(4, .activation = "softmax"));
    cj_symbol *x = cj_input_symbol(2), *h = cj_input_symbol(3), *c = cj_input_symbol(3);
    assert_honest(
        cj_functional(.inputs = {x, h, c}, .outputs = {cj_merge(cj_lstm_cell(3), x, h, c)}));
    x = cj_input_symbol(2), h = cj_input_symbol(3), c = cj_input_symbol(2);
    assert_honest(cj_functional(.inputs = {x, h, c},
                                .outputs = {cj_merge(
                                    cj_stacked_rnn_cells({cj_gru_cell(3), cj_simple_rnn_cell(2)}),
                                    x, h, c)}));
}

// A stateful layer goes on from what the last batch left, and so does its explanation.
static void states_that_last(void **state)
{
    (void)state;
    cj_layer *layers[] = {
        cj_lstm(3, .stateful = true),
        cj_gru(3, .stateful = true, .return_sequences = true),
        cj_rnn(cj_simple_rnn_cell(3), .stateful = true),
        cj_conv_lstm1d(2, 2, .stateful = true),
    };
    for (int i = 0; i < 4; i++) {
        cj_model *model = i == 3 ? cj_sequential(cj_input(3, 4, 2, .batch_size = 1), layers[i]) :
                                   cj_sequential(cj_input(4, 2, .batch_size = 1), layers[i]);
        if (!model)
            fail_msg("%s", cj_error());
        honest_stir(model);
        cj_tensor *x = honest_numbers(*cj_model_input_shape(model, 0), 3), *y = NULL;
        assert_int_equal(cj_predict(model, x, &y), CJ_OK);
        assert_derives(model, false);
        cj_release(y);
        cj_release(x);
        cj_release(model);
    }
}

// h' = tanh(x + h), y = 2 h'
static cj_status step(void *context, const cj_cell_step *s)
{
    (void)context;
    s->next[0] = cj_op_activation("tanh", cj_op_add(s->input, s->states[0]));
    *s->output = cj_op_add(s->next[0], s->next[0]);
    return *s->output ? CJ_OK : cj_error_status();
}

// Asked for by its name, a layer is derived alone, by what the layers in it computed.
static void a_layer_of_layers_alone(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(4, 3);
    cj_symbol *h = cj_apply(cj_dense(3, .name = "before"), x);
    h = cj_merge(cj_multi_head_attention(2, 3, .name = "attention"), h, h);
    cj_model *model =
        cj_functional(.inputs = {x},
                      .outputs = {cj_apply(cj_bidirectional(cj_gru(2), .name = "both"), h)});
    cj_tensor *input = honest_numbers(CJ_SHAPE(4, 3), 2);
    assert_non_null(model);
    static const char *const names[] = {"attention", "both"};
    for (int i = 0; i < 2; i++) {
        cj_status status;
        char *text = honest_text(
            model, &input, (cj_explain_args){CJ_EXPLAIN_DEFAULTS, .layer = names[i]}, &status);
        if (status != CJ_OK)
            fail_msg("%s\n%s", cj_error(), text);
        assert_int_equal(strncmp(text, names[i], strlen(names[i])), 0);
        assert_null(strstr(text, "Dense)"));
        assert_null(strstr(text, "(GRU)"));
        assert_says(text, "so output[");
        free(text);
    }
    cj_release(input);
    cj_release(model);
}

static void a_cell_of_the_program_is_run_by_itself(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(4, 3), cj_rnn(cj_cell({3}, step)));
    cj_tensor *x = honest_numbers(CJ_SHAPE(4, 3), 2);
    cj_status status;
    assert_non_null(model);
    char *text = honest_text(model, &x, (cj_explain_args){CJ_EXPLAIN_DEFAULTS}, &status);
    if (status != CJ_OK)
        fail_msg("%s\n%s", cj_error(), text);
    assert_says(text, "is not taken apart");
    assert_says(text, "so output[");
    free(text);
    cj_release(x);
    cj_release(model);
    assert_masked(cj_rnn(cj_cell({3}, step), .return_sequences = true));
}

static void convolutional_recurrence(void **state)
{
    (void)state;
    ONE((4, 5, 2), cj_conv_lstm1d(3, 3, .padding = "same", .return_sequences = true));
    ONE((3, 6, 5, 2), cj_conv_lstm2d(2, {3, 2}, .strides = {2, 1}, .go_backwards = true));
    ONE((3, 4, 4, 1), cj_conv_lstm2d(3, {2, 3}, .padding = "same", .dilation_rate = {2, 1},
                                     .activation = "relu", .use_bias = false));
    ONE((2, 3, 2, 3, 1), cj_conv_lstm3d(2, {2, 1, 2}));
}

static void what_wrappers_make(void **state)
{
    (void)state;
    static const char *const modes[] = {"concat", "sum", "mul", "ave"};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        ONE((4, 2), cj_bidirectional(cj_gru(3, .return_sequences = true), .merge_mode = modes[i]));
        ONE((4, 2), cj_bidirectional(cj_lstm(3), .merge_mode = modes[i]));
    }
    ONE((3, 4, 3, 2), cj_bidirectional(cj_conv_lstm2d(2, {2, 2}, .return_sequences = true)));
    cj_symbol *q = cj_input_symbol(5, 2);
    cj_model *attention =
        cj_functional(.inputs = {q}, .outputs = {cj_merge(cj_multi_head_attention(2, 3), q, q)});
    if (!attention)
        fail_msg("%s", cj_error());
    cj_layer *wrapped[] = {
        cj_dense(3, .activation = "softmax"), cj_conv1d(3, 2, .padding = "same"), cj_lstm(3),
        cj_bidirectional(cj_gru(2)),          cj_model_layer(attention),
    };
    for (size_t i = 0; i < sizeof wrapped / sizeof wrapped[0]; i++) {
        cj_model *model = cj_sequential(cj_input(4, 5, 2), cj_time_distributed(wrapped[i]));
        if (!model)
            fail_msg("%s", cj_error());
        honest_stir(model);
        assert_derives(model, false);
        cj_release(model);
    }
}

static void attention_of_one_head(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        cj_layer *layers[] = {
            cj_attention(),
            cj_attention(.use_scale = true, .use_causal_mask = true),
            cj_attention(.score_mode = "concat", .use_scale = true),
            cj_additive_attention(),
            cj_additive_attention(.use_scale = false, .use_causal_mask = true),
            cj_attention(.return_attention_scores = true),
        };
        cj_symbol *q = cj_input_symbol(4, 3), *v = cj_input_symbol(5, 2),
                  *k = cj_input_symbol(5, 3);
        cj_symbol *inputs[] = {q, v, k}, *outputs[2] = {NULL, NULL};
        assert_int_equal(cj_apply_many(layers[i], inputs, 3, outputs, i == 5 ? 2 : 1), CJ_OK);
        if (outputs[1])
            cj_release(outputs[1]);
        assert_honest(cj_functional(.inputs = {q, v, k}, .outputs = {outputs[0]}));
        for (int j = 0; j < 6; j++)
            if (j != i)
                cj_release(layers[j]);
    }
}

static void attention_of_several_heads(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        cj_layer *layers[] = {
            cj_multi_head_attention(2, 3),
            cj_multi_head_attention(3, 2, .value_dim = 4, .use_causal_mask = true,
                                    .use_bias = false, .output_shape = {5}),
            cj_multi_head_attention(2, 3, .use_gate = true, .sliding_window = 2),
            cj_group_query_attention(3, 4, 2),
            cj_group_query_attention(2, 3, 1, .use_gate = true, .dropout = 0.1),
        };
        cj_symbol *q = cj_input_symbol(4, 6), *v = cj_input_symbol(5, 3);
        assert_honest(cj_functional(.inputs = {q, v}, .outputs = {cj_merge(layers[i], q, v)}));
        for (int j = 0; j < 5; j++)
            if (j != i)
                cj_release(layers[j]);
    }
    // a mask that is given, and attention over two axes
    cj_symbol *x = cj_input_symbol(4, 6), *mask = cj_input_symbol(4, 4);
    assert_honest(
        cj_functional(.inputs = {x, mask},
                      .outputs = {cj_merge(cj_multi_head_attention(2, 3), x, x, x, mask)}));
    cj_symbol *image = cj_input_symbol(2, 3, 4);
    assert_honest(
        cj_functional(.inputs = {image},
                      .outputs = {cj_merge(cj_multi_head_attention(2, 3), image, image)}));
}

// Of token 0 embeddings are masked.
static void masks_of_attention(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        cj_layer *layers[] = {cj_multi_head_attention(2, 3, .dropout = i == 1 ? 0.1 : 0),
                              cj_multi_head_attention(2, 3), cj_attention()};
        cj_layer *layer = layers[i == 2 ? 2 : 0];
        cj_symbol *tokens = cj_input_symbol(4, .dtype = "int32");
        cj_symbol *x = cj_apply(cj_embedding(9, 6, .mask_zero = true), tokens);
        cj_model *model = cj_functional(.inputs = {tokens}, .outputs = {cj_merge(layer, x, x)});
        cj_tensor *given = NULL;
        if (!model)
            fail_msg("%s", cj_error());
        honest_stir(model);
        assert_int_equal(
            cj_tensor_from(CJ_I32, CJ_SHAPE(4), (const int32_t[]){3, 0, 7, 0}, 4, &given), CJ_OK);
        assert_derives_of(model, &given, false);
        cj_release(given);
        cj_release(model);
        cj_release(layers[1]);
        cj_release(layers[i == 2 ? 0 : 2]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masked_steps),
        cmocka_unit_test(initial_states),
        cmocka_unit_test(states_that_last),
        cmocka_unit_test(cells),
        cmocka_unit_test(a_layer_of_layers_alone),
        cmocka_unit_test(a_cell_of_the_program_is_run_by_itself),
        cmocka_unit_test(convolutional_recurrence),
        cmocka_unit_test(what_wrappers_make),
        cmocka_unit_test(attention_of_one_head),
        cmocka_unit_test(attention_of_several_heads),
        cmocka_unit_test(masks_of_attention),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
