"""The checksum of HDF5's newer metadata: Bob Jenkins' lookup3, `hashlittle`."""

MASK = 0xFFFFFFFF


def rotate(value, bits):
    return ((value << bits) | (value >> (32 - bits))) & MASK


def lookup3(data, initial=0):
    length = len(data)
    a = b = c = (0xDEADBEEF + length + initial) & MASK
    position = 0
    while length - position > 12:
        a = (a + int.from_bytes(data[position : position + 4], "little")) & MASK
        b = (b + int.from_bytes(data[position + 4 : position + 8], "little")) & MASK
        c = (c + int.from_bytes(data[position + 8 : position + 12], "little")) & MASK
        a = (a - c) & MASK ^ rotate(c, 4)
        c = (c + b) & MASK
        b = (b - a) & MASK ^ rotate(a, 6)
        a = (a + c) & MASK
        c = (c - b) & MASK ^ rotate(b, 8)
        b = (b + a) & MASK
        a = (a - c) & MASK ^ rotate(c, 16)
        c = (c + b) & MASK
        b = (b - a) & MASK ^ rotate(a, 19)
        a = (a + c) & MASK
        c = (c - b) & MASK ^ rotate(b, 4)
        b = (b + a) & MASK
        position += 12
    tail = bytes(data[position:])
    if not tail:
        return c
    tail = tail + bytes(12 - len(tail))
    a = (a + int.from_bytes(tail[0:4], "little")) & MASK
    b = (b + int.from_bytes(tail[4:8], "little")) & MASK
    c = (c + int.from_bytes(tail[8:12], "little")) & MASK
    c = ((c ^ b) - rotate(b, 14)) & MASK
    a = ((a ^ c) - rotate(c, 11)) & MASK
    b = ((b ^ a) - rotate(a, 25)) & MASK
    c = ((c ^ b) - rotate(b, 16)) & MASK
    a = ((a ^ c) - rotate(c, 4)) & MASK
    b = ((b ^ a) - rotate(a, 14)) & MASK
    c = ((c ^ b) - rotate(b, 24)) & MASK
    return c
