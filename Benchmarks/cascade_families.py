#!/usr/bin/env python3
"""Writes networks with the gradient of one photograph, for the cascade to take back.

    python Benchmarks/cascade_families.py lenet resnet18_randbn --seeds 0-2 --output FOLDER

Each file FAMILY_SEED.h5 holds weights, gradient and, under /truth, the photograph and its label:
batch 1, softmax cross-entropy, batch normalisation in inference mode, pixels in [0, 1]. Equal
arguments give equal bytes on one machine. Needs requirements-cascade.txt.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor, nn

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "peers"), str(HERE.parent / "Exporters")]

import cascade_networks  # noqa: E402
import leakaudit_torch  # noqa: E402
import photographs  # noqa: E402

PRECISIONS = ("float32", "float64", "rounded")


@dataclass(frozen=True)
class Disturbance:
    """What happens to a gradient before it is stored; the first that is set.

    noise: Gaussian noise is added to every entry, with the standard deviation
        noise · ‖g‖ / √n, where g is the whole gradient with its n entries: the noise vector is
        `noise` times as long as the gradient.
    float16: every entry is rounded to half precision and stored as such.
    sparsify: of the whole gradient only this share of entries, the largest in magnitude, is kept.
    """

    noise: float | None = None
    float16: bool = False
    sparsify: float | None = None

    def deviation(self, gradient: Sequence[Tensor]) -> float:
        """The standard deviation of the noise on each entry."""
        count = sum(part.numel() for part in gradient)
        square = sum(float(part.double().square().sum()) for part in gradient)
        return (self.noise or 0) * math.sqrt(square / count)

    def apply(self, gradient: Sequence[Tensor], seed: int) -> list[Tensor]:
        if self.noise is not None:
            deviation = self.deviation(gradient)
            random = torch.Generator().manual_seed(seed)
            return [part + (deviation * torch.randn(
                part.shape, generator=random, dtype=torch.float64)).to(part.dtype)
                for part in gradient]
        if self.float16:
            return [part.half() for part in gradient]
        if self.sparsify is not None:
            sizes = torch.cat([part.flatten() for part in gradient]).abs()
            kept = max(1, round(self.sparsify * sizes.numel()))
            least = sizes.topk(kept).values[-1]
            return [torch.where(part.abs() >= least, part, 0) for part in gradient]
        return list(gradient)

    @property
    def suffix(self) -> str:
        if self.noise is not None:
            return f"_noise{self.noise:.0e}"
        if self.float16:
            return "_float16"
        return "" if self.sparsify is None else f"_top{100 * self.sparsify:g}"


def network(family: str, seed: int) -> nn.Module:
    """The network of a family and a seed, in single precision and evaluation mode."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(zlib.crc32(family.encode()) + seed)
        if family.endswith("_trained"):
            import cascade_training
            return cascade_training.trained(family)
        return cascade_networks.build(family)


def example(family: str, seed: int) -> tuple[Tensor, Tensor]:
    """The photograph [1, 3, n, n] in double precision, and its label [1].

    A trained network gets the class it was trained on; any other a label drawn from the seed.
    """
    image, subject = photographs.example(seed, cascade_networks.extent(family))
    label = int(numpy.random.default_rng([seed, 1]).integers(cascade_networks.CLASSES))
    if family.endswith("_trained"):
        label = photographs.CLASSES.index(subject)
    return torch.from_numpy(image.copy())[None], torch.tensor([label])


def write(
    path: pathlib.Path, family: str, seed: int, precision: str = "float32",
    disturbance: Disturbance = Disturbance(), weights_only: bool = False
) -> dict[str, object]:
    """One file: the network of `family` and the gradient of the photograph of `seed`.

    precision: of the computation and of the file; "rounded" computes in double precision and
        rounds gradient and photograph to single.

    Returns what the benchmark wants to know of the file.
    """
    model = network(family, seed)
    image, label = example(family, seed)
    single = image.float()
    image = image if precision == "float64" else single
    if precision != "float32":
        model, image = model.double(), image.double()
    description: dict[str, object] = {
        "path": str(path), "weightsOnly": weights_only, "deviation": 0.0, "grey":
        psnr(torch.full_like(image, 0.5), image),
        "meanColour": psnr(image.mean((2, 3), keepdim=True), image)}
    if weights_only:
        leakaudit_torch.export(path, model, image, after_backward=False, name=family)
        return description
    loss = nn.functional.cross_entropy(model(image), label)
    gradient = torch.autograd.grad(loss, list(model.parameters()))
    if precision == "rounded":
        gradient, model, image = [part.float() for part in gradient], model.float(), single
    leakaudit_torch.export(
        path, model, image, gradients=disturbance.apply(gradient, seed), batch_size=1,
        truth=(image, label), name=family)
    return description | {"deviation": disturbance.deviation(gradient)}


def psnr(image: Tensor, truth: Tensor) -> float:
    """Of images in [0, 1], in dB."""
    return -10 * math.log10(float((image.clamp(0, 1) - truth).double().square().mean()))


def file_name(family: str, seed: int, precision: str, disturbance: Disturbance) -> str:
    mark = {"float32": "", "float64": "64", "rounded": "_rounded"}[precision]
    return f"{family}{mark}{disturbance.suffix}_{seed}.h5"


def seeds(text: str) -> list[int]:
    """`3`, `0-9` or `0,2,5-7`."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("families", nargs="*", help="names, each with _randbn or _trained or not")
    parser.add_argument("--list", action="store_true", help="print the families and stop")
    parser.add_argument("--seeds", type=seeds, default=[0], help="such as 3, 0-9 or 0,2,5-7")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path())
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    disturbed = parser.add_mutually_exclusive_group()
    disturbed.add_argument("--noise", type=float, help="length of the noise over the gradient's")
    disturbed.add_argument("--float16", action="store_true", help="store half precision")
    disturbed.add_argument("--sparsify", type=float, help="share of the entries that is kept")
    disturbed.add_argument("--weights-only", action="store_true", help="no gradient, no photograph")
    parser.add_argument("--describe", action="store_true", help="print a JSON object a file")
    options = parser.parse_args()
    if options.list:
        print(*cascade_networks.FAMILIES, sep="\n")
        return
    options.output.mkdir(parents=True, exist_ok=True)
    disturbance = Disturbance(options.noise, options.float16, options.sparsify)
    for family in options.families:
        for seed in options.seeds:
            name = file_name(family, seed, options.precision, disturbance)
            description = write(options.output / name, family, seed, options.precision,
                                disturbance, options.weights_only)
            print(json.dumps(description) if options.describe else options.output / name,
                  flush=True)


if __name__ == "__main__":
    main()
