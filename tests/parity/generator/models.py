"""The tutorial's networks: 100 training steps from weights and batches that are made by formula (formula.py).

Only the losses (float64 text of Keras's float32 numbers) and the final weights' sums are stored. Streams: weight number w of
model m uses stream 1000 m + w; the labels of step s use 1000 m + 100000 + s, the pixels 1000 m + 200000 + s, and the GAN's noise
1000 m + 300000 + s (for the discriminator) and 1000 m + 400000 + s (for the generator).

A softmax or sigmoid at the end, followed by a cross-entropy, is the same function as the cross-entropy from the logits; in float32
only the latter is exact (facts row 25), so the Keras models here end in logits.
"""

import keras
import numpy as np
from keras import layers as L

from . import formula
from .store import Fixture

STEPS = 100


def start(model, number):
    """Formula weights, in the order of model.weights; Keras draws its own first, which are thrown away."""
    for w, variable in enumerate(model.weights):
        variable.assign(formula.glorot(1000 * number + w, tuple(variable.shape)))


def sums(weights):
    """For each weight: the sum, and the sum of squares, in double."""
    return np.array([[np.sum(w, dtype="float64"), np.sum(np.square(w, dtype="float64"))] for w in map(np.asarray, weights)])


def pixels(stream, classes):
    return formula.images(stream, classes).astype("float32") / np.float32(255)


def digits(number, step, batch, shape):
    y = formula.labels(1000 * number + 100000 + step, batch)
    return pixels(1000 * number + 200000 + step, y).reshape(batch, *shape), y


def classifier(fixture, name, number, layers, batch, shape):
    model = keras.Sequential([keras.Input(shape), *layers])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    start(model, number)
    losses = [model.train_on_batch(*digits(number, step, batch, shape)) for step in range(STEPS)]
    fixture.add(name, {"f64:losses": np.array(losses), "f64:sums": sums(model.weights)}, number=number, batch=batch,
                image=list(shape))


def recurrent(fixture):
    data = np.array([[[0.1, 0.2]], [[0.3, 0.4]], [[0.5, 0.6]], [[0.7, 0.8]]], "float32")
    target = np.array([[0.9], [1.0], [1.1], [1.2]], "float32")
    model = keras.Sequential([keras.Input((1, 2)), L.SimpleRNN(16), L.Dense(1)])
    model.compile("adam", "mse")
    start(model, 2)
    losses = [model.train_on_batch(data, target) for _ in range(STEPS)]
    fixture.add("recurrent", {"f64:losses": np.array(losses), "f64:sums": sums(model.weights)}, number=2, batch=4, image=[])


def gan_models():
    generator = keras.Sequential([keras.Input((100,)), L.Dense(256, activation="relu"), L.Dense(784, activation="sigmoid"),
                                  L.Reshape((28, 28))], name="generator")
    discriminator = keras.Sequential([keras.Input((28, 28)), L.Flatten(), L.Dense(128, activation="relu"), L.Dense(1)],
                                     name="discriminator")
    return generator, discriminator


def adversarial(fixture):
    number, batch = 5, 64
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    generator, discriminator = gan_models()
    start(generator, number)
    for w, variable in enumerate(discriminator.weights):
        variable.assign(formula.glorot(1000 * number + 10 + w, tuple(variable.shape)))
    discriminator.compile("adam", loss)
    discriminator.trainable = False
    gan_input = keras.Input((100,))
    gan = keras.Model(gan_input, discriminator(generator(gan_input)))
    gan.compile("adam", loss)
    d_losses, g_losses = [], []
    for step in range(STEPS):
        noise = formula.noise(1000 * number + 300000 + step, (batch, 100))
        fake = np.asarray(generator(noise))
        real, _ = digits(number, step, batch, (28, 28))
        discriminator.trainable = True
        d_losses.append(discriminator.train_on_batch(np.concatenate([real, fake]), np.repeat([1.0, 0.0], batch)[:, None]))
        noise = formula.noise(1000 * number + 400000 + step, (batch, 100))
        discriminator.trainable = False
        g_losses.append(gan.train_on_batch(noise, np.ones((batch, 1))))
    fixture.add("adversarial", {"f64:discriminator_losses": np.array(d_losses), "f64:generator_losses": np.array(g_losses),
                                "f64:sums": sums(generator.weights + discriminator.weights)}, number=number, batch=batch, image=[28, 28])


def freezing():
    """What `trainable` means when it changes between compile and train_on_batch: two sentences for the README."""
    def moved(at_compile, at_training, warm=False):
        keras.utils.set_random_seed(0)
        inner = keras.Sequential([keras.Input((3,)), L.Dense(3)])
        outer = keras.Sequential([keras.Input((3,)), L.Dense(3), inner])
        x, y = np.ones((2, 3), "float32"), np.zeros((2, 3), "float32")
        inner.trainable = at_compile
        outer.compile("sgd", "mse")
        if warm:
            outer.train_on_batch(x, y)
        inner.trainable = at_training
        before = np.array(inner.weights[0].value)
        try:
            outer.train_on_batch(x, y)
        except Exception as error:  # recorded: the point is what Keras does
            return f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"
        return bool(np.any(before != np.array(inner.weights[0].value)))
    return {f"compiled {'trainable' if a else 'frozen'}, {'one step, ' if w else ''}then {'thawed' if b else 'frozen'}": moved(a, b, w)
            for a, b in ((True, False), (False, True)) for w in (False, True)}


def make():
    fixture = Fixture("models", "the tutorial's networks: losses of 100 steps", 1e-4, 0.0,
                      "rounding in float32, which 100 training steps amplify")
    classifier(fixture, "feedforward", 1, [L.Flatten(), L.Dense(128, activation="relu"), L.Dense(10)], 32, (28, 28))
    recurrent(fixture)
    classifier(fixture, "convolution", 3, [L.Conv2D(10, (5, 5), activation="relu"), L.MaxPooling2D((2, 2)),
               L.Conv2D(20, (5, 5), activation="relu"), L.MaxPooling2D((2, 2)), L.Flatten(), L.Dense(50, activation="relu"),
               L.Dense(10)], 32, (28, 28, 1))
    classifier(fixture, "convolution_deep", 4, [L.Conv2D(32, (3, 3), activation="relu"), L.MaxPooling2D((2, 2)),
               L.Conv2D(64, (3, 3), activation="relu"), L.MaxPooling2D((2, 2)), L.Flatten(), L.Dense(128, activation="relu"),
               L.Dense(10)], 64, (28, 28, 1))
    adversarial(fixture)
    return [fixture]
