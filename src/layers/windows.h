// Windows over the axes between batch and channels: what convolutions and pools along one axis, over
// two and over three share. Sequences (n, steps, c) are computed as images of height 1.
#ifndef CJ_LAYERS_WINDOWS_H
#define CJ_LAYERS_WINDOWS_H

#include "layers/kind.h"

enum { CJ__WINDOW_AXES = 3 };

typedef struct cj__windows {
    int rank; // number of axes
    int64_t size[CJ__WINDOW_AXES], strides[CJ__WINDOW_AXES], dilation[CJ__WINDOW_AXES];
    const char *padding;
} cj__windows;

// The windows of arguments whose members are int64_t for one axis and int64_t[rank] for more;
// `dilation` may be NULL for 1.
cj__windows cj__windows_of(int rank, const void *size, const void *strides, const void *dilation,
                           const char *padding);
#define CJ__KERNEL_WINDOWS(args)                                                             \
    cj__windows_of((int)(sizeof(args)->kernel_size / sizeof(int64_t)), &(args)->kernel_size, \
                   &(args)->strides, &(args)->dilation_rate, (args)->padding)
#define CJ__POOL_WINDOWS(args)                                                           \
    cj__windows_of((int)(sizeof(args)->pool_size / sizeof(int64_t)), &(args)->pool_size, \
                   &(args)->strides, NULL, (args)->padding)

bool cj__windows_same(const cj__windows *windows);
// Strides with dilation are refused, and a padding that is none of "valid", "same" and, if it may
// be, "causal".
cj_status cj__windows_check(const cj_layer *layer, const cj__windows *windows, bool may_be_causal);
// An input of the right rank, of known lengths, in which the windows fit.
cj_status cj__windows_fit(const cj_layer *layer, const char *what, const cj_shape *x,
                          const cj__windows *windows);

// The attributes of a 2-D convolution with these windows, of one axis or two.
cj__conv2d_attrs cj__windows_attrs(const cj__windows *windows, int64_t groups);

// Likewise of a 3-D one.
cj__conv3d_attrs cj__windows_attrs_3d(const cj__windows *windows, int64_t groups);

// A tensor with an axis of length 1 put in before `axis`, or without that axis.
cj_symbol *cj__put_axis(cj__build *g, cj_symbol *x, int axis);
cj_symbol *cj__drop_axis(cj__build *g, cj_symbol *x, int axis);

// cj__finish_kernel() for a result that is an image of height 1 where windows lie along one axis. Bias
// and activation come first: between them and the convolution nothing may stand if they are to be
// fused.
cj_status cj__finish_windows(cj__layer_context *context, cj_symbol *y, const cj__windows *windows,
                             int bias, const cj__kernel_settings *settings);

// Keys that no convolution but Keras's takes.
#define CJ__CONVOLUTION_KEYS                                               \
    CJ__KEY_ONLY("lora_rank", "null"), CJ__KEY_ONLY("lora_alpha", "null"), \
        CJ__KEY_ONLY("data_format", "channels_last")

#endif
