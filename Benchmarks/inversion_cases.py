#!/usr/bin/env python3
"""Writes networks with what a client would send for photographs, for numerical inversion.

    python Benchmarks/inversion_cases.py lenet-zhu --seeds 0-49 --output FOLDER

Each case is three files: NAME.h5 holds weights and gradient (or the update of local training),
NAME_truth.h5 the inputs as the network gets them and their labels, NAME_start.h5 the normal noise
from which both sides start. Softmax cross-entropy, mean over the samples, batch normalisation in
inference mode, pixels normalised with CIFAR-10's mean and deviation. Equal arguments give equal
bytes on one machine. Needs requirements-cascade.txt.

What the paper varies beside networks: `--trained` trains first, on crops of the photographs;
`--exchange` is what a dishonest server may send, two classes of the output layer exchanged, the
true one among them (its appendix A.2); `--circular` pads every convolution with what is on the far
side, so that a moved picture gives the same maps, moved.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import sys
import zlib
from dataclasses import dataclass

import h5py
import numpy
import torch
from torch import Tensor, nn

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "peers"), str(HERE.parent / "Exporters")]

import cascade_families  # noqa: E402
import cascade_training  # noqa: E402
import leakaudit_torch  # noqa: E402
import photographs  # noqa: E402
import torch_inversion  # noqa: E402
import torch_networks  # noqa: E402
from cascade_networks import CIFAR_DEVIATION, CIFAR_MEAN  # noqa: E402

NETWORKS = ("lenet-zhu", "convnet64", "resnet20-4")
PHOTOGRAPHS = 50
TRAINING_EPOCHS = 30
ELEMENTS = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class Recipe:
    """What one case is made of.

    local: local training behind an update; `None` for the gradient of one batch.
    precision: of the computation and of the files.
    start: the seed of the noise to start from; that of the case unless stated.
    trained: before; the labels are then the classes that the network was trained on.
    exchange: the true class of the first sample with the next in the output layer.
    circular: padding of every convolution.
    """

    network: str
    seed: int
    samples: int = 1
    local: torch_inversion.LocalTraining | None = None
    precision: str = "float32"
    start: int | None = None
    trained: bool = False
    exchange: bool = False
    circular: bool = False

    @property
    def name(self) -> str:
        mark = "" if self.precision == "float32" else "_64"
        mark += "".join(f"_{word}" for word in ("trained", "exchange", "circular")
                        if getattr(self, word))
        size = "" if self.samples == 1 else f"_n{self.samples}"
        local = "" if self.local is None else f"_e{self.local.epochs}_b{self.local.batch}"
        return f"{self.network}{mark}{size}{local}_{self.seed}"


def network(recipe: Recipe) -> nn.Module:
    """In single precision and evaluation mode; LeNet's untrained parameters are U(−0.5, 0.5)."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(zlib.crc32(recipe.network.encode()) + recipe.seed)
        model = torch_networks.build(recipe.network)
        for module in model.modules():
            if recipe.circular and isinstance(module, nn.Conv2d):
                module.padding_mode = "circular"
        if recipe.trained:
            images, labels = cascade_training.crops(32)
            cascade_training.train(model, normalised(images), labels, TRAINING_EPOCHS)
        return model


def normalised(pixels: Tensor) -> Tensor:
    """[n, 3, h, w] in [0, 1] as CIFAR-10's networks get them."""
    mean, deviation = (torch.tensor(value, dtype=pixels.dtype).view(1, 3, 1, 1)
                       for value in (CIFAR_MEAN, CIFAR_DEVIATION))
    return (pixels - mean) / deviation


def samples(recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Normalised photographs [count, 3, 32, 32] in double precision, and their labels [count].

    The photographs of the first seeds are distinct. Labels of an untrained network are drawn and
    repeat as seldom as they can.
    """
    count = recipe.samples
    places = [(recipe.seed * count + place) % PHOTOGRAPHS for place in range(count)]
    pixels = numpy.stack([photographs.reduced(place) for place in places])
    labels = [place % len(photographs.SUBJECTS) for place in places]
    if not recipe.trained:
        classes = torch_networks.WORKLOADS[recipe.network]["classes"]
        random = numpy.random.default_rng([recipe.seed, count, 2])
        labels = numpy.concatenate(
            [random.permutation(classes) for _ in range(math.ceil(count / classes))])[:count]
    return normalised(torch.from_numpy(pixels)), torch.tensor(labels)


def exchange(model: nn.Module, first: int) -> None:
    """Exchanges a class with the next in the last dense layer, weights and bias."""
    dense = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    second = (first + 1) % dense.out_features
    with torch.no_grad():
        for part in (dense.weight, dense.bias):
            part[[first, second]] = part[[second, first]]


def start(seed: int, shape: tuple[int, ...]) -> numpy.ndarray:
    """Standard normal noise; in single precision, which double reads without loss."""
    return numpy.random.default_rng([seed, 3]).standard_normal(shape, dtype=numpy.float32)


def write(folder: pathlib.Path, recipe: Recipe) -> dict[str, object]:
    """The three files of a case; returns what the benchmark wants to know of them."""
    element = ELEMENTS[recipe.precision]
    model = network(recipe)
    inputs, labels = samples(recipe)
    if recipe.exchange:
        exchange(model, int(labels[0]))
    # The update is what double precision gives, so that it holds no rounding of weights.
    sent = torch_inversion.simulate(
        model.double(), inputs, labels, recipe.local, differentiable=False)
    model, inputs = model.to(element), inputs.to(element)
    paths = {part: folder / f"{recipe.name}{mark}.h5"
             for part, mark in (("case", ""), ("truth", "_truth"), ("start", "_start"))}
    leakaudit_torch.export(
        paths["case"], model, inputs, gradients=[part.to(element) for part in sent],
        batch_size=recipe.samples if recipe.local is None else recipe.local.batch,
        local_steps=1 if recipe.local is None else recipe.local.steps(recipe.samples),
        learning_rate=None if recipe.local is None else recipe.local.rate, name=recipe.network)
    if recipe.local is not None:
        state_update(paths["case"], recipe.samples)
    with h5py.File(paths["truth"], "w") as file:
        file["truth/inputs"], file["truth/labels"] = inputs.numpy(), labels.numpy()
    with h5py.File(paths["start"], "w") as file:
        file["inputs"] = start(
            recipe.seed if recipe.start is None else recipe.start, tuple(inputs.shape))
    return {"name": recipe.name, "labels": labels.tolist(), "mean": CIFAR_MEAN,
            "deviation": CIFAR_DEVIATION, **{part: str(path) for part, path in paths.items()}}


def state_update(path: pathlib.Path, count: int) -> None:
    """Says in the file that its arrays are an update, and of how many samples."""
    with h5py.File(path, "r+") as file:
        file.move("gradients", "update")
        file.attrs["samples"] = count


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--seeds", type=cascade_families.seeds, default=[0])
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--epochs", type=int, help="of local training, which gives an update")
    parser.add_argument("--batch", type=int, help="samples in one local step; all unless stated")
    parser.add_argument("--rate", type=float, default=0.01, help="of local training")
    parser.add_argument("--precision", choices=ELEMENTS, default="float32")
    parser.add_argument("--start-seed", type=int, help="of the start, if not that of the case")
    parser.add_argument("--trained", action="store_true")
    parser.add_argument("--exchange", action="store_true", help="two classes of the output layer")
    parser.add_argument("--circular", action="store_true", help="padding of every convolution")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path())
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    local = options.epochs and torch_inversion.LocalTraining(
        options.epochs, options.batch or options.samples, options.rate)
    for seed in options.seeds:
        recipe = Recipe(options.network, seed, options.samples, local or None, options.precision,
                        options.start_seed, options.trained, options.exchange, options.circular)
        print(json.dumps(write(options.output, recipe)), flush=True)


if __name__ == "__main__":
    main()
