#!/usr/bin/env python3
"""Writes tests/data/arrays/: arrays of every dtype, order and version as NumPy writes them, and the same arrays in
archives. arrays.c knows their values: element i of each is (i * 7 + 3) % 251 - 100 where the dtype has a sign.

    tests/data/make_arrays.py            needs NumPy"""
import pathlib
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent / "arrays"
SHAPE = (2, 3, 4)


def values(dtype):
    n = (np.arange(24) * 7 + 3) % 251
    if np.dtype(dtype).kind in "if":
        n = n - 100
    return n.astype(dtype).reshape(SHAPE)


def main():
    HERE.mkdir(exist_ok=True)
    plain = {}
    for name in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]:
        for order, sign in (("little", "<"), ("big", ">")):
            if name[1] == "1" and order == "big":
                continue
            array = values(name).astype(sign + name)
            np.save(HERE / f"{name}_{order}.npy", array)
            np.save(HERE / f"{name}_{order}_fortran.npy", np.asfortranarray(array))
            plain[f"{name}_{order}"] = array
    np.save(HERE / "b1.npy", values("u1") % 2 == 1)
    np.save(HERE / "scalar.npy", np.float32(2.5))
    np.save(HERE / "empty.npy", np.zeros((0, 3), "f4"))
    halves = np.array([0, -0.0, 1, 65504, 6e-8, 6.1e-5, np.inf, -np.inf, np.nan, 0.333], "f2")
    np.save(HERE / "halves.npy", halves)
    texts = np.array([["a", "grün"], ["", "数据 𝄞"]])
    np.save(HERE / "texts.npy", texts)
    np.save(HERE / "texts_big.npy", texts.astype(">U6"))
    np.save(HERE / "bytes.npy", np.array([b"ab", b"c", b""]))
    np.save(HERE / "complex.npy", np.zeros(3, "c8"))
    np.save(HERE / "objects.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    np.save(HERE / "records.npy", np.zeros(2, [("a", "f4"), ("b", "i4")]))
    np.save(HERE / "times.npy", np.zeros(2, "M8[s]"))
    np.save(HERE / "large.npy", np.array([2**63], "u8"))
    for version in ((2, 0), (3, 0)):
        with open(HERE / f"version{version[0]}.npy", "wb") as file:
            np.lib.format.write_array(file, values("f4"), version=version)
    np.savez(HERE / "stored.npz", x=values("f4"), y=values("i8"))
    np.savez_compressed(HERE / "packed.npz", values("f4"), **{"a b": values("u1")}, long=np.zeros(50000, "f4"))


if __name__ == "__main__":
    main()
