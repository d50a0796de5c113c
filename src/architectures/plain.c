// Networks that are a chain: LeNet-5, AlexNet, VGG.
#include "architectures/architectures.h"

#include <cajal/convolutions.h>
#include <cajal/spatial.h>

// LeCun et al. 1998, "Gradient-based learning applied to document recognition", figure 2. Its C3 is
// connected in part and its pools have weights; these are the full connections and mean pools of
// today's textbooks. Images smaller than 32 x 32 get a border, as the paper's digits have one.
cj_symbol *cj__architecture_lenet5(cj_symbol *x, int64_t classes)
{
    const cj_shape *shape = x ? cj_symbol_shape(x) : NULL;
    const int64_t rows = shape && shape->dims[1] < 32 ? 32 - shape->dims[1] : 0;
    const int64_t columns = shape && shape->dims[2] < 32 ? 32 - shape->dims[2] : 0;
    if (rows > 0 || columns > 0)
        x = cj_apply(cj_zero_padding2d(.padding = {{rows / 2, rows - rows / 2},
                                                   {columns / 2, columns - columns / 2}}),
                     x);
    x = cj_apply(cj_conv2d(6, {5, 5}, .activation = "tanh"), x);
    x = cj_apply(cj_average_pooling2d({2, 2}), x);
    x = cj_apply(cj_conv2d(16, {5, 5}, .activation = "tanh"), x);
    x = cj_apply(cj_average_pooling2d({2, 2}), x);
    x = cj_apply(cj_dense(120, .activation = "tanh"), cj_apply(cj_flatten(), x));
    return cj__classify(cj_apply(cj_dense(84, .activation = "tanh"), x), classes);
}

// Two dense layers of 4096 with dropout, before the last.
static cj_symbol *wide_head(cj_symbol *x, int64_t classes)
{
    x = cj_apply(cj_flatten(), x);
    for (int i = 0; i < 2; i++) {
        x = cj_apply(cj_dense(4096, .activation = "relu", .kernel_initializer = "he_normal"), x);
        x = cj_apply(cj_dropout(0.5), x);
    }
    return cj__classify(x, classes);
}

// Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks": one column of
// filters, no local response normalization.
cj_symbol *cj__architecture_alexnet(cj_symbol *x, int64_t classes)
{
    x = cj_apply(cj_zero_padding2d(.padding = {{2, 2}, {2, 2}}), x);
    x = cj_apply(
        cj_conv2d(64, {11, 11}, {4, 4}, .activation = "relu", .kernel_initializer = "he_normal"),
        x);
    x = cj__conv_relu(cj__pool(x, 3, 2, "valid"), 192, 5, 1);
    x = cj__conv_relu(cj__pool(x, 3, 2, "valid"), 384, 3, 1);
    x = cj__conv_relu(cj__conv_relu(x, 256, 3, 1), 256, 3, 1);
    return wide_head(cj__pool(x, 3, 2, "valid"), classes);
}

// Simonyan and Zisserman 2015, table 1: five stages of 3 x 3 convolutions, each ended by a pool.
static cj_symbol *vgg(cj_symbol *x, const int convolutions[5], int64_t classes)
{
    static const int64_t filters[5] = {64, 128, 256, 512, 512};
    for (int stage = 0; stage < 5; stage++) {
        for (int i = 0; i < convolutions[stage]; i++)
            x = cj__conv_relu(x, filters[stage], 3, 1);
        x = cj__pool(x, 2, 2, "valid");
    }
    return wide_head(x, classes);
}

cj_symbol *cj__architecture_vgg11(cj_symbol *x, int64_t classes)
{
    return vgg(x, (const int[]){1, 1, 2, 2, 2}, classes);
}

cj_symbol *cj__architecture_vgg16(cj_symbol *x, int64_t classes)
{
    return vgg(x, (const int[]){2, 2, 3, 3, 3}, classes);
}

cj_symbol *cj__architecture_vgg19(cj_symbol *x, int64_t classes)
{
    return vgg(x, (const int[]){2, 2, 4, 4, 4}, classes);
}
