"""Writes what PyTorch computes for small clients, in Double: `python make_simulation.py [FOLDER]`.

Each file is in the layout of Documentation/Exporting.md: architecture, weights, samples as truth, and
the gradient or update that PyTorch gives. Needs torch, h5py and the exporter of this repository.
"""

import copy
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "Exporters"))

import leakaudit_torch  # noqa: E402

SEED = 20240602
RATE = 0.2
CLIPPING_NORM = 2.8  # one of the four samples stays below it

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def lenet():
    """Three convolutions with sigmoids and a dense layer, after Zhu et al. 2019, on 3×12×12."""
    torch.manual_seed(SEED)
    filters = 4
    return nn.Sequential(
        nn.Conv2d(3, filters, 5, padding=2, stride=2), nn.Sigmoid(),
        nn.Conv2d(filters, filters, 5, padding=2, stride=2), nn.Sigmoid(),
        nn.Conv2d(filters, filters, 5, padding=2), nn.Sigmoid(),
        nn.Flatten(), nn.Linear(9 * filters, 6))


class Block(nn.Module):
    """Two convolutions with batch normalisation beside a projection of what enters."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


def resnet():
    """A stem and two residual blocks; running statistics are neither 0 nor 1."""
    torch.manual_seed(SEED + 1)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
        Block(4, 4, 1), Block(4, 6, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.normal_(module.weight, 1, 0.2)
            nn.init.normal_(module.bias, std=0.2)
    return model


def samples(count, side, classes):
    random = torch.Generator().manual_seed(SEED + count)
    return (torch.rand(count, 3, side, side, generator=random),
            torch.randint(classes, (count,), generator=random))


def gradient(model, x, y):
    return torch.autograd.grad(
        functional.cross_entropy(model(x), y), list(model.parameters()))


def clipped(model, x, y):
    """The mean of per-sample gradients, each scaled to a norm of at most CLIPPING_NORM."""
    total = [torch.zeros_like(parameter) for parameter in model.parameters()]
    for sample in range(len(x)):
        own = gradient(model, x[sample:sample + 1], y[sample:sample + 1])
        norm = torch.cat([part.ravel() for part in own]).norm()
        factor = min(1.0, CLIPPING_NORM / norm.item())
        total = [a + factor * b / len(x) for a, b in zip(total, own)]
    return total


def trained(model, x, y, size, epochs):
    """A copy after epochs of SGD over batches in stated order, and the number of steps."""
    model, steps = copy.deepcopy(model), 0
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    for _ in range(epochs):
        for start in range(0, len(x), size):
            optimizer.zero_grad()
            functional.cross_entropy(model(x[start:start + size]), y[start:start + size]).backward()
            optimizer.step()
            steps += 1
    return model, steps


def write(folder):
    for name, model, (x, y) in (
            ("lenet_gradient", lenet(), samples(1, 12, 6)),
            ("lenet_batch_gradient", lenet(), samples(3, 12, 6)),
            ("resnet_gradient", resnet(), samples(3, 8, 5))):
        model.eval()
        leakaudit_torch.export(
            folder / f"{name}.h5", model, x, gradients=gradient(model, x, y), truth=(x, y))
    model, (x, y) = lenet().eval(), samples(4, 12, 6)
    leakaudit_torch.export(
        folder / "lenet_clipped.h5", model, x, gradients=clipped(model, x, y), truth=(x, y))
    for name, model, (x, y), size, epochs in (
            ("lenet_update", lenet(), samples(4, 12, 6), 2, 2),
            ("resnet_uneven_update", resnet(), samples(5, 8, 5), 2, 2)):
        model.eval()
        after, steps = trained(model, x, y, size, epochs)
        leakaudit_torch.export(
            folder / f"{name}.h5", after, x, before=model.state_dict(), batch_size=size,
            local_steps=steps, learning_rate=RATE, truth=(x, y))


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    target.mkdir(parents=True, exist_ok=True)
    write(target)
