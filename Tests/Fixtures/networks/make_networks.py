"""Writes networks.json: what PyTorch makes of the benchmark networks, in Double.

    python make_networks.py    # PyTorch 2.15.0

Only results are stored. The parameters, the batch and the directions are drawn by the generator
that `Sources/Networks/Initialization` documents, written a second time here.
"""
import json
import math
import os

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

MASK = (1 << 64) - 1
SEEDS = {"parameters": 1, "inputs": 2, "directions": 3, "projection": 4}
SAMPLES, CLASSES = 2, 5
LABELS = torch.tensor([3, 0])


class SplitMix64:
    """Steele, Lea & Flood 2014, with uniform and normal numbers of one rounding each."""

    def __init__(self, seed):
        self.state, self.spare = seed, None

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        mixed = self.state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        return mixed ^ (mixed >> 31)

    def uniform(self, low, high):
        return low + (high - low) * ((self.next() >> 11) * 2.0**-53)

    def normal(self):
        if self.spare is not None:
            value, self.spare = self.spare, None
            return value
        while True:
            x, y = self.uniform(-1, 1), self.uniform(-1, 1)
            square = x * x + y * y
            if 0 < square < 1:
                factor = math.sqrt(-2 * logarithm(square) / square)
                self.spare = y * factor
                return x * factor

    def truncated(self):
        value = self.normal()
        while abs(value) > 2:
            value = self.normal()
        return value


def logarithm(x):
    """The series of the Swift side, term by term."""
    fraction, exponent = math.frexp(x)
    fraction, exponent = fraction * 2, float(exponent - 1)
    if fraction > 1.4142135623730951:
        fraction, exponent = fraction / 2, exponent + 1
    s = (fraction - 1) / (fraction + 1)
    series = 0.0
    for power in range(23, 0, -2):
        series = series * (s * s) + 1 / power
    return exponent * 0.6931471805599453 + 2 * s * series


# Parameters


def parameters(network, rule):
    """Every parameter and statistic by name: in node order, then by this project's role."""
    entries = []
    for prefix, module in network.named_modules():
        for role, name, tensor in sorted(
                (role_of(module, name.rpartition(".")[2]), name, tensor)
                for own in (module.named_parameters, module.named_buffers)
                for name, tensor in own(prefix, recurse=False)
                if not name.endswith("num_batches_tracked")):
            entries.append((name, role, tensor.shape, module))
    seeds, values = SplitMix64(SEEDS["parameters"]), {}
    for name, role, shape, module in entries:
        stream = SplitMix64(seeds.next())
        numbers = [draw(role, module, rule, stream) for _ in range(math.prod(shape))]
        values[name] = torch.tensor(numbers).reshape(shape)
    return values


def role_of(module, name):
    """This project's name for a parameter's role."""
    if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)):
        return {"weight": "scale", "bias": "shift", "running_var": "running_variance"}.get(
            name, name)
    return name


def draw(role, module, rule, stream):
    if role in ("running_mean", "shift"):
        return stream.uniform(-0.5, 0.5)
    if role in ("running_variance", "scale"):
        return stream.uniform(0.5, 1.5)
    if rule == "uniform":
        return stream.uniform(-0.5, 0.5)
    if role in ("token", "position") or rule == "truncated-normal" and role.endswith("weight"):
        return 0.02 * stream.truncated()
    if rule == "truncated-normal" or role.endswith("_bias") or (
            role == "bias" and isinstance(module, NonDynamicallyQuantizableLinear)):
        return 0.0
    if role == "in_proj_weight":
        bound = math.sqrt(6 / sum(module.in_proj_weight.shape))
        return stream.uniform(-bound, bound)
    inputs = module.weight[0].numel()
    if isinstance(module, nn.Conv2d) and role == "weight" and rule in ("kaiming-normal", "vgg"):
        outputs = module.weight.numel() // module.weight.shape[1]
        return math.sqrt(2 / outputs) * stream.normal()
    if rule == "vgg":
        return 0.01 * stream.normal() if role == "weight" else 0.0
    return stream.uniform(-1 / math.sqrt(inputs), 1 / math.sqrt(inputs))


# Networks, under torchvision's names


class Perceptron(nn.Module):
    def __init__(self, inputs, *widths):
        super().__init__()
        for index, width in enumerate(widths):
            self.add_module(f"fc{index + 1}", nn.Linear(inputs, width))
            inputs = width

    def forward(self, x):
        x, *layers, last = x.flatten(1), *self.children()
        for layer in layers:
            x = layer(x).relu()
        return last(x)


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential()
        for inputs, stride in ((3, 2), (12, 2), (12, 1)):
            self.body.append(nn.Conv2d(inputs, 12, 5, stride, 2)).append(nn.Sigmoid())
        self.fc = nn.Linear(768, CLASSES)

    def forward(self, x):
        return self.fc(self.body(x).flatten(1))


class ConvNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        inputs = 3
        for index, factor in enumerate((1, 2, 2, 4, 4, 4, 4, 4)):
            self.add_module(f"conv{index}", nn.Conv2d(inputs, factor * width, 3, padding=1))
            self.add_module(f"bn{index}", nn.BatchNorm2d(factor * width))
            inputs = factor * width
        self.linear = nn.Linear(inputs, CLASSES)

    def forward(self, x):
        for index in range(8):
            x = self.get_submodule(f"bn{index}")(self.get_submodule(f"conv{index}")(x)).relu()
            if index in (5, 7):
                x = F.max_pool2d(x, 3)
        return self.linear(x.flatten(1))


class Block(nn.Module):
    def __init__(self, inputs, kernels, widths, stride):
        super().__init__()
        arriving = inputs
        for index, (kernel, width) in enumerate(zip(kernels, widths)):
            moves = stride if kernel == 3 and not hasattr(self, "moved") else 1
            if kernel == 3:
                self.moved = True
            self.add_module(
                f"conv{index + 1}",
                nn.Conv2d(arriving, width, kernel, moves, kernel // 2, bias=False))
            self.add_module(f"bn{index + 1}", nn.BatchNorm2d(width))
            arriving = width
        self.count = len(kernels)
        self.downsample = None
        if stride > 1 or inputs != arriving:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, arriving, 1, stride, bias=False), nn.BatchNorm2d(arriving))

    def forward(self, x):
        y = x
        for index in range(self.count):
            y = self.get_submodule(f"bn{index + 1}")(self.get_submodule(f"conv{index + 1}")(y))
            y = y.relu() if index < self.count - 1 else y
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


class ResNet(nn.Module):
    def __init__(self, bottleneck, blocks, width, large):
        super().__init__()
        self.large, self.stages = large, len(blocks)
        self.conv1 = nn.Conv2d(3, width, 7 if large else 3, 2 if large else 1, 3 if large else 1,
                               bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        arriving = width
        for stage, count in enumerate(blocks):
            stack = nn.Sequential()
            for index in range(count):
                own = width << stage
                widths = (own, own, 4 * own) if bottleneck else (own, own)
                kernels = (1, 3, 1) if bottleneck else (3, 3)
                stack.append(Block(arriving, kernels, widths, 2 if stage and not index else 1))
                arriving = widths[-1]
            self.add_module(f"layer{stage + 1}", stack)
        self.fc = nn.Linear(arriving, CLASSES)

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        x = F.max_pool2d(x, 3, 2, 1) if self.large else x
        for stage in range(self.stages):
            x = self.get_submodule(f"layer{stage + 1}")(x)
        return self.fc(x.mean((2, 3)))


class VGG(nn.Module):
    def __init__(self, convolutions, width, normalized):
        super().__init__()
        self.features = nn.Sequential()
        inputs = 3
        for stage, count in enumerate(convolutions):
            for _ in range(count):
                outputs = width << min(stage, 3)
                self.features.append(nn.Conv2d(inputs, outputs, 3, padding=1))
                if normalized:
                    self.features.append(nn.BatchNorm2d(outputs))
                self.features.append(nn.ReLU())
                inputs = outputs
            self.features.append(nn.MaxPool2d(2))
        self.classifier = nn.Linear(inputs, CLASSES)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Learned(nn.Module):
    """A class token in front of the rows, or positions added to them."""

    def __init__(self, name, *shape):
        super().__init__()
        self.name = name
        self.register_parameter(name, nn.Parameter(torch.zeros(1, *shape)))

    def forward(self, x):
        own = self.get_parameter(self.name)
        return torch.cat([own.expand(len(x), -1, -1), x], 1) if self.name == "token" else x + own


class EncoderBlock(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(width, eps=1e-6)
        # The dropout at 2 keeps the numbers of torchvision.
        self.mlp = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Dropout(0), nn.Linear(hidden, width))

    def forward(self, x):
        y = self.ln_1(x)
        # Without fused kernels, which have no second derivative.
        with sdpa_kernel(SDPBackend.MATH):
            x = x + self.self_attention(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class ViT(nn.Module):
    def __init__(self, patch, width, depth, heads, hidden, positions, has_token):
        super().__init__()
        self.conv_proj = nn.Conv2d(3, width, patch, patch)
        self.class_token = Learned("token", 1, width) if has_token else None
        self.encoder = nn.Module()
        self.encoder.pos_embedding = Learned("position", positions + has_token, width)
        self.encoder.layers = nn.Module()
        for index in range(depth):
            self.encoder.layers.add_module(
                f"encoder_layer_{index}", EncoderBlock(width, heads, hidden))
        self.encoder.ln = nn.LayerNorm(width, eps=1e-6)
        self.heads = nn.Module()
        self.heads.head = nn.Linear(width, CLASSES)

    def forward(self, x):
        x = self.conv_proj(x).flatten(2).transpose(1, 2)
        x = x if self.class_token is None else self.class_token(x)
        x = self.encoder.pos_embedding(x)
        for block in self.encoder.layers.children():
            x = block(x)
        x = self.encoder.ln(x)
        return self.heads.head(x.mean(1) if self.class_token is None else x[:, 0])


NETWORKS = {
    "perceptron": (Perceptron(48, 16, 12, CLASSES), (3, 4, 4), "pytorch"),
    "lenet": (LeNet(), (3, 32, 32), "uniform"),
    "convnet": (ConvNet(2), (3, 16, 16), "pytorch"),
    "resnet20": (ResNet(False, (3, 3, 3), 4, False), (3, 8, 8), "kaiming-normal"),
    "resnet-bottleneck": (ResNet(True, (1, 2), 4, True), (3, 32, 32), "kaiming-normal"),
    "vgg": (VGG((1, 1, 2, 2, 2), 2, False), (3, 32, 32), "vgg"),
    "vgg-normalized": (VGG((1, 1, 2, 2, 2), 2, True), (3, 32, 32), "pytorch"),
    "vit": (ViT(4, 12, 2, 3, 20, 4, True), (3, 8, 8), "truncated-normal"),
    "vit-mean": (ViT(4, 12, 1, 2, 48, 6, False), (3, 8, 12), "pytorch"),
}


# What is stored


def drawn(stream, shape):
    return torch.tensor([stream.uniform(-1, 1) for _ in range(math.prod(shape))]).reshape(shape)


def digest(tensor, projection):
    """The norm, and the inner product with a drawn tensor, which no error is likely to keep."""
    return {"norm": tensor.norm().item(),
            "projection": (tensor * drawn(projection, tensor.shape)).sum().item()}


def entry(network, shape, rule):
    network.load_state_dict(parameters(network, rule), strict=False)
    network.eval()
    x = drawn(SplitMix64(SEEDS["inputs"]), (SAMPLES, *shape)).requires_grad_()
    logits = network(x)
    loss = F.cross_entropy(logits, LABELS)
    order = sorted_parameters(network)
    gradients = torch.autograd.grad(loss, [value for _, value in order], create_graph=True)
    directions = SplitMix64(SEEDS["directions"])
    slope = sum((gradient * drawn(directions, gradient.shape)).sum() for gradient in gradients)
    (mixed,) = torch.autograd.grad(slope, x)
    projection = SplitMix64(SEEDS["projection"])
    return {
        "initialization": rule, "input": shape, "logits": logits.flatten().tolist(),
        "loss": loss.item(),
        "gradients": {name: digest(gradient, projection)
                      for (name, _), gradient in zip(order, gradients)},
        "mixedProduct": digest(mixed, projection),
    }


def sorted_parameters(network):
    """Trainable parameters in node order, then by role: bias before weight, scale before shift."""
    order = []
    for prefix, module in network.named_modules():
        order += sorted(
            module.named_parameters(prefix, recurse=False),
            key=lambda item: role_of(module, item[0].rpartition(".")[2]))
    return order


def main():
    entries = {name: entry(*row) for name, row in NETWORKS.items()}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "networks.json")
    with open(path, "w") as file:
        json.dump({"labels": LABELS.tolist(), "networks": entries}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
