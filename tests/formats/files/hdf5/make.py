"""Writes the HDF5 files that tests/formats/hdf5.c reads: what h5py makes by default, and with the
format of HDF5 1.8. Run with h5py 3.16 (HDF5 2.0); the bytes depend on the version, the contents do not."""
import pathlib

import h5py
import numpy as np

here = pathlib.Path(__file__).parent


def fill(f):
    f.create_dataset("version", data="1.0.8", dtype=h5py.string_dtype())
    g = f.create_group("numbers")
    g.create_dataset("f2", data=np.array([0.5, -2, 65504, 2.0**-24, np.inf], "f2"))
    g.create_dataset("f4", data=np.linspace(-1, 1, 6, dtype="<f4").reshape(2, 3))
    g.create_dataset("f8_big", data=np.array([1e300, -1e-300, 0.1], ">f8"))
    g.create_dataset("i1", data=np.array([-128, -1, 127], "i1"))
    g.create_dataset("u2_big", data=np.array([1, 65535], ">u2"))
    g.create_dataset("i8", data=np.array([-(2**53), 2**53], "i8"))
    g.create_dataset("scalar", data=7)
    g.create_dataset("bools", data=np.array([True, False]))
    g.create_dataset("none", shape=(0, 3), dtype="f4")
    g.create_dataset("complex", data=np.array([1 + 2j]))
    c = f.create_group("chunks")
    x = np.arange(7 * 5, dtype="f4").reshape(7, 5)
    c.create_dataset("plain", data=x, chunks=(3, 2))
    c.create_dataset("gzip", data=x, chunks=(3, 2), compression="gzip")
    c.create_dataset("all", data=x, chunks=(4, 4), compression="gzip", shuffle=True, fletcher32=True)
    c.create_dataset("lzf", data=x, chunks=(4, 4), compression="lzf")
    t = f.create_group("texts")
    t.create_dataset("pairs", data=[("a", "bc"), ("", "Größe")], dtype=h5py.string_dtype())
    t.create_dataset("fixed", data=np.array([b"ab", b"abc"]))


with h5py.File(here / "earliest.h5", "w") as f:
    fill(f)
with h5py.File(here / "v108.h5", "w", libver=("v108", "v108")) as f:
    f.create_dataset("x", data=np.arange(6.0).reshape(2, 3))
    f.create_group("group").create_dataset("name", data="LIF", dtype=h5py.string_dtype())
with h5py.File(here / "heap.h5", "w", libver=("v108", "v108")) as f:
    for i in range(10):
        f.create_group(f"g{i}")
with h5py.File(here / "links.h5", "w") as f:
    f.create_group("a")
    f["b"] = h5py.SoftLink("/a")
with h5py.File(here / "twice.h5", "w") as f:
    f["b"] = f.create_group("a")
