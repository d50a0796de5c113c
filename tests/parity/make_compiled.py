"""Writes fixtures/compiled.json: compiled models as Keras writes them, and what evaluation and three steps of training
give. KERAS_BACKEND=jax python make_compiled.py; with the name of a file that tests/formats/compiled wrote
(CAJAL_COMPILED_OUT=FILE), checks instead that Keras reads those models and gets the same numbers."""
import json
import pathlib
import sys

import keras
import numpy as np


def numbers(shape, period):
    count = int(np.prod(shape))
    return (np.arange(count) * 7 % period / period - 0.5).astype("float32").reshape(shape)


X = numbers((6, 4), 23)
WEIGHTS = np.array([0.25, 0.5, 1, 2, 0, 1.25], "float32")


def dense(units, **settings):
    return keras.layers.Dense(units, kernel_initializer="identity", **settings)


def one(labels):
    model = keras.Sequential([keras.Input((4,)), dense(4, name="h"), dense(3, activation="softmax", name="p")], name="one")
    return model, [np.array([0, 1, 2, 0, 1, 2], "int32") if labels else np.eye(3, dtype="float32")[[0, 1, 2, 0, 1, 2]]]


def two():
    x = keras.Input((4,), name="x")
    h = dense(4, activation="tanh", name="h")(x)
    model = keras.Model(x, [dense(2, name="a")(h), dense(1, activation="sigmoid", name="b")(h)], name="two")
    return model, [numbers((6, 2), 9), (numbers((6, 1), 5) > 0).astype("float32")]


L, M, O, S = keras.losses, keras.metrics, keras.optimizers, keras.optimizers.schedules
SPARSE = "sparse_categorical_crossentropy"
CASES = [(one(True), {"optimizer": o, "loss": SPARSE, "metrics": ["accuracy"]}) for o in (
    "sgd", O.SGD(0.1, momentum=0.9, nesterov=True), O.Adam(0.05, beta_1=0.8, amsgrad=True),
    O.AdamW(S.CosineDecay(0.1, 100), weight_decay=0.01), O.RMSprop(0.01, centered=True, momentum=0.5), O.Adagrad(0.1),
    O.Adadelta(0.5), O.Adamax(0.1), O.Nadam(0.1, clipnorm=0.5), O.Ftrl(0.1, l1_regularization_strength=0.01),
    O.Lion(0.01, clipvalue=0.1), O.Lamb(0.1), O.Adafactor(0.1), O.Muon(0.1), O.SGD(S.PiecewiseConstantDecay([1, 2], [1.0, 0.5, 0.1])),
    O.SGD(S.ExponentialDecay(0.5, 2, 0.5, staircase=True), global_clipnorm=0.5), O.SGD(S.PolynomialDecay(0.5, 10)),
    O.SGD(S.InverseTimeDecay(0.5, 2, 0.5)), O.SGD(S.CosineDecayRestarts(0.5, 2)), O.Adam(use_ema=True, ema_momentum=0.9),
    O.SGD(0.1, gradient_accumulation_steps=3), O.SGD(0.1, loss_scale_factor=4.0))]
CASES += [(one(True), {"optimizer": "adam", "loss": L.SparseCategoricalCrossentropy(ignore_class=1),
                       "metrics": ["sparse_categorical_accuracy", M.SparseTopKCategoricalAccuracy(k=2, name="top2")]}),
          (one(False), {"optimizer": "sgd", "loss": L.CategoricalCrossentropy(label_smoothing=0.1), "loss_weights": [0.5],
                        "metrics": ["accuracy", M.AUC(name="area"), M.AUC(num_thresholds=20, curve="PR"), "mse", "auc"],
                        "weighted_metrics": [M.Precision(thresholds=0.4), "mae"]}),
          (one(False), {"optimizer": "sgd", "loss": [L.Huber(delta=0.2, reduction="sum")],
                        "metrics": [[M.Recall(class_id=1), M.F1Score(average="macro"), M.CosineSimilarity()]]}),
          (one(False), {"optimizer": "sgd", "loss": L.mean_absolute_error,
                        "metrics": [M.OneHotMeanIoU(num_classes=3), M.R2Score(), M.RootMeanSquaredError(),
                                    M.CategoricalAccuracy(), M.TopKCategoricalAccuracy(2), M.FBetaScore(beta=2.0, average="micro")]}),
          (one(False), {"optimizer": "sgd", "loss": L.Tversky(alpha=0.3), "metrics": [M.SensitivityAtSpecificity(0.5)]}),
          (one(False), {"optimizer": "sgd", "loss": L.BinaryFocalCrossentropy(gamma=3.0)}),
          (two(), {"optimizer": "sgd", "loss": "mse", "metrics": [["mae"], ["accuracy"]]}),
          (two(), {"optimizer": "adam", "loss": {"a": "mse", "b": L.BinaryCrossentropy(label_smoothing=0.2)},
                   "loss_weights": {"a": 0.5, "b": 2}, "metrics": {"a": ["mae", "mse"], "b": "accuracy"},
                   "weighted_metrics": {"b": ["mse"], "a": ["mae"]}}),
          (two(), {"optimizer": "adam", "loss": ["mse", None], "metrics": ["mae", "mse"]}),
          (two(), {"optimizer": "adam", "loss": ["mse", L.MeanSquaredLogarithmicError()], "loss_weights": [1, 3],
                   "weighted_metrics": [["mae", "mse"], None]})]


def results(model, y):
    before = model.evaluate(X, y, sample_weight=WEIGHTS, batch_size=4, verbose=0, return_dict=True)
    model.fit(X, y, batch_size=6, epochs=3, shuffle=False, verbose=0)
    after = model.evaluate(X, y, batch_size=6, verbose=0, return_dict=True)
    return before, after


def make():
    rows = []
    for (model, y), settings in CASES:
        model = keras.models.clone_model(model)
        model.compile(**settings)
        text = json.loads(model.to_json())
        # the settings that Keras writes: it leaves out some, such as Huber's delta
        before, after = results(keras.models.model_from_json(json.dumps(text)), y)
        rows.append({"compile_config": text["compile_config"], "outputs": len(y), "labels": bool(y[0].dtype == np.int32),
                     "before": before, "after": after["loss"]})
    path = pathlib.Path(__file__).parent / "fixtures" / "compiled.json"
    path.write_text("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")


def check(path):
    wrong = 0
    for number, line in enumerate(open(path)):
        row = json.loads(line)
        try:
            model = keras.models.model_from_json(json.dumps(row["model"]))
            y = two()[1] if len(model.outputs) == 2 else one(row["labels"])[1]
            before, after = results(model, y)
        except Exception as error:  # noqa: BLE001
            print(number, "Keras refuses it:", str(error)[:300], json.dumps(row["model"]["compile_config"])[:600])
            wrong += 1
            continue
        for name, value in list(row["before"].items()) + [("after", row["after"])]:
            theirs = after["loss"] if name == "after" else before.get(name)
            if theirs is None or abs(theirs - value) > 2e-5 + 2e-5 * abs(value):
                print(number, name, "Keras has", theirs, "Cajal", value)
                wrong += 1
    print(f"{number + 1} models, {wrong} wrong")
    return wrong


sys.exit(check(sys.argv[1]) if len(sys.argv) > 1 else make())
