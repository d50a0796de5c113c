"""Layers that change images at random, in training with the very numbers that Cajal draws (draws.py); cases as layers.py
has them."""

import jax
import keras
import numpy as np
from keras import layers as L

from .draws import Draws, drawn
from .layers import Builder, add_model
from .store import Fixture

# Keras's own gives its input back, and a functional model of it cannot be made.
L.Equalization.compute_output_spec = lambda self, inputs, **kwargs: keras.KerasTensor(inputs.shape, inputs.dtype)
# Keras's own leaves out the seed.
config_of_grayscale = L.RandomGrayscale.get_config
L.RandomGrayscale.get_config = lambda self: {**config_of_grayscale(self), "seed": self.seed}

BATCH = 3
SEED = 11


class Images:
    def __init__(self, fixture):
        self.fixture = fixture

    def one(self, name, layer, shape=(5, 6, 3), high=255, whole=False, training=True, **draws):
        """A layer on images of values from 0 to `high`; `draws` are the settings of Draws."""
        keras.backend.clear_session()
        rng = np.random.default_rng([3, *(ord(letter) for letter in name)])
        x = rng.uniform(0.02 * high, 0.98 * high, (BATCH, *shape)).astype("float32")
        if whole:
            x = np.round(x)
        inputs = keras.Input(shape, name="x")
        model = keras.Model(inputs, layer(inputs))
        with Again(Draws(SEED, BATCH, **draws)):
            add_model(self.fixture, name, model, [x], training)


class Again:
    """`drawn` for a model that is called several times: each call draws the same numbers anew."""

    def __init__(self, draws):
        self.draws, self.call = draws, keras.Model.stateless_call

    def __enter__(self):
        def call(model, *args, **kwargs):
            with drawn(self.draws):
                return self.call(model, *args, **kwargs)
        keras.Model.stateless_call = call

    def __exit__(self, *what):
        keras.Model.stateless_call = self.call


def colors(b):
    s = {"seed": SEED}
    for name, high in (("bytes", 255), ("unit", 1)):
        v = {"value_range": (0, high), **s}
        b.one(f"random_brightness_{name}", L.RandomBrightness(0.3, **v), high=high, count=1)
        b.one(f"random_contrast_{name}", L.RandomContrast((0.2, 0.7), **v), high=high, count=1)
        b.one(f"random_hue_{name}", L.RandomHue(0.9, **v), high=high, count=2)
        b.one(f"random_hue_{name}_ends", L.RandomHue((0.3, 1.0), **v), high=high, count=2)
        b.one(f"random_saturation_{name}", L.RandomSaturation((0.1, 0.9), **v), high=high, count=1)
        b.one(f"random_saturation_{name}_one", L.RandomSaturation(0.6, **v), high=high, count=1)
        b.one(f"random_color_degeneration_{name}", L.RandomColorDegeneration(0.8, **v), high=high, count=1)
        b.one(f"random_jitter_{name}", L.RandomColorJitter(brightness_factor=0.2, contrast_factor=(0.3, 0.5), saturation_factor=(0.4, 0.6), hue_factor=0.3, **v), high=high, count=5)
        b.one(f"random_jitter_{name}_two", L.RandomColorJitter(contrast_factor=0.3, hue_factor=(0.2, 0.3), **v), high=high, count=3)
        b.one(f"random_sharpness_{name}", L.RandomSharpness((0.1, 0.9), **v), high=high, count=1)
        b.one(f"random_posterization_{name}", L.RandomPosterization((2, 7), **v), high=high, count=1)
        b.one(f"random_posterization_{name}_one", L.RandomPosterization((3, 3), **v), high=high, count=1)
        b.one(f"random_invert_{name}", L.RandomInvert(0.9, **v), high=high, count=2)
        b.one(f"random_invert_{name}_always", L.RandomInvert((1, 1), **v), high=high, count=2)
        b.one(f"solarization_{name}", L.Solarization(0.3, 0.6, **v), high=high, count=2)
        b.one(f"solarization_{name}_ends", L.Solarization((0.1, 0.2), (0.5, 0.5), **v), high=high, count=2)
        b.one(f"random_erasing_{name}", L.RandomErasing(**v), high=high, count=6)
        b.one(f"random_erasing_{name}_value", L.RandomErasing((0.8, 1.0), scale=(0.1, 0.6), fill_value=0.4, **v), high=high, count=6)
        for training in (False, True):
            b.one(f"auto_contrast_{name}_{training}", L.AutoContrast(value_range=(0, high)), high=high, training=training)
            b.one(f"equalization_{name}_{training}", L.Equalization(value_range=(0, high)), high=high, whole=high > 1, training=training)
        b.one(f"equalization_{name}_bins", L.Equalization(value_range=(0, high), bins=20), high=high)
    b.one("random_brightness_signed", L.RandomBrightness((0.1, 0.4), value_range=(-1, 3), **s), high=2, count=1)
    b.one("solarization_signed", L.Solarization(0.2, 0.8, value_range=(-1, 3), **s), high=2, count=2)
    b.one("random_hue_signed", L.RandomHue(0.8, value_range=(-1, 2), **s), high=1, count=2)
    b.one("random_sharpness_channels", L.RandomSharpness(0.9, **s), (4, 3, 5), count=1)
    b.one("random_grayscale", L.RandomGrayscale(0.6, seed=SEED), count=1)
    b.one("random_grayscale_always", L.RandomGrayscale(1.0, seed=SEED), count=1)
    b.one("random_grayscale_one_channel", L.RandomGrayscale(1.0, seed=SEED), (4, 3, 1), count=1)
    b.one("random_erasing_wide", L.RandomErasing((0.9, 1.0), value_range=(0, 255), **s), (12, 17, 2), count=6)
    for name, layer in (("hue", L.RandomHue(0.3, **s)), ("jitter", L.RandomColorJitter(hue_factor=0.3, **s)), ("erasing", L.RandomErasing(**s)),
                        ("solarization", L.Solarization(0.3, **s)), ("posterization", L.RandomPosterization((3, 3), **s))):
        b.one(f"{name}_predicting", layer, training=False, count=8)


def mixtures(b):
    for alpha in (0.2, 1.0, 3.0):
        b.one(f"mix_up_{alpha:g}", L.MixUp(alpha, seed=SEED), order=0, beta=1)
    for name, factor in (("one", 1.0), ("ends", (0.4, 0.6)), ("always", (1, 1))):
        b.one(f"cut_mix_{name}", L.CutMix(factor, seed=SEED), (9, 7, 2), count=2, shared=2)
    b.one("mix_up_predicting", L.MixUp(seed=SEED), training=False)


def warps(b):
    s = {"seed": SEED}
    for mode in ("reflect", "constant", "nearest", "wrap"):
        for interpolation in ("bilinear", "nearest"):
            how = {"fill_mode": mode, "interpolation": interpolation, "fill_value": 7.0, **s}
            b.one(f"random_shear_{mode}_{interpolation}", L.RandomShear((0.2, 0.6), (0.1, 0.5), **how), count=3)
    for mode in ("reflect", "mirror", "constant"):
        b.one(f"random_elastic_{mode}", L.RandomElasticTransform((0.9, 1.0), fill_mode=mode, fill_value=3.0, **s), (9, 11, 2), count=2, noise=2)
    b.one("random_elastic_nearest", L.RandomElasticTransform((1, 1), scale=(0.6, 0.8), interpolation="nearest", **s), (12, 8, 1), count=2, noise=2)
    b.one("random_elastic_none", L.RandomElasticTransform(0.0, **s), count=2, noise=2)
    for interpolation in ("bilinear", "nearest"):
        b.one(f"random_perspective_{interpolation}", L.RandomPerspective((0.9, 1.0), scale=0.4, interpolation=interpolation, fill_value=2.0, **s), count=10)
    b.one("random_perspective_half", L.RandomPerspective(0.9, scale=1.0, **s), (7, 4, 1), count=10)
    b.one("random_blur", L.RandomGaussianBlur((0.9, 1.0), sigma=(0.4, 1.0), **s), count=2)
    b.one("random_blur_sizes", L.RandomGaussianBlur(0.9, kernel_size=(3, 5), value_range=(20, 200), **s), (6, 7, 2), count=2)


def surroundings(b):
    name = "contrast_limited_adaptive_histogram_equalization"
    C = L.ContrastLimitedAdaptiveHistogramEqualization
    b.one(f"{name}", C(), (17, 20, 2), whole=True, training=False)
    b.one(f"{name}_small", C(tile_grid_size=(2, 3)), (5, 7, 3), training=True)
    b.one(f"{name}_unlimited", C(clip_limit=0, tile_grid_size=(3, 2)), (9, 6, 1), training=False)
    b.one(f"{name}_unit", C(value_range=(0, 1), clip_limit=2.5, tile_grid_size=(2, 2)), (8, 8, 1), high=1, training=False)


def moved():
    fixture = Fixture("warps", "layers that take pixels from other places at random: outputs, gradients", 1e-4, 2e-3,
                      "places in float32, 1e-6 of a pixel, times differences of 255")
    for part in (warps, surroundings):
        part(Images(fixture))
        jax.clear_caches()
    return fixture


def spectrograms():
    fixture = Fixture("spectrograms", "spectrograms: outputs, gradients", 2e-4, 1e-4,
                      "float32 sums of up to 64 products there; logarithms of powers far below the greatest")
    b = Builder(fixture)
    S, M = L.STFTSpectrogram, L.MelSpectrogram
    for mode in ("log", "magnitude", "psd", "real", "imag", "stft"):
        b.one(f"stft_{mode}", S(mode, 16), (50, 1), batch=2)
        b.one(f"stft_{mode}_channels", S(mode, 12, frame_step=5, fft_length=20, padding="same"), (31, 3), batch=2)
        b.one(f"stft_{mode}_expanded", S(mode, 10, frame_step=10, expand_dims=True, periodic=True, window="hamming"), (40, 2), batch=2)
    for window in ("hann", "hamming", "blackman", None):
        for scaling in ("density", "spectrum", None):
            b.one(f"stft_{window}_{scaling}", S("magnitude", 8, window=window, scaling=scaling), (20, 1), batch=2)
    for name, settings in (("usual", {}), ("magnitudes", {"mag_exp": 1.0}), ("powers", {"power_to_db": False}), ("cubes", {"mag_exp": 3.0, "power_to_db": False}),
                           ("hamming", {"window": "hamming", "sequence_length": 20}), ("no_window", {"window": None}), ("edges", {"min_freq": 300.0, "max_freq": 3000.0}),
                           ("reference", {"ref_power": 0.01, "min_power": 1e-3, "top_db": 20.0}), ("odd", {"fft_length": 31}), ("long", {"fft_length": 64, "sequence_stride": 64})):
        b.one(f"mel_{name}", M(**{"fft_length": 32, "sequence_stride": 12, "num_mel_bins": 6, "sampling_rate": 8000, **settings}), (70,), batch=2)
    return fixture


def make():
    fixture = Fixture("augmentation", "layers that change images at random: outputs, gradients", 2e-5, 2e-5,
                      "float32 sums of up to 30 products of magnitude 255, in another order")
    for part in (colors, mixtures):
        part(Images(fixture))
        jax.clear_caches()
    return [fixture, moved(), spectrograms()]
