"""Settings that other subjects have few cases of: layers one by one with drawn settings and odd shapes, in the parts of
layers.py. What Keras refuses is drawn again, and so is what has kinks and jumps under a change of 1e-6 of the inputs.
"""

import keras
import numpy as np
from keras import layers as L

from .layers import add_model, draw
from .random_models import SMOOTH, Draw, steady
from .store import Fixture

# Every drawing function gives a layer, the shapes of its inputs without the batch axis, and whether it is called for
# training.


def lengths(d, axes, low=3, high=7):
    return tuple(d.upto(high, low) for _ in range(axes))


def scalar_or(d, values):
    return values if len(values) > 1 else values[0]


def pads(kind, axes):
    def drawn(d):
        amounts = tuple(d.some(2, 2, 0) for _ in range(axes))
        return getattr(L, f"{kind}{axes}D")(scalar_or(d, amounts)), [(*lengths(d, axes, 5), d.upto(3))], False
    return drawn


def up(axes):
    def drawn(d):
        options = {"interpolation": d.one("nearest", "bilinear", "bicubic")} if axes == 2 else {}
        return getattr(L, f"UpSampling{axes}D")(scalar_or(d, d.some(axes, 3)), **options), [(*lengths(d, axes, 2, 4), d.upto(3))], False
    return drawn


def pools(kind, axes):
    def drawn(d):
        size = d.some(axes, 4)
        strides = d.one(None, scalar_or(d, d.some(axes, 3)))
        layer = getattr(L, f"{kind}Pooling{axes}D")(scalar_or(d, size), strides=strides, padding=d.one("valid", "same"))
        return layer, [(*lengths(d, axes, 4), d.upto(3))], False
    return drawn


def global_pools(kind, axes):
    return lambda d: (getattr(L, f"Global{kind}Pooling{axes}D")(keepdims=d.flag()), [(*lengths(d, axes, 1), d.upto(4))], False)


def adaptive(kind, axes):
    def drawn(d):
        shape = lengths(d, axes, 3)
        sizes = tuple(d.upto(n) for n in shape)
        return getattr(L, f"Adaptive{kind}Pooling{axes}D")(scalar_or(d, sizes)), [(*shape, d.upto(3))], False
    return drawn


def kernel_settings(d):
    return {"use_bias": d.flag(0.8), "activation": d.one(*SMOOTH), "activity_regularizer": d.one(None, "l2")}


def convolutions(axes):
    def drawn(d):
        groups, common = d.one(1, 1, 2, 3), {"padding": d.one("valid", "same"), **kernel_settings(d)}
        options = {"strides": scalar_or(d, d.some(axes, 3))} if d.flag() else {"dilation_rate": scalar_or(d, d.some(axes, 3))}
        if axes == 1 and d.flag(0.4):
            common["padding"] = "causal"
        layer = getattr(L, f"Conv{axes}D")(groups * d.upto(3), scalar_or(d, d.some(axes, 3)), groups=groups, **options, **common)
        return layer, [(*lengths(d, axes, 5 if axes < 3 else 4, 8 if axes < 3 else 5), groups * d.upto(2))], False
    return drawn


def transposed(axes):
    def drawn(d):
        strides = d.some(axes, 3)
        extra = d.one(None, scalar_or(d, tuple(d.upto(s - 1, 0) for s in strides)))
        options = {"strides": scalar_or(d, strides), "output_padding": extra}
        if d.flag(0.3):
            options = {"dilation_rate": scalar_or(d, d.some(axes, 3))}
        layer = getattr(L, f"Conv{axes}DTranspose")(d.upto(3), scalar_or(d, d.some(axes, 4)), padding=d.one("valid", "same"),
                                                    **options, **kernel_settings(d))
        return layer, [(*lengths(d, axes, 2, 4 if axes < 3 else 3), d.upto(3))], False
    return drawn


def depthwise(kind, axes):
    def drawn(d):
        options = {"padding": d.one("valid", "same"), "depth_multiplier": d.upto(3), **kernel_settings(d)}
        step = d.upto(3)
        if d.flag():
            options["strides"] = step
        else:
            options["dilation_rate"] = step
        size = scalar_or(d, d.some(axes, 3))
        name = f"{kind}Conv{axes}D"
        layer = getattr(L, name)(d.upto(4), size, **options) if kind == "Separable" else getattr(L, name)(size, **options)
        return layer, [(*lengths(d, axes, 5, 8), d.upto(3))], False
    return drawn


def conv_lstm(axes):
    def drawn(d):
        layer = getattr(L, f"ConvLSTM{axes}D")(
            d.upto(2), scalar_or(d, d.some(axes, 2)), padding=d.one("valid", "same"), return_sequences=d.flag(),
            go_backwards=d.flag(0.3), use_bias=d.flag(0.7), strides=d.upto(2), recurrent_activation=d.one("sigmoid", "tanh"))
        return layer, [(d.upto(3), *lengths(d, axes, 3, 4), d.upto(2))], False
    return drawn


def recurrent(kind):
    def drawn(d):
        options = {"return_sequences": d.flag(), "go_backwards": d.flag(), "use_bias": d.flag(0.7),
                   "activation": d.one("tanh", "sigmoid", "softsign"), "kernel_regularizer": d.one(None, "l2")}
        if kind is L.GRU:
            options["reset_after"] = d.flag()
        if kind is not L.SimpleRNN:
            options["recurrent_activation"] = d.one("sigmoid", "tanh")
        layer = kind(d.upto(4), **options)
        if d.flag(0.3):
            layer = L.Bidirectional(layer, merge_mode=d.one("concat", "sum", "mul", "ave"))
        return layer, [(d.upto(9), d.upto(4))], False
    return drawn


def masked(kind):
    def drawn(d):
        inner = recurrent(kind)(d)[0]
        return [L.Masking(d.one(0.0, 1.0)), inner], [(d.upto(7, 3), d.upto(3))], False
    return drawn


def normal(kind):
    def drawn(d):
        rank = d.upto(4, 2)
        shape = lengths(d, rank - 1, 2, 5)
        axis, training = d.one(-1, *range(1, rank)), d.flag()
        if kind is L.BatchNormalization:
            layer = kind(axis=axis, center=d.flag(0.7), scale=d.flag(0.7), epsilon=d.one(1e-3, 0.1), momentum=d.one(0.5, 0.99))
        elif kind is L.GroupNormalization:
            groups = d.one(1, 2, 3)
            shape = (*shape[:-1], groups * d.upto(2))
            layer = kind(groups=groups, axis=-1, center=d.flag(0.7), scale=d.flag(0.7), epsilon=d.one(1e-3, 0.1))
        elif kind is L.LayerNormalization:
            layer = kind(axis=d.one(-1, [*range(1, rank)]), center=d.flag(0.7), scale=d.flag(0.7), epsilon=d.one(1e-3, 0.1))
        elif kind is L.RMSNormalization:
            layer = kind(axis=-1, epsilon=d.one(1e-6, 0.1))
        else:
            layer = kind(axis=axis)
        return layer, [shape], training
    return drawn


def attention(kind):
    def drawn(d):
        t, s, width = d.upto(4, 2), d.upto(5, 2), d.upto(4, 2)
        options = {"use_causal_mask": d.flag()}
        if kind is L.MultiHeadAttention:
            layer = kind(d.upto(3), d.upto(3), value_dim=d.one(None, d.upto(4)), use_bias=d.flag())
        elif kind is L.GroupQueryAttention:
            heads = d.upto(2)
            layer = kind(d.upto(3), heads * d.upto(2), heads, use_bias=d.flag())
        elif kind is L.AdditiveAttention:
            layer = kind(use_scale=d.flag())
        else:
            layer = kind(use_scale=d.flag(), score_mode=d.one("dot", "concat"))
        if kind in (L.Attention, L.AdditiveAttention):
            return (lambda xs: layer(xs, **options)), [(t, width), (s, width)], False
        return (lambda xs: layer(xs[0], xs[1], **options)), [(t, width), (s, width + 1)], False
    return drawn


def shaped(make):
    """A layer for any input of two to four axes."""
    def drawn(d):
        shape = lengths(d, d.upto(3), 2, 5)
        return make(d, len(shape) + 1), [shape], False
    return drawn


def images(make):
    return lambda d: (make(d), [(*lengths(d, 2, 3, 8), d.upto(3))], False)


def resizing(d):
    options = d.one({}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True, "fill_value": 0.5}, {"antialias": True})
    return L.Resizing(d.upto(7), d.upto(7), interpolation=d.one("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"), **options)


# Along one to three axes.
WINDOWS = {
    **{f"{kind}{axes}d": (2, pads(kind, axes)) for kind in ("ZeroPadding", "Cropping") for axes in (1, 2, 3)},
    **{f"UpSampling{axes}d": (2, up(axes)) for axes in (1, 2, 3)},
    **{f"{kind}Pooling{axes}d": (3, pools(kind, axes)) for kind in ("Max", "Average") for axes in (1, 2, 3)},
    **{f"Global{kind}{axes}d": (2, global_pools(kind, axes)) for kind in ("Max", "Average") for axes in (1, 2, 3)},
    **{f"Adaptive{kind}{axes}d": (2, adaptive(kind, axes)) for kind in ("Max", "Average") for axes in (2, 3)},
    **{f"Conv{axes}d": (5, convolutions(axes)) for axes in (1, 2, 3)},
    **{f"Conv{axes}dTranspose": (4, transposed(axes)) for axes in (1, 2, 3)},
    **{f"{kind}{axes}d": (3, depthwise(kind, axes)) for kind in ("Depthwise", "Separable") for axes in (1, 2)},
}

OTHERS = {
    **{f"ConvLSTM{axes}d": (2, conv_lstm(axes)) for axes in (1, 2, 3)},
    **{kind.__name__: (3, recurrent(kind)) for kind in (L.SimpleRNN, L.LSTM, L.GRU)},
    **{f"Masked{kind.__name__}": (2, masked(kind)) for kind in (L.SimpleRNN, L.LSTM, L.GRU)},
    **{kind.__name__: (3, normal(kind)) for kind in (L.BatchNormalization, L.LayerNormalization, L.GroupNormalization,
                                                     L.RMSNormalization, L.UnitNormalization)},
    **{kind.__name__: (2, attention(kind)) for kind in (L.Attention, L.AdditiveAttention, L.MultiHeadAttention,
                                                        L.GroupQueryAttention)},
    "LeakyReLU": (3, shaped(lambda d, rank: L.LeakyReLU(d.one(0.0, 0.1, 0.5)))),
    "ReLU": (4, shaped(lambda d, rank: L.ReLU(max_value=d.one(None, 1.0), negative_slope=d.one(0.0, 0.2), threshold=d.one(0.0, 0.5)))),
    "ELU": (3, shaped(lambda d, rank: L.ELU(d.one(0.5, 1.0, 2.0)))),
    "PReLU": (4, shaped(lambda d, rank: L.PReLU(shared_axes=d.one(None, [1])))),
    "Softmax": (3, shaped(lambda d, rank: L.Softmax(axis=d.one(-1, *range(1, rank))))),
    "Permute": (3, shaped(lambda d, rank: L.Permute(tuple(int(i) for i in d.rng.permutation(rank - 1) + 1)))),
    "Flatten": (2, shaped(lambda d, rank: L.Flatten())),
    "Identity": (2, shaped(lambda d, rank: L.Identity())),
    "Rescaling": (2, shaped(lambda d, rank: L.Rescaling(d.one(-0.5, 3.0), offset=d.one(0.0, 1.5)))),
    "ActivityRegularization": (2, shaped(lambda d, rank: L.ActivityRegularization(d.one(0.0, 0.1), d.one(0.0, 0.2)))),
    "RepeatVector": (2, lambda d: (L.RepeatVector(d.upto(4)), [(d.upto(5),)], False)),
    "Resizing": (5, images(resizing)),
    "CenterCrop": (4, images(lambda d: L.CenterCrop(d.upto(7), d.upto(7)))),
}


def case(d, make):
    keras.backend.clear_session()
    layer, shapes, training = make(d)
    inputs = [keras.Input(shape) for shape in shapes]
    y = inputs if len(inputs) > 1 else inputs[0]
    for one in layer if isinstance(layer, list) else [layer]:
        y = one(y)
    if int(np.prod(y.shape[1:])) > 150 or 0 in y.shape[1:]:
        raise ValueError("too large, or empty")
    arrays = [draw(d.rng, (d.one(1, 2, 3), *shape)) for shape in shapes]
    arrays = [a[: len(arrays[0])] if len(a) >= len(arrays[0]) else np.resize(a, (len(arrays[0]), *a.shape[1:])) for a in arrays]
    if isinstance(layer, list):  # some steps that Masking hides
        arrays[0][:, :: 2] = np.float32(layer[0].mask_value) if d.flag(0.8) else arrays[0][:, :: 2]
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], y), arrays, training


KINKS = ("Max", "ReLU", "ELU")


def add_all(fixture, kinds):
    for name, (count, kind) in kinds.items():
        made = tries = 0
        while made < count:
            tries += 1
            assert tries < 40 * count, name
            d = Draw(np.random.default_rng([tries, *(ord(letter) for letter in name)]))
            try:
                model, arrays, training = case(d, kind)
                if any(kink in name for kink in KINKS):
                    made += steady(fixture, f"{name}_{made}", model, arrays, training)
                else:
                    add_model(fixture, f"{name}_{made}", model, arrays, training)
                    made += 1
            except (ValueError, TypeError, NotImplementedError):
                continue
    return [fixture]


def fixture(name, subject):
    return Fixture(name, subject, 1e-4, 5e-5,
                   "float32 sums of up to 200 products of magnitude 1, through activations, in another order")


def make():
    return add_all(fixture("settings", "drawn settings of layers one by one: outputs, gradients, penalties"), OTHERS)
