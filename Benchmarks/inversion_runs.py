"""One run of ours or of the peer on one case, as inversion.py stores it.

A run is a JSON object: `psnr` in dB for each sample, `objective` of the best restart, `seconds` of
the search alone; with a limit on it the `curve` of objectives. Ours also states `wall` of the whole
process, `peakMiB`, and `peerSeconds` if the peer ran just before or after it. A run that gave no
report is `{"failure": why}`. `allocations`: of the heap, in one iteration.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import random
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from bench import HERE
from cascade import EXPECTED_EXITS, Process, timed
from child import MALLOC
from inversion_measures import EQUAL, Case

STEP = "0.1"
# Attacks with settings of their own.
WITHOUT_SETTINGS = ("auto", "none")


@dataclasses.dataclass(frozen=True)
class Bench:
    """What every run shares. limit: seconds for one process. threads: of the peer."""

    tool: pathlib.Path | None
    python: pathlib.Path
    folder: pathlib.Path
    limit: float
    threads: int

    def write(self, case: Case, seed: int) -> dict[str, Any]:
        """The files of a case, and what describes them."""
        command = [str(self.python), str(HERE / "inversion_cases.py"), case.network,
                   "--seeds", "0" if case.startsOnly else str(seed),
                   "--samples", str(case.samples), "--precision", case.precision,
                   "--output", str(self.folder)]
        if case.startsOnly:
            command += ["--start-seed", str(seed)]
        command += [f"--{word}" for word in ("trained", "exchange", "circular")
                    if getattr(case, word)]
        if case.epochs is not None:
            command += ["--epochs", str(case.epochs), "--batch", str(case.batch or case.samples)]
        return json.loads(subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])

    def peer(self, case: Case, seed: int, files: Mapping[str, Any]) -> dict[str, Any]:
        output = self.folder / "peer.json"
        command = [str(self.python), str(HERE / "peers" / "inversion_peer.py"), files["case"],
                   "--truth", files["truth"], *settings(case, seed, files), "--start",
                   files["start"], "--json", str(output)]
        process = timed(command, self.limit, MALLOC | {"OMP_NUM_THREADS": str(self.threads)})
        if process.exit:
            return {"failure": ended(process)}
        found = json.loads(output.read_text())
        return kept(case, found) | {"torch": found["torch"], "threads": found["threads"]}

    def command(self, case: Case, seed: int, files: Mapping[str, Any]) -> list[str]:
        """Our audit of the case, without where its report goes."""
        if self.tool is None:
            raise ValueError("no tool to run")
        known = ([] if case.attack in WITHOUT_SETTINGS
                 else ["--start", files["start"], "--no-halving"])
        return [str(self.tool), "audit", "--gradient", files["case"], "--truth", files["truth"],
                *settings(case, seed, files), *known, "--quiet"]

    def ours(self, case: Case, seed: int, files: Mapping[str, Any]) -> dict[str, Any]:
        output, state = self.folder / "report.json", self.folder / "search.state"
        for path in (output, state):
            path.unlink(missing_ok=True)
        keeping = ["--state", str(state)] if "curve" in case.limits else []
        process = timed([*self.command(case, seed, files), "--timings", *keeping,
                         "--format", f"json={output}"], self.limit)
        if process.exit not in EXPECTED_EXITS or not output.exists():
            return {"failure": ended(process)}
        try:
            found = read(json.loads(output.read_text()), case.attack)
        except ValueError as error:
            return {"failure": str(error)}
        if keeping:
            found["curve"] = self.curve(state)
        return kept(case, found) | {"wall": process.seconds, "peakMiB": process.peak_mib}

    def allocations(self, case: Case, seed: int, files: Mapping[str, Any]) -> dict[str, Any]:
        """What one iteration more asks of the heap: the difference of a long and a short run."""
        library = self.folder / "allocations.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(library),
                        str(HERE / "allocations.c")], check=True)

        counts = []
        spans = (case.iterations // 4, case.iterations)
        for iterations in spans:
            command = self.command(dataclasses.replace(case, iterations=iterations), seed, files)
            process = subprocess.run(command, env=os.environ | {"LD_PRELOAD": str(library)},
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                     timeout=self.limit, text=True)
            if process.returncode not in EXPECTED_EXITS:
                return {"failure": f"exit code {process.returncode}"}
            counts.append(int(process.stderr.rpartition("allocations:")[2]))
        return {"allocations": (counts[1] - counts[0]) / (spans[1] - spans[0])}

    def curve(self, state: pathlib.Path) -> list[float]:
        """The objectives that a state keeps; those of a report are rounded."""
        printed = subprocess.run([str(self.python), str(HERE / "search_curve.py"), str(state)],
                                 check=True, stdout=subprocess.PIPE, text=True).stdout
        return [objective for _, objective in json.loads(printed)]

    def resumed(self, case: Case, seed: int, files: Mapping[str, Any]) -> dict[str, Any]:
        """Kills our audit at a random moment and lets it go on: whether the report is the same.

        `killedAfter` is in seconds; `hadState` says whether there was anything to go on from.
        """
        state, output = self.folder / "search.state", self.folder / "report.json"
        command = [*self.command(case, seed, files), "--state", str(state),
                   "--format", f"json={output}"]

        def run(limit: float) -> tuple[Process, bytes]:
            output.unlink(missing_ok=True)
            process = timed(command, limit)
            return process, output.read_bytes() if output.exists() else b""

        state.unlink(missing_ok=True)
        whole, wanted = run(self.limit)
        if whole.exit not in EXPECTED_EXITS or not wanted:
            return {"failure": ended(whole)}
        state.unlink(missing_ok=True)
        # Before its end, however much faster the second run is.
        moment = random.Random(seed).uniform(0, 0.8 * whole.seconds)
        killed, _ = run(moment)
        if not killed.stopped:
            return {"failure": f"ended before it was killed after {moment:.2f} s"}
        had_state = state.exists()
        last, found = run(self.limit)
        state.unlink(missing_ok=True)
        if last.exit not in EXPECTED_EXITS:
            return {"failure": f"resumed after {moment:.2f} s: {ended(last)}"}
        return {"equal": found == wanted, "killedAfter": moment,
                "hadState": had_state, "resumedSeconds": last.seconds, "wall": whole.seconds}


def settings(case: Case, seed: int, files: Mapping[str, Any]) -> list[str]:
    """The options that both sides take."""
    found = ["--attack", case.attack, "--seed", str(seed),
             "--input-mean", ",".join(map(repr, files["mean"])),
             "--input-std", ",".join(map(repr, files["deviation"]))]
    if case.attack in WITHOUT_SETTINGS:
        return found
    found += ["--iterations", str(case.iterations), "--restarts", str(case.restarts),
              "--precision", "double" if case.precision == "float64" else "single"]
    if case.attack == "inverting-gradients":
        found += ["--step-size", STEP, "--total-variation", f"{case.variation:g}",
                  "--labels", ",".join(map(str, files["labels"]))]
    return found


def read(report: Mapping[str, Any], attack: str) -> dict[str, Any]:
    """What a JSON report says of an attack; of `auto` and `none`, of what came nearest to the inputs.

    ValueError: the report has no such attack, or it recovered no input.
    """
    searches = [search for search in report.get("inversions", ())
                if search["attack"] == attack or attack == "auto"]
    found: list[dict[str, Any]] = [
        {"psnr": decibels(search), "objective": search["objective"],
         "seconds": search.get("seconds"),
         "curve": [objective for _, objective in search["curve"]]} for search in searches]
    if attack in WITHOUT_SETTINGS:
        found += [{"psnr": decibels(recovery), "objective": None, "seconds": None, "curve": []}
                  for recovery in report.get("recoveries", ()) if recovery["isModelInput"]]
    found = [run for run in found if run["psnr"]]
    if not found:
        raise ValueError(f"the report has no inputs that {attack} recovered")
    return max(found, key=lambda run: sum(run["psnr"]) / len(run["psnr"]))


def decibels(recovery: Mapping[str, Any]) -> list[float]:
    """Of each sample; what the report leaves out is equal."""
    found = (recovery.get("quality") or {}).get("psnr") or ()
    return [EQUAL if value is None else min(value, EQUAL) for value in found]


def kept(case: Case, found: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a run that are stored."""
    names: Sequence[str] = ("psnr", "objective", "seconds")
    return {name: found[name] for name in (*names, *(["curve"] if "curve" in case.limits else []))
            if found[name] is not None}


def ended(process: Process) -> str:
    return (f"stopped after {process.seconds:.0f} s" if process.stopped
            else f"exit code {process.exit}")


def machine() -> dict[str, Any]:
    """The processor's name and how many there are."""
    names = [line.partition(":")[2].strip() for line in
             pathlib.Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return {"processor": names[0] if names else "unknown", "cores": os.cpu_count()}
