"""The tables in Documentation/Attacks.md, of families and of noise, from `cascade.py --json`."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import cascade_measures
from cascade_measures import Case

NETWORKS = {
    "lenet": "LeNet (Zhu): 5×5 convolutions with 12 filters, strides 2, 2, 1; sigmoid",
    "tanh": "two 5×5 convolutions, 16 filters, stride 2; tanh",
    "elu": "3×3 convolutions with 24 filters, strides 1, 2; ELU",
    "strided_relu": "3×3 convolutions with 32, 48, 64 filters, strides 1, 2, 2; ReLU",
    "leaky_bn": "3×3 convolutions with 24, 32, 32 filters, strides 1, 2, 2; batch normalisation, "
                "leaky ReLU 0.2",
    "residual_flat": "stem of 32 filters, residual blocks of 48 and 64 with stride 2, no pooling",
    "sigmoid_avgpool": "5×5 convolutions with 16, 24 filters, behind each sigmoid and 2×2 average "
                       "pooling",
    "softplus": "as `tanh`, with softplus",
    "selu": "as `tanh`, with SELU",
    "leaky": "as `tanh`, with leaky ReLU 0.2",
    "silu": "as `tanh`, with SiLU",
    "gelu": "as `tanh`, with GELU",
    "resnet18": "ResNet-18 with a 3×3 stem, global average pooling of 4×4",
    "resnet34": "ResNet-34 with a 3×3 stem, global average pooling of 4×4",
    "resnet20_4": "ResNet-20, four times as wide, global average pooling of 8×8",
    "resnet50": "ResNet-50 (bottlenecks) with a 3×3 stem, global average pooling of 4×4",
    "convnet64": "ConvNet (Geiping): eight 3×3 convolutions, batch normalisation, two 3×3 max "
                 "poolings",
    "vgg11": "VGG-11, five 2×2 max poolings",
    "vgg16": "VGG-16, five 2×2 max poolings",
    "vgg11_bn": "VGG-11 with batch normalisation",
    "vgg16_bn": "VGG-16 with batch normalisation",
    "preact": "ResNet-18 with pre-activation blocks",
    "resnet18_circular": "`resnet18` with circular padding",
    "resnet18_224": "ResNet-18 for 224×224 pixels and 1,000 classes",
    "rgap_cnn6": "the six-layer example network of R-GAP; leaky ReLU 0.2, convolutions without bias",
    "rgap_cnn6_normalised": "`rgap_cnn6` with normalised pixels",
}
VARIANTS = {
    "_randbn": "with random normalisation statistics, scales and shifts",
    "_trained": "trained for two epochs",
}
HEADER = ("| Family | Network | median PSNR | worst | proven | median s | MiB |\n"
          "|---|---|--:|--:|--:|--:|--:|")


def table(cases: Sequence[Case], results: Sequence[Mapping[str, Any]]) -> str:
    """One line for each family whose gradients are left as they are; `–` where nothing was measured.

    results: the list that `cascade.py --json` writes.
    """
    measured = {result["case"]: result["runs"] for result in results}
    return "\n".join([HEADER, *(
        line(case, measured.get(case.name, ())) for case in cases
        if not case.arguments or "--precision" in case.arguments)])


def noise_table(cases: Sequence[Case], results: Sequence[Mapping[str, Any]]) -> str:
    """One line for each disturbance of gradients: median error of a value, and what was predicted.

    A ratio in brackets is that of an estimate which the report does not claim.
    """
    measured = {result["case"]: result["runs"] for result in results}
    disturbed = [case for case in cases if "errorFactor" in case.limits]
    runs = {(case.family, *case.arguments): measured.get(case.name, ()) for case in disturbed}
    families = list(dict.fromkeys(case.family for case in disturbed))
    lines = ["| Disturbance | " + " | ".join(
        f"`{family}` | predicted / measured" for family in families) + " |",
        "|---|" + "--:|---|" * len(families)]
    for arguments in dict.fromkeys(tuple(case.arguments) for case in disturbed):
        cells = [disturbance(*arguments)]
        for family in families:
            found = runs.get((family, *arguments), ())
            errors = [run["measured"] for run in found if run["measured"] is not None]
            cells += [f"{statistics.median(errors):.1e}" if errors else "–",
                      ", ".join(map(ratio, found)) or "–"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def disturbance(option: str, value: str = "0") -> str:
    return {"--noise": f"noise of {value} of the gradient's norm",
            "--float16": "half precision",
            "--sparsify": f"the largest {float(value):.0%} kept"}[option]


def ratio(run: Mapping[str, Any]) -> str:
    if not run["predicted"] or not run["measured"]:
        return "–"
    text = f"{run['predicted'] / run['measured']:.1f}"
    return f"({text})" if float(run["psnr"]) == cascade_measures.NOTHING else text


def line(case: Case, runs: Sequence[Mapping[str, Any]]) -> str:
    cells = ["–"] * 5
    if runs:
        decibels = [float(run["psnr"]) for run in runs]
        cells = [
            cascade_measures.decibels(cascade_measures.median(decibels)),
            cascade_measures.decibels(min(decibels)),
            f"{sum(run['proven'] for run in runs)} of {len(runs)}",
            f"{statistics.median(run['seconds'] for run in runs):.1f}",
            f"{max(run['peak_mib'] for run in runs):.0f}",
        ]
    return "| " + " | ".join([f"`{case.family}`", network(case), *cells]) + " |"


def network(case: Case) -> str:
    """The network of a case in one line."""
    text = NETWORKS.get(case.family, "")
    for variant, meaning in VARIANTS.items():
        if case.family.endswith(variant):
            text = f"`{case.family.removesuffix(variant)}` {meaning}"
    if "--precision" in case.arguments:
        text += f"; in {case.arguments[-1]}"
    return text
