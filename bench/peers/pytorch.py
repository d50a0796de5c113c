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


class Residual(nn.Module):
    """relu(x + two convolutions of x); where the shape changes, x goes through one of 1 x 1."""

    def __init__(self, c, f, stride):
        super().__init__()
        self.first, self.second = normalized(c, f, 3, stride), normalized(f, f, 3, 1)
        self.shortcut = normalized(c, f, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


def normalized(c, f, k, stride):
    return nn.Sequential(nn.Conv2d(c, f, k, stride, k // 2, bias=False), nn.BatchNorm2d(f))


def resnet20():
    stages = [Residual(16 * max(1, 2 ** s // (2 if s and not b else 1)), 16 * 2 ** s, 2 if s and not b else 1)
              for s in range(3) for b in range(3)]
    return nn.Sequential(normalized(3, 16, 3, 1), nn.ReLU(), *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def vgg11_bn():
    layers, c = [], 3
    for f in (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool", 512, 512, "pool"):
        if f == "pool":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(c, f, 3, padding=1), nn.BatchNorm2d(f), nn.ReLU()]
            c = f
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))


def table():
    layers = [l for i in range(4) for l in (nn.Linear(256 if i else 30, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Dropout(0.2))]
    return nn.Sequential(*layers, nn.Linear(256, 2))


def autoencoder():
    return nn.Sequential(nn.Conv2d(1, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(), nn.Flatten(),
                         nn.Linear(64 * 7 * 7, 32), nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid())


# Of the zoo: the shape of a sample, classes (0: the input is what is wanted), and whether SGD trains it.
ZOO = {"resnet20": ((3, 32, 32), 10, True), "vgg11_bn": ((3, 32, 32), 10, True), "table": ((30,), 2, False),
       "autoencoder": ((1, 28, 28), 0, False)}
NETS = {"resnet20": resnet20, "vgg11_bn": vgg11_bn, "table": table, "autoencoder": autoencoder,
        "w1": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)),
        "w2": lambda: cnn(10, 20, 5, 320, 50), "w3": lambda: cnn(32, 64, 3, 1600, 128), "rnn": Rnn}


def wrap(function):
    return torch.compile(function) if COMPILE else function


def predict(model, x, classes):
    torch.set_grad_enabled(False)  # once, for a guard around each call costs as much as a small layer
    model = (nn.Sequential(model, nn.Softmax(1)) if classes else model).eval()
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
    sample, classes, sgd = ZOO.get(s["net"], ((1, 28, 28), 10, False))
    model, x = NETS[s["net"]]().to(memory_format=LAST), torch.rand(s["batch"], *sample)
    x = x.to(memory_format=LAST) if x.dim() == 4 else x
    if kind == "predict":
        return predict(model, x, classes)
    y = torch.randint(0, classes, (s["batch"],)) if classes else x.flatten(1)
    rule = (torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=1e-4 if s["net"] == "resnet20" else 0,
                            foreach=True) if sgd else
            torch.optim.Adam(model.parameters(), **{"foreach" if FOREACH else "fused": True}))
    loss = wrap(lambda: F.cross_entropy(model(x), y) if classes else F.mse_loss(model(x), y))

    def step():
        rule.zero_grad(set_to_none=True)
        loss().backward()
        rule.step()
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
