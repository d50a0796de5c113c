"""Bidirectional, TimeDistributed and Masking: cases as those of layers.py, with its parts."""

import keras
from keras import layers as L

from .layers import Builder
from .store import Fixture

RNN = {"rnn": L.SimpleRNN, "lstm": L.LSTM, "gru": L.GRU}


def states(b, name, make, shape, units, count, **options):
    """A layer with initial states as further inputs."""
    keras.backend.clear_session()
    shapes = [shape] + [(units,)] * count
    b.merge(name, lambda xs: make(xs[0], list(xs[1:])), *shapes, **options)


def initial_states(b):
    for kind, layer in RNN.items():
        count = 2 if kind == "lstm" else 1
        states(b, f"{kind}_initial", lambda x, s, layer=layer: layer(4, return_sequences=True)(x, initial_state=s),
               (5, 3), 4, count)
        states(b, f"{kind}_initial_long", lambda x, s, layer=layer: layer(3, return_state=True)(x, initial_state=s),
               (40, 2), 3, count)
        states(b, f"bi_{kind}_initial", lambda x, s, layer=layer: L.Bidirectional(layer(4))(x, initial_state=s),
               (5, 3), 4, 2 * count)
    # an encoder's states begin the decoder
    def translate(xs):
        _, h, c = L.LSTM(4, return_state=True)(xs[0])
        return L.LSTM(4, return_sequences=True)(xs[1], initial_state=[h, c])
    b.merge("encoder_decoder", translate, (5, 3), (4, 2))


def bidirectional(b):
    for kind, layer in RNN.items():
        for mode in ("concat", "sum", "mul", "ave", None) if kind == "gru" else ("concat",):
            for sequences in (False, True):
                b.one(f"bi_{kind}_{mode}_{'sequences' if sequences else 'last'}",
                      L.Bidirectional(layer(3, return_sequences=sequences), merge_mode=mode), (5, 2))
        b.one(f"bi_{kind}_state", L.Bidirectional(layer(3, return_sequences=True, return_state=True)), (5, 2))
        b.one(f"bi_{kind}_state_both", L.Bidirectional(layer(3, return_state=True), merge_mode=None), (4, 2))
        b.one(f"bi_{kind}_backwards", L.Bidirectional(
            layer(3, go_backwards=True, return_sequences=True), backward_layer=layer(3, return_sequences=True, name="other")), (5, 2))
        b.one(f"bi_{kind}_other", L.Bidirectional(layer(3, return_sequences=True), backward_layer=layer(
            3, activation="softsign", return_sequences=True, go_backwards=True, name="other")), (5, 2))
        b.one(f"bi_{kind}_long", L.Bidirectional(layer(2, return_sequences=True)), (40, 2))
        b.one(f"bi_{kind}_long_last", L.Bidirectional(layer(2), merge_mode="sum"), (40, 2))
        b.one(f"bi_{kind}_stacked", lambda x, layer=layer: L.Bidirectional(layer(2))(
            L.Bidirectional(layer(3, return_sequences=True))(x)), (5, 2))
        b.one(f"bi_{kind}_regularized", L.Bidirectional(layer(
            3, kernel_regularizer="l2", recurrent_regularizer="l1", activity_regularizer="l2")), (4, 3))


def masks(b):
    embed = lambda: L.Embedding(4, 3, mask_zero=True)
    words = dict(dtype="int32", batch=8, high=3)
    for kind, layer in RNN.items():
        for steps in (6, 40):
            for name, options in (("last", {}), ("sequences", {"return_sequences": True}),
                                  ("state", {"return_sequences": True, "return_state": True})):
                b.one(f"bi_{kind}_masked_{name}_{steps}",
                      lambda x, o=options, layer=layer: L.Bidirectional(layer(2, **o))(embed()(x)), (steps,), **words)
        b.one(f"{kind}_zero_masked", lambda x, layer=layer: layer(
            3, return_sequences=True, zero_output_for_mask=True)(embed()(x)), (6,), **words)
        b.one(f"{kind}_zero_masked_last", lambda x, layer=layer: layer(3, zero_output_for_mask=True)(embed()(x)),
              (6,), **words)
        b.one(f"{kind}_zero_masked_last_long", lambda x, layer=layer: layer(2, zero_output_for_mask=True)(embed()(x)),
              (40,), **words)
        b.one(f"{kind}_zero_masked_backwards_long", lambda x, layer=layer: layer(
            2, zero_output_for_mask=True, go_backwards=True)(embed()(x)), (40,), **words)
        # whole numbers, so that steps of the value that is masked occur
        b.one(f"masking_{kind}", lambda x, layer=layer: layer(3)(L.Masking(1.0)(L.Activation("relu")(x))), (6, 1),
              **words)
    b.one("masking_alone", lambda x: L.Masking(1.0)(L.Activation("relu")(x)), (6, 2))
    b.one("masking_through_dense", lambda x: L.GRU(3)(L.Dense(4, activation="tanh")(L.Dropout(0.5)(L.Masking(2.0)(x)))),
          (6, 1), **words)
    b.one("reviews", lambda x: L.Dense(2, activation="softmax")(L.Bidirectional(L.GRU(3))(embed()(x))), (9,), **words)


def distributed(b):
    T = L.TimeDistributed
    b.one("td_dense", T(L.Dense(4, activation="tanh")), (5, 3))
    b.one("td_dense_regularized", T(L.Dense(4, kernel_regularizer="l2", activity_regularizer="l1")), (5, 3))
    b.one("td_conv2d", T(L.Conv2D(3, 2, activation="sigmoid")), (4, 5, 5, 2))
    b.one("td_pool", T(L.MaxPooling2D()), (3, 4, 4, 2))
    b.one("td_flatten", T(L.Flatten()), (3, 4, 2))
    b.one("td_reshape", T(L.Reshape((2, -1))), (3, 4, 2))
    b.one("td_batch_norm", T(L.BatchNormalization()), (3, 4))
    b.one("td_batch_norm_training", T(L.BatchNormalization(momentum=0.8)), (3, 4), training=True, batch=5)
    b.one("td_layer_norm", T(L.LayerNormalization()), (3, 4))
    b.one("td_lstm", T(L.LSTM(3)), (4, 5, 2))
    b.one("td_lstm_sequences", T(L.LSTM(3, return_sequences=True)), (4, 40, 2))
    b.one("td_td", T(T(L.Dense(2))), (3, 2, 4))
    b.one("td_bi", T(L.Bidirectional(L.GRU(2, return_sequences=True))), (3, 4, 2))
    b.one("td_embedding", T(L.Embedding(5, 3)), (4, 3), dtype="int32", high=5)
    b.one("td_softmax", T(L.Softmax()), (3, 4))
    b.one("td_sequence", lambda x: L.LSTM(3)(T(L.GlobalAveragePooling2D())(T(L.Conv2D(2, 3))(x))), (4, 5, 5, 1))
    inner = lambda: keras.Sequential([L.Conv2D(3, 2, activation="tanh"), L.Flatten(), L.Dense(2)], name="inner")
    b.one("td_sequential", lambda x: L.GRU(2)(T(inner())(x)), (3, 4, 4, 1))

    def functional():
        a = keras.Input((3,))
        h = L.Dense(4, activation="tanh", activity_regularizer="l2")(a)
        return keras.Model(a, L.Concatenate()([h, a]), name="inner")
    b.one("td_functional", lambda x: T(functional())(x), (4, 3))
    b.one("td_masked", lambda x: L.LSTM(3)(T(L.Dense(2))(L.Embedding(4, 3, mask_zero=True)(x))), (6,), dtype="int32",
          batch=8, high=3)
    b.one("td_words", lambda x: L.Flatten()(T(L.LSTM(3))(L.Embedding(4, 2, mask_zero=True)(x))), (3, 5), dtype="int32",
          batch=4, high=3)


def make():
    fixture = Fixture("wrappers", "Bidirectional, TimeDistributed, Masking: outputs, gradients, penalties", 2e-5, 1e-5,
                      "float32 sums of up to 200 products of magnitude 1 in another order")
    b = Builder(fixture)
    initial_states(b)
    bidirectional(b)
    masks(b)
    distributed(b)
    return [fixture]
