"""Fixture files: a safetensors writer of a dozen lines, and the cases that one file holds.

A file is an 8-byte little-endian header length, a JSON header, and the data. Tensors are named "CASE/PART". The header's
"__metadata__" carries strings only: the versions, what is tested, the tolerance, and "cases", a JSON list with one
object for each case (its name and settings).
"""

import json
import struct
from pathlib import Path

import numpy as np

DTYPES = {np.dtype("float32"): "F32", np.dtype("float64"): "F64", np.dtype("int32"): "I32",
          np.dtype("int64"): "I64", np.dtype("uint8"): "U8", np.dtype("bool"): "BOOL"}


def write_safetensors(path, tensors, metadata):
    """Writes name -> array, in the order given, with a metadata dictionary of strings."""
    header, offset = {"__metadata__": metadata}, 0
    blocks = []
    for name, array in tensors.items():
        shape = list(np.shape(array))
        block = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": DTYPES[array.dtype], "shape": shape,
                        "data_offsets": [offset, offset + len(block)]}
        offset += len(block)
        blocks.append(block)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blocks))


def compact(config):
    """A config of Keras without what says nothing: modules but those of operators, policies of float32, nulls of names."""
    if isinstance(config, list):
        return [compact(one) for one in config]
    if not isinstance(config, dict):
        return config
    kept = {}
    for key, value in config.items():
        usual = isinstance(value, dict) and value.get("class_name") == "DTypePolicy" and value["config"] == {"name": "float32"}
        named = key == "module" and isinstance(value, str) and value.startswith("keras") and not value.startswith("keras.src.ops")
        own = key == "registered_name" and value not in (None, config.get("class_name"))
        if own or not (key in ("build_config", "registered_name") or named or (key == "dtype" and usual)):
            kept[key] = compact(value)
    return kept


class Fixture:
    """The cases of one subject, to be written to NAME.safetensors."""

    def __init__(self, name, subject, rtol, atol, reason):
        self.name, self.cases, self.tensors = name, [], {}
        self.metadata = {"subject": subject, "rtol": repr(rtol), "atol": repr(atol), "tolerance_reason": reason}

    def add(self, case, tensors, **settings):
        """Adds a case. Real arrays become float32 unless they are float64 already on purpose (named "f64:PART")."""
        if any(known["name"] == case for known in self.cases):
            raise ValueError(f"{self.name}: two cases are called {case}")
        for part, value in tensors.items():
            array = np.asarray(value)
            if part.startswith("f64:"):
                part, array = part[4:], array.astype("float64")
            elif array.dtype.kind in "fV":  # V: bfloat16
                array = array.astype("float32")
            elif array.dtype == np.int64:
                array = array.astype("int32")
            self.tensors[f"{case}/{part}"] = array
        settings = {key: compact(value) if key == "config" else value for key, value in settings.items()}
        self.cases.append({"name": case, **settings})

    def write(self, folder, versions):
        metadata = {**versions, **self.metadata, "cases": json.dumps(self.cases, separators=(",", ":"))}
        path = Path(folder) / f"{self.name}.safetensors"
        write_safetensors(path, self.tensors, metadata)
        return path.stat().st_size, len(self.cases)
