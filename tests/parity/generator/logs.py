"""Logs: the names that Keras gives losses and metrics, and the files that its CSVLogger writes.

Cases "names_*": an identity-like model with the outputs of these names is compiled with `losses` (a list with null, or one
name), `metrics` and `weighted_metrics` (for every output), and fits two samples; `names` are the keys of the logs, sorted.
Cases "csv_*": `epochs` are the logs of each epoch, given to CSVLogger; `text` is what the file then has, with "\n" for the
line ends "\r\n" of Python's csv module.
"""

import os
import tempfile

import keras
import numpy as np

from .store import Fixture

NAMES = {
    "one": (["out"], "mse", ["mae", "mse"], []),
    "long": (["out"], "sparse_categorical_crossentropy", ["sparse_categorical_accuracy"], []),
    "class": (["out"], "sparse_categorical_crossentropy", ["SparseCategoricalAccuracy", "acc"], []),
    "twice": (["out"], "sparse_categorical_crossentropy", ["accuracy", "accuracy", "accuracy"], []),
    "weighted": (["out"], "sparse_categorical_crossentropy", ["accuracy"], ["accuracy", "accuracy", "acc"]),
    "two": (["left", "right"], "mse", ["mae"], ["mae"]),
    "two_long": (["a_name_of_more_than_22_characters_1", "a_name_of_more_than_22_characters_2"], "mse",
                 ["mean_absolute_error", "mae"], []),
    "without": (["left", "right"], ["mse", None], ["mae"], []),
    "only_third": (["a", "b", "c"], [None, None, "mse"], [], []),
    "two_of_three": (["a", "b", "c"], ["mse", None, "mae"], [], []),
}

CSV = {
    "plain": [{"loss": 0.5, "accuracy": 0.25}, {"loss": 0.375, "accuracy": 0.5}],
    "validation": [{"loss": 0.5, "val_loss": 0.75}, {"loss": 0.25, "val_loss": 1.5}],
    "later": [{"loss": 0.5}, {"loss": 0.25, "val_loss": 1.5}, {"loss": 0.125}],
    "less": [{"loss": 0.5, "val_loss": 0.75}, {"loss": 0.25}],
    "rate": [{"loss": 0.5, "learning_rate": 0.0625}, {"loss": 0.25, "learning_rate": 0.03125}],
    "nan": [{"loss": float("nan")}, {"loss": float("inf")}],
}


def names_of(outputs, loss, metrics, weighted):
    keras.backend.clear_session()
    x = keras.Input((2,))
    model = keras.Model(x, [keras.layers.Dense(2, name=name)(x) for name in outputs])
    count = len(outputs)
    sparse = isinstance(loss, str) and loss.startswith("sparse")
    y = [np.zeros((2,) if sparse else (2, 2), "float32") for _ in outputs]
    every = (lambda list_: [list_] * count if count > 1 else list_)
    model.compile("sgd", loss, metrics=every(metrics) or None, weighted_metrics=every(weighted) or None)
    history = model.fit(np.zeros((2, 2), "float32"), y if count > 1 else y[0], verbose=0,
                        sample_weight=np.ones(2, "float32") if weighted and count == 1 else None)
    return sorted(history.history)


def text_of(epochs):
    path = os.path.join(tempfile.mkdtemp(), "log.csv")
    logger = keras.callbacks.CSVLogger(path)
    logger.on_train_begin({})
    for epoch, logs in enumerate(epochs):
        logger.on_epoch_end(epoch, dict(logs))
    logger.on_train_end({})
    with open(path, newline="") as file:
        return file.read().replace("\r\n", "\n")


def make():
    fixture = Fixture("logs", "names of losses and metrics, and CSVLogger", 0.0, 0.0, "texts")
    for case, (outputs, loss, metrics, weighted) in NAMES.items():
        losses = loss if isinstance(loss, list) else [loss] * len(outputs)
        fixture.add(f"names_{case}", {}, outputs=outputs, losses=losses, metrics=metrics, weighted_metrics=weighted,
                    names=names_of(outputs, loss, metrics, weighted))
    for case, epochs in CSV.items():
        rows = [{key: str(value) for key, value in logs.items()} for logs in epochs]
        fixture.add(f"csv_{case}", {}, epochs=rows, text=text_of(epochs))
    return [fixture]
