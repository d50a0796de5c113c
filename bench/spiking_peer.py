#!/usr/bin/env python3
"""Training steps of the networks of snnTorch's tutorials 5 and 6, by snnTorch on PyTorch and by Cajal in turns.

    spiking_peer.py dense|convolution PROGRAM [ROUNDS] [THREADS]

PROGRAM is build/bench/spiking. Each round is three steps on a batch of 128; the figures are the medians of the rounds, in
milliseconds a step, and their ratio."""
import os
import statistics
import subprocess
import sys
import time

kind, program = sys.argv[1:3]
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
threads = int(sys.argv[4]) if len(sys.argv) > 4 else 1
os.environ["OMP_NUM_THREADS"] = os.environ["CAJAL_NUM_THREADS"] = str(threads)

import snntorch
import torch
from snntorch import surrogate

torch.set_num_threads(threads)
torch.manual_seed(0)


class Dense(torch.nn.Module):
    """784-1000-10 over 25 steps, beta 0.95: the cross-entropy of the membrane in each step, summed."""

    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(784, 1000), torch.nn.Linear(1000, 10)
        self.lif1, self.lif2 = snntorch.Leaky(beta=0.95), snntorch.Leaky(beta=0.95)

    def loss(self, x, y):
        v1, v2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        total = torch.zeros(1)
        for _ in range(25):
            spikes, v1 = self.lif1(self.first(x), v1)
            _, v2 = self.lif2(self.second(spikes), v2)
            total = total + torch.nn.functional.cross_entropy(v2, y)
        return total


class Convolution(torch.nn.Module):
    """12 and 64 filters of 5 x 5 over 50 steps, beta 0.5: the cross-entropy of the spikes in each step, their mean."""

    def __init__(self):
        super().__init__()
        gradient = surrogate.fast_sigmoid(slope=25)
        self.conv1, self.conv2 = torch.nn.Conv2d(1, 12, 5), torch.nn.Conv2d(12, 64, 5)
        self.dense, self.pool = torch.nn.Linear(64 * 4 * 4, 10), torch.nn.MaxPool2d(2)
        self.lifs = torch.nn.ModuleList(snntorch.Leaky(beta=0.5, spike_grad=gradient) for _ in range(3))

    def loss(self, x, y):
        v = [lif.init_leaky() for lif in self.lifs]
        total = torch.zeros(1)
        for _ in range(50):
            a, v[0] = self.lifs[0](self.pool(self.conv1(x)), v[0])
            b, v[1] = self.lifs[1](self.pool(self.conv2(a)), v[1])
            spikes, v[2] = self.lifs[2](self.dense(b.flatten(1)), v[2])
            total = total + torch.nn.functional.cross_entropy(spikes, y)
        return total / 50


model = Dense() if kind == "dense" else Convolution()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-4, betas=(0.9, 0.999))
x = torch.rand(128, 784) if kind == "dense" else torch.rand(128, 1, 28, 28)
y = torch.arange(128) % 10


def step():
    loss = model.loss(x, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


step()
worker = subprocess.Popen([program, "serve", kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
times = {"snntorch": [], "cajal": []}
for _ in range(rounds):
    worker.stdin.write("\n")
    worker.stdin.flush()
    times["cajal"].append(float(worker.stdout.readline()))
    begin = time.perf_counter()
    for _ in range(3):
        step()
    times["snntorch"].append(1e3 * (time.perf_counter() - begin) / 3)
worker.stdin.close()
worker.wait()
for name, values in times.items():
    print(f"{name:9} {statistics.median(values):8.1f} ms a step ({min(values):.1f} to {max(values):.1f})")
print(f"{statistics.median(times['snntorch']) / statistics.median(times['cajal']):.2f} times as fast")
