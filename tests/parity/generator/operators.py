"""keras.ops, word by word: values, and gradients by the real inputs.

A case is a word, its inputs x0.., its settings as they are read by tests/parity/operators.c, outputs y0.., and dx0.., the
gradients of the sum of the outputs times weights, which both sides make by weights_of(). The names of cases are the word
and a number.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from keras import ops

from .store import Fixture


def weights_of(count, output):
    """The upstream gradient of output `output`: fixed numbers in -0.9 .. 0.9."""
    i = np.arange(count) + 5 * output
    return (((i * 37 + 11) % 19) / 10.0 - 0.9).astype("float32")


class Cases:
    def __init__(self, fixture):
        self.fixture, self.counts = fixture, {}

    def add(self, word, inputs, call=None, grad=True, **settings):
        """One case: call(*inputs) by Keras; by default the word with the settings as keyword arguments."""
        number = self.counts[word] = self.counts.get(word, -1) + 1
        if call is None:
            def call(*xs):
                return getattr(ops, word)(*xs, **settings)
        inputs = [np.asarray(x) for x in inputs]
        outputs = jax.tree_util.tree_leaves(call(*[jnp.asarray(x) for x in inputs]))
        parts = {f"x{i}": x for i, x in enumerate(inputs)}
        parts |= {f"y{i}": np.asarray(y) for i, y in enumerate(outputs)}
        real = [i for i, x in enumerate(inputs) if x.dtype.kind == "f"]
        grad = grad and any(np.asarray(y).dtype.kind == "f" for y in outputs)
        if grad and real:
            def scalar(reals):
                xs = [jnp.asarray(x) for x in inputs]
                for i, x in zip(real, reals):
                    xs[i] = x
                total = 0.0
                for k, y in enumerate(jax.tree_util.tree_leaves(call(*xs))):
                    if y.dtype.kind == "f":
                        total += (y * weights_of(y.size, k).reshape(y.shape)).sum()
                return total

            for i, dx in zip(real, jax.grad(scalar)([jnp.asarray(inputs[i]) for i in real])):
                parts[f"dx{i}"] = dx
        plain = {key: value for key, value in settings.items() if value is not None}
        self.fixture.add(f"{word}_{number}", parts, word=word, inputs=len(inputs), outputs=len(outputs), grad=bool(grad and real),
                         **plain)


def rng_of(*key):
    return np.random.default_rng([ord(letter) for part in key for letter in str(part)])


def any_of(*shape, key="x", spread=2.0):
    x = rng_of(key, shape).uniform(-spread, spread, shape)
    return (np.round(x * 64) / 64 + 0.007).astype("float32")  # apart from whole numbers and halves


def distinct(*shape, key="d"):
    count = int(np.prod(shape))
    return ((rng_of(key, shape).permutation(count) - count / 2) / 4 + 0.07).astype("float32").reshape(shape)


def positive(*shape, key="p"):
    return rng_of(key, shape).uniform(0.3, 3, shape).astype("float32")


def unit(*shape, key="u"):
    return rng_of(key, shape).uniform(-0.95, 0.95, shape).astype("float32")


def ints(low, high, *shape, key="i", dtype="int32"):
    return rng_of(key, shape).integers(low, high, shape).astype(dtype)


def bools(*shape, key="b"):
    return rng_of(key, shape).integers(0, 2, shape).astype("bool")


SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-30, 3e38, -7.25], "float32")
NANS = any_of(4, 5, key="nans")
NANS[0, 1] = NANS[2, 3] = NANS[2, 0] = NANS[3, 4] = np.nan


def unary(c):
    everywhere = """sin cos arctan sinh cosh arcsinh expm1 exp2 cbrt erf erfc floor ceil trunc round fabs deg2rad rad2deg sinc
                    i0 abs exp square sign negative tanh sigmoid relu isfinite isinf isnan isposinf isneginf signbit
                    logical_not""".split()
    for word in everywhere:
        c.add(word, [any_of(3, 7, key=word)])
        c.add(word, [SPECIAL[:13] if word in ("sinh", "cosh", "square") else SPECIAL], grad=False)
    for word in ("tan", "arcsin", "arccos", "arctanh", "erfinv", "log1p"):
        c.add(word, [unit(3, 7, key=word)])
        c.add(word, [np.array([np.nan, 0.0, -0.0, 0.9999, -0.9999, 0.25], "float32")], grad=False)
    for word in ("log2", "log10", "log", "sqrt", "rsqrt", "reciprocal"):
        c.add(word, [positive(3, 7, key=word)])
        c.add(word, [np.array([0.0, 1.0, 8.0, 1000.0, np.inf, np.nan, 1e-20], "float32")], grad=False)
    c.add("arccosh", [1 + positive(3, 7)])
    c.add("arccosh", [np.array([1.0, 0.5, np.nan, np.inf, 1e10], "float32")], grad=False)
    for word in "sin exp2 log1p sqrt cbrt expm1 sinc arctan isnan exp floor ceil trunc round abs negative square sign".split():
        c.add(word, [ints(-4 if word not in ("log1p", "sqrt") else 0, 9, 5, key=word)])
    for decimals in (1, 2, -1):
        c.add("round", [any_of(3, 5, key="round", spread=40)], decimals=decimals)
    c.add("round", [ints(-300, 300, 7)], decimals=-1)
    for word in ("bitwise_invert", "bitwise_not"):
        c.add(word, [ints(-9, 9, 2, 5)])
        c.add(word, [bools(2, 5)])
        c.add(word, [ints(0, 255, 5, dtype="uint8")])
    c.add("nan_to_num", [SPECIAL], grad=False)
    c.add("nan_to_num", [SPECIAL], grad=False, nan=3.0, posinf=100.0, neginf=-50.0)
    c.add("nan_to_num", [any_of(2, 3)])
    for dtype in ("uint8", "int32", "float32", "bool"):
        c.add("saturate_cast", [np.array([-5.7, 300.2, 1e20, 3.9, -1e20, 255.0], "float32")], grad=False, dtype=dtype)
    c.add("saturate_cast", [ints(-300, 600, 9)], dtype="uint8")


PAIRS = [((3, 4), (3, 4)), ((2, 1, 4), (3, 1)), ((5,), ()), ((2, 3), (3,))]


def binary(c):
    for word in "add subtract multiply maximum minimum arctan2 hypot logaddexp logaddexp2 fmax fmin heaviside".split():
        for shape, other in PAIRS:
            c.add(word, [any_of(*shape, key=word), any_of(*other, key=word + "b")])
    for word in "divide true_divide mod fmod floor_divide divide_no_nan".split():
        for shape, other in PAIRS:
            c.add(word, [any_of(*shape, key=word, spread=9), positive(*other, key=word) * np.float32(-1 if shape == (5,) else 1)])
    for shape, other in PAIRS:
        c.add("power", [positive(*shape), any_of(*other)])
        c.add("ldexp", [any_of(*shape), ints(-3, 4, *other)])
        c.add("nextafter", [any_of(*shape), any_of(*other, key="n")], grad=False)
    special, other = np.meshgrid(SPECIAL, SPECIAL)
    special, other = special.ravel(), other.ravel()
    for word in "maximum minimum fmax fmin logaddexp heaviside mod fmod arctan2 divide_no_nan power".split():
        finite = word in ("mod", "fmod")
        use = np.isfinite(special) & np.isfinite(other) & (abs(special) < 1e9) & (other != 0) if finite else np.full(225, True)
        use &= (abs(special) < 1e9) & (abs(other) < 1e9) | (word in ("maximum", "minimum", "fmax", "fmin"))
        if word == "power":
            use &= ~((abs(special) < 1e-20) & np.isnan(other))
        c.add(word, [special[use], other[use]], grad=False)
    c.add("divide_no_nan", [any_of(4), np.array([0.0, 1.0, 2.0, 0.0], "float32")])
    for word in "add subtract multiply maximum minimum floor_divide mod fmod".split():
        c.add(word, [ints(-9, 9, 3, 4, key=word), ints(1, 5, 4, key=word + "b")])
        c.add(word, [ints(-9, 9, 3, 4, key=word), -ints(1, 5, 3, 1, key=word + "b")])
        c.add(word, [ints(-9, 9, 3, 4, key=word), positive(4, key=word)])
    c.add("multiply", [np.array([2000000000, -7], "int32"), np.array([3, 2], "int32")])
    c.add("divide", [ints(-9, 9, 3, 4), ints(1, 5, 4)])
    c.add("true_divide", [ints(-9, 9, 3, 4), ints(1, 5, 4)])
    c.add("power", [ints(-3, 4, 3, 4), ints(0, 5, 4)])
    for word in "equal not_equal greater greater_equal less less_equal logical_and logical_or logical_xor".split():
        c.add(word, [ints(-2, 3, 3, 4), ints(-2, 3, 4)])
        c.add(word, [ints(-2, 3, 3, 4), ints(-2, 3, 4, key="f").astype("float32")])
        c.add(word, [bools(3, 4), bools(4)])
        c.add(word, [special, other], grad=False)
    for word in "gcd lcm".split():
        c.add(word, [ints(-30, 30, 4, 5), ints(0, 20, 5)])
    for word in "bitwise_and bitwise_or bitwise_xor".split():
        c.add(word, [ints(-30, 30, 4, 5), ints(-20, 20, 5)])
        c.add(word, [bools(4, 5), bools(5)])
        c.add(word, [ints(0, 255, 4, 5, dtype="uint8"), ints(0, 255, 5, dtype="uint8")])
    for word in "bitwise_left_shift bitwise_right_shift left_shift right_shift".split():
        c.add(word, [ints(-3000, 3000, 4, 5), ints(0, 8, 5)])
    close = np.array([1.0, 1.00001, np.nan, np.inf, np.inf, -np.inf, 1e-9, 3.0], "float32")
    near = np.array([1.00001, 1.0, np.nan, np.inf, -np.inf, 1.0, 0.0, 3.1], "float32")
    for settings in ({}, {"equal_nan": True}, {"rtol": 0.1, "atol": 0.5}):
        c.add("isclose", [close, near], grad=False, **settings)
        c.add("allclose", [close[:2], near[:2]], grad=False, **settings)
        c.add("allclose", [close, near], grad=False, **settings)
    for shapes in (((3, 4), (3, 4), (3, 4)), ((3, 1), (4,), (3, 4)), ((2, 1, 3), (4, 1), ())):
        c.add("where", [bools(*shapes[0]), any_of(*shapes[1]), any_of(*shapes[2], key="w")])
    c.add("where", [bools(3, 4), ints(0, 9, 3, 4), ints(0, 9, 4, key="w")])
    c.add("where", [ints(0, 2, 3, 4), any_of(3, 4), ints(0, 9, 4)])
    c.add("select", [bools(3, 4), bools(4, key="c"), any_of(3, 4), any_of(4)],
          lambda p, q, a, b: ops.select([p, q], [a, b], 1.5), default=1.5)
    c.add("clip", [any_of(3, 4), ], lambda x: ops.clip(x, -0.5, 1.25), low=-0.5, high=1.25)
    c.add("clip", [ints(-9, 9, 7)], lambda x: ops.clip(x, -2, 3), low=-2, high=3)


def axes_of(rank):
    return [None, 0, -1] + ([(0, 1), (-1, 0)] if rank > 1 else [])


def reductions(c):
    for word in "sum mean max min amax amin prod var std logsumexp ptp median".split():
        for axis, keepdims in itertools.product(axes_of(3), (False, True)):
            if word == "ptp" or (keepdims and axis == (-1, 0)):
                if keepdims:
                    continue
            c.add(word, [distinct(3, 4, 2, key=word) * np.float32(0.4)], axis=axis, **({"keepdims": True} if keepdims else {}))
    for word in "sum max min prod mean ptp var median".split():
        c.add(word, [ints(-4, 5, 3, 4, key=word)], axis=1)
        c.add(word, [ints(-4, 5, 3, 4, key=word)])
    c.add("sum", [bools(3, 4)], axis=0)
    zeros = any_of(3, 4, key="zeros")
    zeros[0, 1] = zeros[1, 0] = zeros[1, 2] = 0
    c.add("prod", [zeros], axis=1)
    c.add("cumprod", [zeros], axis=1)
    for word in "any all count_nonzero".split():
        for axis in axes_of(2):
            c.add(word, [ints(0, 2, 4, 3, key=word)], axis=axis)
            c.add(word, [bools(4, 3, key=word)], axis=axis)
        c.add(word, [SPECIAL.reshape(3, 5)], axis=1, grad=False)
    for word in "nansum nanmean nanmax nanmin nanprod nanvar nanstd nanmedian".split():
        for axis in axes_of(2):
            c.add(word, [NANS], axis=axis, grad=False)
        c.add(word, [distinct(3, 4, key=word)], axis=1)
        c.add(word, [NANS], axis=1, grad=False, keepdims=True)
    for word, axis in itertools.product(("nanargmax", "nanargmin", "argmax", "argmin"), (0, 1)):
        c.add(word, [NANS if word.startswith("nan") else distinct(4, 5)], axis=axis, grad=False)
    for word, axis in itertools.product(("cumsum", "cumprod"), (0, 1, -1)):
        c.add(word, [any_of(3, 4, 2, key=word)], axis=axis)
        c.add(word, [ints(-3, 4, 3, 4, 2, key=word)], axis=axis)
    for word, axis in itertools.product(("nancumsum", "nancumprod"), (0, 1)):
        c.add(word, [NANS], axis=axis, grad=False)
    for method, q, axis in itertools.product(("linear", "lower", "higher", "midpoint", "nearest"), (0.0, 0.3, 0.5, 1.0), (None, 0, (0, 2))):
        if q in (0.3, 0.5) or method == "linear":
            c.add("quantile", [distinct(3, 5, 2, key="q")], lambda x, q=q, a=axis, m=method: ops.quantile(x, q, axis=a, method=m),
                  q=q, method=method, axis=axis, grad=method != "nearest")
    for q, axis in itertools.product((0, 25, 90, 100), (None, 1)):
        c.add("percentile", [distinct(3, 5, key="q")], lambda x, q=q, a=axis: ops.percentile(x, q, axis=a), q=q, axis=axis)
        c.add("nanpercentile", [NANS], lambda x, q=q, a=axis: ops.nanpercentile(x, q, axis=a), q=q, axis=axis, grad=False)
        c.add("nanquantile", [NANS], lambda x, q=q, a=axis: ops.nanquantile(x, q / 100, axis=a), q=q / 100, axis=axis, grad=False)
    c.add("quantile", [NANS], lambda x: ops.quantile(x, 0.4, axis=1), q=0.4, axis=1, grad=False)
    c.add("median", [NANS], axis=1, grad=False)
    for axis in (None, 0, 1, -1):
        c.add("average", [any_of(3, 4)], axis=axis)
        c.add("average", [any_of(3, 4), positive(3, 4)], lambda x, w, a=axis: ops.average(x, axis=a, weights=w), axis=axis)
    c.add("average", [any_of(3, 4), positive(4)], lambda x, w: ops.average(x, axis=1, weights=w), axis=1)
    for axes, keepdims in (([0], False), ([1], True), ([0, 2], False), ([0, 1, 2], True)):
        c.add("moments", [any_of(3, 4, 2)], axes=axes, keepdims=keepdims)
    for order, axis in itertools.product((1, 2, 3), (-1, 0)):
        c.add("normalize", [any_of(3, 4)], axis=axis, order=order)
    for n, axis in ((1, -1), (2, 0), (3, 1), (0, 0)):
        c.add("diff", [any_of(4, 5)], n=n, axis=axis)
        c.add("diff", [ints(0, 9, 4, 5)], n=n, axis=axis)
    for axis in (0, -1):
        c.add("trapezoid", [any_of(4, 5)], axis=axis)
        c.add("trapezoid", [any_of(4, 5)], axis=axis, dx=0.25)
        c.add("trapezoid", [any_of(4, 5), np.sort(any_of(4, 5, key="t"), axis)], axis=axis)
        c.add("trapezoid", [any_of(4, 5), np.sort(any_of((5, 4)[axis == 0], key="t"))], axis=axis)
    c.add("corrcoef", [any_of(3, 7)])
    ids = np.array([0, 2, 2, 0, 1, 2], "int32")
    for word in "segment_sum segment_max segment_min segment_prod".split():
        for shape in ((6,), (6, 3)):
            c.add(word, [distinct(*shape), ids], lambda x, i, w=word: getattr(ops, w)(x, i, num_segments=4), num_segments=4,
                  grad=word == "segment_sum")
        if word in ("segment_sum", "segment_prod"):
            c.add(word, [ints(-4, 4, 6, 2), ids], lambda x, i, w=word: getattr(ops, w)(x, i, num_segments=4), num_segments=4)


def constants(c):
    for dtype in ("float32", "int32", "bool"):
        c.add("zeros", [], lambda d=dtype: ops.zeros((2, 3), dtype=d), shape=[2, 3], dtype=dtype)
        c.add("ones", [], lambda d=dtype: ops.ones((2, 3), dtype=d), shape=[2, 3], dtype=dtype)
        c.add("eye", [], lambda d=dtype: ops.eye(3, 4, k=1, dtype=d), n=3, m=4, k=1, dtype=dtype)
        c.add("tri", [], lambda d=dtype: ops.tri(3, 4, k=-1, dtype=d), n=3, m=4, k=-1, dtype=dtype)
        c.add("identity", [], lambda d=dtype: ops.identity(3, dtype=d), n=3, dtype=dtype)
    c.add("full", [], lambda: ops.full((2, 2), 2.5, dtype="float32"), shape=[2, 2], value=2.5, dtype="float32")
    c.add("full_like", [any_of(2, 3)], lambda x: ops.full_like(x, 7), value=7, grad=False)
    c.add("full_like", [ints(0, 3, 2, 3)], lambda x: ops.full_like(x, 7), value=7)
    c.add("zeros_like", [any_of(2, 3)], grad=False)
    c.add("ones_like", [any_of(2, 3)], grad=False)
    for start, stop, step, dtype in ((0, 5, 1, "int32"), (2, -3, -2, "int32"), (0.5, 3, 0.4, "float32"), (3, 1, 1, "int32")):
        c.add("arange", [], lambda a=start, b=stop, s=step, d=dtype: ops.arange(a, b, s, dtype=d), start=start, stop=stop,
              step=step, dtype=dtype)
    for num, endpoint in ((5, True), (4, False), (1, True)):
        for word, start, stop in (("linspace", -1, 2.5), ("logspace", 0, 2), ("geomspace", 1, 81)):
            c.add(word, [], lambda w=word, a=start, b=stop, n=num, e=endpoint: getattr(ops, w)(
                a, b, num=n, endpoint=e, dtype="float32"), start=start, stop=stop, num=num, endpoint=endpoint, dtype="float32")
    for indexing in ("xy", "ij"):
        c.add("meshgrid", [any_of(3), any_of(4), any_of(2)], indexing=indexing)
        c.add("meshgrid", [any_of(3), any_of(4)], indexing=indexing)
    for n, increasing in ((None, False), (4, True), (2, False)):
        c.add("vander", [any_of(3)], lambda x, n=n, i=increasing: ops.vander(x, N=n, increasing=i), n=n, increasing=increasing)


def shapes(c):
    for x in (any_of(2, 3, 4), ints(0, 99, 2, 3, 4)):
        c.add("ravel", [x])
        c.add("transpose", [x], lambda v: ops.transpose(v, (2, 0, 1)), order=[2, 0, 1])
        for source, destination in (([0], [2]), ([-1], [0]), ([0, 1], [1, 2])):
            c.add("moveaxis", [x], source=source, destination=destination)
        c.add("swapaxes", [x], axis1=0, axis2=-1)
        for k, axes in ((1, (0, 1)), (2, (1, 2)), (3, (0, 2)), (-1, (2, 0)), (0, (0, 1))):
            c.add("rot90", [x], lambda v, k=k, a=axes: ops.rot90(v, k, a), k=k, axes=list(axes))
        c.add("fliplr", [x])
        c.add("flipud", [x])
        for axis in (0, 1, -1):
            c.add("flip", [x], axis=axis)
            c.add("roll", [x], lambda v, a=axis: ops.roll(v, 3, axis=a), shift=3, axis=axis)
            c.add("expand_dims", [x], axis=axis)
        for sections, axis in ((2, 0), (3, 1), (2, -1)):
            c.add("split", [x], lambda v, s=sections, a=axis: ops.split(v, s, axis=a), parts=sections, axis=axis)
        c.add("split", [x], lambda v: ops.split(v, [1, 3], axis=-1), places=[1, 3], axis=-1)
        c.add("array_split", [x], lambda v: ops.array_split(v, 3, axis=2), parts=3, axis=2)
        c.add("vsplit", [x], lambda v: ops.vsplit(v, 2), parts=2)
        c.add("hsplit", [x], lambda v: ops.hsplit(v, 3), parts=3)
        c.add("dsplit", [x], lambda v: ops.dsplit(v, 2), parts=2)
        c.add("unstack", [x], lambda v: ops.unstack(v, axis=1), axis=1)
        for word in ("vstack", "hstack", "dstack"):
            c.add(word, [x, x + 1], lambda a, b, w=word: getattr(ops, w)([a, b]))
            c.add(word, [x[0, 0], x[0, 1]], lambda a, b, w=word: getattr(ops, w)([a, b]))
            c.add(word, [x[0], x[1]], lambda a, b, w=word: getattr(ops, w)([a, b]))
        c.add("concatenate", [x, x[:, :1]], lambda a, b: ops.concatenate([a, b], axis=1), axis=1)
        c.add("stack", [x, x + 1], lambda a, b: ops.stack([a, b], axis=-1), axis=-1)
        c.add("append", [x, x[:, :2]], lambda a, b: ops.append(a, b, axis=1), axis=1)
        c.add("repeat", [x], lambda v: ops.repeat(v, 3, axis=1), repeats=[3], axis=1)
        c.add("repeat", [x], lambda v: ops.repeat(v, np.array([2, 0, 1]), axis=1), repeats=[2, 0, 1], axis=1)
        c.add("tile", [x], lambda v: ops.tile(v, (1, 2, 1)), times=2, axis=1)
        for key, index in (("0", 0), ("..., -1", (Ellipsis, -1)), (":, 1:, ::2", (slice(None), slice(1, None), slice(None, None, 2))),
                           ("None, 1, ..., ::-1", (None, 1, Ellipsis, slice(None, None, -1))), ("-1, 0, -2", (-1, 0, -2)),
                           (":, -1:0:-1", (slice(None), slice(-1, 0, -1))), ("..., 1:-1, None", (Ellipsis, slice(1, -1), None))):
            c.add("get_item", [x], lambda v, i=index: ops.get_item(v, i), key=key)
        c.add("slice_update", [x, x[:1, 1:, :2] * 2], lambda a, b: ops.slice_update(a, [1, 0, 2], b), starts=[1, 0, 2])
        c.add("slice", [x], lambda v: ops.slice(v, [0, 1, 0], [2, 2, 4]), axis=1, begin=1, length=2)
        c.add("broadcast_to", [x[:, :1]], lambda v: ops.broadcast_to(v, (5, 2, 3, 4)), shape=[5, 2, 3, 4])
        for pattern, lengths in (("b h w -> w (b h)", {}), ("b h (w c) -> (b w) c h", {"c": 2}), ("a b c -> a 1 c b", {})):
            c.add("rearrange", [x], lambda v, p=pattern, n=lengths: ops.rearrange(v, p, **n), grad=True,
                  pattern=pattern, lengths=" ".join(f"{k}={n}" for k, n in lengths.items())) if "1" not in pattern else None
        for k in (0, 1, -2):
            c.add("tril", [x], k=k)
            c.add("triu", [x], k=k)
            c.add("diag", [x[0]], k=k)
            c.add("diag", [x[0, 0]], k=k)
            c.add("diagflat", [x[0]], k=k)
            c.add("diagonal", [x], offset=k, axis1=1, axis2=2)
            c.add("trace", [x], offset=k, axis1=2, axis2=0)
    images = any_of(2, 4, 6, 8, key="images")
    for data_format in ("channels_last", "channels_first"):
        c.add("depth_to_space", [images], lambda v, f=data_format: ops.nn.depth_to_space(v, 2, f), block=2, data_format=data_format)
        c.add("space_to_depth", [images], lambda v, f=data_format: ops.nn.space_to_depth(v, 2, f), block=2, data_format=data_format)
    pixels = any_of(2, 3, 6, 7, key="pixels")
    for kernel, dilation, padding, stride in (((2, 2), 1, 0, 1), ((3, 2), (1, 2), (1, 0), (2, 1)), ((2, 3), 2, 1, 2)):
        both = [list(v) if isinstance(v, tuple) else [v, v] for v in (kernel, dilation, padding, stride)]
        settings = dict(zip(("kernel", "dilation", "padding", "stride"), both))
        c.add("unfold", [pixels], lambda v, k=kernel, d=dilation, p=padding, s=stride: ops.nn.unfold(v, k, d, p, s), **settings)
        columns = np.asarray(ops.nn.unfold(pixels, kernel, dilation, padding, stride))
        c.add("fold", [any_of(*columns.shape, key="fold")], lambda v, k=kernel, d=dilation, p=padding, s=stride: ops.nn.fold(
            v, (6, 7), k, d, p, s), height=6, width=7, **settings)
    for length, stride in ((3, 1), (4, 2), (2, 3)):
        c.add("extract_sequences", [any_of(2, 9)], lambda v, n=length, s=stride: ops.extract_sequences(v, n, s), length=length,
              stride=stride)


def linear(c):
    vector, matrix, cube = any_of(4), any_of(3, 4), any_of(2, 3, 4)
    scalar = np.float32(1.5)
    for a, b in ((vector, vector), (matrix, vector), (matrix, any_of(4, 2)), (cube, any_of(4, 2)), (cube, any_of(2, 4, 3)), (matrix, scalar)):
        c.add("dot", [a, b])
    for a, b in ((matrix, any_of(4, 2)), (cube, any_of(2, 4, 5)), (cube, any_of(4, 2))):
        c.add("matmul", [a, b])
    for a, b in ((vector, vector), (matrix, any_of(2, 4)), (cube, vector), (matrix, scalar)):
        c.add("inner", [a, b])
    for a, b in ((vector, any_of(3)), (matrix, vector)):
        c.add("outer", [a, b])
    for a, b in ((vector, vector), (matrix, any_of(3, 4, key="v"))):
        c.add("vdot", [a, b])
    for word in ("dot", "outer", "vdot"):
        c.add(word, [ints(-5, 5, 4), ints(-5, 5, 4, key="j")])
    for a, b, first, second in ((cube, any_of(3, 4, 2), [1, 2], [0, 1]), (matrix, any_of(4, 2), [1], [0]), (matrix, vector, [], []),
                                (cube, any_of(4, 2), [-1, 0], [0, 1])):
        c.add("tensordot", [a, b], lambda p, q, f=first, s=second: ops.tensordot(p, q, [f, s]), a_axes=first, b_axes=second)
    for a, b in ((vector, any_of(2)), (matrix, any_of(2, 3)), (matrix, vector), (ints(0, 5, 2, 2), ints(0, 5, 2, 3))):
        c.add("kron", [a, b])
    for a, b, axis in ((any_of(5, 3), any_of(5, 3, key="c"), -1), (any_of(3, 2), any_of(3, 2, key="c"), 0), (any_of(4, 2), any_of(4, 2, key="c"), -1)):
        c.add("cross", [a, b], lambda p, q, x=axis: ops.cross(p, q, axis=x), axis=axis)
    c.add("cdist", [any_of(3, 4), any_of(5, 4)])
    c.add("cdist", [any_of(2, 3, 4), any_of(2, 5, 4)])
    for n, m in ((5, 3), (3, 5), (4, 4), (6, 2)):
        for mode in ("valid", "same", "full"):
            c.add("correlate", [any_of(n), any_of(m, key="m")], mode=mode)
    c.add("einsum", [cube, any_of(4, 5)], lambda a, b: ops.einsum("abc,cd->bad", a, b), equation="abc,cd->bad")
    c.add("norm", [cube], lambda x: ops.norm(x, axis=-1), axis=-1)


def indices(c):
    for x in (distinct(4, 6), ints(0, 5, 4, 6), SPECIAL.reshape(3, 5)):
        real = bool(np.isfinite(x).all())
        for axis in (0, -1):
            if real:
                c.add("sort", [x], axis=axis)
            c.add("argsort", [x], axis=axis, grad=False)
        c.add("sort", [x], axis=1, grad=real)
    for x, k in ((distinct(4, 6), 2), (distinct(9), 9), (ints(0, 4, 3, 7), 4)):
        c.add("top_k", [x], lambda v, k=k: tuple(ops.top_k(v, k)), k=k)
    for k in (1, 2, 4):
        c.add("in_top_k", [ints(0, 5, 6), any_of(6, 5)], lambda t, p, k=k: ops.in_top_k(t, p, k), k=k, grad=False)
    x = any_of(4, 5, key="take")
    for axis, index in ((0, ints(-4, 4, 2, 5)), (1, ints(-5, 5, 4, 3)), (1, ints(0, 5, 1, 7)), (-1, ints(0, 5, 4, 1))):
        c.add("take_along_axis", [x, index], lambda v, i, a=axis: ops.take_along_axis(v, i, axis=a), axis=axis)
    c.add("take_along_axis", [x[:1], ints(0, 5, 3, 2)], lambda v, i: ops.take_along_axis(v, i, axis=1), axis=1)
    for axis, index in ((0, ints(0, 4, 3)), (1, ints(-5, 5, 2, 3)), (-1, np.int32(2))):
        c.add("take", [x, index], lambda v, i, a=axis: ops.take(v, i, axis=a), axis=axis)
        c.add("take", [ints(0, 99, 4, 5), index], lambda v, i, a=axis: ops.take(v, i, axis=a), axis=axis)
    for shape, count, k in (((4,), 6, 1), ((4, 3), 5, 1), ((4, 3), 5, 2), ((2, 3, 4), 4, 2)):
        index = np.stack([ints(0, n, count, key=f"s{i}{shape}") for i, n in enumerate(shape[:k])], -1)
        values = any_of(count, *shape[k:], key="values")
        c.add("scatter", [index, values], lambda i, v, s=shape: ops.scatter(i, v, s), shape=list(shape))
        unique = np.array(list(np.ndindex(*shape[:k])))[:count].astype("int32")
        c.add("scatter_update", [any_of(*shape), unique, values[: len(unique)]], lambda a, i, v: ops.scatter_update(a, i, v))
        for reduction in ("add", "max", "min", "mul"):
            c.add("scatter_update", [any_of(*shape), index, values], lambda a, i, v, r=reduction: ops.scatter_update(
                a, i, v, reduction=r), reduction=reduction, grad=reduction == "add")
        c.add("scatter", [index, ints(0, 9, *values.shape)], lambda i, v, s=shape: ops.scatter(i, v, s), shape=list(shape))
    c.add("scatter_update", [any_of(4, 3), np.array([[-1], [1]], "int32"), any_of(2, 3)], lambda a, i, v: ops.scatter_update(a, i, v))
    for side in ("left", "right"):
        c.add("searchsorted", [np.array([-1, 0.5, 0.5, 2], "float32"), np.array([[-2, 0.5, 3], [0.4, 2, 0]], "float32")],
              lambda s, v, d=side: ops.searchsorted(s, v, side=d), side=side)
    for bins in ([-1.0, 0.0, 1.5], [2.0, 0.5, -1.0]):
        c.add("digitize", [np.array([[-2, 0, 0.7], [1.5, 9, 0.5]], "float32")], lambda v, b=bins: ops.digitize(v, np.array(b)), bins=bins)
    for invert in (False, True):
        c.add("isin", [ints(0, 9, 3, 4), ints(0, 9, 2, 2, key="in")], invert=invert)
    c.add("multi_hot", [ints(-1, 6, 3, 4)], lambda v: ops.multi_hot(v, 5, dtype="float32"), classes=5)
    c.add("multi_hot", [ints(0, 5, 3)], lambda v: ops.multi_hot(v, 5, dtype="float32"), classes=5)
    c.add("one_hot", [ints(0, 5, 3, 2)], lambda v: ops.one_hot(v, 5, dtype="float32"), classes=5)


def make():
    fixture = Fixture("operators", "keras.ops: values, and gradients of their sums by fixed weights", 2e-5, 4e-6,
                      "libm and XLA differ in the last places, and sums are taken in another order")
    c = Cases(fixture)
    for group in (unary, binary, reductions, constants, shapes, linear, indices):
        group(c)
    return [fixture]
