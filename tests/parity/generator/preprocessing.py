"""Preprocessing layers: cases as layers.py has them.

In `adapted`: what cj_adapt() must learn. Parts: x0 the data, then mean and variance, or boundaries.
"""

import jax
import keras
import numpy as np
from keras import layers as L
from keras.src.layers.preprocessing import discretization

from .layers import Builder, add_model, draw
from .store import Fixture


def features(b):
    b.one("normalization", L.Normalization(), (4, 3))
    b.one("normalization_inverse", L.Normalization(invert=True), (5,))
    b.one("normalization_axes", L.Normalization(axis=(1, -1)), (4, 2, 3))
    b.one("normalization_none", L.Normalization(axis=None), (4, 3))
    b.one("normalization_given", L.Normalization(mean=[0.5, -1.0, 2.0], variance=[0.25, 4.0, 0.0]), (2, 3))
    b.one("normalization_given_one", L.Normalization(mean=0.5, variance=2.0), (2, 3))
    b.one("normalization_given_none", L.Normalization(axis=None, mean=0.5, variance=2.0, invert=True), (2, 3))
    b.one("normalization_given_axes", L.Normalization(axis=(1, 3), mean=[0.5, 1.5, -1.0], variance=[1.0, 2.0, 3.0]), (4, 2, 3))
    b.one("normalization_given_axis_1", L.Normalization(axis=1, mean=[0.5, 1.5, -1.0, 0.0], variance=[1.0, 2.0, 3.0, 4.0]), (4, 2, 3))
    b.one("rescaling_entries", L.Rescaling([0.5, 2.0, -1.0], offset=[1.0, 0.0, -0.5]), (2, 3))
    b.one("rescaling_numpy", L.Rescaling(np.array([0.5, 2.0])), (4, 2))
    b.one("rescaling_offsets", L.Rescaling(3.0, offset=[1.0, -2.0]), (4, 2), dtype="int32")


def classes(b):
    for mode in ("multi_hot", "one_hot", "count"):
        b.one(f"category_encoding_{mode}", L.CategoryEncoding(num_tokens=7, output_mode=mode), (5,), dtype="int32")
        b.one(f"category_encoding_{mode}_single", L.CategoryEncoding(num_tokens=7, output_mode=mode), (1,), dtype="int32")
    b.one("category_encoding_one_hot_rank_3", L.CategoryEncoding(num_tokens=7, output_mode="one_hot"), (2, 4), dtype="int32")
    for mode in ("one_hot", "multi_hot", "count"):
        b.one(f"discretization_{mode}", L.Discretization(bin_boundaries=[-1.0, 0.0, 0.25, 1.5], output_mode=mode), (4,))
        b.one(f"discretization_{mode}_single", L.Discretization(bin_boundaries=[-1.0, 0.5], output_mode=mode), (1,))

    def bins(x):
        return L.Rescaling(0.5)(L.Discretization(bin_boundaries=[-1.5, -0.5, 0.0, 0.0, 1.0])(x))
    b.one("discretization_int", bins, (3, 4))


def images(b):
    sizes = {"up": ((4, 5), (7, 9)), "down": ((8, 7), (3, 4)), "mixed": ((5, 4), (3, 11)), "same_height": ((4, 6), (4, 3))}
    for interpolation in ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"):
        for name, (old, new) in sizes.items():
            b.one(f"resizing_{interpolation}_{name}", L.Resizing(*new, interpolation=interpolation), (*old, 2), batch=2)
        b.one(f"resizing_{interpolation}_antialias", L.Resizing(3, 4, interpolation=interpolation, antialias=True), (8, 7, 2), batch=2)
    for old, new in (((6, 9), (4, 4)), ((9, 6), (4, 4)), ((5, 7), (8, 3)), ((4, 4), (6, 5))):
        for how in ("crop", "pad"):
            b.one(f"resizing_{how}_{old[0]}x{old[1]}_{new[0]}x{new[1]}",
                  L.Resizing(*new, fill_value=0.75, **{f"{how}_to_aspect_ratio": True}), (*old, 2), batch=2)
    b.one("center_crop", L.CenterCrop(3, 4), (6, 7, 2), batch=2)
    b.one("center_crop_all", L.CenterCrop(4, 4), (4, 4, 2), batch=2)
    b.one("center_crop_wide", L.CenterCrop(3, 8), (6, 5, 2), batch=2)
    b.one("center_crop_large", L.CenterCrop(7, 8), (4, 5, 1), batch=2)


def random_images(b):
    """In training with factors that leave no choice; and predicting, where images pass."""
    turned = {"reflect": 0.1, "constant": -0.3, "nearest": 0.45, "wrap": 0.7}
    for mode, f in turned.items():
        for interpolation in ("bilinear", "nearest"):
            settings = {"fill_mode": mode, "interpolation": interpolation, "fill_value": 0.5}
            name = f"{mode}_{interpolation}"
            b.one(f"random_rotation_{name}", L.RandomRotation((f, f), **settings), (5, 6, 2), batch=2, training=True)
            b.one(f"random_translation_{name}", L.RandomTranslation((0.37, 0.37), (-f, -f), **settings), (5, 6, 2), batch=2, training=True)
            b.one(f"random_zoom_{name}", L.RandomZoom((f, f), (-0.23, -0.23), **settings), (5, 6, 2), batch=2, training=True)
    b.one("random_zoom_alike", L.RandomZoom((0.31, 0.31)), (5, 6, 2), batch=2, training=True)
    b.one("random_brightness", L.RandomBrightness((0.2, 0.2), value_range=(-1, 2)), (4, 3, 3), batch=2, training=True)
    for name, layer in (("flip", L.RandomFlip()), ("rotation", L.RandomRotation(0.2)), ("translation", L.RandomTranslation(0.1, (-0.2, 0.3))),
                        ("zoom", L.RandomZoom(0.2)), ("contrast", L.RandomContrast(0.3)), ("brightness", L.RandomBrightness(0.1, seed=3))):
        b.one(f"random_{name}_predicting", layer, (4, 3, 2), batch=2)


def adapted():
    fixture = Fixture("adapted", "what cj_adapt() learns: means, variances, boundaries of bins", 1e-5, 1e-6,
                      "Keras adds in float32, Cajal in float64")
    rng = np.random.default_rng(5)
    for name, axis, shape in (("last", -1, (40, 3)), ("axes", (1, 3), (12, 2, 5, 3)), ("none", None, (9, 4)), ("first", 1, (300, 4, 2))):
        x = (rng.normal(3, 2, shape)).astype("float32")
        layer = L.Normalization(axis=axis)
        layer.adapt(x)
        fixture.add(f"normalization_{name}", {"x0": x, "mean": layer.adapt_mean, "variance": layer.adapt_variance},
                    axis=[] if axis is None else [axis] if isinstance(axis, int) else list(axis))
    for name, bins, epsilon, count in (("few", 4, 0.01, 30), ("many", 5, 0.01, 1000), ("coarse", 3, 0.1, 37), ("fine", 10, 0.01, 345), ("ties", 4, 0.05, 200)):
        x = rng.normal(0, 3, (count // 5, 5)).astype("float32")
        if name == "ties":
            x = np.round(x)
        empty = np.array([[], []], dtype="float32")
        summary = discretization.merge_summaries(discretization.summarize(x, epsilon), empty, epsilon)
        fixture.add(f"discretization_{name}", {"x0": x, "boundaries": discretization.get_bin_boundaries(summary, bins)},
                    num_bins=bins, epsilon=epsilon)
    return fixture


def make():
    fixture = Fixture("preprocessing", "preprocessing layers: outputs, gradients", 2e-5, 2e-6,
                      "float32 sums of up to 100 products of magnitude 1; weights in float32 there, in float64 here")
    builder = Builder(fixture)
    for part in (features, classes, images, random_images):
        part(builder)
        jax.clear_caches()
    return [fixture, adapted()]
