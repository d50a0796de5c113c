// Layers around other layers: sentences for what is wrong, JSON and model files there and back,
// training, freezing, states that last from batch to batch, and failed allocations.
#include "support.h"

#include <cajal.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

// What was made of a wrong setting: nothing, with this sentence.
#define REFUSED(made, sentence)          \
    do {                                 \
        cj_error_clear();                \
        assert_null(made);               \
        assert_error_contains(sentence); \
    } while (0)

static void wrong_settings_get_their_sentence(void **state)
{
    (void)state;
    REFUSED(cj_bidirectional(), "bidirectional: the layer");
    REFUSED(cj_time_distributed(), "time_distributed: the layer");
    REFUSED(cj_bidirectional(cj_dense(3)),
            "bidirectional: dense (Dense) is no recurrent layer: it has no setting go_backwards");
    REFUSED(cj_bidirectional(cj_gru(3), .merge_mode = "add"), "unknown merge_mode \"add\"");
    REFUSED(cj_bidirectional(cj_gru(3), .backward_layer = cj_gru(3)),
            "go_backwards is false in both layers; one must go the other way");
    REFUSED(cj_bidirectional(cj_gru(3), .backward_layer = cj_gru(3, .go_backwards = true,
                                                                 .return_sequences = true)),
            "return_sequences is false in the forward layer and true in the backward layer");
    REFUSED(cj_bidirectional(cj_gru(0)), "units must be at least 1");
    REFUSED(cj_masking(NAN), "mask_value");
    REFUSED(cj_rnn(), "rnn: the cell");
    REFUSED(cj_rnn(cj_dense(3)), "rnn: dense (Dense) is no cell: it has no states");
    REFUSED(cj_stacked_rnn_cells({cj_gru_cell(2), cj_dense(3)}), "dense (Dense) is no cell");
    REFUSED(cj_stacked_rnn_cells({cj_gru_cell(2), cj_gru_cell(0)}), "units must be at least 1");
    REFUSED(cj_stacked_rnn_cells({cj_lstm_cell(2), cj_lstm_cell(2), cj_lstm_cell(2),
                                  cj_lstm_cell(2), cj_gru_cell(2)}),
            "stacked_rnn_cells: cells with 9 states, at most 8 are possible");
    REFUSED(cj_conv_lstm2d(3), "kernel_size is required");
    REFUSED(cj_conv_lstm2d(3, {2}, .strides = {2}, .dilation_rate = {2}), "exclude each other");
    REFUSED(cj_conv_lstm1d(3, 2, .padding = "causal"), "padding");
}

static void inputs_that_do_not_fit_get_their_sentence(void **state)
{
    (void)state;
    REFUSED(cj_sequential(cj_input(4), cj_time_distributed(cj_dense(2))),
            "time_distributed: input (None, 4) has 2 axes, needs 3 to 8");
    REFUSED(cj_sequential(cj_input(4), cj_bidirectional(cj_gru(2))),
            "bidirectional: forward_gru: input (None, 4) has 2 axes, needs 3");
    REFUSED(cj_sequential(cj_input(4), cj_rnn(cj_gru_cell(2))),
            "rnn: input (None, 4) has 2 axes, needs 3 to 8");
    REFUSED(cj_sequential(cj_input(4, 4, 4), cj_conv_lstm2d(2, {2})),
            "conv_lstm2d: input (None, 4, 4, 4) has 4 axes, needs 5");
    REFUSED(cj_sequential(cj_input(3, 2, 4, 1), cj_conv_lstm2d(2, {3})),
            "kernel 3x3 does not fit input 2x4");
    REFUSED(cj_sequential(cj_input(4, 2), cj_time_distributed(cj_conv2d(2, {3}))),
            "time_distributed: conv2d: input (None, 2) has 2 axes, needs 4");
    cj_symbol *x = cj_input_symbol(5, 3), *h = cj_input_symbol(4), *wide = cj_input_symbol(3), *y;
    cj_layer *gru = cj_gru(4), *lstm = cj_lstm(4), *both = cj_bidirectional(cj_gru(4));
    cj_retain(x), cj_retain(h), cj_retain(wide);
    assert_int_equal(cj_apply_many(gru, (cj_symbol *[]){x, wide}, 2, &y, 1), CJ_SHAPE_MISMATCH);
    assert_error_contains("gru: initial state 0 has shape (None, 3), needs (None, 4)");
    assert_int_equal(cj_apply_many(lstm, (cj_symbol *[]){x, h}, 2, &y, 1), CJ_INVALID_ARGUMENT);
    assert_error_contains("lstm: 1 initial states given, needs 2");
    assert_int_equal(cj_apply_many(both, (cj_symbol *[]){x, h}, 2, &y, 1), CJ_INVALID_ARGUMENT);
    assert_error_contains("1 initial states given, needs as many for each of the two layers");
    cj_release(x), cj_release(h), cj_release(wide);
}

static cj_model *reviews(void)
{
    return cj_sequential(
        cj_input(7, .dtype = "int32"), cj_embedding(9, 4, .mask_zero = true),
        cj_bidirectional(cj_lstm(3, .return_sequences = true), .merge_mode = "sum"),
        cj_time_distributed(cj_dense(4, .activation = "tanh")), cj_bidirectional(cj_gru(3)),
        cj_dense(2, .activation = "softmax"));
}

static cj_model *films(void)
{
    cj_model *frame = cj_sequential(cj_conv2d(3, {3}, .activation = "relu"), cj_max_pooling2d(),
                                    cj_flatten(), cj_dense(4));
    return cj_sequential(cj_input(5, 6, 6, 1), cj_time_distributed(cj_model_layer(frame)),
                         cj_masking(.mask_value = 1),
                         cj_bidirectional(cj_simple_rnn(3, .return_sequences = true),
                                          .backward_layer = cj_simple_rnn(2, .activation = "relu",
                                                                          .return_sequences = true,
                                                                          .go_backwards = true)),
                         cj_time_distributed(cj_batch_normalization()), cj_lstm(2));
}

// The decoder begins with the states of a bidirectional encoder.
static cj_model *translator(void)
{
    cj_symbol *from = cj_input_symbol(6, 3), *to = cj_input_symbol(4, 2), *coded[3] = {NULL}, *y;
    cj_apply_many(cj_bidirectional(cj_gru(3, .return_state = true)), &from, 1, coded, 3);
    cj_release(coded[0]);
    cj_symbol *state = cj_merge(cj_concatenate(), coded[1], coded[2]);
    if (cj_apply_many(cj_gru(6, .return_sequences = true), (cj_symbol *[]){to, state}, 2, &y, 1) !=
        CJ_OK)
        return NULL;
    return cj_functional(.inputs = {from, to}, .outputs = {cj_apply(cj_dense(2), y)});
}

// Cells in stacks and both ways, and images.
static cj_model *rain(void)
{
    return cj_sequential(
        cj_input(4, 5, 6, 1),
        cj_conv_lstm2d(2, {3, 2}, .padding = "same", .return_sequences = true),
        cj_bidirectional(cj_conv_lstm2d(2, {2}, .strides = {2}, .return_sequences = true)),
        cj_time_distributed(cj_flatten()),
        cj_bidirectional(cj_rnn(cj_stacked_rnn_cells({cj_lstm_cell(3), cj_gru_cell(2)}),
                                .return_sequences = true)),
        cj_rnn(cj_simple_rnn_cell(3)));
}

static cj_model *(*const makers[])(void) = {reviews, films, translator, rain};
static const cj_shape shapes[][2] = {{{2, {4, 7}}, {0, {0}}},
                                     {{5, {4, 5, 6, 6, 1}}, {0, {0}}},
                                     {{3, {4, 6, 3}}, {3, {4, 4, 2}}},
                                     {{5, {4, 4, 5, 6, 1}}, {0, {0}}}};
enum { MAKERS = sizeof makers / sizeof makers[0] };

static cj_model *made(size_t i)
{
    cj_model *model = makers[i]();
    if (!model)
        fail_msg("%s", cj_error());
    return model;
}

static int inputs_of(size_t i, cj_tensor **x)
{
    int count = 0;
    for (; count < 2 && shapes[i][count].rank > 0; count++) {
        assert_int_equal(cj_tensor_new(i == 0 ? CJ_I32 : CJ_F32, shapes[i][count], &x[count]),
                         CJ_OK);
        for (int64_t k = 0; k < cj_tensor_count(x[count]); k++) {
            if (i == 0)
                ((int32_t *)cj_tensor_data(x[count]))[k] = (int32_t)(k * 5 % 9);
            else
                ((float *)cj_tensor_data(x[count]))[k] = (float)(k * 7 % 13) / 6 - 1;
        }
    }
    return count;
}

static cj_tensor *predicted(cj_model *model, size_t i)
{
    cj_tensor *x[2] = {NULL, NULL}, *y = NULL;
    inputs_of(i, x);
    const cj_status status = i == 2 ? cj_predict_many(model, x, &y) : cj_predict(model, x[0], &y);
    if (status != CJ_OK)
        fail_msg("%s", cj_error());
    cj_release(x[0]), cj_release(x[1]);
    return y;
}

static void json_is_written_and_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < MAKERS; i++) {
        cj_model *model = made(i), *again = NULL;
        char *first = NULL, *second = NULL;
        if (cj_model_to_json(model, &first) != CJ_OK)
            fail_msg("%s", cj_error());
        again = cj_model_from_json(first, strlen(first));
        if (!again || cj_model_to_json(again, &second) != CJ_OK)
            fail_msg("%s", cj_error());
        assert_string_equal(first, second);
        cj_free(first), cj_free(second);
        cj_release(model), cj_release(again);
    }
}

static void a_model_file_brings_predictions_back(void **state)
{
    const char *path = "formats_wrappers.safetensors";
    (void)state;
    for (size_t i = 0; i < MAKERS; i++) {
        cj_model *model = made(i), *loaded = NULL;
        if (cj_save(model, path) != CJ_OK || !(loaded = cj_load(path)))
            fail_msg("%s", cj_error());
        cj_tensor *before = predicted(model, i), *after = predicted(loaded, i);
        assert_memory_equal(cj_tensor_data(before), cj_tensor_data(after),
                            (size_t)cj_tensor_count(before) * sizeof(float));
        cj_release(before), cj_release(after);
        cj_release(model), cj_release(loaded);
    }
    remove(path);
}

// Rows of words, and whether the first is greater than the last before the padding.
static cj_dataset *small_reviews(void)
{
    cj_tensor *words = NULL, *labels = NULL;
    assert_int_equal(cj_tensor_new(CJ_I32, CJ_SHAPE(64, 7), &words), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_I32, CJ_SHAPE(64), &labels), CJ_OK);
    int32_t *word = cj_tensor_data(words), *label = cj_tensor_data(labels);
    for (int i = 0; i < 64; i++) {
        for (int t = 0; t < 2 + i % 5; t++)
            word[7 * i + t] = 1 + (i * 13 + t * 5 + i / 9) % 8;
        label[i] = word[7 * i] > 4;
    }
    cj_dataset *data = cj_dataset(.x = {words}, .y = {labels});
    return data;
}

static void training_lowers_the_loss_and_leaves_frozen_layers_alone(void **state)
{
    (void)state;
    cj_model *model = made(0);
    cj_dataset *data = small_reviews();
    cj_history *history = NULL;
    cj_layer *both = cj_model_layer_at(model, 1);
    assert_string_equal(cj_layer_class(both), "Bidirectional");
    assert_int_equal(cj_layer_variable_count(both), 6);
    assert_int_equal(cj_set_trainable(both, false), CJ_OK);
    float before[12];
    memcpy(before, cj_tensor_data(cj_variable_value(cj_layer_variable(both, 0))), sizeof before);
    assert_int_equal(cj_compile(model, .optimizer = cj_adam(.learning_rate = 0.01),
                                .loss = "sparse_categorical_crossentropy"),
                     CJ_OK);
    if (cj_fit(model, data, .epochs = 20, .batch_size = 16, .verbose = CJ_SILENT,
               .history = &history) != CJ_OK)
        fail_msg("%s", cj_error());
    assert_true(cj_history_value(history, "loss", 19) < 0.7 * cj_history_value(history, "loss", 0));
    assert_memory_equal(before, cj_tensor_data(cj_variable_value(cj_layer_variable(both, 0))),
                        sizeof before);
    cj_release(history), cj_release(data), cj_release(model);
}

// The answer to a padded sequence is that to the same without the padding.
static void padding_is_not_seen(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(9, 2), cj_masking(),
                                    cj_bidirectional(cj_gru(3, .return_sequences = true)),
                                    cj_bidirectional(cj_lstm(3), .merge_mode = "mul"));
    cj_model *shorter =
        cj_sequential(cj_input(4, 2), cj_bidirectional(cj_gru(3, .return_sequences = true)),
                      cj_bidirectional(cj_lstm(3), .merge_mode = "mul"));
    cj_tensor *x = NULL, *all = NULL, *y[2] = {NULL, NULL};
    assert_non_null(model), assert_non_null(shorter);
    for (int i = 0; i < cj_layer_variable_count(cj_model_layer(model)); i++)
        assert_int_equal(
            cj_variable_assign(cj_layer_variable(cj_model_layer(shorter), i),
                               cj_variable_value(cj_layer_variable(cj_model_layer(model), i))),
            CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2, 4, 2), &x), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2, 9, 2), &all), CJ_OK);
    for (int i = 0; i < 16; i++) {
        ((float *)cj_tensor_data(x))[i] = (float)(i + 1) / 16;
        ((float *)cj_tensor_data(all))[i / 8 * 18 + i % 8] = (float)(i + 1) / 16;
    }
    assert_int_equal(cj_predict(model, all, &y[0]), CJ_OK);
    assert_int_equal(cj_predict(shorter, x, &y[1]), CJ_OK);
    assert_all_near((const float *)cj_tensor_data(y[0]), (const float *)cj_tensor_data(y[1]), 6,
                    1e-6, 1e-5);
    cj_release(x), cj_release(all), cj_release(y[0]), cj_release(y[1]);
    cj_release(model), cj_release(shorter);
}

static void states_last_in_both_directions_until_they_are_reset(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(3, 2, .batch_size = 2),
                                    cj_bidirectional(cj_gru(2, .stateful = true)));
    cj_tensor *x = NULL, *y[3] = {NULL};
    assert_non_null(model);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2, 3, 2), &x), CJ_OK);
    for (int i = 0; i < 12; i++)
        ((float *)cj_tensor_data(x))[i] = (float)(i % 5) / 4;
    for (int i = 0; i < 3; i++) {
        if (i == 2)
            assert_int_equal(cj_reset_states(cj_model_layer(model)), CJ_OK);
        assert_int_equal(cj_predict(model, x, &y[i]), CJ_OK);
    }
    const float *first = cj_tensor_data(y[0]), *second = cj_tensor_data(y[1]);
    for (int i = 0; i < 8; i++)
        assert_true(fabsf(first[i] - second[i]) > 1e-6F);
    assert_memory_equal(first, cj_tensor_data(y[2]), 8 * sizeof *first);
    for (int i = 0; i < 3; i++)
        cj_release(y[i]);
    cj_release(x), cj_release(model);
}

static void summaries_count_what_is_wrapped(void **state)
{
    (void)state;
    char text[4096] = "";
    cj_model *model = made(0);
    FILE *stream = tmpfile();
    assert_non_null(stream);
    assert_int_equal(cj_model_summary(model, stream), CJ_OK);
    rewind(stream);
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    assert_non_null(strstr(text, "bidirectional (Bidirectional)"));
    assert_non_null(strstr(text, "192")); // 2 x (4 x 12 + 3 x 12 + 12)
    assert_non_null(strstr(text, "time_distributed"));
    cj_release(model);
}

static cj_layer *make_layer(int kind, bool of_a_cell)
{
    if (of_a_cell)
        return cj_rnn(
            kind == 0 ? cj_simple_rnn_cell(3, .dropout = 0.3, .seed = 5) :
            kind == 1 ? cj_lstm_cell(3, .dropout = 0.3, .recurrent_dropout = 0.2, .seed = 5) :
                        cj_gru_cell(3, .recurrent_dropout = 0.2, .seed = 5));
    return kind == 0 ? cj_simple_rnn(3, .dropout = 0.3, .seed = 5) :
           kind == 1 ? cj_lstm(3, .dropout = 0.3, .recurrent_dropout = 0.2, .seed = 5) :
                       cj_gru(3, .recurrent_dropout = 0.2, .seed = 5);
}

static void train(cj_model *model)
{
    cj_tensor *x = NULL, *y = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(8, 5, 2), &x), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(8, 1), &y), CJ_OK);
    for (int k = 0; k < 80; k++)
        ((float *)cj_tensor_data(x))[k] = (float)(k * 7 % 11) / 5 - 1;
    for (int k = 0; k < 8; k++)
        ((float *)cj_tensor_data(y))[k] = (float)(k % 3);
    cj_dataset *data = cj_dataset(.x = {x}, .y = {y});
    assert_int_equal(cj_compile(model, .optimizer = cj_sgd(0.1), .loss = "mean_squared_error"),
                     CJ_OK);
    if (cj_fit(model, data, .epochs = 3, .batch_size = 4, .verbose = CJ_SILENT) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_release(data);
}

// What RNN makes of a cell is what the layer makes, to the bit, also with dropout in training.
static void an_rnn_of_a_cell_is_the_layer(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        cj_layer *layers[2];
        cj_model *models[2];
        for (int i = 0; i < 2; i++) {
            models[i] = cj_sequential(cj_input(5, 2), make_layer(kind, i), cj_dense(1));
            assert_non_null(models[i]);
            layers[i] = cj_model_layer(models[i]);
        }
        for (int k = 0; k < cj_layer_variable_count(layers[0]); k++)
            assert_int_equal(cj_variable_assign(cj_layer_variable(layers[1], k),
                                                cj_variable_value(cj_layer_variable(layers[0], k))),
                             CJ_OK);
        train(models[0]), train(models[1]);
        for (int k = 0; k < 4; k++) {
            const cj_tensor *a = cj_variable_value(cj_layer_variable(layers[0], k)),
                            *b = cj_variable_value(cj_layer_variable(layers[1], k));
            assert_memory_equal(cj_tensor_data(a), cj_tensor_data(b),
                                (size_t)cj_tensor_count(a) * sizeof(float));
        }
        cj_release(models[0]), cj_release(models[1]);
    }
}

// h' = tanh(x W + h U + b), as SimpleRNN has it.
static cj_status build_own(void *context, cj_layer *cell, cj_shape input)
{
    (void)context;
    CJ_TRY(cj_cell_weight(cell, "kernel", CJ_SHAPE(input.dims[1], 3), "glorot_uniform"));
    CJ_TRY(cj_cell_weight(cell, "recurrent_kernel", CJ_SHAPE(3, 3), "orthogonal"));
    return cj_cell_weight(cell, "bias", CJ_SHAPE(3), "zeros");
}

static cj_status step_own(void *context, const cj_cell_step *s)
{
    (void)context;
    s->next[0] = cj_op_activation(
        "tanh", cj_op_add(cj_op_add(cj_op_matmul(s->input, s->weights[0]), s->weights[2]),
                          cj_op_matmul(s->states[0], s->weights[1])));
    return s->next[0] ? CJ_OK : cj_error_status();
}

static cj_status step_without_a_state(void *context, const cj_cell_step *s)
{
    (void)context, (void)s;
    return CJ_OK;
}

static cj_model *own(void)
{
    return cj_sequential(cj_input(7, .dtype = "int32"), cj_embedding(9, 4, .mask_zero = true),
                         cj_bidirectional(cj_rnn(cj_cell({3}, step_own, build_own))), cj_dense(2));
}

static void a_cell_of_ones_own_is_a_cell_like_any_other(void **state)
{
    const char *path = "formats_own_cell.safetensors";
    (void)state;
    cj_model *model = own(), *again = own(),
             *usual =
                 cj_sequential(cj_input(7, .dtype = "int32"), cj_embedding(9, 4, .mask_zero = true),
                               cj_bidirectional(cj_simple_rnn(3)), cj_dense(2));
    assert_non_null(model), assert_non_null(again), assert_non_null(usual);
    cj_layer *layer = cj_model_layer(model);
    assert_int_equal(cj_layer_variable_count(layer), 9);
    for (int k = 0; k < 9; k++)
        assert_int_equal(cj_variable_assign(cj_layer_variable(cj_model_layer(usual), k),
                                            cj_variable_value(cj_layer_variable(layer, k))),
                         CJ_OK);
    cj_tensor *mine = predicted(model, 0), *expected = predicted(usual, 0);
    assert_all_near((const float *)cj_tensor_data(mine), (const float *)cj_tensor_data(expected), 8,
                    1e-6, 1e-5);
    assert_int_equal(cj_save(model, path), CJ_UNSUPPORTED);
    assert_error_contains("cell: it is made of functions of the program, which no file can hold");
    cj_release(mine), cj_release(expected);
    cj_release(model), cj_release(again), cj_release(usual);
    remove(path);
    REFUSED(cj_cell(), "state_sizes is required");
    REFUSED(cj_cell({3, -1}, step_own), "state_sizes");
    REFUSED(cj_cell({3}), "cell: the step is missing");
    REFUSED(cj_sequential(cj_input(4, 2), cj_rnn(cj_cell({3}, step_without_a_state))),
            "the step of a cell: a state after it");
    cj_layer *dense = cj_dense(2);
    assert_int_equal(cj_cell_weight(dense, "w", CJ_SHAPE(2), "zeros"), CJ_INVALID_ARGUMENT);
    assert_error_contains("dense: weights are added to a cell of one's own, while it is built");
    cj_release(dense);
}

// Trains a model of `rain` and gives the first weights of each layer.
static void train_rain(int threads, const char *policy, float *weights)
{
    cj_tensor *x[2] = {NULL, NULL}, *y = NULL;
    cj_model *model = made(3);
    cj_pool *pool = cj_pool_new(threads);
    cj_layer *layer = cj_model_layer(model);
    inputs_of(3, x);
    assert_int_equal(cj_set_dtype_policy(layer, policy), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(4, 3), &y), CJ_OK);
    for (int k = 0; k < 12; k++)
        ((float *)cj_tensor_data(y))[k] = (float)(k % 5) / 4 - 0.5F;
    cj_dataset *data = cj_dataset(.x = {x[0]}, .y = {y});
    assert_int_equal(
        cj_compile(model, .optimizer = cj_adam(0.01), .loss = "mean_squared_error", .pool = pool),
        CJ_OK);
    if (cj_fit(model, data, .epochs = 5, .batch_size = 3, .verbose = CJ_SILENT) != CJ_OK)
        fail_msg("%s", cj_error());
    for (int i = 0; i < cj_layer_variable_count(layer); i++)
        weights[i] =
            ((const float *)cj_tensor_data(cj_variable_value(cj_layer_variable(layer, i))))[0];
    cj_release(data), cj_release(model);
}

static void bits_are_the_same_on_any_number_of_threads(void **state)
{
    (void)state;
    float one[40] = {0}, more[40] = {0}, mixed[40] = {0};
    train_rain(1, "float32", one);
    for (int threads = 2; threads <= 5; threads += 3) {
        train_rain(threads, "float32", more);
        assert_memory_equal(one, more, sizeof one);
    }
    train_rain(1, "mixed_bfloat16", mixed);
    train_rain(3, "mixed_bfloat16", more);
    assert_memory_equal(mixed, more, sizeof mixed);
    assert_all_near(mixed, one, 40, 0.02, 0.05);
}

// 100 steps cost no more calls than 10: they are further samples.
static void steps_are_one_larger_batch(void **state)
{
    long sizes[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        cj_model *model =
            cj_sequential(cj_input(i ? 100 : 10, 6, 6, 1), cj_time_distributed(cj_conv2d(2, {3})),
                          cj_time_distributed(cj_flatten()), cj_lstm(2));
        FILE *stream = tmpfile();
        int lines = 0;
        assert_non_null(model), assert_non_null(stream);
        assert_int_equal(cj_plan(model, .batch_size = 4, .stream = stream), CJ_OK);
        rewind(stream);
        for (int c = getc(stream); c != EOF; c = getc(stream))
            lines += c == '\n';
        sizes[i] = lines;
        fclose(stream), cj_release(model);
    }
    assert_int_equal(sizes[0], sizes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_settings_get_their_sentence),
        cmocka_unit_test(inputs_that_do_not_fit_get_their_sentence),
        cmocka_unit_test(json_is_written_and_read_back),
        cmocka_unit_test(a_model_file_brings_predictions_back),
        cmocka_unit_test(training_lowers_the_loss_and_leaves_frozen_layers_alone),
        cmocka_unit_test(padding_is_not_seen),
        cmocka_unit_test(states_last_in_both_directions_until_they_are_reset),
        cmocka_unit_test(summaries_count_what_is_wrapped),
        cmocka_unit_test(an_rnn_of_a_cell_is_the_layer),
        cmocka_unit_test(a_cell_of_ones_own_is_a_cell_like_any_other),
        cmocka_unit_test(bits_are_the_same_on_any_number_of_threads),
        cmocka_unit_test(steps_are_one_larger_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
