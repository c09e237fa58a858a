"""Writes primitives.json: what JAX computes in float64 for each primitive of TensorIR.

    python make_jax.py

Made with jax 0.10.2 on a CPU, seed 20240601. Each case names a primitive and its attributes as the text
form of a graph spells them, and holds operands and the result in row-major order. Expected values
come from jax.lax alone (chlo operations through jax.lax, gathers through jax.numpy indexing); the
transposed primitives are JAX's own vector-Jacobian products of the forward ones.
"""

import json
import pathlib

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import lax  # noqa: E402

random = np.random.default_rng(20240601)
cases = []


def real(*shape, low=-1.0, high=1.0):
    # Three decimals keep the file small and every operand exact in both places.
    return np.round(random.uniform(low, high, shape), 3)


def index(*shape, below):
    return random.integers(0, below, shape)


def truth(*shape):
    return random.integers(0, 2, shape).astype(bool)


def tensor(array):
    array = np.asarray(array)
    kind = {"f": "real", "i": "index", "b": "boolean"}[array.dtype.kind]
    values = array.astype(np.float64).ravel().tolist()
    spelt = [v if np.isfinite(v) else str(v) for v in values]
    return {"shape": list(array.shape), "element": kind, "elements": spelt}


def case(mnemonic, function, *operands, **attributes):
    result = function(*[jnp.asarray(o) for o in operands])
    cases.append(
        {
            "mnemonic": mnemonic,
            "attributes": attributes,
            "operands": [tensor(o) for o in operands],
            "result": tensor(result),
        }
    )


special = np.array([-np.inf, -2.0, -0.5, -0.0, 0.0, 1e-9, 0.5, 2.0, np.inf, np.nan])


def elementwise():
    unary = {
        "abs": jnp.abs, "erf": lax.erf, "exponential": lax.exp, "exponential_minus_one": lax.expm1,
        "log": lax.log, "log_plus_one": lax.log1p, "logistic": lax.logistic, "negate": lax.neg,
        "rsqrt": lax.rsqrt, "sign": lax.sign, "sqrt": lax.sqrt, "tanh": lax.tanh,
        "stop_gradient": lax.stop_gradient,
    }
    for name, function in unary.items():
        case(name, function, real(2, 3, low=0.01, high=3))
        case(name, function, special)
    x, y = (grid.ravel() for grid in np.meshgrid(special, special))
    binary = {
        "add": lax.add, "divide": lax.div, "maximum": lax.max, "minimum": lax.min,
        "multiply": lax.mul, "subtract": lax.sub,
    }
    for name, function in binary.items():
        case(name, function, real(2, 3), real(2, 3))
        case(name, function, x, y)
    directions = {"EQ": lax.eq, "NE": lax.ne, "GT": lax.gt, "GE": lax.ge, "LT": lax.lt, "LE": lax.le}
    for name, function in directions.items():
        case("compare", function, x, y, direction=name)
        case("compare", function, index(7, below=3), index(7, below=3), direction=name)
    case("select", lax.select, truth(3, 4), real(3, 4), real(3, 4))
    case("convert", lambda x: x.astype(jnp.float64), truth(2, 3), to="real")
    case("convert", lambda x: x.astype(jnp.float64), index(2, 3, below=9), to="real")
    case("convert", lambda x: x.astype(jnp.int64), truth(2, 3), to="index")


def structural():
    case("broadcast_in_dim", lambda x: lax.broadcast_in_dim(x, (2, 4, 3), (0, 2)), real(2, 3),
         shape=[2, 4, 3], axes=[0, 2])
    case("broadcast_in_dim", lambda x: lax.broadcast_in_dim(x, (2, 2), ()), real(), shape=[2, 2],
         axes=[])
    case("concatenate", lambda *x: lax.concatenate(x, 1), real(2, 1, 2), real(2, 3, 2), axis=[1])
    case("concatenate", lambda *x: lax.concatenate(x, 0), index(2, below=5), index(1, below=5),
         index(3, below=5), axis=[0])
    case("gather", lambda table, rows: table[rows], real(4, 3), index(2, 5, below=4))
    case("gather", lambda table, rows: table[rows], real(4, 2, 2), index(3, below=4))
    case("scatter", lambda x, rows: jnp.zeros((4, 3)).at[rows].add(x), real(2, 5, 3),
         index(2, 5, below=4), rows=[4])
    case("iota", lambda: lax.broadcasted_iota(jnp.int64, (2, 3, 2), 1), shape=[2, 3, 2], axis=[1])
    case("offset_rows", lambda x: x + 4 * lax.broadcasted_iota(jnp.int64, (3, 2), 0),
         index(3, 2, below=4), rows=[4])
    case("pad", lambda x: lax.pad(x, 0.0, [(1, 0, 2), (0, 2, 1)]), real(2, 3), low=[1, 0],
         high=[0, 2], interior=[2, 1])
    for axes in [[0, 2], [1], [0, 1, 2]]:
        case("reduce", lambda x: lax.reduce(x, 0.0, lax.add, axes), real(2, 3, 4), operation="sum",
             axes=axes)
        case("reduce", lambda x: lax.reduce(x, -jnp.inf, lax.max, axes), real(2, 3, 4),
             operation="maximum", axes=axes)
    case("reduce", lambda x: lax.reduce(x, -jnp.inf, lax.max, [1]),
         np.array([[1, np.nan, 2], [-np.inf, -np.inf, -np.inf], [np.inf, 0, 1]]),
         operation="maximum", axes=[1])
    case("reshape", lambda x: lax.reshape(x, (3, 1, 4)), real(2, 6), shape=[3, 1, 4])
    case("slice", lambda x: lax.slice(x, (1, 0, 2), (4, 3, 7), (2, 1, 3)), real(5, 3, 8),
         starts=[1, 0, 2], limits=[4, 3, 7], strides=[2, 1, 3])
    case("transpose", lambda x: lax.transpose(x, (3, 1, 0, 2)), real(2, 1, 3, 2),
         permutation=[3, 1, 0, 2])


def products():
    rows = [
        ((2, 3), (3, 4), [], [], [1], [0]),
        ((2, 3), (4,), [], [], [], []),
        ((2, 3, 5, 4), (3, 4, 6, 2), [], [], [3, 0, 1], [1, 3, 0]),
        ((2, 3, 2, 4, 5), (4, 2, 6, 5, 3), [3, 1], [0, 4], [4, 0], [3, 1]),
        ((2, 3), (2, 4, 3), [1], [2], [], []),
    ]
    for left, right, lb, rb, lc, rc in rows:
        case("dot_general",
             lambda x, y: lax.dot_general(x, y, ((lc, rc), (lb, rb)), precision="highest"),
             real(*left), real(*right), left_batch=lb, right_batch=rb, left_contracting=lc,
             right_contracting=rc)


def convolutions():
    rows = [
        ((2, 5, 3), (3, 3, 2), [1], [0], [0], [1], 1),
        ((1, 9, 2), (3, 2, 3), [3], [2], [0], [2], 1),
        ((2, 6, 5, 2), (3, 3, 2, 3), [2, 2], [1, 1], [1, 1], [1, 1], 1),
        ((2, 7, 8, 4), (3, 2, 2, 6), [2, 3], [0, 3], [2, 1], [2, 1], 2),
        ((1, 3, 4, 3), (2, 2, 1, 6), [1, 1], [1, 0], [0, 1], [1, 1], 3),
        ((2, 4, 6, 3), (1, 1, 3, 2), [2, 2], [0, 0], [0, 0], [1, 1], 1),
        ((1, 3, 4, 5, 2), (2, 2, 3, 1, 4), [1, 2, 2], [1, 0, 1], [0, 1, 0], [1, 2, 1], 2),
    ]
    for shape, kernel, stride, low, high, dilation, groups in rows:
        rank = len(stride)
        spatial = "DHW"[3 - rank:]
        numbers = lax.conv_dimension_numbers(
            shape, kernel, (f"N{spatial}C", f"{spatial}IO", f"N{spatial}C"))

        def convolve(x, k):
            return lax.conv_general_dilated(
                x, k, stride, list(zip(low, high)), rhs_dilation=dilation,
                dimension_numbers=numbers, feature_group_count=groups, precision="highest")

        attributes = dict(stride=stride, low=low, high=high, dilation=dilation, groups=[groups])
        x, k = real(*shape), real(*kernel)
        case("convolution", convolve, x, k, **attributes)
        y = real(*convolve(x, k).shape)
        case("convolution_input_transpose",
             lambda y, k: jax.vjp(lambda x: convolve(x, k), jnp.zeros(shape))[1](y)[0], y, k,
             **attributes, input=list(shape[1:-1]))
        case("convolution_kernel_transpose",
             lambda x, y: jax.vjp(lambda k: convolve(x, k), jnp.zeros(kernel))[1](y)[0], x, y,
             **attributes, kernel=list(kernel[:rank]))


def windows():
    rows = [
        ((2, 7, 3), [3], [2], [1], [1]),
        ((2, 5, 6, 3), [3, 2], [2, 3], [2, 0], [1, 1]),
        ((1, 3, 3, 4, 2), [2, 1, 2], [1, 2, 2], [0, 0, 1], [1, 0, 0]),
    ]
    for shape, window, stride, low, high in rows:
        size, step = (1, *window, 1), (1, *stride, 1)
        padding = [(0, 0), *zip(low, high), (0, 0)]

        def pool(x):
            return lax.reduce_window(x, 0.0, lax.add, size, step, padding)

        attributes = dict(window=window, stride=stride, low=low, high=high)
        x = real(*shape)
        case("reduce_window", pool, x, **attributes)
        case("reduce_window_transpose",
             lambda y: jax.vjp(pool, jnp.zeros(shape))[1](y)[0], real(*pool(x).shape),
             **attributes, input=list(shape[1:-1]))
        plane = int(np.prod(shape[1:-1]))

        def argmax(x):
            # A tie goes to the smaller place.
            places = jnp.broadcast_to(
                jnp.arange(plane).reshape(1, *shape[1:-1], 1), x.shape)

            def larger(a, b):
                (av, ap), (bv, bp) = a, b
                first = (av > bv) | ((av == bv) & (ap < bp))
                return jnp.where(first, av, bv), jnp.where(first, ap, bp)

            return lax.reduce_window(
                (x, places), (-jnp.inf, jnp.asarray(plane)), larger, size, step, padding)[1]

        case("window_argmax", argmax, x, **attributes)
        case("window_argmax", argmax, np.round(x), **attributes)
        picked = (shape[0], 2, *([1] * (len(window) - 1)), shape[-1])
        places = index(*picked, below=plane)

        def pick(x, places):
            flat = x.reshape(shape[0], plane, shape[-1])
            chosen = jnp.take_along_axis(flat, places.reshape(shape[0], -1, shape[-1]), 1)
            return chosen.reshape(places.shape)

        case("window_gather", pick, x, places)
        case("window_scatter",
             lambda y, places: jax.vjp(lambda x: pick(x, places), jnp.zeros(shape))[1](y)[0],
             real(*picked), places, plane=list(shape[1:-1]))


elementwise()
structural()
products()
convolutions()
windows()
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
pathlib.Path(__file__).with_name("primitives.json").write_text(f"[\n{lines}\n]\n")
print(len(cases), "cases")
