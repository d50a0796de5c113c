// He et al. 2016, "Deep residual learning for image recognition".
#include "architectures/architectures.h"

#include <cajal/convolutions.h>
#include <cajal/spatial.h>

// A convolution without a bias and its normalization, with ReLU or not. Where it has a stride, the
// border is the same on all sides.
static cj_symbol *normalized(cj_symbol *x, int64_t filters, int64_t kernel, int64_t stride,
                             bool relu)
{
    const bool border = stride > 1 && kernel > 1;
    const int64_t side = kernel / 2;
    if (border)
        x = cj_apply(cj_zero_padding2d(.padding = {{side, side}, {side, side}}), x);
    x = cj_apply(cj_conv2d(filters, {kernel, kernel}, {stride, stride},
                           .padding = border ? "valid" : "same", .use_bias = false,
                           .kernel_initializer = "he_normal"),
                 x);
    x = cj_apply(cj_batch_normalization(), x);
    return relu ? cj__relu_layer(x) : x;
}

static cj_symbol *add_and_relu(cj_symbol *x, cj_symbol *y)
{
    return cj__relu_layer(cj_merge(cj_add(), y, x));
}

// Two convolutions of 3 x 3.
static cj_symbol *basic(cj_symbol *x, int64_t filters, int64_t stride, bool changes)
{
    cj_symbol *y = normalized(x, filters, 3, stride, true);
    y = normalized(y, filters, 3, 1, false);
    return add_and_relu(changes ? normalized(x, filters, 1, stride, false) : x, y);
}

// One of 1 x 1 down, one of 3 x 3, one of 1 x 1 up to four times as many filters.
static cj_symbol *bottleneck(cj_symbol *x, int64_t filters, int64_t stride, bool changes)
{
    cj_symbol *y = normalized(x, filters, 1, 1, true);
    y = normalized(y, filters, 3, stride, true);
    y = normalized(y, 4 * filters, 1, 1, false);
    return add_and_relu(changes ? normalized(x, 4 * filters, 1, stride, false) : x, y);
}

typedef cj_symbol *block(cj_symbol *x, int64_t filters, int64_t stride, bool changes);

// Table 1: a stem, four stages, the mean over the image.
static cj_symbol *resnet(cj_symbol *x, block *add_block, const int blocks[4], bool widens,
                         int64_t classes)
{
    x = normalized(x, 64, 7, 2, true);
    x = cj_apply(cj_zero_padding2d(.padding = {{1, 1}, {1, 1}}),
                 x); // nothing is below 0 behind ReLU
    x = cj__pool(x, 3, 2, "valid");
    for (int stage = 0; stage < 4; stage++) {
        for (int i = 0; i < blocks[stage]; i++) {
            const bool first = i == 0;
            x = add_block(x, (int64_t)64 << stage, first && stage > 0 ? 2 : 1,
                          first && (stage > 0 || widens));
        }
    }
    return cj__classify(cj_apply(cj_global_average_pooling2d(), x), classes);
}

cj_symbol *cj__architecture_resnet18(cj_symbol *x, int64_t classes)
{
    return resnet(x, basic, (const int[]){2, 2, 2, 2}, false, classes);
}

cj_symbol *cj__architecture_resnet34(cj_symbol *x, int64_t classes)
{
    return resnet(x, basic, (const int[]){3, 4, 6, 3}, false, classes);
}

cj_symbol *cj__architecture_resnet50(cj_symbol *x, int64_t classes)
{
    return resnet(x, bottleneck, (const int[]){3, 4, 6, 3}, true, classes);
}

// The shortcut without parameters of section 4.2, option A: every second pixel, and as many
// channels of zeros beside the channels.
static cj_symbol *subsampled(cj_symbol *x)
{
    x = cj__pool(x, 1, 2, "valid");
    return cj_merge(cj_concatenate(), x, cj_apply(cj_relu(.max_value = 0), x));
}

cj_symbol *cj__architecture_resnet20(cj_symbol *x, int64_t classes)
{
    x = normalized(x, 16, 3, 1, true);
    for (int stage = 0; stage < 3; stage++) {
        for (int i = 0; i < 3; i++) {
            const bool changes = stage > 0 && i == 0;
            cj_symbol *y = normalized(x, (int64_t)16 << stage, 3, changes ? 2 : 1, true);
            y = normalized(y, (int64_t)16 << stage, 3, 1, false);
            x = add_and_relu(changes ? subsampled(x) : x, y);
        }
    }
    return cj__classify(cj_apply(cj_global_average_pooling2d(), x), classes);
}
