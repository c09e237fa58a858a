"""Write a PyTorch model, its weights and a gradient into one HDF5 file for `leakaudit`.

Needs torch 1.13 or newer and h5py, nothing else. Copy this file beside a training script:

    loss = torch.nn.functional.cross_entropy(model(x), y)
    loss.backward()
    leakaudit_torch.export("gradient.h5", model, x, batch_size=len(x))

and then run `leakaudit audit gradient.h5`. Documentation/Exporting.md describes the file.

The architecture is traced with torch.fx. A model that torch.fx cannot trace (control flow that
depends on data) is run once with hooks instead, with one warning; what happens between its layers
is then a `custom` layer. Nothing is ever left out: a module or function this file does not know
becomes a `custom` layer under its own name. The model is not changed: modes, buffers, gradients
and the random state are as before. Equal input gives equal bytes.
"""

import difflib
import dis
import inspect
import json
import os
import warnings

import h5py
import numpy
import torch
import torch.fx
from torch import nn

__all__ = ["ExportError", "export", "trace"]

LOSSES = ("softmax-cross-entropy", "binary-cross-entropy", "mean-squared-error")
REDUCTIONS = ("mean", "sum")


class ExportError(ValueError):
    """The model or the arguments cannot be exported; the message says what to change."""


def export(path, model, example_input, *, gradients=None, after_backward=True, before=None,
           batch_size=None, reduction="mean", loss="softmax-cross-entropy", local_steps=1,
           learning_rate=None, label_smoothing=None, training_mode=None, truth=None, name=None):
    """Write `model`, its parameters and a gradient (or a client update) to the HDF5 file `path`.

    model: an nn.Module in the mode (train or eval) in which the gradient was taken.
    example_input: what the model is called with: a tensor, a tuple of positional arguments or a
        dict of keyword arguments, batch axis first. Only shapes and types are used.
    gradients: a mapping from parameter name to tensor, or a sequence in the order of
        `model.parameters()` as `torch.autograd.grad` returns it; None entries are left out.
    after_backward: if no `gradients` are given, take `parameter.grad`. False writes the weights
        alone, for an audit of the architecture.
    before: for a client update in federated learning: the weights before the local training, as
        a state dict or a list in its order. The file then holds `before` as parameters and the
        difference (model minus before) as update; `gradients` and `.grad` are not read.
    batch_size: samples in the batch whose gradient this is; with several local steps, in each
        step. Left out of the file if it is not given and `truth` does not tell it.
    reduction: "mean" or "sum", as the loss reduces over the batch.
    loss: "softmax-cross-entropy" (of logits), "binary-cross-entropy" or "mean-squared-error";
        None if it is another one.
    local_steps, learning_rate: the local training behind `before`.
    label_smoothing: as given to the loss, if any.
    training_mode: whether batch normalisation and dropout were active; `model.training` if None.
    truth: (inputs, labels) of the batch, to evaluate an audit with. Leave it out of any file you
        would not show the data to.
    name: the network's name; the class name if None.

    Raises ExportError for a model without parameters, for gradients that are all None or do not
    fit the parameters, and for parameters that two layers share.
    """
    if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        model = model.module
    _choose("loss", loss, LOSSES + (None,))
    _choose("reduction", reduction, REDUCTIONS)
    if not any(True for _ in model.parameters()):
        raise ExportError(f"{type(model).__name__} has no parameters, so nothing of it can leak")
    if before is not None and gradients is not None:
        raise ExportError("gradients and before exclude each other: a file holds one observation")

    network = trace(model, example_input, name=name)
    network.settle_end(loss)
    values = model.state_dict(keep_vars=True)
    observed_group, observed = None, {}
    if before is not None:
        before = _named(before, list(values), "before", "state_dict()")
        observed_group = "update"
        for key, after in values.items():
            if key in before and after.is_floating_point():
                _check_shape("before", key, before[key], after)
                start = torch.as_tensor(before[key]).detach().cpu()
                observed[key] = after.detach().cpu() - start.to(after.dtype)
        values = {key: before.get(key, value) for key, value in values.items()}
    elif gradients is not None or after_backward:
        observed_group = "gradients"
        parameters = dict(model.named_parameters())
        if gradients is None:
            gradients = {key: parameter.grad for key, parameter in parameters.items()}
        gradients = _named(gradients, list(parameters), "gradients", "parameters()")
        for key, gradient in gradients.items():
            if gradient is not None:
                _check_shape("gradients", key, gradient, parameters[key])
                observed[key] = gradient
        if not observed:
            raise ExportError(
                f"none of the {len(gradients)} parameters has a gradient; call loss.backward() "
                "before the export and zero_grad() after it, or pass after_backward=False to "
                "export the weights alone")

    if truth is not None:
        if len(network.inputs) != 1:
            raise ExportError(
                f"truth can be written for a model with one input; this one has "
                f"{len(network.inputs)}")
        inputs, labels = (_array(value) for value in truth)
        batch_size = len(inputs) if batch_size is None else batch_size
    if training_mode is None:
        training_mode = model.training

    attributes = {
        "leakaudit_layout": 1, "architecture": network.json(), "convention": "channels_first",
        "framework": "pytorch", "reduction": reduction, "local_steps": int(local_steps),
        "training_mode": int(bool(training_mode)),
        "batch_size": None if batch_size is None else int(batch_size), "loss": loss,
        "learning_rate": None if learning_rate is None else float(learning_rate),
        "label_smoothing": None if label_smoothing is None else float(label_smoothing),
    }
    partial = f"{os.fspath(path)}.partial"
    try:
        with h5py.File(partial, "w") as file:
            for key, value in attributes.items():
                if value is not None:
                    file.attrs[key] = value
            for key, value in values.items():
                network.write(file, "parameters", key, value)
            for key, value in observed.items():
                network.write(file, observed_group, key, value)
            if truth is not None:
                file["truth/inputs"], file["truth/labels"] = inputs, labels
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def trace(model, example_input, *, name=None):
    """The architecture of `model` as the file states it; `.json()` gives its text."""
    if isinstance(model, torch.jit.ScriptModule):
        raise ExportError("a scripted model hides its layers; export the module it was made from")
    arguments = _arguments(model, example_input)
    parameters = _parameter_places(model)
    name = name or type(model).__name__
    with _Untouched(model):
        try:
            network = _Network(name, model, parameters)
            graph = _Tracer().trace(model, concrete_args=arguments.concrete)
            _read_graph(torch.fx.GraphModule(model, graph), arguments, network)
        except ExportError:
            raise
        except Exception as error:  # torch.fx raises many kinds; all mean the same here
            reason = str(error).strip().splitlines()
            warnings.warn(
                f"torch.fx cannot trace {name} ({reason[0] if reason else error!r}); its layers "
                "are exported in the order they ran, and anything between two layers as a custom "
                "layer", stacklevel=3)
            network = _Network(name, model, parameters)
    if not network.outputs:
        with _Untouched(model):
            _trace_with_hooks(model, arguments, network)
    network.finish()
    return network


# The network under construction


class _Network:
    """Layers in the order they run, and where each parameter belongs."""

    def __init__(self, name, model, parameters):
        self.name, self.inputs, self.outputs, self.layers = name, [], [], []
        self.root = None  # the layer of parameters that no submodule and no function claims
        self._taken, self._owners = set(), {}
        modules = dict(model.named_modules())
        for key in model.state_dict(keep_vars=True):
            owner, _, role = key.rpartition(".")
            module = modules[owner]
            self._owners[key] = (
                owner.replace(".", "/") if owner else None, _roles(module).get(role, role), module)
        self._parameters = parameters
        self._users = {}

    def add_input(self, name, shape):
        self.inputs.append({"name": self._unique(name), "shape": [int(e) for e in shape]})
        return self.inputs[-1]["name"]

    def add(self, name, kind, sources, **fields):
        layer = {"name": self._unique(name), "kind": kind, "inputs": list(sources), **fields}
        self.layers.append(layer)
        return layer["name"]

    def add_module(self, path, module, sources, *shapes):
        if any(True for _ in module.parameters()):
            self.use(path, [key for key in self._owners if key.startswith(path + ".")])
        name = self.add_described(path.replace(".", "/"), module, sources, *shapes)
        if isinstance(module, nn.MultiheadAttention):
            for part in ("weight", "bias"):
                key = f"{path}.out_proj.{part}"
                if key in self._owners:
                    self.own([key], name, {key: f"out_proj_{part}"})
        return name

    def add_described(self, name, module, sources, *shapes):
        kind, fields = describe_module(module, *shapes)
        if kind == "convolution" and module.padding_mode == "circular":
            sources = [self._wrapped(name, sources[0], module, shapes[0])]
        return self.add(name, kind, sources, **fields)

    def _wrapped(self, name, source, module, shape):
        """What circular padding is: both ends of each axis joined on at the far side."""
        for axis, (low, high) in enumerate(_wrapped_amounts(module)):
            def end(side, ends):
                amounts = [[0, 0] for _ in module.kernel_size]
                amounts[axis] = ends
                return self.add(f"{name}/{side}_{axis}", "resampling", [source],
                                class_name="circular padding", operation="crop", amounts=amounts)

            extent = int(shape[2 + axis])
            before = [end("before", [extent - low, 0])] if low else []
            behind = [end("behind", [0, extent - high])] if high else []
            if before or behind:
                source = self.add(f"{name}/padded_{axis}", "merge", [*before, source, *behind],
                                  operation="Concatenate", axis=axis + 1)
        return source

    def forget_form(self, name):
        """Leaves of an attention layer only what it is, for one called in another way."""
        layer = self.layer(name)
        for field in ("heads", "key_width", "value_width", "outputs", "bias", "causal"):
            layer.pop(field, None)

    def use(self, user, keys):
        """Notes that a layer uses parameters; a second user makes their gradient a sum."""
        for key in keys:
            identity = id(self._parameters[key]) if key in self._parameters else key
            first = self._users.setdefault(identity, user)
            if first != user or key in self._users.get("again " + user, ()):
                raise ExportError(
                    f"parameter {key} is shared: {first} and {user} both use it, so its gradient "
                    "is a sum over both uses, which the file cannot express; give each its own "
                    "parameters")
        self._users["again " + user] = set(keys)

    def own(self, keys, layer, roles):
        """Moves parameters that a function uses to the layer of that function."""
        for key in keys:
            _, role, module = self._owners[key]
            self._owners[key] = (layer, roles.get(key, role), module)

    def owner_path(self, keys):
        """The module that holds all these parameters, if it is one, not the root, not yet used."""
        owners = {key.rpartition(".")[0] for key in keys}
        path = owners.pop() if len(owners) == 1 else ""
        return None if not path or path.replace(".", "/") in self._taken else path

    def layer(self, name):
        return next((layer for layer in self.layers if layer["name"] == name), None)

    def consumers(self, name):
        return [layer for layer in self.layers if name in layer["inputs"]]

    def finish(self):
        for layer in self.layers:
            if layer.pop("_global", False):
                readers = self.consumers(layer["name"])
                if readers and all(reader["kind"] == "flatten" for reader in readers):
                    layer["window"], layer["stride"] = [], []
        if not self.layers:
            raise ExportError(f"{self.name} ran without a single layer")

    def settle_end(self, loss):
        """Says what a softmax in front of the loss means.

        In the file a softmax-cross-entropy after a softmax is −log of its probabilities.
        """
        last = self.layer(self.outputs[0]) if len(self.outputs) == 1 else None
        if last is None or loss != "softmax-cross-entropy":
            return
        if last.get("class_name") in ("LogSoftmax", "log_softmax") and len(
                last.get("output_shape", ())) == 1:
            # The negative log-likelihood of log-probabilities is the same function, as is a
            # cross-entropy of them, because log-softmax leaves log-probabilities unchanged.
            for key in ("class_name", "output_shape"):
                del last[key]
            last.update(kind="activation", function="softmax")
        elif last.get("function") == "softmax":
            warnings.warn(
                f"{self.name} ends in a softmax, so the file says that the loss is −log of its "
                "probabilities; torch.nn.functional.cross_entropy applies a second softmax: if "
                "the gradient was taken with it, pass loss=None", stacklevel=3)

    def json(self):
        return json.dumps({"name": self.name, "inputs": self.inputs, "outputs": self.outputs,
                           "layers": self.layers})

    def write(self, file, group, key, value):
        layer, role, _ = self._owners[key]
        file.create_dataset(f"{group}/{layer or self._root_layer()}/{role}", data=_array(value))

    def _root_layer(self):
        if self.root is None:
            self.root = self._unique(self.name)
        return self.root

    def _unique(self, name):
        name = name or "layer"
        candidate, number = name, 0
        while candidate in self._taken:
            number += 1
            candidate = f"{name}_{number}"
        self._taken.add(candidate)
        return candidate


_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def _roles(module):
    """The layout's names for a module's own parameters and buffers."""
    if isinstance(module, (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)) or (
            type(module).__name__ == "RMSNorm"):
        return {"weight": "scale", "bias": "shift", "running_var": "running_variance"}
    if isinstance(module, (nn.Embedding, nn.EmbeddingBag)):
        return {"weight": "embeddings"}
    return {}


# Modules


def describe_module(module, shape_in, shape_out):
    """The kind and the fields of a module; `custom` if it is none this file knows.

    The shapes are those of its first input and output, with batch axis; None if not tensors.
    """
    kind = type(module)
    if kind in _ACTIVATION_MODULES:
        fields = _ACTIVATION_MODULES[kind](module, shape_in)
        return ("activation", fields) if fields else _custom(module, shape_out)
    if isinstance(module, nn.Linear):
        return "dense", {"outputs": module.out_features, "bias": module.bias is not None}
    if isinstance(module, nn.modules.conv._ConvNd):
        return _convolution(
            module, shape_out, isinstance(module, _TRANSPOSED), module.weight.shape,
            module.bias is not None, module.stride, module.padding, module.dilation,
            module.groups, module.padding_mode, getattr(module, "output_padding", 0))
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        return "batch-normalization", {
            "axis": 0, "epsilon": module.eps, "has_scale": module.weight is not None,
            "has_shift": module.bias is not None}
    if isinstance(module, (nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm)) or isinstance(
            module, nn.modules.instancenorm._InstanceNorm) or (
            kind.__name__ == "RMSNorm" and kind.__module__.startswith("torch.nn")):
        return "normalization", _normalization(module)
    if isinstance(module, nn.Embedding):
        fields = {"tokens": module.num_embeddings, "width": module.embedding_dim}
        if module.padding_idx is not None:
            fields["padding_token"] = module.padding_idx
        return _custom(module, shape_out) if module.max_norm is not None or (
            module.scale_grad_by_freq) else ("embedding", fields)
    if isinstance(module, (nn.Dropout, nn.Dropout2d, nn.Dropout3d)):
        return "dropout", {"rate": float(module.p)}
    if isinstance(module, (nn.Flatten, nn.Unflatten)):
        return _reshaping(kind.__name__, shape_in, shape_out)
    if isinstance(module, nn.Identity):
        return "activation", {"function": "linear"}
    if isinstance(module, (nn.RNN, nn.LSTM, nn.GRU)) and module.batch_first:
        units = getattr(module, "proj_size", 0) or module.hidden_size
        prefix = "bidirectional " if module.bidirectional else ""
        prefix += f"{module.num_layers}-layer " if module.num_layers > 1 else ""
        fields = {"cell": prefix + kind.__name__, "returns_sequences": True,
                  "units": units * (2 if module.bidirectional else 1)}
        if not prefix and not getattr(module, "proj_size", 0):
            fields.update(
                bias=module.bias, activation=getattr(module, "nonlinearity", "tanh"),
                **({} if kind is nn.RNN else {"recurrent_activation": "sigmoid"}),
                **({"resets_after": True} if kind is nn.GRU else {}))
        return "recurrent", fields
    if isinstance(module, nn.MultiheadAttention):
        fields = {"class_name": kind.__name__}
        if module.batch_first and module.bias_k is None and not module.add_zero_attn and (
                module.dropout == 0):
            fields.update(
                heads=module.num_heads, key_width=module.head_dim, value_width=module.head_dim,
                outputs=module.embed_dim, bias=module.in_proj_bias is not None, causal=False)
        return "attention", fields
    for prefix, statistic in (("Max", "maximum"), ("Avg", "average")):
        if kind.__name__.startswith(prefix + "Pool") and kind.__module__.startswith("torch.nn"):
            return _pooling(
                kind.__name__, statistic, shape_in, shape_out, module.kernel_size, module.stride,
                module.padding, getattr(module, "dilation", 1), module.ceil_mode,
                getattr(module, "divisor_override", None),
                getattr(module, "count_include_pad", True))
        if kind.__name__.startswith(f"Adaptive{prefix}Pool"):
            return _adaptive_pooling(kind.__name__, statistic, shape_in, shape_out)
    if kind.__module__ in ("torch.nn.modules.padding", "torch.nn.modules.upsampling",
                           "torch.nn.modules.pixelshuffle"):
        fields = {"class_name": kind.__name__}
        if kind.__name__.startswith(("ZeroPad", "ConstantPad")) and not getattr(module, "value", 0):
            fields.update(_zero_padding(module.padding, shape_in))
        if isinstance(module, nn.Upsample):
            fields.update(_up_sampling(module.mode, module.align_corners, shape_in, shape_out))
        return "resampling", _with_shape(fields, shape_out)
    return _custom(module, shape_out)


def _normalization(module):
    """What a normalisation normalises over, where the layout has words for it."""
    fields = {"class_name": type(module).__name__}
    affine = {"has_scale": getattr(module, "weight", None) is not None,
              "has_shift": getattr(module, "bias", None) is not None}
    if isinstance(module, nn.GroupNorm):
        fields.update(axis=0, groups=module.num_groups, epsilon=module.eps, **affine)
    elif isinstance(module, nn.modules.instancenorm._InstanceNorm):
        if not module.track_running_stats and module.num_features > 0:
            fields.update(axis=0, groups=module.num_features, epsilon=module.eps, **affine)
    elif hasattr(module, "normalized_shape"):
        # PyTorch's RMSNorm takes the smallest step of the number type if no epsilon is given.
        kind = torch.float32 if module.weight is None else module.weight.dtype
        epsilon = torch.finfo(kind).eps if module.eps is None else module.eps
        axes = list(range(-len(module.normalized_shape), 0))
        fields.update(axes=axes, epsilon=epsilon, **affine)
    return fields


def _zero_padding(padding, shape_in):
    """The zeros before and behind each spatial axis; PyTorch lists the last axis first."""
    ends = [int(end) for end in padding]
    pairs = [ends[i:i + 2] for i in range(0, len(ends), 2)][::-1]
    if shape_in is None or min(ends, default=-1) < 0 or len(pairs) > len(shape_in) - 2:
        return {}
    return {"operation": "pad", "amounts": [[0, 0]] * (len(shape_in) - 2 - len(pairs)) + pairs}


def _up_sampling(mode, align_corners, shape_in, shape_out):
    """Factors where extents grow by whole numbers, nearest or linearly."""
    if mode not in ("nearest", "linear", "bilinear", "trilinear") or shape_in is None or any(
            after % before for before, after in zip(shape_in[2:], shape_out[2:])):
        return {}
    factors = [after // before for before, after in zip(shape_in[2:], shape_out[2:])]
    return {"operation": "upsample", "factors": factors,
            "interpolation": "nearest" if mode == "nearest" else "linear",
            "align_corners": bool(align_corners)}


def _custom(module, shape_out):
    name = type(module).__name__
    if isinstance(module, (nn.RNN, nn.LSTM, nn.GRU)):
        name += "" if module.batch_first else " (time axis first)"
    return "custom", _with_shape({"class_name": name}, shape_out)


def _with_shape(fields, shape_out):
    return fields if shape_out is None else {**fields, "output_shape": list(shape_out[1:])}


def _plain(function, **fields):
    return {"function": function, **fields}


def _softmax_fields(dimension, shape_in):
    last = shape_in is not None and dimension is not None and dimension % len(shape_in) == len(
        shape_in) - 1
    return _plain("softmax") if last else None


_ACTIVATION_MODULES = {
    nn.ReLU: lambda m, s: _plain("relu"),
    nn.ReLU6: lambda m, s: _plain("relu6"),
    nn.Sigmoid: lambda m, s: _plain("sigmoid"),
    nn.Hardsigmoid: lambda m, s: _plain("hard_sigmoid"),
    nn.Tanh: lambda m, s: _plain("tanh"),
    nn.Softplus: lambda m, s: _plain("softplus") if m.beta == 1 else None,
    nn.Hardswish: lambda m, s: _plain("hard_silu"),
    nn.Mish: lambda m, s: _plain("mish"),
    nn.Softsign: lambda m, s: _plain("softsign"),
    nn.SELU: lambda m, s: _plain("selu"),
    nn.SiLU: lambda m, s: _plain("silu"),
    nn.LeakyReLU: lambda m, s: _plain("leaky_relu", slope=float(m.negative_slope)),
    nn.ELU: lambda m, s: _plain("elu", alpha=float(m.alpha)),
    nn.GELU: lambda m, s: _plain("gelu", approximate=m.approximate == "tanh"),
    nn.Softmax: lambda m, s: _softmax_fields(m.dim, s),
}


def _each_axis(value, axes):
    return [int(v) for v in value] if isinstance(value, (tuple, list)) else [int(value)] * axes


def _wrapped_amounts(module):
    """How many places circular padding adds in front of each axis and behind it."""
    if module.padding == "same":
        spans = [rate * (extent - 1)
                 for rate, extent in zip(module.dilation, module.kernel_size)]
        return [(span // 2, span - span // 2) for span in spans]
    if module.padding == "valid":
        return [(0, 0) for _ in module.kernel_size]
    return [(amount, amount) for amount in module.padding]


def _convolution(subject, shape_out, transposed, weight, has_bias, stride, padding, dilation,
                 groups, padding_mode="zeros", output_padding=0):
    axes = len(weight) - 2
    title = subject if isinstance(subject, str) else type(subject).__name__
    if padding_mode == "circular":
        padding = "valid"
    elif padding_mode != "zeros":
        return "custom", _with_shape({"class_name": f"{title} ({padding_mode} padding)"},
                                     shape_out)
    if not isinstance(padding, str):
        amounts = _each_axis(padding, axes)
        padding = amounts if any(amounts) or transposed else "valid"
    own = {"output_padding": _each_axis(output_padding, axes), "swapped_kernel": True}
    filters = weight[1] * groups if transposed else weight[0]
    return "convolution", {
        "variant": "transposed" if transposed else "plain", "filters": int(filters),
        "kernel": [int(extent) for extent in weight[2:]], "stride": _each_axis(stride, axes),
        "dilation": _each_axis(dilation, axes), "padding": padding, "groups": int(groups),
        "bias": bool(has_bias), **(own if transposed else {})}


def _pooling(title, statistic, shape_in, shape_out, window, stride, padding, dilation, ceil_mode,
             divisor, counts_padding=True):
    axes = int(title.rstrip("d")[-1])
    window = _each_axis(window, axes)
    stride = window if stride is None or stride == [] else _each_axis(stride, axes)
    padding, dilation = _each_axis(padding, axes), _each_axis(dilation, axes)
    if divisor is not None:
        return "custom", _with_shape({"class_name": f"{title} (divisor)"}, shape_out)
    fields = {"statistic": statistic, "window": window, "stride": stride,
              "padding": padding if any(padding) else "valid"}
    if any(extent != 1 for extent in dilation):
        fields["dilation"] = dilation
    if ceil_mode:
        fields["ceil_mode"] = True
    if statistic == "average" and any(padding):
        fields["counts_padding"] = bool(counts_padding)
    return "pooling", fields


def _adaptive_pooling(title, statistic, shape_in, shape_out):
    axes = int(title.rstrip("d")[-1])
    before, after = (None if s is None else s[-axes:] for s in (shape_in, shape_out))
    if before is None or after is None:
        return "custom", _with_shape({"class_name": title}, shape_out)
    if any(b % a for b, a in zip(before, after)):
        return "pooling", {"statistic": statistic, "window": [], "stride": [], "padding": "valid",
                           "output_extents": list(after)}
    window = [b // a for b, a in zip(before, after)]
    fields = {"statistic": statistic, "window": window, "stride": window, "padding": "valid"}
    return "pooling", {**fields, "_global": True} if all(a == 1 for a in after) else fields


def _reshaping(title, shape_in, shape_out):
    if shape_in is None or shape_out is None or shape_in[:1] != shape_out[:1]:
        return "custom", {"class_name": title}
    if len(shape_out) == 2:
        return "flatten", {}
    return "reshape", {"target": list(shape_out[1:])}


# Functions and tensor methods

_SIGNATURES = {
    "linear": "input weight bias",
    "conv": "input weight bias stride padding dilation groups",
    "conv_transpose": "input weight bias stride padding output_padding groups dilation",
    "max_pool": "input kernel_size stride padding dilation ceil_mode return_indices",
    "avg_pool": "input kernel_size stride padding ceil_mode count_include_pad divisor_override",
    "batch_norm": "input running_mean running_var weight bias training momentum eps",
    "layer_norm": "input normalized_shape weight bias eps",
    "group_norm": "input num_groups weight bias eps",
    "embedding": "input weight padding_idx max_norm",
    "pad": "input pad mode value",
    "interpolate": "input size scale_factor mode align_corners",
    "dropout": "input p training inplace",
    "leaky_relu": "input negative_slope inplace",
    "elu": "input alpha inplace",
    "gelu": "input approximate",
    "softmax": "input dim",
    "softplus": "input beta threshold",
    "mean": "input dim keepdim",
    "cat": "tensors dim",
}
_NORMALIZED_ROLES = {"weight": "scale", "bias": "shift", "running_var": "running_variance",
                     "running_mean": "running_mean"}
_PLAIN_FUNCTIONS = {
    "relu": "relu", "relu6": "relu6", "sigmoid": "sigmoid", "hardsigmoid": "hard_sigmoid",
    "hardswish": "hard_silu", "mish": "mish", "tanh": "tanh", "softsign": "softsign", "selu": "selu", "silu": "silu",
    "exp": "exponential"}
_RESHAPING = {"flatten", "view", "reshape", "squeeze", "unsqueeze", "unflatten", "view_as",
              "reshape_as"}
_PERMUTING = {"permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "t"}
_RESAMPLING = {"pad", "interpolate", "upsample", "pixel_shuffle", "pixel_unshuffle"}
_SAME_VALUES = {"float", "double", "half", "bfloat16", "to", "type", "type_as", "int", "long",
                "cpu", "cuda"}
_MERGES = {"add": "Add", "iadd": "Add", "sub": "Subtract", "isub": "Subtract",
           "mul": "Multiply", "multiply": "Multiply", "imul": "Multiply",
           "maximum": "Maximum", "minimum": "Minimum", "matmul": "Dot", "bmm": "Dot"}


def _function_name(function):
    name = getattr(function, "__name__", None) or type(function).__name__
    # operator.and_ and Tensor.relu_ alike: the underscore is spelling or in-place, not meaning.
    return name.rstrip("_") or name


def _bind(signature, args, kwargs):
    return {**dict(zip(_SIGNATURES[signature].split(), args)), **kwargs}


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) or (
        isinstance(value, torch.Tensor) and value.numel() == 1 and value.dim() == 0
        and not isinstance(value, nn.Parameter))


def describe_call(name, args, kwargs, shape_in, shape_out):
    """The kind and the fields of a function or tensor method with one tensor among its data."""
    custom = "custom", _with_shape({"class_name": name}, shape_out)
    if name in _PLAIN_FUNCTIONS:
        return "activation", _plain(_PLAIN_FUNCTIONS[name])
    if name == "leaky_relu":
        slope = _bind(name, args, kwargs).get("negative_slope", 0.01)
        return "activation", _plain(name, slope=float(slope))
    if name == "elu":
        return "activation", _plain(name, alpha=float(_bind(name, args, kwargs).get("alpha", 1)))
    if name == "gelu":
        approximate = _bind(name, args, kwargs).get("approximate", "none") == "tanh"
        return "activation", _plain(name, approximate=approximate)
    if name == "softmax":
        fields = _softmax_fields(_bind(name, args, kwargs).get("dim"), shape_in)
        return ("activation", fields) if fields else custom
    if name == "softplus":
        return ("activation", _plain(name)) if _bind(name, args, kwargs).get(
            "beta", 1) == 1 else custom
    if name in _RESHAPING:
        return _reshaping(name, shape_in, shape_out)
    if name in _PERMUTING:
        order = _order(name, args, kwargs, shape_in)
        fields = {} if order is None else {"operation": "permute", "order": order}
        return "resampling", _with_shape({"class_name": "Permute", **fields}, shape_out)
    if name in _RESAMPLING:
        fields = {"class_name": name}
        if name == "pad":
            bound = _bind(name, args, kwargs)
            if bound.get("mode", "constant") == "constant" and not bound.get("value"):
                fields.update(_zero_padding(bound["pad"], shape_in))
        if name in ("interpolate", "upsample"):
            bound = _bind("interpolate", args, kwargs)
            fields.update(_up_sampling(
                bound.get("mode", "nearest"), bound.get("align_corners"), shape_in, shape_out))
        return "resampling", _with_shape(fields, shape_out)
    if name in _SAME_VALUES:
        return "activation", _plain("linear")
    if name in ("dropout", "dropout2d", "dropout3d"):
        return "dropout", {"rate": float(_bind("dropout", args, kwargs).get("p", 0.5))}
    if name == "linear":
        bound = _bind(name, args, kwargs)
        return "dense", {"outputs": int(bound["weight"].shape[0]),
                         "bias": bound.get("bias") is not None}
    for stem in ("conv_transpose", "conv"):
        if name in (stem + "1d", stem + "2d", stem + "3d"):
            bound = _bind(stem, args, kwargs)
            return _convolution(
                name, shape_out, stem == "conv_transpose", bound["weight"].shape,
                bound.get("bias") is not None, bound.get("stride", 1), bound.get("padding", 0),
                bound.get("dilation", 1), bound.get("groups", 1),
                output_padding=bound.get("output_padding", 0))
    for stem, statistic in (("max_pool", "maximum"), ("avg_pool", "average")):
        if name in (stem + "1d", stem + "2d", stem + "3d"):
            bound = _bind(stem, args, kwargs)
            return _pooling(
                name, statistic, shape_in, shape_out, bound["kernel_size"], bound.get("stride"),
                bound.get("padding", 0), bound.get("dilation", 1), bound.get("ceil_mode", False),
                bound.get("divisor_override"), bound.get("count_include_pad", True))
        if name.startswith("adaptive_" + stem) and not name.endswith("indices"):
            return _adaptive_pooling(name, statistic, shape_in, shape_out)
    if name == "mean" and shape_in is not None and len(shape_in) > 2:
        dims = _bind(name, args, kwargs).get("dim")
        dims = [dims] if isinstance(dims, int) else dims or []
        if {d % len(shape_in) for d in dims} == set(range(2, len(shape_in))):
            if len(shape_out) == 2:
                return "pooling", {"statistic": "average", "window": [], "stride": [],
                                   "padding": "valid"}
            extents = list(shape_in[2:])
            return "pooling", {"statistic": "average", "window": extents, "stride": extents,
                               "padding": "valid"}
    if name == "batch_norm":
        bound = _bind(name, args, kwargs)
        return "batch-normalization", {
            "axis": 0, "epsilon": float(bound.get("eps", 1e-5)),
            "has_scale": bound.get("weight") is not None,
            "has_shift": bound.get("bias") is not None}
    if name in ("layer_norm", "group_norm", "instance_norm"):
        fields = {"class_name": name}
        if name != "instance_norm":
            bound = _bind(name, args, kwargs)
            place = {"axis": 0, "groups": int(bound["num_groups"])} if name == "group_norm" else {
                "axes": list(range(-len(bound["normalized_shape"]), 0))}
            fields.update(
                **place, epsilon=float(bound.get("eps", 1e-5)),
                has_scale=bound.get("weight") is not None, has_shift=bound.get("bias") is not None)
        return "normalization", fields
    if name == "embedding":
        bound = _bind(name, args, kwargs)
        tokens, width = bound["weight"].shape
        fields = {"tokens": int(tokens), "width": int(width)}
        if bound.get("padding_idx") is not None:
            fields["padding_token"] = int(bound["padding_idx"]) % int(tokens)
        return custom if bound.get("max_norm") is not None else ("embedding", fields)
    if name == "scaled_dot_product_attention":
        return "attention", {"class_name": name}
    return _affine(name, args) or custom


def _order(name, args, kwargs, shape_in):
    """The axes behind the batch in their new order; None if the batch axis moves."""
    if shape_in is None:
        return None
    marks = torch.empty([extent + 1 for extent in range(len(shape_in))], device="meta")
    moved = getattr(torch.Tensor, "transpose" if name.startswith("swap") else name)(
        marks, *args[1:], **kwargs)
    order = [extent - 1 for extent in moved.shape]
    return None if order[0] != 0 else [axis - 1 for axis in order[1:]]


def _affine(name, args):
    """A number added, subtracted, multiplied or divided: a rescaling."""
    if name in ("neg", "negative"):
        return "rescaling", {"scale": -1.0, "offset": 0.0}
    if len(args) != 2 or sum(_is_number(value) for value in args) != 1:
        return None
    number_first = _is_number(args[0])
    number = float(args[0] if number_first else args[1])
    scale, offset = {
        "add": (1, number), "iadd": (1, number),
        "sub": (-1, number) if number_first else (1, -number), "isub": (1, -number),
        "rsub": (-1, number),
        "mul": (number, 0), "multiply": (number, 0), "imul": (number, 0),
        "truediv": (None, 0) if number_first or not number else (1 / number, 0),
        "div": (None, 0) if number_first or not number else (1 / number, 0),
        "divide": (None, 0) if number_first or not number else (1 / number, 0),
    }.get(name, (None, None))
    if scale is None:
        return None
    return "rescaling", {"scale": float(scale), "offset": float(offset)}


# Tracing with torch.fx


class _Unpacking:
    """Lets `a, b = value` be traced.

    torch.fx reads the number of names from the caller's byte code; torch 1.13 reads the wrong
    instruction on Python 3.11, so it is found by its offset here.
    """

    def __iter__(self):
        caller = inspect.currentframe().f_back
        for instruction in dis.get_instructions(caller.f_code):
            if instruction.offset == caller.f_lasti and instruction.opname == "UNPACK_SEQUENCE":
                return (self[index] for index in range(instruction.argval))
        raise torch.fx.proxy.TraceError("a loop runs over a tensor")


class _Attribute(_Unpacking, torch.fx.proxy.Attribute):
    pass


class _Proxy(_Unpacking, torch.fx.Proxy):
    def __getattr__(self, name):
        return _Attribute(self, name)


class _Tracer(torch.fx.Tracer):
    """Stops at PyTorch's own layers and at custom modules that hold nothing but parameters."""

    def proxy(self, node):
        return _Proxy(node, self)

    def is_leaf_module(self, module, qualified_name):
        if isinstance(module, (nn.Sequential, nn.ModuleList, nn.ModuleDict)):
            return False
        if super().is_leaf_module(module, qualified_name):
            return True
        own = next(module.parameters(recurse=False), None)
        if own is None or next(module.children(), None) is not None:
            return False
        # A module that hands its parameters to a known function is better read than hidden.
        return not _uses_known_function(module)


def _uses_known_function(module):
    try:
        graph = torch.fx.Tracer().trace(module)
    except Exception:
        return False
    for node in graph.nodes:
        if node.op == "call_function":
            name = _function_name(node.target)
            if name == "linear" or name.startswith("conv") or name in _NORMALIZATION_NAMES:
                return True
    return False


_NORMALIZATION_NAMES = ("batch_norm", "layer_norm", "group_norm", "embedding")


class _Recorder(torch.fx.Interpreter):
    """Runs a traced model once and keeps what every node got and gave."""

    def __init__(self, module):
        super().__init__(module, garbage_collect_values=False)
        self.results, self.calls = {}, {}

    def run_node(self, node):
        self.calls[node] = self.fetch_args_kwargs_from_env(node)
        self.results[node] = super().run_node(node)
        return self.results[node]


class _Several:
    """The outputs of a layer that gives more than one tensor."""

    def __init__(self, layer, path=()):
        self.layer, self.path = layer, path


def _read_graph(module, arguments, network):
    recorder = _Recorder(module)
    for child in module.modules():
        child.training = False
    with torch.no_grad():
        recorder.run(*arguments.ordered)
    modules = dict(module.named_modules())
    sources, parameters = {}, {}
    for node in module.graph.nodes:
        result = recorder.results[node]
        if node.op == "placeholder":
            if isinstance(result, torch.Tensor):
                sources[node] = network.add_input(arguments.names[len(network.inputs)],
                                                  result.shape[1:])
        elif node.op == "get_attr":
            if node.target in network._owners:
                parameters[node] = [node.target]
        elif node.op == "output":
            for used in _data_nodes(node, sources):
                name = _layer_of(sources[used])
                if name not in network.outputs:
                    network.outputs.append(name)
        elif _has_tensor(result):
            _read_node(node, recorder, modules, network, sources, parameters)


def _read_node(node, recorder, modules, network, sources, parameters):
    args, kwargs = recorder.calls[node]
    result = recorder.results[node]
    data = _data_nodes(node, sources)
    keys = [key for used in node.all_input_nodes for key in parameters.get(used, ())]
    shape_in = _shape(recorder.results[data[0]]) if data else None
    shape_out = _shape(result)
    if node.op == "call_module":
        names = _distinct(_layer_of(sources[used]) for used in data)
        name = network.add_module(node.target, modules[node.target], names, shape_in, shape_out)
        if isinstance(modules[node.target], nn.MultiheadAttention):
            given = [sources[used] for used in node.args[:3] if used in sources]
            # One, two (query; key and value) or three tensors are told apart by their number.
            plain = len(given) == 3 and given[1] == given[2] or len(set(map(str, given))) == 3
            if not plain or set(node.kwargs) - {"need_weights", "average_attn_weights"} or (
                    len(node.args) > 3):
                network.forget_form(name)
        sources[node] = name if shape_out is not None else _Several(name)
        return
    if not data:
        # Computed from parameters alone: they belong to whatever uses the result.
        parameters[node] = keys
        return
    function = node.target if node.op == "call_method" else _function_name(node.target)
    function = function.rstrip("_") if not function.startswith("__") else function
    if function in ("contiguous", "clone"):
        sources[node] = sources[data[0]]
        return
    if function == "getitem":
        if isinstance(sources[data[0]], _Several) and not node.users:
            return
        picked = _pick(node, data[0], args, network, sources)
        if picked is not None:
            sources[node] = picked
            return
    names = [_layer_of(sources[used]) for used in data]
    operands = [recorder.results[used] for used in data]
    if not keys and len(data) > 1 and function in _MERGES:
        if function in ("add", "iadd", "mul", "multiply", "imul"):
            names = [n for _, n in sorted(zip(operands, names), key=lambda p: -p[0].numel())]
        scaled = function in ("add", "sub") and kwargs.get("alpha", 1) != 1
        kind, fields = ("custom", _with_shape({"class_name": f"{function} (alpha)"}, shape_out)) \
            if scaled else ("merge", {"operation": _MERGES[function]})
    elif function in ("cat", "concat", "concatenate") and len(data) > 1 and not keys:
        dimension = _bind("cat", args, kwargs).get("dim", kwargs.get("axis", 0)) % len(shape_out)
        kind, fields = "merge", {"operation": "Concatenate", "axis": dimension - 1}
        if dimension == 0:
            kind, fields = "custom", {"class_name": f"{function} (batch axis)"}
    elif len(set(names)) > 1 and function != "scaled_dot_product_attention":
        kind, fields = "custom", _with_shape({"class_name": function}, shape_out)
    else:
        kind, fields = describe_call(function, args, kwargs, shape_in, shape_out)
    name = network.owner_path(keys) or node.name
    network.use(name, keys)
    name = network.add(name.replace(".", "/"), kind,
                       names if kind == "merge" else _distinct(names), **fields)
    network.own(keys, name, _function_roles(function, node, parameters))
    sources[node] = name if shape_out is not None else _Several(name)


def _function_roles(function, node, parameters):
    """What the parameters are to a known function: its own argument names, not the attributes'."""
    signature = function if function in _SIGNATURES else function[:-2]
    if signature not in _SIGNATURES:
        return {}
    roles = {}
    for argument, value in _bind(signature, node.args, node.kwargs).items():
        if isinstance(value, torch.fx.Node):
            for key in parameters.get(value, ()):
                if function in ("batch_norm", "layer_norm", "group_norm"):
                    roles[key] = _NORMALIZED_ROLES.get(argument, argument)
                else:
                    roles[key] = "embeddings" if function == "embedding" else argument
    return roles


def _pick(node, source, args, network, sources):
    """What an index into several outputs, or the last step of a recurrent layer, stands for."""
    origin, index = sources[source], args[1]
    layer = network.layer(_layer_of(origin))
    if layer is None:
        return None
    recurrent = layer["kind"] == "recurrent"
    if isinstance(origin, _Several):
        path = origin.path + (index,)
        if path == (0,) and layer["kind"] in ("recurrent", "attention"):
            return origin.layer
        if recurrent and layer["cell"] in ("LSTM", "GRU", "RNN"):
            if path == (1,) and layer["cell"] == "LSTM":
                return _Several(origin.layer, path)
            state = (1, 0, -1) if layer["cell"] == "LSTM" else (1, -1)
            alone = len(source.users) == 1 and not network.consumers(layer["name"])
            if path in (state, state[:-1] + (0,)) and alone and not _sequence_read(node):
                layer["returns_sequences"] = False
                return origin.layer
            if path == state[:-1]:
                return _Several(origin.layer, path)
        return None
    last = isinstance(index, tuple) and len(index) in (2, 3) and index[0] == slice(None) and (
        index[1] == -1) and index[2:] in ((), (slice(None),))
    if recurrent and last and len(source.users) == 1 and (
            layer["cell"] in ("LSTM", "GRU", "RNN")) and not network.consumers(layer["name"]):
        layer["returns_sequences"] = False
        return origin
    return None


def _sequence_read(node):
    """Whether the sequence output of the recurrent module above `node` is read too."""
    while node.op != "call_module":
        node = node.args[0]
    return any(user.args[1] == 0 and user.users for user in node.users
               if user.op == "call_function" and _function_name(user.target) == "getitem")


def _data_nodes(node, sources):
    found = []
    torch.fx.node.map_arg((node.args, node.kwargs),
                          lambda used: found.append(used) if used in sources else None)
    return found


def _layer_of(source):
    return source.layer if isinstance(source, _Several) else source


def _distinct(names):
    return list(dict.fromkeys(names))


def _shape(value):
    return tuple(value.shape) if isinstance(value, torch.Tensor) else None


def _has_tensor(value):
    if isinstance(value, (tuple, list)):
        return any(_has_tensor(part) for part in value)
    return isinstance(value, torch.Tensor)


# Tracing by running


def _trace_with_hooks(model, arguments, network):
    known = {}  # tensors are kept alive, so that an identity is not given twice
    state = {"last": None}

    def remember(name, value):
        known.pop(id(value), None)
        known[id(value)] = (name, value, value._version)
        state["last"] = name

    def source_of(value):
        """The layer a tensor comes from; what happened to it in between is a layer too."""
        name, _, version = known.get(id(value), (None, None, None))
        if version == value._version:
            return name
        for name, earlier, version in reversed(list(known.values())):
            same = value.data_ptr() == earlier.data_ptr() and value.numel() == earlier.numel()
            if same and version == value._version and (
                    value.is_contiguous() and earlier.is_contiguous()):
                kind, fields = _reshaping("reshape", _shape(earlier), _shape(value))
                name = network.add("reshape", kind, [name], **fields)
                break
        else:
            name = untraced(_shape(value))
        remember(name, value)
        return name

    def untraced(shape):
        return network.add("untraced", "custom", [state["last"]],
                           **_with_shape({"class_name": "untraced"}, shape))

    def before(module, received):
        # Not after the layer ran: it may have worked on its input in place.
        state["names"] = _distinct(
            source_of(v) for v in received if isinstance(v, torch.Tensor)) or [untraced(None)]

    def after(path):
        def hook(module, received, gave):
            tensors, names = [v for v in received if isinstance(v, torch.Tensor)], state["names"]
            shape_in = _shape(tensors[0]) if tensors else None
            name = network.add_module(path, module, names, shape_in, _shape(gave))
            if isinstance(module, nn.MultiheadAttention):
                network.forget_form(name)  # how it was called is not seen here
            for value in gave if isinstance(gave, (tuple, list)) else [gave]:
                if isinstance(value, torch.Tensor):
                    remember(name, value)
            state["last"] = name
        return hook

    for value in arguments.tensors:
        remember(network.add_input(arguments.names[len(network.inputs)], value.shape[1:]), value)
    tracer, handles = _Tracer(), []
    for path, module in model.named_modules():
        inside = any(path.startswith(leaf + ".") for leaf, _ in handles)
        childless = next(module.children(), None) is None
        if path and not inside and (tracer.is_leaf_module(module, path) or childless):
            module.training = False
            handles.append((path, module.register_forward_pre_hook(before)))
            handles.append((path, module.register_forward_hook(after(path))))
    try:
        with torch.no_grad():
            result = model(*arguments.args, **arguments.kwargs)
    finally:
        for _, handle in handles:
            handle.remove()
    if not handles:
        # The model is itself a layer.
        tensors = [v for v in _parts(result) if isinstance(v, torch.Tensor)]
        name = network.add_described(
            network.name, model, [e["name"] for e in network.inputs],
            _shape(arguments.tensors[0]), _shape(tensors[0]) if tensors else None)
        network.root, network.outputs = name, [name]
        return
    for value in _parts(result):
        if isinstance(value, torch.Tensor):
            network.outputs = _distinct(network.outputs + [source_of(value)])


def _parts(result):
    """The values a model returned, whatever they are packed in."""
    if isinstance(result, dict):
        result = tuple(result.values())
    if isinstance(result, (tuple, list)):
        return [value for part in result for value in _parts(part)]
    return [result]


# Arguments and arrays


class _Arguments:
    """The example input by the names and in the order of `forward`."""

    def __init__(self, args, kwargs, names, ordered, tensors, concrete):
        self.args, self.kwargs, self.names = args, kwargs, names
        self.ordered, self.tensors, self.concrete = ordered, tensors, concrete


def _arguments(model, example_input):
    args, kwargs = (), {}
    if isinstance(example_input, dict):
        kwargs = dict(example_input)
    elif isinstance(example_input, (tuple, list)):
        args = tuple(example_input)
    else:
        args = (example_input,)
    if not any(isinstance(v, torch.Tensor) for v in (*args, *kwargs.values())):
        raise ExportError("example_input holds no tensor; pass what the model is called with")
    # A copy, because a model may work on its input in place.
    args = tuple(v.detach().clone() if isinstance(v, torch.Tensor) else v for v in args)
    kwargs = {k: v.detach().clone() if isinstance(v, torch.Tensor) else v
              for k, v in kwargs.items()}
    try:
        bound = inspect.signature(model.forward).bind(*args, **kwargs)
    except TypeError as error:
        raise ExportError(f"example_input does not fit {type(model).__name__}.forward: {error}")
    bound.apply_defaults()
    given = bound.arguments
    tensors = {k: v for k, v in given.items() if isinstance(v, torch.Tensor)}
    for value in tensors.values():
        if value.dim() == 0:
            raise ExportError("example_input needs a batch axis in front of each tensor")
    names = list(tensors) or ["input"]
    names += [f"input_{i}" for i in range(len(args) + len(kwargs))]
    return _Arguments(args, kwargs, names, list(given.values()), list(tensors.values()) or [
        v for v in args if isinstance(v, torch.Tensor)],
        {k: v for k, v in given.items() if not isinstance(v, torch.Tensor)} or None)


def _parameter_places(model):
    """Every parameter by every name it has; one that two modules hold is shared."""
    places, first, seen = {}, {}, set()
    for path, module in model.named_modules():
        if id(module) in seen:
            continue
        seen.add(id(module))
        for own, parameter in module._parameters.items():
            if parameter is None:
                continue
            key = f"{path}.{own}" if path else own
            if id(parameter) in first:
                raise ExportError(
                    f"parameter {key} is shared: it is the same tensor as {first[id(parameter)]}, "
                    "so its gradient is a sum over both uses, which the file cannot express; "
                    "give each its own parameters")
            first[id(parameter)] = key
            places[key] = parameter
    return places


class _Untouched:
    """Restores modes, buffers and the random state of the CPU on leaving."""

    def __init__(self, model):
        self.model = model

    def __enter__(self):
        self.modes = [(module, module.training) for module in self.model.modules()]
        self.buffers = [(buffer, buffer.detach().clone()) for buffer in self.model.buffers()]
        self.random_state = torch.random.get_rng_state()

    def __exit__(self, *_):
        for module, mode in self.modes:
            module.training = mode
        with torch.no_grad():
            for buffer, value in self.buffers:
                buffer.copy_(value)
        torch.random.set_rng_state(self.random_state)


def _array(value):
    """A NumPy array of native type; bfloat16, which NumPy lacks, becomes float32 exactly."""
    if not isinstance(value, torch.Tensor):
        return numpy.ascontiguousarray(value)
    value = value.detach().cpu()
    value = value.to_dense() if value.is_sparse else value
    value = value.float() if value.dtype == torch.bfloat16 else value
    return value.resolve_conj().resolve_neg().contiguous().numpy()


def _named(values, names, what, order):
    """`values` as a dict by parameter name, whether it came as a mapping or a sequence."""
    if hasattr(values, "items"):
        values = dict(values.items())
        for key in values:
            if key not in names:
                close = difflib.get_close_matches(str(key), names, 1)
                hint = f"; did you mean {close[0]}?" if close else ""
                raise ExportError(f"{what} names {key!r}, which the model does not have{hint}")
        return values
    values = list(values)
    if len(values) != len(names):
        raise ExportError(
            f"{what} has {len(values)} entries, but model.{order} has {len(names)}")
    return dict(zip(names, values))


def _check_shape(what, key, value, parameter):
    if tuple(value.shape) != tuple(parameter.shape):
        raise ExportError(
            f"{what} of {key} has shape {list(value.shape)}, its parameter has "
            f"{list(parameter.shape)}; are they of the same model?")


def _choose(what, value, choices):
    if value not in choices:
        close = difflib.get_close_matches(str(value), [c for c in choices if c], 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        allowed = ", ".join(repr(choice) for choice in choices)
        raise ExportError(f"{what} is {value!r}; it is one of {allowed}{hint}")
