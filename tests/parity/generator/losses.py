"""Losses: per-sample values, the reduced value with and without sample weights, and its gradient by the prediction.

Parts: y_true, y_pred, values (without the last axis), mean, dmean; weights (N), weighted, dweighted (with them).
"""

import jax
import jax.numpy as jnp
import keras
import numpy as np

from .store import Fixture


def spec(name, options):
    text = ", ".join(f"{key}={str(value).lower()}" for key, value in options.items())
    return f"{name}({text})" if text else name


def add(fixture, case, name, options, y_true, y_pred):
    function = getattr(keras.losses, name)
    cls = "".join(part.capitalize() for part in name.split("_"))
    loss = getattr(keras.losses, cls)(**options)
    weights = np.linspace(0.25, 2.0, len(y_pred)).astype("float32")
    # Keras broadcasts weights (N) against values (N, T) from the right, so a weight a sample needs the shape (N, 1).
    weights = weights.reshape(-1, *[1] * (function(y_true, y_pred, **options).ndim - 1))
    mean, dmean = jax.value_and_grad(lambda p: loss(y_true, p))(jnp.asarray(y_pred))
    weighted, dweighted = jax.value_and_grad(lambda p: loss(y_true, p, sample_weight=weights))(jnp.asarray(y_pred))
    fixture.add(case, {"y_true": y_true, "y_pred": y_pred, "values": function(y_true, y_pred, **options), "weights": weights,
                       "mean": np.reshape(mean, 1), "dmean": dmean, "weighted": np.reshape(weighted, 1), "dweighted": dweighted},
                spec=spec(name, options))


def probabilities(rng, shape):
    z = np.exp(rng.normal(0, 2, shape))
    return (z / z.sum(-1, keepdims=True)).astype("float32")


def make():
    fixture = Fixture("losses", "losses: values, reduction, gradients", 2e-5, 1e-6, "logarithms of two libraries, sums of 60 terms")
    rng = np.random.default_rng(11)
    for shape, tag in (((6, 5), "nc"), ((4, 3, 5), "ntc")):
        logits = rng.normal(0, 3, shape).astype("float32")
        p, ids = probabilities(rng, shape), rng.integers(0, 5, shape[:-1]).astype("int32")
        hot = np.eye(5, dtype="float32")[ids]
        soft = probabilities(rng, shape)
        for from_logits, pred in ((True, logits), (False, p)):
            o = {"from_logits": True} if from_logits else {}
            form = "logits" if from_logits else "probabilities"
            add(fixture, f"sparse_{tag}_{form}", "sparse_categorical_crossentropy", o, ids, pred)
            add(fixture, f"sparse_{tag}_{form}_column", "sparse_categorical_crossentropy", o, ids[..., None], pred)
            add(fixture, f"categorical_{tag}_{form}", "categorical_crossentropy", o, hot, pred)
            add(fixture, f"categorical_{tag}_{form}_soft", "categorical_crossentropy", o, soft, pred)
            add(fixture, f"categorical_{tag}_{form}_smooth", "categorical_crossentropy", {**o, "label_smoothing": 0.1}, hot, pred)
        # Probabilities that do not add up to one are divided by their sum (categorical) or clipped only.
        add(fixture, f"categorical_{tag}_unnormalized", "categorical_crossentropy", {}, hot, 2.5 * p)
        add(fixture, f"sparse_{tag}_unnormalized", "sparse_categorical_crossentropy", {}, ids, 0.4 * p)
        add(fixture, f"categorical_hinge_{tag}", "categorical_hinge", {}, hot, logits)
    saturated = np.array([[1, 0, 0], [0, 1, 0], [1e-9, 1 - 1e-9, 0], [0.2, 0.3, 0.5]], "float32")
    add(fixture, "sparse_saturated", "sparse_categorical_crossentropy", {}, np.array([0, 0, 0, 2], "int32"), saturated)
    add(fixture, "categorical_saturated", "categorical_crossentropy", {}, np.eye(3, dtype="float32")[[0, 0, 0, 2]], saturated)
    far = np.array([[90, -90, 0], [-200, 300, 1]], "float32")
    add(fixture, "sparse_far_logits", "sparse_categorical_crossentropy", {"from_logits": True}, np.array([1, 1], "int32"), far)
    for shape, tag in (((7, 1), "n1"), ((5, 4), "nc"), ((3, 2, 4), "ntc")):
        z = rng.normal(0, 3, shape).astype("float32")
        p, t = (1 / (1 + np.exp(-z))).astype("float32"), rng.integers(0, 2, shape).astype("float32")
        for options in ({}, {"label_smoothing": 0.2}):
            end = "_smooth" if options else ""
            add(fixture, f"binary_{tag}_logits{end}", "binary_crossentropy", {"from_logits": True, **options}, t, z)
            add(fixture, f"binary_{tag}_probabilities{end}", "binary_crossentropy", options, t, p)
        target = rng.normal(0, 2, shape).astype("float32")
        add(fixture, f"mse_{tag}", "mean_squared_error", {}, target, z)
        add(fixture, f"mae_{tag}", "mean_absolute_error", {}, target, z)
        add(fixture, f"hinge_{tag}", "hinge", {}, 2 * t - 1, z)
        add(fixture, f"hinge_{tag}_from_zero_one", "hinge", {}, t, z)
    ends = np.array([[0.0], [1.0], [0.0], [1.0], [1e-8]], "float32")
    add(fixture, "binary_saturated", "binary_crossentropy", {}, np.array([[0], [1], [1], [0], [1]], "float32"), ends)
    far = np.array([[100.0], [-100.0], [50.0], [-60.0]], "float32")
    add(fixture, "binary_far_logits", "binary_crossentropy", {"from_logits": True}, np.array([[0], [1], [1], [0]], "float32"), far)
    # Targets of shape (N,) against predictions (N, 1), as trainers meet them.
    z = rng.normal(0, 2, (6, 1)).astype("float32")
    for name, t in (("mean_squared_error", rng.normal(0, 1, 6)), ("mean_absolute_error", rng.normal(0, 1, 6)),
                    ("hinge", np.array([1, -1, 1, 1, -1, -1]))):
        add(fixture, f"{name}_flat_target", name, {}, t.astype("float32")[:, None], z)
    return [fixture]
