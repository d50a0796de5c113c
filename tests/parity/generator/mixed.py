"""Layers under the dtype policy mixed_bfloat16: parts as in layers.py. Outputs and their gradients are bfloat16 in Keras and
are written as the float32 numbers that they are.
"""

import keras
from keras import layers as L

from .layers import Builder
from .store import Fixture


def make():
    fixture = Fixture("mixed", "layers under mixed_bfloat16: outputs and gradients", 2 ** -7, 2 ** -6,
                      "Keras rounds after each op to 8 bits (2^-9 relative), Cajal once a layer: 3 to 4 roundings of outputs, "
                      "and of gradients that are sums of up to 50 rounded terms of magnitude 2")
    keras.config.set_dtype_policy("mixed_bfloat16")
    b = Builder(fixture)
    b.one("dense", L.Dense(5), (7,))
    for activation in ("relu", "tanh", "sigmoid", "softmax", "gelu"):
        b.one(f"dense_{activation}", L.Dense(5, activation=activation), (7,))
    b.one("dense_no_bias", L.Dense(4, use_bias=False), (6,))
    b.one("dense_last_axis", L.Dense(4), (3, 6))
    b.one("dense_float32", L.Dense(4, dtype="float32"), (6,))
    b.one("conv2d", L.Conv2D(4, 3), (5, 5, 2), batch=1)
    b.one("conv2d_same_relu", L.Conv2D(3, 3, padding="same", activation="relu"), (5, 4, 2), batch=1)
    b.one("max_pooling", L.MaxPooling2D(2), (6, 6, 2))
    b.one("average_pooling", L.AveragePooling2D(2), (6, 6, 2))
    b.one("global_max_pooling", L.GlobalMaxPooling2D(), (4, 4, 3))
    b.one("global_average_pooling", L.GlobalAveragePooling2D(), (4, 4, 3))
    b.one("flatten", L.Flatten(), (3, 4))
    b.one("reshape", L.Reshape((4, 3)), (3, 4))
    b.one("activation", L.Activation("tanh"), (6,))
    b.one("relu", L.ReLU(negative_slope=0.25), (6,))
    b.one("leaky_relu", L.LeakyReLU(), (6,))
    b.one("elu", L.ELU(), (6,))
    b.one("softmax", L.Softmax(), (6,))
    b.one("rescaling", L.Rescaling(1 / 255.0), (6,), dtype="int32", high=256)
    b.one("embedding", L.Embedding(7, 4), (5,), dtype="int32")
    b.one("batch_normalization", L.BatchNormalization(), (5,), batch=6)
    b.one("batch_normalization_training", L.BatchNormalization(), (5,), batch=6, training=True)
    b.one("dropout", L.Dropout(0.5), (5,))
    b.one("simple_rnn", L.SimpleRNN(4), (3, 5))
    b.one("simple_rnn_sequences", L.SimpleRNN(4, return_sequences=True), (3, 5))
    b.merge("add", L.Add(), (4,), (4,))
    b.merge("concatenate", L.Concatenate(), (4,), (3,))
    b.one("chain", lambda x: L.Dense(3, activation="softmax")(L.Dense(6, activation="relu")(x)), (5,))
    keras.config.set_dtype_policy("float32")
    return [fixture]
