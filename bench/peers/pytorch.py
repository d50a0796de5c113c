#!/usr/bin/env python3
"""PyTorch: channels_last, gradients set to None, float tensors in memory; prediction as it is, traced and frozen,
or optimized for inference, whichever is the fastest.

--compile: with torch.compile, its weights frozen for prediction. --foreach: Adam by foreach in place of fused.
--blas=N: OpenBLAS with N threads of its own, where the build uses it: beside OpenMP's, more than one stand in the way.
--eager, --first (channels first), --passive (threads that sleep and do not spin): to measure the settings above against.
Version 1.13 has neither torch.compile nor a fused Adam on the CPU.
"""
import os
import sys
import time

if "--passive" in sys.argv:
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
BLAS = next((a[7:] for a in sys.argv if a.startswith("--blas=")), None)
if BLAS:
    os.environ["OPENBLAS_NUM_THREADS"] = BLAS
import torch
from torch import nn
from torch.nn import functional as F

import peer
import zoo

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


def fastest(ways, x):
    """Whichever takes the least time: which one does depends on the network and the batch."""
    def seconds(way):
        each = []
        for _ in range(8):
            begun = time.perf_counter()
            way(*x)
            each.append(time.perf_counter() - begun)
            if sum(each) > 2:
                break
        return min(each)
    return min(ways, key=seconds)


def frozen(model, x):
    """As it is; traced and frozen; and that optimized for inference, which some networks cannot be."""
    ways = [model]
    for way in (lambda: torch.jit.freeze(torch.jit.trace(model, x)), lambda: torch.jit.optimize_for_inference(ways[1])):
        try:
            made = way()
            made(*x)
            ways.append(made)
        except Exception:
            break
    return ways


def predict(net, model, x):
    torch.set_grad_enabled(False)  # once, for a guard around each call costs as much as a small layer
    model = zoo.answering(net, model).eval()
    if COMPILE:
        import torch._inductor.config as config
        config.freezing = config.cpp_wrapper = True
        model = torch.compile(model)
    elif not EAGER:
        model = fastest(frozen(model, tuple(x)), x)
    return lambda: model(*x)


def last(x):
    """Channels last."""
    return x.to(memory_format=LAST if x.dim() == 4 else torch.channels_last_3d) if x.dim() in (4, 5) else x


def adam(*models):
    return torch.optim.Adam([p for m in models for p in m.parameters()], **{"foreach" if FOREACH else "fused": True})


def rule_of(twin, model):
    if not twin.rule.startswith("sgd"):
        return adam(model)
    return torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=1e-4 if "decay" in twin.rule else 0,
                           foreach=True)


def dcgan(maker, batch):
    """A step of both, as bench/worker/adversaries.c does it: images are made, in inference mode; the discriminator learns from
    as many real ones and these, then the generator from the discriminator, whose weights get no gradients."""
    judge = zoo.discriminator().to(memory_format=LAST)
    rules = adam(maker), adam(judge)
    real, noise = last(torch.rand(batch, 1, 28, 28)), torch.rand(batch, 100)
    wanted, labels = torch.ones(batch, 1), torch.cat([torch.ones(batch, 1), torch.zeros(batch, 1)])
    score = F.binary_cross_entropy_with_logits

    def judged_loss(made):
        return score(judge(torch.cat([real, made])), labels)

    def made_loss():
        fixed = {name: p.detach() for name, p in judge.named_parameters()}
        return score(torch.func.functional_call(judge, fixed, (maker(noise),)), wanted)

    make, first, second = wrap(lambda: maker(noise)), wrap(judged_loss), wrap(made_loss)

    def step():
        maker.eval()
        with torch.no_grad():
            made = make()
        maker.train()
        for rule, loss in ((rules[1], lambda: first(made)), (rules[0], second)):
            rule.zero_grad(set_to_none=True)
            loss().backward()
            rule.step()
    step.parameters = zoo.count(maker, judge)
    return step


def wanted(net, twin, x, model):
    """The loss that a step makes smaller."""
    batch = len(x[0])
    if net == "vae":
        noise = torch.rand(batch, 16)
        return lambda: model.loss(x[0], noise)
    y = twin.wanted(batch)
    if twin.classes:
        return lambda: F.cross_entropy(model(*x).flatten(0, -2), y.flatten())
    return lambda: twin.loss(model(*x), x[0] if y is None else y)


def network(kind, s):
    net = s["net"]
    twin = zoo.ZOO.get(net) or zoo.Twin(NETS[net], (1, 28, 28), 10)
    model, x = twin.make(), [last(i) for i in twin.inputs(s["batch"])]
    model = model.to(memory_format=torch.channels_last_3d if x[0].dim() == 5 else LAST)
    if net == "dcgan" and kind == "train":
        return dcgan(model, s["batch"])
    parameters = zoo.count(model)
    if kind == "predict":
        step = predict(net, model, x)
    else:
        rule, loss = rule_of(twin, model), wrap(wanted(net, twin, x, model))

        def step():
            rule.zero_grad(set_to_none=True)
            loss().backward()
            rule.step()
    step.parameters = parameters
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
           + ("torch.compile" if COMPILE else "eager" if EAGER else "prediction by the fastest of eager, frozen, optimized for inference"), make)
