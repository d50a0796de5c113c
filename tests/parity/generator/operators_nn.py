"""keras.ops of networks: convolutions, pools, normalizations, losses, attention; see operators.py."""

import itertools

import numpy as np
from keras import activations, ops

from .operators import Cases, any_of, bools, distinct, ints, positive, unit
from .store import Fixture

SHAPES = {1: (2, 8, 4), 2: (2, 6, 5, 2), 3: (1, 5, 4, 4, 2)}


def listed(value, axes):
    return list(value) if isinstance(value, tuple) else [value] * axes


def moved(x, first):
    return np.moveaxis(x, -1, 1).copy() if first else x


def convolutions(c):
    for axes, shape in SHAPES.items():
        x, channels = any_of(*shape), shape[-1]
        kernel = (3, 2, 2)[:axes]
        settings = [(1, 1, "valid"), (2, 1, "same"), (1, 2, "same"), (2, 1, "valid")]
        for (stride, dilation, padding), first in itertools.product(settings, (False, True)):
            if first and (axes == 3 or stride == 2 and padding == "valid"):
                continue
            form = "channels_first" if first else "channels_last"
            kept = dict(strides=listed(stride, axes), dilation_rate=listed(dilation, axes), padding=padding, data_format=form)
            call = dict(strides=stride, dilation_rate=dilation, padding=padding, data_format=form)
            c.add("conv", [moved(x, first), unit(*kernel, channels, 3)], lambda a, k, o=call: ops.conv(a, k, **o), **kept)
            if axes < 3 and not (stride > 1 and dilation > 1):
                c.add("conv", [moved(x, first), unit(*kernel, channels // 2, 4)], lambda a, k, o=call: ops.conv(a, k, **o), **kept)
                c.add("depthwise_conv", [moved(x, first), unit(*kernel, channels, 2)],
                      lambda a, k, o=call: ops.depthwise_conv(a, k, **o), **kept)
                c.add("separable_conv", [moved(x, first), unit(*kernel, channels, 2), unit(*[1] * axes, 2 * channels, 3)],
                      lambda a, k, p, o=call: ops.separable_conv(a, k, p, **o), **kept)
            if not (stride > 1 and dilation > 1) and not first:
                c.add("conv_transpose", [x, unit(*kernel, 3, channels)], lambda a, k, o=call: ops.conv_transpose(a, k, **o), **kept)
        c.add("conv_transpose", [x, unit(*kernel, 3, channels)],
              lambda a, k: ops.conv_transpose(a, k, strides=2, output_padding=1), strides=[2] * axes, output_padding=[1] * axes)


def pools(c):
    for axes, shape in SHAPES.items():
        for size, stride, padding, first in ((2, None, "valid", False), (3, 2, "same", False), (2, 1, "same", True), (3, 1, "valid", False)):
            x = distinct(*shape) * np.float32(0.1)
            form = "channels_first" if first else "channels_last"
            for word in ("max_pool", "average_pool"):
                c.add(word, [moved(x, first)], lambda a, w=word, n=size, s=stride, p=padding, f=form: getattr(ops, w)(
                    a, n, strides=s or n, padding=p, data_format=f), pool_size=[size] * axes, strides=[stride or 0] * axes, padding=padding,
                    data_format=form)
        for sizes, first in ((2, False), ((3, 4, 2)[:axes], False), ((4, 3, 4)[:axes], True)):
            form = "channels_first" if first else "channels_last"
            for word in ("adaptive_max_pool", "adaptive_average_pool"):
                c.add(word, [moved(distinct(*shape) * np.float32(0.1), first)], lambda a, w=word, n=sizes, f=form: getattr(ops, w)(
                    a, n, data_format=f), pool_size=listed(sizes, axes), data_format=form)


def normalizations(c):
    x = any_of(3, 4, 5)
    for axis in (-1, 1):
        n = x.shape[axis]
        c.add("batch_normalization", [x, any_of(n), positive(n)], lambda a, m, v, k=axis: ops.batch_normalization(a, m, v, k), axis=axis)
        c.add("batch_normalization", [x, any_of(n), positive(n), any_of(n, key="o"), any_of(n, key="s")],
              lambda a, m, v, o, s, k=axis: ops.batch_normalization(a, m, v, k, offset=o, scale=s, epsilon=0.01), axis=axis, epsilon=0.01)
    for axes in ([-1], [1, 2], [0]):
        lengths = [x.shape[i] for i in axes]
        axis = axes if len(axes) > 1 else axes[0]
        c.add("layer_normalization", [x], lambda a, k=axis: ops.layer_normalization(a, axis=k), axes=axes, epsilon=1e-7)
        c.add("layer_normalization", [x, any_of(*lengths), any_of(*lengths, key="beta")],
              lambda a, p, q, k=axis: ops.layer_normalization(a, p, q, axis=k, epsilon=1e-3), axes=axes, epsilon=1e-3)
        if len(axes) == 1 and axes[0] == -1:
            c.add("rms_normalization", [x], lambda a, k=axis: ops.rms_normalization(a, axis=k), axes=axes, epsilon=1e-7)
            c.add("rms_normalization", [x, any_of(*lengths)], lambda a, s, k=axis: ops.rms_normalization(a, s, axis=k, epsilon=1e-3),
                  axes=axes, epsilon=1e-3)


def losses(c):
    for logits in (False, True):
        c.add("binary_crossentropy", [abs(unit(3, 4)), any_of(3, 4) if logits else abs(unit(3, 4, key="p"))],
              lambda t, o, f=logits: ops.binary_crossentropy(t, o, from_logits=f), from_logits=logits)
        for axis in (-1, 1):
            c.add("categorical_crossentropy", [positive(3, 4, 5), any_of(3, 4, 5) if logits else positive(3, 4, 5, key="p")],
                  lambda t, o, f=logits, a=axis: ops.categorical_crossentropy(t, o, from_logits=f, axis=a), from_logits=logits, axis=axis)
        for target in (ints(0, 5, 3, 4), ints(0, 5, 3, 4, 1)):
            c.add("sparse_categorical_crossentropy", [target, any_of(3, 4, 5) if logits else positive(3, 4, 5)],
                  lambda t, o, f=logits: ops.sparse_categorical_crossentropy(t, o, from_logits=f), from_logits=logits)
    c.add("binary_crossentropy", [np.array([0, 1, 1, 0], "float32"), np.array([0, 1, 0, 1], "float32")], grad=False)
    for mask, classes in ((0, 5), (2, 5), (4, 5)):
        labels = np.array([[k for k in row] for row in ([1, 3, 3, 1], [3, 1, 0, 0], [1, 1, 3, 0])], "int32")
        labels = np.where(labels == mask, (mask + 1) % classes, labels).astype("int32")
        c.add("ctc_loss", [labels, any_of(3, 9, classes), np.array([4, 2, 3], "int32"), np.array([9, 6, 8], "int32")],
              lambda t, o, n, m, i=mask: ops.ctc_loss(t, o, n, m, mask_index=i), mask_index=mask)
    for merge, mask in itertools.product((True, False), (0, 2)):
        c.add("ctc_decode", [any_of(3, 12, 4), np.array([12, 7, 9], "int32")], lambda x, n, r=merge, i=mask: tuple(
            ops.ctc_decode(x, n, merge_repeated=r, mask_index=i)), grad=False, merge_repeated=merge, mask_index=mask)
    for width, paths, mask in ((8, 1, 0), (8, 3, 0), (4, 2, 2), (100, 4, 3)):
        c.add("ctc_decode", [any_of(3, 8, 4), np.array([8, 5, 7], "int32")], lambda x, n, w=width, p=paths, i=mask: tuple(
            ops.ctc_decode(x, n, strategy="beam_search", beam_width=w, top_paths=p, mask_index=i)), grad=False, strategy="beam_search",
            beam_width=width, top_paths=paths, mask_index=mask)


def attention(c):
    for heads, own in ((2, 2), (4, 2)):
        query, key, value = any_of(2, 5, heads, 3), any_of(2, 4, own, 3), any_of(2, 4, own, 3, key="v")
        same = any_of(2, 5, own, 3), any_of(2, 5, own, 3, key="v")
        mask = bools(2, 1, 5, 4)
        mask[..., 0] = True
        c.add("dot_product_attention", [query, key, value], lambda q, k, v: ops.dot_product_attention(q, k, v), order="qkv")
        c.add("dot_product_attention", [query, key, value, mask],
              lambda q, k, v, m: ops.dot_product_attention(q, k, v, mask=m, scale=0.3), order="qkvm", scale=0.3)
        c.add("dot_product_attention", [query, *same], lambda q, k, v: ops.dot_product_attention(q, k, v, is_causal=True), order="qkv",
              causal=True)
        c.add("dot_product_attention", [query, key, value, any_of(2, heads, 5, 4, key="bias")],
              lambda q, k, v, b: ops.dot_product_attention(q, k, v, bias=b), order="qkvb")
        c.add("dot_product_attention", [query, *same, any_of(1, heads, 5, 5, key="bias")],
              lambda q, k, v, b: ops.dot_product_attention(q, k, v, bias=b, is_causal=True), order="qkvb", causal=True)
        c.add("dot_product_attention", [query, key, value, any_of(2, heads, 5, 4, key="bias"), mask],
              lambda q, k, v, b, m: ops.dot_product_attention(q, k, v, bias=b, mask=m), order="qkvbm")


def others(c):
    for axis in (-1, 0, 1):
        c.add("sparsemax", [any_of(4, 6, key="sparse")], axis=axis)
        c.add("sparsemax", [any_of(4, 6, key="sparse") * np.float32(0.1)], axis=axis)
    c.add("psnr", [any_of(2, 3, 4), any_of(2, 3, 4, key="b")], lambda a, b: ops.psnr(a, b, 2.5), max_val=2.5)
    for word in "celu elu gelu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid relu relu6 selu sigmoid silu " \
                "soft_shrink softplus softsign sparse_plus sparse_sigmoid squareplus tanh tanh_shrink".split():
        call = (lambda x: ops.gelu(x, approximate=False)) if word == "gelu" else None
        c.add(word, [any_of(3, 7, key=word, spread=4)], call)
    for word in "softmax log_softmax glu".split():
        c.add(word, [any_of(3, 8, key=word)])


def make():
    fixture = Fixture("operators_nn", "keras.ops of networks: values, and gradients of their sums by fixed weights", 2e-5, 1e-5,
                      "sums of products are taken in another order, and libm and XLA differ in the last places")
    c = Cases(fixture)
    for group in (convolutions, pools, normalizations, losses, attention, others):
        group(c)
    return [fixture]
