"""Checks what lockstep tells about checkpoints with h5py and NumPy, and damages files for that.

    looking.py show FILE TEXT        TEXT is what `show FILE` has printed: its table of tensors
    looking.py diff FILE FILE TEXT   TEXT is what `diff FILE FILE` has printed
    looking.py spoil FILE            NaN and both infinities into a weight
    looking.py blocks FILE           prints how many blocks an array has
    looking.py flip FILE BLOCK       flips a bit in that block of the last array
"""
import re
import sys

import h5py
import numpy as np

from checks import check, finish

def tensors(name):
    found = {}

    def take(path, item):
        if isinstance(item, h5py.Dataset) and path.startswith(("model/", "optimizer/")):
            found["/" + path] = item[...].astype(np.float64)

    with h5py.File(name, "r") as file:
        file.visititems(take)
    return found


def near(found, expected):
    return abs(float(found) - expected) <= 1e-6 * abs(expected) + 1e-30


def show(name, text):
    rows = {line.split()[0]: line.split()[1:] for line in open(text) if re.match("/(model|optimizer)/", line)}
    expected = tensors(name)
    check(f"the same tensors: {sorted(rows)}", sorted(rows) == sorted(expected))
    for path, values in expected.items():
        shape, mean, deviation, low, high, nonfinite = rows[path]
        finite = values[np.isfinite(values)]
        check(f"{path}: shape {shape}", shape == "x".join(map(str, values.shape)))
        # A mean near zero is a small difference of large sums: it is as exact as they are.
        check(f"{path}: mean {mean}", abs(float(mean) - finite.mean()) <= 1e-6 * abs(finite.mean()) + 1e-12 * abs(finite).mean())
        check(f"{path}: deviation {deviation}", near(deviation, finite.std()))
        check(f"{path}: min {low}, max {high}", near(low, finite.min()) and near(high, finite.max()))
        check(f"{path}: {nonfinite} not finite", int(nonfinite) == values.size - finite.size)


def diff(left, right, text):
    a, b = tensors(left), tensors(right)
    lines = {line.split(":")[0]: line for line in open(text) if line.startswith("/")}
    differing = [path for path in a if not np.array_equal(a[path], b[path])]
    check("a line for each tensor that differs", sorted(lines) == sorted(differing))
    for path in differing:
        distance = np.abs(a[path] - b[path])
        with np.errstate(invalid="ignore"):
            relative = np.nan_to_num(distance / np.maximum(np.abs(a[path]), np.abs(b[path])))
        match = re.search(r"difference (\S+) at .* relative one (\S+), (\d+) of (\d+) elements", lines[path])
        check(f"{path}: largest difference", near(match[1], distance.max()))
        check(f"{path}: largest relative one", abs(float(match[2]) - relative.max()) <= 6e-3 * relative.max())
        check(f"{path}: how many", (int(match[3]), int(match[4])) == ((distance > 0).sum(), distance.size))


def write_at(name, place, data):
    with open(name, "r+b") as file:
        file.seek(place)
        file.write(data)


def main():
    what, name, *rest = sys.argv[1:]
    if what == "show":
        show(name, *rest)
    elif what == "diff":
        diff(name, *rest)
    else:
        with h5py.File(name, "r") as file:
            arrays = [file["state"][array] for array in file["state"]]
            floats, last = arrays[0].shape[0], arrays[-1].id.get_offset()
            params = file["state/params"].id.get_offset()
        if what == "blocks":
            print(-(-floats // 4096))
        elif what == "spoil":
            write_at(name, params + 4 * 10, np.array([np.nan, np.inf, -np.inf], "<f4").tobytes())
        elif what == "flip":
            place = last + 4 * 4096 * int(rest[0]) + 2
            with open(name, "rb") as file:
                file.seek(place)
                byte = file.read(1)[0]
            write_at(name, place, bytes([byte ^ 4]))
    finish()


main()
