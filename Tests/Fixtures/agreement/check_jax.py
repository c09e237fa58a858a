"""Computes cases again with JAX, from their neutral description alone, and compares.

JAX differentiates in another way (forward over reverse) and shares no code with the generators. A
case with a layer that has no rule here is left out and counted.
"""
import functools
import math
import os
import sys

import h5py
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, nn

import agreement

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
# Compiling is most of the time.
jax.config.update("jax_disable_most_optimizations", True)
BOUND = 1e-10
FUNCTIONS = {
    "linear": lambda x, f: x, "relu": lambda x, f: nn.relu(x), "relu6": lambda x, f: nn.relu6(x),
    "leaky_relu": lambda x, f: nn.leaky_relu(x, f["slope"]),
    "elu": lambda x, f: nn.elu(x, f["alpha"]), "selu": lambda x, f: nn.selu(x),
    "gelu": lambda x, f: nn.gelu(x, f["approximate"]), "silu": lambda x, f: nn.silu(x),
    "sigmoid": lambda x, f: nn.sigmoid(x), "hard_sigmoid": lambda x, f: nn.hard_sigmoid(x),
    "hard_silu": lambda x, f: nn.hard_silu(x), "tanh": lambda x, f: jnp.tanh(x),
    "softplus": lambda x, f: nn.softplus(x), "softsign": lambda x, f: nn.soft_sign(x),
    "mish": lambda x, f: nn.mish(x), "exponential": lambda x, f: jnp.exp(x),
    "softmax": lambda x, f: nn.softmax(x), "log_softmax": lambda x, f: nn.log_softmax(x),
}
MERGES = {
    "Add": sum, "Multiply": math.prod, "Subtract": lambda p: p[0] - p[1],
    "Average": lambda parts: sum(parts) / len(parts),
    "Maximum": lambda parts: functools.reduce(jnp.maximum, parts),
    "Minimum": lambda parts: functools.reduce(jnp.minimum, parts)}


class Unknown(Exception):
    """A layer that is not interpreted here."""


def same(extent, kernel, stride, dilation=1):
    """TensorFlow's padding: as many zeros as needed, the odd one behind."""
    total = max((-(-extent // stride) - 1) * stride + dilation * (kernel - 1) + 1 - extent, 0)
    return total // 2, total - total // 2


class Network:
    """The function that a row describes."""

    def __init__(self, row):
        self.row, self.architecture = row, row["architecture"]
        self.first = row["layout"] == "channels_first"

    def __call__(self, inputs, parameters):
        values = dict(inputs)
        for layer in self.architecture["layers"]:
            own = {path.rpartition("/")[2]: value for path, value in parameters.items()
                   if path.rpartition("/")[0] == layer["name"]}
            rule = getattr(self, layer["kind"].replace("-", "_"), None)
            if rule is None:
                raise Unknown(layer["kind"])
            values[layer["name"]] = rule([values[name] for name in layer["inputs"]], layer, own)
        return values[self.architecture["outputs"][0]]

    def spatial(self, x):
        return x.shape[2:] if self.first else x.shape[1:-1]

    def over_channels(self, vector, x, axis=None):
        axis = axis if axis is not None else 0 if self.first else -1
        shape = [1] * x.ndim
        shape[axis + 1 if axis >= 0 else axis] = -1
        return vector.reshape(shape)

    def dense(self, parts, layer, own):
        weight = own["weight"].T if self.first else own["weight"]
        return parts[0] @ weight + own.get("bias", 0)

    def activation(self, parts, layer, own):
        return FUNCTIONS[layer["function"]](parts[0], layer)

    def convolution(self, parts, layer, own):
        x = parts[0]
        bias = self.over_channels(own["bias"], x) if "bias" in own else 0
        if layer["variant"] == "separable":
            x = self.convolve(x, own["depthwise_kernel"], {**layer, "variant": "depthwise"})
            once = [1] * len(layer["kernel"])
            return bias + self.convolve(x, own["pointwise_kernel"], {
                **layer, "variant": "plain", "kernel": once, "stride": once, "dilation": once})
        return self.convolve(x, own["weight"], layer) + bias

    def convolve(self, x, kernel, layer):
        rank, groups = len(layer["kernel"]), layer["groups"]
        # Kernels become [outputs, inputs per group, spatial…].
        if not self.first:
            kernel = jnp.moveaxis(kernel, (-1, -2), (0, 1))
            if layer["variant"] == "depthwise":
                groups = kernel.shape[1]
                kernel = jnp.swapaxes(kernel, 0, 1).reshape((-1, 1) + kernel.shape[2:])
        elif layer["variant"] == "transposed":
            split = kernel.reshape((groups, -1) + kernel.shape[1:])
            kernel = jnp.swapaxes(split, 1, 2).reshape(
                (-1, kernel.shape[0] // groups) + kernel.shape[2:])
        if layer["variant"] == "transposed" and not self.first:
            kernel = jnp.swapaxes(kernel, 0, 1)
        letters = "DHW"[-rank:]
        dimensions = ("NC" + letters if self.first else "N" + letters + "C", "OI" + letters)
        dimensions += (dimensions[0],)
        reach = [d * (n - 1) + 1 for n, d in zip(layer["kernel"], layer["dilation"])]
        if layer["variant"] == "transposed":
            kernel = jnp.flip(kernel, range(2, 2 + rank))
            return lax.conv_general_dilated(
                x, kernel, [1] * rank, self.transposed_padding(x, layer, reach),
                lhs_dilation=layer["stride"], rhs_dilation=layer["dilation"],
                dimension_numbers=dimensions, feature_group_count=groups)
        return lax.conv_general_dilated(
            x, kernel, layer["stride"], self.padding(x, layer, reach),
            rhs_dilation=layer["dilation"], dimension_numbers=dimensions,
            feature_group_count=groups)

    def padding(self, x, layer, reach):
        if layer["padding"] == "valid":
            return [(0, 0)] * len(reach)
        if layer["padding"] == "causal":
            return [(reach[0] - 1, 0)]
        if layer["padding"] == "same":
            return [same(*axis) for axis in zip(self.spatial(x), reach, layer["stride"])]
        return [(amount, amount) for amount in layer["padding"]]

    def transposed_padding(self, x, layer, reach):
        """Pads of the convolution over the spread-out input, from the extent of the output."""
        found = []
        for axis, extent in enumerate(self.spatial(x)):
            step, window = layer["stride"][axis], reach[axis]
            extra = layer["output_padding"][axis] if "output_padding" in layer else None
            spread = (extent - 1) * step + 1
            if layer["padding"] == "same":
                output = extent * step if extra is None else (
                    spread - 1 + window - 2 * (window // 2) + extra)
                cut = same(output, window, step)[0]
            elif layer["padding"] == "valid":
                output = spread - 1 + (max(window, step) if extra is None else window + extra)
                cut = 0
            else:
                cut = layer["padding"][axis]
                output = spread - 1 + window - 2 * cut + (extra or 0)
            low = window - 1 - cut
            found.append((low, output - 1 + window - spread - low))
        return found

    def batch_normalization(self, parts, layer, own):
        x = parts[0]
        channels = (layer["axis"] + 1) % x.ndim if layer["axis"] >= 0 else x.ndim - 1
        wide = lambda vector: self.over_channels(vector, x, layer["axis"])
        if self.row["training"]:
            others = tuple(axis for axis in range(x.ndim) if axis != channels)
            mean, variance = (f(x, others, keepdims=True) for f in (jnp.mean, jnp.var))
        else:
            mean, variance = wide(own["running_mean"]), wide(own["running_variance"])
        x = (x - mean) / jnp.sqrt(variance + layer["epsilon"])
        x = x * wide(own["scale"]) if layer["has_scale"] else x
        return x + wide(own["shift"]) if layer["has_shift"] else x

    def normalization(self, parts, layer, own):
        x, name = parts[0], layer["class_name"]
        if "groups" in layer:
            return self.grouped(x, layer, own)
        if name == "Normalization":
            mean, variance = jnp.asarray(layer["mean"]), jnp.asarray(layer["variance"])
            return (x - mean) / jnp.sqrt(variance)
        if name == "UnitNormalization":
            return x / jnp.sqrt(jnp.sum(x * x, tuple(layer["axes"]), keepdims=True))
        if name not in ("LayerNorm", "LayerNormalization", "RMSNorm", "RMSNormalization"):
            raise Unknown(name)
        axes = tuple(layer["axes"])
        if name.startswith("Layer"):
            x = x - jnp.mean(x, axes, keepdims=True)
        x = x / jnp.sqrt(jnp.mean(x * x, axes, keepdims=True) + layer["epsilon"])
        shape = [x.shape[axis] if axis - x.ndim in axes else 1 for axis in range(x.ndim)]
        x = x * own["scale"].reshape(shape) if layer["has_scale"] else x
        return x + own["shift"].reshape(shape) if layer["has_shift"] else x

    def grouped(self, x, layer, own):
        channels = x.shape[1] if self.first else x.shape[-1]
        y = x if self.first else jnp.moveaxis(x, -1, 1)
        y = y.reshape(x.shape[0], layer["groups"] % (channels + 1), -1)
        y = (y - y.mean(-1, keepdims=True)) / jnp.sqrt(
            y.var(-1, keepdims=True) + layer["epsilon"])
        shape = (x.shape[0], channels) + self.spatial(x)
        y = y.reshape(shape)
        y = y if self.first else jnp.moveaxis(y, 1, -1)
        y = y * self.over_channels(own["scale"], y) if layer["has_scale"] else y
        return y + self.over_channels(own["shift"], y) if layer["has_shift"] else y

    def pooling(self, parts, layer, own):
        x = parts[0]
        first = self.first and not layer.get("channels_last")
        axes = tuple(range(2, x.ndim) if first else range(1, x.ndim - 1))
        if "output_extents" in layer or layer.get("ceil_mode") or max(
                layer.get("dilation", [1])) > 1:
            raise Unknown("pooling with options")
        if not layer["window"]:
            reduce = jnp.max if layer["statistic"] == "maximum" else jnp.mean
            return reduce(x, axes, keepdims=layer.get("keeps_axes", False))
        window, stride, pads = [1] * x.ndim, [1] * x.ndim, [(0, 0)] * x.ndim
        for i, axis in enumerate(axes):
            window[axis], stride[axis] = layer["window"][i], layer["stride"][i]
            if layer["padding"] == "same":
                pads[axis] = same(x.shape[axis], window[axis], stride[axis])
            elif layer["padding"] != "valid":
                pads[axis] = (layer["padding"][i],) * 2
        if layer["statistic"] == "maximum":
            return lax.reduce_window(x, -jnp.inf, lax.max, window, stride, pads)
        total = lax.reduce_window(x, 0.0, lax.add, window, stride, pads)
        if layer["counts_padding"]:
            return total / np.prod(window)
        return total / lax.reduce_window(
            jnp.ones_like(x), 0.0, lax.add, window, stride, pads)

    def flatten(self, parts, layer, own):
        return parts[0].reshape(parts[0].shape[0], -1)

    def reshape(self, parts, layer, own):
        return parts[0].reshape([parts[0].shape[0]] + layer["target"])

    def dropout(self, parts, layer, own):
        return parts[0]

    def rescaling(self, parts, layer, own):
        return parts[0] * layer["scale"] + layer["offset"]

    def select(self, parts, layer, own):
        return jnp.take(parts[0], layer["index"], layer["axis"] + 1)

    def class_token(self, parts, layer, own):
        token = jnp.broadcast_to(own["token"], (parts[0].shape[0],) + own["token"].shape[1:])
        return jnp.concatenate([token, parts[0]], 1)

    def position_embedding(self, parts, layer, own):
        return parts[0] + own["position"]

    def resampling(self, parts, layer, own):
        x, operation = parts[0], layer["operation"]
        start = 2 if self.first else 1
        if operation == "permute":
            return x.transpose([0] + [axis + 1 for axis in layer["order"]])
        if operation == "repeat":
            return jnp.repeat(x[:, None], layer["count"], 1)
        if operation == "pad":
            pads = [(0, 0)] * x.ndim
            pads[start:start + len(layer["amounts"])] = layer["amounts"]
            return jnp.pad(x, pads)
        if operation == "crop":
            for axis, (low, high) in enumerate(layer["amounts"], start):
                x = lax.slice_in_dim(x, low, x.shape[axis] - high, axis=axis)
            return x
        for axis, factor in enumerate(layer["factors"], start):
            if layer["interpolation"] == "nearest":
                x = jnp.repeat(x, factor, axis)
            else:
                x = self.interpolate(x, axis, factor, layer["align_corners"])
        return x

    @staticmethod
    def interpolate(x, axis, factor, aligned):
        """Linear between the two nearest centres, constant beyond the outer ones."""
        extent = x.shape[axis]
        length = extent * factor
        place = np.arange(length) * (extent - 1) / (length - 1) if aligned else (
            np.arange(length) + 0.5) / factor - 0.5
        weights = np.maximum(
            1 - np.abs(np.clip(place, 0, extent - 1)[:, None] - np.arange(extent)), 0)
        return jnp.moveaxis(jnp.tensordot(jnp.asarray(weights), x, (1, axis)), 0, axis)

    def attention(self, parts, layer, own):
        query, key, value = (parts * 3)[:3] if len(parts) == 1 else (
            parts[0], parts[1], parts[-1])
        heads, width = layer["heads"], layer["key_width"]
        names = ("query", "key", "value")
        if self.first:
            total = layer["outputs"]
            weights = jnp.split(own["in_proj_weight"], 3) if "in_proj_weight" in own else [
                own[name] for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight")]
            biases = jnp.split(own["in_proj_bias"], 3) if layer["bias"] else [jnp.zeros(total)] * 3
            q, k, v = (
                (x @ w.T + b).reshape(x.shape[:2] + (heads, width))
                for x, w, b in zip((query, key, value), weights, biases))
        else:
            q, k, v = (
                jnp.einsum("ntd,dhw->nthw", x, own[f"{name}_kernel"]) + own.get(f"{name}_bias", 0)
                for x, name in zip((query, key, value), names))
        scores = jnp.einsum("nqhw,nkhw->nhqk", q, k) / np.sqrt(width)
        if layer["causal"]:
            scores = jnp.where(np.tri(*scores.shape[2:], dtype=bool), scores, -jnp.inf)
        y = jnp.einsum("nhqk,nkhw->nqhw", nn.softmax(scores), v)
        if self.first:
            y = y.reshape(y.shape[:2] + (-1,)) @ own["out_proj.weight"].T
            return y + own.get("out_proj.bias", 0)
        return jnp.einsum("nqhw,hwd->nqd", y, own["attention_output_kernel"]) + own.get(
            "attention_output_bias", 0)

    def recurrent(self, parts, layer, own):
        x, units = parts[0], layer["units"]
        if self.first:
            weight, inner = own["weight_ih_l0"].T, own["weight_hh_l0"].T
            zeros = jnp.zeros(weight.shape[1])
            biases = [own.get("bias_ih_l0", zeros), own.get("bias_hh_l0", zeros)]
        else:
            weight, inner = own["weight"], own["recurrent_kernel"]
            zeros = jnp.zeros(weight.shape[1])
            biases = own["bias"] if own.get("bias", zeros).ndim == 2 else [
                own.get("bias", zeros), zeros]
        state = carry = jnp.zeros((x.shape[0], units))
        steps, outputs = range(x.shape[1]), []
        for step in reversed(steps) if layer.get("reversed") else steps:
            arriving = x[:, step] @ weight + biases[0]
            state, carry = self.step(layer, arriving, state, carry, inner, biases[1])
            outputs.append(state)
        return jnp.stack(outputs, 1) if layer["returns_sequences"] else state

    @staticmethod
    def step(layer, arriving, state, carry, inner, bias):
        units = layer["units"]
        inside = lambda x: FUNCTIONS[layer["activation"]](x, layer)
        if "gates" not in layer:
            return inside(arriving + state @ inner + bias), carry
        gate = lambda x: FUNCTIONS[layer["recurrent_activation"]](x, layer)
        places = {name: slice(i * units, (i + 1) * units) for i, name in enumerate(layer["gates"])}
        of = lambda name, h=state: h @ inner[:, places[name]] + bias[places[name]]
        total = lambda name: arriving[:, places[name]] + of(name)
        if layer["cell"] == "LSTM":
            carry = gate(total("forget")) * carry + gate(total("input")) * inside(
                total("candidate"))
            return gate(total("output")) * inside(carry), carry
        update, reset = gate(total("update")), gate(total("reset"))
        late = reset * of("candidate") if layer["resets_after"] else of("candidate", reset * state)
        candidate = inside(arriving[:, places["candidate"]] + late)
        return update * state + (1 - update) * candidate, carry

    def merge(self, parts, layer, own):
        if layer["operation"] == "Concatenate":
            return jnp.concatenate(parts, layer["axis"] + 1)
        if layer["operation"] not in MERGES:
            raise Unknown(layer["operation"])
        return MERGES[layer["operation"]](parts)


def objective(row, output, arrays):
    loss = row["loss"]
    if loss["kind"] == "half-squares":
        return jnp.sum((arrays["loss_scale"] * output) ** 2) / 2
    targets = arrays["targets"]
    if loss["kind"] == "mean-squared-error":
        each = (output - targets) ** 2
    elif loss["kind"] == "binary-cross-entropy":
        if not loss["from_logits"]:
            output = jnp.log(output) - jnp.log1p(-output)
        smoothing = loss.get("label_smoothing", 0)
        targets = targets * (1 - smoothing) + smoothing / 2
        each = nn.softplus(output) - targets * output
    else:
        count = output.shape[-1]
        if loss["targets"] == "classes":
            targets = jax.nn.one_hot(targets.astype(int), count, dtype=float)
        smoothing = loss.get("label_smoothing", 0)
        targets = targets * (1 - smoothing) + smoothing / count
        logs = nn.log_softmax(output) if loss["from_logits"] else jnp.log(output)
        each = -targets * logs
    sums = {"mean": jnp.mean, "sum": jnp.sum}
    features = sums[loss.get("feature_reduction", "sum")]
    return sums[loss["reduction"]](features(each, -1))


def evaluate(row, arrays):
    """Everything a case stores, by JAX."""
    def below(prefix):
        return {path[len(prefix):]: jnp.asarray(value) for path, value in arrays.items()
                if path.startswith(prefix)}

    inputs, parameters = below("inputs/"), below("parameters/")
    network = Network(row)
    directions = below("directions/parameters/"), below("directions/inputs/")
    trained = {path: parameters[path] for path in directions[0]}

    def value(x, trained):
        output = network(x, {**parameters, **trained})
        return objective(row, output, arrays), output

    slopes = jax.grad(lambda x, trained: value(x, trained)[0], argnums=(0, 1))
    zero = lambda tree: jax.tree.map(jnp.zeros_like, tree)
    both, mixed = jax.jvp(slopes, (inputs, trained), (zero(inputs), directions[0]))
    curvature = jax.jvp(slopes, (inputs, trained), (directions[1], zero(trained)))[1][0]
    loss, output = value(inputs, trained)
    results = {"results/output": output, "results/loss": loss}
    for label, tree in (("input_gradients", both[0]), ("gradients", both[1]),
                        ("mixed", mixed[0]), ("curvature", curvature)):
        results.update({f"results/{label}/{path}": part for path, part in tree.items()})
    return results


def check(framework):
    """Prints where JAX and the committed file of a framework differ; returns whether nowhere."""
    compared, worst, wrong, unknown = 0, 0.0, 0, []
    with h5py.File(os.path.join(agreement.HERE, framework + ".h5")) as file:
        for row in agreement.rows():
            if row["framework"] != framework:
                continue
            arrays = agreement.stored(file, row)
            if any("element" in entry for entry in row["architecture"]["inputs"]):
                unknown.append(row["name"])
                continue
            try:
                results = jax.jit(functools.partial(evaluate, row))(arrays)
            except Unknown:
                unknown.append(row["name"])
                continue
            compared += 1
            size = agreement.sizes(arrays)
            for path, value in results.items():
                error = agreement.difference(value, arrays[path], size[path])
                worst = max(worst, error)
                if not error <= BOUND:
                    wrong += 1
                    print(f"{row['name']}/{path}: JAX differs by {error:.1e} relative")
    print(f"{framework}: JAX agrees on {compared} cases to {worst:.1e}, {wrong} deviations; "
          f"{len(unknown)} cases not computed")
    if "--verbose" in sys.argv:
        print("not computed:", *unknown)
    return not wrong


if __name__ == "__main__":
    sys.exit(0 if all([check("keras"), check("torch")]) else 1)
