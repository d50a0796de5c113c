"""Optimizers: the weights after some of 50 steps with given gradients, for three variables of different shapes, and at the end
what the optimizer keeps, oI, in the order of Keras's files from the first after the learning rate.

Gradients (shared by all cases, case "common"): gV of shape (steps, ...), weights before: wV. Each case: wV of shape (steps, ...).
"""

import jax
import keras
import numpy as np

from .store import Fixture

STEPS = 50
STORED = (0, 1, 2, 5, 11, 24, 49)
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
    "adamw": ("AdamW", {"learning_rate": 0.02}),
    "adamw_amsgrad": ("AdamW", {"learning_rate": 0.02, "weight_decay": 0.1, "amsgrad": True}),
    "adamax": ("Adamax", {"learning_rate": 0.02}),
    "adamax_betas": ("Adamax", {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.95, "epsilon": 1e-3}),
    "nadam": ("Nadam", {"learning_rate": 0.02}),
    "nadam_betas": ("Nadam", {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.95, "epsilon": 1e-3}),
    "ftrl": ("Ftrl", {"learning_rate": 0.1}),
    "ftrl_all": ("Ftrl", {"learning_rate": 0.1, "learning_rate_power": -0.7, "initial_accumulator_value": 0.3, "l1_regularization_strength": 0.02,
                          "l2_regularization_strength": 0.1, "l2_shrinkage_regularization_strength": 0.05, "beta": 0.2}),
    "lion": ("Lion", {"learning_rate": 0.01}),
    "lion_betas": ("Lion", {"learning_rate": 0.01, "beta_1": 0.6, "beta_2": 0.8}),
    "lamb": ("Lamb", {"learning_rate": 0.02}),
    "lamb_betas": ("Lamb", {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.95, "epsilon": 1e-3}),
    "adafactor": ("Adafactor", {"learning_rate": 0.1}),
    "adafactor_all": ("Adafactor", {"learning_rate": 0.1, "beta_2_decay": -0.6, "epsilon_1": 1e-8, "epsilon_2": 0.01, "clip_threshold": 0.5, "relative_step": False}),
    "muon": ("Muon", {"learning_rate": 0.02}),
    "muon_all": ("Muon", {"learning_rate": 0.02, "momentum": 0.8, "nesterov": False, "ns_steps": 3, "adam_lr_ratio": 0.5, "adam_weight_decay": 0.02, "weight_decay": 0.1,
                          "rms_rate": None, "adam_beta_1": 0.8, "adam_beta_2": 0.95, "epsilon": 1e-5, "muon_a": 3.0, "muon_b": -4.0, "muon_c": 1.8}),
    "muon_layers": ("Muon", {"learning_rate": 0.02, "exclude_layers": ["kern", "other"]}),
    "schedule_free": ("ScheduleFreeAdamW", {"learning_rate": 0.02}),
    "schedule_free_warm": ("ScheduleFreeAdamW", {"learning_rate": 0.02, "warmup_steps": 10, "beta_1": 0.8, "beta_2": 0.95}),
}
EXTRAS = {"": {}, "decay": {"weight_decay": 0.1}, "clipnorm": {"clipnorm": 0.8}, "clipvalue": {"clipvalue": 0.5},
          "global_clipnorm": {"global_clipnorm": 1.5}, "decay_clipnorm": {"weight_decay": 0.05, "clipnorm": 0.8},
          "ema": {"use_ema": True, "ema_momentum": 0.8}, "ema_overwrite": {"use_ema": True, "ema_overwrite_frequency": 4},
          "accumulated": {"gradient_accumulation_steps": 3, "clipnorm": 0.8, "weight_decay": 0.1},
          "accumulated_ema": {"gradient_accumulation_steps": 2, "use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 3},
          "scaled": {"loss_scale_factor": 1024.0}, "excluded": {"weight_decay": 0.1, "exclude": ["bias", "gam"]}}
MANY = ("sgd_momentum", "adam", "nadam", "muon")  # have all extras; others some
SOME = ("", "decay_clipnorm")
NAMES = ("kernel", "bias", "table")


def text_of(value):
    if isinstance(value, list):
        return "|".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def run(fixture, case, cls, settings, start, gradients):
    exclude = settings.pop("exclude", None)
    optimizer = getattr(keras.optimizers, cls)(**settings)
    if exclude:
        optimizer.exclude_from_weight_decay(var_names=exclude)
        settings["exclude_from_weight_decay"] = exclude
    scale = settings.get("loss_scale_factor", 1.0)
    variables = [keras.Variable(w, name=name) for w, name in zip(start, NAMES)]
    optimizer.build(variables)
    history = [[] for _ in variables]
    # what has conditions is slow step by step, the rest slow to compile
    conditions = "gradient_accumulation_steps" in settings or "ema_overwrite_frequency" in settings
    apply = jax.jit(optimizer.stateless_apply) if conditions else optimizer.stateless_apply
    now, kept = [v.value for v in variables], [v.value for v in optimizer.variables]
    for step in range(STEPS):
        now, kept = apply(kept, [g[step] * np.float32(scale) for g in gradients], now)
        for i, w in enumerate(now):
            history[i].append(np.array(w))
    kept = [np.array(v, "float32") for v in kept[2:]]
    text = ", ".join(f"{key}={text_of(value)}" for key, value in settings.items())
    tensors = {f"w{i}": np.stack([h[s] for s in STORED]) for i, h in enumerate(history)} | {f"o{i}": k for i, k in enumerate(kept)}
    name = cls.lower()
    fixture.add(case, tensors, spec=f"{name}({text})" if text else name, kept=len(kept), scale=scale)


def make():
    fixture = Fixture("optimizers", "optimizers: weights along 50 steps", 3e-5, 3e-6, "50 float32 updates of magnitude 0.1")
    random = np.random.default_rng(3)
    start = [random.normal(0, 0.5, shape).astype("float32") for shape in SHAPES]
    gradients = [random.normal(0, 1, (STEPS, *shape)).astype("float32") for shape in SHAPES]
    for g in gradients:
        g[5] = 0
        g.reshape(STEPS, -1)[:, 0] = 0  # an element that never has a gradient
    gradients[1][8:] *= 0.01
    fixture.add("common", {**{f"w{i}": w for i, w in enumerate(start)}, **{f"g{i}": g for i, g in enumerate(gradients)}}, steps=STEPS, stored=list(STORED))
    for cls in sorted({cls for cls, _ in RULES.values()}):
        run(fixture, f"{cls.lower()}_default", cls, {}, start, gradients)
    for name, (cls, options) in RULES.items():
        for extra, more in EXTRAS.items():
            if name in MANY or extra in SOME:
                run(fixture, name + (f"_{extra}" if extra else ""), cls, {**options, **more}, start, gradients)
    return [fixture]
