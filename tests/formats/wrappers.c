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
}

static void inputs_that_do_not_fit_get_their_sentence(void **state)
{
    (void)state;
    REFUSED(cj_sequential(cj_input(4), cj_time_distributed(cj_dense(2))),
            "time_distributed: input (None, 4) has 2 axes, needs 3 to 8");
    REFUSED(cj_sequential(cj_input(4), cj_bidirectional(cj_gru(2))),
            "bidirectional: forward_gru: input (None, 4) has 2 axes, needs 3");
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

static cj_model *(*const makers[])(void) = {reviews, films, translator};
static const cj_shape shapes[][2] = {
    {{2, {4, 7}}, {0, {0}}}, {{5, {4, 5, 6, 6, 1}}, {0, {0}}}, {{3, {4, 6, 3}}, {3, {4, 4, 2}}}};
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
        cmocka_unit_test(steps_are_one_larger_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
