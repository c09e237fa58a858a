"""Finding one's way in files of the older HDF5 format (no checksums), to patch them."""

from struct import pack_into, unpack_from

from .models import opened


def put(data, position, kind, *values):
    """A copy of `data` with values packed at `position`."""
    copy = bytearray(data)
    pack_into("<" + kind, copy, position, *values)
    return bytes(copy)


def get(data, position, kind):
    return unpack_from("<" + kind, data, position)[0]


def header(data, path):
    """The address of the object header of `path`."""
    import h5py

    with opened(data) as file:
        return h5py.h5o.get_info(file[path].id).addr


def messages(data, address):
    """Type, position of the body and size of every message of a version 1 object header."""
    assert data[address] == 1
    chunks, found = [(address + 16, get(data, address + 8, "I"))], []
    for start, length in chunks:
        position = start
        while position + 8 <= start + length:
            kind, size = unpack_from("<HH", data, position)
            if kind == 0x10:
                chunks.append(unpack_from("<QQ", data, position + 8))
            found.append((kind, position + 8, size))
            position += 8 + size
    return found


def message(data, path, kind):
    """The position and size of the first message of a type."""
    return next(
        (position, size)
        for found, position, size in messages(data, header(data, path))
        if found == kind
    )


def symbol_table(data, path):
    """The addresses of the B-tree and of the local heap of a group."""
    position, _ = message(data, path, 0x11)
    return unpack_from("<QQ", data, position)


def set_tree(data, path, tree):
    """Makes the B-tree of a group another one, also where its address is cached."""
    position, _ = message(data, path, 0x11)
    old = get(data, position, "Q")
    return data.replace(old.to_bytes(8, "little"), tree.to_bytes(8, "little"))


def append(data, more):
    """`data` with `more` at its end and a corrected end-of-file address."""
    return put(data + more, 40, "Q", len(data) + len(more))
