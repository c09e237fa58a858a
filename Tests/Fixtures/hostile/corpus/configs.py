"""Configurations that are no JSON, no model, or no model that can exist."""

import base64
import marshal

import numpy as np

from . import hdf5, models
from .case import ODD, PARTIAL, Case
from .models import dense, functional, input_layer, layer, sequential

TINY = models.text(sequential())


def first(name="fc1", kind="Dense", **config):
    """The tiny model with another first layer."""
    values = {"units": 3, "activation": "linear", "use_bias": True, **config}
    return sequential([input_layer(), layer(kind, name, **values), dense("out", 2)])


def syntax():
    yield "empty", "", "is empty"
    yield "spaces", " " * 100, "is white space"
    yield "no_json", "model: tiny", "is no JSON"
    yield "pickle", b"\x80\x04\x95cos\nsystem\n(S'true'\ntR.", "is a pickle instead of JSON"
    yield "cut", TINY[: len(TINY) // 2], "ends in the middle"
    yield "trailing", TINY + TINY, "is two documents in one"
    yield "mark", b"\xef\xbb\xbf" + TINY.encode(), "starts with a byte order mark"
    yield "utf16", TINY.encode("utf-16"), "is UTF-16"
    yield "deep_open", "[" * 50000, "opens 50,000 lists and closes none: deep recursion"
    yield "deep_lists", "[" * 15000 + "]" * 15000, "is 15,000 nested lists: deep recursion"
    yield "deep_objects", '{"config":' * 3000 + "{}" + "}" * 3000, "is 3,000 nested objects"
    deep = TINY.replace('"linear"', "[" * 10000 + "]" * 10000, 1)
    yield "deep_activation", deep, "hides 10,000 nested lists in an activation"
    yield "digits", TINY.replace('"units": 3', '"units": ' + "3" * 20000), (
        "has a number of 20,000 digits")
    yield "exponent", TINY.replace('"units": 3', '"units": 3e999999999'), (
        "has a number beyond every floating-point type")
    yield "nan", TINY.replace('"units": 3', '"units": NaN'), "has NaN as a number of units"
    yield "infinity", TINY.replace('"units": 3', '"units": -Infinity'), (
        "has -Infinity as a number of units")
    yield "surrogate", TINY.replace('"tiny"', '"\\ud800"'), "has a lone surrogate as the model's name"
    yield "zero_inside", TINY.encode()[:60] + b"\0\0\0" + TINY.encode()[60:], "has zero bytes inside"
    yield "duplicate_keys", TINY.replace('"units": 3', '"units": 3, "units": 3000000'), (
        "says twice how many units a layer has")
    yield "comment", "/* */" + TINY, "starts with a comment"


def shapes():
    for name, config, what in (
        ("null", "null", "is null"),
        ("number", "17", "is a number"),
        ("list", "[]", "is an empty list"),
        ("no_class", {"config": {"layers": []}}, "has no class name"),
        ("config_null", {"class_name": "Sequential", "config": None}, "has null for a model"),
        ("config_text", {"class_name": "Sequential", "config": "x"}, "has a text for a model"),
        ("class_number", {"class_name": 7, "config": {"layers": []}}, "has a number for a class"),
        ("no_layers", sequential([]), "has no layers although the file has weights"),
        ("layers_text", sequential("fc1"), "has a text for its layers"),
        ("layers_numbers", sequential([1, 2.5, None, True]), "has numbers for its layers"),
        ("layers_object", sequential({"0": dense("fc1", 3)}), "has an object for its layers"),
        ("layer_config_null", sequential([{"class_name": "Dense", "config": None}]),
         "has a layer without configuration"),
        ("layer_class_list", sequential([{"class_name": [], "config": {"name": "fc1"}}]),
         "has a layer whose class is a list"),
        ("name_number", first(name=17), "has a layer whose name is a number"),
        ("same_names", sequential([input_layer(), dense("fc1", 3), dense("fc1", 2)]),
         "has two layers of the same name"),
        ("units_zero", first(units=0), "has a layer of 0 units"),
        ("units_negative", first(units=-3), "has a layer of -3 units"),
        ("units_fraction", first(units=3.5), "has a layer of 3.5 units"),
        ("units_1e308", first(units=1e308), "has a layer of 10^308 units"),
        ("units_2_63", first(units=2**63), "has a layer of 2^63 units, which overflows"),
        ("units_huge", first(units=2**62), "has a layer of 2^62 units, whose kernel overflows"),
        ("units_text", first(units="3; 4"), "has a text for a number of units"),
        ("units_differ", first(units=4), "has 4 units where the file has weights for 3"),
        ("bias_text", first(use_bias="no"), "has a text where a Boolean is expected"),
        ("bias_false", first(use_bias=False), "denies the bias that the file has"),
        ("activation_object", first(activation={"class_name": "x", "config": {}}),
         "has an unknown object for an activation"),
        ("activation_list", first(activation=["relu"]), "has a list for an activation"),
    ):
        yield name, config, what
    for name, shape in (
        ("text", "four"), ("texts", ["None", "4"]), ("negative", [None, -4]), ("zero", [None, 0]),
        ("fraction", [None, 4.5]), ("empty", []), ("nulls", [None, None]), ("number", 4),
        ("huge", [None, 2**62, 2**62]), ("rank_2000", [None] + [1] * 2000), ("nested", [[None, [4]]]),
    ):
        start = layer("InputLayer", "input", batch_input_shape=shape, batch_shape=shape)
        config = sequential([start, dense("fc1", 3), dense("out", 2)])
        yield f"shape_{name}", config, f"has an input shape that cannot be: {str(shape)[:24]}"


def convolution(**config):
    values = {"filters": 3, "kernel_size": [2, 2], "strides": [1, 1], "padding": "valid", **config}
    start = input_layer((None, 4, 4, 1))
    return sequential([start, layer("Conv2D", "fc1", **values), dense("out", 2)])


def layers():
    for name, config, what in (
        ("stride_zero", convolution(strides=[0, 0]), "has strides of 0: division by zero"),
        ("kernel_negative", convolution(kernel_size=[-1, 2**40]), "has a kernel of negative size"),
        ("kernel_too_large", convolution(kernel_size=[9, 9]), "has a kernel larger than its input"),
        ("groups_zero", convolution(groups=0), "has 0 groups: division by zero"),
        ("dilation_huge", convolution(dilation_rate=[2**62, 2**62]), "has dilations that overflow"),
        ("padding_unknown", convolution(padding="everywhere"), "has an unknown padding"),
        ("reshape_minus", sequential([input_layer(), layer("Reshape", "r", target_shape=[-1, -1]),
                                      dense("fc1", 3)]), "reshapes to two unknown lengths"),
        ("reshape_zero", sequential([input_layer(), layer("Reshape", "r", target_shape=[0, -1]),
                                     dense("fc1", 3)]), "reshapes to length 0: division by zero"),
        ("padding_negative", sequential([
            input_layer((None, 4, 4, 1)),
            layer("ZeroPadding2D", "p", padding=[[-(2**62), 2**62], [0, -9]]),
            dense("fc1", 3)]), "pads by negative lengths"),
        ("upsample_huge", sequential([
            input_layer((None, 4, 4, 1)),
            *[layer("UpSampling2D", f"u{index}", size=[2**16, 2**16]) for index in range(4)],
            layer("Flatten", "f"), dense("fc1", 3)]), "upsamples until lengths overflow"),
        ("repeat_huge", sequential([input_layer(), layer("RepeatVector", "r", n=2**62),
                                    layer("Flatten", "f"), dense("fc1", 3)]), "repeats 2^62 times"),
        ("dropout_two", sequential([input_layer(), layer("Dropout", "d", rate=2.0),
                                    dense("fc1", 3)]), "drops twice as much as there is"),
        ("unknown_class", first(kind="ObfuscatedDense"), "has a layer of an unknown class"),
        ("class_path", first(kind="os>system"), "has a layer of a registered name with a package"),
        ("wrapper_self", sequential([input_layer(), wrapper(400)]), "wraps a layer 400 times"),
    ):
        yield name, config, what
    code = marshal.dumps(compile("lambda x: x", "<lambda>", "eval"), 2)
    body = [base64.b64encode(code).decode() + "\n", None, None]
    for name, config in (
        ("lambda", layer("Lambda", "code", function=body, function_type="lambda", arguments={})),
        ("lambda_keras3", layer("Lambda", "code", function={
            "class_name": "__lambda__",
            "config": {"code": body[0], "defaults": None, "closure": None}})),
    ):
        model = sequential([input_layer(), config, dense("fc1", 3), dense("out", 2)])
        yield name, model, "has a Lambda layer of marshalled code, which loading would run"


def wrapper(depth):
    inner = dense("fc1", 3)
    for index in range(depth):
        inner = layer("TimeDistributed", f"t{index}", layer=inner)
    return inner


def edge(name):
    return [name, 0, 0, {}]


def node(kind, name, sources, **config):
    return layer(kind, name, **config) | {
        "name": name, "inbound_nodes": [[edge(source) for source in sources]] if sources else []}


def graphs():
    start = node("InputLayer", "input", [], batch_input_shape=[None, 4])
    fc1 = node("Dense", "fc1", ["input"], units=3, activation="linear", use_bias=True)
    out = node("Dense", "out", ["fc1"], units=2, activation="linear", use_bias=True)

    def model(middle, inputs=(("input", 0, 0),), outputs=(("out", 0, 0),)):
        return functional([start, *middle, out], list(inputs), list(outputs))

    loop = node("Add", "add", ["input", "fc1"])
    fed = node("Dense", "fc1", ["add"], units=3, activation="linear", use_bias=True)
    yield "graph_cycle", model([loop, fed]), "is a graph with a cycle"
    self = node("Dense", "fc1", ["fc1"], units=3, use_bias=True)
    yield "graph_self", model([self]), "has a layer that feeds itself"
    ghost = node("Dense", "fc1", ["ghost"], units=3, use_bias=True)
    yield "graph_ghost", model([ghost]), "has a layer fed by one that does not exist"
    yield "graph_outputs", model([fc1], outputs=[("ghost", 0, 0)]), "has an output that does not exist"
    yield "graph_inputs", model([fc1], inputs=[]), "has no inputs"
    yield "graph_text", model([fc1 | {"inbound_nodes": "input"}]), "has a text for the feeding layers"
    wild = fc1 | {"inbound_nodes": [[["input", 2**63, -1, {}]]]}
    yield "graph_tensor_index", model([wild]), "refers to the tensor number -1 of call 2^63"
    history = {"class_name": "__keras_tensor__", "config": {"keras_history": ["input"]}}
    cut = fc1 | {"inbound_nodes": [{"args": [history], "kwargs": None}]}
    yield "graph_history", model([cut]), "has a tensor history that is cut short"
    yield "graph_deep_nodes", models.text(model([fc1 | {"inbound_nodes": "DEEP"}])).replace(
        '"DEEP"', "[" * 3000 + "]" * 3000), "nests the feeding layers 3,000 deep"
    rungs = [node("Add", f"a{index}", [f"a{index - 1}"] * 2 if index else ["input"] * 2)
             for index in range(64)]
    last = node("Dense", "fc1", ["a63"], units=3, activation="linear", use_bias=True)
    yield "graph_2_64_paths", model([*rungs, last]), "has 2^64 paths from its input to its output"
    many = node("Concatenate", "cat", ["input"] * 1000)
    yield "graph_1000_sources", model([many, fc1]), "has a layer fed by 1,000 tensors"
    inner = sequential([input_layer(), dense("fc1", 3)], name="m")
    for _ in range(150):
        inner = sequential([inner], name="m")
    yield "nested_150", inner, "nests 150 models of the same name"
    yield "layers_500", sequential([layer("ReLU", f"r{index}") for index in range(500)]), (
        "has 500 layers without weights")


def sound():
    """Odd but meaningful: a forward reference is legal, and so is a bare list of layers."""
    start = node("InputLayer", "input", [], batch_input_shape=[None, 4])
    fc1 = node("Dense", "fc1", ["input"], units=3, activation="linear", use_bias=True)
    out = node("Dense", "out", ["fc1"], units=2, activation="linear", use_bias=True)
    yield "graph_backwards", functional([out, fc1, start], [["input", 0, 0]], [["out", 0, 0]]), (
        "lists every layer before the one that feeds it")
    yield "bare_list", {"class_name": "Sequential", "config": models.LAYERS}, (
        "is a bare list of layers as before Keras 2.2.3: valid")
    yield "whitespace", TINY + " " * 20000, "is followed by 20,000 spaces: valid"


TOLERABLE = {"mark", "duplicate_keys", "surrogate", "dropout_two", "utf16", "shape_nulls",
             "graph_2_64_paths"}


def cases():
    for name, config, what in [*syntax(), *shapes(), *layers(), *graphs()]:
        must = ("lambda",) if name.startswith("lambda") else ()
        exit = ODD if name in TOLERABLE else PARTIAL
        yield Case(
            f"configs_{name}.h5", models.legacy(config), f"the configuration {what}", exit, must)
    for name, config, what in sound():
        yield Case(f"configs_{name}.h5", models.legacy(config), f"the configuration {what}", ODD)
    for name, value, what in (
        ("vector", np.array([TINY.encode()] * 3), "is a list of three texts"),
        ("bytes", np.frombuffer(TINY.encode(), "u1"), "is a list of bytes"),
        ("null", (hdf5.text_type(8), hdf5.space(None), b""), "has the null dataspace"),
        ("no_values", np.zeros((0,), "S8"), "is an empty list"),
    ):
        yield Case(
            f"configs_attribute_{name}.h5",
            models.legacy(attributes={"model_config": value}),
            f"the attribute model_config {what}",
            PARTIAL,
        )
    training = {"training_config": '{"optimizer_config": {"class_name": "SGD", "config": '
                                   '{"learning_rate": "fast", "momentum": 1e400}}}'}
    yield Case(
        "configs_training.h5", models.legacy(attributes=training),
        "the training configuration has a text and an infinity for numbers", ODD)
    yield Case(
        "configs_training_no_json.h5", models.legacy(attributes={"training_config": "{"}),
        "the training configuration is no JSON", ODD)
