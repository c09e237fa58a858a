#!/usr/bin/env python3
"""Audits gradients of photographs, network by network, and checks the promises of the cascade.

Installs PyTorch and scikit-image into Benchmarks/.venv on first use. Run nothing else meanwhile.

    python3 Benchmarks/cascade.py [--families lenet,tanh] [--seeds 3] [--json OUT] [--details]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cascade_measures
import cascade_table
from bench import HERE, environment, say
from cascade_measures import Case, Run

EXPECTED_EXITS = (0, 1, 2, 3)  # 4 is a failure of ours, a signal is one of the tool's.


@dataclass(frozen=True)
class Bench:
    """What every case of a run shares."""

    tool: pathlib.Path
    python: pathlib.Path
    folder: pathlib.Path
    seconds: float
    arguments: Sequence[str]

    def measure(self, case: Case, seed: int) -> Run:
        """Writes one file, audits it, and deletes it."""
        command = [str(self.python), str(HERE / "cascade_families.py"), case.family,
                   *case.arguments, "--seeds", str(seed), "--output", str(self.folder),
                   "--describe"]
        # What the generator prints last describes the file; training talks on standard error.
        written = json.loads(subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])
        path = pathlib.Path(written["path"])
        try:
            return self.audit(case, seed, path, written)
        finally:
            path.unlink()

    def audit(self, case: Case, seed: int, path: pathlib.Path, written: dict) -> Run:
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        file = str(path)
        chosen = [file] if written["weightsOnly"] else ["--gradient", file, "--truth", file]
        extra = [argument.format(deviation=written["deviation"]) for argument in self.arguments]
        measured = timed([str(self.tool), "audit", *chosen, "--format", f"json={report}",
                          "--quiet", *extra], self.seconds)
        known = {"seed": seed, "seconds": measured.seconds, "peak_mib": measured.peak_mib,
                 "grey": written["grey"], "mean_colour": written["meanColour"]}
        if measured.exit not in EXPECTED_EXITS or not report.exists():
            why = (f"stopped after {self.seconds:g} s" if measured.stopped
                   else f"exit code {measured.exit}")
            return Run(**known, failure=why)
        return cascade_measures.read(json.loads(report.read_text()), **known)


@dataclass(frozen=True)
class Process:
    """How a child ended: `exit` is negative for a signal."""

    exit: int
    seconds: float
    peak_mib: float
    stopped: bool


def timed(
    command: Sequence[str], limit: float, settings: Mapping[str, str] | None = None
) -> Process:
    """Runs a child, which is stopped after `limit` seconds; its wall time and peak memory.

    The peak is the largest resident size of the child or of a child it waited for.
    settings: variables on top of our own environment.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                               env=os.environ | dict(settings or {}))
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        os.kill(process.pid, signal.SIGKILL)

    timer = threading.Timer(limit, stop)
    timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Process(process.returncode, seconds, usage.ru_maxrss / 1024, stopped.is_set())


def build() -> pathlib.Path:
    """Builds the tool and says where it is."""
    command = [os.environ.get("SWIFT", "swift"), "build", "-c", "release"]
    if subprocess.run([*command, "--product", "leakaudit"], cwd=HERE.parent).returncode:
        sys.exit("leakaudit cannot be built; the messages above say why.")
    folder = subprocess.run([*command, "--show-bin-path"], cwd=HERE.parent, check=True,
                            capture_output=True, text=True).stdout.strip()
    return pathlib.Path(folder) / "leakaudit"


def chosen(all_cases: Sequence[Case], families: str | None, seeds: int | None) -> list[Case]:
    """The cases whose family is asked for, with the number of seeds asked for."""
    names = families.split(",") if families else None
    unknown = set(names or ()) - {case.family for case in all_cases}
    if unknown:
        sys.exit(f"cascade_promises.json has no family {min(unknown)}; it has "
                 f"{', '.join(dict.fromkeys(case.family for case in all_cases))}")
    return [case if seeds is None else dataclasses.replace(case, seeds=seeds)
            for case in all_cases if names is None or case.family in names]


def peer(bench: Bench, cases: Sequence[Case], seeds: int, iterations: int) -> str:
    """The published optimiser on the first seeds of each undisturbed family."""
    lines = ["| Family | seed | Geiping et al. 2020, dB | s |", "|---|--:|--:|--:|"]
    for family in dict.fromkeys(case.family for case in cases if not case.arguments):
        for seed in range(seeds):
            command = [str(bench.python), str(HERE / "peers" / "cascade_peer.py"), family,
                       "--seed", str(seed), "--iterations", str(iterations)]
            found = json.loads(subprocess.run(
                command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])
            say(f"{family} {seed}: the published optimiser reaches {found['psnr']:.1f} dB "
                f"in {found['seconds']:.0f} s")
            lines.append(f"| {family} | {seed} | {found['psnr']:.1f} | {found['seconds']:.1f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--families", help="only these, with commas between them")
    parser.add_argument("--undisturbed", action="store_true", help="leave out the noise sweep")
    parser.add_argument("--seeds", type=int, help="so many of each instead of the promised number")
    parser.add_argument("--json", type=pathlib.Path, help="write everything measured to this file")
    parser.add_argument("--table", type=pathlib.Path, metavar="JSON",
                        help="only print the tables of Documentation/Attacks.md from such a file")
    parser.add_argument("--details", action="store_true",
                        help="a table of seeds for each case, and the chain of its first seed")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for one audit")
    parser.add_argument("--tool", type=pathlib.Path, help="a leakaudit that is built already")
    parser.add_argument("--python", type=pathlib.Path, help="one that has PyTorch already")
    parser.add_argument("--audit-argument", action="append", default=[], metavar="ARGUMENT",
                        help="handed to each audit; {deviation} is that of the noise of one entry")
    parser.add_argument("--peer", action="store_true", help="the published optimiser as well")
    parser.add_argument("--peer-seeds", type=int, default=1)
    parser.add_argument("--peer-iterations", type=int, default=4800)
    options = parser.parse_args()
    promised = cascade_measures.load(HERE / "cascade_promises.json")
    if options.table:
        results = json.loads(options.table.read_text())
        print(cascade_table.table(promised, results), "",
              cascade_table.noise_table(promised, results), sep="\n")
        return
    cases = chosen(promised, options.families, options.seeds)
    if options.undisturbed:
        cases = [case for case in cases if not case.arguments]
    tool = options.tool.resolve() if options.tool else build()
    # Not resolved: the link to the interpreter is what tells an environment from the system.
    python = options.python.absolute() if options.python else environment(
        "requirements-cascade.txt")
    found: list[tuple[Case, list[Run]]] = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(tool, python, pathlib.Path(folder), options.timeout,
                      options.audit_argument)
        for case in cases:
            runs = []
            for seed in range(case.seeds):
                run = bench.measure(case, seed)
                runs.append(run)
                say(f"{case.name} {seed}: {cascade_measures.decibels(run.psnr)} dB in "
                    f"{run.seconds:.1f} s{', ' + run.failure if run.failure else ''}")
            found.append((case, runs))
            if options.json:  # After each case, so that a run that is cut short leaves something.
                options.json.write_text(json.dumps(
                    [cascade_measures.result(*pair) for pair in found], indent=2) + "\n")
        print(cascade_measures.HEADER)
        print(*(cascade_measures.row(*pair) for pair in found), sep="\n")
        if options.details:
            for case, runs in found:
                print(f"\n### {case.name}\n\n{cascade_measures.seed_table(runs)}")
                for chain in runs[0].chains:
                    print(f"\n{cascade_measures.chain_table(chain)}")
        if options.peer:
            print(f"\n{peer(bench, cases, options.peer_seeds, options.peer_iterations)}")
    sys.exit(cascade_measures.exit_code(found))


if __name__ == "__main__":
    main()
