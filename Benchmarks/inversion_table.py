"""The table of Documentation/Inversion.md, from inversion_results.json."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import inversion_measures
from inversion_measures import Case, Results, Run

HEADER = ("| Promise | Network | Case | runs | PSNR, dB | PyTorch's | s | PyTorch's | promised "
          "| measured | met |\n|--:|---|---|--:|--:|--:|--:|--:|---|---|---|")


def table(cases: Sequence[Case], results: Results) -> str:
    """A line for each case; `–` where nothing was measured, or promised.

    PSNR is the mean over runs, with the standard deviation if there are several; seconds are the
    median of the search alone, the peer's of runs beside ours.
    """
    return "\n".join([HEADER, *(line(case, results) for case in cases)])


def line(case: Case, results: Results) -> str:
    ours = list(results.of(case.name, "ours").values())
    peer = list(results.of(case.name, "peer").values())
    beside = [run["peerSeconds"] for run in ours if "peerSeconds" in run]
    found = inversion_measures.verdicts(case, results)
    measured = bool(ours or results.failures(case.name))
    met = "yes" if all(verdict.met for verdict in found) else "**no**"
    cells = [
        str(case.promise or "–"), f"`{case.network}`", case.kind, str(len(ours)), psnr(ours),
        psnr(peer),
        seconds([run["seconds"] for run in ours if "seconds" in run]), seconds(beside),
        "; ".join(verdict.claim for verdict in found) or "–",
        "; ".join(verdict.measured for verdict in found) if found and measured else "–",
        met if found and measured else "–",
    ]
    return "| " + " | ".join(cells) + " |"


def psnr(runs: Sequence[Run]) -> str:
    values = [inversion_measures.mean_psnr(run) for run in runs if "psnr" in run]
    if not values:
        return "–"
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.2f}{spread}"


def seconds(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f}" if values else "–"
