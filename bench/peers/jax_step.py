#!/usr/bin/env python3
"""JAX: one jitted, donated step of value, gradient and Adam; NHWC; arrays on the device; dispatch runs ahead in training.

--window pools by reduce_window, whose gradient is a scatter, in place of a maximum over a reshaped array.
"""
import importlib.metadata
import os
import sys

import peer

WINDOW = "--window" in sys.argv
NETS = {"w1": ((), (784, 128, 10)), "w2": (((5, 1, 10), (5, 10, 20)), (320, 50, 10)),
        "w3": (((3, 1, 32), (3, 32, 64)), (1600, 128, 10)), "rnn": (None, (28, 128, 10))}


def start(threads):
    """The numbers of threads are read once, when the first array is made."""
    os.environ.update(JAX_PLATFORMS="cpu", NPROC=str(threads))
    if threads == 1:
        os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
    allowed = sorted(os.sched_getaffinity(0))
    if threads < len(allowed):
        os.sched_setaffinity(0, allowed[-threads:])
    import jax
    return jax


def parameters(net, random):
    convs, dense = NETS[net]
    shapes = [(k, k, c, f) for k, c, f in convs or ()] + list(zip(dense, dense[1:]))
    made = [(random.normal(0, 0.05, s).astype("float32"), random.normal(0, 0.05, s[-1:]).astype("float32")) for s in shapes]
    return made + ([random.normal(0, 0.05, (128, 128)).astype("float32")] if convs is None else [])


def pooled(lax, x):
    if WINDOW:
        return lax.reduce_window(x, -float("inf"), lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    n, h, w, c = x.shape
    return x[:, :h // 2 * 2, :w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


def logits(jax, net, params, x):
    lax, relu = jax.lax, jax.nn.relu
    if net == "rnn":
        (w, b), (out, bias), u = params
        z = (x.reshape(-1, 28) @ w + b).reshape(-1, 28, 128)  # the input's product out of the loop over time
        h, _ = lax.scan(lambda h, z: (jax.numpy.tanh(z + h @ u), None), jax.numpy.zeros_like(z[:, 0]),
                        z.transpose(1, 0, 2), unroll=4)
        return h @ out + bias
    for w, b in params[:-2]:
        x = pooled(lax, relu(lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + b))
    x = x.reshape(x.shape[0], -1)
    (w, b), (out, bias) = params[-2:]
    return relu(x @ w + b) @ out + bias


def adam(jax, net):
    np, tree = jax.numpy, jax.tree_util.tree_map

    def loss(params, x, y):
        return -np.take_along_axis(jax.nn.log_softmax(logits(jax, net, params, x)), y[:, None], 1).mean()

    def step(state, x, y):
        params, m, v, t = state
        value, gradients = jax.value_and_grad(loss)(params, x, y)
        t = t + 1
        rate = 1e-3 * np.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t)
        m = tree(lambda m, g: 0.9 * m + 0.1 * g, m, gradients)
        v = tree(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradients)
        return (tree(lambda p, m, v: p - rate * m / (np.sqrt(v) + 1e-7), params, m, v), m, v, t), value
    return jax.jit(step, donate_argnums=0)


def make(kind, s):
    if kind not in ("train", "predict"):
        raise ValueError(f"has no {kind}")
    import numpy
    jax = start(s["threads"])
    random, net = numpy.random.default_rng(0), s["net"]
    params = jax.device_put(parameters(net, random))
    x = jax.device_put(random.random((s["batch"], 28, 28, 1), "float32"))
    if kind == "predict":
        run = jax.jit(lambda params, x: jax.nn.softmax(logits(jax, net, params, x)))
        return lambda: run(params, x).block_until_ready()
    zeros = [jax.tree_util.tree_map(jax.numpy.zeros_like, params) for _ in range(2)]
    y = jax.device_put(random.integers(0, 10, s["batch"], "int32"))
    state, run = [(params, *zeros, jax.numpy.float32(0))], adam(jax, net)

    def step():
        state[0], _ = run(state[0], x, y)
    return step, lambda: jax.block_until_ready(state[0])


peer.serve("JAX", importlib.metadata.version("jax"),
           "jit of the whole step, donated state, NHWC, pool by " + ("reduce_window" if WINDOW else "reshape"), make)
