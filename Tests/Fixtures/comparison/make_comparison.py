"""Writes a small classifier, what a server could send in its place, and a gradient of that.

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


def forward(parameters, x):
    hidden = np.maximum(x @ parameters["fc1.weight"].T + parameters["fc1.bias"], 0)
    logits = hidden @ parameters["fc2.weight"].T + parameters["fc2.bias"]
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return hidden, powers / powers.sum(1, keepdims=True)


def gradient(parameters, x, labels):
    """Of the mean cross-entropy: of every parameter, and of x."""
    hidden, outputs = forward(parameters, x)
    error = (outputs - np.eye(outputs.shape[1])[labels]) / len(x)
    back = (error @ parameters["fc2.weight"]) * (hidden > 0)
    return {"fc1.weight": back.T @ x, "fc1.bias": back.sum(0),
            "fc2.weight": error.T @ hidden, "fc2.bias": error.sum(0)}, back @ parameters["fc1.weight"]


def recognised(parameters, labels, random):
    """Inputs that the network takes for these classes with confidence."""
    x = random.standard_normal((len(labels), 32))
    for _ in range(400):
        step = gradient(parameters, x, labels)[1]
        x -= step / np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-12)
    return x


def main():
    random = np.random.default_rng(6)
    kept = {"fc1.weight": random.standard_normal((24, 32)) / 6, "fc1.bias": np.zeros(24),
            "fc2.weight": random.standard_normal((100, 24)) / 5, "fc2.bias": np.zeros(100)}
    write("reference.h5", kept)
    step = {key: value + 0.01 * random.standard_normal(value.shape) for key, value in kept.items()}
    write("step.h5", step)
    order = np.arange(100)
    order[[17, 62]] = order[[62, 17]]
    swapped = step | {"fc2.weight": step["fc2.weight"][order], "fc2.bias": step["fc2.bias"][order]}
    write("swapped.h5", swapped)
    write("replaced.h5", step | {"fc1.weight": random.standard_normal((24, 32)) / 6})
    write("spoiled.h5", step | {"fc1.bias": np.full(24, np.nan)})
    write("inserted.h5", {
        "bins.weight": np.full((64, 32), 1 / 32), "bins.bias": -np.linspace(0, 1, 64),
        "back.weight": np.full((32, 64), 1 / 64), "back.bias": np.zeros(32)} | step)
    labels = np.array([17, 3, 40, 80])
    batch = recognised(step, labels, random)
    write("gradient.h5", gradient(swapped, batch, labels)[0])


main()
