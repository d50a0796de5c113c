#!/usr/bin/env python3
"""Keras over TensorFlow on a CPU, tensors in memory. Ways to run a step, of which the fastest by measurement is the default:

--way=keras   train_on_batch or predict_on_batch of a model compiled with jit_compile=True
--way=xla     a tf.function of the whole step, compiled by XLA
--way=graph   a tf.function of the whole step, run op by op by TensorFlow's own kernels and oneDNN
"""
import importlib.metadata
import os
import sys

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
import peer  # noqa: E402

WAY = next((a[6:] for a in sys.argv if a.startswith("--way=")), "graph")


def network(keras, net):
    layers = keras.layers

    def cnn(c1, c2, k, hidden):
        return [layers.Conv2D(c1, k, activation="relu"), layers.MaxPooling2D(), layers.Conv2D(c2, k, activation="relu"),
                layers.MaxPooling2D(), layers.Flatten(), layers.Dense(hidden, activation="relu"), layers.Dense(10)]

    rows = {"w1": lambda: [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10)],
            "w2": lambda: cnn(10, 20, 5, 50), "w3": lambda: cnn(32, 64, 3, 128),
            "rnn": lambda: [layers.Reshape((28, 28)), layers.SimpleRNN(128, unroll=True), layers.Dense(10)]}
    return keras.Sequential([keras.Input((28, 28, 1))] + rows[net]())


def train(tf, keras, model, x, y, way):
    if way == "keras":
        model.compile(keras.optimizers.Adam(), keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=True)
        return lambda: model.train_on_batch(x, y)
    weights = [w.value for w in model.trainable_weights]
    moments = [[tf.Variable(tf.zeros_like(w)) for w in weights] for _ in range(2)]
    powers = [tf.Variable(0.9), tf.Variable(0.999)]

    def body():
        with tf.GradientTape() as tape:
            found = tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x, training=True))
            loss = tf.reduce_mean(found)
        for w, m, v, g in zip(weights, *moments, tape.gradient(loss, weights)):
            tf.raw_ops.ResourceApplyAdam(var=w.handle, m=m.handle, v=v.handle, beta1_power=powers[0].read_value(),
                                         beta2_power=powers[1].read_value(), lr=1e-3, beta1=0.9, beta2=0.999,
                                         epsilon=1e-7, grad=g)
        powers[0].assign(powers[0] * 0.9)
        powers[1].assign(powers[1] * 0.999)
        return loss
    return tf.function(body, jit_compile=way == "xla").get_concrete_function()


def predict(tf, model, x, way):
    if way == "keras":
        model.compile(jit_compile=True)
        return lambda: model.predict_on_batch(x)
    run = tf.function(lambda x: tf.nn.softmax(model(x, training=False)), jit_compile=way == "xla")
    run = run.get_concrete_function(tf.TensorSpec(x.shape, x.dtype))
    return lambda: run(x).numpy()


def make(kind, s):
    if kind not in ("train", "predict"):
        raise ValueError(f"has no {kind}")
    import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(s["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(1)
    import keras
    model, way = network(keras, s["net"]), WAY
    x = tf.random.uniform((s["batch"], 28, 28, 1))
    if kind == "predict":
        return predict(tf, model, x, way)
    step = train(tf, keras, model, x, tf.random.uniform((s["batch"],), 0, 10, tf.int32), way)
    return step if way == "keras" else (lambda: step(), lambda: model.trainable_weights[0].value.numpy())


peer.serve("Keras/TensorFlow", importlib.metadata.version("tensorflow_cpu"), f"way {WAY}, one Adam kernel a variable" if WAY != "keras" else "compile(jit_compile=True), train_on_batch", make)
