"""Draws random models with a real Keras, for `parity/layers FOLDER` to compare: see `make parity`.

    python tests/parity/random_models.py SEED COUNT FOLDER
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")  # compiling takes most of the time

import keras  # noqa: E402  (the back end is chosen above)

from generator import random_models, random_training  # noqa: E402

if __name__ == "__main__":
    seed, count, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    for fixture in random_models.make(seed, count) + random_training.make(seed, (count + 4) // 5):
        size, cases = fixture.write(folder, {"keras": keras.__version__, "backend": keras.backend.backend()})
        print(f"{cases} {fixture.metadata['subject']}, {size} bytes, by Keras {keras.__version__}")
