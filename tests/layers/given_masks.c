// Masks that a call is given as inputs of their own.
#include "layers/helpers.h"

#include <cajal/attention.h>
#include <cajal/calls.h>
#include <cajal/clone.h>
#include <cajal/explain.h>
#include <cajal/files.h>
#include <cajal/train.h>
#include <cajal/wrappers.h>
#include <stdio.h>
#include <string.h>

enum { TIME = 4, FEATURES = 2, UNITS = 3, BATCH = 2 };

static cj_model *made(cj_model *model)
{
    if (!model)
        fail_msg("%s", cj_error());
    return model;
}

// A sequence, a state and a mask, of which the last two go into the layer with the setting "mask".
static cj_model *masked(cj_layer *layer, int states)
{
    cj_symbol *inputs[6] = {cj_input_symbol(TIME, FEATURES)}, *y = NULL;
    for (int k = 0; k < states; k++)
        inputs[1 + k] = cj_input_symbol(UNITS);
    inputs[1 + states] = cj_input_symbol(TIME, .dtype = "bool");
    if (cj_apply_many_with(layer, "mask", inputs, 2 + states, &y, 1) != CJ_OK)
        fail_msg("%s", cj_error());
    return made(cj_functional(.inputs_list = inputs, .inputs_count = 2 + states, .outputs = {y}));
}

// The output for a mask whose steps from `seen` on are false, and sequences that differ there.
static cj_tensor *output(cj_model *model, int states, int seen, double behind)
{
    cj_tensor *inputs[6] = {NULL}, *y = NULL;
    double x[BATCH * TIME * FEATURES], mask[BATCH * TIME], state[BATCH * UNITS];
    for (int i = 0; i < BATCH * TIME * FEATURES; i++)
        x[i] = i / FEATURES % TIME < seen ? 0.1 * i - 0.5 : behind;
    for (int i = 0; i < BATCH * TIME; i++)
        mask[i] = i % TIME < seen;
    for (int i = 0; i < BATCH * UNITS; i++)
        state[i] = 0.2 * i - 0.3;
    inputs[0] = helper_tensor(CJ_F32, CJ_SHAPE(BATCH, TIME, FEATURES), x);
    for (int k = 0; k < states; k++)
        inputs[1 + k] = helper_tensor(CJ_F32, CJ_SHAPE(BATCH, UNITS), state);
    inputs[1 + states] = helper_tensor(CJ_BOOL, CJ_SHAPE(BATCH, TIME), mask);
    if (cj_predict_many(model, inputs, &y) != CJ_OK)
        fail_msg("%s", cj_error());
    for (int i = 0; i < 2 + states; i++)
        cj_release(inputs[i]);
    return y;
}

static bool same(cj_tensor *a, cj_tensor *b)
{
    const size_t size = (size_t)cj_tensor_count(a) * sizeof(float);
    return memcmp(helper_floats(a), helper_floats(b), size) == 0;
}

static void obeys(cj_layer *layer, int states)
{
    cj_model *model = masked(layer, states), *clone = made(cj_clone(model, .weights = true));
    char *json = NULL, *again = NULL;
    assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
    cj_model *read = made(cj_model_from_json(json, strlen(json)));
    assert_int_equal(cj_model_to_json(read, &again), CJ_OK);
    assert_string_equal(json, again);
    cj_tensor *a = output(model, states, 2, 1), *b = output(model, states, 2, -3),
              *c = output(model, states, TIME, 1), *d = output(clone, states, 2, 1);
    assert_true(same(a, b));
    assert_false(same(a, c));
    assert_true(same(a, d));
    cj_tensor *const all[] = {a, b, c, d};
    for (int i = 0; i < 4; i++)
        cj_release(all[i]);
    cj_free(json);
    cj_free(again);
    cj_release(read);
    cj_release(clone);
    cj_release(model);
}

static void steps_that_the_mask_leaves_out_change_nothing(void **state)
{
    (void)state;
    obeys(cj_simple_rnn(UNITS), 1);
    obeys(cj_gru(UNITS), 1);
    obeys(cj_lstm(UNITS), 2);
    obeys(cj_lstm(UNITS), 0);
    obeys(cj_rnn(cj_lstm_cell(UNITS)), 2);
    obeys(cj_bidirectional(cj_gru(UNITS)), 2);
    obeys(cj_global_average_pooling1d(), 0);
}

static void a_masked_model_is_explained(void **state)
{
    (void)state;
    cj_model *model = masked(cj_gru(UNITS, .name = "g"), 1);
    const double x[TIME * FEATURES] = {1, 2, 3, 4, 5, 6, 7, 8}, h[UNITS] = {0.5, -0.5, 0},
                          m[TIME] = {1, 1, 0, 0};
    cj_tensor *inputs[3] = {helper_tensor(CJ_F32, CJ_SHAPE(1, TIME, FEATURES), x),
                            helper_tensor(CJ_F32, CJ_SHAPE(1, UNITS), h),
                            helper_tensor(CJ_BOOL, CJ_SHAPE(1, TIME), m)};
    FILE *stream = tmpfile();
    assert_non_null(stream);
    assert_int_equal(cj_explain(model, inputs, stream), CJ_OK);
    fclose(stream);
    for (int i = 0; i < 3; i++)
        cj_release(inputs[i]);
    cj_release(model);
}

static void a_mask_that_does_not_fit_gets_its_sentence(void **state)
{
    (void)state;
    cj_symbol *y = NULL, *x = cj_input_symbol(TIME, FEATURES), *h = cj_input_symbol(UNITS),
              *short_one = cj_input_symbol(3, .dtype = "bool");
    cj_layer *gru = cj_gru(UNITS, .name = "g");
    assert_int_equal(cj_apply_many_with(gru, "mask", (cj_symbol *[]){x, h, short_one}, 3, &y, 1),
                     CJ_SHAPE_MISMATCH);
    assert_error_contains("g: its mask (None, 3) needs the first axes of input 0");
    assert_int_equal(cj_apply_many_with(gru, "mask", (cj_symbol *[]){x}, 1, &y, 1),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("g: 1 inputs given, the last 1 of them as masks, which leaves too few");
    cj_layer *dense = cj_dense(2, .name = "d");
    assert_int_equal(cj_apply_many_with(dense, "mask", (cj_symbol *[]){x, h}, 2, &y, 1),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("d: Dense has no call setting \"mask\"");
    cj_layer *heads = cj_multi_head_attention(2, 3, .name = "m");
    assert_int_equal(
        cj_apply_many_with(heads, "key_mask", (cj_symbol *[]){x, x, short_one}, 3, &y, 1),
        CJ_INVALID_ARGUMENT);
    assert_error_contains("m: key_mask is given, but no input 2 that it masks");
    assert_null(cj_functional(.inputs = {x}, .outputs = {y}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_that_the_mask_leaves_out_change_nothing),
        cmocka_unit_test(a_masked_model_is_explained),
        cmocka_unit_test(a_mask_that_does_not_fit_gets_its_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
