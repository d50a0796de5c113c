"""Gradients of gradients, as the penalty of a WGAN-GP has them. With s the scalar of layers.py without its penalties, and
p the sum of the squares of the gradients of s by the inputs, a case has p and the gradients of p by weights and inputs.
Parts are those of layers.py, and p.
"""

import jax
import jax.numpy as jnp
import json
import keras
import numpy as np
from keras import layers as L

from .layers import draw, label_of
from .store import Fixture


def add(fixture, name, layers, *shapes, batch=3, training=False):
    keras.backend.clear_session()
    rng = np.random.default_rng([3, *(ord(letter) for letter in name)])
    inputs = [keras.Input(shape) for shape in shapes]
    y = inputs if len(inputs) > 1 else inputs[0]
    for layer in layers:
        y = layer(y)
    model = keras.Model(inputs, y)
    arrays = [draw(rng, (batch, *shape)) for shape in shapes]
    weights = [(v, label_of(layer, v)) for layer in model.layers for v in layer.weights]
    for v, label in weights:
        v.assign(rng.uniform(0.3, 2, v.shape) if label.endswith("variance") else draw(rng, v.shape) * 0.6)
    trainable = [v.value for v in model.trainable_variables]
    others = [v.value for v in model.non_trainable_variables]

    def forward(trainable, xs):
        return model.stateless_call(trainable, others, xs if len(xs) > 1 else xs[0], training=training)[0]

    output = forward(trainable, [jnp.asarray(x) for x in arrays])
    upstream = draw(rng, output.shape)

    def first(trainable, xs):
        return (forward(trainable, xs) * upstream).sum()

    def second(trainable, xs):
        return sum((g * g).sum() for g in jax.grad(first, 1)(trainable, xs))

    xs = [jnp.asarray(x) for x in arrays]
    p, (by_weights, by_inputs) = jax.jit(jax.value_and_grad(second, (0, 1)))(trainable, xs)
    gradients = {id(v): g for v, g in zip(model.trainable_variables, by_weights)}
    parts = {f"x{i}": x for i, x in enumerate(arrays)}
    for i, (v, label) in enumerate(weights):
        parts[f"w{i}"] = np.asarray(v.value)
        # a bias of all keys moves all scores alike: its gradient is 0, and what is computed is rounding
        if id(v) in gradients and not label.endswith("key/bias"):
            parts[f"dw{i}"] = gradients[id(v)]
    parts["y0"], parts["dy0"] = output, upstream
    parts["p"] = np.reshape(p, (1,))
    for i, dx in enumerate(by_inputs):
        parts[f"dx{i}"] = dx
    fixture.add(name, parts, config=json.loads(model.to_json()), training=training, second=True,
                weights=[label for _, label in weights], inputs=len(arrays), outputs=1)


def make():
    fixture = Fixture("second", "gradients of gradients of layers, by weights and inputs", 5e-4, 5e-4,
                      "float32 sums of some hundred products of gradients of magnitude up to 100, in another order")
    act = "tanh"  # without one the gradient of a linear layer does not depend on its input
    for activation in ("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "tanh", "sigmoid", "softsign", "mish",
                       "exponential", "softmax", "log_softmax", "hard_sigmoid", "celu", "relu6", "log_sigmoid"):
        add(fixture, f"dense_{activation}", [L.Dense(5, activation=activation), L.Dense(3)], (4,))
    for padding in ("valid", "same"):
        add(fixture, f"conv1d_{padding}", [L.Conv1D(3, 3, padding=padding, activation=act), L.Conv1D(2, 2)], (6, 2))
        for strides in (1, 2):
            add(fixture, f"conv2d_{padding}_s{strides}", [L.Conv2D(3, 3, strides=strides, padding=padding, activation=act), L.Conv2D(2, 2)], (6, 7, 2))
        add(fixture, f"conv2d_{padding}_d2", [L.Conv2D(3, 2, dilation_rate=2, padding=padding, activation=act)], (5, 6, 2))
        add(fixture, f"conv3d_{padding}", [L.Conv3D(2, 2, padding=padding, activation=act)], (3, 4, 3, 2), batch=2)
        add(fixture, f"conv2d_transpose_{padding}", [L.Conv2DTranspose(2, 3, strides=2, padding=padding, activation=act), L.Conv2D(1, 2)], (3, 2, 2))
        add(fixture, f"conv1d_transpose_{padding}", [L.Conv1DTranspose(2, 3, strides=2, padding=padding, activation=act)], (4, 2))
        add(fixture, f"depthwise_conv2d_{padding}", [L.DepthwiseConv2D(3, padding=padding, depth_multiplier=2, activation=act)], (5, 4, 2))
        add(fixture, f"separable_conv2d_{padding}", [L.SeparableConv2D(3, 2, padding=padding, activation=act)], (5, 4, 2))
        add(fixture, f"max_pool_{padding}", [L.Conv2D(2, 2, activation=act), L.MaxPooling2D(2, padding=padding)], (6, 5, 2))
        add(fixture, f"average_pool_{padding}", [L.Conv2D(2, 2, activation=act), L.AveragePooling2D(2, padding=padding)], (6, 5, 2))
    add(fixture, "conv3d_transpose", [L.Conv3DTranspose(2, 2, strides=2, activation=act)], (2, 2, 2, 1), batch=2)
    add(fixture, "conv2d_groups", [L.Conv2D(4, 3, groups=2, activation=act)], (5, 5, 4))
    add(fixture, "critic", [L.Conv2D(4, 4, strides=2, padding="same"), L.LeakyReLU(0.2), L.Conv2D(6, 4, strides=2, padding="same"),
                            L.LeakyReLU(0.2), L.Flatten(), L.Dense(1)], (8, 8, 1))
    add(fixture, "global_pools", [L.Conv2D(3, 2, activation=act), L.GlobalAveragePooling2D(), L.Dense(2, activation=act)], (4, 5, 2))
    add(fixture, "global_max_pool", [L.Conv2D(3, 2, activation=act), L.GlobalMaxPooling2D(), L.Dense(2, activation=act)], (4, 5, 2))
    add(fixture, "pools_3d", [L.Conv3D(2, 2, activation=act), L.MaxPooling3D(2), L.Dense(2, activation=act)], (5, 5, 5, 1), batch=2)
    for training in (False, True):
        tag = "train" if training else "infer"
        add(fixture, f"batch_normalization_{tag}", [L.Dense(4, activation=act), L.BatchNormalization(), L.Dense(2, activation=act)], (3,), batch=5, training=training)
        add(fixture, f"batch_normalization_conv_{tag}", [L.Conv2D(3, 2, activation=act), L.BatchNormalization(), L.Flatten(), L.Dense(1)], (4, 4, 2), training=training)
    for name, layer in (("layer", L.LayerNormalization()), ("group", L.GroupNormalization(2)), ("rms", L.RMSNormalization()),
                        ("unit", L.UnitNormalization())):
        add(fixture, f"{name}_normalization", [L.Dense(4, activation=act), layer, L.Dense(2, activation=act)], (3, 3))
    for name, layer in (("simple_rnn", L.SimpleRNN(3)), ("lstm", L.LSTM(3, return_sequences=True)), ("gru", L.GRU(3)),
                        ("gru_before", L.GRU(2, reset_after=False)), ("bidirectional", L.Bidirectional(L.LSTM(2)))):
        add(fixture, name, [layer], (4, 2))
    add(fixture, "conv_lstm", [L.ConvLSTM2D(2, 2)], (2, 3, 3, 1), batch=2)
    for name, layer in (("attention", L.Attention(use_scale=True)), ("attention_concat", L.Attention(score_mode="concat")),
                        ("additive_attention", L.AdditiveAttention())):
        add(fixture, name, [layer], (3, 4), (5, 4))
    multi = L.MultiHeadAttention(2, 3)
    add(fixture, "multi_head_attention", [lambda xs: multi(xs[0], xs[1])], (3, 4), (5, 4))
    causal = L.MultiHeadAttention(2, 2)
    add(fixture, "causal_attention", [lambda x: causal(x, x, use_causal_mask=True)], (4, 3))
    grouped = L.GroupQueryAttention(2, 4, 2)
    add(fixture, "group_query_attention", [lambda xs: grouped(xs[0], xs[1])], (3, 4), (4, 4))
    add(fixture, "einsum_dense", [L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de", activation=act)], (3, 2))
    for name, layer in (("multiply", L.Multiply()), ("maximum", L.Maximum()), ("average", L.Average()), ("concatenate", L.Concatenate())):
        add(fixture, name, [layer, L.Dense(3, activation=act)], (4,), (4,))
    add(fixture, "dot", [L.Dot(axes=2, normalize=True)], (3, 4), (2, 4))
    add(fixture, "prelu", [L.Dense(4), L.PReLU(), L.Dense(3, activation=act)], (3,))
    add(fixture, "softmax_layer", [L.Dense(4, activation=act), L.Softmax(axis=1)], (3, 2))
    add(fixture, "sides", [L.ZeroPadding2D(1), L.Conv2D(2, 3, activation=act), L.UpSampling2D(2), L.Cropping2D(1)], (3, 4, 1))
    add(fixture, "up_sampling_bilinear", [L.Conv2D(2, 2, activation=act), L.UpSampling2D(2, interpolation="bilinear")], (3, 3, 1))
    add(fixture, "time_distributed", [L.TimeDistributed(L.Dense(3, activation=act)), L.Permute((2, 1))], (4, 2))
    return [fixture]
