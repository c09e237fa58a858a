#!/usr/bin/env python3
"""Audits a 500 MB checkpoint with a gradient of the same size, beside h5py reading both.

Both run in turn as whole processes, so a drift of the machine meets both; the ratio is taken pair
by pair. Needs numpy and h5py, a release build, about 1 GB of disk and 2 GB of memory.

    python3 Benchmarks/large_checkpoint.py [--pairs 7] [--tool .build/release/leakaudit]
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

READ = """
import sys, h5py
arrays = []
for path in sys.argv[1:]:
    with h5py.File(path) as file:
        arrays += [file[name][()] for name in file]
"""


def write(folder):
    """A network 10,000 → 12,500 (ReLU) → 10 and its gradient for one sample, in single precision."""
    import h5py
    import numpy as np

    random = np.random.default_rng(0)
    inputs, hidden, classes = 10_000, 12_500, 10
    x = random.random(inputs, dtype="f4")
    w1 = random.standard_normal((hidden, inputs), dtype="f4") / 100
    w2 = random.standard_normal((classes, hidden), dtype="f4") / 100
    h = np.maximum(w1 @ x, 0)
    p = np.exp(w2 @ h - (w2 @ h).max())
    d2 = p / p.sum()
    d2[3] -= 1
    d1 = (w2.T @ d2) * (h > 0)
    model, gradient = folder / "model.h5", folder / "gradient.h5"
    with h5py.File(model, "w") as file:
        file["fc1.weight"], file["fc1.bias"] = w1, np.zeros(hidden, "f4")
        file["fc2.weight"], file["fc2.bias"] = w2, np.zeros(classes, "f4")
    with h5py.File(gradient, "w") as file:
        file.attrs["batch_size"] = 1
        file["fc1.weight"], file["fc1.bias"] = np.outer(d1, x), d1
        file["fc2.weight"], file["fc2.bias"] = np.outer(d2, h), d2
    return model, gradient


def run(command):
    """Wall seconds and peak MiB of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit(f"{command[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return seconds, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--tool", default=".build/release/leakaudit")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        files = [str(path) for path in write(folder)]
        size = sum(os.path.getsize(path) for path in files) / 2**20
        ours = [options.tool, "audit", files[0], "--gradient", files[1], "--quiet",
                "--format", f"json={folder}/report.json"]
        peer = [sys.executable, "-c", READ, *files]
        run(ours), run(peer)
        pairs = [(run(ours), run(peer)) for _ in range(options.pairs)]
    for label, index in (("leakaudit", 0), ("h5py", 1)):
        seconds = [pair[index][0] for pair in pairs]
        print(f"{label:<10} {statistics.median(seconds):.3f} s median "
              f"({min(seconds):.3f} to {max(seconds):.3f}), "
              f"peak {max(pair[index][1] for pair in pairs):.0f} MiB of {size:.0f} MiB in files")
    ratios = sorted(pair[0][0] / pair[1][0] for pair in pairs)
    print(f"ratio      {statistics.median(ratios):.2f} median ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
