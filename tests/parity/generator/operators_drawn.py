"""keras.ops again, for words of which operators.py has few: shapes, axes and settings drawn at random; cases as operators.py
has them."""

import jax
import jax.numpy as jnp
import numpy as np
from keras import ops

from .operators import Cases
from .random_models import Draw
from .store import Fixture

EACH = 4


class Drawn(Cases):
    """Cases whose numbers come from one stream for each case."""

    def start(self, word, number):
        self.d = Draw(np.random.default_rng([9, number, *(ord(letter) for letter in word)]))
        return self.d.some(self.d.upto(4), 4)

    def reals(self, shape, low=-2.0, high=2.0):
        """Apart from each other, and from whole numbers and halves."""
        count = int(np.prod(shape))
        steps = self.d.rng.permutation(count) + self.d.rng.uniform(0.3, 0.7, count)
        return (low + (high - low) * steps / count + 1e-3).astype("float32").reshape(shape)

    def whole(self, shape, low, high):
        return self.d.rng.integers(low, high, shape).astype("int32")


# word: the least and the greatest number it is asked for
RANGES = {"absolute": (-3, 3), "fabs": (-3, 3), "arccos": (-0.97, 0.97), "arcsin": (-0.97, 0.97), "arctanh": (-0.97, 0.97), "arccosh": (1.05, 9),
          "arcsinh": (-9, 9), "cos": (-9, 9), "cosh": (-3, 3), "sinh": (-3, 3), "tan": (-1.4, 1.4), "deg2rad": (-400, 400), "rad2deg": (-7, 7),
          "erf": (-2.5, 2.5), "erfc": (-2.5, 2.5), "erfinv": (-0.97, 0.97), "i0": (-4, 4), "log10": (0.05, 90), "log2": (0.05, 90),
          "flipud": (-2, 2), "stop_gradient": (-2, 2)}


def elements(c):
    for word, (low, high) in RANGES.items():
        for i in range(EACH):
            x = c.reals(c.start(word, i), low, high)
            c.add(word, [x], grad=word != "stop_gradient")
    for word in ("isneginf", "isposinf"):
        for i in range(EACH):
            x = c.reals(c.start(word, i))
            x[c.d.rng.random(x.shape) < 0.4] = c.d.one(np.inf, -np.inf)
            x[c.d.rng.random(x.shape) < 0.2] = c.d.one(np.nan, np.inf, 3e38)
            c.add(word, [x], grad=False)
    for word in ("bitwise_left_shift", "bitwise_right_shift", "left_shift", "right_shift"):
        for i in range(EACH):
            shape = c.start(word, i)
            c.add(word, [c.whole(shape, -9000, 9000), c.whole(shape[c.d.upto(len(shape), 0):], 0, 9)])


def along_axes(c):
    for i in range(EACH):
        shape = c.start("argpartition", i)
        x, axis = c.reals(shape), c.d.one(-1, *range(len(shape)))
        kth = c.d.upto(shape[axis] - 1, 0)

        def parts(v, k=kth, a=axis):  # the order within the parts is free
            order = jnp.moveaxis(ops.argpartition(v, k, axis=a), a, -1)
            return jnp.concatenate([jnp.sort(order[..., :k]), order[..., k:k + 1], jnp.sort(order[..., k + 1:])], -1)
        c.add("argpartition", [x], parts, grad=False, kth=kth, axis=axis)
    for word in ("nanargmin", "nanargmax", "nancumprod", "nancumsum"):
        for i in range(EACH):
            shape = c.start(word, i)
            x, axis = c.reals(shape), c.d.one(-1, *range(len(shape)))
            x[c.d.rng.random(shape) < 0.4] = np.nan  # rows of nothing else, too
            c.add(word, [x], axis=axis, grad=False)
    for i in range(EACH):
        shape = c.start("norm", i)
        axis = c.d.one(None, -1, *range(len(shape))) if len(shape) < 3 else c.d.one(-1, 0, 1)
        c.add("norm", [c.reals(shape)], axis=axis, **({"keepdims": True} if c.d.flag() else {}))
    for i in range(EACH):
        c.start("rot90", i)
        shape = c.d.some(c.d.upto(4, 2), 4)
        k, axes = c.d.upto(5, -5), tuple(int(a) for a in c.d.rng.permutation(len(shape))[:2])
        c.add("rot90", [c.reals(shape)], lambda v, k=k, a=axes: ops.rot90(v, k, a), k=k, axes=list(axes))
    for i in range(EACH):
        shape = (2 * c.d.upto(3), *c.start("vsplit", i), 2)
        c.add("vsplit", [c.reals(shape)], lambda v: ops.vsplit(v, 2), parts=2)
    for i in range(EACH):
        c.start("corrcoef", i)
        c.add("corrcoef", [c.reals((c.d.upto(4, 2), c.d.upto(9, 4)))])
    for word in ("segment_min", "segment_max"):
        for i in range(EACH):
            shape = (c.d.upto(8, 2), *c.start(word, i)[1:])
            segments = c.d.upto(5, 2)
            ids = c.whole(shape[:1], 0, segments)
            c.add(word, [c.reals(shape), ids], lambda x, s, w=word, n=segments: getattr(ops, w)(x, s, num_segments=n), num_segments=segments,
                  grad=False)


def made(c):
    for dtype in ("float32", "int32", "bool"):
        for i in range(2):
            shape = c.start(f"full_{dtype}", i)
            value = c.d.one(2, 0, -3) if dtype != "float32" else c.d.one(0.25, -7.5)
            c.add("full", [], lambda s=shape, v=value, t=dtype: ops.full(s, v, dtype=t), shape=list(shape), value=value, dtype=dtype)
            numbers = [float(v) for v in c.whole((c.d.upto(6),), -3, 4)]
            c.add("array", [], lambda v=numbers, t=dtype: ops.array(np.array(v, "float32"), dtype=t), values=numbers, dtype=dtype)


def scan(c):
    """h' = tanh(x + h w), and the outputs h' h; the last state and all outputs."""
    for i in range(EACH):
        c.start("scan", i)
        steps, batch, units, reverse = c.d.upto(6), c.d.upto(3), c.d.upto(4), c.d.flag()

        def call(x, h, w, reverse=reverse):
            def step(state, entry):
                after = jnp.tanh(entry + state @ w)
                return after, after * state
            return ops.scan(step, h, x, reverse=reverse)
        c.add("scan", [c.reals((steps, batch, units)), c.reals((batch, units)), c.reals((units, units), -1, 1)], call, reverse=reverse)


def make():
    fixture = Fixture("operators_drawn", "keras.ops by settings drawn at random: values, and gradients of their sums by fixed weights", 2e-5, 4e-6,
                      "libm and XLA differ in the last places, and sums are taken in another order")
    c = Drawn(fixture)
    for group in (elements, along_axes, made, scan):
        group(c)
        jax.clear_caches()
    return [fixture]
