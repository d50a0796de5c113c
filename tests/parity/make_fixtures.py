"""Makes tests/parity/fixtures with a real Keras. README.md beside this file says how and with which versions.

    python tests/parity/make_fixtures.py [SUBJECT ...]        all subjects, or those named (layers, losses, ...)
"""

import importlib
import os
import pkgutil
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras  # noqa: E402  (the back end is chosen above)

from generator import architectures, models  # noqa: E402
import generator  # noqa: E402

# Every module of generator/ that makes fixtures.
SUBJECTS = {}
for _, name, _ in sorted(pkgutil.iter_modules(generator.__path__)):
    module = importlib.import_module(f"generator.{name}")
    if hasattr(module, "make") and name not in ("architectures", "random_models", "random_training"):
        SUBJECTS[name] = module


def main(wanted):
    folder = Path(__file__).parent / "fixtures"
    folder.mkdir(exist_ok=True)
    versions = {"keras": keras.__version__, "backend": keras.backend.backend()}
    total = 0
    for name, module in SUBJECTS.items():
        if wanted and name not in wanted:
            continue
        keras.utils.set_random_seed(7)
        for fixture in module.make():
            size, cases = fixture.write(folder, versions)
            total += size
            print(f"{fixture.name}: {cases} cases, {size} bytes")
    if not wanted or "architectures" in wanted:
        print(f"architectures: {architectures.make(folder / 'json')} files")
    if not wanted or "models" in wanted:
        for case, answer in models.freezing().items():
            print(f"trainable: {case}: moved = {answer}")
    print(f"{total} bytes in all, by Keras {versions['keras']} ({versions['backend']})")


if __name__ == "__main__":
    main(sys.argv[1:])
