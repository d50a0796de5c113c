"""Run by hand: real Keras reads the JSON that Cajal writes of every layer of tests/layers/samples.c, takes its weights, and
computes the same. `tests/layers/battery_files FOLDER` (the test program), then `load_layers.py FOLDER`."""

import json
import sys
from pathlib import Path

import keras
import numpy as np

wrong, own = 0, 0
files = sorted(Path(sys.argv[1]).glob("*.json"))
for path in files:
    case = json.loads(path.read_text().replace("-inf", "-Infinity").replace(" inf", " Infinity").replace("nan,", "NaN,").replace("nan]", "NaN]"))
    array = lambda t: np.array(t["values"]).reshape(t["shape"])
    name = path.stem
    try:
        model = keras.models.model_from_json(json.dumps(case["model"]))
        weights = [v for v in model.weights if "seed_generator" not in v.path]
        given = [array(w) for w in case["weights"]]
        if [list(v.shape) for v in weights] != [list(w.shape) for w in given]:
            raise ValueError(f"weights {[(v.path, v.shape) for v in weights]} for {[w.shape for w in given]}")
        for v, w in zip(weights, given):
            v.assign(w)
        inputs = [array(x) for x in case["inputs"]]
        inputs = [x if x.dtype.kind in "US" else x.astype("float32") for x in inputs]
        got, expected = np.asarray(model(inputs if len(inputs) > 1 else inputs[0])), array(case["output"])
        if got.shape != expected.shape or not np.allclose(got, expected, rtol=1e-4, atol=1e-5):
            raise ValueError(f"differs: {got.shape} {got.ravel()[:5]} for {expected.shape} {expected.ravel()[:5]}")
    except Exception as error:  # printed: the point is which layers Keras refuses
        text = str(error).strip().replace("\n", " ")
        if "Could not locate class" in text or "cannot be found" in text:
            own += 1
            print(name, "is not in Keras")
            continue
        wrong += 1
        print(name, f"{type(error).__name__}: ... {text[-300:]}")
print(f"{len(files) - wrong - own} of {len(files) - own} layers agree; {own} are not in Keras")
sys.exit(wrong > 0)
