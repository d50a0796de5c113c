"""Real Keras reads the operators between layers that Cajal writes, and computes the same.
`tests/formats/operations FOLDER` (the test program), then `load_operations.py FOLDER [SECONDS]`: tools/parity runs both. What
is not reached within SECONDS is said, and is no failure."""

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

# Models that Keras 3.15.1 with JAX cannot load or run either when it wrote them itself: lists that were tuples are not
# hashed, symbolic shapes that are wrong, arrays that are no arrays of JAX.
KERAS_FAILS = {"adaptive_average_pool", "adaptive_max_pool", "conv_3d", "conv_transpose", "corrcoef", "max_pool_2d", "nanquantile",
               "norm", "quantile", "quantile_list", "rearrange", "repeat_each", "rot90"}

X = np.array([0.1 + (j * 7 % 19) / 10 for j in range(24)], "float32").reshape(2, 3, 4)
I = np.array([j % 3 for j in range(6)], "int32").reshape(2, 3)


def output_of(model):
    try:  # one compilation instead of one for each operator
        return np.asarray(jax.jit(lambda x: model(x)[0])([X, I]), "float64").ravel()
    except Exception:  # what needs the values themselves
        return np.asarray(model([X, I])[0], "float64").ravel()


def fault_of(path):
    """What is wrong with a model; empty if nothing is."""
    expected = np.loadtxt(path.with_suffix(".txt"), ndmin=1)
    try:
        got = output_of(keras.models.model_from_json(path.read_text()))
    except Exception as error:  # returned: the point is which models Keras refuses
        return f"{type(error).__name__}: {str(error)[:400]}"
    same = got.shape == expected.shape and np.allclose(got, expected, rtol=2e-5, atol=2e-6)
    return "" if same else f"differs: {got[:6]} {expected[:6]}"


def main(folder, seconds):
    end, agree, wrong, known, late = time.monotonic() + seconds, 0, 0, [], 0
    for path in sorted(Path(folder).glob("*.json")):
        if time.monotonic() > end:
            late += 1
            continue
        keras.backend.clear_session()
        fault = fault_of(path)
        if fault and path.stem in KERAS_FAILS:
            known.append(path.stem)
            continue
        if fault:
            print(path.stem, fault, flush=True)
        agree, wrong = agree + (not fault), wrong + bool(fault)
    rest = f"; {late} were not reached in {seconds:.0f} s" if late else ""
    print(f"operators between layers: {agree} agree, {wrong} do not, {len(known)} fail in Keras itself ({' '.join(known)}){rest}")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 1e9))
