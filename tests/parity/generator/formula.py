"""Numbers from a formula: weights, images, labels and noise that the C tests make again instead of storing them.

    mix(z)     splitmix64's finaliser (Steele, Lea, Flood 2014), on 64-bit words:
               z ^= z >> 30; z *= 0xBF58476D1CE4E5B9; z ^= z >> 27; z *= 0x94D049BB133111EB; z ^= z >> 31
    word(s, i) mix(mix(s + 0x9E3779B97F4A7C15) + i * 0x9E3779B97F4A7C15)     stream s, index i from 0
    uniform    (word >> 40) * 2^-24, in [0, 1): exact in float32
    noise      the sum of uniforms 12 i .. 12 i + 11, minus 6: mean 0, variance 1, exact in double

Everything else is plain arithmetic in double, rounded to float32 once, at the end.
"""

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mix(z):
    z = np.asarray(z, np.uint64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def words(stream, count):
    with np.errstate(over="ignore"):
        start = mix(np.array([stream], np.uint64) + GOLDEN)
        return mix(start + np.arange(count, dtype=np.uint64) * GOLDEN)


def uniforms(stream, count):
    return (words(stream, count) >> np.uint64(40)).astype("float64") * 2.0**-24


def glorot(stream, shape):
    """Glorot's uniform: limit * (2 u - 1), limit = sqrt(6 / (fan_in + fan_out)); zeros for rank 1 (biases)."""
    if len(shape) == 1:
        return np.zeros(shape, "float32")
    field = int(np.prod(shape[:-2]))
    limit = np.sqrt(6.0 / (field * shape[-2] + field * shape[-1]))
    return (limit * (2 * uniforms(stream, int(np.prod(shape))) - 1)).reshape(shape).astype("float32")


def noise(stream, shape):
    count = int(np.prod(shape))
    return (uniforms(stream, 12 * count).reshape(count, 12).sum(1) - 6).reshape(shape).astype("float32")


def labels(stream, count):
    return (words(stream, count) % np.uint64(10)).astype("int32")


def images(stream, classes):
    """28 x 28 bytes each: a stripe pattern that depends on the class, and noise that does not.

    byte = 12 * ((r * (class + 3) + c * (11 - class)) mod 11) + (word >> 57)        0 .. 247
    """
    count = len(classes)
    r, c = np.meshgrid(np.arange(28), np.arange(28), indexing="ij")
    k = classes.astype("int64")[:, None, None]
    pattern = 12 * ((r * (k + 3) + c * (11 - k)) % 11)
    grain = (words(stream, count * 784) >> np.uint64(57)).astype("int64").reshape(count, 28, 28)
    return (pattern + grain).astype("uint8")
