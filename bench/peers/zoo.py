"""The zoo in PyTorch: twins of bench/worker/zoo*.c, with the same shapes and numbers of parameters, channels first.

`zoo.py export NET BATCH FILE.onnx` writes a network for ONNX Runtime, its softmax included.
"""
import sys
from typing import Callable, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F


def normalized(c, f, k, stride, relu=False, groups=1):
    layers = [nn.Conv2d(c, f, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(f)]
    return nn.Sequential(*layers, nn.ReLU()) if relu else nn.Sequential(*layers)


class Residual(nn.Module):
    """relu(x + two convolutions of x); where the shape changes, x goes through one of 1 x 1."""

    def __init__(self, c, f, stride):
        super().__init__()
        self.first, self.second = normalized(c, f, 3, stride), normalized(f, f, 3, 1)
        self.shortcut = normalized(c, f, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


def classified(c, classes):
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, classes)]


def resnet20():
    stages = [Residual(16 * max(1, 2 ** s // (2 if s and not b else 1)), 16 * 2 ** s, 2 if s and not b else 1)
              for s in range(3) for b in range(3)]
    return nn.Sequential(normalized(3, 16, 3, 1), nn.ReLU(), *stages, *classified(64, 10))


def vgg11_bn():
    layers, c = [], 3
    for f in (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool", 512, 512, "pool"):
        if f == "pool":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(c, f, 3, padding=1), nn.BatchNorm2d(f), nn.ReLU()]
            c = f
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))


def mobilenet():
    layers, c = [normalized(3, 16, 3, 2, True)], 16
    for f, stride in zip((32, 64, 64, 128, 128, 256, 256, 256, 256, 256, 256, 512, 512), (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)):
        layers += [normalized(c, c, 3, stride, True, groups=c), normalized(c, f, 1, 1, True)]
        c = f
    return nn.Sequential(*layers, *classified(512, 10))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [16 << i for i in range(5)]
        both = [nn.Sequential(normalized(c, f, 3, 1, True), normalized(f, f, 3, 1, True)) for c, f in zip([1] + sizes, sizes)]
        self.down, self.deepest = nn.ModuleList(both[:4]), both[4]
        self.grow = nn.ModuleList([nn.ConvTranspose2d(2 * f, f, 2, 2) for f in sizes[3::-1]])
        self.up = nn.ModuleList([nn.Sequential(normalized(2 * f, f, 3, 1, True), normalized(f, f, 3, 1, True))
                                 for f in sizes[3::-1]])
        self.out = nn.Conv2d(16, 1, 1)

    def forward(self, x):
        kept = []
        for down in self.down:
            kept.append(down(x))
            x = F.max_pool2d(kept[-1], 2)
        x = self.deepest(x)
        for grow, up, beside in zip(self.grow, self.up, kept[::-1]):
            x = up(torch.cat([beside, grow(x)], 1))
        return self.out(x)


def normalized_before(c, f, k):
    return nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, f, k, padding=k // 2, bias=False))


class Dense(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.layers = nn.ModuleList([normalized_before(c + 12 * i, 12, 3) for i in range(6)])

    def forward(self, x):
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return x


def densenet():
    layers, c = [nn.Conv2d(3, 24, 3, padding=1, bias=False)], 24
    for block in range(3):
        layers.append(Dense(c))
        c += 72
        layers += [normalized_before(c, c, 1), nn.AvgPool2d(2)] if block < 2 else [nn.BatchNorm2d(c), nn.ReLU()]
    return nn.Sequential(*layers, *classified(c, 10))


def video():
    def stage(c, f, pool):
        return nn.Conv3d(c, f, 3, padding=1), nn.ReLU(), nn.MaxPool3d(pool)
    return nn.Sequential(*stage(3, 32, (1, 2, 2)), *stage(32, 64, 2), *stage(64, 128, 2), nn.Flatten(),
                         nn.Linear(4 * 4 * 4 * 128, 128), nn.ReLU(), nn.Linear(128, 10))


def autoencoder():
    return nn.Sequential(nn.Conv2d(1, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(), nn.Flatten(),
                         nn.Linear(64 * 7 * 7, 32), nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid(),
                         nn.Unflatten(1, (1, 28, 28)))


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(), nn.Flatten(),
                                     nn.Linear(64 * 7 * 7, 64), nn.ReLU())
        self.mean, self.log_variance = nn.Linear(64, 16), nn.Linear(64, 16)
        self.decoder = nn.Sequential(nn.Linear(16, 7 * 7 * 64), nn.ReLU(), nn.Unflatten(1, (64, 7, 7)),
                                     nn.ConvTranspose2d(64, 64, 3, 2, 1, 1), nn.ReLU(),
                                     nn.ConvTranspose2d(64, 32, 3, 2, 1, 1), nn.ReLU(), nn.ConvTranspose2d(32, 1, 3, 1, 1))

    def forward(self, x):
        return torch.sigmoid(self.decoder(self.mean(self.encoder(x))))

    def loss(self, x, noise):
        h = self.encoder(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        y = self.decoder(mean + (log_variance / 2).exp() * noise)
        far = (mean.square() + log_variance.exp() - log_variance - 1).sum() / (2 * len(x))
        return F.binary_cross_entropy_with_logits(y, x) * 784 + far


def generator():
    def grown(c, f, stride):
        return (nn.ConvTranspose2d(c, f, 5, stride, 2, stride - 1, bias=False), nn.BatchNorm2d(f), nn.LeakyReLU(0.2))
    return nn.Sequential(nn.Linear(100, 7 * 7 * 128, bias=False), nn.BatchNorm1d(7 * 7 * 128), nn.LeakyReLU(0.2),
                         nn.Unflatten(1, (128, 7, 7)), *grown(128, 64, 1), *grown(64, 32, 2),
                         nn.ConvTranspose2d(32, 1, 5, 2, 2, 1, bias=False), nn.Tanh())


def discriminator():
    return nn.Sequential(nn.Conv2d(1, 32, 5, 2, 2), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Conv2d(32, 64, 5, 2, 2),
                         nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Flatten(), nn.Linear(7 * 7 * 64, 1))


class Sound(nn.Module):
    def __init__(self):
        super().__init__()
        layers, c = [], 1
        for i, f in enumerate((128, 128, 256, 512)):
            layers += [nn.Conv1d(c, f, *((3,) if i else (80, 4))), nn.BatchNorm1d(f), nn.ReLU(), nn.MaxPool1d(4)]
            c = f
        self.layers, self.out = nn.Sequential(*layers), nn.Linear(512, 35)

    def forward(self, x):
        return self.out(self.layers(x).mean(2))


class Recurrent(nn.Module):
    def __init__(self, features, units, layers):
        super().__init__()
        self.cell, self.out = nn.LSTM(features, units, layers, batch_first=True), nn.Linear(units, 10)

    def forward(self, x):
        return self.out(self.cell(x)[0][:, -1])


def table():
    layers = [l for i in range(4) for l in (nn.Linear(256 if i else 30, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Dropout(0.2))]
    return nn.Sequential(*layers, nn.Linear(256, 2))


class Towers(nn.Module):
    def __init__(self):
        super().__init__()
        self.towers = nn.ModuleList([nn.Sequential(nn.Embedding(100000, 64), nn.Flatten(), nn.Linear(64, 128), nn.ReLU(),
                                                   nn.Linear(128, 64)) for _ in range(2)])

    def forward(self, user, item):
        return (self.towers[0](user) * self.towers[1](item)).sum(1, keepdim=True)


class BiGru(nn.Module):
    """The words that are there come packed, so that none is computed in vain."""

    def __init__(self):
        super().__init__()
        self.words, self.cell = nn.Embedding(20000, 128), nn.GRU(128, 64, batch_first=True, bidirectional=True)
        self.out = nn.Linear(128, 2)

    def forward(self, x):
        packed = nn.utils.rnn.pack_padded_sequence(self.words(x), (x != 0).sum(1).cpu(), True, enforce_sorted=False)
        return self.out(self.cell(packed)[1].transpose(0, 1).flatten(1))


class Block(nn.Module):
    """Query, key and value come of one product."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.LayerNorm(256), nn.LayerNorm(256)
        self.into, self.out = nn.Linear(256, 3 * 256), nn.Linear(256, 256)
        self.mlp = nn.Sequential(nn.Linear(256, 1024), nn.GELU(), nn.Linear(1024, 256))

    def forward(self, x):
        n, t, _ = x.shape
        q, k, v = self.into(self.first(x)).view(n, t, 3, 8, 32).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, t, 256)
        x = x + self.out(y)
        return x + self.mlp(self.second(x))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.characters, self.positions = nn.Embedding(96, 256), nn.Embedding(128, 256)
        self.blocks = nn.Sequential(*[Block() for _ in range(4)])
        self.out = nn.Sequential(nn.LayerNorm(256), nn.Linear(256, 96))

    def forward(self, x):
        return self.out(self.blocks(self.characters(x) + self.positions.weight[:x.shape[1]]))


class Mixing(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.LayerNorm(128), nn.LayerNorm(128)
        self.patches = nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 64))
        self.channels = nn.Sequential(nn.Linear(128, 512), nn.GELU(), nn.Linear(512, 128))

    def forward(self, x):
        x = x + self.patches(self.first(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.second(x))


class Mixer(nn.Module):
    def __init__(self):
        super().__init__()
        self.into, self.blocks = nn.Conv2d(3, 128, 4, 4), nn.Sequential(*[Mixing() for _ in range(4)])
        self.last, self.out = nn.LayerNorm(128), nn.Linear(128, 10)

    def forward(self, x):
        return self.out(self.last(self.blocks(self.into(x).flatten(2).transpose(1, 2))).mean(1))


class Twin(NamedTuple):
    make: Callable
    sample: tuple          # of each input, or of the only one
    classes: int = 0       # 0: the input is what is wanted
    rule: str = "adam"
    words: int = 0         # inputs are integers below it; 0: floats
    loss: Callable = F.mse_loss  # without classes
    padded: bool = False   # zeros at the end of samples, half of them at most
    targets: tuple = ()    # shape of those of a sample where they are not the input

    def inputs(self, batch):
        samples = self.sample if isinstance(self.sample[0], tuple) else (self.sample,)
        made = [torch.randint(0, self.words, (batch, *s)) if self.words else torch.rand(batch, *s) for s in samples]
        if self.padded:
            kept = torch.tensor([self.sample[0] - i * 7919 % (self.sample[0] // 2) for i in range(batch)])
            made = [(x | 1) * (torch.arange(self.sample[0]) < kept[:, None]) for x in made]
        return made

    def wanted(self, batch):
        """Random labels, or random 0 and 1; None where the input is what is wanted."""
        if self.classes:
            return torch.randint(0, self.classes, (batch, *self.targets))
        return torch.randint(0, 2, (batch, *self.targets)).float() if self.targets else None


ZOO = {
    "resnet20": Twin(resnet20, (3, 32, 32), 10, "sgd, decay"),
    "vgg11_bn": Twin(vgg11_bn, (3, 32, 32), 10, "sgd"),
    "mobilenet": Twin(mobilenet, (3, 64, 64), 10),
    "unet": Twin(UNet, (1, 128, 128), loss=F.binary_cross_entropy_with_logits),
    "densenet": Twin(densenet, (3, 32, 32), 10, "sgd"),
    "video": Twin(video, (3, 16, 32, 32), 10),
    "autoencoder": Twin(autoencoder, (1, 28, 28)),
    "vae": Twin(Vae, (1, 28, 28)),
    "dcgan": Twin(generator, (100,)),
    "sound": Twin(Sound, (1, 16000), 35),
    "lstm": Twin(lambda: Recurrent(28, 128, 1), (28, 28), 10),
    "stacked_lstm": Twin(lambda: Recurrent(32, 256, 2), (100, 32), 10),
    **{f"lstm_{steps}": Twin(lambda: Recurrent(16, 64, 1), (steps, 16), 10) for steps in (10, 100, 1000, 10000)},
    "table": Twin(table, (30,), 2),
    "two_towers": Twin(Towers, ((1,), (1,)), words=100000, loss=F.binary_cross_entropy_with_logits, targets=(1,)),
    "bigru": Twin(BiGru, (200,), 2, words=20000, padded=True),
    "transformer": Twin(Transformer, (128,), 96, words=96, targets=(128,)),
    "mixer": Twin(Mixer, (3, 32, 32), 10),
}


def count(*modules):
    """Numbers in weights and moving statistics, as Keras and Cajal count. A recurrence has one bias there, two here."""
    states = [(name, s) for m in modules for name, s in m.state_dict().items()]
    twice = [f"bias_hh_l{i}" for i in range(9)] if any(isinstance(l, (nn.LSTM, nn.RNN)) for m in modules for l in m.modules()) else []
    return sum(s.numel() for name, s in states if s.is_floating_point() and not name.endswith(tuple(twice) or "-"))


def answering(net, model):
    """The network with what it ends by in prediction."""
    twin = ZOO.get(net)
    last = nn.Sigmoid() if twin and twin.loss is F.binary_cross_entropy_with_logits else nn.Softmax(-1) if not twin or twin.classes else nn.Identity()
    return After(model, last)


class After(nn.Module):
    def __init__(self, model, last):
        super().__init__()
        self.model, self.last = model, last

    def forward(self, *x):
        return self.last(self.model(*x))


def export(net, batch, path):
    twin = ZOO[net]
    x = tuple(twin.inputs(batch))
    names = [f"x{i}" for i in range(len(x))]
    torch.onnx.export(answering(net, twin.make()).eval(), x, path, input_names=names, output_names=["y"], opset_version=17,
                      dynamo=False)


if __name__ == "__main__" and sys.argv[1:2] == ["export"]:
    export(sys.argv[2], int(sys.argv[3]), sys.argv[4])
