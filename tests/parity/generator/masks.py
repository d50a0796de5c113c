"""Masks that calls are given, beside initial states and without, and every mixture of attention's settings: cases as those of
layers.py, with its parts."""

import keras
import numpy as np
from keras import layers as L
from keras import ops

from .attention import RANDOM, Several
from .layers import add_model, draw
from .store import Fixture


class Compiled(Several):
    """Cases by compiled functions of Keras, which takes less time."""

    def many(self, name, apply, *shapes, dtypes=(), batch=3, high=3):
        keras.backend.clear_session()
        rng = np.random.default_rng([3, *(ord(letter) for letter in name)])
        kinds = [dtypes[i] if i < len(dtypes) else "float32" for i in range(len(shapes))]
        xs = [keras.Input(s, dtype=d, name=f"x{i}") for i, (s, d) in enumerate(zip(shapes, kinds))]
        add_model(self.fixture, name, keras.Model(xs, apply(*xs)),
                  [draw(rng, (batch, *s), d, high) for s, d in zip(shapes, kinds)], compiled=True)

    def one(self, name, apply, shape, batch=3):
        self.many(name, apply, shape, batch=batch)


def words(x, size=3):
    return L.Embedding(3, size, mask_zero=True)(x)


def recurrent(b):
    makers = {"rnn": (L.SimpleRNN, {}, 1), "lstm": (L.LSTM, {}, 2), "gru": (L.GRU, {}, 1),
              "cells": (lambda units, **o: L.RNN([L.LSTMCell(units), L.GRUCell(units)], **o), {}, 3)}
    for kind, (make, fixed, count) in makers.items():
        states = [(4,)] * count
        ways = (("given", {}, True), ("own", {}, False),
                ("sequences", {"return_sequences": True, "return_state": True}, True),
                ("backwards", {"go_backwards": True, "return_sequences": True}, True)) if kind in ("lstm", "gru") else (("given", {"return_sequences": True}, True),)
        for name, options, given in ways:
            b.many(f"{kind}_states_{name}", lambda x, *s, o=options, g=given: make(4, **fixed, **o)(
                words(x), initial_state=list(s) if len(s) < 3 else [list(s[:2]), s[2]], **({"mask": ops.not_equal(x, 0)} if g else {})),
                (5,), *states, dtypes=("int32",), batch=4)
        b.many(f"{kind}_mask", lambda x, m: make(4, return_sequences=True, **fixed)(x, mask=ops.cast(m, "bool")), (5, 3), (5,),
               dtypes=("float32", "int32"), batch=4, high=2)
    # the mask of an embedding that a layer in between dropped; and of another input than the one that carries one
    b.many("lstm_mask_behind_reshape", lambda x: L.LSTM(3)(L.Reshape((6, 2))(L.Dense(2)(words(x))), mask=ops.not_equal(x, 0)), (6,),
           dtypes=("int32",), batch=5)
    b.many("gru_mask_of_another", lambda x, y: L.GRU(3)(words(x), mask=L.Embedding(3, 2, mask_zero=True).compute_mask(y)) + L.GRU(3)(words(y)),
           (6,), (6,), dtypes=("int32", "int32"), batch=5)
    for kind, layer, count in (("gru", L.GRU(3, return_sequences=True, return_state=True), 2), ("lstm", L.LSTM(3, return_sequences=True), 4)):
        for given in (True, False):
            b.many(f"bidirectional_{kind}" + ("" if given else "_own"), lambda x, *s, l=layer, g=given: L.Bidirectional(l.__class__.from_config(l.get_config()))(
                words(x), initial_state=list(s), **({"mask": ops.not_equal(x, 0)} if g else {})), (5,), *[(3,)] * count, dtypes=("int32",), batch=4)
    b.many("bidirectional_mask", lambda x, m: L.Bidirectional(L.GRU(3))(x, mask=ops.cast(m, "bool")), (5, 2), (5,),
           dtypes=("float32", "int32"), high=2)


def others(b):
    ints = ("float32", "int32")
    b.many("average_mask", lambda x, m: L.GlobalAveragePooling1D()(x, mask=m), (5, 3), (5,), dtypes=ints, high=2, batch=5)
    b.many("average_mask_second", lambda x, m: L.GlobalAveragePooling1D()(x, ops.cast(m, "bool")), (5, 3), (5,), dtypes=ints, high=2, batch=5)
    b.many("softmax_mask", lambda x, m: L.Softmax()(x, mask=ops.cast(m, "bool")), (4, 5), (4, 5), dtypes=ints, high=2)
    b.many("softmax_mask_last", lambda x, m: L.Softmax(axis=1)(x, mask=ops.expand_dims(ops.cast(m, "bool"), -1)), (4, 5), (4,), dtypes=ints, high=2)
    b.many("softmax_mask_heads", lambda x, m: L.Softmax()(x, mask=m), (2, 4, 5), (1, 4, 5), dtypes=ints, high=2)
    b.many("time_distributed_mask", lambda x, m: L.GRU(3)(L.TimeDistributed(L.Dense(3))(x, mask=ops.cast(m, "bool"))), (5, 3), (5,), dtypes=ints, high=2)
    b.many("batch_mask", lambda x, m: L.GRU(3)(L.BatchNormalization()(x, mask=ops.cast(m, "bool"))), (5, 3), (5,), dtypes=ints, high=2)
    for kind, cls in (("attention", L.Attention), ("additive", L.AdditiveAttention)):
        both = ("float32", "float32", "int32", "int32")
        b.many(f"{kind}_value_mask", lambda q, v, m, c=cls: c()([q, v], mask=[None, ops.cast(m, "bool")]), (4, 3), (6, 3), (6,),
               dtypes=("float32", "float32", "int32"), high=2, batch=4)
        b.many(f"{kind}_both_masks", lambda q, v, m, n, c=cls: c()([q, v], mask=[ops.cast(m, "bool"), ops.cast(n, "bool")], use_causal_mask=True),
               (4, 3), (6, 3), (4,), (6,), dtypes=both, high=2, batch=4)
        b.many(f"{kind}_query_not_masked", lambda q, v, c=cls: c()([words(q), words(v)], mask=[None, ops.not_equal(v, 0)]), (4,), (6,),
               dtypes=("int32", "int32"), batch=4)


def heads(b):
    def m(heads=2, depth=3, **o):
        return L.MultiHeadAttention(heads, depth, bias_initializer=RANDOM, **o)
    f, i = "float32", "int32"
    for axes in ((1,), (2,), (-2,), (1, 2)):
        name = "_".join(str(a) for a in axes).replace("-", "m")
        b.one(f"axes_{name}", lambda x, a=axes: m(attention_axes=a)(x, x), (3, 4, 5), batch=2)
        b.one(f"axes_{name}_gate", lambda x, a=axes: m(attention_axes=a, use_gate=True, value_dim=2, output_shape=3)(x, x, return_attention_scores=True),
              (3, 4, 5), batch=2)
    b.many("axes_cross", lambda q, v: m(attention_axes=(2,))(q, v), (3, 4, 5), (3, 2, 6), batch=2)
    b.many("axes_cross_key", lambda q, v, k: m(attention_axes=(1,), value_dim=4)(q, v, k, return_attention_scores=True), (3, 4, 5), (2, 4, 6), (2, 4, 3), batch=2)
    b.many("axes_mask", lambda q, v, a: m(attention_axes=(2,))(q, v, attention_mask=a), (3, 4, 5), (3, 2, 6), (4, 2), dtypes=(f, f, i), high=2, batch=2)
    b.many("axes_mask_each", lambda q, v, a: m(attention_axes=(2,))(q, v, attention_mask=a), (3, 4, 5), (3, 2, 6), (3, 4, 2), dtypes=(f, f, i), high=2, batch=2)
    b.many("axes_mask_two", lambda q, v, a: m(attention_axes=(1, 2))(q, v, attention_mask=a), (3, 2, 5), (2, 2, 6), (3, 2, 2, 2), dtypes=(f, f, i), high=2, batch=2)
    b.one("axes_causal", lambda x: m(attention_axes=(1,))(x, x, use_causal_mask=True), (3, 4, 5), batch=2)
    b.one("axes_three", lambda x: m(1, 2, attention_axes=(2,))(x, x), (2, 3, 2, 3), batch=2)
    b.one("axes_three_outer", lambda x: m(2, 2, attention_axes=(1, 3))(x, x), (2, 3, 2, 3), batch=2)
    # every mixture of masks, with and without scores and dropout
    for which in range(16):
        query, value, given, causal = (bool(which >> k & 1) for k in range(4))

        def apply(q, v, *a, query=query, value=value, given=given, causal=causal, scores=False, **o):
            return m(**o)(words(q, 4) if query else q, words(v, 5) if value else v, use_causal_mask=causal, return_attention_scores=scores,
                          **({"attention_mask": a[0]} if given else {}))
        shapes = [(4,) if query else (4, 4), (6,) if value else (6, 5)] + ([(4, 6)] if given else [])
        kinds = (i if query else f, i if value else f, i)
        name = "".join(letter for letter, on in zip("qvac", (query, value, given, causal)) if on) or "none"
        b.many(f"masks_{name}", apply, *shapes, dtypes=kinds, batch=3)
        if which % 3 == 0:
            b.many(f"masks_{name}_scores", lambda *x, a=apply: a(*x, scores=True), *shapes, dtypes=kinds, batch=3)
            b.many(f"masks_{name}_dropout", lambda *x, a=apply: a(*x, dropout=0.2, value_dim=2), *shapes, dtypes=kinds, batch=3)
            b.many(f"masks_{name}_window", lambda *x, a=apply: a(*x, sliding_window=2, use_gate=True), *shapes, dtypes=kinds, batch=3)
    b.many("value_mask", lambda q, v, a: m()(q, v, value_mask=ops.cast(a, "bool")), (4, 4), (6, 5), (6,), dtypes=(f, f, i), high=2, batch=4)
    b.many("key_mask", lambda q, v, k, a: m()(q, v, k, key_mask=ops.cast(a, "bool")), (4, 4), (6, 5), (6, 2), (6,), dtypes=(f, f, f, i), high=2, batch=4)
    b.many("grouped_value_mask", lambda q, v, a: L.GroupQueryAttention(3, 4, 2)(q, v, value_mask=ops.cast(a, "bool")), (4, 5), (6, 5), (6,),
           dtypes=(f, f, i), high=2, batch=4)


def make():
    fixture = Fixture("masks", "masks of calls, and mixtures of attention's settings: outputs, gradients", 4e-5, 2e-5,
                      "float32 sums of up to 400 products of magnitude 3 in another order, through a softmax")
    b = Compiled(fixture)
    recurrent(b)
    others(b)
    heads(b)
    return [fixture]
