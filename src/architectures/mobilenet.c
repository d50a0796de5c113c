// Howard et al. 2017, "MobileNets: efficient convolutional neural networks for mobile vision
// applications", table 1, width 1.
#include "architectures/architectures.h"

#include <cajal/convolutions.h>
#include <cajal/spatial.h>

static cj_symbol *normalized(cj_symbol *x)
{
    return cj_apply(cj_relu(.max_value = 6), cj_apply(cj_batch_normalization(), x));
}

// A depthwise convolution of 3 x 3, then one of 1 x 1.
static cj_symbol *separable(cj_symbol *x, int64_t filters, int64_t stride)
{
    x = cj_apply(cj_depthwise_conv2d({3, 3}, .strides = {stride, stride}, .padding = "same",
                                     .use_bias = false),
                 x);
    x = cj_apply(cj_conv2d(filters, {1, 1}, .padding = "same", .use_bias = false,
                           .kernel_initializer = "he_normal"),
                 normalized(x));
    return normalized(x);
}

cj_symbol *cj__architecture_mobilenet_v1(cj_symbol *x, int64_t classes)
{
    static const struct {
        int filters, stride;
    } blocks[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                  {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
    x = cj_apply(cj_conv2d(32, {3, 3}, {2, 2}, .padding = "same", .use_bias = false,
                           .kernel_initializer = "he_normal"),
                 x);
    x = normalized(x);
    for (int i = 0; i < (int)(sizeof blocks / sizeof *blocks); i++)
        x = separable(x, blocks[i].filters, blocks[i].stride);
    x = cj_apply(cj_dropout(0.001), cj_apply(cj_global_average_pooling2d(), x));
    return cj__classify(x, classes);
}
