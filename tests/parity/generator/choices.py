"""RandAugment and AugMix, whose layers each have a key of their own, RandomCrop, and more draws of layers that change images
at random; cases as layers.py has them.

RandomCrop has one image a batch: Keras crops a whole batch alike, Cajal each image.
"""

import contextlib
import math
import random as python_random

import jax.numpy as jnp
import keras
import numpy as np
from keras import layers as L
from keras.src.backend.jax import random as backend

from .augmentation import SEED
from .draws import Draws, key_of, philox, uniform_at
from .layers import add_model
from .random_models import Draw
from .settings import image_case, share
from .store import Fixture

BATCH, SHAPE = 2, (5, 6, 3)  # alike in all cases, so that JAX compiles each operation once
# Cajal's order of the layers that are chosen from, each with the settings of its Draws, and how many numbers of an image
# come before its own (a turn or shift takes its numbers out of five); None: it draws nothing.
CHOICES = {
    "random_shear": ({"count": 3}, 0), "random_translation": ({"count": 5}, 1), "random_rotation": ({"count": 5}, 0),
    "random_posterization": ({"count": 1}, 0), "solarization": ({"count": 2}, 0), "auto_contrast": None, "equalization": None,
    "random_brightness": ({"count": 1}, 0), "random_color_degeneration": ({"count": 1}, 0), "random_contrast": ({"count": 1}, 0),
    "random_sharpness": ({"count": 1}, 0),
}


def gamma_at(key, alpha):
    """src/ops/distributions.c: the number of element 0."""
    words = (w for block in range(1 << 20) for w in reversed(philox(key, 0, block)))
    uniform = lambda: (next(words) + 0.5) * 2.0**-32
    boost = uniform() ** (1 / alpha) if alpha < 1 else 1.0
    d = (alpha + 1 if alpha < 1 else alpha) - 1 / 3
    c = 1 / math.sqrt(9 * d)
    while True:
        length = math.sqrt(-2 * math.log(uniform()))
        x = length * math.cos(2 * math.pi * uniform())
        v = (1 + c * x) ** 3
        if v > 0 and math.log(uniform()) < x * x / 2 + d - d * v + d * math.log(v):
            return d * v * boost


class Places:
    """Hands out the places of a seed's keys in the order in which Cajal asks for them."""

    def __init__(self, seed):
        self.seed, self.next = seed, 0

    def one(self):
        self.next += 1
        return self.next - 1

    def key(self):
        return key_of(self.seed, self.one())

    def layers(self, names):
        """A place for each layer that draws: they are traced from the last to the first."""
        return {name: self.one() for name in reversed(names) if CHOICES[name]}


@contextlib.contextmanager
def replaced(*what):
    """(object, name, value) ... for a while."""
    before = [(where, name, getattr(where, name)) for where, name, _ in what]
    for where, name, value in what:
        setattr(where, name, value)
    try:
        yield
    finally:
        for where, name, value in before:
            setattr(where, name, value)


def transformed(layer, name, place, data):
    """A layer's own transformation, from the key at `place`."""
    if not CHOICES[name]:
        return layer.get_random_transformation(data)
    settings, taken = CHOICES[name]
    draws = Draws(layer.seed, BATCH, images=place, **settings)
    draws.taken = taken
    with replaced(*((backend, k, getattr(draws, k)) for k in ("uniform", "randint"))):
        return layer.get_random_transformation(data)


def rand_augment(layer, data, training=True, seed=None):
    """In place of RandAugment.get_random_transformation."""
    assert layer.num_ops == 1  # a layer that is chosen twice draws twice in Cajal, once in Keras
    places, order = Places(layer.seed), layer._AUGMENT_LAYERS
    chosen = list(CHOICES)[int(uniform_at(places.key(), 0) * len(CHOICES))]
    at = places.layers(list(CHOICES))
    return {"transforms": {name: transformed(getattr(layer, name), name, at.get(name), data) for name in order},
            "layer_idxes": jnp.array([order.index(chosen)], "int32")}


def aug_mix(layer, data, training=True, seed=None):
    """In place of AugMix.get_random_transformation."""
    places = Places(layer.seed)
    first, second = (gamma_at(places.key(), layer.alpha) for _ in range(2))
    names = [name for name in CHOICES if name in layer._augment_layers]
    weights, chains = [], []
    for _ in range(layer.num_chains):
        weights.append(gamma_at(places.key(), layer.alpha))
        key, chain = places.key(), []
        for k in range(layer.chain_depth):
            number, at = int(uniform_at(key, k) * (len(names) + 1)), places.layers(names)
            if number < len(names):  # the number after the last changes nothing
                name = names[number]
                chain.append({"layer_name": name, "transformation": transformed(getattr(layer, name), name, at.get(name), data)})
        chains.append(chain)
    return {"chain_mixing_weights": jnp.array(weights, "float32") / np.float32(sum(weights)),
            "weight_sample": jnp.float32(first / (first + second)), "chain_transforms": chains}


def choices(fixture, word, i):
    d = Draw(np.random.default_rng([10, i, len(word)]))
    keras.backend.clear_session()
    span = d.one((0, 255), (-1.0, 1.0), (0.0, 1.0))
    x = d.rng.uniform(span[0], span[1], (BATCH, *SHAPE)).astype("float32")
    settings = {"value_range": span, "factor": share(d), "interpolation": d.one("bilinear", "nearest"), "seed": i}
    if word == "RandAugment":
        layer = L.RandAugment(num_ops=1, **settings)
    else:
        layer = L.AugMix(num_chains=d.upto(3), chain_depth=d.upto(3), alpha=d.one(0.4, 1.0, 3.0), all_ops=d.flag(), **settings)
    inputs = L.Input(SHAPE, name="x")
    model = keras.Model(inputs, layer(inputs))
    with replaced((type(layer), "get_random_transformation", rand_augment if word == "RandAugment" else aug_mix)):
        add_model(fixture, f"{word}_{i}", model, [x], training=True)


class Corner(Draws):
    """Cajal counts the places of a crop from the other end."""

    def uniform(self, shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
        return maxval + minval - super().uniform(shape, minval, maxval)


def crops(fixture):
    for i in range(8):
        d = Draw(np.random.default_rng([11, i]))
        keras.backend.clear_session()
        height, width = d.some(2, 5)
        down, right = (0, d.upto(3)) if i == 6 else (d.upto(3), 0) if i == 7 else d.some(2, 4)
        shape = (height + down, width + right, d.upto(3))
        inputs = L.Input(shape, name="x")
        model = keras.Model(inputs, L.RandomCrop(height, width, seed=SEED)(inputs))
        draws = Corner(SEED, 1, shared=0)

        def uniform(*args, draws=draws, **kwargs):
            draws.together = draws.together % 3 or 1  # its numbers are the second and the third of five
            return draws.uniform(*args, **kwargs)
        with replaced((backend, "uniform", uniform)):
            add_model(fixture, f"RandomCrop_{i}", model, [d.rng.uniform(0, 255, (1, *shape)).astype("float32")], training=True)


def make():
    fixture = Fixture("choices", "layers that choose among changes of images, crops, and more draws: outputs, gradients", 1e-4, 2e-3,
                      "places in float32, 1e-6 of a pixel, times differences of 255")
    crops(fixture)
    for word in ("RandAugment", "AugMix"):
        for i in range(8):
            choices(fixture, word, i)
    for word in ("RandomColorDegeneration", "RandomFlip", "RandomGaussianBlur"):
        for i in (5, 6, 7):
            image_case(fixture, word, i)
    return [fixture]
