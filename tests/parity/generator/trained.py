"""Small models trained by Keras, for trained.c: what training changes, step by step.

A case has the model's JSON (setting "model"), the optimizer's spec, the data x and y (steps, batch, ...), the weights before, bI,
and after all steps, wI, in the order of model.weights; the losses of all steps; and the optimizer's variables, oI, in the order of
Keras's files. Of another loss than "mse" the setting "loss" is what Cajal calls it; sample weights are s (steps, batch).
"""

import keras
import numpy as np

from .noise import near


def text_of(value):
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def spec_of(name, settings):
    """What Cajal calls an optimizer with these settings."""
    text = ", ".join(f"{key}={text_of(value)}" for key, value in settings.items())
    return f"{name}({text})" if text else name


def add(fixture, name, model, optimizer, spec, steps, batch, seed, loss="mse", moved=0, targets=None, weighted=False, **more):
    """`loss`: a loss of Keras's, `targets(random, shape)` draws what it wants; `moved`: the phase of noise.near(), for other data by some
    roundings."""
    random = np.random.default_rng(seed)
    for variable in model.weights:
        if "moving" not in variable.path:
            variable.assign(random.normal(0, 0.6, tuple(variable.shape)).astype("float32"))
    x = random.normal(0, 1, (steps, batch, *model.input_shape[1:])).astype("float32")
    if model.layers[0].__class__.__name__ == "Embedding":
        x = random.integers(0, model.layers[0].input_dim, (steps, batch, *model.input_shape[1:])).astype("float32")
    shape = (steps, batch, *model.output_shape[1:])
    y = targets(random, shape) if targets else random.normal(0, 1, shape).astype("float32")
    s = random.uniform(0.2, 2, (steps, batch)).astype("float32") if weighted else None
    x = near(x, moved) if moved and model.layers[0].__class__.__name__ != "Embedding" else x
    before = [np.array(w) for w in model.weights]
    model.compile(optimizer, loss)
    losses = [model.train_on_batch(x[i], y[i], sample_weight=s[i] if weighted else None) for i in range(steps)]
    tensors = {"x": x, "y": y, "f64:losses": np.array(losses)} | ({"s": s} if weighted else {})
    tensors |= {f"b{i}": w for i, w in enumerate(before)}
    tensors |= {f"w{i}": np.array(w) for i, w in enumerate(model.weights)}
    tensors |= {f"o{i}": np.array(v, "float32") for i, v in enumerate(optimizer.variables)}
    fixture.add(name, tensors, model=model.to_json(), spec=spec, steps=steps, weights=len(before),
                optimizer_variables=len(optimizer.variables), **more)
