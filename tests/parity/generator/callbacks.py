"""Callbacks: what Keras's own EarlyStopping and ReduceLROnPlateau do with scripted values of "loss".

Parts: values (one an epoch), rates (learning rate after each epoch that ran). Settings: epochs (how many ran), best (the epoch
whose weights the model ends with; the weights are made to be the epoch's number).
"""

import keras
import numpy as np

from .store import Fixture

NAN, INF = float("nan"), float("inf")
FALLING = [1.0, 0.8, 0.6, 0.5, 0.45, 0.42, 0.41, 0.405]
UNEVEN = [1.0, 0.7, 0.72, 0.69, 0.75, 0.74, 0.68, 0.9, 0.91, 0.92, 0.67, 0.95, 0.96]
FLAT = [0.5] * 14
LATE_NAN = [1.0, 0.8, NAN, NAN, 0.7, NAN, NAN, NAN, NAN]
FIRST_NAN = [NAN, 1.0, 0.8, 0.7, 0.6, 0.5]
INFINITE = [INF, 1.0, INF, 0.5, -INF, 0.1, -INF, INF]
RISING = [0.3, 0.35, 0.4, 0.45, 0.5, 0.55]
STOPPING = [{}, {"patience": 1}, {"patience": 2}, {"patience": 3}, {"patience": 2, "restore_best_weights": True},
            {"patience": 3, "min_delta": 0.05}, {"patience": 3, "min_delta": 0.05, "restore_best_weights": True},
            {"patience": 2, "mode": "max"}, {"patience": 2, "mode": "max", "restore_best_weights": True},
            {"patience": 2, "baseline": 0.6}, {"patience": 3, "baseline": 0.1, "restore_best_weights": True},
            {"patience": 1, "start_from_epoch": 4}, {"patience": 1, "start_from_epoch": 4, "restore_best_weights": True},
            {"patience": 20, "restore_best_weights": True}]
PLATEAU = [{"patience": 1}, {"patience": 2}, {"patience": 2, "factor": 0.5}, {"patience": 2, "cooldown": 2},
           {"patience": 1, "cooldown": 3, "factor": 0.5}, {"patience": 1, "min_lr": 0.02}, {"patience": 2, "min_delta": 0.05},
           {"patience": 2, "mode": "max", "factor": 0.3}, {}, {"patience": 0, "factor": 0.5}]
SEQUENCES = {"falling": FALLING, "uneven": UNEVEN, "flat": FLAT, "rising": RISING,
             "late_nan": LATE_NAN, "first_nan": FIRST_NAN, "infinite": INFINITE}


def drive(callback, values, rate=0.1):
    keras.backend.clear_session()
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(rate), "mae")
    callback.set_model(model)
    callback.set_params({"epochs": len(values)})
    callback.on_train_begin({})
    rates, ran = [], 0
    model.stop_training = False
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch, {})
        model.set_weights([np.full((1, 1), epoch, "float32")])
        callback.on_epoch_end(epoch, {"loss": value})
        rates.append(float(np.asarray(model.optimizer.learning_rate)))
        ran += 1
        if model.stop_training:
            break
    callback.on_train_end({})
    return ran, rates, int(model.get_weights()[0][0, 0])


def make():
    fixture = Fixture("callbacks", "EarlyStopping and ReduceLROnPlateau on scripted losses", 1e-6, 0.0,
                      "a learning rate is one float32 product for each reduction")
    for kind, cls, options in (("EarlyStopping", keras.callbacks.EarlyStopping, STOPPING),
                               ("ReduceLROnPlateau", keras.callbacks.ReduceLROnPlateau, PLATEAU)):
        for number, option in enumerate(options):
            for sequence, values in SEQUENCES.items():
                values = [float(np.float32(v)) for v in values]
                ran, rates, best = drive(cls(monitor="loss", verbose=0, **option), values)
                fixture.add(f"{kind}_{number}_{sequence}", {"f64:values": values, "f64:rates": rates}, callback=kind,
                            options=option, epochs=ran, best=best)
    return [fixture]
