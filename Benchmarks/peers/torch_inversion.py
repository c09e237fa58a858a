"""Numerical inversion by PyTorch: Geiping et al. 2020, Zhu et al. 2019, Zhao et al. 2020."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

MEMORY = 100  # Pairs that L-BFGS keeps.


@dataclass(frozen=True)
class LocalTraining:
    """Federated averaging on a client: `epochs` over its samples, `batch` at a time in their order.

    Plain stochastic gradient descent with the learning rate `rate`.
    """

    epochs: int
    batch: int
    rate: float

    def steps(self, samples: int) -> int:
        return self.epochs * math.ceil(samples / self.batch)


def simulate(
    network: nn.Module, inputs: Tensor, labels: Tensor, local: LocalTraining | None,
    differentiable: bool = True,
) -> list[Tensor]:
    """What a client sends: the gradient of the mean loss, or how far local training moves.

    labels: classes [n], or probabilities [n, classes].
    """
    parameters = dict(network.named_parameters())
    if local is None:
        loss = F.cross_entropy(network(inputs), labels)
        return list(torch.autograd.grad(
            loss, list(parameters.values()), create_graph=differentiable))
    moved = {name: torch.zeros_like(value) for name, value in parameters.items()}
    for _ in range(local.epochs):
        for batch in torch.arange(len(inputs)).split(local.batch):
            current = {name: value + moved[name] for name, value in parameters.items()}
            loss = F.cross_entropy(
                functional_call(network, current, (inputs[batch],)), labels[batch])
            slopes = torch.autograd.grad(
                loss, list(current.values()), create_graph=differentiable)
            moved = {name: value - local.rate * slope
                     for (name, value), slope in zip(moved.items(), slopes)}
    return list(moved.values())


def total_variation(x: Tensor) -> Tensor:
    """Mean |dx| plus mean |dy|."""
    return x.diff(dim=3).abs().mean() + x.diff(dim=2).abs().mean()


def cosine_distance(found: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
    """One minus the cosine of the angle, all parameters in one vector."""
    product = sum((a * b).sum() for a, b in zip(found, target))
    lengths = [sum(part.square().sum() for part in parts).sqrt() for parts in (found, target)]
    return 1 - product / (lengths[0] * lengths[1])


def squared_distance(found: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
    return sum((a - b).square().sum() for a, b in zip(found, target))


def rate(step: float, index: int, iterations: int) -> float:
    """Of the step behind `index` others: ten times less from 3/8, 5/8 and 7/8 on."""
    return step * 0.1 ** sum(index >= iterations * eighths // 8 for eighths in (3, 5, 7))


@dataclass(frozen=True)
class Found:
    """One restart: the inputs where it ended, and the objective after 0, 1, … steps."""

    inputs: Tensor
    curve: Sequence[float]

    @property
    def objective(self) -> float:
        return self.curve[-1] if math.isfinite(self.curve[-1]) else math.inf


@dataclass(frozen=True)
class Problem:
    """What an attacker knows. lowest, highest: of each channel of the inputs, [1, c, 1, 1]."""

    network: nn.Module
    target: Sequence[Tensor]
    local: LocalTraining | None
    lowest: Tensor
    highest: Tensor

    def signed_adam(
        self, start: Tensor, labels: Tensor, iterations: int, step: float, variation: float
    ) -> Found:
        """Geiping et al. 2020: cosine distance and total variation, Adam on the slope's sign."""
        x = start.clone().requires_grad_()
        optimiser = torch.optim.Adam([x], lr=step, betas=(0.9, 0.999), eps=1e-8)

        def objective() -> Tensor:
            sent = simulate(self.network, x, labels, self.local)
            value = cosine_distance(sent, self.target)
            return value + variation * total_variation(x) if variation else value

        curve = []
        for index in range(iterations):
            value = objective()
            curve.append(value.item())
            x.grad = torch.autograd.grad(value, x)[0].sign()
            optimiser.param_groups[0]["lr"] = rate(step, index, iterations)
            optimiser.step()
            with torch.no_grad():
                x.clamp_(self.lowest, self.highest)
        curve.append(objective().item())
        return Found(x.detach(), curve)

    def quasi_newton(
        self, start: Tensor, labels: Tensor | None, scores: Tensor, iterations: int
    ) -> Found:
        """Squared distance by L-BFGS; labels that are `None` are sought too, from `scores`.

        Zhu et al. 2019 seek labels as a softmax of scores, Zhao et al. 2020 know them.
        """
        x, y = start.clone().requires_grad_(), scores.clone().requires_grad_()
        sought = [x] if labels is not None else [x, y]
        optimiser = torch.optim.LBFGS(
            sought, lr=1, max_iter=iterations, max_eval=2 * iterations, tolerance_grad=1e-14,
            tolerance_change=1e-18, history_size=MEMORY, line_search_fn="strong_wolfe")
        curve = []

        def objective() -> Tensor:
            optimiser.zero_grad()
            sent = simulate(self.network, x, y.softmax(1) if labels is None else labels, self.local)
            value = squared_distance(sent, self.target)
            for part, slope in zip(sought, torch.autograd.grad(value, sought)):
                part.grad = slope
            curve.append(value.item())
            return value.detach()

        optimiser.step(objective)
        objective()
        return Found(x.detach(), curve)


def inferred_label(network: nn.Module, target: Sequence[Tensor]) -> Tensor:
    """Zhao et al. 2020: of one sample, the only class whose bias has a falling gradient."""
    names = [name for name, _ in network.named_parameters()]
    bias = [part for name, part in zip(names, target) if name.endswith("bias")][-1]
    return bias.argmin().reshape(1)

