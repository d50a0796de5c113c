#!/usr/bin/env python3
"""k-NN in numpy: |q|^2 + |x|^2 - 2qx in float32, argpartition. --sklearn: scikit-learn's brute force, also in float32."""
import os
import sys

for setting in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # read when numpy is loaded; its own choice is the fastest
    os.environ.pop(setting, None)
import numpy  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

import peer  # noqa: E402

SKLEARN = "--sklearn" in sys.argv


def make(kind, s):
    if kind != "knn":
        raise ValueError(f"has no {kind}")
    random = numpy.random.default_rng(0)
    x = random.integers(0, 256, (s["samples"], s["size"]), "uint8").astype(numpy.float32)
    q = random.integers(0, 256, (s["queries"], s["size"]), "uint8").astype(numpy.float32)
    if SKLEARN:
        from sklearn.neighbors import KNeighborsClassifier
        threadpool_limits(s["threads"])  # after the import, that its OpenMP is limited too
        found = KNeighborsClassifier(5, algorithm="brute", n_jobs=s["threads"]).fit(x, random.integers(0, 10, s["samples"]))
        return lambda: found.predict(q)
    threadpool_limits(s["threads"])
    norms = numpy.einsum("ij,ij->i", x, x)

    def step():
        return numpy.argpartition(norms - 2 * (q @ x.T), 5, axis=1)[:, :5]  # |q|^2 orders nothing
    return step


if SKLEARN:
    import sklearn
    peer.serve("scikit-learn", sklearn.__version__, "KNeighborsClassifier, brute, float32", make)
else:
    peer.serve("numpy", numpy.__version__, "float32, dot-product trick, argpartition", make)
