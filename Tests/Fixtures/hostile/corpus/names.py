"""Names and texts that attack whoever prints, parses or opens them."""

import json

import numpy as np

from . import hdf5, models
from .case import ODD, PARTIAL, SECRET, SECRET_FILE, Case
from .hdf5 import array, group
from .models import WEIGHTS, dense, input_layer, sequential

ESCAPE = "\x1b"
NAMES = {
    # Label: name, what it attacks, what no report may contain, what no Markdown or HTML may contain.
    "ansi": ("\x1b[2J\x1b[31mfc1\x1b]0;owned\x07", "a terminal by escape sequences", (ESCAPE, "\x07"), ()),
    "c1_control": ("fc1\x9b31m\x85\x90", "a terminal by one-byte control characters", ("\x9b", "\x85"), ()),
    "bidi": ("fc1\u202e5h.live\u2066", "a reader by reversed text", ("\u202e", "\u2066"), ()),
    "invisible": ("fc\u200b1\u2060\ufeff", "a reader by invisible characters", (), ()),
    "line_break": ("fc1\nINFO all layers are safe", "a reader by a forged line", ("\ninfo all layers",), ()),
    "carriage_return": ("fc1 leaks\rfc1 is safe ", "a terminal by overwriting a line", ("\rfc1 is safe",), ()),
    "line_separator": ("fc1\u2028forged\u2029", "a reader by Unicode line ends", ("\u2028forged",), ()),
    "workflow": ("fc1\n::error file=a.py,line=1::owned\n::set-output name=a::b",
                 "a build server by workflow commands", ("\n::error", "\n::set-output"), ()),
    "html": ("<img src=x onerror=alert(1)><script>alert(1)</script>", "a browser by markup", (),
             ("<script>alert(1)", "<img src=x")),
    "markdown": ("[fc1](javascript:alert(1)) ![x](http://example.invalid/x.png) **safe**",
                 "a Markdown viewer by links and pictures", (), ("[fc1](javascript:", "![x](http")),
    "table": ("fc1 | none | safe |", "a Markdown table by pipes", (), ("fc1 | none | safe |",)),
    "backticks": ("``` `fc1` ```", "a Markdown code span by backticks", (), ("``` `fc1` ```",)),
    "shell": ("$(touch owned);`id`;fc1 && rm -rf x", "a shell that meets it unquoted", (), ()),
    "formula": ("=HYPERLINK(\"http://example.invalid\")", "a spreadsheet by a formula", (), ()),
    "format": ("%s%n%@%1$9999999d fc1", "a formatter by conversion specifications", (), ()),
    "json": ('fc1", "severity": "none', "a JSON report by quotes", (), ()),
    "surrogate": (b"fc1\xed\xa0\x80", "a decoder by a lone surrogate in UTF-8", (), ()),
    "invalid_utf8": (b"fc1\xff\xfe\xc0\xaf", "a decoder by invalid UTF-8", (), ()),
    "overlong": (b"fc1\xc0\xae\xc0\xae", "a decoder by overlong UTF-8", (), ()),
    "combining": ("fc1" + "\u0301" * 1000, "a renderer by 1,000 combining marks", (), ()),
    "long_3k": ("fc1" + "A" * 3000, "a table by 3,000 letters", (), ()),
    "empty": ("", "a path join by an empty name", (), ()),
    "dot": (".", "a path join by the name of the group itself", (), ()),
    "dotdot": ("..", "a path join by a parent", (), ()),
    "traversal": ("../../../../etc/passwd", "an output file by a path that leaves its folder",
                  ("root:x:0",), ()),
    "absolute": ("/etc/passwd", "an output file by an absolute path", ("root:x:0",), ()),
    "backslash": ("..\\..\\fc1", "a path by backslashes", (), ()),
    "reserved": ("CON", "a file system by a reserved name", (), ()),
}


def config_text(name):
    """A configuration with the name's own bytes in it, escaped only where JSON cannot do without."""
    config = models.text(sequential([input_layer(), dense("NAME", 3), dense("out", 2)]))
    if isinstance(name, bytes):
        return config.encode().replace(b"NAME", name)
    return config.replace('"NAME"', json.dumps(name, ensure_ascii=False))


def everywhere(name):
    """A model whose first layer has the name in its configuration, group, dataset and attributes.

    A name that is a path becomes groups in groups, as Keras would write it.
    """
    key = hdf5.raw(name)
    values = {part: array(value) for part, value in WEIGHTS["fc1"].items()}
    inner = group({f"{part}:0": value for part, value in values.items()})
    listed = np.array([key + b"/kernel:0", key + b"/bias:0"])
    layer = group({key.strip(b"/") or b"x": inner}, {"weight_names": listed})
    names = [key or b"x", b"out"]
    return models.legacy(
        config_text(name),
        groups={names[0]: layer, "out": models.legacy_layers()["out"]},
        attributes={"keras_version": key or b"x"},
    )


def elsewhere():
    html = "<script>alert(1)</script>"
    yield (
        "model_name.h5",
        models.legacy(sequential(name=f"{ESCAPE}[31m{html}\n::error::owned")),
        "the model's own name carries escapes, markup and a workflow command",
        ODD, (ESCAPE, "\n::error"), ("<script>alert(1)",),
    )
    kind = models.layer(f"Dense{ESCAPE}[1m{html}", "fc1", units=3)
    yield (
        "class_name.h5",
        models.legacy(sequential([input_layer(), kind, dense("out", 2)])),
        "a layer's class name carries escapes and markup",
        PARTIAL, (ESCAPE,), ("<script>alert(1)",),
    )
    odd = dense("fc1", 3, **{f"{ESCAPE}[5m": 1}) | {"registered_name": html}
    odd["config"]["activation"] = f"relu{ESCAPE}[1m{html}\n::error::owned"
    yield (
        "activation.h5",
        models.legacy(sequential([input_layer(), odd, dense("out", 2)])),
        "an activation's name carries escapes, markup and a workflow command",
        PARTIAL, (ESCAPE, "\n::error"), ("<script>alert(1)",),
    )
    yield (
        "versions.h5",
        models.legacy(attributes={
            "keras_version": f"9.9.9{ESCAPE}[31m{html}",
            "backend": f"\n::error::owned{ESCAPE}",
            "training_config": '{"loss": "\\u001b[31m\\n::error::owned", "optimizer_config": '
                               '{"class_name": "\\u001b[0m' + html + '", "config": {}}}',
        }),
        "version, backend, loss and optimiser carry escapes, markup and workflow commands",
        ODD, (ESCAPE, "\n::error"), ("<script>alert(1)",),
    )
    yield (
        "zero_byte.h5",
        models.legacy(
            models.text(sequential([input_layer(), dense("fc1\x00hidden", 3), dense("out", 2)]))
        ),
        "a layer name in the configuration has a zero character, at which C ends it",
        ODD, ("\x00",), (),
    )
    yield (
        "extra_groups.h5",
        models.legacy(links={
            f"{ESCAPE}[31m": group(), b"\xff\xfe": group(), "\n::error::owned": group(),
            html: group(), " ": group(), "\u202e": group(),
        }),
        "groups that no attribute mentions have hostile names beside a sound model",
        ODD, (ESCAPE, "\n::error", "\u202e"), ("<script>alert(1)",),
    )
    long = "L" * 60000
    yield (
        "link_60k.h5",
        models.legacy(links={long: group()}),
        "a group's name has 60,000 letters beside a sound model",
        ODD, (), (),
    )
    yield (
        "config_name_20k.h5",
        models.legacy(sequential(name="N" * 20000)),
        "the model's name has 20,000 letters",
        ODD, (), (),
    )
    yield (
        "paths_20k.h5",
        models.state_dict(extra=[("a." * 10000 + "weight", array(WEIGHTS["fc1"]["kernel"]))]),
        "a PyTorch parameter has a name of 10,000 dotted parts",
        ODD, (), (),
    )
    yield (
        "same_twice.h5",
        twice(),
        "two links of one group have the same name: which one is meant is undefined",
        ODD, (), (),
    )
    yield (
        "normalisation.h5",
        models.legacy(
            sequential([input_layer(), dense("caf\u00e9", 3), dense("cafe\u0301", 3),
                        dense("out", 2)]),
            weights={"caf\u00e9": WEIGHTS["fc1"],
                     "cafe\u0301": {"kernel": np.eye(3, dtype="<f4"), "bias": WEIGHTS["fc1"]["bias"]},
                     "out": WEIGHTS["out"]},
        ),
        "two layer names differ only in their Unicode normalisation",
        ODD, (), (),
    )


def twice():
    layers = models.legacy_layers()
    stem = group([("fc1", layers["fc1"]), ("fc1", layers["out"]), ("out", layers["out"])],
                 {"layer_names": np.array([b"fc1", b"out"])})
    return hdf5.file(group({"model_weights": stem}, {"model_config": models.text(sequential())}))


def listings():
    """`layer_names` and `weight_names` that lead elsewhere."""
    def with_names(names, layers=np.array([b"fc1", b"out"])):
        parts = {f"{part}:0": array(value) for part, value in WEIGHTS["fc1"].items()}
        first = group({"fc1": group(parts)}, {"weight_names": np.array(names)})
        stem = group({"fc1": first, "out": models.legacy_layers()["out"]}, {"layer_names": layers})
        return hdf5.file(
            group({"model_weights": stem}, {"model_config": models.text(sequential())})
        )

    sound = [b"fc1/kernel:0", b"fc1/bias:0"]
    for label, names, what in (
        ("missing", [b"fc1/kernel:0", b"fc1/nothing:0"], "a dataset that is not there"),
        ("group", [b"fc1", b"fc1"], "a group instead of a dataset"),
        ("dotdot", [b"../out/out/kernel:0", b"fc1/bias:0"], "a path with .."),
        ("absolute", [b"/model_weights/out/out/kernel:0", b"fc1/bias:0"], "an absolute path"),
        ("file_path", [SECRET_FILE.encode(), b"/etc/passwd"], "files"),
        ("empty_text", [b"", b""], "empty texts"),
        ("twice", sound * 2, "every weight twice"),
        ("too_many", [b"fc1/kernel:0"] * 1000, "one weight 1,000 times"),
        ("numbers", np.arange(2.0), "numbers instead of texts"),
        ("control", [b"fc1/kernel:0", b"fc1/\x1b[31m\n::error::owned"], "control characters"),
        ("table", np.array([[name] * 4 for name in sound]), "a table instead of a list"),
    ):
        yield f"weight_names_{label}.h5", with_names(names), f"weight_names lists {what}"
    for label, layers, what in (
        ("missing", np.array([b"fc1", b"ghost", b"out"]), "a group that is not there"),
        ("numbers", np.arange(3), "numbers instead of texts"),
        ("scalar", np.array(b"fc1"), "one text instead of a list"),
        ("empty", np.zeros((0,), "<f8"), "nothing although there are layers"),
        ("dotdot", np.array([b"../model_weights/fc1", b"out"]), "a path with .."),
        ("too_many", np.array([b"fc1"] * 4000), "one layer 4,000 times"),
        ("terabyte", (hdf5.text_type(8), hdf5.space((1 << 37,)), b"fc1\0\0\0\0\0"), "a terabyte of names"),
    ):
        yield f"layer_names_{label}.h5", with_names(sound, layers), f"layer_names lists {what}"
    stem = group(models.legacy_layers(), {
        f"layer_names{index}": np.array([b"fc1"] if index else [b"out"]) for index in range(300)
    })
    yield (
        "layer_names_split.h5",
        hdf5.file(group({"model_weights": stem}, {"model_config": models.text(sequential())})),
        "layer_names is split into 300 attributes that repeat one name",
    )


def cases():
    for label, (name, what, forbidden, markup) in NAMES.items():
        yield Case(
            f"names_{label}.h5", everywhere(name),
            f"a layer's name, in the configuration, groups and attributes, attacks {what}",
            ODD, (), forbidden, markup,
        )
    for file, data, why, exit, forbidden, markup in elsewhere():
        yield Case(f"names_{file}", data, why, exit, (), forbidden, markup)
    for file, data, why in listings():
        yield Case(f"names_{file}", data, why, PARTIAL, (), (SECRET, ESCAPE, "\n::error"))
