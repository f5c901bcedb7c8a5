"""Reads a checkpoint of the system tests' job with h5py and checks all that a reader may rely on.

    h5py_reads.py FILE STEP FINGERPRINT RANKS [MOMENT...]

MOMENT: names of the optimizer's arrays; by default those of adamw.
"""
import re
import sys

import h5py
import numpy as np

from checks import check, finish

path, step, fingerprint, ranks = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
moments = sys.argv[5:] or ["m", "v"]
shapes = {
    "0.dense.weight": (64, 784),
    "0.dense.bias": (64,),
    "2.dense.weight": (10, 64),
    "2.dense.bias": (10,),
}

with h5py.File(path, "r") as file:
    arrays = list(file["state"])
    optimizer = [name for name in arrays if name != "params"]
    check(f"/state holds params and one array a moment ({arrays})", len(optimizer) == len(moments))
    check("the moments have their names", all(name.split(".")[-1] == moment for name, moment in zip(optimizer, moments)))
    check("/model holds these tensors", set(file["model"]) == set(shapes))
    check("/optimizer holds these arrays", set(file.get("optimizer", [])) == set(optimizer))
    check("/digest has an array for each", set(file["digest"]) == set(arrays))

    # The tensors stand in the arenas in the order of the model, each at a multiple of 16 floats.
    offset = 0
    for name, shape in shapes.items():
        count = int(np.prod(shape))
        for array in arrays:
            flat = file["state"][array]
            view = file["model" if array == "params" else f"optimizer/{array}"][name]
            check(f"{array}: {name} has shape {shape}, not {view.shape}", view.shape == shape)
            check(f"{array}: {name} is float32", view.dtype == np.float32)
            check(f"{array}: {name} stores no byte of its own", view.is_virtual)
            check(f"{array}: {name} has the values of its place",
                  np.array_equal(view[...].ravel(), flat[offset:offset + count]))
        weights = file["model"][name][...]
        check(f"{name} is finite and not all the same", np.isfinite(weights).all() and weights.std() > 0)
        offset += -(-count // 16) * 16
    check("the arenas end where the last tensor ends", file["state/params"].shape[0] in (offset, offset - 16 + 10))
    check("a weight has the scale of its layer", 0.01 < file["model/0.dense.weight"][...].std() < 0.2)
    check("training has moved the moments", all(np.abs(file["state"][a][...]).max() > 0 for a in optimizer))

    def text(name):
        value = file.attrs[name]
        return value.decode() if isinstance(value, bytes) else str(value)

    check("attribute format", text("format") == "lockstep checkpoint")
    check("attribute version", int(file.attrs["version"]) == 5)
    check("attribute origin: it began with its own weights", text("origin") == "")
    check("attribute why: it was the end of the job", text("why") == "finished")
    check("attribute updates: no step was skipped", int(file.attrs["updates"]) == step)
    check("attribute vocabulary: there are no tokens", text("vocabulary") == "")
    check("attribute step", int(file.attrs["step"]) == step)
    check("attribute epoch", abs(float(file.attrs["epoch"]) - step * 64 / 1000) < 1e-9)
    check("attribute loss", 0 < float(file.attrs["loss"]) < 3)
    check("attribute fingerprint", text("fingerprint") == fingerprint)
    check("attribute job is the whole resolved job",
          all(key in text("job") for key in ("microbatch: 8", "units: 64", "learning_rate:", "seed: 1", "keep: 3")))
    check("attribute passport", text("passport") == "numerics: 1\nproducts: lockstep\nprecision: float32\n")
    rows = file["provenance"][...]
    check("provenance has a row for the one segment", len(rows) == 1)
    check("provenance: steps", (rows[0]["first_step"], rows[0]["last_step"]) == (1, step))
    check("provenance: ranks", rows[0]["ranks"] == ranks and rows[0]["nodes"] == 1)
    check("provenance: reason of the end", rows[0]["end"].rstrip(b"\0") == b"finished")
    check("provenance: hosts", len(rows[0]["hosts"].rstrip(b"\0")) > 0)

finish()
