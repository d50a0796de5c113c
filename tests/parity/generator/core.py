"""Merging layers and the small layers beside them: cases as those of layers.py, with its parts."""

import keras
import numpy as np
from keras import layers as L

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


def make():
    fixture = Fixture("core", "merging and other small layers: outputs, gradients, penalties", 2e-5, 1e-5,
                      "float32 sums of up to 100 products of magnitude 1 in another order")
    builder = Builder(fixture)
    for part in (merging, masked, dot):
        part(builder)
    return [fixture]
