// Explanations of every class of layer with several settings: each derives from inputs and weights
// alone what the model computed.
#include "explain/honest.h"
#include "explain/explain.h"

#include <cajal/activations.h>
#include <cajal/attention.h>
#include <cajal/merging.h>
#include <cajal/normalization.h>
#include <cajal/recurrent.h>
#include <cajal/regularization.h>
#include <cajal/reshaping.h>
#include <cajal/wrappers.h>
#include <stdlib.h>
#include <string.h>

#define ONE(shape, layer)   assert_honest(cj_sequential(cj_input shape, layer))
// Of layers that have no policy of their own, or give whole numbers.
#define EXACT(shape, layer) assert_exact(cj_sequential(cj_input shape, layer))

static void assert_exact(cj_model *model)
{
    if (!model)
        fail_msg("%s", cj_error());
    honest_stir(model);
    assert_derives(model, false);
    cj_release(model);
}

static void every_class_has_an_explainer(void **state)
{
    (void)state;
    static const char *const names[] = {
#define CJ__EXPLAINER(class_name, function) class_name,
#include "explain/explain.def"
#undef CJ__EXPLAINER
    };
    char missing[1024] = "";
    for (int k = 0; cj__layer_kinds[k]; k++) {
        const char *name = cj__layer_kinds[k]->choice.class_name;
        bool found = strcmp(name, "InputLayer") == 0; // computes nothing
        for (size_t i = 0; i < sizeof names / sizeof *names && !found; i++)
            found = strcmp(names[i], name) == 0;
        if (!found && strlen(missing) + strlen(name) + 2 < sizeof missing)
            strcat(strcat(missing, " "), name);
    }
    if (*missing)
        fail_msg("no row in explain.def for%s", missing);
}

static void convolutions_along_one_to_three_axes(void **state)
{
    (void)state;
    ONE((9, 3), cj_conv1d(4, 3, .padding = "causal", .dilation_rate = 2, .activation = "tanh"));
    ONE((9, 4), cj_conv1d(6, 4, .padding = "same", .strides = 3, .groups = 2));
    ONE((8, 2), cj_conv1d(5, 2, .activation = "softmax", .use_bias = false));
    ONE((5, 6, 4, 2), cj_conv3d(3, {2, 3, 2}, .padding = "same", .strides = {2, 1, 2}));
    ONE((5, 5, 5, 2), cj_conv3d(4, {2, 2, 2}, .dilation_rate = {2, 1, 2}, .groups = 2));
    ONE((9, 8, 3), cj_conv2d(4, {3, 2}, .strides = {2, 3}, .padding = "same"));
}

static void depthwise_and_separable_convolutions(void **state)
{
    (void)state;
    ONE((9, 3), cj_depthwise_conv1d(3, .depth_multiplier = 2, .strides = 2, .padding = "same"));
    ONE((7, 8, 3), cj_depthwise_conv2d({3, 2}, .depth_multiplier = 3, .activation = "softmax"));
    ONE((9, 3), cj_separable_conv1d(4, 3, .dilation_rate = 2, .depth_multiplier = 2));
    ONE((7, 6, 3),
        cj_separable_conv2d(5, {3, 3}, .padding = "same", .strides = {2, 2}, .activation = "relu"));
    ONE((6, 6, 20), cj_separable_conv2d(2, {2, 2}, .use_bias = false, .activation = "softmax"));
}

static void transposed_convolutions(void **state)
{
    (void)state;
    ONE((5, 2), cj_conv1d_transpose(3, 4, .strides = 3, .activation = "tanh"));
    ONE((5, 2), cj_conv1d_transpose(3, 2, .strides = 3, .output_padding = 1, .padding = "same"));
    ONE((5, 2), cj_conv1d_transpose(3, 3, .dilation_rate = 2, .padding = "same"));
    ONE((4, 3, 2), cj_conv2d_transpose(3, {3, 2}, .strides = {2, 2}, .padding = "same"));
    ONE((4, 3, 5), cj_conv2d_transpose(4, {2, 4}, .strides = {1, 3}, .activation = "softmax"));
    ONE((3, 2, 3, 2),
        cj_conv3d_transpose(2, {2, 3, 2}, .strides = {2, 1, 3}, .output_padding = {1, 0, 2}));
}

static void pools_along_one_to_three_axes(void **state)
{
    (void)state;
    ONE((7, 3), cj_max_pooling1d(3, .strides = 2, .padding = "same"));
    ONE((7, 3), cj_average_pooling1d(.padding = "same"));
    ONE((5, 6, 7, 2), cj_max_pooling3d({2, 3, 2}, .strides = {1, 2, 3}, .padding = "same"));
    ONE((5, 6, 7, 2), cj_average_pooling3d({3, 3, 3}, .strides = {2, 2, 2}, .padding = "same"));
    ONE((5, 3), cj_global_max_pooling1d());
    ONE((5, 3), cj_global_average_pooling1d(.keepdims = true));
    ONE((3, 4, 5, 2), cj_global_max_pooling3d(.keepdims = true));
    ONE((3, 4, 5, 2), cj_global_average_pooling3d());
    ONE((4, 5, 2), cj_global_average_pooling2d(.keepdims = true));
    ONE((7, 2), cj_adaptive_max_pooling1d(3));
    ONE((7, 5, 2), cj_adaptive_average_pooling2d({3, 4}));
    ONE((7, 5, 2), cj_adaptive_max_pooling2d({4, 5}));
    ONE((7, 5, 4, 2), cj_adaptive_average_pooling3d({2, 5, 3}));
    ONE((7, 5, 4, 2), cj_adaptive_max_pooling3d({7, 2, 3}));
    ONE((7, 2), cj_adaptive_average_pooling1d(4));
}

static void sides_and_repetition(void **state)
{
    (void)state;
    ONE((5, 2), cj_zero_padding1d({0, 2}));
    ONE((4, 3, 2), cj_zero_padding2d({{1, 0}, {2, 3}}));
    ONE((2, 3, 4, 2), cj_zero_padding3d());
    ONE((6, 2), cj_cropping1d({1, 2}));
    ONE((6, 5, 2), cj_cropping2d({{1, 0}, {0, 2}}));
    ONE((4, 5, 6, 2), cj_cropping3d({{1, 1}, {0, 2}, {3, 0}}));
    ONE((3, 2), cj_up_sampling1d(3));
    ONE((2, 3, 2), cj_up_sampling2d({2, 3}));
    ONE((2, 3, 2), cj_up_sampling2d({3, 2}, .interpolation = "bilinear"));
    ONE((5, 3, 2), cj_up_sampling2d({2, 2}, .interpolation = "bicubic"));
    ONE((5, 7, 1), cj_up_sampling2d({2, 3}, .interpolation = "lanczos3"));
    ONE((2, 1, 2, 2), cj_up_sampling3d({2, 3, 1}));
}

static void images_are_resized_and_cropped(void **state)
{
    (void)state;
    static const char *const kernels[] = {"nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"};
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
        EXACT((7, 5, 2), cj_resizing(3, 8, .interpolation = kernels[i]));
        EXACT((7, 5, 2), cj_resizing(3, 2, .interpolation = kernels[i], .antialias = true));
    }
    EXACT((6, 9, 2), cj_resizing(4, 4, .crop_to_aspect_ratio = true));
    EXACT((6, 9, 2), cj_resizing(4, 4, .pad_to_aspect_ratio = true, .fill_value = 0.5));
    EXACT((9, 4, 2), cj_resizing(5, 5, .pad_to_aspect_ratio = true));
    EXACT((6, 9, 2), cj_center_crop(3, 4));
    EXACT((6, 9, 2), cj_center_crop(8, 4));
    EXACT((6, 9, 2), cj_random_crop(3, 4));
    EXACT((6, 9, 2), cj_random_crop(12, 4));
    EXACT((6, 9, 2), cj_random_flip());
    EXACT((6, 9, 2), cj_random_rotation(0.2));
    EXACT((6, 9, 2), cj_random_zoom(0.2));
    EXACT((6, 9, 2), cj_random_translation(0.2, 0.2));
    EXACT((6, 9, 2), cj_random_contrast(0.2));
    EXACT((6, 9, 2), cj_random_brightness(0.2));
}

static void normalizations(void **state)
{
    (void)state;
    ONE((4, 3, 6), cj_group_normalization(3));
    ONE((4, 6), cj_group_normalization(-1));
    ONE((6, 3, 2), cj_group_normalization(2, .axis = 1, .scale = false));
    ONE((8), cj_group_normalization(1, .center = false));
    ONE((3, 5), cj_rms_normalization());
    ONE((3, 5), cj_rms_normalization({1, 2}, .epsilon = 0.1));
    ONE((3, 5), cj_unit_normalization());
    ONE((3, 5), cj_unit_normalization({1}));
    EXACT((3, 2), cj_normalization(.mean = CJ_NUMBERS(1, -1), .variance = CJ_NUMBERS(4, 0.5)));
    EXACT((3, 2),
          cj_normalization(.mean = CJ_NUMBERS(1), .variance = CJ_NUMBERS(0), .invert = true));
    ONE((3, 4), cj_batch_normalization(.axis = 1, .scale = false));
}

static void a_learnt_normalization(void **state)
{
    (void)state;
    cj_layer *layer = cj_normalization({1, 2});
    cj_model *model = cj_sequential(cj_input(3, 2), layer);
    cj_tensor *data = honest_numbers(CJ_SHAPE(9, 3, 2), 4);
    assert_non_null(model);
    assert_int_equal(cj_adapt(layer, data), CJ_OK);
    assert_derives(model, false);
    cj_release(data);
    cj_release(model);
}

static void categories(void **state)
{
    (void)state;
    static const char *const modes[] = {"int", "one_hot", "multi_hot", "count"};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        EXACT((4), cj_discretization(.bin_boundaries = CJ_NUMBERS(-0.5, 0, 0.5),
                                     .output_mode = modes[i]));
    }
    for (size_t i = 1; i < sizeof modes / sizeof modes[0]; i++) {
        cj_model *model =
            cj_sequential(cj_input(4), cj_category_encoding(3, .output_mode = modes[i]));
        cj_tensor *tokens = NULL;
        assert_non_null(model);
        assert_int_equal(
            cj_tensor_from(CJ_F32, CJ_SHAPE(4), (const float[]){2, 0, 1, 2}, 4, &tokens), CJ_OK);
        assert_derives_of(model, &tokens, false);
        cj_release(tokens);
        cj_release(model);
    }
}

static void elementwise_layers(void **state)
{
    (void)state;
    ONE((4, 5), cj_prelu("constant(0.3)", .shared_axes = {1}));
    ONE((4, 5), cj_prelu());
    ONE((3, 2), cj_activity_regularization(0.1));
    ONE((3, 2), cj_gaussian_noise(0.3));
    ONE((3, 2), cj_gaussian_dropout(0.3));
    ONE((3, 2), cj_alpha_dropout(0.3));
    ONE((3, 2), cj_spatial_dropout1d(0.3));
    ONE((3, 2), cj_identity());
    ONE((3, 2, 4), cj_permute({3, 1, 2}));
    ONE((3), cj_repeat_vector(4));
}

static void sums_of_products(void **state)
{
    (void)state;
    ONE((3, 5), cj_einsum_dense("abc,cde->abde", {3, 2, 4}, .bias_axes = "de"));
    ONE((3, 5), cj_einsum_dense("...x,xy->...y", {4}, .bias_axes = "y", .activation = "softmax"));
    ONE((3, 5), cj_einsum_dense("ab...,bc->ac...", {4}, .bias_axes = "c"));
    for (int normalize = 0; normalize < 2; normalize++) {
        cj_symbol *a = cj_input_symbol(3, 4), *b = cj_input_symbol(5, 4), *c = cj_input_symbol(4);
        assert_honest(
            cj_functional(.inputs = {a, b},
                          .outputs = {cj_merge(cj_dot({2, 2}, .normalize = normalize), a, b)}));
        a = cj_input_symbol(4);
        assert_honest(
            cj_functional(.inputs = {a, c},
                          .outputs = {cj_merge(cj_dot({1, 1}, .normalize = normalize), a, c)}));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_has_an_explainer),
        cmocka_unit_test(convolutions_along_one_to_three_axes),
        cmocka_unit_test(depthwise_and_separable_convolutions),
        cmocka_unit_test(transposed_convolutions),
        cmocka_unit_test(pools_along_one_to_three_axes),
        cmocka_unit_test(sides_and_repetition),
        cmocka_unit_test(images_are_resized_and_cropped),
        cmocka_unit_test(normalizations),
        cmocka_unit_test(a_learnt_normalization),
        cmocka_unit_test(categories),
        cmocka_unit_test(elementwise_layers),
        cmocka_unit_test(sums_of_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
