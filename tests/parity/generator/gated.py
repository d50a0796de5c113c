"""LSTM and GRU: cases as those of layers.py, with its parts."""

import keras
from keras import layers as L

from .layers import Builder
from .store import Fixture


def gated(b):
    kinds = {"lstm": (L.LSTM, {}), "gru": (L.GRU, {}), "gru_before": (L.GRU, {"reset_after": False})}
    random = keras.initializers.RandomNormal(stddev=0.3, seed=11)
    for kind, (layer, fixed) in kinds.items():
        R = lambda units, layer=layer, fixed=fixed, **o: layer(units, bias_initializer=random, **fixed, **o)
        b.one(kind, R(4), (5, 3))
        b.one(f"{kind}_sequences", R(4, return_sequences=True), (5, 3))
        b.one(f"{kind}_sequences_state", R(4, return_sequences=True, return_state=True), (5, 3))
        b.one(f"{kind}_backwards_sequences", R(4, go_backwards=True, return_sequences=True), (5, 3))
        b.one(f"{kind}_unroll", R(4, unroll=True, return_sequences=True), (5, 3))
        b.one(f"{kind}_one_step", R(5), (1, 2), batch=4)
        b.one(f"{kind}_long", R(3), (60, 2))
        b.one(f"{kind}_plain", layer(4, **fixed), (5, 3))
        b.one(f"{kind}_no_bias", layer(4, use_bias=False, **fixed), (5, 3))
        b.one(f"{kind}_activations", R(4, activation="softsign", recurrent_activation="hard_sigmoid"), (4, 3))
        b.one(f"{kind}_regularized", R(4, kernel_regularizer="l2", recurrent_regularizer="l1", bias_regularizer="l2"), (4, 3))
        b.one(f"{kind}_stacked", lambda x: R(3)(R(4, return_sequences=True)(x)), (4, 2))
        for name, options in (("last", {}), ("sequences", {"return_sequences": True}),
                              ("backwards_sequences", {"go_backwards": True, "return_sequences": True}),
                              ("state", {"return_sequences": True, "return_state": True})):
            b.one(f"{kind}_masked_{name}", lambda x, o=options: R(4, **o)(L.Embedding(4, 3, mask_zero=True)(x)), (6,),
                  dtype="int32", batch=8, high=3)
    b.one("lstm_no_forget_bias", L.LSTM(4, unit_forget_bias=False), (5, 3))


def make():
    fixture = Fixture("gated", "LSTM and GRU: outputs, gradients, penalties", 2e-5, 1e-5,
                      "float32 sums of up to 200 products of magnitude 1 in another order")
    gated(Builder(fixture))
    return [fixture]
