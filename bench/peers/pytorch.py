#!/usr/bin/env python3
"""PyTorch: channels_last, gradients set to None, float tensors in memory; prediction traced and frozen,
and optimized for inference from two images on.

--compile: with torch.compile, its weights frozen for prediction. --foreach: Adam by foreach in place of fused.
--blas=N: OpenBLAS with N threads of its own, where the build uses it: beside OpenMP's, more than one stand in the way.
--eager, --first (channels first), --passive (threads that sleep and do not spin): to measure the settings above against.
Version 1.13 has neither torch.compile nor a fused Adam on the CPU.
"""
import os
import sys

if "--passive" in sys.argv:
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
BLAS = next((a[7:] for a in sys.argv if a.startswith("--blas=")), None)
if BLAS:
    os.environ["OPENBLAS_NUM_THREADS"] = BLAS
import torch
from torch import nn
from torch.nn import functional as F

import peer

COMPILE, FOREACH, EAGER = ("--" + w in sys.argv for w in ("compile", "foreach", "eager"))
LAST = torch.contiguous_format if "--first" in sys.argv else torch.channels_last


class Rnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.out = nn.RNN(28, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x):
        return self.out(self.cell(x.reshape(-1, 28, 28))[0][:, -1])


def cnn(c1, c2, k, flat, hidden):
    return nn.Sequential(nn.Conv2d(1, c1, k), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(c1, c2, k), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(flat, hidden), nn.ReLU(), nn.Linear(hidden, 10))


NETS = {"w1": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)),
        "w2": lambda: cnn(10, 20, 5, 320, 50), "w3": lambda: cnn(32, 64, 3, 1600, 128), "rnn": Rnn}


def wrap(function):
    return torch.compile(function) if COMPILE else function


def predict(model, x):
    torch.set_grad_enabled(False)  # once, for a guard around each call costs as much as a small layer
    model = nn.Sequential(model, nn.Softmax(1)).eval()
    if COMPILE:
        import torch._inductor.config as config
        config.freezing = config.cpp_wrapper = True
        model = torch.compile(model)
    elif not EAGER:
        model = torch.jit.freeze(torch.jit.trace(model, x))
        if len(x) > 1:  # one image is slower with its layout changes
            model = torch.jit.optimize_for_inference(model)
    return lambda: model(x)


def network(kind, s):
    model = NETS[s["net"]]().to(memory_format=LAST)
    x = torch.rand(s["batch"], 1, 28, 28).to(memory_format=LAST)
    if kind == "predict":
        return predict(model, x)
    y = torch.randint(0, 10, (s["batch"],))
    adam = torch.optim.Adam(model.parameters(), **{"foreach" if FOREACH else "fused": True})
    loss = wrap(lambda: F.cross_entropy(model(x), y))

    def step():
        adam.zero_grad(set_to_none=True)
        loss().backward()
        adam.step()
    return step


def product(kind, s):
    what = s.get("what", "forward")
    if kind == "gemm":
        a, b, dy = torch.rand(s["m"], s["k"]), torch.rand(s["k"], s["n"]), torch.rand(s["m"], s["n"])
        return {"forward": lambda: a @ b, "input": lambda: dy @ b.T, "weights": lambda: a.T @ dy}[what]
    pad_all = max((-(-s["h"] // s["s"]) - 1) * s["s"] + s["k"] - s["h"], 0) if s["same"] else 0
    x = torch.rand(s["n"], s["c"], s["h"], s["h"])
    low, pad = pad_all // 2, 0
    if pad_all % 2:
        x = F.pad(x, (low, pad_all - low, low, pad_all - low))  # outside of the time, in PyTorch's favour
    else:
        pad = low
    x, w = x.to(memory_format=LAST), torch.rand(s["f"], s["c"], s["k"], s["k"]).to(memory_format=LAST)
    dy = torch.rand_like(F.conv2d(x, w, stride=s["s"], padding=pad))
    if what == "forward":
        return lambda: F.conv2d(x, w, stride=s["s"], padding=pad)
    mask = [what == "input", what == "weights", False]
    return lambda: torch.ops.aten.convolution_backward(
        dy, x, w, None, [s["s"]] * 2, [pad] * 2, [1, 1], False, [0, 0], 1, mask)


def make(kind, s):
    torch.set_grad_enabled(True)
    torch.set_num_threads(s["threads"])
    if kind in ("train", "predict"):
        return network(kind, s)
    if kind in ("gemm", "conv") and not COMPILE:
        return torch.inference_mode()(product(kind, s))
    raise ValueError(f"has no {kind}")


peer.serve("PyTorch" + (" compiled" if COMPILE else ""), torch.__version__,
           ("channels_last, " if LAST is torch.channels_last else "") + ("foreach" if FOREACH else "fused") + " Adam, set_to_none, "
           + (f"OpenBLAS on {BLAS} thread, " if BLAS else "")
           + ("torch.compile" if COMPILE else "eager" if EAGER else "prediction traced and frozen"), make)
