"""Losses: per-sample values, the reduced value and its gradient by the prediction.

Parts: y_true, y_pred, values (without the last axis), mean, dmean; weights (N), weighted, dweighted (with them); and
in some cases mask (N, ...), masked, dmasked (with it), both, dboth (with mask and weights).
"""

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras.src import backend
from keras.src.losses import losses as keras_losses
from keras.src.losses.loss import reduce_weighted_values

from .store import Fixture

CLASSES = {"kl_divergence": "KLDivergence", "ctc": "CTC", "categorical_generalized_cross_entropy": "CategoricalGeneralizedCrossEntropy"}


def word(value):
    return "(" + ", ".join(map(str, value)) + ")" if isinstance(value, tuple) else str(value).lower()


def spec(name, options):
    text = ", ".join(f"{key}={word(value)}" for key, value in options.items())
    return f"{name}({text})" if text else name


def add(fixture, case, name, options, y_true, y_pred, mask=None):
    cls = CLASSES.get(name) or "".join(part.capitalize() for part in name.split("_"))
    loss = getattr(keras_losses, cls)(**options)
    values = loss.call(jnp.asarray(y_true), jnp.asarray(y_pred))
    weights = np.linspace(0.25, 2.0, len(y_pred)).astype("float32")
    # Keras broadcasts weights (N) against values (N, T) from the right, so a weight a sample needs the shape (N, 1).
    weights = weights.reshape(-1, *[1] * (values.ndim - 1))

    def reduced(p, weights, mask):
        values = loss.call(jnp.asarray(y_true), p)
        own = backend.get_keras_mask(values)
        mask = own if mask is None else mask if own is None else own & mask
        return reduce_weighted_values(values, sample_weight=weights, mask=mask, reduction=loss.reduction)

    parts = {"y_true": y_true, "y_pred": y_pred, "values": values, "weights": weights}
    kinds = [("mean", None, None), ("weighted", weights, None)]
    if mask is not None:
        parts["mask"] = mask
        kinds += [("masked", None, mask), ("both", weights, mask)]
    for kind, w, m in kinds:
        value, gradient = jax.value_and_grad(lambda p: reduced(p, w, m))(jnp.asarray(y_pred))
        parts |= {kind: np.reshape(value, 1), "d" + kind: gradient}
    if mask is None:
        direct = loss(y_true, y_pred, sample_weight=weights)
        np.testing.assert_allclose(direct, parts["weighted"][0], rtol=1e-6)
    fixture.add(case, parts, spec=spec(name, options))


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
    further(fixture, np.random.default_rng(12))
    areas(fixture, np.random.default_rng(13))
    pairs_and_sequences(fixture, np.random.default_rng(14))
    reductions(fixture, np.random.default_rng(15))
    return [fixture]


def further(fixture, rng):
    """Losses that are one expression of targets and predictions, and settings of cross-entropies."""
    for shape, tag in (((6, 5), "nc"), ((3, 4, 5), "ntc")):
        z, t = rng.normal(0, 2, shape).astype("float32"), rng.normal(0, 2, shape).astype("float32")
        p, soft = probabilities(rng, shape), probabilities(rng, shape)
        ids = rng.integers(0, 5, shape[:-1]).astype("int32")
        hot = np.eye(5, dtype="float32")[ids]
        sides = rng.integers(0, 2, shape).astype("float32")
        likely = (1 / (1 + np.exp(-z))).astype("float32")
        add(fixture, f"mape_{tag}", "mean_absolute_percentage_error", {}, t, z)
        add(fixture, f"msle_{tag}", "mean_squared_logarithmic_error", {}, np.abs(t), np.abs(z))
        add(fixture, f"msle_{tag}_negative", "mean_squared_logarithmic_error", {}, t, z)
        add(fixture, f"huber_{tag}", "huber", {}, t, z)
        add(fixture, f"huber_{tag}_delta", "huber", {"delta": 0.4}, t, z)
        add(fixture, f"log_cosh_{tag}", "log_cosh", {}, t, z)
        add(fixture, f"log_cosh_{tag}_far", "log_cosh", {}, 30 * t, 30 * z)
        add(fixture, f"cosine_{tag}", "cosine_similarity", {}, t, z)
        add(fixture, f"squared_hinge_{tag}", "squared_hinge", {}, 2 * sides - 1, z)
        add(fixture, f"squared_hinge_{tag}_from_zero_one", "squared_hinge", {}, sides, z)
        add(fixture, f"kl_divergence_{tag}", "kl_divergence", {}, soft, p)
        add(fixture, f"kl_divergence_{tag}_one_hot", "kl_divergence", {}, hot, p)
        add(fixture, f"poisson_{tag}", "poisson", {}, np.abs(t), np.abs(z))
        add(fixture, f"generalized_{tag}", "categorical_generalized_cross_entropy", {}, ids, p)
        add(fixture, f"generalized_{tag}_q", "categorical_generalized_cross_entropy", {"q": 0.8}, ids, p)
        for form, o, of_classes, of_sides in (("logits", {"from_logits": True}, z, z), ("probabilities", {}, p, likely)):
            for more, end in (({}, ""), ({"label_smoothing": 0.1}, "_smooth"), ({"alpha": 0.6, "gamma": 3.0}, "_gamma"),
                              ({"gamma": 0.5}, "_root"), ({"gamma": 0.0}, "_flat")):
                add(fixture, f"focal_{tag}_{form}{end}", "categorical_focal_crossentropy", {**o, **more}, hot, of_classes)
                add(fixture, f"binary_focal_{tag}_{form}{end}", "binary_focal_crossentropy", {**o, **more}, sides, of_sides)
            add(fixture, f"binary_focal_{tag}_{form}_balanced", "binary_focal_crossentropy", {**o, "apply_class_balancing": True}, sides, of_sides)
            ignoring = np.where(rng.uniform(size=ids.shape) < 0.4, -1, ids).astype("int32")
            add(fixture, f"sparse_{tag}_{form}_ignore", "sparse_categorical_crossentropy", {**o, "ignore_class": -1}, ignoring, of_classes)
            add(fixture, f"sparse_{tag}_{form}_ignore_2", "sparse_categorical_crossentropy", {**o, "ignore_class": 2}, ids, of_classes)
            add(fixture, f"sparse_{tag}_{form}_ignore_all", "sparse_categorical_crossentropy", {**o, "ignore_class": 255},
                np.full_like(ids, 255), of_classes)
            mask = rng.uniform(size=ids.shape) < 0.6
            add(fixture, f"sparse_{tag}_{form}_ignore_masked", "sparse_categorical_crossentropy", {**o, "ignore_class": -1}, ignoring,
                of_classes, mask)
    # Another axis: the classes of (n, c, t).
    z = rng.normal(0, 2, (3, 5, 4)).astype("float32")
    p = np.swapaxes(probabilities(rng, (3, 4, 5)), 1, 2).copy()
    hot = np.swapaxes(np.eye(5, dtype="float32")[rng.integers(0, 5, (3, 4))], 1, 2).copy()
    sides = rng.integers(0, 2, z.shape).astype("float32")
    for form, o, pred in (("logits", {"from_logits": True, "axis": 1}, z), ("probabilities", {"axis": 1}, p)):
        add(fixture, f"categorical_axis_{form}", "categorical_crossentropy", o, hot, pred)
        add(fixture, f"categorical_axis_{form}_smooth", "categorical_crossentropy", {**o, "label_smoothing": 0.2}, hot, pred)
        add(fixture, f"focal_axis_{form}", "categorical_focal_crossentropy", {**o, "axis": -2}, hot, pred)
        add(fixture, f"binary_axis_{form}", "binary_crossentropy", o, sides, pred)
        add(fixture, f"binary_focal_axis_{form}", "binary_focal_crossentropy", o, sides, pred)
    add(fixture, "cosine_axis", "cosine_similarity", {"axis": 1}, hot + 0.5, z)
    # Ends: vectors of zeros, probabilities of 0 and 1 on the wrong side, equal targets and predictions.
    edge = np.array([[0, 0, 0], [1, 2, 2], [0, 0, 5]], "float32")
    add(fixture, "cosine_of_zeros_in_targets", "cosine_similarity", {}, edge, edge[[1, 1, 1]])
    add(fixture, "kl_divergence_of_zeros", "kl_divergence", {}, np.array([[0, 0.4, 0.6], [0.5, 0.5, 0]], "float32"),
        np.array([[0.3, 0.7, 1e-9], [0.9, 1e-12, 0.1]], "float32"))
    add(fixture, "mape_of_zeros", "mean_absolute_percentage_error", {}, np.array([[0, 1], [2, 0]], "float32"),
        np.array([[1e-3, 2], [1, -1e-4]], "float32"))
    add(fixture, "huber_at_delta", "huber", {"delta": 0.5}, np.array([[0.5, 2, -1]], "float32"), np.array([[0, 0, 0]], "float32"))
    add(fixture, "poisson_of_zeros", "poisson", {}, np.array([[0, 3]], "float32"), np.array([[0, 0.0]], "float32"))


def areas(fixture, rng):
    p = rng.uniform(0, 1, (3, 4, 5, 2)).astype("float32")
    t = rng.integers(0, 2, p.shape).astype("float32")
    mask = np.array([True, False, True])
    for name, o, tag in (("dice", {}, "dice"), ("tversky", {}, "tversky"), ("tversky", {"alpha": 0.2, "beta": 0.9}, "tversky_set")):
        add(fixture, tag, name, o, t, p, mask)
        add(fixture, f"{tag}_each", name, {**o, "axis": (1, 2, 3)}, t, p, mask)
        add(fixture, f"{tag}_classes", name, {**o, "axis": (1, -2)}, t, p)
        add(fixture, f"{tag}_sum", name, {**o, "axis": (1, 2, 3), "reduction": "sum"}, t, p)
        add(fixture, f"{tag}_nothing", name, o, 0 * t, p)


def pairs_and_sequences(fixture, rng):
    x = rng.normal(0, 1, (7, 4))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype("float32")
    labels = np.array([0, 1, 0, 2, 1, 0, 3], "int32")  # 2 and 3 have no positive
    for o, tag in (({}, ""), ({"gamma": 8, "margin": 0.25}, "_soft"), ({"gamma": 4, "remove_diagonal": False}, "_diagonal")):
        add(fixture, f"circle{tag}", "circle", o, labels, x)
        add(fixture, f"circle{tag}_sum", "circle", {**o, "reduction": "sum"}, labels, x)
        add(fixture, f"circle{tag}_column", "circle", {**o, "reduction": "mean_with_sample_weight"}, labels[:, None], x)
    logits = rng.normal(0, 2, (5, 9, 6)).astype("float32")
    rows = np.array([[1, 2, 3, 0], [4, 4, 0, 0], [5, 1, 5, 5], [0, 0, 0, 0], [2, 2, 2, 2]], "int32")
    add(fixture, "ctc", "ctc", {}, rows, logits)
    add(fixture, "ctc_sum", "ctc", {"reduction": "sum"}, rows, logits)
    add(fixture, "ctc_real_labels", "ctc", {}, rows.astype("float32"), logits)
    add(fixture, "ctc_one_label", "ctc", {}, np.array([[1], [0]], "int32"), logits[:2])
    add(fixture, "ctc_far", "ctc", {}, rows, 20 * logits)
    add(fixture, "ctc_long", "ctc", {}, rng.integers(1, 6, (2, 20)).astype("int32"), rng.normal(0, 1, (2, 50, 6)).astype("float32"))


def reductions(fixture, rng):
    z = rng.normal(0, 2, (4, 3, 5)).astype("float32")
    t = rng.normal(0, 2, z.shape).astype("float32")
    hot = np.eye(5, dtype="float32")[rng.integers(0, 5, (4, 3))]
    mask = rng.uniform(size=(4, 3)) < 0.6
    mask[1] = False
    for reduction in ("sum", "sum_over_batch_size", "mean", "mean_with_sample_weight"):
        o = {"reduction": reduction}
        add(fixture, f"{reduction}_mse", "mean_squared_error", o, t, z, mask)
        add(fixture, f"{reduction}_mse_nothing", "mean_squared_error", o, t, z, np.zeros_like(mask))
        add(fixture, f"{reduction}_categorical", "categorical_crossentropy", {**o, "from_logits": True}, hot, z, mask)
        add(fixture, f"{reduction}_samples", "mean_absolute_error", o, t[:, 0], z[:, 0], mask[:, 0])
        add(fixture, f"{reduction}_ignore", "sparse_categorical_crossentropy", {**o, "from_logits": True, "ignore_class": 1},
            hot.argmax(-1).astype("int32"), z, mask)
