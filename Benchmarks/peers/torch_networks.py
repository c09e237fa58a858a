"""The benchmark networks as their papers define them, with the names that torchvision uses.

    python Benchmarks/peers/torch_networks.py    # forward MFLOP of each, against workloads.json
"""

from __future__ import annotations

import json
import pathlib
import sys
from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

WORKLOADS: dict[str, dict] = json.loads(
    (pathlib.Path(__file__).parents[1] / "workloads.json").read_text())


class LeNetZhu(nn.Module):
    """Three strided 5×5 convolutions with sigmoids; Zhu et al. 2019 ("Deep Leakage")."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 12, 5, stride=2, padding=2), nn.Sigmoid(),
            nn.Conv2d(12, 12, 5, stride=2, padding=2), nn.Sigmoid(),
            nn.Conv2d(12, 12, 5, stride=1, padding=2), nn.Sigmoid())
        self.fc = nn.Linear(768, classes)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.5, 0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.body(x).flatten(1))


class MLP(nn.Module):
    """3072-1024-1024-1024-10 with ReLU."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(3072, 1024)
        self.fc2 = nn.Linear(1024, 1024)
        self.fc3 = nn.Linear(1024, 1024)
        self.fc4 = nn.Linear(1024, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        for layer in (self.fc1, self.fc2, self.fc3):
            x = layer(x).relu()
        return self.fc4(x)


def conv_net(width: int, classes: int) -> nn.Sequential:
    """ConvNet of Geiping et al. 2020: eight convolutions, two 3×3 poolings."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = 3
    for index, factor in enumerate((1, 2, 2, 4, 4, 4, 4, 4)):
        layers[f"conv{index}"] = nn.Conv2d(channels, factor * width, 3, padding=1)
        layers[f"bn{index}"] = nn.BatchNorm2d(factor * width)
        layers[f"relu{index}"] = nn.ReLU()
        if index in (5, 7):
            layers[f"pool{(index - 5) // 2}"] = nn.MaxPool2d(3)
        channels = factor * width
    layers["flatten"] = nn.Flatten()
    layers["linear"] = nn.Linear(9 * channels, classes)
    return nn.Sequential(layers)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut; He et al. 2016, figure 2."""

    expansion = 1

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        return (self.bn2(self.conv2(self.bn1(self.conv1(x)).relu())) + shortcut).relu()


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolutions, the last four times as wide, and a shortcut; figure 5.

    The stride is in the 3×3 convolution, as in torchvision.
    """

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = self.expansion * width
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu())).relu()
        return (self.bn3(self.conv3(x)) + shortcut).relu()


class ResNet(nn.Module):
    """Stages of blocks behind a 3×3 stem (small images) or 7×7 with pooling (ImageNet).

    `blocks` counts the blocks of every stage, or of each.
    """

    def __init__(
        self, widths: Sequence[int], blocks: int | Sequence[int], classes: int,
        large_images: bool = False, block: type[BasicBlock] | type[Bottleneck] = BasicBlock
    ) -> None:
        super().__init__()
        channels = widths[0]
        if large_images:
            self.conv1 = nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False)
        else:
            self.conv1 = nn.Conv2d(3, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if large_images else nn.Identity()
        self.stages = [f"layer{index + 1}" for index in range(len(widths))]
        counts = [blocks] * len(widths) if isinstance(blocks, int) else blocks
        for index, (name, width, count) in enumerate(zip(self.stages, widths, counts)):
            stage = nn.Sequential()
            for place in range(count):
                stride = 2 if index > 0 and place == 0 else 1
                stage.append(block(channels, width, stride))
                channels = block.expansion * width
            self.add_module(name, stage)
        self.fc = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.bn1(self.conv1(x)).relu())
        for name in self.stages:
            x = self.get_submodule(name)(x)
        return self.fc(x.mean((2, 3)))


def build(workload: str) -> nn.Module:
    """The workload's network in evaluation mode, its weights from PyTorch's current seed."""
    classes = WORKLOADS[workload]["classes"]
    resnet18 = (64, 128, 256, 512)
    match workload:
        case "lenet-zhu":
            network: nn.Module = LeNetZhu(classes)
        case "mlp":
            network = MLP(classes)
        case "convnet64":
            network = conv_net(64, classes)
        case "resnet20-4":
            network = ResNet((64, 128, 256), 3, classes)
        case "resnet18-cifar":
            network = ResNet(resnet18, 2, classes)
        case "resnet18-imagenet":
            network = ResNet(resnet18, 2, classes, large_images=True)
        case _:
            raise ValueError(f"no network is called {workload}")
    return network.eval()


def forward_mflop(network: nn.Module, shape: Sequence[int]) -> float:
    """Millions of operations of one forward pass, two per multiply-add of a weight."""
    total = 0

    def count(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += 2 * output.numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += 2 * module.weight.numel()

    hooks = [module.register_forward_hook(count) for module in network.modules()]
    with torch.no_grad():
        network(torch.zeros(1, *shape))
    for hook in hooks:
        hook.remove()
    return total / 1e6


def main() -> None:
    wrong = False
    for name, workload in WORKLOADS.items():
        network = build(name)
        measured, stated = forward_mflop(network, workload["input"]), workload["forwardMFLOP"]
        parameters = sum(parameter.numel() for parameter in network.parameters()) / 1e6
        agrees = abs(measured - stated) <= 0.001 * stated
        wrong |= not agrees
        print(f"{name:<18} {measured:8.3f} MFLOP, stated {stated:8.3f}, "
              f"{parameters:6.2f} M parameters{'' if agrees else '   WRONG'}")
    sys.exit(wrong)


if __name__ == "__main__":
    main()
