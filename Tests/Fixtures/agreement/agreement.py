"""Shared by the generators: drawing the numbers of a case, keeping it off kinks, writing, comparing."""
import json
import os
import sys
import zlib

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
INDEX = os.path.join(HERE, "index.json")
# No pre-activation and no difference between two candidates of a maximum is smaller than this.
MARGIN = 1e-3
TOLERANCE = 1e-12
KINKS = {
    "relu": [0], "leaky_relu": [0], "elu": [0], "selu": [0], "softsign": [0], "relu6": [0, 6],
    "hard_sigmoid": [-3, 3], "hard_silu": [-3, 3],
}


# Drawing


def grid(values):
    """Rounds to multiples of 1/1024, so that every number drawn is exact in Float too."""
    return np.round(np.asarray(values, "f8") * 1024) / 1024


def parameter(random, role, shape, outputs_axis):
    """Numbers of the size that a trained layer has, by role."""
    if role in ("scale", "running_variance"):
        return grid(random.uniform(0.5, 1.5, shape))
    if len(shape) < 2 or role == "embeddings":
        return grid(random.uniform(-0.6, 0.6, shape))
    fan = max(int(np.prod(shape)) // shape[outputs_axis], 1)
    return grid(random.normal(0, 1 / np.sqrt(fan), shape))


class Inputs:
    """What enters a case: real numbers, or whole numbers below `below`."""

    def __init__(self, *shape, scale=1.0, below=None):
        self.shape, self.scale, self.below = shape, scale, below

    def draw(self, random):
        if self.below is not None:
            return random.integers(0, self.below, self.shape)
        return grid(random.normal(0, self.scale, self.shape))


def kink_distance(function, values):
    return min(float(np.min(np.abs(values - kink))) for kink in KINKS[function])


def plane_gap(values, channel_axis):
    """The smallest difference between two elements of one channel of one sample.

    Two zeros do not count: they come from a rectifier, which lets nothing of either through.
    """
    planes = np.moveaxis(np.asarray(values), channel_axis, 1)
    planes = np.sort(planes.reshape(planes.shape[0] * planes.shape[1], -1))
    gaps = np.diff(planes)
    gaps = gaps[~((gaps == 0) & (planes[:, 1:] == 0))]
    return float(gaps.min()) if gaps.size else np.inf


def merge_gap(parts):
    pairs = [(a, b) for i, a in enumerate(parts) for b in parts[:i]]
    return min(float(np.min(np.abs(a - b))) for a, b in pairs)


def generate(framework, cases, outputs_axis):
    """Draws and evaluates every case; yields its row and its arrays.

    A case is an object with `name`, `inputs` (name to `Inputs`), `targets` (None or a function of
    the random generator), `parameter_shapes()` (path to shape), `trainable()` (paths),
    `evaluate(...)`, `gradient(...)`, `margin(...)` and `row()`.
    """
    for case in cases:
        seed = zlib.crc32(f"{framework}/{case.name}".encode())
        for attempt in range(2000):
            random = np.random.default_rng(seed + attempt)
            drawn = draw(case, random, outputs_axis)
            if case.margin(drawn) >= MARGIN:
                break
        else:
            raise SystemExit(f"{case.name}: no draw stays {MARGIN} away from every kink")
        arrays = case.evaluate(drawn)
        verify(case, drawn, arrays)
        row = {"framework": framework, "name": case.name, **case.row(), "seed": seed + attempt}
        yield row, {**drawn, **arrays}


def draw(case, random, outputs_axis):
    drawn = {f"inputs/{name}": entry.draw(random) for name, entry in case.inputs.items()}
    shapes = case.parameter_shapes()
    for path in sorted(shapes):
        role = path.rpartition("/")[2]
        drawn[f"parameters/{path}"] = parameter(random, role, shapes[path], outputs_axis)
    if case.targets:
        drawn["targets"] = case.targets(random)
    else:
        drawn["loss_scale"] = grid(random.uniform(0.5, 1.5, case.output_shape(drawn)))
    for path in sorted(case.trainable()):
        drawn[f"directions/parameters/{path}"] = grid(random.normal(0, 1, shapes[path]))
    for name, entry in case.inputs.items():
        if entry.below is None:
            drawn[f"directions/inputs/{name}"] = grid(random.normal(0, 1, entry.shape))
    return drawn


def verify(case, drawn, arrays):
    """Compares the framework's second derivatives with differences of its first ones."""
    step = 1e-5
    for result, moved in (("mixed", "parameters"), ("curvature", "inputs"),
                          ("parameter_curvature", "parameters")):
        parts = [path for path in arrays if path.startswith(f"results/{result}/")]
        if not parts:
            continue
        ends = []
        for sign in (step, -step):
            place = dict(drawn)
            for path in drawn:
                if path.startswith(f"directions/{moved}/"):
                    place[path[len("directions/"):]] = (
                        drawn[path[len("directions/"):]] + sign * drawn[path])
            ends.append(case.gradient(place))
        first = "gradients" if result == "parameter_curvature" else "input_gradients"
        for path in parts:
            key = path.replace(f"results/{result}/", f"results/{first}/", 1)
            slope = (ends[0][key] - ends[1][key]) / (2 * step)
            size = max(np.abs(slope).max(), 1e-3)
            error = np.abs(slope - arrays[path]).max() / size
            if not error < 1e-6:
                raise SystemExit(f"{case.name}: {path} is {error:.1e} off the difference quotient")


# Writing and comparing


def store(path, results):
    """One group per case with all of its arrays; ':' stands for the '/' of their paths.

    Nested groups, chunks and the links' own index would make the file twice as long.
    """
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        for row, arrays in results:
            links = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
            group = h5py.h5g.create(file.id, row["name"].encode(), gcpl=links)
            for name, value in arrays.items():
                add_small(group, name.replace("/", ":"), compact(value))


def compact(value):
    """Whole numbers in 32 bits, and real numbers where that is exact."""
    value = np.ascontiguousarray(value)
    if value.dtype.kind in "iu":
        return value.astype("<i4")
    single = value.astype("<f4")
    return single if np.array_equal(single.astype("f8"), value) else value.astype("<f8")


def add_small(group, name, value):
    """Stores an array in its own header where HDF5 allows it (below 64 KiB)."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if value.nbytes < 60_000:
        properties.set_layout(h5py.h5d.COMPACT)
    properties.set_obj_track_times(False)
    properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    space = h5py.h5s.create_simple(value.shape) if value.ndim else h5py.h5s.create(h5py.h5s.SCALAR)
    kind = h5py.h5t.py_create(value.dtype, logical=True)
    dataset = h5py.h5d.create(group, name.encode(), kind, space, dcpl=properties)
    dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, value)


def rows():
    if not os.path.exists(INDEX):
        return []
    with open(INDEX) as file:
        return json.load(file)["cases"]


def write_index(framework, versions, new):
    """Replaces the rows of one framework; one row a line."""
    header = {}
    if os.path.exists(INDEX):
        with open(INDEX) as file:
            header = json.load(file)["versions"]
    header[framework] = versions
    kept = [row for row in rows() if row["framework"] != framework]
    lines = sorted(kept + new, key=lambda row: (row["framework"], row["name"]))
    with open(INDEX, "w") as file:
        file.write('{"versions": ' + json.dumps(header, sort_keys=True) + ',\n"cases": [\n')
        file.write(",\n".join(json.dumps(row) for row in lines))
        file.write("\n]}\n")


def stored(file, name):
    """The arrays of a case by path."""
    return {path.replace(":", "/"): item[()] for path, item in file[name].items()}


def difference(one, other):
    """The largest difference, relative to the largest element of `other`."""
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return np.inf
    if one.size == 0:
        return 0.0
    size = np.abs(other).max()
    return float(np.abs(one - other).max() / (size if size > 0 else 1))


def compare(framework, path, results):
    """Prints each deviation from the committed file; returns whether there is none."""
    wrong, worst, equal = [], 0.0, 0
    index = {row["name"]: row for row in rows() if row["framework"] == framework}
    with h5py.File(path) as file:
        for row, arrays in results:
            name = row["name"]
            if index.pop(name, None) != json.loads(json.dumps(row)):
                wrong.append(f"{name}: the row in index.json differs")
            if name not in file:
                wrong.append(f"{name}: missing in {os.path.basename(path)}")
                continue
            committed = stored(file, name)
            if set(committed) != set(arrays):
                wrong.append(f"{name}: other arrays: {set(committed) ^ set(arrays)}")
                continue
            for key, value in arrays.items():
                bound = TOLERANCE if key.startswith("results/") else 0
                error = difference(committed[key], value)
                worst = max(worst, error)
                equal += error == 0
                if error > bound:
                    wrong.append(f"{name}/{key}: {error:.1e} relative")
    wrong += [f"{name}: in index.json, but not generated" for name in index]
    for line in wrong:
        print(line)
    print(f"{framework}: {equal} arrays equal to the bit, largest difference {worst:.1e}, "
          f"{len(wrong)} deviations")
    return not wrong


def main(framework, versions, cases, outputs_axis):
    """Writes the framework's file and rows, or compares with them if called with --check."""
    only = [word for word in sys.argv[1:] if not word.startswith("-")]
    path = os.path.join(HERE, framework + ".h5")
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "two cases share a name"
    if only:
        for row, arrays in generate(
                framework, [case for case in cases if case.name in only], outputs_axis):
            print(json.dumps(row), *(f"\n  {key} {np.shape(arrays[key])}" for key in arrays))
        return
    results = list(generate(framework, cases, outputs_axis))
    if "--check" not in sys.argv:
        store(path, results)
        write_index(framework, versions, [row for row, _ in results])
        print(f"{len(results)} cases, {os.path.getsize(path)} bytes")
        return
    agrees = compare(framework, path, results)
    try:
        import check_jax
    except ImportError as error:
        print(f"without JAX: {error}")
    else:
        agrees = check_jax.check(framework) and agrees
    sys.exit(0 if agrees else 1)
