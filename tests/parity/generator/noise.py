"""Noise of some roundings' size behind each operation of a Keras model: where numbers jump by it, a rounding decides them, and
no other program has to have the same."""

import contextlib

import jax.numpy as jnp
import keras
import numpy as np
from keras.src.backend.common import masking
from keras.src.ops.function import Function

SIZE = 1e-6
run_through_graph = Function._run_through_graph
now = None  # (amplitude, phase, operations so far) while a model is traced


def moved(x):
    """x with noise, and its mask."""
    if not hasattr(x, "dtype") or x.dtype != "float32" or x.size == 0:
        return x
    now[2] += 1
    waves = jnp.sin(np.arange(1, x.size + 1, dtype="float32") * now[1] + now[2]).reshape(x.shape)
    y, mask = x + now[0] * waves * (abs(x) + 0.1), masking.get_keras_mask(x)
    if mask is not None:
        masking.set_keras_mask(y, mask)
    return y


def run(self, inputs, operation_fn=lambda op: op, call_fn=None):
    if now is not None and call_fn is None:
        def call_fn(op, *args, **kwargs):
            return keras.tree.map_structure(moved, op(*args, **kwargs))
    return run_through_graph(self, inputs, operation_fn, call_fn)


@contextlib.contextmanager
def noise(amplitude_and_phase):
    """While this lasts, the operations of models have noise; without an argument nothing changes."""
    global now
    if amplitude_and_phase is None:
        yield
        return
    now, Function._run_through_graph = [*amplitude_and_phase, 0], run
    try:
        yield
    finally:
        now, Function._run_through_graph = None, run_through_graph


def near(values, phase):
    """Data moved by as much; zeros stay."""
    return values * (1 + SIZE * np.sin(np.arange(1, values.size + 1) * phase).reshape(values.shape)).astype("float32")
