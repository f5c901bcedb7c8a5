"""A reader of checkpoints, made from src/checkpoint/README.md alone; its tables are read from that page.

    format_page.py read FILE         reads it with h5py and, if there is an image, from its bytes; proves it, and prints
                                     its fingerprint
    format_page.py damage FILE       flips bytes of copies in every range that is covered: each is noticed
    format_page.py unfinished FILE   whether that one is recognised as not finished
"""
import re
import struct
import sys
from collections import namedtuple
from pathlib import Path

import h5py
import numpy as np

from checks import check, finish
from seal import renew, xxhash

BLOCK = 4096  # floats
PAGE = (Path(__file__).parent / "../../src/checkpoint/README.md").read_text()

# ---- the page ----


def section(heading):
    return re.search(rf"(?ms)^### {heading}.*?$(.*?)(?=^###|\Z)", PAGE)[1]


def table(text, head):
    """The rows of the table whose first column has this head."""
    lines = re.search(rf"(?m)^\| {head} \|.*\n\|[-|]*\|\n((?:\|.*\n)+)", text)[1].splitlines()
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


Field = namedtuple("Field", "name type since")
FIELDS = [Field(name, kind, int(since)) for name, kind, since, _ in table(section("What HDF5 shows"), "field")]
COLUMNS = {}  # of each table
for path, kind, since, _ in table(section("What HDF5 shows"), "column"):
    COLUMNS.setdefault(path.split(".")[0], []).append(Field(path.split(".")[1], kind, int(since)))
PLACES = {row[-1]: int(row[0]) for heading in ("The seal", "The image") for row in table(section(heading), "offset")
          if row[0].isdigit()}
COUNTS = {"window_count": 2, "best_count": 3}  # since which version

def place_of(words):
    """The offset of what the page describes by words that begin like these."""
    place, = (offset for row, offset in PLACES.items() if row.startswith(words))
    return place


SEAL_SIZE, SEAL_COUNT, SEAL_RANGES, SEAL_DIGEST = map(place_of, ("bytes of the file", "count", "offset", "XXH3"))
IMAGE, IMAGE_SIZE, IMAGE_VERSION, IMAGE_FINISHED, IMAGE_FINGERPRINT, IMAGE_FIELDS = map(
    place_of, ("lockstep record", "bytes of the image", "version", "1: the file", "fingerprint", "the fields"))

# ---- digests ----

Checkpoint = namedtuple("Checkpoint", "version fingerprint fields tables floats arrays tensors")
# arrays: {name: (offset of its floats, offset of its digests)}, in order; tensors: {name: (shape, first float)}


class Damaged(Exception):
    pass


def need(ok, words):
    if not ok:
        raise Damaged(words)


def number(whole, place):
    return struct.unpack_from("<Q", whole, place)[0]


def xxh3(data):
    return xxhash.XXH3_64bits(bytes(data), len(data))


def chain(a, b):
    return xxh3(struct.pack("<QQ", a, b))


def blocks(floats):
    return -(-floats // BLOCK)


def prove_arrays(whole, found):
    """Fingerprint and digests; what is outside the arrays is proven by the seal, if there is one."""
    fingerprint = chain(0, found.fields["step"])
    for name, (_, digests) in found.arrays.items():
        fingerprint = chain(fingerprint, xxh3(name.encode()))
        fingerprint = chain(fingerprint, xxh3(whole[digests:digests + 8 * blocks(found.floats)]))
    need(fingerprint == found.fingerprint, "fingerprint")
    for name, (offset, digests) in found.arrays.items():
        for b in range(blocks(found.floats)):
            first, last = b * BLOCK, min((b + 1) * BLOCK, found.floats)
            need(xxh3(whole[offset + 4 * first:offset + 4 * last]) == number(whole, digests + 8 * b),
                 f"block {b} of {name}")


def prove_seal(whole):
    """The ranges: offset and bytes."""
    need(whole[:16] == b"lockstep seal 1\n" and len(whole) >= 512, "no seal")
    size, count = number(whole, SEAL_SIZE), number(whole, SEAL_COUNT)
    need(size == len(whole), "seal: length")
    need(1 <= count <= 16, "seal: count")
    ranges = [struct.unpack_from("<QQ", whole, SEAL_RANGES + 16 * r) for r in range(count)]
    outside, first = [whole[:SEAL_DIGEST], bytes(8)], SEAL_DIGEST + 8
    for offset, length in ranges:
        need(first <= offset and offset + length <= size, "seal: ranges")
        outside.append(whole[first:offset])
        first = offset + length
    outside.append(whole[first:])
    need(number(whole, SEAL_DIGEST) == xxh3(b"".join(outside)), "seal: digest")
    return ranges


def check_ranges(ranges, found):
    need(ranges == sorted((offset, 4 * found.floats) for offset, _ in found.arrays.values()), "seal: not the arrays")


# ---- from the bytes ----


class Input:
    def __init__(self, data, at):
        self.data, self.at = data, at

    def number(self, form="<Q"):
        need(self.at + 8 <= len(self.data), "image: too short")
        self.at += 8
        return struct.unpack_from(form, self.data, self.at - 8)[0]

    def text(self):
        length = self.number()
        end = self.at + length
        rest = 8 - length % 8
        need(end + rest <= len(self.data) and self.data[end:end + rest] == bytes(rest), "image: a text")
        self.at = end + rest
        return self.data[end - length:end].decode()

    def value(self, kind):
        return self.text() if kind.startswith("text") else self.number({"u64": "<Q", "time": "<q", "f64": "<d"}[kind])


def read_image(whole):
    need(whole[IMAGE:IMAGE + 16] == b"lockstep record\n", "no image")
    need(number(whole, IMAGE_FINISHED) == 1, "image: not finished")
    end = IMAGE + number(whole, IMAGE_SIZE)
    image, version, fields = Input(whole[:end], IMAGE_FIELDS), number(whole, IMAGE_VERSION), {}
    for field in FIELDS:
        fields[field.name] = image.value(field.type) if field.since <= version else missing(field, fields)
    tables = {name: [tuple(image.value(column.type) for column in columns) for _ in range(image.number())]
              for name, columns in COLUMNS.items()}
    floats, count = image.number(), image.number()
    arrays = {image.text(): (image.number(), image.number()) for _ in range(count)}
    tensors, most = {}, 5 if version >= 5 else 4
    for _ in range(image.number()):
        name, dims, sizes = image.text(), image.number(), [image.number() for _ in range(most)]
        need(1 <= dims <= most and not any(sizes[dims:]), "image: a shape")
        tensors[name] = (tuple(sizes[:dims]), image.number())
    need(image.at == end, "image: its length")
    return Checkpoint(version, number(whole, IMAGE_FINGERPRINT), fields, tables, floats, arrays,
                      tensors)


def read_bytes(whole):
    ranges = prove_seal(whole)
    found = read_image(whole)
    check_ranges(ranges, found)
    prove_arrays(whole, found)
    return found


# ---- with h5py ----

ROW_TYPES = {"u64": "<u8", "time": "<i8", "f64": "<f8"}


def attribute(file, name, kind):
    stored, value = file.attrs.get_id(name), file.attrs[name]
    check(f"attribute {name} is a scalar", stored.shape == ())
    if kind == "text":
        text = value.decode()
        check(f"attribute {name}: its length is fixed, with one NUL", stored.dtype == f"S{len(text.encode()) + 1}")
        return text
    check(f"attribute {name} has type {kind}", stored.dtype == ("<f8" if kind == "f64" else "<u8"))
    return float(value) if kind == "f64" else int(value.astype("<i8") if kind == "time" else value)


def missing(field, fields):
    """What it means that a file is too old for a field."""
    if field.name in ("updates", "validated_step"):
        return fields["step"]
    return "" if field.type == "text" else 0


def read_fields(file, version):
    fields, names = {}, {"format", "version", "fingerprint"} | {name for name in COUNTS if COUNTS[name] <= version}
    for field in FIELDS:
        is_there = field.since <= version and (field.name != "why" or version != 3 or "why" in file.attrs)
        names |= {field.name} if is_there else set()
        fields[field.name] = attribute(file, field.name, field.type) if is_there else missing(field, fields)
    if version == 2:
        names |= {"best", "best_step"}
    check(f"the root has these attributes ({set(file.attrs) ^ names})", set(file.attrs) == names)
    return fields


def read_rows(file, name, version):
    """As tuples; the columns that are missing have the value that stands for it."""
    columns = COLUMNS[name]
    if f"{name}_count" in file.attrs:
        check(f"/{name} has as many rows as it should",
              attribute(file, f"{name}_count", "u64") == (len(file[name]) if name in file else 0))
    if name not in file:
        return [tuple(attribute(file, path, kind) for path, kind in (("best", "f64"), ("best_step", "u64")))] \
            if name == "best" and version == 2 and file.attrs["best_step"] > 0 else []
    rows = file[name]
    there = [column for column in columns if column.since <= version]
    types = [(c.name, ROW_TYPES.get(c.type) or f"S{c.type.split()[-1]}") for c in there]
    check(f"/{name} has these columns ({rows.dtype})", rows.dtype == np.dtype(types))
    check(f"/{name} is one chunk with a checksum",
          rows.chunks == rows.shape and rows.fletcher32 and rows.compression is None)
    values = [{c.name: row[c.name].item() for c in there} for row in rows[:]]
    return [tuple(v.decode() if isinstance(v, bytes) else v
                  for v in (row.get(c.name, missing(c, {})) for c in columns)) for row in values]


def read_tensors(file, arrays, floats):
    """The views of the parameters; those of the other arrays have to be the same."""
    groups = {name: file["model" if name == "params" else f"optimizer/{name}"] for name in arrays}
    tensors = {}
    for array, group in groups.items():
        for name, view in group.items():
            source, = view.virtual_sources()
            start, end = (int(place[0]) for place in source.src_space.get_select_bounds())
            range_of_it, place = file["state"][array][start:end + 1], (view.shape, start)
            check(f"{view.name} is a view of f32", view.is_virtual and view.dtype == "<f4" and 1 <= view.ndim <= 4)
            check(f"{view.name} shows its array", (source.file_name, source.dset_name) == (".", f"/state/{array}"))
            check(f"{view.name} is as long as its range", end - start + 1 == view.size and end < floats)
            check(f"{view.name} is row-major", np.array_equal(view[...].ravel(), range_of_it, equal_nan=True))
            check(f"{view.name} is where it is in each array", tensors.setdefault(name, place) == place)
        check(f"{group.name} has them all", set(group) == set(tensors))
    return tensors


def check_root(file, found):
    names = {"state", "digest", "model"} | {name for name in COLUMNS if found.tables[name]}
    names -= {"best"} if found.version < 3 else set()
    names |= {"optimizer"} if len(found.arrays) > 1 else set()
    check(f"the root has these members ({set(file)})", set(file) == names)
    check("/optimizer has the other arrays", set(file.get("optimizer", [])) == set(found.arrays) - {"params"})


def read_h5(path):
    with h5py.File(path, "r") as file:
        check("it is a checkpoint", attribute(file, "format", "text") == "lockstep checkpoint")
        version, fingerprint = attribute(file, "version", "u64"), attribute(file, "fingerprint", "text")
        check("16 hexadecimal digits", re.fullmatch("[0-9a-f]{16}", fingerprint))
        arrays, floats = {}, file["state/params"].size
        for name in file["state"]:  # h5py gives them in the order of creation, if a group keeps it
            values, digests = file["state"][name], file["digest"][name]
            check(f"/state/{name} is f32 [P]", values.dtype == "<f4" and values.shape == (floats,))
            check(f"/digest/{name} is u64, one a block", digests.dtype == "<u8" and digests.shape == (blocks(floats),))
            arrays[name] = (values.id.get_offset(), digests.id.get_offset())
        check("/digest has the same arrays", set(file["digest"]) == set(arrays))
        found = Checkpoint(version, int(fingerprint, 16), read_fields(file, version),
                           {name: read_rows(file, name, version) for name in COLUMNS}, floats, arrays,
                           read_tensors(file, arrays, floats))
        check_root(file, found)
    return found


# ---- both ----


def check_tensors(whole, found):
    """One behind the other, with zeros in between."""
    end, far = 0, 0
    used = np.zeros(found.floats, bool)
    for shape, first in sorted(found.tensors.values(), key=lambda tensor: tensor[1]):
        near = -(-end // 16) * 16
        far += first != near
        check(f"a tensor begins at {first}", first == near or (first == -(-end // BLOCK) * BLOCK and far == 1))
        end = first + int(np.prod(shape))
        used[first:end] = True
    check("an array ends with its last tensor", end <= found.floats < end + 16)
    for name, (offset, _) in found.arrays.items():
        values = np.frombuffer(whole, "<f4", found.floats, offset)
        check(f"{name} is zero between tensors", not values[~used].any())


def check_places(whole, found):
    """Where HDF5 begins, and what is aligned."""
    start = whole.index(b"\x89HDF\r\n\x1a\n")
    if found.version < 3:
        check("HDF5 begins at once", start == 0)
        return
    end = IMAGE + number(whole, IMAGE_SIZE) if found.version >= 4 else IMAGE
    check(f"HDF5 begins behind it, at a power of two ({start})", start >= end and start & start - 1 == 0)
    if 4 * found.floats >= 65536:
        places = [start] + [offset for offset, _ in found.arrays.values()]
        check(f"what is large is aligned ({places})", all(place % (1 << 20) == 0 for place in places))


def read(path):
    whole = open(path, "rb").read()
    found = read_h5(path)
    try:
        if found.version >= 3:
            check_ranges(prove_seal(whole), found)
        prove_arrays(whole, found)
        if found.version >= 4:
            plain = read_bytes(whole)
            for one, other in zip(plain, found):
                check(f"both ways find the same: {one!r} and {other!r}",
                      repr(one) == repr(other) or (one is plain.tensors and one == other))
    except Damaged as damage:
        check(f"it is not damaged ({damage})", False)
    check_tensors(whole, found)
    check_places(whole, found)
    print(f"{found.fingerprint:016x}")


# ---- damage ----


def verdict(whole):
    try:
        read_bytes(bytes(whole))
    except Damaged as damage:
        return str(damage)
    return "good"


def flipped(whole, place):
    return whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:]


def put(whole, place, data):
    return whole[:place] + data + whole[place + len(data):]


def covered(whole, found):
    """(words, place) of bytes that the seal covers: one of each part of the file."""
    start = whole.index(b"\x89HDF\r\n\x1a\n")
    ends = sorted(offset + 4 * found.floats for offset, _ in found.arrays.values())
    yield from PLACES.items()
    yield from ((f"the image, byte {place}", place)
                for place in range(IMAGE, IMAGE + number(whole, IMAGE_SIZE), 97))
    yield from [("the last range", SEAL_RANGES + 16 * len(ends) - 1), ("zeros behind it", SEAL_RANGES + 16 * len(ends)),
                ("the last byte of the seal", IMAGE - 1), ("what nothing uses", start - 1),
                ("HDF5's superblock", start + 8), ("HDF5's heap", whole.index(b"GCOL") + 24),
                ("a byte of HDF5", whole.index(b"OHDR") + 6),
                ("the byte in front of the arrays", min(offset for offset, _ in found.arrays.values()) - 1),
                ("the byte behind them", ends[-1]), ("the last byte", len(whole) - 1)]
    yield from ((f"a digest of {name}", place + 8 * blocks(found.floats) - 1)
                for name, (_, place) in found.arrays.items())


def damage(path):
    whole = open(path, "rb").read()
    found = read_bytes(whole)
    check("it is good before", verdict(whole) == "good")
    places = list(covered(whole, found))
    for words, place in places:
        answer = verdict(flipped(whole, place))
        check(f"seal: {words} ({answer})", answer.startswith(("seal: ", "no seal")))
    for changed in (whole[:-1], whole + b"\0", whole[:600]):
        check("another length", verdict(changed) == "seal: length")
    for name, (offset, digests) in found.arrays.items():
        for element in {0, found.floats // 2, found.floats - 1}:
            block, place = element // BLOCK, offset + 4 * element
            check(f"element {element} of {name}", verdict(flipped(whole, place + 3)) == f"block {block} of {name}")
        # Sealed again, each digest does its own work.
        check(f"a digest of {name}", verdict(renew(flipped(whole, digests))) == "fingerprint")
        first = flipped(whole, offset)
        forged = put(first, digests, struct.pack("<Q", xxh3(first[offset:offset + 4 * min(BLOCK, found.floats)])))
        check(f"a block of {name} and its digest", verdict(renew(forged)) == "fingerprint")
        named = whole.index(name.encode() + bytes(8 - len(name) % 8) + struct.pack("<QQ", offset, digests))
        check(f"the name {name}", verdict(renew(flipped(whole, named))) == "fingerprint")
    check("the step", verdict(renew(flipped(whole, IMAGE_FIELDS))) == "fingerprint")
    check("the fingerprint", verdict(renew(flipped(whole, IMAGE_FINGERPRINT))) == "fingerprint")
    check("not finished", verdict(renew(put(whole, IMAGE_FINISHED, bytes(8)))) == "image: not finished")
    print(f"      {len(places)} bytes under the seal, {len(found.arrays)} arrays of {blocks(found.floats)} blocks")


def unfinished(path):
    whole = open(path, "rb").read()
    check("it has a hidden name", Path(path).name.startswith("."))
    check("it has no seal yet", verdict(whole) == "no seal")
    check("its image says so", number(whole, IMAGE_FINISHED) == 0)
    with h5py.File(path, "r") as file:
        check("HDF5 says so", attribute(file, "fingerprint", "text").rstrip() == "uncommitted")


{"read": read, "damage": damage, "unfinished": unfinished}[sys.argv[1]](sys.argv[2])
finish()
