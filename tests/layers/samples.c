// A sample of every kind of layer: settings, and the shapes of its input and output. See samples.h.
#include "layers/samples.h"

#include "base/memory.h"
#include <cajal/activations.h>
#include <cajal/attention.h>
#include <cajal/augmentation.h>
#include <cajal/embeddings.h>
#include <cajal/normalization.h>
#include <cajal/merging.h>
#include <cajal/nir.h>
#include <cajal/recurrent.h>
#include <cajal/regularization.h>
#include <cajal/residuals.h>
#include <cajal/reshaping.h>
#include <cajal/spiking.h>
#include <cajal/spectrogram.h>
#include <cajal/text.h>
#include <cajal/wrappers.h>
#include <math.h>
#include <string.h>

#define MAKER(name, call)              \
    static cj_layer *make_##name(void) \
    {                                  \
        return call;                   \
    }
MAKER(input, cj_input(3))
MAKER(dense, cj_dense(5, .activation = "tanh", .kernel_regularizer = "l2(1e-4)", .use_bias = true))
MAKER(embedding, cj_embedding(7, 4, .mask_zero = true))
MAKER(reversible_embedding, cj_reversible_embedding(7, 4, .mask_zero = true))
MAKER(einsum_dense, cj_einsum_dense("...x,xyz->...yz", {2, 4}, .bias_axes = "yz",
                                    .activation = "tanh", .kernel_regularizer = "l2(1e-4)"))
MAKER(multi_head_attention, cj_multi_head_attention(2, 3, .use_causal_mask = true, .use_gate = true,
                                                    .dropout = 0.1, .sliding_window = 4))
MAKER(group_query_attention,
      cj_group_query_attention(3, 4, 2, .use_bias = false, .sliding_window = 2))
MAKER(attention, cj_attention(.use_scale = true, .score_mode = "concat", .dropout = 0.2))
MAKER(additive_attention, cj_additive_attention(.use_causal_mask = true))
MAKER(group_normalization, cj_group_normalization(2, .beta_initializer = "ones"))
MAKER(rms_normalization, cj_rms_normalization({-1, -2}))
MAKER(unit_normalization, cj_unit_normalization())
MAKER(conv2d,
      cj_conv2d(4, {3, 2}, .padding = "same", .strides = {2}, .groups = 2, .activation = "sigmoid"))
MAKER(conv1d, cj_conv1d(4, 3, .padding = "causal", .dilation_rate = 2, .groups = 2,
                        .activation = "sigmoid"))
MAKER(conv1d_transpose, cj_conv1d_transpose(3, 2, .strides = 3, .output_padding = 1))
MAKER(conv2d_transpose,
      cj_conv2d_transpose(3, {3, 2}, .strides = {2}, .padding = "same", .activation = "tanh"))
MAKER(conv3d, cj_conv3d(2, {2, 1, 2}, .padding = "same", .strides = {2, 1, 1}))
MAKER(conv3d_transpose,
      cj_conv3d_transpose(2, {2}, .strides = {2, 1, 2}, .output_padding = {1, 0, 0}))
MAKER(depthwise_conv1d, cj_depthwise_conv1d(3, .depth_multiplier = 2, .strides = 2))
MAKER(depthwise_conv2d,
      cj_depthwise_conv2d({3, 2}, .padding = "same", .depthwise_regularizer = "l2(1e-4)"))
MAKER(separable_conv1d, cj_separable_conv1d(3, 2, .activation = "sigmoid"))
MAKER(separable_conv2d, cj_separable_conv2d(3, {2}, .depth_multiplier = 2, .use_bias = false))
MAKER(max_pooling1d, cj_max_pooling1d(3, .strides = 2, .padding = "same"))
MAKER(average_pooling1d, cj_average_pooling1d())
MAKER(max_pooling3d, cj_max_pooling3d())
MAKER(average_pooling3d, cj_average_pooling3d({2, 3, 1}, .strides = {1}, .padding = "same"))
MAKER(global_max_pooling1d, cj_global_max_pooling1d(.keepdims = true))
MAKER(global_average_pooling1d, cj_global_average_pooling1d())
MAKER(global_max_pooling3d, cj_global_max_pooling3d())
MAKER(global_average_pooling3d, cj_global_average_pooling3d(.keepdims = true))
MAKER(zero_padding1d, cj_zero_padding1d({0, 2}))
MAKER(zero_padding2d, cj_zero_padding2d({{1, 0}, {2, 1}}))
MAKER(zero_padding3d, cj_zero_padding3d())
MAKER(cropping1d, cj_cropping1d())
MAKER(cropping2d, cj_cropping2d({{1, 0}, {0, 2}}))
MAKER(cropping3d, cj_cropping3d({{0, 1}, {1, 0}, {0, 0}}))
MAKER(up_sampling1d, cj_up_sampling1d(3))
MAKER(up_sampling2d, cj_up_sampling2d({2, 3}))
MAKER(up_sampling3d, cj_up_sampling3d())
MAKER(max_pooling2d, cj_max_pooling2d(.padding = "same"))
MAKER(average_pooling2d, cj_average_pooling2d({3}, .strides = {1}))
MAKER(global_max_pooling2d, cj_global_max_pooling2d())
MAKER(global_average_pooling2d, cj_global_average_pooling2d(.keepdims = true))
MAKER(flatten, cj_flatten())
MAKER(reshape, cj_reshape({-1, 2}))
MAKER(activation, cj_activation("gelu(approximate=true)"))
MAKER(relu, cj_relu(.max_value = 2, .negative_slope = 0.1))
MAKER(leaky_relu, cj_leaky_relu(0))
MAKER(elu, cj_elu(0.5))
MAKER(softmax, cj_softmax(.axis = 1))
MAKER(rescaling, cj_rescaling(2, .offset = -1))
MAKER(batch_normalization, cj_batch_normalization(.momentum = 0.9))
MAKER(layer_normalization, cj_layer_normalization({1, -1}))
MAKER(dropout, cj_dropout(0.5, .noise_shape = {-1, 1, 3}, .seed = 4))
MAKER(simple_rnn, cj_simple_rnn(3, .return_sequences = true, .go_backwards = true))
MAKER(lstm, cj_lstm(3, .return_sequences = true, .go_backwards = true, .bias_initializer = "ones"))
MAKER(gru, cj_gru(3, .return_sequences = true, .bias_initializer = "random_normal"))
MAKER(simple_rnn_cell, cj_simple_rnn_cell(3, .kernel_regularizer = "l2"))
MAKER(lstm_cell, cj_lstm_cell(3, .recurrent_activation = "hard_sigmoid"))
MAKER(gru_cell, cj_gru_cell(3, .reset_after = false))
MAKER(rnn,
      cj_rnn(cj_stacked_rnn_cells({cj_gru_cell(2), cj_lstm_cell(3)}), .return_sequences = true))
MAKER(stacked_rnn_cells, cj_stacked_rnn_cells({cj_gru_cell(3)}))

// h' = tanh(x + h)
static cj_status step(void *context, const cj_cell_step *s)
{
    (void)context;
    s->next[0] = cj_op_activation("tanh", cj_op_add(s->input, s->states[0]));
    return s->next[0] ? CJ_OK : cj_error_status();
}

MAKER(cell, cj_cell({3}, step))
MAKER(conv_lstm1d, cj_conv_lstm1d(2, 2, .return_sequences = true))
MAKER(conv_lstm2d, cj_conv_lstm2d(2, {2, 1}, .padding = "same", .strides = {2}))
MAKER(conv_lstm3d, cj_conv_lstm3d(2, {2}, .go_backwards = true))
MAKER(normalization,
      cj_normalization(.mean = CJ_NUMBERS(1, 0, -1), .variance = CJ_NUMBERS(4, 1, 2)))
MAKER(category_encoding, cj_category_encoding(8, .output_mode = "one_hot"))
MAKER(discretization,
      cj_discretization(.bin_boundaries = CJ_NUMBERS(-0.5, 0, 0.5), .output_mode = "one_hot"))
MAKER(resizing, cj_resizing(5, 2, .interpolation = "bicubic"))
MAKER(center_crop, cj_center_crop(2, 3))
MAKER(random_flip, cj_random_flip())
MAKER(random_translation, cj_random_translation(0.3, 0.2, .fill_mode = "wrap"))
MAKER(random_rotation, cj_random_rotation(.factor_range = CJ_NUMBERS(0.1, 0.4), .seed = 3))
MAKER(random_zoom, cj_random_zoom(0.3, .fill_mode = "constant", .fill_value = 2))
MAKER(random_crop, cj_random_crop(2, 3, .seed = 1))
MAKER(random_contrast, cj_random_contrast(0.3, .value_range = CJ_NUMBERS(-9, 9)))
MAKER(random_brightness, cj_random_brightness(0.1, .value_range = CJ_NUMBERS(-9, 9)))
MAKER(random_hue, cj_random_hue(0.3, .value_range = CJ_NUMBERS(-9, 9)))
MAKER(random_saturation, cj_random_saturation(.factor_range = CJ_NUMBERS(0.4, 0.6)))
MAKER(random_color_jitter,
      cj_random_color_jitter(.value_range = CJ_NUMBERS(-9, 9), .brightness_factor = 0.1,
                             .hue_factor_range = CJ_NUMBERS(0.1, 0.2), .seed = 3))
MAKER(random_grayscale, cj_random_grayscale(0.3))
MAKER(random_color_degeneration,
      cj_random_color_degeneration(0.3, .value_range = CJ_NUMBERS(-9, 9)))
MAKER(random_sharpness, cj_random_sharpness(0.8, .value_range = CJ_NUMBERS(-9, 9)))
MAKER(rand_augment, cj_rand_augment(.value_range = CJ_NUMBERS(-9, 9), .seed = 3))
MAKER(aug_mix, cj_aug_mix(.num_chains = 2, .chain_depth = 1, .value_range = CJ_NUMBERS(-9, 9)))
MAKER(random_posterization,
      cj_random_posterization(.factor_range = CJ_NUMBERS(6, 8), .value_range = CJ_NUMBERS(-9, 9)))
MAKER(random_invert, cj_random_invert(0.1, .value_range = CJ_NUMBERS(-9, 9)))
// thresholds are above all pixels: what is inverted in training alone cannot be learnt
MAKER(solarization, cj_solarization(.threshold_factor_range = CJ_NUMBERS(1, 1),
                                    .value_range = CJ_NUMBERS(-1, 600)))
MAKER(random_erasing,
      cj_random_erasing(0.4, .fill_value = CJ_NUMBERS(1), .value_range = CJ_NUMBERS(-9, 9)))
MAKER(auto_contrast, cj_auto_contrast(.value_range = CJ_NUMBERS(-1, 1)))
MAKER(mix_up, cj_mix_up(0.3, .seed = 3))
MAKER(cut_mix, cj_cut_mix(.factor_range = CJ_NUMBERS(0.2, 1)))
MAKER(equalization, cj_equalization(.value_range = CJ_NUMBERS(-1, 1), .bins = 200))
MAKER(contrast_limited_adaptive_histogram_equalization,
      cj_contrast_limited_adaptive_histogram_equalization(.value_range = CJ_NUMBERS(-1, 1),
                                                          .tile_grid_size = {2, 3}))
MAKER(random_gaussian_blur,
      cj_random_gaussian_blur(.kernel_size = {3, 5}, .value_range = CJ_NUMBERS(-9, 9)))
MAKER(random_shear, cj_random_shear(0.1, 0.2, .fill_mode = "wrap"))
MAKER(random_perspective, cj_random_perspective(.scale = 0.1, .fill_value = 0.5))
MAKER(random_elastic_transform, cj_random_elastic_transform(.scale = 0.5, .fill_mode = "mirror",
                                                            .value_range = CJ_NUMBERS(-9, 9)))
MAKER(stft_spectrogram, cj_stft_spectrogram("magnitude", 4, .frame_step = 2, .expand_dims = true))
MAKER(mel_spectrogram, cj_mel_spectrogram(8, 4, .num_mel_bins = 3, .sampling_rate = 4000))
MAKER(bidirectional, cj_bidirectional(cj_gru(3, .return_sequences = true), .merge_mode = "ave"))
MAKER(spectral_normalization,
      cj_spectral_normalization(cj_conv1d(3, 2, .activation = "tanh"), .power_iterations = 2))
MAKER(time_distributed, cj_time_distributed(cj_dense(3, .activation = "tanh")))
MAKER(text_vectorization,
      cj_text_vectorization(9, .ngrams = {1, 2}, .output_mode = "count", .pad_to_max_tokens = true,
                            .vocabulary = CJ_TEXTS("one", "two", "one two")))
MAKER(string_lookup, cj_string_lookup(.mask_token = "", .vocabulary = CJ_TEXTS("one", "two three"),
                                      .output_mode = "one_hot", .num_oov_indices = 2))
MAKER(integer_lookup, cj_integer_lookup(.vocabulary = CJ_NUMBERS(1, -1), .output_mode = "tf_idf",
                                        .idf_weights = CJ_NUMBERS(0.5, 2), .mask_token = 0))
MAKER(hashing, cj_hashing(5, .output_mode = "count", .salt = {3, 4}, .mask_number = 1))
MAKER(hashed_crossing, cj_hashed_crossing(4, .output_mode = "one_hot"))
MAKER(masking, cj_masking(0.5))
MAKER(add, cj_add())
MAKER(subtract, cj_subtract())
MAKER(multiply, cj_multiply())
MAKER(average, cj_average())
MAKER(maximum, cj_maximum())
MAKER(minimum, cj_minimum())
MAKER(concatenate, cj_concatenate())
MAKER(dot, cj_dot({-1, 2}, .normalize = true))
MAKER(prelu, cj_prelu("constant(0.3)", .shared_axes = {1}))
MAKER(identity, cj_identity())
MAKER(spatial_dropout1d, cj_spatial_dropout1d(0.4, .seed = 3))
MAKER(spatial_dropout2d, cj_spatial_dropout2d(0.4))
MAKER(spatial_dropout3d, cj_spatial_dropout3d(0.4))
MAKER(gaussian_noise, cj_gaussian_noise(0.3, .seed = 3))
MAKER(gaussian_dropout, cj_gaussian_dropout(0.3))
MAKER(alpha_dropout, cj_alpha_dropout(0.3, .noise_shape = {-1, 1, 4}))
MAKER(activity_regularization, cj_activity_regularization(0.1, 0.2))
MAKER(layer_scale, cj_layer_scale(4, 0.3))
MAKER(stochastic_depth, cj_stochastic_depth(0.4))
MAKER(custom_scale_layer, cj_custom_scale_layer(0.17))
MAKER(lif, cj_lif(0.9, .learn_beta = true, .learn_threshold = true, .per_neuron = true))
MAKER(integrate_fire,
      cj_integrate_fire(.recurrent = "dense", .recurrent_bias = true, .refractory = 2))
MAKER(leaky_integrator, cj_leaky_integrator(.tau = 3, .v_leak = 0.2, .learn_beta = true))
MAKER(cuba_lif, cj_cuba_lif(.beta = 0.9, .alpha = 0.7, .preset = "norse", .heterogeneous = true))
MAKER(alpha_lif, cj_alpha_lif(0.6, .alpha = 0.9, .learn_beta = true))
MAKER(lapicque, cj_lapicque(.capacitance = 4, .threshold = 0.05, .recurrent = "one_to_one"))
MAKER(alif, cj_alif(.tau = 4, .tau_adaptation = 20, .preset = "norse", .discretization = "exact"))
MAKER(izhikevich, cj_izhikevich(.d = 6, .resistance = 20))
MAKER(spiking_cell, cj_spiking_cell(cj_lif(0.9), {3}))
MAKER(delay, cj_delay(2))

// Neurons that read one another's sums of the step before.
static cj_layer *make_recurrent_model(void)
{
    cj_symbol *x = cj_input_symbol(1, 2), *h = cj_input_symbol(1, 2);
    cj_symbol *sum = cj_merge(cj_add(), x, cj_apply(cj_dense(2, .activation = "tanh"), h));
    cj_model *step = cj_functional(.inputs = {x, h}, .outputs = {sum, sum});
    return cj_recurrent_model(cj_model_layer(step), .states = 1, .initial_values = CJ_NUMBERS(0.5));
}
MAKER(rate_code, cj_rate_code(4, .gain = 0.8, .offset = 0.1, .seed = 3))
MAKER(latency_code, cj_latency_code(5, .normalize = true, .clip = true))
MAKER(delta_code, cj_delta_code(0.3, .off_spike = true))
MAKER(population_code, cj_population_code(4, .low = -1))
MAKER(permute, cj_permute({2, 3, 1}))
MAKER(repeat_vector, cj_repeat_vector(3))
MAKER(adaptive_max_pooling1d, cj_adaptive_max_pooling1d(3))
MAKER(adaptive_max_pooling2d, cj_adaptive_max_pooling2d({2, 3}))
MAKER(adaptive_max_pooling3d, cj_adaptive_max_pooling3d({2}))
MAKER(adaptive_average_pooling1d, cj_adaptive_average_pooling1d(3))
MAKER(adaptive_average_pooling2d, cj_adaptive_average_pooling2d({3, 4}))
MAKER(adaptive_average_pooling3d, cj_adaptive_average_pooling3d({2, 1, 2}))

const sample samples[] = {
    {"InputLayer", make_input, {3}, {3}, true, 0},
    {"Dense", make_dense, {2, 3}, {2, 5}, false, 4e-3},
    {"Embedding", make_embedding, {6}, {6, 4}, true, 0},
    {"ReversibleEmbedding", make_reversible_embedding, {6}, {6, 4}, true, 0},
    {"EinsumDense", make_einsum_dense, {3, 5}, {3, 2, 4}, true, 4e-3},
    {"MultiHeadAttention", make_multi_head_attention, {5, 4}, {5, 4}, true, 0},
    {"GroupQueryAttention", make_group_query_attention, {5, 4}, {5, 4}, true, 0},
    {"Attention", make_attention, {5, 4}, {5, 4}, true, 0},
    {"AdditiveAttention", make_additive_attention, {5, 4}, {5, 4}, true, 0},
    {"GroupNormalization", make_group_normalization, {3, 4}, {3, 4}, false, 1e-2},
    {"RMSNormalization", make_rms_normalization, {3, 4}, {3, 4}, false, 1e-2},
    {"UnitNormalization", make_unit_normalization, {3, 4}, {3, 4}, false, 1e-2},
    {"Conv2D", make_conv2d, {5, 5, 2}, {3, 3, 4}, false, 4e-3},
    {"Conv1D", make_conv1d, {7, 2}, {7, 4}, false, 4e-3},
    {"Conv3D", make_conv3d, {3, 2, 3, 2}, {2, 2, 3, 2}, false, 4e-3},
    {"Conv1DTranspose", make_conv1d_transpose, {4, 2}, {12, 3}, false, 4e-3},
    {"Conv2DTranspose", make_conv2d_transpose, {3, 4, 2}, {6, 8, 3}, false, 4e-3},
    {"Conv3DTranspose", make_conv3d_transpose, {2, 2, 2, 1}, {5, 3, 4, 2}, false, 4e-3},
    {"DepthwiseConv1D", make_depthwise_conv1d, {6, 3}, {2, 6}, false, 4e-3},
    {"DepthwiseConv2D", make_depthwise_conv2d, {4, 5, 3}, {4, 5, 3}, false, 4e-3},
    {"SeparableConv1D", make_separable_conv1d, {6, 2}, {5, 3}, false, 4e-3},
    {"SeparableConv2D", make_separable_conv2d, {4, 3, 2}, {3, 2, 3}, false, 4e-3},
    {"MaxPooling2D", make_max_pooling2d, {5, 4, 2}, {3, 2, 2}, false, 1e-2},
    {"AveragePooling2D", make_average_pooling2d, {4, 5, 2}, {2, 3, 2}, false, 4e-3},
    {"GlobalMaxPooling2D", make_global_max_pooling2d, {3, 4, 2}, {2}, false, 1e-2},
    {"GlobalAveragePooling2D", make_global_average_pooling2d, {3, 4, 2}, {1, 1, 2}, false, 4e-3},
    {"MaxPooling1D", make_max_pooling1d, {7, 2}, {4, 2}, false, 1e-2},
    {"AveragePooling1D", make_average_pooling1d, {7, 2}, {3, 2}, false, 4e-3},
    {"MaxPooling3D", make_max_pooling3d, {4, 3, 5, 2}, {2, 1, 2, 2}, false, 1e-2},
    {"AveragePooling3D", make_average_pooling3d, {3, 4, 2, 2}, {3, 4, 2, 2}, false, 4e-3},
    {"GlobalMaxPooling1D", make_global_max_pooling1d, {5, 3}, {1, 3}, false, 1e-2},
    {"GlobalAveragePooling1D", make_global_average_pooling1d, {5, 3}, {3}, false, 4e-3},
    {"GlobalMaxPooling3D", make_global_max_pooling3d, {2, 3, 2, 3}, {3}, false, 1e-2},
    {"GlobalAveragePooling3D",
     make_global_average_pooling3d,
     {2, 3, 2, 3},
     {1, 1, 1, 3},
     false,
     4e-3},
    {"ZeroPadding1D", make_zero_padding1d, {4, 2}, {6, 2}, false, 4e-3},
    {"ZeroPadding2D", make_zero_padding2d, {3, 2, 2}, {4, 5, 2}, false, 4e-3},
    {"ZeroPadding3D", make_zero_padding3d, {2, 1, 2, 2}, {4, 3, 4, 2}, false, 4e-3},
    {"Cropping1D", make_cropping1d, {5, 2}, {3, 2}, false, 4e-3},
    {"Cropping2D", make_cropping2d, {3, 4, 2}, {2, 2, 2}, false, 4e-3},
    {"Cropping3D", make_cropping3d, {3, 2, 2, 2}, {2, 1, 2, 2}, false, 4e-3},
    {"UpSampling1D", make_up_sampling1d, {3, 2}, {9, 2}, false, 4e-3},
    {"UpSampling2D", make_up_sampling2d, {2, 3, 2}, {4, 9, 2}, false, 4e-3},
    {"UpSampling3D", make_up_sampling3d, {1, 2, 3, 2}, {2, 4, 6, 2}, false, 4e-3},
    {"Flatten", make_flatten, {3, 2}, {6}, true, 4e-3},
    {"Reshape", make_reshape, {3, 4}, {6, 2}, true, 4e-3},
    {"Activation", make_activation, {3, 4}, {3, 4}, true, 4e-3},
    {"ReLU", make_relu, {3, 4}, {3, 4}, true, 1e-2},
    {"LeakyReLU", make_leaky_relu, {3, 4}, {3, 4}, true, 1e-2},
    {"ELU", make_elu, {3, 4}, {3, 4}, true, 4e-3},
    {"Softmax", make_softmax, {3, 4}, {3, 4}, false, 4e-3},
    {"Rescaling", make_rescaling, {3, 4}, {3, 4}, true, 4e-3},
    {"BatchNormalization", make_batch_normalization, {3, 2}, {3, 2}, false, 1e-2},
    {"LayerNormalization", make_layer_normalization, {3, 4}, {3, 4}, false, 1e-2},
    {"Normalization", make_normalization, {2, 3}, {2, 3}, true, 4e-3},
    {"CategoryEncoding", make_category_encoding, {6}, {6, 8}, true, 0},
    {"Discretization", make_discretization, {3, 4}, {3, 4, 4}, true, 0},
    {"Resizing", make_resizing, {3, 4, 2}, {5, 2, 2}, false, 4e-3},
    {"CenterCrop", make_center_crop, {4, 5, 2}, {2, 3, 2}, false, 4e-3},
    {"RandomFlip", make_random_flip, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"RandomTranslation", make_random_translation, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"RandomRotation", make_random_rotation, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"RandomZoom", make_random_zoom, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"RandomCrop", make_random_crop, {4, 5, 2}, {2, 3, 2}, false, 4e-3},
    {"RandomContrast", make_random_contrast, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"RandomBrightness", make_random_brightness, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"RandomHue", make_random_hue, {4, 5, 3}, {4, 5, 3}, false, 4e-3},
    {"RandomSaturation", make_random_saturation, {4, 5, 3}, {4, 5, 3}, false, 4e-3},
    {"RandomColorJitter", make_random_color_jitter, {4, 5, 3}, {4, 5, 3}, false, 4e-3},
    {"RandomGrayscale", make_random_grayscale, {4, 5, 3}, {4, 5, 3}, false, 4e-3},
    {"RandomColorDegeneration", make_random_color_degeneration, {4, 5, 3}, {4, 5, 3}, false, 4e-3},
    {"RandomSharpness", make_random_sharpness, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"RandomPosterization", make_random_posterization, {4, 5, 2}, {4, 5, 2}, false, 0},
    {"RandomInvert", make_random_invert, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"Solarization", make_solarization, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"RandomErasing", make_random_erasing, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"AutoContrast", make_auto_contrast, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"MixUp", make_mix_up, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"CutMix", make_cut_mix, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"Equalization", make_equalization, {4, 5, 2}, {4, 5, 2}, false, 0},
    {"ContrastLimitedAdaptiveHistogramEqualization",
     make_contrast_limited_adaptive_histogram_equalization,
     {4, 5, 2},
     {4, 5, 2},
     false,
     0},
    {"RandAugment", make_rand_augment, {4, 5, 3}, {4, 5, 3}, false, 0},
    {"AugMix", make_aug_mix, {4, 5, 3}, {4, 5, 3}, false, 0},
    {"RandomGaussianBlur", make_random_gaussian_blur, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"RandomShear", make_random_shear, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"RandomPerspective", make_random_perspective, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"RandomElasticTransform", make_random_elastic_transform, {4, 5, 2}, {4, 5, 2}, false, 4e-3},
    {"STFTSpectrogram", make_stft_spectrogram, {9, 2}, {3, 3, 2}, false, 1e-2},
    {"MelSpectrogram", make_mel_spectrogram, {12}, {3, 4}, false, 0},
    {"Dropout", make_dropout, {4, 3}, {4, 3}, true, 4e-3},
    {"SimpleRNN", make_simple_rnn, {4, 2}, {4, 3}, false, 4e-3},
    {"SimpleRNNCell", make_simple_rnn_cell, {3}, {3}, true, 0},
    {"LSTM", make_lstm, {4, 2}, {4, 3}, false, 4e-3},
    {"LSTMCell", make_lstm_cell, {3}, {3}, true, 0},
    {"GRU", make_gru, {4, 2}, {4, 3}, false, 4e-3},
    {"GRUCell", make_gru_cell, {3}, {3}, true, 0},
    {"RNN", make_rnn, {4, 2}, {4, 3}, false, 4e-3},
    {"StackedRNNCells", make_stacked_rnn_cells, {3}, {3}, true, 0},
    {"Cell", make_cell, {3}, {3}, true, 0},
    {"ConvLSTM1D", make_conv_lstm1d, {3, 4, 2}, {3, 3, 2}, false, 4e-3},
    {"ConvLSTM2D", make_conv_lstm2d, {3, 4, 3, 1}, {2, 2, 2}, false, 4e-3},
    {"ConvLSTM3D", make_conv_lstm3d, {2, 3, 2, 3, 1}, {2, 1, 2, 2}, false, 4e-3},
    {"Bidirectional", make_bidirectional, {4, 2}, {4, 3}, false, 4e-3},
    {"TimeDistributed", make_time_distributed, {4, 2}, {4, 3}, false, 4e-3},
    {"SpectralNormalization", make_spectral_normalization, {4, 2}, {3, 3}, false, 0},
    {"TextVectorization", make_text_vectorization, {1}, {9}, true, 0},
    {"StringLookup", make_string_lookup, {3}, {3, 4}, true, 0},
    {"IntegerLookup", make_integer_lookup, {4}, {3}, true, 0},
    {"Hashing", make_hashing, {4}, {5}, true, 0},
    {"HashedCrossing", make_hashed_crossing, {1}, {4}, true, 0},
    {"Masking", make_masking, {4, 2}, {4, 2}, false, 4e-3},
    {"Add", make_add, {3}, {3}, true, 0},
    {"Subtract", make_subtract, {3}, {3}, true, 0},
    {"Multiply", make_multiply, {3}, {3}, true, 0},
    {"Average", make_average, {3}, {3}, true, 0},
    {"Maximum", make_maximum, {3}, {3}, true, 0},
    {"Minimum", make_minimum, {3}, {3}, true, 0},
    {"Concatenate", make_concatenate, {3, 2}, {3, 4}, true, 0},
    {"Dot", make_dot, {3, 2}, {3, 3}, true, 0},
    {"PReLU", make_prelu, {3, 4}, {3, 4}, false, 1e-2},
    {"Identity", make_identity, {3, 4}, {3, 4}, true, 4e-3},
    {"SpatialDropout1D", make_spatial_dropout1d, {3, 4}, {3, 4}, false, 4e-3},
    {"SpatialDropout2D", make_spatial_dropout2d, {3, 2, 4}, {3, 2, 4}, false, 4e-3},
    {"SpatialDropout3D", make_spatial_dropout3d, {3, 2, 2, 4}, {3, 2, 2, 4}, false, 4e-3},
    {"GaussianNoise", make_gaussian_noise, {3, 4}, {3, 4}, true, 4e-3},
    {"GaussianDropout", make_gaussian_dropout, {3, 4}, {3, 4}, true, 4e-3},
    {"AlphaDropout", make_alpha_dropout, {3, 4}, {3, 4}, true, 4e-3},
    {"ActivityRegularization", make_activity_regularization, {3, 4}, {3, 4}, true, 0},
    {"LayerScale", make_layer_scale, {3, 4}, {3, 4}, false, 4e-3},
    {"StochasticDepth", make_stochastic_depth, {3, 4}, {3, 4}, true, 4e-3},
    {"CustomScaleLayer", make_custom_scale_layer, {3, 4}, {3, 4}, true, 0},
    {"Permute", make_permute, {3, 4, 2}, {4, 2, 3}, false, 4e-3},
    {"RepeatVector", make_repeat_vector, {4}, {3, 4}, false, 4e-3},
    {"AdaptiveMaxPooling1D", make_adaptive_max_pooling1d, {5, 2}, {3, 2}, false, 1e-2},
    {"AdaptiveMaxPooling2D", make_adaptive_max_pooling2d, {4, 5, 2}, {2, 3, 2}, false, 1e-2},
    {"AdaptiveMaxPooling3D", make_adaptive_max_pooling3d, {3, 4, 5, 2}, {2, 2, 2, 2}, false, 1e-2},
    {"AdaptiveAveragePooling1D", make_adaptive_average_pooling1d, {5, 2}, {3, 2}, false, 4e-3},
    {"AdaptiveAveragePooling2D",
     make_adaptive_average_pooling2d,
     {4, 3, 2},
     {3, 4, 2},
     false,
     4e-3},
    {"AdaptiveAveragePooling3D",
     make_adaptive_average_pooling3d,
     {3, 4, 5, 2},
     {2, 1, 2, 2},
     false,
     4e-3},
    {"LIF", make_lif, {5, 3}, {5, 3}, false, 0},
    {"IntegrateFire", make_integrate_fire, {5, 3}, {5, 3}, false, 0},
    {"LeakyIntegrator", make_leaky_integrator, {5, 2, 3}, {5, 2, 3}, false, 4e-3},
    {"CubaLIF", make_cuba_lif, {5, 2, 3}, {5, 2, 3}, false, 0},
    {"AlphaLIF", make_alpha_lif, {5, 3}, {5, 3}, false, 0},
    {"Lapicque", make_lapicque, {5, 3}, {5, 3}, false, 0},
    {"ALIF", make_alif, {5, 3}, {5, 3}, false, 0},
    {"Izhikevich", make_izhikevich, {5, 3}, {5, 3}, false, 0},
    {"SpikingCell", make_spiking_cell, {3}, {3}, true, 0},
    {"Delay", make_delay, {3, 2}, {3, 2}, false, 0},
    {"RecurrentModel", make_recurrent_model, {4, 2}, {4, 2}, false, 4e-3},
    {"RateCode", make_rate_code, {3}, {4, 3}, false, 0},
    {"LatencyCode", make_latency_code, {3}, {5, 3}, false, 0},
    {"DeltaCode", make_delta_code, {4, 3}, {4, 3}, false, 0},
    {"PopulationCode", make_population_code, {2, 3}, {2, 12}, false, 4e-3},
};

const size_t sample_count = sizeof samples / sizeof samples[0];

cj_shape sample_shape(const int64_t *dims, int64_t batch)
{
    cj_shape shape = {.rank = 1, .dims = {batch}};
    for (int i = 0; i < CJ_MAX_RANK - 1 && dims[i] != 0; i++)
        shape.dims[shape.rank++] = dims[i];
    return shape;
}

cj_dtype sample_dtype(const sample *s)
{
    static const char *const readers[] = {"TextVectorization", "StringLookup", "HashedCrossing"};
    for (int i = 0; i < 3; i++)
        if (strcmp(s->class_name, readers[i]) == 0)
            return CJ_STRING;
    return CJ_F32;
}

cj_symbol *sample_symbol(const sample *s)
{
    return cj_symbol_input(sample_dtype(s), sample_shape(s->input, CJ_BATCH), "x");
}

cj_tensor *sample_tensor(const sample *s, int64_t batch, uint64_t seed)
{
    static const char *const some[] = {"", "one", "one two, three", "two three"};
    const cj_shape shape = sample_shape(s->input, batch);
    const char *values[128];
    cj_tensor *tensor = NULL;
    if (sample_dtype(s) != CJ_STRING)
        return helper_random(shape, seed);
    assert_true(cj_shape_count(&shape) <= 128);
    for (int64_t i = 0; i < cj_shape_count(&shape); i++)
        values[i] = some[(seed + (uint64_t)i * 3) % 4];
    assert_int_equal(
        cj_tensor_from(CJ_STRING, shape, values, (size_t)cj_shape_count(&shape), &tensor), CJ_OK);
    return tensor;
}

int sample_inputs(const cj_layer *layer)
{
    const cj__layer_kind *kind = layer->kind;
    if (kind == &cj__layer_recurrent_model)
        return 1; // as many as its model has
    if (kind->min_inputs > 1)
        return kind->cell ? kind->min_inputs : 2;
    return kind->max_inputs > 1 && !(kind->more_inputs || kind->arguments || kind->input_keys) ? 2 :
                                                                                                 1;
}

cj_layer *sample_made(const sample *s)
{
    cj_layer *layer = s->make();
    if (!layer)
        fail_msg("%s: %s", s->class_name, cj_error());
    return layer;
}

// A seed that stays when other kinds come: with some numbers an element lies on a kink.
uint64_t sample_seed(const sample *s)
{
    uint64_t seed = 1000;
    for (const char *c = s->class_name; *c; c++)
        seed = seed * 31 + (unsigned char)*c;
    return seed;
}

size_t sample_field_size(const cj__field *field)
{
    switch (field->kind) {
    case CJ__FIELD_TEXT:
    case CJ__FIELD_SPEC:
        return sizeof(void *);
    case CJ__FIELD_LIST:
        return 8 * sizeof(int64_t);
    case CJ__FIELD_PAIR:
        return 2 * sizeof(int64_t);
    case CJ__FIELD_TRIPLE:
        return 3 * sizeof(int64_t);
    case CJ__FIELD_AMOUNTS:
        return (size_t)(field->rows * field->columns) * sizeof(int64_t);
    case CJ__FIELD_TEXTS:
        return sizeof(cj_texts);
    case CJ__FIELD_NUMBERS:
        return sizeof(cj_numbers);
    case CJ__FIELD_BOOL:
        return sizeof(bool);
    case CJ__FIELD_INT32:
        return 4;
    default:
        return 8;
    }
}

void sample_args(const cj_layer *layer, void *args)
{
    const cj__choice *choice = &layer->kind->choice;
    const char *from = layer->args;
    char *to = args;
    memset(to, 0, SAMPLE_ARGS_MAX);
    assert_true(choice->args_size <= SAMPLE_ARGS_MAX);
    memcpy(to, choice->defaults, choice->args_size);
    for (int f = 0; f < choice->field_count; f++) {
        const cj__field *field = &choice->fields[f];
        memcpy(to + field->offset, from + field->offset, sample_field_size(field));
        if (field->single)
            memcpy(to + field->single, from + field->single, sizeof(double));
    }
    for (const cj__sublayer *row = layer->kind->sublayers; row && row->key; row++)
        memcpy(to + row->offset, from + row->offset,
               (row->list ? CJ__SUBLAYER_LIST : 1) * sizeof(cj_layer *));
    if (layer->kind->of_program) // functions are in no table
        memcpy(to, layer->args, choice->args_size);
}
