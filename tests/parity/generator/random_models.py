"""Random models: chains and branches of one to four layers with random settings, drawn anew from a seed; in them recurrences
over masked steps, attention, preprocessing, operators between layers, models in models, and more inputs and outputs than one.

What Keras itself refuses is drawn again. Layers with random masks are drawn for inference only. The parts of a case are
those of layers.py. A value may lie near a kink (0 of ReLU, two equal elements of a window), or what should be 0 is divided by
its own length: there a rounding decides. A case is dropped whose numbers are not steady under noise of 1e-6 behind each
operation (noise.py).
"""

import jax
import keras
import numpy as np
from keras import layers as L
from keras import ops

from .layers import add_model, draw, layers_of
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


def cell(d):
    units = d.upto(5)
    return d.one(lambda: L.SimpleRNNCell(units, activation=d.one("tanh", "softsign")), lambda: L.LSTMCell(units, use_bias=d.flag(0.7)),
                 lambda: L.GRUCell(units, reset_after=d.flag()))()


def over_steps(d):
    """Recurrences put together from others."""
    options = {"return_sequences": d.flag(), "go_backwards": d.flag(0.3)}
    return d.one(lambda: L.RNN(cell(d), **options), lambda: L.RNN([cell(d) for _ in range(d.upto(2) + 1)], **options),
                 lambda: L.Bidirectional(L.RNN(cell(d), return_sequences=d.flag()), merge_mode=d.one("concat", "sum", "mul", "ave")),
                 lambda: recurrent(d))()


def with_states(d, x):
    """A recurrence that starts from the last states of another. Keras drops the mask of one that is given states."""
    if keras.src.backend.get_keras_mask(x) is not None:
        raise ValueError("masked")
    kind, units = d.one(L.SimpleRNN, L.LSTM, L.GRU), d.upto(5)
    states = kind(units, return_state=True)(x)[1:]
    return kind(units, return_sequences=d.flag())(x, initial_state=list(states))


def attended(d, x):
    """Attention of (batch, steps, features) to itself."""
    heads = d.upto(3)
    own = d.one(*(k for k in (1, 2, 3) if heads % k == 0))
    causal = d.flag()
    return d.one(
        lambda: L.MultiHeadAttention(heads, d.upto(4), value_dim=d.one(None, 2), output_shape=d.one(None, 3), use_bias=d.flag(0.8))(
            x, x, use_causal_mask=causal),
        lambda: L.GroupQueryAttention(d.upto(4), heads, own, use_bias=d.flag(0.8))(x, x, use_causal_mask=causal),
        lambda: L.Attention(use_scale=d.flag(), score_mode=d.one("dot", "concat"))([x, x], use_causal_mask=causal),
        lambda: L.AdditiveAttention(use_scale=d.flag())([x, x], use_causal_mask=causal),
        lambda: L.EinsumDense("abc,cd->abd", (None, d.upto(5)), bias_axes=d.one(None, "d"), activation=d.one(*SMOOTH))(x),
    )()


def operator(d, x):
    """Words of keras.ops on a symbol."""
    rank = len(x.shape)
    axis = d.one(-1, *range(1, rank))
    number = d.one(0.5, 2.0, -1.5)
    return d.one(
        lambda: x * number + 0.25, lambda: number - x, lambda: ops.tanh(x) * ops.sigmoid(x), lambda: x / (1.5 + ops.square(x)),
        lambda: ops.exp(-ops.square(x)), lambda: ops.log1p(ops.square(x)), lambda: ops.sqrt(ops.abs(x) + 0.5), lambda: ops.sin(x) + ops.cos(x),
        lambda: ops.maximum(x, number), lambda: ops.where(x > 0.3, x, x * 0.2), lambda: ops.clip(x, -0.9, 1.1),
        lambda: x - ops.mean(x, axis=axis, keepdims=True), lambda: x / ops.sqrt(0.5 + ops.var(x, axis=axis, keepdims=True)),
        lambda: x - ops.logsumexp(x, axis=axis, keepdims=True), lambda: ops.softmax(x, axis=axis), lambda: ops.cumsum(x, axis=axis),
        lambda: ops.concatenate([x, ops.square(x)], axis=axis), lambda: ops.stack([x, -x], axis=-1), lambda: ops.flip(x, axis=axis),
        lambda: ops.expand_dims(x, -1), lambda: ops.roll(x, 1, axis=axis), lambda: ops.repeat(x, 2, axis=axis), lambda: ops.sum(x, axis=axis),
        lambda: ops.max(x, axis=axis), lambda: x[:, :1], lambda: x[..., ::-1], lambda: ops.pad(x, [[0, 0]] + [[1, 0]] * (rank - 1)),
        lambda: ops.split(x, 2, axis=axis)[1], lambda: ops.moveaxis(x, 1, -1), lambda: ops.silu(x), lambda: ops.gelu(x, approximate=d.flag()),
        lambda: ops.matmul(x, ops.transpose(x, [0, 2, 1])) if rank == 3 else x + x, lambda: ops.einsum("ab...,ab...->ab...", x, x),
        lambda: ops.normalize(x, axis=axis), lambda: ops.power(ops.abs(x) + 0.5, number), lambda: ops.arctan(x), lambda: ops.erf(x),
        lambda: ops.multiply(x, np.linspace(-1, 1, x.shape[-1]).astype("float32")), lambda: ops.tile(x, [1] + [2] * (rank - 1)),
        lambda: ops.diff(x, axis=axis), lambda: ops.sort(x, axis=axis), lambda: ops.take(x, [0, 0], axis=axis), lambda: ops.tril(x) if rank == 3 else -x,
        lambda: ops.logaddexp(x, number * x), lambda: ops.hypot(x, number), lambda: ops.cast(x > 0, "float32") * x,
        lambda: ops.layer_normalization(x, axis=-1), lambda: ops.leaky_relu(x, 0.1), lambda: ops.softplus(x), lambda: ops.var(x, axis=axis),
    )()


def preprocessing(d, x):
    """Layers that prepare data, first in a model."""
    rank = len(x.shape)
    if rank == 4 and d.flag(0.7):
        return d.one(lambda: L.Resizing(d.upto(7), d.upto(7), interpolation=d.one("bilinear", "nearest", "bicubic"), antialias=d.flag(0.3),
                                        crop_to_aspect_ratio=d.flag(0.3)),
                     lambda: L.CenterCrop(d.upto(x.shape[1]), d.upto(x.shape[2])), lambda: L.Rescaling(0.5, offset=-0.1))()(x)
    features = x.shape[-1]
    numbers = lambda low: [float(v) for v in np.round(d.rng.uniform(low, 2, features), 3)]
    return d.one(lambda: L.Normalization(mean=numbers(-1), variance=numbers(0.2), invert=d.flag(0.3)),
                 lambda: L.Normalization(axis=None, mean=0.3, variance=1.7), lambda: L.Rescaling([0.5] * features, offset=0.3),
                 lambda: L.Masking(-9.0))()(x)


def unlike_masks(outer, layer, x, y):
    """Refuses what drops a mask and may return the very array that it was given: a Reshape to the same shape, say. Keras
    keeps a mask as an attribute of the array, so there it lives on with JAX, and does not with TensorFlow."""
    if keras.src.backend.get_keras_mask(outer) is None or x.shape != y.shape:
        return
    if not layer.supports_masking if layer else keras.src.backend.get_keras_mask(y) is None:
        raise ValueError("the back ends differ")


def nested(d, x):
    """A model as a layer, perhaps twice."""
    inner = L.Input(x.shape[1:])
    y = anywhere(d, x.shape[1:])(inner)
    model = keras.Model(inner, merge(d, y, inner) if y.shape == inner.shape and d.flag() else y) if d.flag() else \
        keras.Sequential([L.Input(x.shape[1:]), anywhere(d, x.shape[1:]), L.Activation(d.one(*SMOOTH))])
    for layer in model.layers:
        unlike_masks(x, layer, layer.input, layer.output)
    z = model(x)
    # of a layer that is applied twice Keras's stateless_call() keeps the last penalty of outputs alone
    penalized = any(isinstance(layer, L.ActivityRegularization) for layer in model.layers)
    return model(z) if z.shape == x.shape and not penalized and d.flag(0.4) else z


def step_of(d, x):
    """What comes after x. Of (batch,) the last axis is the batch: a softmax along it, or a join, would mix samples."""
    if len(x.shape) < 2:
        raise ValueError("a number a sample")
    kinds = [lambda: layer_for(d, x.shape[1:])(x)] * 5
    if len(x.shape) > 1:
        kinds += [lambda: operator(d, x)] * 3 + [lambda: nested(d, x)]
    if len(x.shape) == 3:
        kinds += [lambda: attended(d, x), lambda: over_steps(d)(x), lambda: with_states(d, x)]
    if len(x.shape) == 4:
        kinds.append(lambda: L.TimeDistributed(d.one(lambda: L.Conv1D(2, 2), lambda: L.Dense(3), lambda: L.LSTM(2))())(x))
        kinds.append(lambda: L.ConvLSTM1D(d.upto(2), 2, padding=d.one("same", "valid"), return_sequences=d.flag())(x))
    y = d.one(*kinds)()
    unlike_masks(x, None, x, y)
    return y


def merge(d, x, y):
    kind = d.one(L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum, L.Concatenate)
    return kind()([x, y])


def body(d, x):
    for _ in range(d.upto(4)):
        y = step_of(d, x)
        if int(np.prod(y.shape[1:])) > 600 or 0 in y.shape[1:]:
            raise ValueError("too large, or empty")
        x = merge(d, x, y) if x.shape == y.shape and d.flag(0.3) else y
    return x


def start(d, number):
    """An input, what is made of it, and its data but for the batch."""
    shape = d.one((d.upto(9),), (d.upto(8, 2), d.upto(5)), (d.upto(8, 3), d.upto(8, 3), d.upto(4)),
                  (d.upto(5, 2), d.upto(5, 2), d.upto(4, 2), d.upto(3)))
    if len(shape) == 2 and d.flag(0.3):  # words, some of them padding
        x = L.Input(shape[:1], dtype="int32", name=f"words{number}")
        y = L.Embedding(4, d.upto(5), mask_zero=d.flag(0.7))(x)
        return x, over_steps(d)(y) if d.flag() else y, lambda batch: draw(d.rng, (batch, shape[0]), "int32", 4)
    x = L.Input(shape, name=f"numbers{number}")
    y = preprocessing(d, x) if d.flag(0.2) else x
    if len(shape) == 2 and d.flag(0.3):  # steps that are masked where all their numbers are 0
        def steps(batch):
            data = draw(d.rng, (batch, *shape))
            data[d.rng.random(data.shape[:2]) < 0.3] = 0
            return data
        return x, over_steps(d)(L.Masking()(y)), steps
    return x, y, lambda batch: draw(d.rng, (batch, *shape))


def build(d):
    """A model and its inputs; raises where Keras refuses."""
    keras.backend.clear_session()
    batch = d.one(1, 2, 3, 5)
    x, y, data = start(d, 0)
    y = body(d, y)
    inputs, arrays, outputs = [x], [data(batch)], [y]
    if d.flag(0.25):  # a second input, joined with the first
        x, z, data = start(d, 1)
        z = body(d, z)
        vectors = [t if len(t.shape) == 2 else L.Flatten()(t) for t in (y, z)]
        joined = merge(d, *vectors) if vectors[0].shape == vectors[1].shape else \
            L.Concatenate()(vectors) if d.flag() else L.Dot(1)([L.Dense(3)(v) for v in vectors])
        inputs, arrays, outputs = [*inputs, x], [*arrays, data(batch)], [joined]
    if d.flag(0.25):  # a second output
        outputs.append(step_of(d, y))
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs if len(outputs) > 1 else outputs[0]), arrays


PHASES = (0.7, 1.9, 2.6, 3.7, 5.3)


def steady(fixture, name, model, arrays, training):
    """Adds the case if Keras's own numbers do not jump when what each operation makes moves by some roundings."""
    others = add_model(fixture, name, model, arrays, training=training, compiled=True, phases=PHASES)
    for other in others:
        for part, value in other.items():
            # half of what the test allows
            if not np.allclose(value, fixture.tensors[f"{name}/{part}"], rtol=1e-4, atol=5e-5) or not np.isfinite(value).all():
                forget(fixture, name)
                return False
    return True


def forget(fixture, name):
    """Takes a case out again, if it is there."""
    fixture.cases = [case for case in fixture.cases if case["name"] != name]
    for key in [key for key in fixture.tensors if key.startswith(name + "/")]:
        del fixture.tensors[key]


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
                                     for l in layers_of(model))
            kept = steady(fixture, name, model, arrays, training=d.flag() and not random_in_training)
        except (ValueError, TypeError, NotImplementedError, ZeroDivisionError, KeyError, IndexError, AttributeError,
                jax.errors.JAXTypeError, RuntimeError) as refusal:
            forget(fixture, name)
            del refusal
            kept = False
        done, refused = (done + 1, 0) if kept else (done, refused + 1)
        jax.clear_caches()
        if refused > 200:
            raise RuntimeError(f"nothing fits: seed {seed}, model {done}")
    return [fixture]


