"""What inversion.py computes from its runs; nothing here starts a process."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import promised
from measures import Verdict

# What a run tells: psnr (dB, one a sample), objective, seconds and more; see inversion_runs.py.
Run = Mapping[str, Any]
EQUAL = 300.0  # Stands for the PSNR of equal pictures.


@dataclass(frozen=True)
class Case:
    """Runs of one kind, and what is promised of them.

    seeds: how many; a seed decides weights, photographs, labels and start, or with `startsOnly`
        the start alone.
    samples, epochs, batch: of the client; without epochs it sends the gradient of one batch.
    trained, exchange, circular: what the paper varies beside, see inversion_cases.py.
    attack: of `leakaudit audit`; `none` are the closed forms alone.
    variation: weight of the total variation.
    peer: whether PyTorch runs too.
    against: the name of the case of the same network that this one is compared with.
    limits: by name, see CHECKS.
    """

    promise: int
    network: str
    kind: str
    seeds: int = 1
    startsOnly: bool = False  # noqa: N815 (name of the file)
    samples: int = 1
    epochs: int | None = None
    batch: int | None = None
    precision: str = "float32"
    trained: bool = False
    exchange: bool = False
    circular: bool = False
    attack: str = "inverting-gradients"
    variation: float = 0.01
    iterations: int = 4800
    restarts: int = 1
    peer: bool = True
    resume: bool = False
    against: str | None = None
    limits: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.promise}: {self.network}, {self.kind}"

    @property
    def rival(self) -> str:
        return f"{self.promise}: {self.network}, {self.against}"


def cases(text: str) -> list[Case]:
    """The cases of inversion_promises.json; an entry may stand for several networks."""
    found = []
    for entry in promised.entries(text, "inversion_promises.json", CHECKS):
        rest = {key: value for key, value in entry.items() if key not in ("networks", "name")}
        found += [Case(network=network, kind=entry["name"], **rest)
                  for network in entry["networks"]]
    return found


def load(path: Path) -> list[Case]:
    return cases(path.read_text())


class Results:
    """Every run so far: of each case, side ("ours" or "peer") and seed the last one."""

    def __init__(self, document: Mapping[str, Any] | None = None) -> None:
        self.machine: dict[str, Any] = dict((document or {}).get("machine", {}))
        self.runs: dict[str, dict[str, dict[str, Run]]] = dict((document or {}).get("runs", {}))

    def add(self, case: str, side: str, seed: int, run: Run) -> None:
        self.runs.setdefault(case, {}).setdefault(side, {})[str(seed)] = run

    def of(self, case: str, side: str) -> dict[int, Run]:
        """The runs that did not fail, by seed."""
        found = self.runs.get(case, {}).get(side, {})
        return {int(seed): found[seed] for seed in sorted(found, key=int)
                if "failure" not in found[seed]}

    def failures(self, case: str) -> list[str]:
        return [run["failure"] for side in self.runs.get(case, {}).values()
                for run in side.values() if "failure" in run]

    def document(self) -> dict[str, Any]:
        return {"machine": self.machine, "runs": {
            case: {side: {seed: runs[seed] for seed in sorted(runs, key=int)}
                   for side, runs in sorted(sides.items())}
            for case, sides in sorted(self.runs.items())}}


def mean_psnr(run: Run) -> float:
    """Over the samples of a run, in dB."""
    return statistics.fmean(run["psnr"])


def mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else math.nan


def standard_error(values: Sequence[float]) -> float:
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.inf


def both(case: Case, results: Results) -> list[tuple[Run, Run]]:
    """Ours and the peer's, of the seeds that have both."""
    peer = results.of(case.name, "peer")
    return [(run, peer[seed]) for seed, run in results.of(case.name, "ours").items()
            if seed in peer]


def verdicts(case: Case, results: Results) -> list[Verdict]:
    """One verdict for each limit; nothing is met before every seed was measured."""
    found = []
    runs, failed = len(results.of(case.name, "ours")), results.failures(case.name)
    for name, limit in case.limits.items():
        claim, measured, met = CHECKS[name](case, results, limit)
        if failed:
            measured = f"{len(failed)} failed: {failed[0]}"
        elif runs < case.seeds:
            measured += f" ({runs} of {case.seeds} seeds)"
        found.append(Verdict(case.name, claim, measured,
                             met and not failed and runs >= case.seeds))
    return found


Check = tuple[str, str, bool]


def _curve(case: Case, results: Results, limit: float) -> Check:
    worst, count = 0.0, 0
    for ours, peer in both(case, results):
        count += len(ours["curve"]) == len(peer["curve"])
        worst = max([worst, *(abs(a - b) / abs(b)
                              for a, b in zip(ours["curve"], peer["curve"], strict=False))])
    return (f"each objective within {limit:g} of the peer's, relatively", f"{worst:.1e}",
            count > 0 and count == len(both(case, results)) and worst <= limit)


def _spread(case: Case, results: Results, limit: float) -> Check:
    pairs = both(case, results)
    claim = f"means of objective and PSNR within {limit:g} deviation of the starts of the peer's"
    if len(pairs) < 2:
        return claim, "–", False
    parts, met = [], True
    for unit, value in (("", lambda run: run["objective"]), (" dB", mean_psnr)):
        theirs = [value(peer) for _, peer in pairs]
        away = abs(mean([value(ours) for ours, _ in pairs]) - mean(theirs))
        deviation = statistics.stdev(theirs)
        parts.append(f"{away:.2g} of {deviation:.2g}{unit}")
        met &= away <= limit * deviation
    return claim, ", ".join(parts), met


def _published(case: Case, results: Results, limit: float) -> Check:
    values = [mean_psnr(run) for run in results.of(case.name, "ours").values()]
    pairs = [(mean_psnr(ours), mean_psnr(peer)) for ours, peer in both(case, results)]
    error = standard_error(values)
    same = len(pairs) == len(values) and abs(mean([a - b for a, b in pairs])) <= error
    peer = f"; peer {mean([b for _, b in pairs]):.2f}" if pairs else ""
    return (f"mean within its standard error of {limit:g} dB, or of the peer's on these pictures",
            f"{mean(values):.2f} ± {error:.2f} dB{peer}",
            len(values) >= 50 and (abs(mean(values) - limit) <= error or same))


def _better(case: Case, results: Results, limit: float) -> Check:
    ours = results.of(case.name, "ours")
    rivals = results.of(case.rival, "ours")
    claim = f"{limit:g} dB more in no more time, or as much in a fifth of it"
    if not ours or set(ours) != set(rivals):
        return claim, "–", False
    gain = mean([mean_psnr(ours[seed]) - mean_psnr(rivals[seed]) for seed in ours])
    share = mean([run["wall"] for run in ours.values()]) / mean(
        [run["wall"] for run in rivals.values()])
    return (claim, f"{gain:+.1f} dB in {share:.2g} of the time",
            (gain >= limit and share <= 1) or (gain >= 0 and share <= 0.2))


def _psnr(case: Case, results: Results) -> float:
    return mean([mean_psnr(run) for run in results.of(case.name, "ours").values()])


def _at_least(case: Case, results: Results, limit: float) -> Check:
    value = _psnr(case, results)
    return f"mean ≥ {limit:g} dB", f"{value:.1f} dB", value >= limit


def _at_most(case: Case, results: Results, limit: float) -> Check:
    value = _psnr(case, results)
    return f"mean ≤ {limit:g} dB", f"{value:.1f} dB", value <= limit


def _difference(case: Case, results: Results, limit: float) -> Check:
    pairs = both(case, results)
    value = mean([mean_psnr(ours) - mean_psnr(peer) for ours, peer in pairs])
    return (f"mean PSNR within {limit:g} dB of the peer's", f"{value:+.2f} dB",
            abs(value) <= limit)


def _ratio(case: Case, results: Results, limit: float) -> Check:
    # Only runs beside the peer's count: a time of another hour means nothing.
    ratios = [run["peerSeconds"] / run["seconds"]
              for run in results.of(case.name, "ours").values() if "peerSeconds" in run]
    if not ratios:
        return f"at least {limit:g} times as fast", "–", False
    value = statistics.median(ratios)
    measured = f"{value:.2f}"
    if len(ratios) < case.seeds:
        measured += f" ({len(ratios)} of {case.seeds} side by side)"
    return (f"at least {limit:g} times as fast", measured,
            value >= limit and len(ratios) >= case.seeds)


def _growth(case: Case, results: Results, limit: float) -> Check:
    peaks = [max((run["peakMiB"] for run in results.of(name, "ours").values()), default=math.nan)
             for name in (case.name, case.rival)]
    return (f"peak memory at most {limit:g} times that of {case.against}",
            f"{peaks[0]:.0f} of {peaks[1]:.0f} MiB", peaks[0] <= limit * peaks[1])


def _allocations(case: Case, results: Results, limit: float) -> Check:
    value = max((run["allocations"] for run in results.of(case.name, "ours").values()),
                default=math.nan)
    return (f"at most {limit:g} allocations in an iteration", f"{value:.2g}", value <= limit)


def _seconds(case: Case, results: Results, limit: float) -> Check:
    value = max((run["seconds"] for run in results.of(case.name, "ours").values()),
                default=math.nan)
    return f"each under {limit:g} s", f"{value:.2f} s", value < limit


def _resumed(case: Case, results: Results, limit: float) -> Check:
    runs = results.of(case.name, "ours").values()
    count = sum(run.get("equal", False) for run in runs)
    return ("killed and resumed, the same bytes as undisturbed", f"{count} of {len(runs)}",
            len(runs) > 0 and count >= limit * len(runs))


CHECKS: dict[str, Callable[[Case, Results, float], Check]] = {
    "curve": _curve, "spread": _spread, "published": _published, "better": _better,
    "atLeast": _at_least, "atMost": _at_most, "difference": _difference, "ratio": _ratio,
    "growth": _growth, "seconds": _seconds, "resumed": _resumed,
    "allocations": _allocations,
}
