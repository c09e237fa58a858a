"""PyTorch's side of `make bench`: a child process that answers JSON lines (Benchmarks/README.md).

    python Benchmarks/peers/torch_driver.py eager|functional|compiled
"""

from __future__ import annotations

import json
import pathlib
import sys
import time
from collections.abc import Callable, Iterator

import h5py
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, grad_and_value
from torch.utils._python_dispatch import TorchDispatchMode

import torch_networks
from torch_networks import WORKLOADS

Objective = Callable[[Tensor], tuple[Tensor, Tensor]]


def high_water_mark() -> float:
    """The process's peak resident memory in MiB."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


BASELINE = high_water_mark()


def total_variation(x: Tensor) -> Tensor:
    """Mean absolute difference of neighbours, over rows plus over columns; Geiping et al. 2020."""
    return (x[..., 1:] - x[..., :-1]).abs().mean() + (x[..., 1:, :] - x[..., :-1, :]).abs().mean()


def prepare(workload: str, folder: str, seed: int) -> dict:
    """Writes the start of a workload: everything both sides must share, in single precision."""
    torch.manual_seed(seed)
    network = torch_networks.build(workload)
    shape, classes = WORKLOADS[workload]["input"], WORKLOADS[workload]["classes"]
    calibrate(network, shape)
    coarse = torch.randn(1, shape[0], 8, 8)
    hidden = F.interpolate(coarse, shape[1:], mode="bilinear") + 0.1 * torch.randn(1, *shape)
    label = int(torch.randint(classes, ()))
    loss = F.cross_entropy(network(hidden), torch.tensor([label]))
    names = [name for name, _ in network.named_parameters()]
    gradient = dict(zip(names, torch.autograd.grad(loss, list(network.parameters()))))
    with h5py.File(pathlib.Path(folder) / "start.h5", "w") as file:
        for order, (name, value) in enumerate(network.state_dict().items()):
            if name.endswith("num_batches_tracked"):
                continue
            group = "parameters" if name in gradient else "statistics"
            file[f"{group}/{name}"] = value.numpy()
            file[f"{group}/{name}"].attrs["order"] = order
            if name in gradient:
                file[f"target/{name}"] = gradient[name].numpy()
        file["x0"] = clear_start(network, shape).numpy()
        file["label"] = np.int64(label)
    return {}


def calibrate(network: nn.Module, shape: list[int]) -> None:
    """Sets the running statistics to those of a few random images, so that no layer saturates."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        network.train()(torch.randn(8, *shape))
    network.eval()


class KinkDistance(TorchDispatchMode):
    """Watches how near any unit of a ReLU comes to zero, in standard deviations of its layer."""

    def __init__(self) -> None:
        super().__init__()
        self.least = float("inf")

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # noqa: ANN001, ANN204
        if function is torch.ops.aten.relu.default:
            self.least = min(self.least, float(args[0].abs().min() / args[0].std()))
        return function(*args, **(kwargs or {}))


@torch.no_grad()
def clear_start(network: nn.Module, shape: list[int]) -> Tensor:
    """Of 32 random images the one that is furthest from every kink.

    A unit within rounding of zero counts or not by the order of a summation, and one such unit
    among a million moves ∂/∂x by more than the tolerance.
    """
    best, furthest = torch.empty(0), -1.0
    for candidate in torch.randn(32, 1, *shape):
        with KinkDistance() as distance:
            network(candidate)
        if distance.least > furthest:
            best, furthest = candidate, distance.least
    return best.clone()


class Workload:
    """A loaded start, its objective in the chosen manner and the signed-Adam step."""

    def __init__(
        self, variant: str, workload: str, folder: str, threads: int, precision: str,
        totalVariation: float, learningRate: float,  # noqa: N803 (names of the protocol)
    ) -> None:
        torch.set_num_threads(threads)
        self.total_variation = totalVariation
        self.learning_rate = learningRate
        # Measured: channels-last helps what computes functionally and slows plain autograd.
        self.channels_last = variant != "eager"
        self.element = {"float": torch.float32, "double": torch.float64}[precision]
        with h5py.File(pathlib.Path(folder) / "start.h5") as file:
            stored = {name: self.tensor(file["parameters"][name]) for name in file["parameters"]}
            stored |= {name: self.tensor(file["statistics"][name])
                       for name in file.get("statistics", {})}
            with torch.device("meta"):
                self.network = torch_networks.build(workload)
            self.network.load_state_dict(stored, strict=False, assign=True)
            self.names = [name for name, _ in self.network.named_parameters()]
            self.target = [self.tensor(file["target"][name]) for name in self.names]
            self.x0 = self.tensor(file["x0"])
            self.label = torch.tensor([int(file["label"][()])])
        self.target_norm = norm(self.target)
        self.network.requires_grad_(variant == "eager")
        self.objective: Objective = self.eager if variant == "eager" else self.functional
        self.step = self.plain_step
        if variant == "compiled":
            self.step = torch.compile(self.plain_step, fullgraph=True)
        for _ in self.iterations(3):
            pass

    def tensor(self, dataset: h5py.Dataset) -> Tensor:
        value = torch.from_numpy(dataset[()]).to(self.element)
        if self.channels_last and value.dim() == 4:
            value = value.contiguous(memory_format=torch.channels_last)
        return value

    def distance(self, gradient: list[Tensor], x: Tensor) -> Tensor:
        """One minus the cosine over all parameters, and the image's total variation."""
        product = sum((g * t).sum() for g, t in zip(gradient, self.target))
        cosine = product / (norm(gradient) * self.target_norm)
        return 1 - cosine + self.total_variation * total_variation(x)

    def eager(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Double backward as published reconstructors write it; only ∂/∂x is asked for."""
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            loss = F.cross_entropy(self.network(x), self.label)
            parameters = list(self.network.parameters())
            gradient = torch.autograd.grad(loss, parameters, create_graph=True)
            objective = self.distance(list(gradient), x)
            objective.backward(inputs=[x])
        return objective.detach(), x.grad

    def functional(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Reverse over reverse by torch.func; forward over reverse was never clearly faster."""
        parameters = dict(self.network.named_parameters())
        buffers = dict(self.network.named_buffers())

        def loss(parameters: dict[str, Tensor], x: Tensor) -> Tensor:
            logits = functional_call(self.network, (parameters, buffers), (x,))
            return F.cross_entropy(logits, self.label)

        def objective(x: Tensor) -> Tensor:
            gradient = grad(loss)(parameters, x)
            return self.distance([gradient[name] for name in self.names], x)

        slope, value = grad_and_value(objective)(x)
        return value, slope

    def plain_step(
        self, x: Tensor, mean: Tensor, square: Tensor, rate: Tensor, correction: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """One signed-Adam step; the objective is that of the x given."""
        objective, slope = self.objective(x)
        slope = slope.sign()
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope * slope
        return objective, x - rate * mean / ((square / correction).sqrt() + 1e-8), mean, square

    @torch.no_grad()
    def iterations(self, count: int) -> Iterator[tuple[float, float]]:
        """Objective and milliseconds of each of `count` iterations from x0."""
        x, mean, square = self.x0, torch.zeros_like(self.x0), torch.zeros_like(self.x0)
        for index in range(1, count + 1):
            start = time.perf_counter()
            rate = torch.tensor(self.learning_rate / (1 - 0.9**index), dtype=self.element)
            correction = torch.tensor(1 - 0.999**index, dtype=self.element)
            objective, x, mean, square = self.step(x, mean, square, rate, correction)
            value = objective.item()
            yield value, (time.perf_counter() - start) * 1000


def norm(tensors: list[Tensor]) -> Tensor:
    return sum((tensor * tensor).sum() for tensor in tensors).sqrt()


class Driver:
    """Answers one command after another; the names are those of the protocol."""

    def __init__(self, variant: str) -> None:
        self.variant = variant
        self.loaded: Workload | None = None

    def workload(self) -> Workload:
        if self.loaded is None:
            raise RuntimeError("nothing is loaded; send load first")
        return self.loaded

    def answer(self, request: dict) -> dict:
        match request:
            case {"command": "prepare", **arguments}:
                return prepare(**arguments)
            case {"command": "load", **arguments}:
                self.loaded = Workload(self.variant, **arguments)
                return {}
            case {"command": "objective", "output": output}:
                with torch.no_grad():
                    objective, slope = self.workload().objective(self.workload().x0)
                slope.contiguous().numpy().tofile(output)
                return {"objective": objective.item()}
            case {"command": "iterate", "iterations": count}:
                objectives, milliseconds = zip(*self.workload().iterations(count))
                return {"objectives": objectives, "milliseconds": milliseconds}
            case {"command": "memory"}:
                return {"peakMiB": high_water_mark(), "baselineMiB": BASELINE}
        raise ValueError(f"no such command: {request}")


def main() -> None:
    driver = Driver(sys.argv[1])
    replies = sys.stdout
    sys.stdout = sys.stderr  # What a library prints must not pass for a reply.
    for line in sys.stdin:
        try:
            reply = driver.answer(json.loads(line))
        except Exception as error:  # Whatever fails, the orchestrator is told and decides.
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
