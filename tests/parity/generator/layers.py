"""Layers: outputs, gradients by inputs and weights, penalties and updated moving averages.

A case is a functional model around one or two layers, given as Keras's own JSON. With upstream gradients dy the scalar
that is differentiated is  sum over outputs of sum(y * dy)  +  all regularization penalties.
Parts: x0.. inputs, w0.. weights before, y0.. outputs, dy0.., dx0.. (float inputs), dw0.. (trainable weights),
after0.. (weights that training updates), penalty (if there is one).
"""

import json

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras import layers as L

from .noise import SIZE, near, noise
from .store import Fixture


def draw(rng, shape, dtype="float32", high=7):
    if dtype == "int32":
        return rng.integers(0, high, shape).astype("int32")
    # A grid that is fine enough to have no ties within a pooling window, and keeps away from the kinks at 0.
    x = rng.uniform(-2, 2, shape)
    return np.where(abs(x) < 0.01, x + 0.05, x).astype("float32")


def label_of(layer, variable):
    """The name of a layer's variable here: the innermost layer's and the variable's. LSTM and GRU have no cells here."""
    if isinstance(layer, (L.MultiHeadAttention, L.GroupQueryAttention)):  # "query/kernel"
        return "/".join(variable.path.split("/")[-2:])
    if type(layer).__name__ == "LayerScale":  # Keras names it "variable", "variable_1", ...
        return f"{layer.name}/gamma"
    if not any(hasattr(layer, part) for part in ("layer", "forward_layer", "cell")):
        return f"{layer.name}/{variable.name}"
    parts = variable.path.split("/")
    whole = ("simple_rnn", "lstm", "gru", "conv_lstm1d", "conv_lstm2d", "conv_lstm3d")
    own = [p.removeprefix("forward_").removeprefix("backward_") for p in parts]
    if len(parts) > 2 and parts[-2].endswith("_cell") and own[-3].rstrip("_0123456789") in whole:
        parts.pop(-2)
    return "/".join(parts[-2:])


def weights_of(model):
    """(variable, "layer/variable") of every layer, those of models in it too."""
    found = []
    for layer in model.layers:
        found += weights_of(layer) if isinstance(layer, keras.Model) else [(v, label_of(layer, v)) for v in layer.weights]
    return found


def layers_of(model):
    """Every layer, those of models in it too."""
    return [one for layer in model.layers for one in (layers_of(layer) if isinstance(layer, keras.Model) else [layer])]


def add_model(fixture, name, model, arrays, training=False, spread=0.6, compiled=False, phases=()):
    """Records one case: `model` on `arrays`, with weights and upstream gradients drawn from the case's name. `compiled` is
    quicker for models of many operators. Returns what becomes of the results with noise, for each of `phases`."""
    rng = np.random.default_rng([ord(letter) for letter in name])
    weights = weights_of(model)
    for v, label in weights:
        if label.endswith("variance"):
            v.assign(rng.uniform(0.3, 2, v.shape))
        elif "int" in v.dtype:
            continue
        else:
            v.assign(draw(rng, v.shape) * spread)
    for layer in layers_of(model):
        if isinstance(layer, L.Normalization):
            layer.finalize_state()
    trainable = [v.value for v in model.trainable_variables]
    others = [v.value for v in model.non_trainable_variables]
    real = [i for i, x in enumerate(arrays) if x.dtype.kind == "f"]

    def forward(trainable, reals, moves=None):
        inputs = [jnp.asarray(x) for x in arrays]
        for i, x in zip(real, reals):
            inputs[i] = x
        with noise(moves):
            outputs, after, losses = model.stateless_call(trainable, others, inputs if len(inputs) > 1 else inputs[0],
                                                          training=training, return_losses=True)
        flat = keras.tree.flatten(outputs)
        return flat, after, sum(losses) if losses else jnp.zeros(())

    given = trainable, [jnp.asarray(arrays[i]) for i in real]
    upstream = [draw(rng, y.shape) for y in jax.eval_shape(forward, *given)[0]] if compiled else None
    outputs, after, penalty = (None, None, None) if compiled else forward(*given)
    upstream = upstream or [draw(rng, y.shape) for y in outputs]

    def scalar(trainable, reals, moves=None):
        results = forward(trainable, reals, moves)
        return sum((y * dy).sum() for y, dy in zip(results[0], upstream)) + results[2], results

    gradient = jax.grad(scalar, (0, 1), has_aux=True)

    def parts_of(by_weights, by_inputs, outputs, after, penalty):
        gradients = {id(v): g for v, g in zip(model.trainable_variables, by_weights)}
        updated = {id(v): a for v, a in zip(model.non_trainable_variables, after)}
        parts = {f"dw{i}": gradients[id(v)] for i, (v, _) in enumerate(weights) if id(v) in gradients}
        parts |= {f"after{i}": updated[id(v)] for i, (v, _) in enumerate(weights) if training and id(v) not in gradients}
        parts |= {f"y{i}": y for i, y in enumerate(outputs)} | {f"dx{i}": dx for i, dx in zip(real, by_inputs)}
        return parts | ({"penalty": np.reshape(penalty, (1,))} if model.losses else {})

    run = jax.jit(gradient) if compiled else gradient
    still = [(jnp.zeros(()), jnp.ones(()))] if phases else []
    grads, results = run(*given, *still)
    results = results if compiled else (outputs, after, penalty)
    parts = {f"x{i}": x for i, x in enumerate(arrays)} | {f"w{i}": np.asarray(v.value) for i, (v, _) in enumerate(weights)}
    parts |= parts_of(*grads, *results) | {f"dy{i}": dy for i, dy in enumerate(upstream)}
    fixture.add(name, parts, config=json.loads(model.to_json()), training=training,
                weights=[label for _, label in weights], inputs=len(arrays), outputs=len(results[0]))
    tries = [run(trainable, [near(arrays[i], phase) for i in real], (jnp.float32(SIZE), jnp.float32(phase))) for phase in phases]
    return [parts_of(*grads, *results) for grads, results in tries]


class Builder:
    def __init__(self, fixture):
        self.fixture = fixture

    def one(self, name, layer, shape, *, batch=3, dtype="float32", training=False, high=7):
        """One layer on one input of `shape` (without the batch axis)."""
        keras.backend.clear_session()
        rng = np.random.default_rng([1, *(ord(letter) for letter in name)])
        x = keras.Input(shape, dtype=dtype, name="x")
        y = layer(x) if isinstance(layer, L.Layer) else layer(x)
        add_model(self.fixture, name, keras.Model(x, y), [draw(rng, (batch, *shape), dtype, high)], training)

    def merge(self, name, layer, *shapes, batch=3):
        keras.backend.clear_session()
        rng = np.random.default_rng([2, *(ord(letter) for letter in name)])
        xs = [keras.Input(shape, name=f"x{i}") for i, shape in enumerate(shapes)]
        add_model(self.fixture, name, keras.Model(xs, layer(xs)), [draw(rng, (batch, *s)) for s in shapes])


ACTIVATIONS = ["relu", "tanh", "sigmoid", "softmax", "elu", "gelu", "softplus", "leaky_relu", "selu", "silu",
               "hard_sigmoid", "exponential"]


def conv(b):
    for n in (7, 8):
        for stride in (1, 2, 3):
            for padding in ("valid", "same"):
                b.one(f"conv2d_{n}_s{stride}_{padding}", L.Conv2D(4, 3, strides=stride, padding=padding), (n, n, 2), batch=2)
    for dilation in (2, 3):
        for padding in ("valid", "same"):
            b.one(f"conv2d_d{dilation}_{padding}", L.Conv2D(3, 3, dilation_rate=dilation, padding=padding), (9, 8, 2), batch=2)
    for kernel, strides in (((1, 1), (1, 1)), ((2, 2), (1, 1)), ((5, 5), (1, 1)), ((5, 2), (2, 1)), ((3, 4), (1, 3)), ((1, 1), (2, 2))):
        for padding in ("valid", "same"):
            name = "x".join(map(str, kernel)) + "_s" + "x".join(map(str, strides))
            b.one(f"conv2d_{name}_{padding}", L.Conv2D(3, kernel, strides=strides, padding=padding), (7, 9, 3), batch=2)
    for channels, filters, groups in ((4, 6, 2), (6, 6, 3), (4, 4, 4), (3, 6, 3)):
        b.one(f"conv2d_{channels}_{filters}_g{groups}", L.Conv2D(filters, 3, groups=groups, padding="same"), (5, 6, channels), batch=2)
    b.one("conv2d_groups_strided", L.Conv2D(4, 3, strides=2, groups=2), (7, 7, 4), batch=2)
    b.one("conv2d_no_bias", L.Conv2D(5, 3, use_bias=False), (6, 6, 1))
    b.one("conv2d_33_filters", L.Conv2D(33, 3), (5, 5, 17), batch=2)
    b.one("conv2d_same_smaller_than_kernel", L.Conv2D(2, 5, padding="same"), (3, 2, 1))
    b.one("conv2d_batch_of_1", L.Conv2D(2, 3), (4, 4, 1), batch=1)
    for activation in ACTIVATIONS:
        b.one(f"conv2d_{activation}", L.Conv2D(4, 3, activation=activation), (5, 5, 2), batch=2)
    b.one("conv2d_regularized", L.Conv2D(3, 3, kernel_regularizer="l2", bias_regularizer=keras.regularizers.L1(0.05)), (5, 5, 2))
    b.one("conv2d_activity", L.Conv2D(3, 3, activation="relu", activity_regularizer=keras.regularizers.L2(0.03)), (5, 5, 2))


def pool(b):
    for kind, cls in (("max", L.MaxPooling2D), ("average", L.AveragePooling2D)):
        for n in (5, 6, 7):
            for size, stride in ((2, 2), (3, 2), (3, 3), (3, 1), (2, 3)):
                for padding in ("valid", "same"):
                    b.one(f"{kind}_pool_{n}_k{size}_s{stride}_{padding}", cls(size, strides=stride, padding=padding), (n, n, 2), batch=2)
        b.one(f"{kind}_pool_rectangular", cls((2, 3), strides=(1, 2), padding="same"), (5, 7, 3))
        b.one(f"{kind}_pool_default_strides", cls((3, 2)), (7, 7, 1))
    for kind, cls in (("max", L.GlobalMaxPooling2D), ("average", L.GlobalAveragePooling2D)):
        for keepdims in (False, True):
            b.one(f"global_{kind}_keepdims_{keepdims}", cls(keepdims=keepdims), (4, 5, 3))


def dense(b):
    for shape in ((5,), (3, 5), (2, 3, 4)):
        b.one(f"dense_rank{len(shape) + 1}", L.Dense(4), shape)
        b.one(f"dense_rank{len(shape) + 1}_tanh_no_bias", L.Dense(4, activation="tanh", use_bias=False), shape)
    for activation in ACTIVATIONS:
        b.one(f"dense_{activation}", L.Dense(6, activation=activation), (5,))
    b.one("dense_1_unit", L.Dense(1), (3,))
    b.one("dense_wide", L.Dense(37), (65,), batch=5)
    b.one("dense_batch_of_1", L.Dense(3), (4,), batch=1)
    r = keras.regularizers
    for name, regularizer in (("l1", r.L1(0.02)), ("l2", r.L2(0.03)), ("l1_l2", r.L1L2(0.01, 0.04)), ("l2_default", "l2"), ("l1_l2_default", r.L1L2())):
        b.one(f"dense_kernel_{name}", L.Dense(4, kernel_regularizer=regularizer), (5,))
        b.one(f"dense_bias_{name}", L.Dense(4, bias_regularizer=regularizer), (5,))
        b.one(f"dense_activity_{name}", L.Dense(4, activation="tanh", activity_regularizer=regularizer), (5,), training=True)


def normalization(b):
    B = L.BatchNormalization
    for training in (False, True):
        tag = "train" if training else "infer"
        b.one(f"bn_{tag}_rank2", B(), (5,), batch=6, training=training)
        b.one(f"bn_{tag}_rank4", B(), (4, 3, 5), training=training)
        b.one(f"bn_{tag}_axis1", B(axis=1), (3, 4, 2), training=training)
        b.one(f"bn_{tag}_no_center", B(center=False), (4,), batch=6, training=training)
        b.one(f"bn_{tag}_no_scale", B(scale=False), (4,), batch=6, training=training)
        b.one(f"bn_{tag}_bare", B(center=False, scale=False), (3, 4), training=training)
        b.one(f"bn_{tag}_momentum_epsilon", B(momentum=0.7, epsilon=0.05), (4,), batch=6, training=training)
        b.one(f"bn_{tag}_regularized", B(gamma_regularizer="l2", beta_regularizer="l1"), (4,), batch=6, training=training)
    b.one("bn_train_frozen", B(trainable=False), (4,), batch=6, training=True)
    b.one("bn_train_batch_of_1", B(), (4, 4, 2), batch=1, training=True)
    N = L.LayerNormalization
    b.one("ln_rank2", N(), (5,))
    b.one("ln_rank4", N(), (4, 3, 5))
    b.one("ln_axis1", N(axis=1), (3, 4, 2))
    b.one("ln_axes", N(axis=[1, -1]), (3, 4, 2))
    b.one("ln_no_center", N(center=False), (4,))
    b.one("ln_no_scale", N(scale=False), (4,))
    b.one("ln_bare", N(center=False, scale=False, epsilon=0.05), (3, 4))
    b.one("ln_regularized", N(gamma_regularizer="l2", beta_regularizer="l1"), (4,))
    b.one("ln_batch_of_1", N(), (3,), batch=1)


def recurrent(b):
    R = L.SimpleRNN
    b.one("rnn", R(4), (5, 3))
    b.one("rnn_sequences", R(4, return_sequences=True), (5, 3))
    b.one("rnn_state", R(4, return_state=True), (5, 3))
    b.one("rnn_sequences_state", R(4, return_sequences=True, return_state=True), (5, 3))
    b.one("rnn_backwards", R(4, go_backwards=True), (5, 3))
    b.one("rnn_backwards_sequences", R(4, go_backwards=True, return_sequences=True), (5, 3))
    b.one("rnn_unroll", R(4, unroll=True, return_sequences=True), (5, 3))
    b.one("rnn_one_step", R(16), (1, 2), batch=4)
    b.one("rnn_no_bias", R(4, use_bias=False), (5, 3))
    for activation in ("relu", "sigmoid", "linear", "softsign"):
        b.one(f"rnn_{activation}", R(4, activation=activation), (4, 3))
    b.one("rnn_regularized", R(4, kernel_regularizer="l2", recurrent_regularizer="l1", bias_regularizer="l2"), (4, 3))
    b.one("rnn_activity", R(4, return_sequences=True, activity_regularizer="l2"), (4, 3))
    b.one("rnn_stacked", lambda x: R(3)(R(4, return_sequences=True)(x)), (4, 2))
    E = lambda mask_zero: L.Embedding(4, 3, mask_zero=mask_zero)
    for name, options in (("last", {}), ("sequences", {"return_sequences": True}), ("backwards", {"go_backwards": True}),
                          ("backwards_sequences", {"go_backwards": True, "return_sequences": True}),
                          ("state", {"return_sequences": True, "return_state": True})):
        b.one(f"rnn_masked_{name}", lambda x, o=options: R(4, **o)(E(True)(x)), (6,), dtype="int32", batch=8, high=3)
    b.one("rnn_unmasked", lambda x: R(4)(E(False)(x)), (6,), dtype="int32", batch=8, high=3)
    b.one("rnn_masked_stacked", lambda x: R(3)(R(4, return_sequences=True)(E(True)(x))), (6,), dtype="int32", batch=8, high=3)
    b.one("rnn_masked_through_dense", lambda x: R(3)(L.Dense(2)(E(True)(x))), (6,), dtype="int32", batch=8, high=3)
    b.one("rnn_masked_through_dropout", lambda x: R(3)(L.Dropout(0.5)(E(True)(x))), (6,), dtype="int32", batch=8, high=3)


def others(b):
    b.one("embedding", L.Embedding(7, 4), (), dtype="int32", batch=6)
    b.one("embedding_rank2", L.Embedding(7, 4), (5,), dtype="int32")
    b.one("embedding_rank3", L.Embedding(7, 2), (2, 3), dtype="int32")
    b.one("embedding_regularized", L.Embedding(7, 4, embeddings_regularizer="l2"), (5,), dtype="int32")
    b.one("relu", L.ReLU(), (6,))
    b.one("relu_max", L.ReLU(max_value=1.2), (6,))
    b.one("relu_slope", L.ReLU(negative_slope=0.2), (6,))
    b.one("relu_threshold", L.ReLU(threshold=0.5), (6,))
    b.one("relu_all", L.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.4), (3, 4))
    b.one("leaky_relu", L.LeakyReLU(), (6,))
    b.one("leaky_relu_slope", L.LeakyReLU(negative_slope=0.05), (6,))
    b.one("elu", L.ELU(), (6,))
    b.one("elu_alpha", L.ELU(alpha=0.4), (6,))
    for axis in (-1, 1, 2, -2):
        b.one(f"softmax_axis{axis}", L.Softmax(axis=axis), (3, 4, 2))
    b.one("softmax_rank2", L.Softmax(), (5,))
    for activation in ACTIVATIONS:
        b.one(f"activation_{activation}", L.Activation(activation), (3, 4))
    b.one("flatten_rank4", L.Flatten(), (3, 2, 4))
    b.one("flatten_rank2", L.Flatten(), (3,))
    b.one("flatten_scalar", L.Flatten(), ())
    b.one("reshape", L.Reshape((4, 3)), (12,))
    b.one("reshape_unknown", L.Reshape((2, -1, 2)), (4, 5))
    b.one("rescaling", L.Rescaling(1 / 255, offset=-0.5), (3, 4))
    b.one("dropout_inference", L.Dropout(0.4), (6,))
    b.one("dropout_rate_0_training", L.Dropout(0.0), (6,), training=True)
    b.merge("add", L.Add(), (3, 4), (3, 4))
    b.merge("add_three", L.Add(), (5,), (5,), (5,))
    b.merge("add_broadcast", L.Add(), (3, 4), (1, 4))
    b.merge("concatenate", L.Concatenate(), (3, 4), (3, 2))
    b.merge("concatenate_axis1", L.Concatenate(axis=1), (3, 4), (2, 4), (1, 4))
    b.merge("concatenate_axis_minus_2", L.Concatenate(axis=-2), (2, 3, 4), (2, 1, 4))


def make():
    fixture = Fixture("layers", "layers: outputs, gradients, penalties, moving averages", 2e-5, 1e-5,
                      "float32 sums of up to 200 products of magnitude 1 in another order")
    builder = Builder(fixture)
    for part in (conv, pool, dense, normalization, recurrent, others):
        part(builder)
    return [fixture]
