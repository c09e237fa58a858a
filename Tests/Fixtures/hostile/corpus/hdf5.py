"""A writer of HDF5 files that says exactly what it is told to, sensible or not.

Superblock 2, object headers 2, links in the headers: no library sits between a case and its bytes.
A `Ref` inside the parts of a block or message becomes the address of another block, so cycles are
as easy as trees.
"""

from dataclasses import dataclass, field
from struct import pack

import numpy as np

from .checksum import lookup3

SIGNATURE = b"\x89HDF\r\n\x1a\n"


@dataclass(eq=False)
class Block:
    """Raw bytes with an address."""

    parts: list

    def layout(self):
        return self.parts


@dataclass(eq=False)
class Ref:
    """The address of a block; `None` is HDF5's undefined address."""

    target: object = None


UNDEFINED = Ref()


@dataclass(eq=False)
class Header(Block):
    """An object header; `messages` are pairs of a type and parts."""

    parts: list = field(default_factory=list)
    messages: list = field(default_factory=list)
    flags: dict = field(default_factory=dict)


def measure(parts, width):
    return sum(width if isinstance(part, Ref) else len(part) for part in parts)


def encode(parts, width, addresses):
    out = bytearray()
    for part in parts:
        if not isinstance(part, Ref):
            out += part
        elif part.target is None:
            out += b"\xff" * width
        else:
            out += addresses[id(part.target)].to_bytes(width, "little")
    return bytes(out)


def size_of(block, width):
    if isinstance(block, Header):
        return 14 + sum(4 + measure(parts, width) for _, parts in block.messages)
    return measure(block.parts, width)


def emit(block, width, addresses):
    if not isinstance(block, Header):
        return encode(block.parts, width, addresses)
    body = bytearray()
    for kind, parts in block.messages:
        encoded = encode(parts, width, addresses)
        body += pack("<BHB", kind, len(encoded), block.flags.get(kind, 0)) + encoded
    header = b"OHDR\x02\x02" + pack("<I", len(body)) + body
    return header + pack("<I", lookup3(header))


def references(block):
    parts = block.parts
    if isinstance(block, Header):
        parts = [part for _, message in block.messages for part in message]
    return [part.target for part in parts if isinstance(part, Ref) and part.target is not None]


def superblock(root, end, width=8, version=2, flags=0, extension=None, base=0):
    undefined = (1 << 8 * width) - 1
    numbers = [base, undefined if extension is None else extension, end, root]
    head = SIGNATURE + bytes([version, width, 8, flags])
    head += b"".join(number.to_bytes(width, "little") for number in numbers)
    return head + pack("<I", lookup3(head))


def file(root, width=8, **superblock_options):
    """The file whose root group is `root`, with everything it refers to."""
    order, seen, waiting = [], set(), [root]
    while waiting:
        block = waiting.pop()
        if id(block) in seen:
            continue
        seen.add(id(block))
        order.append(block)
        waiting.extend(reversed(references(block)))
    addresses, position = {}, 16 + 4 * width
    for block in order:
        addresses[id(block)] = position
        position += size_of(block, width)
    options = {"end": position, **superblock_options}
    head = superblock(addresses[id(root)], width=width, **options)
    return head + b"".join(emit(block, width, addresses) for block in order)


# MARK: Groups and links


def raw(text):
    return text.encode() if isinstance(text, str) else bytes(text)


def link(name, target):
    """A link message: `target` is a block (hard link) or the value of `soft`, `external`, `user`."""
    name = raw(name)
    size = 0 if len(name) < 256 else 1
    length = len(name).to_bytes(1 << size, "little")
    if isinstance(target, Block):
        return (6, [bytes([1, size]) + length + name, Ref(target)])
    kind, value = target
    return (6, [bytes([1, size | 8, kind]) + length + name + pack("<H", len(value)) + value])


def soft(path):
    return (1, raw(path))


def external(path, inside):
    return (64, b"\0" + raw(path) + b"\0" + raw(inside) + b"\0")


def user(kind, value):
    return (kind, raw(value))


LINK_INFO = (2, [b"\0\0", UNDEFINED, UNDEFINED])


def group(links=(), attributes=()):
    links = links.items() if isinstance(links, dict) else links
    attributes = attributes.items() if isinstance(attributes, dict) else attributes
    return Header(
        messages=[LINK_INFO]
        + [link(name, target) for name, target in links]
        + [attribute(name, value) for name, value in attributes]
    )


# MARK: Values


def floating(size, precision, exponent, mantissa, bias, sign=None, flags=0x20):
    """A floating-point type: `exponent` and `mantissa` are pairs of position and width in bits."""
    sign = precision - 1 if sign is None else sign
    head = bytes([0x11, flags, sign & 0xFF, 0]) + pack("<IHH", size, 0, precision)
    return head + bytes([*exponent, *mantissa]) + pack("<I", bias)


F32 = floating(4, 32, (23, 8), (0, 23), 127)
F64 = floating(8, 64, (52, 11), (0, 52), 1023)


def integer(size, signed=True):
    return bytes([0x10, 8 if signed else 0, 0, 0]) + pack("<IHH", size, 0, 8 * size)


def text_type(size, padding=1):
    return bytes([0x13, padding, 0, 0]) + pack("<I", size)


def space(dims):
    """A simple dataspace; `()` is a scalar and `None` the null dataspace."""
    if dims is None:
        return b"\x02\0\0\x02"
    kind = 1 if dims else 0
    return bytes([2, len(dims), 0, kind]) + b"".join(pack("<Q", dim) for dim in dims)


def datatype(dtype):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return {4: F32, 8: F64}[dtype.itemsize]
    if dtype.kind in "iu":
        return integer(dtype.itemsize, dtype.kind == "i")
    return text_type(max(dtype.itemsize, 1))


def attribute(name, value):
    """An attribute message; a tuple `(datatype, dataspace, bytes)` is written as it is."""
    if not isinstance(value, tuple):
        value = np.asarray(raw(value) if isinstance(value, (str, bytes)) else value)
        if value.dtype.kind == "U":
            value = np.char.encode(value, "utf-8")
        value = (datatype(value.dtype), space(value.shape), value.tobytes())
    kind, shape, data = value
    name = raw(name) + b"\0"
    head = pack("<BBHHHB", 3, 0, len(name), len(kind), len(shape), 0)
    return (12, [head + name + kind + shape + data])


def dataset(kind, shape, layout, filters=None, attributes=()):
    """A dataset from the bodies of its messages."""
    messages = [(1, [shape]), (3, [kind]), (5, [b"\x03\x0a"])]
    if filters is not None:
        messages.append((11, [filters]))
    return Header(messages=messages + [(8, layout)] + [attribute(*item) for item in attributes])


def contiguous(data, size=None):
    size = len(data) if size is None else size
    address = Ref(Block([data])) if data else UNDEFINED
    return [b"\x03\x01", address, pack("<Q", size)]


def array(value):
    value = np.ascontiguousarray(value)
    return dataset(datatype(value.dtype), space(value.shape), contiguous(value.tobytes()))


def chunked(dims, element, chunks=()):
    """A chunked layout; `chunks` are triples of an offset, the declared size and the bytes."""
    head = b"\x03\x02" + bytes([len(dims) + 1])
    sizes = b"".join(pack("<I", dim) for dim in [*dims, element])
    if not chunks:
        return [head, UNDEFINED, sizes]
    node = [b"TREE\x01\x00" + pack("<H", len(chunks)), UNDEFINED, UNDEFINED]
    shared = {}
    for offset, declared, data in chunks:
        node.append(pack("<II", declared, 0) + pack(f"<{len(dims) + 1}Q", *offset, 0))
        node.append(Ref(shared.setdefault(data, Block([data]))))
    last = [chunks[-1][0][0] + dims[0], *chunks[-1][0][1:]]
    node.append(pack("<II", 0, 0) + pack(f"<{len(dims) + 1}Q", *last, 0))
    # The library reads whole nodes: 2 * 32 children at the default rank.
    used = measure(node, 8)
    full = 24 + 65 * (8 + 8 * (len(dims) + 1)) + 64 * 8
    return [head, Ref(Block(node + [bytes(full - used)])), sizes]


def pipeline(*filters):
    """A filter pipeline; each filter is an identifier, flags, and client values."""
    out = bytes([2, len(filters)])
    for identifier, flags, *values in filters:
        out += pack("<H", identifier)
        if identifier >= 256:
            out += pack("<H", 0)
        out += pack("<HH", flags, len(values)) + b"".join(pack("<I", value) for value in values)
    return out
