"""Activations: values and derivatives, extreme arguments included, from Keras in float32."""

import jax
import keras
import numpy as np

from .store import Fixture

ELEMENTWISE = ["celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu",
               "linear", "log_sigmoid", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softplus",
               "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "tanh", "tanh_shrink"]
ROWS = ["softmax", "log_softmax", "sparsemax", "glu"]  # over the last axis
ALIASES = ["swish", "hard_swish"]  # other names that keras.activations.get() knows


def make():
    fixture = Fixture("activations", "activations: values and derivatives", 1e-5, 1e-6,
                      "transcendental functions of two libraries differ in the last places")
    grid = np.concatenate([np.linspace(-8, 8, 65) + 0.013, [-1e4, -88, -30, -15, -1e-4, 1e-30, 1e-4, 15, 30, 88, 1e4]])
    grid = grid.astype("float32")
    for name in ELEMENTWISE + ALIASES:
        function = keras.activations.get(name)
        y, back = jax.vjp(function, grid)
        dx = back(np.ones_like(grid))[0]
        # At -1e4 and 1e4 some of Keras's own derivatives are NaN (0 * inf): those elements say nothing.
        keep = np.isfinite(y) & np.isfinite(dx)
        fixture.add(name, {"x": grid[keep], "y": np.asarray(y)[keep], "dx": np.asarray(dx)[keep]}, rows=False,
                    dropped=[float(v) for v in grid[~keep]])
    rng = np.random.default_rng(5)
    rows = rng.normal(0, 2, (6, 8)).astype("float32")
    rows[1] *= 40
    rows[2] = 3
    rows[3, :2] = 1e4
    dy = rng.normal(0, 1, rows.shape).astype("float32")
    for name in ROWS:
        y, back = jax.vjp(keras.activations.get(name), rows)
        fixture.add(name, {"x": rows, "y": y, "dy": dy[:, :y.shape[1]], "dx": back(dy[:, :y.shape[1]])[0]}, rows=True)
    for arguments in ({"negative_slope": 0.3}, {"max_value": 2.0}, {"threshold": 0.5}):
        text = ", ".join(f"{key}={value}" for key, value in arguments.items())
        y, back = jax.vjp(lambda x: keras.activations.relu(x, **arguments), grid)
        fixture.add(f"relu({text})", {"x": grid, "y": y, "dx": back(np.ones_like(grid))[0]}, rows=False, dropped=[])
    # Arguments that the spec of an activation carries.
    for name, arguments in (("celu", {"alpha": 0.3}), ("celu", {"alpha": 2.5}), ("elu", {"alpha": 0.4}), ("hard_shrink", {"threshold": 1.25}),
                            ("soft_shrink", {"threshold": 0.0}), ("soft_shrink", {"threshold": 2.0}), ("squareplus", {"b": 0.5}),
                            ("leaky_relu", {"negative_slope": 0.05}), ("threshold", {"threshold": 0.7, "default_value": -3.0}),
                            ("gelu", {"approximate": True})):
        text = ", ".join(f"{key}={str(value).lower()}" for key, value in arguments.items())
        y, back = jax.vjp(lambda x: getattr(keras.activations, name)(x, **arguments), grid)
        dx = back(np.ones_like(grid))[0]
        keep = np.isfinite(y) & np.isfinite(dx)
        if name == "gelu":  # 1 + tanh(u) is 0 in Keras's float32 there, and with it the derivative
            keep &= (grid > -4) | (grid < -9)
        fixture.add(f"{name}({text})", {"x": grid[keep], "y": np.asarray(y)[keep], "dx": np.asarray(dx)[keep]}, rows=False,
                    dropped=[float(v) for v in grid[~keep]])
    return [fixture]
