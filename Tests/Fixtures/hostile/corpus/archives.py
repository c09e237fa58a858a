"""ZIP archives (.keras) whose directory, members or sizes lie."""

import json
import zlib
from dataclasses import dataclass
from struct import pack

from . import links, models
from .case import ANY, NOT_SAFE, ODD, PARTIAL, UNREADABLE, VALID, Case
from .hdf5 import raw

CONFIG = {
    "module": "keras",
    "registered_name": None,
    **models.sequential([
        models.layer("InputLayer", "input", batch_shape=[None, 4], dtype="float32"),
        models.dense("fc1", 3),
        models.dense("out", 2),
    ]),
}
META = b'{"keras_version": "3.4.0", "date_saved": "2024-01-01@00:00:00"}'
WEIGHTS = models.weights_only()
CONFIG_TEXT = json.dumps(CONFIG).encode()


@dataclass
class Member:
    """A member; every field that is set is written in place of the true value."""

    name: object
    data: bytes
    method: int = 0
    flags: int = 0
    packed: int = None
    size: int = None
    checksum: int = None
    local_name: object = None
    local_size: int = None
    offset: int = None
    extra: bytes = b""
    attributes: int = 0
    absent: bool = False

    def stored(self):
        if self.method != 8:
            return self.data
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(self.data) + packer.flush()

    def numbers(self, size=None):
        stored = self.stored()
        checksum = zlib.crc32(self.data) if self.checksum is None else self.checksum
        packed = len(stored) if self.packed is None else self.packed
        size = size if size is not None else len(self.data) if self.size is None else self.size
        # 1980-01-01, as Keras writes it.
        return pack("<HHHHIII", self.flags, self.method, 0, 33, checksum, packed, size)


def archive(*members, prefix=b"", comment=b"", count=None, start=None, length=None, cut=0):
    out, directory = bytearray(prefix), bytearray()
    for member in members:
        offset = len(out) if member.offset is None else member.offset
        local = raw(member.name if member.local_name is None else member.local_name)
        if not member.absent:
            out += b"PK\3\4\x14\0" + member.numbers(member.local_size)
            out += pack("<HH", len(local), 0) + local + member.stored()
        name = raw(member.name)
        directory += b"PK\1\2\x14\x03\x14\0" + member.numbers()
        directory += pack("<HHHHHII", len(name), len(member.extra), 0, 0, 0,
                          member.attributes, offset) + name + member.extra
    count = len(members) if count is None else count
    start = len(out) if start is None else start
    length = len(directory) if length is None else length
    end = b"PK\5\6" + pack("<HHHHIIH", 0, 0, count & 0xFFFF, count & 0xFFFF, length, start, len(comment))
    whole = bytes(out + directory + end + comment)
    return whole[: len(whole) - cut]


def meta():
    return Member("metadata.json", META)


def config(data=CONFIG_TEXT, **options):
    return Member("config.json", data, **options)


def weights(data=WEIGHTS, **options):
    return Member("model.weights.h5", data, **options)


def sound(*more, **options):
    return archive(meta(), config(), weights(), *more, **options)


def containers():
    yield "valid", sound(), "control: a sound .keras file", VALID
    yield "empty", b"", "no bytes at all", UNREADABLE
    yield "not_a_zip", b"This is not an archive.\n" * 20, "plain text instead of an archive", UNREADABLE
    yield "no_members", archive(), "an archive without members", [2, 3]
    yield "hdf5_inside_out", models.legacy(), (
        "an HDF5 model under the name of an archive"), ODD
    for cut in (1, 21, 60, 200):
        yield f"cut_{cut}", sound(cut=cut), f"the last {cut} bytes are missing", UNREADABLE
    yield "cut_half", sound()[: len(sound()) // 2], "half an archive", UNREADABLE
    yield "directory_beyond_end", sound(start=1 << 30), "the central directory lies beyond the end", UNREADABLE
    yield "directory_too_long", sound(length=0xFFFFFFF0), "the central directory claims 4 GiB", UNREADABLE
    yield "directory_is_end", sound(start=0, length=0), (
        "the central directory has no bytes although it counts three members"), UNREADABLE
    yield "count_65535", sound(count=65535), "65,535 members are counted where three are", [2]
    yield "count_zero", sound(count=0), "no member is counted where three are", NOT_SAFE
    yield "comment", sound(comment=b"x" * 30000), "a comment of 30,000 bytes: valid", ODD
    fake = b"PK\5\6" + pack("<HHHHIIH", 0, 0, 0, 0, 0, 0, 0)
    yield "comment_end_record", sound(comment=fake), (
        "the comment is another end record, so two directories are possible"), ANY
    yield "comment_too_long", sound(comment=b"abc")[:-1], "the comment is shorter than it says", UNREADABLE
    yield "prefix", archive(meta(), config(), weights(), prefix=b"#!/bin/sh\nexit 1\n"), (
        "sound, but a shell script stands before the first member"), ODD
    far = b"PK\6\6" + pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1 << 63, 1 << 63, 1 << 63, 1 << 63)
    wide = sound(start=0xFFFFFFFF, length=0xFFFFFFFF, count=0xFFFF)
    body, end = wide[:-22], wide[-22:]
    locator = b"PK\6\7" + pack("<IQI", 0, len(body), 1)
    yield "zip64_absurd", body + far + locator + end, (
        "a ZIP64 end record counts 2^63 members"), UNREADABLE
    lost = b"PK\6\7" + pack("<IQI", 0, 1 << 62, 1)
    yield "zip64_locator", body + lost + end, "the ZIP64 end record lies beyond the file", UNREADABLE
    disks = bytearray(sound())
    disks[-18:-14] = pack("<HH", 7, 9)
    yield "disks", bytes(disks), "the archive says that it is the eighth of several disks", ODD
    many = [Member(f"assets/{index}", b"") for index in range(200)]
    yield "members_200", sound(*many), "200 empty members beside a sound model", ODD


def members():
    yield "name_traversal", sound(Member("../../etc/passwd", b"x")), (
        "one more member would leave the folder it is unpacked to"), ODD
    yield "name_absolute", sound(Member("/etc/passwd", b"x")), "one more member has an absolute path", ODD
    yield "name_escape", sound(Member("\x1b[31m\n::error::owned", b"x")), (
        "one more member's name carries an escape and a workflow command"), ODD
    yield "name_invalid", sound(Member(b"\xff\xfe\xc0", b"x")), "one more member's name is no text", ODD
    yield "name_zero", archive(meta(), config(), Member("model.weights.h5\0.txt", WEIGHTS)), (
        "the weights' name has a zero byte, at which C ends it"), PARTIAL
    yield "name_case", archive(meta(), config(), Member("MODEL.WEIGHTS.H5", WEIGHTS)), (
        "the weights' name is in capitals: not the member that is looked for"), PARTIAL
    link = Member("model.weights.h5", b"/etc/passwd", attributes=0o120777 << 16)
    yield "symbolic_link", archive(meta(), config(), link), "the weights are a symbolic link", PARTIAL
    other = models.weights_only(weights={"fc1": models.GRADIENTS["fc1"], "out": models.WEIGHTS["out"]})
    yield "weights_twice", sound(weights(other)), (
        "two members are called model.weights.h5: which one counts differs between readers"), PARTIAL
    yield "config_twice", sound(config(b'{"class_name": "Sequential", "config": {"layers": []}}')), (
        "two members are called config.json"), PARTIAL
    yield "no_config", archive(meta(), weights()), "there is no configuration", PARTIAL
    yield "no_weights", archive(meta(), config()), "there are no weights", PARTIAL
    yield "no_metadata", archive(config(), weights()), "there is no metadata.json: it is not needed", ODD
    yield "weights_no_hdf5", archive(meta(), config(), weights(b"pickle" * 99)), "the weights are no HDF5", PARTIAL
    yield "weights_empty", archive(meta(), config(), weights(b"")), "the weights have no bytes", PARTIAL
    half = WEIGHTS[: len(WEIGHTS) // 2]
    yield "weights_half", archive(meta(), config(), weights(half)), "half of the weights are missing", PARTIAL
    yield "weights_zip", archive(meta(), config(), weights(sound())), "the weights are an archive again", PARTIAL
    yield "metadata_no_json", archive(Member("metadata.json", b"{"), config(), weights()), (
        "metadata.json is no JSON"), ODD
    yield "config_no_json", archive(meta(), config(b"<xml/>"), weights()), "config.json is no JSON", PARTIAL
    yield "config_invalid_utf8", archive(meta(), config(CONFIG_TEXT.replace(b"fc1", b"f\xff1")), weights()), (
        "config.json is invalid UTF-8"), PARTIAL
    deep = b"[" * 10000
    yield "config_deep", archive(meta(), config(deep), weights()), "config.json opens 10,000 lists", PARTIAL


def sizes():
    yield "deflated", archive(meta(), config(method=8), weights(method=8)), (
        "the members are deflated, which Keras reads but never writes"), ODD
    deep = b"[" * 5_000_000
    yield "deflated_deep", archive(meta(), config(deep, method=8), weights()), (
        "config.json is deflated and opens 5,000,000 lists"), PARTIAL
    yield "deflated_bomb", archive(meta(), config(), weights(bytes(24 << 20), method=8)), (
        "the weights are deflated and unpack 24 KiB to 24 MiB of zeros"), PARTIAL
    yield "deflated_lie", archive(meta(), config(), weights(bytes(16 << 20), method=8, size=986)), (
        "the weights claim 986 bytes and unpack to 16 MiB"), PARTIAL
    yield "deflated_noise", archive(meta(), config(), weights(packed=len(WEIGHTS), method=12)), (
        "the weights are packed by method 12, bzip2, and are not"), PARTIAL
    yield "size_too_large", archive(meta(), config(), weights(size=1 << 30, packed=1 << 30)), (
        "the weights claim a gigabyte"), PARTIAL
    yield "size_max", archive(meta(), config(), weights(size=0xFFFFFFFF, packed=0xFFFFFFFF)), (
        "the weights claim ZIP64 sizes and have no ZIP64 field"), PARTIAL
    yield "size_too_small", archive(meta(), config(), weights(size=400, packed=400)), (
        "the weights claim 400 of their bytes"), PARTIAL
    yield "size_differs", archive(meta(), config(), weights(size=len(WEIGHTS) + 9)), (
        "the weights are stored but claim different packed and unpacked sizes"), PARTIAL
    yield "size_packed_zero", archive(meta(), config(), weights(packed=0)), (
        "the weights claim a packed size of 0"), PARTIAL
    yield "size_local_differs", archive(meta(), config(), weights(local_size=12)), (
        "the weights' sizes differ between their header and the directory"), ODD
    field = pack("<HHQQQ", 1, 24, 1 << 62, 1 << 62, 0)
    yield "zip64_member", archive(
        meta(), config(), weights(size=0xFFFFFFFF, packed=0xFFFFFFFF, extra=field)), (
        "a ZIP64 field gives the weights 2^62 bytes"), PARTIAL
    short = pack("<HH", 1, 8)
    yield "zip64_short", archive(meta(), config(), weights(size=0xFFFFFFFF, extra=short)), (
        "the weights' ZIP64 field ends before its value"), PARTIAL
    wrong = pack("<HH", 0x7075, 65000) + b"x"
    yield "extra_too_long", sound(Member("note", b"x", extra=wrong)), (
        "a field of one more member claims more bytes than there are"), ODD
    yield "checksum", archive(meta(), config(), weights(checksum=1)), (
        "the weights' checksum is wrong, so they were damaged"), PARTIAL
    yield "encrypted", archive(meta(), config(), weights(flags=1)), "the weights say they are encrypted", PARTIAL
    yield "masked_directory", archive(meta(), config(), weights(flags=1 << 13)), (
        "the weights' header says that its values are masked"), ODD
    yield "descriptor", archive(meta(), config(), weights(flags=8)), (
        "the weights promise a data descriptor that is not there; the directory is enough"), ODD
    yield "local_name", archive(meta(), config(), weights(local_name="metadata2.json")), (
        "the weights have another name in their header than in the directory"), ODD
    yield "offset_beyond_end", archive(meta(), config(), weights(offset=1 << 31)), (
        "the weights lie beyond the end of the file"), PARTIAL
    yield "offset_overlap", archive(meta(), config(), weights(offset=0)), (
        "the weights overlap metadata.json"), PARTIAL
    shared = [Member(f"copy{index}", CONFIG_TEXT, offset=0, absent=True) for index in range(200)]
    yield "overlap_200", sound(*shared), "200 members share the same bytes: an overlapping bomb", ODD


def cases():
    for name, data, why, exit in [*containers(), *members(), *sizes()]:
        forbidden = ("\x1b", "\n::error") if name == "name_escape" else ()
        forbidden += ("root:x:0",) if "passwd" in repr(data) else ()
        yield Case(f"archives_{name}.keras", data, why, sorted(exit), (), forbidden)
    yield Case(
        "archives_under_h5.h5", sound(),
        "an archive under the name of an HDF5 file", ODD)
    for name, data in links.inside_weights():
        yield Case(
            f"archives_{name}.keras", archive(meta(), config(), weights(data)),
            "the weights inside the archive have an external link, relative to no folder at all",
            PARTIAL, ("external",), (links.SECRET,))
