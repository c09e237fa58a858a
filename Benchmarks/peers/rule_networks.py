"""Networks on which static rules are calibrated: clean ones, and ones that a dishonest server changed.

The manipulations follow the papers that describe them and share no code with the tool:

- imprint: Fowl et al. 2022 ("Robbing the Fed"); trap, pass-through: Boenisch et al. 2023 ("When the
  Curious Abandon Honesty"); class and feature fishing: Wen et al. 2022 ("Fishing for User Data");
  embeddings and queries: Fowl et al. 2023 ("Decepticons"); skips, weights per sample, invertible
  paths, reset statistics: Geiping et al. 2020, appendix A.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from statistics import NormalDist

import torch
from torch import Tensor, nn

from cascade_networks import vgg
from torch_networks import ResNet, conv_net

EXTENT = 32
INPUTS = 3 * EXTENT * EXTENT


class Perceptron(nn.Module):
    """inputs-256-256-classes with ReLU; with `normalised`, batch normalisation behind each layer."""

    def __init__(self, inputs: int = INPUTS, classes: int = 10, width: int = 256,
                 normalised: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in ((inputs, width), (width, width)):
            layers.append(nn.Linear(before, after))
            if normalised:
                layers.append(nn.BatchNorm1d(after))
            layers.append(nn.ReLU())
        self.body = nn.Sequential(*layers)
        self.fc = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.body(x))


class Transformer(nn.Module):
    """Two encoder layers of four heads on 24 tokens, and a classifier on the mean."""

    def __init__(self, tokens: int = 200, width: int = 64, classes: int = 10) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, width)
        self.attention = nn.ModuleList(
            nn.MultiheadAttention(width, 4, batch_first=True) for _ in range(2))
        self.norm1 = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.norm2 = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.up = nn.ModuleList(nn.Linear(width, 4 * width) for _ in range(2))
        self.down = nn.ModuleList(nn.Linear(4 * width, width) for _ in range(2))
        self.fc = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        h = self.embedding(x)
        for index in range(2):
            n = self.norm1[index](h)
            h = h + self.attention[index](n, n, n, need_weights=False)[0]
            h = h + self.down[index](self.up[index](self.norm2[index](h)).relu())
        return self.fc(h.mean(1))


def resnet18(classes: int = 10) -> nn.Module:
    return ResNet((64, 128, 256, 512), 2, classes)


def convnet(classes: int = 10) -> nn.Module:
    return conv_net(16, classes)


ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {
    "mlp": Perceptron, "convnet": convnet, "resnet18": resnet18,
    "vgg11": lambda: vgg(11), "transformer": Transformer}


def example(architecture: str) -> Tensor:
    """What the network is called with."""
    if architecture == "transformer":
        return torch.zeros(1, 24, dtype=torch.long)
    return torch.rand(1, 3, EXTENT, EXTENT)


def lecun_normal_(weight: Tensor) -> None:
    fan = weight[0].numel()
    nn.init.normal_(weight, std=1 / math.sqrt(fan))


INITIALISERS: dict[str, Callable[[Tensor], object]] = {
    "glorot-uniform": nn.init.xavier_uniform_, "glorot-normal": nn.init.xavier_normal_,
    "he-uniform": lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu"),
    "he-normal": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
    "lecun-normal": lecun_normal_, "orthogonal": nn.init.orthogonal_}


def initialise(network: nn.Module, name: str) -> nn.Module:
    """Every weight with at least two axes but embeddings by one initialiser; biases zero."""
    for module in network.modules():
        if isinstance(module, nn.Embedding):
            continue
        for key, parameter in module.named_parameters(recurse=False):
            if parameter.dim() >= 2:
                INITIALISERS[name](parameter)
            elif "bias" in key:
                nn.init.zeros_(parameter)
    return network


def layers(network: nn.Module, *kinds: type) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, kinds)]


def classifier(network: nn.Module) -> nn.Linear:
    return layers(network, nn.Linear)[-1]


# Manipulations ----------------------------------------------------------------------------------


class Imprint(nn.Module):
    """Flatten, equal rows against a ladder of biases, ReLU, equal columns back to a picture."""

    def __init__(self, bins: int, seed: int, planted: bool = True) -> None:
        super().__init__()
        self.encode = nn.Linear(INPUTS, bins)
        self.decode = nn.Linear(bins, INPUTS)
        if not planted:
            return
        law = (NormalDist(), None, NormalDist(0.5, 0.1))[seed % 3]
        direction = (torch.full((INPUTS,), 1 / INPUTS), torch.randn(INPUTS) / math.sqrt(INPUTS),
                     torch.cos(math.pi / INPUTS * (torch.arange(INPUTS) + 0.5) * 2))[seed % 3]
        levels = [(k + 1) / (bins + 1) for k in range(bins)]
        ladder = [law.inv_cdf(p) if law else laplace(p) for p in levels]
        with torch.no_grad():
            self.encode.weight.copy_(direction.expand(bins, INPUTS))
            self.encode.bias.copy_(-torch.tensor(ladder))
            self.decode.weight.copy_(torch.randn(INPUTS, 1).expand(INPUTS, bins) / bins)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x.flatten(1)).relu()).reshape(-1, 3, EXTENT, EXTENT)


def laplace(level: float) -> float:
    sign = -1 if level < 0.5 else 1
    return -sign * math.log(1 - 2 * abs(level - 0.5)) / math.sqrt(2)


def imprint(network: nn.Module, size: int, seed: int) -> nn.Module:
    return nn.Sequential(Imprint((64, 128, 256)[size], seed), network)


def dense_block(network: nn.Module, size: int, seed: int) -> nn.Module:
    return nn.Sequential(Imprint((64, 256, 512)[size], seed, planted=False), network)


def trap(network: nn.Module, size: int, seed: int) -> nn.Module:
    """The first dense layer: half of each row negative, the other half the same, slightly less."""
    scale = (0.9, 0.95, 0.99)[size]
    layer = layers(network, nn.Linear)[0]
    with torch.no_grad():
        half = layer.in_features // 2
        for row in layer.weight:
            magnitudes = torch.randn(half).abs() * 0.1
            values = torch.zeros(layer.in_features)
            values[:half], values[half:2 * half] = -magnitudes, scale * magnitudes
            row.copy_(values[torch.randperm(layer.in_features)])
        layer.bias.zero_()
    return network


def pass_through(network: nn.Module, size: int, seed: int) -> nn.Module:
    """Convolutions from the input on that pass their first channels; a unit matrix in a perceptron."""
    noise = (0.0, 1e-4, 1e-3)[seed % 3]
    convolutions = layers(network, nn.Conv2d)
    with torch.no_grad():
        if not convolutions:
            width = (64, 256, 1024)[size]
            front = nn.Linear(INPUTS, INPUTS)
            front.weight.copy_(torch.eye(INPUTS))
            front.bias.zero_()
            return nn.Sequential(nn.Flatten(), front, nn.ReLU(), Perceptron(width=width))
        if isinstance(network, ResNet):
            blocks = (network.layer1[0], network.layer1[1])
            for block in blocks[:size]:
                block.conv2.weight.zero_()
                block.bn2.bias.zero_()
            convolutions = convolutions[:1]
        for layer in convolutions[:size + 1]:
            for index, row in enumerate(layer.weight):
                row.copy_(noise * torch.randn_like(row))
                if index < layer.in_channels:
                    row[index, layer.kernel_size[0] // 2, layer.kernel_size[1] // 2] = 1
    return network


def with_classes(network: nn.Module, classes: int) -> nn.Linear:
    """A classifier of that many classes in place of the network's."""
    old = classifier(network)
    new = nn.Linear(old.in_features, classes)
    for module in network.modules():
        for name, child in module.named_children():
            if child is old:
                setattr(module, name, new)
    return new


def class_fishing(network: nn.Module, size: int, seed: int) -> nn.Module:
    layer = with_classes(network, (10, 100, 1000)[size])
    target = seed % layer.out_features
    with torch.no_grad():
        kept = layer.bias[target].clone()
        layer.weight.zero_()
        layer.weight[target] = 0.5
        layer.bias.fill_(1000)
        layer.bias[target] = kept
    return network


def scaled_class(network: nn.Module, size: int, seed: int) -> nn.Module:
    layer = with_classes(network, (10, 100, 1000)[size])
    with torch.no_grad():
        layer.weight[seed] *= (20, 50, 100)[size]
    return network


def feature_fishing(network: nn.Module, size: int, seed: int) -> nn.Module:
    layer = with_classes(network, (10, 100, 1000)[size])
    target, feature = seed, 5 + seed
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[target, feature] = 300
        layer.bias.fill_(-1000)
        layer.bias[target] = -300 * 0.7
    return network


def reset_normalisation(network: nn.Module, size: int, seed: int) -> nn.Module:
    """Of a network whose normalisations have moved, one, half or all are set back."""
    for module in layers(network, nn.BatchNorm1d, nn.BatchNorm2d):
        nn.init.normal_(module.running_mean, std=0.1)
        nn.init.uniform_(module.running_var, 0.5, 1.5)
        nn.init.uniform_(module.weight, 0.5, 1.3)
        nn.init.normal_(module.bias, std=0.1)
    found = layers(network, nn.BatchNorm1d, nn.BatchNorm2d)
    count = (1, (len(found) + 1) // 2, len(found))[size]
    for index in torch.randperm(len(found))[:count]:
        found[index].reset_running_stats()
    return network


def duplicates(network: nn.Module, size: int, seed: int) -> nn.Module:
    """A row of a layer copied two, eight or 32 times, some copies scaled."""
    found = [layer for layer in layers(network, nn.Linear, nn.Conv2d)
             if layer.weight[0].numel() >= 16 and len(layer.weight) >= 64]
    layer = found[seed % len(found)]
    with torch.no_grad():
        for index in torch.randperm(len(layer.weight) - 1)[:(2, 8, 32)[size]] + 1:
            layer.weight[index] = layer.weight[0] * (1 if index % 2 else -0.5)
    return network


def scaled_row(network: nn.Module, size: int, seed: int) -> nn.Module:
    """One row of a layer in front of the classifier made to dominate."""
    found = [layer for layer in layers(network, nn.Linear, nn.Conv2d)[:-1]
             if len(layer.weight) >= 16]
    layer = found[seed % len(found)]
    with torch.no_grad():
        layer.weight[seed] *= (20, 50, 200)[size]
    return network


def unusual(network: nn.Module, size: int, seed: int) -> nn.Module:
    """One layer's weights of one magnitude, with one giant, or far too large."""
    found = [layer for layer in layers(network, nn.Linear, nn.Conv2d)
             if layer.weight.numel() >= 4096]
    layer = found[seed % len(found)]
    with torch.no_grad():
        if size == 0:
            layer.weight.copy_(layer.weight.sign() * layer.weight.std())
        elif size == 1:
            layer.weight.view(-1)[seed] = 1e4 * layer.weight.std()
        else:
            layer.weight *= 1000
    return network


class InputSkip(nn.Module):
    """The input beside the features in front of the classifier."""

    def __init__(self, network: nn.Module, size: int) -> None:
        super().__init__()
        head = classifier(network)
        self.network = network
        self.hidden = nn.Linear(head.out_features, (32, 64, 128)[size])
        self.fc = nn.Linear(self.hidden.out_features + INPUTS, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.cat([self.hidden(self.network(x)).relu(), x.flatten(1)], 1))


def input_skip(network: nn.Module, size: int, seed: int) -> nn.Module:
    return InputSkip(network, size)


class Reversible(nn.Module):
    """Residual blocks on two streams, each of which the other undoes (Gomez et al. 2017)."""

    def __init__(self, depth: int, width: int = 8) -> None:
        super().__init__()
        self.stems = nn.ModuleList(nn.Conv2d(3, width, 3, padding=1) for _ in range(2))
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width),
                          nn.ReLU(), nn.Conv2d(width, width, 3, padding=1, bias=False),
                          nn.BatchNorm2d(width)) for _ in range(2 * depth))
        self.fc = nn.Linear(2 * width * 64, 10)

    def forward(self, x: Tensor) -> Tensor:
        a, b = (stem(x) for stem in self.stems)
        for branch in self.branches:
            a, b = b, a + branch(b)
        return self.fc(torch.cat([a, b], 1).flatten(1))


def invertible(network: nn.Module, size: int, seed: int) -> nn.Module:
    """As many values behind every layer, and activations or residual blocks that can be undone."""
    depth = size + 2
    if isinstance(network, ResNet):
        return Reversible(depth)
    if isinstance(network, Perceptron):
        inner = [part for _ in range(depth) for part in (nn.Linear(192, 192), nn.Tanh())]
        return nn.Sequential(nn.Flatten(), *inner, nn.Linear(192, 10))
    widths = [3, 4, 6, 8, 8][:depth + 1]
    inner = [part for a, b in zip(widths, widths[1:])
             for part in (nn.Conv2d(a, b, 3, padding=1), nn.LeakyReLU(0.1))]
    return nn.Sequential(*inner, nn.Flatten(), nn.Linear(widths[-1] * 64, 10))


class PerSample(nn.Module):
    """Channels mixed by weights that belong to one element of the batch each."""

    def __init__(self, batch: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(batch, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("bij,bjhw->bihw", self.weight, x)


def per_sample(network: nn.Module, size: int, seed: int) -> nn.Module:
    return nn.Sequential(PerSample((2, 4, 8)[size]), network)


def zeroed_embedding(network: nn.Module, size: int, seed: int) -> nn.Module:
    with torch.no_grad():
        network.embedding.weight[:, :(1, 6, 16)[size]] = 0
    return network


def fixed_query(network: nn.Module, size: int, seed: int) -> nn.Module:
    attention = network.attention[seed % 2]
    width = attention.embed_dim
    with torch.no_grad():
        attention.in_proj_weight[:width] = 0
        attention.in_proj_bias[:width] = (1e3, 1e5, 1e8)[size]
        attention.in_proj_weight[width:2 * width] = torch.eye(width)
        attention.out_proj.weight.copy_(torch.eye(width))
    return network


PICTURES = ("mlp", "convnet", "resnet18")

# Rule: how it is provoked, and on which architectures.
MANIPULATIONS: dict[str, list[tuple[Callable[[nn.Module, int, int], nn.Module],
                                    tuple[str, ...]]]] = {
    "class-fishing": [(class_fishing, PICTURES), (scaled_class, PICTURES)],
    "dense-block-at-input": [(dense_block, PICTURES[1:])],
    "duplicate-rows": [(duplicates, PICTURES)],
    "feature-fishing": [(feature_fishing, PICTURES)],
    "huge-query-bias": [(fixed_query, ("transformer",))],
    "imprint-rows": [(imprint, PICTURES)],
    "input-skip-to-late-layer": [(input_skip, PICTURES)],
    "invertible-path": [(invertible, PICTURES)],
    "pass-through-layers": [(pass_through, PICTURES)],
    "reset-batch-normalization": [(reset_normalisation, PICTURES)],
    "scaled-rows": [(scaled_row, PICTURES)],
    "trap-weights": [(trap, PICTURES)],
    "unusual-weights": [(unusual, PICTURES)],
    "weights-per-sample": [(per_sample, PICTURES)],
    "zeroed-embedding-columns": [(zeroed_embedding, ("transformer",))],
}


def manipulated(
    change: Callable[[nn.Module, int, int], nn.Module], architecture: str, size: int, seed: int
) -> tuple[nn.Module, Tensor, int | None]:
    """The changed network, what it is called with, and the batch size if it is part of it."""
    torch.manual_seed(1000 * size + seed)
    network = ARCHITECTURES[architecture]()
    if change is reset_normalisation and architecture == "mlp":
        network = Perceptron(normalised=True)
    network = change(network, size, seed).eval()
    inputs = example(architecture)
    if change is invertible:
        inputs = torch.rand(1, 3, 8, 8)
    batch = None
    if change is per_sample:
        batch = (2, 4, 8)[size]
        inputs = inputs.repeat(batch, 1, 1, 1)
    return network, inputs, batch


def swapped(network: nn.Module, first: int, second: int) -> nn.Module:
    """A copy with two classes exchanged (Geiping et al. 2020, label flipping)."""
    changed = copy.deepcopy(network)
    layer = classifier(changed)
    order = list(range(layer.out_features))
    order[first], order[second] = second, first
    with torch.no_grad():
        layer.weight.copy_(layer.weight[order].clone())
        layer.bias.copy_(layer.bias[order].clone())
    return changed


def moved(network: nn.Module, share: float) -> nn.Module:
    """A copy of which every weight moved by that share of its layer's size, as a step does."""
    changed = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in changed.parameters():
            parameter += share * parameter.std(correction=0) * torch.randn_like(parameter)
    return changed


__all__ = ["ARCHITECTURES", "EXTENT", "INITIALISERS", "MANIPULATIONS", "PICTURES", "example",
           "imprint", "initialise", "layers", "manipulated", "moved", "swapped", "with_classes"]
