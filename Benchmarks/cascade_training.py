"""Weights trained for some minutes on crops of photographs, kept in a cache outside the checkout.

Ten classes, one a photograph (photographs.CLASSES); stochastic gradient descent with momentum,
batch normalisation in training mode. LEAKAUDIT_CACHE names the cache, else ~/.cache/leakaudit.
"""

from __future__ import annotations

import functools
import os
import pathlib
import sys
import zlib

import numpy
import torch
from torch import Tensor, nn

import cascade_networks
import photographs

CROPS = 128  # Of each photograph; a multiple of the batch over the classes gives whole epochs.
EPOCHS = 2
BATCH = 32
LEARNING_RATE = 0.02
# Keeps the loss of a photograph away from 0, where single precision loses p − y.
LABEL_SMOOTHING = 0.1


def cache() -> pathlib.Path:
    folder = os.environ.get("LEAKAUDIT_CACHE")
    return pathlib.Path(folder) if folder else pathlib.Path.home() / ".cache" / "leakaudit"


@functools.cache
def crops(extent: int) -> tuple[Tensor, Tensor]:
    """All training images [n, 3, extent, extent] and their classes."""
    random = numpy.random.default_rng(extent)
    images = [photographs.crop(name, extent, random, largest=288)
              for name in photographs.CLASSES for _ in range(CROPS)]
    labels = torch.arange(len(photographs.CLASSES)).repeat_interleave(CROPS)
    return torch.from_numpy(numpy.stack(images)).float(), labels


def train(
    network: nn.Module, images: Tensor, labels: Tensor, epochs: int = EPOCHS
) -> list[float]:
    """Trains in place from PyTorch's current seed; the mean loss of each epoch."""
    network.train()
    optimiser = torch.optim.SGD(network.parameters(), LEARNING_RATE, momentum=0.9,
                                weight_decay=5e-4)
    means = []
    for _ in range(epochs):
        losses = []
        for batch in torch.randperm(len(labels)).split(BATCH):
            loss = nn.functional.cross_entropy(
                network(images[batch]), labels[batch], label_smoothing=LABEL_SMOOTHING)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            losses.append(float(loss.detach()))
        means.append(sum(losses) / len(losses))
    network.eval()
    return means


def trained(name: str) -> nn.Module:
    """The trained network of a name that ends in `_trained`; trained on first use."""
    family = cascade_networks.split(name)[0]
    recipe = repr((CROPS, EPOCHS, BATCH, LEARNING_RATE, LABEL_SMOOTHING, torch.__version__))
    path = cache() / f"{family}-{zlib.crc32(recipe.encode()):08x}.pt"
    torch.manual_seed(zlib.crc32(family.encode()))
    network = cascade_networks.build(family)
    if path.exists():
        network.load_state_dict(torch.load(path, weights_only=True))
        return network
    losses = train(network, *crops(cascade_networks.extent(family)))
    print(f"{name}: mean loss by epoch {', '.join(f'{loss:.3f}' for loss in losses)}",
          file=sys.stderr, flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), path)
    return network
