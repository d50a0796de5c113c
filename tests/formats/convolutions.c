// Layers with windows over one to three axes: what is wrong with a setting is said, JSON is written
// and read back, and a model file brings predictions back.
#include "support.h"

#include <cajal.h>
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
    REFUSED(cj_conv1d(4, 3, .padding = "full"), "conv1d: unknown padding \"full\"");
    REFUSED(cj_conv1d(4, 3, .strides = 2, .dilation_rate = 2), "exclude each other");
    REFUSED(cj_conv1d(4, 3, .groups = 3), "filters 4 cannot be divided into 3 groups");
    REFUSED(cj_conv1d(4), "kernel_size is required");
    REFUSED(cj_conv3d(4, {3}, .padding = "causal"), "unknown padding \"causal\"");
    REFUSED(cj_conv3d(4, {3, -1, 2}), "kernel_size must be at least 1");
    REFUSED(cj_conv2d_transpose(4, {3}, .strides = {2}, .output_padding = {1, 2}),
            "output_padding 2 must be less than the strides, 2");
    REFUSED(cj_conv2d_transpose(4, {3}, .strides = {2}, .output_padding = {1, -3}),
            "output_padding must be at least 0, or -1 for none");
    REFUSED(cj_depthwise_conv2d({3}, .depth_multiplier = 0), "depth_multiplier must be at least 1");
    REFUSED(cj_max_pooling1d(.strides = 0), "strides must be at least 1");
    REFUSED(cj_zero_padding2d({{1, -1}, {0, 0}}), "padding must be at least 0");
    REFUSED(cj_up_sampling2d({2}, .interpolation = "linear"), "interpolation");
}

static void inputs_that_do_not_fit_get_their_sentence(void **state)
{
    (void)state;
    REFUSED(cj_sequential(cj_input(2, 3), cj_conv1d(4, 3)),
            "conv1d: kernel 3 does not fit input 2 with padding \"valid\"");
    REFUSED(cj_sequential(cj_input(4, 3, 4, 1), cj_conv3d(2, {2}, .dilation_rate = {1, 3, 1})),
            "kernel 2x4x2 does not fit input 4x3x4");
    REFUSED(cj_sequential(cj_input(5, 3), cj_conv1d(4, 3, .groups = 2)),
            "3 channels cannot be divided into 2 groups");
    REFUSED(cj_sequential(cj_input(5, 5, 3), cj_max_pooling3d()), "needs 5 with the batch axis");
    REFUSED(cj_sequential(cj_input(3, 2), cj_cropping1d({1, 2})), "leaves nothing of the 3");
    REFUSED(cj_sequential(cj_input(3, 2), cj_average_pooling1d(4)), "pool 4 does not fit input 3");
}

static cj_model *sequence(void)
{
    return cj_sequential(
        cj_input(8, 4), cj_conv1d(6, 3, .padding = "causal", .dilation_rate = 2, .groups = 2),
        cj_separable_conv1d(4, 2, .depth_multiplier = 2), cj_max_pooling1d(2),
        cj_depthwise_conv1d(2, .padding = "same"), cj_conv1d_transpose(3, 2, .strides = 2),
        cj_zero_padding1d({1, 2}), cj_average_pooling1d(3, .strides = 1), cj_cropping1d({1, 0}),
        cj_up_sampling1d(2), cj_global_average_pooling1d());
}

static cj_model *image(void)
{
    return cj_sequential(
        cj_input(8, 7, 2), cj_depthwise_conv2d({3, 2}, .strides = {2}, .padding = "same"),
        cj_separable_conv2d(3, {2}), cj_zero_padding2d({{1, 0}, {2, 1}}),
        cj_cropping2d({{0, 1}, {1, 0}}),
        cj_conv2d_transpose(2, {3}, .strides = {2, 3}, .output_padding = {1, 2}),
        cj_conv2d_transpose(2, {2}, .padding = "same"), cj_up_sampling2d({2, 1}), cj_flatten());
}

static cj_model *volume(void)
{
    return cj_sequential(
        cj_input(5, 6, 4, 2), cj_conv3d(4, {3, 2, 1}, .strides = {1, 2, 1}, .groups = 2),
        cj_max_pooling3d({1, 2, 2}, .strides = {1}), cj_zero_padding3d({{1, 1}, {0, 1}, {2, 0}}),
        cj_conv3d_transpose(3, {2}, .strides = {2, 1, 2}, .output_padding = {1, 0, 1}),
        cj_average_pooling3d(.padding = "same"), cj_cropping3d({{0, 1}, {0, 0}, {1, 1}}),
        cj_up_sampling3d({1, 2, 1}), cj_global_max_pooling3d());
}

static cj_model *(*const makers[])(void) = {sequence, image, volume};

static void json_is_written_and_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        cj_model *model = makers[i](), *again = NULL;
        char *first = NULL, *second = NULL;
        if (!model || cj_model_to_json(model, &first) != CJ_OK)
            fail_msg("%s", cj_error());
        again = cj_model_from_json(first, strlen(first));
        if (!again || cj_model_to_json(again, &second) != CJ_OK)
            fail_msg("%s", cj_error());
        assert_string_equal(first, second);
        cj_free(first), cj_free(second);
        cj_release(model), cj_release(again);
    }
}

static cj_tensor *predicted(cj_model *model, cj_tensor *x)
{
    cj_tensor *y = NULL;
    if (cj_predict(model, x, &y) != CJ_OK)
        fail_msg("%s", cj_error());
    return y;
}

static void a_model_file_brings_predictions_back(void **state)
{
    static const cj_shape shapes[] = {{3, {2, 8, 4}}, {4, {2, 8, 7, 2}}, {5, {2, 5, 6, 4, 2}}};
    const char *path = "formats_convolutions.safetensors";
    (void)state;
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        cj_model *model = makers[i](), *loaded = NULL;
        cj_tensor *x = NULL;
        assert_int_equal(cj_tensor_new(CJ_F32, shapes[i], &x), CJ_OK);
        float *numbers = cj_tensor_data(x);
        for (int64_t k = 0; k < cj_tensor_count(x); k++)
            numbers[k] = (float)(k * 7 % 13) / 6 - 1;
        if (cj_save(model, path) != CJ_OK || !(loaded = cj_load(path)))
            fail_msg("%s", cj_error());
        cj_tensor *before = predicted(model, x), *after = predicted(loaded, x);
        assert_memory_equal(cj_tensor_data(before), cj_tensor_data(after),
                            (size_t)cj_tensor_count(before) * sizeof(float));
        cj_release(before), cj_release(after), cj_release(x);
        cj_release(model), cj_release(loaded);
    }
    remove(path);
}

static void summaries_are_printed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        cj_model *model = makers[i]();
        FILE *stream = tmpfile();
        assert_non_null(stream);
        assert_int_equal(cj_model_summary(model, stream), CJ_OK);
        fclose(stream);
        cj_release(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_settings_get_their_sentence),
        cmocka_unit_test(inputs_that_do_not_fit_get_their_sentence),
        cmocka_unit_test(json_is_written_and_read_back),
        cmocka_unit_test(a_model_file_brings_predictions_back),
        cmocka_unit_test(summaries_are_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
