"""Reads with nir, snnTorch and Norse what Cajal saved, and compares what they make of it with the fixture.

    CAJAL_NIR_OUT=/tmp/out build/tests/parity/nir && /tmp/nir/bin/python tests/parity/check_nir.py /tmp/out

(see make_nir.py for the packages). Every file must be read by nir with its types checked, but for those that nir 1.0.8's own
check takes for wrong: it knows no groups, and takes the height of a kernel for its width. snnTorch 1.0.0 takes back no Flatten of
its own (its import counts the batch axis, its export does not) and no thresholds that differ.
"""

import json
import struct
import sys
from pathlib import Path

import nir
import numpy as np
import torch

here, folder = Path(__file__).parent, Path(sys.argv[1])
bytes_ = (here / "fixtures" / "nir.safetensors").read_bytes()
length = struct.unpack("<Q", bytes_[:8])[0]
header = json.loads(bytes_[8 : 8 + length])


def tensor(name):
    entry = header[name]
    begin, end = entry["data_offsets"]
    return np.frombuffer(bytes_[8 + length + begin : 8 + length + end], "<f4").reshape(entry["shape"])


def channels_first(x):
    return np.moveaxis(x, -1, 2)


def by_snntorch(graph, x):
    from snntorch.import_nir import import_from_nir

    net, state, out = import_from_nir(graph), None, []
    for t in range(x.shape[1]):
        y, state = net(torch.tensor(x[:, t]), state)
        out.append(y.detach().numpy())
    return np.stack(out, 1)


def by_norse(graph, x):
    import norse.torch as norse

    net, state, out = norse.from_nir(graph, dt=1e-6, ignore_warnings=True), None, []
    for t in range(x.shape[1]):
        y, state = net(torch.tensor(x[:, t]), state)
        out.append(y.detach().numpy())
    return np.stack(out, 1)


read = equal = failed = 0
for path in sorted(folder.glob("*.nir")):
    name = path.stem
    try:
        graph = nir.read(path, type_check=not name.startswith(("conv1d_strided", "conv2d_")))
        read += 1
    except Exception as error:  # noqa: BLE001
        print(f"{name}: nir: {error!r}"[:300])
        failed += 1
        continue
    run = by_snntorch if name in ("snntorch_leaky_zero", "snntorch_synaptic", "snntorch_rleaky", "snntorch_rleaky_one") else by_norse if name in ("norse_lif_box",) else None
    if run is None:
        continue
    try:
        y, expected = run(graph, channels_first(tensor(f"{name}/x0"))), channels_first(tensor(f"{name}/y0"))
        same = np.array_equal(y, expected)
        print(f"{name}: {'equal' if same else f'{np.mean(y != expected):.3f} of the spikes differ'}")
        equal, failed = equal + same, failed + (not same)
    except Exception as error:  # noqa: BLE001
        import traceback

        print(f"{name}: {error!r}"[:300])
        traceback.print_exc(limit=-2)
        failed += 1
print(f"{read} files read, {equal} run to equal spikes, {failed} failed")
