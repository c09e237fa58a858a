"""The networks on which the cascade is measured, as data and a few classes.

A name may end in `_randbn` (randomised running statistics, scales and shifts of every batch
normalisation) or in `_trained` (weights trained on crops of photographs, see cascade_training.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from torch_networks import Bottleneck, LeNetZhu, ResNet, conv_net

CLASSES = 10

# Mean and deviation of the CIFAR-10 training images (Geiping et al. 2020, code of the paper).
CIFAR_MEAN = (0.4914672374725342, 0.4822617471218109, 0.4467701315879822)
CIFAR_DEVIATION = (0.24703224003314972, 0.24348513782024384, 0.26158785820007324)


@dataclass(frozen=True)
class Convolution:
    """One layer of a stack: convolution, batch normalisation if wanted, activation, pooling."""

    filters: int
    kernel: int
    stride: int = 1
    pooling: bool = False


def stack(
    layers: Sequence[Convolution], activation: Callable[[], nn.Module], normalised: bool = False
) -> nn.Module:
    """Convolutions and one dense layer on 32 × 32 images; Glorot-uniform, small random biases."""
    modules: list[nn.Module] = []
    channels, extent = 3, 32
    for layer in layers:
        modules.append(nn.Conv2d(channels, layer.filters, layer.kernel, layer.stride,
                                 padding=layer.kernel // 2, bias=not normalised))
        if normalised:
            modules.append(nn.BatchNorm2d(layer.filters))
        modules.append(activation())
        if layer.pooling:
            modules.append(nn.AvgPool2d(2))
        channels = layer.filters
        extent //= layer.stride * (2 if layer.pooling else 1)
    network = nn.Sequential(*modules, nn.Flatten(), nn.Linear(channels * extent**2, CLASSES))
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.02)
    if normalised:
        randomise_normalisation(network)
    return network


def two_strided(activation: Callable[[], nn.Module]) -> nn.Module:
    """Two 5×5 convolutions with 16 filters and stride 2, behind each the activation."""
    return stack([Convolution(16, 5, 2)] * 2, activation)


def initialise_he(network: nn.Module) -> nn.Module:
    """He et al. 2015, as torchvision does it: fan-out, biases of convolutions 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def randomise_normalisation(network: nn.Module) -> None:
    """Statistics, scales and shifts as far from 0 and 1 as those of a network in use.

    The ranges keep the mean square of a value about as it was, so that depth does not saturate.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.affine:
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.3)
            nn.init.normal_(module.bias, std=0.1)


class ResidualFlat(nn.Module):
    """A residual network without pooling: stem 32, blocks 48/2 and 64/2, flatten, dense."""

    def __init__(self) -> None:
        super().__init__()
        body = ResNet((32, 48, 64), (0, 1, 1), CLASSES)
        self.conv1, self.bn1 = body.conv1, body.bn1
        self.layer1, self.layer2 = body.layer2, body.layer3
        self.fc = nn.Linear(64 * 8 * 8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn1(self.conv1(x)).relu()
        return self.fc(self.layer2(self.layer1(x)).flatten(1))


class PreActivationBlock(nn.Module):
    """Normalisation and ReLU in front of each convolution; He et al. 2016 ("Identity Mappings")."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        active = self.bn1(x).relu()
        shortcut = x if self.downsample is None else self.downsample(active)
        return self.conv2(self.bn2(self.conv1(active)).relu()) + shortcut


class PreActivationResNet(nn.Module):
    """Two pre-activation blocks a stage behind a 3×3 stem; global average pooling."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 3, padding=1, bias=False)
        blocks, channels = [], widths[0]
        for index, width in enumerate(widths):
            for place in range(2):
                blocks.append(PreActivationBlock(
                    channels, width, 2 if index > 0 and place == 0 else 1))
                channels = width
        self.blocks = nn.Sequential(*blocks)
        self.bn = nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.bn(self.blocks(self.conv1(x))).relu().mean((2, 3)))


VGG_STAGES = {
    11: ((64,), (128,), (256,) * 2, (512,) * 2, (512,) * 2),
    16: ((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3),
}


def vgg(depth: int, normalised: bool = False) -> nn.Module:
    """Simonyan & Zisserman 2015 for 32 × 32 images: one dense layer behind the last pooling."""
    modules: list[nn.Module] = []
    channels = 3
    for stage in VGG_STAGES[depth]:
        for width in stage:
            modules.append(nn.Conv2d(channels, width, 3, padding=1, bias=not normalised))
            modules += [nn.BatchNorm2d(width), nn.ReLU()] if normalised else [nn.ReLU()]
            channels = width
        modules.append(nn.MaxPool2d(2))
    return initialise_he(nn.Sequential(*modules, nn.Flatten(), nn.Linear(channels, CLASSES)))


def rgap_cnn6(normalised: bool = False) -> nn.Module:
    """The example network of R-GAP (Zhu & Blaschko, ICLR 2021), PyTorch's own initialisation.

    The layers are those of `models/CNN6.py` in JunyiZhu-AI/R-GAP with the ten-class head of "cnn6"
    in `breaching/cases/models/model_preparation.py` of JonasGeiping/breaching, whose notebook
    "R-GAP - Recursive Attack - Small ConvNet on CIFAR-10" states 154,266 parameters and 49.01 dB.
    `normalised` puts that notebook's CIFAR-10 normalisation in front.
    """
    modules: list[nn.Module] = []
    if normalised:
        front = nn.BatchNorm2d(3, eps=0, affine=False)
        front.running_mean = torch.tensor(CIFAR_MEAN)
        front.running_var = torch.tensor(CIFAR_DEVIATION) ** 2
        modules.append(front)
    channels = 3
    for filters, kernel, stride in ((12, 4, 2), (36, 3, 2), (36, 3, 1), (36, 3, 1),
                                    (64, 3, 2), (128, 3, 1)):
        modules += [nn.Conv2d(channels, filters, kernel, stride, padding=kernel // 2, bias=False),
                    nn.LeakyReLU(0.2)]
        channels = filters
    return nn.Sequential(*modules, nn.Flatten(), nn.Linear(128 * 5 * 5, CLASSES))


def circular(network: nn.Module) -> nn.Module:
    """The network with every zero padding replaced by circular padding."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and any(module.padding):
            module.padding_mode = "circular"
    return network


RESNET = (64, 128, 256, 512)

FAMILIES: dict[str, Callable[[], nn.Module]] = {
    "lenet": lambda: LeNetZhu(CLASSES),
    "tanh": lambda: two_strided(nn.Tanh),
    "elu": lambda: stack([Convolution(24, 3), Convolution(24, 3, 2)], nn.ELU),
    "sigmoid_avgpool": lambda: stack(
        [Convolution(16, 5, pooling=True), Convolution(24, 5, pooling=True)], nn.Sigmoid),
    "strided_relu": lambda: stack(
        [Convolution(32, 3), Convolution(48, 3, 2), Convolution(64, 3, 2)], nn.ReLU),
    # 32 filters at stride 2 see 224 of the 256 directions of their 16 × 16 input per channel.
    "leaky_bn": lambda: stack(
        [Convolution(24, 3), Convolution(32, 3, 2), Convolution(32, 3, 2)],
        lambda: nn.LeakyReLU(0.2), normalised=True),
    "residual_flat": lambda: initialise_he(ResidualFlat()),
    "silu": lambda: two_strided(nn.SiLU),
    "gelu": lambda: two_strided(nn.GELU),
    "softplus": lambda: two_strided(nn.Softplus),
    "selu": lambda: two_strided(nn.SELU),
    "leaky": lambda: two_strided(lambda: nn.LeakyReLU(0.2)),
    "preact": lambda: initialise_he(PreActivationResNet(RESNET)),
    "resnet18": lambda: ResNet(RESNET, 2, CLASSES),
    "resnet34": lambda: ResNet(RESNET, (3, 4, 6, 3), CLASSES),
    "resnet50": lambda: ResNet(RESNET, (3, 4, 6, 3), CLASSES, block=Bottleneck),
    "resnet20_4": lambda: ResNet((64, 128, 256), 3, CLASSES),
    "resnet18_224": lambda: ResNet(RESNET, 2, 1000, large_images=True),
    "resnet18_circular": lambda: circular(ResNet(RESNET, 2, CLASSES)),
    "convnet64": lambda: initialise_he(conv_net(64, CLASSES)),
    "vgg11": lambda: vgg(11),
    "vgg16": lambda: vgg(16),
    "vgg11_bn": lambda: vgg(11, normalised=True),
    "vgg16_bn": lambda: vgg(16, normalised=True),
    "rgap_cnn6": rgap_cnn6,
    "rgap_cnn6_normalised": lambda: rgap_cnn6(normalised=True),
}
VARIANTS = ("_randbn", "_trained")


def split(name: str) -> tuple[str, str]:
    """The family and the variant of a name; the variant is empty for the plain network."""
    for variant in VARIANTS:
        if name.endswith(variant):
            return name.removesuffix(variant), variant
    return name, ""


def extent(name: str) -> int:
    """Height and width of the network's images."""
    return 224 if split(name)[0].endswith("_224") else 32


def build(name: str) -> nn.Module:
    """The untrained network in evaluation mode, its weights from PyTorch's current seed."""
    family, variant = split(name)
    if family not in FAMILIES:
        raise ValueError(f"no family is called {family}; there are {', '.join(FAMILIES)}")
    network = FAMILIES[family]()
    if variant == "_randbn":
        randomise_normalisation(network)
    return network.eval()
