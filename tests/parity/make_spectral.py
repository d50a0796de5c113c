"""SpectralNormalization in training, by Keras on PyTorch, where the quotient is assigned to the kernel before the step.

    KERAS_BACKEND=torch python tests/parity/make_spectral.py     writes fixtures/spectral.safetensors

Keras on JAX forgets that assignment in fit(). A case has a model's config, weights before and after some steps of SGD with
momentum on one batch, the loss of each step before it, and the predictions after all.
"""

import json
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers as L  # noqa: E402

from generator.store import Fixture  # noqa: E402

STEPS = 5


def weights_of(model):
    """In Cajal's order: Keras has the kernel as a weight of the wrapper, before vector_u."""
    weights = []
    for layer in model.layers:
        weights += [layer.vector_u, *layer.layer.weights] if isinstance(layer, L.SpectralNormalization) else layer.weights
    return weights


def step(model, x, y):
    model.reset_metrics()  # else the mean of all steps is given
    return float(model.train_on_batch(x, y))


def add(fixture, name, model, shape, frozen=()):
    rng = np.random.default_rng([ord(letter) for letter in name])
    for v in weights_of(model):
        v.assign(rng.uniform(-1, 1, v.shape).astype("float32"))
    for layer in frozen:
        model.get_layer(layer).trainable = False
    x = rng.uniform(-1, 1, (4, *shape)).astype("float32")
    y = rng.uniform(-1, 1, model.compute_output_shape((4, *shape))).astype("float32")
    parts = {"x": x, "y": y}
    for i, v in enumerate(weights_of(model)):
        parts[f"w{i}"] = np.array(keras.ops.convert_to_numpy(v.value))
    model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9), loss="mse")
    losses = [step(model, x, y) for _ in range(STEPS)]
    parts["losses"] = np.array(losses, dtype="float32")
    for i, v in enumerate(weights_of(model)):
        parts[f"after{i}"] = np.array(keras.ops.convert_to_numpy(v.value))
    parts["p"] = model.predict(x, verbose=0)
    text = json.loads(model.to_json())
    text.pop("compile_config", None)
    fixture.add(name, parts, config=text, weights=len(weights_of(model)), frozen=list(frozen))


def sequence(shape, *layers):
    return keras.Sequential([keras.Input(shape), *layers])


def main():
    S = L.SpectralNormalization
    fixture = Fixture("spectral", "SpectralNormalization in training, on the PyTorch back end", 1e-4, 1e-5,
                      "five steps that divide by a norm, in float32")
    add(fixture, "dense", sequence((3,), S(L.Dense(4, activation="tanh")), L.Dense(2)), (3,))
    add(fixture, "dense_three_rounds", sequence((3,), S(L.Dense(4), power_iterations=3)), (3,))
    add(fixture, "conv2d", sequence((5, 4, 2), S(L.Conv2D(3, (3, 2))), L.LeakyReLU(), S(L.Conv2D(2, 2, use_bias=False))), (5, 4, 2))
    add(fixture, "conv1d_transpose", sequence((4, 2), S(L.Conv1DTranspose(3, 2, strides=2))), (4, 2))
    add(fixture, "depthwise", sequence((4, 4, 2), S(L.DepthwiseConv2D(2))), (4, 4, 2))
    add(fixture, "regularized", sequence((3,), S(L.Dense(2, kernel_regularizer="l2"))), (3,))
    add(fixture, "conv3d", sequence((3, 3, 2, 1), S(L.Conv3D(2, (2, 2, 1), activation="tanh"), power_iterations=2)), (3, 3, 2, 1))
    add(fixture, "frozen", sequence((3,), S(L.Dense(4), name="norm"), L.Dense(2)), (3,), frozen=("norm",))
    print(fixture.write(Path(__file__).parent / "fixtures", {"keras": keras.__version__, "backend": keras.backend.backend()}))


if __name__ == "__main__":
    main()
