"""Convolutions beside Conv2D, pools along one axis and over three, padding, cropping, up-sampling: cases as layers.py has
them."""

import jax
from keras import layers as L

from .layers import Builder
from .store import Fixture


def conv1d(b):
    for n in (7, 8):
        for stride in (1, 2) if n == 7 else (2, 3):
            for padding in ("valid", "same", "causal"):
                b.one(f"conv1d_{n}_s{stride}_{padding}", L.Conv1D(3, 3, strides=stride, padding=padding), (n, 2), batch=2)
    for dilation in (2, 3):
        for padding in ("valid", "same", "causal"):
            b.one(f"conv1d_d{dilation}_{padding}", L.Conv1D(3, 3, dilation_rate=dilation, padding=padding), (9, 2), batch=2)
    for kernel in (1, 2, 4):
        b.one(f"conv1d_k{kernel}", L.Conv1D(3, kernel, padding="same", activation="tanh"), (6, 2), batch=2)
    b.one("conv1d_groups", L.Conv1D(6, 3, groups=3), (7, 6), batch=2)
    b.one("conv1d_depthwise_groups", L.Conv1D(4, 2, groups=4, padding="causal"), (5, 4), batch=2)
    b.one("conv1d_no_bias", L.Conv1D(18, 3, use_bias=False), (6, 17), batch=2)
    b.one("conv1d_regularized", L.Conv1D(3, 2, kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l2"), (5, 2))
    b.one("conv1d_batch_of_1", L.Conv1D(2, 3), (4, 1), batch=1)


def transposed(b):
    # Each length of an image has a rule of its own, so one case checks two of them.
    for kernels, strides in (((1, 2), (1, 1)), ((3, 4), (1, 1)), ((1, 2), (2, 2)), ((3, 4), (2, 2)), ((1, 2), (3, 3)), ((3, 4), (3, 3))):
        for padding in ("valid", "same"):
            name = f"k{kernels[0]}{kernels[1]}_s{strides[0]}_{padding}"
            b.one(f"conv2d_transpose_{name}", L.Conv2DTranspose(2, kernels, strides=strides, padding=padding), (3, 2, 2), batch=2)
            for extra in range(strides[0] if strides[0] > 1 else 0):
                b.one(f"conv2d_transpose_{name}_op{extra}",
                      L.Conv2DTranspose(2, kernels, strides=strides, padding=padding, output_padding=extra), (2, 3, 1), batch=2)
    for padding in ("valid", "same"):
        b.one(f"conv1d_transpose_k3_s2_{padding}", L.Conv1DTranspose(3, 3, strides=2, padding=padding), (4, 2), batch=2)
    for padding in ("valid", "same"):
        b.one(f"conv2d_transpose_d2_{padding}", L.Conv2DTranspose(2, 3, dilation_rate=2, padding=padding), (4, 3, 2), batch=2)
        b.one(f"conv2d_transpose_rectangular_{padding}",
              L.Conv2DTranspose(2, (2, 4), strides=(3, 2), padding=padding, output_padding=(2, 0)), (3, 4, 2), batch=2)
        b.one(f"conv1d_transpose_d3_{padding}", L.Conv1DTranspose(2, 2, dilation_rate=3, padding=padding), (4, 2), batch=2)
        b.one(f"conv1d_transpose_op1_{padding}", L.Conv1DTranspose(2, 3, strides=2, output_padding=1, padding=padding), (4, 2), batch=2)
    b.one("conv2d_transpose_wide", L.Conv2DTranspose(17, 2, strides=2, activation="relu"), (3, 3, 18), batch=2)
    b.one("conv2d_transpose_regularized",
          L.Conv2DTranspose(2, 2, kernel_regularizer="l2", bias_regularizer="l1", use_bias=True), (3, 3, 2))
    b.one("conv2d_transpose_no_bias", L.Conv2DTranspose(2, 3, use_bias=False), (3, 3, 2))


def depthwise(b):
    for multiplier in (1, 3):
        for stride in (1, 2):
            for padding in ("valid", "same"):
                name = f"m{multiplier}_s{stride}_{padding}"
                b.one(f"depthwise_conv1d_{name}", L.DepthwiseConv1D(3, strides=stride, padding=padding, depth_multiplier=multiplier), (6, 3), batch=2)
                b.one(f"depthwise_conv2d_{name}", L.DepthwiseConv2D(3, strides=stride, padding=padding, depth_multiplier=multiplier), (5, 6, 3), batch=2)
                b.one(f"separable_conv1d_{name}", L.SeparableConv1D(4, 3, strides=stride, padding=padding, depth_multiplier=multiplier), (6, 2), batch=2)
                b.one(f"separable_conv2d_{name}", L.SeparableConv2D(4, 3, strides=stride, padding=padding, depth_multiplier=multiplier), (5, 6, 2), batch=2)
    for padding in ("valid", "same"):
        b.one(f"depthwise_conv2d_d2_{padding}", L.DepthwiseConv2D((2, 3), dilation_rate=2, padding=padding), (6, 7, 2), batch=2)
        b.one(f"depthwise_conv1d_d2_{padding}", L.DepthwiseConv1D(3, dilation_rate=2, padding=padding), (7, 2), batch=2)
        b.one(f"separable_conv2d_d2_{padding}", L.SeparableConv2D(3, 2, dilation_rate=2, padding=padding), (5, 4, 2), batch=2)
    b.one("depthwise_conv2d_1_channel", L.DepthwiseConv2D(3, depth_multiplier=4), (5, 5, 1))
    b.one("depthwise_conv2d_19_channels", L.DepthwiseConv2D(3, padding="same", activation="relu"), (5, 5, 19), batch=2)
    b.one("depthwise_conv2d_no_bias", L.DepthwiseConv2D(2, use_bias=False, depthwise_regularizer="l2"), (4, 4, 2))
    b.one("separable_conv2d_regularized",
          L.SeparableConv2D(3, 2, depthwise_regularizer="l2", pointwise_regularizer="l1", bias_regularizer="l2", activation="tanh"), (4, 4, 2))
    b.one("separable_conv1d_no_bias", L.SeparableConv1D(3, 2, use_bias=False), (4, 2))


def conv3d(b):
    for n, stride in ((4, 1), (5, 2)):
        for padding in ("valid", "same"):
            b.one(f"conv3d_{n}_s{stride}_{padding}", L.Conv3D(2, 3, strides=stride, padding=padding), (n, 4, 3, 2), batch=2)
            b.one(f"conv3d_transpose_{n}_s{stride}_{padding}", L.Conv3DTranspose(2, 2, strides=stride, padding=padding), (n - 2, 2, 3, 2), batch=2)
    b.one("conv3d_d2", L.Conv3D(2, 2, dilation_rate=2), (4, 3, 5, 2), batch=2)
    b.one("conv3d_groups", L.Conv3D(4, 2, groups=2, activation="tanh"), (3, 3, 3, 4), batch=2)
    b.one("conv3d_kernel_of_1", L.Conv3D(3, (1, 2, 2), strides=(2, 1, 1)), (4, 3, 3, 2), batch=2)
    b.one("conv3d_rectangular", L.Conv3D(3, (3, 1, 2), padding="same", use_bias=False), (3, 4, 3, 2), batch=2)
    b.one("conv3d_transpose_op", L.Conv3DTranspose(2, (2, 3, 1), strides=(2, 3, 1), output_padding=(1, 2, 0)), (2, 2, 3, 1), batch=2)
    b.one("conv3d_transpose_d2", L.Conv3DTranspose(2, 2, dilation_rate=2, padding="same"), (3, 2, 3, 1), batch=2)


def pools(b):
    for kind, one, three in (("max", L.MaxPooling1D, L.MaxPooling3D), ("average", L.AveragePooling1D, L.AveragePooling3D)):
        for n, size, stride in ((5, 2, 2), (6, 3, 2), (5, 3, 1), (6, 2, 3)):
            for padding in ("valid", "same"):
                b.one(f"{kind}_pool1d_{n}_k{size}_s{stride}_{padding}", one(size, strides=stride, padding=padding), (n, 2), batch=2)
        b.one(f"{kind}_pool1d_of_2", one(2), (5, 2))
        for padding in ("valid", "same"):
            b.one(f"{kind}_pool3d_{padding}", three(2, padding=padding), (4, 5, 3, 2), batch=2)
            b.one(f"{kind}_pool3d_overlap_{padding}", three((2, 3, 2), strides=(1, 2, 3), padding=padding), (3, 5, 4, 2), batch=2)
    for kind, one, three in (("max", L.GlobalMaxPooling1D, L.GlobalMaxPooling3D), ("average", L.GlobalAveragePooling1D, L.GlobalAveragePooling3D)):
        for keepdims in (False, True):
            b.one(f"global_{kind}_pool1d_keepdims_{keepdims}", one(keepdims=keepdims), (5, 3))
            b.one(f"global_{kind}_pool3d_keepdims_{keepdims}", three(keepdims=keepdims), (2, 3, 2, 3))
    for keepdims in (False, True):
        b.one(f"global_average_pool1d_masked_{keepdims}",
              lambda x, k=keepdims: L.GlobalAveragePooling1D(keepdims=k)(L.Embedding(4, 3, mask_zero=True)(x)), (6,), dtype="int32", batch=8, high=3)


def sides(b):
    b.one("zero_padding1d", L.ZeroPadding1D((1, 2)), (3, 2))
    b.one("zero_padding1d_int", L.ZeroPadding1D(2), (3, 2))
    b.one("zero_padding2d", L.ZeroPadding2D(((1, 2), (0, 3))), (3, 2, 2))
    b.one("zero_padding2d_pair", L.ZeroPadding2D((1, 2)), (3, 2, 2))
    b.one("zero_padding2d_default", L.ZeroPadding2D(), (3, 2, 2))
    b.one("zero_padding3d", L.ZeroPadding3D(((1, 0), (0, 2), (1, 1))), (2, 2, 1, 2))
    b.one("cropping1d", L.Cropping1D((1, 2)), (5, 2))
    b.one("cropping2d", L.Cropping2D(((1, 0), (0, 2))), (3, 4, 2))
    b.one("cropping2d_default", L.Cropping2D(), (3, 4, 2))
    b.one("cropping3d", L.Cropping3D(((1, 0), (0, 1), (1, 1))), (3, 2, 4, 2))
    b.one("cropping3d_default", L.Cropping3D(), (3, 3, 4, 1))
    b.one("up_sampling1d", L.UpSampling1D(3), (3, 2))
    b.one("up_sampling2d", L.UpSampling2D((2, 3)), (2, 3, 2))
    b.one("up_sampling2d_default", L.UpSampling2D(), (2, 3, 2))
    b.one("up_sampling3d", L.UpSampling3D((2, 1, 3)), (2, 2, 1, 2))


def make():
    fixture = Fixture("convolutions", "convolutions, pools, padding: outputs, gradients, penalties", 2e-5, 1e-5,
                      "float32 sums of up to 200 products of magnitude 1 in another order")
    builder = Builder(fixture)
    for part in (conv1d, transposed, depthwise, conv3d, pools, sides):
        part(builder)
        jax.clear_caches()
    return [fixture]
