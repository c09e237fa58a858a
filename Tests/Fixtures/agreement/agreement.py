"""Shared by the generators: drawing a case off every kink, writing it, comparing it."""
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
    """Draws and evaluates every case; yields its row, its Keras configuration and its arrays.

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
        arrays = without_noise(case.evaluate(drawn))
        verify(case, drawn, arrays)
        arrays = {**drawn, **arrays}
        row = {"framework": framework, "name": case.name, **case.row(), "seed": seed + attempt,
               "given": contents(arrays, True), "results": contents(arrays, False)}
        yield row, row.pop("model_config", None), arrays


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


def is_given(path):
    return not path.startswith("results/")


def contents(arrays, given):
    """What one of a case's two datasets holds, in order."""
    return [{"path": path, "shape": list(np.shape(value))}
            for path, value in arrays.items() if is_given(path) == given]


def joined(arrays, given):
    parts = [np.ravel(value) for path, value in arrays.items() if is_given(path) == given]
    numbers = np.concatenate(parts).astype("f8")
    if given:
        assert np.array_equal(numbers.astype("f4"), numbers), "not exact in Float"
    return numbers.astype("<f4" if given else "<f8")


def store(path, results):
    """One group per case with two lists of numbers: a dataset per array would be twice as long."""
    with h5py.File(path, "w") as file:
        for row, configuration, arrays in results:
            group = file.create_group(row["name"])
            group["given"], group["results"] = joined(arrays, True), joined(arrays, False)
            if configuration:
                group.attrs["model_config"] = configuration


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


def stored(file, row):
    """The arrays of a case by path."""
    found = {}
    for name in ("given", "results"):
        numbers, start = file[row["name"]][name][()].astype("f8"), 0
        for entry in row[name]:
            end = start + int(np.prod(entry["shape"]))
            found[entry["path"]] = numbers[start:end].reshape(entry["shape"])
            start = end
    return found


def sizes(arrays):
    """The largest element of each kind of array, such as all gradients of a case."""
    found = {}
    for path, value in arrays.items():
        kind = "/".join(path.split("/")[:2])
        found[kind] = max(found.get(kind, 0.0), float(np.abs(value).max(initial=0)))
    return {path: found["/".join(path.split("/")[:2])] for path in arrays}


def without_noise(arrays):
    """Arrays that are zero but for rounding, such as the gradient of the bias of keys, as zeros."""
    size = sizes(arrays)
    return {path: np.zeros_like(value) if np.abs(value).max() < 1e-13 * size[path] else value
            for path, value in arrays.items()}


def difference(one, other, size):
    """The largest difference, relative to `size`."""
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return np.inf
    return float(np.abs(one - other).max(initial=0) / (size if size > 0 else 1))


def compare(framework, path, results):
    """Prints each deviation from the committed file; returns whether there is none."""
    wrong, worst, equal = [], 0.0, 0
    index = {row["name"]: row for row in rows() if row["framework"] == framework}
    with h5py.File(path) as file:
        for row, configuration, arrays in results:
            name = row["name"]
            if index.pop(name, None) != json.loads(json.dumps(row)):
                wrong.append(f"{name}: the row in index.json differs")
                continue
            if name not in file:
                wrong.append(f"{name}: missing in {os.path.basename(path)}")
                continue
            if file[name].attrs.get("model_config") != configuration:
                wrong.append(f"{name}: another model_config")
            committed = stored(file, row)
            size = sizes(committed)
            for key, value in arrays.items():
                error = difference(committed[key], value, size[key])
                worst = max(worst, error)
                equal += error == 0
                if not error <= (0 if is_given(key) else TOLERANCE):
                    wrong.append(f"{name}/{key}: {error:.1e} relative")
        wrong += [f"{name}: in the file, but not generated"
                  for name in set(file) - {row["name"] for row, _, _ in results}]
    wrong += [f"{name}: in index.json, but not generated" for name in index]
    for line in wrong:
        print(line)
    print(f"{framework}: {equal} arrays equal to the bit, largest difference {worst:.1e}, "
          f"{len(wrong)} deviations")
    return not wrong


def main(framework, versions, cases, outputs_axis):
    """Writes the framework's file and rows, or compares with them if called with --check."""
    path = os.path.join(HERE, framework + ".h5")
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "two cases share a name"
    results = list(generate(framework, cases, outputs_axis))
    if "--check" not in sys.argv:
        store(path, results)
        write_index(framework, versions, [row for row, _, _ in results])
        print(f"{len(results)} cases, {os.path.getsize(path)} bytes")
        return
    agrees = compare(framework, path, results)
    try:
        import check_jax
    except ImportError as error:
        print(f"not compared with JAX: {error}")
    else:
        agrees = check_jax.check(framework) and agrees
    sys.exit(0 if agrees else 1)
