"""LossScaleOptimizer: 50 steps of a small network, some of which are left out: their targets are so far away that gradients overflow.

Nadam is not among them: after a step that was left out, Keras 3.15.1 on JAX goes on otherwise than without that step.

A case: the compiled model's config, batches xS and yS of shape (steps, 2, ...), weights before, wV, and after some of the
steps, aV of shape (stored, ...); the scale and its counter after each step, of shape (steps,).
"""

import json

import keras
import numpy as np
from keras import layers as L

from .store import Fixture

STEPS = 50
STORED = (0, 1, 2, 5, 11, 24, 49)
FAR = (1, 2, 9, 15, 16, 17, 30, 41)


def add(fixture, name, inner, **options):
    keras.backend.clear_session()
    rng = np.random.default_rng([ord(letter) for letter in name])
    model = keras.Sequential([keras.Input((3,)), L.Dense(4, activation="tanh"), L.Dense(2)])
    for v in model.weights:
        v.assign(rng.uniform(-1, 1, v.shape).astype("float32"))
    parts = {"x": rng.uniform(-1, 1, (STEPS, 2, 3)), "y": rng.uniform(-1, 1, (STEPS, 2, 2))}
    parts["y"][list(FAR)] = 3e38
    parts.update({f"w{i}": np.asarray(v.value) for i, v in enumerate(model.weights)})
    model.compile(optimizer=keras.optimizers.LossScaleOptimizer(inner, **options), loss="mse")
    config = json.loads(model.to_json())
    after, scales, counters = [[] for _ in model.weights], [], []
    for step in range(STEPS):
        model.train_on_batch(parts["x"][step].astype("float32"), parts["y"][step].astype("float32"))
        scales.append(float(model.optimizer.dynamic_scale.value))
        counters.append(float(model.optimizer.step_counter.value))
        for i, v in enumerate(model.weights if step in STORED else []):
            after[i].append(np.asarray(v.value))
    parts.update({f"a{i}": np.stack(a) for i, a in enumerate(after)})
    parts.update(scales=np.array(scales), counters=np.array(counters))
    fixture.add(name, parts, config=config, stored=list(STORED), weights=len(model.weights),
                iterations=int(np.asarray(model.optimizer.inner_optimizer._iterations.value)))


def make():
    fixture = Fixture("scaling", "LossScaleOptimizer: weights along 50 steps", 2e-5, 2e-6, "50 float32 steps")
    O = keras.optimizers
    add(fixture, "sgd", O.SGD(0.05, momentum=0.9), initial_scale=1024.0, dynamic_growth_steps=3)
    add(fixture, "adam", O.Adam(0.02), initial_scale=2.0**12, dynamic_growth_steps=4)
    add(fixture, "rmsprop_clipped", O.RMSprop(0.02, momentum=0.5, clipnorm=0.5, weight_decay=0.1), initial_scale=2.0**20, dynamic_growth_steps=2)
    add(fixture, "accumulated", O.Adam(0.02, gradient_accumulation_steps=3, global_clipnorm=0.5), initial_scale=2.0**10,
        dynamic_growth_steps=5)
    add(fixture, "scheduled", O.SGD(O.schedules.ExponentialDecay(0.1, 10, 0.5)), initial_scale=2.0**10, dynamic_growth_steps=7)
    add(fixture, "defaults", O.RMSprop(0.01), dynamic_growth_steps=20)
    return [fixture]
