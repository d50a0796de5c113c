"""Small models trained by Keras, for trained.c: what training changes, step by step.

A case has the model's JSON (setting "model"), the optimizer's spec, the data x and y (steps, batch, ...), the weights before, bI,
and after all steps, wI, in the order of model.weights; the losses of all steps; and the optimizer's variables, oI, in the order of
Keras's files.
"""

import keras
import numpy as np


def text_of(value):
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def spec_of(name, settings):
    """What Cajal calls an optimizer with these settings."""
    text = ", ".join(f"{key}={text_of(value)}" for key, value in settings.items())
    return f"{name}({text})" if text else name


def add(fixture, name, model, optimizer, spec, steps, batch, seed, **more):
    random = np.random.default_rng(seed)
    for variable in model.weights:
        if "moving" not in variable.path:
            variable.assign(random.normal(0, 0.6, tuple(variable.shape)).astype("float32"))
    x = random.normal(0, 1, (steps, batch, *model.input_shape[1:])).astype("float32")
    if model.layers[0].__class__.__name__ == "Embedding":
        x = random.integers(0, model.layers[0].input_dim, (steps, batch, *model.input_shape[1:])).astype("float32")
    y = random.normal(0, 1, (steps, batch, *model.output_shape[1:])).astype("float32")
    before = [np.array(w) for w in model.weights]
    model.compile(optimizer, "mse")
    losses = [model.train_on_batch(x[s], y[s]) for s in range(steps)]
    tensors = {"x": x, "y": y, "f64:losses": np.array(losses)}
    tensors |= {f"b{i}": w for i, w in enumerate(before)}
    tensors |= {f"w{i}": np.array(w) for i, w in enumerate(model.weights)}
    tensors |= {f"o{i}": np.array(v, "float32") for i, v in enumerate(optimizer.variables)}
    fixture.add(name, tensors, model=model.to_json(), spec=spec, steps=steps, weights=len(before),
                optimizer_variables=len(optimizer.variables), **more)
