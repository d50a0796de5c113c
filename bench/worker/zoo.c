// The zoo: networks as people build them, each through the public API alone, with a twin of the same
// shapes in bench/peers. All are fed bytes, which they scale themselves.
#include "workload.h"

enum { PIXELS = 32 };

// ResNet-20 ---------------------------------------------------------------------------------------

// Convolution, normalization and, where asked for, ReLU.
static cj_symbol *normalized(cj_symbol *x, int filters, int kernel, int stride, bool relu)
{
    cj_layer *conv =
        cj_conv2d(filters, {kernel, kernel}, {stride, stride}, .padding = "same", .use_bias = false,
                  .kernel_initializer = "he_normal", .kernel_regularizer = "l2(1e-4)");
    x = cj_apply(cj_batch_normalization(), cj_apply(conv, x));
    return relu ? cj_apply(cj_activation("relu"), x) : x;
}

// relu(x + two convolutions of x); where the shape changes, x goes through one of 1 x 1.
static cj_symbol *residual(cj_symbol *x, int filters, int stride, bool changes)
{
    cj_symbol *y = normalized(x, filters, 3, stride, true);
    y = normalized(y, filters, 3, 1, false);
    if (changes)
        x = normalized(x, filters, 1, stride, false);
    return cj_apply(cj_activation("relu"), cj_merge(cj_add(), y, x));
}

// He et al. 2016, section 4.2: three stages of three blocks with 16, 32 and 64 filters.
static cj_model *resnet20(void)
{
    cj_symbol *x = cj_input_symbol(PIXELS, PIXELS, 3, .dtype = "uint8");
    cj_symbol *y = normalized(cj_apply(cj_rescaling(1.0 / 255), x), 16, 3, 1, true);
    for (int stage = 0; stage < 3; stage++) {
        for (int block = 0; block < 3; block++) {
            const bool changes = stage > 0 && block == 0;
            y = residual(y, 16 << stage, changes ? 2 : 1, changes);
        }
    }
    y = cj_apply(cj_global_average_pooling2d(), y);
    y = cj_apply(cj_dense(10, .activation = "softmax"), y);
    return cj_functional(.inputs = {x}, .outputs = {y}, .name = "resnet20");
}

// VGG-11 with BatchNormalization ------------------------------------------------------------------

// Simonyan and Zisserman 2015, configuration A, for images of 32 x 32 with one dense layer.
static cj_model *vgg11_bn(void)
{
    static const int filters[] = {64, 128, 256, 256, 512, 512, 512, 512};
    static const bool pools[] = {true, true, false, true, false, true, false, true};
    cj_symbol *x = cj_input_symbol(PIXELS, PIXELS, 3, .dtype = "uint8");
    cj_symbol *y = cj_apply(cj_rescaling(1.0 / 255), x);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        y = cj_apply(cj_conv2d(filters[i], {3, 3}, .padding = "same"), y);
        y = cj_apply(cj_activation("relu"), cj_apply(cj_batch_normalization(), y));
        y = pools[i] ? cj_apply(cj_max_pooling2d({2, 2}), y) : y;
    }
    y = cj_apply(cj_dense(10, .activation = "softmax"), cj_apply(cj_flatten(), y));
    return cj_functional(.inputs = {x}, .outputs = {y}, .name = "vgg11_bn");
}

// A table ------------------------------------------------------------------------------------------

enum { COLUMNS = 30, LAYERS = 4, UNITS = 256 };

static cj_model *table(void)
{
    cj_symbol *x = cj_input_symbol(COLUMNS, .dtype = "uint8");
    cj_symbol *y = cj_apply(cj_rescaling(1.0 / 255), x);
    for (int i = 0; i < LAYERS; i++) {
        y = cj_apply(cj_batch_normalization(), cj_apply(cj_dense(UNITS), y));
        y = cj_apply(cj_dropout(0.2), cj_apply(cj_activation("relu"), y));
    }
    y = cj_apply(cj_dense(2, .activation = "softmax"), y);
    return cj_functional(.inputs = {x}, .outputs = {y}, .name = "table");
}

// An autoencoder -----------------------------------------------------------------------------------

// Convolutions with strides to a code of 32 numbers, and dense layers back to the image.
static cj_model *autoencoder(void)
{
    return cj_sequential(cj_input(28, 28, 1, .dtype = "uint8"), cj_rescaling(1.0 / 255),
                         cj_conv2d(32, {3, 3}, {2, 2}, .padding = "same", .activation = "relu"),
                         cj_conv2d(64, {3, 3}, {2, 2}, .padding = "same", .activation = "relu"),
                         cj_flatten(), cj_dense(32), cj_dense(256, .activation = "relu"),
                         cj_dense(28 * 28, .activation = "sigmoid"), cj_reshape({28, 28, 1}));
}

static cj_optimizer *sgd(void)
{
    return cj_sgd(.learning_rate = 0.01, .momentum = 0.9);
}

#define COLORS                                   \
    {                                            \
        .rank = 3, .dims = { PIXELS, PIXELS, 3 } \
    }
const network zoo[] = {
    {.name = "resnet20",
     .make = resnet20,
     .sample = COLORS,
     .classes = 10,
     .batch = 128,
     .optimizer = sgd},
    {.name = "vgg11_bn",
     .make = vgg11_bn,
     .sample = COLORS,
     .classes = 10,
     .batch = 64,
     .optimizer = sgd},
    {.name = "table",
     .make = table,
     .sample = {.rank = 1, .dims = {COLUMNS}},
     .classes = 2,
     .batch = 256},
    {.name = "autoencoder",
     .make = autoencoder,
     .sample = {.rank = 3, .dims = {28, 28, 1}},
     .batch = 128},
};
const int zoo_count = sizeof zoo / sizeof *zoo;
