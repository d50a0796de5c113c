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
};
const int zoo_count = sizeof zoo / sizeof *zoo;
