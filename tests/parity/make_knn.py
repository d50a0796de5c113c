"""Makes tests/parity/fixtures/knn.safetensors with a real scikit-learn.

    python3 -m venv /tmp/sklearn && /tmp/sklearn/bin/pip install scikit-learn
    /tmp/sklearn/bin/python tests/parity/make_knn.py

The committed file came from scikit-learn 1.9.1 on numpy 2.4.6. Every case has x, y, queries, and what KNeighborsClassifier
(algorithm "brute") makes of them: labels, shares, distances and indices; and cross_val_score over KFold, which cuts in
order. scikit-learn says nothing of the order of neighbours at one distance, so the data has none where it would matter.
"""

from pathlib import Path

import numpy as np
import sklearn
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from generator.store import Fixture

SAMPLES, QUERIES, WIDTH, CLASSES, FOLDS = 83, 21, 19, 6, 5


def data(kind, random):
    """Overlapping clusters, so that votes are divided; the first three queries are samples themselves."""
    y = np.concatenate([np.arange(CLASSES), random.integers(0, CLASSES, SAMPLES + QUERIES - CLASSES)])
    points = random.normal(size=(CLASSES, WIDTH))[y] + random.normal(scale=2, size=(SAMPLES + QUERIES, WIDTH))
    if kind == "uint8":
        points = np.clip(128 + 30 * points, 0, 255).astype(np.uint8)
    else:
        points = points.astype(np.float32)
    x, queries = points[:SAMPLES], points[SAMPLES:]
    queries[:3] = x[10:13]
    return x, y[:SAMPLES].astype(np.int32), queries


def make():
    fixture = Fixture("knn", "KNeighborsClassifier and cross_val_score of scikit-learn", 2e-6, 1e-7,
                      "float32 sums of 19 terms against float64: (19 + 3) / 2 epsilon, 1.3e-6, and half of it after a root; "
                      "scikit-learn leaves shares up to 1e-7 where its distance of equal samples is not quite 0")
    random = np.random.default_rng(11)
    for kind in ("uint8", "float32"):
        for metric, name in (("l2", "euclidean"), ("l1", "manhattan")):
            for weights in ("uniform", "distance"):
                for k in (1, 2, 5, 8):
                    add(fixture, kind, metric, name, weights, k, random)
    return fixture


def votes_are_clear(knn, x, y):
    """Whether no fold of the cross-validation has a neighbour k + 1 at the distance of neighbour k."""
    for train, test in KFold(FOLDS).split(x):
        distances, _ = sklearn.clone(knn).fit(x[train], y[train]).kneighbors(x[test], knn.n_neighbors + 1)
        if np.any(distances[:, -1] - distances[:, -2] < 1e-4):
            return False
    return True


def add(fixture, kind, metric, name, weights, k, random):
    while True:
        x, y, queries = data(kind, random)
        wide_x, wide_queries = x.astype(np.float64), queries.astype(np.float64)
        knn = KNeighborsClassifier(k, weights=weights, metric=name, algorithm="brute").fit(wide_x, y)
        distances, indices = knn.kneighbors(wide_queries, k + 1)
        if np.all(np.diff(distances, axis=1) > 1e-4) and votes_are_clear(knn, wide_x, y):
            break
    direct = wide_queries[:, None] - wide_x[indices]  # scikit-learn's own distances cancel near 0
    exact = np.sqrt((direct**2).sum(-1)) if metric == "l2" else np.abs(direct).sum(-1)
    assert np.allclose(exact, distances, atol=1e-5)
    scores = cross_val_score(KNeighborsClassifier(k, weights=weights, metric=name, algorithm="brute"), wide_x, y,
                             cv=KFold(FOLDS))
    fixture.add(f"{kind}_{metric}_{weights}_{k}",
                {"x": x, "y": y, "queries": queries, "labels": knn.predict(wide_queries).astype(np.int32),
                 "shares": knn.predict_proba(wide_queries), "f64:distances": exact[:, :k], "indices": indices[:, :k],
                 "f64:scores": scores}, metric=metric, weights=weights, k=k, folds=FOLDS)


if __name__ == "__main__":
    size, cases = make().write(Path(__file__).parent / "fixtures",
                               {"sklearn": sklearn.__version__, "numpy": np.__version__})
    print(f"knn: {cases} cases, {size} bytes")
