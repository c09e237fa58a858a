"""Writes `lenet_gradient.h5` and `lenet_truth.h5`: `python make_lenet.py [FOLDER]`.

A network of three convolutions and a dense layer, and the gradient of one picture, in NumPy alone.
Everything is computed in double precision and stored in single. Needs NumPy and h5py.
"""

import json
import pathlib
import sys

import h5py
import numpy as np

SEED = 20240601
LABEL = 4
SIDE, CLASSES, KERNEL, FILTERS = 16, 10, 5, 12
STRIDES = {"conv1": 2, "conv2": 2, "conv3": 1}
ARCHITECTURE = {
    "name": "lenet",
    "inputs": [{"name": "picture", "shape": [SIDE, SIDE, 3]}],
    "outputs": ["logits"],
    "layers": [
        layer for name, stride in STRIDES.items() for layer in (
            {"name": name, "kind": "convolution", "variant": "plain", "filters": FILTERS,
             "kernel": [KERNEL, KERNEL], "stride": [stride, stride], "dilation": [1, 1],
             "padding": [2, 2], "groups": 1, "bias": True,
             "inputs": ["picture" if name == "conv1" else f"sigmoid{int(name[-1]) - 1}"]},
            {"name": f"sigmoid{name[-1]}", "kind": "activation", "function": "sigmoid",
             "inputs": [name]})
    ] + [
        {"name": "flatten", "kind": "flatten", "inputs": ["sigmoid3"]},
        {"name": "logits", "kind": "dense", "outputs": CLASSES, "bias": True,
         "inputs": ["flatten"]},
    ],
}


def picture():
    """A low sun over a hill, [16, 16, 3], values from 0 to 1 in steps of 1/255."""
    y, x = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE
    sky = np.stack([0.35 + 0.5 * y, 0.45 + 0.2 * y, 0.75 - 0.3 * y], -1)
    sun = np.exp(-((x - 0.66) ** 2 + (y - 0.38) ** 2) / 0.02)[..., None]
    ground = np.stack([0.15 + 0.2 * x, 0.3 + 0.15 * x * y, 0.12 + 0.05 * y], -1)
    hill = 1 / (1 + np.exp((0.62 + 0.12 * np.sin(5 * x + 0.4) - y) * 30))[..., None]
    light = sky + sun * (np.array([1, 0.85, 0.5]) - sky)
    return np.round((light + hill * (ground - light)) * 255) / 255


def parameters():
    """Every entry uniform between −0.5 and 0.5, as Zhu et al. 2019 draw them; single precision."""
    random = np.random.default_rng(SEED)
    shapes, inputs = {}, 3
    for name in STRIDES:
        shapes[name] = [KERNEL, KERNEL, inputs, FILTERS]
        inputs = FILTERS
    shapes["logits"] = [(SIDE // 4) ** 2 * FILTERS, CLASSES]
    return {name: {"weight": random.uniform(-0.5, 0.5, shape).astype("float32"),
                   "bias": random.uniform(-0.5, 0.5, shape[-1]).astype("float32")}
            for name, shape in shapes.items()}


def places(side, stride):
    """Rows and columns that a kernel reads at each output place of a map padded by 2."""
    first = np.arange(0, side, stride)
    rows = first[:, None, None, None] + np.arange(KERNEL)[None, None, :, None]
    columns = first[None, :, None, None] + np.arange(KERNEL)[None, None, None, :]
    return np.broadcast_arrays(rows, columns)


def gradients(weights, x):
    """The gradient of softmax cross-entropy at one picture, by name and role."""
    steps, h = [], x
    for name, stride in STRIDES.items():
        rows, columns = places(len(h), stride)
        patches = np.pad(h, ((2, 2), (2, 2), (0, 0)))[rows, columns]
        patches = patches.reshape(*patches.shape[:2], -1)
        kernel = weights[name]["weight"].astype("float64").reshape(-1, FILTERS)
        steps.append((name, h.shape, rows, columns, patches, kernel))
        h = 1 / (1 + np.exp(-(patches @ kernel + weights[name]["bias"])))
        steps[-1] += (h,)
    features = h.ravel()
    logits = features @ weights["logits"]["weight"].astype("float64") + weights["logits"]["bias"]
    slope = np.exp(logits - logits.max())
    slope = slope / slope.sum() - (np.arange(CLASSES) == LABEL)
    found = {"logits": {"weight": np.outer(features, slope), "bias": slope}}
    above = (weights["logits"]["weight"].astype("float64") @ slope).reshape(h.shape)
    for name, shape, rows, columns, patches, kernel, h in reversed(steps):
        slope = above * h * (1 - h)
        found[name] = {
            "weight": np.einsum("ijp,ijo->po", patches, slope).reshape(
                KERNEL, KERNEL, shape[2], FILTERS),
            "bias": slope.sum((0, 1))}
        padded = np.zeros((shape[0] + 4, shape[1] + 4, shape[2]))
        np.add.at(padded, (rows, columns), (slope @ kernel.T).reshape(*rows.shape, shape[2]))
        above = padded[2:-2, 2:-2]
    return found


def write(folder):
    weights, x = parameters(), picture().astype("float32")
    with h5py.File(folder / "lenet_gradient.h5", "w") as file:
        file.attrs.update(
            leakaudit_layout=1, convention="channels_last", framework="numpy", batch_size=1,
            reduction="mean", loss="softmax-cross-entropy", architecture=json.dumps(ARCHITECTURE))
        for group, table in (
                ("parameters", weights), ("gradients", gradients(weights, x.astype("float64")))):
            for name, roles in table.items():
                for role, values in roles.items():
                    file[f"{group}/{name}/{role}"] = values.astype("float32")
    with h5py.File(folder / "lenet_truth.h5", "w") as file:
        file["inputs"], file["labels"] = x[None], np.array([LABEL])


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    target.mkdir(parents=True, exist_ok=True)
    write(target)
