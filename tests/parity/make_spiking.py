"""Makes fixtures/spiking.safetensors: traces and gradients of neurons, from the libraries of the field.

    python3 -m venv /tmp/spiking && /tmp/spiking/bin/pip install torch snntorch==1.0.0 norse==1.1.0 spikingjelly
    /tmp/spiking/bin/python tests/parity/make_spiking.py

Each case is a layer of neurons over a random sequence (batch, time, neurons): x0. y0 are the spikes and y1 the membrane after
each step; dy0 and dy1 are what the sum of both is weighted with, dx0 and dw0.. the gradients by the input and the weights. The
config is the layer as Cajal reads it (tests/parity/layers.c runs the cases).
"""

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))
from generator.store import Fixture  # noqa: E402

BATCH, STEPS, NEURONS = 2, 12, 3


def config(class_name, settings, outputs):
    """A functional model of one layer, as JSON has it."""
    shape = [None, STEPS, NEURONS]
    node = {"class_name": "__keras_tensor__", "config": {"shape": shape, "dtype": "float32", "keras_history": ["x", 0, 0]}}
    layers = [
        {"module": "keras.layers", "class_name": "InputLayer", "name": "x", "inbound_nodes": [],
         "config": {"batch_shape": shape, "dtype": "float32", "name": "x"}},
        {"module": "cajal", "class_name": class_name, "name": "neurons",
         "config": {"name": "neurons", **settings}, "inbound_nodes": [{"args": [node], "kwargs": {}}]},
    ]
    ends = [["neurons", 0, i] for i in range(outputs)]
    return {"module": "keras", "class_name": "Functional", "config": {
        "name": "model", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": ends}}


class Cases:
    def __init__(self, fixture):
        self.fixture, self.count = fixture, 0

    def add(self, name, class_name, settings, run, weights=(), scale=1.0, offset=0.4):
        """`run(x)`, x (time, batch, neurons), gives spikes (or None) and membranes; weights are pairs (name, parameter)."""
        self.count += 1
        random = np.random.default_rng(self.count)
        x = torch.tensor(scale * (random.uniform(-0.6, 0.6, (STEPS, BATCH, NEURONS)) + offset), dtype=torch.float32)
        x.requires_grad_(True)
        for _, weight in weights:
            weight.grad = None
        results = [r for r in run(x) if r is not None]
        upstream = [torch.tensor(random.normal(size=tuple(r.shape)), dtype=torch.float32) for r in results]
        sum((r * u).sum() for r, u in zip(results, upstream)).backward()
        turn = lambda t: t.detach().numpy().swapaxes(0, 1)
        tensors = {"x0": turn(x), "dx0": turn(x.grad)}
        for i, (r, u) in enumerate(zip(results, upstream)):
            tensors[f"y{i}"], tensors[f"dy{i}"] = turn(r), turn(u)
        for i, (_, w) in enumerate(weights):
            value, grad = w.detach().numpy(), w.grad.numpy()
            if value.ndim == 2:
                value, grad = value.T, grad.T
            tensors[f"w{i}"], tensors[f"dw{i}"] = np.atleast_1d(value), np.atleast_1d(grad)
        if len(results) == 2:
            settings = {**settings, "output": "both"}
            spikes = float(results[0].detach().sum())
            if spikes == 0 and "quiet" not in name:
                print(f"{name}: no spikes")
        if "refractory" in name:  # Norse differentiates its counter of steps, too
            del tensors["dx0"]
        self.fixture.add(name, tensors, config=config(class_name, settings, len(results)), inputs=1, outputs=len(results),
                         weights=[f"neurons/{n}" for n, _ in weights])


def walk(step, x, states):
    """Runs step(x, states) -> (spikes, membrane, states) over time."""
    spikes, membranes = [], []
    for entry in x:
        s, v, states = step(entry, states)
        spikes.append(s)
        membranes.append(v)
    return (torch.stack(spikes) if spikes[0] is not None else None), torch.stack(membranes)


def snntorch_cases(c):
    import snntorch as snn
    from snntorch import surrogate as S

    gradients = {"atan": (S.atan(alpha=2.0), "atan"), "atan_1": (S.atan(alpha=1.0), "atan(alpha=1)"),
                 "fast_sigmoid": (S.fast_sigmoid(slope=25), "fast_sigmoid"),
                 "fast_sigmoid_5": (S.fast_sigmoid(slope=5), "fast_sigmoid(slope=5)"),
                 "sigmoid": (S.sigmoid(slope=25), "sigmoid"), "sigmoid_3": (S.sigmoid(slope=3), "sigmoid(slope=3)"),
                 "straight_through": (S.straight_through_estimator(), "straight_through")}
    resets = {"subtract": "subtract", "zero": "value", "none": "none"}
    parameter = lambda *values: torch.tensor(values if len(values) > 1 else values[0])

    def leaky(name, settings, gradient="atan", reset="subtract", weights=(), **options):
        neuron = snn.Leaky(spike_grad=gradients[gradient][0], reset_mechanism=reset, **options)
        step = lambda x, v: (lambda s, m: (s, m, m))(*neuron(x, v))
        c.add(f"leaky_{name}", "LIF", {"surrogate": gradients[gradient][1], "reset": resets[reset], **settings},
              lambda x: walk(step, x, torch.zeros(BATCH, NEURONS)),
              [(n, getattr(neuron, n)) for n in weights])

    for reset in resets:
        for gradient in gradients:
            leaky(f"{reset}_{gradient}", {"beta": 0.8}, gradient, reset, beta=0.8)
        leaky(f"{reset}_same_step", {"beta": 0.8, "reset_time": "same", "reset_gradient": "pass"}, reset=reset, beta=0.8, reset_delay=False) \
            if reset != "none" else None
        for learnt in (("beta",), ("threshold",), ("beta", "threshold")):
            flags = {f"learn_{n}": True for n in learnt}
            leaky(f"{reset}_learn_{'_'.join(learnt)}", {"beta": 0.7, "threshold": 0.6, **flags}, "fast_sigmoid_5", reset, learnt,
                  beta=0.7, threshold=0.6, **flags)
            leaky(f"{reset}_each_learns_{'_'.join(learnt)}", {"beta": 0.5, "threshold": 0.5, "per_neuron": True, **flags},
                  "sigmoid_3", reset, learnt + tuple(n for n in ("beta", "threshold") if n not in learnt and False),
                  beta=parameter(0.7, 0.8, 0.5), threshold=parameter(0.6, 0.9, 0.5), **flags) if len(learnt) == 2 else None
    leaky("decay_0", {"beta": 0.0}, beta=0.0)
    leaky("decay_1", {"beta": 1.0}, beta=1.0)

    def synaptic(name, settings, reset="subtract", weights=(), **options):
        neuron = snn.Synaptic(reset_mechanism=reset, **options)

        def run(x):
            neuron.reset_mem()
            neuron.syn = torch.zeros(BATCH, NEURONS)
            neuron.mem = torch.zeros(BATCH, NEURONS)
            return walk(lambda e, _: (lambda s, i, m: (s, m, None))(*neuron(e)), x, None)
        c.add(f"synaptic_{name}", "CubaLIF", {"reset": resets[reset], **settings}, run,
              [(n, getattr(neuron, n)) for n in weights])

    for reset in resets:
        synaptic(reset, {"alpha": 0.6, "beta": 0.7}, reset, alpha=0.6, beta=0.7)
        flags = {"learn_alpha": True, "learn_beta": True, "learn_threshold": True}
        synaptic(f"{reset}_learn", {"alpha": 0.5, "beta": 0.7, **flags}, reset, ("beta", "threshold", "alpha"), alpha=0.5,
                 beta=0.7, **flags)

    def alpha(name, settings, reset="zero", weights=(), **options):
        neuron = snn.Alpha(reset_mechanism=reset, **options)

        def run(x):
            for state in ("syn_exc", "syn_inh", "mem"):
                setattr(neuron, state, torch.zeros(BATCH, NEURONS))
            return walk(lambda e, _: (lambda s, a, b, m: (s, m, None))(*neuron(e)), x, None)
        c.add(f"alpha_{name}", "AlphaLIF", {"reset": resets[reset], **settings}, run,
              [(n, getattr(neuron, n)) for n in weights], scale=2)

    for reset in ("zero", "none"):
        alpha(reset, {"alpha": 0.9, "beta": 0.6}, reset, alpha=0.9, beta=0.6)
        alpha(f"{reset}_learn", {"alpha": 0.8, "beta": 0.6, "learn_beta": True, "learn_threshold": True}, reset,
              ("beta", "threshold"), alpha=0.8, beta=0.6, learn_beta=True, learn_threshold=True)

    def lapicque(name, settings, reset="subtract", **options):
        neuron = snn.Lapicque(reset_mechanism=reset, **options)
        step = lambda x, v: (lambda s, m: (s, m, m))(*neuron(x, v))
        c.add(f"lapicque_{name}", "Lapicque", {"reset": resets[reset], **settings},
              lambda x: walk(step, x, torch.zeros(BATCH, NEURONS)), scale=2)

    for reset in resets:
        lapicque(f"{reset}_beta", {"beta": 0.7}, reset, beta=torch.tensor(0.7))
        lapicque(f"{reset}_circuit", {"resistance": 3.0, "capacitance": 1.5}, reset, R=3.0, C=1.5)
        lapicque(f"{reset}_time", {"resistance": 2.0, "capacitance": 0.8, "dt": 0.5}, reset, R=2.0, C=0.8, time_step=0.5)

    def recurrent(kind, name, settings, reset="subtract", weights=(), **options):
        torch.manual_seed(c.count)
        neuron = getattr(snn, kind)(reset_mechanism=reset, **options)
        parts = []
        if options.get("all_to_all", True):
            parts.append(("recurrent_kernel", neuron.recurrent.weight))
            parts.append(("recurrent_bias", neuron.recurrent.bias))
        elif torch.is_tensor(neuron.recurrent.V):
            parts.append(("recurrent_kernel", neuron.recurrent.V))

        def run(x):
            zeros = lambda: torch.zeros(BATCH, NEURONS)
            for state in ("spk", "mem", "syn"):
                if hasattr(neuron, state):
                    setattr(neuron, state, zeros())
            return walk(lambda e, _: (lambda r: (r[0], r[-1], None))(neuron(e)), x, None)
        classes = {"RLeaky": "LIF", "RSynaptic": "CubaLIF"}
        c.add(f"{kind.lower()}_{name}", classes[kind], {"reset": resets[reset], **settings}, run,
              [(n, getattr(neuron, n)) for n in weights] + parts)

    for reset in resets:
        dense = {"recurrent": "dense", "recurrent_bias": True}
        recurrent("RLeaky", f"{reset}_all", {"beta": 0.7, **dense}, reset, beta=0.7, linear_features=NEURONS)
        recurrent("RLeaky", f"{reset}_one", {"beta": 0.7, "recurrent": "one_to_one"}, reset, beta=0.7, all_to_all=False,
                  V=torch.tensor([0.3, -0.4, 0.6]))
        recurrent("RLeaky", f"{reset}_all_learn", {"beta": 0.7, "learn_beta": True, "learn_threshold": True, **dense}, reset,
                  ("beta", "threshold"), beta=0.7, linear_features=NEURONS, learn_beta=True, learn_threshold=True)
        recurrent("RSynaptic", f"{reset}_all", {"alpha": 0.5, "beta": 0.7, **dense}, reset, alpha=0.5, beta=0.7,
                  linear_features=NEURONS)


def norse_cases(c):
    import norse.torch as norse
    import importlib
    from types import SimpleNamespace

    F = SimpleNamespace()
    for part in ("lif", "lif_box", "lif_refrac", "lsnn", "leaky_integrator_box", "izhikevich"):
        F.__dict__.update(vars(importlib.import_module(f"norse.torch.functional.{part}")))

    t = torch.as_tensor
    time = {"preset": "norse", "dt": 1e-3}
    zeros = lambda: torch.zeros(BATCH, NEURONS)
    methods = {"super": ("super", 100.0, {}), # Norse 1.1.0 leaves alpha out of the formula
               "super_10": ("super", 10.0, {}),
               "tent": ("triangle", 0.3, {"surrogate": "triangle"}), "tent_1": ("triangle", 1.0, {"surrogate": "triangle(gamma=1,width=1)"})}
    for tau in (2e-3, 5e-3):
        for name, (method, slope, extra) in methods.items():
            p = F.LIFBoxParameters(tau_mem_inv=t(1 / tau), method=method, alpha=t(slope))
            step = lambda x, s, p=p: (lambda z, n: (z, n.v, n))(*F.lif_box_feed_forward_step(x, s, p, 1e-3))
            c.add(f"norse_box_{tau}_{name}", "LIF", {"tau": tau, **time, **extra},
                  lambda x, step=step: walk(step, x, F.LIFBoxFeedForwardState(v=zeros())), scale=3)
    p = F.LIFBoxParameters(tau_mem_inv=t(1 / 4e-3), v_leak=t(0.2), v_reset=t(-0.3), v_th=t(0.8))
    step = lambda x, s: (lambda z, n: (z, n.v, n))(*F.lif_box_feed_forward_step(x, s, p, 1e-3))
    c.add("norse_box_levels", "LIF", {"tau": 4e-3, "v_leak": 0.2, "v_reset": -0.3, "threshold": 0.8, **time},
          lambda x: walk(step, x, F.LIFBoxFeedForwardState(v=torch.full((BATCH, NEURONS), 0.2))), scale=3)

    def current(name, step, state, settings, class_name="CubaLIF", **options):
        c.add(f"norse_{name}", class_name, {**time, **settings}, lambda x: walk(step, x, state), **options)

    for tau, synapse in ((10e-3, 5e-3), (2e-3, 3e-3), (4e-3, 2e-3)):
        cell = norse.LIFCell(F.LIFParameters(tau_mem_inv=t(1 / tau), tau_syn_inv=t(1 / synapse)), dt=1e-3)
        step = lambda x, s, cell=cell: (lambda z, n: (z, n.v, n))(*cell(x, s))
        current(f"lif_{tau}_{synapse}", step, None, {"tau": tau, "tau_syn": synapse}, scale=3)
        for rho in (1, 3):
            p = F.LIFRefracParameters(F.LIFParameters(tau_mem_inv=t(1 / tau), tau_syn_inv=t(1 / synapse)), t(float(rho)))
            cell = norse.LIFRefracCell(p, dt=1e-3)
            step = lambda x, s, cell=cell: (lambda z, n: (z, n.lif.v, n))(*cell(x, s))
            current(f"refractory_{tau}_{synapse}_{rho}", step, None, {"tau": tau, "tau_syn": synapse, "refractory": rho}, scale=6)
    for tau in (2e-3, 6e-3):
        p = F.LIBoxParameters(tau_mem_inv=t(1 / tau))
        step = lambda x, s, p=p: (lambda v, n: (None, v, n))(*F.li_box_feed_forward_step(x, s, p, 1e-3))
        current(f"li_box_{tau}", step, F.LIBoxState(v=zeros()), {"tau": tau}, "LeakyIntegrator")

    # The LSNN's membrane reads the current of the step before, so its currents are given here.
    for tau, adapt in ((5e-3, 20e-3), (2e-3, 8e-3), (3e-3, 1.0)):
        p = F.LSNNParameters(tau_mem_inv=t(1 / tau), tau_adapt_inv=t(1 / adapt), beta=t(0.7), tau_syn_inv=t(1 / 1e-3))

        def step(x, s, p=p):
            s = F.LSNNFeedForwardState(v=s.v, i=x, b=s.b)
            z, n = F.lsnn_feed_forward_step(zeros(), s, p, 1e-3)
            return z, n.v, n
        current(f"lsnn_{tau}_{adapt}", step, F.LSNNFeedForwardState(v=zeros(), i=zeros(), b=torch.ones(BATCH, NEURONS)),
                {"tau": tau, "tau_adaptation": adapt, "adaptation": 0.7}, "ALIF", scale=4)

    for name in ("tonic_spiking", "tonic_bursting", "mixed_mode", "spike_frequency_adaptation", "rebound_spike"):
        behavior = getattr(F, name)
        p = behavior.p
        v = behavior.s.v.item()
        state = F.IzhikevichState(v=torch.full((BATCH, NEURONS), v), u=torch.full((BATCH, NEURONS), v * p.b))
        step = lambda x, s, p=p: (lambda z, n: (z, n.v, n))(*F.izhikevich_feed_forward_step(x, s, p, 1e-3))
        c.add(f"norse_izhikevich_{name}_quiet", "Izhikevich",
              {"dt": p.tau_inv * 1e-3, "a": p.a, "b": p.b, "v_reset": p.c, "d": p.d, "sq": p.sq, "mn": p.mn, "bias": p.bias,
               "v_initial": v, "preset": "norse"}, lambda x, step=step, state=state: walk(step, x, state), scale=60)


def spikingjelly_cases(c):
    from spikingjelly.activation_based import neuron, surrogate as S

    gradients = {"sigmoid": (S.Sigmoid(alpha=4.0), {}), "atan": (S.ATan(alpha=2.0), {"surrogate": "atan"}),
                 "quadratic": (S.PiecewiseQuadratic(alpha=1.5), {"surrogate": f"triangle(gamma=1.5,width={1 / 1.5!r})"})}
    for kind, base in (("LIFNode", {"tau": 3.0}), ("IFNode", {})):
        for gradient, (function, extra) in gradients.items():
            for v_reset in (0.0, 0.15, None):
                for detach in (False, True):
                    options = {"tau": 3.0, "decay_input": gradient != "atan"} if kind == "LIFNode" else {}
                    node = getattr(neuron, kind)(v_threshold=0.8, v_reset=v_reset, surrogate_function=function,
                                                 detach_reset=detach, step_mode="s", **options)
                    settings = {"preset": "spikingjelly", "threshold": 0.8, "reset": "value" if v_reset is not None else "subtract",
                                "v_reset": v_reset or 0.0, "reset_gradient": "stop" if detach else "pass", **base, **extra}
                    if kind == "LIFNode" and gradient == "atan":
                        settings["input_scale"] = "none"

                    def run(x, node=node):
                        node.reset()
                        return walk(lambda e, _: (lambda s: (s, node.v, None))(node(e)), x, None)
                    c.add(f"spikingjelly_{kind}_{gradient}_{v_reset}_{'detached' if detach else 'through'}",
                          "LIF" if kind == "LIFNode" else "IntegrateFire", settings, run, scale=2 if kind == "LIFNode" else 1)


def more_cases(c):
    """Of the neurons that have few above; last, so that the numbers of the others stay."""
    import importlib
    import norse.torch as norse  # noqa: F401
    import snntorch as snn
    from types import SimpleNamespace

    F = SimpleNamespace()
    for part in ("lsnn", "leaky_integrator_box", "izhikevich"):
        F.__dict__.update(vars(importlib.import_module(f"norse.torch.functional.{part}")))
    t = torch.as_tensor
    zeros = lambda: torch.zeros(BATCH, NEURONS)
    time = {"preset": "norse", "dt": 1e-3}

    for alpha, beta, threshold in ((0.95, 0.5, 1.0), (0.7, 0.3, 0.5), (0.99, 0.9, 0.4), (0.6, 0.55, 0.2)):
        neuron = snn.Alpha(reset_mechanism="zero", alpha=alpha, beta=beta, threshold=threshold)

        def run(x, neuron=neuron):
            for state in ("syn_exc", "syn_inh", "mem"):
                setattr(neuron, state, zeros())
            return walk(lambda e, _: (lambda s, a, b, m: (s, m, None))(*neuron(e)), x, None)
        c.add(f"alpha_{alpha}_{beta}", "AlphaLIF", {"reset": "value", "alpha": alpha, "beta": beta, "threshold": threshold},
              run, scale=2)
    for tau, leak in ((1.5e-3, 0.0), (3e-3, 0.4), (4e-3, -0.7), (10e-3, 0.1), (50e-3, 1.0), (2e-3, 0.25)):
        p = F.LIBoxParameters(tau_mem_inv=t(1 / tau), v_leak=t(leak))
        step = lambda x, s, p=p: (lambda v, n: (None, v, n))(*F.li_box_feed_forward_step(x, s, p, 1e-3))
        c.add(f"norse_li_box_{tau}_{leak}", "LeakyIntegrator", {**time, "tau": tau, "v_leak": leak},
              lambda x, step=step, leak=leak: walk(step, x, F.LIBoxState(v=torch.full((BATCH, NEURONS), leak))))
    for tau, adapt, jump in ((4e-3, 5e-3, 1.8), (10e-3, 50e-3, 0.2), (2e-3, 3e-3, 0.5), (6e-3, 0.7, 1.2), (3e-3, 10e-3, 0.05)):
        p = F.LSNNParameters(tau_mem_inv=t(1 / tau), tau_adapt_inv=t(1 / adapt), beta=t(jump), tau_syn_inv=t(1 / 1e-3))

        def step(x, s, p=p):
            s = F.LSNNFeedForwardState(v=s.v, i=x, b=s.b)
            z, n = F.lsnn_feed_forward_step(zeros(), s, p, 1e-3)
            return z, n.v, n
        c.add(f"norse_lsnn_{tau}_{adapt}_{jump}", "ALIF", {**time, "tau": tau, "tau_adaptation": adapt, "adaptation": jump},
              lambda x, step=step: walk(step, x, F.LSNNFeedForwardState(v=zeros(), i=zeros(), b=torch.ones(BATCH, NEURONS))),
              scale=4)
    for name in ("phasic_spiking", "class_1_exc", "resonator"):
        behavior = getattr(F, name)
        p, v = behavior.p, behavior.s.v.item()
        state = F.IzhikevichState(v=torch.full((BATCH, NEURONS), v), u=torch.full((BATCH, NEURONS), v * p.b))
        step = lambda x, s, p=p: (lambda z, n: (z, n.v, n))(*F.izhikevich_feed_forward_step(x, s, p, 1e-3))
        c.add(f"norse_izhikevich_{name}_quiet", "Izhikevich",
              {"dt": p.tau_inv * 1e-3, "a": p.a, "b": p.b, "v_reset": p.c, "d": p.d, "sq": p.sq, "mn": p.mn, "bias": p.bias,
               "v_initial": v, "preset": "norse"}, lambda x, step=step, state=state: walk(step, x, state), scale=60)


def main():
    torch.set_num_threads(1)
    fixture = Fixture("spiking", "neurons: spikes, membranes, gradients by inputs, decays, thresholds and recurrent weights, "
                      "of snnTorch, Norse and SpikingJelly", 5e-4, 2e-5,
                      "float32 recurrences of 12 steps; slopes of surrogates up to 25 multiply rounding errors")
    cases = Cases(fixture)
    for make in (snntorch_cases, norse_cases, spikingjelly_cases, more_cases):
        before = cases.count
        make(cases)
        print(f"{make.__name__}: {cases.count - before}")
    import importlib.metadata as installed
    versions = {name: installed.version(name) for name in ("snntorch", "norse", "spikingjelly", "torch")}
    size, count = fixture.write(Path(__file__).parent / "fixtures", versions)
    print(f"{count} cases, {size} bytes, {versions}")


if __name__ == "__main__":
    main()
