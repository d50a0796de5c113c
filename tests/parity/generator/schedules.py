"""Schedules: the rate at some steps (case parts "steps", int32, and "rates"); and models trained by them (trained.py).

one_cycle is PyTorch's OneCycleLR, whose rates were written down from torch 2 (three_phase=False, anneal_strategy="cos"); see
tests/train/schedules.c.
"""

import keras
import numpy as np
from keras import layers as L
from keras.optimizers import schedules as S

from . import trained
from .store import Fixture

STEPS = np.array([0, 1, 2, 9, 10, 11, 19, 20, 21, 50, 99, 100, 101, 250, 1000, 12345], "int32")
RULES = {
    "exponential_decay(0.1, 20, 0.9)": S.ExponentialDecay(0.1, 20, 0.9),
    "exponential_decay(0.1, 20, 0.9, staircase=true)": S.ExponentialDecay(0.1, 20, 0.9, True),
    "InverseTimeDecay(0.1, 7, 0.5)": S.InverseTimeDecay(0.1, 7, 0.5),
    "inverse_time_decay(0.1, decay_steps=7, decay_rate=0.5, staircase=true)": S.InverseTimeDecay(0.1, 7, 0.5, True),
    "polynomial_decay(0.1, 100)": S.PolynomialDecay(0.1, 100),
    "polynomial_decay(0.1, 20, end_learning_rate=0.01, power=0.5, cycle=true)": S.PolynomialDecay(0.1, 20, 0.01, 0.5, True),
    "polynomial_decay(initial_learning_rate=0.3, decay_steps=50, end_learning_rate=0, power=2)": S.PolynomialDecay(0.3, 50, 0.0, 2.0),
    "piecewise_constant_decay([10, 20, 100], [1, 0.5, 0.1, 0.01])": S.PiecewiseConstantDecay([10, 20, 100], [1.0, 0.5, 0.1, 0.01]),
    "piecewise_constant_decay(boundaries=[1], values=[0.25, 0.125])": S.PiecewiseConstantDecay([1], [0.25, 0.125]),
    "cosine_decay(0.1, 100)": S.CosineDecay(0.1, 100),
    "cosine_decay(0.1, 100, alpha=0.2)": S.CosineDecay(0.1, 100, 0.2),
    "cosine_decay(0, 100, warmup_target=0.1, warmup_steps=10)": S.CosineDecay(0.0, 100, warmup_target=0.1, warmup_steps=10),
    "cosine_decay(0.01, 90, alpha=0.1, warmup_target=0.2, warmup_steps=20)": S.CosineDecay(0.01, 90, 0.1, warmup_target=0.2, warmup_steps=20),
    "cosine_decay_restarts(0.1, 10)": S.CosineDecayRestarts(0.1, 10),
    "cosine_decay_restarts(0.1, 10, t_mul=1, m_mul=0.9, alpha=0.1)": S.CosineDecayRestarts(0.1, 10, 1.0, 0.9, 0.1),
    "cosine_decay_restarts(0.1, 15, 1.5, 0.8)": S.CosineDecayRestarts(0.1, 15, 1.5, 0.8),
}


def make():
    fixture = Fixture("schedules", "schedules: rates, and weights after training", 1e-4, 2e-6, "Keras computes rates in float32")
    for spec, rule in RULES.items():
        # at a restart a float32 share of a period may be just below or above a whole number
        steps = np.array([s for s in STEPS if "restarts" not in spec or s % 5], "int32")
        fixture.add(spec, {"steps": steps, "rates": np.array([float(rule(int(s))) for s in steps])}, spec=spec)
    trainings = {"sgd": (S.CosineDecay(0.1, 8), {"momentum": 0.9}, "cosine_decay(0.1, 8)"),
                 "adam": (S.ExponentialDecay(0.05, 3, 0.7), {"weight_decay": 0.1}, "exponential_decay(0.05, 3, 0.7)"),
                 "rmsprop": (S.PiecewiseConstantDecay([2, 5], [0.05, 0.02, 0.01]), {"centered": True},
                             "piecewise_constant_decay([2, 5], [0.05, 0.02, 0.01])"),
                 "nadam": (S.PolynomialDecay(0.05, 6), {"gradient_accumulation_steps": 2}, "polynomial_decay(0.05, 6)"),
                 "adafactor": (S.InverseTimeDecay(0.05, 2, 0.5), {}, "inverse_time_decay(0.05, 2, 0.5)")}
    classes = {"sgd": "SGD", "adam": "Adam", "rmsprop": "RMSprop", "nadam": "Nadam", "adafactor": "Adafactor"}
    for name, (schedule, settings, spec) in trainings.items():
        model = keras.Sequential([keras.Input((3,)), L.Dense(5, activation="tanh"), L.Dense(2)])
        optimizer = getattr(keras.optimizers, classes[name])(schedule, **settings)
        trained.add(fixture, f"training by {name}", model, optimizer, trained.spec_of(name, {"learning_rate": spec, **settings}), steps=10,
                    batch=4, seed=len(fixture.cases))
    return [fixture]
