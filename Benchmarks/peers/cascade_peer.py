#!/usr/bin/env python3
"""The published optimiser on a file of the cascade's benchmark: Geiping et al. 2020.

1 − cosine to the observed gradient plus total variation, Adam on the sign of the slope, steps
divided by ten after 3/8, 5/8 and 7/8 of the iterations, one start from normal noise, the label
known. The image is optimised in units of CIFAR-10's deviation, as in the paper, and clamped to
[0, 1]. Prints one JSON object.

    python Benchmarks/peers/cascade_peer.py lenet --seed 0 [--iterations 4800]
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import time

import torch
from torch import Tensor, nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import cascade_families  # noqa: E402
from cascade_networks import CIFAR_DEVIATION, CIFAR_MEAN  # noqa: E402

STEP = 0.1
TOTAL_VARIATION = 0.01


def total_variation(x: Tensor) -> Tensor:
    """Mean |dx| plus mean |dy|."""
    return x.diff(dim=3).abs().mean() + x.diff(dim=2).abs().mean()


def reconstruct(
    model: nn.Module, label: Tensor, target: list[Tensor], extent: int, seed: int, iterations: int
) -> Tensor:
    """The image in [0, 1]."""
    parameters = list(model.parameters())
    mean, deviation = (torch.tensor(value).view(1, 3, 1, 1)
                       for value in (CIFAR_MEAN, CIFAR_DEVIATION))
    lowest, highest = -mean / deviation, (1 - mean) / deviation
    norm = torch.sqrt(sum(part.square().sum() for part in target))
    x = torch.randn(1, 3, extent, extent, generator=torch.Generator().manual_seed(seed))
    x.requires_grad_()
    optimiser = torch.optim.Adam([x], lr=STEP)
    schedule = torch.optim.lr_scheduler.MultiStepLR(
        optimiser, [iterations * eighths // 8 for eighths in (3, 5, 7)], gamma=0.1)
    for _ in range(iterations):
        loss = nn.functional.cross_entropy(model(mean + deviation * x), label)
        found = torch.autograd.grad(loss, parameters, create_graph=True)
        product = sum((a * b).sum() for a, b in zip(found, target))
        length = torch.sqrt(sum(part.square().sum() for part in found))
        objective = 1 - product / (length * norm) + TOTAL_VARIATION * total_variation(x)
        x.grad = torch.autograd.grad(objective, x)[0].sign()
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            x.copy_(x.clamp(lowest, highest))
    return (mean + deviation * x.detach()).clamp(0, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("family")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, default=4800)
    options = parser.parse_args()
    model = cascade_families.network(options.family, options.seed)
    image, label = cascade_families.example(options.family, options.seed)
    image = image.float()
    loss = nn.functional.cross_entropy(model(image), label)
    target = list(torch.autograd.grad(loss, list(model.parameters())))
    start = time.perf_counter()
    found = reconstruct(model, label, target, image.shape[-1], options.seed, options.iterations)
    seconds = time.perf_counter() - start
    print(json.dumps({"psnr": cascade_families.psnr(found, image), "seconds": seconds}))


if __name__ == "__main__":
    main()
