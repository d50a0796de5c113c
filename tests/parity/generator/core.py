"""Merging layers and the small layers beside them: cases as those of layers.py, with its parts."""

import keras
import numpy as np
from keras import layers as L

from .activations import ALIASES, ELEMENTWISE
from .layers import Builder, add_model, draw
from .store import Fixture


def many(b, name, graph, *inputs, batch=3, training=False):
    """A model of several inputs, each a shape, or (shape, dtype, high): `graph` makes its outputs."""
    keras.backend.clear_session()
    rng = np.random.default_rng([3, *(ord(letter) for letter in name)])
    kinds = [i if isinstance(i[0], tuple) else (i, "float32", 7) for i in (i or ((),) for i in inputs)]
    xs = [keras.Input(shape, dtype=dtype, name=f"x{i}") for i, (shape, dtype, _) in enumerate(kinds)]
    add_model(b.fixture, name, keras.Model(xs, graph(xs)), [draw(rng, (batch, *shape), dtype, high) for shape, dtype, high in kinds],
              training)


def merging(b):
    several = {"multiply": L.Multiply, "average": L.Average, "maximum": L.Maximum, "minimum": L.Minimum}
    for kind, cls in (*several.items(), ("add", L.Add), ("subtract", L.Subtract)):
        if kind != "add":
            b.merge(kind, cls(), (3, 4), (3, 4))
            b.merge(f"{kind}_broadcast", cls(), (3, 4), (1, 4))
            b.merge(f"{kind}_vectors", cls(), (7,), (7,), batch=1)
        b.merge(f"{kind}_broadcast_both", cls(), (3, 1, 5), (1, 2, 5))
        b.merge(f"{kind}_ranks", cls(), (5,), (3, 5))
        b.merge(f"{kind}_ranks_long", cls(), (2, 3, 4), (4,))
        if kind != "subtract":
            b.merge(f"{kind}_one", cls(), (3, 4))
            b.merge(f"{kind}_four", cls(), (5,), (5,), (1,), (5,))
            b.merge(f"{kind}_three_ranks", cls(), (5,), (2, 3, 5), (3, 1))
    b.merge("concatenate_one", L.Concatenate(), (3, 4))
    b.merge("concatenate_one_axis1", L.Concatenate(axis=1), (3, 4))


def masked(b):
    """Two or three embeddings with masks, merged, and what a recurrent layer makes of the mask."""
    words = ((5,), "int32", 3)
    table = lambda name, units=4, mask=True: L.Embedding(4, units, mask_zero=mask, name=name)
    for kind, cls in (("multiply", L.Multiply), ("average", L.Average), ("maximum", L.Maximum), ("minimum", L.Minimum),
                      ("add", L.Add), ("subtract", L.Subtract)):
        many(b, f"{kind}_masked", lambda x: cls()([table("a")(x[0]), table("b")(x[1])]), words, words, batch=6)
        many(b, f"{kind}_masked_through", lambda x: L.SimpleRNN(3)(cls()([table("a")(x[0]), table("b")(x[1])])), words, words, batch=6)
        many(b, f"{kind}_masked_first", lambda x: L.SimpleRNN(3)(cls()([table("a")(x[0]), table("b", mask=False)(x[1])])),
             words, words, batch=6)
        many(b, f"{kind}_masked_second", lambda x: L.SimpleRNN(3)(cls()([table("a", mask=False)(x[0]), table("b")(x[1])])),
             words, words, batch=6)
        if kind != "subtract":
            many(b, f"{kind}_masked_three", lambda x: L.SimpleRNN(3)(cls()([table("a")(x[0]), table("b")(x[1]), table("c")(x[2])])),
                 words, words, words, batch=6)
    for axis in (-1, 1):
        for name, second in (("both", True), ("first", False)):
            many(b, f"concatenate_masked_{name}_axis{axis}",
                 lambda x: L.SimpleRNN(3)(L.Concatenate(axis=axis)([table("a")(x[0]), table("b", mask=second)(x[1])])), words, words, batch=6)
    many(b, "dot_masked", lambda x: L.SimpleRNN(3)(L.Dot(axes=-1)([table("a")(x[0]), table("b")(x[1])])), words, words, batch=6)


def dot(b):
    for normalize in (False, True):
        tag = "_normalized" if normalize else ""
        D = lambda axes: L.Dot(axes=axes, normalize=normalize)
        b.merge(f"dot_vectors{tag}", D(1), (5,), (5,))
        b.merge(f"dot_vectors_of_1{tag}", D(-1), (1,), (1,))
        b.merge(f"dot_last{tag}", D(-1), (3, 4), (5, 4))
        b.merge(f"dot_2{tag}", D(2), (3, 4), (2, 4))
        b.merge(f"dot_1{tag}", D(1), (3, 4), (3, 2))
        b.merge(f"dot_1_2{tag}", D((1, 2)), (3, 4), (5, 3))
        b.merge(f"dot_2_1{tag}", D((2, 1)), (3, 4), (4, 5), batch=1)
        b.merge(f"dot_minus_1_1{tag}", D((-1, 1)), (2, 4), (4,))
        b.merge(f"dot_1_minus_1{tag}", D((1, -1)), (4,), (2, 4))
        b.merge(f"dot_rank4{tag}", D((3, 2)), (2, 3, 4), (5, 4))
        b.merge(f"dot_rank4_both{tag}", D((2, 3)), (2, 3, 4), (2, 2, 3))


def activation(b):
    P = L.PReLU
    random = keras.initializers.RandomUniform(-0.5, 0.5, seed=3)
    b.one("prelu", P(), (6,))
    b.one("prelu_rank4", P(alpha_initializer=random), (3, 2, 4))
    b.one("prelu_shared", P(alpha_initializer=random, shared_axes=[1, 2]), (3, 5, 2))
    b.one("prelu_shared_1", P(shared_axes=1, alpha_regularizer="l2"), (3, 4))
    b.one("prelu_masked", lambda x: L.SimpleRNN(3)(P()(L.Embedding(4, 3, mask_zero=True)(x))), (5,), dtype="int32", batch=6, high=3)
    b.one("identity", L.Identity(), (3, 4))
    b.one("identity_masked", lambda x: L.SimpleRNN(3)(L.Identity()(L.Embedding(4, 3, mask_zero=True)(x))), (5,), dtype="int32", batch=6,
          high=3)
    for name in ELEMENTWISE + ALIASES + ["softmax", "log_softmax", "glu"]:
        b.one(f"activation_{name}", L.Activation(name), (3, 4), batch=2)
        b.one(f"dense_{name}", L.Dense(4, activation=name), (3,), batch=2)


def regularization(b):
    """What these do in training is random, and tested by its distribution; here they are still, or have nothing to do."""
    for d, shape in ((1, (4, 3)), (2, (3, 2, 4)), (3, (2, 3, 2, 2))):
        cls = getattr(L, f"SpatialDropout{d}D")
        b.one(f"spatial_dropout{d}d_inference", cls(0.4), shape)
        b.one(f"spatial_dropout{d}d_rate_0_training", cls(0.0), shape, training=True)
    for name, layer in (("gaussian_noise", L.GaussianNoise), ("gaussian_dropout", L.GaussianDropout), ("alpha_dropout", L.AlphaDropout)):
        b.one(f"{name}_inference", layer(0.3, seed=7), (3, 4))
        b.one(f"{name}_0_training", layer(0.0), (3, 4), training=True)
        b.one(f"{name}_masked", lambda x: L.SimpleRNN(3)(layer(0.2)(L.Embedding(4, 3, mask_zero=True)(x))), (5,), dtype="int32", batch=6,
              high=3)
    b.one("alpha_dropout_noise_shape", L.AlphaDropout(0.3, noise_shape=(None, 1, 4)), (3, 4))
    A = L.ActivityRegularization
    for training in (False, True):
        tag = "_training" if training else ""
        b.one(f"activity_l1{tag}", A(l1=0.02), (3, 4), training=training)
        b.one(f"activity_l2{tag}", A(l2=0.03), (5,), training=training)
        b.one(f"activity_both{tag}", lambda x: L.Dense(2)(A(l1=0.02, l2=0.01)(L.Dense(4, activation="tanh")(x))), (5,), training=training)
        b.one(f"activity_none{tag}", A(), (5,), training=training)


def reshaping(b):
    b.one("permute_2", L.Permute((2, 1)), (3, 4))
    b.one("permute_3", L.Permute((3, 1, 2)), (2, 3, 4))
    b.one("permute_same", L.Permute((1,)), (5,))
    b.one("repeat_vector", L.RepeatVector(3), (4,))
    b.one("repeat_vector_1", L.RepeatVector(1), (4,), batch=1)
    b.one("reshape_open_front", L.Reshape((-1, 2)), (3, 4))
    b.one("reshape_open_alone", L.Reshape((-1,)), (3, 4, 2))
    b.one("flatten_rank5", L.Flatten(), (2, 1, 3, 2))
    for interpolation in ("bilinear", "bicubic", "lanczos3", "lanczos5"):
        for size, shape in (((2, 2), (4, 5, 2)), ((3, 1), (3, 4, 1)), ((4, 5), (2, 1, 3))):
            b.one(f"up_sampling2d_{interpolation}_{size[0]}x{size[1]}", L.UpSampling2D(size, interpolation=interpolation), shape, batch=2)
    for kind in ("Max", "Average"):
        for d, shapes, sizes in ((1, ((7, 2), (6, 1), (2, 3), (20, 1)), ((3,), (2,), (5,), (19,), (1,))),
                                 (2, ((5, 6, 2), (4, 3, 1)), ((2, 3), (3, 4), (1, 1), (5, 2))),
                                 (3, ((3, 4, 5, 2),), ((2, 3, 2), (3, 2, 5), (1, 1, 1)))):
            cls = getattr(L, f"Adaptive{kind}Pooling{d}D")
            for shape in shapes:
                for size in sizes:
                    if any(n < m for n, m in zip(shape, size)) and kind == "Max" and d != 1:
                        continue
                    name = f"adaptive_{kind.lower()}_{'x'.join(map(str, shape))}_to_{'x'.join(map(str, size))}"
                    b.one(name, cls(size if d > 1 else size[0]), shape, batch=2)


def make():
    fixture = Fixture("core", "merging and other small layers: outputs, gradients, penalties", 2e-5, 1e-5,
                      "float32 sums of up to 100 products of magnitude 1 in another order")
    builder = Builder(fixture)
    for part in (merging, masked, dot, activation, regularization, reshaping):
        part(builder)
    return [fixture]
