"""Small models as the examples of keras.io build them, each compiled, read by Cajal and trained for three steps: ../examples.c.

A case has the model's JSON with its compile_config (setting "config"), inputs x0.., targets t0.., the predictions y0.., the logs of
the steps in the order of the setting "logs", and of each weight after them some numbers, "after" (weights, 8): the sum of absolute
values and seven entries, the first and then every (count / 7)th. The weights are made by formula on both sides, by the
letters of the setting "kinds": r of Glorot's range, p positive, s small, and k, which are in the file, wI.
"""

import json

import keras
import numpy as np
from keras import layers as L
from keras import ops

from . import formula
from .store import Fixture, compact

STEPS = 3


def kind_of(variable):
    if "int" in variable.dtype or variable.path.endswith("count"):
        return "k"
    if len(variable.shape) > 1:
        return "r"
    return "p" if variable.path.rsplit("/", 1)[-1] in ("gamma", "moving_variance", "variance", "scale") else "s"


def value_of(kind, stream, shape):
    if kind == "r":
        return formula.glorot(stream, shape)
    u = formula.uniforms(stream, int(np.prod(shape)))
    return (0.5 + u if kind == "p" else 0.2 * (2 * u - 1)).reshape(shape).astype("float32")


def digest(value):
    flat = np.asarray(value, "float64").ravel()
    stride = max(flat.size // 7, 1)
    return [np.abs(flat).sum(), *(flat[min(i * stride, flat.size - 1)] for i in range(7))]


def add(fixture, number, name, model, inputs, targets, train=True, adapted=False):
    """`adapted`: the weights are those that the model has."""
    kinds = ["k" if adapted else kind_of(w) for w in model.weights]
    tensors = {f"x{i}": x for i, x in enumerate(inputs)} | {f"t{i}": t for i, t in enumerate(targets)}
    for w, (variable, kind) in enumerate(zip(model.weights, kinds)):
        if kind == "k":
            tensors[f"w{w}"] = np.asarray(variable.value)
        else:
            variable.assign(value_of(kind, 1000 * number + w, tuple(variable.shape)))
    given = inputs if len(inputs) > 1 else inputs[0]
    outputs = keras.tree.flatten(model.predict_on_batch(given))
    tensors |= {f"y{i}": y for i, y in enumerate(outputs)}
    config = json.loads(model.to_json())
    logs = []
    if train:
        wanted = targets if len(targets) > 1 else targets[0]
        logs = [model.train_on_batch(given, wanted, return_dict=True) for _ in range(STEPS)]
        tensors["f64:logs"] = np.array([[float(v) for v in log.values()] for log in logs])
        tensors["f64:after"] = np.array([digest(w.value) for w in model.weights])
    fixture.add(name, tensors, config=config, number=number, kinds="".join(kinds), inputs=len(inputs), outputs=len(outputs),
                targets=len(targets), logs=list(logs[0]) if logs else [])


# ---- What the models are given ----

RNG = np.random.default_rng(14)


def real(*shape):
    return RNG.normal(0, 1, shape).astype("float32")


def whole(high, *shape):
    return RNG.integers(0, high, shape).astype("int32")


def padded(high, *shape):
    """Words, and 0 behind them."""
    words = RNG.integers(1, high, shape)
    lengths = RNG.integers(1, shape[1] + 1, shape[0])
    lengths[0] = shape[1]
    return (words * (np.arange(shape[1]) < lengths[:, None])).astype("int32")


def one_hot(classes, *shape):
    return np.eye(classes, dtype="float32")[RNG.integers(0, classes, shape)]


def sides(*shape):
    return RNG.integers(0, 2, shape).astype("float32")


# ---- Images ----

def unet():
    """Image segmentation with a U-Net-like architecture."""
    inputs = keras.Input((16, 16, 3))
    x = L.Conv2D(4, 3, strides=2, padding="same")(inputs)
    x = L.BatchNormalization()(x)
    previous = x = L.Activation("relu")(x)
    for filters in (6, 8):
        for _ in range(2):
            x = L.BatchNormalization()(L.SeparableConv2D(filters, 3, padding="same")(L.Activation("relu")(x)))
        x = L.MaxPooling2D(3, strides=2, padding="same")(x)
        previous = x = L.add([x, L.Conv2D(filters, 1, strides=2, padding="same")(previous)])
    for filters in (8, 6, 4):
        for _ in range(2):
            x = L.BatchNormalization()(L.Conv2DTranspose(filters, 3, padding="same")(L.Activation("relu")(x)))
        x = L.UpSampling2D(2)(x)
        previous = x = L.add([x, L.Conv2D(filters, 1, padding="same")(L.UpSampling2D(2)(previous))])
    model = keras.Model(inputs, L.Conv2D(3, 3, activation="softmax", padding="same")(x))
    model.compile(keras.optimizers.Adam(1e-3, epsilon=0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, [real(2, 16, 16, 3)], [whole(3, 2, 16, 16, 1)]


def unet_skips():
    """The U-Net of the paper: skips that are concatenated, transposed convolutions."""
    inputs = keras.Input((16, 16, 1))

    def double(x, filters):
        x = L.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="he_normal")(x)
        return L.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="he_normal")(x)

    f1 = double(inputs, 3)
    f2 = double(L.Dropout(0.3)(L.MaxPool2D(2)(f1)), 4)
    x = double(L.Dropout(0.3)(L.MaxPool2D(2)(f2)), 5)
    for skip, filters in ((f2, 4), (f1, 3)):
        x = double(L.Dropout(0.3)(L.concatenate([L.Conv2DTranspose(filters, 3, 2, padding="same")(x), skip])), filters)
    return keras.Model(inputs, L.Conv2D(1, 1, padding="same", activation="sigmoid")(x)), [real(2, 16, 16, 1)], []


def xception():
    """Image classification from scratch, with its augmentation."""
    augmentation = keras.Sequential([L.RandomFlip("horizontal"), L.RandomRotation(0.1), L.RandomZoom(0.1)], name="augmentation")
    inputs = keras.Input((16, 16, 3))
    x = L.Rescaling(1.0 / 255)(augmentation(inputs))
    x = L.Activation("relu")(L.BatchNormalization()(L.Conv2D(4, 3, strides=2, padding="same")(x)))
    previous = x
    for size in (6, 8):
        for _ in range(2):
            x = L.BatchNormalization()(L.SeparableConv2D(size, 3, padding="same")(L.Activation("relu")(x)))
        x = L.MaxPooling2D(3, strides=2, padding="same")(x)
        previous = x = L.add([x, L.Conv2D(size, 1, strides=2, padding="same")(previous)])
    x = L.Activation("relu")(L.BatchNormalization()(L.SeparableConv2D(8, 3, padding="same")(x)))
    model = keras.Model(inputs, L.Dense(1, activation=None)(L.Dropout(0.25)(L.GlobalAveragePooling2D()(x))))
    model.compile(keras.optimizers.Adam(3e-4), keras.losses.BinaryCrossentropy(from_logits=True),
                  metrics=[keras.metrics.BinaryAccuracy(name="acc")])
    return model, [real(2, 16, 16, 3) * 60 + 120], [], False


def resnet_v2():
    """Bottlenecks with normalization before the convolutions, weight decay, a rate by steps."""
    def conv(x, filters, size=1, strides=1, first=False):
        if not first:
            x = L.Activation("relu")(L.BatchNormalization()(x))
        return L.Conv2D(filters, size, strides=strides, padding="same", kernel_initializer="he_normal",
                        kernel_regularizer=keras.regularizers.L2(1e-2))(x)
    inputs = keras.Input((12, 12, 3))
    x = L.Activation("relu")(L.BatchNormalization()(conv(inputs, 4, 3, first=True)))
    for stage, (inside, outside) in enumerate(((3, 6), (4, 8))):
        for block in range(2):
            strides = 2 if stage and not block else 1
            y = conv(x, inside, 1, strides, first=not stage and not block)
            y = conv(conv(y, inside, 3), outside)
            if not block:
                x = L.Conv2D(outside, 1, strides=strides, padding="same", kernel_regularizer=keras.regularizers.L2(1e-2))(x)
            x = L.add([x, y])
    x = L.Flatten()(L.AveragePooling2D(3)(L.Activation("relu")(L.BatchNormalization()(x))))
    model = keras.Model(inputs, L.Dense(5, activation="softmax", kernel_initializer="he_normal")(x))
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([1, 2], [0.05, 0.02, 0.01])
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), "categorical_crossentropy", metrics=["accuracy"])
    return model, [real(3, 12, 12, 3)], [one_hot(5, 3)]


def mobilenet():
    """Inverted residuals of MobileNetV2 and V3: ReLU6, squeeze and excitation, hard swish by operators."""
    inputs = keras.Input((17, 17, 3))
    x = L.ZeroPadding2D(((0, 1), (0, 1)))(inputs)
    x = L.Conv2D(4, 3, strides=2, use_bias=False)(x)
    x = L.ReLU(6.0)(L.BatchNormalization(epsilon=1e-3, momentum=0.999)(x))
    for strides, filters in ((2, 5), (1, 5)):
        y = L.Conv2D(3 * x.shape[-1], 1, padding="same", use_bias=False, activation=None)(x)
        y = L.BatchNormalization(epsilon=1e-3, momentum=0.999)(y)
        y = y * (L.ReLU(6.0)(y + 3.0) * (1.0 / 6.0))
        y = L.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(y)
        y = L.ReLU(6.0)(L.BatchNormalization(epsilon=1e-3, momentum=0.999)(y))
        s = L.GlobalAveragePooling2D(keepdims=True)(y)
        s = L.Conv2D(y.shape[-1], 1, activation="hard_sigmoid")(L.Conv2D(4, 1, activation="relu")(s))
        y = L.BatchNormalization()(L.Conv2D(filters, 1, padding="same", use_bias=False)(L.Multiply()([y, s])))
        x = L.Add()([x, y]) if strides == 1 else y
    model = keras.Model(inputs, L.Dense(4)(L.GlobalAveragePooling2D()(x)))
    model.compile(keras.optimizers.RMSprop(0.01, momentum=0.9, epsilon=0.01),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  metrics=[keras.metrics.SparseCategoricalAccuracy(), keras.metrics.SparseTopKCategoricalAccuracy(2, name="top-2-accuracy")])
    return model, [real(3, 17, 17, 3)], [whole(4, 3, 1)]


def efficientnet():
    """MBConv: expansion, depthwise convolution, squeeze and excitation, stochastic depth's place."""
    inputs = keras.Input((12, 12, 3))
    x = L.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.5, 0.5, 2.0])(L.Rescaling(0.5)(inputs))
    x = L.Activation("swish")(L.BatchNormalization(axis=3)(L.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(x)))
    for size, strides, filters, expand in ((3, 1, 4, 1), (5, 2, 6, 4)):
        y, wide = x, x.shape[-1] * expand
        if expand > 1:
            y = L.Activation("swish")(L.BatchNormalization(axis=3)(L.Conv2D(wide, 1, padding="same", use_bias=False)(y)))
        y = L.DepthwiseConv2D(size, strides=strides, padding="same", use_bias=False,
                              depthwise_initializer=keras.initializers.VarianceScaling(2.0, "fan_out", "truncated_normal"))(y)
        y = L.Activation("swish")(L.BatchNormalization(axis=3)(y))
        s = L.Reshape((1, 1, wide))(L.GlobalAveragePooling2D()(y))
        s = L.Conv2D(wide, 1, padding="same", activation="sigmoid")(L.Conv2D(2, 1, padding="same", activation="swish")(s))
        y = L.BatchNormalization(axis=3)(L.Conv2D(filters, 1, padding="same", use_bias=False)(L.multiply([y, s])))
        x = L.add([L.Dropout(0.0, noise_shape=(None, 1, 1, 1))(y), x]) if x.shape == y.shape else y
    model = keras.Model(inputs, L.Dense(5, activation="softmax", name="predictions")(L.GlobalAveragePooling2D(name="avg_pool")(x)))
    model.compile(keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(0.01, 10, warmup_target=0.02, warmup_steps=2), epsilon=0.01),
                  keras.losses.CategoricalCrossentropy(label_smoothing=0.1), metrics=["accuracy"])
    return model, [real(3, 12, 12, 3)], [one_hot(5, 3)]


def convnext():
    """Depthwise 7 x 7, layer normalization, two dense layers over channels, layer scale."""
    inputs = keras.Input((16, 16, 3))
    x = L.LayerNormalization(epsilon=1e-6)(L.Conv2D(4, 4, strides=4)(inputs))
    for width in (4, 6):
        if width != x.shape[-1]:
            x = L.Conv2D(width, 2, strides=2)(L.LayerNormalization(epsilon=1e-6)(x))
        y = L.LayerNormalization(epsilon=1e-6)(L.Conv2D(width, 7, padding="same", groups=width)(x))
        y = L.Dense(width)(L.Activation("gelu")(L.Dense(4 * width)(y)))
        y = L.EinsumDense("...c,c->...c", width)(y)
        x = x + y
    x = L.LayerNormalization(epsilon=1e-6)(L.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, L.Dense(5)(x))
    model.compile(keras.optimizers.AdamW(0.01, weight_decay=0.05, epsilon=0.01), keras.losses.CategoricalCrossentropy(from_logits=True))
    return model, [real(3, 16, 16, 3)], [one_hot(5, 3)]


def vit():
    """Patches by a convolution, embedded places, blocks of attention."""
    inputs = keras.Input((12, 12, 3))
    x = L.Reshape((9, 6))(L.Conv2D(6, 4, strides=4)(inputs))
    places = ops.cumsum(ops.ones_like(x[:, :, 0], dtype="int32"), axis=1) - 1
    x = x + L.Embedding(9, 6)(places)
    for _ in range(2):
        h = L.LayerNormalization(epsilon=1e-6)(x)
        x2 = L.Add()([L.MultiHeadAttention(num_heads=2, key_dim=6, dropout=0.0)(h, h), x])
        h = L.LayerNormalization(epsilon=1e-6)(x2)
        for units in (12, 6):
            h = L.Dense(units, activation=keras.activations.gelu)(h)
        x = L.Add()([h, x2])
    x = L.Flatten()(L.LayerNormalization(epsilon=1e-6)(x))
    model = keras.Model(inputs, L.Dense(4)(L.Dense(8, activation=keras.activations.gelu)(x)))
    model.compile(keras.optimizers.AdamW(0.001, weight_decay=0.0001, epsilon=0.01),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy"), keras.metrics.SparseTopKCategoricalAccuracy(2, name="top-2")])
    return model, [real(3, 12, 12, 3)], [whole(4, 3, 1)]


def mixer():
    """MLP-Mixer: dense layers over channels and, permuted, over patches."""
    inputs = keras.Input((8, 8, 3))
    x = L.Dense(5)(L.Reshape((16, 12))(inputs))
    for _ in range(2):
        y = L.Permute((2, 1))(L.LayerNormalization(epsilon=1e-6)(x))
        y = L.Permute((2, 1))(keras.Sequential([L.Dense(16, activation="gelu"), L.Dense(16), L.Dropout(0.0)])(y))
        x = L.Add()([x, y])
        x = x + keras.Sequential([L.Dense(7, activation="gelu"), L.Dense(5)])(L.LayerNormalization(epsilon=1e-6)(x))
    model = keras.Model(inputs, L.Dense(3)(L.Dropout(0.0)(L.GlobalAveragePooling1D()(x))))
    model.compile(keras.optimizers.AdamW(0.005, weight_decay=0.0001, epsilon=0.01),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["acc"])
    return model, [real(3, 8, 8, 3)], [whole(3, 3)]


def gated_mixer():
    """gMLP's spatial gating and FNet-like mixing, with operators between layers."""
    inputs = keras.Input((6, 8))
    h = L.Dense(12, activation="gelu")(L.LayerNormalization()(inputs))
    u, v = ops.split(h, 2, axis=-1)
    v = L.LayerNormalization()(v)
    v = ops.transpose(L.Dense(6, bias_initializer="Ones")(ops.transpose(v, (0, 2, 1))), (0, 2, 1))
    x = inputs + L.Dense(8)(u * v)
    model = keras.Model(inputs, L.Dense(3, activation="softmax")(ops.mean(x, axis=1)))
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy", "mse"])
    return model, [real(3, 6, 8)], [one_hot(3, 3)]


def deeplab():
    """Dilated spatial pyramid pooling with bilinear up-sampling."""
    inputs = keras.Input((16, 16, 3))
    low = L.Conv2D(4, 3, strides=2, padding="same", activation="relu")(inputs)
    x = L.Conv2D(6, 3, strides=2, padding="same", activation="relu")(low)

    def block(x, filters=4, size=3, rate=1):
        x = L.Conv2D(filters, size, dilation_rate=rate, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
        return ops.nn.relu(L.BatchNormalization()(x))
    pooled = L.UpSampling2D((4, 4), interpolation="bilinear")(block(L.AveragePooling2D((4, 4))(x), size=1))
    x = block(L.Concatenate()([pooled, block(x, size=1), block(x, rate=2), block(x, rate=3)]), size=1)
    x = L.Concatenate()([L.UpSampling2D((2, 2), interpolation="bilinear")(x), block(low, 2, 1)])
    x = L.UpSampling2D((2, 2), interpolation="bilinear")(block(x))
    model = keras.Model(inputs, L.Conv2D(3, (1, 1), padding="same")(x))
    model.compile(keras.optimizers.Adam(0.001, epsilon=0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, [real(2, 16, 16, 3)], [whole(3, 2, 16, 16)]


def super_resolution():
    """Sub-pixel convolution: depth to space by reshaping and transposing."""
    inputs = keras.Input((6, 6, 1))
    x = L.Conv2D(4, 5, padding="same", activation="relu", kernel_initializer="orthogonal")(inputs)
    x = L.Conv2D(4, 3, padding="same", activation="relu", kernel_initializer="orthogonal")(x)
    x = ops.reshape(x, (-1, 6, 6, 2, 2))
    x = ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4)), (-1, 12, 12, 1))
    model = keras.Model(inputs, x)
    model.compile(keras.optimizers.Adam(0.001, epsilon=0.01), "mean_squared_error")
    return model, [real(2, 6, 6, 1)], [real(2, 12, 12, 1)]


def autoencoder():
    """Denoising: convolutions, pooling, transposed convolutions."""
    inputs = keras.Input((12, 12, 1))
    x = L.MaxPooling2D((2, 2), padding="same")(L.Conv2D(4, (3, 3), activation="relu", padding="same")(inputs))
    x = L.MaxPooling2D((2, 2), padding="same")(L.Conv2D(4, (3, 3), activation="relu", padding="same")(x))
    x = L.Conv2DTranspose(4, (3, 3), strides=2, activation="relu", padding="same")(x)
    x = L.Conv2DTranspose(4, (3, 3), strides=2, activation="relu", padding="same")(x)
    model = keras.Model(inputs, L.Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x))
    model.compile(keras.optimizers.Adam(0.001, epsilon=0.01), "binary_crossentropy")
    return model, [real(2, 12, 12, 1)], [RNG.random((2, 12, 12, 1)).astype("float32")]


def variational():
    """An encoder of mean and variance, noise as an input, a decoder as a model of its own."""
    images, noise = keras.Input((8, 8, 1)), keras.Input((2,))
    x = L.Conv2D(4, 3, activation="relu", strides=2, padding="same")(images)
    x = L.Dense(6, activation="relu")(L.Flatten()(x))
    mean, log_variance = L.Dense(2, name="z_mean")(x), L.Dense(2, name="z_log_var")(x)
    z = mean + ops.exp(0.5 * log_variance) * noise
    latent = keras.Input((2,))
    h = L.Reshape((4, 4, 2))(L.Dense(32, activation="relu")(latent))
    h = L.Conv2DTranspose(1, 3, activation="sigmoid", strides=2, padding="same")(h)
    decoder = keras.Model(latent, h, name="decoder")
    divergence = -0.5 * (1 + log_variance - ops.square(mean) - ops.exp(log_variance))
    model = keras.Model([images, noise], [decoder(z), L.Identity(name="kl")(ops.sum(divergence, axis=1, keepdims=True))])
    model.compile(keras.optimizers.Adam(0.01, epsilon=0.01), ["binary_crossentropy", "mae"], loss_weights=[1.0, 0.1])
    return model, [real(3, 8, 8, 1), real(3, 2)], [sides(3, 8, 8, 1), np.zeros((3, 1), "float32")]


def critic():
    """WGAN-GP's discriminator: leaky ReLU, cropping and padding."""
    inputs = keras.Input((12, 12, 1))
    x = L.ZeroPadding2D((2, 2))(inputs)
    for filters, bias in ((4, True), (6, False)):
        x = L.LeakyReLU(0.2)(L.Conv2D(filters, (5, 5), strides=(2, 2), padding="same", use_bias=bias)(x))
    x = L.Dense(1)(L.Dropout(0.0)(L.Flatten()(L.Cropping2D((1, 1))(x))))
    model = keras.Model(inputs, x, name="discriminator")
    model.compile(keras.optimizers.Adam(0.0002, beta_1=0.5, beta_2=0.9, epsilon=0.01), "mean_absolute_error")
    return model, [real(3, 12, 12, 1)], [real(3, 1)]


def siamese():
    """A shared embedding network, Euclidean distance by operators."""
    left, right = keras.Input((10, 10, 1)), keras.Input((10, 10, 1))
    inside = keras.Input((10, 10, 1))
    x = L.BatchNormalization()(inside)
    x = L.AveragePooling2D((2, 2))(L.Conv2D(3, (5, 5), activation="tanh")(x))
    embedding = keras.Model(inside, L.Dense(4, activation="tanh")(L.BatchNormalization()(L.Flatten()(x))))
    a, b = embedding(left), embedding(right)
    distance = ops.sqrt(ops.maximum(ops.sum(ops.square(a - b), axis=1, keepdims=True), keras.config.epsilon()))
    model = keras.Model([left, right], L.Dense(1, activation="sigmoid")(L.BatchNormalization()(distance)))
    model.compile(keras.optimizers.RMSprop(0.001, epsilon=0.01), "binary_crossentropy", metrics=["accuracy"])
    return model, [real(4, 10, 10, 1), real(4, 10, 10, 1)], [sides(4, 1)]


def detector():
    """A head for each of two maps, joined: classes and boxes, two losses with weights."""
    inputs = keras.Input((16, 16, 3))
    c3 = L.Conv2D(4, 3, strides=4, padding="same", activation="relu")(inputs)
    c4 = L.Conv2D(5, 3, strides=2, padding="same", activation="relu")(c3)
    p4 = L.Conv2D(4, 1)(c4)
    p3 = L.Conv2D(4, 1)(c3) + L.UpSampling2D(2)(p4)
    prior = keras.initializers.Constant(-np.log((1 - 0.01) / 0.01))

    def head(outputs, bias):
        return keras.Sequential([keras.Input((None, None, 4)), L.Conv2D(4, 3, padding="same"), L.ReLU(),
                                 L.Conv2D(outputs, 3, padding="same", bias_initializer=bias)])
    classes, boxes = head(3, prior), head(4, "zeros")
    out = {"boxes": L.Concatenate(axis=1, name="boxes")([L.Reshape((-1, 4))(boxes(p)) for p in (p3, p4)]),
           "classes": L.Concatenate(axis=1, name="classes")([L.Activation("sigmoid")(L.Reshape((-1, 3))(classes(p))) for p in (p3, p4)])}
    model = keras.Model(inputs, out)
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), {"boxes": keras.losses.Huber(), "classes": keras.losses.BinaryFocalCrossentropy()},
                  loss_weights={"boxes": 2.0, "classes": 5.0}, metrics={"classes": ["binary_accuracy"], "boxes": ["mae"]})
    return model, [real(2, 16, 16, 3)], [real(2, 20, 4), sides(2, 20, 3)]


# ---- Sequences ----

def seq2seq():
    """Characters: an encoder's states start the decoder."""
    encoder_inputs, decoder_inputs = keras.Input((None, 5)), keras.Input((None, 4))
    _, h, c = L.LSTM(6, return_state=True)(encoder_inputs)
    outputs, _, _ = L.LSTM(6, return_sequences=True, return_state=True)(decoder_inputs, initial_state=[h, c])
    model = keras.Model([encoder_inputs, decoder_inputs], L.Dense(4, activation="softmax")(outputs))
    model.compile(keras.optimizers.RMSprop(0.01, epsilon=0.01), "categorical_crossentropy", metrics=["accuracy"])
    return model, [one_hot(5, 3, 7), one_hot(4, 3, 6)], [one_hot(4, 3, 6)]


def seq2seq_masked():
    """Words with padding: a bidirectional encoder, its mask and states given to the decoder, attention over the encoder."""
    source, target = keras.Input((7,), dtype="int32"), keras.Input((6,), dtype="int32")
    embedding = L.Embedding(8, 5, mask_zero=True)
    words = embedding(source)
    memory, forward, backward = L.Bidirectional(L.GRU(4, return_sequences=True, return_state=True))(words)
    state = L.Concatenate()([forward, backward])
    decoder = L.Embedding(9, 5, mask_zero=True)
    spoken = decoder(target)
    hidden = L.GRU(8, return_sequences=True)(spoken, initial_state=state, mask=decoder.compute_mask(target))
    context = L.Attention()([hidden, memory], mask=[None, embedding.compute_mask(source)])
    x = L.LayerNormalization()(L.Add()([hidden, context]))
    model = keras.Model([source, target], L.Dense(9)(x))
    model.compile(keras.optimizers.Adam(0.01, epsilon=0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0),
                  metrics=["sparse_categorical_accuracy"])
    return model, [padded(8, 4, 7), padded(9, 4, 6)], [padded(9, 4, 6)]


def wavenet():
    """Dilated causal convolutions with gates, residuals and skips."""
    inputs = keras.Input((16, 1))
    x = L.Conv1D(4, 2, padding="causal")(inputs)
    skips = []
    for rate in (1, 2, 4):
        gate = L.Conv1D(4, 2, padding="causal", dilation_rate=rate, activation="sigmoid")(x)
        signal = L.Conv1D(4, 2, padding="causal", dilation_rate=rate, activation="tanh")(x)
        y = L.Multiply()([signal, gate])
        skips.append(L.Conv1D(5, 1)(y))
        x = L.Add()([x, L.Conv1D(4, 1)(y)])
    x = L.Activation("relu")(L.Add()(skips))
    model = keras.Model(inputs, L.Conv1D(6, 1, activation="softmax")(L.Conv1D(5, 1, activation="relu")(x)))
    model.compile(keras.optimizers.Adam(0.01, epsilon=0.01, clipnorm=1.0), "sparse_categorical_crossentropy")
    return model, [real(3, 16, 1)], [whole(6, 3, 16)]


def transformer():
    """Text classification: embedded tokens and places, padding."""
    tokens = keras.Input((8,), dtype="int32")
    places = ops.cumsum(ops.ones_like(tokens), axis=1) - 1
    x = L.Embedding(9, 6, mask_zero=True)(tokens) + L.Embedding(8, 6)(places)
    attended = L.MultiHeadAttention(num_heads=2, key_dim=6)(x, x)
    x = L.LayerNormalization(epsilon=1e-6)(x + L.Dropout(0.0)(attended))
    fed = keras.Sequential([L.Dense(10, activation="relu"), L.Dense(6)])(x)
    x = L.LayerNormalization(epsilon=1e-6)(x + L.Dropout(0.0)(fed))
    x = L.Dense(5, activation="relu")(L.GlobalAveragePooling1D()(x))
    model = keras.Model(tokens, L.Dense(2, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(0.01, epsilon=0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, [padded(9, 4, 8)], [whole(2, 4)]


def translator():
    """English to Spanish: encoder and decoder with padding and causal masks."""
    source, target = keras.Input((7,), dtype="int32"), keras.Input((6,), dtype="int32")

    def embed(x, words, length):
        return L.Embedding(words, 6, mask_zero=True)(x) + L.Embedding(length, 6)(ops.cumsum(ops.ones_like(x), axis=1) - 1)
    x = embed(source, 8, 7)
    x = L.LayerNormalization()(x + L.MultiHeadAttention(2, 6)(query=x, value=x, key=x))
    memory = L.LayerNormalization()(x + L.Dense(6)(L.Dense(9, activation="relu")(x)))
    y = embed(target, 9, 6)
    y = L.LayerNormalization()(y + L.MultiHeadAttention(2, 6)(query=y, value=y, key=y, use_causal_mask=True))
    y = L.LayerNormalization()(y + L.MultiHeadAttention(2, 6)(query=y, value=memory, key=memory))
    y = L.LayerNormalization()(y + L.Dense(6)(L.Dense(9, activation="relu")(y)))
    model = keras.Model([source, target], L.Dense(9, activation="softmax")(L.Dropout(0.0)(y)))
    model.compile(keras.optimizers.RMSprop(0.01, epsilon=0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, [padded(8, 4, 7), padded(9, 4, 6)], [padded(9, 4, 6)]


def series():
    """Time series: attention, convolutions of length 1, pooling over features."""
    inputs = keras.Input((12, 1))
    x = inputs
    for _ in range(2):
        h = L.LayerNormalization(epsilon=1e-6)(L.Dropout(0.0)(L.MultiHeadAttention(key_dim=4, num_heads=2, dropout=0.0)(x, x)))
        r = h + x
        h = L.Conv1D(filters=1, kernel_size=1)(L.Dropout(0.0)(L.Conv1D(filters=4, kernel_size=1, activation="relu")(r)))
        x = L.LayerNormalization(epsilon=1e-6)(h) + r
    x = L.Dense(6, activation="relu")(L.GlobalAveragePooling1D(data_format="channels_last")(L.Conv1D(5, 3, padding="same")(x)))
    model = keras.Model(inputs, L.Dense(2, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(0.001, epsilon=0.01), "sparse_categorical_crossentropy", metrics=["sparse_categorical_accuracy"])
    return model, [real(3, 12, 1)], [whole(2, 3)]


def attended_gru():
    """Additive attention over a recurrent network, written out."""
    words = keras.Input((9,), dtype="int32")
    h = L.Bidirectional(L.GRU(4, return_sequences=True))(L.Embedding(8, 5, mask_zero=True)(words))
    context = L.AdditiveAttention()([h, h])
    score = ops.softmax(L.Dense(1)(L.Dense(6, activation="tanh")(context)), axis=1)
    x = ops.sum(context * score, axis=1)
    model = keras.Model(words, L.Dense(3, activation="softmax")(x))
    model.compile(keras.optimizers.Nadam(0.01, epsilon=0.01), "categorical_crossentropy", metrics=[keras.metrics.F1Score(average="macro", name="f1")])
    return model, [padded(8, 4, 9)], [one_hot(3, 4)]


def characters():
    """A stack of recurrent layers that predicts the next character."""
    model = keras.Sequential([keras.Input((10,), dtype="int32"), L.Embedding(7, 5), L.GRU(6, return_sequences=True),
                              L.LSTM(5, return_sequences=True, recurrent_initializer="glorot_uniform"), L.Dense(7)])
    model.compile(keras.optimizers.Adam(0.01, epsilon=0.01, global_clipnorm=0.5),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, [whole(7, 3, 10)], [whole(7, 3, 10)]


def video():
    """A convolutional network over the frames, then over time."""
    model = keras.Sequential([
        keras.Input((4, 8, 8, 2)), L.TimeDistributed(L.Conv2D(3, 3, activation="relu")), L.TimeDistributed(L.MaxPooling2D(2)),
        L.TimeDistributed(L.BatchNormalization()), L.TimeDistributed(L.Flatten()), L.LSTM(5, return_sequences=True),
        L.GRU(4), L.Dropout(0.0), L.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.Adamax(0.01, epsilon=0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, [real(2, 4, 8, 8, 2)], [whole(3, 2)]


def next_frame():
    """Next-frame prediction by convolutional LSTMs."""
    inputs = keras.Input((None, 6, 6, 1))
    x = L.ConvLSTM2D(filters=3, kernel_size=(5, 5), padding="same", return_sequences=True, activation="relu")(inputs)
    x = L.BatchNormalization()(x)
    x = L.ConvLSTM2D(filters=3, kernel_size=(3, 3), padding="same", return_sequences=True, activation="relu")(x)
    x = L.BatchNormalization()(x)
    x = L.ConvLSTM2D(filters=2, kernel_size=(1, 1), padding="same", return_sequences=True, activation="relu")(x)
    model = keras.Model(inputs, L.Conv3D(filters=1, kernel_size=(3, 3, 3), activation="sigmoid", padding="same")(x))
    model.compile(keras.optimizers.Adam(0.001, epsilon=0.01), keras.losses.binary_crossentropy)
    return model, [real(2, 3, 6, 6, 1)], [sides(2, 3, 6, 6, 1)]


def captions():
    """Features of an image and the words so far."""
    image, words = keras.Input((7,)), keras.Input((6,), dtype="int32")
    f = L.Dense(5, activation="relu")(L.Dropout(0.0)(image))
    s = L.LSTM(5)(L.Dropout(0.0)(L.Embedding(9, 4, mask_zero=True)(words)))
    x = L.Dense(5, activation="relu")(L.add([f, s]))
    model = keras.Model([image, words], L.Dense(9, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(0.01, epsilon=0.01), "categorical_crossentropy")
    return model, [real(4, 7), padded(9, 4, 6)], [one_hot(9, 4)]


def tagger():
    """Named entities: one answer for each word, padding left out of the loss."""
    words = keras.Input((8,), dtype="int32")
    x = L.SpatialDropout1D(0.0)(L.Embedding(9, 5, mask_zero=True)(words))
    x = L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode="sum")(x)
    model = keras.Model(words, L.TimeDistributed(L.Dense(3, activation="softmax"))(x))
    model.compile(keras.optimizers.Adam(0.01, epsilon=0.01), "sparse_categorical_crossentropy")
    return model, [padded(9, 4, 8)], [whole(3, 4, 8)]


def anomalies():
    """Time series reconstructed by convolutions and transposed ones."""
    model = keras.Sequential([
        keras.Input((16, 2)), L.Conv1D(4, 7, padding="same", strides=2, activation="relu"), L.Dropout(0.0),
        L.Conv1D(3, 7, padding="same", strides=2, activation="relu"),
        L.Conv1DTranspose(3, 7, padding="same", strides=2, activation="relu"), L.Dropout(0.0),
        L.Conv1DTranspose(4, 7, padding="same", strides=2, activation="relu"), L.Conv1DTranspose(1, 7, padding="same")])
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.001, epsilon=0.01), loss="mse")
    return model, [real(3, 16, 2)], [real(3, 16, 1)]


# ---- Points and tables ----

def points():
    """PointNet: a learned transformation of the points, global maxima."""
    inputs = keras.Input((10, 3))

    def conv(x, filters):
        return L.Activation("relu")(L.BatchNormalization(momentum=0.9)(L.Conv1D(filters, 1, padding="valid")(x)))
    x = L.GlobalMaxPooling1D()(conv(conv(inputs, 4), 6))
    x = L.Dense(9, kernel_initializer="zeros", activity_regularizer=keras.regularizers.L2(0.01))(x)
    x = L.Dot(axes=(2, 1))([inputs, L.Reshape((3, 3))(x)])
    x = L.GlobalMaxPooling1D()(conv(x, 5))
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(L.Dropout(0.0)(x)), name="pointnet")
    model.compile(loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.Adam(0.001, epsilon=0.01), metrics=["sparse_categorical_accuracy"])
    return model, [real(3, 10, 3)], [whole(4, 3)]


def wide_deep():
    """Numbers and categories: wide, deep and cross features."""
    number, category, bucket = keras.Input((3,)), keras.Input((1,), dtype="int32"), keras.Input((1,))
    normalized = L.Normalization(mean=[0.5, 0.0, -1.0], variance=[2.0, 1.0, 0.5])(number)
    hot = L.CategoryEncoding(num_tokens=5, output_mode="one_hot")(category)
    cut = L.CategoryEncoding(num_tokens=4, output_mode="one_hot")(L.Discretization(bin_boundaries=[-0.5, 0.0, 0.5])(bucket))
    embedded = L.Flatten()(L.Embedding(5, 3)(category))
    x0 = L.concatenate([normalized, embedded])
    cross = x0
    for _ in range(2):
        cross = x0 * L.Dense(x0.shape[-1])(cross) + cross
    deep = x0
    for units in (6, 5):
        deep = L.Dropout(0.0)(L.ReLU()(L.BatchNormalization()(L.Dense(units)(deep))))
    wide = L.BatchNormalization()(L.concatenate([hot, cut]))
    model = keras.Model([number, category, bucket],
                        L.Dense(1, activation="sigmoid")(L.concatenate([wide, cross, deep])))
    model.compile(keras.optimizers.Adagrad(0.05, epsilon=0.01), "binary_crossentropy",
                  metrics=[keras.metrics.AUC(name="auc"), keras.metrics.Precision(), keras.metrics.Recall()])
    return model, [real(6, 3), whole(5, 6, 1), real(6, 1)], [sides(6, 1)]


def recommender():
    """Matrix factorization with biases, and experts with gates."""
    user, item = keras.Input((1,), dtype="int32", name="user"), keras.Input((1,), dtype="int32", name="item")

    def embed(x, size, regular=None):
        return L.Flatten()(L.Embedding(7, size, embeddings_initializer="he_normal", embeddings_regularizer=regular)(x))
    u, v = embed(user, 4, keras.regularizers.l2(1e-2)), embed(item, 4, keras.regularizers.l2(1e-2))
    score = L.Dot(axes=1, normalize=True)([u, v]) + embed(user, 1) + embed(item, 1)
    gates = L.Softmax()(L.Dense(3)(L.Concatenate()([u, v])))
    experts = ops.stack([L.Dense(2, activation="relu")(L.Concatenate()([u, v])) for _ in range(3)], axis=1)
    mixed = ops.einsum("be,bed->bd", gates, experts)
    rating = L.Rescaling(4.5, offset=0.5, name="rating")(ops.sigmoid(score + ops.max(mixed, axis=-1, keepdims=True)))
    click = L.Dense(1, activation="sigmoid", name="click")(mixed)
    model = keras.Model(inputs=[user, item], outputs=[rating, click])
    model.compile(keras.optimizers.Adagrad(0.1, epsilon=0.01), loss={"rating": keras.losses.MeanSquaredError(), "click": "binary_crossentropy"},
                  loss_weights={"rating": 1.0, "click": 0.3}, metrics={"rating": ["mae", keras.metrics.RootMeanSquaredError()], "click": ["accuracy"]})
    return model, [whole(7, 5, 1), whole(7, 5, 1)], [RNG.uniform(0.5, 5, (5, 1)).astype("float32"), sides(5, 1)]


MODELS = (unet, unet_skips, xception, resnet_v2, mobilenet, efficientnet, convnext, vit, mixer, gated_mixer, deeplab, super_resolution,
          autoencoder, variational, critic, siamese, detector, seq2seq, seq2seq_masked, wavenet, transformer, translator, series,
          attended_gru, characters, video, next_frame, captions, tagger, anomalies, points, wide_deep, recommender)


def make(only=None):
    global RNG
    fixture = Fixture("examples", "models as the examples of keras.io: predictions, logs and weights of three steps", 3e-4, 3e-5,
                      "float32 through up to 40 layers and three steps in another order of sums")
    for number, build in enumerate(MODELS):
        if only and build.__name__ not in only:
            continue
        RNG = np.random.default_rng([14, number])
        keras.backend.clear_session()
        model, inputs, targets, *train = build()
        add(fixture, number + 1, build.__name__, model, inputs, targets, train=bool(targets) and train != [False])
    return [fixture]
