"""Hostile checkpoints: a good one is changed and sealed again, so that all that proves wholeness holds.

    hostile.py GOOD FOLDER SECRET FIFO     writes FOLDER/<name>.h5, and prints a line for each: <name>
    hostile.py long OLD NEW BYTES          makes OLD, which has no seal, and NEW so long that almost all is a hole: OLD holds
                                           HDF5 for ever, NEW has it outside the arrays

SECRET is a file that is none of a checkpoint's business, FIFO a pipe that nobody writes into.
"""
import shutil
import struct
import sys

import h5py
import numpy as np

from seal import renew


def damaged(whole, at, number, form):
    return whole[:at] + struct.pack(form, number) + whole[at + struct.calcsize(form):]


def endless(whole):
    return damaged(whole, whole.index(b"GCOL") + 24, 2**64 - 16, "<Q")


def lengthen(old, new, size):
    """The seal of NEW has one range, of nothing; its digest is wrong, as only who has read all of it can know."""
    for name, change in ((old, endless), (new, lambda whole: whole[:128] + struct.pack("<4Q", size, 1, 512, 0) + whole[160:])):
        whole = change(open(name, "rb").read())
        with open(name, "wb") as file:
            file.write(whole)
            file.truncate(size)


if sys.argv[1] == "long":
    lengthen(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    sys.exit()

good, folder, secret, fifo = sys.argv[1:5]


def creation():
    return h5py.h5p.create(h5py.h5p.DATASET_CREATE)


def outside(path, count):
    """A dataset whose values are the bytes of the secret file."""
    def change(file):
        kind = file[path].id.get_type()
        del file[path]
        create = creation()
        create.set_external(secret.encode(), 0, count * kind.get_size())
        h5py.h5d.create(file.id, path.encode(), kind, h5py.h5s.create_simple((count,)), create)
    return change


def view(path, shape, source, name, kind=h5py.h5t.IEEE_F32LE):
    def change(file):
        if path in file:
            del file[path]
        count = int(np.prod([float(n) for n in shape]))
        create, space, there = creation(), h5py.h5s.create_simple(shape), h5py.h5s.create_simple((count,))
        create.set_virtual(space, source.encode(), name.encode(), there)
        h5py.h5d.create(file.id, path.encode(), kind, space, create)
    return change


def claims(path, count):
    """Rows that nobody has stored: a few bytes claim gigabytes."""
    def change(file):
        kind = file[path].id.get_type()
        del file[path]
        create = creation()
        create.set_chunk((min(count, 1 << 14),))
        h5py.h5d.create(file.id, path.encode(), kind, h5py.h5s.create_simple((count,)), create)
    return change


def number(name, value, kind="<u8"):
    def change(file):
        del file.attrs[name]
        file.attrs.create(name, np.array(value, dtype=kind))
    return change


def text(name, value):
    def change(file):
        del file.attrs[name]
        file.attrs.create(name, value.encode(), dtype=f"S{len(value) + 1}")
    return change


def remove(path):
    def change(file):
        del file[path]
    return change


def link(path, target):
    def change(file):
        del file[path]
        file[path] = target
    return change


def none(file):
    pass


with h5py.File(good, "r") as opened:
    tensor = sorted(opened["model"])[0]
    model, shape = f"model/{tensor}", opened[f"model/{tensor}"].shape
    floats = opened["state/params"].shape[0]

# By HDF5: another object in the place of a good one.
CHANGES = {
    "provenance-outside": outside("provenance", 1),
    "best-outside": outside("best", 1),
    "window-outside": outside("window", 4),
    "digest-outside": outside("digest/params", 1),
    "view-of-secret": view(model, shape, secret, "x"),
    "view-of-pipe": view(model, shape, fifo, "x"),
    "view-of-average": view(model, shape, ".", "/state/ema"),
    "view-of-all-memory": view(model, (1 << 16, 1 << 16), ".", "/state/params"),
    "view-turned": view(model, shape[::-1] if len(shape) > 1 else (1,), ".", "/state/params"),
    "view-gone": remove(model),
    "view-more": view("model/more", (1,), ".", "/state/params"),
    "rows-claimed": claims("provenance", (1 << 24) - 1),
    "link-out": link(model, h5py.ExternalLink(secret, "/x")),
    "link-soft": link(model, h5py.SoftLink("/state/params")),
    "link-pipe": link("state/params", h5py.ExternalLink(fifo, "/x")),
    "object-more": lambda file: file.create_dataset("more", data=np.zeros(3)),
    "step-huge": number("step", 2**64 - 1),
    "samples-huge": number("sampler_sample", 2**64 - 1),
    "epoch-endless": number("epoch", float("inf"), "<f8"),
    "version-new": number("version", 77),
    "format-escape": text("format", "lockstep checkpoint\x1b[2J"),
}


def find_heap(whole):
    return whole.index(b"GCOL")


def find_selection(whole):
    """Of a view, in the heap: behind the name of its source is a hyperslab: type, version, two words, rank, blocks."""
    return whole.index(b"/state/params\0") + len(b"/state/params\0")


# By bytes: what HDF5 follows without a look.
BYTES = {
    "heap-endless": endless,
    "heap-empty": lambda whole: damaged(whole, find_heap(whole) + 24, 0, "<Q"),
    "selection-rank": lambda whole: damaged(whole, find_selection(whole) + 16, 0x7FFFFFFF, "<I"),
    "selection-blocks": lambda whole: damaged(whole, find_selection(whole) + 20, 0x7FFFFFFF, "<I"),
}

# ---- in the image of the record, which is all that lockstep reads (src/checkpoint/record_image.h) ----

IMAGE = 512  # where it begins, behind the seal


def text_end(whole, at):
    length = struct.unpack_from("<Q", whole, at)[0]
    return at + 8 + length // 8 * 8 + 8


def find_updates(whole):
    """Six numbers, five texts, the place in the order of samples; then the counts of updates, skipped and validated."""
    at = IMAGE + 48 + 6 * 8
    for _ in range(5):
        at = text_end(whole, at)
    return at + 2 * 8


def find_tensor(whole, name):
    return whole.index(struct.pack("<Q", len(name)) + name.encode() + b"\0", IMAGE)


def twice(whole):
    """One tensor two times, and none of another: the view of that can be anything."""
    first, second = find_tensor(whole, "2.batch_norm.weight"), find_tensor(whole, "2.batch_norm.bias")
    length = text_end(whole, first) - first + 7 * 8
    return whole[:first] + whole[second:second + length] + whole[first + length:]


def dropped(whole):
    """A tensor that is nowhere: neither in the image nor as a view."""
    first = find_tensor(whole, "2.batch_norm.weight")
    length, bytes_of_image = text_end(whole, first) - first + 7 * 8, struct.unpack_from("<Q", whole, IMAGE + 16)[0]
    at = whole.rindex(struct.pack("<Q", 5), IMAGE, first)  # how many there are
    image = whole[IMAGE:at] + struct.pack("<Q", 4) + whole[at + 8:first] + whole[first + length:IMAGE + bytes_of_image]
    image = image[:16] + struct.pack("<Q", bytes_of_image - length) + image[24:] + bytes(length)
    return whole[:IMAGE] + image + whole[IMAGE + bytes_of_image:]


def without_views(file):
    for group in ("model", *(f"optimizer/{name}" for name in file["optimizer"])):
        del file[group]["2.batch_norm.weight"]


IMAGES = {
    "image-tensor-twice": (outside("model/2.batch_norm.weight", 4), twice),
    "image-tensor-dropped": (without_views, dropped),
    "image-updates-huge": (none, lambda whole: damaged(whole, find_updates(whole), 1 << 53, "<Q")),
    "image-validated-huge": (none, lambda whole: damaged(whole, find_updates(whole) + 16, 1 << 53, "<Q")),
}

has_image = open(good, "rb").read()[IMAGE:].startswith(b"lockstep record\n")
for name, (change, forge) in IMAGES.items() if has_image else ():
    target = f"{folder}/{name}.h5"
    shutil.copyfile(good, target)
    with h5py.File(target, "r+", libver=("v108", "v110")) as file:
        change(file)
    data = open(target, "rb").read()
    open(target, "wb").write(renew(forge(data)))
    print(name)
for name, change in CHANGES.items():
    target = f"{folder}/{name}.h5"
    shutil.copyfile(good, target)
    with h5py.File(target, "r+", libver=("v108", "v110")) as file:
        change(file)
    data = open(target, "rb").read()
    open(target, "wb").write(renew(data))
    print(name)
for name, change in BYTES.items():
    open(f"{folder}/{name}.h5", "wb").write(renew(change(open(good, "rb").read())))
    print(name)
