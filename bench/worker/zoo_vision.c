// The zoo's networks over images and volumes.
#include "zoo.h"

enum { PIXELS = 32 };

static cj_layer *relu(void)
{
    return cj_activation("relu");
}

// Convolution with padding and without bias, normalization and, where asked for, ReLU.
static cj_symbol *normalized(cj_symbol *x, int filters, int kernel, int stride, bool with_relu)
{
    x = cj_apply(cj_conv2d(filters, {kernel, kernel}, {stride, stride}, .padding = "same",
                           .use_bias = false, .kernel_initializer = "he_normal"),
                 x);
    x = cj_apply(cj_batch_normalization(), x);
    return with_relu ? cj_apply(relu(), x) : x;
}

// The input of a network over colour images, scaled; *x becomes what the model starts from.
static cj_symbol *colors(int side, cj_symbol **x)
{
    *x = cj_input_symbol(side, side, 3, .dtype = "uint8");
    return cj_apply(cj_rescaling(1.0 / 255), *x);
}

// The mean over all pixels, and a dense layer.
static cj_symbol *classified(cj_symbol *y, int classes)
{
    y = cj_apply(cj_global_average_pooling2d(), y);
    return cj_apply(cj_dense(classes, .activation = "softmax"), y);
}

// ResNet-20 ---------------------------------------------------------------------------------------

// As normalized(), with L2.
static cj_symbol *decayed(cj_symbol *x, int filters, int kernel, int stride, bool with_relu)
{
    cj_layer *conv =
        cj_conv2d(filters, {kernel, kernel}, {stride, stride}, .padding = "same", .use_bias = false,
                  .kernel_initializer = "he_normal", .kernel_regularizer = "l2(1e-4)");
    x = cj_apply(cj_batch_normalization(), cj_apply(conv, x));
    return with_relu ? cj_apply(relu(), x) : x;
}

// relu(x + two convolutions of x); where the shape changes, x goes through one of 1 x 1.
static cj_symbol *residual(cj_symbol *x, int filters, int stride, bool changes)
{
    cj_symbol *y = decayed(x, filters, 3, stride, true);
    y = decayed(y, filters, 3, 1, false);
    if (changes)
        x = decayed(x, filters, 1, stride, false);
    return cj_apply(relu(), cj_merge(cj_add(), y, x));
}

// He et al. 2016, section 4.2: three stages of three blocks with 16, 32 and 64 filters.
cj_model *zoo_resnet20(void)
{
    cj_symbol *x, *y = colors(PIXELS, &x);
    y = decayed(y, 16, 3, 1, true);
    for (int stage = 0; stage < 3; stage++) {
        for (int block = 0; block < 3; block++) {
            const bool changes = stage > 0 && block == 0;
            y = residual(y, 16 << stage, changes ? 2 : 1, changes);
        }
    }
    return cj_functional(.inputs = {x}, .outputs = {classified(y, 10)}, .name = "resnet20");
}

// VGG-11 with BatchNormalization ------------------------------------------------------------------

// Simonyan and Zisserman 2015, configuration A, for images of 32 x 32 with one dense layer.
cj_model *zoo_vgg11_bn(void)
{
    static const int filters[] = {64, 128, 256, 256, 512, 512, 512, 512};
    static const bool pools[] = {true, true, false, true, false, true, false, true};
    cj_symbol *x, *y = colors(PIXELS, &x);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        y = cj_apply(cj_conv2d(filters[i], {3, 3}, .padding = "same"), y);
        y = cj_apply(relu(), cj_apply(cj_batch_normalization(), y));
        y = pools[i] ? cj_apply(cj_max_pooling2d({2, 2}), y) : y;
    }
    y = cj_apply(cj_dense(10, .activation = "softmax"), cj_apply(cj_flatten(), y));
    return cj_functional(.inputs = {x}, .outputs = {y}, .name = "vgg11_bn");
}

// MobileNet ---------------------------------------------------------------------------------------

// Howard et al. 2017, table 1, with half of the filters: each block filters every channel by itself
// and then mixes them by a convolution of 1 x 1.
cj_model *zoo_mobilenet(void)
{
    static const int filters[] = {32, 64, 64, 128, 128, 256, 256, 256, 256, 256, 256, 512, 512};
    static const int strides[] = {1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1};
    cj_symbol *x, *y = colors(64, &x);
    y = normalized(y, 16, 3, 2, true);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        const int stride = strides[i];
        y = cj_apply(cj_depthwise_conv2d({3, 3}, .strides = {stride, stride}, .padding = "same",
                                         .use_bias = false),
                     y);
        y = cj_apply(relu(), cj_apply(cj_batch_normalization(), y));
        y = normalized(y, filters[i], 1, 1, true);
    }
    return cj_functional(.inputs = {x}, .outputs = {classified(y, 10)}, .name = "mobilenet");
}

// U-Net -------------------------------------------------------------------------------------------

enum { LEVELS = 4, NARROW = 16 };

static cj_symbol *two_convolutions(cj_symbol *x, int filters)
{
    return normalized(normalized(x, filters, 3, 1, true), filters, 3, 1, true);
}

// Ronneberger et al. 2015, with padding, BatchNormalization and a quarter of the filters: four
// poolings down, four transposed convolutions up, each beside what was there on the way down.
cj_model *zoo_unet(void)
{
    cj_symbol *x = cj_input_symbol(128, 128, 1, .dtype = "uint8"), *down[LEVELS];
    cj_symbol *y = cj_apply(cj_rescaling(1.0 / 255), x);
    for (int i = 0; i < LEVELS; i++) {
        down[i] = two_convolutions(y, NARROW << i);
        y = cj_apply(cj_max_pooling2d({2, 2}), down[i]);
    }
    y = two_convolutions(y, NARROW << LEVELS);
    for (int i = LEVELS - 1; i >= 0; i--) {
        y = cj_apply(cj_conv2d_transpose(NARROW << i, {2, 2}, .strides = {2, 2}), y);
        y = two_convolutions(cj_merge(cj_concatenate(), down[i], y), NARROW << i);
    }
    y = cj_apply(cj_conv2d(1, {1, 1}, .activation = "sigmoid"), y);
    return cj_functional(.inputs = {x}, .outputs = {y}, .name = "unet");
}

// DenseNet ----------------------------------------------------------------------------------------

enum { BLOCKS = 3, LAYERS = 6, GROWTH = 12 };

static cj_symbol *normalized_before(cj_symbol *x, int filters, int kernel)
{
    x = cj_apply(relu(), cj_apply(cj_batch_normalization(), x));
    return cj_apply(cj_conv2d(filters, {kernel, kernel}, .padding = "same", .use_bias = false,
                              .kernel_initializer = "he_normal"),
                    x);
}

// Huang et al. 2017: a layer sees what all layers of its block made. Three blocks of six layers
// that make 12 channels each.
cj_model *zoo_densenet(void)
{
    int channels = 2 * GROWTH;
    cj_symbol *x, *y = colors(PIXELS, &x);
    y = cj_apply(cj_conv2d(channels, {3, 3}, .padding = "same", .use_bias = false), y);
    for (int block = 0; block < BLOCKS; block++) {
        for (int i = 0; i < LAYERS; i++)
            y = cj_merge(cj_concatenate(), y, normalized_before(y, GROWTH, 3));
        channels += LAYERS * GROWTH;
        if (block < BLOCKS - 1)
            y = cj_apply(cj_average_pooling2d({2, 2}), normalized_before(y, channels, 1));
    }
    y = cj_apply(relu(), cj_apply(cj_batch_normalization(), y));
    return cj_functional(.inputs = {x}, .outputs = {classified(y, 10)}, .name = "densenet");
}

// MLP-Mixer ---------------------------------------------------------------------------------------

enum { TOKENS = 64, WIDTH = 128 };

static cj_symbol *layer_normalized(cj_symbol *x)
{
    return cj_apply(cj_layer_normalization(.epsilon = 1e-6), x);
}

// Tolstikhin et al. 2021: patches of 4 x 4 pixels, four blocks that mix patches, then channels.
cj_model *zoo_mixer(void)
{
    cj_symbol *x, *y = colors(PIXELS, &x);
    y = cj_apply(cj_conv2d(WIDTH, {4, 4}, {4, 4}), y);
    y = cj_apply(cj_reshape({TOKENS, WIDTH}), y);
    for (int i = 0; i < 4; i++) {
        cj_symbol *z = cj_apply(
            cj_einsum_dense("btc,ts->bcs", {WIDTH, TOKENS}, .bias_axes = "s", .activation = "gelu"),
            layer_normalized(y));
        z = cj_apply(cj_einsum_dense("bcs,st->btc", {TOKENS, WIDTH}, .bias_axes = "t"), z);
        y = cj_merge(cj_add(), y, z);
        z = cj_apply(cj_dense(4 * WIDTH, .activation = "gelu"), layer_normalized(y));
        y = cj_merge(cj_add(), y, cj_apply(cj_dense(WIDTH), z));
    }
    y = cj_apply(cj_global_average_pooling1d(), layer_normalized(y));
    y = cj_apply(cj_dense(10, .activation = "softmax"), y);
    return cj_functional(.inputs = {x}, .outputs = {y}, .name = "mixer");
}

// Video -------------------------------------------------------------------------------------------

// Tran et al. 2015, the first three stages: 16 frames of 32 x 32, of which the first pool keeps all.
cj_model *zoo_video(void)
{
    return cj_sequential(cj_input(16, PIXELS, PIXELS, 3, .dtype = "uint8"), cj_rescaling(1.0 / 255),
                         cj_conv3d(32, {3, 3, 3}, .padding = "same", .activation = "relu"),
                         cj_max_pooling3d({1, 2, 2}),
                         cj_conv3d(64, {3, 3, 3}, .padding = "same", .activation = "relu"),
                         cj_max_pooling3d({2, 2, 2}),
                         cj_conv3d(128, {3, 3, 3}, .padding = "same", .activation = "relu"),
                         cj_max_pooling3d({2, 2, 2}), cj_flatten(),
                         cj_dense(128, .activation = "relu"),
                         cj_dense(10, .activation = "softmax"));
}

// Autoencoders ------------------------------------------------------------------------------------

// Convolutions with strides to a code of 32 numbers, and dense layers back to the image.
cj_model *zoo_autoencoder(void)
{
    return cj_sequential(cj_input(28, 28, 1, .dtype = "uint8"), cj_rescaling(1.0 / 255),
                         cj_conv2d(32, {3, 3}, {2, 2}, .padding = "same", .activation = "relu"),
                         cj_conv2d(64, {3, 3}, {2, 2}, .padding = "same", .activation = "relu"),
                         cj_flatten(), cj_dense(32), cj_dense(256, .activation = "relu"),
                         cj_dense(28 * 28, .activation = "sigmoid"), cj_reshape({28, 28, 1}));
}
