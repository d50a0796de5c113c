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
    return [fixture, streams()]


SIZES = (3, 5, 1, 4)


def word(value):
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(map(str, value)) + ")"
    return str(value).lower() if isinstance(value, bool) else str(value)


def stream(fixture, case, cls, options, y, p, weights):
    """Batches of SIZES into one metric; results after each, without and with sample weights."""
    parts = {"y": y, "p": p, "weights": weights}
    for kind, w in (("plain", None), ("weighted", weights)):
        metric, rows, at = getattr(keras.metrics, cls)(**options), [], 0
        for size in SIZES:
            part = slice(at, at + size)
            metric.update_state(y[part], p[part], sample_weight=None if w is None else w[part])
            rows.append(np.atleast_1d(np.asarray(metric.result(), "float64")))
            at += size
        parts["f64:" + kind] = np.stack(rows)
    settings = ", ".join(f"{key}={word(value)}" for key, value in options.items())
    fixture.add(case, parts, spec=f"{cls}({settings})" if settings else cls)


def streams():
    fixture = Fixture("metric_streams", "metrics after each of four uneven batches", 1e-5, 1e-6,
                      "Keras adds up in float32, and divides differences of such sums")
    rng = np.random.default_rng(31)
    n, weights = sum(SIZES), rng.uniform(0.2, 3, sum(SIZES)).astype("float32")
    b = np.round(rng.uniform(0, 1, n), 2).astype("float32")
    b[:6] = [0, 1, 0.5, 0.5, 0.25, 0.75]
    t = (rng.uniform(size=n) < 0.2 + 0.6 * b).astype("float32")
    multi = rng.uniform(0, 1, (n, 4)).astype("float32")
    multi[2, 1] = multi[2, 3]
    multi_t = rng.integers(0, 2, (n, 4)).astype("float32")
    logits = rng.normal(0, 2, (n, 4)).astype("float32")

    def case(name, cls, options=None, y=multi_t, p=multi):
        stream(fixture, name, cls, options or {}, y, p, weights)

    for cls in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives"):
        case(f"{cls}", cls)
        case(f"{cls}_at", cls, {"thresholds": [0.2, 0.75, 0.9]}, t, b)
    for cls in ("Precision", "Recall"):
        case(cls, cls)
        case(f"{cls}_flat", cls, {}, t, b)
        case(f"{cls}_at", cls, {"thresholds": [0.1, 0.3, 0.8]})
        case(f"{cls}_one", cls, {"thresholds": 0.7})
        case(f"{cls}_class", cls, {"class_id": 2})
        case(f"{cls}_top", cls, {"top_k": 2})
        case(f"{cls}_top_class", cls, {"top_k": 2, "class_id": 1, "thresholds": [0.5]})
        case(f"{cls}_nothing", cls, {}, 0 * t, b)
    for cls, key in (("SensitivityAtSpecificity", "specificity"), ("SpecificityAtSensitivity", "sensitivity"),
                     ("PrecisionAtRecall", "recall"), ("RecallAtPrecision", "precision")):
        for value in (0.3, 0.6, 0.95):
            case(f"{cls}_{value}", cls, {key: value})
        case(f"{cls}_few", cls, {key: 0.5, "num_thresholds": 5}, t, b)
        case(f"{cls}_single", cls, {key: 0.4, "num_thresholds": 1}, t, b)
        case(f"{cls}_class", cls, {key: 0.5, "class_id": 3})
    for curve in ("ROC", "PR", "PRGAIN"):
        for method in ("interpolation", "minoring", "majoring"):
            o = {"curve": curve, "summation_method": method}
            case(f"AUC_{curve}_{method}", "AUC", o, t, b)
            case(f"AUC_{curve}_{method}_multi", "AUC", {**o, "multi_label": True})
    case("AUC_few", "AUC", {"num_thresholds": 7}, t, b)
    case("AUC_flat", "AUC")
    case("AUC_listed", "AUC", {"thresholds": [0.15, 0.4, 0.85]}, t, b)
    case("AUC_logits", "AUC", {"from_logits": True}, multi_t, logits)
    case("AUC_label_weights", "AUC", {"label_weights": [0.5, 2.0, 1.0, 0.0]})
    case("AUC_multi_weights", "AUC", {"multi_label": True, "label_weights": [0.5, 2.0, 1.0, 0.25], "curve": "PR"})
    case("AUC_nothing", "AUC", {}, 0 * t, b)
    ids = rng.integers(0, 4, n).astype("int32")
    hot, q = np.eye(4, dtype="float32")[ids], rng.dirichlet(np.ones(4), n).astype("float32")
    q[4] = 0
    for average in ("micro", "macro", "weighted", None):
        o = {} if average is None else {"average": average}
        case(f"F1_{average}", "F1Score", o, hot, q)
        case(f"F1_{average}_at", "F1Score", {**o, "threshold": 0.4})
        case(f"FBeta_{average}", "FBetaScore", {**o, "beta": 2.0}, hot, q)
        case(f"FBeta_{average}_at", "FBetaScore", {**o, "beta": 0.5, "threshold": 0.6})
    guess = rng.integers(0, 4, n).astype("int32")
    case("MeanIoU", "MeanIoU", {"num_classes": 4}, ids, guess.astype("float32"))
    case("MeanIoU_more", "MeanIoU", {"num_classes": 6}, ids, guess.astype("float32"))
    case("MeanIoU_fewer", "MeanIoU", {"num_classes": 3}, ids, guess.astype("float32"))
    case("MeanIoU_ignore", "MeanIoU", {"num_classes": 4, "ignore_class": 2}, ids, guess.astype("float32"))
    case("MeanIoU_scores", "MeanIoU", {"num_classes": 4, "sparse_y_pred": False}, ids, q)
    case("IoU", "IoU", {"num_classes": 4, "target_class_ids": [0, 2]}, ids, guess.astype("float32"))
    case("IoU_hot", "IoU", {"num_classes": 4, "target_class_ids": [1], "sparse_y_true": False, "sparse_y_pred": False}, hot, q)
    case("BinaryIoU", "BinaryIoU", {}, t, b)
    case("BinaryIoU_one", "BinaryIoU", {"target_class_ids": [1], "threshold": 0.3}, t, b)
    case("OneHotIoU", "OneHotIoU", {"num_classes": 4, "target_class_ids": [0, 3]}, hot, q)
    case("OneHotMeanIoU", "OneHotMeanIoU", {"num_classes": 4}, hot, q)
    reals, reals_t = rng.normal(1, 2, (n, 3)).astype("float32"), rng.normal(1, 2, (n, 3)).astype("float32")
    case("RootMeanSquaredError", "RootMeanSquaredError", {}, reals_t, reals)
    case("RootMeanSquaredError_flat", "RootMeanSquaredError", {}, reals_t[:, 0], reals[:, 0])
    near = (reals_t + rng.normal(0, 0.5, (n, 3))).astype("float32")
    for aggregation in ("uniform_average", "variance_weighted_average"):
        case(f"R2_{aggregation}", "R2Score", {"class_aggregation": aggregation}, reals_t, near)
        case(f"R2_{aggregation}_adjusted", "R2Score", {"class_aggregation": aggregation, "num_regressors": 2}, reals_t, near)
    for cls in ("PearsonCorrelation", "ConcordanceCorrelation", "CosineSimilarity", "LogCoshError", "MeanSquaredError",
                "MeanAbsoluteError", "MeanAbsolutePercentageError"):
        case(cls, cls, {}, reals_t, reals)
    case("MeanSquaredLogarithmicError", "MeanSquaredLogarithmicError", {}, np.abs(reals_t), np.abs(reals))
    case("Hinge", "Hinge", {}, np.sign(reals_t), reals)
    case("SquaredHinge", "SquaredHinge", {}, np.sign(reals_t), reals)
    case("CategoricalHinge", "CategoricalHinge", {}, hot, logits)
    case("KLDivergence", "KLDivergence", {}, np.roll(q, 1, 0), q)
    case("Poisson", "Poisson", {}, np.abs(reals_t), np.abs(reals))
    case("BinaryCrossentropy", "BinaryCrossentropy", {"from_logits": True}, multi_t, logits)
    case("BinaryCrossentropy_smooth", "BinaryCrossentropy", {"label_smoothing": 0.2})
    case("CategoricalCrossentropy", "CategoricalCrossentropy", {"from_logits": True}, hot, logits)
    case("SparseCategoricalCrossentropy", "SparseCategoricalCrossentropy", {"from_logits": True}, ids, logits)
    case("BinaryAccuracy", "BinaryAccuracy", {"threshold": 0.3})
    case("CategoricalAccuracy", "CategoricalAccuracy", {}, hot, logits)
    case("SparseCategoricalAccuracy", "SparseCategoricalAccuracy", {}, ids, logits)
    case("TopKCategoricalAccuracy", "TopKCategoricalAccuracy", {"k": 2}, hot, logits)
    case("SparseTopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy", {"k": 3}, ids, logits)
    return fixture
