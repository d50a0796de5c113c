"""Makes fixtures/nir.safetensors: files of NIR, and what runs of them give.

    python3 -m venv /tmp/nir && /tmp/nir/bin/pip install torch nir==1.0.8 h5py snntorch==1.0.0 norse==1.1.0
    /tmp/nir/bin/python tests/parity/make_nir.py

Each case has "file", a file that the package nir wrote, gzipped; x0, a sequence (batch, time, ...) with channels last, and y0,
what comes out. The cases are NumPy's: each node by its equation, step by step, in float64; those of "snntorch" and "norse" are
models of these libraries, exported and run by them (tests/parity/nir.c runs the cases).
"""

import gzip
import sys
import tempfile
from pathlib import Path

import nir
import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parent))
from generator.store import Fixture  # noqa: E402

BATCH, STEPS = 2, 12
rng = np.random.default_rng(7)


def normal(*shape, scale=1.0):
    return (scale * rng.normal(size=shape)).astype("float32")


def uniform(low, high, *shape):
    return rng.uniform(low, high, size=shape).astype("float32")


def file_bytes(graph):
    with tempfile.TemporaryDirectory() as folder:
        try:
            nir.write(Path(folder) / "x.nir", graph)
        except TypeError:  # single numbers cannot be compressed
            nir.write(Path(folder) / "x.nir", graph, compression=None)
        return np.frombuffer(gzip.compress((Path(folder) / "x.nir").read_bytes(), mtime=0), "uint8")


def last(x):
    """Channels to the end: of (batch, time, channels, ...)."""
    return np.moveaxis(x, 2, -1) if x.ndim > 2 else x


# ---- Each node by its equation ----


class Runner:
    """Steps of one node over (batch, ...), with its state."""

    def __init__(self, node, dt):
        self.node, self.dt, self.v, self.i, self.past = node, dt, 0.0, 0.0, []

    def param(self, name):
        return np.asarray(getattr(self.node, name), "float64")

    def __call__(self, x):
        n, kind, dt, p = self.node, type(self.node).__name__, self.dt, self.param
        if kind in ("Input", "Output"):
            return x
        if kind in ("Affine", "Linear"):
            y = np.einsum("...oi,n...i->n...o", p("weight"), x)
            return y + p("bias") if kind == "Affine" else y
        if kind == "Scale":
            return x * p("scale")
        if kind == "Threshold":
            return (x > p("threshold")).astype("float64")
        if kind == "Flatten":
            end = n.end_dim if n.end_dim < 0 else n.end_dim + 1
            return torch.flatten(torch.tensor(x), n.start_dim + 1, end).numpy()
        if kind in ("Conv1d", "Conv2d"):
            call = F.conv1d if kind == "Conv1d" else F.conv2d
            padding = n.padding if isinstance(n.padding, str) else tuple(np.atleast_1d(n.padding).tolist())
            return call(torch.tensor(x), torch.tensor(p("weight")), torch.tensor(p("bias")),
                        tuple(np.atleast_1d(n.stride).tolist()), padding, tuple(np.atleast_1d(n.dilation).tolist()),
                        int(n.groups)).numpy()
        if kind in ("AvgPool2d", "SumPool2d"):
            k, s, q = (tuple(np.atleast_1d(a).tolist()) for a in (n.kernel_size, n.stride, n.padding))
            y = F.avg_pool2d(torch.tensor(x), k, s, q).numpy()
            return y * np.prod(k) if kind == "SumPool2d" else y
        if kind == "Delay":
            steps = np.broadcast_to(np.rint(p("delay") / dt).astype(int), x.shape[1:])
            self.past.append(x)
            y = np.zeros_like(x)
            for t, entry in enumerate(reversed(self.past)):
                y[:, steps == t] = entry[:, steps == t]
            return y
        current = x
        if kind in ("CubaLI", "CubaLIF"):
            self.i = self.i + dt / p("tau_syn") * (p("w_in") * x - self.i)
            current = self.i
        if kind in ("I", "IF"):
            self.v = self.v + dt * p("r") * current
        else:
            tau = p("tau") if kind in ("LI", "LIF") else p("tau_mem")
            self.v = self.v + dt / tau * (p("v_leak") - self.v + p("r") * current)
        if kind in ("LI", "CubaLI", "I"):
            return self.v
        spikes = (self.v > p("v_threshold")).astype("float64")
        self.v = np.where(spikes > 0, p("v_reset"), self.v)
        return spikes


def run(graph, x, dt):
    """(batch, time, ...) through a flat graph, in the order of its nodes; what was not made in a step comes from the last."""
    runners = {name: Runner(node, dt) for name, node in graph.nodes.items()}
    into = {name: [a for a, b in graph.edges if b == name] for name in graph.nodes}
    values, out = {}, []
    order = [name for name, node in graph.nodes.items()]
    for t in range(x.shape[1]):
        for name in order:
            if isinstance(graph.nodes[name], nir.Input):
                values[name] = x[:, t].astype("float64")
                continue
            values[name] = runners[name](sum(values[a] for a in into[name]))
        out.append(next(values[k] for k, node in graph.nodes.items() if isinstance(node, nir.Output)))
    return np.stack(out, 1)


def chain(shape, *nodes, types=True):
    named = {"input": nir.Input(np.array(shape))}
    named.update({name: node for name, node in nodes})
    names = list(named) + ["output"]
    named["output"] = nir.Output(np.array([1]))
    graph = nir.NIRGraph(named, list(zip(names, names[1:])), type_check=False)
    return graph


class Cases:
    def __init__(self):
        self.fixture = Fixture("nir", "nir 1.0.8, snntorch 1.0.0, norse 1.1.0", 1e-5, 1e-5,
                               "float32 here, float64 there; spikes are equal")

    def add(self, name, graph, x, y, **settings):
        self.fixture.add(name, {"file": file_bytes(graph), "x0": last(x), "y0": last(np.asarray(y))}, **settings)
        print(name, x.shape, np.asarray(y).shape, "mean", float(np.mean(np.asarray(y))))

    def graph(self, name, graph, shape, dt=1e-4, low=-1.0, high=2.0, **settings):
        x = uniform(low, high, BATCH, STEPS, *shape)
        y = run(graph, x, dt)
        for node in graph.nodes.values():
            if isinstance(node, nir.Output):
                node.output_type = {"output": np.array(y.shape[2:])}
        self.add(name, graph, x, y, dt=dt, **settings)


def neurons(kind, shape, same):
    """Parameters of neurons, the same for all or each its own."""
    def values(low, high):
        return np.full(shape, low, "float32") if same else uniform(low, high, *shape)
    common = dict(r=values(1.5, 3.0))
    if kind in ("LIF", "LI"):
        common.update(tau=values(2e-4, 6e-4), v_leak=values(0.1, 0.2))
    if kind in ("CubaLIF", "CubaLI"):
        common.update(tau_mem=values(2e-4, 6e-4), tau_syn=values(1.5e-4, 5e-4), v_leak=values(-0.1, 0.1), w_in=values(1.2, 2.0))
    if kind in ("IF", "I"):
        common["r"] = values(4000.0, 8000.0)
    if kind in ("LIF", "CubaLIF", "IF"):
        common.update(v_threshold=values(0.7, 1.0), v_reset=values(-0.2, 0.2))
    return getattr(nir, kind)(**common)


def recurrent(kind, weight, bias):
    """input -> fc -> neurons <-> w -> output, as one flat graph."""
    n = weight.shape[0]
    nodes = {"input": nir.Input(np.array([3])), "w": nir.Affine(weight, bias) if bias is not None else nir.Linear(weight),
             "fc": nir.Linear(normal(n, 3)), "lif": neurons(kind, (n,), False), "output": nir.Output(np.array([n]))}
    edges = [("input", "fc"), ("fc", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "output")]
    return nir.NIRGraph(nodes, edges, type_check=False)


def run_recurrent(graph, x, dt):
    """The recurrent node reads the spikes of the step before, which are 0 at first."""
    runners = {name: Runner(node, dt) for name, node in graph.nodes.items()}
    n = graph.nodes["w"].weight.shape[0]
    spikes, out = np.zeros((x.shape[0], n)), []
    for t in range(x.shape[1]):
        current = runners["fc"](x[:, t].astype("float64")) + runners["w"](spikes)
        spikes = runners["lif"](current)
        out.append(spikes)
    return np.stack(out, 1)


def by_equation(cases):
    for kind in ("LIF", "LI", "CubaLIF", "CubaLI", "IF", "I"):
        for same in (True, False):
            for shape in ((4,), (2, 3, 4)):
                name = f"{kind.lower()}_{'same' if same else 'own'}_{len(shape)}"
                cases.graph(name, chain(shape, ("n", neurons(kind, shape, same))), shape)
    cases.graph("single_number", chain((5,), ("n", nir.LIF(tau=np.array(3e-4), r=np.array(2.0), v_leak=np.array(0.0),
                                                           v_threshold=np.array(0.8), v_reset=np.array(0.0)))), (5,))
    cases.graph("threshold", chain((4,), ("n", nir.Threshold(uniform(-0.5, 0.5, 4)))), (4,))
    cases.graph("threshold_0", chain((2, 3), ("n", nir.Threshold(np.zeros((2, 3), "float32")))), (2, 3))
    cases.graph("affine", chain((3,), ("n", nir.Affine(normal(5, 3), normal(5)))), (3,))
    cases.graph("linear", chain((3,), ("n", nir.Linear(normal(5, 3)))), (3,))
    cases.graph("affine_many", chain((2, 3), ("n", nir.Affine(normal(2, 4, 3), normal(2, 4)))), (2, 3))
    cases.graph("linear_many", chain((2, 3, 4), ("n", nir.Linear(normal(2, 3, 5, 4)))), (2, 3, 4))
    cases.graph("scale", chain((4,), ("n", nir.Scale(normal(4)))), (4,))
    cases.graph("scale_3", chain((2, 3, 4), ("n", nir.Scale(normal(2, 3, 4)))), (2, 3, 4))
    cases.graph("delay", chain((4,), ("n", nir.Delay(np.full(4, 3e-4)))), (4,))
    cases.graph("delays", chain((4,), ("n", nir.Delay(np.array([0.0, 1e-4, 5e-4, 2e-4])))), (4,))
    cases.graph("delays_3", chain((2, 2, 3), ("n", nir.Delay(1e-4 * rng.integers(0, 5, (2, 2, 3))))), (2, 2, 3))
    for start, end in ((0, -1), (1, -1), (0, 1), (1, 2), (2, 2)):
        cases.graph(f"flatten_{start}_{end if end >= 0 else 3}", chain((2, 3, 4), ("n", nir.Flatten(np.array([2, 3, 4]), start, end))), (2, 3, 4))
    for padding in ("same", "valid", 0, 2):
        cases.graph(f"conv1d_{padding}", chain((2, 7), ("n", nir.Conv1d(7, normal(3, 2, 4), 1, padding, 1, 1, normal(3)))), (2, 7))
    cases.graph("conv1d_strided", chain((4, 9), ("n", nir.Conv1d(9, normal(6, 2, 3), 2, 1, 1, 2, normal(6)))), (4, 9))
    cases.graph("conv1d_dilated", chain((2, 9), ("n", nir.Conv1d(9, normal(3, 2, 3), 1, 1, 2, 1, normal(3)))), (2, 9))
    for padding in ("same", "valid", (0, 0), (1, 2)):
        name = padding if isinstance(padding, str) else f"{padding[0]}_{padding[1]}"
        cases.graph(f"conv2d_{name}", chain((2, 5, 6), ("n", nir.Conv2d((5, 6), normal(3, 2, 3, 2), 1, padding, 1, 1, normal(3)))), (2, 5, 6))
    cases.graph("conv2d_strided", chain((4, 7, 6), ("n", nir.Conv2d((7, 6), normal(4, 2, 3, 3), (2, 1), (1, 1), 1, 2, normal(4)))), (4, 7, 6))
    cases.graph("conv2d_dilated", chain((2, 7, 6), ("n", nir.Conv2d((7, 6), normal(4, 2, 2, 3), 1, (1, 1), (1, 2), 1, normal(4)))), (2, 7, 6))
    for pool in ("SumPool2d", "AvgPool2d"):
        for k, s, p in (((2, 2), (2, 2), (0, 0)), ((3, 2), (2, 1), (1, 1)), ((3, 3), (3, 3), (0, 0))):
            node = getattr(nir, pool)(np.array(k), np.array(s), np.array(p))
            cases.graph(f"{pool.lower()}_{k[0]}{k[1]}_{p[0]}", chain((2, 6, 7), ("n", node)), (2, 6, 7))
    cases.graph("network", chain((2, 8, 8), ("c1", nir.Conv2d((8, 8), normal(4, 2, 3, 3), 1, (1, 1), 1, 1, normal(4))),
                                 ("n1", neurons("LIF", (4, 8, 8), False)), ("p", nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0]))),
                                 ("f", nir.Flatten(np.array([4, 4, 4]), 0, -1)), ("fc", nir.Affine(normal(5, 64, scale=0.3), normal(5))),
                                 ("n2", neurons("CubaLIF", (5,), False))), (2, 8, 8))
    # Two ways from the input to the output, whose results are added.
    nodes = {"input": nir.Input(np.array([3])), "a": nir.Linear(normal(4, 3)), "b": nir.Affine(normal(4, 3), normal(4)),
             "n": neurons("LIF", (4,), True), "output": nir.Output(np.array([4]))}
    cases.graph("sum", nir.NIRGraph(nodes, [("input", "a"), ("input", "b"), ("a", "n"), ("b", "n"), ("n", "output")]), (3,))
    for kind in ("LIF", "CubaLIF", "IF"):
        for bias in (None, normal(4, scale=0.2)):
            graph = recurrent(kind, normal(4, 4), bias)
            x = uniform(-1, 2, BATCH, STEPS, 3)
            cases.add(f"recurrent_{kind.lower()}{'' if bias is None else '_bias'}", graph, x, run_recurrent(graph, x, 1e-4), dt=1e-4)
    # The same as graphs within graphs.
    graph = recurrent("LIF", normal(4, 4), None)
    inner = nir.NIRGraph({"input": nir.Input(np.array([4])), "lif": graph.nodes["lif"], "w": graph.nodes["w"], "output": nir.Output(np.array([4]))},
                         [("input", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "output")])
    middle = nir.NIRGraph({"i": nir.Input(np.array([4])), "rnn": inner, "o": nir.Output(np.array([4]))}, [("i", "rnn"), ("rnn", "o")])
    outer = nir.NIRGraph({"input": graph.nodes["input"], "fc": graph.nodes["fc"], "part": middle, "output": nir.Output(np.array([4]))},
                         [("input", "fc"), ("fc", "part"), ("part", "output")], metadata={"author": "someone", "epochs": 3})
    x = uniform(-1, 2, BATCH, STEPS, 3)
    cases.add("graphs_in_graphs", outer, x, run_recurrent(graph, x, 1e-4), dt=1e-4)
    # Recurrent through one weight a neuron, and directly.
    scale = uniform(-1, 1, 4)
    for name, matrix, edges, node in (("scale", np.diag(scale), [("lif", "w"), ("w", "lif")], {"w": nir.Scale(scale)}),
                                      ("itself", np.eye(4, dtype="float32"), [("lif", "lif")], {})):
        graph = recurrent("LIF", matrix, None)
        nodes = {k: v for k, v in graph.nodes.items() if k != "w"} | node
        x = uniform(-1, 2, BATCH, STEPS, 3)
        y = run_recurrent(graph, x, 1e-4)
        cases.add(f"recurrent_{name}", nir.NIRGraph(nodes, [("input", "fc"), ("fc", "lif"), ("lif", "output")] + edges, type_check=False), x, y, dt=1e-4)


# ---- Libraries ----


def by_snntorch(cases):
    import snntorch as snn
    from snntorch.export_nir import export_to_nir

    class Net(torch.nn.Module):
        """Layers in a row; states, where a layer has some, are what it is given and gives back."""

        def __init__(self, layers):
            super().__init__()
            self.layers = torch.nn.ModuleList(layers)

        def forward(self, x, states=None):
            states = {} if states is None else states
            for i, layer in enumerate(self.layers):
                if isinstance(layer, (snn.RLeaky, snn.RSynaptic)):
                    if i not in states:
                        states[i] = [torch.zeros_like(x) for _ in range(2 + isinstance(layer, snn.RSynaptic))]
                    states[i] = layer(x, *states[i])
                    x = states[i][0]
                elif isinstance(layer, (snn.Leaky, snn.Synaptic)):
                    if i not in states:
                        states[i] = [torch.zeros_like(x) for _ in range(1 + isinstance(layer, snn.Synaptic))]
                    x, *states[i] = layer(x, *states[i])
                else:
                    x = layer(x)
            return x

    def case(name, shape, layers, **settings):
        for layer in layers:
            for p in layer.parameters():
                p.requires_grad_(False)
                if p.ndim > 1:
                    p.mul_(2)
        x = uniform(0, 2, BATCH, STEPS, *shape)
        net = Net(layers)
        graph = export_to_nir(net, torch.tensor(x[:1, 0]), ignore_dims=[0])
        states = {}
        y = np.stack([net(torch.tensor(x[:, t]), states).detach().numpy() for t in range(STEPS)], 1)
        cases.add(f"snntorch_{name}", graph, x, y, dt=1e-4, **settings)

    torch.manual_seed(1)
    zero = dict(reset_mechanism="zero", reset_delay=False)
    linear = torch.nn.Linear
    def own(value, *shape):  # snnTorch 1.0.0 exports neurons whose numbers are one a neuron
        return torch.full(shape, value) if isinstance(value, float) else value

    def leaky(shape, beta=0.9, threshold=1.0, **settings):
        return snn.Leaky(own(beta, *shape), threshold=own(threshold, *shape), **settings)

    def synaptic(shape, alpha=0.8, beta=0.9, threshold=1.0, **settings):
        return snn.Synaptic(own(alpha, *shape), own(beta, *shape), threshold=own(threshold, *shape), **settings)

    case("leaky", (4,), [linear(4, 6), leaky((6,)), linear(6, 3), leaky((3,), 0.7, 0.5)], preset="snntorch")
    case("leaky_zero", (4,), [linear(4, 6), leaky((6,), **zero), linear(6, 3), leaky((3,), 0.7, 0.5, **zero)])
    case("leaky_own", (4,), [linear(4, 6), leaky((6,), torch.rand(6) * 0.5 + 0.4, **zero), linear(6, 3, bias=False),
                             leaky((3,), torch.rand(3) * 0.5 + 0.4, torch.rand(3) + 0.2, **zero)])
    case("synaptic", (4,), [linear(4, 6), synaptic((6,), **zero), linear(6, 3), synaptic((3,), 0.6, 0.7, 0.5, **zero)])
    case("synaptic_next", (4,), [linear(4, 6), synaptic((6,)), linear(6, 3), synaptic((3,), 0.6, 0.7, 0.5)], preset="snntorch")
    case("rleaky", (4,), [linear(4, 6), snn.RLeaky(0.9, linear_features=6, **zero), linear(6, 3), leaky((3,), 0.7, 0.5, **zero)])
    # RSynaptic 1.0.0 resets in the next step whatever reset_delay says.
    case("rsynaptic", (4,), [linear(4, 6), snn.RSynaptic(0.8, 0.9, linear_features=6), linear(6, 3), leaky((3,), 0.7, 0.5)], preset="snntorch")
    case("rleaky_one", (4,), [linear(4, 6), snn.RLeaky(0.9, all_to_all=False, V=torch.rand(6), **zero)])
    case("convolution", (1, 8, 8), [torch.nn.Conv2d(1, 3, 3, padding=1), leaky((3, 8, 8), **zero), torch.nn.AvgPool2d(2), torch.nn.Flatten(),
                                    linear(48, 4), leaky((4,), 0.7, 0.5, **zero)])


def by_norse(cases):
    import norse.torch as norse

    def case(name, shape, layers, **settings):
        for layer in layers:
            for p in layer.parameters():
                p.requires_grad_(False)
                if p.ndim > 1:
                    p.mul_(4)
        model = norse.SequentialState(*layers)
        x = uniform(0, 2, BATCH, STEPS, *shape)
        graph = norse.to_nir(model, torch.tensor(x[0, 0]))
        state, out = None, []
        for t in range(STEPS):
            y, state = model(torch.tensor(x[:, t]), state)
            out.append(y.detach().numpy())
        cases.add(f"norse_{name}", graph, x, np.stack(out, 1), preset="norse", **settings)

    torch.manual_seed(2)
    linear = torch.nn.Linear
    box = norse.LIFBoxParameters(tau_mem_inv=torch.full((6,), 150.0), v_th=torch.full((6,), 0.3), v_leak=torch.zeros(6), v_reset=torch.zeros(6))
    cell = norse.LIFParameters(tau_mem_inv=torch.full((6,), 150.0), tau_syn_inv=torch.full((6,), 250.0), v_th=torch.full((6,), 0.4),
                               v_leak=torch.zeros(6), v_reset=torch.zeros(6))
    case("lif_box", (4,), [linear(4, 6), norse.LIFBoxCell(box)])
    case("li_box", (4,), [linear(4, 6), norse.LIBoxCell(norse.LIBoxParameters(tau_mem_inv=torch.full((6,), 200.0), v_leak=torch.full((6,), 0.1)))])
    case("lif", (4,), [linear(4, 6), norse.LIFCell(cell)])
    case("iaf", (4,), [linear(4, 6), norse.IAFCell(norse.IAFParameters(v_th=torch.full((6,), 1.5)))])


def main():
    cases = Cases()
    by_equation(cases)
    by_snntorch(cases)
    by_norse(cases)
    print(cases.fixture.write(Path(__file__).parent / "fixtures", {"nir": "1.0.8", "snntorch": "1.0.0", "norse": "1.1.0"}))


if __name__ == "__main__":
    main()
