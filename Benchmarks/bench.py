#!/usr/bin/env python3
"""Runs our gradient matching beside PyTorch's, block by block in one run, and checks the promises.

Makes Benchmarks/.venv with PyTorch on first use. Run nothing else meanwhile.

    python3 Benchmarks/bench.py [--workload NAME]... [--threads 2] [--quick] [--tool PATH]
"""

from __future__ import annotations

import argparse
import array
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

from child import MALLOC, Child, ChildError
from measures import (
    PLANNING_MILLISECONDS, Agreement, Measurement, Memory, Verdict, agreement_verdict,
    curve_difference, floor_milliseconds, planning_verdict, relative_difference, table, verdicts)

HERE = pathlib.Path(__file__).resolve().parent
WORKLOADS: dict[str, dict] = json.loads((HERE / "workloads.json").read_text())
VARIANTS = ("eager", "functional", "compiled")
QUICK_WORKLOADS = ("lenet-zhu", "mlp")
CURVE_ITERATIONS = 50
MATRIX_SIZES = (1024, 1536, 2048)
SEED = 1
PAUSE = 0.3  # Seconds for the threads of the side that just ran to stop spinning.


@dataclass(frozen=True)
class Bench:
    """What every workload of a run shares."""

    tool: pathlib.Path
    python: pathlib.Path
    threads: int
    quick: bool
    folder: pathlib.Path

    @property
    def pairs(self) -> int:
        return 2 if self.quick else 9

    @property
    def variants(self) -> Sequence[str]:
        return VARIANTS[:1] if self.quick else VARIANTS

    def ours(self, threads: int | None = None) -> Child:
        return Child([str(self.tool)], threads or self.threads, self.folder / "ours.log")

    def peer(self, variant: str) -> Child:
        driver = str(HERE / "peers" / "torch_driver.py")
        return Child([str(self.python), driver, variant], self.threads,
                     self.folder / f"{variant}.log", settings=MALLOC)

    def load(
        self, child: Child, workload: str, precision: str = "float", threads: int | None = None
    ) -> None:
        settings = WORKLOADS[workload]
        child.ask("load", workload=workload, folder=str(self.folder),
                  threads=threads or self.threads, precision=precision,
                  totalVariation=settings["totalVariation"], learningRate=settings["learningRate"])

    def start_of(self, child: Child, precision: str) -> list[float]:
        """The objective at x0, and behind it ∂/∂x in NCHW order."""
        output = self.folder / f"slope-{child.process.pid}"
        objective = child.ask("objective", output=str(output))["objective"]
        slope = array.array("f" if precision == "float" else "d")
        slope.frombytes(output.read_bytes())
        output.unlink()
        return [objective, *slope]

    def measure(self, workload: str, gflops: float) -> Measurement:
        """Prepares, checks and times one workload."""
        settings = WORKLOADS[workload]
        with self.peer("eager") as child:
            child.ask("prepare", workload=workload, folder=str(self.folder), seed=SEED)
        double = self.double_difference(workload)
        with contextlib.ExitStack() as open_children:
            variant, peer, peer_memory = self.fastest_peer(workload, open_children)
            ours = open_children.enter_context(self.ours())
            self.load(ours, workload)
            agreement = Agreement(
                difference(self.start_of(ours, "float"), self.start_of(peer, "float")),
                double,
                curve_difference(ours.ask("iterate", iterations=CURVE_ITERATIONS)["objectives"],
                                 peer.ask("iterate", iterations=CURVE_ITERATIONS)["objectives"]))
            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(self.pairs):
                for child, found in zip((ours, peer), times):
                    found.append(block(child, settings["blockIterations"]))
            ours_memory = memory(ours)
        alone, side_by_side = self.restarts(workload)
        return Measurement(
            workload, times[0], times[1], variant,
            floor_milliseconds(settings["forwardMFLOP"], gflops), ours_memory, peer_memory,
            self.threads, agreement, settings["tolerance"], alone, side_by_side)

    def double_difference(self, workload: str) -> float:
        starts = []
        for child in (self.ours(), self.peer("eager")):
            with child:
                self.load(child, workload, "double")
                starts.append(self.start_of(child, "double"))
        return difference(*starts)

    def fastest_peer(
        self, workload: str, open_children: contextlib.ExitStack
    ) -> tuple[str, Child, Memory]:
        """The fastest variant that runs, still open, and the least memory that any of them took."""
        best: tuple[float, str, Child] | None = None
        least: Memory | None = None
        for variant in self.variants:
            child = open_children.enter_context(self.peer(variant))
            try:
                self.load(child, workload)
            except ChildError as error:
                say(f"{workload}: {variant} is not available: {str(error).splitlines()[0]}")
                child.close()
                continue
            iterations = WORKLOADS[workload]["blockIterations"]
            milliseconds = min(block(child, iterations) for _ in range(3))
            say(f"{workload}: {variant} takes {milliseconds:.2f} ms")
            used = memory(child)
            least = used if least is None else least.least(used)
            slower = child
            if best is None or milliseconds < best[0]:
                slower = best[2] if best is not None else None
                best = (milliseconds, variant, child)
            if slower is not None:
                slower.close()
        if best is None or least is None:
            raise ChildError(f"no variant of PyTorch runs {workload}")
        return best[1], best[2], least

    def restarts(self, workload: str) -> tuple[float, float]:
        """Milliseconds per iteration of one restart on one core, and of two side by side."""
        iterations = WORKLOADS[workload]["blockIterations"]
        with self.ours(threads=1) as child:
            self.load(child, workload, threads=1)
            found: dict[int, list[float]] = {1: [], 2: []}
            for _ in range(self.pairs):
                for count in found:
                    reply = child.ask("restarts", count=count, iterations=iterations)
                    found[count].append(reply["milliseconds"])
        return statistics.median(found[1]), statistics.median(found[2])

    def matrix_rate(self) -> float:
        """The machine's matrix-product rate in GFLOP/s at this number of threads."""
        with self.ours() as child:
            return max(child.ask("matmul-rate", size=size, threads=self.threads)["gflops"]
                       for size in MATRIX_SIZES)

    def planning(self) -> list[Verdict]:
        found = []
        for network in PLANNING_MILLISECONDS:
            with self.ours() as child:
                reply = child.ask("plan", network=network, threads=self.threads)
                found.append(planning_verdict(network, reply["milliseconds"]))
        return found


def difference(ours: list[float], peer: list[float]) -> float:
    """The larger relative difference of the objectives (first) and of the slopes (the rest)."""
    return max(relative_difference(ours[:1], peer[:1]), relative_difference(ours[1:], peer[1:]))


def block(child: Child, iterations: int) -> float:
    """Median milliseconds per iteration of one block."""
    time.sleep(PAUSE)
    return statistics.median(child.ask("iterate", iterations=iterations)["milliseconds"])


def memory(child: Child) -> Memory:
    reply = child.ask("memory")
    return Memory(reply["peakMiB"], reply["peakMiB"] - reply["baselineMiB"])


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def environment(*further: str) -> pathlib.Path:
    """The Python of Benchmarks/.venv, which is made anew unless it holds what is asked for.

    further: more files of requirements, installed beside those of requirements.txt.
    """
    folder = HERE / ".venv"
    python = folder / "bin" / "python"
    if not _installed("requirements.txt"):
        say("Making Benchmarks/.venv with PyTorch; this takes some minutes and 6 GB of disk")
        shutil.rmtree(folder, ignore_errors=True)
    try:
        if not folder.exists():
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        for name in ("requirements.txt", *further):
            if not _installed(name):
                subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", HERE / name],
                               check=True)
                shutil.copy(HERE / name, folder / name)
    except (subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"PyTorch cannot be installed: {error}\nThe peer's packages and versions are in "
                 "Benchmarks/requirements.txt; python3-venv and a package index must be there.")
    return python


def _installed(name: str) -> bool:
    """Whether Benchmarks/.venv was made from this very file of requirements."""
    installed = HERE / ".venv" / name
    return installed.exists() and installed.read_bytes() == (HERE / name).read_bytes()


def build() -> pathlib.Path:
    """Builds our executable and says where it is."""
    command = [os.environ.get("SWIFT", "swift"), "build", "-c", "release"]
    if subprocess.run([*command, "--product", "leakaudit-bench"], cwd=HERE.parent).returncode:
        sys.exit("leakaudit-bench cannot be built; the messages above say why.")
    folder = subprocess.run([*command, "--show-bin-path"], cwd=HERE.parent, check=True,
                            capture_output=True, text=True).stdout.strip()
    return pathlib.Path(folder) / "leakaudit-bench"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workload", action="append", choices=WORKLOADS,
                        help="only this one; may be repeated")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--quick", action="store_true",
                        help="check agreement and time roughly: small workloads, eager PyTorch")
    parser.add_argument("--tool", type=pathlib.Path, help="a leakaudit-bench that is built already")
    options = parser.parse_args()
    names = options.workload or (QUICK_WORKLOADS if options.quick else list(WORKLOADS))
    tool = options.tool.resolve() if options.tool else build()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(tool, environment(), options.threads, options.quick, pathlib.Path(folder))
        try:
            gflops = bench.matrix_rate()
            say(f"matrix products run at {gflops:.0f} GFLOP/s on {options.threads} threads")
            measurements = [bench.measure(name, gflops) for name in names]
            found = [agreement_verdict(measured) for measured in measurements]
            if not options.quick:
                found += [verdict for measured in measurements for verdict in verdicts(measured)]
                found += bench.planning()
        except ChildError as error:
            for log in sorted(bench.folder.glob("*.log")):
                say(f"--- {log.name}\n{log.read_text()[-2000:]}")
            sys.exit(f"The benchmark stopped: {error}")
    print(table(measurements))
    print(*found, sep="\n")
    if options.quick or options.workload:
        say("Benchmarks/results.json is left as it was: it takes a full run.")
    else:
        results = [measured.result() for measured in measurements]
        (HERE / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    sys.exit(0 if all(verdict.met for verdict in found) else 1)


if __name__ == "__main__":
    main()
