"""Metrics: what model.evaluate() of an identity model reports, over batches of 4.

Parts: x (the predictions), y, weights (optional). The case names the metric, whether it is a weighted metric, and the
shapes; `result` is Keras's number. The loss of the compiled model is "mse" or, for integer targets of another
shape than the prediction, a cross-entropy; only the metric is compared.
"""

import keras
import numpy as np

from .store import Fixture


def add(fixture, case, metric, x, y, weighted=False, loss="mse"):
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    inputs = keras.Input(x.shape[1:])
    model = keras.Model(inputs, keras.layers.Activation("linear")(inputs))
    key = "weighted_metrics" if weighted else "metrics"
    model.compile(loss=loss, **{key: [metric]})
    weights = np.linspace(0.2, 3, len(x)).astype("float32") ** 2
    # Keras wants (N, 1) where the values are (N, T): it broadcasts from the right.
    broadcast = weights[:, None] if x.ndim > 2 else weights
    result = model.evaluate(x, y, sample_weight=broadcast, batch_size=4, verbose=0, return_dict=True)
    names = [name for name in result if name != "loss"]
    if len(names) != 1:
        raise ValueError(f"{case}: {result}")
    fixture.add(case, {"x": x, "y": y, "weights": weights, "f64:result": np.array([result[names[0]]])},
                metric=metric, reported=names[0], weighted=weighted, loss=loss, batch_size=4)


def make():
    fixture = Fixture("metrics", "metrics of evaluate()", 2e-6, 1e-6, "a weighted mean of ten float32 values")
    rng = np.random.default_rng(21)
    p = rng.dirichlet(np.ones(5), 10).astype("float32")
    ids = np.where(rng.uniform(size=10) < 0.5, p.argmax(1), rng.integers(0, 5, 10)).astype("int32")
    hot = np.eye(5, dtype="float32")[ids]
    b = rng.uniform(0, 1, (10, 1)).astype("float32")
    b[3] = 0.5
    t = (rng.uniform(size=(10, 1)) < b).astype("float32")
    multi, multi_t = rng.uniform(0, 1, (10, 4)).astype("float32"), rng.integers(0, 2, (10, 4)).astype("float32")
    sequence = rng.dirichlet(np.ones(4), (10, 3)).astype("float32")
    sequence_ids = rng.integers(0, 4, (10, 3)).astype("int32")
    sequence_hot = np.eye(4, dtype="float32")[sequence_ids]
    reals, reals_t = rng.normal(0, 2, (10, 3)).astype("float32"), rng.normal(0, 2, (10, 3)).astype("float32")
    tied = np.round(p * 6) / 6  # many equal scores
    sparse = "sparse_categorical_crossentropy"
    for weighted in (False, True):
        w = "_weighted" if weighted else ""
        def case(name, *args, **kw):
            add(fixture, name + w, *args, weighted=weighted, **kw)
        for metric in ("accuracy", "acc"):
            case(f"{metric}_ids", metric, p, ids, loss=sparse)
            case(f"{metric}_ids_column", metric, p, ids[:, None], loss=sparse)
            case(f"{metric}_one_hot", metric, p, hot)
            case(f"{metric}_binary", metric, b, t)
            case(f"{metric}_binary_flat_target", metric, b, t[:, 0])
            case(f"{metric}_binary_int_target", metric, b, t.astype("int32"))
            case(f"{metric}_multilabel", metric, multi, multi_t)
            case(f"{metric}_sequence_ids", metric, sequence, sequence_ids, loss=sparse)
            case(f"{metric}_sequence_one_hot", metric, sequence, sequence_hot)
        case("sparse_accuracy_by_name", "sparse_categorical_accuracy", p, ids, loss=sparse)
        case("sparse_accuracy_column", "sparse_categorical_accuracy", p, ids[:, None], loss=sparse)
        case("sparse_accuracy_sequence", "sparse_categorical_accuracy", sequence, sequence_ids, loss=sparse)
        case("sparse_accuracy_ties", "sparse_categorical_accuracy", tied, ids, loss=sparse)
        case("categorical_accuracy_by_name", "categorical_accuracy", p, hot)
        case("categorical_accuracy_sequence", "categorical_accuracy", sequence, sequence_hot)
        case("binary_accuracy_by_name", "binary_accuracy", b, t)
        case("binary_accuracy_multilabel", "binary_accuracy", multi, multi_t)
        big = rng.normal(0, 1, (10, 12)).astype("float32")
        big_ids = rng.integers(0, 12, 10).astype("int32")
        case("sparse_top_k", "sparse_top_k_categorical_accuracy", big, big_ids, loss=sparse)
        case("sparse_top_k_ties", "sparse_top_k_categorical_accuracy", np.round(big), big_ids, loss=sparse)
        case("top_k", "top_k_categorical_accuracy", big, np.eye(12, dtype="float32")[big_ids])
        case("top_k_ties", "top_k_categorical_accuracy", np.round(big), np.eye(12, dtype="float32")[big_ids])
        for metric in ("mse", "mae", "mean_squared_error", "mean_absolute_error"):
            case(f"{metric}_reals", metric, reals, reals_t)
        case("mse_flat_target", "mse", b, t[:, 0])
        case("sparse_crossentropy_metric", sparse, p, ids, loss=sparse)
        case("categorical_crossentropy_metric", "categorical_crossentropy", p, hot)
        case("binary_crossentropy_metric", "binary_crossentropy", b, t)
        case("hinge_metric", "hinge", reals, np.sign(reals_t))
        case("categorical_hinge_metric", "categorical_hinge", p, hot)
    return [fixture]
