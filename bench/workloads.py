"""The workloads, as data: name, kind of work and its settings (what bench/worker/worker.c and the peers read)."""
from typing import NamedTuple


def conv(n, h, c, k, f, s=1, same=0):
    return dict(n=n, h=h, c=c, k=k, f=f, s=s, same=same)


def products(prefix, kind, settings):
    return [(f"{prefix} {what}", kind, dict(settings, what=what)) for what in ("forward", "input", "weights")]


MAIN = [
    ("W1", "train", dict(net="w1", batch=32)),
    ("W2", "train", dict(net="w2", batch=32)),
    ("W3", "train", dict(net="w3", batch=64)),
    ("W4@1", "predict", dict(net="w3", batch=1)),
    ("W4@256", "predict", dict(net="w3", batch=256)),
    ("W5", "knn", dict(queries=1000, samples=50000, size=3072)),
    ("RNN", "train", dict(net="rnn", batch=32)),
    ("GAN", "train", dict(net="gan", batch=64)),
]
# A network and the batch that it is trained with; prediction of one sample and of 64.
ZOO_BATCHES = {"resnet20": 128, "vgg11_bn": 64, "mobilenet": 32, "unet": 8, "densenet": 64, "video": 8, "autoencoder": 128,
               "vae": 128, "dcgan": 64, "sound": 16, "lstm": 64, "stacked_lstm": 32, "table": 256, "two_towers": 1024, "bigru": 32,
               "transformer": 32, "mixer": 64}
ZOO = [row for net, batch in ZOO_BATCHES.items() for row in [
    (f"{net} train", "train", dict(net=net, batch=batch)), (f"{net}@1", "predict", dict(net=net, batch=1)),
    (f"{net}@64", "predict", dict(net=net, batch=64))]]
LENGTHS = [(f"LSTM, {steps} steps", "train", dict(net=f"lstm_{steps}", batch=8, steps=steps)) for steps in (10, 100, 1000, 10000)]
PARAMETERS = {"w1": 101770, "w2": 21840, "w3": 225034}
BATCHES = [row for net in PARAMETERS for row in [
    (f"{net.upper()}@{batch}", "train", dict(net=net, batch=batch)) for batch in (1, 8, 32, 64, 128, 256, 512)]
    + [(f"{net.upper()} Adam", "adam", dict(params=PARAMETERS[net], net=net))]]
ADAM = [(f"Adam {n:.0e}", "adam", dict(params=int(n))) for n in (1e4, 1e5, 1e6, 1e7)]
GEMM = [(f"gemm{n}", "gemm", dict(m=n, k=n, n=n)) for n in (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)]
DENSE = [(32, 784, 128), (32, 128, 10),                         # W1
         (32, 320, 50), (32, 50, 10),                           # W2
         (64, 1600, 128), (64, 128, 10), (1, 1600, 128),        # W3, and an image at a time
         (32, 512, 512), (32, 512, 10), (32, 4096, 4096)]       # VGG-16 over 32x32 pixels, and its widest layer
for m, k, n in DENSE:
    GEMM += products(f"gemm{m}x{k}x{n}", "gemm", dict(m=m, k=k, n=n))
NETWORKS = {
    "LeNet": [conv(32, 28, 1, 5, 6, same=1), conv(32, 14, 6, 5, 16)],
    "W": [conv(32, 28, 1, 5, 10), conv(32, 12, 10, 5, 20), conv(64, 28, 1, 3, 32), conv(64, 13, 32, 3, 64)],
    "ResNet20": [conv(32, 32, 3, 3, 16, 1, 1), conv(32, 32, 16, 3, 16, 1, 1), conv(32, 32, 16, 3, 32, 2, 1),
                 conv(32, 32, 16, 1, 32, 2, 1), conv(32, 16, 32, 3, 32, 1, 1), conv(32, 16, 32, 3, 64, 2, 1),
                 conv(32, 8, 64, 3, 64, 1, 1)],
    "VGG16": [conv(32, 32, 3, 3, 64, 1, 1), conv(32, 32, 64, 3, 64, 1, 1), conv(32, 16, 64, 3, 128, 1, 1),
              conv(32, 16, 128, 3, 128, 1, 1), conv(32, 8, 128, 3, 256, 1, 1), conv(32, 8, 256, 3, 256, 1, 1),
              conv(32, 4, 256, 3, 512, 1, 1), conv(32, 4, 512, 3, 512, 1, 1), conv(32, 2, 512, 3, 512, 1, 1)],
    "VGG16@224": [conv(1, 224, 3, 3, 64, 1, 1), conv(1, 224, 64, 3, 64, 1, 1), conv(1, 112, 128, 3, 128, 1, 1),
                  conv(2, 56, 256, 3, 256, 1, 1), conv(2, 28, 512, 3, 512, 1, 1), conv(2, 14, 512, 3, 512, 1, 1)],
}
SWEEP = {
    "channels": [conv(32, 16, c, 3, c, 1, 1) for c in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)],
    "kernels": [conv(32, 16, 32, k, 32, s, same) for k in (1, 3, 5, 7) for s in (1, 2) for same in (0, 1)]
    + [conv(32, 32, 3, 7, 64, 2, 1)],
}


def convolutions(lists):
    return [row for net, shapes in lists.items() for s in shapes for row in products(
        f"{net} {s['n']}x{s['h']}x{s['h']}x{s['c']} {s['k']}x{s['k']}x{s['f']}/{s['s']} {'same' if s['same'] else 'valid'}",
        "conv", s)]


SETS = {"main": MAIN, "zoo": ZOO, "lengths": LENGTHS, "batches": BATCHES, "gemm": GEMM, "conv": convolutions(NETWORKS), "sweep": convolutions(SWEEP),
        "adam": ADAM}


class Manner(NamedTuple):
    """How the rows of a set are measured."""
    rounds: int = 3
    seconds: float = 0.05   # of a round
    kept: bool = True       # a process a program and number of threads serves all rows; else each row has its own
    peers: tuple = ()       # those asked by default, of those made for the kind of work; all of these if none is named


# Many rows mean short rounds. Over batches the two that are fastest at W1 to W3 are enough.
MANNERS = {"main": Manner(5, 0.3, False), "zoo": Manner(5, 0.3, False, ("pytorch", "pytorch-compile", "onnxruntime")),
           "lengths": Manner(5, 0.3, False, ("pytorch",)), "batches": Manner(3, 0.15, True, ("keras", "jax"))}


def manner(name):
    return MANNERS.get(name, Manner())


STEP_FLOPS = {"w1": 13.1e6 / 32, "w2": 83.0e6 / 32, "w3": 985e6 / 64, "resnet20": 245e6}  # an image; shared with the goals' table


def out_size(s):
    return -(-s["h"] // s["s"]) if s["same"] else (s["h"] - s["k"]) // s["s"] + 1


def flops(kind, s):
    """Floating point operations a step, direct-equivalent; None where the model does not say."""
    if kind == "gemm":
        return 2.0 * s["m"] * s["n"] * s["k"]
    if kind == "conv":
        return 2.0 * s["n"] * out_size(s) ** 2 * s["f"] * s["k"] ** 2 * s["c"]
    if kind == "knn":
        return 2.0 * s["queries"] * s["samples"] * s["size"]
    if kind == "adam":
        return None
    if kind == "predict" and s["net"] == "w3":
        return 5.26e6 * s["batch"]
    each = STEP_FLOPS.get(s.get("net")) if kind == "train" else None
    return each and each * s["batch"]


def moved(kind, s):
    """Bytes of the operands and the result of one product, each counted once; None for whole networks."""
    if kind == "gemm":
        return 4 * (s["m"] * s["k"] + s["k"] * s["n"] + s["m"] * s["n"])
    if kind == "conv":
        return 4 * (s["n"] * s["h"] ** 2 * s["c"] + s["k"] ** 2 * s["c"] * s["f"] + s["n"] * out_size(s) ** 2 * s["f"])
    if kind == "adam":
        return 7 * 4 * s["params"]  # w, m, v read and written, the gradient read
    return s["samples"] * s["size"] + s["queries"] * s["size"] if kind == "knn" else None


def unit(kind, s):
    """What a step's time is also given by: a name and how many of it a step has; None where the step itself is what counts."""
    if "steps" in s:
        return "us a step of the sequence", 1e6 / s["steps"]
    if kind in ("train", "predict"):
        return "us an image", 1e6 / s["batch"]
    return ("ns a parameter", 1e9 / s["params"]) if kind == "adam" else None
