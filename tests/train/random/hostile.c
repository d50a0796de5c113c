// Settings and data that cannot work are answered with a status and a sentence, never with a crash,
// and never quietly.
#include "generator.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// What a list of layers after an input of (h, w, c) comes to. With `words` it must fail, and say
// them.
static void refuses(cj_model *model, const char *name, const char *words)
{
    if (model)
        fail_msg("%s was built", name);
    if (cj_error_status() == CJ_OK || !strstr(cj_error(), words))
        fail_msg("%s: \"%s\" (%s) does not contain \"%s\"", name, cj_error(),
                 cj_status_name(cj_error_status()), words);
    cj_error_clear();
}
#define assert_refused(words, ...) refuses(cj_sequential(__VA_ARGS__), #__VA_ARGS__, words)

static void windows_larger_than_the_image(void **state)
{
    (void)state;
    assert_refused("conv2d", cj_input(3, 5, 1), cj_conv2d(2, {4, 1}));
    assert_refused("conv2d", cj_input(5, 3, 1), cj_conv2d(2, {1, 4}));
    assert_refused("conv2d", cj_input(5, 5, 1), cj_conv2d(2, {3, 3}, .dilation_rate = {3, 1}));
    assert_refused("conv2d", cj_input(5, 5, 1), cj_conv2d(2, {1 << 30, 1}));
    assert_refused("max_pooling2d", cj_input(3, 3, 1), cj_max_pooling2d({4, 4}));
    assert_refused("average_pooling2d", cj_input(1, 1, 1), cj_average_pooling2d());
    assert_refused("max_pooling2d", cj_input(4, 4, 1), cj_conv2d(2, {3, 3}),
                   cj_max_pooling2d({3, 3}));
}

static void settings_out_of_range(void **state)
{
    (void)state;
    assert_refused("filters", cj_input(5, 5, 1), cj_conv2d(0, {3, 3}));
    assert_refused("filters", cj_input(5, 5, 1), cj_conv2d(-1, {3, 3}));
    assert_refused("kernel_size", cj_input(5, 5, 1), cj_conv2d(1, {-3, 3}));
    assert_refused("kernel_size", cj_input(5, 5, 1), cj_conv2d(1));
    assert_refused("strides", cj_input(5, 5, 1), cj_conv2d(1, {3, 3}, .strides = {-1, 1}));
    assert_refused("dilation", cj_input(9, 9, 1),
                   cj_conv2d(1, {3, 3}, .dilation_rate = {2, 2}, .strides = {2, 2}));
    assert_refused("groups", cj_input(5, 5, 3), cj_conv2d(4, {3, 3}, .groups = 2));
    assert_refused("groups", cj_input(5, 5, 4), cj_conv2d(3, {3, 3}, .groups = 2));
    assert_refused("groups", cj_input(5, 5, 4), cj_conv2d(4, {3, 3}, .groups = -2));
    assert_refused("padding", cj_input(5, 5, 4), cj_conv2d(4, {3, 3}, .padding = "full"));
    assert_refused("pool_size", cj_input(5, 5, 4), cj_max_pooling2d({-2, 2}));
    assert_refused("units", cj_input(5), cj_dense(0));
    assert_refused("units", cj_input(5), cj_dense(-4));
    assert_refused("rate", cj_input(5), cj_dropout(1.5));
    assert_refused("rate", cj_input(5), cj_dropout(NAN));
    assert_refused("", cj_input(5), cj_rescaling(NAN));
    assert_refused("", cj_input(-5), cj_dense(1));
    assert_refused("", cj_input(5), cj_reshape({2, 3}));
    assert_refused("", cj_input(5), cj_reshape({-1, -1}));
    assert_refused("", cj_input(5), cj_reshape({-2}));
    assert_refused("", cj_input(5), cj_conv2d(1, {1, 1}));
    assert_refused("", cj_input(5), cj_softmax(.axis = 7));
    assert_refused("", cj_input(5), cj_batch_normalization(.axis = 3));
    assert_refused("units", cj_input(2, 2), cj_simple_rnn(0));
}

// Numbers whose product is beyond 64 bits, or whose tensor is beyond memory.
static void sizes_beyond_measure(void **state)
{
    (void)state;
    const int64_t huge = INT64_MAX / 2;
    assert_refused("", cj_input(huge, huge, 3), cj_conv2d(4, {3, 3}));
    assert_refused("", cj_input(5, 5, 3), cj_conv2d(huge, {3, 3}));
    assert_refused("", cj_input(5, 5, 3), cj_conv2d(4, {huge, huge}, .padding = "same"));
    assert_refused("", cj_input(huge), cj_dense(huge));
    assert_refused("", cj_input(5), cj_dense(huge));
    assert_refused("", cj_input(huge, 3, 3), cj_flatten(), cj_dense(3));
    assert_refused("", cj_input(3), cj_embedding(huge, huge));
    assert_refused("", cj_input(9, 9, 1), cj_conv2d(1, {3, 3}, .dilation_rate = {huge, huge}));
}

// A model that reads (5, 5, 1) and gives three classes.
static cj_model *small(cj_layer *layer, const char *loss)
{
    cj_model *model =
        cj_sequential(cj_input(5, 5, 1), layer, cj_flatten(), cj_dense(3, .activation = "softmax"));
    if (!model || cj_compile(model, .loss = loss, .metrics = {"accuracy"}) != CJ_OK)
        fail_msg("%s", cj_error());
    return model;
}

static cj_dataset *samples(int64_t count, float pixel, uint8_t label)
{
    cj_tensor *x = NULL, *y = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(count, 5, 5, 1), &x), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_U8, CJ_SHAPE(count), &y), CJ_OK);
    ((float *)cj_tensor_data(x))[25 * count - 1] = pixel;
    ((uint8_t *)cj_tensor_data(y))[count - 1] = label;
    return cj_dataset(.x = {x}, .y = {y});
}

// Strides far beyond the image leave one pixel, and train.
static void strides_beyond_the_image(void **state)
{
    (void)state;
    const int64_t far = (int64_t)1 << 40;
    cj_dataset *data = samples(7, 1, 2);
    cj_layer *layers[] = {cj_conv2d(4, {3, 3}, .strides = {far, far}, .activation = "relu"),
                          cj_conv2d(4, {3, 3}, .strides = {far, 1}, .padding = "same"),
                          cj_conv2d(4, {9, 9}, .padding = "same"),
                          cj_conv2d(4, {9, 2}, .padding = "same", .dilation_rate = {7, 5}),
                          cj_max_pooling2d({2, 2}, .strides = {far, far}),
                          cj_max_pooling2d({9, 9}, .padding = "same"),
                          cj_average_pooling2d({2, 1}, .strides = {far, 3}, .padding = "same"),
                          cj_average_pooling2d({50, 50}, .strides = {1, 1}, .padding = "same")};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        cj_model *model = small(layers[i], "sparse_categorical_crossentropy");
        if (cj_fit(model, data, .batch_size = 3) != CJ_OK)
            fail_msg("layer %zu: %s", i, cj_error());
        cj_release(model);
    }
    cj_release(data);
}

// Nothing to train on, labels outside, numbers that are none: refused, whatever the form of the
// first layer.
static void data_that_does_not_do(void **state)
{
    (void)state;
    static const struct {
        int64_t count;
        float pixel;
        uint8_t label;
        const char *words;
    } rows[] = {
        {4, NAN, 1, "NaN"},
        {4, 0, 3, "label 3 of sample 3 is outside 0..2"},
        {4, 0, 255, "label 255 of"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cj_model *model =
            small(cj_conv2d(4, {3, 3}, .activation = "relu"), "sparse_categorical_crossentropy");
        cj_dataset *data = samples(rows[i].count, rows[i].pixel, rows[i].label);
        assert_non_null(data);
        assert_int_not_equal(cj_fit(model, data, .batch_size = 3), CJ_OK);
        assert_error_contains(rows[i].words);
        cj_results *results = NULL;
        assert_int_not_equal(cj_evaluate(model, data, &results, .batch_size = 2), CJ_OK);
        assert_error_contains(rows[i].words);
        assert_int_not_equal(cj_train_on_batch(model, data, NULL), CJ_OK);
        cj_release(model), cj_release(data);
    }
}

// An infinity is a number of the type: it is computed with, and what comes of it is told, not
// hidden.
static void infinite_inputs_do_not_crash(void **state)
{
    (void)state;
    cj_model *model =
        small(cj_conv2d(4, {3, 3}, .activation = "relu"), "sparse_categorical_crossentropy");
    cj_dataset *data = samples(4, INFINITY, 1);
    cj_tensor *y = NULL;
    const cj_status status = cj_fit(model, data, .batch_size = 3);
    if (status != CJ_OK)
        assert_true(*cj_error());
    (void)cj_predict(model, cj_dataset_x(data, 0), &y, .batch_size = 2);
    cj_release(y), cj_release(model), cj_release(data);
}

static void batches_that_are_none(void **state)
{
    (void)state;
    cj_model *model = small(cj_conv2d(4, {3, 3}), "sparse_categorical_crossentropy");
    cj_dataset *data = samples(4, 0, 1);
    cj_tensor *empty = NULL, *y = NULL;
    assert_int_equal(cj_fit(model, data, .batch_size = -1), CJ_INVALID_ARGUMENT);
    cj_results *results = NULL;
    assert_int_not_equal(cj_evaluate(model, data, &results, .batch_size = -1), CJ_OK);
    assert_int_not_equal(cj_predict(model, cj_dataset_x(data, 0), &y, .batch_size = -1), CJ_OK);
    assert_null(y);
    // no larger than the data
    assert_int_equal(cj_predict(model, cj_dataset_x(data, 0), &y, .batch_size = INT64_MAX), CJ_OK);
    cj_release(y), y = NULL;
    assert_int_equal(cj_fit(model, data, .batch_size = INT64_MAX), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(0, 5, 5, 1), &empty), CJ_OK);
    assert_int_not_equal(cj_predict(model, empty, &y, .batch_size = 2), CJ_OK);
    assert_error_contains("no samples");
    assert_null(y);
    assert_null(cj_dataset(.x = {empty})); // which drops it
    assert_error_contains("no samples");
    cj_release(model), cj_release(data);
}

// Tokens outside of an embedding's table fail the call and change no weight.
static void tokens_out_of_range(void **state)
{
    (void)state;
    static const int32_t wrong[] = {5, -1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cj_model *model = cj_sequential(cj_input(3, .dtype = "int32"), cj_embedding(5, 4),
                                        cj_flatten(), cj_dense(1));
        assert_non_null(model);
        assert_int_equal(cj_compile(model, .loss = "mse"), CJ_OK);
        int32_t tokens[6] = {0, 1, 2, 3, 4, wrong[i]};
        const float targets[2] = {0, 1};
        cj_tensor *x = NULL, *y = NULL, *p = NULL;
        assert_int_equal(cj_tensor_from(CJ_I32, CJ_SHAPE(2, 3), tokens, 6, &x), CJ_OK);
        assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(2, 1), targets, 2, &y), CJ_OK);
        assert_int_not_equal(cj_predict(model, x, &p, .batch_size = 2), CJ_OK);
        assert_null(p);
        cj_dataset *data = cj_dataset(.x = {x}, .y = {y});
        assert_int_not_equal(cj_fit(model, data, .epochs = 1), CJ_OK);
        assert_true(*cj_error());
        cj_release(model), cj_release(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_larger_than_the_image),
        cmocka_unit_test(settings_out_of_range),
        cmocka_unit_test(sizes_beyond_measure),
        cmocka_unit_test(strides_beyond_the_image),
        cmocka_unit_test(data_that_does_not_do),
        cmocka_unit_test(infinite_inputs_do_not_crash),
        cmocka_unit_test(batches_that_are_none),
        cmocka_unit_test(tokens_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
