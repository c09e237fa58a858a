"""What `make bench-cascade` computes from its runs; nothing here starts a process."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import promised
from measures import Verdict

LIMITS = ("medianPSNR", "worstPSNR", "abovePSNR", "proven", "seconds", "peakMiB", "errorFactor",
          "ranked")
NOTHING = -math.inf  # The PSNR of a run that recovered no input; below every picture's.


@dataclass(frozen=True)
class Case:
    """Files of one kind, and what is promised of them.

    arguments: for cascade_families.py, behind the family.
    limits: by name, see LIMITS.
    aim: whether the limits are aimed at, not promised; a missed aim does not fail the run.
    """

    name: str
    family: str
    seeds: int
    arguments: Sequence[str] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    aim: bool = False


def cases(text: str) -> list[Case]:
    """The cases of cascade_promises.json; a case may be repeated for each of several families."""
    found = []
    for entry in promised.entries(text, "cascade_promises.json", LIMITS):
        arguments = entry.get("arguments", ())
        for family in entry["families"]:
            name = " ".join([family, *arguments]).replace("--", "")
            found.append(Case(name, family, entry["seeds"], arguments, entry.get("limits", {}),
                              entry.get("aim", False)))
    return found


@dataclass(frozen=True)
class Run:
    """One audit of one file.

    psnr: of the recovered input in dB; infinite if equal, NOTHING if none was recovered.
    predicted, measured: root-mean-square error of the input, as the report predicts it and as it
        is; `None` if the report says nothing.
    ranked: whether the report gives a numerical rank anywhere in its chains.
    stop: where and why the chain ended, if it did before the input.
    """

    seed: int
    seconds: float
    peak_mib: float
    grey: float
    mean_colour: float
    psnr: float = NOTHING
    proven: bool = False
    predicted: float | None = None
    measured: float | None = None
    ranked: bool = False
    stop: str | None = None
    failure: str | None = None
    chains: Sequence[Any] = ()

    @property
    def error_factor(self) -> float:
        """How far the predicted error is from the measured one: their ratio, or its inverse."""
        if not self.predicted or not self.measured:
            return math.inf
        return max(self.predicted / self.measured, self.measured / self.predicted)


def read(report: Mapping[str, Any], **measured: Any) -> Run:
    """A run from the tool's JSON report: the best proven recovery of the input, else the best."""
    best: tuple[bool, float, Mapping[str, Any]] | None = None
    for recovery in report.get("recoveries", ()):
        quality = recovery.get("quality")
        if not recovery["isModelInput"] or not quality or not quality["psnr"]:
            continue
        psnr = quality["psnr"][0]
        psnr = math.inf if psnr is None else psnr
        if best is None or (recovery["proven"], psnr) > best[:2]:
            best = (recovery["proven"], psnr, recovery)
    chains = report.get("chains", ())
    found: dict[str, Any] = {
        "chains": chains,
        "stop": next((chain["stop"] for chain in chains if chain.get("stop")), None),
        "ranked": any(step.get("rank") is not None
                      for chain in chains for step in chain.get("steps", ())),
    }
    if best is not None:
        proven, psnr, recovery = best
        square = recovery["quality"]["meanSquaredError"][0]
        found |= {"psnr": psnr, "proven": proven, "predicted": recovery["predictedError"],
                  "measured": None if square is None else math.sqrt(square)}
    else:  # What is not claimed has a predicted error as well.
        withheld = next((chain["withheld"] for chain in chains if chain.get("withheld")), None)
        square = ((withheld or {}).get("quality") or {}).get("meanSquaredError", [None])[0]
        if square is not None:
            found |= {"predicted": withheld["predictedError"], "measured": math.sqrt(square)}
    return Run(**found, **measured)


def verdicts(case: Case, runs: Sequence[Run]) -> list[Verdict]:
    """One verdict for each limit of the case."""
    failed = sum(run.failure is not None for run in runs)
    found = []
    for name, limit in case.limits.items():
        claim, measured, met = CHECKS[name](runs, limit)
        if failed:
            measured += f"; {failed} of {len(runs)} runs failed"
        aimed = "aim: " if case.aim else ""
        found.append(Verdict(case.name, aimed + claim, measured, bool(runs) and met and not failed))
    return found


def decibels(value: float) -> str:
    return "–" if value == NOTHING else "equal" if value == math.inf else f"{value:.1f}"


def _median_psnr(runs: Sequence[Run], limit: float) -> tuple[str, str, bool]:
    value = median(run.psnr for run in runs)
    return f"median ≥ {limit:g} dB", decibels(value), value >= limit


def _worst_psnr(runs: Sequence[Run], limit: float) -> tuple[str, str, bool]:
    value = min((run.psnr for run in runs), default=NOTHING)
    return f"worst ≥ {limit:g} dB", decibels(value), value >= limit


def _above_psnr(runs: Sequence[Run], limit: float) -> tuple[str, str, bool]:
    value = min((run.psnr for run in runs), default=NOTHING)
    return f"all above {limit:g} dB", decibels(value), value > limit


def _proven(runs: Sequence[Run], limit: float) -> tuple[str, str, bool]:
    count = sum(run.proven for run in runs)
    return f"{limit:.0%} proven", f"{count} of {len(runs)}", count >= limit * len(runs)


def _seconds(runs: Sequence[Run], limit: float) -> tuple[str, str, bool]:
    value = max((run.seconds for run in runs), default=math.inf)
    return f"each under {limit:g} s", f"{value:.1f} s", value < limit


def _peak(runs: Sequence[Run], limit: float) -> tuple[str, str, bool]:
    value = max((run.peak_mib for run in runs), default=math.inf)
    return f"under {limit:g} MiB", f"{value:.0f} MiB", value < limit


def _error_factor(runs: Sequence[Run], limit: float) -> tuple[str, str, bool]:
    value = median(run.error_factor for run in runs)
    return f"predicted error within a factor of {limit:g}", f"{value:.2f}", value <= limit


def _ranked(runs: Sequence[Run], limit: float) -> tuple[str, str, bool]:
    count = sum(run.ranked for run in runs)
    return "ranks reported", f"{count} of {len(runs)}", count >= limit * len(runs)


CHECKS: dict[str, Callable[[Sequence[Run], float], tuple[str, str, bool]]] = {
    "medianPSNR": _median_psnr, "worstPSNR": _worst_psnr, "abovePSNR": _above_psnr,
    "proven": _proven, "seconds": _seconds, "peakMiB": _peak, "errorFactor": _error_factor,
    "ranked": _ranked,
}


def median(values: Any) -> float:
    """The median; between −∞ and +∞ the lower of the two middle ones, so never a NaN."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    value = statistics.median(ordered)
    return statistics.median_low(ordered) if math.isnan(value) else value


HEADER = ("| Case | seeds | median dB | worst dB | proven | median s | worst s | peak MiB "
          "| grey dB | mean colour dB | predicted / measured error | promise | met |\n"
          "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|---|")


def row(case: Case, runs: Sequence[Run]) -> str:
    """The case's line in the table; medians are over seeds."""
    found = verdicts(case, runs)
    missed = [verdict for verdict in found if not verdict.met]
    ratios = [run.predicted / run.measured for run in runs if run.predicted and run.measured]
    answer = "" if not found else "yes" if not missed else "**no**: " + "; ".join(
        f"{verdict.claim.removeprefix('aim: ')} ({verdict.measured})" for verdict in missed)
    cells = [
        case.name, str(len(runs)),
        decibels(median(run.psnr for run in runs)), decibels(min(run.psnr for run in runs)),
        f"{sum(run.proven for run in runs)} of {len(runs)}",
        f"{median(run.seconds for run in runs):.1f}", f"{max(run.seconds for run in runs):.1f}",
        f"{max(run.peak_mib for run in runs):.0f}",
        f"{median(run.grey for run in runs):.1f}",
        f"{median(run.mean_colour for run in runs):.1f}",
        f"{median(ratios):.2f}" if ratios else "–",
        ("aim: " if case.aim and found else "")
        + ", ".join(verdict.claim.removeprefix("aim: ") for verdict in found),
        answer,
    ]
    return "| " + " | ".join(cells) + " |"


def seed_table(runs: Sequence[Run]) -> str:
    """One line a seed, with the place where its chain ended."""
    lines = ["| seed | dB | proven | s | MiB | predicted error | measured error | ended |",
             "|--:|--:|---|--:|--:|--:|--:|---|"]
    for run in runs:
        errors = ["–" if value is None else f"{value:.2e}"
                  for value in (run.predicted, run.measured)]
        ended = run.failure or run.stop or ""
        lines.append(f"| {run.seed} | {decibels(run.psnr)} | {'yes' if run.proven else 'no'} "
                     f"| {run.seconds:.1f} | {run.peak_mib:.0f} | {errors[0]} | {errors[1]} "
                     f"| {ended.replace('|', '/')} |")
    return "\n".join(lines)


def chain_table(chain: Mapping[str, Any]) -> str:
    """The steps of one chain of a report, with the fields that it has."""
    steps = chain.get("steps", ())
    names = list(dict.fromkeys(name for step in steps for name in step))
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for step in steps:
        cells = [step.get(name) for name in names]
        lines.append("| " + " | ".join(
            f"{cell:.3g}" if isinstance(cell, float) else
            "–" if cell is None else str(cell).replace("|", "/") for cell in cells) + " |")
    return "\n".join(lines)


def exit_code(cases_and_runs: Sequence[tuple[Case, Sequence[Run]]]) -> int:
    """1 if a promise is missed; a missed aim is no failure."""
    return int(any(not verdict.met for case, runs in cases_and_runs if not case.aim
                   for verdict in verdicts(case, runs)))


def result(case: Case, runs: Sequence[Run]) -> dict[str, Any]:
    """The case's entry in the JSON output; what is not finite is text.

    Chains are kept of the first seed alone: those of the others are as long and much alike.
    """
    runs = [run if place == 0 else replace(run, chains=())
            for place, run in enumerate(runs)]
    return {
        "case": case.name, "family": case.family, "arguments": list(case.arguments),
        "aim": case.aim,
        "verdicts": [{"claim": verdict.claim, "measured": verdict.measured, "met": verdict.met}
                     for verdict in verdicts(case, runs)],
        "runs": [{name: plain(value) for name, value in vars(run).items()} for run in runs],
    }


def plain(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def load(path: Path) -> list[Case]:
    return cases(path.read_text())
