"""Regularizers: the penalty of a weight x (part "penalty", float64) and its gradient (part "gradient")."""

import jax
import keras
import numpy as np
from keras import regularizers as R

from .store import Fixture

RULES = {
    "l1": R.L1(), "l1(0.3)": R.L1(0.3), "l2": R.L2(), "l2(0.2)": R.L2(0.2), "l1_l2(l1=0.1, l2=0.2)": R.L1L2(0.1, 0.2), "L1L2(l2=0.5)": R.L1L2(l2=0.5),
    "orthogonal_regularizer": R.OrthogonalRegularizer(), "orthogonal_regularizer(0.5, columns)": R.OrthogonalRegularizer(0.5, "columns"),
    "OrthogonalRegularizer(factor=2, mode=rows)": R.OrthogonalRegularizer(2.0, "rows"),
}


def make():
    fixture = Fixture("regularizers", "regularizers: penalties and their gradients", 2e-5, 1e-6, "sums of float32 in another order")
    random = np.random.default_rng(11)
    for spec, rule in RULES.items():
        for shape in ((5, 4), (2, 7), (3, 2, 3)):
            if "rthogonal" in spec and len(shape) != 2:
                continue
            x = random.normal(0, 1, shape).astype("float32")
            value, gradient = jax.value_and_grad(lambda w: rule(w).sum())(x)
            fixture.add(f"{spec} {'x'.join(map(str, shape))}", {"x": x, "penalty": np.asarray(value).reshape(1), "gradient": np.asarray(gradient)}, spec=spec)
    return [fixture]
