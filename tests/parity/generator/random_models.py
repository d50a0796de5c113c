"""Random models: chains and branches of one to four layers with random settings, drawn anew from a seed.

What Keras itself refuses is drawn again. Layers with random masks are drawn for inference only. The parts of a case are
those of layers.py. A value may lie near a kink (0 of ReLU, two equal elements of a window), where a rounding decides the
gradient; draw() of layers.py keeps the inputs away from such places, and what lies behind other layers is left to chance: a
case in which Keras's own gradient is not steady under a change of 1e-6 is dropped.
"""

import keras
import numpy as np
from keras import layers as L

from .layers import add_model, draw
from .store import Fixture

ACTIVATIONS = ["linear", "relu", "tanh", "sigmoid", "softmax", "elu", "gelu", "softplus", "leaky_relu", "selu", "silu",
               "hard_sigmoid", "exponential", "softsign", "mish", "relu6", "hard_silu", "log_softmax", "celu",
               "log_sigmoid", "tanh_shrink", "squareplus", "sparse_sigmoid"]
SMOOTH = ["linear", "tanh", "sigmoid", "elu", "gelu", "softplus", "silu", "softsign", "mish"]


class Draw:
    """Settings from one stream."""

    def __init__(self, rng):
        self.rng = rng

    def one(self, *choices):
        return choices[self.rng.integers(len(choices))]

    def upto(self, high, low=1):
        return int(self.rng.integers(low, high + 1))

    def some(self, count, high, low=1):
        return tuple(self.upto(high, low) for _ in range(count))

    def flag(self, chance=0.5):
        return bool(self.rng.random() < chance)

    def activation(self):
        return self.one(*ACTIVATIONS)

    def regularizer(self):
        return self.one(None, None, None, "l2", keras.regularizers.L1(0.02))


def conv(d, axes, channels):
    names = {1: (L.Conv1D, L.Conv1DTranspose), 2: (L.Conv2D, L.Conv2DTranspose), 3: (L.Conv3D, L.Conv3DTranspose)}
    strides = d.some(axes, 3)
    common = {"padding": d.one("valid", "same"), "use_bias": d.flag(0.8), "activation": d.activation(),
              "kernel_regularizer": d.regularizer()}
    if d.flag(0.3):
        return names[axes][1](d.upto(6), d.some(axes, 4), strides=strides, **common)
    groups = d.one(*(g for g in (1, 1, 2, 3) if channels % g == 0))
    options = {"strides": strides} if d.flag() else {"dilation_rate": d.some(axes, 3)}
    if axes == 1 and d.flag(0.3):
        common["padding"] = "causal"
    return names[axes][0](groups * d.upto(4), d.some(axes, 4), groups=groups, **options, **common)


def depthwise(d, axes, separable):
    kind = {(1, False): L.DepthwiseConv1D, (2, False): L.DepthwiseConv2D, (1, True): L.SeparableConv1D,
            (2, True): L.SeparableConv2D}[axes, separable]
    options = {"padding": d.one("valid", "same"), "depth_multiplier": d.upto(3), "activation": d.activation(),
               "strides": (d.upto(2),) * axes if axes == 2 else d.upto(2), "use_bias": d.flag(0.8)}
    size = d.some(axes, 3) if axes == 2 else d.upto(3)
    return kind(d.upto(5), size, **options) if separable else kind(size, **options)


def pool(d, axes):
    kind = getattr(L, f"{d.one('Max', 'Average')}Pooling{axes}D")
    size = d.some(axes, 3, 2)
    return kind(size if axes > 1 else size[0], strides=d.some(axes, 3) if axes > 1 and d.flag() else None,
                padding=d.one("valid", "same"))


def global_pool(d, axes):
    return getattr(L, f"Global{d.one('Max', 'Average')}Pooling{axes}D")(keepdims=d.flag(0.3))


def recurrent(d):
    kind = d.one(L.SimpleRNN, L.LSTM, L.GRU)
    options = {"return_sequences": d.flag(), "go_backwards": d.flag(0.3), "use_bias": d.flag(0.8),
               "activation": d.one("tanh", "sigmoid", "softsign")}
    if kind is L.GRU:
        options["reset_after"] = d.flag()
    layer = kind(d.upto(6), **options)
    if hasattr(L, "Bidirectional") and d.flag(0.3):
        return L.Bidirectional(layer, merge_mode=d.one("concat", "sum", "mul", "ave"))
    return layer


def normalization(d, rank):
    axis = d.one(-1, *range(1, rank))
    kind = d.one("batch", "layer", "group", "rms", "unit")
    if kind == "batch":
        return L.BatchNormalization(axis=axis, center=d.flag(0.8), scale=d.flag(0.8), epsilon=d.one(1e-3, 0.05))
    if kind == "layer":
        return L.LayerNormalization(axis=axis, center=d.flag(0.8), scale=d.flag(0.8))
    if kind == "group":
        return L.GroupNormalization(groups=d.one(-1, 1, 2, 3), axis=-1)
    # Keras multiplies the scale of another axis along the last one: it runs by chance only, and is refused here
    return L.RMSNormalization(axis=-1) if kind == "rms" else L.UnitNormalization(axis=axis)


def pads(d, axes):
    kind = d.one("ZeroPadding", "Cropping", "UpSampling")
    if kind == "UpSampling":
        return getattr(L, f"UpSampling{axes}D")(d.some(axes, 3) if axes > 1 else d.upto(3))
    amounts = [d.some(2, 2, 0) for _ in range(axes)]
    return getattr(L, f"{kind}{axes}D")(tuple(amounts) if axes > 1 else amounts[0])


def anywhere(d, shape):
    rank = len(shape) + 1
    return d.one(
        lambda: L.Dense(d.upto(7), activation=d.activation(), use_bias=d.flag(0.8), kernel_regularizer=d.regularizer()),
        lambda: L.Activation(d.activation()),
        lambda: L.LeakyReLU(negative_slope=d.one(0.1, 0.3)),
        lambda: L.ELU(alpha=d.one(0.5, 1.0)),
        lambda: L.PReLU(alpha_initializer="ones"),
        lambda: L.Softmax(axis=d.one(-1, *range(1, rank))),
        lambda: normalization(d, rank),
        lambda: L.Rescaling(d.one(0.5, -2.0), offset=d.one(0.0, 0.3)),
        lambda: L.Flatten(),
        lambda: L.Permute(tuple(int(i) for i in d.rng.permutation(rank - 1) + 1)),
        lambda: L.Reshape((-1,) + tuple(shape[-1:])),
        lambda: d.one(L.Dropout, L.GaussianNoise, L.GaussianDropout, L.AlphaDropout)(0.3),
        lambda: L.ActivityRegularization(l1=0.01, l2=0.02),
        lambda: L.Identity(),
    )()


def layer_for(d, shape):
    """A layer that may fit a sample of that shape."""
    axes = len(shape) - 1
    if axes < 1 or axes > 3 or d.flag(0.4):
        return L.RepeatVector(d.upto(3)) if axes == 0 and d.flag(0.2) else anywhere(d, shape)
    choices = [lambda: conv(d, axes, shape[-1]), lambda: pool(d, axes), lambda: global_pool(d, axes), lambda: pads(d, axes)]
    if axes < 3:
        choices.append(lambda: depthwise(d, axes, d.flag()))
    if axes == 1:
        choices += [lambda: recurrent(d)] * 3
        choices.append(lambda: L.TimeDistributed(L.Dense(d.upto(5), activation=d.one(*SMOOTH))))
    if axes == 2:
        choices.append(lambda: getattr(L, f"SpatialDropout{axes}D")(0.2))
    return d.one(*choices)()


def merge(d, x, y):
    kind = d.one(L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum, L.Concatenate)
    return kind()([x, y])


def body(d, x):
    for _ in range(d.upto(4)):
        shape = x.shape[1:]
        y = layer_for(d, shape)(x)
        if int(np.prod(y.shape[1:])) > 600 or 0 in y.shape[1:]:
            raise ValueError("too large, or empty")
        x = merge(d, x, y) if x.shape == y.shape and d.flag(0.3) else y
    return x


def build(d):
    """A model and its inputs, or None where Keras refuses."""
    keras.backend.clear_session()
    shape = d.one((d.upto(9),), (d.upto(8, 2), d.upto(5)), (d.upto(8, 3), d.upto(8, 3), d.upto(4)),
                  (d.upto(5, 2), d.upto(5, 2), d.upto(4, 2), d.upto(3)))
    batch = d.one(1, 2, 3, 5)
    if len(shape) == 2 and d.flag(0.15):  # words
        x = L.Input(shape[:1], dtype="int32")
        y = body(d, L.Embedding(7, d.upto(5), mask_zero=d.flag(0.3))(x))
        return keras.Model(x, y), [draw(d.rng, (batch, shape[0]), "int32")]
    x = L.Input(shape)
    return keras.Model(x, body(d, x)), [draw(d.rng, (batch, *shape))]


def steady(fixture, name, model, arrays, training):
    """Adds the case if Keras's own numbers do not jump when the inputs move by a rounding."""
    trial = Fixture("trial", "", 1, 1, "")
    add_model(fixture, name, model, arrays, training=training)
    moved = [a * np.float32(1 + 1e-6) if a.dtype.kind == "f" else a for a in arrays]
    state = [w.numpy() if hasattr(w, "numpy") else np.asarray(w) for w in model.weights]
    add_model(trial, name, model, moved, training=training)
    assert all(np.array_equal(s, np.asarray(w)) for s, w in zip(state, model.weights))
    for part, value in trial.tensors.items():
        if part.split("/")[1][0] == "x":
            continue
        if not np.allclose(value, fixture.tensors[part], rtol=2e-4, atol=2e-4) or not np.isfinite(value).all():
            fixture.cases.pop()
            for key in list(fixture.tensors):
                if key.startswith(name + "/"):
                    del fixture.tensors[key]
            return False
    return True


def make(seed, count):
    fixture = Fixture("random", f"random models of seed {seed}", 2e-4, 1e-4,
                      "float32 through up to four layers in another order of sums")
    done = refused = 0
    while done < count:
        d = Draw(np.random.default_rng([seed, done, refused]))
        name = f"model_{seed}_{done}_{refused}"
        try:
            model, arrays = build(d)
            random_in_training = any("dropout" in type(l).__name__.lower() or "noise" in type(l).__name__.lower()
                                     for l in model.layers)
            kept = steady(fixture, name, model, arrays, training=d.flag() and not random_in_training)
        except (ValueError, TypeError, NotImplementedError, ZeroDivisionError, KeyError) as refusal:
            if fixture.cases and fixture.cases[-1]["name"] == name:
                fixture.cases.pop()
            del refusal
            kept = False
        done, refused = (done + 1, 0) if kept else (done, refused + 1)
        if refused > 200:
            raise RuntimeError(f"nothing fits: seed {seed}, model {done}")
    return [fixture]


