"""Tests of the exporter and of every code block in Documentation/Exporting.md.

    python3 -m unittest discover -s Exporters/tests -v

REQUIRE_TORCH=1   fails instead of skipping where PyTorch is missing.
LEAKAUDIT=PATH    also audits what was written and compares recoveries with the truth.
"""

import importlib.util
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import warnings

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "Documentation" / "Exporting.md"
sys.path.insert(0, str(ROOT / "Exporters"))

HAS_TORCH = importlib.util.find_spec("torch") is not None
REQUIRE_TORCH = os.environ.get("REQUIRE_TORCH") == "1"
if HAS_TORCH or REQUIRE_TORCH:
    import torch
    import torch.nn.functional as F
    from torch import nn

    import leakaudit_torch
    from leakaudit_torch import ExportError, export

    torch.set_num_threads(1)

SKIPPED = []


# The layout

KINDS = {
    "dense": {"outputs", "bias"}, "activation": {"function"}, "flatten": set(),
    "reshape": {"target"}, "dropout": {"rate"}, "rescaling": {"scale", "offset"},
    "batch-normalization": {"epsilon"}, "normalization": {"class_name"},
    "convolution": {"variant", "filters", "kernel", "stride", "dilation", "padding", "groups",
                    "bias"},
    "pooling": {"statistic", "window", "stride", "padding"}, "embedding": {"tokens", "width"},
    "recurrent": {"cell", "units", "returns_sequences"}, "attention": {"class_name"},
    "merge": {"operation"}, "resampling": {"class_name"}, "custom": {"class_name"},
}
FUNCTIONS = set(
    "linear relu relu6 sigmoid hard_sigmoid tanh softplus softsign selu silu exponential "
    "leaky_relu elu gelu softmax hard_silu mish log_softmax".split())


def datasets(group):
    found = {}
    group.visititems(lambda path, item: found.__setitem__(path, item[()])
                     if isinstance(item, h5py.Dataset) else None)
    return found


def check_layout(path):
    """Fails unless the file follows layout 1; returns (attributes, architecture, datasets)."""
    with h5py.File(path, "r") as file:
        attributes, found = dict(file.attrs), datasets(file)
    assert attributes["leakaudit_layout"] == 1, "leakaudit_layout is not 1"
    sections = {key.split("/")[0] for key in found}
    assert sections <= {"parameters", "gradients", "update", "truth"}, sections
    assert not {"gradients", "update"} <= sections, "two observations in one file"
    if sections - {"truth"}:
        assert attributes["convention"] in ("channels_first", "channels_last")
    assert attributes.get("reduction", "mean") in ("mean", "sum")
    assert attributes.get("loss", "mean-squared-error") in (
        "softmax-cross-entropy", "binary-cross-entropy", "mean-squared-error")
    for name in ("batch_size", "local_steps"):
        assert attributes.get(name, 1) == int(attributes.get(name, 1)) >= 1, name
    for key in found:
        if not key.startswith("truth/"):
            assert len(key.split("/")) >= 3, f"{key} is not section/layer/role"
    for section in ("gradients", "update"):
        for key, value in found.items():
            other = key.replace(section, "parameters", 1)
            if key.startswith(section + "/") and other in found:
                assert value.shape == found[other].shape, key
    architecture = None
    if "architecture" in attributes:
        architecture = json.loads(attributes["architecture"])
        check_architecture(architecture)
        layers = {layer["name"] for layer in architecture["layers"]}
        for key in found:
            if not key.startswith("truth/"):
                layer = key.split("/", 1)[1].rsplit("/", 1)[0]
                assert any(layer == known or layer.startswith(known + "/") for known in layers), (
                    f"{key} belongs to no layer of {sorted(layers)}")
    return attributes, architecture, found


def check_architecture(architecture):
    known = set()
    for entry in architecture["inputs"]:
        assert all(e is None or e > 0 for e in entry["shape"]), entry
        known.add(entry["name"])
    for layer in architecture["layers"]:
        kind = layer["kind"]
        assert kind in KINDS, f"kind {kind}"
        assert KINDS[kind] <= set(layer), f"{layer} lacks {KINDS[kind] - set(layer)}"
        assert not any(key.startswith("_") for key in layer), layer
        assert layer["inputs"] and set(layer["inputs"]) <= known, layer
        assert layer["name"] not in known, f"two layers called {layer['name']}"
        assert kind != "activation" or layer["function"] in FUNCTIONS, layer
        known.add(layer["name"])
    assert architecture["outputs"] and set(architecture["outputs"]) <= known


def audit(path, folder):
    """The report of the binary that LEAKAUDIT names, or None."""
    binary = os.environ.get("LEAKAUDIT")
    if not binary:
        return None
    report = os.path.join(folder, "report.json")
    subprocess.run([binary, "audit", path, "--format", f"json={report}", "--quiet", "--fail-on",
                    "none"], check=True, cwd=folder)
    with open(report, encoding="utf-8") as file:
        return json.load(file)


def proven_error(report):
    """The smallest mean squared error of a proven recovery of the model's input to the truth."""
    return min((error for recovery in report["recoveries"]
                if recovery["proven"] and recovery["isModelInput"] and recovery["quality"]
                for error in recovery["quality"]["meanSquaredError"] if error is not None),
               default=math.inf)


def row_ratio(weight_gradient, bias_gradient, convention):
    """The input of a dense layer from a batch of one: gradient of a row over that of its bias."""
    rows = weight_gradient if convention == "channels_first" else weight_gradient.T
    row = int(np.argmax(np.abs(bias_gradient)))
    return rows[row].astype(float) / float(bias_gradient[row])


def replay(architecture, found, inputs):
    """Runs a file's architecture on its parameters; None if a layer has no meaning in the file."""
    values = {entry["name"]: value for entry, value in zip(architecture["inputs"], inputs)}
    for layer in architecture["layers"]:
        prefix = f"parameters/{layer['name']}/"
        tensors = {key[len(prefix):]: torch.as_tensor(value) for key, value in found.items()
                   if key.startswith(prefix)}
        arguments = [values[name] for name in layer["inputs"]]
        result = replay_layer(layer, tensors, *arguments)
        if result is None:
            return None
        values[layer["name"]] = result
    return values[architecture["outputs"][0]]


def meaningless(layer):
    """Whether the replay cannot compute a layer: the file does not say what it does."""
    needed = {"attention": "heads", "normalization": "epsilon", "resampling": "operation"}
    if layer["kind"] in ("custom", "recurrent"):
        return True
    return layer["kind"] in needed and needed[layer["kind"]] not in layer


def replay_layer(layer, tensors, x, *others):
    kind = layer["kind"]
    if kind == "dense":
        return F.linear(x, tensors["weight"], tensors.get("bias"))
    if kind == "activation":
        return {
            "linear": lambda: x, "relu": lambda: F.relu(x), "relu6": lambda: F.relu6(x),
            "sigmoid": lambda: torch.sigmoid(x), "hard_sigmoid": lambda: F.hardsigmoid(x),
            "tanh": lambda: torch.tanh(x), "softplus": lambda: F.softplus(x),
            "softsign": lambda: F.softsign(x), "selu": lambda: F.selu(x),
            "hard_silu": lambda: F.hardswish(x), "mish": lambda: F.mish(x),
            "silu": lambda: F.silu(x), "exponential": lambda: torch.exp(x),
            "leaky_relu": lambda: F.leaky_relu(x, layer["slope"]),
            "elu": lambda: F.elu(x, layer["alpha"]),
            "gelu": lambda: F.gelu(
                x, approximate="tanh" if layer["approximate"] else "none"),
            "softmax": lambda: F.softmax(x, -1)}[layer["function"]]()
    if kind == "flatten":
        return x.flatten(1)
    if kind == "reshape":
        return x.reshape([len(x)] + layer["target"])
    if kind == "dropout":
        return x
    if kind == "rescaling":
        return x * layer["scale"] + layer["offset"]
    if kind == "batch-normalization":
        return F.batch_norm(x, tensors["running_mean"], tensors["running_variance"],
                            tensors.get("scale"), tensors.get("shift"), eps=layer["epsilon"])
    if kind == "embedding":
        return F.embedding(x, tensors["embeddings"])
    if kind == "merge" and layer["operation"] in ("Add", "Multiply", "Subtract"):
        y, = others
        return {"Add": x + y, "Multiply": x * y, "Subtract": x - y}[layer["operation"]]
    if kind == "merge" and layer["operation"] == "Concatenate":
        return torch.cat([x, *others], layer["axis"] + 1)
    if kind == "normalization" and "axes" in layer:
        shape = x.shape[layer["axes"][0]:]
        if layer["class_name"] == "RMSNorm":
            return F.rms_norm(x, shape, tensors.get("scale"), layer["epsilon"])
        return F.layer_norm(
            x, shape, tensors.get("scale"), tensors.get("shift"), layer["epsilon"])
    if kind == "normalization" and "groups" in layer:
        return F.group_norm(
            x, layer["groups"], tensors.get("scale"), tensors.get("shift"), layer["epsilon"])
    if kind == "attention" and "heads" in layer:
        y, z = (*others, *others, x, x)[:2] if len(others) != 2 else others
        return F.multi_head_attention_forward(
            x.transpose(0, 1), y.transpose(0, 1), z.transpose(0, 1), layer["outputs"],
            layer["heads"], tensors["in_proj_weight"], tensors.get("in_proj_bias"), None, None,
            False, 0.0, tensors["out_proj_weight"], tensors.get("out_proj_bias"),
            need_weights=False)[0].transpose(0, 1)
    if kind == "resampling" and layer.get("operation") == "permute":
        return x.permute([0] + [axis + 1 for axis in layer["order"]])
    if kind == "resampling" and layer.get("operation") in ("pad", "crop"):
        sign = 1 if layer["operation"] == "pad" else -1
        return F.pad(x, [sign * end for pair in layer["amounts"][::-1] for end in pair])
    if kind == "resampling" and layer.get("operation") == "upsample":
        linear = {3: "linear", 4: "bilinear", 5: "trilinear"}[x.dim()]
        nearest = layer["interpolation"] == "nearest"
        return F.interpolate(
            x, scale_factor=layer["factors"], mode="nearest" if nearest else linear,
            align_corners=None if nearest else layer["align_corners"])
    if kind == "pooling" and "output_extents" in layer:
        axes = len(layer["output_extents"])
        name = "avg" if layer["statistic"] == "average" else "max"
        return getattr(F, f"adaptive_{name}_pool{axes}d")(x, layer["output_extents"])
    if kind == "pooling":
        pool = layer["statistic"][:3]
        if not layer["window"]:
            flat = x.flatten(2)
            return flat.mean(2) if pool == "ave" else flat.amax(2)
        name = ("avg" if pool == "ave" else "max") + f"_pool{len(layer['window'])}d"
        padding = 0 if layer["padding"] == "valid" else tuple(layer["padding"])
        options = {"ceil_mode": layer.get("ceil_mode", False)}
        if pool == "ave":
            options["count_include_pad"] = layer.get("counts_padding", True)
        elif "dilation" in layer:
            options["dilation"] = tuple(layer["dilation"])
        return getattr(F, name)(
            x, tuple(layer["window"]), tuple(layer["stride"]), padding, **options)
    if kind == "convolution":
        axes, groups, weight = len(layer["kernel"]), layer["groups"], tensors["weight"]
        padding = 0 if layer["padding"] == "valid" else layer["padding"]
        if layer["variant"] == "plain":
            return getattr(F, f"conv{axes}d")(
                x, weight, tensors.get("bias"), layer["stride"], padding, layer["dilation"],
                groups)
        return getattr(F, f"conv_transpose{axes}d")(
            x, weight, tensors.get("bias"), layer["stride"], padding, layer["output_padding"],
            groups, layer["dilation"])
    return None


# The documentation


def blocks():
    """The Python blocks of the document by the heading above each."""
    text = DOCUMENT.read_text(encoding="utf-8")
    found, heading = [], ""
    for match in re.finditer(r"^(#+ [^\n]*)$|^```python\n(.*?)^```$", text, re.M | re.S):
        if match.group(1):
            heading = match.group(1).lstrip("# ")
        else:
            line = text[:match.start()].count("\n") + 2
            found.append((heading, line, match.group(2)))
    return found


def missing_modules(code):
    names = re.findall(r"^\s*(?:import|from) (\w+)", code, re.M)
    return sorted({name for name in names if name != "leakaudit_torch"
                   and importlib.util.find_spec(name) is None})


class DocumentTest(unittest.TestCase):
    def test_every_block_writes_a_file_that_follows_the_layout(self):
        found = blocks()
        self.assertGreaterEqual(len(found), 6, "the document lost its examples")
        for heading, line, code in found:
            with self.subTest(heading=heading, line=line):
                missing = missing_modules(code)
                if "torch" in missing and REQUIRE_TORCH:
                    self.fail("REQUIRE_TORCH=1, but torch cannot be imported")
                if missing:
                    SKIPPED.append(
                        f"{DOCUMENT.name}:{line} ({heading}): no {', '.join(missing)}")
                    self.skipTest(SKIPPED[-1])
                self.run_block(code, f"{DOCUMENT}:{line}")

    def run_block(self, code, label):
        with tempfile.TemporaryDirectory() as folder:
            script = os.path.join(folder, "block.py")
            pathlib.Path(script).write_text(code, encoding="utf-8")
            environment = dict(
                os.environ, PYTHONPATH=os.pathsep.join(
                    [str(ROOT / "Exporters"), os.environ.get("PYTHONPATH", "")]),
                KERAS_BACKEND=os.environ.get("KERAS_BACKEND", "tensorflow"),
                CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3", JAX_PLATFORMS="cpu")
            run = subprocess.run([sys.executable, script], cwd=folder, env=environment,
                                 capture_output=True, text=True)
            self.assertEqual(run.returncode, 0, f"{label}\n{run.stderr[-3000:]}")
            written = sorted(p for p in os.listdir(folder) if p.endswith(".h5"))
            self.assertTrue(written, f"{label} wrote no .h5 file")
            layouts = 0
            for name in written:
                path = os.path.join(folder, name)
                with h5py.File(path, "r") as file:
                    is_layout = "leakaudit_layout" in file.attrs
                    names_of_layers = list(file.get("gradients", ()))
                if is_layout:
                    layouts += 1
                    self.check_layout_file(path, folder)
                elif names_of_layers:
                    self.check_keras_gradient(path)
            # A plain state dict or a Keras gradient is a format of its own.
            self.assertTrue(layouts or "# other layout" in code, f"{label} wrote no layout file")

    def check_layout_file(self, path, folder):
        attributes, architecture, found = check_layout(path)
        self.assertIsNotNone(architecture, "an example should state its architecture")
        truth = found.get("truth/inputs")
        if truth is None or attributes.get("batch_size") != 1:
            return
        expected = truth[0].ravel().astype(float)
        # The example itself must leak what it claims: no audit without a finding to make.
        section = "update" if any(k.startswith("update/") for k in found) else "gradients"
        dense = next(layer["name"] for layer in architecture["layers"]
                     if layer["kind"] == "dense")
        ratio = row_ratio(found[f"{section}/{dense}/weight"], found[f"{section}/{dense}/bias"],
                          attributes["convention"])
        self.assertLess(np.abs(ratio - expected).max(), 1e-2)
        report = audit(path, folder)
        if report is not None:
            # A weight difference of float32 numbers keeps 2 to 3 digits of a small update.
            self.assertLess(proven_error(report), 1e-4 if section == "update" else 1e-6)

    def check_keras_gradient(self, path):
        with h5py.File(path, "r") as file:
            self.assertIn("model_config", file.attrs)
            json.loads(file.attrs["model_config"])
            for key in datasets(file["gradients"]):
                self.assertGreaterEqual(key.count("/"), 1, key)


# The exporter


class Exporting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not HAS_TORCH and not REQUIRE_TORCH:
            SKIPPED.append(f"{cls.__name__}: no torch")
            raise unittest.SkipTest("torch is not installed")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(folder.name, "file.h5")
        torch.manual_seed(7)

    def exported(self, model, inputs, labels=None, computes_the_same=True, **options):
        """Takes a gradient where labels are given, exports and checks; no warning may pass.

        Where every layer has a meaning in the file, the file must compute what the model does.
        """
        if labels is not None:
            arguments = inputs if isinstance(inputs, tuple) else (inputs,)
            F.cross_entropy(model(*arguments), labels).backward()
        else:
            options.setdefault("after_backward", False)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            export(self.path, model, inputs, **options)
        attributes, architecture, found = check_layout(self.path)
        for key in model.state_dict():
            self.assertIn(model.state_dict()[key].numel(),
                          [value.size for name, value in found.items()
                           if name.startswith("parameters/")], key)
        self.assertEqual(sum(key.startswith("parameters/") for key in found),
                         len(model.state_dict()), "a parameter is missing")
        if computes_the_same and not isinstance(inputs, dict):
            arguments = inputs if isinstance(inputs, tuple) else (inputs,)
            mode = model.training
            with torch.no_grad():
                expected, computed = model.eval()(*arguments), replay(
                    architecture, found, arguments)
            model.train(mode)
            self.assertEqual(computed is None, any(map(meaningless, architecture["layers"])))
            if computed is not None:
                torch.testing.assert_close(computed, expected)
        return attributes, architecture, found

    def kinds(self, architecture):
        return [layer["kind"] for layer in architecture["layers"]]

    def layer(self, architecture, name):
        return next(layer for layer in architecture["layers"] if layer["name"] == name)


def mlp(inputs=12, hidden=8, classes=3):
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, hidden), nn.ReLU(),
                         nn.Linear(hidden, classes))


class NetworkTest(Exporting):
    def test_a_multilayer_perceptron_leaks_its_input_in_the_file(self):
        x = torch.rand(1, 3, 4)
        attributes, architecture, found = self.exported(
            mlp(), x, torch.tensor([1]), truth=(x, torch.tensor([1])))
        self.assertEqual(self.kinds(architecture), ["flatten", "dense", "activation", "dense"])
        self.assertEqual(architecture["inputs"], [{"name": "input", "shape": [3, 4]}])
        self.assertEqual(architecture["outputs"], ["3"])
        self.assertEqual(attributes["convention"], "channels_first")
        self.assertEqual(attributes["batch_size"], 1)
        self.assertEqual(attributes["training_mode"], 1)
        ratio = row_ratio(found["gradients/1/weight"], found["gradients/1/bias"],
                          "channels_first")
        np.testing.assert_allclose(ratio, found["truth/inputs"].ravel(), atol=1e-5)
        report = audit(self.path, self.folder)
        if report is not None:
            self.assertLess(proven_error(report), 1e-6)

    def test_convolutions_normalisation_groups_and_adaptive_pooling(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
                self.bn1 = nn.BatchNorm2d(8)
                self.conv2 = nn.Conv2d(8, 16, 3, groups=2, stride=2, dilation=2)
                self.depthwise = nn.Conv2d(16, 16, 3, groups=16, padding="same")
                self.norm = nn.GroupNorm(4, 16)
                self.up = nn.ConvTranspose2d(16, 6, 2, stride=2, groups=2)
                self.pool = nn.AdaptiveAvgPool2d(2)
                self.head = nn.Linear(24, 5)

            def forward(self, x):
                x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
                x = self.norm(self.depthwise(torch.relu(self.conv2(x))))
                return self.head(self.pool(self.up(x)).flatten(1))

        model = Net()
        _, architecture, found = self.exported(
            model, torch.rand(4, 3, 16, 16), torch.tensor([0, 1, 2, 3]), batch_size=4)
        self.assertEqual(
            self.kinds(architecture),
            ["convolution", "batch-normalization", "activation", "pooling", "convolution",
             "activation", "convolution", "normalization", "convolution", "pooling", "flatten",
             "dense"])
        self.assertEqual(self.layer(architecture, "conv1")["padding"], [1, 1])
        self.assertEqual(self.layer(architecture, "conv2")["groups"], 2)
        self.assertEqual(self.layer(architecture, "depthwise")["padding"], "same")
        self.assertEqual(self.layer(architecture, "up")["variant"], "transposed")
        self.assertEqual(self.layer(architecture, "up")["filters"], 6)
        self.assertEqual(self.layer(architecture, "pool")["window"], [2, 2])
        self.assertEqual(self.layer(architecture, "bn1")["axis"], 0)
        for role in ("scale", "shift", "running_mean", "running_variance"):
            self.assertIn(f"parameters/bn1/{role}", found)
        self.assertNotIn("gradients/bn1/running_mean", found)
        self.assertTrue(self.layer(architecture, "up")["swapped_kernel"])
        np.testing.assert_array_equal(found["parameters/up/weight"], model.up.weight.detach())

    def test_convolutions_in_one_and_three_dimensions(self):
        line = nn.Sequential(nn.Conv1d(2, 4, 3), nn.ELU(0.5), nn.AvgPool1d(2), nn.Flatten(),
                             nn.Linear(12, 2))
        _, architecture, _ = self.exported(line, torch.rand(1, 2, 8))
        self.assertEqual(self.layer(architecture, "0")["kernel"], [3])
        self.assertEqual(self.layer(architecture, "1")["alpha"], 0.5)
        solid = nn.Sequential(nn.Conv3d(1, 2, 2), nn.MaxPool3d(3), nn.Flatten(), nn.Linear(2, 2))
        _, architecture, _ = self.exported(solid, torch.rand(1, 1, 4, 4, 4))
        self.assertEqual(self.layer(architecture, "1")["window"], [3, 3, 3])

    def test_transposed_and_strided_convolutions_compute_the_same(self):
        model = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=(1, 2), dilation=(1, 2)), nn.BatchNorm2d(8),
            nn.GELU(approximate="tanh"),
            nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, groups=2, dilation=2),
            nn.LeakyReLU(0.1), nn.Conv2d(6, 12, 3, padding="same", groups=6), nn.AvgPool2d(2),
            nn.ConvTranspose2d(12, 2, 2, bias=False), nn.Flatten(), nn.Linear(72, 3))
        x = torch.rand(2, 3, 9, 9)
        _, architecture, found = self.exported(model, x, torch.tensor([0, 1]), batch_size=2)
        self.assertEqual(self.layer(architecture, "3")["padding"], [1, 1])
        self.assertEqual(found["gradients/3/weight"].shape, found["parameters/3/weight"].shape)

    def test_shapes_taken_from_the_input_and_parameters_of_the_root(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.rand(4))
                self.register_buffer("offset", torch.rand(4, 1, 1))
                self.conv = nn.Conv2d(4, 2, 1)
                self.out = nn.Linear(8, 2)

            def forward(self, x):
                b, c, h, w = x.shape
                x = (x - self.offset) * self.scale.view(1, -1, 1, 1)
                x = self.conv(x).reshape(b, 2, h * w).permute(0, 2, 1).contiguous()
                return self.out(x.view(b, -1))

        _, architecture, found = self.exported(Net(), torch.rand(2, 4, 2, 2),
                                               torch.tensor([0, 1]))
        self.assertEqual([layer.get("class_name", layer["kind"])
                          for layer in architecture["layers"]],
                         ["sub", "mul", "convolution", "reshape", "Permute", "flatten", "dense"])
        self.assertIn("gradients/mul/scale", found)
        self.assertIn("parameters/sub/offset", found)

    def test_functional_and_method_activations(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(6, 6)
                self.shared_relu = nn.ReLU()

            def forward(self, x):
                x = x.view(x.size(0), -1)
                x = self.shared_relu(self.fc(x))
                x = self.shared_relu(F.relu(x, inplace=True)).tanh().sigmoid()
                x = F.gelu(F.leaky_relu(F.elu(torch.tanh(x), 0.7), 0.3))
                x = F.silu(F.softplus(F.hardsigmoid(F.selu(x).relu_())))
                x = F.dropout(x, 0.25, self.training)
                return F.softmax(2 * x / 4 - 0.5, dim=1)

        _, architecture, _ = self.exported(Net(), torch.rand(2, 2, 3), loss=None)
        functions = [layer.get("function", layer["kind"]) for layer in architecture["layers"]]
        self.assertEqual(functions, [
            "flatten", "dense", "relu", "relu", "relu", "tanh", "sigmoid", "tanh", "elu",
            "leaky_relu", "gelu", "selu", "relu", "hard_sigmoid", "softplus", "silu", "dropout",
            "rescaling", "rescaling", "rescaling", "softmax"])
        scales = [(layer["scale"], layer["offset"]) for layer in architecture["layers"]
                  if layer["kind"] == "rescaling"]
        self.assertEqual(scales, [(2.0, 0.0), (0.25, 0.0), (1.0, -0.5)])
        slopes = [layer for layer in architecture["layers"] if "slope" in layer]
        self.assertEqual(slopes[0]["slope"], 0.3)

    def test_nested_modules_keep_their_path(self):
        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Sequential(nn.Linear(4, 4), nn.Tanh())

            def forward(self, x):
                return self.inner(x)

        model = nn.Sequential(Block(), Block(), nn.Linear(4, 2))
        _, architecture, found = self.exported(model, torch.rand(1, 4), torch.tensor([0]))
        self.assertEqual([layer["name"] for layer in architecture["layers"]],
                         ["0/inner/0", "0/inner/1", "1/inner/0", "1/inner/1", "2"])
        self.assertIn("gradients/1/inner/0/weight", found)

    def test_a_residual_addition_and_a_concatenation_are_merges(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 3, 1)
                self.head = nn.Linear(5, 2)

            def forward(self, x):
                x = x + self.a(x)
                x = torch.cat([x, self.b(x)], 1)
                return self.head(x.mean((2, 3)))

        _, architecture, _ = self.exported(Net(), torch.rand(1, 2, 4, 4))
        self.assertEqual(self.layer(architecture, "add")["inputs"], ["x", "a"])
        self.assertEqual(self.layer(architecture, "cat")["operation"], "Concatenate")
        self.assertEqual(self.layer(architecture, "cat")["axis"], 0)
        self.assertEqual(self.layer(architecture, "mean")["window"], [])

    def test_embedding_and_recurrence_read_at_the_last_step(self):
        class Net(nn.Module):
            def __init__(self, use_state):
                super().__init__()
                self.emb = nn.Embedding(20, 6)
                self.lstm = nn.LSTM(6, 5, batch_first=True)
                self.out = nn.Linear(5, 3)
                self.use_state = use_state

            def forward(self, tokens):
                sequence, (state, _) = self.lstm(self.emb(tokens))
                return self.out(state[-1] if self.use_state else sequence[:, -1])

        tokens = torch.tensor([[1, 5, 5, 19]])
        for use_state in (False, True):
            _, architecture, found = self.exported(Net(use_state), tokens, torch.tensor([2]))
            self.assertEqual(self.kinds(architecture), ["embedding", "recurrent", "dense"])
            self.assertFalse(self.layer(architecture, "lstm")["returns_sequences"])
            used = np.flatnonzero(np.abs(found["gradients/emb/embeddings"]).sum(1))
            self.assertEqual(used.tolist(), [1, 5, 19])
            self.assertIn("parameters/lstm/weight_ih_l0", found)

    def test_a_sequence_that_is_read_twice_stays_a_sequence(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.gru = nn.GRU(3, 4, batch_first=True)
                self.out = nn.Linear(4, 2)

            def forward(self, x):
                sequence, _ = self.gru(x)
                return self.out(sequence[:, -1] + sequence.mean(1))

        _, architecture, _ = self.exported(Net(), torch.rand(1, 5, 3))
        self.assertTrue(self.layer(architecture, "gru")["returns_sequences"])
        self.assertEqual(self.kinds(architecture).count("custom"), 2)

    def test_attention_and_a_transformer_layer_keep_all_parameters(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.attn = nn.MultiheadAttention(8, 2, batch_first=True)
                self.encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
                self.norm, self.out = nn.LayerNorm(8), nn.Linear(8, 2)

            def forward(self, x):
                x = x + self.attn(x, x, x, need_weights=False)[0]
                return self.out(self.norm(self.encoder(x)).permute(0, 2, 1).mean(-1))

        _, architecture, found = self.exported(Net(), torch.rand(1, 5, 8))
        self.assertEqual(self.layer(architecture, "attn")["inputs"], ["x"])
        self.assertEqual(self.layer(architecture, "encoder")["kind"], "custom")
        self.assertEqual(self.layer(architecture, "add")["inputs"], ["x", "attn"])
        self.assertIn("parameters/attn/out_proj_weight", found)
        self.assertIn("parameters/encoder/linear1/weight", found)

    def test_what_is_unknown_becomes_custom_under_its_name(self):
        class Positions(nn.Module):
            def __init__(self):
                super().__init__()
                self.table = nn.Parameter(torch.zeros(4))

            def forward(self, x):
                return torch.cumsum(x * self.table, 1)

        class Own(nn.Module):
            def __init__(self):
                super().__init__()
                self.weight, self.bias = nn.Parameter(torch.ones(3, 4)), nn.Parameter(
                    torch.zeros(3))

            def forward(self, x):
                return F.linear(x, self.weight, self.bias)

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.positions, self.own, self.act = Positions(), Own(), nn.PReLU()
                self.factor = nn.Parameter(torch.ones(3))

            def forward(self, x):
                return torch.fft.fft(self.act(self.own(self.positions(x)))).real * self.factor

        _, architecture, found = self.exported(Net(), torch.rand(1, 4), loss=None)
        self.assertEqual(self.layer(architecture, "positions")["class_name"], "Positions")
        self.assertEqual(self.layer(architecture, "act")["class_name"], "PReLU")
        self.assertEqual(self.layer(architecture, "own")["kind"], "dense")
        self.assertIn("fft", " ".join(layer.get("class_name", "")
                                      for layer in architecture["layers"]))
        self.assertIn("parameters/mul/factor", found)

    def test_two_inputs_and_an_optional_argument(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.left, self.right = nn.Linear(4, 3), nn.Linear(2, 3)

            def forward(self, a, b, mask=None):
                total = self.left(a) + self.right(b)
                return total if mask is None else total * mask

        _, architecture, _ = self.exported(Net(), (torch.rand(1, 4), torch.rand(1, 2)),
                                           torch.tensor([0]))
        self.assertEqual([entry["name"] for entry in architecture["inputs"]], ["a", "b"])
        self.assertEqual(architecture["outputs"], ["add"])
        self.exported(Net(), {"b": torch.rand(1, 2), "a": torch.rand(1, 4)})

    def test_global_pooling_before_a_flatten_is_global(self):
        model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                              nn.Linear(4, 2))
        _, architecture, _ = self.exported(model, torch.rand(1, 1, 6, 6))
        self.assertEqual(self.layer(architecture, "1")["window"], [])
        model[2] = nn.Conv2d(4, 2, 1)
        _, architecture, _ = self.exported(nn.Sequential(*model[:3]), torch.rand(1, 1, 6, 6))
        self.assertEqual(self.layer(architecture, "1")["window"], [4, 4])

    def test_circular_padding_joins_both_ends_on_at_the_far_side(self):
        for padding in [(2, 1), "same", "valid"]:
            model = nn.Sequential(
                nn.Conv2d(2, 3, (5, 4), padding=padding, padding_mode="circular"),
                nn.ReLU(), nn.Flatten(), nn.LazyLinear(3))
            model(torch.rand(1, 2, 7, 6))
            _, architecture, _ = self.exported(
                model, torch.rand(1, 2, 7, 6), torch.tensor([1]), batch_size=1)
            joined = [layer["inputs"] for layer in architecture["layers"]
                      if layer["kind"] == "merge"]
            self.assertEqual(len(joined), 0 if padding == "valid" else 2)
        self.exported(nn.Conv1d(2, 2, 3, padding=1, padding_mode="circular"),
                      torch.rand(1, 2, 5))

    def test_padding_that_the_layout_cannot_say_is_custom(self):
        model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"),
                              nn.AvgPool2d(3, 2, padding=1, divisor_override=2), nn.Flatten(),
                              nn.Linear(18, 2))
        _, architecture, _ = self.exported(model, torch.rand(1, 1, 6, 6))
        self.assertEqual(self.layer(architecture, "0")["class_name"],
                         "Conv2d (reflect padding)")
        self.assertEqual(self.layer(architecture, "1")["class_name"], "AvgPool2d (divisor)")

    def test_everything_that_decides_a_value_is_in_the_file(self):
        picture = nn.Sequential(
            nn.ZeroPad2d((1, 0, 2, 1)), nn.Conv2d(2, 4, 3), nn.InstanceNorm2d(4, affine=True),
            nn.Hardswish(), nn.MaxPool2d(3, 2, padding=1, ceil_mode=True), nn.GroupNorm(2, 4),
            nn.AvgPool2d((2, 3), 2, padding=(0, 1), count_include_pad=False), nn.Mish(),
            nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1, output_padding=1),
            nn.Upsample(scale_factor=2, mode="bilinear"), nn.MaxPool2d(2, 1, dilation=3),
            nn.AdaptiveAvgPool2d((3, 2)), nn.BatchNorm2d(2, affine=False), nn.Flatten(),
            nn.Linear(12, 3))
        _, architecture, _ = self.exported(picture, torch.rand(2, 2, 10, 9))
        self.assertNotIn("custom", self.kinds(architecture))
        self.assertEqual(self.layer(architecture, "0")["amounts"], [[2, 1], [1, 0]])
        self.assertTrue(self.layer(architecture, "4")["ceil_mode"])
        self.assertFalse(self.layer(architecture, "6")["counts_padding"])
        self.assertEqual(self.layer(architecture, "8")["output_padding"], [1, 1])
        self.assertFalse(self.layer(architecture, "12")["has_scale"])

        class Sequences(nn.Module):
            def __init__(self):
                super().__init__()
                self.tokens = nn.Embedding(9, 6, padding_idx=2)
                self.norm, self.own = nn.LayerNorm(6, eps=1e-3), nn.MultiheadAttention(
                    6, 2, batch_first=True)
                self.cross = nn.MultiheadAttention(6, 3, batch_first=True, bias=False)
                self.masked = nn.MultiheadAttention(6, 1, batch_first=True)
                self.cell, self.out = nn.GRU(6, 4, batch_first=True), nn.Linear(4, 2)

            def forward(self, x, y, mask):
                x = self.norm(self.tokens(x))
                x = x + self.own(x, x, x, need_weights=False)[0]
                x = self.cross(x, y, y)[0]
                x = self.masked(x, x, x, attn_mask=mask)[0]
                return self.out(self.cell(x.transpose(1, 2).permute(0, 2, 1))[0][:, -1])

        inputs = (torch.randint(0, 9, (2, 4)), torch.rand(2, 3, 6), torch.zeros(4, 4))
        _, architecture, _ = self.exported(Sequences(), inputs, computes_the_same=False)
        self.assertEqual(self.layer(architecture, "tokens")["padding_token"], 2)
        self.assertEqual(self.layer(architecture, "norm")["axes"], [-1])
        self.assertEqual(self.layer(architecture, "own")["heads"], 2)
        self.assertEqual(self.layer(architecture, "cross")["bias"], False)
        self.assertNotIn("heads", self.layer(architecture, "masked"))
        self.assertTrue(self.layer(architecture, "cell")["resets_after"])
        self.assertEqual([layer["order"] for layer in architecture["layers"]
                          if layer.get("operation") == "permute"], [[1, 0], [1, 0]])

    def test_attention_computes_the_same(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.own = nn.MultiheadAttention(6, 2, batch_first=True)
                self.cross = nn.MultiheadAttention(6, 3, batch_first=True)

            def forward(self, x, y):
                x = self.own(x, x, x)[0]
                return self.cross(x, y, y, need_weights=False)[0]

        self.exported(Net(), (torch.rand(2, 4, 6), torch.rand(2, 3, 6)))

    def test_a_log_softmax_before_the_loss_is_a_softmax(self):
        model = nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(dim=1))
        _, architecture, _ = self.exported(model, torch.rand(1, 4), computes_the_same=False)
        self.assertEqual(self.layer(architecture, "1")["function"], "softmax")
        model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
        with self.assertWarnsRegex(UserWarning, "second softmax"):
            export(self.path, model, torch.rand(1, 4), after_backward=False)


class FallbackTest(Exporting):
    def test_data_dependent_control_flow_is_run_instead_of_traced(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1, self.fc2, self.fc3 = nn.Linear(6, 5), nn.Linear(5, 4), nn.Linear(4, 2)

            def forward(self, x):
                x = self.fc1(x.flatten(1))
                if x.sum() > 1e9:
                    x = x * 0
                return self.fc3(self.fc2(torch.relu(x)))

        model = Net()
        x = torch.rand(1, 2, 3)
        F.cross_entropy(model(x), torch.tensor([0])).backward()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            export(self.path, model, x)
        self.assertEqual(len(caught), 1)
        self.assertIn("torch.fx cannot trace Net", str(caught[0].message))
        _, architecture, found = check_layout(self.path)
        self.assertEqual([(layer["name"], layer["kind"]) for layer in architecture["layers"]],
                         [("reshape", "flatten"), ("fc1", "dense"), ("untraced", "custom"),
                          ("fc2", "dense"), ("fc3", "dense")])
        self.assertEqual(architecture["outputs"], ["fc3"])
        self.assertIn("gradients/fc1/weight", found)


    def test_what_happens_in_place_between_two_layers_is_not_hidden(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc1, self.act, self.fc2 = nn.Linear(4, 4), nn.ReLU(True), nn.Linear(4, 2)

            def forward(self, *inputs):
                x = self.act(self.fc1(inputs[0]))
                x = self.fc2(x.mul_(2))
                return x if float(x.sum()) < 1e9 else x * 0

        with self.assertWarnsRegex(UserWarning, "torch.fx cannot trace Net"):
            export(self.path, Net(), torch.rand(1, 4), after_backward=False)
        _, architecture, _ = check_layout(self.path)
        self.assertEqual([layer["name"] for layer in architecture["layers"]],
                         ["fc1", "act", "untraced", "fc2"])
        self.assertEqual([entry["shape"] for entry in architecture["inputs"]], [[4]])

    def test_a_model_that_is_one_layer(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            export(self.path, nn.LSTM(3, 4, batch_first=True), torch.rand(1, 5, 3),
                   after_backward=False)
        _, architecture, found = check_layout(self.path)
        self.assertEqual(self.kinds(architecture), ["recurrent"])
        self.assertEqual(len(found), 4)
        self.exported(nn.Linear(4, 2), torch.rand(1, 4), torch.tensor([1]))


class RefusalTest(Exporting):
    def refused(self, pattern, *arguments, **options):
        with self.assertRaisesRegex(ExportError, pattern):
            export(self.path, *arguments, **options)
        self.assertEqual(os.listdir(self.folder), [], "a refused export leaves no file")

    def test_a_module_that_is_called_twice(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(4, 4)

            def forward(self, x):
                return self.fc(self.fc(x))

        self.refused("fc.weight is shared: fc and fc both use it", Net(), torch.rand(1, 4),
                     after_backward=False)

    def test_a_parameter_that_two_modules_hold(self):
        model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
        model[1].weight = model[0].weight
        self.refused("1.weight is shared: it is the same tensor as 0.weight", model,
                     torch.rand(1, 4), after_backward=False)

    def test_a_model_without_parameters(self):
        self.refused("has no parameters", nn.Sequential(nn.ReLU()), torch.rand(1, 4))

    def test_gradients_that_are_all_missing(self):
        self.refused(r"call loss.backward\(\)", mlp(), torch.rand(1, 12))
        self.refused(r"call loss.backward\(\)", mlp(), torch.rand(1, 12), gradients=[None] * 4)

    def test_gradients_of_another_model(self):
        other = {k: torch.zeros_like(p) for k, p in mlp(12, 9).named_parameters()}
        self.refused("shape .* are they of the same model", mlp(), torch.rand(1, 12),
                     gradients=other)
        self.refused("did you mean 1.weight", mlp(), torch.rand(1, 12),
                     gradients={"1.weights": torch.zeros(8, 12)})
        self.refused("3 entries, but model.parameters", mlp(), torch.rand(1, 12),
                     gradients=[None] * 3)

    def test_arguments_that_cannot_be(self):
        x = torch.rand(1, 12)
        self.refused("did you mean 'softmax-cross-entropy'", mlp(), x, loss="softmax_cross_entropy",
                     after_backward=False)
        self.refused("reduction is 'average'", mlp(), x, reduction="average")
        self.refused("exclude each other", mlp(), x, gradients=[], before=[])
        self.refused("holds no tensor", mlp(), "x")
        self.refused("does not fit Sequential.forward", mlp(), (x, x))


class FidelityTest(Exporting):
    def test_the_model_is_as_it_was_and_equal_input_gives_equal_bytes(self):
        model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.5),
                              nn.Linear(6, 2))
        x = torch.rand(4, 4)
        F.cross_entropy(model(x), torch.tensor([0, 1, 0, 1])).backward()
        model[2].eval()
        state = {k: v.clone() for k, v in model.state_dict().items()}
        random_state = torch.random.get_rng_state()
        contents = []
        for _ in range(2):
            # One sample alone cannot pass batch normalisation in training mode; an export can.
            export(self.path, model, x[:1], batch_size=4)
            contents.append(pathlib.Path(self.path).read_bytes())
        self.assertEqual(contents[0], contents[1])
        self.assertTrue(torch.equal(random_state, torch.random.get_rng_state()))
        for key, value in model.state_dict().items():
            self.assertTrue(torch.equal(value, state[key]), key)
        self.assertEqual([m.training for m in model], [True, True, False, True])
        self.assertEqual(os.listdir(self.folder), ["file.h5"])

    def test_evaluation_mode_is_stated(self):
        attributes, _, _ = self.exported(mlp().eval(), torch.rand(1, 12), torch.tensor([0]))
        self.assertEqual(attributes["training_mode"], 0)
        self.assertNotIn("batch_size", attributes)

    def test_gradients_given_as_a_list_or_a_mapping(self):
        model, x = mlp(), torch.rand(2, 12)
        loss = F.cross_entropy(model(x), torch.tensor([0, 1]), reduction="sum")
        given = torch.autograd.grad(loss, list(model.parameters()))
        export(self.path, model, x, gradients=given, reduction="sum", batch_size=2)
        attributes, _, found = check_layout(self.path)
        self.assertEqual(attributes["reduction"], "sum")
        np.testing.assert_array_equal(found["gradients/3/bias"], given[3].numpy())
        export(self.path, model, x, gradients={"3.bias": given[3]})
        _, _, found = check_layout(self.path)
        self.assertEqual([k for k in found if k.startswith("gradients")], ["gradients/3/bias"])

    def test_a_client_update_holds_the_weights_before_and_the_difference(self):
        model, x, y = mlp(), torch.rand(1, 12), torch.tensor([2])
        before = [value.detach().numpy().copy() for value in model.state_dict().values()]
        F.cross_entropy(model(x), y).backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.1 * parameter.grad
        export(self.path, model, x, before=before, learning_rate=0.1, truth=(x, y))
        attributes, _, found = check_layout(self.path)
        np.testing.assert_array_equal(found["parameters/1/weight"], before[0])
        np.testing.assert_allclose(found["update/1/weight"],
                                   -0.1 * model[1].weight.grad.numpy(), atol=1e-7)
        self.assertEqual((attributes["local_steps"], attributes["learning_rate"]), (1, 0.1))

    def test_bfloat16_is_widened_and_half_and_double_are_kept(self):
        for given, stored in ((torch.bfloat16, "float32"), (torch.float16, "float16"),
                              (torch.float64, "float64")):
            model = nn.Sequential(nn.Linear(4, 2)).to(torch.float64)
            export(self.path, model, torch.rand(1, 4, dtype=torch.float64), gradients={
                "0.weight": torch.tensor([[1.0, 2, 3, 0.25]] * 2, dtype=given)})
            _, _, found = check_layout(self.path)
            self.assertEqual(found["gradients/0/weight"].dtype, stored)
            self.assertEqual(found["gradients/0/weight"][0, 3], 0.25)


def tearDownModule():
    print(f"\n{len(SKIPPED)} skipped for want of a framework", file=sys.stderr)
    for reason in SKIPPED:
        print(f"  {reason}", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
