#!/usr/bin/env python3
"""k-NN in numpy: |q|^2 + |x|^2 - 2qx in float32, argpartition."""
import numpy
from threadpoolctl import threadpool_limits

import peer


def make(kind, s):
    if kind != "knn":
        raise ValueError(f"has no {kind}")
    threadpool_limits(s["threads"])
    random = numpy.random.default_rng(0)
    x = random.integers(0, 256, (s["samples"], s["size"])).astype(numpy.float32)
    q = random.integers(0, 256, (s["queries"], s["size"])).astype(numpy.float32)
    norms = (x * x).sum(1)

    def step():
        return numpy.argpartition(norms - 2 * (q @ x.T), 5, axis=1)[:, :5]  # |q|^2 orders nothing
    return step


peer.serve("numpy", numpy.__version__, "float32, dot-product trick, argpartition", make)
