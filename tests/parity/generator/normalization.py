"""GroupNormalization, RMSNormalization, UnitNormalization: cases as those of layers.py, with its parts."""

import keras
from keras import layers as L

from .layers import Builder
from .store import Fixture

RANDOM = keras.initializers.RandomNormal(mean=1, stddev=0.4, seed=5)


def groups(b):
    G = L.GroupNormalization
    for name, layer, shape in (
            ("two", G(2), (4, 3, 6)), ("one", G(1), (4, 6)), ("instances", G(-1), (4, 3, 5)), ("vector", G(2), (8,)),
            ("first", G(2, axis=1), (4, 3, 2)), ("middle", G(3, axis=2), (4, 6, 2)), ("all_channels", G(6), (5, 6)),
            ("volume", G(2), (2, 3, 2, 4)), ("plain", G(2, center=False, scale=False), (4, 6)),
            ("no_center", G(2, center=False), (4, 6)), ("no_scale", G(2, scale=False), (4, 6)),
            ("epsilon", G(2, epsilon=0.5), (4, 6)), ("wide", G(4), (5, 5, 32)),
            ("regularized", G(2, beta_regularizer="l2", gamma_regularizer="l1"), (4, 6))):
        for training in (False, True):
            b.one(f"group_{name}" + ("_training" if training else ""), layer.__class__.from_config(layer.get_config()), shape,
                  training=training)
    b.one("group_batch_of_1", G(2), (3, 4), batch=1)
    b.one("group_activated", lambda x: L.ReLU()(G(2)(L.Conv2D(4, 3)(x))), (6, 6, 2))


def roots(b):
    R = L.RMSNormalization
    for name, layer, shape in (("last", R(), (4, 6)), ("vector", R(), (7,)), ("two", R(axis=[-1, -2]), (3, 4, 5)),
                               ("positive", R(axis=2), (3, 5)), ("all", R(axis=[1, 2]), (3, 5)), ("epsilon", R(epsilon=0.3), (4, 6)),
                               ("wide", R(), (3, 70))):
        b.one(f"rms_{name}", layer, shape)
    b.one("rms_block", lambda x: L.Dense(6)(R()(L.Dense(6, activation="gelu")(x))), (4, 5))


def units(b):
    U = L.UnitNormalization
    for name, layer, shape in (("last", U(), (4, 6)), ("vector", U(), (7,)), ("first", U(axis=1), (4, 6)), ("two", U(axis=[1, 2]), (3, 4, 5)),
                               ("ends", U(axis=[1, -1]), (3, 4, 5))):
        b.one(f"unit_{name}", layer, shape)
    b.one("unit_padded", lambda x: L.LSTM(3)(U()(L.Embedding(3, 4, mask_zero=True)(x))), (5,), dtype="int32", batch=5, high=3)


def batches(b):
    """BatchNormalization of masked steps."""
    for training in (False, True):
        b.one(f"batch_padded_{training}", lambda x: L.BatchNormalization()(L.Embedding(3, 4, mask_zero=True)(x)), (6,), dtype="int32",
              batch=5, high=3, training=training)


def make():
    fixture = Fixture("normalization", "layers that normalize: outputs, gradients, penalties", 3e-5, 2e-5,
                      "float32 sums of up to 200 numbers of magnitude 2 in another order, then divided by a deviation of about 1")
    b = Builder(fixture)
    groups(b)
    roots(b)
    units(b)
    batches(b)
    return [fixture]
