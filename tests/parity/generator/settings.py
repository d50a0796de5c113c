"""Layers that have few cases elsewhere, by settings and shapes drawn at random; cases as layers.py has them."""

import jax
import keras
import numpy as np
from keras import layers as L

from .augmentation import SEED, Again
from .draws import Draws
from .layers import add_model, draw
from .random_models import Draw
from .store import Fixture

LENGTHS = {1: (9, 4), 2: (7, 3), 3: (5, 2)}  # the longest and the shortest axis of so many


def image(d, axes, channels=3):
    high, low = LENGTHS[axes]
    return (*d.some(axes, high, low), d.upto(channels))


def adaptive(kind, axes):
    return lambda d, s: getattr(L, f"Adaptive{kind}Pooling{axes}D")(tuple(d.upto(n) for n in s[:axes]) if axes > 1 else d.upto(s[0]))


def pool(kind, axes):
    return lambda d, s: getattr(L, f"{kind}Pooling{axes}D")(d.some(axes, 2), strides=d.one(None, d.some(axes, 2)), padding=d.one("valid", "same"))


def whole(kind, axes):
    return lambda d, s: getattr(L, f"Global{kind}Pooling{axes}D")(keepdims=d.flag())


def sides(kind, axes):
    def make(d, s):
        most = 2 if kind == "ZeroPadding" else 0
        amounts = [(d.upto(most or max((n - 1) // 2, 0), 0), d.upto(most or max((n - 1) // 2, 0), 0)) for n in s[:axes]]
        alike = amounts[0][0]
        if axes == 1:
            return getattr(L, f"{kind}1D")(d.one(amounts[0], alike))
        return getattr(L, f"{kind}{axes}D")(d.one(tuple(amounts), tuple(a for a, _ in amounts)))
    return make


def conv_lstm(axes):
    return lambda d, s: getattr(L, f"ConvLSTM{axes}D")(
        d.upto(2), d.some(axes, 2), strides=d.upto(2), padding=d.one("valid", "same"), return_sequences=d.flag(), go_backwards=d.flag(),
        use_bias=d.flag(), activation=d.one("tanh", "softsign"), recurrent_activation=d.one("sigmoid", "hard_sigmoid"),
        kernel_regularizer=d.regularizer())


def conv3d_transpose(d, s):
    return L.Conv3DTranspose(d.upto(3), d.some(3, 2), strides=d.some(3, 2), padding=d.one("valid", "same"), use_bias=d.flag(),
                             activation=d.one("tanh", "softplus", None), kernel_regularizer=d.regularizer())


def of_axes(axes, channels=3):
    return lambda d: image(d, axes, channels)


def any_rank(d):
    return d.some(d.upto(4), 4, 2)


def steps(d):
    return d.upto(6, 2), d.upto(4, 2)


# class: (settings, shape of a sample, whether masks pass)
TABLE = {
    **{f"Adaptive{k}Pooling{a}D": (adaptive(k, a), of_axes(a), False) for k in ("Average", "Max") for a in (1, 2, 3)},
    **{f"{k}Pooling3D": (pool(k, 3), of_axes(3), False) for k in ("Average", "Max")},
    **{f"Global{k}Pooling{a}D": (whole(k, a), of_axes(a), False) for k in ("Average", "Max") for a in (1, 2, 3)},
    **{f"{k}{a}D": (sides(k, a), of_axes(a, 2), False) for k in ("ZeroPadding", "Cropping") for a in (1, 2, 3)},
    "UpSampling1D": (lambda d, s: L.UpSampling1D(d.upto(4)), of_axes(1), False),
    "UpSampling3D": (lambda d, s: L.UpSampling3D(d.some(3, 2)), of_axes(3, 2), False),
    "Conv3DTranspose": (conv3d_transpose, lambda d: (*d.some(3, 3), d.upto(2)), False),
    "ConvLSTM1D": (conv_lstm(1), lambda d: (d.upto(4), d.upto(6, 3), d.upto(2)), False),
    "ConvLSTM3D": (conv_lstm(3), lambda d: (d.upto(3), *d.some(3, 3, 2), d.upto(2)), False),
    "CenterCrop": (lambda d, s: L.CenterCrop(d.upto(8), d.upto(8)), of_axes(2), False),
    "Discretization": (lambda d, s: L.Discretization(sorted(float(v) for v in np.round(d.rng.uniform(-2, 2, d.upto(5)), 2)),
                                                     output_mode=d.one("int", "one_hot") if len(s) > 1 else d.one("int", "one_hot", "multi_hot", "count")),
                       any_rank, False),
    "AlphaDropout": (lambda d, s: L.AlphaDropout(d.one(0.1, 0.6)), steps, True),
    "Dropout": (lambda d, s: L.Dropout(d.one(0.1, 0.6)), steps, True),
    "GaussianDropout": (lambda d, s: L.GaussianDropout(d.one(0.1, 0.6)), steps, True),
    "GaussianNoise": (lambda d, s: L.GaussianNoise(d.one(0.1, 2.0)), steps, True),
    "SpatialDropout1D": (lambda d, s: L.SpatialDropout1D(d.one(0.1, 0.6)), steps, True),
    "SpatialDropout2D": (lambda d, s: L.SpatialDropout2D(d.one(0.1, 0.6)), of_axes(2), False),
    "SpatialDropout3D": (lambda d, s: L.SpatialDropout3D(d.one(0.1, 0.6)), of_axes(3), False),
    "Identity": (lambda d, s: L.Identity(), any_rank, True),
    "Masking": (lambda d, s: L.Masking(d.one(0.0, 1.5)), steps, True),
    "PReLU": (lambda d, s: L.PReLU(alpha_regularizer=d.regularizer(), shared_axes=d.one(None, [1], [len(s)]) if len(s) > 1 else None), any_rank, True),
    "Permute": (lambda d, s: L.Permute([int(i) + 1 for i in d.rng.permutation(len(s))]), any_rank, False),
    "RepeatVector": (lambda d, s: L.RepeatVector(d.upto(5)), lambda d: (d.upto(6),), False),
    "Rescaling": (lambda d, s: L.Rescaling(d.one(0.5, -3.0, [float(i + 1) for i in range(s[-1])]), offset=d.one(0.0, -0.7)), any_rank, False),
    "UnitNormalization": (lambda d, s: L.UnitNormalization(axis=d.one(-1, *range(1, len(s) + 1))), any_rank, True),
}
EACH = 7


def plain(table=None):
    fixture = Fixture("settings", "layers by settings drawn at random: outputs, gradients, penalties", 5e-5, 2e-5,
                      "float32 sums of up to 50 products of magnitude 2 in another order")
    for word, (make, shape_of, masks) in (table or TABLE).items():
        for i in range(EACH):
            d = Draw(np.random.default_rng([5, i, *(ord(letter) for letter in word)]))
            keras.backend.clear_session()
            while True:
                shape = shape_of(d)
                x = L.Input(shape, name="x")
                try:
                    masked = masks and len(shape) == 2 and i % 3 == 2
                    y = make(d, shape)(L.Masking()(x) if masked and word != "Masking" else x)
                    y = L.GRU(2)(y) if masked else keras.ops.cast(y, "float32") if word == "Discretization" else y
                except ValueError:  # settings that do not fit the shape
                    continue
                if int(np.prod(y.shape[1:])) > 0:
                    break
            data = draw(d.rng, (d.one(1, 2, 3), *shape))
            if masked:
                data[d.rng.random(data.shape[:2]) < 0.4] = 0
            random = "Dropout" in word or "Noise" in word
            add_model(fixture, f"{word}_{i}", keras.Model(x, y), [data], training=i % 2 == 1 and not random, compiled=True)
        jax.clear_caches()
    return fixture


def share(d):
    return d.one(float(np.round(d.rng.uniform(0.1, 0.9), 2)), tuple(float(v) for v in np.sort(np.round(d.rng.uniform(0, 1, 2), 2))))


def colours(kind, count, **settings):
    def make(d, span):
        return kind(**{k: v(d) for k, v in settings.items()}, value_range=span, seed=SEED), {"count": count}
    return make


# class: (settings and what of the random numbers it takes, whether it has three channels)
RANDOM = {
    "AutoContrast": (lambda d, span: (L.AutoContrast(value_range=span), {}), False),
    "Equalization": (lambda d, span: (L.Equalization(value_range=span, bins=d.one(16, 64, 256)), {}), False),
    "RandomBrightness": (colours(L.RandomBrightness, 1, factor=share), False),
    "RandomContrast": (colours(L.RandomContrast, 1, factor=share), False),
    "RandomHue": (colours(L.RandomHue, 2, factor=share), True),
    "RandomSaturation": (colours(L.RandomSaturation, 1, factor=share), True),
    "RandomColorDegeneration": (colours(L.RandomColorDegeneration, 1, factor=share), True),
    "RandomColorJitter": (colours(L.RandomColorJitter, 5, brightness_factor=share, contrast_factor=share, saturation_factor=share, hue_factor=share), True),
    "RandomSharpness": (colours(L.RandomSharpness, 1, factor=share), False),
    "RandomInvert": (colours(L.RandomInvert, 2, factor=share), False),
    "RandomPosterization": (lambda d, span: (L.RandomPosterization(tuple(sorted(d.some(2, 8))), value_range=span, seed=SEED), {"count": 1}), False),
    "Solarization": (colours(L.Solarization, 2, addition_factor=share, threshold_factor=share), False),
    "RandomErasing": (colours(L.RandomErasing, 6, factor=share, scale=lambda d: (0.1, d.one(0.4, 0.8)), fill_value=lambda d: d.one(0.25, 7.0)), False),
    "RandomGrayscale": (lambda d, span: (L.RandomGrayscale(d.one(0.3, 0.7, 1.0), seed=SEED), {"count": 1}), True),
    "RandomFlip": (lambda d, span: (L.RandomFlip(d.one("horizontal", "vertical", "horizontal_and_vertical"), seed=SEED), {"count": 1}), False),
    "RandomGaussianBlur": (lambda d, span: (L.RandomGaussianBlur(share(d), kernel_size=d.one(3, 5, (3, 5)), sigma=d.one(0.7, (0.3, 0.9)), value_range=span,
                                                                 seed=SEED), {"count": 2}), False),
    "RandomPerspective": (lambda d, span: (L.RandomPerspective(share(d), scale=d.one(0.3, 0.8), interpolation=d.one("bilinear", "nearest"), fill_value=2.0,
                                                               seed=SEED), {"count": 10}), False),
    "RandomElasticTransform": (lambda d, span: (L.RandomElasticTransform(share(d), scale=d.one(0.5, (0.2, 0.8)), fill_mode=d.one("reflect", "nearest", "constant"),
                                                                         value_range=span, seed=SEED), {"count": 2, "noise": 2}), False),
    "MixUp": (lambda d, span: (L.MixUp(d.one(0.1, 0.5, 2.0), seed=SEED), {"order": 0, "beta": 1}), False),
    "CutMix": (lambda d, span: (L.CutMix(share(d), seed=SEED), {"count": 2, "shared": 2}), False),
    "ContrastLimitedAdaptiveHistogramEqualization": (
        lambda d, span: (L.ContrastLimitedAdaptiveHistogramEqualization(value_range=span, clip_limit=d.one(1.5, 4.0), tile_grid_size=d.some(2, 3)), {}), False),
}
BATCH = 3


def image_case(fixture, word, i):
    """Case `i` of a layer of RANDOM."""
    make, colored = RANDOM[word]
    d = Draw(np.random.default_rng([6, i, *(ord(letter) for letter in word)]))
    keras.backend.clear_session()
    span = d.one((0, 255), (0, 255), (-1.0, 1.0), (0.0, 1.0))
    shape = (*d.some(2, 6, 3), 3 if colored else d.one(1, 2, 3))
    layer, drawn = make(d, span)
    x = d.rng.uniform(span[0], span[1], (BATCH, *shape)).astype("float32")
    inputs = L.Input(shape, name="x")
    with Again(Draws(SEED, BATCH, **drawn)):
        add_model(fixture, f"{word}_{i}", keras.Model(inputs, layer(inputs)), [x], training=i != 4)


def images():
    fixture = Fixture("settings_images", "layers that change images at random, by settings drawn at random: outputs, gradients", 1e-4, 2e-3,
                      "places in float32, 1e-6 of a pixel, times differences of 255")
    for word in RANDOM:
        for i in range(5):
            image_case(fixture, word, i)
        jax.clear_caches()
    return fixture


def make():
    return [plain(), images()]
