"""Random models trained for some steps: optimizers with schedules, clipping, decay, averages and accumulated gradients, losses
with settings, regularized and frozen layers, sample weights. A case in which Keras's own path is not steady under changes of
1e-6 of the data is dropped. Cases as trained.py has them.
"""

import jax
import keras
import numpy as np
from keras import layers as L
from keras.optimizers import schedules as S

from . import trained
from .optimizers import EXTRAS, RULES
from .random_models import SMOOTH, Draw
from .store import Fixture

SCHEDULES = {
    "exponential_decay(0.05, 3, 0.7)": S.ExponentialDecay(0.05, 3, 0.7),
    "inverse_time_decay(0.05, 2, 0.5, staircase=true)": S.InverseTimeDecay(0.05, 2, 0.5, True),
    "polynomial_decay(0.05, 4, end_learning_rate=0.01, power=2)": S.PolynomialDecay(0.05, 4, 0.01, 2.0),
    "piecewise_constant_decay([1, 3], [0.05, 0.02, 0.01])": S.PiecewiseConstantDecay([1, 3], [0.05, 0.02, 0.01]),
    "cosine_decay(0, 6, warmup_target=0.05, warmup_steps=2)": S.CosineDecay(0.0, 6, warmup_target=0.05, warmup_steps=2),
    "cosine_decay_restarts(0.05, 3)": S.CosineDecayRestarts(0.05, 3),
}


def classes(random, shape):
    return np.eye(shape[-1], dtype="float32")[random.integers(0, shape[-1], shape[:-1])]


def sides(random, shape):
    return random.integers(0, 2, shape).astype("float32")


PHASES = (0.7, 2.6)
K = keras.losses
# what Cajal calls it: (Keras's, the targets, the last activation)
LOSSES = {
    "mse": (K.MeanSquaredError(), None, None), "log_cosh": (K.LogCosh(), None, None), "huber(delta=0.5)": (K.Huber(delta=0.5), None, None),
    "mse(reduction=sum)": (K.MeanSquaredError(reduction="sum"), None, None),
    "categorical_crossentropy(from_logits=true, label_smoothing=0.1)": (K.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1), classes, None),
    "categorical_crossentropy": (K.CategoricalCrossentropy(), classes, "softmax"),
    "binary_crossentropy(from_logits=true)": (K.BinaryCrossentropy(from_logits=True), sides, None),
    "binary_crossentropy(label_smoothing=0.2)": (K.BinaryCrossentropy(label_smoothing=0.2), sides, "sigmoid"),
    "binary_focal_crossentropy(gamma=1.5)": (K.BinaryFocalCrossentropy(gamma=1.5), sides, "sigmoid"),
    "squared_hinge": (K.SquaredHinge(), lambda random, shape: 2 * sides(random, shape) - 1, "tanh"),
    "cosine_similarity": (K.CosineSimilarity(), None, None), "kl_divergence": (K.KLDivergence(), classes, "softmax"),
    "poisson": (K.Poisson(), sides, "softplus"),
}


def optimizer_of(d):
    """An optimizer of Keras's and what Cajal calls it."""
    name = d.one(*(n for n in RULES if n not in ("muon_layers", "schedule_free", "schedule_free_warm", "adafactor", "adafactor_all")))
    cls, settings = RULES[name]
    extra = EXTRAS[d.one(*(e for e in EXTRAS if e not in ("scaled", "excluded")))]
    rate = {}
    if d.flag(0.4):
        text = d.one(*SCHEDULES)
        rate = {"learning_rate": (text, SCHEDULES[text])}
    settings = {**settings, **extra}
    shown = {**settings, **{k: v[0] for k, v in rate.items()}}
    return getattr(keras.optimizers, cls)(**{**settings, **{k: v[1] for k, v in rate.items()}}), trained.spec_of(cls.lower(), shown)


def model_of(d, last):
    """A model of two to four layers, and the number of its outputs."""
    regular = lambda: d.regularizer()
    act = lambda: d.one(*SMOOTH)
    kind = d.one("dense", "image", "steps", "words")
    units = d.upto(4, 2)
    if kind == "dense":
        batch = d.flag()  # a bias before it has no gradient but for roundings, which Adam and Lion blow up
        layers = [L.Input((d.upto(6, 2),)), L.Dense(d.upto(6), use_bias=not batch, activation=act(), kernel_regularizer=regular()),
                  L.BatchNormalization() if batch else L.LayerNormalization()]
    elif kind == "image":
        layers = [L.Input((d.upto(7, 4), d.upto(7, 4), d.upto(3))), L.Conv2D(d.upto(4), d.upto(3), activation=act(), kernel_regularizer=regular()),
                  d.one(L.GlobalAveragePooling2D(), L.Flatten())]
    elif kind == "steps":
        layers = [L.Input((d.upto(5, 2), d.upto(4))), d.one(L.LSTM, L.GRU, L.SimpleRNN)(d.upto(4), kernel_regularizer=regular())]
    else:
        layers = [L.Input((d.upto(5, 2),)), L.Embedding(6, d.upto(4), mask_zero=d.flag(), embeddings_regularizer=regular()), L.GRU(d.upto(3))]
    if d.flag(0.2):
        layers[1].trainable = False
    return keras.Sequential([*layers, L.Dense(units, activation=last)])


def make(seed, count):
    fixture = Fixture("random_training", f"random training of seed {seed}", 1e-3, 2e-4, "float32 along 5 steps")
    done = refused = 0
    while done < count and refused < 20 * count:
        name, trials = f"training_{seed}_{done}_{refused}", [Fixture("trial", "", 1, 1, "") for _ in PHASES]
        for to, moved in ((fixture, 0), *zip(trials, PHASES)):
            d = Draw(np.random.default_rng([8, seed, done, refused]))
            keras.backend.clear_session()
            loss = d.one(*LOSSES)
            of, targets, last = LOSSES[loss]
            optimizer, spec = optimizer_of(d)
            trained.add(to, name, model_of(d, last), optimizer, spec, 5, d.one(1, 3, 4), [seed, done, refused], loss=of, targets=targets,
                        weighted=d.flag(0.4), moved=moved)
            to.cases[-1]["loss"] = loss
        keep = all(np.isfinite(v).all() and np.allclose(v, trial.tensors[k], rtol=3e-4, atol=5e-5) for k, v in fixture.tensors.items()
                   for trial in trials if k.startswith(name + "/") and k.split("/")[1][0] != "x")
        if not keep:
            fixture.cases.pop()
            for key in [k for k in fixture.tensors if k.startswith(name + "/")]:
                del fixture.tensors[key]
        done, refused = (done + 1, refused) if keep else (done, refused + 1)
        jax.clear_caches()
    return [fixture]
