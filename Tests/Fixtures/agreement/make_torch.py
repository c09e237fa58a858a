"""Writes torch.h5: layers and small networks by PyTorch, in Double, channels first."""
import platform

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

import agreement
from agreement import Inputs

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


# What a module is in the words of the README


class Function(nn.Module):
    """A function of PyTorch as a node, with its description."""

    def __init__(self, source, function, kind, /, **fields):
        super().__init__()
        self.source, self.function, self.kind, self.fields = source, function, kind, fields

    def forward(self, *parts):
        return self.function(*parts)


class Hardsigmoid(nn.Hardsigmoid):
    """PyTorch's, which has no second derivative, in terms of its rectifier, which has one."""

    def forward(self, x):
        y = functional.relu6(x + 3) / 6
        torch.testing.assert_close(y, super().forward(x), rtol=0, atol=1e-15)
        return y


ACTIVATIONS = {
    nn.Identity: lambda m: {"function": "linear"},
    nn.ReLU: lambda m: {"function": "relu"},
    nn.ReLU6: lambda m: {"function": "relu6"},
    nn.LeakyReLU: lambda m: {"function": "leaky_relu", "slope": m.negative_slope},
    nn.ELU: lambda m: {"function": "elu", "alpha": m.alpha},
    nn.SELU: lambda m: {"function": "selu"},
    nn.GELU: lambda m: {"function": "gelu", "approximate": m.approximate == "tanh"},
    nn.SiLU: lambda m: {"function": "silu"},
    nn.Sigmoid: lambda m: {"function": "sigmoid"},
    Hardsigmoid: lambda m: {"function": "hard_sigmoid"},
    nn.Hardswish: lambda m: {"function": "hard_silu"},
    nn.Tanh: lambda m: {"function": "tanh"},
    nn.Softplus: lambda m: {"function": "softplus"},
    nn.Softsign: lambda m: {"function": "softsign"},
    nn.Mish: lambda m: {"function": "mish"},
    nn.Softmax: lambda m: {"function": "softmax"},
    nn.LogSoftmax: lambda m: {"function": "log_softmax"},
}
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def spread(value, count):
    return [value] * count if isinstance(value, int) else list(value)


def describe(module):
    """The kind and the fields of a module."""
    name = type(module).__name__
    if isinstance(module, Function):
        return module.kind, module.fields
    if type(module) in ACTIVATIONS:
        return "activation", ACTIVATIONS[type(module)](module)
    if isinstance(module, nn.Linear):
        return "dense", {"outputs": module.out_features, "bias": module.bias is not None}
    if isinstance(module, nn.modules.conv._ConvNd):
        return describe_convolution(module)
    if isinstance(module, BATCH_NORMS):
        return "batch-normalization", {
            "axis": 0, "epsilon": module.eps, "has_scale": module.affine,
            "has_shift": module.affine}
    if isinstance(module, nn.LayerNorm):
        return "normalization", {
            "class_name": name, "axes": list(range(-len(module.normalized_shape), 0)),
            "epsilon": module.eps, "has_scale": module.weight is not None,
            "has_shift": module.bias is not None}
    if isinstance(module, nn.RMSNorm):
        return "normalization", {
            "class_name": name, "axes": list(range(-len(module.normalized_shape), 0)),
            "epsilon": module.eps, "has_scale": True, "has_shift": False}
    if isinstance(module, nn.GroupNorm):
        return "normalization", {
            "class_name": name, "axis": 0, "groups": module.num_groups, "epsilon": module.eps,
            "has_scale": module.affine, "has_shift": module.affine}
    if isinstance(module, (nn.InstanceNorm1d, nn.InstanceNorm2d)):
        return "normalization", {
            "class_name": name, "axis": 0, "groups": module.num_features, "epsilon": module.eps,
            "has_scale": module.affine, "has_shift": module.affine}
    if "Pool" in name:
        return describe_pooling(module)
    if isinstance(module, nn.Flatten):
        return "flatten", {}
    if isinstance(module, nn.Unflatten):
        return "reshape", {"target": list(module.unflattened_size)}
    if isinstance(module, nn.Dropout):
        return "dropout", {"rate": module.p}
    if isinstance(module, nn.Embedding):
        return "embedding", {"tokens": module.num_embeddings, "width": module.embedding_dim}
    if isinstance(module, (nn.ZeroPad1d, nn.ZeroPad2d)):
        ends = list(module.padding)
        pairs = [ends[i:i + 2] for i in range(0, len(ends), 2)][::-1]
        return "resampling", {"class_name": name, "operation": "pad", "amounts": pairs}
    if isinstance(module, nn.Upsample):
        return "resampling", {
            "class_name": name, "operation": "upsample", "interpolation": module.mode,
            "factors": [int(factor) for factor in module.scale_factor],
            "align_corners": bool(module.align_corners)}
    if isinstance(module, Recurrent):
        return module.describe()
    if isinstance(module, Attention):
        return module.describe()
    raise TypeError(f"{name} has no description")


def describe_convolution(module):
    count = len(module.kernel_size)
    fields = {
        "variant": "transposed" if isinstance(module, TRANSPOSED) else "plain",
        "filters": module.out_channels, "kernel": list(module.kernel_size),
        "stride": list(module.stride), "dilation": list(module.dilation),
        "padding": module.padding if isinstance(module.padding, str) else list(module.padding),
        "groups": module.groups, "bias": module.bias is not None}
    if isinstance(module, TRANSPOSED):
        fields.update(
            output_padding=spread(module.output_padding, count), swapped_kernel=True)
    return "convolution", fields


def describe_pooling(module):
    name = type(module).__name__
    count = int(name[-2])
    fields = {"statistic": "maximum" if "Max" in name else "average"}
    if name.startswith("Adaptive"):
        extents = spread(module.output_size, count)
        fields.update(window=[], keeps_axes=True)
        if extents != [1] * count:
            fields["output_extents"] = extents
        return "pooling", fields
    fields.update(
        window=spread(module.kernel_size, count), stride=spread(module.stride, count),
        padding=spread(module.padding, count), ceil_mode=module.ceil_mode)
    if "Max" in name:
        fields["dilation"] = spread(module.dilation, count)
    else:
        fields["counts_padding"] = module.count_include_pad
    return "pooling", fields


class Recurrent(nn.Module):
    """A recurrent layer whose output is the whole sequence or its last step."""

    def __init__(self, cell, inputs, units, sequences, **options):
        super().__init__()
        self.inner = cell(inputs, units, batch_first=True, **options)
        self.sequences = sequences
        self.source = f"torch.nn.{cell.__name__}"

    def forward(self, x):
        y = self.inner(x)[0]
        return y if self.sequences else y[:, -1]

    def describe(self):
        inner = self.inner
        name = type(inner).__name__
        fields = {
            "cell": name, "units": inner.hidden_size, "returns_sequences": self.sequences,
            "bias": inner.bias}
        if name == "RNN":
            fields["activation"] = inner.nonlinearity
        else:
            fields.update(activation="tanh", recurrent_activation="sigmoid")
            fields["gates"] = ["input", "forget", "candidate", "output"] if name == "LSTM" else [
                "reset", "update", "candidate"]
        if name == "GRU":
            fields["resets_after"] = True
        return "recurrent", fields


class Attention(nn.Module):
    """Multi-head attention of one, two (query; key and value) or three arriving tensors."""

    source = "torch.nn.MultiheadAttention"

    def __init__(self, width, heads, causal=False, **options):
        super().__init__()
        self.inner = nn.MultiheadAttention(width, heads, batch_first=True, **options)
        self.causal = causal

    def forward(self, query, key=None, value=None):
        key = query if key is None else key
        value = key if value is None else value
        mask = None
        if self.causal:
            mask = torch.triu(
                torch.ones(query.shape[1], key.shape[1], dtype=torch.bool), diagonal=1)
        # The other implementations have no second derivative.
        with sdpa_kernel(SDPBackend.MATH):
            return self.inner(query, key, value, attn_mask=mask, need_weights=False)[0]

    def describe(self):
        inner = self.inner
        return "attention", {
            "class_name": "MultiheadAttention", "heads": inner.num_heads,
            "key_width": inner.head_dim, "value_width": inner.head_dim,
            "outputs": inner.embed_dim, "bias": inner.in_proj_bias is not None,
            "causal": self.causal}


class Constant(nn.Module):
    """A parameter that is joined to its input: a class token in front or positions added."""

    def __init__(self, kind, *shape):
        super().__init__()
        self.kind = kind
        self.register_parameter(
            "token" if kind == "class-token" else "position", nn.Parameter(torch.zeros(1, *shape)))

    def forward(self, x):
        if self.kind == "class-token":
            return torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1)
        return x + self.position


# A case


ROLES = {
    **{kind: {"weight": "scale", "bias": "shift", "running_var": "running_variance"}
       for kind in BATCH_NORMS + (
           nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.InstanceNorm1d, nn.InstanceNorm2d)},
    nn.Embedding: {"weight": "embeddings"},
}


class Case:
    """A graph of modules; `nodes` are (name, module) in sequence or (name, module, sources)."""

    def __init__(self, name, nodes, inputs, source=None, training=False, loss=None, targets=None):
        self.name, self.training, self.loss, self.targets = name, training, loss, targets
        self.inputs = inputs if isinstance(inputs, dict) else {"x": inputs}
        self.nodes, previous = [], next(iter(self.inputs))
        for node in nodes:
            label, module = node[:2]
            sources = node[2] if len(node) > 2 else [previous]
            self.nodes.append((label, module, sources))
            previous = label
        self.source = source or source_of(self.nodes[-1][1])
        self.places = {}
        for label, module, _ in self.nodes:
            module.train(training)
            for path, value in [*module.named_parameters(), *module.named_buffers()]:
                if path.endswith("num_batches_tracked"):
                    continue
                role = path.removeprefix("inner.")
                role = ROLES.get(type(module), {}).get(role, role)
                self.places[f"{label}/{role}"] = value
        self.kinked = []
        for label, module, sources in self.nodes:
            self.kinked.append((module, *self.kink(module)))

    @staticmethod
    def kink(module):
        kind, fields = ("", {}) if isinstance(module, Constant) else describe(module)
        if kind == "activation" and fields["function"] in agreement.KINKS:
            return "activation", fields["function"]
        if kind == "pooling" and fields["statistic"] == "maximum":
            return "pooling", None
        if kind == "merge" and fields["operation"] in ("Maximum", "Minimum"):
            return "merge", None
        if kind == "recurrent" and fields["activation"] == "relu":
            raise ValueError("the pre-activations of a recurrent rectifier are not seen")
        return None, None

    def row(self):
        described = [
            (module.kind, {}) if isinstance(module, Constant) else describe(module)
            for _, module, _ in self.nodes]
        layers = [
            {"name": label, "kind": kind, "inputs": sources, **fields}
            for (label, _, sources), (kind, fields) in zip(self.nodes, described)]
        inputs = [
            {"name": name, "shape": list(entry.shape[1:]),
             **({"element": "index"} if entry.below is not None else {})}
            for name, entry in self.inputs.items()]
        return {
            "source": self.source, "layout": "channels_first", "training": self.training,
            "loss": self.loss.fields if self.loss else {"kind": "half-squares"},
            "architecture": {
                "inputs": inputs, "layers": layers, "outputs": [self.nodes[-1][0]]}}

    def parameter_shapes(self):
        return {path: tuple(value.shape) for path, value in self.places.items()}

    def trainable(self):
        return [path for path, value in self.places.items() if isinstance(value, nn.Parameter)]

    def forward(self, drawn, with_gradient=True):
        """Sets the parameters; returns inputs, parameters, output and every module's inputs."""
        for path, value in self.places.items():
            with torch.no_grad():
                value.copy_(torch.from_numpy(np.asarray(drawn[f"parameters/{path}"])))
        values = {name: torch.from_numpy(np.array(drawn[f"inputs/{name}"])) for name in self.inputs}
        real = {name: value.requires_grad_() for name, value in values.items()
                if value.is_floating_point()}
        seen = []
        for label, module, sources in self.nodes:
            parts = [values[name] for name in sources]
            seen.append(parts)
            values[label] = module(*parts)
        parameters = {path: self.places[path] for path in self.trainable()}
        return real, parameters, values[self.nodes[-1][0]], seen

    def output_shape(self, drawn):
        return tuple(self.forward(drawn)[2].shape)

    def margin(self, drawn):
        seen = self.forward(drawn)[3]
        found = [np.inf]
        for (_, kind, function), parts in zip(self.kinked, seen):
            arrays = [part.detach().numpy() for part in parts]
            if kind == "activation":
                found.append(agreement.kink_distance(function, arrays[0]))
            elif kind == "pooling":
                found.append(agreement.plane_gap(arrays[0], 1))
            elif kind == "merge":
                found.append(agreement.merge_gap(arrays))
        return min(found)

    def objective(self, drawn, output):
        if self.loss:
            return self.loss.function(output, torch.from_numpy(np.array(drawn["targets"])))
        return ((torch.from_numpy(np.array(drawn["loss_scale"])) * output) ** 2).sum() / 2

    def first(self, drawn, create=False):
        real, parameters, output, _ = self.forward(drawn)
        value = self.objective(drawn, output)
        sources = [*parameters.values(), *real.values()]
        slopes = torch.autograd.grad(value, sources, create_graph=create)
        paths = [f"results/gradients/{path}" for path in parameters] + [
            f"results/input_gradients/{name}" for name in real]
        return real, parameters, output, value, dict(zip(paths, slopes))

    def gradient(self, drawn):
        return {path: value.numpy() for path, value in self.first(drawn)[4].items()}

    def evaluate(self, drawn):
        real, parameters, output, value, slopes = self.first(drawn, create=True)
        results = {"results/output": output, "results/loss": value, **slopes}
        along = {
            kind: sum(
                (slopes[f"results/{first}/{name}"] * torch.from_numpy(drawn[path])).sum()
                for path, name in (
                    (f"directions/{kind}/{name}", name) for name in names))
            for kind, first, names in (
                ("parameters", "gradients", parameters), ("inputs", "input_gradients", real))}

        def products(kind, label, sources):
            if not sources or not torch.is_tensor(along[kind]):
                return
            parts = torch.autograd.grad(
                along[kind], list(sources.values()), retain_graph=True, allow_unused=True,
                materialize_grads=True)
            for name, part in zip(sources, parts):
                results[f"results/{label}/{name}"] = part

        products("parameters", "mixed", real)
        products("inputs", "curvature", real)
        if not real:
            products("parameters", "parameter_curvature", parameters)
        return {path: part.detach().numpy().copy() for path, part in results.items()}


def source_of(module):
    if isinstance(module, (Function, Recurrent, Attention)):
        return module.source
    return f"torch.nn.{type(module).__name__}"


class Loss:
    def __init__(self, function, kind, /, **fields):
        self.function, self.fields = function, {"kind": kind, **fields}


# The cases


def dense_cases():
    x = Inputs(3, 4)
    yield Case("dense", [("dense", nn.Linear(4, 5))], x)
    yield Case("dense_without_bias", [("dense", nn.Linear(4, 5, bias=False))], x)
    yield Case("dense_on_sequence", [("dense", nn.Linear(4, 5))], Inputs(2, 3, 4))


def activation_cases():
    modules = {
        "linear": nn.Identity(), "relu": nn.ReLU(), "relu6": nn.ReLU6(),
        "leaky_relu": nn.LeakyReLU(), "leaky_relu_steep": nn.LeakyReLU(0.2), "elu": nn.ELU(),
        "elu_alpha": nn.ELU(0.7), "selu": nn.SELU(), "gelu": nn.GELU(),
        "gelu_tanh": nn.GELU("tanh"), "silu": nn.SiLU(), "sigmoid": nn.Sigmoid(),
        "hard_sigmoid": Hardsigmoid(), "hard_silu": nn.Hardswish(), "tanh": nn.Tanh(),
        "softplus": nn.Softplus(), "softsign": nn.Softsign(), "mish": nn.Mish(),
        "softmax": nn.Softmax(-1), "log_softmax": nn.LogSoftmax(-1),
    }
    for name, module in modules.items():
        # Wide enough that the capped functions show all their pieces.
        scale = 4.0 if name in ("relu6", "hard_sigmoid", "hard_silu") else 1.0
        yield Case(
            f"activation_{name}", [("dense", nn.Linear(4, 6)), ("activation", module)],
            Inputs(3, 4, scale=scale))
    yield Case(
        "activation_exponential",
        [("dense", nn.Linear(4, 6)),
         ("activation", Function("torch.exp", torch.exp, "activation", function="exponential"))],
        Inputs(3, 4))


def convolution_cases():
    line, picture = Inputs(2, 2, 7), Inputs(2, 2, 6, 5)

    def one(name, module, x):
        return Case(f"convolution_{name}", [("convolution", module)], x)

    yield one("1d", nn.Conv1d(2, 3, 3), line)
    yield one("1d_stride", nn.Conv1d(2, 3, 3, stride=2, padding=1), line)
    yield one("1d_same_even", nn.Conv1d(2, 3, 4, padding="same"), line)
    yield one("1d_dilated", nn.Conv1d(2, 3, 3, dilation=2, padding=2), line)
    yield one("1d_groups", nn.Conv1d(4, 6, 3, groups=2), Inputs(2, 4, 7))
    yield one("1d_depthwise", nn.Conv1d(2, 4, 3, groups=2, padding=1), line)
    yield Case(
        "convolution_1d_causal",
        [("pad", nn.ZeroPad1d((2, 0))), ("convolution", nn.Conv1d(2, 3, 3))], line)
    yield one("2d", nn.Conv2d(2, 3, 3), picture)
    yield one("2d_without_bias", nn.Conv2d(2, 3, (3, 2), bias=False), picture)
    yield one("2d_pointwise", nn.Conv2d(2, 3, 1), picture)
    yield one("2d_padded", nn.Conv2d(2, 3, 3, padding=1), picture)
    yield one("2d_padded_unevenly", nn.Conv2d(2, 3, 3, padding=(2, 0)), picture)
    yield one("2d_same", nn.Conv2d(2, 3, 3, padding="same"), picture)
    yield one("2d_same_even", nn.Conv2d(2, 3, (2, 4), padding="same"), picture)
    yield one("2d_same_dilated", nn.Conv2d(2, 3, (2, 3), padding="same", dilation=2), picture)
    yield one("2d_stride", nn.Conv2d(2, 3, 3, stride=2, padding=1), picture)
    yield one("2d_stride_odd_rest", nn.Conv2d(2, 3, 3, stride=(2, 3)), picture)
    yield one("2d_stride_beyond_kernel", nn.Conv2d(2, 3, 1, stride=2), picture)
    yield one("2d_dilated", nn.Conv2d(2, 3, 3, dilation=(2, 1), padding=2), picture)
    yield one("2d_stride_dilated", nn.Conv2d(2, 3, 2, stride=2, dilation=2, padding=1), picture)
    yield one("2d_groups", nn.Conv2d(4, 6, 3, groups=2, padding=1), Inputs(2, 4, 5, 4))
    yield one("2d_depthwise", nn.Conv2d(2, 2, 3, groups=2, padding=1), picture)
    yield one(
        "2d_depthwise_multiplier", nn.Conv2d(2, 4, 3, groups=2, stride=2, padding=1), picture)
    yield Case(
        "convolution_2d_separable",
        [("depthwise", nn.Conv2d(2, 4, 3, groups=2, padding=1, bias=False)),
         ("pointwise", nn.Conv2d(4, 3, 1))], picture, source="torch.nn.Conv2d")
    small_line, small = Inputs(2, 2, 4), Inputs(2, 2, 3, 4)
    yield one("transposed_1d", nn.ConvTranspose1d(2, 3, 3), small_line)
    yield one("transposed_1d_stride", nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1), small_line)
    yield one(
        "transposed_1d_output_padding",
        nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1), small_line)
    yield one("transposed_2d", nn.ConvTranspose2d(2, 3, 3), small)
    yield one("transposed_2d_even", nn.ConvTranspose2d(2, 3, 4, stride=2, padding=1), small)
    yield one(
        "transposed_2d_output_padding",
        nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=(1, 0)), small)
    yield one(
        "transposed_2d_gap", nn.ConvTranspose2d(2, 3, 2, stride=3, output_padding=(2, 1)), small)
    yield one(
        "transposed_2d_dilated", nn.ConvTranspose2d(2, 3, 2, dilation=2, padding=1), small)
    yield one(
        "transposed_2d_groups", nn.ConvTranspose2d(4, 6, 3, groups=2, stride=2),
        Inputs(2, 4, 3, 2))


def normalization_cases():
    picture, line, row = Inputs(3, 4, 3, 2), Inputs(3, 4, 3), Inputs(4, 5)

    def one(name, module, x, **options):
        return Case(name, [("normalization", module)], x, **options)

    for training in (False, True):
        mode = "training" if training else "inference"
        yield one(f"batch_normalization_{mode}", nn.BatchNorm2d(4), picture, training=training)
        yield one(f"batch_normalization_1d_{mode}", nn.BatchNorm1d(5), row, training=training)
    yield one(
        "batch_normalization_sequence_training", nn.BatchNorm1d(4), line, training=True)
    yield Case(
        "batch_normalization_plain_training",
        [("mix", nn.Conv2d(3, 4, 1, bias=False)),
         ("normalization", nn.BatchNorm2d(4, eps=0.01, affine=False))], Inputs(3, 3, 3, 2),
        training=True)
    yield one("layer_normalization", nn.LayerNorm(5), row)
    yield one("layer_normalization_sequence", nn.LayerNorm(3), line)
    yield one("layer_normalization_three_axes", nn.LayerNorm((4, 3, 2)), picture)
    yield one("layer_normalization_two_axes", nn.LayerNorm((3, 2), eps=0.001), picture)
    yield one("layer_normalization_without_shift", nn.LayerNorm(5, bias=False), row)
    yield one("group_normalization", nn.GroupNorm(2, 4), picture)
    yield one("group_normalization_one_group", nn.GroupNorm(1, 4), picture)
    yield one("group_normalization_sequence", nn.GroupNorm(2, 4), line)
    yield one("instance_normalization", nn.InstanceNorm2d(4, affine=True), picture)
    yield Case(
        "instance_normalization_plain",
        [("mix", nn.Conv2d(3, 4, 1, bias=False)), ("normalization", nn.InstanceNorm2d(4))],
        Inputs(2, 3, 3, 2))
    yield one("instance_normalization_sequence", nn.InstanceNorm1d(4, affine=True), line)
    # The mixed product goes through the statistics only where parameters come before them.
    for name, module, training in (
            ("batch_normalization", nn.BatchNorm2d(4), True),
            ("layer_normalization", nn.LayerNorm((4, 2, 2)), False),
            ("group_normalization", nn.GroupNorm(2, 4), False),
            ("rms_normalization", nn.RMSNorm((4, 2, 2), eps=1e-5), False)):
        yield Case(
            f"{name}_behind_convolution",
            [("mix", nn.Conv2d(3, 4, 1, bias=False)), ("normalization", module)],
            Inputs(3, 3, 2, 2), training=training)
    yield one("rms_normalization", nn.RMSNorm(5, eps=1e-5), row)
    yield one("rms_normalization_two_axes", nn.RMSNorm((3, 2), eps=1e-5), picture)


def mixed(name, module, x=None, **options):
    """A layer without parameters, behind a pointwise convolution that gives it some."""
    x = x or Inputs(2, 2, 5, 6)
    mix = (nn.Conv2d if len(x.shape) == 4 else nn.Conv1d)(x.shape[1], 3, 1)
    return Case(name, [("mix", mix), ("layer", module)], x, **options)


def pooling_cases():
    line = Inputs(2, 2, 9)
    for label, one, two in (
            ("max", nn.MaxPool1d, nn.MaxPool2d), ("average", nn.AvgPool1d, nn.AvgPool2d)):
        yield mixed(f"pooling_{label}_1d", one(3), line)
        yield mixed(f"pooling_{label}_1d_padded", one(3, stride=2, padding=1), line)
        yield mixed(f"pooling_{label}", two(2))
        yield mixed(f"pooling_{label}_overlapping", two(3, stride=1))
        yield mixed(f"pooling_{label}_stride", two((2, 3), stride=(2, 1)))
        yield mixed(f"pooling_{label}_gap", two(2, stride=3))
        yield mixed(f"pooling_{label}_padded", two(3, stride=2, padding=1))
        yield mixed(f"pooling_{label}_ceil", two(2, stride=2, ceil_mode=True))
        yield mixed(
            f"pooling_{label}_padded_ceil", two(3, stride=2, padding=(0, 1), ceil_mode=True))
    yield mixed("pooling_max_dilated", nn.MaxPool2d(2, stride=1, dilation=2))
    yield mixed(
        "pooling_average_excluding_padding",
        nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False))
    yield mixed(
        "pooling_average_excluding_padding_ceil",
        nn.AvgPool2d(3, stride=2, padding=(0, 1), ceil_mode=True, count_include_pad=False))
    yield mixed("pooling_global_average", nn.AdaptiveAvgPool2d(1))
    yield mixed("pooling_global_max", nn.AdaptiveMaxPool2d(1))
    yield mixed("pooling_global_average_1d", nn.AdaptiveAvgPool1d(1), line)
    yield mixed("pooling_adaptive_average", nn.AdaptiveAvgPool2d((2, 3)))
    yield mixed("pooling_adaptive_average_uneven", nn.AdaptiveAvgPool2d((3, 4)))


def transpose(first, second, rank):
    """Swaps two axes behind the batch axis of a tensor with `rank` such axes."""
    order = list(range(rank))
    order[first], order[second] = order[second], order[first]
    return Function(
        "torch.transpose", lambda x: x.transpose(first + 1, second + 1), "resampling",
        class_name="transpose", operation="permute", order=order)


def shape_cases():
    x = Inputs(2, 2, 3, 4)
    yield Case(
        "flatten_dense",
        [("convolution", nn.Conv2d(2, 3, 2)), ("flatten", nn.Flatten()),
         ("dense", nn.Linear(18, 4))], x, source="torch.nn.Flatten")
    yield mixed("flatten", nn.Flatten(), x)
    yield Case(
        "reshape", [("dense", nn.Linear(4, 12)), ("layer", nn.Unflatten(1, (3, 2, 2)))],
        Inputs(3, 4))
    yield Case(
        "reshape_convolution",
        [("dense", nn.Linear(4, 12)), ("reshape", nn.Unflatten(1, (3, 2, 2))),
         ("convolution", nn.Conv2d(3, 2, 2, padding=1))], Inputs(3, 4),
        source="torch.nn.Unflatten")
    yield mixed(
        "permute", Function(
            "torch.permute", lambda t: t.permute(0, 2, 3, 1), "resampling", class_name="permute",
            operation="permute", order=[1, 2, 0]), x)
    yield mixed("transpose", transpose(0, 2, 3), x)
    yield mixed("pad", nn.ZeroPad2d((1, 2, 0, 1)), x)
    yield mixed("pad_1d", nn.ZeroPad1d((2, 1)), Inputs(2, 2, 5))
    yield mixed(
        "crop", Function(
            "torch.narrow", lambda t: t[:, :, 1:, 0:-2], "resampling", class_name="getitem",
            operation="crop", amounts=[[1, 0], [0, 2]]), Inputs(2, 2, 4, 5))
    yield mixed("upsample_nearest", nn.Upsample(scale_factor=(2, 3)), x)
    yield mixed("upsample_nearest_1d", nn.Upsample(scale_factor=(2,)), Inputs(2, 2, 4))
    yield mixed(
        "upsample_bilinear", nn.Upsample(scale_factor=(2, 3), mode="bilinear"), x)
    yield mixed(
        "upsample_bilinear_align_corners",
        nn.Upsample(scale_factor=(2, 3), mode="bilinear", align_corners=True), x)
    yield mixed("dropout", nn.Dropout(0.4), x)


def merge_cases():
    def merged(name, operation, function, source, count=2, **fields):
        letters = "abc"[:count]
        nodes = [(letter, nn.Conv2d(2, 3, 1), ["x" if letter == "a" else "y"])
                 for letter in letters]
        nodes.append(
            ("merge", Function(source, function, "merge", operation=operation, **fields),
             list(letters)))
        inputs = {"x": Inputs(2, 2, 3, 2), "y": Inputs(2, 2, 3, 2)}
        return Case(name, nodes, inputs)

    yield merged("merge_add", "Add", lambda *parts: sum(parts), "torch.add", 3)
    yield merged("merge_subtract", "Subtract", torch.sub, "torch.sub")
    yield merged("merge_multiply", "Multiply", lambda a, b, c: a * b * c, "torch.mul", 3)
    yield merged(
        "merge_average", "Average", lambda *parts: torch.stack(parts).mean(0), "torch.mean", 3)
    yield merged("merge_maximum", "Maximum", torch.maximum, "torch.maximum")
    yield merged("merge_minimum", "Minimum", torch.minimum, "torch.minimum")
    for axis in range(3):
        yield merged(
            f"merge_concatenate_axis{axis}", "Concatenate",
            lambda *parts, axis=axis: torch.cat(parts, axis + 1), "torch.cat", axis=axis)
    yield Case(
        "merge_matrix_product",
        [("a", nn.Linear(3, 4), ["x"]), ("b", nn.Linear(3, 4), ["y"]),
         ("merge", Function(
             "torch.bmm", lambda a, b: a @ b.transpose(1, 2), "merge", operation="Dot",
             axes=[1, 1]), ["a", "b"])],
        {"x": Inputs(2, 2, 3), "y": Inputs(2, 5, 3)})


def sequence_cases():
    tokens = Inputs(2, 5, below=7)
    yield Case("embedding", [("embedding", nn.Embedding(7, 3))], tokens)
    yield Case(
        "embedding_times_input",
        [("embedding", nn.Embedding(7, 3), ["tokens"]),
         ("merge", Function("torch.mul", torch.mul, "merge", operation="Multiply"),
          ["embedding", "x"])],
        {"tokens": tokens, "x": Inputs(2, 5, 3)}, source="torch.nn.Embedding")
    x = Inputs(2, 4, 6)
    yield Case("attention", [("attention", Attention(6, 2))], x)
    yield Case("attention_one_head", [("attention", Attention(6, 1))], x)
    yield Case("attention_without_bias", [("attention", Attention(6, 3, bias=False))], x)
    yield Case("attention_causal", [("attention", Attention(6, 2, causal=True))], x)
    yield Case(
        "attention_cross", [("attention", Attention(6, 2), ["x", "y"])],
        {"x": x, "y": Inputs(2, 3, 6)})
    yield Case(
        "attention_other_widths", [("attention", Attention(6, 2, kdim=4, vdim=5), ["x", "k", "v"])],
        {"x": x, "k": Inputs(2, 3, 4), "v": Inputs(2, 3, 5)})
    steps = Inputs(2, 4, 3)
    for cell in (nn.LSTM, nn.GRU, nn.RNN):
        name = cell.__name__.lower()
        yield Case(name, [(name, Recurrent(cell, 3, 4, False))], steps)
        yield Case(f"{name}_sequences", [(name, Recurrent(cell, 3, 4, True))], steps)
        yield Case(
            f"{name}_without_bias", [(name, Recurrent(cell, 3, 4, True, bias=False))], steps)


def loss_cases():
    nodes = lambda: [("dense", nn.Linear(4, 5))]
    x = Inputs(3, 4)
    classes = lambda random: random.integers(0, 5, 3)

    def soft(random):
        return random.multinomial(1024, [0.1, 0.3, 0.2, 0.15, 0.25], 3) / 1024

    def bits(random):
        return random.integers(0, 2, (3, 5)).astype("f8")

    def numbers(random):
        return agreement.grid(random.normal(0, 1, (3, 5)))

    def one(name, module, kind, draw, **fields):
        loss = Loss(module, kind, **fields)
        return Case(
            f"loss_{name}", nodes(), x, source=f"torch.nn.{type(module).__name__}", loss=loss,
            targets=draw)

    for reduction in ("mean", "sum"):
        yield one(
            f"cross_entropy_{reduction}", nn.CrossEntropyLoss(reduction=reduction),
            "softmax-cross-entropy", classes, reduction=reduction, targets="classes",
            from_logits=True)
        yield one(
            f"binary_cross_entropy_{reduction}", nn.BCEWithLogitsLoss(reduction=reduction),
            "binary-cross-entropy", bits, reduction=reduction, feature_reduction=reduction,
            targets="values", from_logits=True)
        yield one(
            f"mean_squared_error_{reduction}", nn.MSELoss(reduction=reduction),
            "mean-squared-error", numbers, reduction=reduction, feature_reduction=reduction,
            targets="values")
    yield one(
        "cross_entropy_smoothed", nn.CrossEntropyLoss(label_smoothing=0.1),
        "softmax-cross-entropy", classes, reduction="mean", targets="classes", from_logits=True,
        label_smoothing=0.1)
    yield one(
        "cross_entropy_soft", nn.CrossEntropyLoss(), "softmax-cross-entropy", soft,
        reduction="mean", targets="probabilities", from_logits=True)
    yield one(
        "cross_entropy_soft_smoothed", nn.CrossEntropyLoss(label_smoothing=0.2, reduction="sum"),
        "softmax-cross-entropy", soft, reduction="sum", targets="probabilities", from_logits=True,
        label_smoothing=0.2)


def cross_entropy():
    return Loss(
        functional.cross_entropy, "softmax-cross-entropy", reduction="mean", targets="classes",
        from_logits=True)


def some_classes(count, batch=2):
    return lambda random: random.integers(0, count, batch)


def add():
    return Function("torch.add", torch.add, "merge", operation="Add")


def convolution(*arguments, **options):
    return nn.Conv2d(*arguments, bias=False, **options)


def basic_block(name, inputs, channels, stride, source):
    """The basic block of He et al., as torchvision arranges it."""
    nodes = [
        (f"{name}/conv1", convolution(inputs, channels, 3, stride=stride, padding=1), [source]),
        (f"{name}/bn1", nn.BatchNorm2d(channels)),
        (f"{name}/relu1", nn.ReLU()),
        (f"{name}/conv2", convolution(channels, channels, 3, padding=1)),
        (f"{name}/bn2", nn.BatchNorm2d(channels)),
    ]
    shortcut = source
    if stride != 1 or inputs != channels:
        shortcut = f"{name}/downsample/1"
        nodes += [
            (f"{name}/downsample/0", convolution(inputs, channels, 1, stride=stride), [source]),
            (shortcut, nn.BatchNorm2d(channels))]
    return nodes + [
        (f"{name}/add", add(), [f"{name}/bn2", shortcut]), (f"{name}/relu2", nn.ReLU())]


def bottleneck(name, inputs, channels, stride, source, expansion=2):
    """The bottleneck block with the stride on the 3×3 convolution, as torchvision has it."""
    wide = channels * expansion
    nodes = [
        (f"{name}/conv1", convolution(inputs, channels, 1), [source]),
        (f"{name}/bn1", nn.BatchNorm2d(channels)),
        (f"{name}/relu1", nn.ReLU()),
        (f"{name}/conv2", convolution(channels, channels, 3, stride=stride, padding=1)),
        (f"{name}/bn2", nn.BatchNorm2d(channels)),
        (f"{name}/relu2", nn.ReLU()),
        (f"{name}/conv3", convolution(channels, wide, 1)),
        (f"{name}/bn3", nn.BatchNorm2d(wide)),
        (f"{name}/downsample/0", convolution(inputs, wide, 1, stride=stride), [source]),
        (f"{name}/downsample/1", nn.BatchNorm2d(wide)),
    ]
    return nodes + [
        (f"{name}/add", add(), [f"{name}/bn3", f"{name}/downsample/1"]),
        (f"{name}/relu3", nn.ReLU())]


def encoder_block(name, width, heads, hidden, source):
    """A transformer block that normalises first."""
    return [
        (f"{name}/ln1", nn.LayerNorm(width, eps=1e-6), [source]),
        (f"{name}/attention", Attention(width, heads)),
        (f"{name}/add1", add(), [f"{name}/attention", source]),
        (f"{name}/ln2", nn.LayerNorm(width, eps=1e-6)),
        (f"{name}/mlp1", nn.Linear(width, hidden)),
        (f"{name}/gelu", nn.GELU()),
        (f"{name}/mlp2", nn.Linear(hidden, width)),
        (f"{name}/add2", add(), [f"{name}/mlp2", f"{name}/add1"])]


def select(axis, index):
    return Function(
        "torch.select", lambda x: x.select(axis + 1, index), "select", axis=axis, index=index)


def patches():
    """Squares of 3 by 3 as tokens, `[batch, 4, 6]`."""
    return [
        ("patch", nn.Conv2d(3, 6, 3, stride=3)),
        ("unroll", Function("torch.flatten", lambda x: x.flatten(2), "reshape", target=[6, 4])),
        ("tokens", transpose(0, 1, 2))]


def network_cases():
    picture = Inputs(2, 3, 6, 6)
    head = [("pool", nn.AdaptiveAvgPool2d(1)), ("flatten", nn.Flatten()), ("fc", nn.Linear(4, 3))]
    yield Case(
        "network_mlp",
        [("flatten", nn.Flatten()), ("fc1", nn.Linear(12, 6)), ("relu1", nn.ReLU()),
         ("fc2", nn.Linear(6, 5)), ("relu2", nn.ReLU()), ("fc3", nn.Linear(5, 3))],
        Inputs(2, 3, 2, 2), source="torch.nn.Sequential", loss=cross_entropy(),
        targets=some_classes(3))
    yield Case(
        "network_lenet",
        [("conv1", nn.Conv2d(2, 3, 5, stride=2, padding=2)), ("act1", nn.Sigmoid()),
         ("conv2", nn.Conv2d(3, 3, 5, stride=2, padding=2)), ("act2", nn.Sigmoid()),
         ("conv3", nn.Conv2d(3, 3, 5, padding=2)), ("act3", nn.Sigmoid()),
         ("flatten", nn.Flatten()), ("fc", nn.Linear(12, 5))],
        Inputs(1, 2, 8, 8), source="torch.nn.Sequential", loss=cross_entropy(),
        targets=some_classes(5, 1))
    yield Case(
        "network_vgg",
        [("conv1", nn.Conv2d(3, 4, 3, padding=1)), ("relu1", nn.ReLU()),
         ("pool1", nn.MaxPool2d(2)), ("conv2", nn.Conv2d(4, 4, 3, padding=1)),
         ("bn2", nn.BatchNorm2d(4)), ("relu2", nn.ReLU()), ("pool2", nn.MaxPool2d(3)),
         ("flatten", nn.Flatten()), ("fc1", nn.Linear(4, 5)), ("relu3", nn.ReLU()),
         ("dropout", nn.Dropout(0.5)), ("fc2", nn.Linear(5, 3))],
        picture, source="torch.nn.Sequential", loss=cross_entropy(), targets=some_classes(3))
    for training in (False, True):
        mode = "training" if training else "inference"
        for label, block in (("basic_block", basic_block), ("bottleneck", bottleneck)):
            inputs, channels = (3, 4) if label == "basic_block" else (3, 2)
            yield Case(
                f"network_{label}_{mode}",
                block("layer1/0", inputs, channels, 2, "x") + head, picture,
                source="torchvision.models.resnet." + (
                    "BasicBlock" if label == "basic_block" else "Bottleneck"),
                training=training, loss=cross_entropy(), targets=some_classes(3))
    head = [("pool", nn.AdaptiveAvgPool2d(1)), ("flatten", nn.Flatten()), ("fc", nn.Linear(4, 3))]
    yield Case(
        "network_resnet",
        [("conv1", convolution(3, 2, 3, padding=1)), ("bn1", nn.BatchNorm2d(2)),
         ("relu", nn.ReLU())]
        + basic_block("layer1/0", 2, 2, 1, "relu")
        + basic_block("layer2/0", 2, 4, 2, "layer1/0/relu2") + head,
        Inputs(2, 3, 4, 4), source="torchvision.models.resnet.ResNet", loss=cross_entropy(),
        targets=some_classes(3))
    yield Case(
        "network_encoder_block", encoder_block("block", 6, 2, 8, "x"), Inputs(2, 4, 6),
        source="torch.nn.TransformerEncoderLayer")
    yield Case(
        "network_vit_mean",
        patches() + encoder_block("block", 6, 2, 8, "tokens") + [
            ("ln", nn.LayerNorm(6, eps=1e-6)),
            ("mean", Function(
                "torch.mean", lambda x: x.mean(1), "pooling", statistic="average", window=[],
                channels_last=True)),
            ("head", nn.Linear(6, 3))],
        picture, source="torchvision.models.VisionTransformer", loss=cross_entropy(),
        targets=some_classes(3))
    yield Case(
        "network_vit",
        patches() + [
            ("class_token", Constant("class-token", 1, 6)),
            ("position", Constant("position-embedding", 5, 6))]
        + encoder_block("block", 6, 2, 8, "position") + [
            ("ln", nn.LayerNorm(6, eps=1e-6)), ("first", select(0, 0)),
            ("head", nn.Linear(6, 3))],
        picture, source="torchvision.models.VisionTransformer", loss=cross_entropy(),
        targets=some_classes(3))


CASES = [
    case for group in (
        dense_cases, activation_cases, convolution_cases, normalization_cases, pooling_cases,
        shape_cases, merge_cases, sequence_cases, loss_cases, network_cases)
    for case in group()]

if __name__ == "__main__":
    versions = {
        "python": platform.python_version(), "torch": torch.__version__.split("+")[0],
        "numpy": np.__version__, "h5py": h5py.__version__}
    agreement.main("torch", versions, CASES, outputs_axis=0)
