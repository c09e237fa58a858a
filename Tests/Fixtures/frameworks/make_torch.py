"""Writes torch/ and layout/: dumps of PyTorch in the layouts and element types that occur."""
import os
import sys

import h5py
import ml_dtypes
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from fixtures import HERE, folder, labels, pictures, truth, write_tree

sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "Exporters"))
import leakaudit_torch

torch.manual_seed(7)
torch.set_num_threads(1)
path = folder("torch")
layout = folder("layout")
ONE, FOUR = (5,), (5, 8, 12, 2)


def batch(*numbers):
    tiles = pictures(*numbers).transpose(0, 3, 1, 2).copy()
    return torch.tensor(tiles), torch.tensor(labels(*numbers))


class Perceptron(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(196, 12)
        self.fc2 = nn.Linear(12, 10)

    def forward(self, x):
        return self.fc2(functional.relu(self.fc1(x.flatten(1))))


def gradient(model, x, y):
    model.zero_grad()
    functional.cross_entropy(model(x), y).backward()
    return {name: value.grad.numpy().copy() for name, value in model.named_parameters()}


def arrays(model):
    return {name: value.numpy().copy() for name, value in model.state_dict().items()}


def dump(name, tensors, group=None, nest=False, **facts):
    with h5py.File(path(name), "w") as file:
        target = file.create_group(group) if group else file
        for key, value in tensors.items():
            target[key.replace(".", "/") if nest else key] = value
        file.attrs.update(facts)


# --- Flat, nested, compressed ----------------------------------------------------------------------
model = Perceptron()
one, four = gradient(model, *batch(*ONE)), gradient(model, *batch(*FOUR))
truth(path("truth_b1.h5"), *(part.numpy() for part in batch(*ONE)))
truth(path("truth_b4.h5"), *(part.numpy() for part in batch(*FOUR)))
dump("state.h5", arrays(model), framework="pytorch")
dump("gradient_b1.h5", one, framework="pytorch", batch_size=1)
dump("gradient_b4.h5", four, framework="pytorch", batch_size=4, reduction="mean")
dump("state_nested.h5", arrays(model), group="state_dict", nest=True)
with h5py.File(path("gradient_gzip_shuffle.h5"), "w") as file:
    for name, value in one.items():
        file.create_dataset(
            "gradients/" + name.replace(".", "/"), data=value, chunks=True, compression="gzip",
            shuffle=True)
    file.attrs["batch_size"] = 1

# --- Three steps: one group each, and as a leading axis --------------------------------------------
walker = Perceptron()
steps = []
for number in (5, 8, 12):
    steps.append(gradient(walker, *batch(number)))
    with torch.no_grad():
        for name, parameter in walker.named_parameters():
            parameter -= 0.1 * torch.tensor(steps[-1][name])
with h5py.File(path("steps.h5"), "w") as file:
    for index, step in enumerate(steps):
        group = file.create_group(f"step_{index:06d}")
        group.attrs.update(batch_size=1, lr=0.1)
        for name, value in step.items():
            group[f"gradients/{name}"] = value
with h5py.File(path("steps_stacked.h5"), "w") as file:
    for name in steps[0]:
        value = np.stack([step[name] for step in steps])
        file.create_dataset(
            f"grads/{name}", data=value, chunks=True, maxshape=(None,) + value.shape[1:])
truth(path("truth_steps.h5"), *(part.numpy() for part in batch(5, 8, 12)))

# --- Optimiser state -------------------------------------------------------------------------------
for stem, make in (
        ("adam_step1", lambda parameters: torch.optim.Adam(parameters, 1e-3)),
        ("sgd_momentum_step1", lambda parameters: torch.optim.SGD(parameters, 0.05, momentum=0.9))):
    trained = Perceptron()
    optimizer = make(trained.parameters())
    x, y = batch(*ONE)
    functional.cross_entropy(trained(x), y).backward()
    optimizer.step()
    state = optimizer.state_dict()["state"]
    with h5py.File(path(f"{stem}.h5"), "w") as file:
        for name, value in arrays(trained).items():
            file["model_state_dict/" + name.replace(".", "/")] = value
        write_tree(file.create_group("optimizer_state_dict/state"), {
            str(index): {name: value for name, value in slots.items() if value is not None}
            for index, slots in state.items()})
        file["optimizer_state_dict/param_groups/0/params"] = np.arange(4)
        file.attrs["epoch"] = 0

# --- Element types and storage of one and the same gradient ----------------------------------------
BRAIN = ml_dtypes.bfloat16


def bits(file, name, value):
    file.create_dataset(name, data=value.astype(BRAIN).view("u2")).attrs["dtype"] = "bfloat16"


def brain_float(file, name, value):
    """HDF5's own way: a float type of two bytes with eight exponent bits."""
    stored = h5py.h5t.IEEE_F32LE.copy()
    stored.set_fields(15, 7, 8, 0, 7)
    stored.set_size(2)
    stored.set_ebias(127)
    space = h5py.h5s.create_simple(value.shape)
    dataset = h5py.h5d.create(file.id, name.encode(), stored, space)
    dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(value))


def typed(kind):
    return lambda file, name, value: file.create_dataset(name, data=value.astype(kind))


def stored(**options):
    return lambda file, name, value: file.create_dataset(name, data=value, **options)


for name, write, options in (
        ("float16", typed("<f2"), {}), ("float16_big_endian", typed(">f2"), {}),
        ("float32_big_endian", typed(">f4"), {}), ("float64", typed("<f8"), {}),
        ("bfloat16_opaque", typed(BRAIN), {}),
        ("bfloat16_bits", bits, {}), ("bfloat16_float", brain_float, {}),
        ("chunked", stored(chunks=True), {}), ("fletcher32", stored(fletcher32=True), {}),
        ("lzf", stored(compression="lzf"), {}), ("latest", stored(), {"libver": "latest"}),
        ("userblock", stored(), {"userblock_size": 512})):
    with h5py.File(path(f"type_{name}.h5"), "w", **options) as file:
        for key, value in one.items():
            write(file, key, value)
        file.attrs["batch_size"] = 1

# --- The project's own layout, with the truth inside -----------------------------------------------
for name, numbers in (("b1", ONE), ("b4", FOUR)):
    x, y = batch(*numbers)
    network = nn.Sequential(nn.Flatten(), nn.Linear(196, 12), nn.ReLU(), nn.Linear(12, 10))
    functional.cross_entropy(network(x), y).backward()
    leakaudit_torch.export(
        layout(f"gradient_{name}.h5"), network, x, batch_size=len(x), truth=(x, y))
