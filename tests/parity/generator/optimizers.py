"""Optimizers: the weights after each of 12 steps with given gradients, for three variables of different shapes.

Gradients (shared by all cases, case "common"): gV of shape (steps, ...), weights before: wV. Each case: wV of shape (steps, ...).
"""

import keras
import numpy as np

from .store import Fixture

STEPS = 12
SHAPES = ((3, 4), (5,), (2, 2, 3))
RULES = {
    "sgd": ("SGD", {"learning_rate": 0.05}),
    "sgd_momentum": ("SGD", {"learning_rate": 0.05, "momentum": 0.9}),
    "sgd_nesterov": ("SGD", {"learning_rate": 0.05, "momentum": 0.8, "nesterov": True}),
    "adagrad": ("Adagrad", {"learning_rate": 0.1}),
    "adagrad_start": ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.5, "epsilon": 1e-4}),
    "adadelta": ("Adadelta", {"learning_rate": 1.0}),
    "adadelta_rho": ("Adadelta", {"learning_rate": 0.5, "rho": 0.8, "epsilon": 1e-5}),
    "rmsprop": ("RMSprop", {"learning_rate": 0.02}),
    "rmsprop_momentum": ("RMSprop", {"learning_rate": 0.02, "momentum": 0.7, "rho": 0.8}),
    "rmsprop_centered": ("RMSprop", {"learning_rate": 0.02, "centered": True}),
    "rmsprop_both": ("RMSprop", {"learning_rate": 0.02, "momentum": 0.7, "centered": True}),
    "adam": ("Adam", {"learning_rate": 0.02}),
    "adam_betas": ("Adam", {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.95, "epsilon": 1e-3}),
    "adam_amsgrad": ("Adam", {"learning_rate": 0.02, "amsgrad": True}),
}
EXTRAS = {"": {}, "decay": {"weight_decay": 0.1}, "clipnorm": {"clipnorm": 0.8}, "clipvalue": {"clipvalue": 0.5},
          "global_clipnorm": {"global_clipnorm": 1.5}, "decay_clipnorm": {"weight_decay": 0.05, "clipnorm": 0.8}}


def make():
    fixture = Fixture("optimizers", "optimizers: weights after each step", 1e-5, 1e-6, "a dozen float32 updates of magnitude 0.1")
    rng = np.random.default_rng(31)
    start = [rng.normal(0, 1, shape).astype("float32") for shape in SHAPES]
    gradients = [rng.normal(0, 1, (STEPS, *shape)).astype("float32") for shape in SHAPES]
    for g in gradients:
        g[3] *= 10
        g[5] = 0
        g.reshape(STEPS, -1)[:, 0] = 0  # an element that never has a gradient
    gradients[1][8:] *= 0.01
    fixture.add("common", {**{f"w{i}": w for i, w in enumerate(start)}, **{f"g{i}": g for i, g in enumerate(gradients)}}, steps=STEPS)
    defaults = {f"{cls.lower()}_default": (cls, {}) for cls in ("SGD", "Adagrad", "Adadelta", "RMSprop", "Adam")}
    for name, (cls, options) in {**RULES, **defaults}.items():
        for extra, more in EXTRAS.items():
            if name in defaults and extra:
                continue
            settings = {**options, **more}
            optimizer = getattr(keras.optimizers, cls)(**settings)
            variables = [keras.Variable(w) for w in start]
            optimizer.build(variables)
            history = [[] for _ in variables]
            for step in range(STEPS):
                optimizer.apply([g[step] for g in gradients], variables)
                for i, v in enumerate(variables):
                    history[i].append(np.array(v.value))
            text = ", ".join(f"{key}={str(value).lower()}" for key, value in settings.items())
            fixture.add(name + (f"_{extra}" if extra else ""), {f"w{i}": np.stack(h) for i, h in enumerate(history)},
                        spec=f"{cls.lower()}({text})" if text else cls.lower())
    return [fixture]
