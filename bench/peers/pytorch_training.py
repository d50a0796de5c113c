#!/usr/bin/env python3
"""The training steps of bench/training.c in PyTorch, in the same units: milliseconds a step, median (least to greatest).

  pytorch_training.py [rounds] [--compile]

Settings: channels_last, foreach Adam, inputs already float tensors in memory (so reading data costs PyTorch nothing);
MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_ are best set high by the caller, which spares it page faults.
"""
import sys
import time

import torch
from torch import nn

STEPS = 40


def w1():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def w2():
    return nn.Sequential(nn.Conv2d(1, 10, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(10, 20, 5), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(320, 50), nn.ReLU(), nn.Linear(50, 10))


def w3():
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10))


def measure(name, make, batch, threads, rounds, compiled):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = make().to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), foreach=True)
    loss_of = nn.CrossEntropyLoss()
    images = torch.rand(batch, 1, 28, 28).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (batch,))

    def forward_loss():
        return loss_of(model(images), labels)

    forward = torch.compile(forward_loss) if compiled else forward_loss
    times = []
    for round_ in range(-1, rounds):
        begun = time.perf_counter()
        for _ in range(STEPS):
            optimizer.zero_grad(set_to_none=True)
            forward().backward()
            optimizer.step()
        if round_ >= 0:
            times.append((time.perf_counter() - begun) / STEPS * 1e3)
    times.sort()
    print(f"{name} batch {batch}, {threads} thread{'s' if threads > 1 else ''}: {times[len(times) // 2]:.3f} ms a step "
          f"({times[0]:.3f} to {times[-1]:.3f})", flush=True)


def main():
    rounds = next((int(a) for a in sys.argv[1:] if a.isdigit()), 11)
    compiled = "--compile" in sys.argv
    print(f"PyTorch {torch.__version__}{', torch.compile' if compiled else ''}")
    for threads in (1, 2):
        for name, make, batch in (("W1", w1, 32), ("W2", w2, 32), ("W3", w3, 64)):
            measure(name, make, batch, threads, rounds, compiled)


if __name__ == "__main__":
    main()
