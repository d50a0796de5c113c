"""Attention and EinsumDense: cases as those of layers.py, with its parts."""

import keras
import numpy as np
from keras import layers as L

from .layers import Builder, add_model, draw
from .store import Fixture

RANDOM = keras.initializers.RandomNormal(stddev=0.4, seed=5)


class Several(Builder):
    def many(self, name, apply, *shapes, dtypes=(), batch=3, high=3):
        """`apply` on several inputs, int32 where `dtypes` says so."""
        keras.backend.clear_session()
        rng = np.random.default_rng([3, *(ord(letter) for letter in name)])
        kinds = [dtypes[i] if i < len(dtypes) else "float32" for i in range(len(shapes))]
        xs = [keras.Input(s, dtype=d, name=f"x{i}") for i, (s, d) in enumerate(zip(shapes, kinds))]
        add_model(self.fixture, name, keras.Model(xs, apply(*xs)),
                  [draw(rng, (batch, *s), d, high) for s, d in zip(shapes, kinds)])


def einsum_dense(b):
    E = L.EinsumDense
    for name, layer, shape in (
            ("dense", E("ab,bc->ac", 4, bias_axes="c"), (5,)),
            ("sequence", E("abc,cd->abd", (None, 4), bias_axes="d"), (3, 5)),
            ("sequence_given", E("abc,cd->abd", (3, 4), bias_axes="bd", activation="tanh"), (3, 5)),
            ("ellipsis", E("...x,xy->...y", 4, bias_axes="y", activation="relu"), (2, 3, 5)),
            ("ellipsis_of_one", E("...x,xy->...y", 4), (5,)),
            ("ellipsis_behind", E("ab...,bc->ac...", 4, bias_axes="c"), (5, 2)),
            ("ellipsis_behind_two", E("ab...,bc->ac...", 4, bias_axes="c"), (5, 2, 3)),
            ("heads", E("abc,cde->abde", (None, 2, 4), bias_axes="de"), (3, 5)),
            ("heads_one_bias", E("abc,cde->abde", (None, 2, 4), bias_axes="d"), (3, 5)),
            ("heads_softmax", E("abc,cde->abde", (None, 2, 4), bias_axes="de", activation="softmax"), (3, 5)),
            ("out_of_heads", E("abcd,cde->abe", (None, 4), bias_axes="e"), (3, 2, 5)),
            ("transposed", E("abc,bd->adc", (4, 5), bias_axes="dc"), (3, 5)),
            ("each_its_own", E("abc,bcd->abd", (3, 4), bias_axes="d"), (3, 5)),
            ("scaled", E("abc,c->abc", (3, 5), bias_axes="c"), (3, 5)),
            ("regularized", E("ab,bc->ac", 4, bias_axes="c", kernel_regularizer="l2", bias_regularizer="l1",
                              activity_regularizer="l2"), (5,))):
        b.one(f"einsum_dense_{name}", layer, shape)


def multi_head(b):
    def m(heads=2, depth=3, **o):
        return L.MultiHeadAttention(heads, depth, bias_initializer=RANDOM, **o)

    # Keras 3.15.1 on JAX fails for a value_dim other than key_dim unless it goes the way with scores: see dropout
    for name, options in (("plain", {}), ("one_head", {"heads": 1}), ("no_bias", {"use_bias": False}),
                          ("value_dim", {"value_dim": 5, "dropout": 0.1}), ("output_shape", {"output_shape": 4}),
                          ("output_shape_of_two", {"output_shape": (2, 3)}), ("gate", {"use_gate": True}),
                          ("gate_no_bias", {"use_gate": True, "use_bias": False, "value_dim": 4, "dropout": 0.1}),
                          ("window", {"sliding_window": 2}), ("axes", {"attention_axes": 1}),
                          ("dropout", {"dropout": 0.3}),
                          ("regularized", {"kernel_regularizer": "l2", "bias_regularizer": "l1"}),
                          ("activity", {"activity_regularizer": "l2"})):
        for causal in (False, True):
            b.one(f"mha_{name}" + ("_causal" if causal else ""),
                  lambda x, o=options, c=causal: m(**o)(x, x, use_causal_mask=c), (5, 4))
    b.one("mha_long", lambda x: m(3, 4)(x, x), (40, 4), batch=2)
    b.one("mha_long_causal", lambda x: m(3, 4)(x, x, use_causal_mask=True), (40, 4), batch=2)
    b.one("mha_batch_of_1", lambda x: m()(x, x), (5, 4), batch=1)
    b.one("mha_two_axes", lambda x: m()(x, x), (3, 2, 4))
    b.one("mha_two_axes_named", lambda x: m(attention_axes=(1, 2))(x, x), (3, 2, 4))
    b.one("mha_window_causal_scores", lambda x: m(sliding_window=3)(x, x, use_causal_mask=True,
                                                                   return_attention_scores=True), (6, 4))
    b.many("mha_cross", lambda q, v: m()(q, v), (4, 5), (6, 3))
    b.many("mha_cross_causal", lambda q, v: m()(q, v, use_causal_mask=True), (4, 5), (6, 3))
    b.many("mha_key", lambda q, v, k: m(value_dim=2, dropout=0.1)(q, v, k), (4, 5), (6, 3), (6, 2))
    b.many("mha_named", lambda q, v, k: m()(query=q, key=k, value=v), (4, 5), (6, 3), (6, 2))
    b.many("mha_scores", lambda q, v: m()(q, v, return_attention_scores=True), (4, 4), (4, 3))
    b.many("mha_scores_causal", lambda q, v: m()(q, v, return_attention_scores=True, use_causal_mask=True), (4, 4), (4, 3))
    ints = ("float32", "float32", "int32")
    for name, shape in (("full", (4, 6)), ("row", (1, 6)), ("heads", (2, 4, 6))):
        b.many(f"mha_mask_{name}", lambda q, v, a: m()(q, v, attention_mask=a), (4, 5), (6, 3), shape, dtypes=ints, high=2)
    b.many("mha_mask_causal", lambda q, v, a: m()(q, v, attention_mask=a, use_causal_mask=True), (4, 5), (6, 3), (4, 6), dtypes=ints, high=2)
    b.many("mha_mask_dropout", lambda q, v, a: m(dropout=0.2)(q, v, attention_mask=a), (4, 5), (6, 3), (4, 6), dtypes=ints, high=2)
    b.many("mha_mask_scores", lambda q, v, a: m()(q, v, attention_mask=a, return_attention_scores=True), (4, 5), (4, 3), (4, 4), dtypes=ints, high=2)
    b.many("mha_mask_key", lambda q, v, k, a: m()(q, v, key=k, attention_mask=a), (4, 5), (6, 3), (6, 2), (4, 6),
           dtypes=("float32", "float32", "float32", "int32"), high=2)

    def words(x, size=4):
        return L.Embedding(3, size, mask_zero=True)(x)

    def itself(x, **o):
        h = words(x)
        return m()(h, h, **o)

    for name, options in (("", {}), ("_causal", {"use_causal_mask": True})):
        b.one(f"mha_padded{name}", lambda x, o=options: itself(x, **o), (6,), dtype="int32", batch=6, high=3)
    b.many("mha_padded_values", lambda q, v: m()(q, words(v)), (4, 5), (6,), dtypes=("float32", "int32"), batch=5)
    b.many("mha_padded_queries", lambda q, v: m()(words(q), v), (6,), (4, 5), dtypes=("int32", "float32"), batch=5)
    b.many("mha_padded_key", lambda q, v, k: m()(q, v, key=words(k)), (4, 5), (6, 3), (6,), dtypes=("float32", "float32", "int32"), batch=5)
    b.many("mha_padded_both", lambda q, v: m()(words(q), words(v, 3)), (5,), (6,), dtypes=("int32", "int32"), batch=5)

    def block(x):
        h = L.LayerNormalization()(x)
        x = L.Add()([x, m(2, 2)(h, h, use_causal_mask=True)])
        h = L.Dense(8, activation="gelu")(L.LayerNormalization()(x))
        return L.Add()([x, L.Dense(4)(h)])

    b.one("mha_block", block, (5, 4))


def make():
    fixture = Fixture("attention", "attention and EinsumDense: outputs, gradients, penalties", 4e-5, 2e-5,
                      "float32 sums of up to 400 products of magnitude 3 in another order, through a softmax")
    b = Several(fixture)
    einsum_dense(b)
    multi_head(b)
    return [fixture]
