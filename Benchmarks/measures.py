"""What `make bench` computes from its measurements; nothing here starts a process."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# Promised ratio to PyTorch, by workload.
SPEED = {
    "lenet-zhu": 8.0,
    "mlp": 2.5,
    "convnet64": 1.3,
    "resnet20-4": 2.0,
    "resnet18-cifar": 2.8,
    "resnet18-imagenet": 1.8,
}
FLOOR = {"resnet18-cifar": 0.7, "convnet64": 0.7}
SIDE_BY_SIDE = 1.15
PLANNING_MILLISECONDS = {"resnet18": 2000.0, "resnet152": 10000.0}
CURVE = 0.01
DOUBLE = 1e-8


@dataclass(frozen=True)
class Memory:
    """Peak resident memory of a process and its growth since the start of its work, in MiB."""

    peak: float
    increment: float

    def least(self, other: Memory) -> Memory:
        """The smaller of each, which is the harder one to beat."""
        return Memory(min(self.peak, other.peak), min(self.increment, other.increment))


@dataclass(frozen=True)
class Agreement:
    """How far ours is from the peer's, relatively, at the start and over the first iterations."""

    float_start: float
    double_start: float
    curve: float

    def holds(self, tolerance: float) -> bool:
        return (self.float_start <= tolerance and self.double_start <= DOUBLE
                and self.curve <= CURVE)


@dataclass(frozen=True)
class Measurement:
    """Everything measured for one workload; times are milliseconds per iteration."""

    workload: str
    ours: Sequence[float]
    peer: Sequence[float]
    peer_variant: str
    floor: float
    ours_memory: Memory
    peer_memory: Memory
    threads: int
    agreement: Agreement
    tolerance: float
    alone: float
    side_by_side: float

    @property
    def ratios(self) -> list[float]:
        """PyTorch's time over ours, block by block."""
        return [peer / ours for ours, peer in zip(self.ours, self.peer, strict=True)]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def floor_ratio(self) -> float:
        """The share of the floor's speed that is reached; 1 is the floor itself."""
        return self.floor / statistics.median(self.ours)

    def result(self) -> dict[str, object]:
        """The workload's entry in results.json."""
        return {
            "workload": self.workload,
            "oursMs": round(statistics.median(self.ours), 4),
            "peerMs": round(statistics.median(self.peer), 4),
            "ratio": round(self.ratio, 3),
            "ratioSpread": [round(min(self.ratios), 3), round(max(self.ratios), 3)],
            "floorRatio": round(self.floor_ratio, 3),
            "oursPeakMiB": round(self.ours_memory.peak, 1),
            "peerPeakMiB": round(self.peer_memory.peak, 1),
            "threads": self.threads,
            "iteratesAgree": self.agreement.holds(self.tolerance),
        }


@dataclass(frozen=True)
class Verdict:
    """One promise for one subject, with the measurement that decides it."""

    subject: str
    claim: str
    measured: str
    met: bool

    def __str__(self) -> str:
        return (f"{'met    ' if self.met else 'NOT MET'}  {self.subject:<18} "
                f"{self.claim}: {self.measured}")


def floor_milliseconds(forward_mflop: float, gflops: float) -> float:
    """Seven passes of the forward's size at the machine's matrix-product rate."""
    return 7 * forward_mflop / gflops


def relative_difference(ours: Sequence[float], peer: Sequence[float]) -> float:
    """‖ours − peer‖ / ‖peer‖; infinite where the two cannot be compared, so never a NaN."""
    if len(ours) != len(peer) or not all(map(math.isfinite, [*ours, *peer])):
        return math.inf
    difference, scale = math.dist(ours, peer), math.hypot(*peer)
    if scale == 0:
        return 0.0 if difference == 0 else math.inf
    return difference / scale


def curve_difference(ours: Sequence[float], peer: Sequence[float]) -> float:
    """The largest relative difference between two curves, point by point."""
    if len(ours) != len(peer):
        return math.inf
    return max(relative_difference([a], [b]) for a, b in zip(ours, peer))


def agreement_verdict(measured: Measurement) -> Verdict:
    agreement = measured.agreement
    return Verdict(
        measured.workload,
        f"agrees with PyTorch ({measured.tolerance:g}, {DOUBLE:g}, {CURVE:g})",
        f"Float {agreement.float_start:.1e}, Double {agreement.double_start:.1e}, "
        f"curves {agreement.curve:.1e}",
        agreement.holds(measured.tolerance))


def verdicts(measured: Measurement) -> list[Verdict]:
    """The promises of speed and memory that one workload decides."""
    name, ratios = measured.workload, measured.ratios
    ours, peer = measured.ours_memory, measured.peer_memory
    side_by_side = measured.side_by_side / measured.alone
    found = [
        Verdict(name, f"at least {SPEED[name]} × PyTorch ({measured.peer_variant})",
                f"{measured.ratio:.2f} × ({min(ratios):.2f} to {max(ratios):.2f})",
                measured.ratio >= SPEED[name]),
        Verdict(name, "peak memory at most a quarter of PyTorch's",
                f"{ours.peak:.0f} of {peer.peak:.0f} MiB", ours.peak <= peer.peak / 4),
        Verdict(name, "peak memory at most PyTorch's growth over its import",
                f"{ours.peak:.0f} (growth {ours.increment:.0f}) of {peer.increment:.0f} MiB",
                ours.peak <= peer.increment),
        Verdict(name, f"two restarts side by side within {SIDE_BY_SIDE} of one alone",
                f"{side_by_side:.2f}", side_by_side <= SIDE_BY_SIDE),
    ]
    if name in FLOOR:
        found.append(Verdict(name, f"at least {FLOOR[name]:.0%} of the floor",
                             f"{measured.floor_ratio:.0%}", measured.floor_ratio >= FLOOR[name]))
    return found


def planning_verdict(network: str, milliseconds: float) -> Verdict:
    limit = PLANNING_MILLISECONDS[network]
    return Verdict(network, f"planned in under {limit / 1000:g} s", f"{milliseconds / 1000:.2f} s",
                   milliseconds < limit)


def table(measurements: Sequence[Measurement]) -> str:
    """One row per workload."""
    lines = [f"{'workload':<18}{'ours ms':>10}{'peer ms':>10}  {'peer':<11}{'ratio':>7} "
             f"{'(spread)':>15}{'of floor':>9}{'ours MiB':>10}{'peer MiB':>10}"]
    for measured in measurements:
        spread = f"({min(measured.ratios):.2f} to {max(measured.ratios):.2f})"
        lines.append(
            f"{measured.workload:<18}{statistics.median(measured.ours):>10.3f}"
            f"{statistics.median(measured.peer):>10.3f}  {measured.peer_variant:<11}"
            f"{measured.ratio:>7.2f} {spread:>15}{measured.floor_ratio:>9.0%}"
            f"{measured.ours_memory.peak:>10.0f}{measured.peer_memory.peak:>10.0f}")
    return "\n".join(lines)
