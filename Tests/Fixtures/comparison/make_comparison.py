"""Writes a small classifier and what a server could send in its place.

    python Tests/Fixtures/comparison/make_comparison.py

Equal bytes on every run. Needs numpy and h5py.
"""

import pathlib

import h5py
import numpy as np

HERE = pathlib.Path(__file__).parent


def write(name, parameters):
    with h5py.File(HERE / name, "w", track_order=True) as file:
        for key, value in parameters.items():
            file.create_dataset(key, data=value.astype("f4"), track_times=False)


def main():
    random = np.random.default_rng(6)
    kept = {"fc1.weight": random.standard_normal((24, 32)) / 6, "fc1.bias": np.zeros(24),
            "fc2.weight": random.standard_normal((100, 24)) / 5, "fc2.bias": np.zeros(100)}
    write("reference.h5", kept)
    step = {key: value + 0.01 * random.standard_normal(value.shape) for key, value in kept.items()}
    write("step.h5", step)
    order = np.arange(100)
    order[[17, 62]] = order[[62, 17]]
    write("swapped.h5", step | {
        "fc2.weight": step["fc2.weight"][order], "fc2.bias": step["fc2.bias"][order]})
    write("replaced.h5", step | {"fc1.weight": random.standard_normal((24, 32)) / 6})
    write("spoiled.h5", step | {"fc1.bias": np.full(24, np.nan)})
    write("inserted.h5", {
        "bins.weight": np.full((64, 32), 1 / 32), "bins.bias": -np.linspace(0, 1, 64),
        "back.weight": np.full((32, 64), 1 / 64), "back.bias": np.zeros(32)} | step)


main()
