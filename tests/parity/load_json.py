"""Run by hand: real Keras reads what Cajal writes. `tests/parity/json FOLDER` (the test program), then `load_json.py FOLDER`.

Each model is loaded with keras.models.model_from_json and compared with what index.json says of Keras's own.
"""

import json
import sys
from pathlib import Path

import keras

index = json.loads((Path(__file__).parent / "fixtures/json/index.json").read_text())
wrong = 0
for name, facts in index.items():
    try:
        model = keras.models.model_from_json((Path(sys.argv[1]) / f"{name}.json").read_text())
        shapes = [list(v.shape) for v in model.weights if "seed_generator" not in v.path]
        same = (model.count_params() == facts["parameters"] and shapes == list(facts["weights"].values())
                and [[d or -1 for d in t.shape] for t in model.outputs] == facts["outputs"])
        print(name, "ok" if same else f"differs: {model.count_params()} parameters, {shapes}")
    except Exception as error:  # printed: the point is which models Keras refuses
        same = False
        print(name, f"{type(error).__name__}: {str(error)[:300]}")
    wrong += not same
sys.exit(wrong > 0)
