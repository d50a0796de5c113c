"""Real Keras reads the JSON that Cajal writes of every layer of tests/layers/samples.c, takes its weights, and computes the
same. `tests/layers/battery_files FOLDER` (the test program), then `load_layers.py FOLDER [SECONDS]`: tools/parity runs both.
What is not reached within SECONDS is said, and is no failure."""

import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")  # compiling takes most of the time

import jax  # noqa: E402  (the back end is chosen above)
import keras  # noqa: E402
import numpy as np  # noqa: E402


# What Keras 3.15.1 with JAX does not do, whoever wrote the model.
KERAS_FAILS = {
    "Equalization": "its symbol is its input, and the model a cycle",
    "RandomCrop": "leaves images as they are when predicting, against its documentation",
}
# JAX gives zeros for classes that are no whole numbers; TensorFlow and Cajal take the whole part.
WHOLE = {"CategoryEncoding"}


def array_of(tensor):
    return np.array(tensor["values"]).reshape(tensor["shape"])


def weights_of(model):
    """In Cajal's order: Keras has the kernel that SpectralNormalization divides as a weight of the wrapper, before vector_u."""
    weights = []
    for layer in model.layers:
        spectral = isinstance(layer, keras.layers.SpectralNormalization)
        weights += [layer.vector_u, *layer.layer.weights] if spectral else layer.weights
    return weights


def outputs_of(model, inputs):
    given = inputs if len(inputs) > 1 else inputs[0]
    try:  # one compilation instead of one for each operator
        return np.asarray(jax.jit(lambda x: model(x, training=False))(given))
    except Exception:  # what looks words up in a table runs in NumPy
        return np.asarray(model(given, training=False))


def check(name, case):
    """Raises where Keras refuses the model or computes something else."""
    model = keras.models.model_from_json(json.dumps(case["model"]))
    weights = [v for v in weights_of(model) if "seed_generator" not in v.path]
    given = [array_of(w) for w in case["weights"]]
    if [list(v.shape) for v in weights] != [list(w.shape) for w in given]:
        raise ValueError(f"weights {[(v.path, v.shape) for v in weights]} for {[w.shape for w in given]}")
    for v, w in zip(weights, given):
        v.assign(w)
    inputs = [array_of(x) for x in case["inputs"]]
    inputs = [x if x.dtype.kind in "US" else x.astype("float32") for x in inputs]
    if name in WHOLE:
        inputs = [np.trunc(x) for x in inputs]
    got, expected = outputs_of(model, inputs), array_of(case["output"])
    if got.shape != expected.shape or not np.allclose(got, expected, rtol=1e-4, atol=1e-5, equal_nan=True):
        raise ValueError(f"differs: {got.shape} {got.ravel()[:5]} for {expected.shape} {expected.ravel()[:5]}")


def main(folder, seconds):
    end, counts = time.monotonic() + seconds, {"agree": 0, "wrong": 0, "own": 0, "late": 0, "keras": 0}
    for path in sorted(Path(folder).glob("*.json")):
        if time.monotonic() > end:
            counts["late"] += 1
            continue
        text = path.read_text().replace("-inf", "-Infinity").replace(" inf", " Infinity").replace("nan,", "NaN,").replace("nan]", "NaN]")
        keras.backend.clear_session()
        try:
            check(path.stem, json.loads(text))
            counts["agree"] += 1
        except Exception as error:  # printed: the point is which layers Keras refuses
            message = str(error).strip().replace("\n", " ")
            if path.stem in KERAS_FAILS or "requires TensorFlow" in message:
                counts["keras"] += 1
                continue
            own = "not a KerasSaveable subclass" in message or "Could not locate class" in message
            counts["own" if own else "wrong"] += 1
            print(path.stem, "is not in Keras" if own else f"{type(error).__name__}: ... {message[-300:]}", flush=True)
    late = f"; {counts['late']} were not reached in {seconds:.0f} s" if counts["late"] else ""
    print(f"layers in Keras: {counts['agree']} agree, {counts['wrong']} do not, {counts['own']} are Cajal's own, {counts['keras']} fail in Keras itself or need TensorFlow{late}")
    return counts["wrong"] > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 1e9))
