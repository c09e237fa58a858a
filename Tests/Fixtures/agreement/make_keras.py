"""Writes keras.h5: layers and small networks by Keras on TensorFlow, in Double, channels last."""
import os
import platform

os.environ.update(
    KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="",
    TF_ENABLE_ONEDNN_OPTS="0")
import h5py
import keras
import numpy as np
import tensorflow as tf
from keras import layers as k
from tensorflow.python.ops import math_ops

import agreement
from agreement import Inputs

keras.config.set_floatx("float64")
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)


# What TensorFlow computes in Float even in Double, and second derivatives it lacks or has wrong.
# Each replacement is compared with the original; every case compares its second derivatives with
# difference quotients of the first ones, and JAX computes most cases again


CAST = math_ops.cast


def cast(x, dtype, name=None):
    """TensorFlow's, which takes a number of Python to Double by way of Float."""
    if isinstance(x, float) and tf.as_dtype(dtype) == tf.float64:
        return tf.constant(x, "float64")
    return CAST(x, dtype, name)


LEAKY_RELU = tf.nn.leaky_relu


def leaky_relu(features, alpha=0.2, name=None):
    """TensorFlow's, whose slope is a number in Float."""
    y = tf.where(features > 0, features, tf.constant(alpha, features.dtype) * features)
    if tf.executing_eagerly():
        np.testing.assert_allclose(y, LEAKY_RELU(features, alpha), rtol=1e-7)
    return y


tf.cast = math_ops.cast = cast
tf.nn.leaky_relu = leaky_relu

MOMENTS = tf.nn.moments


def moments(x, axes, shift=None, keepdims=False, name=None):
    """TensorFlow's, whose variance holds the mean constant and so has a wrong second derivative."""
    mean = tf.reduce_mean(x, axes, keepdims=True)
    variance = tf.reduce_mean((x - mean) ** 2, axes, keepdims=keepdims)
    mean = mean if keepdims else tf.squeeze(mean, axes)
    for ours, theirs in zip((mean, variance), MOMENTS(x, axes, shift, keepdims)):
        if tf.executing_eagerly():
            np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-13)
    return mean, variance


tf.nn.moments = moments


def interpolation(extent, length):
    """`[length, extent]`: new elements from the two nearest ones, centres half an element in."""
    place = np.clip((np.arange(length) + 0.5) * extent / length - 0.5, 0, extent - 1)
    low = np.minimum(np.floor(place).astype(int), max(extent - 2, 0))
    matrix = np.zeros((length, extent))
    matrix[np.arange(length), low] += 1 - (place - low)
    matrix[np.arange(length), np.minimum(low + 1, extent - 1)] += place - low
    return matrix


RESIZE = tf.image.resize


def resize(images, size, method="bilinear", **options):
    """TensorFlow's, which computes in Float whatever arrives; bilinear only is in use here."""
    if method != "bilinear" or images.dtype != tf.float64:
        return RESIZE(images, size, method=method, **options)
    rows, columns = (interpolation(images.shape[axis + 1], size[axis]) for axis in (0, 1))
    resized = tf.einsum("ih,nhwc,jw->nijc", rows, images, columns)
    if tf.executing_eagerly():
        np.testing.assert_allclose(resized, RESIZE(images, size, method=method), atol=1e-6)
    return resized


tf.image.resize = resize


@tf.RegisterGradient("SoftsignGrad")
def softsign_twice(operation, arriving):
    slope, x = operation.inputs
    reach = 1 + tf.abs(x)
    return arriving / reach**2, -2 * arriving * slope * tf.sign(x) / reach**3


# What a layer is in the words of the README


@keras.saving.register_keras_serializable("agreement")
def gelu_tanh(x):
    return keras.activations.gelu(x, approximate=True)


def describe_function(function):
    """The fields of an activation that a layer names in its configuration."""
    name = function.__name__
    if name == "gelu_tanh":
        return {"function": "gelu", "approximate": True}
    fields = {"function": name}
    if name == "gelu":
        fields["approximate"] = False
    if name == "leaky_relu":
        fields["slope"] = 0.2
    if name == "elu":
        fields["alpha"] = 1.0
    return fields


def describe_activation(layer):
    """The fields of a layer that is nothing but an activation, or None."""
    if isinstance(layer, k.Activation):
        return describe_function(layer.activation)
    if isinstance(layer, k.ReLU):
        if layer.max_value == 6:
            return {"function": "relu6"}
        slope = float(layer.negative_slope)
        return {"function": "leaky_relu", "slope": slope} if slope else {"function": "relu"}
    if isinstance(layer, k.LeakyReLU):
        return {"function": "leaky_relu", "slope": float(layer.negative_slope)}
    if isinstance(layer, k.ELU):
        return {"function": "elu", "alpha": float(layer.alpha)}
    if isinstance(layer, k.Softmax):
        return {"function": "softmax"}
    return None


def per_axis(value, rank):
    return [value] * rank if isinstance(value, int) else [int(part) for part in value]


def describe(layer):
    """The kind and the fields of a layer, without the activation inside it."""
    name = type(layer).__name__
    activation = describe_activation(layer)
    if activation:
        return "activation", activation
    if isinstance(layer, k.Dense):
        return "dense", {"outputs": layer.units, "bias": layer.use_bias}
    if "Conv" in name:
        return describe_convolution(layer)
    if isinstance(layer, k.BatchNormalization):
        return "batch-normalization", {
            "axis": layer.axis - 1 if layer.axis > 0 else layer.axis, "epsilon": layer.epsilon,
            "has_scale": layer.scale, "has_shift": layer.center}
    if isinstance(layer, k.LayerNormalization):
        axes = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
        rank = len(layer.input.shape)
        return "normalization", {
            "class_name": name, "axes": [axis % rank - rank for axis in axes],
            "epsilon": layer.epsilon, "has_scale": layer.scale, "has_shift": layer.center}
    if isinstance(layer, k.RMSNormalization):
        return "normalization", {
            "class_name": name, "axes": [-1], "epsilon": layer.epsilon, "has_scale": True,
            "has_shift": False}
    if isinstance(layer, k.GroupNormalization):
        return "normalization", {
            "class_name": name, "axis": layer.axis, "groups": layer.groups,
            "epsilon": layer.epsilon, "has_scale": layer.scale, "has_shift": layer.center}
    if isinstance(layer, k.UnitNormalization):
        return "normalization", {"class_name": name, "axes": [-1], "epsilon": 1e-12}
    if isinstance(layer, k.Normalization):
        return "normalization", {
            "class_name": name, "axis": -1, "mean": np.ravel(layer.input_mean).tolist(),
            "variance": np.ravel(layer.input_variance).tolist()}
    if "Pooling" in name:
        return describe_pooling(layer)
    if isinstance(layer, k.Flatten):
        return "flatten", {}
    if isinstance(layer, k.Reshape):
        return "reshape", {"target": [int(extent) for extent in layer.output.shape[1:]]}
    if isinstance(layer, (k.Dropout, k.SpatialDropout2D)):
        return "dropout", {"rate": layer.rate}
    if isinstance(layer, k.Rescaling):
        return "rescaling", {"scale": layer.scale, "offset": layer.offset}
    if isinstance(layer, k.Embedding):
        return "embedding", {"tokens": layer.input_dim, "width": layer.output_dim}
    if isinstance(layer, k.MultiHeadAttention):
        return "attention", {
            "class_name": name, "heads": layer.num_heads, "key_width": layer.key_dim,
            "value_width": layer.value_dim, "outputs": layer.output.shape[-1],
            "bias": layer._use_bias, "causal": False}
    if isinstance(layer, (k.LSTM, k.GRU, k.SimpleRNN)):
        return describe_recurrent(layer)
    if name in MERGES:
        fields = {"operation": name}
        if name == "Concatenate":
            rank = len(layer.output.shape)
            fields["axis"] = layer.axis % rank - 1
        if name == "Dot":
            fields["axes"] = [axis - 1 for axis in per_axis(layer.axes, 2)]
        return "merge", fields
    return "resampling", {"class_name": name, **describe_resampling(layer)}


MERGES = (
    "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot")


def describe_convolution(layer):
    name = type(layer).__name__
    rank = layer.rank
    variant = "plain"
    for part in ("Depthwise", "Separable", "Transpose"):
        if part in name:
            variant = {"Transpose": "transposed"}.get(part, part.lower())
    fields = {
        "variant": variant,
        "filters": layer.depth_multiplier if variant == "depthwise" else layer.filters,
        "kernel": per_axis(layer.kernel_size, rank), "stride": per_axis(layer.strides, rank),
        "dilation": per_axis(layer.dilation_rate, rank), "padding": layer.padding,
        "groups": getattr(layer, "groups", 1), "bias": layer.use_bias}
    if variant == "separable":
        fields["multiplier"] = layer.depth_multiplier
    if variant == "transposed":
        fields["swapped_kernel"] = True
    if variant == "transposed" and layer.output_padding is not None:
        fields["output_padding"] = per_axis(layer.output_padding, rank)
    return "convolution", fields


def describe_pooling(layer):
    name = type(layer).__name__
    fields = {"statistic": "maximum" if "Max" in name else "average"}
    if name.startswith("Global"):
        return "pooling", {**fields, "window": [], "keeps_axes": layer.keepdims}
    rank = int(name[-2])
    fields.update(
        window=per_axis(layer.pool_size, rank), stride=per_axis(layer.strides, rank),
        padding=layer.padding)
    if "Average" in name:
        fields["counts_padding"] = False
    return "pooling", fields


def describe_recurrent(layer):
    name = type(layer).__name__
    fields = {
        "cell": name, "units": layer.units, "returns_sequences": layer.return_sequences,
        "bias": layer.use_bias, "activation": layer.activation.__name__}
    if name != "SimpleRNN":
        fields["recurrent_activation"] = layer.recurrent_activation.__name__
        fields["gates"] = ["input", "forget", "candidate", "output"] if name == "LSTM" else [
            "update", "reset", "candidate"]
    if name == "GRU":
        fields["resets_after"] = layer.reset_after
    if layer.go_backwards:
        fields["reversed"] = True
    return "recurrent", fields


def describe_resampling(layer):
    pairs = lambda value: [[int(end) for end in per_axis(pair, 2)] for pair in value]
    if isinstance(layer, (k.ZeroPadding2D, k.ZeroPadding1D)):
        value = [layer.padding] if isinstance(layer, k.ZeroPadding1D) else layer.padding
        return {"operation": "pad", "amounts": pairs(value)}
    if isinstance(layer, (k.Cropping2D, k.Cropping1D)):
        value = [layer.cropping] if isinstance(layer, k.Cropping1D) else layer.cropping
        return {"operation": "crop", "amounts": pairs(value)}
    if isinstance(layer, k.UpSampling1D):
        return {"operation": "upsample", "interpolation": "nearest", "factors": [layer.size],
                "align_corners": False}
    if isinstance(layer, k.UpSampling2D):
        return {"operation": "upsample", "interpolation": layer.interpolation,
                "factors": per_axis(layer.size, 2), "align_corners": False}
    if isinstance(layer, k.Permute):
        return {"operation": "permute", "order": [axis - 1 for axis in layer.dims]}
    if isinstance(layer, k.RepeatVector):
        return {"operation": "repeat", "count": layer.n}
    raise TypeError(f"{type(layer).__name__} has no description")


# A case


ROLES = {
    "kernel": "weight", "gamma": "scale", "beta": "shift", "moving_mean": "running_mean",
    "moving_variance": "running_variance"}


class Case:
    """A model; `inputs` are those of the model in order."""

    def __init__(self, name, model, inputs, source, training=False, loss=None, targets=None):
        self.name, self.model, self.training = name, model, training
        self.loss, self.targets, self.source = loss, targets, source
        self.inputs = inputs if isinstance(inputs, dict) else {"x": inputs}
        model.name = name
        self.configuration = model.to_json()
        self.described, self.places, self.leaves = [], {}, []
        origins = {id(tensor): name for tensor, name in zip(model.inputs, self.inputs)}
        self.walk(model, "", origins)
        self.outputs = [origins[id(tensor)] for tensor in model.outputs]
        self.seen = []
        for layer in self.leaves:
            self.record(layer)

    def walk(self, model, prefix, origins):
        """Describes the layers in order; `origins` names the source of each symbolic tensor."""
        for layer in model.layers:
            if isinstance(layer, k.InputLayer):
                continue
            name = prefix + layer.name
            call = layer._inbound_nodes[0 if prefix or layer not in NESTED else NESTED[layer]]
            sources = [origins[id(tensor)] for tensor in call.input_tensors]
            if isinstance(layer, keras.Model):
                for tensor, source in zip(layer.inputs, sources):
                    origins[id(tensor)] = source
                self.walk(layer, name + "/", origins)
                ends = [origins[id(tensor)] for tensor in layer.outputs]
                for tensor, end in zip(call.output_tensors, ends):
                    origins[id(tensor)] = end
                continue
            self.leaves.append(layer)
            kind, fields = describe(layer)
            if kind == "attention" and len(sources) == 2:
                # Keras takes query and value; the key is the value.
                sources = [sources[0], sources[1], sources[1]]
            elif kind == "attention":
                # Keras' order is query, value, key.
                sources = [sources[0], sources[2], sources[1]]
            self.described.append({"name": name, "kind": kind, "inputs": sources, **fields})
            for variable in layer.variables:
                role = self.role(layer, variable)
                if role:
                    self.places[f"{name}/{role}"] = variable
            inner = None if kind in ("activation", "recurrent") else getattr(
                layer, "activation", None)
            if inner is not None and inner is not keras.activations.linear:
                fields = describe_function(inner)
                described = f"{name} ({fields['function']})"
                self.described.append(
                    {"name": described, "kind": "activation", "inputs": [name], **fields})
                name = described
            origins[id(call.output_tensors[0])] = name

    @staticmethod
    def role(layer, variable):
        parts = variable.path.split("/")
        if "seed_generator" in variable.path or isinstance(layer, k.Normalization):
            return None
        if isinstance(layer, k.MultiHeadAttention):
            return "_".join(parts[-2:])
        return ROLES.get(parts[-1], parts[-1])

    def record(self, layer):
        """Notes what arrives at functions with kinks and at maxima."""
        activation = getattr(layer, "activation", None)
        if not isinstance(layer, (k.LSTM, k.GRU, k.SimpleRNN)) and activation is not None:
            fields = describe_function(activation)
            if fields["function"] in agreement.KINKS:
                def recorded(x):
                    self.seen.append((fields["function"], [x]))
                    return activation(x)

                object.__setattr__(layer, "activation", recorded)
            return
        fields = describe_activation(layer) or {}
        kind = fields.get("function")
        if kind not in agreement.KINKS:
            name = type(layer).__name__
            kind = "pooling" if "MaxPooling" in name else "merge" if name in (
                "Maximum", "Minimum") else None
        if kind:
            call = layer.call

            def called(inputs, *rest, **options):
                self.seen.append((kind, inputs if isinstance(inputs, list) else [inputs]))
                return call(inputs, *rest, **options)

            object.__setattr__(layer, "call", called)

    def row(self):
        inputs = [
            {"name": name, "shape": list(entry.shape[1:]),
             **({"element": "index"} if entry.below is not None else {})}
            for name, entry in self.inputs.items()]
        return {
            "source": self.source, "layout": "channels_last", "training": self.training,
            "loss": self.loss.fields if self.loss else {"kind": "half-squares"},
            "architecture": {
                "inputs": inputs, "layers": self.described, "outputs": self.outputs},
            "model_config": self.configuration}

    def parameter_shapes(self):
        return {path: tuple(variable.shape) for path, variable in self.places.items()}

    def trainable(self):
        return [path for path, variable in self.places.items() if variable.trainable]

    def assign(self, drawn):
        for path, variable in self.places.items():
            variable.assign(drawn[f"parameters/{path}"])
        values = [
            tf.constant(drawn[f"inputs/{name}"], "int32" if entry.below is not None else "float64")
            for name, entry in self.inputs.items()]
        real = {name: value for (name, entry), value in zip(self.inputs.items(), values)
                if entry.below is None}
        return values, real

    def forward(self, values):
        self.seen.clear()
        return self.model(values if len(values) > 1 else values[0], training=self.training)

    def output_shape(self, drawn):
        return tuple(self.forward(self.assign(drawn)[0]).shape)

    def margin(self, drawn):
        self.forward(self.assign(drawn)[0])
        found = [np.inf]
        for kind, parts in self.seen:
            arrays = [np.asarray(part) for part in parts]
            if kind == "pooling":
                found.append(agreement.plane_gap(arrays[0], -1))
            elif kind == "merge":
                found.append(agreement.merge_gap(arrays))
            else:
                found.append(agreement.kink_distance(kind, arrays[0]))
        return min(found)

    def objective(self, drawn, output):
        if self.loss:
            return self.loss.function(drawn["targets"], output)
        return tf.reduce_sum((drawn["loss_scale"] * output) ** 2) / 2

    def first(self, drawn, outer=None):
        values, real = self.assign(drawn)
        parameters = {path: self.places[path].value for path in self.trainable()}
        if outer:
            outer.watch(list(real.values()))
        with tf.GradientTape() as tape:
            tape.watch(list(real.values()))
            output = self.forward(values)
            value = self.objective(drawn, output)
        sources = [*parameters.values(), *real.values()]
        slopes = tape.gradient(value, sources, unconnected_gradients="zero")
        # The gradient of a table arrives as its touched rows.
        slopes = [tf.convert_to_tensor(slope) for slope in slopes]
        paths = [f"results/gradients/{path}" for path in parameters] + [
            f"results/input_gradients/{name}" for name in real]
        return real, parameters, output, value, dict(zip(paths, slopes))

    def gradient(self, drawn):
        return {path: value.numpy() for path, value in self.first(drawn)[4].items()}

    def evaluate(self, drawn):
        with tf.GradientTape(persistent=True) as outer:
            real, parameters, output, value, slopes = self.first(drawn, outer)
            along = {
                kind: sum((
                    tf.reduce_sum(slopes[f"results/{first}/{name}"]
                                  * drawn[f"directions/{kind}/{name}"]) for name in names),
                    tf.constant(0, "float64"))
                for kind, first, names in (
                    ("parameters", "gradients", parameters), ("inputs", "input_gradients", real))}
        results = {"results/output": output, "results/loss": value, **slopes}

        def products(kind, label, sources):
            parts = outer.gradient(
                along[kind], list(sources.values()), unconnected_gradients="zero")
            for name, part in zip(sources, parts):
                results[f"results/{label}/{name}"] = tf.convert_to_tensor(part)

        if real:
            products("parameters", "mixed", real)
            products("inputs", "curvature", real)
        else:
            products("parameters", "parameter_curvature", parameters)
        return {path: np.asarray(part).copy() for path, part in results.items()}


# Which call of an inner model belongs to the outer one.
NESTED = {}


class Loss:
    def __init__(self, function, kind, /, **fields):
        self.function, self.fields = function, {"kind": kind, **fields}


def one(name, layer, inputs, **options):
    """A single layer, called `layer` unless it has a name."""
    return line(name, [layer], inputs, **options)


def line(name, parts, inputs, source=None, **options):
    """Layers one behind the other."""
    kind = "int32" if inputs.below is not None else "float64"
    start = x = keras.Input(inputs.shape[1:], dtype=kind, name="x")
    for part in parts:
        x = part(x)
    source = source or f"keras.layers.{type(parts[-1]).__name__}"
    return Case(name, keras.Model(start, x), inputs, source, **options)


def mixed(name, layer, inputs=None, **options):
    """A layer without parameters, behind a dense layer over the channels that gives it some."""
    return line(name, [k.Dense(3, name="mix"), layer], inputs or Inputs(2, 5, 6, 2), **options)


# The cases


def dense_cases():
    x = Inputs(3, 4)
    yield one("dense", k.Dense(5, name="dense"), x)
    yield one("dense_without_bias", k.Dense(5, use_bias=False, name="dense"), x)
    yield one("dense_on_sequence", k.Dense(5, name="dense"), Inputs(2, 3, 4))


def activation_cases():
    for name in ("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu",
                 "sigmoid", "hard_sigmoid", "hard_silu", "tanh", "softplus", "softsign", "mish",
                 "exponential", "softmax", "log_softmax"):
        scale = 4.0 if name in ("relu6", "hard_sigmoid", "hard_silu") else 1.0
        yield one(
            f"activation_{name}", k.Dense(6, activation=name, name="dense"),
            Inputs(3, 4, scale=scale))
    for name, layer in {
            "gelu_tanh": k.Activation(gelu_tanh), "layer_relu": k.ReLU(),
            "layer_relu6": k.ReLU(max_value=6.0), "layer_leaky_relu": k.LeakyReLU(),
            "layer_elu": k.ELU(0.7), "layer_softmax": k.Softmax(),
            "layer_activation": k.Activation("tanh")}.items():
        layer.name = "activation"
        yield line(
            f"activation_{name}", [k.Dense(6, name="dense"), layer],
            Inputs(3, 4, scale=4.0 if name == "layer_relu6" else 1.0))


def convolution_cases():
    sequence, picture = Inputs(2, 7, 2), Inputs(2, 6, 5, 2)

    def convolution(name, kind, x, *arguments, **options):
        return one(f"convolution_{name}", kind(*arguments, name="convolution", **options), x)

    yield convolution("1d", k.Conv1D, sequence, 3, 3)
    yield convolution("1d_same_even_stride", k.Conv1D, sequence, 3, 4, 2, padding="same")
    yield convolution("1d_same_odd_stride", k.Conv1D, sequence, 3, 3, 2, padding="same")
    yield convolution("1d_causal", k.Conv1D, sequence, 3, 3, padding="causal")
    yield convolution(
        "1d_causal_dilated", k.Conv1D, sequence, 3, 2, padding="causal", dilation_rate=3)
    yield convolution("1d_causal_stride", k.Conv1D, sequence, 3, 3, 2, padding="causal")
    yield convolution("1d_dilated", k.Conv1D, sequence, 3, 3, dilation_rate=2)
    yield convolution("1d_groups", k.Conv1D, Inputs(2, 7, 4), 6, 3, groups=2)
    yield convolution(
        "1d_depthwise", k.DepthwiseConv1D, sequence, 3, padding="same", depth_multiplier=2)
    yield convolution(
        "1d_separable", k.SeparableConv1D, sequence, 3, 3, padding="same", depth_multiplier=2)
    yield convolution("2d", k.Conv2D, picture, 3, 3)
    yield convolution("2d_without_bias", k.Conv2D, picture, 3, (3, 2), use_bias=False)
    yield convolution("2d_activation", k.Conv2D, picture, 3, 2, activation="relu")
    yield convolution("2d_pointwise", k.Conv2D, picture, 3, 1)
    yield convolution("2d_same", k.Conv2D, picture, 3, 3, padding="same")
    yield convolution("2d_same_even", k.Conv2D, picture, 3, (2, 4), padding="same")
    yield convolution("2d_same_stride", k.Conv2D, picture, 3, 3, strides=2, padding="same")
    yield convolution(
        "2d_same_stride_even", k.Conv2D, picture, 3, (4, 2), strides=(2, 3), padding="same")
    yield convolution(
        "2d_same_stride_beyond_kernel", k.Conv2D, picture, 3, 1, strides=2, padding="same")
    yield convolution("2d_same_dilated", k.Conv2D, picture, 3, (3, 2), padding="same",
                      dilation_rate=2)
    yield convolution("2d_valid_stride", k.Conv2D, picture, 3, 3, strides=(2, 1))
    yield convolution("2d_dilated", k.Conv2D, picture, 3, 2, dilation_rate=(3, 2))
    yield convolution("2d_groups", k.Conv2D, Inputs(2, 5, 4, 4), 6, 3, groups=2, padding="same")
    yield convolution("2d_depthwise", k.DepthwiseConv2D, picture, 3)
    yield convolution(
        "2d_depthwise_multiplier", k.DepthwiseConv2D, picture, (3, 3), strides=2, padding="same",
        depth_multiplier=2)
    yield convolution(
        "2d_depthwise_dilated", k.DepthwiseConv2D, picture, 2, dilation_rate=2, padding="same")
    yield convolution("2d_separable", k.SeparableConv2D, picture, 3, 3)
    yield convolution(
        "2d_separable_multiplier", k.SeparableConv2D, picture, 3, 2, strides=2, padding="same",
        depth_multiplier=2)
    line_short, small = Inputs(2, 4, 2), Inputs(2, 3, 4, 2)
    for padding in ("same", "valid"):
        for label, kernel, stride in (
                ("", 3, 1), ("_stride", 3, 2), ("_even", 4, 2), ("_gap", 2, 3)):
            yield convolution(
                f"transposed_1d_{padding}{label}", k.Conv1DTranspose, line_short, 3, kernel,
                stride, padding=padding)
        for label, kernel, stride in (
                ("", 3, 1), ("_stride", 3, 2), ("_even", (4, 2), 2), ("_gap", 2, 3)):
            yield convolution(
                f"transposed_2d_{padding}{label}", k.Conv2DTranspose, small, 3, kernel, stride,
                padding=padding)
    yield convolution(
        "transposed_2d_same_output_padding", k.Conv2DTranspose, small, 3, 3, 2, padding="same",
        output_padding=(1, 0))
    yield convolution(
        "transposed_2d_valid_output_padding", k.Conv2DTranspose, small, 3, 3, 2,
        output_padding=(0, 1))


def normalization_cases():
    picture, sequence, row = Inputs(3, 3, 2, 4), Inputs(3, 3, 4), Inputs(4, 5)

    def normalization(name, layer, x, **options):
        layer.name = "normalization"
        return one(name, layer, x, **options)

    for training in (False, True):
        mode = "training" if training else "inference"
        yield normalization(
            f"batch_normalization_{mode}", k.BatchNormalization(), picture, training=training)
        yield normalization(
            f"batch_normalization_1d_{mode}", k.BatchNormalization(), row, training=training)
    yield normalization(
        "batch_normalization_axis1_training", k.BatchNormalization(axis=1), picture,
        training=True)
    yield normalization(
        "batch_normalization_without_scale_training",
        k.BatchNormalization(scale=False, epsilon=0.01), picture, training=True)
    yield normalization(
        "batch_normalization_without_shift_inference", k.BatchNormalization(center=False),
        picture)
    yield normalization("layer_normalization", k.LayerNormalization(), row)
    yield normalization("layer_normalization_sequence", k.LayerNormalization(), sequence)
    yield normalization(
        "layer_normalization_three_axes", k.LayerNormalization(axis=[1, 2, 3]), picture)
    yield normalization(
        "layer_normalization_first_axis", k.LayerNormalization(axis=1, epsilon=0.01), picture)
    yield normalization(
        "layer_normalization_without_shift", k.LayerNormalization(center=False), row)
    yield normalization("group_normalization", k.GroupNormalization(groups=2), picture)
    yield normalization("group_normalization_one_group", k.GroupNormalization(groups=1), picture)
    yield normalization("group_normalization_sequence", k.GroupNormalization(groups=2), sequence)
    yield normalization("instance_normalization", k.GroupNormalization(groups=-1), picture)
    yield normalization("rms_normalization", k.RMSNormalization(), row)
    yield normalization("rms_normalization_sequence", k.RMSNormalization(epsilon=0.01), sequence)
    # The mixed product goes through the statistics only where parameters come before them.
    for name, layer, training in (
            ("batch_normalization", k.BatchNormalization(), True),
            ("layer_normalization", k.LayerNormalization(), False),
            ("group_normalization", k.GroupNormalization(groups=2), False),
            ("rms_normalization", k.RMSNormalization(), False)):
        layer.name = "normalization"
        yield line(
            f"{name}_behind_dense", [k.Dense(4, use_bias=False, name="mix"), layer],
            Inputs(3, 2, 2, 3), training=training)
    yield mixed("unit_normalization", k.UnitNormalization(name="layer"), Inputs(3, 4))
    yield mixed(
        "standardization",
        k.Normalization(mean=[0.5, -0.25, 1.0], variance=[2.0, 0.5, 1.5], name="layer"),
        Inputs(2, 3, 2, 2))
    yield mixed("rescaling", k.Rescaling(1 / 127.5, offset=-1.0, name="layer"), Inputs(3, 4))


def pooling_cases():
    sequence = Inputs(2, 9, 2)
    for label, first, second in (
            ("max", k.MaxPooling1D, k.MaxPooling2D),
            ("average", k.AveragePooling1D, k.AveragePooling2D)):
        def pooling(name, kind, *arguments, x=None, **options):
            return mixed(f"pooling_{label}{name}", kind(*arguments, name="layer", **options), x)

        yield pooling("_1d", first, 3, x=sequence)
        yield pooling("_1d_same", first, 4, 2, padding="same", x=sequence)
        yield pooling("", second, 2)
        yield pooling("_overlapping", second, 3, 1)
        yield pooling("_stride", second, (2, 3), (2, 1))
        yield pooling("_gap", second, 2, 3)
        yield pooling("_same", second, 2, padding="same")
        yield pooling("_same_overlapping", second, 3, 1, padding="same")
        yield pooling("_same_stride", second, (3, 4), (2, 3), padding="same")
    yield mixed("pooling_global_average", k.GlobalAveragePooling2D(name="layer"))
    yield mixed("pooling_global_max", k.GlobalMaxPooling2D(name="layer"))
    yield mixed(
        "pooling_global_average_keeping_axes",
        k.GlobalAveragePooling2D(keepdims=True, name="layer"))
    yield mixed("pooling_global_average_1d", k.GlobalAveragePooling1D(name="layer"), sequence)
    yield mixed("pooling_global_max_1d", k.GlobalMaxPooling1D(name="layer"), sequence)


def shape_cases():
    x = Inputs(2, 3, 4, 2)
    yield line(
        "flatten_dense",
        [k.Conv2D(3, 2, name="convolution"), k.Flatten(name="flatten"), k.Dense(4, name="dense")],
        x, source="keras.layers.Flatten")
    yield mixed("flatten", k.Flatten(name="layer"), x)
    yield line(
        "reshape_convolution",
        [k.Dense(12, name="dense"), k.Reshape((3, 2, -1), name="reshape"),
         k.Conv2D(3, 2, padding="same", name="convolution")], Inputs(3, 4),
        source="keras.layers.Reshape")
    yield mixed("permute", k.Permute((3, 1, 2), name="layer"), x)
    yield mixed("pad", k.ZeroPadding2D(((1, 2), (0, 1)), name="layer"), x)
    yield mixed("pad_1d", k.ZeroPadding1D((2, 1), name="layer"), Inputs(2, 5, 2))
    yield mixed("crop", k.Cropping2D(((1, 0), (0, 2)), name="layer"), Inputs(2, 4, 5, 2))
    yield mixed("crop_1d", k.Cropping1D((1, 2), name="layer"), Inputs(2, 5, 2))
    yield mixed("upsample_nearest", k.UpSampling2D((2, 3), name="layer"), x)
    yield mixed("upsample_nearest_1d", k.UpSampling1D(2, name="layer"), Inputs(2, 4, 2))
    yield mixed(
        "upsample_bilinear", k.UpSampling2D((2, 3), interpolation="bilinear", name="layer"), x)
    yield mixed("repeat", k.RepeatVector(3, name="layer"), Inputs(2, 4))
    yield mixed("dropout", k.Dropout(0.4, name="layer"), x)
    yield mixed("dropout_spatial", k.SpatialDropout2D(0.4, name="layer"), x)


def merge_cases():
    def merged(name, layer, count=2, shapes=((3, 2, 2), (3, 2, 2))):
        starts = [keras.Input(shape, name=letter) for shape, letter in zip(shapes, "xy")]
        parts = [k.Dense(3, name=letter)(starts[min(i, 1)])
                 for i, letter in enumerate("abc"[:count])]
        layer.name = "merge"
        return Case(
            name, keras.Model(starts, layer(parts)),
            {letter: Inputs(2, *shape) for shape, letter in zip(shapes, "xy")},
            f"keras.layers.{type(layer).__name__}")

    yield merged("merge_add", k.Add(), 3)
    yield merged("merge_subtract", k.Subtract())
    yield merged("merge_multiply", k.Multiply(), 3)
    yield merged("merge_average", k.Average(), 3)
    yield merged("merge_maximum", k.Maximum(), 3)
    yield merged("merge_minimum", k.Minimum())
    yield merged("merge_concatenate_last_axis", k.Concatenate())
    yield merged("merge_concatenate_axis1", k.Concatenate(axis=1), 3)
    yield merged("merge_concatenate_axis2", k.Concatenate(axis=2))
    yield merged("merge_dot", k.Dot(axes=(2, 2)), shapes=((2, 4), (5, 4)))


def sequence_cases():
    tokens = Inputs(2, 5, below=7)
    yield one("embedding", k.Embedding(7, 3, name="embedding"), tokens)
    indices = keras.Input((5,), dtype="int32", name="tokens")
    other = keras.Input((5, 3), name="x")
    product = k.Multiply(name="merge")([k.Embedding(7, 3, name="embedding")(indices), other])
    yield Case(
        "embedding_times_input", keras.Model([indices, other], product),
        {"tokens": tokens, "x": Inputs(2, 5, 3)}, "keras.layers.Embedding")

    def attention(name, shapes, order, **options):
        starts = {letter: keras.Input(shape, name=letter) for letter, shape in shapes.items()}
        layer = k.MultiHeadAttention(name="attention", **options)
        y = layer(*(starts[letter] for letter in order))
        return Case(
            name, keras.Model(list(starts.values()), y),
            {letter: Inputs(2, *shape) for letter, shape in shapes.items()},
            "keras.layers.MultiHeadAttention")

    yield attention("attention", {"x": (4, 5)}, "xx", num_heads=2, key_dim=3)
    yield attention("attention_one_head", {"x": (4, 5)}, "xx", num_heads=1, key_dim=2)
    yield attention(
        "attention_value_width", {"x": (4, 5)}, "xx", num_heads=2, key_dim=3, value_dim=2)
    yield attention(
        "attention_without_bias", {"x": (4, 5)}, "xx", num_heads=2, key_dim=3, use_bias=False)
    yield attention(
        "attention_output_width", {"x": (4, 5)}, "xx", num_heads=2, key_dim=2, output_shape=3)
    yield attention("attention_cross", {"x": (4, 5), "y": (3, 6)}, "xy", num_heads=2, key_dim=3)
    yield attention(
        "attention_three_inputs", {"x": (4, 5), "v": (3, 6), "k": (3, 2)}, "xvk", num_heads=2,
        key_dim=3)

    x = Inputs(2, 4, 3)
    for kind in (k.LSTM, k.GRU, k.SimpleRNN):
        name = {"SimpleRNN": "simple_rnn"}.get(kind.__name__, kind.__name__.lower())
        yield one(name, kind(4, name=name), x)
        yield one(f"{name}_sequences", kind(4, return_sequences=True, name=name), x)
        yield one(
            f"{name}_without_bias", kind(4, use_bias=False, return_sequences=True, name=name), x)
    yield one("gru_resets_before", k.GRU(4, reset_after=False, name="gru"), x)
    yield one(
        "gru_resets_before_sequences",
        k.GRU(4, reset_after=False, return_sequences=True, name="gru"), x)
    yield one(
        "lstm_other_activations",
        k.LSTM(4, activation="softplus", recurrent_activation="tanh", name="lstm"), x)
    yield one("lstm_backwards", k.LSTM(4, go_backwards=True, return_sequences=True, name="lstm"), x)


def some_classes(count, batch=3):
    return lambda random: random.integers(0, count, batch)


def soft(random):
    return random.multinomial(1024, [0.1, 0.3, 0.2, 0.15, 0.25], 3) / 1024


def bits(random):
    return random.integers(0, 2, (3, 5)).astype("f8")


def numbers(random):
    return agreement.grid(random.normal(0, 1, (3, 5)))


def loss_cases():
    def loss(name, kind, function, draw, activation=None, **fields):
        return one(
            f"loss_{name}", k.Dense(5, activation=activation, name="dense"), Inputs(3, 4),
            source=f"keras.losses.{type(function).__name__}", targets=draw,
            loss=Loss(function, kind, **fields))

    losses = keras.losses
    for reduction, word in (("mean", "sum_over_batch_size"), ("sum", "sum")):
        yield loss(
            f"cross_entropy_{reduction}", "softmax-cross-entropy",
            losses.SparseCategoricalCrossentropy(from_logits=True, reduction=word),
            some_classes(5), reduction=reduction, targets="classes", from_logits=True)
        yield loss(
            f"cross_entropy_soft_{reduction}", "softmax-cross-entropy",
            losses.CategoricalCrossentropy(from_logits=True, reduction=word), soft,
            reduction=reduction, targets="probabilities", from_logits=True)
        yield loss(
            f"binary_cross_entropy_{reduction}", "binary-cross-entropy",
            losses.BinaryCrossentropy(from_logits=True, reduction=word), bits,
            reduction=reduction, feature_reduction="mean", targets="values", from_logits=True)
        yield loss(
            f"mean_squared_error_{reduction}", "mean-squared-error",
            losses.MeanSquaredError(reduction=word), numbers, reduction=reduction,
            feature_reduction="mean", targets="values")
    yield loss(
        "cross_entropy_smoothed", "softmax-cross-entropy",
        losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        lambda random: np.eye(5)[random.integers(0, 5, 3)], reduction="mean",
        targets="probabilities", from_logits=True, label_smoothing=0.1)
    yield loss(
        "binary_cross_entropy_smoothed", "binary-cross-entropy",
        losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2), bits, reduction="mean",
        feature_reduction="mean", targets="values", from_logits=True, label_smoothing=0.2)
    yield loss(
        "cross_entropy_behind_softmax", "softmax-cross-entropy",
        losses.SparseCategoricalCrossentropy(), some_classes(5), activation="softmax",
        reduction="mean", targets="classes", from_logits=False)
    yield loss(
        "cross_entropy_soft_behind_softmax", "softmax-cross-entropy",
        losses.CategoricalCrossentropy(), soft, activation="softmax", reduction="mean",
        targets="probabilities", from_logits=False)
    yield loss(
        "binary_cross_entropy_behind_sigmoid", "binary-cross-entropy",
        losses.BinaryCrossentropy(), bits, activation="sigmoid", reduction="mean",
        feature_reduction="mean", targets="values", from_logits=False)


def cross_entropy():
    return {
        "targets": some_classes(3, 2),
        "loss": Loss(
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "softmax-cross-entropy", reduction="mean", targets="classes", from_logits=True)}


def convolution_unit(name, filters, strides=1):
    return [
        k.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False, name=f"{name}_conv"),
        k.BatchNormalization(name=f"{name}_bn")]


def through(parts, x):
    for part in parts:
        x = part(x)
    return x


def network_cases():
    picture = Inputs(2, 6, 6, 2)
    yield Case(
        "network_sequential", keras.Sequential([
            keras.Input((6, 6, 2)), k.Conv2D(3, 3, activation="relu", name="conv1"),
            k.MaxPooling2D(2, name="pool"),
            k.Conv2D(3, 2, padding="same", activation="relu", name="conv2"),
            k.Flatten(name="flatten"), k.Dropout(0.3, name="dropout"),
            k.Dense(4, activation="relu", name="fc1"), k.Dense(3, name="fc2")]),
        picture, "keras.Sequential", **cross_entropy())
    for training in (False, True):
        start = keras.Input((6, 6, 2), name="x")
        x = through([*convolution_unit("first", 3), k.ReLU(name="relu1")], start)
        y = through([*convolution_unit("second", 4, 2), k.ReLU(name="relu2"),
                     *convolution_unit("third", 4)], x)
        shortcut = k.Conv2D(4, 1, strides=2, use_bias=False, name="shortcut")(x)
        x = k.Add(name="add")([y, shortcut])
        x = through([k.Activation("relu", name="relu3"), k.GlobalAveragePooling2D(name="pool"),
                     k.Dense(3, name="fc")], x)
        mode = "training" if training else "inference"
        yield Case(
            f"network_residual_{mode}", keras.Model(start, x), picture, "keras.Model",
            training=training, **cross_entropy())

    features = keras.Sequential(
        [keras.Input((6, 6, 2)), k.Conv2D(3, 3, strides=2, activation="tanh", name="conv"),
         k.Flatten(name="flatten")], name="features")
    inner = keras.Input((12,), name="inner_input")
    head = keras.Model(
        inner, k.Concatenate(name="join")([
            k.Dense(3, activation="elu", name="left")(inner),
            k.Dense(2, activation="sigmoid", name="right")(inner)]), name="head")
    start = keras.Input((6, 6, 2), name="x")
    model = keras.Model(start, k.Dense(3, name="classes")(head(features(start))))
    NESTED.update({
        part: next(i for i, node in enumerate(part._inbound_nodes)
                   if node.output_tensors[0] is not part.outputs[0])
        for part in (features, head)})
    yield Case("network_nested", model, picture, "keras.Model", **cross_entropy())

    start = keras.Input((4, 6), name="x")
    normal = k.LayerNormalization(epsilon=1e-6, name="ln1")(start)
    joined = k.Add(name="add1")([
        start, k.MultiHeadAttention(2, 3, name="attention")(normal, normal)])
    hidden = through(
        [k.LayerNormalization(epsilon=1e-6, name="ln2"), k.Dense(8, activation="gelu", name="mlp1"),
         k.Dense(6, name="mlp2")], joined)
    x = k.Add(name="add2")([joined, hidden])
    x = through([k.GlobalAveragePooling1D(name="pool"), k.Dense(3, name="fc")], x)
    yield Case(
        "network_encoder_block", keras.Model(start, x), Inputs(2, 4, 6), "keras.Model",
        **cross_entropy())

    start = keras.Input((5,), dtype="int32", name="tokens")
    other = keras.Input((2,), name="x")
    text = through([k.Embedding(7, 3, name="embedding"), k.LSTM(4, name="lstm")], start)
    x = k.Concatenate(name="join")([text, k.Dense(3, activation="relu", name="side")(other)])
    yield Case(
        "network_two_inputs", keras.Model([start, other], k.Dense(3, name="fc")(x)),
        {"tokens": Inputs(2, 5, below=7), "x": Inputs(2, 2)}, "keras.Model", **cross_entropy())


CASES = [
    case for group in (
        dense_cases, activation_cases, convolution_cases, normalization_cases, pooling_cases,
        shape_cases, merge_cases, sequence_cases, loss_cases, network_cases)
    for case in group()]

if __name__ == "__main__":
    versions = {
        "python": platform.python_version(), "keras": keras.__version__,
        "tensorflow": tf.__version__, "numpy": np.__version__, "h5py": h5py.__version__}
    agreement.main("keras", versions, CASES, outputs_axis=-1)
