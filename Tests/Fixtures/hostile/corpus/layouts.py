"""PyTorch dumps, weights files and the project's own layout, with hostile structure."""

import numpy as np

from . import hdf5, models
from .case import NOTHING, ODD, PARTIAL, SECRET, Case
from .hdf5 import array, group, soft
from .models import WEIGHTS

ONE = array(np.zeros((1,), "<f4"))


def torch():
    yield "torch_valid.h5", models.state_dict(), "control: a sound PyTorch dump, whose architecture is inferred", ODD
    kernel = array(WEIGHTS["fc1"]["kernel"].T)
    names = [
        "__class__", "__init__.__globals__.weight", "__proto__.weight", "constructor.weight",
        ".weight", "weight", "..weight", "a..b.weight", "weight.", ".", "fc1.weight.weight", "0.weight",
        "-1.weight", "99999999999999999999.weight", "1e5.weight", "module.module.module.weight",
        "optimizer.state.0.exp_avg", "num_batches_tracked", "fc1.weight ", "FC1.weight",
    ]
    yield (
        "torch_names.h5",
        hdf5.file(group([(name, kernel) for name in names if name != "."])),
        "parameters are called __class__, .weight, weight. and the like",
        ODD,
    )
    yield (
        "torch_flat_2400.h5",
        hdf5.file(group((f"m.{index:04}", ONE) for index in range(2400)), width=4),
        "2,400 parameters of one value each",
        [1, 2, 3],
    )
    block = group((f"l{index:02}.weight", ONE) for index in range(72))
    yield (
        "torch_tree_5040.h5",
        hdf5.file(group((f"m{index:02}", block) for index in range(70))),
        "70 modules of 72 parameters of one value: 5,040 tensors by path",
        [1, 2, 3],
    )
    yield (
        "torch_alias.h5",
        models.state_dict({"out.weight": soft("/fc1.weight")}),
        "one parameter is a soft link to another of another shape",
        ODD,
    )
    tensors = {f"{index}.weight": array(np.ones((1,) * index, "<f4")) for index in range(33)}
    yield "torch_ranks.h5", hdf5.file(group(tensors)), "one parameter of each rank from 0 to 32", [1, 2, 3]
    yield (
        "torch_no_bias_match.h5",
        models.state_dict({"fc1.bias": array(np.ones(1000, "<f4"))}),
        "a bias has 1,000 values for 3 rows",
        PARTIAL,
    )
    yield (
        "torch_batch_norm.h5",
        models.state_dict(extra=[
            ("bn.running_var", array(np.full(3, -1, "<f4"))),
            ("bn.num_batches_tracked", array(np.int64(-(2**63)))),
            ("bn.weight", array(np.ones(3, "<f4"))),
        ]),
        "variances are negative and the number of batches is -2^63",
        ODD,
    )


def weights_files():
    sound = models.weights_only()
    yield "weights_valid.weights.h5", sound, "control: a sound weights file, whose architecture is inferred", ODD
    kernel = array(WEIGHTS["fc1"]["kernel"])
    variables = {"0": kernel, "1": array(WEIGHTS["fc1"]["bias"])}
    for name, links, what in (
        ("gap", {"0": kernel, "7": variables["1"]}, "numbered 0 and 7"),
        ("huge_index", {"99999999999999999999": kernel}, "numbered beyond 64 bits"),
        ("negative", {"-1": kernel, "0": variables["1"]}, "numbered from -1"),
        ("zeros", {"0": kernel, "00": kernel, "+0": kernel}, "numbered 0, 00 and +0"),
        ("words", {"kernel": kernel, "\u0661": variables["1"]}, "numbered by words and Arabic digits"),
        ("groups", {"0": group({"0": kernel})}, "groups"),
    ):
        root = group({"layers": group({"dense": group({"vars": group(links)})}), "vars": group()})
        yield f"weights_{name}.weights.h5", hdf5.file(root), f"the variables of a layer are {what}", (
            ODD if name in ("gap", "huge_index") else [1, 2, 3])
    self = group()
    self.messages.append(hdf5.link("layers", self))
    yield "weights_self.weights.h5", hdf5.file(self), "layers is the root group again", NOTHING
    many = group((f"dense_{index}", group()) for index in range(400))
    yield "weights_layers_400.weights.h5", hdf5.file(group({"layers": many})), "400 layers without variables", NOTHING
    flat = hdf5.file(group({"layers": kernel, "vars": kernel}))
    yield "weights_layers_dataset.weights.h5", flat, "layers is a dataset instead of a group", [1, 2, 3]


def own():
    yield "own_number.h5", models.own_layout(np.int64(999)), "the layout's version is 999", [2, 3]
    yield "own_negative.h5", models.own_layout(np.int64(-(2**63))), "the layout's version is -2^63", [2, 3]
    yield "own_text.h5", models.own_layout("1; DROP"), "the layout's version is a text", [2, 3]
    yield "own_nan.h5", models.own_layout(np.float64(np.nan)), "the layout's version is NaN", [2, 3]
    yield "own_list.h5", models.own_layout(np.ones(1000, "<i8")), "the layout's version is a list", [2, 3]
    for name, text, what in (
        ("empty", "", "is empty"),
        ("no_json", "architecture", "is no JSON"),
        ("list", "[1, null, {}]", "is a list of anything"),
        ("null", "null", "is null"),
        ("deep", "[" * 10000, "opens 10,000 lists"),
        ("secret_path", '{"path": "secret_marker.h5"}', "is a path to another file"),
        ("layers_null", '{"layers": null, "input": null}', "has null for its layers"),
        ("layers_types", '{"name": 1, "input": "x", "layers": [[], {}, 3, {"kind": null, "units": 1e999}]}',
         "has wrong types in every place"),
    ):
        data = models.own_layout(architecture=text)
        yield f"own_architecture_{name}.h5", data, f"the architecture of the project's own layout {what}", [1, 2, 3]
    yield "own_parameters_dataset.h5", models.own_layout(parameters=ONE), "parameters is a dataset", [1, 2, 3]
    yield "own_gradients_dataset.h5", models.own_layout(gradients=ONE), "gradients is a dataset", [1, 2, 3]
    yield "own_nothing.h5", models.own_layout(parameters=group(), gradients=group()), (
        "neither parameters nor gradients have an entry"), [1, 2, 3]
    loop = group()
    loop.messages.append(hdf5.link("again", loop))
    yield "own_cycle.h5", models.own_layout(parameters=loop), "parameters contain themselves", [1, 2, 3]


def mixed():
    yield (
        "mixed_all.h5",
        models.legacy(
            links={"fc1.weight": array(WEIGHTS["fc1"]["kernel"].T), "layers": group({"dense": group()}),
                   "gradients": group(), "parameters": group()},
            attributes={"leakaudit_layout": np.int64(1), "architecture": "{}"},
        ),
        "the file claims every layout at once",
        [1, 2, 3],
    )
    yield "mixed_empty.h5", hdf5.file(group()), "an HDF5 file without anything in it", NOTHING
    yield "mixed_table.h5", hdf5.file(group({"table": array(np.arange(9.0).reshape(3, 3))})), (
        "an HDF5 file that is no model: one table of numbers"), [1, 2, 3]
    yield "mixed_text.h5", b"layer,units\nfc1,3\n", "comma-separated values under the name of an HDF5 file", [2]


def cases():
    for part in (torch, weights_files, own, mixed):
        for name, data, why, exit in part():
            forbidden = (SECRET,) if "secret" in name else ()
            yield Case(f"layouts_{name}", data, why, exit, (), forbidden)
