"""The small sound models that the hostile files are made from."""

import io
import json
import os
import re
import tempfile
from struct import pack

import h5py
import numpy as np

from . import hdf5
from .checksum import lookup3
from .hdf5 import array, group

INPUT = np.array([0.25, -0.5, 0.75, 1.0], "<f4")
NUMBERS = np.random.default_rng(7)
KERNELS = {
    "fc1": (4, 3),
    "out": (3, 2),
}
WEIGHTS = {
    name: {
        "kernel": NUMBERS.standard_normal(shape).astype("<f4"),
        "bias": NUMBERS.standard_normal(shape[1]).astype("<f4"),
    }
    for name, shape in KERNELS.items()
}


def gradients():
    """The gradient of one sample: every kernel gradient is an outer product."""
    hidden = INPUT @ WEIGHTS["fc1"]["kernel"] + WEIGHTS["fc1"]["bias"]
    scores = hidden @ WEIGHTS["out"]["kernel"] + WEIGHTS["out"]["bias"]
    share = np.exp(scores) / np.exp(scores).sum()
    last = share - np.array([1, 0])
    first = WEIGHTS["out"]["kernel"] @ last
    return {
        "fc1": {"kernel": np.outer(INPUT, first), "bias": first},
        "out": {"kernel": np.outer(hidden, last), "bias": last},
    }


GRADIENTS = {
    layer: {name: value.astype("<f4") for name, value in parts.items()}
    for layer, parts in gradients().items()
}


# MARK: Configurations


def layer(kind, name, **config):
    return {"class_name": kind, "config": {"name": name, **config}}


def dense(name, units, **config):
    return layer("Dense", name, units=units, activation="linear", use_bias=True, **config)


def input_layer(shape=(None, 4), name="input"):
    return layer("InputLayer", name, batch_input_shape=list(shape), dtype="float32")


LAYERS = [input_layer(), dense("fc1", 3), dense("out", 2)]


def sequential(layers=LAYERS, name="tiny"):
    return {"class_name": "Sequential", "config": {"name": name, "layers": layers}}


def functional(layers, inputs, outputs, name="tiny"):
    config = {"name": name, "layers": layers, "input_layers": inputs, "output_layers": outputs}
    return {"class_name": "Functional", "config": config}


def text(config):
    return config if isinstance(config, (str, bytes)) else json.dumps(config)


# MARK: Files


def legacy_layers(weights=WEIGHTS, replace={}):
    """One group per layer as in Keras 1 and 2; `replace` maps `layer/variable` to a link target."""
    groups = {}
    for name, parts in weights.items():
        inner = {
            f"{part}:0": replace.get(f"{name}/{part}", array(value))
            for part, value in parts.items()
        }
        names = [hdf5.raw(name) + b"/" + part.encode() + b":0" for part in parts]
        groups[name] = group({name: group(inner)}, {"weight_names": np.array(names)})
    return groups


def legacy(config=None, weights=WEIGHTS, replace={}, links={}, attributes={}, groups=None, **options):
    """A model as Keras 2 writes it, in this corpus' own bytes."""
    groups = legacy_layers(weights, replace) if groups is None else groups
    stem = {"layer_names": np.array([hdf5.raw(name) for name in groups]), "backend": "tensorflow"}
    root = group(
        {"model_weights": group(groups, stem), **links},
        {
            "model_config": text(sequential() if config is None else config),
            "keras_version": "2.4.0",
            **attributes,
        },
    )
    return hdf5.file(root, **options)


def weights_only(replace={}, weights=WEIGHTS):
    """The bytes of a `.weights.h5` file of Keras 3."""
    layers = {}
    for index, (name, parts) in enumerate(weights.items()):
        values = {
            str(slot): replace.get(f"{name}/{part}", array(value))
            for slot, (part, value) in enumerate(parts.items())
        }
        key = "dense" if index == 0 else f"dense_{index}"
        layers[key] = group({"vars": group(values, {"name": name})})
    return hdf5.file(group({"layers": group(layers), "vars": group()}))


def gradient_file(config=None, gradients=GRADIENTS, attributes=None):
    parts = {
        name: group({part: array(value) for part, value in values.items()})
        for name, values in gradients.items()
    }
    attributes = {"batch_size": np.int64(1)} if attributes is None else attributes
    return hdf5.file(
        group(
            {"gradients": group(parts)},
            {"model_config": text(sequential() if config is None else config), **attributes},
        )
    )


def state_dict(replace={}, attributes={}, extra=(), **options):
    """A flat dump of PyTorch parameters; `replace` maps a parameter to a link target."""
    links = {}
    for name, parts in WEIGHTS.items():
        for mine, theirs in (("weight", "kernel"), ("bias", "bias")):
            value = array(parts[theirs].T)
            links[f"{name}.{mine}"] = replace.get(f"{name}.{mine}", value)
    return hdf5.file(group([*links.items(), *extra], attributes), **options)


def own_layout(version=np.int64(1), architecture=None, parameters=None, gradients=None):
    def tree(tensors):
        return group({
            name: group({part: array(value) for part, value in parts.items()})
            for name, parts in tensors.items()
        })

    links = {
        "parameters": tree(WEIGHTS) if parameters is None else parameters,
        "gradients": tree(GRADIENTS) if gradients is None else gradients,
    }
    architecture = text(sequential() if architecture is None else architecture)
    return hdf5.file(group(links, {"leakaudit_layout": version, "architecture": architecture}))


# MARK: Files by the HDF5 library


def library(build, **options):
    """The bytes of the file that `build` fills through h5py."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file.h5")
        with h5py.File(path, "w", **options) as file:
            build(file)
        with open(path, "rb") as stream:
            return without_times(stream.read())


def without_times(data):
    """The library stamps some object headers with the time; a corpus must not have one."""
    stamp = re.escape(b"\x12\0\x08\0\0\0\0\0\1\0\0\0")
    data = re.sub(b"(%s)...." % stamp, rb"\1\0\0\0\0", data, flags=re.DOTALL)
    data, start = bytearray(data), data.find(b"OHDR\2")
    while start >= 0:
        flags = data[start + 5]
        width = 1 << (flags & 3)
        place = start + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        end = place + width + int.from_bytes(data[place : place + width], "little")
        if flags & 0x20 and data[end : end + 4] == pack("<I", lookup3(data[start:end])):
            data[start + 6 : start + 22] = bytes(16)
            data[end : end + 4] = pack("<I", lookup3(data[start:end]))
        start = data.find(b"OHDR\2", start + 1)
    return bytes(data)


def fill_legacy(file, replace=None, strings=np.bytes_):
    """Fills `file` as Keras 2 does; `replace(group, name)` may write fc1's kernel instead."""
    file.attrs["model_config"] = strings(text(sequential()))
    file.attrs["keras_version"] = strings("2.4.0")
    stem = file.create_group("model_weights")
    stem.attrs["layer_names"] = np.array([name.encode() for name in WEIGHTS])
    for name, parts in WEIGHTS.items():
        outer = stem.create_group(name)
        outer.attrs["weight_names"] = np.array([f"{name}/{part}:0".encode() for part in parts])
        inner = outer.create_group(name)
        for part, value in parts.items():
            if replace is not None and (name, part) == ("fc1", "kernel"):
                replace(inner, "kernel:0")
            else:
                inner.create_dataset(f"{part}:0", data=value)


def with_kernel(replace, **options):
    return library(lambda file: fill_legacy(file, replace), **options)


def opened(data):
    return h5py.File(io.BytesIO(data), "r")
