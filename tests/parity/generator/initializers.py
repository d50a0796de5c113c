"""Initializers: the mean, deviation and limits that Keras's formulas give for a shape, checked on Keras's own samples.

Each case: spec, shape, mean, stddev, low, high (limits that no element passes; null if none), constant (or null),
orthogonal (true: the flattened matrix Q has Q^T Q = gain^2 I, or Q Q^T if it is wider than tall).
"""

import math

import keras
import numpy as np

from .store import Fixture

SHAPES = ((400, 300), (5, 5, 40, 80), (30000,))
CUT = 0.87962566103423978  # the deviation of a unit normal that is cut at two deviations


def fans(shape):
    if len(shape) == 1:
        return shape[0], shape[0]
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


def expected(name, options, shape):
    if name in ("zeros", "ones", "constant"):
        value = {"zeros": 0.0, "ones": 1.0, "constant": options.get("value", 0.0)}[name]
        return {"mean": value, "stddev": 0.0, "low": value, "high": value}
    if name == "random_normal":
        return {"mean": options.get("mean", 0.0), "stddev": options.get("stddev", 0.05), "low": None, "high": None}
    if name == "truncated_normal":
        mean, s = options.get("mean", 0.0), options.get("stddev", 0.05)
        return {"mean": mean, "stddev": s * CUT, "low": mean - 2 * s, "high": mean + 2 * s}
    if name == "random_uniform":
        low, high = options.get("minval", -0.05), options.get("maxval", 0.05)
        return {"mean": (low + high) / 2, "stddev": (high - low) / math.sqrt(12), "low": low, "high": high}
    fan_in, fan_out = fans(shape)
    if name == "variance_scaling":
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[options.get("mode", "fan_in")]
        variance, kind = options.get("scale", 1.0) / fan, options.get("distribution", "truncated_normal")
        if kind == "untruncated_normal":
            return {"mean": 0.0, "stddev": math.sqrt(variance), "low": None, "high": None}
    else:
        family, kind = name.split("_")
        variance = {"glorot": 2 / (fan_in + fan_out), "he": 2 / fan_in, "lecun": 1 / fan_in}[family]
    if kind == "uniform":
        limit = math.sqrt(3 * variance)
        return {"mean": 0.0, "stddev": math.sqrt(variance), "low": -limit, "high": limit}
    limit = 2 * math.sqrt(variance) / CUT
    return {"mean": 0.0, "stddev": math.sqrt(variance), "low": -limit, "high": limit}


def check(name, sample, e):
    n = sample.size
    error = 5 * e["stddev"] / math.sqrt(n) + 1e-6
    if abs(sample.mean(dtype="float64") - e["mean"]) > error or abs(sample.std(dtype="float64") - e["stddev"]) > error:
        raise ValueError(f"{name}: Keras draws {sample.mean()}, {sample.std()}; the formula says {e}")
    slack = 1e-6 * (1 + abs(e["mean"]))
    if e["low"] is not None and (sample.min() < e["low"] - slack or sample.max() > e["high"] + slack):
        raise ValueError(f"{name}: Keras draws {sample.min()} to {sample.max()}; the formula says {e}")


def make():
    fixture = Fixture("initializers", "initializers: moments and limits", 0.0, 0.0, "5 standard errors of the sample")
    plain = [("zeros", {}), ("ones", {}), ("constant", {"value": 0.25}), ("random_normal", {}), ("random_uniform", {}),
             ("truncated_normal", {}), ("random_normal", {"mean": 1.0, "stddev": 0.2}), ("random_uniform", {"minval": -1.0, "maxval": 3.0}),
             ("truncated_normal", {"mean": -1.0, "stddev": 0.5})]
    scaled = [(f"{family}_{kind}", {}) for family in ("glorot", "he", "lecun") for kind in ("normal", "uniform")]
    scaled += [("variance_scaling", {}), ("variance_scaling", {"scale": 3.0, "mode": "fan_out", "distribution": "uniform"}),
               ("variance_scaling", {"scale": 0.3, "mode": "fan_avg", "distribution": "untruncated_normal"}),
               ("variance_scaling", {"scale": 2.0, "mode": "fan_avg"})]
    for name, options in plain + scaled:
        cls = "".join(part.capitalize() for part in name.split("_"))
        text = ", ".join(f"{key}={value}" for key, value in options.items())
        for shape in SHAPES:
            e = expected(name, options, shape)
            seed = {} if name in ("zeros", "ones", "constant") else {"seed": 3}
            sample = np.asarray(getattr(keras.initializers, cls)(**options, **seed)(shape))
            check(name, sample, e)
            spec = f"{name}({text})" if text else name
            moments = {"f64:sample": np.array([sample.mean(dtype="float64"), sample.std(dtype="float64"), sample.min(), sample.max()])}
            fixture.add(f"{spec} {'x'.join(map(str, shape))}", moments, spec=spec, shape=list(shape), orthogonal=None, **e)
    for shape in ((40, 40), (60, 20), (20, 60), (3, 3, 8, 16), (2, 2, 4, 32)):
        for gain in (1.0, 1.7):
            q = np.asarray(keras.initializers.Orthogonal(gain=gain, seed=3)(shape), "float64").reshape(-1, shape[-1])
            gram = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
            if abs(gram - gain**2 * np.eye(len(gram))).max() > 1e-5:
                raise ValueError(f"orthogonal {shape}: Keras's own is not")
            spec = "orthogonal" if gain == 1 else f"orthogonal(gain={gain})"
            fixture.add(f"{spec} {'x'.join(map(str, shape))}", {}, spec=spec, shape=list(shape), orthogonal=gain)
    # values to the digit: no random numbers in them
    I = keras.initializers
    exact = [("identity", I.Identity(), (4, 4)), ("identity(gain=2.5)", I.Identity(2.5), (3, 5)), ("IdentityInitializer", I.Identity(), (5, 2)),
             ("stft", I.STFT(), (16, 1, 9)), ("stft(side=imag)", I.STFT("imag"), (16, 1, 9)),
             ("stft(window=hamming, scaling=spectrum)", I.STFT("real", "hamming", "spectrum"), (15, 1, 7)),
             ("stft(real, blackman, density, periodic=true)", I.STFT("real", "blackman", "density", True), (12, 1, 17)),
             ("stft(imag, bartlett, spectrum, true)", I.STFT("imag", "bartlett", "spectrum", True), (9, 1, 5)),
             ("STFTInitializer(real, boxcar)", I.STFT("real", "boxcar"), (8, 1, 5))]
    for spec, initializer, shape in exact:
        fixture.add(f"{spec} {'x'.join(map(str, shape))}", {"exact": np.asarray(initializer(shape))}, spec=spec, shape=list(shape), orthogonal=None)
    return [fixture]
