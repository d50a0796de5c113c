"""Makes fixtures/nir_cycles.safetensors: files of NIR with cycles through several nodes.

    /tmp/nir/bin/pip install nirtorch==2.6
    /tmp/nir/bin/python tests/parity/make_nir_cycles.py

The environment is that of make_nir.py, and so are the cases: each node by its equation in NumPy. Which edges are read one step
later is written down for each case, and for those without delays nirtorch, which settles it by itself, has to give the same.
"""

from pathlib import Path

import nir
import nirtorch
import numpy as np
import torch
from make_nir import BATCH, STEPS, Cases, Runner, last, neurons, normal, uniform
from generator.store import Fixture


def run(graph, x, order, late):
    """Each step in that order; what comes by a late edge is that of the step before, 0 at first. A delay that is read before it
    is written needs no late edge: it gives what came to it some steps before."""
    runners = {name: Runner(node, 1e-4) for name, node in graph.nodes.items()}
    into = {name: [a for a, b in graph.edges if b == name] for name in graph.nodes}
    past, out = {}, []
    for t in range(x.shape[1]):
        values = {"input": x[:, t].astype("float64")}
        for name, node in graph.nodes.items():
            if isinstance(node, nir.Delay) and name not in order:
                steps = int(np.rint(node.delay.flat[0] / 1e-4))
                values[name] = past[name][t - steps] if t >= steps else np.zeros((BATCH, *node.delay.shape))
        for name in order:
            came = [past.get(a, [0.0])[-1] if (a, name) in late else values[a] for a in into[name]]
            values[name] = runners[name](sum(came))
        for name, node in graph.nodes.items():
            if isinstance(node, nir.Delay) and name not in order:
                past.setdefault(name, []).append(sum(values[a] for a in into[name]))
            elif name in values:
                past.setdefault(name, []).append(values[name])
        out.append(values[into["output"][0]])
    return np.stack(out, 1)


class Module(torch.nn.Module):
    """A node for nirtorch, in float64."""

    def __init__(self, node):
        super().__init__()
        self.runner = Runner(node, 1e-4)

    def forward(self, x, state=None):
        return torch.tensor(self.runner(x.numpy())), True


def by_nirtorch(graph, x):
    kinds = {type(n) for n in graph.nodes.values()} - {nir.Input, nir.Output}
    model, state, out = nirtorch.nir_to_torch(graph, {kind: Module for kind in kinds}), None, []
    for t in range(x.shape[1]):
        y, state = model(torch.tensor(x[:, t].astype("float64")), state)
        out.append(y.numpy())
    return np.stack(out, 1)


def case(cases, name, shape, out, nodes, edges, order, late, compare=True, **settings):
    nodes = {"input": nir.Input(np.array(shape)), **nodes, "output": nir.Output(np.array(out))}
    graph = nir.NIRGraph(nodes, edges, type_check=False)
    x = uniform(-1, 2, BATCH, STEPS, *shape)
    y = run(graph, x, order, late)
    if compare:
        np.testing.assert_allclose(by_nirtorch(graph, x), y, rtol=1e-9, atol=1e-9)
    cases.add(name, graph, x, y, dt=1e-4, **settings)


def main():
    cases = Cases()
    cases.fixture = Fixture("nir_cycles", "nir 1.0.8, nirtorch 2.6", 1e-5, 1e-5, "float32 here, float64 there; spikes are equal")
    lif = lambda n=4: neurons("LIF", (n,), False)  # noqa: E731
    for back in ("Linear", "Affine"):
        node = nir.Linear(normal(4, 5)) if back == "Linear" else nir.Affine(normal(4, 5), normal(4))
        case(cases, f"two_{back.lower()}", (4,), (5,), {"a": lif(), "b": lif(5), "fc1": nir.Linear(normal(5, 4)), "fc2": node},
             [("input", "a"), ("a", "fc1"), ("fc1", "b"), ("b", "fc2"), ("fc2", "a"), ("b", "output")],
             ["a", "fc1", "b", "fc2"], [("fc2", "a")])
    case(cases, "two_directly", (4,), (4,), {"m": lif(), "n": lif()},
         [("input", "m"), ("m", "n"), ("n", "m"), ("n", "output")], ["m", "n"], [("n", "m")])
    case(cases, "linear", (3,), (3,), {"a": nir.Linear(normal(3, 3, scale=0.4)), "b": nir.Affine(normal(3, 3, scale=0.4), normal(3))},
         [("input", "a"), ("a", "b"), ("b", "a"), ("b", "output")], ["a", "b"], [("b", "a")])
    case(cases, "linear_itself", (3,), (3,), {"a": nir.Linear(normal(3, 3, scale=0.4))},
         [("input", "a"), ("a", "a"), ("a", "output")], ["a"], [("a", "a")])
    case(cases, "threshold_itself", (3,), (3,), {"a": nir.Threshold(uniform(0.2, 1, 3))},
         [("input", "a"), ("a", "a"), ("a", "output")], ["a"], [("a", "a")])
    for kind in ("CubaLIF", "IF", "LI", "CubaLI", "I"):
        case(cases, f"through_{kind.lower()}", (4,), (4,), {"a": neurons(kind, (4,), kind == "LI"), "b": nir.Linear(normal(4, 4, scale=0.3)), "c": lif()},
             [("input", "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("a", "output")], ["a", "b", "c"], [("c", "a")])
    case(cases, "convolutions", (2, 5, 6), (3, 5, 6),
         {"a": nir.Conv2d((5, 6), normal(3, 2, 3, 3), 1, (1, 1), 1, 1, normal(3)), "b": neurons("LIF", (3, 5, 6), False),
          "c": nir.Conv2d((5, 6), normal(2, 3, 3, 3), 1, "same", 1, 1, normal(2)), "d": neurons("LIF", (2, 5, 6), False),
          "e": nir.Conv2d((5, 6), normal(3, 2, 3, 3, scale=0.5), 1, (1, 1), 1, 1, normal(3, scale=0.2))},
         [("input", "a"), ("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "b"), ("b", "output")],
         ["a", "b", "c", "d", "e"], [("e", "b")])
    # Two cycles that share nodes, neurons that come back to themselves besides, and nodes before and after.
    case(cases, "interlocked", (3,), (2,),
         {"fc": nir.Linear(normal(4, 3)), "a": lif(), "w1": nir.Linear(normal(5, 4)), "b": neurons("CubaLIF", (5,), False),
          "w2": nir.Linear(normal(4, 5)), "w3": nir.Linear(normal(4, 5)), "c": lif(), "w4": nir.Linear(normal(5, 4)),
          "w5": nir.Linear(normal(4, 4)), "out": nir.Affine(normal(2, 4), normal(2))},  # nirtorch goes by this order
         [("input", "fc"), ("fc", "a"), ("a", "w1"), ("w1", "b"), ("b", "w2"), ("w2", "a"), ("b", "w3"), ("w3", "c"), ("c", "w4"), ("w4", "b"),
          ("c", "w5"), ("w5", "c"), ("c", "out"), ("out", "output")],
         ["fc", "a", "w1", "b", "w2", "w3", "c", "w4", "w5", "out"], [("w2", "a"), ("w4", "b"), ("w5", "c")])
    # Delays: exactly as many steps, and none besides.
    for steps in (1, 3):
        case(cases, f"delay_{steps}", (4,), (4,), {"a": lif(), "d": nir.Delay(np.full(4, steps * 1e-4)), "w": nir.Linear(normal(4, 4))},
             [("input", "a"), ("a", "d"), ("d", "w"), ("w", "a"), ("a", "output")], ["w", "a"], [], compare=False)
        case(cases, f"delay_{steps}_out", (4,), (4,), {"a": lif(), "d": nir.Delay(np.full(4, steps * 1e-4)), "w": nir.Affine(normal(4, 4), normal(4))},
             [("input", "a"), ("a", "w"), ("w", "d"), ("d", "a"), ("d", "output")], ["a", "w"], [], compare=False)
    print(cases.fixture.write(Path(__file__).parent / "fixtures", {"nir": "1.0.8", "nirtorch": "2.6"}))


main()
