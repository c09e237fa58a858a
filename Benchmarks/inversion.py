#!/usr/bin/env python3
"""Inverts gradients and updates of photographs, ours beside PyTorch, and checks what is promised.

Installs PyTorch and scikit-image into Benchmarks/.venv on first use. Run nothing else meanwhile.
Each run is stored in inversion_results.json as it ends, in place of the one before it.

    python3 Benchmarks/inversion.py --promise 2 [--seeds 5] [--peer-only | --ours-only] [--missing]
    python3 Benchmarks/inversion.py --table
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
import tempfile
from collections.abc import Sequence

import inversion_measures
import inversion_table
from bench import HERE, environment, say
from cascade import build
from inversion_measures import Case, Results, Run
from inversion_runs import Bench, machine


def chosen(
    all_cases: Sequence[Case], promises: Sequence[int], words: str, seeds: int | None
) -> list[tuple[Case, int]]:
    """The cases of the promises whose name has the words, with the number of seeds to run."""
    found = [case for case in all_cases
             if (not promises or case.promise in promises) and words in case.name]
    if not found:
        sys.exit("inversion_promises.json has no such case; it has\n"
                 + "\n".join(f"  {case.name}" for case in all_cases))
    return [(case, case.seeds if seeds is None else min(seeds, case.seeds)) for case in found]


def sides(case: Case, seed: int, options: argparse.Namespace, results: Results) -> list[str]:
    """Who runs, in this order; the two take turns in going first."""
    wanted = [] if options.peer_only else ["ours"]
    if case.peer and not options.ours_only:
        wanted.insert(seed % 2, "peer")
    return [side for side in wanted
            if not options.missing or seed not in results.of(case.name, side)]


def run(bench: Bench, case: Case, seed: int, who: Sequence[str]) -> dict[str, Run]:
    """The runs of a seed by side; a pair that ran in turn says so."""
    files = bench.write(case, seed)
    found = {}
    for side in who:
        attempt = (bench.peer if side == "peer" else
                   bench.resumed if case.resume else
                   bench.allocations if "allocations" in case.limits else bench.ours)
        found[side] = attempt(case, seed, files)
    if all("seconds" in found.get(side, ()) for side in ("ours", "peer")):
        found["ours"]["peerSeconds"] = found["peer"]["seconds"]
    for part in ("case", "truth", "start"):
        pathlib.Path(files[part]).unlink()
    return found


def spoken(case: Case, seed: int, side: str, run: Run) -> str:
    what = [run["failure"]] if "failure" in run else []
    if "psnr" in run:
        what.append(f"{inversion_measures.mean_psnr(run):.2f} dB")
    if "seconds" in run:
        what.append(f"{run['seconds']:.2f} s")
    if "allocations" in run:
        what.append(f"{run['allocations']:.2g} allocations an iteration")
    if "equal" in run:
        what.append("the same bytes" if run["equal"] else "other bytes")
    return f"{case.name} {seed}, {side}: {', '.join(what)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--promise", type=int, action="append", default=[], help="repeatable")
    parser.add_argument("--case", default="", metavar="WORDS", help="only cases so named")
    parser.add_argument("--seeds", type=int, help="so many of each instead of the promised number")
    parser.add_argument("--missing", action="store_true", help="only what was not measured before")
    side = parser.add_mutually_exclusive_group()
    side.add_argument("--peer-only", action="store_true")
    side.add_argument("--ours-only", action="store_true")
    parser.add_argument("--tool", type=pathlib.Path, help="a leakaudit that is built already")
    parser.add_argument("--python", type=pathlib.Path, help="one that has PyTorch already")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of the peer")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds for one run")
    parser.add_argument("--json", type=pathlib.Path, default=HERE / "inversion_results.json")
    parser.add_argument("--table", action="store_true",
                        help="only print the table of Documentation/Inversion.md")
    options = parser.parse_args()
    promised = inversion_measures.load(HERE / "inversion_promises.json")
    results = Results(json.loads(options.json.read_text()) if options.json.exists() else None)
    if options.table:
        print(inversion_table.table(promised, results))
        return
    cases = chosen(promised, options.promise, options.case, options.seeds)
    tool = None
    if not options.peer_only:
        tool = options.tool.resolve() if options.tool else build()
    # Not resolved: the link to the interpreter is what tells an environment from the system.
    python = options.python.absolute() if options.python else environment(
        "requirements-cascade.txt")
    results.machine = machine()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(tool, python, pathlib.Path(folder), options.timeout, options.threads)
        for case, seeds in cases:
            for seed in range(seeds):
                who = sides(case, seed, options, results)
                for side_, found in (run(bench, case, seed, who) if who else {}).items():
                    results.add(case.name, side_, seed, found)
                    say(spoken(case, seed, side_, found))
                options.json.write_text(json.dumps(results.document(), indent=1) + "\n")
    print(inversion_table.table([case for case, _ in cases], results))
    sys.exit(any(not verdict.met for case, _ in cases
                 for verdict in inversion_measures.verdicts(case, results)))


if __name__ == "__main__":
    main()
