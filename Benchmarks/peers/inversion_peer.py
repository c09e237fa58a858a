#!/usr/bin/env python3
"""PyTorch's side of inversion.py: an attack on one file of inversion_cases.py.

Takes the options of `leakaudit audit` that both sides share, and writes one JSON object.

    python Benchmarks/peers/inversion_peer.py CASE.h5 --truth TRUTH.h5 --start START.h5 \
        --labels 3 --input-mean 0.49,0.48,0.44 --input-std 0.24,0.24,0.26 --json OUT.json
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import sys
import time

import h5py
import torch
from torch import Tensor, nn

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import inversion_quality  # noqa: E402
import torch_networks  # noqa: E402
from torch_inversion import Found, LocalTraining, Problem, inferred_label  # noqa: E402

ATTACKS = ("inverting-gradients", "dlg", "idlg")
# The layout's names for what PyTorch's batch normalisation holds.
ROLES = {"weight": "scale", "bias": "shift", "running_var": "running_variance"}


def read(path: str, element: torch.dtype) -> tuple[nn.Module, list[Tensor], LocalTraining | None]:
    """The network with its weights, what was observed, and the local training behind an update."""
    with h5py.File(path) as file:
        network = torch_networks.build(json.loads(file.attrs["architecture"])["name"]).to(element)
        update = "update" in file
        modules = dict(network.named_modules())

        def stored(group: str, name: str) -> Tensor:
            owner, _, role = name.rpartition(".")
            if isinstance(modules[owner], nn.BatchNorm2d):
                role = ROLES.get(role, role)
            return torch.from_numpy(file[f"{group}/{owner.replace('.', '/')}/{role}"][()])

        values = {name: stored("parameters", name) for name in network.state_dict()
                  if not name.endswith("num_batches_tracked")}
        network.load_state_dict(values, strict=False)
        target = [stored("update" if update else "gradients", name).to(element)
                  for name, _ in network.named_parameters()]
        local = None
        if update:
            samples, batch = int(file.attrs["samples"]), int(file.attrs["batch_size"])
            epochs = int(file.attrs["local_steps"]) // math.ceil(samples / batch)
            local = LocalTraining(epochs, batch, float(file.attrs["learning_rate"]))
    return network, target, local


def attack(options: argparse.Namespace) -> tuple[list[Found], float]:
    """The restarts, and how many seconds they took together."""
    element = {"single": torch.float32, "double": torch.float64}[options.precision]
    network, target, local = read(options.case, element)
    mean, deviation = (torch.tensor(values, dtype=element).view(1, -1, 1, 1)
                       for values in (options.input_mean, options.input_std))
    problem = Problem(network, target, local, -mean / deviation, (1 - mean) / deviation)
    with h5py.File(options.start) as file:
        start = torch.from_numpy(file["inputs"][()]).to(element)
    classes = len(target[-1])
    labels = torch.tensor(options.labels) if options.labels else None
    if options.attack == "idlg" and labels is None:
        labels = inferred_label(network, target)
    random = torch.Generator().manual_seed(options.seed)
    if labels is not None:  # What the first evaluation plans and caches is not timed.
        problem.signed_adam(start, labels, 1, 0, 0)
    found = []
    begin = time.perf_counter()
    for restart in range(options.restarts):
        if restart:
            start = torch.randn(start.shape, generator=random, dtype=element)
        scores = torch.randn(len(start), classes, generator=random, dtype=element)
        if options.attack == "inverting-gradients":
            found.append(problem.signed_adam(start, labels, options.iterations, options.step_size,
                                             options.total_variation))
        else:
            found.append(problem.quasi_newton(start, labels, scores, options.iterations))
    return found, time.perf_counter() - begin


def quality(inputs: Tensor, options: argparse.Namespace) -> list[float]:
    """PSNR of each true picture and the found one that belongs to it, in dB."""
    with h5py.File(options.truth) as file:
        truth, found = (inversion_quality.pictures(values, options.input_mean, options.input_std)
                        for values in (file["truth/inputs"][()], inputs.numpy()))
    return inversion_quality.psnr(found[inversion_quality.assignment(found, truth)], truth)


def numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("case")
    parser.add_argument("--truth", required=True)
    parser.add_argument("--start", required=True, help="where the first restart begins")
    parser.add_argument("--attack", choices=ATTACKS, default=ATTACKS[0])
    parser.add_argument("--iterations", type=int, default=4800)
    parser.add_argument("--restarts", type=int, default=1)
    parser.add_argument("--step-size", type=float, default=0.1)
    parser.add_argument("--total-variation", type=float, default=0.01)
    parser.add_argument("--input-mean", type=numbers, required=True)
    parser.add_argument("--input-std", type=numbers, required=True)
    parser.add_argument("--labels", type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--precision", choices=("single", "double"), default="single")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    options = parser.parse_args()
    restarts, seconds = attack(options)
    best = min(restarts, key=lambda restart: restart.objective)
    options.json.write_text(json.dumps({
        "torch": torch.__version__, "threads": torch.get_num_threads(), "seconds": seconds,
        "objective": best.objective, "objectives": [restart.objective for restart in restarts],
        "curve": list(best.curve), "psnr": quality(best.inputs, options)}) + "\n")


if __name__ == "__main__":
    main()
