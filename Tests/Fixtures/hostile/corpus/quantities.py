"""Numbers that are none, or that no gradient can have."""

import numpy as np

from . import hdf5, models
from .case import ODD, PARTIAL, Case
from .hdf5 import array, group
from .models import GRADIENTS, WEIGHTS


def changed(tensors, layer, part, value):
    return {**tensors, layer: {**tensors[layer], part: np.asarray(value, "<f4")}}


def filled(tensors, value):
    return {
        name: {part: np.full_like(array, value) for part, array in parts.items()}
        for name, parts in tensors.items()
    }


def poisoned(tensors, value):
    kernel = tensors["fc1"]["kernel"].copy()
    kernel[1, 1] = value
    return changed(tensors, "fc1", "kernel", kernel)


def scaled(tensors, factor):
    with np.errstate(all="ignore"):
        return {
            name: {part: (array * np.float64(factor)).astype("<f4") for part, array in parts.items()}
            for name, parts in tensors.items()
        }


def weights():
    largest = np.finfo("f4").max
    for name, values, what, exit in (
        ("nan", poisoned(WEIGHTS, np.nan), "one weight is NaN", PARTIAL),
        ("all_nan", filled(WEIGHTS, np.nan), "every weight is NaN", PARTIAL),
        ("infinite", poisoned(WEIGHTS, np.inf), "one weight is infinite", PARTIAL),
        ("zero", filled(WEIGHTS, 0), "every weight is 0", ODD),
        ("largest", filled(WEIGHTS, largest), "every weight is the largest float, so sums overflow", ODD),
        ("subnormal", filled(WEIGHTS, 1e-45), "every weight is the smallest subnormal", ODD),
        ("bias_shape", changed(WEIGHTS, "fc1", "bias", np.ones(7)), "a bias has 7 values for 3 units", PARTIAL),
        ("kernel_cut", changed(WEIGHTS, "out", "kernel", np.ones((5, 2))),
         "a kernel has 5 rows where 3 values arrive", PARTIAL),
    ):
        yield f"weights_{name}.h5", models.legacy(weights=values), what, exit


def gradients():
    kernel = GRADIENTS["fc1"]["kernel"]
    for name, values, what, exit in (
        ("nan", poisoned(GRADIENTS, np.nan), "one gradient entry is NaN", PARTIAL),
        ("all_nan", filled(GRADIENTS, np.nan), "every gradient entry is NaN", PARTIAL),
        ("infinite", poisoned(GRADIENTS, -np.inf), "one gradient entry is infinite", PARTIAL),
        ("bias_infinite", changed(GRADIENTS, "fc1", "bias", [np.inf] * 3), "a bias gradient is infinite", PARTIAL),
        ("zero", filled(GRADIENTS, 0), "every gradient entry is 0: nothing is shown, not even safety", ODD),
        ("bias_zero", changed(GRADIENTS, "fc1", "bias", np.zeros(3)),
         "a bias gradient is 0 while its kernel's is not: division by zero", ODD),
        ("subnormal", scaled(GRADIENTS, 1e-42), "every gradient entry is subnormal: quotients are noise", ODD),
        ("huge", scaled(GRADIENTS, 1e37), "every gradient entry is near the largest float: squares overflow", ODD),
        ("shape", changed(GRADIENTS, "fc1", "kernel", np.ones((9, 5))),
         "a kernel gradient has another shape than the configuration's kernel", PARTIAL),
        ("bias_shape", changed(GRADIENTS, "fc1", "bias", np.ones(2)),
         "a bias gradient is shorter than the columns of its kernel", PARTIAL),
        ("transposed", changed(GRADIENTS, "fc1", "kernel", kernel.T), "a kernel gradient is transposed", PARTIAL),
        ("scalar", changed(GRADIENTS, "fc1", "kernel", 1.0), "a kernel gradient is a scalar", PARTIAL),
        ("no_values", changed(GRADIENTS, "fc1", "kernel", np.zeros((0, 3))), "a kernel gradient has no rows", PARTIAL),
        ("missing", {"out": GRADIENTS["out"]}, "the gradient of the first layer is missing", ODD),
        ("unknown", {**GRADIENTS, "fc9": GRADIENTS["fc1"]}, "a gradient belongs to no layer", ODD),
        ("ambiguous", {"a_fc1": GRADIENTS["fc1"], "b_fc1": GRADIENTS["fc1"], "out": GRADIENTS["out"]},
         "two gradients fit one layer by shape and none by name", ODD),
        ("random", changed(GRADIENTS, "fc1", "kernel",
                           np.random.default_rng(3).standard_normal((4, 3))),
         "a kernel gradient is noise that no single sample can have caused", ODD),
    ):
        yield f"gradients_{name}.h5", models.gradient_file(gradients=values), what, exit
    yield (
        "gradients_no_config.h5",
        hdf5.file(group({"gradients": group()}, {"batch_size": np.int64(1)})),
        "the group of gradients is empty and there is no configuration",
        [2, 3],
    )
    yield (
        "gradients_is_dataset.h5",
        hdf5.file(group(
            {"gradients": array(kernel)}, {"model_config": models.text(models.sequential())})),
        "gradients is a dataset instead of a group",
        [1, 2, 3],
    )


def batches():
    for name, value, what in (
        ("zero", np.int64(0), "0"),
        ("negative", np.int64(-4), "-4"),
        ("smallest", np.int64(-(2**63)), "-2^63, which has no absolute value"),
        ("largest", np.uint64(2**64 - 1), "2^64-1"),
        ("fraction", np.float64(1.5), "1.5"),
        ("1e300", np.float64(1e300), "10^300, which no integer type holds"),
        ("nan", np.float64(np.nan), "NaN"),
        ("infinite", np.float64(np.inf), "infinite"),
        ("text", b"many; rm", "a text"),
        ("list", np.arange(5), "a list of five numbers"),
        ("no_values", np.zeros((0,), "<i8"), "an empty list"),
        ("null", (hdf5.integer(8), hdf5.space(None), b""), "the null dataspace"),
        ("terabyte", (hdf5.integer(8), hdf5.space((1 << 40,)), b"\1" * 8), "a terabyte of numbers"),
        ("billion", np.int64(10**9), "a billion for one sample: counting labels must not allocate it"),
    ):
        yield f"batch_{name}.h5", models.gradient_file(attributes={"batch_size": value}), (
            f"batch_size is {what}")


def cases():
    for name, data, why, exit in [*weights(), *gradients()]:
        yield Case(f"quantities_{name}", data, why, exit)
    for name, data, why in batches():
        yield Case(f"quantities_{name}", data, why, ODD if "billion" in name else PARTIAL)
