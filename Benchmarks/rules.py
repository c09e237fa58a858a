#!/usr/bin/env python3
"""Calibrates the static rules: what they measure on clean networks, and whether they find changed ones.

    python Benchmarks/rules.py clean        # clean checkpoints: ranges and false alarms
    python Benchmarks/rules.py changed      # every manipulation at three sizes with three seeds
    python Benchmarks/rules.py compare      # exchanged classes, replaced layers, other architectures
    python Benchmarks/rules.py imprint      # 64 photographs read back through 128 bins
    python Benchmarks/rules.py flip         # what exchanging two classes does to gradients
    python Benchmarks/rules.py speed        # a clean checkpoint of 100 MB, all rules
    python Benchmarks/rules.py table        # Documentation/Calibration.md from the results

Results are kept in Benchmarks/rules_results.json. The networks and manipulations are in
peers/rule_networks.py; trained networks are kept in LEAKAUDIT_CACHE, else ~/.cache/leakaudit.
Needs requirements-cascade.txt and a release build.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from statistics import mean, stdev

import numpy
import torch
from torch import Tensor, nn

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "peers"), str(HERE.parent / "Exporters")]

import cascade_training  # noqa: E402
import leakaudit_torch  # noqa: E402
import photographs  # noqa: E402
import rule_networks as networks  # noqa: E402

RESULTS = HERE / "rules_results.json"
TABLE = HERE.parent / "Documentation" / "Calibration.md"
TRAINED_SEEDS = {"mlp": 6, "convnet": 5, "resnet18": 2, "vgg11": 3, "transformer": 5}


def export(path: pathlib.Path, network: nn.Module, inputs: Tensor, batch: int | None = None) -> None:
    leakaudit_torch.export(
        path, network.eval(), inputs, after_backward=False, batch_size=batch)


def measured(tool: str, path: pathlib.Path) -> tuple[list[dict], list[str]]:
    """What rules measured on a file, and the identifiers of those that found something."""
    text = subprocess.run(
        [tool, "inspect", "--rules", str(path)], check=True, capture_output=True, text=True,
        timeout=120).stdout
    statistics, found = [], []
    for line in text.splitlines()[1:]:
        rule, threshold, standard, layer, value = line.split("\t")
        if threshold == "found":
            found.append(rule)
        else:
            statistics.append({"rule": rule, "threshold": threshold, "standard": float(standard),
                               "layer": layer, "value": float(value)})
    return statistics, sorted(set(found))


# Clean networks ---------------------------------------------------------------------------------


def train_tokens(network: nn.Module) -> None:
    """A hundred steps of Adam: which of ten groups of tokens is most frequent."""
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    network.train()
    for _ in range(100):
        tokens = torch.randint(0, 200, (32, 24))
        labels = torch.stack([(tokens // 20 == group).sum(1) for group in range(10)], 1).argmax(1)
        loss = nn.functional.cross_entropy(network(tokens), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def trained(architecture: str, seed: int) -> nn.Module:
    """Two short epochs from one of the initialisers, in turn; kept in the cache."""
    names = [None, *networks.INITIALISERS]
    torch.manual_seed(zlib.crc32(architecture.encode()) + seed)
    network = networks.ARCHITECTURES[architecture]()
    initialiser = names[seed % len(names)]
    if initialiser is not None and architecture != "transformer":
        networks.initialise(network, initialiser)
    recipe = repr((cascade_training.CROPS, cascade_training.EPOCHS, initialiser, torch.__version__))
    path = cascade_training.cache() / (
        f"rules-{architecture}-{seed}-{zlib.crc32(recipe.encode()):08x}.pt")
    if path.exists():
        network.load_state_dict(torch.load(path, weights_only=True))
        return network
    if architecture == "transformer":
        train_tokens(network)
    else:
        cascade_training.train(network, *cascade_training.crops(networks.EXTENT))
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), path)
    return network


def known_crops() -> tuple[Tensor, Tensor]:
    """Every fourth crop, 32 of each photograph."""
    images, labels = cascade_training.crops(networks.EXTENT)
    return images[::4], labels[::4]


def confident(architecture: str, seed: int) -> nn.Module:
    """`trained`, then on a quarter of the crops until their mean loss in inference mode is below 0.05,
    at most sixty times.

    Kept in the cache.
    """
    network = trained(architecture, seed)
    path = cascade_training.cache() / f"rules-{architecture}-{seed}-confident-{torch.__version__}.pt"
    if path.exists():
        network.load_state_dict(torch.load(path, weights_only=True))
        return network
    images, labels = known_crops()
    torch.manual_seed(seed)
    optimiser = torch.optim.Adam(network.parameters(), 3e-4)
    for _ in range(60):
        network.train()
        for batch in torch.randperm(len(labels)).split(32):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(images[batch]), labels[batch]).backward()
            optimiser.step()
        network.eval()
        with torch.no_grad():
            losses = [nn.functional.cross_entropy(network(images[batch]), labels[batch])
                      for batch in torch.arange(len(labels)).split(32)]
        if sum(losses) < 0.05 * len(losses):
            break
    torch.save(network.state_dict(), path)
    return network


def pruned(network: nn.Module, share: float) -> nn.Module:
    """A copy without the smallest `share` of every layer's weights."""
    changed = copy.deepcopy(network)
    with torch.no_grad():
        for module in networks.layers(changed, nn.Linear, nn.Conv2d):
            size = module.weight.abs().flatten().sort().values[int(share * module.weight.numel())]
            module.weight[module.weight.abs() < size] = 0
    return changed


def special() -> Iterator[tuple[str, str, nn.Module]]:
    """Honest networks that look unusual."""
    network = networks.ARCHITECTURES["resnet18"]()
    for block in (*network.layer1, *network.layer2, *network.layer3, *network.layer4):
        nn.init.zeros_(block.bn2.weight)
    yield "resnet18, last scales zero", "resnet18", network
    network = networks.ARCHITECTURES["mlp"]()
    nn.init.zeros_(network.fc.weight)
    nn.init.zeros_(network.fc.bias)
    yield "mlp, classifier zero", "mlp", network
    network = networks.ARCHITECTURES["convnet"]()
    nn.init.dirac_(networks.layers(network, nn.Conv2d)[3].weight)
    yield "convnet, an inner identity", "convnet", network
    for architecture in ("mlp", "convnet", "vgg11"):
        yield f"{architecture}, trained, pruned 90 %", architecture, pruned(
            trained(architecture, 1), 0.9)
    yield "mlp, float16", "mlp", trained("mlp", 2).half().float()


def clean() -> Iterator[tuple[str, str, nn.Module]]:
    for architecture in networks.ARCHITECTURES:
        for name in networks.INITIALISERS:
            torch.manual_seed(zlib.crc32((architecture + name).encode()))
            yield (f"{architecture}, {name}", architecture,
                   networks.initialise(networks.ARCHITECTURES[architecture](), name))
        torch.manual_seed(zlib.crc32(architecture.encode()))
        yield (f"{architecture}, PyTorch's own", architecture,
               networks.ARCHITECTURES[architecture]())
    for architecture, seeds in TRAINED_SEEDS.items():
        for seed in range(seeds):
            yield f"{architecture}, trained, seed {seed}", architecture, trained(architecture, seed)
    yield from special()


def run_clean(tool: str, published: list[pathlib.Path]) -> dict:
    ranges: dict[str, dict] = {}
    alarms: list[str] = []
    names: list[str] = []

    def note(name: str, path: pathlib.Path) -> None:
        statistics, found = measured(tool, path)
        names.append(name)
        for rule in found:
            if rule in networks.MANIPULATIONS:
                alarms.append(f"{rule}: {name}")
        for entry in statistics:
            key = f"{entry['rule']} {entry['threshold']}"
            known = ranges.setdefault(
                key, {"standard": entry["standard"], "least": math.inf, "most": -math.inf,
                      "values": 0})
            known["values"] += 1
            for end, better in (("least", min), ("most", max)):
                known[end] = better(known[end], entry["value"])
        print(name, found, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "network.h5"
        for name, architecture, network in clean():
            export(path, network, networks.example(architecture))
            note(name, path)
    for path in published:
        note(path.name, path)
    return {"networks": names, "ranges": ranges, "falseAlarms": alarms}


# What another rule says as well or instead: many copies of a row with biases of their own are a ladder.
COVERED_BY = {"duplicate-rows": {"imprint-rows"}}


# Changed networks -------------------------------------------------------------------------------


def run_changed(tool: str, rules: list[str]) -> dict:
    results: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "network.h5"
        for rule, changes in networks.MANIPULATIONS.items():
            if rules and rule not in rules:
                continue
            count, missed, others = 0, [], set()
            for change, architectures in changes:
                for architecture in architectures:
                    for size in range(3):
                        for seed in range(3):
                            network, inputs, batch = networks.manipulated(
                                change, architecture, size, seed)
                            export(path, network, inputs, batch)
                            _, found = measured(tool, path)
                            count += 1
                            if not ({rule} | COVERED_BY.get(rule, set())) & set(found):
                                missed.append(
                                    f"{change.__name__}, {architecture}, size {size}, seed {seed}")
                            others |= {other for other in found if other in networks.MANIPULATIONS}
            others.discard(rule)
            results[rule] = {"cases": count, "found": count - len(missed), "missed": missed,
                             "alsoFired": sorted(others)}
            print(rule, results[rule], flush=True)
    return results


def run_compare(tool: str) -> dict:
    """Exchanged pairs after a step, layers drawn anew, modules inserted, and honest steps."""
    results: dict[str, dict] = {}
    seconds: list[float] = []

    def compared(folder: pathlib.Path) -> tuple[list[dict], int]:
        start = time.perf_counter()
        run = subprocess.run(
            [tool, "compare", "reference.h5", "model.h5", "--format", "json", "--quiet"],
            cwd=folder, capture_output=True, text=True, timeout=120)
        seconds.append(time.perf_counter() - start)
        return json.loads(run.stdout)["findings"], run.returncode

    def note(kind: str, right: bool, case: str) -> None:
        entry = results.setdefault(kind, {"cases": 0, "right": 0, "wrong": []})
        entry["cases"] += 1
        entry["right"] += right
        if not right:
            entry["wrong"].append(case)
            print("wrong:", kind, case, flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for architecture in networks.PICTURES:
            for size, classes in enumerate((10, 100, 1000)):
                for seed in range(3):
                    case = f"{architecture}, {classes} classes, seed {seed}"
                    torch.manual_seed(100 * size + seed)
                    network = networks.ARCHITECTURES[architecture]()
                    networks.with_classes(network, classes)
                    inputs = networks.example(architecture)
                    export(folder / "reference.h5", network, inputs)
                    honest = networks.moved(network, (0, 0.01, 0.1)[seed])
                    export(folder / "model.h5", honest, inputs)
                    findings, code = compared(folder)
                    note("honest step", not findings and code == 0, case)
                    first, second = torch.randperm(classes)[:2].sort().values.tolist()
                    export(folder / "model.h5", networks.swapped(honest, first, second), inputs)
                    findings, code = compared(folder)
                    note("classes exchanged", code == 1 and len(findings) == 1 and
                         f"classes {first} and {second}." in findings[0]["message"], case)
                    replaced = copy.deepcopy(honest)
                    layer = networks.layers(replaced, nn.Linear, nn.Conv2d)[size]
                    layer.reset_parameters()
                    export(folder / "model.h5", replaced, inputs)
                    findings, code = compared(folder)
                    note("layer replaced", code == 1 and
                         [f["id"] for f in findings] == ["replaced-weights"], case)
                    export(folder / "model.h5", networks.imprint(honest, size, seed), inputs)
                    findings, code = compared(folder)
                    note("module inserted", code == 1 and
                         any(f["id"] == "changed-architecture" for f in findings), case)
    seconds.sort()
    results["seconds"] = {"median": seconds[len(seconds) // 2], "most": seconds[-1]}
    return results


# Read-out ---------------------------------------------------------------------------------------


IMPRINT_SEEDS = {"mlp": 20, "convnet": 5, "resnet18": 5}


def run_imprint(tool: str) -> list[dict]:
    """64 crops of photographs, 128 bins of equal weight, three networks behind.

    How many are alone differs from batch to batch: by 4 where 39 are expected, so a mean needs many.
    """
    images, bins = 64, 128
    pool, labels = cascade_training.crops(networks.EXTENT)
    ladder = torch.quantile(brightness(), torch.arange(bins, dtype=torch.float64) / bins).float()
    results = []
    for architecture in networks.PICTURES:
        for seed in range(IMPRINT_SEEDS[architecture]):
            torch.manual_seed(seed)
            batch = torch.randperm(len(pool))[:images]
            module = networks.imprint(networks.ARCHITECTURES[architecture](), 1, 0).eval()
            with torch.no_grad():
                module[0].encode.bias.copy_(-ladder)
            loss = nn.functional.cross_entropy(module(pool[batch]), labels[batch])
            gradient = torch.autograd.grad(loss, list(module.parameters()))
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "gradient.h5"
                leakaudit_torch.export(
                    path, module, pool[batch], gradients=gradient, batch_size=images,
                    truth=(pool[batch], labels[batch]))
                run = subprocess.run(
                    [tool, "audit", "--gradient", str(path), "--format", "json", "--quiet",
                     "--time-limit", "20"], capture_output=True, text=True, timeout=300)
            recoveries = [entry for entry in json.loads(run.stdout)["recoveries"]
                          if entry["method"] == "imprint-bins"]
            quality = recoveries[0]["quality"]["psnr"] if recoveries else []
            results.append({
                "network": architecture, "seed": seed,
                "expected": images * (1 - 1 / bins) ** (images - 1),
                "alone": alone(pool[batch], module[0].encode),
                "proven": sum(entry["samples"] for entry in recoveries if entry["proven"]),
                "leastPSNR": min(quality, default=None)})
            print(results[-1], flush=True)
    return results


def brightness() -> Tensor:
    """The mean of each of 10,000 other crops: with as few as there are to train on, bins differ by a
    third in weight, and 37.6 instead of 39 samples of 64 are alone."""
    random = numpy.random.default_rng(1)
    return torch.tensor([photographs.crop(name, networks.EXTENT, random, largest=288).mean()
                         for name in photographs.CLASSES for _ in range(1000)])


def alone(batch: Tensor, encode: nn.Linear) -> int:
    """How many samples have a bin to themselves."""
    values = batch.flatten(1).double() @ encode.weight[0].double()
    places = [int((value > -encode.bias.double()).sum()) for value in values]
    return sum(places.count(place) == 1 and place > 0 for place in places)


# Exchanged classes -------------------------------------------------------------------------------


def gradients(network: nn.Module, inputs: Tensor, labels: Tensor) -> list[Tensor]:
    loss = nn.functional.cross_entropy(network(inputs), labels)
    return list(torch.autograd.grad(loss, list(network.parameters())))


def flat(parts: list[Tensor]) -> Tensor:
    return torch.cat([part.flatten() for part in parts])


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def sample_norms(network: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
    """The gradient norm of each sample alone."""
    return torch.stack([flat(gradients(network, inputs[i:i + 1], labels[i:i + 1])).norm()
                        for i in range(len(labels))])


# How far a network was trained.
STATES = {"as drawn": lambda architecture, _: networks.ARCHITECTURES[architecture](),
          "two epochs": trained, "confident": confident}


class Flip:
    """One network with two of its classes exchanged, and samples of photographs by class."""

    def __init__(self, architecture: str, state: str, seed: int) -> None:
        torch.manual_seed(seed)
        self.network = STATES[state](architecture, seed).eval()
        self.first, self.second = seed, seed + 5
        self.changed = networks.swapped(self.network, self.first, self.second).eval()
        self.images, self.labels = known_crops()
        self.random = torch.Generator().manual_seed(seed)

    def of_class(self, label: int, count: int = 1) -> Tensor:
        places = (self.labels == label).nonzero().flatten()
        return places[torch.randperm(len(places), generator=self.random)[:count]]

    def others(self) -> list[int]:
        return [c for c in range(10) if c not in (self.first, self.second)]

    def batch(self, victims: list[int]) -> Tensor:
        """Indices of eight samples: one of each victim's class first, the rest of classes that stayed."""
        stayed = [self.others()[i] for i in torch.randperm(8, generator=self.random)]
        return torch.cat([self.of_class(label)
                          for label in (victims + stayed)[:8]])

    def single(self) -> dict[str, float]:
        """Median gradient norms of four samples of each class, before the exchange and after it."""
        flipped = torch.cat([self.of_class(c, 4) for c in (self.first, self.second)])
        rest = torch.cat([self.of_class(c, 4) for c in self.others()])
        return {f"{who} {when}": float(
                    sample_norms(network, self.images[which], self.labels[which]).median())
                for who, which in (("flipped", flipped), ("others", rest))
                for when, network in (("before", self.network), ("after", self.changed))}

    def in_batch(self, index: Tensor, network: nn.Module, row: int) -> dict[str, float]:
        """How far the first sample stands out of the batch, and how well its features are read."""
        images, labels = self.images[index], self.labels[index]
        norms = sample_norms(network, images, labels)
        whole = gradients(network, images, labels)
        alone = gradients(network, images[:1], labels[:1])
        features: list[Tensor] = []
        hook = networks.classifier(network).register_forward_pre_hook(
            lambda _, arguments: features.append(arguments[0].detach()))
        network(images[:1])
        hook.remove()
        estimate = whole[-2][row] / whole[-1][row]
        return {"share": float(norms[0] / norms.sum()),
                "cosine": float(nn.functional.cosine_similarity(flat(whole), flat(alone), 0)),
                "features": float((estimate - features[0][0]).norm() / features[0][0].norm())}

    def read(self, tool: str, index: Tensor) -> str:
        """What the tool says about the exchange where it is given the gradient of the batch."""
        images, labels = self.images[index], self.labels[index]
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            export(folder / "reference.h5", self.network, images)
            export(folder / "model.h5", self.changed, images)
            leakaudit_torch.export(
                folder / "gradient.h5", self.changed, images, batch_size=len(labels),
                gradients=gradients(self.changed, images, labels))
            run = subprocess.run(
                [tool, "audit", "model.h5", "--reference", "reference.h5", "--gradient",
                 "gradient.h5", "--format", "json", "--quiet", "--time-limit", "1"],
                cwd=folder, capture_output=True, text=True, timeout=300)
        return next((finding["message"] for finding in json.loads(run.stdout)["findings"]
                     if finding["id"] == "permuted-classifier-rows"), "")


def run_flip(tool: str, architectures: list[str]) -> list[dict]:
    """Networks trained not at all to well; batches of eight, with one sample of an exchanged class or two."""
    results = []
    for architecture in architectures or networks.PICTURES:
        for state in STATES:
            for seed in range(1 if architecture == "resnet18" else 2):
                flip = Flip(architecture, state, seed)
                # An audit of a residual network with a gradient takes a minute.
                reads = 1 if architecture == "resnet18" else 4
                entry = {"network": architecture, "state": state, "seed": seed,
                         "norms": flip.single()}
                batches = [flip.batch([flip.first]) for _ in range(8)]
                for when, network in (("before", flip.network), ("after", flip.changed)):
                    seen = [flip.in_batch(index, network, flip.first) for index in batches]
                    entry[when] = {key: median([one[key] for one in seen]) for key in seen[0]}
                named = f"Class {flip.first} was certainly in the batch"
                entry["named"] = sum(named in flip.read(tool, index) for index in batches[:reads])
                both = [flip.batch([flip.first, flip.second]) for _ in range(reads)]
                entry["bothNamed"] = sum(
                    f"Classes {flip.first} and {flip.second} were certainly" in flip.read(tool, index)
                    for index in both)
                entry["batches"] = reads
                results.append(entry)
                print(entry, flush=True)
    return results


# Speed ------------------------------------------------------------------------------------------


def run_speed(tool: str) -> dict:
    """Seconds and processor seconds for a clean checkpoint of 100 MB, by number of rules at a time."""
    results: dict[str, dict] = {}
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5000, 4000), nn.ReLU(), nn.Linear(4000, 1200), nn.ReLU(),
                            nn.Linear(1200, 10))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.h5"
        export(path, network, torch.rand(1, 5000))
        size = path.stat().st_size / 1e6
        for command in (["audit", str(path), "--quiet", "-j", "1"],
                        ["audit", str(path), "--quiet", "-j", "2"],
                        ["inspect", "--rules", str(path)]):
            runs, reports = [], set()
            for _ in range(5):
                before, start = os.times(), time.perf_counter()
                run = subprocess.run([tool, *command], capture_output=True, timeout=120)
                after = os.times()
                runs.append((time.perf_counter() - start,
                             after.children_user - before.children_user))
                reports.add(run.stdout)
            runs.sort()
            results[" ".join(word for word in command if word != str(path))] = {
                "megabytes": round(size, 1), "seconds": round(runs[len(runs) // 2][0], 3),
                "userSeconds": round(runs[len(runs) // 2][1], 3), "reports": len(reports)}
    print(results, flush=True)
    return results


# Table ------------------------------------------------------------------------------------------


def table(results: dict) -> str:
    lines = [
        "# Calibration of the rules", "",
        "Written by `python Benchmarks/rules.py table` from `Benchmarks/rules_results.json`; "
        "[how](../Benchmarks/README.md#static-rules).", ""]
    if clean := results.get("clean"):
        alarms = clean["falseAlarms"]
        lines += [
            f"## Clean networks", "",
            f"{len(clean['networks'])} checkpoints: five architectures by six initialisers and by "
            "PyTorch's own, trained ones, honest ones that look unusual (last scales zero, a zero "
            "classifier, an inner identity, pruned, rounded to float16), and two published ones. "
            f"False alarms of rules about manipulation: **{len(alarms)}**.", "",
            "| Rule | Compares | Least seen | Most seen | Threshold | Measured |",
            "|---|---|--:|--:|--:|--:|"]
        for key, entry in sorted(clean["ranges"].items()):
            rule, threshold = key.split(" ")
            lines.append(
                f"| `{rule}` | {threshold} | {entry['least']:.3g} | {entry['most']:.3g} "
                f"| {entry['standard']:.6g} | {entry['values']} |")
        lines += [f"- {alarm}" for alarm in alarms]
        lines.append("")
    if changed := results.get("changed"):
        total = sum(entry["cases"] for entry in changed.values())
        found = sum(entry["found"] for entry in changed.values())
        lines += [
            "## Changed networks", "",
            "Every manipulation at three sizes with three seeds on a perceptron, a ConvNet and "
            f"ResNet-18, as far as it applies to them: {found} of {total} found.", "",
            "| Rule | Found | Cases | Other rules that spoke as well |", "|---|--:|--:|---|"]
        for rule, entry in sorted(changed.items()):
            others = ", ".join(f"`{other}`" for other in entry["alsoFired"]) or "–"
            lines.append(f"| `{rule}` | {entry['found']} | {entry['cases']} | {others} |")
        lines += [f"- Missed: {rule}: {case}" for rule, entry in sorted(changed.items())
                  for case in entry["missed"]]
        lines.append("")
    if compared := results.get("compare"):
        lines += ["## Comparisons with a reference", "",
                  "On the three architectures with 10, 100 and 1,000 classes, three seeds each, "
                  "the weights equal or up to a tenth of their size apart.", "",
                  "| Change | Right | Cases |", "|---|--:|--:|"]
        for kind, entry in compared.items():
            if kind != "seconds":
                lines.append(f"| {kind} | {entry['right']} | {entry['cases']} |")
        lines.append("")
    if imprint := results.get("imprint"):
        lines += [
            "## Read-out of a ladder", "",
            "64 crops of photographs in one batch, 128 bins of equal weight on 10,000 "
            "others, single precision; B(1 − 1/K)^(B−1) = 39.05 expected to be alone. Means over batches with "
            "their standard errors. A proof compares the sample's own loss gradient, and does not "
            "follow where rounding takes a ReLU behind to its other side.", "",
            "| Network behind | Batches | Alone in a bin | Proven | Fewest, most | Least PSNR, dB |",
            "|---|--:|--:|--:|--:|--:|"]
        for network in IMPRINT_SEEDS:
            entries = [entry for entry in imprint if entry["network"] == network]
            proven = [entry["proven"] for entry in entries]
            least = min((entry["leastPSNR"] for entry in entries
                         if entry["leastPSNR"] is not None), default=None)
            lines.append(
                f"| {network} | {len(entries)} | {mean_of([entry['alone'] for entry in entries])} "
                f"| {mean_of(proven)} | {min(proven)}, {max(proven)} "
                f"| {'–' if least is None else round(least, 1)} |")
        lines.append("")
    if flip := results.get("flip"):
        lines += flip_table(flip)
    return "\n".join(lines)


def mean_of(counts: list[int]) -> str:
    error = stdev(counts) / math.sqrt(len(counts)) if len(counts) > 1 else math.nan
    return f"{mean(counts):.1f} ± {error:.1f}"


def flip_table(flip: list[dict]) -> list[str]:
    lines = [
        "## Gradients of exchanged classes", "",
        "Two rows of the classifier exchanged, inference mode. Norms are of the whole gradient of one "
        "sample, the median of four samples a class; the rest is of batches of eight with one sample of "
        "an exchanged class, medians of eight batches. Share: the sample's norm over the sum of all eight. "
        "Cosine: between the batch's gradient and that of the sample alone. Features: relative error of "
        "W̄_a / b̄_a as the features of the sample. Named: batches of which the tool, given the reference and "
        "the gradient, says that this class was in them. Of both: batches with a sample of each exchanged "
        "class of which it says so of both.", "",
        "| Network | Seed | Norm, exchanged: before | after | Norm, others | Share: before | after "
        "| Cosine: before | after | Features: before | after | Named | Of both |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for entry in flip:
        norms, before, after = entry["norms"], entry["before"], entry["after"]
        lines.append(
            f"| {entry['network']}, {entry['state']} | {entry['seed']} | {norms['flipped before']:.3g} "
            f"| {norms['flipped after']:.3g} | {norms['others after']:.3g} "
            + "".join(f"| {before[key]:.3g} | {after[key]:.3g} "
                      for key in ("share", "cosine", "features"))
            + f"| {entry['named']} of {entry['batches']} | {entry['bothNamed']} of {entry['batches']} |")
    sure = [entry for entry in flip if entry["state"] == "confident"]

    def span(when: str, key: str) -> str:
        values = sorted(entry[when][key] for entry in sure)
        return f"{values[0]:.2g} to {values[-1]:.2g}"

    return lines + [
        "", "On networks that recognise their samples (confident: trained to a mean loss of 0.05, or for sixty "
        "passes) the exchange does what the paper says. The sample's share of its batch's gradients was "
        f"{span('before', 'share')} and is {span('after', 'share')}; the cosine was {span('before', 'cosine')} and is "
        f"{span('after', 'cosine')}; and its features follow from one row to a relative error of "
        f"{span('after', 'features')}. On networks as drawn it does nothing, and after two epochs little can be "
        "relied on: other samples still have gradients as large.", "",
        "It is less than a read-out. What the other samples add is no rounding, so the exchange proves that a class "
        "was there, not its inputs; those need one of the attacks, whose certificate is then stated with the "
        "finding. And samples of both exchanged classes hide each other, since e_b − e_a and e_a − e_b cancel in "
        f"the bias gradient: both were named in {sum(entry['bothNamed'] for entry in sure)} of "
        f"{sum(entry['batches'] for entry in sure)} such batches of confident networks.", ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("clean", "changed", "compare", "imprint", "flip",
                                         "speed", "table"))
    parser.add_argument("--tool", default=str(HERE.parent / ".build" / "release" / "leakaudit"))
    parser.add_argument("--published", nargs="*", type=pathlib.Path, default=[],
                        help="further clean checkpoints")
    parser.add_argument("--rules", nargs="*", default=[], help="only these manipulations")
    parser.add_argument("--networks", nargs="*", default=[], choices=networks.PICTURES,
                        help="exchange classes of these only")
    options = parser.parse_args()
    torch.set_num_threads(min(2, os.cpu_count() or 1))
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if options.what == "clean":
        results["clean"] = run_clean(options.tool, options.published)
    elif options.what == "changed":
        results["changed"] = results.get("changed", {}) | run_changed(options.tool, options.rules)
    elif options.what == "compare":
        results["compare"] = run_compare(options.tool)
    elif options.what == "imprint":
        results["imprint"] = run_imprint(options.tool)
    elif options.what == "flip":
        new = run_flip(options.tool, options.networks)
        seen = {entry["network"] for entry in new}
        kept = [entry for entry in results.get("flip", []) if entry["network"] not in seen]
        results["flip"] = sorted(kept + new, key=lambda e: networks.PICTURES.index(e["network"]))
    elif options.what == "speed":
        results["speed"] = run_speed(options.tool)
    else:
        TABLE.write_text(table(results))
        return
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
