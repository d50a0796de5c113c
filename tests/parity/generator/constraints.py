"""Constraints: what each makes of a weight (case parts x and y), and models trained with them (trained.py)."""

import keras
import numpy as np
from keras import constraints as C
from keras import layers as L

from . import trained
from .store import Fixture

SHAPES = ((5, 4), (7,), (3, 2, 4, 5), (1, 6))
RULES = {
    "max_norm": C.MaxNorm(), "max_norm(1)": C.MaxNorm(1), "max_norm(max_value=0.5, axis=-1)": C.MaxNorm(0.5, -1),
    "max_norm(0.7, axis=(0, 1, 2))": C.MaxNorm(0.7, [0, 1, 2]), "unit_norm": C.UnitNorm(), "unit_norm(axis=1)": C.UnitNorm(1),
    "UnitNorm(axis=(0, 1))": C.UnitNorm((0, 1)), "non_neg": C.NonNeg(), "min_max_norm": C.MinMaxNorm(),
    "min_max_norm(min_value=0.5, max_value=1.5)": C.MinMaxNorm(0.5, 1.5),
    "min_max_norm(0.5, 1.5, rate=0.3, axis=-1)": C.MinMaxNorm(0.5, 1.5, 0.3, -1),
}


def axes_of(rule):
    axis = getattr(rule, "axis", 0)
    return list(axis) if isinstance(axis, (tuple, list)) else [axis]


def values(fixture):
    random = np.random.default_rng(5)
    for spec, rule in RULES.items():
        for shape in SHAPES:
            if max(axes_of(rule)) >= len(shape):
                continue
            x = random.normal(0, 0.8, shape).astype("float32")
            x.reshape(-1)[0] = 0
            if len(shape) == 2:
                x[:, -1] = 0  # a norm of 0
            fixture.add(f"{spec} {'x'.join(map(str, shape))}", {"x": x, "y": np.array(rule(x))}, spec=spec)


def make():
    fixture = Fixture("constraints", "constraints: values, and weights after training", 2e-5, 2e-6, "a dozen float32 steps")
    values(fixture)
    dense = [L.Dense(6, kernel_constraint=C.MaxNorm(0.8), bias_constraint="non_neg", activation="tanh"),
             L.BatchNormalization(gamma_constraint=C.MinMaxNorm(0.2, 0.9), beta_constraint=C.NonNeg()),
             L.LayerNormalization(gamma_constraint=C.UnitNorm(), beta_constraint=C.MaxNorm(0.1)),
             L.Dense(3, kernel_constraint=C.UnitNorm(axis=1))]
    image = [L.Conv2D(4, 3, kernel_constraint=C.MaxNorm(0.7, axis=[0, 1, 2]), bias_constraint=C.MaxNorm(0.05)),
             L.DepthwiseConv2D(2, depthwise_constraint=C.NonNeg(), bias_constraint=C.UnitNorm()),
             L.SeparableConv2D(3, 2, depthwise_constraint=C.MaxNorm(0.3, axis=[0, 1]), pointwise_constraint=C.UnitNorm(axis=[0, 1, 2]),
                               bias_constraint=C.NonNeg()),
             L.Conv2DTranspose(2, 2, kernel_constraint=C.MinMaxNorm(0.5, 0.6, rate=0.5, axis=[0, 1, 3])), L.Flatten(),
             L.Dense(2)]
    line = [L.Conv1D(4, 2, kernel_constraint=C.UnitNorm(axis=(0, 1))), L.DepthwiseConv1D(2, depthwise_constraint=C.MaxNorm(0.4)),
            L.SeparableConv1D(3, 2, pointwise_constraint="non_neg"), L.Conv1DTranspose(3, 2, kernel_constraint="non_neg"),
            L.LSTM(4, kernel_constraint=C.MaxNorm(0.9), recurrent_constraint=C.UnitNorm(), bias_constraint=C.NonNeg(), return_sequences=True),
            L.GRU(3, kernel_constraint=C.NonNeg(), recurrent_constraint=C.MaxNorm(0.5, axis=1), bias_constraint=C.MaxNorm(0.2, axis=1),
                  return_sequences=True),
            L.SimpleRNN(3, recurrent_constraint=C.MinMaxNorm(0.1, 0.5), kernel_constraint="unit_norm", bias_constraint="max_norm"), L.Dense(1)]
    solid = [L.Conv3D(3, 2, kernel_constraint=C.MaxNorm(0.6, axis=[0, 1, 2, 3])), L.Conv3DTranspose(2, 2, bias_constraint="unit_norm"),
             L.Flatten(), L.Dense(2)]
    words = [L.Embedding(9, 4, embeddings_constraint=C.UnitNorm(axis=1)), L.Flatten(), L.Dense(2, kernel_constraint="max_norm")]
    frozen = [L.Dense(4, kernel_constraint=C.UnitNorm(), trainable=False), L.Dense(2, kernel_constraint=C.UnitNorm())]
    for name, shape, layers in (("dense", (4,), dense), ("image", (6, 6, 3), image), ("line", (7, 3), line), ("solid", (3, 4, 4, 2), solid),
                                ("words", (3,), words), ("frozen", (3,), frozen)):
        for rule, settings in (("SGD", {"learning_rate": 0.0005 if name == "image" else 0.05}), ("Adam", {"learning_rate": 0.02})):
            model = keras.models.clone_model(keras.Sequential([keras.Input(shape), *layers], name=name))
            trained.add(fixture, f"{name} {rule}", model, getattr(keras.optimizers, rule)(**settings),
                        trained.spec_of(rule.lower(), settings), steps=6, batch=4, seed=len(fixture.cases))
    return [fixture]
