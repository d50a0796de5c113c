"""Cajal's random numbers for Keras: within `drawn`, the random layers of Keras draw what those of Cajal draw.

A layer with the seed s has the keys "0:seed", "1:seed", ... of s, in the order in which it asks for them; the step is 0.
The numbers of an image are a row of `count`, in the order of Keras's calls. See src/base/random.c and src/ops/mixing.c.
"""

import contextlib
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from keras.src.backend.jax import random as backend

MASK = (1 << 64) - 1
PIECES = 64  # of drawing a number of a gamma distribution


@functools.cache
def philox(key, step, index):
    c = [index & 0xFFFFFFFF, index >> 32, step & 0xFFFFFFFF, step >> 32]
    k = [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def key_of(seed, place):
    value = 0xCBF29CE484222325
    for letter in f"{place}:seed".encode():
        value = ((value ^ letter) * 0x100000001B3) & MASK
    words = philox(seed, value, 0)
    return words[1] << 32 | words[0]


def uniform_at(key, index):
    return (philox(key, 0, index // 4)[index % 4] >> 8) * 2.0**-24


def normal_at(key, index):
    words = philox(key, 0, index // 4)
    pair = index % 4 // 2 * 2
    radius = math.sqrt(-2 * math.log((words[pair] + 1) * 2.0**-32))
    angle = 2 * math.pi * (words[pair + 1] * 2.0**-32)
    return radius * (math.sin(angle) if index % 2 else math.cos(angle))


def order_of(key, count):
    order = list(range(count))
    for i in range(count - 1, 0, -1):
        n = count - 1 - i
        words = philox(key, 0, n // 2)
        other = (words[n % 2 * 2 + 1] << 32 | words[n % 2 * 2]) % (i + 1)
        order[i], order[other] = order[other], order[i]
    return order


def log_gamma_at(shape, key, first):
    inside = lambda index: uniform_at(key, index) + 2.0**-25
    d = shape + 1 - 1 / 3
    c, v = 1 / math.sqrt(9 * d), 1.0
    for i in range(PIECES):
        at = first + 1 + 3 * i
        z = math.sqrt(-2 * math.log(inside(at))) * math.cos(2 * math.pi * inside(at + 1))
        v = (1 + c * z) ** 3
        if 1 + c * z > 0 and math.log(inside(at + 2)) < 0.5 * z * z + d - d * v + d * math.log(v):
            break
        v = 1.0
    return math.log(d * v) + math.log(inside(first)) / shape


class Draws:
    """What a layer draws: `count` numbers for each of `batch` images by key `images`, those of the whole batch by key
    `shared`, normal numbers by key `noise`, an order by key `order`, numbers of a beta distribution by key `beta`."""

    def __init__(self, seed, batch, count=0, images=0, shared=1, noise=1, order=1, beta=2):
        self.seed, self.batch, self.count, self.taken, self.together = seed, batch, count, 0, 0
        self.places = {"images": images, "shared": shared, "noise": noise, "order": order, "beta": beta}

    def key(self, what):
        return key_of(self.seed, self.places[what])

    def uniform(self, shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
        shape = tuple(shape)
        size = int(np.prod(shape))
        if shape[:1] == (self.batch,):
            size //= self.batch
            numbers = [uniform_at(self.key("images"), i * self.count + self.taken + k) for i in range(self.batch) for k in range(size)]
            self.taken += size
            assert self.taken <= self.count
        else:
            numbers = [uniform_at(self.key("shared"), self.together + k) for k in range(size)]
            self.together += size
        return jnp.asarray(numbers, "float32").reshape(shape) * np.float32(maxval - minval) + np.float32(minval)

    def randint(self, shape, minval, maxval, dtype="int32", seed=None):
        return jnp.floor(self.uniform(shape, minval, maxval)).astype(dtype)

    def normal(self, shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
        numbers = [normal_at(self.key("noise"), i) for i in range(int(np.prod(shape)))]
        return jnp.asarray(numbers, "float32").reshape(shape) * stddev + mean

    def shuffle(self, x, axis=0, seed=None):
        return x[np.array(order_of(self.key("order"), len(x)))]

    def beta(self, shape, alpha, beta, dtype=None, seed=None):
        stride = 2 * (3 * PIECES + 1)
        pairs = [[log_gamma_at(float(alpha), self.key("beta"), 1 + i * stride + half) for half in (0, stride // 2)] for i in range(shape[0])]
        return jnp.asarray([1 / (1 + math.exp(min(y - x, 700))) for x, y in pairs], "float32")


@contextlib.contextmanager
def drawn(draws):
    names = ("uniform", "randint", "normal", "shuffle", "beta")
    before = {name: getattr(backend, name) for name in names}
    normal = jax.random.normal
    jax.random.normal = lambda key, shape=(), dtype=None: draws.normal(shape)  # keras.ops.image calls it
    first = draws.taken, draws.together

    def again(name):
        def call(*args, **kwargs):
            return getattr(draws, name)(*args, **kwargs)
        return call
    for name in names:
        setattr(backend, name, again(name))
    try:
        yield
    finally:
        draws.taken, draws.together = first
        jax.random.normal = normal
        for name, function in before.items():
            setattr(backend, name, function)
