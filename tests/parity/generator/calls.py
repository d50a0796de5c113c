"""Applications with settings of their own: ReversibleEmbedding, and attention that is applied in two ways. Parts as in layers.py."""

import keras
import numpy as np
from keras import layers as L

from .attention import Several
from .layers import add_model, draw
from .store import Fixture

RANDOM = keras.initializers.RandomNormal(stddev=0.4, seed=5)


def reversible(b):
    def tied(x, middle=None, reverse_first=False, **o):
        table = L.ReversibleEmbedding(7, 4, **o)
        h = table(x)
        return table(middle(h) if middle else h, reverse=True)

    for name, options in (("tied", {}), ("untied", {"tie_weights": False}), ("cap", {"logit_soft_cap": 1.5}),
                          ("untied_cap", {"tie_weights": False, "logit_soft_cap": 0.7}),
                          ("regularized", {"embeddings_regularizer": "l2"}),
                          ("untied_regularized", {"embeddings_regularizer": "l1", "tie_weights": False}),
                          ("float32", {"reverse_dtype": "float32"})):
        b.one(f"reversible_{name}", lambda x, o=options: tied(x, **o), (5,), dtype="int32")
    b.one("reversible_of_one", lambda x: tied(x), (1,), dtype="int32", batch=1)
    b.one("reversible_middle", lambda x: tied(x, middle=L.Dense(4, activation="tanh", name="middle")), (5,), dtype="int32")
    b.one("reversible_mask", lambda x: tied(x, middle=L.LSTM(4, return_sequences=True), mask_zero=True), (5,),
          dtype="int32", high=3)
    b.one("reversible_forward_alone", lambda x: L.ReversibleEmbedding(7, 3, mask_zero=True)(x), (2, 3), dtype="int32")
    b.one("reversible_reverse_alone", lambda x: L.ReversibleEmbedding(7, 3)(x, reverse=True), (2, 3))
    b.one("reversible_reverse_of_a_row", lambda x: L.ReversibleEmbedding(7, 3)(x, reverse=True), (3,))

    def twice(x, y):
        table = L.ReversibleEmbedding(6, 3, name="table")
        return table(x, reverse=True), table(y), table(L.Add()([x, table(y)]), reverse=True)

    b.many("reversible_three_times", twice, (4, 3), (4,), dtypes=("float32", "int32"), high=6)


def attention(b):
    def two(layer):
        def apply(q, v):
            return layer([q, v], use_causal_mask=True), layer([q, v])
        return apply

    def heads(q, v):
        layer = L.MultiHeadAttention(2, 3, bias_initializer=RANDOM, name="both")
        y, scores = layer(q, v, return_attention_scores=True)
        return y, scores, layer(q, v, use_causal_mask=True), layer(v, q)

    b.many("attention_causal_and_not", two(L.Attention(use_scale=True)), (4, 3), (5, 3))
    b.many("additive_causal_and_not", two(L.AdditiveAttention()), (4, 3), (5, 3))
    b.many("mha_three_ways", heads, (4, 3), (4, 3))

    def grouped(q, v):
        layer = L.GroupQueryAttention(3, 4, 2, bias_initializer=RANDOM)
        return layer(q, v), layer(q, v, use_causal_mask=True)

    b.many("gqa_causal_and_not", grouped, (4, 3), (4, 3))


def make():
    fixture = Fixture("calls", "applications with settings of their own: outputs, gradients, penalties", 4e-5, 2e-5,
                      "float32 sums of up to 40 products in another order, through a softmax")
    b = Several(fixture)
    reversible(b)
    attention(b)
    return [fixture]
