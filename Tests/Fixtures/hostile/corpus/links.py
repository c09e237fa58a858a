"""Everything by which one HDF5 file makes a reader open another one."""

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

from . import hdf5, models
from .case import NOT_SAFE, ODD, PARTIAL, SECRET, SECRET_FILE, Case
from .hdf5 import array, external, group, soft, user

PASSWD = ("root:x:0",)
HERE = f"../files/{SECRET_FILE}"


def targets():
    """Files that no report may quote: they are never arguments of the audit."""
    kernel, bias = models.WEIGHTS["fc1"]["kernel"], models.WEIGHTS["fc1"]["bias"]
    inner = {"kernel:0": array(kernel), "bias:0": array(bias), SECRET: array(bias)}
    names = np.array([f"fc1/{name}".encode() for name in ("kernel:0", "bias:0", SECRET)])
    layer = group({"fc1": group(inner, {"note": SECRET})}, {"weight_names": names})
    hidden = group({SECRET: array(bias), "vars": group({"0": array(kernel)}, {"name": SECRET})})
    root = group(
        {
            "model_weights": group(
                {"fc1": layer, SECRET: hidden},
                {"layer_names": np.array([b"fc1", SECRET.encode()])},
            ),
            "kernel": array(kernel),
            "gradients": group({SECRET: group({"kernel": array(kernel), "bias": array(bias)})}),
            "layers": group({"dense": hidden}),
            "parameters": group({SECRET: hidden}),
            "bytes": array(np.frombuffer(SECRET.encode(), "u1")),
        },
        {
            "model_config": models.text(models.sequential(name=SECRET)),
            "note": SECRET,
        },
    )
    row = hdf5.file(group({"kernel0": array(kernel[:1])}, {"note": SECRET}))
    return {SECRET_FILE: hdf5.file(root), "secret_marker_0.h5": row}


def kernels():
    """A kernel that lies elsewhere: its values must not become part of the audit."""
    for name, path, inside, why, extra in (
        ("sibling", SECRET_FILE, "/kernel", "the HDF5 file beside it", ()),
        ("dotdot", HERE, "/kernel", "a file by a path with ..", ()),
        ("dot", f"./{SECRET_FILE}", "kernel", "the HDF5 file beside it by a path with a dot", ()),
        ("passwd", "/etc/passwd", "/kernel", "/etc/passwd", PASSWD),
        ("device", "/dev/zero", "/kernel", "a device that never ends", ()),
        ("standard_input", "/dev/stdin", "/kernel", "standard input, which may block for ever", ()),
        ("missing", "no_such_file.h5", "/kernel", "a file that does not exist", ()),
        ("empty_name", "", "/kernel", "a file without a name", ()),
        ("self", "links_external_self.h5", "/model_weights/out/out/kernel:0", "itself", ()),
        ("cycle", "links_external_cycle.h5", "/model_weights/fc1/fc1/kernel:0",
         "the very link it is", ()),
        ("variable", "${ORIGIN}/secret_marker.h5", "/kernel", "a path with a variable", ()),
    ):
        yield (
            f"external_{name}.h5",
            models.legacy(replace={"fc1/kernel": external(path, inside)}),
            f"fc1's kernel is an external link to {why}; following it reads a file nobody named",
            ("external",),
            extra,
        )
    yield (
        "soft_through_external.h5",
        models.legacy(
            replace={"fc1/kernel": soft("/door/kernel")},
            links={"door": external(SECRET_FILE, "/")},
        ),
        "fc1's kernel is a soft link whose path passes through an external link",
        (),
        (),
    )
    malformed = (64, b"\x07" + b"no terminator")
    yield (
        "external_malformed.h5",
        models.legacy(replace={"fc1/kernel": malformed}),
        "an external link of an unknown version without terminators",
        (),
        (),
    )
    for kind in (65, 187, 255):
        yield (
            f"user_defined_{kind}.h5",
            models.legacy(replace={"fc1/kernel": user(kind, f"{SECRET_FILE}\0/kernel\0")}),
            f"fc1's kernel is a user-defined link of class {kind}, which no library knows",
            (),
            (),
        )
    yield (
        "reserved_class_9.h5",
        models.legacy(replace={"fc1/kernel": user(9, "x")}),
        "fc1's kernel is a link of a reserved class",
        (),
        (),
    )


def groups():
    """Whole parts of a model that lie elsewhere."""
    stem = external(SECRET_FILE, "/model_weights")
    config = {"model_config": models.text(models.sequential())}
    yield (
        "external_model_weights.h5",
        hdf5.file(group({"model_weights": stem}, config)),
        "the group model_weights is an external link",
    )
    layer = external(SECRET_FILE, "/model_weights/fc1")
    yield (
        "external_layer.h5",
        models.legacy(groups={**models.legacy_layers(), "fc1": layer}),
        "the group of one layer is an external link",
    )
    yield (
        "external_gradients.h5",
        hdf5.file(group({"gradients": external(SECRET_FILE, "/gradients")}, config)),
        "the group gradients is an external link",
    )
    yield (
        "external_layers.weights.h5",
        hdf5.file(group({"layers": external(SECRET_FILE, "/layers")})),
        "the group layers of a weights file is an external link",
    )
    yield (
        "external_parameters.h5",
        hdf5.file(
            group(
                {"parameters": external(SECRET_FILE, "/parameters")},
                {"leakaudit_layout": np.int64(1), "architecture": config["model_config"]},
            )
        ),
        "parameters of the project's own layout are an external link",
    )
    yield (
        "external_root_members.h5",
        hdf5.file(group([(f"layer{i}.weight", external(SECRET_FILE, "/kernel")) for i in range(64)])),
        "a state_dict dump of nothing but external links",
    )


def storage():
    """Datasets of this file whose bytes lie in others."""
    for name, path, offset, why in (
        ("hostname", "/etc/hostname", 0, "/etc/hostname"),
        ("device", "/dev/zero", 0, "a device that never ends"),
        ("sibling", SECRET_FILE, 48, "the bytes of the file beside it"),
        ("dotdot", HERE, 48, "a file by a path with .."),
        ("self", "links_storage_self.h5", 0, "its own raw bytes"),
    ):
        def kernel(group, key, path=path, offset=offset):
            group.create_dataset(key, (4, 3), "<f4", external=[(path, offset, 48)])

        yield (
            f"storage_{name}.h5",
            models.with_kernel(kernel),
            f"the values of fc1's kernel are external storage in {why}",
        )

    def slots(group, key):
        pieces = [(SECRET_FILE, 2 * index, 2) for index in range(24)]
        group.create_dataset(key, (4, 3), "<f4", external=pieces)

    yield (
        "storage_slots.h5",
        models.with_kernel(slots),
        "the values of fc1's kernel are gathered from 24 pieces of another file",
    )


def virtual():
    def mapped(path, inside="/kernel"):
        def kernel(group, key):
            plan = h5py.VirtualLayout((4, 3), "<f4")
            plan[:] = h5py.VirtualSource(path, inside, (4, 3))
            group.create_virtual_dataset(key, plan, fillvalue=0)

        return kernel

    for name, path, inside, why in (
        ("sibling", SECRET_FILE, "/kernel", "maps the file beside it"),
        ("dotdot", HERE, "/kernel", "maps a file by a path with .."),
        ("passwd", "/etc/passwd", "/kernel", "maps /etc/passwd"),
        ("self", ".", "/model_weights/fc1/fc1/kernel:0", "maps itself: endless recursion"),
    ):
        yield (
            f"virtual_{name}.h5",
            models.with_kernel(mapped(path, inside)),
            f"fc1's kernel is a virtual dataset that {why}",
        )

    def printf(group, key):
        plist = h5p.create(h5p.DATASET_CREATE)
        whole = h5s.create_simple((4, 3), (h5s.UNLIMITED, 3))
        whole.select_hyperslab((0, 0), (h5s.UNLIMITED, 1), (1, 3), (1, 3))
        part = h5s.create_simple((1, 3))
        plist.set_virtual(whole, b"secret_marker_%b.h5", b"/kernel%b", part)
        h5d.create(group.id, key.encode(), h5t.IEEE_F32LE, whole, plist)

    yield (
        "virtual_printf.h5",
        models.with_kernel(printf),
        "fc1's kernel is a virtual dataset whose source names are a printf pattern, the first of which exists",
    )

    def many(group, key):
        plan = h5py.VirtualLayout((4, 3), "<f4")
        for row in range(4):
            for column in range(3):
                source = h5py.VirtualSource(f"../files/../files/{SECRET_FILE}", "/kernel", (4, 3))
                plan[row, column] = source[row, column]
        group.create_virtual_dataset(key, plan, fillvalue=0)

    yield (
        "virtual_pieces.h5",
        models.with_kernel(many),
        "fc1's kernel is a virtual dataset of twelve pieces of another file",
    )


def pointers():
    def reference(file):
        models.fill_legacy(file)
        file.attrs["next"] = file["model_weights"].ref
        file.create_dataset("region", data=file[KERNEL].regionref[0:2, 0:2], dtype=h5py.regionref_dtype)
        file.create_dataset("objects", data=np.array([file.ref] * 8, dtype=h5py.ref_dtype))

    yield (
        "references.h5",
        models.library(reference),
        "object and region references beside a sound model",
        ODD,
    )

    def kernel(group, key):
        group.create_dataset(key, data=np.array([group.ref] * 12).reshape(4, 3), dtype=h5py.ref_dtype)

    yield (
        "reference_weights.h5",
        models.with_kernel(kernel),
        "fc1's kernel holds object references instead of numbers",
        PARTIAL,
    )
    data = models.with_kernel(kernel)
    with models.opened(data) as file:
        start = file[KERNEL].id.get_offset()
    yield (
        "reference_dangling.h5",
        data[:start] + b"\xfe" * 96 + data[start + 96 :],
        "fc1's kernel holds references to addresses beyond the file",
        PARTIAL,
    )


def inside_weights():
    """Weights files for an archive, which have no folder of their own."""
    yield "external_kernel", models.weights_only({"fc1/kernel": external(SECRET_FILE, "/kernel")})
    there = external(f"Tests/Fixtures/hostile/files/{SECRET_FILE}", "/kernel")
    yield "external_from_root", models.weights_only({"fc1/kernel": there})


KERNEL = "model_weights/fc1/fc1/kernel:0"


def cases():
    for name, data, why, must, extra in kernels():
        yield Case(f"links_{name}", data, why, PARTIAL, must, (SECRET, *extra))
    for name, data, why in groups():
        yield Case(f"links_{name}", data, why, NOT_SAFE, ("external",), (SECRET,))
    for name, data, why in [*storage(), *virtual()]:
        extra = PASSWD if "passwd" in name else ()
        must = ("external",) if "storage" in name else ("virtual",)
        yield Case(f"links_{name}", data, why, PARTIAL, must, (SECRET, *extra))
    for name, data, why, exit in pointers():
        yield Case(f"links_{name}", data, why, exit)
