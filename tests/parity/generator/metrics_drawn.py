"""Metrics of which metrics.py has few cases, by settings drawn at random; cases as its streams have them."""

import numpy as np

from .metrics import SIZES, stream
from .random_models import Draw
from .store import Fixture

N = sum(SIZES)
EACH = 4


def bits(d, shape):
    """Targets and scores, some of these alike and some at the ends."""
    scores = np.round(d.rng.uniform(0, 1, shape), 2).astype("float32")
    scores[d.rng.random(shape) < 0.1] = d.one(0.0, 0.5, 1.0)
    return (d.rng.uniform(size=shape) < 0.2 + 0.6 * scores).astype("float32"), scores


def counts(d):
    y, p = bits(d, d.one((N,), (N, 3)))
    thresholds = d.one(None, 0.35, [float(t) for t in np.sort(np.round(d.rng.uniform(0, 1, d.upto(4)), 3))])
    return ({} if thresholds is None else {"thresholds": thresholds}), y, p


def ids_of(d, most):
    """A list of classes, one or more."""
    return [int(v) for v in np.sort(d.rng.permutation(most)[:d.upto(most)])]


def binary_iou(d):
    y, p = bits(d, (N,))
    return {"target_class_ids": ids_of(d, 2), "threshold": float(np.round(d.rng.uniform(0.1, 0.9), 2))}, y, p


def classes(d):
    count = d.upto(6, 2)
    y = d.rng.integers(0, count, N).astype("int32")
    guess = np.where(d.rng.random(N) < 0.5, y, d.rng.integers(0, count, N))
    scores = d.rng.dirichlet(np.ones(count), N).astype("float32")
    ignored = {"ignore_class": d.upto(count - 1, 0)} if d.flag(0.4) else {}
    return count, y, guess, scores, ignored


def iou(d):
    count, y, guess, scores, ignored = classes(d)
    options = {"num_classes": count, "target_class_ids": ids_of(d, count), **ignored}
    if d.flag():
        return {**options, "sparse_y_pred": False}, y, scores
    return options, y, guess.astype("float32")


def one_hot(mean):
    def make(d):
        count, y, guess, scores, ignored = classes(d)
        options = {"num_classes": count, **({} if mean else {"target_class_ids": ids_of(d, count)}), **ignored}
        hot = np.eye(count, dtype="float32")[y]
        if d.flag():
            return {**options, "sparse_y_pred": True}, hot, guess.astype("float32")
        return options, hot, scores
    return make


def reals(d):
    shape = (N, d.upto(5, 2))
    y = d.rng.normal(1, 2, shape).astype("float32")
    return {}, y, (y * d.one(1, -0.5) + d.rng.normal(0, d.one(0.1, 2.0), shape)).astype("float32")


def correlated(d):
    shape = (N, d.upto(6, 3))
    y = d.rng.normal(1, 2, shape).astype("float32")
    axis = d.one({}, {"axis": -1}, {"axis": 1})
    return axis, y, (y * d.one(1, -0.5) + d.rng.normal(0, d.one(0.1, 2.0), shape)).astype("float32")


TABLE = {
    **{word: counts for word in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")},
    "BinaryIoU": binary_iou, "IoU": iou, "OneHotIoU": one_hot(False), "OneHotMeanIoU": one_hot(True),
    "LogCoshError": reals, "RootMeanSquaredError": reals, "PearsonCorrelation": correlated, "ConcordanceCorrelation": correlated,
}


def make():
    fixture = Fixture("metrics_drawn", "metrics after each of four uneven batches, by settings drawn at random", 1e-5, 1e-6,
                      "Keras adds up in float32, and divides differences of such sums")
    for word, draw in TABLE.items():
        for i in range(EACH):
            d = Draw(np.random.default_rng([12, i, *(ord(letter) for letter in word)]))
            options, y, p = draw(d)
            weights = d.rng.uniform(0.2, 3, N).astype("float32")
            stream(fixture, f"{word}_{i}", word, options, y, p, weights)
    return [fixture]
